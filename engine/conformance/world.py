"""What is outside of the machines in a rehearsal: hardware, timers, database, connection, Central System; as values."""

import math
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from engine.conformance.board import Board
from engine.conformance.central_system import Ledger
from machines.charge_point import Memory
from machines.vocabulary.effects import Instant, StartTimer
from machines.vocabulary.hardware import HardwareReported
from machines.vocabulary.ocpp import Conf, Request
from machines.vocabulary.transactions import TransactionMessage
from machines.vocabulary.transfers import TransferEffect, TransferEnded
from machines.vocabulary.wire import CallAnswered, CallError, CallFailed, Failure

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of day when a rehearsal begins; the station itself believes 1970 until it is told."""


class Seen(NamedTuple):
    """A CALL of the station."""

    time: float
    request: Request
    is_sure: bool
    """Whether it comes in any case: what is on its way when a connection is closed may come or not."""


class Waiting(NamedTuple):
    """A CALL of the station that was asked for."""

    owner: str
    request: Request


class Sent(NamedTuple):
    """The CALL in flight."""

    number: int
    waiting: Waiting
    times_out_at: float


class Coming(NamedTuple):
    """An answer of the Central System on its way."""

    time: float
    number: int
    answer: Conf | CallError


class Doing(NamedTuple):
    """A transfer or an installation that is under way."""

    time: float
    """When it ends."""
    by: str
    """The machine that asked for it."""
    ending: TransferEnded
    asked: TransferEffect


class Timer(NamedTuple):
    """A timer that runs."""

    deadline: float
    generation: int
    timer: StartTimer


class World(Struct):
    """Everything outside of the machines. Its members are not changed in place but for the boards.

    Times are seconds since the rehearsal began.
    """

    boards: tuple[Board, ...]
    ledger: Ledger = Ledger()
    now: float = 0.0
    powers_up_at: float = math.inf
    boot: int = 0
    began: float = 0.0
    """When the run began."""
    zeros: dict[int, float] = {}
    """For each run, the time of day when it began, as far as the station knows."""
    is_set: bool = False
    """The Central System told the time of day in this run."""
    is_powered: bool = False
    memories: dict[str, Memory] = {}
    """On record, by address."""
    is_open: bool = False
    is_reachable: bool = True
    timers: dict[tuple[str, str], Timer] = {}
    generations: int = 0
    readings: tuple[tuple[float, HardwareReported], ...] = ()
    """Of a silent meter: when the driver gives up."""
    works: tuple[Doing, ...] = ()
    file: tuple[int, str] | None = None
    """The firmware that is on the disk, by its ticket and location."""
    installed_at: float = math.inf
    """When its installation ends, or has ended."""
    is_installed: bool = False
    """It had ended when the power went."""
    calls: tuple[Waiting, ...] = ()
    transaction: Waiting | None = None
    sent: Sent | None = None
    late: tuple[Sent, ...] = ()
    coming: tuple[Coming, ...] = ()
    count: int = 0
    """CALLs that were sent."""
    messages: tuple[TransactionMessage, ...] = ()
    settled: dict[int, int] = {}
    """transactionIds by local id."""

    def copied(self) -> "World":
        """A snapshot."""
        world = copy(self)
        world.boards = tuple(board.copy() for board in self.boards)
        return world

    # Time

    @property
    def day_time(self) -> datetime:
        """The time of day by the clock of the Central System."""
        return EPOCH + timedelta(seconds=self.now)

    @property
    def instant(self) -> Instant:
        """This moment, as the station knows it."""
        seconds = self.now - self.began
        return Instant(self.boot, seconds, self.zeros[self.boot] + seconds if self.is_set else None)

    def resolve(self, instant: Instant) -> float:
        """The time of day of ``instant``, as the station knows it by now."""
        return instant.utc if instant.utc is not None else self.zeros[instant.boot] + instant.seconds

    def deadlines(self) -> list[tuple[float, str]]:
        """What is due when all is at rest, each with its name, the earliest first."""
        found = [(timer.deadline, f"{owner} {name}") for (owner, name), timer in self.timers.items()]
        found += [(doing.time, "a transfer") for doing in self.works]
        found += [(coming.time, "an answer") for coming in self.coming]
        found += [(self.sent.times_out_at, "a time-out")] if self.sent is not None else []
        found += [(self.powers_up_at, "power")] if self.powers_up_at < math.inf else []
        return sorted(found)

    @property
    def next_time(self) -> float:
        """When something happens next, hardware that moves included."""
        times = [self.powers_up_at, *(timer.deadline for timer in self.timers.values())]
        times += [board.next_instant for board in self.boards]
        times += [time for time, _ in self.readings]
        times += [doing.time for doing in self.works]
        times += [coming.time for coming in self.coming]
        times += [self.sent.times_out_at] if self.sent is not None else []
        return min(times)

    def kinds_due(self, time: float) -> set[str]:
        """What is due until ``time``; the same for several connectors is one kind."""
        found = {
            f"{owner.partition('/')[0]} {name}"
            for (owner, name), timer in self.timers.items()
            if timer.deadline <= time
        }
        found |= {"hardware" for board in self.boards if board.next_instant <= time}
        found |= {"a reading" for end, _ in self.readings if end <= time}
        found |= {"a transfer" for doing in self.works if doing.time <= time}
        found |= {"an answer" for coming in self.coming if coming.time <= time}
        found |= {"a time-out"} if self.sent is not None and self.sent.times_out_at <= time else set()
        return found | ({"power"} if self.powers_up_at <= time else set())

    # The connection: of our own CALLs one is in flight, and normal ones go before a transaction message

    def disconnect(self) -> list[Seen]:
        """The connection is gone, and what was in flight with it. What was about to be sent may have been."""
        waiting = [*self.calls, *([self.transaction] if self.transaction else [])]
        self.is_open, self.calls, self.transaction, self.sent = False, (), None, None
        self.late, self.coming = (), ()
        return [Seen(self.now, each.request, is_sure=False) for each in waiting]

    @property
    def may_send(self) -> bool:
        """Whether a CALL is to be sent now."""
        return self.is_open and self.sent is None and bool(self.calls or self.transaction)

    def send(self, timeout_s: float) -> Seen:
        """Send the next CALL; the Central System answers it as it will."""
        if self.calls:
            waiting, *rest = self.calls
            self.calls = tuple(rest)
        else:
            assert self.transaction is not None
            waiting, self.transaction = self.transaction, None
        self.count += 1
        self.sent = Sent(self.count, waiting, self.now + timeout_s)
        self.ledger, answer, after_s = self.ledger.answer(waiting.request, self.day_time)
        if answer is not None:
            self.coming = (*self.coming, Coming(self.now + after_s, self.count, answer))
        return Seen(self.now, waiting.request, is_sure=True)

    def receive(self, coming: Coming) -> CallAnswered | CallFailed | None:
        """An answer of the Central System arrives; what the machines hear of it."""
        self.coming = tuple(each for each in self.coming if each is not coming)
        is_late = self.sent is None or self.sent.number != coming.number
        if is_late:
            (sent,) = (each for each in self.late if each.number == coming.number)
            self.late = tuple(each for each in self.late if each is not sent)
            is_settled = not isinstance(coming.answer, CallError)
            if is_settled and self.transaction is not None and self.transaction.owner == sent.waiting.owner:
                self.transaction = None  # it waits to be sent once more
        else:
            assert self.sent is not None
            sent, self.sent = self.sent, None
        owner, request = sent.waiting
        if not isinstance(coming.answer, CallError):
            return CallAnswered(owner, coming.answer, is_late)
        return None if is_late else CallFailed(owner, type(request).__name__, Failure.CALL_ERROR)

    def time_out(self) -> CallFailed:
        """The CALL in flight got no answer in time."""
        assert self.sent is not None
        sent, self.sent = self.sent, None
        self.late = (*self.late, sent)
        return CallFailed(sent.waiting.owner, type(sent.waiting.request).__name__, Failure.TIMED_OUT)
