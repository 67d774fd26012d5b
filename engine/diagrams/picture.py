"""What a picture of a machine shows: its moves, folded so that they can be read at a glance.

A transition from one state to another is drawn. All that lead from one state to the same other share one arrow. A
transition that stays in its state is listed inside the state if something is done, and left to the table if not.
"""

import inspect
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from engine.diagrams.hints import LINES_IN_A_STATE, RESTING, Color, hint
from machines.machine import AnyMachine, Row, rows

STATUS_TABLE = re.compile(r"4\.9 (?P<labels>[A-I][1-9](?: [A-I][1-9])*)(?:, or)?\b")
"""A clause that names rows of the status table in 4.9: ``4.9 A2 a cable is in``."""

ALTERNATIVES = re.compile(r" or [A-I][1-9], ")
"""``4.9 B3 or B4, as the vehicle responds``: a way that leads to one of two labels later, and has none itself."""

REFERENCE = re.compile(
    r"(?:(?:decision )?[A-Z]{1,2}\d+|(?:IEC )?61851-1(?: [A-Z]\.\d+)?|(?:J )?\d+(?:\.\d+)*(?:-1)?)(?=[ ,:]|$)"
)
"""The part of a clause that says where it stands: ``4.10``, ``J 5.4``, ``61851-1``, ``decision T1``."""

LINE_LENGTH = 32
"""Characters after which a guard or a clause is wrapped."""


class Line(NamedTuple):
    """One transition, as it is written beside an arrow or inside a state."""

    number: int
    """Of the transition in the machine's table, from 1."""
    message: str
    guard: str
    label: str
    """Of the status table, such as ``C6``; empty for most machines."""
    clause: str
    """Less the label."""
    others: tuple[int, ...] = ()
    """Further transitions that are told in the same line."""

    @property
    def numbers(self) -> str:
        """All its transitions, for people."""
        return " ".join(map(str, (self.number, *self.others)))


class Box(NamedTuple):
    """A state."""

    value: str
    name: str
    color: Color
    inside: tuple[Line, ...]
    """What is done without leaving the state."""
    more: int
    """Lines left to the table because they are too many."""
    here: tuple[str, ...] = ()
    """Who is in this state at present: ``connector 1``."""


class Move(NamedTuple):
    """All ways from one state to another."""

    source: str
    target: str
    lines: tuple[Line, ...]


class Picture(NamedTuple):
    """All that is drawn of a machine."""

    kind: str
    name: str
    summary: str
    initial: str
    boxes: tuple[Box, ...]
    moves: tuple[Move, ...]
    size: int
    """Transitions in the table."""
    view: str = ""
    """What is left of the whole picture; empty if all is."""
    is_condensed: bool = False
    """Guards, clauses and what is done within states are left to the table."""


def guard_of(row: Row) -> str:
    """The guards of ``row`` as one condition, in the order in which they are asked."""
    return " and ".join(name if expected else f"not {name}" for name, expected in row.guards)


def labels_of(clause: str) -> tuple[str, ...]:
    """The labels of the status table that ``clause`` names: ``("A2",)``, or none."""
    match = STATUS_TABLE.match(clause)
    if match is None or ALTERNATIVES.search(clause):
        return ()
    return tuple(match["labels"].split())


def reference_of(clause: str) -> str:
    """Where ``clause`` stands: ``4.10``, ``decision T1``; empty if it is a reason only."""
    match = REFERENCE.match(clause)
    return match[0] if match else ""


def line_of(number: int, row: Row) -> Line:
    """``row``, which has ``number`` in its table, as a line of a picture."""
    labels = labels_of(row.clause)
    clause = row.clause
    if labels:
        clause = clause[len("4.9 ") + len(" ".join(labels)) :].lstrip(", ")
    text = f"{labels[0]}\u2013{labels[-1]}" if len(labels) > 1 else "".join(labels)
    return Line(number, row.message.__name__, guard_of(row), text, clause)


def wrapped(text: str) -> Iterator[str]:
    """``text`` in lines of up to :data:`LINE_LENGTH` characters, broken between words."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > LINE_LENGTH:
            yield line
            line = word
        else:
            line = f"{line} {word}".lstrip()
    if line:
        yield line


def is_short(line: Line) -> bool:
    """Whether all of ``line`` fits in one line."""
    return not line.guard and len(line.message) + len(line.clause) < LINE_LENGTH


def purpose_of(machine: type[AnyMachine]) -> str:
    """What the module of a machine says of it, and of the clauses it implements."""
    return inspect.cleandoc(sys.modules[machine.__module__].__doc__ or "")


def picture(kind: str, machine: type[AnyMachine]) -> Picture:
    """What is drawn of ``machine``."""
    inside: dict[str, list[Line]] = {state.value: [] for state in machine.states}
    moves: dict[tuple[str, str], list[Line]] = {}
    table = rows(machine)
    for number, row in enumerate(table, start=1):
        if row.source != row.target:
            moves.setdefault((row.source, row.target), []).append(line_of(number, row))
        elif row.action:
            inside[row.source].append(line_of(number, row))
    colors = hint(kind).colors
    limit = LINES_IN_A_STATE if moves else len(table)
    boxes = []
    for state in machine.states:
        lines = inside[state.value]
        shown = tuple(lines) if len(lines) <= limit else tuple(lines[: limit - 1])
        color = colors.get(state.value, RESTING)
        boxes.append(Box(state.value, state.name, color, shown, len(lines) - len(shown)))
    assert machine.initial_state is not None
    return Picture(
        kind=kind,
        name=machine.__name__,
        summary=purpose_of(machine).partition("\n")[0].removesuffix("."),
        initial=machine.initial_state.value,
        boxes=tuple(boxes),
        moves=tuple(Move(source, target, tuple(lines)) for (source, target), lines in moves.items()),
        size=len(table),
    )


def focused(shown: Picture, numbers: Collection[int], view: str) -> Picture:
    """What ``numbers``, of transitions in the table, have to do with in ``shown``."""
    boxes, moves = [], []
    for move in shown.moves:
        lines = tuple(line for line in move.lines if line.number in numbers)
        if lines:
            moves.append(move._replace(lines=lines))
    ends = {state for move in moves for state in (move.source, move.target)}
    for box in shown.boxes:
        inside = tuple(line for line in box.inside if line.number in numbers)
        if inside or box.value in ends:
            boxes.append(box._replace(inside=inside, more=0))
    return shown._replace(boxes=tuple(boxes), moves=tuple(moves), view=view)


def condensed(shown: Picture) -> Picture:
    """The same ways with less beside them: the messages, and the numbers of their transitions."""
    boxes = tuple(box._replace(inside=(), more=0) for box in shown.boxes)
    moves = tuple(move._replace(lines=tuple(_merged(move.lines))) for move in shown.moves)
    return shown._replace(boxes=boxes, moves=moves, is_condensed=True)


def _merged(lines: tuple[Line, ...]) -> Iterator[Line]:
    """Lines with the same label, or without one with the same message, as one."""
    together: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        together.setdefault((line.label, "" if line.label else line.message), []).append(line.number)
    for (label, message), (first, *others) in together.items():
        yield Line(first, message, "", label, "", tuple(others))


def standing(shown: Picture, states: Mapping[str, Collection[str]]) -> Picture:
    """``shown`` with who is in which state: by state, the names of those in it."""
    boxes = tuple(box._replace(here=tuple(states.get(box.value, ()))) for box in shown.boxes)
    return shown._replace(boxes=boxes)
