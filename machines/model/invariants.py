"""What holds in every reachable state, and over every step: each rule says what is broken, in a line.

The rules are written from the specification and from the house rules (docs/architecture.md), not from the machines:
where a rule needs to know whether energy may flow, it asks for the reasons, not for the result.
"""

from collections.abc import Iterable, Iterator

from machines.charge_point import ChargePoint, Emitted, Taken
from machines.facts import Facts
from machines.machine import Standing
from machines.routes import KINDS, delivery_owner
from machines.status_report import StatusChanged
from machines.view import BEGUN, PENDING
from machines.vocabulary.effects import Answer, Instant, LeaveUnanswered
from machines.vocabulary.hardware import Setpoint
from machines.vocabulary.ocpp import BootNotification, ChargePointStatus, Request, UnlockConnector
from machines.vocabulary.transactions import Began, Ended, TransactionMessage
from machines.vocabulary.wire import CallAnswered, CallFailed, Failure, RequestReceived

LETTERS = dict(
    zip(
        "ABCDEFGHI",
        (
            ChargePointStatus.AVAILABLE,
            ChargePointStatus.PREPARING,
            ChargePointStatus.CHARGING,
            ChargePointStatus.SUSPENDED_EV,
            ChargePointStatus.SUSPENDED_EVSE,
            ChargePointStatus.FINISHING,
            ChargePointStatus.RESERVED,
            ChargePointStatus.UNAVAILABLE,
            ChargePointStatus.FAULTED,
        ),
        strict=True,
    )
)
"""Rows of the status table of 4.9; its columns are the same, numbered."""

NEXT = {
    "A": "2345789",
    "B": "134569",
    "C": "145689",
    "D": "135689",
    "E": "134689",
    "F": "1289",
    "G": "1289",
    "H": "123459",
    "I": "12345678",
}

ALLOWED = frozenset(
    (LETTERS[row], LETTERS["ABCDEFGHI"[int(column) - 1]])
    for row, columns in NEXT.items()
    for column in columns
)
"""The 53 transitions of the status table."""


def broken_by_states(charge_point: ChargePoint, connectors: Iterable[int], now: Instant) -> Iterator[str]:
    """What must hold of the states whatever came before, of each of ``connectors``."""
    for number in connectors:
        facts, setpoint = charge_point.view(number, now), charge_point.setpoints[number]
        if setpoint.contactor:
            yield from _unless(facts.has_cable, number, "contactor closed without a cable")
            yield from _unless(facts.is_requesting, number, "contactor closed and no vehicle asks for energy")
            yield from _unless(facts.is_held, number, "contactor closed and the cable is not held")
            yield from _unless(bool(setpoint.offered_a), number, "contactor closed and no current is offered")
        if setpoint.contactor or setpoint.offered_a:
            may_draw = facts.transaction == "running" or (
                facts.transaction == "deauthorized"
                and charge_point.standings[f"allowance/{number}"].state != "nothing"
            )
            is_leaving = facts.is_scheduled or charge_point.view(0, now).is_scheduled
            in_service = facts.is_operative or is_leaving
            yield from _unless(may_draw, number, "energy for nobody who may have it")
            yield from _unless(facts.is_connected, number, "energy for no vehicle")
            yield from _unless(not facts.is_faulted, number, "energy in a fault")
            is_trusted = charge_point.standings[f"fault/{number}"].data.trusts_pilot
            yield from _unless(is_trusted, number, "energy by a pilot that cannot be trusted")
            yield from _unless(in_service, number, "energy out of service")
        if setpoint.offered_a:
            assert facts.connector is not None
            least, most = facts.connector.current_min_a, facts.connector.current_max_a
            yield from _unless(least <= setpoint.offered_a <= most, number, "a current that nobody declared")
            allowed = charge_point.standings[f"current_offer/{number}"].data.phases
            yield from _unless(setpoint.phases <= allowed, number, "more phases than are allowed")
            yield from _broken_by_sum(charge_point, facts, now)


