"""A station over its restarts, with a bench beside it if that is asked for."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

import trio
from msgspec import Struct
from msgspec.structs import replace

from drivers.simulated import SimulatedConnector, SimulatedReader, SimulationError
from engine.declaration.station import Station
from engine.devices import Devices, devices_of
from engine.jobs import Watch
from engine.log import EventLog
from engine.run import RunningStation
from engine.store import DiskError, Store
from engine.supervision import Notifier, feed_period_s, notifier_of, supervise
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault, HardwareReported
from machines.vocabulary.wire import DataTransferAsked

RESTART_CODE, REBOOT_CODE = 10, 11
"""Exit codes with ``process.reset = "exit"``: start the station again, or reboot the box."""


class NoSimulationError(Exception):
    """Hardware is to be moved that is real. One line, for the user."""


def simulated_connectors(devices: Devices) -> Mapping[int, SimulatedConnector]:
    """The connectors of ``devices``.

    Raises:
        NoSimulationError: One is real.
    """
    found = {}
    for number, driver in devices.connectors.items():
        if not isinstance(driver, SimulatedConnector):
            raise NoSimulationError(
                f"connector {number} is real hardware, and only simulated hardware can be moved"
            )
        found[number] = driver
    return found


def simulated_reader(devices: Devices) -> SimulatedReader:
    """The first simulated reader of ``devices``.

    Raises:
        NoSimulationError: There is none.
    """
    for driver in devices.readers:
        if isinstance(driver, SimulatedReader):
            return driver
    raise NoSimulationError("the station has no simulated reader")


BOOT_ID = "STATECHARGE_BOOT_ID"
"""In the environment: what :data:`BOOT_ID_FILE` says, for a service that may not read it."""
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
"""Linux draws it anew with every start of the kernel."""


class StationProcess:
    """One station, restarted in place whenever it asks for it, unless it is declared that the process ends then.

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
        self._exits = station.process.reset == "exit"
        self._begin = begin
        self._devices = devices
        self._link_is_up = True
        self._power: trio.CancelScope | None = None
        """Of the present run; None while there is no power."""
        self._dark_s = 0.0
        self._faults: dict[HardwareFault, str] = {}
        """Of the station itself, connector 0."""
        if store.damage:
            # The operator hears of it until the process starts anew: something may be lost.
            self._faults[HardwareFault.STORAGE] = store.damage
        self.running = self._begin(*self._parts)
        self._begun = trio.Event()
        """Set when the next run begins."""

    async def run(self) -> int:
        """Run until cancelled, or until the process is to end; return its exit code."""
        while True:
            for fault, info in self._faults.items():
                await self.running.deliver(HardwareReported(0, FaultRaised(fault, info)))
            with trio.CancelScope() as self._power:
                asked = await self.running.run()
                if self._exits:
                    return REBOOT_CODE if asked.is_hard else RESTART_CODE
            if self._power.cancel_called:
                self._power = None
                await trio.sleep(self._dark_s)
            self.running = self._begin(*self._parts)
            self.running.set_link(self._link_is_up)
            self._begun.set()
            self._begun = trio.Event()

    async def until_moved(self) -> None:
        """Wait until the present run has handled everything in its inbox, and its drivers have gone round.

        If it ends meanwhile, wait for the next one.
        """
        looked_at = None
        while looked_at is not self.running:
            looked_at, begun = self.running, self._begun
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_until_moved, looked_at, nursery.cancel_scope)
                await begun.wait()
                nursery.cancel_scope.cancel()

    def status(self) -> str:
        """What the station does, in a few words."""
        return self.running.status()

    def mark_clean(self) -> None:
        """Note that it ended in order, after its end.

        If the disk refuses, the next run takes it for a power cut.
        """
        self.running.write_postponed()
        with suppress(DiskError):
            self._parts[2].mark_clean()

    # What the bench needs (engine.bench_stimuli.BenchStation)

    @property
    def connectors(self) -> Mapping[int, SimulatedConnector]:
        """The simulated connectors."""
        return simulated_connectors(self._devices)

    @property
    def reader(self) -> SimulatedReader:
        """The first simulated reader."""
        return simulated_reader(self._devices)

    def snapshot(self) -> Struct:
        """The state of the station."""
        return self.running.view()

    def set_link(self, up: bool) -> None:
        """Cut the way to the Central System, or restore it."""
        self._link_is_up = up
        self.running.set_link(up)

    async def send_data(self, asked: DataTransferAsked) -> None:
        """Have DataTransfer sent to the Central System."""
        if self._power is None:
            raise SimulationError("the station has no power")
        await self.running.deliver(asked)

    async def raise_fault(self, fault: HardwareFault, info: str) -> None:
        """Let a fault of the station appear; it stands until it is cleared, over restarts too."""
        self._faults[fault] = info
        if self._power is not None:
            await self.running.deliver(HardwareReported(0, FaultRaised(fault, info)))

    async def clear_fault(self, fault: HardwareFault) -> None:
        """Let a fault of the station go.

        Raises:
            SimulationError: It does not stand.
        """
        if fault not in self._faults:
            raise SimulationError(f"no fault {fault.value!r} stands")
        del self._faults[fault]
        if self._power is not None:
            await self.running.deliver(HardwareReported(0, FaultCleared(fault)))

    def go_dark(self, seconds: float) -> None:
        """Take the power away for so long; cables, vehicles and registers of the simulated hardware stay.

        Raises:
            SimulationError: There is no power.
        """
        if self._power is None:
            raise SimulationError("the station has no power")
        self._dark_s = seconds
        self._power.cancel()

    def power_cut(self) -> NoReturn:
        """Die at once."""
        from engine.bench import kill_this_process

        kill_this_process()


