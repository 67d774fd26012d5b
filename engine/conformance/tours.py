"""Tours: scripts that show every transition and every pair of transitions that grounds have to offer.

A tour is planned on what is known of a ground and walked in a rehearsal, which alone says what comes: where it leads
elsewhere than was known, the next piece is planned from there. So a tour expects nothing that the model does not do.
"""

import random
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from engine.conformance.board import OutOfOrderError
from engine.conformance.grounds import Ground
from engine.conformance.moves import made
from engine.conformance.reference import RestlessError
from engine.conformance.script import AnyStep, Script
from engine.conformance.terrain import Terrain, Way
from engine.conformance.transitions import Catalogue, kind_of, shown

STEPS_MAX = 40
"""Lines of a tour, about; more only where it takes more to get somewhere from the start."""
STEPS_OF_LEG = 3
"""Lines of a move, as a rule."""
TRIES = 2
LOOKS_MAX = 2
"""Places that are looked around in before a tour ends for want of a way."""
LEGS_MAX = 25
"""Moves that are made for one thing that is new."""


class Planner:
    """Plans tours, ground after ground: what one shows, those after it need not show again.

    Args:
        catalogue: What there is to be seen.
        station: The station file that the grounds are about, or its name.
        effort: Moves that are made to find out what a ground has to offer.
        seed: Changes the order in which moves are looked at; 0 is as they are listed.
    """

    def __init__(
        self, catalogue: Catalogue, *, station: str = "full", effort: int = 800, seed: int = 0
    ) -> None:
        self.catalogue = catalogue
        self.covered: set[int] = set()
        """Transitions and pairs that the tours show."""
        self.reachable: set[int] = set()
        """Those that the known places and ways of the grounds have."""
        self.moves = 0
        """Moves that were made to find the places and ways."""
        self._station = station
        self._effort = effort
        self._chance = random.Random(seed) if seed else None  # noqa: S311 - an order, no secret
        self._known: set[int] = set()

    def plan(self, ground: Ground) -> tuple[Script, ...]:
        """Tours that show whatever ``ground`` has to offer.

        Raises:
            ScriptError: The station is not one that the ground could be about.
        """
        if self._chance is not None:
            moves = self._chance.sample(ground.moves, len(ground.moves))
            ground = replace(ground, moves=tuple(moves))
        terrain = Terrain(ground, self.catalogue, self._station)
        self.moves += terrain.explore(round(self._effort * ground.share), self._known)
        offered = reachable_in(terrain)
        scripts = Walker(terrain, offered - self.covered, self.covered).walk()
        self.reachable |= offered
        return tuple(scripts)


def reachable_in(terrain: Terrain) -> set[int]:
    """Transitions and pairs that some way through the terrain shows.

    For each place, the transitions that each machine may have taken last are collected until nothing is added.
    """
    catalogue = terrain.catalogue
    shown = [way.shown for ways in terrain.ways for way in ways]
    addresses = sorted({address for one in shown for address, _ in (*one.lasts, *one.joins)})
    # A number for each machine, with a bit for each transition that it may have taken last.
    size = len(catalogue.transitions)
    fields = {address: number * size for number, address in enumerate(addresses)}
    full = (1 << size) - 1
    everything = (1 << (len(addresses) * size)) - 1

    def effect(way: Way) -> tuple[int, int]:
        gone = everything if way.shown.is_anew else sum(full << fields[each] for each, _ in way.shown.lasts)
        return everything ^ gone, sum(1 << (fields[each] + last) for each, last in way.shown.lasts)

    effects = [[(way.end, *effect(way)) for way in ways] for ways in terrain.ways]
    lasts = [0] * len(terrain.ways)
    waiting, is_waiting = deque([0]), {0}
    while waiting:
        index = waiting.popleft()
        is_waiting.discard(index)
        for end, kept, new in effects[index]:
            after = lasts[end] | (lasts[index] & kept) | new
            if after != lasts[end]:
                lasts[end] = after
                if end not in is_waiting:
                    is_waiting.add(end)
                    waiting.append(end)
    found: set[int] = set()
    for index, ways in enumerate(terrain.ways):
        for way in ways:
            found |= way.shown.items
            for address, first in way.shown.joins:
                before = (lasts[index] >> fields[address]) & full
                found |= {catalogue.pair(one, first) for one in _bits(before)}
    return found


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


