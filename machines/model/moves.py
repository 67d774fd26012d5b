"""What may happen next in a state: every arrival that the real world could bring, and nothing that it could not.

No answer without a CALL, no timer that does not run, no vehicle without a cable. A move is named in a few words, so
that a trace can be read. Each function says what may happen of one kind, from the few cells that this depends on.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from machines.allowance import ALLOWANCE_TICKET
from machines.charge_point import Arrival
from machines.clock_aligned import CLOCK_TICKET
from machines.metering import SAMPLE_TICKET
from machines.model import environment as outside
from machines.model.cells import Board
from machines.model.environment import (
    CALLS,
    DELIVERING,
    IS_OVER,
    IS_TRIGGERED,
    LATE,
    LINK,
    READINGS,
    WORKS,
    Timer,
    Work,
)
from machines.routes import delivery_owner
from machines.transaction import START_TICKET, STOP_TICKET
from machines.triggered_values import TRIGGER_TICKET
from machines.vocabulary import ocpp
from machines.vocabulary.effects import Instant, ReadMeter, TimerFired
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    HardwareReported,
    LockChanged,
    LockFailed,
    MeterRead,
    MeterReadFailed,
    MeterReading,
    PilotChanged,
    PilotState,
    PowerFailing,
    TokenRead,
)
from machines.vocabulary.settings import ConnectorSettings
from machines.vocabulary.transactions import Began, Ended, TransactionMessage
from machines.vocabulary.transfers import ENDINGS
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    DataTransferAsked,
    Failure,
    RequestReceived,
    RestartFailed,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOW = Instant(1, 0.0, EPOCH.timestamp())
"""It is always now: how much time passes between two moves makes no difference to what is decided."""
CALL_ID = "call"

PURPOSES = {
    START_TICKET: "start",
    STOP_TICKET: "stop",
    SAMPLE_TICKET: "sample",
    ALLOWANCE_TICKET: "allowance",
    CLOCK_TICKET: "clock",
    TRIGGER_TICKET: "trigger",
}
"""What a meter is read for, by the number of the request."""

LONG = timedelta(days=7)
"""Longer than anything waits that is told to wait for a time of day."""

READINGS_MAX = 1
"""With more readings than that asked for, the meter is faster than anything else."""
CALLS_MAX = 2
"""With more CALLs than that unanswered, the Central System is faster than anything else."""


def transaction_id_of(number: int) -> int:
    """What the Central System of the model calls every transaction of connector ``number``."""
    return 100 + number


class PowerOn(Struct, frozen=True):
    """The station starts, with what it remembers: what it does then depends on all of its state."""

    was_clean: bool


class Move(NamedTuple):
    """Something that may happen."""

    name: str
    arrival: Arrival | PowerOn
    changes: tuple[tuple[str, Any], ...] = ()
    """Cells of the environment as they are when the charge point hears of it."""
    after_s: float = 0.0
    """How much later than now it happens; right after it, it is now again."""


class Alphabet(NamedTuple):
    """What is let happen, in the words of the moves. What is not named does not happen."""

    about: str = ""
    """What the exploration is for."""
    cards: tuple[str, ...] = ()
    pilots: tuple[PilotState, ...] = ()
    faults: tuple[tuple[int, HardwareFault], ...] = ()
    """Connector (0: the station) and fault."""
    reports: tuple[tuple[str, int, HardwareEvent], ...] = ()
    """What else a driver may say at any time, each with its name and connector."""
    requests: tuple[tuple[str, ocpp.Request], ...] = ()
    """Requests of the Central System, each with its name."""
    answers: tuple[tuple[str, ocpp.IdTagInfo], ...] = (
        ("Accepted", ocpp.IdTagInfo(status=ocpp.AuthorizationStatus.ACCEPTED)),
    )
    """To Authorize and StartTransaction, each with its name."""
    registrations: tuple[ocpp.RegistrationStatus, ...] = (ocpp.RegistrationStatus.ACCEPTED,)
    intervals: tuple[int, ...] = (60,)
    """That the Central System names with them."""
    clocks: tuple[tuple[str, timedelta], ...] = (("", timedelta(0)),)
    """How far the clock of the Central System is ahead, each with its name: as told with registrations."""
    failures: tuple[Failure, ...] = ()
    """Of Authorize, BootNotification and transaction messages."""
    registers_wh: tuple[int, ...] = (0,)
    """What a meter may read. How much energy flows makes no difference to most of what may happen."""
    has_outages: bool = False
    has_power_cuts: bool = False
    has_long_cuts: bool = False
    """The power may come back after :data:`LONG`."""
    has_power_failing: bool = False
    """The supply tells before it is gone."""
    has_failing_restarts: bool = False
    """A restart takes time, or does not come about."""
    has_lock_trouble: bool = False
    has_repeats: bool = False
    """Drivers say again what they said, and the proximity pilot tells of a cable after the control pilot."""
    has_meter_trouble: bool = False
    has_vendor_data: bool = False
    """Somebody at the station sends DataTransfer."""
    has_failing_works: bool = False
    """Transfers and installations may fail."""
    has_slow_answers: bool = False
    """Other CALLs than those three are answered when the Central System gets to it, or fail; else at once."""
    has_clock: bool = False
    """A timer fires when it is due. Otherwise it is always now, also then."""
    queue_max: int = 2
    """Transaction messages that may wait; a state with more of them is not gone on from."""
    further: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Other places to begin at, each with its name and the moves to it from where a vehicle charges."""
    station: tuple[tuple[str, Any], ...] = ()
    """How the station differs from its declaration: fields of Settings, of Limits, or configuration keys."""