async def _until_moved(running: RunningStation, scope: trio.CancelScope) -> None:
    await running.until_moved()
    scope.cancel()


def at(station: Station, url: str | None, identity: str | None) -> Station:
    """``station`` with another Central System or identity, where they are given."""
    csms = station.csms
    if url is not None:
        csms = replace(csms, url=url.rstrip("/"))
    if identity is not None:
        csms = replace(csms, identity=identity)
    return replace(station, csms=csms)


class Placed(NamedTuple):
    """A station, and where it is."""

    station: Station
    state: Path
    """Directory of its database."""
    bench: tuple[str, int] | None = None
    """Where its bench is served, if it is."""


async def run_until_told(
    stations: Sequence[Placed],
    until_eof: bool = False,
    watch_works: Watch = lambda _by, _how_far: None,
) -> int:
    """Run ``stations`` until SIGTERM, SIGINT or SIGHUP, or until one wants the process to end.

    Returns:
        The exit code: 0, or with ``process.reset = "exit"`` one that tells what the station wants next.

    Args:
        stations: As declared.
        until_eof: End when standard input ends, too.
        watch_works: Told how far transfers and installations are.

    Raises:
        StoreError, DeviceError, NoSimulationError, BenchError: They cannot be run so; in an exception group.
    """
    import signal

    notifier = notifier_of()
    code = 0
    with ExitStack() as stores:
        if notifier is not None:
            stores.callback(_end, notifier)
        processes = []
        begin = partial(RunningStation, watch_works=watch_works)
        for placed in stations:
            devices = devices_of(placed.station)
            store = stores.enter_context(closing(Store(placed.state, kernel=_kernel_of(placed.station))))
            processes.append(StationProcess(placed.station, devices, store, begin))
        # Told from the beginning: who sees the bench listen may end the station at once.
        # A terminal that goes away ends it as well, but for who asked for the opposite (nohup).
        ends = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            ends.append(signal.SIGHUP)
        with trio.open_signal_receiver(*ends) as signals:
            async with trio.open_nursery() as nursery:

                async def run(process: StationProcess) -> None:
                    nonlocal code
                    code = await process.run()
                    nursery.cancel_scope.cancel()

                for placed, process in zip(stations, processes, strict=True):
                    if placed.bench is not None:
                        await _serve_bench(nursery, process, placed.station.csms.identity, placed.bench)
                    nursery.start_soon(run, process)
                if notifier is not None:

                    async def until_moved() -> None:
                        for process in processes:
                            await process.until_moved()

                    def status() -> str:
                        return "; ".join(process.status() for process in processes[:3])

                    nursery.start_soon(supervise, notifier, until_moved, feed_period_s(), status)
                if until_eof:
                    nursery.start_soon(_end_with_input, nursery.cancel_scope)
                async for _ in signals:
                    break
                nursery.cancel_scope.cancel()
            for process in processes:
                # While signals are still ours: a second one, of who is impatient, makes no power cut of it.
                process.mark_clean()
    return code


def _kernel_of(station: Station) -> str:
    """A name of this run of the operating system; empty for a simulated station, whose power is its process."""
    if any(device.driver == "simulated" for device in station.drivers):
        return ""
    told = os.environ.get(BOOT_ID, "")
    try:
        return told or BOOT_ID_FILE.read_text("ascii").strip()
    except OSError:
        return ""  # not Linux


async def _serve_bench(
    nursery: trio.Nursery, process: StationProcess, identity: str, address: tuple[str, int]
) -> None:
    from engine.bench import serve

    _ = process.connectors, process.reader
    url: str = await nursery.start(serve, process, *address)
    EventLog(identity, frames=False).event("bench listening", url=url)


def _end(notifier: Notifier) -> None:
    notifier.tell(STOPPING="1")
    notifier.close()


async def _end_with_input(scope: trio.CancelScope) -> None:
    """Cancel ``scope`` when standard input ends: whoever held the other end is gone, however it went."""
    import os

    async with trio.lowlevel.FdStream(os.dup(0)) as stream:
        async for _ in stream:
            pass
    scope.cancel()
