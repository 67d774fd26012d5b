"""Small faults in the table of a machine: what is made, and what the table is with one of them in.

A mutant is named by where its fault is and what it is, so that its name stays when rows are added elsewhere:
``transaction.running.MeterRead:action`` or ``connector_lock.locked.LockChanged[!is_locked]:target=kept``.
"""

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from types import FunctionType
from typing import NamedTuple

from msgspec import Struct

from machines import machine as base
from machines.machine import AnyMachine, Effect, Notice, Row, rows


class Operator(StrEnum):
    """What is done to a machine."""

    DROP = "drop"
    """A row is gone."""
    IGNORE = "ignore"
    """A row stays where it is and does nothing."""
    FLIP = "flip"
    """A guard of one row is asked for the opposite."""
    STUCK = "stuck"
    """A guard answers the same whatever is so, for all rows of a state and a message."""
    TARGET = "target"
    """A row leads to another state."""
    SWAP = "swap"
    """Two rows of a state and a message do what the other one should, and lead where it should."""
    ACTION = "action"
    """A row does nothing."""
    ACTIONS = "actions"
    """Two rows of a state and a message do what the other one should."""
    LOSE = "lose"
    """A row does not tell, or ask for, one of the things that it should."""
    FORGET = "forget"
    """A row does not change what the machine remembers."""


class Mutant(Struct, frozen=True, order=True):
    """A machine with one fault."""

    kind: str
    """Of machine, as in ``machines.routes.KINDS``."""
    row: int
    """Number of the row with the fault, counted from 0."""
    operator: Operator
    detail: str = ""
    """A guard, a state, a class of effect or notice, by name; or the number of the other row."""
    where: str = ""
    """The row, or the rows, by source, message and guards."""
    heard_by: tuple[int, ...] = ()
    """Numbers of the rows that a test must take, at least one of them, to have a chance to notice."""

    @property
    def name(self) -> str:
        """What it is known by; it stays when other rows come or go."""
        shown = (
            "" if self.operator in {Operator.SWAP, Operator.ACTIONS} or not self.detail else f"={self.detail}"
        )
        return f"{self.kind}.{self.where}:{self.operator}{shown}"


# What is made


def mutants_of(kind: str, machine: type[AnyMachine]) -> tuple[Mutant, ...]:
    """Every mutant of ``machine``, in the order of its rows."""
    table = rows(machine)
    made: list[Mutant] = []
    for number, row in enumerate(table):
        made += _of_row(kind, machine, table, number, row)
    for numbers in _groups(table):
        made += _of_group(kind, machine, table, numbers)
    return tuple(sorted(made, key=lambda mutant: mutant.row))


def _groups(table: tuple[Row, ...]) -> list[tuple[int, ...]]:
    """The numbers of the rows of each state and message."""
    groups: dict[tuple[str, type], list[int]] = {}
    for number, row in enumerate(table):
        groups.setdefault((row.source, row.message), []).append(number)
    return [tuple(numbers) for numbers in groups.values()]


def _of_row(
    kind: str, machine: type[AnyMachine], table: tuple[Row, ...], number: int, row: Row
) -> Iterator[Mutant]:
    group = tuple(
        other for other, one in enumerate(table) if (one.source, one.message) == (row.source, row.message)
    )
    where = _where(row)

    def made(operator: Operator, detail: str = "", heard_by: tuple[int, ...] = (number,)) -> Mutant:
        return Mutant(kind, number, operator, detail, where, heard_by)

    yield made(Operator.DROP)
    if row.action and row.source != row.target:
        yield made(Operator.IGNORE)
    for name, _ in row.guards:
        yield made(Operator.FLIP, name, group)
    for state in machine.states:
        if state.value != row.target:
            yield made(Operator.TARGET, state.value)
    if row.action:
        yield made(Operator.ACTION)
        done = does(machine, row.action)  # type: ignore[arg-type]  # a class has a hash
        if len(done.tells) + done.remembers > 1:  # or it is the same as no action at all
            for cls in done.tells:
                yield made(Operator.LOSE, cls.__name__)
            if done.remembers:
                yield made(Operator.FORGET)


def _of_group(
    kind: str, machine: type[AnyMachine], table: tuple[Row, ...], numbers: tuple[int, ...]
) -> Iterator[Mutant]:
    for first, second in itertools.combinations(numbers, 2):
        one, other = table[first], table[second]
        where = f"{_where(one)}/{_guards(other)}"
        if (one.action, one.target) != (other.action, other.target):
            yield Mutant(kind, first, Operator.SWAP, str(second), where, (first, second))
        if one.action != other.action and one.target != other.target:
            yield Mutant(kind, first, Operator.ACTIONS, str(second), where, (first, second))
    here = [table[number] for number in numbers]
    where = f"{here[0].source}.{here[0].message.__name__}"
    for name in sorted({guard for row in here for guard, _ in row.guards}):
        for truth in (True, False):
            if _is_made_stuck(machine, here, name, truth):
                detail = f"{name}={truth}".lower()
                yield Mutant(kind, numbers[0], Operator.STUCK, detail, where, numbers)


def _is_made_stuck(machine: type[AnyMachine], here: list[Row], name: str, truth: bool) -> bool:
    """Whether a guard that is stuck leaves a row for whatever happens: without one it is like a row that is gone."""
    left = _stuck(machine, here, name, truth)
    is_alone = any(name in group for group in machine.exclusive) and not truth
    return not is_alone and any(row is not None for row in left)


def _where(row: Row) -> str:
    guards = _guards(row)
    return f"{row.source}.{row.message.__name__}{guards if row.guards else ''}"