Moves = Iterator[Move]
Topic = Callable[[Board], Moves]
"""What may happen of one kind."""


def card_shown(card: str, reader: tuple[int, ...], readers: int) -> str:
    """The name of the move in which a card is shown to one of ``readers`` readers, and which connectors that serves."""
    return f"card {card}" if readers == 1 else f"card {card} at {reader[0]}"


def topics(
    alphabet: Alphabet,
    connectors: tuple[ConnectorSettings, ...],
    addresses: Iterable[str],
    readers: tuple[tuple[int, ...], ...],
) -> dict[str, Topic]:
    """Everything that may happen while the station runs, by kind. ``readers``: the connectors that each serves."""
    numbers = tuple(connector.number for connector in connectors)
    addresses = sorted(addresses)
    found: dict[str, Topic] = {
        "restart": lambda board: start(board, alphabet),
        "link": lambda board: _link(board, alphabet, numbers),
        "answers": lambda board: answers(board, alphabet),
        "deliveries": lambda board: _deliveries(board, alphabet),
        "readings": lambda board: readings(board, alphabet),
        "works": lambda board: _works(board, alphabet),
        "anything": lambda _board: _anything(alphabet, readers),
        "requests": lambda board: _requests(board, alphabet),
    }
    for number in (0, *numbers):
        mine = [one for one in addresses if (one.partition("/")[2] or "0") == str(number)]
        found[f"timers/{number}"] = partial(_timers, alphabet=alphabet, addresses=mine)
        faults = tuple(fault for where, fault in alphabet.faults if where == number)
        if faults:
            found[f"faults/{number}"] = partial(_faults, number=number, faults=faults)
    for connector in connectors:
        found[f"hardware/{connector.number}"] = partial(_hardware, connector=connector, alphabet=alphabet)
    return found


# What comes before anything else


def start(board: Board, alphabet: Alphabet) -> Moves:
    """What may happen when a run is over."""
    if not board[IS_OVER]:
        return
    yield Move("the station starts", PowerOn(was_clean=True))
    if alphabet.has_failing_restarts and board["reset"].state == "restarting":
        yield Move("the restart fails", RestartFailed("no"), ((IS_OVER, False),))


def readings(board: Board, alphabet: Alphabet) -> Moves:
    """A meter answers, or does not. Of several readings any may be the first to end."""
    waiting: tuple[ReadMeter, ...] = board[READINGS]
    for index, asked in enumerate(waiting):
        rest = ((READINGS, (*waiting[:index], *waiting[index + 1 :])),)
        for register in alphabet.registers_wh:
            read = MeterRead(asked.ticket, MeterReading(energy_import_wh=register))
            yield Move(
                f"{_meter(asked)} read" + f" {register} Wh" * (register > 0),
                HardwareReported(asked.connector, read),
                rest,
            )
        if alphabet.has_meter_trouble:
            failed = HardwareReported(asked.connector, MeterReadFailed(asked.ticket))
            yield Move(f"{_meter(asked)} silent", failed, rest)


def _meter(asked: ReadMeter) -> str:
    purpose = PURPOSES.get(asked.ticket, f"ticket {asked.ticket}")
    return f"meter of {asked.connector} ({purpose})"


def quiet(board: Board, alphabet: Alphabet) -> Move | None:
    """The answer to a CALL whose end makes no difference, as soon as its turn comes; None if there is none."""
    if alphabet.has_slow_answers or board[LINK] != outside.OPEN:
        return None
    calls = board[CALLS]
    for index, (owner, request) in enumerate(calls):
        if not isinstance(request, ocpp.Authorize | ocpp.BootNotification):
            answer = CallAnswered(owner, _usual(request))
            rest = ((CALLS, (*calls[:index], *calls[index + 1 :])),)
            return Move(f"{type(request).__name__} answered", answer, rest)
    return None


