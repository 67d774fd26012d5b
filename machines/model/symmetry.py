"""Connectors that are declared alike may change places: of states that differ in nothing else, one is gone on from.

What is gone on from is a state as it was reached, never one with places changed, so that every trace is a real one. It
stands for the others as far as connectors are alike in what happens to them. They are, but for one thing: what happens
to all of them at once happens to the lower number first, and the other order is not gone through.
"""

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from machines.model.alphabet import Alphabet, transaction_id_of
from machines.model.cells import Layout, State
from machines.routes import KINDS
from machines.vocabulary.settings import ConnectorSettings

Places = Mapping[int, int]
"""Where each connector goes."""

NUMBERS = ("connector", "connector_id")
"""Fields that hold the number of a connector."""

BY_CONNECTOR = frozenset({"charging_profiles"})
"""Kinds of machines that tell connectors apart in another way than :data:`NUMBERS`, by a place in a tuple, say.

A state in which one of them is not as at first stands for no other.
"""


def alike(connectors: Iterable[ConnectorSettings], alphabet: Alphabet) -> tuple[Places, ...]:
    """How connectors may change places: all of the ways, the first leaves them where they are."""
    declared = {connector.number: replace(connector, number=0) for connector in connectors}
    found = []
    for order in permutations(declared):
        places = dict(zip(declared, order, strict=True))
        is_same_declared = all(declared[one] == declared[other] for one, other in places.items())
        if is_same_declared and _renamed_alphabet(alphabet, places) == _renamed_alphabet(alphabet, {}):
            found.append(places)
    return tuple(found)


def readers(connectors: Iterable[ConnectorSettings], alphabet: Alphabet) -> tuple[tuple[int, ...], ...]:
    """The connectors that each card reader serves: one for all, but one for each where connectors are alike.

    Of several connectors that fit, a reader for all means the lowest number, which would make a difference.
    """
    numbers = tuple(connector.number for connector in connectors)
    is_any_alike = len(alike(connectors, alphabet)) > 1
    return tuple((number,) for number in numbers) if is_any_alike else (numbers,)


def _renamed_alphabet(alphabet: Alphabet, places: Places) -> tuple[Any, ...]:
    requests = frozenset(renamed(request, places) for _, request in alphabet.requests)
    reports = frozenset((places.get(number, number), event) for _, number, event in alphabet.reports)
    faults = frozenset((places.get(number, number), fault) for number, fault in alphabet.faults)
    return requests, reports, faults


def renamed(value: Any, places: Places) -> Any:
    """``value`` with connectors, their transactions and their reservations renamed."""
    match value:
        case Struct():
            changed = {}
            for name in value.__struct_fields__:
                before = getattr(value, name)
                after = _renamed_field(name, before, places)
                if after is not before:
                    changed[name] = after
            return replace(value, **changed) if changed else value
        case tuple() if type(value) is tuple:
            after = tuple(renamed(one, places) for one in value)
            return after if after != value else value
        case tuple():  # a named one
            return type(value)(*(renamed(one, places) for one in value))
        case str():
            kind, _, number = value.partition("/")
            is_address = kind in KINDS and number.isdigit()
            return f"{kind}/{places.get(int(number), int(number))}" if is_address else value
        case _:
            return value


def _renamed_field(name: str, value: Any, places: Places) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return renamed(value, places)
    if (
        name in NUMBERS or name == "reservation_id"
    ):  # a reservation of an alphabet has the number of its connector
        return places.get(value, value)
    if name == "transaction_id":
        return {transaction_id_of(one): transaction_id_of(other) for one, other in places.items()}.get(
            value, value
        )
    return value


class Symmetry:
    """Which states are the same but for the places of connectors that are alike.

    Args:
        layout: Of the cells.
        start: The state at first.
        ways: How the connectors may change places.
    """

    def __init__(self, layout: Layout, start: list[int], ways: Iterable[Places]) -> None:
        self._layout, self._start = layout, start
        self._ways = tuple(ways)[1:]
        self._known: dict[tuple[int, int, int], int | None] = {}

    def key(self, state: State) -> State:
        """The same for all states that differ in the places of connectors alone."""
        least = state
        for way, places in enumerate(self._ways):
            groups = [self._moved(way, places, group, number) for group, number in enumerate(state)]
            other = [0] * len(groups)
            for group, number in enumerate(groups):
                if number is None:
                    return state
                other[places.get(group, group)] = number
            least = min(least, tuple(other))
        return least

    def _moved(self, way: int, places: Places, group: int, number: int) -> int | None:
        """The number of a group whose connectors have changed places; None if that cannot be told."""
        known = self._known.get((way, group, number), -1)
        if known == -1:
            known = self._known[way, group, number] = self._rename(places, group, number)
        return known

    def _rename(self, places: Places, group: int, number: int) -> int | None:
        layout = self._layout
        part, target = layout.groups[group], layout.groups[places.get(group, group)]
        cells = []
        for index, cell in zip(range(part.start, part.stop), layout.group(group, number), strict=True):
            kind = layout.names[index].removeprefix("timers of ").partition("/")[0]
            if kind in BY_CONNECTOR and cell != self._start[index]:
                return None
            value = renamed(layout.values[index][cell], places)
            cells.append(layout.number(target.start + index - part.start, value))
        return layout.numbered(places.get(group, group), tuple(cells))
