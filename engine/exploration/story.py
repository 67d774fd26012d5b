"""A trace told to people: each move, and what the station did, in words and as a sequence diagram."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from engine.diagrams.sequence import Arrow, Item, Remark
from machines.charge_point import PoweredUp
from machines.machine import Effect
from machines.model.explore import Event
from machines.model.moves import PURPOSES
from machines.vocabulary import ocpp
from machines.vocabulary.effects import (
    Answer,
    Call,
    Collect,
    Deliver,
    Forget,
    Keep,
    LearnTime,
    LeaveUnanswered,
    ReadMeter,
    Settle,
    StartTimer,
    StopTimer,
    TimerFired,
)
from machines.vocabulary.hardware import HardwareReported, Setpoint, TokenRead
from machines.vocabulary.transactions import Began, Body, Ended
from machines.vocabulary.wire import CallAnswered, CallError, CallFailed, RequestReceived

HARDWARE, STATION, CENTRAL_SYSTEM = "Hardware", "Charge point", "Central System"
PARTICIPANTS = (HARDWARE, STATION, CENTRAL_SYSTEM)

FIELDS_MAX = 4
"""So many fields of a payload are told, the first ones that say something."""
ACTIONS = {Began: "StartTransaction", Ended: "StopTransaction"}


def told(events: Iterable[Event]) -> Iterator[str]:
    """The trace in words: a numbered line for each move, and what followed from it below."""
    for number, event in enumerate(events, start=1):
        yield f"{number:3}. {event.name}"
        for address, effect in event.made.run.effects:
            if not isinstance(effect, StopTimer):
                yield f"       {address}: {words(effect, event.queue)}"
        for connector, statuses in event.made.statuses.items():
            yield f"       connector {connector} is {', then '.join(statuses)}"
        for connector, setpoint in event.setpoints:
            yield f"       connector {connector} is set to {setting(setpoint)}"
        for what in event.made.broken:
            yield f"       BROKEN: {what}"


def drawn(events: Iterable[Event]) -> Iterator[Item]:
    """The trace as a sequence diagram."""
    for number, event in enumerate(events, start=1):
        yield _arrival(f"{number}. {event.name}", event.made.arrival)
        for _, effect in event.made.run.effects:
            yield from _effect(effect, event.queue)
        for connector, statuses in event.made.statuses.items():
            yield Remark(STATION, f"connector {connector}: {', '.join(statuses)}")
        for connector, setpoint in event.setpoints:
            yield Arrow(STATION, HARDWARE, f"connector {connector}: {setting(setpoint)}")
        for what in event.made.broken:
            yield Remark(STATION, f"BROKEN: {what}")


def _arrival(name: str, arrival: object) -> Item:
    match arrival:
        case HardwareReported() | TokenRead():
            return Arrow(HARDWARE, STATION, name)
        case RequestReceived():
            return Arrow(CENTRAL_SYSTEM, STATION, name)
        case CallAnswered() | CallFailed():
            return Arrow(CENTRAL_SYSTEM, STATION, name, is_answer=True)
        case PoweredUp():
            return Remark(STATION, name)
        case TimerFired():
            return Arrow(STATION, STATION, name)
        case _ if "onnect" in type(arrival).__name__:
            return Arrow(CENTRAL_SYSTEM, STATION, name)
        case _:
            return Arrow(STATION, STATION, name)


def _effect(effect: Effect, queue: dict[int, Body]) -> Iterator[Item]:
    match effect:
        case StartTimer() | StopTimer() | Keep() | Forget() | Settle() | Collect() | LearnTime():
            return  # nobody outside sees it
        case Call() | Deliver():
            yield Arrow(STATION, CENTRAL_SYSTEM, words(effect, queue))
        case Answer():
            yield Arrow(STATION, CENTRAL_SYSTEM, words(effect, queue), is_answer=True)
        case ReadMeter():
            yield Arrow(STATION, HARDWARE, words(effect, queue))
        case _:
            yield Remark(STATION, words(effect, queue))


def words(effect: Effect, queue: dict[int, Body]) -> str:
    """What a machine asks for; ``queue`` are the transaction messages by their numbers."""
    match effect:
        case Call(request=request):
            return payload(request)
        case Deliver(number=number) if number in queue:
            action = ACTIONS.get(type(queue[number]), "MeterValues")
            return f"{action}.req{_fields(queue[number])}"
        case Answer(answer=answer):
            return f"CALLERROR {answer.code}" if isinstance(answer, CallError) else payload(answer)
        case LeaveUnanswered():
            return "no answer"
        case ReadMeter(connector=connector, ticket=ticket):
            return f"read meter of {connector} ({PURPOSES.get(ticket, f'ticket {ticket}')})"
        case StartTimer(name=name, after_s=after_s):
            return f"timer {name}, {after_s:g} s"
        case _:
            return f"{type(effect).__name__}{_fields(effect)}"


def payload(message: ocpp.Request | ocpp.Conf) -> str:
    """A payload by its name and the first of its fields that say something."""
    name = type(message).__name__
    name = f"{name.removesuffix('Conf')}.conf" if name.endswith("Conf") else f"{name}.req"
    return name if isinstance(message, ocpp.BootNotification) else f"{name}{_fields(message)}"


def _fields(struct: Any) -> str:
    shown = []
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, ocpp.IdTagInfo):
            value = value.status
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, str | int) and value not in {"", "NoError"}:
            shown.append(f"{_spelt(name)} {value}")
    return f" ({', '.join(shown[:FIELDS_MAX])})" if shown else ""


def _spelt(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def setting(setpoint: Setpoint) -> str:
    """A setpoint in a few words."""
    contactor = f"contactor closed, {setpoint.phases} phases" if setpoint.contactor else "contactor open"
    offered = f"{setpoint.offered_a:g} A" if setpoint.offered_a else "no offer"
    return f"{contactor}, {offered}, {'locked' if setpoint.locked else 'not locked'}, {setpoint.indicator}"