def _usual(request: ocpp.Request) -> ocpp.Conf:
    match request:
        case ocpp.Heartbeat():
            return ocpp.HeartbeatConf(current_time=EPOCH)
        case ocpp.DataTransfer():
            return ocpp.DataTransferConf(status=ocpp.DataTransferStatus.ACCEPTED)
        case _:
            return ocpp.ACTIONS[type(request).__name__].conf()


# The network and the Central System


def _link(board: Board, alphabet: Alphabet, numbers: tuple[int, ...]) -> Moves:
    link = board[LINK]
    if link == outside.DIALLING:
        yield Move("connected", ConnectionOpened(), ((LINK, outside.OPEN),))
        if alphabet.has_outages:
            yield Move("nobody answers", ConnectionFailed("no"), ((LINK, outside.CLOSED),))
    if link == outside.CLOSING or (link == outside.OPEN and alphabet.has_outages):
        yield Move("connection lost", ConnectionClosed("gone"), outside.disconnected(numbers))


def answers(board: Board, alphabet: Alphabet) -> Moves:
    """The Central System answers the CALL in flight, or does not."""
    calls = board[CALLS]
    for owner, request in calls[:1]:
        action, rest = type(request).__name__, ((CALLS, calls[1:]),)
        if isinstance(request, ocpp.BootNotification):
            yield from _registrations(owner, alphabet, rest)
        elif isinstance(request, ocpp.Authorize):
            for name, info in alphabet.answers:
                yield Move(
                    f"{action} {name}", CallAnswered(owner, ocpp.AuthorizeConf(id_tag_info=info)), rest
                )
        else:
            yield Move(f"{action} answered", CallAnswered(owner, _usual(request)), rest)
        for failure in alphabet.failures:
            yield Move(f"{action} {failure}", CallFailed(owner, action, failure), rest)


def _registrations(owner: str, alphabet: Alphabet, rest: tuple[tuple[str, Any], ...]) -> Moves:
    for status, interval, (ahead, by) in product(alphabet.registrations, alphabet.intervals, alphabet.clocks):
        conf = ocpp.BootNotificationConf(status=status, current_time=EPOCH + by, interval=interval)
        every = f" every {interval} s" * (interval != alphabet.intervals[0])
        yield Move(f"BootNotification {status}{every}{ahead}", CallAnswered(owner, conf), rest)


def _deliveries(board: Board, alphabet: Alphabet) -> Moves:
    delivering, late = board[DELIVERING], board[LATE]
    for message in delivering[:1]:
        rest = (DELIVERING, delivering[1:])
        yield from _delivered(message, alphabet, rest, is_late=False)
        for failure in alphabet.failures:
            action = type(message.body).__name__
            failed = CallFailed(delivery_owner(message), action, failure)
            still = (message,) if failure is Failure.TIMED_OUT else late
            yield Move(f"{action} {failure}", failed, (rest, (LATE, still)))
    for message in late:
        yield from _delivered(message, alphabet, (LATE, ()), is_late=True)


def _delivered(
    message: TransactionMessage, alphabet: Alphabet, rest: tuple[str, Any], *, is_late: bool
) -> Moves:
    owner, late = delivery_owner(message), " late" if is_late else ""
    match message.body:
        case Began(connector_id=number):
            for name, info in alphabet.answers:
                conf = ocpp.StartTransactionConf(transaction_id=transaction_id_of(number), id_tag_info=info)
                yield Move(f"StartTransaction {name}{late}", CallAnswered(owner, conf, is_late), (rest,))
        case Ended():
            answer = CallAnswered(owner, ocpp.StopTransactionConf(), is_late)
            yield Move(f"StopTransaction answered{late}", answer, (rest,))
        case _:
            answer = CallAnswered(owner, ocpp.MeterValuesConf(), is_late)
            yield Move(f"MeterValues answered{late}", answer, (rest,))


def _requests(board: Board, alphabet: Alphabet) -> Moves:
    if board[LINK] in {outside.OPEN, outside.CLOSING}:  # what came before the end is still heard
        for name, request in alphabet.requests:
            then = ((IS_TRIGGERED, True),) if isinstance(request, ocpp.TriggerMessage) else ()
            yield Move(name, RequestReceived(CALL_ID, request), then)


def _works(board: Board, alphabet: Alphabet) -> Moves:
    """A transfer or an installation ends."""
    waiting: tuple[Work, ...] = board[WORKS]
    for index, work in enumerate(waiting):
        # What was given up ends before what was asked for later, or not at all.
        before = [one for one in waiting[:index] if work.is_given_up or not one.is_given_up]
        rest = ((WORKS, (*before, *waiting[index + 1 :])),)
        asked: Any = work.effect
        good, bad = ENDINGS[type(asked)]
        name = type(asked).__name__ + ", given up," * work.is_given_up
        yield Move(f"{name} done", good(asked.ticket), rest)
        if alphabet.has_failing_works:
            yield Move(f"{name} failed", bad(asked.ticket, "no"), rest)


