"""A connector of an EVSE controller and a meter on Modbus lines, the same or two."""

import trio

from drivers.interfaces import MeterRecord, MeterSilentError, ReportEvent
from drivers.modbus.device import MappedDevice
from drivers.modbus_evse import EvseSettings, ModbusEvse
from drivers.modbus_meter import MeterSettings, ModbusMeter
from machines.vocabulary.hardware import MeterReading, Setpoint


class ModbusConnector:
    """Implements ``drivers.interfaces.ConnectorDriver``.

    Args:
        evse: The controller.
        evse_settings: How it is run.
        meter: The meter, which may be the controller itself; None: there is none.
        meter_settings: How it is watched.
    """

    def __init__(
        self,
        evse: MappedDevice,
        evse_settings: EvseSettings,
        meter: MappedDevice | None,
        meter_settings: MeterSettings,
    ) -> None:
        self._evse_device = evse
        self._meter_device = meter
        self._evse = ModbusEvse(evse, evse_settings)
        self._meter = ModbusMeter(meter, meter_settings) if meter is not None else None

    @property
    def devices(self) -> dict[str, MappedDevice]:
        """What answers, by what it is."""
        devices = {"evse": self._evse_device}
        if self._meter_device is not None and self._meter_device is not self._evse_device:
            devices["meter"] = self._meter_device
        return devices

    async def run(self, report: ReportEvent) -> None:
        """Report the state and what changes, until cancelled; then forbid charging."""
        async with self._evse_device.client.used():
            if self._meter is None or self._meter_device is None:
                await self._evse.run(report)
            else:
                async with self._meter_device.client.used(), trio.open_nursery() as nursery:
                    nursery.start_soon(self._meter.run, report)
                    nursery.start_soon(self._evse.run, report)

    def apply(self, setpoint: Setpoint) -> None:
        """Work towards ``setpoint`` from now on."""
        self._evse.apply(setpoint)

    async def read_meter(self) -> MeterReading:
        """Read all values now.

        Raises:
            MeterSilentError: There is no meter, or it did not answer with values that can be.
        """
        if self._meter is None:
            await trio.lowlevel.checkpoint()
            raise MeterSilentError("no meter is declared")
        return await self._meter.read()

    async def until_moved(self) -> None:
        """Wait until controller and meter have been looked after once more, whether they answered or not."""
        await self._evse.pulse.until_beat()
        if self._meter is not None:
            await self._meter.pulse.until_beat()

    @property
    def meter_record(self) -> MeterRecord | None:
        """What the latest reading rests on."""
        return None if self._meter is None else self._meter.record

    def resume_meter(self, record: MeterRecord, passed_s: float) -> None:
        """Go on from ``record``, which was kept ``passed_s`` ago; without effect once the meter has been read."""
        if self._meter is not None:
            self._meter.resume(record, passed_s)
