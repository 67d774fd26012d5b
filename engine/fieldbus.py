"""From declared devices on Modbus lines, and the lines of a board, to the objects that drive them.

Several devices may be on one line: it is opened once, and whoever declares it must say the same of it.
"""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import trio
from msgspec.structs import replace

from drivers.interfaces import ConnectorDriver
from drivers.lines import INPUTS, OUTPUTS
from drivers.map_files import find_map
from drivers.modbus.client import ClientSettings, Connect, ModbusClient, silence_of
from drivers.modbus.device import MappedDevice
from drivers.modbus.frames import Framing
from drivers.modbus_connector import ModbusConnector
from drivers.modbus_evse import EvseSettings
from drivers.modbus_meter import MeterSettings
from drivers.register_map import RegisterMap
from engine.declaration.fieldbus import maps_folder
from engine.declaration.lines import lines_of
from engine.serial_lines import SerialPorts, numbers, serial_settings
from machines.vocabulary.settings import ConnectorSettings

Table = dict[str, object]

__all__ = ["LineError", "Lines", "maps_folder", "modbus_connector"]


class LineError(Exception):
    """Two devices declare one line differently. One line, for the user."""


class Lines:
    """The Modbus lines of a station.

    Args:
        ports: Its serial ports.
    """

    def __init__(self, ports: SerialPorts) -> None:
        self._ports = ports
        self._clients: dict[str, tuple[ModbusClient, str]] = {}

    def device(self, declared: Table, found: RegisterMap) -> MappedDevice:
        """The device that is ``declared``, on its line.

        Raises:
            LineError: Its line was declared differently before.
        """
        unit = declared.get("unit", found.bus.unit)
        assert isinstance(unit, int)
        return MappedDevice(self._client(declared, found), unit, found)

    def _client(self, declared: Table, found: RegisterMap) -> ModbusClient:
        bus = found.bus
        patience = _patience(declared, bus.timeout_s)
        if "device" in declared:
            port = serial_settings(declared, bus.baudrate, bus.parity, bus.stopbits)
            by = ", by asyncio" if declared.get("backend") == "asyncio" else ""
            direction = f", rs485 {port.rs485}" if port.rs485 else ""
            name = port.device
            manner = f"{port.baudrate} 8{port.parity}{port.stopbits}{direction}{by}"
            framing = Framing.RTU
            connect: Connect = self._ports.opener(declared, port)
            patience = replace(patience, silence_s=silence_of(port.baudrate, port.bits))
        else:
            host, tcp_port = str(declared["host"]), declared.get("port", bus.port)
            assert isinstance(tcp_port, int)
            framing = Framing(str(declared.get("framing", "tcp")))
            name, manner = f"{host}:{tcp_port}", framing
            connect = partial(trio.open_tcp_stream, host, tcp_port)
        known = self._clients.get(name)
        if known is None:
            client = ModbusClient(connect, framing, patience)
            self._clients[name] = (client, manner)
            return client
        client, manner_before = known
        if manner != manner_before:
            raise LineError(f"{name} is declared as {manner_before} and as {manner}")
        client.be_patient(patience)
        return client


def modbus_connector(
    connector: ConnectorSettings, parameters: Table, folder: Path, lines: Lines, *, switches_phases: bool
) -> ConnectorDriver:
    """The connector of a controller, a meter and a board, as far as they are declared.

    Raises:
        FileError: A register map is wrong.
        LineError: A line is declared differently elsewhere.
    """
    evse = _table(parameters, "evse")
    point = evse.get("point", 1)
    assert isinstance(point, int)
    evse_map = find_map(str(evse["map"]), folder, point)
    controller = lines.device(evse, evse_map)
    meter: MappedDevice | None = None
    if "meter" in parameters:
        declared = _table(parameters, "meter")
        meter = lines.device(declared, find_map(str(declared["map"]), folder))
    elif "energy_import_wh" in evse_map.values:
        meter = controller
    power_max_w = connector.current_max_a * connector.voltage_v * connector.phases
    board_lines = lines_of(parameters)
    driver = ModbusConnector(
        controller,
        EvseSettings(
            cable=connector.cable,
            has_lock=connector.has_lock and "lock" not in board_lines,
            switches_phases=switches_phases and "phases" not in board_lines,
            when_silent=_when_silent(evse_map, has_contactor="contactor" in board_lines),
            **numbers(evse, "poll_s", "silent_after_s", "watchdog_s", "lock_timeout_s"),
        ),
        meter,
        MeterSettings(
            power_max_w=power_max_w, **numbers(_table(parameters, "meter"), "poll_s", "silent_after_s")
        ),
    )
    return _with_board(driver, _table(parameters, "lines"), board_lines) if board_lines else driver


def _when_silent(found: RegisterMap, *, has_contactor: bool) -> str:
    if has_contactor:
        return "contactor opened"
    if "watchdog" in found.actions or found.heartbeat is not None:
        return "off by its watchdog"
    return "may charge on"


def _with_board(driver: ModbusConnector, declared: Table, lines: dict[str, Table]) -> ConnectorDriver:
    from drivers.board import Board, BoardSettings
    from drivers.board_connector import BoardConnector
    from drivers.gpio import ChipLines, LineSettings, check_library

    check_library()
    found = {
        role: LineSettings(name=str(line["line"]), active_low=line.get("active_low") is True)
        for role, line in lines.items()
    }
    outputs = {role: found[role] for role in OUTPUTS if role in found}
    inputs = {role: found[role] for role in INPUTS if role in found}
    settings = BoardSettings(
        outputs=tuple(outputs),
        inputs=tuple(inputs),
        **numbers(declared, "contactor_timeout_s", "lock_timeout_s"),
    )

    def open_lines(names: Collection[str]) -> ChipLines:
        return ChipLines(
            str(declared["chip"]),
            {name: line for name, line in outputs.items() if name in names},
            {name: line for name, line in inputs.items() if name in names},
        )

    return BoardConnector(driver, Board(open_lines, settings))


def _patience(declared: Table, usual_s: float) -> ClientSettings:
    timeout_s = numbers({"timeout_s": usual_s, **declared}, "timeout_s")["timeout_s"]
    retries = declared.get("retries", 1)
    assert isinstance(retries, int)
    window = numbers({"late_window_s": timeout_s, **declared}, "late_window_s")
    return ClientSettings(timeout_s=timeout_s, retries=retries, **window)


def _table(parameters: Table, name: str) -> Table:
    table = parameters.get(name, {})
    assert isinstance(table, dict)
    return table
