"""A charge point in memory: the real engine, real WebSocket code on memory streams, simulated hardware, and its rig.

Meant for a virtual clock, such as Trio's ``MockClock(autojump_threshold=0)``: hours pass in a moment. The database is
written in the loop, so nothing happens that the clock does not see.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from trio.testing import memory_stream_pair

from drivers.simulated import SimulatedConnector, SimulatedReader, SimulationError
from engine.bench_stimuli import FAULTS
from engine.conformance.files import MemoryFiles
from engine.conformance.rig import RigError
from engine.conformance.stimuli import (
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PlugIn,
    PressStop,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Stimulus,
    Swipe,
    Unplug,
)
from engine.declaration.station import Station
from engine.devices import Devices, devices_of
from engine.run import RunningStation
from engine.store import Store
from machines.charge_point import Step
from machines.vocabulary.transfers import DeliverDiagnostics
from machines.vocabulary.wire import DataTransferAsked

RESTART_S = 10
"""How long a station that ended itself takes to start again."""

Serve = Callable[[trio.abc.Stream], Awaitable[None]]


class VirtualStation:
    """A station whose hardware and database outlive its power.

    Args:
        station: As declared; every driver is simulated.
        directory: Where its database is.
        serve: What a connection of the station meets, such as ``Csms.serve_stream``.
        store_type: Of its database.
        watch: Told of every step.
    """

    def __init__(
        self,
        station: Station,
        directory: Path,
        serve: Serve,
        *,
        store_type: Callable[[Path], Store] = Store,
        watch: Callable[[Step], None] | None = None,
    ) -> None:
        self.station = station
        self.directory = directory
        self.devices: Devices = devices_of(station)
        self.serve = serve
        self.store_type = store_type
        self._watch = watch
        self.works = MemoryFiles(self._collect)
        """Servers of files, which outlive the power too."""
        self.is_linked = True
        self.running: RunningStation | None = None
        """None without power."""
        self._power = trio.CancelScope()
        self._dark_s = 0.0
        self._powered = trio.Event()

    @asynccontextmanager
    async def powered(self) -> AsyncIterator[RunningStation]:
        """Power for the station; without it, it is gone from one moment to the next."""
        store = self.store_type(self.directory)
        try:
            async with trio.open_nursery() as nursery:

                async def open_stream(_url: str) -> trio.abc.Stream:
                    if not self.is_linked:
                        raise OSError("no network")
                    ours, theirs = memory_stream_pair()
                    nursery.start_soon(self.serve, theirs)
                    return ours

                running = self.running = RunningStation(
                    self.station,
                    self.devices,
                    store,
                    open_stream=open_stream,
                    commit_in_thread=False,
                    system_utc=0,
                    seed=1,
                    watch=self._watch,
                    works=self.works,
                )
                running.set_link(up=self.is_linked)
                nursery.start_soon(running.run)
                yield running
                nursery.cancel_scope.cancel()
        finally:
            store.close()
            self.running = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Power for the station until cancelled; whenever it ends itself, or power was cut, it is started again."""
        while True:
            with trio.CancelScope() as self._power:
                async with self.powered() as running:
                    self._powered.set()
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
                    await running.wait_ended()
                    await trio.sleep(RESTART_S)
            if self._power.cancelled_caught:
                await trio.sleep(self._dark_s)

    async def cut_power(self, seconds: float) -> None:
        """Take the power from what :meth:`run` powers; come back when it has power again."""
        self._dark_s = seconds
        self._powered = trio.Event()
        self._power.cancel()
        await self._powered.wait()

    async def _collect(self, wanted: DeliverDiagnostics, file: Path) -> None:
        assert self.running is not None
        await self.running.collect(wanted, file)

    def set_link(self, *, up: bool) -> None:
        """Cut the network, or restore it."""
        self.is_linked = up
        if self.running is not None:
            self.running.set_link(up=up)

    def connector(self, number: int = 1) -> SimulatedConnector:
        """The hardware of a connector.

        Raises:
            RigError: There is no such connector.
        """
        driver = self.devices.connectors.get(number)
        if not isinstance(driver, SimulatedConnector):
            raise RigError(
                f"connector {number}: the station has {', '.join(map(str, self.devices.connectors))}"
            )
        return driver

    @property
    def reader(self) -> SimulatedReader:
        """The hardware of its card reader."""
        reader: Any = self.devices.readers[0]
        assert isinstance(reader, SimulatedReader)
        return reader


class VirtualRig:
    """Implements ``engine.conformance.rig.Rig`` on a VirtualStation."""

    def __init__(self, station: VirtualStation) -> None:
        self.station = station

    def can(self, kind: type[Stimulus]) -> bool:
        """It can give each of them."""
        return issubclass(kind, Stimulus)

    async def do(self, stimulus: Stimulus) -> None:
        """Give ``stimulus``; a power cut lasts until the power is back.

        Raises:
            RigError: It could not be given.
        """
        await trio.lowlevel.checkpoint()
        try:
            match stimulus:
                case CutPower(seconds):
                    await self.station.cut_power(seconds)
                case SendData(vendor_id, message_id, data):
                    if self.station.running is None:
                        raise RigError("the station has no power")
                    await self.station.running.deliver(DataTransferAsked(vendor_id, message_id, data))
                case CutLink() | RestoreLink():
                    self.station.set_link(up=isinstance(stimulus, RestoreLink))
                case Swipe(id_tag, connector):
                    self.station.reader.swipe(id_tag, None if connector is None else (connector,))
                case _:
                    self._do_at(stimulus)
        except SimulationError as error:
            raise RigError(str(error)) from error

    def _do_at(self, stimulus: Stimulus) -> None:
        """Give a stimulus that is about the hardware of a connector."""
        match stimulus:
            case PlugIn(connector):
                self.station.connector(connector).plug_in()
            case Unplug(connector, side):
                self.station.connector(connector).unplug(side)
            case Pause(connector):
                self.station.connector(connector).pause()
            case Resume(connector):
                self.station.connector(connector).resume()
            case PressStop(connector, is_emergency):
                self.station.connector(connector).press_stop(is_emergency=is_emergency)
            case RaiseFault(error_code, connector, info):
                self.station.connector(connector).raise_fault(FAULTS[error_code], info)
            case ClearFault(error_code, connector):
                self.station.connector(connector).clear_fault(FAULTS[error_code])
            case JamLock(connector):
                self.station.connector(connector).lock_failure()
            case FreeLock(connector):
                self.station.connector(connector).lock_repair()
            case FailPilot(connector):
                self.station.connector(connector).pilot_failure()
            case RepairPilot(connector):
                self.station.connector(connector).pilot_repair()
            case SilenceMeter(silent, connector):
                self.station.connector(connector).meter_silence(silent)
            case FailPower(connector):
                self.station.connector(connector).fail_power()
            case _:
                raise RigError(f"{stimulus}: no such stimulus")

    async def is_locked(self, connector: int) -> bool | None:
        """Whether the cable is held at the station; None if the connector has no lock."""
        await trio.lowlevel.checkpoint()
        return self.station.connector(connector).state().locked

    async def has_energy(self, connector: int) -> bool | None:
        """Whether the contactor is closed."""
        await trio.lowlevel.checkpoint()
        return self.station.connector(connector).state().contactor

    async def register_wh(self, connector: int) -> float | None:
        """What the meter shows, unrounded."""
        await trio.lowlevel.checkpoint()
        return self.station.connector(connector).register_wh
