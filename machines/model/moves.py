"""What may happen next in a state: every arrival that the real world could bring, and nothing that it could not.

No answer without a CALL, no timer that does not run, no vehicle without a cable. A move is named in a few words, so
that a trace can be read. Each function says what may happen of one kind, from the few cells that this depends on.
"""

from collections.abc import Iterable
from functools import partial
from itertools import product
from typing import Any

from machines.allowance import ALLOWANCE_TICKET
from machines.clock_aligned import CLOCK_TICKET
from machines.metering import SAMPLE_TICKET
from machines.model import environment as outside
from machines.model import hardware_moves
from machines.model.alphabet import EPOCH, LONG, Alphabet, Move, Moves, PowerOn, Topic, transaction_id_of
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
from machines.vocabulary.effects import ReadMeter, TimerFired
from machines.vocabulary.hardware import (
    HardwareReported,
    MeterRead,
    MeterReadFailed,
    MeterReading,
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

READINGS_MAX = 1
"""With more readings than that asked for, the meter is faster than anything else."""
CALLS_MAX = 2
"""With more CALLs than that unanswered, the Central System is faster than anything else."""


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
            found[f"faults/{number}"] = partial(hardware_moves.faults, number=number, kinds=faults)
    for connector in connectors:
        found[f"hardware/{connector.number}"] = partial(
            hardware_moves.hardware, connector=connector, alphabet=alphabet
        )
    return found


# What comes before anything else


def start(board: Board, alphabet: Alphabet) -> Moves:
    """What may happen when a run is over."""
    if not board[IS_OVER]:
        return
    yield Move("the station starts", PowerOn(was_powered=True))
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
        yield Move("the power is cut, and comes back", PowerOn(was_powered=False))
    if alphabet.has_long_cuts:
        yield Move("the power is cut for long", PowerOn(was_powered=False), after_s=LONG.total_seconds())
    if alphabet.has_vendor_data:
        yield Move("vendor data", DataTransferAsked("org.example", data="x"))
