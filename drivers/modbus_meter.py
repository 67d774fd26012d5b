"""A meter on a Modbus line: read when asked, and watched all the time."""

import math
from collections.abc import Mapping

import msgspec
import trio
from msgspec import Struct

from drivers.energy import EnergyRegister
from drivers.interfaces import MeterRecord, MeterSilentError, ReportEvent
from drivers.modbus.device import MappedDevice
from drivers.modbus.errors import ExceptionReplyError, ModbusError
from drivers.pulse import Pulse
from drivers.register_map import METER_VALUES, SERIAL_NUMBER
from drivers.registers import Value
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault, MeterReading

SLOW = "the meter is too slow"
POWER_MARGIN = 1.25
"""Over what the connector can draw: meters show peaks."""
ENERGY_MAX_WH = 2.0**53
"""More than any meter counts, and no single Wh could be told from the next."""


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
        self.pulse = Pulse()
        """One beat a reading of our own."""
        self._reading = trio.Lock()
        self._probed = 0
        """The connection at which the values were found plausible."""
        self._serial_number = ""
        self._note = ""
        """What was found wrong with the meter and not told yet."""
        self._told: str | None = None
        """The fault that stands."""

    async def run(self, report: ReportEvent) -> None:
        """Report when the meter fails and when it is back, until cancelled."""
        self._told = None
        heard_at, why = trio.current_time(), SLOW
        while True:
            fails_at = heard_at + self._settings.silent_after_s
            fault: str | None = None
            is_heard = False
            # A line that is slow, or hangs when it is opened, does not put off the news.
            with trio.move_on_at(fails_at if trio.current_time() < fails_at else math.inf):
                try:
                    await self.read()
                    heard_at, why = trio.current_time(), SLOW
                    fault, self._note = self._note or None, ""
                    is_heard = True
                except MeterImplausibleError as error:
                    fault = str(error)
                    is_heard = True
                except MeterSilentError as error:
                    why = str(error)
            if not is_heard:
                is_failed = trio.current_time() >= fails_at
                fault = self._told or (why if is_failed else None)
            if fault != self._told:
                await report(
                    FaultRaised(HardwareFault.METER, fault) if fault else FaultCleared(HardwareFault.METER)
                )
                self._told = fault
            self.pulse.beat()
            await trio.sleep(self._settings.poll_s)

    @property
    def record(self) -> MeterRecord | None:
        """What the latest reading rests on; None before the first."""
        base = self._energy.base
        if base is None:
            return None
        return MeterRecord(serial_number=self._serial_number, read_wh=base[0], offset_wh=base[1])

    def resume(self, record: MeterRecord, passed_s: float) -> None:
        """Go on from ``record``, which was kept ``passed_s`` ago; without effect once the meter has been read."""
        if self._energy.base is None:
            self._serial_number = record.serial_number
            self._energy.resume(record.read_wh, record.offset_wh, trio.current_time() - passed_s)

    async def read(self) -> MeterReading:
        """Read all values now.

        Raises:
            MeterSilentError: The meter did not answer, or with values that cannot be.
        """
        async with self._reading:
            try:
                values = await self._device.read(self._names)
                serial_number, is_same = self._serial_number, False
                if self._probed != self._device.client.connections:
                    self._probe(values)
                    told = await self._identify()
                    is_same = bool(told) and told == serial_number
                    serial_number = told or serial_number
            except ModbusError as error:
                # Who answers next may be another meter.
                self._probed = 0
                raise MeterSilentError(str(error)) from error
            reading = self._judge(values, serial_number, is_same=is_same)
            self._serial_number = serial_number
            self._probed = self._device.client.connections
            return reading

    async def _identify(self) -> str:
        """The serial number; empty if the meter does not tell one."""
        if SERIAL_NUMBER not in self._device.map.values:
            return ""
        try:
            values = await self._device.read([SERIAL_NUMBER])
        except ExceptionReplyError:
            return ""
        return str(values[SERIAL_NUMBER] or "")

    def _probe(self, values: Mapping[str, Value]) -> None:
        """Refuse values that a wrong map, or another device, makes."""
        for name, allowed in self._device.map.probe.items():
            value = values.get(name)
            if not isinstance(value, int | float) or not allowed.min <= value <= allowed.max:
                bounds = f"{allowed.min:g} to {allowed.max:g}"
                raise MeterImplausibleError(
                    f"{name} is {value}, allowed: {bounds}; is it {self._device.map.name}?"
                )

    def _judge(self, values: Mapping[str, Value], serial_number: str, *, is_same: bool) -> MeterReading:
        read_wh = values["energy_import_wh"]
        if not isinstance(read_wh, int | float):
            raise MeterImplausibleError("the meter has no energy register")
        if abs(read_wh) > ENERGY_MAX_WH:
            raise MeterImplausibleError(f"the register says {read_wh:.10g} Wh")
        known = self._serial_number
        is_other = bool(known and serial_number) and known != serial_number
        verdict = self._energy.take(read_wh, trio.current_time(), is_other=is_other, is_same=is_same)
        if is_other:
            self._note = f"meter {known} is now {serial_number}: {verdict.note}"
        elif verdict.energy_wh is not None and verdict.note:
            self._note = verdict.note
        if verdict.energy_wh is None:
            # It may be another one.
            self._probed = 0
            raise MeterImplausibleError(verdict.note)
        return msgspec.convert({**values, "energy_import_wh": verdict.energy_wh}, MeterReading)
