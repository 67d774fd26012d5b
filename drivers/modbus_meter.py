"""A meter on a Modbus line: read when asked, and watched all the time."""

from collections.abc import Mapping

import msgspec
import trio
from msgspec import Struct

from drivers.energy import EnergyRegister
from drivers.interfaces import MeterSilentError, ReportEvent
from drivers.modbus.device import MappedDevice
from drivers.modbus.errors import ModbusError
from drivers.register_map import METER_VALUES
from drivers.registers import Value
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault, MeterReading

POWER_MARGIN = 1.25
"""Over what the connector can draw: meters show peaks."""


class MeterSettings(Struct, frozen=True, kw_only=True):
    """How a meter is watched. Times in s."""

    poll_s: float = 1.0
    """Between two readings of our own."""
    silent_after_s: float = 5.0
    """Without a good reading for so long, the meter has failed."""
    power_max_w: float
    """What the connector can draw."""


class MeterImplausibleError(MeterSilentError):
    """The meter answers, with values that cannot be."""


class ModbusMeter:
    """One meter; also the meter within a controller.

    Args:
        device: What answers.
        settings: How it is watched.
    """

    def __init__(self, device: MappedDevice, settings: MeterSettings) -> None:
        self._device = device
        self._settings = settings
        self._names = [name for name in METER_VALUES if name in device.map.values]
        self._energy = EnergyRegister(settings.power_max_w * POWER_MARGIN, device.map.energy_modulus_wh)
        self._reading = trio.Lock()
        self._probed = 0
        """The connection at which the values were found plausible."""
        self._note = ""
        """What the last reading says is wrong."""
        self._told: str | None = None
        """The fault that stands."""

    async def run(self, report: ReportEvent) -> None:
        """Report when the meter fails and when it is back, until cancelled."""
        heard_at = trio.current_time()
        while True:
            fault: str | None = None
            try:
                await self.read()
                heard_at = trio.current_time()
                fault = self._note or None
            except MeterImplausibleError as error:
                fault = str(error)
            except MeterSilentError as error:
                is_failed = trio.current_time() - heard_at >= self._settings.silent_after_s
                fault = str(error) if is_failed else self._told
            if fault != self._told:
                await report(
                    FaultRaised(HardwareFault.METER, fault) if fault else FaultCleared(HardwareFault.METER)
                )
                self._told = fault
            await trio.sleep(self._settings.poll_s)

    async def read(self) -> MeterReading:
        """Read all values now.

        Raises:
            MeterSilentError: The meter did not answer, or with values that cannot be.
        """
        async with self._reading:
            try:
                values = await self._device.read(self._names)
            except ModbusError as error:
                raise MeterSilentError(str(error)) from error
            if self._probed != self._device.client.connections:
                self._probe(values)
                self._probed = self._device.client.connections
            return self._judge(values)

    def _probe(self, values: Mapping[str, Value]) -> None:
        """Refuse values that a wrong map, or another device, makes."""
        for name, allowed in self._device.map.probe.items():
            value = values.get(name)
            if not isinstance(value, int | float) or not allowed.min <= value <= allowed.max:
                bounds = f"{allowed.min:g} to {allowed.max:g}"
                raise MeterImplausibleError(
                    f"{name} is {value}, allowed: {bounds}; is it {self._device.map.name}?"
                )

    def _judge(self, values: Mapping[str, Value]) -> MeterReading:
        read_wh = values["energy_import_wh"]
        if not isinstance(read_wh, int | float):
            raise MeterImplausibleError("the meter has no energy register")
        verdict = self._energy.take(read_wh, trio.current_time())
        self._note = verdict.note
        if verdict.energy_wh is None:
            raise MeterImplausibleError(verdict.note)
        return msgspec.convert({**values, "energy_import_wh": verdict.energy_wh}, MeterReading)
