"""The devices of the station: what they report becomes messages, setpoints go to their drivers.

A meter is read in a task of its own, so that a slow meter delays nothing but its reading.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import trio

from drivers.interfaces import ConnectorDriver, MeterRecord, MeterSilentError, ReaderDriver, ReaderEvent
from machines.charge_point import Arrival
from machines.vocabulary.effects import ReadMeter
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    HardwareReported,
    MeterRead,
    MeterReadFailed,
    Setpoint,
    TokenRead,
)

Deliver = Callable[[Arrival], Awaitable[None]]
KeepMeter = Callable[[int, MeterRecord], None]
"""Has what a reading of a connector's meter rests on written together with what follows from the reading."""

METER_RETRY_S = 0.5
"""Between two questions to a meter that is still to start."""


class Hardware:
    """Every device of the station.

    Args:
        connectors: Driver of each connector, by number from 1.
        readers: The card readers.
        deliver: Puts a message into the charge point's inbox.
        keep_meter: Told of what must be known of a meter over a restart.
        meter_timeout_s: How long a reading may take.
        meter_start_s: How long, from the start of the devices, a meter that was not heard yet is waited for instead:
            after a power cut it may start more slowly than the station, and what it shows then is billed.
    """

    def __init__(
        self,
        connectors: Mapping[int, ConnectorDriver],
        readers: Sequence[ReaderDriver],
        deliver: Deliver,
        keep_meter: KeepMeter,
        meter_timeout_s: float,
        meter_start_s: float,
    ) -> None:
        self._connectors = connectors
        self._readers = readers
        self._deliver = deliver
        self._keep_meter = keep_meter
        self._meter_timeout_s = meter_timeout_s
        self._meter_start_s = meter_start_s
        self._meters_start_by = -math.inf
        self._heard: set[int] = set()
        """The connectors whose meter has answered."""
        self._asked: deque[ReadMeter] = deque()
        """Readings that are to begin. Few: a machine asks again only after an answer."""
        self._nursery: trio.Nursery | None = None
        """Of what runs; None before, and from when it is to end."""
        self._records: dict[int, MeterRecord] = {}
        self._failed: dict[ReaderDriver, str] = {}
        """The readers that have failed, and why."""

    async def run(self) -> None:
        """Run every driver until cancelled. A driver that ends, or fails, is a defect and ends the process."""
        self._meters_start_by = trio.current_time() + self._meter_start_s
        async with trio.open_nursery() as nursery:
            for number, driver in self._connectors.items():
                nursery.start_soon(self._run_connector, number, driver)
            for reader in self._readers:
                nursery.start_soon(self._run_reader, reader)
            self._nursery = nursery
            if self._asked:
                nursery.start_soon(self._read_next)
            try:
                await trio.sleep_forever()
            finally:
                # Before it can be closed: the charge point may ask until it ends itself, and nobody reads any more.
                self._nursery = None

    async def until_moved(self) -> None:
        """Wait until every driver of a connector has looked after its hardware once more."""
        async with trio.open_nursery() as nursery:
            for driver in self._connectors.values():
                nursery.start_soon(driver.until_moved)

    def apply(self, connector: int, setpoint: Setpoint) -> None:
        """Make the connector so."""
        self._connectors[connector].apply(setpoint)

    def read(self, asked: ReadMeter) -> None:
        """Read a meter; MeterRead or MeterReadFailed follows."""
        self._asked.append(asked)
        if len(self._asked) == 1 and self._nursery is not None:
            self._nursery.start_soon(self._read_next)

    async def _run_connector(self, number: int, driver: ConnectorDriver) -> None:
        async def report(event: HardwareEvent) -> None:
            await self._deliver(HardwareReported(number, event))

        await driver.run(report)

    async def _run_reader(self, reader: ReaderDriver) -> None:
        async def report(event: ReaderEvent) -> None:
            match event:
                case TokenRead():
                    await self._deliver(event)
                case FaultRaised(info=info):
                    self._failed[reader] = info
                    await self._tell_of_readers(reader.connectors)
                case FaultCleared():
                    self._failed.pop(reader, None)
                    await self._tell_of_readers(reader.connectors)

        await reader.run(report)

    async def _tell_of_readers(self, connectors: Sequence[int]) -> None:
        """Tell each of ``connectors`` how the readers that serve it are: one that is well is not enough."""
        for number in connectors:
            infos = [info for reader, info in self._failed.items() if number in reader.connectors]
            event: HardwareEvent = FaultCleared(HardwareFault.READER)
            if infos:
                event = FaultRaised(HardwareFault.READER, infos[0])
            await self._deliver(HardwareReported(number, event))

    async def _read_next(self) -> None:
        """Read what was asked for first; what was asked for after it begins after it, and does not wait for its end."""
        asked = self._asked.popleft()
        if self._asked and self._nursery is not None:
            self._nursery.start_soon(self._read_next)
        await self._read(asked)

    async def _read(self, asked: ReadMeter) -> None:
        begin = trio.current_time()
        until = begin + self._meter_timeout_s
        if asked.connector not in self._heard:
            until = max(until, self._meters_start_by)
        event: MeterRead | MeterReadFailed = MeterReadFailed(
            asked.ticket, f"no reading in {until - begin:g} s"
        )
        with trio.move_on_at(until):
            event = await self._read_until(until, asked)
        await self._deliver(HardwareReported(asked.connector, event))

    async def _read_until(self, until: float, asked: ReadMeter) -> MeterRead | MeterReadFailed:
        """Read; a meter that is still to start is asked again."""
        driver = self._connectors[asked.connector]
        while True:
            try:
                read = MeterRead(asked.ticket, await driver.read_meter())
            except MeterSilentError as error:
                may_start = asked.connector not in self._heard and until == self._meters_start_by
                if not may_start or trio.current_time() + METER_RETRY_S >= until:
                    return MeterReadFailed(asked.ticket, str(error))
                await trio.sleep(METER_RETRY_S)
            else:
                self._heard.add(asked.connector)
                self._keep(asked.connector, driver.meter_record)
                return read

    def _keep(self, connector: int, record: MeterRecord | None) -> None:
        """Have ``record`` written if it is news.

        Before the reading itself: what is billed must not be known without what it rests on.
        """
        if record is not None and record != self._records.get(connector):
            self._records[connector] = record
            self._keep_meter(connector, record)
