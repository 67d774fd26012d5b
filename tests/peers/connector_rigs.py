"""Connectors of every kind with something to do the physical part: what contract tests move and look at.

A rig of a Modbus connector is a controller in memory that does what the pilot, the cable and the lock do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import trio
from msgspec.structs import replace

from drivers.board import Board, BoardSettings
from drivers.board_connector import BoardConnector
from drivers.interfaces import ConnectorDriver
from drivers.lines import MemoryLines
from drivers.map_files import load_map
from drivers.modbus.client import ClientSettings, ModbusClient
from drivers.modbus.device import MappedDevice
from drivers.modbus.frames import Framing
from drivers.modbus_connector import ModbusConnector
from drivers.modbus_evse import EvseSettings
from drivers.modbus_meter import MeterSettings
from drivers.register_map import RegisterMap
from drivers.simulated import SimulatedConnector, SimulatedConnectorSettings, SimulatedVehicleSettings
from machines.vocabulary.hardware import PilotState
from tests.peers.mapped import cells
from tests.peers.modbus_memory import MemoryDevices, Tables

EVSE_UNIT, METER_UNIT = 5, 6
LINE = ClientSettings(timeout_s=0.1, retries=1, late_window_s=0.1, reconnect_max_s=1.0)


class ConnectorRig(Protocol):
    """One connector and its surroundings."""

    driver: ConnectorDriver
    has_cable: bool
    """Whether it has a socket outlet."""
    has_lock: bool

    def plug_in(self) -> None: ...
    def unplug(self) -> None: ...
    def silence_meter(self, silent: bool) -> None: ...
    @property
    def offered_a(self) -> float:
        """What the vehicle may take now."""

    @property
    def energy_flows(self) -> bool:
        """Whether a vehicle has energy now."""


class SimulatedRig:
    """The simulated connector."""

    def __init__(self, *, has_socket: bool) -> None:
        settings = SimulatedConnectorSettings(
            cable="socket" if has_socket else "tethered",
            has_lock=has_socket,
            phases=3,
            voltage_v=230.0,
            current_max_a=32.0,
            vehicle=SimulatedVehicleSettings(response_s=0.5),
        )
        self.simulated = SimulatedConnector(settings)
        self.driver: ConnectorDriver = self.simulated
        self.has_cable = self.has_lock = has_socket

    def plug_in(self) -> None:
        self.simulated.plug_in()

    def unplug(self) -> None:
        self.simulated.unplug()

    def silence_meter(self, silent: bool) -> None:
        self.simulated.meter_silence(silent)

    @property
    def offered_a(self) -> float:
        return self.simulated.state().offered_a

    @property
    def energy_flows(self) -> bool:
        return self.simulated.state().current_a > 0


class ObedientLines(MemoryLines):
    """Lines of a board whose contactor and lock do what they are told, unless they are stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stuck = False

    def set(self, values: Mapping[str, bool]) -> None:
        super().set(values)
        for output, feedback in (("contactor", "contactor_closed"), ("lock", "lock_closed")):
            if output in values and not self.is_stuck:
                self.put(feedback, is_active=values[output])


class ModbusRig:
    """A controller and a meter in memory, on one line.

    Args:
        nursery: Runs the devices.
        evse: Map of the controller.
        meter: Map of the meter.
    """

    def __init__(self, nursery: trio.Nursery, evse: Path, meter: Path) -> None:
        self.line = MemoryDevices(nursery)
        self.evse, self.meter = load_map(evse), load_map(meter)
        self.client = ModbusClient(self.line.connect, Framing.RTU, LINE)
        self.has_cable = "cable_a" in self.evse.values
        self.has_lock = "lock" in self.evse.actions
        self.evse_settings = EvseSettings(
            cable="socket" if self.has_cable else "tethered", has_lock=self.has_lock
        )
        self.meter_settings = MeterSettings(power_max_w=22_000)
        self.driver = self.new_driver()
        for unit, found in ((EVSE_UNIT, self.evse), (METER_UNIT, self.meter)):
            for quantity in found.values.values():
                for table, address, words in cells(quantity, "" if quantity.parts[0].type == "str" else 0):
                    self._store(self.line.device(unit), table, address, words)
        for name, demand in self.evse.demands.items():
            if demand.write is None:
                self.hold(name, demand.equals)
        if "frequency_hz" in self.meter.values:
            self.hold("frequency_hz", 50, METER_UNIT)
        self.hold("energy_import_wh", 5000, METER_UNIT)
        self.pilot(PilotState.A)

    def new_driver(self) -> ConnectorDriver:
        """A driver that knows nothing yet, as after a start of the program."""
        return ModbusConnector(
            MappedDevice(self.client, EVSE_UNIT, self.evse),
            self.evse_settings,
            MappedDevice(self.client, METER_UNIT, self.meter),
            self.meter_settings,
        )

    def hold(self, name: str, value: object, unit: int = EVSE_UNIT) -> None:
        """Let a device hold ``value``."""
        found: RegisterMap = self.evse if unit == EVSE_UNIT else self.meter
        for table, address, words in cells(found.values[name], value):
            self._store(self.line.device(unit), table, address, words)

    def pilot(self, state: PilotState) -> None:
        """Let the pilot be in ``state``."""
        self._pilot = state
        text = next(text for text, means in self.evse.pilots.items() if means == state)
        self.hold("pilot", text.rjust(2, "\0"))

    def plug_in(self) -> None:
        if self.has_cable:
            self.hold("cable_a", 32)
        self.pilot(PilotState.B)

    def unplug(self) -> None:
        self.pilot(PilotState.A)
        if self.has_cable:
            self.hold("cable_a", 0)

    def silence_meter(self, silent: bool) -> None:
        (self.line.silent.add if silent else self.line.silent.discard)(METER_UNIT)

    @property
    def offered_a(self) -> float:
        amps = self._written("set_current")
        if "allowed" in self.evse.values:
            return amps if self._written("allow") else 0
        return amps

    @property
    def is_locked(self) -> bool:
        return bool(self._written("lock"))

    def _written(self, action: str) -> int:
        """What stands now where ``action`` writes."""
        register = self.evse.actions[action].writes[0].register
        return self.line.device(EVSE_UNIT)[register.table].get(register.address, 0)

    @property
    def energy_flows(self) -> bool:
        """Whether the controller has its contactor closed, as it does by itself, and keeps it when it hears nothing."""
        return self.offered_a > 0 and self._pilot in ("C", "D")

    @staticmethod
    def _store(tables: Tables, table: str, address: int, words: list[int]) -> None:
        tables[table].update(enumerate(words, address))


class BoardRig(ModbusRig):
    """A controller with a board beside it: the board's contactor is in series with that of the controller."""

    def __init__(self, nursery: trio.Nursery, evse: Path, meter: Path) -> None:
        self.lines = ObedientLines()
        super().__init__(nursery, evse, meter)

    def new_driver(self) -> ConnectorDriver:
        """A driver that knows nothing yet, as after a start of the program."""
        self.evse_settings = replace(self.evse_settings, has_lock=False, when_silent="contactor opened")
        return BoardConnector(super().new_driver(), Board(lambda _names: self.lines, BoardSettings()))

    @property
    def energy_flows(self) -> bool:
        return super().energy_flows and self.lines.outputs["contactor"]