def _guards(row: Row) -> str:
    return f"[{','.join(name if expected else f'!{name}' for name, expected in row.guards)}]"


# What an action does


class Does(NamedTuple):
    """What the code of an action does, also by way of the methods and functions that it calls."""

    tells: tuple[type, ...]
    """The effects and notices that it makes."""
    remembers: bool
    """It assigns ``self.data``."""


@cache
def does(machine: type[AnyMachine], action: str) -> Does:
    """What ``action`` of ``machine`` does, read from its source."""
    waiting, seen = [getattr(machine, action)], set[FunctionType]()
    tells: dict[type, None] = {}
    remembers = False
    while waiting:
        function = waiting.pop(0)
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        for node in ast.walk(_source(function)):
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    value = function.__globals__.get(name)
                    if isinstance(value, type) and issubclass(value, (Effect, Notice)):
                        tells[value] = None
                    elif getattr(value, "__module__", "").startswith("machines."):
                        waiting.append(value)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                    waiting.append(vars(machine).get(name))
                case ast.Attribute(value=ast.Name(id="self"), attr="data", ctx=ast.Store()):
                    remembers = True
    return Does(tuple(tells), remembers)


@cache
def _source(function: FunctionType) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


# The table with a fault in it


@cache
def _sound(machine: type[AnyMachine]) -> tuple[Row, ...]:
    return rows(machine)


def mutated(machine: type[AnyMachine], mutant: Mutant) -> tuple[Row, ...]:
    """The rows of ``machine`` with the fault of ``mutant``. A fault within an action does not show in them."""
    sound = _sound(machine)  # type: ignore[arg-type]  # a class has a hash
    table: list[Row | None] = list(sound)
    number, row = mutant.row, sound[mutant.row]
    match mutant.operator:
        case Operator.DROP:
            table[number] = None
        case Operator.IGNORE:
            table[number] = row._replace(action="", target=row.source)
        case Operator.FLIP:
            guards = tuple((name, (name == mutant.detail) != expected) for name, expected in row.guards)
            table[number] = row._replace(guards=guards)
        case Operator.TARGET:
            table[number] = row._replace(target=mutant.detail)
        case Operator.ACTION:
            table[number] = row._replace(action="")
        case Operator.SWAP | Operator.ACTIONS:
            other = sound[int(mutant.detail)]
            table[number] = row._replace(action=other.action)
            table[int(mutant.detail)] = other._replace(action=row.action)
            if mutant.operator is Operator.SWAP:
                table[number] = row._replace(action=other.action, target=other.target)
                table[int(mutant.detail)] = other._replace(action=row.action, target=row.target)
        case Operator.STUCK:
            name, _, truth = mutant.detail.partition("=")
            here = [sound[one] for one in mutant.heard_by]
            left = _stuck(machine, here, name, truth == "true")
            for one, replaced in zip(mutant.heard_by, left, strict=True):
                table[one] = replaced
    return tuple(one for one in table if one is not None)


def _stuck(machine: type[AnyMachine], here: list[Row], name: str, truth: bool) -> list[Row | None]:
    """The rows of a state and a message when guard ``name`` always answers ``truth``."""
    never = {
        other for group in machine.exclusive for other in group if truth and name in group and other != name
    }
    left: list[Row | None] = []
    for row in here:
        is_possible = all(
            expected is truth if guard == name else not (expected and guard in never)
            for guard, expected in row.guards
        )
        guards = tuple(guard for guard in row.guards if guard[0] != name and guard[0] not in never)
        left.append(row._replace(guards=guards) if is_possible else None)
    return left


def install(machine: type[AnyMachine], mutant: Mutant, modules: Mapping[str, object]) -> None:
    """Let ``machine`` be the mutant, in this process and from now on.

    Whoever reads its rows reads those of the mutant, so that what is tested of the table is tested as well.

    Args:
        machine: The class.
        mutant: Its fault.
        modules: Every module in which :func:`machines.machine.rows` may be known: ``sys.modules``.
    """
    # ruff: noqa: SLF001 - the table of a machine is its own; here it is broken on purpose
    with_fault, sound = mutated(machine, mutant), rows

    def rows_of(asked: type[AnyMachine]) -> tuple[Row, ...]:
        return with_fault if asked is machine else sound(asked)

    for module in list(modules.values()):
        if getattr(module, "rows", None) is sound:
            module.rows = rows_of  # type: ignore[attr-defined]
    machine._table = base._compile(machine)
    if mutant.operator in {Operator.LOSE, Operator.FORGET}:
        faulty = with_fault[mutant.row]
        machine._table = {
            key: tuple(
                one._replace(action=_lossy(one.action, mutant)) if one.row == faulty else one for one in bound
            )
            for key, bound in machine._table.items()
        }


def _lossy(action: Callable[[AnyMachine, object], None] | None, mutant: Mutant) -> base.Step:
    """``action`` with a fault within."""
    assert action is not None

    def lose(self: AnyMachine, message: object) -> None:
        action(self, message)
        self._emitted = [one for one in self._emitted if type(one).__name__ != mutant.detail]

    def forget(self: AnyMachine, message: object) -> None:
        before = self.data
        action(self, message)
        self.data = before

    return lose if mutant.operator is Operator.LOSE else forget


def is_name(text: str) -> bool:
    """Whether ``text`` has the form of a mutant's name."""
    return re.fullmatch(r"\w+\.\w+\.\w+(\[[^]]*\])?(/\[[^]]*\])?:[a-z]+(=.+)?", text) is not None
