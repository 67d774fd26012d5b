"""Which transitions of the machines were taken, and which one after another: what tours are made to cover.

A transition is counted for its kind of machine, wherever it was taken. A pair is two transitions that the same machine
took one right after the other; a restart of the station begins anew.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from machines.charge_point import Taken
from machines.machine import Row, rows
from machines.routes import KINDS
from machines.vocabulary.notices import Started

Steps = Iterable[Iterable[Taken]]
"""The history of several steps of the composition."""


def kind_of(address: str) -> str:
    """The kind of a machine: ``connector`` of ``connector/1``."""
    return address.partition("/")[0]


class Catalogue:
    """Every transition of every machine, numbered, and every pair of them that fits together.

    A pair is a number too: none that is a transition.
    """

    def __init__(self) -> None:
        self.transitions: tuple[tuple[str, Row], ...] = tuple(
            (kind, row) for kind, machine in KINDS.items() for row in rows(machine)
        )
        """Kind of machine and row, by number."""
        self.numbers = {each: number for number, each in enumerate(self.transitions)}
        self.states = frozenset(
            (kind, str(state.value)) for kind, machine in KINDS.items() for state in machine.states
        )
        """Every state of every kind of machine."""
        self.pairs: tuple[int, ...] = tuple(
            self.pair(one, other)
            for one, (kind, row) in enumerate(self.transitions)
            for other, (other_kind, following) in enumerate(self.transitions)
            if kind == other_kind and row.target == following.source
        )
        """Every pair that fits together: the second begins in the state where the first ends."""

    def pair(self, one: int, other: int) -> int:
        """The number of a pair."""
        return (one + 1) * len(self.transitions) + other

    def parts(self, pair: int) -> tuple[int, int]:
        """The transitions of a pair."""
        one, other = divmod(pair, len(self.transitions))
        return one - 1, other

    def is_pair(self, item: int) -> bool:
        """Whether ``item`` is the number of a pair."""
        return item >= len(self.transitions)

    def states_of(self, items: Iterable[int]) -> frozenset[tuple[str, str]]:
        """The states that begin or end one of the transitions among ``items``."""
        met = [self.transitions[item] for item in items if not self.is_pair(item)]
        return frozenset((kind, state) for kind, row in met for state in (row.source, row.target))

    def name(self, item: int) -> str:
        """A transition or a pair, for people."""
        if self.is_pair(item):
            one, other = self.parts(item)
            kind, row = self.transitions[other]
            return f"{self.name(one)}, then {_brief(row)}"
        kind, row = self.transitions[item]
        return f"{kind}: {row.source} -> {_brief(row)}"


def _brief(row: Row) -> str:
    return f"{row.target} on {row.message.__name__} ({row.clause})"


class Shown(Struct, frozen=True):
    """What a piece of history shows, whatever went before it."""

    items: frozenset[int]
    """Transitions and pairs."""
    joins: tuple[tuple[str, int], ...]
    """The first transition of each machine, which makes a pair with the one before; by address."""
    lasts: tuple[tuple[str, int], ...]
    """The last transition of each machine, by address."""
    is_anew: bool
    """The station started meanwhile: what was taken before is followed by nothing."""

    def after(self, last: Mapping[str, int]) -> dict[str, int]:
        """The last transition of each machine, if it was ``last`` before."""
        return dict(self.lasts) if self.is_anew else {**last, **dict(self.lasts)}

    def all_items(self, catalogue: Catalogue, last: Mapping[str, int]) -> set[int]:
        """Everything that is shown, with the pairs that begin before."""
        joined = {catalogue.pair(last[address], first) for address, first in self.joins if address in last}
        return {*self.items, *joined}


def shown(catalogue: Catalogue, steps: Steps) -> Shown:
    """What ``steps`` show."""
    items: set[int] = set()
    joins: dict[str, int] = {}
    last: dict[str, int] = {}
    is_anew = False
    for step in steps:
        taken = tuple(step)
        if any(isinstance(each.message, Started) for each in taken):
            last, is_anew = {}, True
        for address, row, _ in taken:
            number = catalogue.numbers[kind_of(address), row]
            items.add(number)
            if address in last:
                items.add(catalogue.pair(last[address], number))
            elif not is_anew:
                joins[address] = number
            last[address] = number
    return Shown(frozenset(items), tuple(joins.items()), tuple(last.items()), is_anew)


class Tally:
    """Counts what stations show, step by step.

    Args:
        catalogue: What there is.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.items: set[int] = set()
        self._last: dict[str, int] = {}

    def begin(self) -> None:
        """Another station."""
        self._last = {}

    def add(self, steps: Steps) -> None:
        """Count some steps of the present station."""
        found = shown(self.catalogue, steps)
        self.items |= found.all_items(self.catalogue, self._last)
        self._last = found.after(self._last)


class Summary(Struct, frozen=True, kw_only=True):
    """How much was covered, of how much there is."""

    states: int
    states_all: int
    transitions: int
    transitions_all: int
    pairs: int
    pairs_all: int

    def __str__(self) -> str:
        """One line, for people."""
        return (
            f"states {self.states} of {self.states_all}, transitions {self.transitions} of {self.transitions_all}, "
            f"pairs {self.pairs} of {self.pairs_all}"
        )


def summary(catalogue: Catalogue, items: Iterable[int]) -> Summary:
    """How much ``items`` are of all there is."""
    covered = set(items)
    transitions = sum(not catalogue.is_pair(item) for item in covered)
    return Summary(
        states=len(catalogue.states_of(covered)),
        states_all=len(catalogue.states),
        transitions=transitions,
        transitions_all=len(catalogue.transitions),
        pairs=len(covered) - transitions,
        pairs_all=len(catalogue.pairs),
    )
