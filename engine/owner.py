"""The one task that owns the charge point: inbox, step, commit, effects.

Safe first, durable second, visible third. As soon as a message has been handled, energy that is to go is taken away
and timers are set; then the step's durable changes are committed; only then are messages sent, answers given and
contactors closed. Commits are made by a task of their own, several steps at once if they have queued up, so that a
slow disk delays what is visible and never what is safe.
"""

from collections import deque
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple, Protocol

import trio

from drivers.interfaces import MeterRecord
from engine.batch import Batch, Boot, KeptMeter, merged
from engine.clock import Clock
from engine.history import History
from engine.log import EventLog
from engine.speed import of_real_time
from engine.store import DiskError, Store
from engine.timers import Due, Timers
from machines.charge_point import Arrival, ChargePoint, Emitted, Step
from machines.machine import Effect
from machines.vocabulary.effects import (
    Collect,
    Dial,
    Forget,
    Keep,
    LearnTime,
    ReadMeter,
    Settle,
    StartTimer,
    StopTimer,
)
from machines.vocabulary.hardware import Setpoint, less_energy
from machines.vocabulary.wire import ConnectionOpened, RequestReceived


class StoreStalledError(Exception):
    """More steps wait for the disk than declared (``uncommitted_max``). The process ends, contactors open."""


WRITTEN = frozenset({Keep, Collect, Forget, Settle})
"""Effects that the store carries out."""

AT_ONCE = frozenset({Dial, ReadMeter})
"""Effects that nobody outside can see, and that the performer carries out."""

OF_TIME = frozenset({StartTimer, StopTimer, LearnTime})
"""Effects that nobody outside can see either, and that are carried out here."""

POSTPONED_MAX = 32
"""Effects that are written with something else: so many samples at most are sent again after a power cut."""


class Perform(Protocol):
    """Carries effects out. Nothing here waits but ``visible``, for a message from the store."""

    def apply(self, connector: int, setpoint: Setpoint) -> None:
        """Make the hardware so."""

    def at_once(self, effect: Effect) -> None:
        """Carry out an effect that nobody outside can see: Dial, ReadMeter."""

    async def visible(self, emitted: Emitted, call_id: str, connection: int) -> None:
        """Carry out an effect that somebody outside can see. ``connection`` is the one it was meant for."""


class Pending(NamedTuple):
    """A step that waits for the disk."""

    batch: Batch
    visible: list[Emitted]
    setpoints: dict[int, Setpoint]
    call_id: str
    connection: int


