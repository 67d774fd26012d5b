"""What a picture of a machine shows: its moves, folded so that they can be read at a glance.

A transition from one state to another is drawn. All that lead from one state to the same other share one arrow. A
transition that stays in its state is listed inside the state if something is done, and left to the table if not.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from engine.diagrams.hints import LINES_IN_A_STATE, RESTING, Color, hint
from machines.machine import AnyMachine, Row, rows

STATUS_TABLE = re.compile(r"4\.9 (?P<labels>[A-I][1-9](?: [A-I][1-9])*)(?:, or)?\b")
"""A clause that names rows of the status table in 4.9: ``4.9 A2 a cable is in``."""

ALTERNATIVES = re.compile(r" or [A-I][1-9], ")
"""``4.9 B3 or B4, as the vehicle responds``: a way that leads to one of two labels later, and has none itself."""


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


class Box(NamedTuple):
    """A state."""

    value: str
    name: str
    color: Color
    inside: tuple[Line, ...]
    """What is done without leaving the state."""
    more: int
    """Lines left to the table because they are too many."""


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


def guard_of(row: Row) -> str:
    """The guards of ``row`` as one condition, in the order in which they are asked."""
    return " and ".join(name if expected else f"not {name}" for name, expected in row.guards)


def labels_of(clause: str) -> tuple[str, ...]:
    """The labels of the status table that ``clause`` names: ``("A2",)``, or none."""
    match = STATUS_TABLE.match(clause)
    if match is None or ALTERNATIVES.search(clause):
        return ()
    return tuple(match["labels"].split())


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
