"""Transitions by their ids, such as ``connector-12``: the same that docs/machines and the pictures have."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from engine.diagrams.flows import emitted_by
from engine.diagrams.picture import labels_of, reference_of
from machines import routes
from machines.machine import AnyMachine, Row, rows

Kinds = Mapping[str, type[AnyMachine]]


class Transition(NamedTuple):
    """One row of a machine's table."""

    id: str
    kind: str
    number: int
    row: Row
    effects: tuple[str, ...]
    """What its action emits: effects for the engine, and notices for other machines."""

    @property
    def clause(self) -> str:
        """The clause that asks for it: ``4.9``, ``decision T1``; empty if it has a reason only."""
        return reference_of(self.row.clause)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the status table."""
        return labels_of(self.row.clause)

    @property
    def clauses(self) -> tuple[str, ...]:
        """What it is traced to: its clause or, of the status table of 4.9, one for each label."""
        return tuple(f"4.9 {label}" for label in self.labels) or ((self.clause,) if self.clause else ())


def transitions_of(kind: str, machine: type[AnyMachine]) -> tuple[Transition, ...]:
    """The transitions of ``machine``, in the order of its table."""
    return tuple(
        Transition(f"{kind}-{number}", kind, number, row, emitted_by(machine, row.action))
        for number, row in enumerate(rows(machine), start=1)
    )


def all_transitions(kinds: Kinds = routes.KINDS) -> Iterator[Transition]:
    """Those of all machines."""
    for kind, machine in kinds.items():
        yield from transitions_of(kind, machine)


@cache
def ids() -> Mapping[tuple[str, Row], str]:
    """The ids of all rows of the machines that run; the first, of rows that are the same."""
    return {(each.kind, each.row): each.id for each in reversed(tuple(all_transitions()))}


def id_of(kind: str, row: Row) -> str:
    """The id of ``row`` in the table of the machine ``kind`` that runs."""
    return ids()[kind, row]
