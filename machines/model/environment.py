"""Everything around a charge point as one frozen value: timers, network, queue, hardware.

Together with a snapshot of the machines it is a state of the exploration. Time is left out: any timer that runs may
fire next. Numbers that count up for ever are counted from the oldest that still matters, so that two states that
differ in nothing else are one.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from machines.charge_point import ChargePoint, Emitted, Snapshot
from machines.connection import ConnectionData
from machines.delivery import DeliveryData
from machines.vocabulary.effects import (
    Call,
    Deliver,
    Dial,
    Forget,
    HangUp,
    Keep,
    ReadMeter,
    Restart,
    StartTimer,
    StopTimer,
)
from machines.vocabulary.hardware import PilotState
from machines.vocabulary.ocpp import ChargePointStatus, Reason, Request, StatusNotification
from machines.vocabulary.transactions import Ended, TransactionMessage

CLOSED, DIALLING, OPEN, CLOSING = "closed", "dialling", "open", "closing"


class Hardware(Struct, frozen=True):
    """What the drivers of a connector have reported last; None before the first report of a run."""

    pilot: PilotState | None = None
    cable: bool | None = None
    lock: bool | None = None


class Timer(Struct, frozen=True):
    """A running timer."""

    owner: str
    name: str
    message: object
    is_repeating: bool


class Environment(Struct, frozen=True):
    """Outside of the machines."""

    link: str = CLOSED
    timers: frozenset[Timer] = frozenset()
    calls: tuple[tuple[str, Request], ...] = ()
    """Not answered yet, each with its owner; the first is in flight."""
    queue: tuple[TransactionMessage, ...] = ()
    delivering: tuple[TransactionMessage, ...] = ()
    """Transaction messages that were sent and not answered yet; the first is in flight."""
    late: tuple[TransactionMessage, ...] = ()
    """Those that timed out and may still be answered: the latest."""
    readings: tuple[ReadMeter, ...] = ()
    hardware: tuple[Hardware, ...] = ()
    """Of connectors 1, 2, ..."""
    shown: tuple[ChargePointStatus | None, ...] = ()
    """The status of each connector; None before the first of a run."""
    told: tuple[ChargePointStatus | None, ...] = ()
    """The latest one sent to the Central System over this connection."""
    is_triggered: bool = False
    """TriggerMessage asked for something in this run."""
    is_over: bool = False
    """The run has ended: the next thing is a start."""


def carried_out(environment: Environment, effects: Iterable[Emitted]) -> Environment:
    """The environment after it did what the machines asked for. A CALL without a connection is lost."""
    now = environment
    for by, effect in effects:
        match effect:
            case StartTimer(name=name, message=message):
                timer = Timer(by, name, message, effect.every_s is not None)
                now = replace(now, timers=_without(now, by, name) | {timer})
            case StopTimer(name=name):
                now = replace(now, timers=_without(now, by, name))
            case Dial():
                now = replace(now, link=DIALLING)
            case HangUp() if now.link == OPEN:
                now = replace(now, link=CLOSING)
            case Call(request=request) if now.link == OPEN:
                now = replace(now, calls=(*now.calls, (by, request)))
                if isinstance(request, StatusNotification) and request.connector_id > 0:
                    now = with_told(now, request)
            case Deliver(number=number) if now.link == OPEN:
                sent = tuple(one for one in now.queue if one.number == number)
                now = replace(now, delivering=now.delivering + sent)
            case Keep(message=TransactionMessage() as message):
                now = replace(now, queue=(*now.queue, message))
            case Forget(number=number):
                now = replace(now, queue=tuple(one for one in now.queue if one.number != number))
            case ReadMeter():
                now = replace(now, readings=(*now.readings, effect))
            case Restart():
                now = replace(now, is_over=True)
            case _:
                pass  # Answers and the time of day change nothing here.
    return now


def with_told(environment: Environment, request: StatusNotification) -> Environment:
    """``request`` noted as the latest that the Central System was told of its connector."""
    told = list(environment.told)
    told[request.connector_id - 1] = request.status
    return replace(environment, told=tuple(told))


def disconnected(environment: Environment, link: str) -> Environment:
    """Without a connection: what was in flight died with it."""
    return replace(
        environment,
        link=link,
        calls=(),
        delivering=(),
        late=(),
        told=(None,) * len(environment.told),
    )


def powered_down(environment: Environment) -> Environment:
    """Only what is durable, and the hardware as it is, outlive the end of a run."""
    connectors = len(environment.hardware)
    nothing = (None,) * connectors
    return Environment(
        queue=environment.queue, hardware=(Hardware(),) * connectors, shown=nothing, told=nothing
    )


def _without(environment: Environment, owner: str, name: str) -> frozenset[Timer]:
    return frozenset(timer for timer in environment.timers if (timer.owner, timer.name) != (owner, name))


# Counting from the oldest

LOCAL_IDS = ("local_id", "next_local_id", "stops")
"""Fields of machines that hold a number of a transaction; 0 is none."""


def normal(charge_point: ChargePoint, environment: Environment) -> tuple[Snapshot, Environment]:
    """The state with transactions and messages counted from the oldest that matters: ``restore`` takes it back.

    Machines compare these numbers and add one to them, and do nothing else with them: what follows from a state is
    the same wherever the count began. How often dialling failed only lengthens a wait.
    """
    machines, *rest = charge_point.snapshot()
    messages = (*environment.queue, *environment.delivering, *environment.late)
    held = [one for _, data in machines for one in _local_ids(data)]
    local = min([*held, *(message.local_id for message in messages)]) - 1
    head = charge_point.machines["delivery"].data.head
    first = min([head, *(message.number for message in messages)]) - 1

    def counted(some: tuple[TransactionMessage, ...]) -> tuple[TransactionMessage, ...]:
        return tuple(_counted(one, local, first) for one in some)

    if messages:
        environment = replace(
            environment,
            queue=counted(environment.queue),
            delivering=counted(environment.delivering),
            late=counted(environment.late),
        )
    return (tuple((state, _normal(data, local, first)) for state, data in machines), *rest), environment


def _local_ids(data: Struct) -> list[int]:
    return [value for name in LOCAL_IDS if (value := getattr(data, name, 0))]


def _normal(data: Any, local: int, first: int) -> Any:
    changed: dict[str, int] = {}
    if local:
        changed |= {name: getattr(data, name) - local for name in LOCAL_IDS if getattr(data, name, 0)}
    if first and isinstance(data, DeliveryData):
        changed |= {"head": data.head - first, "tail": data.tail - first}
    if isinstance(data, ConnectionData) and data.failures > 1:
        changed |= {"failures": 1}
    return replace(data, **changed) if changed else data


def _counted(message: TransactionMessage, local: int, first: int) -> TransactionMessage:
    # Why a transaction ended makes no difference to what becomes of the message.
    body = replace(message.body, reason=Reason.OTHER) if isinstance(message.body, Ended) else message.body
    return TransactionMessage(message.number - first, message.local_id - local, message.at, body)
