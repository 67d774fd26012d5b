"""Tours: scripts that show every transition and every pair of transitions that grounds have to offer.

A tour is planned on what is known of a ground and walked in a rehearsal, which alone says what comes: where it leads
elsewhere than was known, the next piece is planned from there. So a tour expects nothing that the model does not do.
"""

import random
from collections import Counter, deque
from collections.abc import Iterator

from msgspec.structs import replace

from engine.conformance.grounds import Ground
from engine.conformance.prepared import declared
from engine.conformance.script import Header, Script
from engine.conformance.terrain import Terrain, Way
from engine.conformance.transitions import Catalogue
from engine.conformance.walker import Walker
from machines.vocabulary.settings import ConnectorSettings


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
        self.ends: Counter[str] = Counter()
        """Why tours ended."""
        self._station = station
        self._effort = effort
        self._chance = random.Random(seed) if seed else None  # noqa: S311 - an order, no secret
        self._known: set[int] = set()

    @property
    def connectors(self) -> tuple[ConnectorSettings, ...]:
        """Of the station."""
        return declared(Header("any", station=self._station)).settings.connectors

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
        walker = Walker(terrain, offered - self.covered, self.covered)
        scripts = walker.walk()
        self.ends += walker.ends
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
