"""Everything around a charge point, as cells of a board: timers, network, queue, hardware.

Together with where the machines stand it is a state of the exploration. Time is left out: any timer that runs may fire
next.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from machines.charge_point import Emitted
from machines.machine import Effect
from machines.model.cells import Board
from machines.vocabulary.effects import (
    Call,
    Deliver,
    Dial,
    Forget,
    HangUp,
    Keep,
    LearnTime,
    ReadMeter,
    Restart,
    StartTimer,
    StopTimer,
)
from machines.vocabulary.hardware import PilotState
from machines.vocabulary.ocpp import StatusNotification
from machines.vocabulary.transactions import TransactionMessage
from machines.vocabulary.transfers import GiveUpTransfer, TransferEffect

LINK = "link"
CLOSED, DIALLING, OPEN, CLOSING = "closed", "dialling", "open", "closing"
CALLS = "calls"
"""Not answered yet, each with its owner; the first is in flight."""
OWING = "owing"
"""The machines that have taken a request of the Central System and owe it an answer, in their order."""
QUEUE = "queue"
"""Transaction messages in the store."""
DELIVERING = "delivering"
"""Those that were sent and not answered yet; the first is in flight."""
LATE = "late"
"""Those that timed out and may still be answered: the latest."""
READINGS = "readings"
"""Of meters, asked for and not there yet, in their order."""
WORKS = "works"
"""What machines asked for that takes long, in that order: a transfer, an installation."""
IS_TRIGGERED = "is triggered"
"""TriggerMessage asked for something in this run."""
KNOWS_TIME = "knows the time"
"""The Central System told the time of day in this run."""
IS_OVER = "is over"
"""The run has ended: the next thing is a start."""


class Hardware(Struct, frozen=True):
    """What the drivers of a connector have reported last; None before the first report of a run."""

    pilot: PilotState | None = None
    cable: bool | None = None
    lock: bool | None = None


class Work(Struct, frozen=True):
    """A transfer or an installation."""

    owner: str
    effect: TransferEffect
    is_given_up: bool = False
    """Nobody waits for it any more, and it is the latest of those. Its end may be on its way all the same."""


class Timer(Struct, frozen=True):
    """A timer that a machine has running."""

    name: str
    message: object
    after_s: float
    is_repeating: bool


def hardware(number: int) -> str:
    """The cell with what the drivers of connector ``number`` have reported last."""
    return f"hardware/{number}"


def shown(number: int) -> str:
    """The cell with the status of connector ``number``; None before the first of a run."""
    return f"shown/{number}"


def told(number: int) -> str:
    """The cell with the latest status sent to the Central System over this connection."""
    return f"told/{number}"


def timers(address: str) -> str:
    """The cell with the timers of a machine: a tuple, in the order of their names."""
    return f"timers of {address}"


def at_first(addresses: Iterable[str], connectors: Iterable[int]) -> dict[str, Any]:
    """The cells of a station that was never switched on, each with its value."""
    cells: dict[str, Any] = {LINK: CLOSED, IS_TRIGGERED: False, KNOWS_TIME: False, IS_OVER: True}
    cells |= dict.fromkeys((CALLS, OWING, QUEUE, DELIVERING, LATE, READINGS, WORKS), ())
    cells |= {timers(address): () for address in addresses}
    for number in connectors:
        cells |= {hardware(number): Hardware(), shown(number): None, told(number): None}
    return cells


def carry_out(board: Board, emitted: Emitted) -> None:
    """Do what a machine asked for. A CALL without a connection is lost."""
    by, effect = emitted
    match effect:
        case StartTimer(name=name, message=message):
            running = [timer for timer in board[timers(by)] if timer.name != name]
            timer = Timer(name, message, effect.after_s, effect.every_s is not None)
            board[timers(by)] = tuple(sorted([*running, timer], key=lambda one: one.name))
        case StopTimer(name=name):
            board[timers(by)] = tuple(timer for timer in board[timers(by)] if timer.name != name)
        case Dial():
            board[LINK] = DIALLING
        case HangUp() if board[LINK] == OPEN:
            board[LINK] = CLOSING
        case Call(request=request) if board[LINK] == OPEN:
            board[CALLS] = (*board[CALLS], (by, request))
            if isinstance(request, StatusNotification) and request.connector_id > 0:
                board[told(request.connector_id)] = request.status
        case Deliver(number=number) if board[LINK] == OPEN:
            sent = tuple(one for one in board[QUEUE] if one.number == number)
            board[DELIVERING] = board[DELIVERING] + sent
        case Keep(message=TransactionMessage() as message):
            board[QUEUE] = (*board[QUEUE], message)
        case Forget(number=number):
            board[QUEUE] = tuple(one for one in board[QUEUE] if one.number != number)
        case ReadMeter():
            board[READINGS] = (*board[READINGS], effect)
        case GiveUpTransfer():
            board[WORKS] = tuple(
                replace(work, is_given_up=True) if work.owner == by else work
                for work in board[WORKS]
                if work.owner != by or not work.is_given_up
            )
        case TransferEffect():
            board[WORKS] = (*board[WORKS], Work(by, effect))
        case LearnTime():
            board[KNOWS_TIME] = True
        case Restart():
            board[IS_OVER] = True
        case Effect():
            pass  # Answers change nothing here.


def disconnected(connectors: Iterable[int]) -> tuple[tuple[str, Any], ...]:
    """What is so without a connection: what was in flight died with it."""
    nothing = tuple((name, ()) for name in (CALLS, DELIVERING, LATE))
    return ((LINK, CLOSED), *nothing, *((told(number), None) for number in connectors))


def power_down(board: Board, addresses: Iterable[str], connectors: Sequence[int]) -> None:
    """End the run: only what is in the store, and the hardware as it is, are left."""
    queue = board[QUEUE]
    for name, value in at_first(addresses, connectors).items():
        board[name] = value
    board[QUEUE], board[IS_OVER] = queue, False
