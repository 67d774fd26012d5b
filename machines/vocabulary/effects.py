"""What machines ask the engine for. Hardware is not among it: setpoints are computed from the states."""

from datetime import datetime

from msgspec import Struct

from machines.machine import Effect
from machines.vocabulary.ocpp import Conf, Request, SampledValue
from machines.vocabulary.wire import CallError


class Instant(Struct, frozen=True):
    """A point in time as the charge point knew it when it happened.

    ``seconds`` is monotonic since the start of process number ``boot``. ``utc`` is the time of day as POSIX
    seconds if the clock had been set by the Central System, else None: then the engine resolves the instant
    when it is sent.
    """

    boot: int
    seconds: float
    utc: float | None = None


class StartTimer(Effect, frozen=True):
    """Deliver ``message`` to the machine that emitted this, after ``after_s``; restart it if it runs.

    With ``every_s`` it fires again on the grid of its first deadline until stopped. ``jitter`` lengthens
    ``after_s`` by a random fraction of up to that much.
    """

    name: str
    after_s: float
    message: object
    every_s: float | None = None
    jitter: float = 0.0


class StopTimer(Effect, frozen=True):
    """Forget a timer of the machine that emitted this. One that is not running is left alone."""

    name: str


class Dial(Effect, frozen=True):
    """Open the connection to the Central System. Ends in ConnectionOpened or ConnectionFailed."""


class HangUp(Effect, frozen=True):
    """Close the connection to the Central System."""

    why: str


class Call(Effect, frozen=True):
    """Send a CALL that is not transaction-related, if its action is declared. Its end comes back to the machine."""

    request: Request
    at: Instant | None = None
    """When it happened: becomes ``timestamp`` of the request, or of its meter values, when it is sent."""


class Answer(Effect, frozen=True):
    """Complete the CALL ``call_id`` of the Central System; empty means the one being handled."""

    answer: Conf | CallError
    call_id: str = ""


class LeaveUnanswered(Effect, frozen=True):
    """The CALL of the Central System being handled gets no answer, now or later."""


UTC_MIN, UTC_MAX = 0.0, 221_845_392_000.0
"""From 1970 to 9000."""


def told_utc(current_time: datetime) -> float:
    """The time of day that the Central System tells, as POSIX seconds.

    One that has no clock may tell the first date that there is, or the last: what happened before, or happens
    later, would have none.
    """
    return min(max(current_time.timestamp(), UTC_MIN), UTC_MAX)


class LearnTime(Effect, frozen=True):
    """The Central System told the time of day (POSIX seconds)."""

    utc: float


class ReadMeter(Effect, frozen=True):
    """Read the meter of a connector now. Ends in MeterRead or MeterReadFailed with the same ticket."""

    connector: int
    ticket: int


class Deliver(Effect, frozen=True):
    """Send the transaction message with this number from the store. Its end comes back to the machine."""

    number: int


class Restart(Effect, frozen=True):
    """End this run of the station and start anew, as Reset.req asked."""

    hard: bool


class Keep(Effect, frozen=True):
    """Store a transaction message (vocabulary/transactions.py) for delivery."""

    message: object


class Collect(Effect, frozen=True):
    """Store values for the transactionData of a transaction's StopTransaction; gone when that is settled."""

    local_id: int
    at: Instant
    values: tuple[SampledValue, ...]
    """Of one context."""
    room: int
    """How many such sets of one context are kept; beyond it they are thinned out evenly."""


class Forget(Effect, frozen=True):
    """The transaction message with this number is settled: remove it from the store."""

    number: int
    may_wait: bool = False
    """With the next change that is stored will do: to send it again after a power cut would harm nobody."""


class Settle(Effect, frozen=True):
    """Remember the transactionId that the Central System gave to a transaction."""

    local_id: int
    transaction_id: int


class TimerFired(Struct, frozen=True):
    """A timer of ``owner`` reached its deadline: what comes back for StartTimer."""

    owner: str
    name: str
    message: object
