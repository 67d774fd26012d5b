"""Named deadlines that become messages. A timer that was stopped never delivers, even if it fired before."""

import heapq
import random
from typing import NamedTuple

import trio

from machines.vocabulary.effects import StartTimer, StopTimer, TimerFired


class Due(NamedTuple):
    """A deadline that was reached: what goes into the inbox. Stale if its timer was stopped or restarted since."""

    generation: int
    fired: TimerFired


class _Running(NamedTuple):
    generation: int
    deadline: float
    timer: StartTimer


class Timers:
    """All running timers: one task, which sleeps until the earliest deadline."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._running: dict[tuple[str, str], _Running] = {}
        self._heap: list[tuple[float, int, tuple[str, str]]] = []
        self._generations = 0
        self._sleep = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, owner: str, timer: StartTimer) -> None:
        """Start a timer, or restart it with its new deadline."""
        wait_s = timer.after_s * (1 + timer.jitter * self._chance.random())
        self._schedule((owner, timer.name), timer, trio.current_time() + wait_s)

    def stop(self, owner: str, timer: StopTimer) -> None:
        """Stop a timer, if it runs."""
        self._running.pop((owner, timer.name), None)

    def take(self, due: Due) -> TimerFired | None:
        """What ``due`` delivers, or None if its timer was stopped or restarted since it fired."""
        key = (due.fired.owner, due.fired.name)
        running = self._running.get(key)
        if running is None or running.generation != due.generation:
            return None
        if running.timer.every_s is None:
            del self._running[key]
        else:
            # On the grid of the first deadline: a late delivery does not shift the ones after it.
            self._schedule(key, running.timer, running.deadline + running.timer.every_s)
        return due.fired

    async def run(self, inbox: trio.MemorySendChannel[Due]) -> None:
        """Put what is due into ``inbox``, until cancelled."""
        while True:
            with trio.CancelScope(deadline=self._heap[0][0] if self._heap else float("inf")) as self._sleep:
                await trio.sleep_forever()
            while self._heap and self._heap[0][0] <= trio.current_time():
                _, generation, key = heapq.heappop(self._heap)
                running = self._running.get(key)
                if running is not None and running.generation == generation:
                    fired = TimerFired(key[0], key[1], running.timer.message)
                    due = Due(generation, fired)
                    try:
                        inbox.send_nowait(due)
                    except trio.WouldBlock:
                        await inbox.send(due)

    def _schedule(self, key: tuple[str, str], timer: StartTimer, deadline: float) -> None:
        self._generations += 1
        self._running[key] = _Running(self._generations, deadline, timer)
        heapq.heappush(self._heap, (deadline, self._generations, key))
        if len(self._heap) > 64 + 4 * len(self._running):
            # Timers that were stopped or restarted leave their old deadlines behind.
            self._heap = [(at.deadline, at.generation, k) for k, at in self._running.items()]
            heapq.heapify(self._heap)
        self._sleep.deadline = min(self._sleep.deadline, deadline)
