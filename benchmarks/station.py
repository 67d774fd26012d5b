"""Our station with hardware that benchmarks move, in a process of its own.

``python -m benchmarks.station DECLARATION URL IDENTITY STATE_DIR [--speed N] [--log LEVEL]`` runs the station as
``statecharge run`` does, then obeys one JSON line on stdin after the other and answers each with one on stdout:

* ``{"do": "sessions", "times": N, "offline": false}``: charging sessions, as :class:`benchmarks.peer.Peer` has them;
  answers with the CPU time of the thread of the event loop
* ``{"do": "profile", "times": N}``: the same; answers with where the time goes (:mod:`benchmarks.profiled`)
* ``{"do": "charge"}``: begin one, and go on
* ``{"do": "plug"}``: plug in a vehicle, and another one whenever it was charged: what remote starts need
* ``{"do": "arrive"}`` and ``{"do": "leave"}``: plug in one vehicle; unplug it once it charges
* ``{"do": "react", "times": N, "stall": false, "offline": false}``: raise a fault while charging; answers with the
  times from the report of the driver to its contactor being opened, in ns. With ``stall`` the disk hangs meanwhile
* ``{"do": "stall", "each_s": S}``: from now on every commit takes S longer
* ``{"do": "queued"}``: how many transaction messages wait for delivery
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import trio

from benchmarks.hardware import BenchConnector, BenchReader
from benchmarks.profiled import profiled
from engine import log
from engine.batch import Batch
from engine.declaration.station import Station
from engine.devices import Devices
from engine.process import at
from engine.run import RunningStation
from engine.speed import FastClock
from engine.station_file import load
from engine.store import Store
from machines.charge_point import Step
from machines.vocabulary.effects import Keep
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareFault,
    PilotState,
)
from machines.vocabulary.transactions import Metered

SAMPLES = 10
CARD = "CARD"
STALL_MAX_S = 60


class StallingStore(Store):
    """A database on a disk that can be made to hang, or to be slow."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.is_free = threading.Event()
        self.is_free.set()
        self.each_s = 0.0

    def write(self, batch: Batch) -> None:
        """Write when the disk lets us."""
        if self.each_s:
            time.sleep(self.each_s)
        assert self.is_free.wait(STALL_MAX_S)
        super().write(batch)


