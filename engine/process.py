"""A station over its restarts, with a bench beside it if that is asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import trio
from msgspec import Struct
from msgspec.structs import replace

from drivers.simulated import SimulatedConnector, SimulatedReader
from engine.declaration.station import Station
from engine.devices import Devices, devices_of
from engine.log import EventLog
from engine.run import RunningStation
from engine.store import Store
from machines.vocabulary.wire import DataTransferAsked


class NoSimulationError(Exception):
    """The bench was asked for, and the hardware is real. One line, for the user."""


class StationProcess:
    """One station, restarted in place whenever Reset asks for it.

    Args:
        station: As declared.
        devices: Its hardware.
        store: Its database.
        begin: Makes a run of the station; default :class:`engine.run.RunningStation`.
    """

    def __init__(
        self,
        station: Station,
        devices: Devices,
        store: Store,
        begin: Callable[[Station, Devices, Store], RunningStation] = RunningStation,
    ) -> None:
        self._parts = (station, devices, store)
        self._begin = begin
        self._devices = devices
        self._link_is_up = True
        self.running = self._begin(*self._parts)

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self.running.run()
            self.running = self._begin(*self._parts)
            self.running.set_link(self._link_is_up)

    # What the bench needs (engine.bench.BenchStation)

    @property
    def connectors(self) -> Mapping[int, SimulatedConnector]:
        """The simulated connectors."""
        found = {}
        for number, driver in self._devices.connectors.items():
            if not isinstance(driver, SimulatedConnector):
                raise NoSimulationError(f"the bench needs simulated hardware; connector {number} is real")
            found[number] = driver
        return found

    @property
    def reader(self) -> SimulatedReader:
        """The first simulated reader."""
        for driver in self._devices.readers:
            if isinstance(driver, SimulatedReader):
                return driver
        raise NoSimulationError("the bench needs a simulated reader")

    def snapshot(self) -> Struct:
        """The state of the station."""
        return self.running.view()

    def set_link(self, up: bool) -> None:
        """Cut the way to the Central System, or restore it."""
        self._link_is_up = up
        self.running.set_link(up)

    async def send_data(self, asked: DataTransferAsked) -> None:
        """Have DataTransfer sent to the Central System."""
        await self.running.deliver(asked)

    def power_cut(self) -> NoReturn:
        """Die at once."""
        from engine.bench import kill_this_process

        kill_this_process()


def at(station: Station, url: str | None, identity: str | None) -> Station:
    """``station`` with another Central System or identity, where they are given."""
    csms = station.csms
    if url is not None:
        csms = replace(csms, url=url.rstrip("/"))
    if identity is not None:
        csms = replace(csms, identity=identity)
    return replace(station, csms=csms)


async def run_until_told(station: Station, state: Path, bench: tuple[str, int] | None) -> None:
    """Run ``station`` with its database in ``state`` until SIGTERM or SIGINT.

    Raises:
        StoreError, DeviceError, NoSimulationError, BenchError: It cannot be run so; in an exception group.
    """
    import signal

    devices = devices_of(station)
    store = Store(state)
    try:
        process = StationProcess(station, devices, store)
        async with trio.open_nursery() as nursery:
            if bench is not None:
                from engine.bench import serve

                _ = process.connectors, process.reader
                url: str = await nursery.start(serve, process, *bench)
                EventLog(station.csms.identity, frames=False).event("bench listening", url=url)
            nursery.start_soon(process.run)
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    break
            nursery.cancel_scope.cancel()
        store.mark_clean()
    finally:
        store.close()
