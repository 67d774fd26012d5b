"""Breadth-first exploration of the composition: every state that an alphabet of moves leads to, up to a bound.

A state is where the machines stand and what the environment is in the middle of. What must hold is checked after every
step; the first thing that does not is reported with one of the shortest ways that lead there.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from msgspec import Struct

from machines.charge_point import ChargePoint
from machines.machine import Row
from machines.model.alphabet import Alphabet
from machines.model.cells import Cells
from machines.model.successors import Broken, Event, NoSuchMoveError, Successors
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.settings import Settings

__all__ = ["Event", "Exploration", "Explorer", "NoSuchMoveError", "Note"]

NOTE_EVERY = 1000
"""States between two notes of how far an exploration has come."""

PAIRS_MAX = 40
"""Among so many moves pairs are tried that a way might do without."""

Way = tuple[str, ...]
"""The names of moves from the station without power on."""

Note = Callable[[int, int], None]
"""Told from time to time how many states are known, and how many of them were gone on from."""


class Exploration(Struct, frozen=True, kw_only=True):
    """What was found."""

    states: int = 0
    moves: int = 0
    """That were made."""
    steps: int = 0
    """Messages that the charge point took: those of the moves, and answers that follow at once."""
    transitions: int = 0
    """Of all machines, that were taken in those steps."""
    depth: int = 0
    """Moves from where the exploration began to the farthest state."""
    is_complete: bool = False
    """Every state was gone on from, except those beyond ``queue_max``."""
    fenced: int = 0
    """States with a longer queue than ``queue_max``, which were not gone on from."""
    freeable: int = 0
    """States from which a way was seen that gets all connectors free and working."""
    stranded: int = 0
    """Of a complete exploration: the other states. Else they may have a way back beyond what was seen."""
    broken: Broken = ()
    """What does not hold after the last move of ``trace``."""
    trace: Way = ()
    """The moves to the violation, or to the first stranded state."""


class Explorer:
    """The composition of a station, and what may happen to it.

    Args:
        settings: The station.
        key_set: Its configuration keys.
        defaults: Their values.
        alphabet: What may happen.
        queue_max: Transaction messages that may wait; a state with more of them is not gone on from.
    """

    def __init__(
        self, settings: Settings, key_set: KeySet, defaults: Keys, alphabet: Alphabet, *, queue_max: int = 4
    ) -> None:
        self._queue_max = queue_max
        self._next = Successors(settings, key_set, defaults, alphabet)

    @property
    def rows(self) -> frozenset[tuple[str, Row]]:
        """Every row that was taken so far, with its kind of machine."""
        return self._next.rows

    # Search

    def explore(
        self,
        states_max: int,
        way: Sequence[str] = (),
        *,
        depth_max: int | None = None,
        note: Note = lambda _known, _done: None,
    ) -> Exploration:
        """Visit up to ``states_max`` states in the order of their distance from the end of ``way``.

        Args:
            states_max: How many states to visit.
            way: The names of the moves that lead from the station without power to where the exploration begins.
                Answers that decide nothing need not be named.
            depth_max: How many moves from there to go at most; None for no such bound.
            note: Told how far it is.

        Raises:
            NoSuchMoveError: A move of ``way`` is not offered where it is to be made.
        """
        following = self._next
        following.steps = following.transitions = 0
        start, broken, way = self._walked(way)
        if broken:
            return Exploration(broken=broken, trace=way)
        states, found = [following.packed(start)], {following.key(start): 0}
        came_from, came_by = array("q", [-1]), [""]
        sources, targets = array("q"), array("q")
        good = bytearray()
        depth = fenced = moves = done = 0
        level_end, is_cut = 1, False
        while done < len(states) and not broken:
            if done == level_end:
                level_end, depth = len(states), depth + 1
            if done % NOTE_EVERY == 0:
                note(len(states), done)
            cells = following.unpacked(states[done])
            is_fenced = following.queued(cells) > self._queue_max
            good.append(is_fenced or following.is_free(cells))
            if is_fenced:
                fenced += 1
            elif depth == depth_max:
                is_cut = True
            else:
                for number, move in following.moves(cells):
                    moves += 1
                    reached, broken = following.made(cells, number, move)
                    if broken:
                        way = (*way, *_names(came_from, came_by, done), move.name)
                        break
                    key = following.key(reached)
                    known = found.get(key)
                    if known is None:
                        if len(states) >= states_max:
                            is_cut = True
                            continue
                        known = found[key] = len(states)
                        states.append(following.packed(reached))
                        came_from.append(done)
                        came_by.append(move.name)
                    sources.append(done)
                    targets.append(known)
            done += 1
        is_complete = not is_cut and not broken
        good.extend(following.is_free(following.unpacked(state)) for state in states[done:])
        able = _able(sources, targets, good)
        stranded = [state for state, is_able in enumerate(able) if not is_able] if is_complete else []
        trace = (*way, *_names(came_from, came_by, stranded[0])) if stranded else way if broken else ()
        return Exploration(
            states=len(states),
            moves=moves,
            steps=following.steps,
            transitions=following.transitions,
            depth=depth,
            is_complete=is_complete,
            fenced=fenced,
            freeable=sum(able),
            stranded=len(stranded),
            broken=broken,
            trace=trace,
        )

    # One way

    def at(self, way: Sequence[str]) -> ChargePoint:
        """The charge point at the end of ``way``, to be looked at.

        Raises:
            NoSuchMoveError: As :meth:`explore`.
        """
        return self._next.laid_out(self._walked(way)[0])

    def tell(self, way: Sequence[str]) -> Iterator[Event]:
        """What happens on ``way``, move by move, with the answers that follow at once; to what is broken first.

        Raises:
            NoSuchMoveError: As :meth:`explore`.
        """
        cells = self._next.start
        for index, name in enumerate(way):
            number, move = self._next.named(cells, name, way[:index])
            for event in self._next.told(cells, move):
                yield event
                if event.made.broken:
                    return
            cells, _ = self._next.made(cells, number, move)

    def walk(self, steps: int, choose: Callable[[int], int]) -> tuple[Way, Broken]:
        """Let ``steps`` moves happen, each the one of so many that ``choose`` says; the way, and what it breaks.

        Where the way comes by a state again, what was in between is left out.
        """
        cells = self._next.start
        way: list[str] = []
        before = {self._next.packed(cells): 0}
        for _ in range(steps):
            options = list(self._next.moves(cells))
            number, move = options[choose(len(options))]
            way.append(move.name)
            cells, broken = self._next.made(cells, number, move)
            if broken:
                return tuple(way), broken
            length = before.setdefault(self._next.packed(cells), len(way))
            if length < len(way):
                del way[length:]
                before = {state: at for state, at in before.items() if at <= length}
        return tuple(way), ()

    def shortened(self, way: Way) -> Way:
        """``way``, which breaks something, less moves that it breaks something without: runs, then pairs of them."""
        size = len(way) // 2
        while size:
            first = 0
            while first < len(way):
                other = (*way[:first], *way[first + size :])
                made = self._breaking(other)
                if made and len(made) < len(way):
                    way = made
                else:
                    first += size
            size //= 2
        for first, second in combinations(range(min(len(way), PAIRS_MAX)), 2):
            made = self._breaking((*way[:first], *way[first + 1 : second], *way[second + 1 :]))
            if made and len(made) < len(way):
                return self.shortened(made)
        return way

    def _breaking(self, way: Way) -> Way:
        """``way`` up to where it breaks something; nothing if it does not, or cannot be gone."""
        try:
            _, broken, made = self._walked(way)
        except NoSuchMoveError:
            return ()
        return made if broken else ()

    def _walked(self, way: Sequence[str]) -> tuple[Cells, Broken, Way]:
        """The state at the end of ``way``, or what does not hold on it; and the way there, answers filled in."""
        cells = self._next.start
        made: list[str] = []
        for name in way:
            is_there = False
            while not is_there:
                number, move = self._next.named(cells, name, made)
                cells, broken = self._next.made(cells, number, move)
                made.append(move.name)
                if broken:
                    return cells, broken, tuple(made)
                is_there = move.name == name
        return cells, (), tuple(made)


def _names(came_from: Sequence[int], came_by: Sequence[str], index: int) -> tuple[str, ...]:
    names = []
    while index > 0:
        names.append(came_by[index])
        index = came_from[index]
    return tuple(reversed(names))


def _able(sources: Sequence[int], targets: Sequence[int], good: Sequence[int]) -> bytearray:
    """For each state whether a way leads to a good one."""
    first = array("q", bytes(8 * (len(good) + 1)))  # of each state, where in ``into`` the ways to it begin
    for target in targets:
        first[target + 1] += 1
    for state in range(len(good)):
        first[state + 1] += first[state]
    into, free = array("q", bytes(8 * len(targets))), array("q", first)
    for source, target in zip(sources, targets, strict=True):
        into[free[target]] = source
        free[target] += 1
    can = bytearray(good)
    waiting = [state for state, is_good in enumerate(good) if is_good]
    while waiting:
        state = waiting.pop()
        for source in into[first[state] : first[state + 1]]:
            if not can[source]:
                can[source] = True
                waiting.append(source)
    return can