# Timers, and what depends on nothing


def _timers(board: Board, alphabet: Alphabet, addresses: list[str]) -> Moves:
    for address in addresses:
        running: tuple[Timer, ...] = board[outside.timers(address)]
        for timer in running:
            left = tuple(one for one in running if one is not timer)
            then = () if timer.is_repeating else ((outside.timers(address), left),)
            fired = TimerFired(address, timer.name, timer.message)
            yield Move(f"timer {address} {timer.name}", fired, then, timer.after_s * alphabet.has_clock)


def _anything(alphabet: Alphabet, readers: tuple[tuple[int, ...], ...]) -> Moves:
    for card, reader in product(alphabet.cards, readers):
        yield Move(card_shown(card, reader, len(readers)), TokenRead(card, reader))
    for name, number, event in alphabet.reports:
        yield Move(name, HardwareReported(number, event))
    if alphabet.has_power_failing:
        yield Move("the supply fails", HardwareReported(0, PowerFailing()))
    if alphabet.has_power_cuts:
        yield Move("the power is cut, and comes back", PowerOn(was_clean=False))
    if alphabet.has_long_cuts:
        yield Move("the power is cut for long", PowerOn(was_clean=False), after_s=LONG.total_seconds())
    if alphabet.has_vendor_data:
        yield Move("vendor data", DataTransferAsked("org.example", data="x"))


# The hardware


def _hardware(board: Board, connector: ConnectorSettings, alphabet: Alphabet) -> Moves:
    number = connector.number
    seen = board[outside.hardware(number)]
    is_socket = connector.cable == "socket"
    # In the order in which drivers report at their start.
    if is_socket and seen.cable is None:
        yield _cable(board, number, present=True)
        yield _cable(board, number, present=False)
    elif connector.has_lock and seen.lock is None:
        yield _lock(board, number, locked=False)
        if seen.cable:
            yield _lock(board, number, locked=True)
    else:
        is_connectable = seen.cable or not is_socket or alphabet.has_repeats
        first = (PilotState.A,) if seen.pilot is None or not is_connectable else ()
        yield from _pilots(board, number, (*first, *alphabet.pilots) if is_connectable else first, alphabet)
        if seen.pilot is None:
            return
        if alphabet.pilots and is_socket:
            yield _cable(board, number, present=not seen.cable)
            if alphabet.has_repeats:
                again = CableChanged(seen.cable, 20.0 if seen.cable else None)
                yield Move(f"cable of {number} again", HardwareReported(number, again))
        if connector.has_lock:
            yield from _locks(board, number, alphabet)


def _locks(board: Board, number: int, alphabet: Alphabet) -> Moves:
    setpoint, seen = board[f"setpoint/{number}"], board[outside.hardware(number)]
    if setpoint.locked is not seen.lock:
        yield _lock(board, number, locked=setpoint.locked)
        if alphabet.has_lock_trouble:
            what = "closes" if setpoint.locked else "opens"
            failed = HardwareReported(number, LockFailed(setpoint.locked))
            yield Move(f"lock of {number} never {what}", failed)
    if alphabet.has_repeats:
        yield Move(f"lock of {number} again", HardwareReported(number, LockChanged(seen.lock)))
    if alphabet.has_lock_trouble and seen.lock and setpoint.locked:
        opened = _lock(board, number, locked=False)
        yield opened._replace(name=f"lock of {number} opened by hand")


def _pilots(board: Board, number: int, states: Iterable[PilotState], alphabet: Alphabet) -> Moves:
    for state in dict.fromkeys(states):
        if alphabet.has_repeats or state is not board[outside.hardware(number)].pilot:
            yield _reported(board, number, f"pilot of {number} {state}", PilotChanged(state), pilot=state)


def _cable(board: Board, number: int, *, present: bool) -> Move:
    name = f"cable {'in' if present else 'out of'} {number}"
    return _reported(board, number, name, CableChanged(present, 32.0 if present else None), cable=present)


def _lock(board: Board, number: int, *, locked: bool) -> Move:
    name = f"lock of {number} {'closed' if locked else 'open'}"
    return _reported(board, number, name, LockChanged(locked), lock=locked)


def _reported(
    board: Board, number: int, name: str, event: HardwareEvent, **changed: PilotState | bool
) -> Move:
    cell = outside.hardware(number)
    return Move(name, HardwareReported(number, event), ((cell, replace(board[cell], **changed)),))


def _faults(board: Board, number: int, faults: Iterable[HardwareFault]) -> Moves:
    for fault in faults:
        stands = any(one is fault for one, _ in board[f"fault/{number}"].data.faults)
        event = FaultCleared(fault) if stands else FaultRaised(fault)
        what = "cleared" if stands else "raised"
        yield Move(f"{fault} of {number} {what}", HardwareReported(number, event))
