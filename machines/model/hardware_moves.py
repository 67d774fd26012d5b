"""What the drivers of a connector may report next: nothing that the real hardware could not do."""

from collections.abc import Iterable

from msgspec.structs import replace

from machines.model import environment as outside
from machines.model.alphabet import Alphabet, Move, Moves
from machines.model.cells import Board
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    HardwareReported,
    LockChanged,
    LockFailed,
    PilotChanged,
    PilotState,
)
from machines.vocabulary.settings import ConnectorSettings


def hardware(board: Board, connector: ConnectorSettings, alphabet: Alphabet) -> Moves:
    """Pilot, cable and lock of a connector."""
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


def faults(board: Board, number: int, kinds: Iterable[HardwareFault]) -> Moves:
    """Faults of connector ``number`` (0: of the station) come, or go."""
    for fault in kinds:
        stands = any(one is fault for one, _ in board[f"fault/{number}"].data.faults)
        event = FaultCleared(fault) if stands else FaultRaised(fault)
        what = "cleared" if stands else "raised"
        yield Move(f"{fault} of {number} {what}", HardwareReported(number, event))
