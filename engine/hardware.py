"""The devices of the station: what they report becomes messages, setpoints go to their drivers.

A meter is read in a task of its own, so that a slow meter delays nothing but its reading.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import trio

from drivers.interfaces import ConnectorDriver, MeterSilentError, ReaderDriver
from machines.charge_point import Arrival
from machines.vocabulary.effects import ReadMeter
from machines.vocabulary.hardware import (
    HardwareEvent,
    HardwareReported,
    MeterRead,
    MeterReadFailed,
    Setpoint,
    TokenRead,
)

Deliver = Callable[[Arrival], Awaitable[None]]


class Hardware:
    """Every device of the station.

    Args:
        connectors: Driver of each connector, by number from 1.
        readers: The card readers.
        deliver: Puts a message into the charge point's inbox.
        meter_timeout_s: How long a reading may take.
    """

    def __init__(
        self,
        connectors: Mapping[int, ConnectorDriver],
        readers: Sequence[ReaderDriver],
        deliver: Deliver,
        meter_timeout_s: float,
    ) -> None:
        self._connectors = connectors
        self._readers = readers
        self._deliver = deliver
        self._meter_timeout_s = meter_timeout_s
        self._nursery: trio.Nursery | None = None
        """Where readings are taken, while the drivers run."""
        self._early: list[ReadMeter] = []
        """Readings that were asked for before."""

    async def run(self) -> None:
        """Run every driver until cancelled. A driver that ends, or fails, is a defect and ends the process."""
        async with trio.open_nursery() as nursery:
            for number, driver in self._connectors.items():
                nursery.start_soon(self._run_connector, number, driver)
            for reader in self._readers:
                nursery.start_soon(reader.run, self._report_token)
            self._nursery = nursery
            for asked in self._early:
                nursery.start_soon(self._read, asked)

    def apply(self, connector: int, setpoint: Setpoint) -> None:
        """Make the connector so."""
        self._connectors[connector].apply(setpoint)

    def read(self, asked: ReadMeter) -> None:
        """Read a meter; MeterRead or MeterReadFailed follows."""
        # There are few at a time: a machine asks again only after an answer.
        if self._nursery is None:
            self._early.append(asked)
        else:
            self._nursery.start_soon(self._read, asked)

    async def _run_connector(self, number: int, driver: ConnectorDriver) -> None:
        async def report(event: HardwareEvent) -> None:
            await self._deliver(HardwareReported(number, event))

        await driver.run(report)

    async def _report_token(self, token: TokenRead) -> None:
        await self._deliver(token)

    async def _read(self, asked: ReadMeter) -> None:
        event: MeterRead | MeterReadFailed
        try:
            with trio.fail_after(self._meter_timeout_s):
                event = MeterRead(asked.ticket, await self._connectors[asked.connector].read_meter())
        except MeterSilentError as error:
            event = MeterReadFailed(asked.ticket, str(error))
        except trio.TooSlowError:
            event = MeterReadFailed(asked.ticket, f"no reading in {self._meter_timeout_s:g} s")
        await self._deliver(HardwareReported(asked.connector, event))
