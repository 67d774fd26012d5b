"""What a tour may do next on a test bench, and what it looks like in a script."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.conformance.board import OutOfOrderError
from engine.conformance.central_system import members_of
from engine.conformance.reference import SILENCE_S, Rehearsal
from engine.conformance.script import Answers, AnyStep, Asks, Call, Expects, Payload, Wait
from engine.conformance.stimuli import AnyStimulus
from engine.conformance.world import Seen
from machines.charge_point import Taken
from machines.vocabulary.ocpp import (
    Authorize,
    BootNotification,
    DataTransfer,
    MeterValues,
    Request,
    StartTransaction,
    StatusNotification,
    StopTransaction,
)
from machines.vocabulary.wire import CallError

QUIET_S = 2.37
"""How long nothing happens before a tour goes on: more than locks and vehicles take, and no multiple of anything."""
HASTE_S = 0.13
"""How long nothing is sent before a tour goes on in haste: less than any lock takes."""
MARGIN_S = 1.0
"""How much too early or too late what is waited for may come."""
WAIT_MAX_S = 4000.0
"""Nothing that is due later is waited for."""
WITHIN_S = 10.0
"""How long what is expected may take: more than the model needs, for a real station."""
BOOT_WITHIN_S = 90.0


LATEST = "latest"
"""Stands in a request of a move for the number of the transaction that was told last."""


class Start(Struct, frozen=True):
    """The station gets power for the first time."""


class Due(Struct, frozen=True):
    """What is due next is waited for."""


class News(Struct, frozen=True):
    """It is waited until the station sends something, whatever falls due before."""


class Near(Struct, frozen=True):
    """It is waited until so many seconds before what is due next."""

    seconds: float


class Rest(Struct, frozen=True):
    """Nothing is done until nothing happens any more."""


class Pass(Struct, frozen=True):
    """So many seconds pass, in which nothing is sent."""

    seconds: float


Act = AnyStimulus | Asks | Start | Due | News | Near | Rest | Pass
"""What may be done."""


class Move(Struct, frozen=True):
    """One thing that is done, and how the Central System answers what follows."""

    name: str
    act: Act
    answers: tuple[Answers, ...] = ()
    """In force during this move only."""
    is_lasting: bool = False
    """They stay in force."""
    is_hasty: bool = False
    """The tour goes on while the hardware is still on its way."""
    then: tuple["Move", ...] = ()
    """What is done after it, all in one."""

    @property
    def quiet_s(self) -> float:
        """How long nothing happens before the tour goes on."""
        return HASTE_S if self.is_hasty else QUIET_S


class Made(NamedTuple):
    """What came of a move."""

    steps: tuple[AnyStep, ...]
    """Of a script."""
    taken: list[list[Taken]]
    """Transitions, by message that the charge point took."""


def made(rehearsal: Rehearsal, move: Move) -> Made:
    """Make ``move`` in the rehearsal.

    Raises:
        OutOfOrderError: It cannot be made now.
        RestlessError: No script can be made of it.
    """
    for policy in move.answers:
        rehearsal.set_policy(policy)
    acted = _acted(rehearsal, move)
    steps = [*move.answers, *acted.steps]
    if not move.is_lasting:
        for policy in move.answers:
            usual = Answers(policy.answers, usual=True)
            rehearsal.set_policy(usual)
            steps.append(usual)
    followed = [made(rehearsal, each) for each in move.then]
    for each in followed:
        steps += each.steps
    return Made(tuple(steps), [*acted.taken, *(step for each in followed for step in each.taken)])


def _acted(rehearsal: Rehearsal, move: Move) -> Made:
    before: tuple[AnyStep, ...] = ()
    quiet_s, run = move.quiet_s, _run(rehearsal)
    match move.act:
        case Start():
            rehearsal.power_on(quiet_s)
        case Due():
            return _waited(rehearsal, quiet_s)
        case News():
            return _told(rehearsal)
        case Near(seconds=seconds):
            return _passed(rehearsal, round(_due_in_s(rehearsal) - seconds, 3))
        case Pass(seconds=seconds):
            return _passed(rehearsal, seconds)
        case Rest():
            rehearsal.settle(quiet_s)
        case Asks() as act:
            asked = _about_latest(act, rehearsal)
            rehearsal.ask(asked, quiet_s)
            before = (_answered(asked, rehearsal.answer),)
        case stimulus:
            rehearsal.do(stimulus, quiet_s)
            before = (stimulus,)
    expected = _expected(rehearsal, run, quiet_s)
    return Made((*before, expected), rehearsal.taken)


def _run(rehearsal: Rehearsal) -> tuple[int, bool]:
    """Which run of the station it is, and whether it is connected."""
    return rehearsal.world.boot, rehearsal.world.is_open


def _waited(rehearsal: Rehearsal, quiet_s: float) -> Made:
    """Wait for what is due next; a little before it nothing may come."""
    before_s = round(_due_in_s(rehearsal) - min(MARGIN_S, quiet_s / 2), 3)
    before = _passed(rehearsal, before_s) if before_s > 0 else Made((), [])
    run = _run(rehearsal)
    rehearsal.settle(quiet_s)
    expected = _expected(rehearsal, run, quiet_s)
    taken = [*before.taken, *rehearsal.taken]
    if isinstance(expected, Expects):
        return Made((*before.steps, expected), taken)
    whole = replace(expected, wait=round(max(before_s, 0.0) + expected.wait, 3))
    return Made((whole,), taken)


def _due_in_s(rehearsal: Rehearsal) -> float:
    due = [time - rehearsal.world.now for time, _ in rehearsal.world.deadlines()]
    if not due or due[0] > WAIT_MAX_S:
        raise OutOfOrderError
    return due[0]


def _told(rehearsal: Rehearsal) -> Made:
    """Wait until something comes; a little before it nothing may."""
    run = _run(rehearsal)
    before_s = round(rehearsal.await_news(QUIET_S, WAIT_MAX_S) - MARGIN_S, 3)
    before = (Wait(before_s),) if before_s > 0 else ()
    return Made((*before, _expected(rehearsal, run, QUIET_S)), rehearsal.taken)


def _passed(rehearsal: Rehearsal, seconds: float) -> Made:
    if seconds <= 0:
        raise OutOfOrderError
    rehearsal.wait(seconds)
    if rehearsal.seen:
        raise OutOfOrderError
    return Made((Wait(seconds),), rehearsal.taken)


def _about_latest(asked: Asks, rehearsal: Rehearsal) -> Asks:
    if asked.payload.get("transactionId") != LATEST:
        return asked
    number = max(1, len(rehearsal.world.ledger.started))
    return replace(asked, payload={**asked.payload, "transactionId": number})


def _expected(rehearsal: Rehearsal, before: tuple[int, bool], quiet_s: float) -> Expects | Wait:
    """What the rehearsal has seen in its latest step, as a step of a script; ``before`` is which run it was then."""
    has_connected = _run(rehearsal) != before and rehearsal.world.is_open
    within_s = BOOT_WITHIN_S if has_connected else WITHIN_S
    sure = tuple(told(seen.request) for seen in rehearsal.seen if seen.is_sure)
    may_come = tuple({_key(call): call for call in _unsure(rehearsal.seen)}.values())
    if not sure:
        return Wait(quiet_s, optional=may_come, connected=has_connected)
    return Expects(
        sure, optional=may_come, within_s=within_s, quiet_s=None if quiet_s == QUIET_S else quiet_s
    )


def _unsure(seen: Iterable[Seen]) -> list[Call]:
    return [told(each.request) for each in seen if not each.is_sure]


def _key(call: Call) -> bytes:
    return msgspec.json.encode(call)


def _answered(asked: Asks, answer: Any) -> Asks:
    """``asked`` with the answer that the rehearsal gave."""
    if answer is None:
        return Asks(asked.request, asked.payload, nothing=True, within_s=SILENCE_S)
    if isinstance(answer, CallError):
        return Asks(asked.request, asked.payload, error=answer.code.value)
    members = members_of(answer)
    shown = {name: members[name] for name in members if name in ("status", "listVersion", "data")}
    return Asks(asked.request, asked.payload, expect=shown)


def told(request: Request) -> Call:
    """A CALL as a script expects it: what the behaviour of a station shows in, no measured values and no times."""
    members = members_of(request)
    names: tuple[str, ...]
    match request:
        case StatusNotification():
            names = ("connectorId", "status", "errorCode")
        case StartTransaction():
            names = ("connectorId", "idTag", "reservationId")
        case StopTransaction():
            names = ("transactionId", "idTag", "reason")
        case MeterValues():
            names = ("connectorId", "transactionId")
        case Authorize() | DataTransfer():
            names = tuple(members)
        case BootNotification():
            names = ()
        case _:
            names = ("status",)
    payload: Payload = {name: members[name] for name in names if name in members}
    if isinstance(request, MeterValues):
        # Those of no transaction come in any order.
        payload.setdefault("transactionId", None)
    return Call(type(request).__name__, payload)