def _broken_by_sum(charge_point: ChargePoint, facts: Facts, now: Instant) -> Iterator[str]:
    """All connectors together draw no more than the installation carries, and than is safe while nobody can be asked."""
    installation = facts.settings.installation
    most_a = installation.current_max_a
    if charge_point.standings["fail_safe"].state == "limited":
        most_a = installation.offline_current_max_a
    if most_a is not None:
        offered = [charge_point.view(one.number, now).offered_a for one in facts.settings.connectors]
        yield from _unless(sum(offered) <= most_a, 0, f"{sum(offered)} A together, {most_a} A are allowed")


def broken_by_phases(before: Setpoint, after: Setpoint, number: int) -> Iterator[str]:
    """No phase comes or goes while the contactor is closed (hardware facts B2)."""
    if before.phases != after.phases:
        yield from _unless(
            not (before.contactor or after.contactor), number, "phases switched with the contactor closed"
        )


def broken_by_timers(charge_point: ChargePoint, timers: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Every running timer (owner and message) has an owner that can take its message as it is now."""
    for owner, message in timers:
        machine = KINDS.get(owner.partition("/")[0])
        if machine is None or type(message) not in machine.messages:
            yield f"{owner} takes no {message!r} of its timer"
        elif (state := charge_point.standings[owner].state, type(message)) in machine.impossible:
            yield f"{owner} in {state!r} still has a timer with {message!r}"


def broken_by_call(registration: str, request: Request, *, is_triggered: bool) -> Iterator[str]:
    """Before acceptance there is BootNotification, and while Pending what TriggerMessage asked for (4.2)."""
    is_asked_for = registration in PENDING and is_triggered
    if registration != "accepted" and not isinstance(request, BootNotification) and not is_asked_for:
        yield f"{type(request).__name__} sent while {registration}"


def broken_by_second_sending(number: int, in_flight: Iterable[TransactionMessage]) -> Iterator[str]:
    """A message that is on its way is not sent once more: the Central System would take it for another one (3.7)."""
    if any(message.number == number for message in in_flight):
        yield f"message {number} sent while it is in flight"


def broken_by_forgetting(arrival: object, number: int, queue: Iterable[TransactionMessage]) -> Iterator[str]:
    """A transaction message is kept until the Central System answered it, or failed to process it (3.7)."""
    owners = [delivery_owner(message) for message in queue if message.number == number]
    match arrival:
        case CallAnswered(owner=owner) | CallFailed(owner=owner, failure=Failure.CALL_ERROR):
            is_settled = owners == [owner]
        case _:
            is_settled = False
    if not is_settled:
        yield f"message {number} forgotten, and not settled"


def broken_by_rest(
    queue: Iterable[TransactionMessage], in_flight: Iterable[TransactionMessage], *, is_waiting: bool
) -> Iterator[str]:
    """While the Central System can be told, the message that comes first is in flight, or a timer brings it there."""
    oldest = next(iter(queue), None)
    if oldest is not None and not is_waiting and all(one.number != oldest.number for one in in_flight):
        yield f"message {oldest.number} waits, and nobody sends it"


def broken_by_delivery(registration: str, number: int, queue: Iterable[TransactionMessage]) -> Iterator[str]:
    """What ``number`` breaks if it is sent now, of the messages of transactions that are not settled."""
    oldest = next(iter(queue), None)
    if registration != "accepted":
        yield f"a transaction message sent while {registration}"
    if oldest is None or oldest.number != number:
        yield f"message {number} sent before those that come first"
    elif not isinstance(oldest.body, Began):
        starts = [one for one in queue if one.local_id == oldest.local_id and isinstance(one.body, Began)]
        if starts:
            yield f"message {number} sent before its StartTransaction is settled"


def broken_by_statuses(statuses: Iterable[ChargePointStatus | None]) -> Iterator[str]:
    """Of statuses in their order, what the status table does not have; None is a gap."""
    before = None
    for status in statuses:
        if before is not None and status is not None and status != before and (before, status) not in ALLOWED:
            yield f"{status} after {before} is not in the status table"
        before = status


def statuses_in(history: Iterable[Taken], number: int) -> list[ChargePointStatus]:
    """The statuses that connector ``number`` took in a step with ``history``, in their order."""
    name = f"status_report/{number}"
    return [
        taken.message.status.status
        for taken in history
        if taken.address == name and isinstance(taken.message, StatusChanged)
    ]


def broken_by_admission(before: Facts, after: Facts) -> Iterator[str]:
    """No transaction starts in a fault (3.3.2), and a connector that is kept for somebody admits nobody else (5.13)."""
    if before.transaction in {"idle", "authorized", "starting"} and after.transaction == "running":
        yield from _unless(not after.is_faulted, before.number, "a transaction started in a fault")
    if not before.reserved_for or before.transaction != "idle" or after.transaction == "idle":
        return
    if after.reserved_for != before.reserved_for:
        return  # it ended in this very step; one that is used ends later, with the first register value
    known = [book.find(after.id_tag) for book in (before.local_list, before.cache)]
    groups = {after.parent_id_tag, *(entry.parent_id_tag for entry in known if entry is not None)}
    is_holder = after.id_tag.casefold() == before.reserved_for.casefold()
    is_of_group = before.reserved_parent is not None and before.reserved_parent in groups
    yield from _unless(
        is_holder or is_of_group,
        before.number,
        f"{after.id_tag} admitted, reserved for {before.reserved_for}",
    )


def broken_by_ledger(
    number: int, before: Standing, after: Standing, kept: Iterable[TransactionMessage]
) -> Iterator[str]:
    """Every transaction is recorded once where it begins and once where it ends, and energy never runs backwards.

    ``before`` and ``after`` are where the transaction machine of connector ``number`` stands, ``kept`` what was
    recorded in between.
    """
    was, runs = open_transaction(before), open_transaction(after)
    if was == runs:
        return
    recorded = [(one.local_id, one.body) for one in kept]
    begins = [body for local_id, body in recorded if local_id == runs and isinstance(body, Began)]
    if runs and [begin.connector_id for begin in begins] != [number]:
        yield f"connector {number}: transaction {runs} runs, {len(begins)} times recorded"
    ends = [body for local_id, body in recorded if local_id == was and isinstance(body, Ended)]
    if was and len(ends) != 1:
        yield f"connector {number}: transaction {was} is over, {len(ends)} times recorded"
    for end in ends:
        yield from _unless(end.meter_stop >= before.data.meter_start, number, "energy runs backwards")


def broken_by_records(
    opened: Iterable[int], closed: Iterable[int], kept: Iterable[TransactionMessage]
) -> Iterator[str]:
    """Nothing is recorded as begun or ended but the transactions that did: ``opened`` and ``closed`` in this step."""
    for message in kept:
        if isinstance(message.body, Began) and message.local_id not in opened:
            yield f"transaction {message.local_id} recorded as begun, which it did not"
        if isinstance(message.body, Ended) and message.local_id not in closed:
            yield f"transaction {message.local_id} recorded as ended, which it did not"


def broken_by_recovery(number: int, remembered: Standing, after: Standing) -> Iterator[str]:
    """A transaction that was open when the power went is open after the start, if only to be ended."""
    was = open_transaction(remembered)
    yield from _unless(
        was == open_transaction(after), number, f"transaction {was} is lost, or another one came"
    )


def open_transaction(standing: Standing) -> int:
    """Its local id; 0 if there is none."""
    return int(standing.data.local_id) if standing.state in BEGUN else 0


def broken_by_answers(arrival: object, effects: Iterable[Emitted]) -> Iterator[str]:
    """A request is answered once, and at once; only UnlockConnector may wait for the lock."""
    if isinstance(arrival, RequestReceived):
        mine = {"", arrival.call_id}
        answers = [
            effect
            for _, effect in effects
            if isinstance(effect, LeaveUnanswered) or (isinstance(effect, Answer) and effect.call_id in mine)
        ]
        may_wait = isinstance(arrival.request, UnlockConnector)
        if len(answers) != 1 and not (may_wait and not answers):
            yield f"{type(arrival.request).__name__} got {len(answers)} answers"


def broken_by_late_answers(arrival: object, effects: Iterable[Emitted]) -> Iterator[str]:
    """Nobody answers a CALL that is answered; ``effects`` are those that no CALL waited for."""
    if not isinstance(arrival, RequestReceived):
        for by, effect in effects:
            if isinstance(effect, Answer | LeaveUnanswered):
                yield f"{by} answers a CALL that waits for no answer"


def _unless(holds: bool, number: int, what: str) -> Iterator[str]:
    if not holds:
        yield f"connector {number}: {what}"