class Player:
    """Moves the hardware."""

    def __init__(self) -> None:
        self.connector = BenchConnector()
        self.reader = BenchReader()
        self._running: RunningStation | None = None
        self._awaited: dict[trio.Event, Callable[[], bool]] = {}
        self._samples = 0
        self._steps = 0

    async def run(self, station: Station, store: StallingStore) -> None:
        """Run the station until stdin ends."""
        devices = Devices({1: self.connector}, [self.reader])
        self._running = RunningStation(station, devices, store, watch=self._watch)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._running.run)
            async with trio.lowlevel.FdStream(0) as stdin:
                begun = b""
                async for chunk in stdin:
                    *lines, begun = (begun + chunk).split(b"\n")
                    for line in lines:
                        answer = await self._obey(json.loads(line), store, nursery)
                        print(json.dumps(answer), flush=True)
            nursery.cancel_scope.cancel()

    async def _obey(
        self, command: dict[str, Any], store: StallingStore, nursery: trio.Nursery
    ) -> dict[str, Any]:
        match command:
            case {"do": "sessions", "times": times, "offline": is_offline}:
                began_s = time.thread_time()
                for _ in range(times):
                    await self._session(is_offline=is_offline)
                return {"loop_s": time.thread_time() - began_s}
            case {"do": "profile", "times": times}:
                return await profiled(times, partial(self._session, is_offline=False))
            case {"do": "charge"}:
                await self._begin()
            case {"do": "plug"}:
                self._plug_in()
                nursery.start_soon(self._follow_remote)
            case {"do": "arrive"}:
                self._plug_in()
                await self._until_state("connector/1", "Preparing")
            case {"do": "leave"}:
                await self._until_state("connector/1", "Charging")
                await self._unplug()
                await self._until_state("connector/1", "Available")
            case {"do": "react", "times": times, "stall": is_stalled, "offline": is_offline}:
                took = [
                    await self._react(store, is_stalled=is_stalled, is_offline=is_offline)
                    for _ in range(times)
                ]
                return {"took_ns": took}
            case {"do": "stall", "each_s": each_s}:
                store.each_s = each_s
            case {"do": "queued"}:
                return {"queued": self._queued}
            case _:
                raise ValueError(command)
        return {}

    def _watch(self, step: Step) -> None:
        self._steps += 1
        for _, effect in step.effects:
            if isinstance(effect, Keep) and isinstance(effect.message.body, Metered):
                self._samples += 1
        # Looked at here, so that whoever waits costs the station no turn of the event loop but the last.
        for come in [come for come, condition in self._awaited.items() if condition()]:
            del self._awaited[come]
            come.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is looked at after each step."""
        if not condition():
            come = trio.Event()
            self._awaited[come] = condition
            await come.wait()

    @property
    def _queued(self) -> int:
        assert self._running is not None
        return int(self._running.charge_point.machines["delivery"].data.size)

    def _state(self, machine: str) -> str:
        assert self._running is not None
        return self._running.charge_point.machines[machine].state

    async def _until_state(self, machine: str, *states: str) -> None:
        await self._until(lambda: self._state(machine) in states)

    async def _until_quiet(self, *, is_offline: bool) -> None:
        """Wait until the connector is available, and all is delivered."""
        await self._until_state("connector/1", "Available")
        await self._until(lambda: is_offline or not self._queued)

    def _plug_in(self) -> None:
        self.connector.say(CableChanged(present=True, rating_a=32))
        self.connector.pilot(PilotState.B)

    async def _unplug(self) -> None:
        self.connector.pilot(PilotState.A)
        await self.connector.until(lambda: not self.connector.setpoint.locked)
        self.connector.say(CableChanged(present=False))

    async def _begin(self) -> None:
        self._plug_in()
        await self._until_state("connector/1", "Preparing")
        self.reader.swipe(CARD)
        await self._until_state("connector/1", "Charging")

    async def _session(self, *, is_offline: bool) -> None:
        wanted = self._samples + SAMPLES
        await self._begin()
        await self._until(lambda: self._samples >= wanted)
        self.reader.swipe(CARD)
        await self._until_state("connector/1", "Finishing")
        await self._unplug()
        await self._until_quiet(is_offline=is_offline)

    async def _follow_remote(self) -> None:
        while True:
            await self._until_state("connector/1", "Charging")
            await self._until_state("connector/1", "Finishing")
            await self._unplug()
            await self._until_state("connector/1", "Available")
            self._plug_in()

    async def _react(self, store: StallingStore, *, is_stalled: bool, is_offline: bool) -> int:
        await self._begin()
        await self.connector.until(lambda: self.connector.setpoint.contactor)
        if is_stalled:
            store.is_free.clear()
            # Something is being written when the fault comes, and hangs.
            self.connector.say(FaultRaised(HardwareFault.SIGNAL, "a warning"))
            raised = self._steps
            await self._until(lambda: self._steps > raised)
        took_ns = await self.connector.time(
            FaultRaised(HardwareFault.GROUND, ""), lambda setpoint: not setpoint.contactor
        )
        store.is_free.set()
        self.connector.say(FaultCleared(HardwareFault.SIGNAL))
        self.connector.say(FaultCleared(HardwareFault.GROUND))
        await self._until_state("connector/1", "Finishing")
        await self._unplug()
        await self._until_quiet(is_offline=is_offline)
        return took_ns


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("declaration")
    parser.add_argument("url")
    parser.add_argument("identity")
    parser.add_argument("state", type=Path)
    parser.add_argument("--speed", type=float, default=1)
    parser.add_argument("--log", default="warning")
    arguments = parser.parse_args()
    station = at(load(arguments.declaration), arguments.url, arguments.identity)
    log.configure(sys.stderr, level=arguments.log, form="text")
    store = StallingStore(arguments.state)
    clock = FastClock(arguments.speed) if arguments.speed != 1 else None
    trio.run(Player().run, station, store, clock=clock)
    store.mark_clean()
    store.close()


if __name__ == "__main__":
    main()
