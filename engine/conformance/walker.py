"""Walks a terrain in tours: from the start to the nearest thing that is wanted, and on, until a tour is long enough.

Why no closed walk over all ways is planned beforehand (the postman's, by a flow of least cost): most ways end where
nobody went on yet, and a rehearsal alone says where they lead. So what comes next is looked for breadth-first from
where the walk has come to; `statecharge tours` prints why tours end.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from engine.conformance.board import OutOfOrderError
from engine.conformance.enactment import RestlessError
from engine.conformance.moves import made
from engine.conformance.script import AnyStep, Script
from engine.conformance.terrain import Terrain, Way
from engine.conformance.transitions import kind_of, shown

if TYPE_CHECKING:
    from networkx import DiGraph

STEPS_MAX = 40
"""Lines of a tour, about; more only where it takes more to get somewhere from the start."""
STEPS_OF_LEG = 3
"""Lines of a move, as a rule."""
TRIES = 2
LOOKS_MAX = 6
"""Places that are looked around in before a tour ends for want of a way."""
LEGS_MAX = 25
"""Moves that are made for one thing that is new."""

LONG_ENOUGH = "long enough"
TOO_FAR = "what is left is too far for it"
NO_WAY = "no way is known to anything more"
ELSEWHERE = "a move could not be made where it was planned"

Node = TypeVar("Node", bound=Hashable)


class Walker:
    """Walks a terrain until it has shown what is wanted.

    Args:
        terrain: Where.
        wanted: Transitions and pairs; what was shown is taken out.
        covered: Everything that was shown is put in.
    """

    def __init__(self, terrain: Terrain, wanted: set[int], covered: set[int]) -> None:
        self.ends: Counter[str] = Counter()
        """Why tours ended."""
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
            before = len(self._wanted)
            why = self._tour()
            if len(self._wanted) < before:
                scripts.append(self._script(len(scripts) + 1))
                self.ends[why] += 1
            elif not self._steps:
                break  # What is left cannot be had.
        return scripts

    def _tour(self) -> str:
        """One tour; why it ends."""
        self._terrain.rehearsal.restore(self._terrain.fresh)
        self._steps, self._place, self._last = [], 0, {}
        while len(self._steps) < STEPS_MAX:
            if self._place is None:
                return ELSEWHERE
            legs = self._nearest() or self._towards_pair() or self._farther()
            if legs is None:
                return NO_WAY
            if self._steps and len(self._steps) + STEPS_OF_LEG * len(legs) > STEPS_MAX + STEPS_OF_LEG:
                return TOO_FAR  # It is for a tour of its own.
            missing = len(self._wanted)
            self._go(legs)
            if len(self._wanted) == missing:
                self._vain.add(id(legs[-1]))
        return LONG_ENOUGH

    def _script(self, number: int) -> Script:
        ground = self._terrain.ground.name
        header = replace(self._terrain.header, script=f"{ground}-{number:02}")
        return Script(header, tuple(self._steps))

    def _go(self, legs: list[Way]) -> None:
        """Make the moves of ``legs``, as long as they lead where they should."""
        terrain = self._terrain
        for leg in legs:
            try:
                steps, taken = made(terrain.rehearsal, leg.move)
            except (OutOfOrderError, RestlessError):
                self._place = None  # It was another place after all.
                return
            self._steps += steps
            found = shown(self._catalogue, taken)
            seen = found.all_items(self._catalogue, self._last)
            self._last = found.after(self._last)
            self._wanted -= seen
            self._covered |= seen
            self._place, _ = terrain.arrive()
            if self._place != leg.end:
                return

    # What is next

    def _nearest(self) -> list[Way] | None:
        """The way to the nearest thing that is wanted; None if there is none, or only by a detour."""
        assert self._place is not None
        lasts = {self._place: self._last}
        for place, legs, before in paths(self._terrain.graph, self._place, LEGS_MAX):
            if legs:
                lasts[place] = legs[-1].shown.after(lasts[before])
            for way in self._terrain.ways[place]:
                if id(way) not in self._vain and self._is_wanted(way, lasts[place]):
                    return [*legs, way]
        return None

    def _is_wanted(self, way: Way, last: Mapping[str, int]) -> bool:
        if not self._wanted.isdisjoint(way.shown.items):
            return True
        pair = self._catalogue.pair
        return any(
            address in last and pair(last[address], first) in self._wanted
            for address, first in way.shown.joins
        )

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
        # A node is a place, and whether the machine took ``one`` last: twice as many as the graph has, and as networkx
        # searches no graph that is not there, it would be built for each pair. That took minutes instead of seconds.
        assert self._place is not None
        ways = self._terrain.ways
        start = self._place, self._last.get(address) == one
        came_from: dict[tuple[int, bool], tuple[tuple[int, bool], Way] | None] = {start: None}
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            place, is_ready = node
            for way in ways[place]:
                if is_ready and (address, other) in way.shown.joins:
                    return [*_legs(came_from, node), way]
                last = dict(way.shown.lasts).get(address)
                is_so = last == one if last is not None else is_ready and not way.shown.is_anew
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
            around = (place for place, _, _ in paths(terrain.graph, self._place))
            border = next((place for place in around if place in terrain.unexplored), None)
            if border is None:
                return None
            terrain.go_on(border)
            terrain.rehearsal.restore(here)
            legs = self._nearest()
            if legs is not None:
                return legs
        return None


def _legs(came_from: Mapping[Node, tuple[Node, Way] | None], node: Node) -> list[Way]:
    legs = []
    while (before := came_from[node]) is not None:
        node, way = before
        legs.append(way)
    return legs[::-1]


def paths(
    graph: "DiGraph[Any]", start: int, legs_max: int | None = None
) -> Iterator[tuple[int, list[Way], int]]:
    """Every place that can be got to, the nearest first, with the ways there and the place before it."""
    from networkx import bfs_edges

    legs: dict[int, list[Way]] = {start: []}
    yield start, [], start
    for before, node in bfs_edges(graph, start, depth_limit=legs_max):
        legs[node] = [*legs[before], graph.edges[before, node]["way"]]
        yield node, legs[node], before