class Owner:
    """Runs the charge point.

    Args:
        charge_point: The machines.
        perform: What carries effects out.
        clock: The time.
        timers: The timers.
        store: The database.
        log: Where transitions are noted.
        history: Where they are kept.
        limits: ``inbox_size_max``, ``uncommitted_max`` and ``disk_retry_s``.
        commit_in_thread: Whether the disk may be waited for in a thread. Without, commits are made on the
            spot, which a virtual clock needs.
    """

    def __init__(
        self,
        charge_point: ChargePoint,
        perform: Perform,
        clock: Clock,
        timers: Timers,
        store: Store,
        log: EventLog,
        history: History,
        *,
        inbox_size_max: int,
        uncommitted_max: int,
        disk_retry_s: float,
        commit_in_thread: bool,
    ) -> None:
        self.charge_point = charge_point
        self._perform = perform
        self._clock = clock
        self._timers = timers
        self._store = store
        self._log = log
        self._history = history
        self._uncommitted_max = uncommitted_max
        self._disk_retry_s = disk_retry_s
        self._commit_in_thread = commit_in_thread
        self._send, self._receive = trio.open_memory_channel[Arrival | Due | trio.Event](inbox_size_max)
        self._uncommitted: deque[Pending] = deque()
        self._postponed = Batch({}, [])
        """What goes with the next write (Forget.may_wait)."""
        self._disk = trio.CapacityLimiter(1)
        """A thread of its own: those of Trio may all hang, in resolvers or transfers."""
        self._work = trio.Event()
        self._memories = {memory.address: memory for memory in store.memories()}
        self._shown = dict(charge_point.setpoints)
        """What the hardware was last set to, by connector."""
        self._connection = 0
        """Counts connections: what was meant for an earlier one is not sent on a later one."""
        self._boot: Boot | None = Boot(clock.boot, clock.zero, is_set=False)
        self._meters: dict[int, KeptMeter] = {}
        """To be written with the next step."""

    async def deliver(self, arrival: Arrival) -> None:
        """Put ``arrival`` into the inbox; wait while it is full, and only then: who reports waits for more anyhow."""
        try:
            self._send.send_nowait(arrival)
        except trio.WouldBlock:
            await self._send.send(arrival)

    def keep_meter(self, connector: int, record: MeterRecord) -> None:
        """Write ``record`` no later than what follows from a message that is put into the inbox after it."""
        self._meters[connector] = KeptMeter(record, self._clock.resolve(self._clock.now()))

    async def until_moved(self) -> None:
        """Wait until everything that is in the inbox now has been handled."""
        has_come_out = trio.Event()
        await self._send.send(has_come_out)
        await has_come_out.wait()

    async def run(self, first: Arrival) -> None:
        """Handle ``first``, then what arrives, until cancelled. A defect in a machine ends it."""
        for number, setpoint in self._shown.items():
            # Whatever the run before left behind: a lock that is closed, or after a kill even a contactor.
            self._perform.apply(number, setpoint)
        await self._handle(first)
        async for item in self._receive:
            if isinstance(item, trio.Event):
                item.set()
                continue
            arrival = self._timers.take(item) if isinstance(item, Due) else item
            if arrival is not None:
                await self._handle(arrival)

    async def run_timers(self) -> None:
        """Put what is due into the inbox, until cancelled."""
        await self._timers.run(self._send)

    async def run_commits(self) -> None:
        """Commit what waits for the disk, until cancelled; with commits made on the spot, do nothing.

        A task of its own beside :meth:`run`: if that ends in an error, the devices are switched off at once and do
        not wait for the thread that waits for the disk.
        """
        while self._commit_in_thread:
            if not self._uncommitted:
                self._work = trio.Event()
                await self._work.wait()
            group = list(self._uncommitted)
            batch = self._to_write(group)
            if batch is not None:
                await self._commit(batch)
            for pending in group:
                await self._make_visible(pending)
                self._uncommitted.popleft()

    async def _commit(self, batch: Batch) -> None:
        """Write ``batch``; where the disk refuses, again and again, as nothing may be seen that is not on record.

        What queues up meanwhile is bounded (``uncommitted_max``).
        """
        while True:
            try:
                await trio.to_thread.run_sync(self._store.write, batch, limiter=self._disk)
                break
            except DiskError as error:
                self._log.event("disk refuses", why=str(error), again_in_s=self._disk_retry_s)
            await trio.sleep(of_real_time(self._disk_retry_s))

    async def _handle(self, arrival: Arrival) -> None:
        if isinstance(arrival, ConnectionOpened):
            self._connection += 1
        now = self._clock.now()
        step = self.charge_point.handle(arrival, now)
        self._make_safe(step.setpoints)
        self._log.step(arrival, step)
        self._history.note(now, arrival, step)
        pending = self._sort(arrival, step)
        # What has nothing to write, and nobody before it who has, is visible at once: no way round by another task.
        has_to_wait = not pending.batch.is_empty or bool(self._uncommitted)
        if self._commit_in_thread and has_to_wait:
            self._uncommitted.append(pending)
            self._work.set()
            if len(self._uncommitted) > self._uncommitted_max:
                raise StoreStalledError(f"{len(self._uncommitted)} steps wait for the disk")
        else:
            batch = self._to_write([pending])
            if batch is not None:
                self._store.write(batch)
            await self._make_visible(pending)

    def _to_write(self, group: list[Pending]) -> Batch | None:
        """What is to be written now for ``group``, with what was postponed before; None if that can wait."""
        batch = merged([self._postponed, *(pending.batch for pending in group)])
        if batch.is_empty:
            return None
        if batch.may_wait and len(batch.effects) < POSTPONED_MAX:
            self._postponed = batch
            return None
        self._postponed = Batch({}, [])
        return batch

    def write_postponed(self) -> None:
        """Write what was postponed, after the end of an orderly run. With a disk that refuses it is lost: it may be."""
        if not self._postponed.is_empty:
            with suppress(DiskError):
                self._store.write(self._postponed)

    def _make_safe(self, setpoints: dict[int, Setpoint]) -> None:
        """Take away what energy is to go."""
        for number, wanted in setpoints.items():
            safe = less_energy(self._shown[number], wanted)
            if safe != self._shown[number]:
                self._shown[number] = safe
                self._perform.apply(number, safe)

    def _sort(self, arrival: Arrival, step: Step) -> Pending:
        """Carry out what nobody can see, and set aside what is to be written and what is to be seen."""
        written: list[Emitted] = []
        visible: list[Emitted] = []
        for emitted in step.effects:
            kind = type(emitted.effect)
            if kind in WRITTEN:
                written.append(emitted)
            elif kind in AT_ONCE:
                self._perform.at_once(emitted.effect)
            elif kind in OF_TIME:
                self._keep_time(emitted)
            else:
                visible.append(emitted)
        memories = {m.address: m for m in step.memories if self._memories.get(m.address) != m}
        may_wait = _may_wait(written, memories)
        self._memories.update(memories)
        boot, self._boot = self._boot, None
        meters, self._meters = self._meters, {}
        call_id = arrival.call_id if isinstance(arrival, RequestReceived) else ""
        # Forget and Settle are needed by what is visible later, so the performer hears of all that is written.
        may_wait = may_wait and boot is None and not meters
        batch = Batch(memories, [effect for _, effect in written], boot, may_wait, meters)
        return Pending(batch, visible, dict(step.setpoints), call_id, self._connection)

    def _keep_time(self, emitted: Emitted) -> None:
        match emitted.effect:
            case StartTimer() as timer:
                self._timers.start(emitted.by, timer)
            case StopTimer() as timer:
                self._timers.stop(emitted.by, timer)
            case LearnTime(utc=utc):
                self._learn(utc)
            case _:
                raise AssertionError(emitted)

    def _learn(self, utc: float) -> None:
        first = not self._clock.is_set
        error = self._clock.learn(utc)
        if first or abs(error) > 1:
            self._boot = Boot(self._clock.boot, self._clock.zero, is_set=True)
            self._log.event("clock set", by_s=round(-error, 3))

    async def _make_visible(self, pending: Pending) -> None:
        for number, setpoint in pending.setpoints.items():
            # A later step may have taken away what this one grants.
            allowed = less_energy(setpoint, self.charge_point.setpoints[number])
            if allowed != self._shown[number]:
                self._shown[number] = allowed
                self._perform.apply(number, allowed)
        for emitted in pending.visible:
            await self._perform.visible(emitted, pending.call_id, pending.connection)


def _may_wait(written: list[Emitted], memories: Collection[str]) -> bool:
    """Whether all that is to be written of a step is that messages are settled which may be sent again."""
    is_all = all(isinstance(effect, Forget) and effect.may_wait for _, effect in written)
    return bool(written) and is_all and set(memories) <= {by for by, _ in written}