class Walker:
    """Walks a terrain until it has shown what is wanted.

    Args:
        terrain: Where.
        wanted: Transitions and pairs; what was shown is taken out.
        covered: Everything that was shown is put in.
    """

    def __init__(self, terrain: Terrain, wanted: set[int], covered: set[int]) -> None:
        self._terrain = terrain
        self._catalogue = terrain.catalogue
        self._wanted = wanted
        self._covered = covered
        self._steps: list[AnyStep] = []
        self._place: int | None = 0
        self._last: dict[str, int] = {}
        self._tries: dict[int, int] = {}
        self._vain: set[int] = set()
        """Ways that looked as if they showed something wanted, and did not."""

    def walk(self) -> list[Script]:
        """The tours, in the order in which they were found."""
        scripts: list[Script] = []
        while self._wanted:
            self._begin()
            before = len(self._wanted)
            while len(self._steps) < STEPS_MAX and self._place is not None:
                legs = self._nearest() or self._towards_pair() or self._farther()
                if legs is None or self._is_too_long(legs):
                    break
                missing = len(self._wanted)
                self._go(legs)
                if len(self._wanted) == missing:
                    self._vain.add(id(legs[-1]))
            if len(self._wanted) < before:
                scripts.append(self._script(len(scripts) + 1))
            elif not self._steps:
                break  # What is left cannot be had.
        return scripts

    def _script(self, number: int) -> Script:
        ground = self._terrain.ground.name
        header = replace(self._terrain.header, script=f"{ground}-{number:02}")
        return Script(header, tuple(self._steps))

    def _begin(self) -> None:
        self._terrain.rehearsal.restore(self._terrain.fresh)
        self._steps, self._place, self._last = [], 0, {}

    def _go(self, legs: list[Way]) -> None:
        """Make the moves of ``legs``, as long as they lead where they should."""
        rehearsal = self._terrain.rehearsal
        for leg in legs:
            try:
                steps, taken = made(rehearsal, leg.move)
            except (OutOfOrderError, RestlessError):
                self._place = None  # It was another place after all.
                return
            self._steps += steps
            found = shown(self._catalogue, taken)
            seen = found.all_items(self._catalogue, self._last)
            self._last = found.after(self._last)
            self._wanted -= seen
            self._covered |= seen
            self._place = self._terrain.places.get(self._terrain.place())
            if self._place != leg.end:
                return

    def _is_too_long(self, legs: list[Way]) -> bool:
        """Whether ``legs`` are for a tour of their own."""
        return bool(self._steps) and len(self._steps) + STEPS_OF_LEG * len(legs) > STEPS_MAX + STEPS_OF_LEG

    def _nearest(self) -> list[Way] | None:
        """The way to the nearest thing that is wanted; None if there is none, or only by a detour."""
        assert self._place is not None
        ways, wanted = self._terrain.ways, self._wanted
        came_from: dict[int, tuple[int, Way] | None] = {self._place: None}
        waiting = deque([(self._place, self._last, 0)])
        while waiting:
            index, last, length = waiting.popleft()
            for way in ways[index]:
                if id(way) not in self._vain and self._is_wanted(way, last, wanted):
                    return [*_legs(came_from, index), way]
                if way.end not in came_from and length < LEGS_MAX:
                    came_from[way.end] = index, way
                    waiting.append((way.end, way.shown.after(last), length + 1))
        return None

    def _is_wanted(self, way: Way, last: Mapping[str, int], wanted: set[int]) -> bool:
        if not wanted.isdisjoint(way.shown.items):
            return True
        pair = self._catalogue.pair
        for address, first in way.shown.joins:
            before = last.get(address)
            if before is not None and pair(before, first) in wanted:
                return True
        return False

    def _towards_pair(self) -> list[Way] | None:
        """The shortest way that shows a pair which is wanted, a detour if need be; None if no way does.

        A pair that is tried twice in vain is wanted no more: only what is known of the ground makes it look reachable.
        """
        for pair in sorted(self._wanted):
            if self._tries.get(pair, 0) < TRIES:
                legs = self._way_to(*self._catalogue.parts(pair))
                if legs is not None:
                    self._tries[pair] = self._tries.get(pair, 0) + 1
                    return legs
        return None

    def _way_to(self, one: int, other: int) -> list[Way] | None:
        """The shortest way on which a machine takes transition ``one`` and then ``other``."""
        kind, _ = self._catalogue.transitions[other]
        for address in self._terrain.addresses:
            if kind_of(address) == kind:
                legs = self._way_at(address, one, other)
                if legs is not None:
                    return legs
        return None

    def _way_at(self, address: str, one: int, other: int) -> list[Way] | None:
        assert self._place is not None
        ways = self._terrain.ways
        # Where, and whether the machine took ``one`` last.
        begin = self._place, self._last.get(address) == one
        came_from: dict[tuple[int, bool], tuple[tuple[int, bool], Way] | None] = {begin: None}
        waiting = deque([begin])
        while waiting:
            node = waiting.popleft()
            index, is_ready = node
            for way in ways[index]:
                if is_ready and (address, other) in way.shown.joins:
                    return [*_legs(came_from, node), way]
                lasts = dict(way.shown.lasts)
                is_so = lasts[address] == one if address in lasts else is_ready and not way.shown.is_anew
                after = way.end, is_so
                if after not in came_from:
                    came_from[after] = node, way
                    waiting.append(after)
        return None

    def _farther(self) -> list[Way] | None:
        """The way to something wanted beyond the places that are known, if it is not far."""
        terrain = self._terrain
        for _ in range(LOOKS_MAX):
            assert self._place is not None
            here = terrain.rehearsal.snapshot()
            border = self._nearest_unexplored()
            if border is None:
                return None
            terrain.go_on(border)
            terrain.rehearsal.restore(here)
            legs = self._nearest()
            if legs is not None:
                return legs
        return None

    def _nearest_unexplored(self) -> int | None:
        assert self._place is not None
        known, waiting = {self._place}, deque([self._place])
        while waiting:
            index = waiting.popleft()
            if index in self._terrain.unexplored:
                return index
            ends = [way.end for way in self._terrain.ways[index] if way.end not in known]
            known.update(ends)
            waiting.extend(dict.fromkeys(ends))
        return None


Node = TypeVar("Node", bound=Hashable)


def _legs(came_from: Mapping[Node, tuple[Node, Way] | None], node: Node) -> list[Way]:
    legs = []
    while (before := came_from[node]) is not None:
        node, way = before
        legs.append(way)
    return legs[::-1]
