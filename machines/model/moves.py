"""What may happen next in a state: every arrival that the real world could bring, and nothing that it could not.

No answer without a CALL, no timer that does not run, no vehicle without a cable. A move is named in a few words, so
that a trace can be read.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from machines.charge_point import Arrival, ChargePoint, Memory, PoweredUp
from machines.model import environment as outside
from machines.model.environment import Environment
from machines.routes import delivery_owner
from machines.vocabulary import ocpp
from machines.vocabulary.effects import TimerFired
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareFault,
    HardwareReported,
    LockChanged,
    LockFailed,
    MeterRead,
    MeterReadFailed,
    MeterReading,
    PilotChanged,
    PilotState,
    TokenRead,
)
from machines.vocabulary.settings import ConnectorSettings, Settings
from machines.vocabulary.transactions import Began, Ended, TransactionMessage
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    Failure,
    RequestReceived,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TRANSACTION_ID = 7
"""What the Central System of the model calls every transaction."""
REGISTER_WH = 0
"""What every meter reads: how much energy flows makes no difference to what may happen."""

READINGS_MAX = 1
"""With more readings than that asked for, the meter is faster than anything else."""


class Move(NamedTuple):
    """Something that may happen."""

    name: str
    arrival: Arrival
    environment: Environment
    """As it is when the charge point hears of it."""


class Alphabet(NamedTuple):
    """What is let happen, in the words of the moves."""

    cards: tuple[str, ...] = ()
    pilots: tuple[PilotState, ...] = ()
    faults: tuple[tuple[int, HardwareFault], ...] = ()
    """Connector (0: the station) and fault."""
    requests: tuple[tuple[str, ocpp.Request], ...] = ()
    """Requests of the Central System, each with its name."""
    answers: tuple[ocpp.AuthorizationStatus, ...] = (ocpp.AuthorizationStatus.ACCEPTED,)
    """To Authorize and StartTransaction."""
    registrations: tuple[ocpp.RegistrationStatus, ...] = (ocpp.RegistrationStatus.ACCEPTED,)
    failures: tuple[Failure, ...] = ()
    """Of Authorize, BootNotification and transaction messages."""
    has_outages: bool = False
    has_power_cuts: bool = False
    has_lock_trouble: bool = False
    has_meter_trouble: bool = False


Moves = Iterator[Move]


def moves(charge_point: ChargePoint, settings: Settings, alphabet: Alphabet, now: Environment) -> Moves:
    """Everything that may happen to ``charge_point`` in the environment ``now``."""
    if now.is_over:
        yield _start(charge_point, "the station starts", now)
        return
    if len(now.readings) > READINGS_MAX:
        yield from _readings(alphabet, now)
        return
    yield from _link(alphabet, now)
    yield from _answers(alphabet, now)
    yield from _ends(alphabet, now)
    for connector in settings.connectors:
        yield from _hardware(charge_point, connector, alphabet, now)
    yield from _faults(charge_point, alphabet, now)
    numbers = tuple(connector.number for connector in settings.connectors)
    for card in alphabet.cards:
        yield Move(f"card {card}", TokenRead(card, numbers), now)
    if now.link == outside.OPEN:
        for name, request in alphabet.requests:
            is_trigger = isinstance(request, ocpp.TriggerMessage)
            then = replace(now, is_triggered=True) if is_trigger else now
            yield Move(name, RequestReceived("call", request), then)
    if alphabet.has_power_cuts:
        yield _start(charge_point, "the power is cut, and comes back", now)


def quiet(now: Environment) -> Move | None:
    """The answer to a CALL whose end makes no difference, as soon as its turn comes; None if there is none."""
    for index, (owner, request) in enumerate(now.calls):
        if not isinstance(request, ocpp.Authorize | ocpp.BootNotification):
            rest = (*now.calls[:index], *now.calls[index + 1 :])
            action = type(request).__name__
            answer = CallAnswered(owner, _usual(request))
            return Move(f"{action} answered", answer, replace(now, calls=rest))
    return None


def _usual(request: ocpp.Request) -> ocpp.Conf:
    match request:
        case ocpp.Heartbeat():
            return ocpp.HeartbeatConf(current_time=EPOCH)
        case ocpp.DataTransfer():
            return ocpp.DataTransferConf(status=ocpp.DataTransferStatus.ACCEPTED)
        case _:
            return ocpp.ACTIONS[type(request).__name__].conf()


def _start(charge_point: ChargePoint, name: str, now: Environment) -> Move:
    memories = tuple(
        Memory(address, machine.state, machine.remember())
        for address, machine in charge_point.machines.items()
        if machine.memory is not None
    )
    return Move(name, PoweredUp(memories), outside.powered_down(now))


def _link(alphabet: Alphabet, now: Environment) -> Moves:
    if now.link == outside.DIALLING:
        yield Move("connected", ConnectionOpened(), replace(now, link=outside.OPEN))
        if alphabet.has_outages:
            failed = replace(now, link=outside.CLOSED)
            yield Move("nobody answers", ConnectionFailed("no"), failed)
    is_lost = now.link == outside.CLOSING or (now.link == outside.OPEN and alphabet.has_outages)
    if is_lost:
        closed = outside.disconnected(now, outside.CLOSED)
        yield Move("connection lost", ConnectionClosed("gone"), closed)


def _answers(alphabet: Alphabet, now: Environment) -> Moves:
    for owner, request in now.calls[:1]:
        action, rest = type(request).__name__, replace(now, calls=now.calls[1:])
        if isinstance(request, ocpp.BootNotification):
            for status in alphabet.registrations:
                conf = ocpp.BootNotificationConf(status=status, current_time=EPOCH, interval=60)
                yield Move(f"{action} {status}", CallAnswered(owner, conf), rest)
        else:
            for accepted in alphabet.answers:
                info = ocpp.IdTagInfo(status=accepted)
                yield Move(
                    f"{action} {accepted}", CallAnswered(owner, ocpp.AuthorizeConf(id_tag_info=info)), rest
                )
        for failure in alphabet.failures:
            yield Move(f"{action} {failure}", CallFailed(owner, action, failure), rest)
    for message in now.delivering[:1]:
        rest = replace(now, delivering=now.delivering[1:])
        yield from _delivered(message, alphabet, rest, is_late=False)
        for failure in alphabet.failures:
            late = (message,) if failure is Failure.TIMED_OUT else rest.late
            action = type(message.body).__name__
            failed = CallFailed(delivery_owner(message), action, failure)
            yield Move(f"{action} {failure}", failed, replace(rest, late=late))
    for message in now.late:
        yield from _delivered(message, alphabet, replace(now, late=()), is_late=True)


def _delivered(message: TransactionMessage, alphabet: Alphabet, then: Environment, *, is_late: bool) -> Moves:
    owner, late = delivery_owner(message), " late" if is_late else ""
    match message.body:
        case Began():
            for status in alphabet.answers:
                info = ocpp.IdTagInfo(status=status)
                conf = ocpp.StartTransactionConf(transaction_id=TRANSACTION_ID, id_tag_info=info)
                yield Move(f"StartTransaction {status}{late}", CallAnswered(owner, conf, is_late), then)
        case Ended():
            answer = CallAnswered(owner, ocpp.StopTransactionConf(), is_late)
            yield Move(f"StopTransaction answered{late}", answer, then)
        case _:
            answer = CallAnswered(owner, ocpp.MeterValuesConf(), is_late)
            yield Move(f"MeterValues answered{late}", answer, then)


def _ends(alphabet: Alphabet, now: Environment) -> Moves:
    for timer in sorted(now.timers, key=lambda one: (one.owner, one.name)):
        then = now if timer.is_repeating else replace(now, timers=now.timers - {timer})
        yield Move(
            f"timer {timer.owner} {timer.name}", TimerFired(timer.owner, timer.name, timer.message), then
        )
    yield from _readings(alphabet, now)


def _readings(alphabet: Alphabet, now: Environment) -> Moves:
    for asked in now.readings[:1]:
        then = replace(now, readings=now.readings[1:])
        read = MeterRead(asked.ticket, MeterReading(energy_import_wh=REGISTER_WH))
        yield Move(f"meter {asked.ticket} read", HardwareReported(asked.connector, read), then)
        if alphabet.has_meter_trouble:
            failed = HardwareReported(asked.connector, MeterReadFailed(asked.ticket))
            yield Move(f"meter {asked.ticket} silent", failed, then)


def _hardware(
    charge_point: ChargePoint, connector: ConnectorSettings, alphabet: Alphabet, now: Environment
) -> Moves:
    number = connector.number
    setpoint, seen = charge_point.setpoints[number], now.hardware[number - 1]
    is_socket = connector.cable == "socket"
    # In the order in which drivers report at their start.
    if is_socket and seen.cable is None:
        yield from _cable(number, now, present=True)
        yield from _cable(number, now, present=False)
    elif connector.has_lock and seen.lock is None:
        yield from _lock(number, now, locked=False)
        if seen.cable:
            yield from _lock(number, now, locked=True)
    elif seen.pilot is None:
        states = (PilotState.A, *alphabet.pilots) if seen.cable or not is_socket else (PilotState.A,)
        yield from _pilots(number, states, now)
    else:
        yield from _pilots(number, alphabet.pilots if seen.cable or not is_socket else (PilotState.A,), now)
        if alphabet.pilots and is_socket:
            yield from _cable(number, now, present=not seen.cable)
        if connector.has_lock and setpoint.locked is not seen.lock:
            yield from _lock(number, now, locked=setpoint.locked)
            if alphabet.has_lock_trouble:
                what = "closes" if setpoint.locked else "opens"
                failed = HardwareReported(number, LockFailed(setpoint.locked))
                yield Move(f"lock of {number} never {what}", failed, now)
        if alphabet.has_lock_trouble and seen.lock and setpoint.locked:
            by_hand = HardwareReported(number, LockChanged(False))
            yield Move(f"lock of {number} opened by hand", by_hand, _reported(now, number, lock=False))


def _pilots(number: int, states: Iterable[PilotState], now: Environment) -> Moves:
    for state in dict.fromkeys(states):
        if state is not now.hardware[number - 1].pilot:
            report = HardwareReported(number, PilotChanged(state))
            yield Move(f"pilot of {number} {state}", report, _reported(now, number, pilot=state))


def _cable(number: int, now: Environment, *, present: bool) -> Moves:
    report = HardwareReported(number, CableChanged(present, 32.0 if present else None))
    yield Move(
        f"cable {'in' if present else 'out of'} {number}", report, _reported(now, number, cable=present)
    )


def _lock(number: int, now: Environment, *, locked: bool) -> Moves:
    report = HardwareReported(number, LockChanged(locked))
    yield Move(
        f"lock of {number} {'closed' if locked else 'open'}", report, _reported(now, number, lock=locked)
    )


def _reported(now: Environment, number: int, **changed: PilotState | bool) -> Environment:
    hardware = list(now.hardware)
    hardware[number - 1] = replace(hardware[number - 1], **changed)
    return replace(now, hardware=tuple(hardware))


def _faults(charge_point: ChargePoint, alphabet: Alphabet, now: Environment) -> Moves:
    for number, fault in alphabet.faults:
        stands = any(one is fault for one, _ in charge_point.machines[f"fault/{number}"].data.faults)
        event = FaultCleared(fault) if stands else FaultRaised(fault)
        what = "cleared" if stands else "raised"
        yield Move(f"{fault} of {number} {what}", HardwareReported(number, event), now)
