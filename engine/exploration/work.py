"""The explorations of a run, one after the other or in several processes: what is found is the same.

One alphabet is one piece of work, with everything that it remembers. It begins with a station without power; where that
does not come to an end within the bounds, it goes on from other places, and last it walks at random.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

from msgspec import Struct

from engine.declaration.station import Station
from engine.mutation.mutants import Mutant, install, mutants_of
from engine.station_file import load
from machines.machine import AnyMachine, Row
from machines.model.alphabet import Alphabet
from machines.model.alphabets import alphabets
from machines.model.explore import Event, Exploration, Explorer
from machines.model.places import station_for, ways
from machines.routes import KINDS
from machines.vocabulary.settings import Settings

WALK_MOVES = 1000


class ExplorationError(Exception):
    """Something cannot be explored as it is wanted; the text says what, and what is allowed."""


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be explored, and how far."""

    station: str
    """A file, or the name of a shipped declaration."""
    connectors: int
    alphabets: tuple[str, ...]
    is_everything: bool
    """Those are all alphabets."""
    states: int
    """In each exploration at most."""
    depth: int | None
    walks: int
    """For each alphabet, of :data:`WALK_MOVES` moves each."""
    seed: int
    fault: str = ""
    """A mutant by its name, as ``statecharge mutate`` has them: what becomes of a machine with that fault."""


class Place(Struct, frozen=True):
    """An exploration from one place."""

    name: str
    found: Exploration
    seconds: float


class Violation(Struct, frozen=True):
    """Something that must not be, and how it comes about."""

    alphabet: str
    place: str
    what: tuple[str, ...]
    way: tuple[str, ...]


class Outcome(Struct, frozen=True):
    """What was found with one alphabet."""

    alphabet: str
    places: tuple[Place, ...]
    walked: int
    """Moves of all walks."""
    walk_seconds: float
    rows: frozenset[tuple[str, Row]]
    """That were taken, each with its kind of machine."""
    violation: Violation | None

    @property
    def is_complete(self) -> bool:
        """Whether everything was seen that a station without power can come to."""
        return bool(self.places) and self.places[0].found.is_complete


Note = Callable[[str], None]
"""Told what is being done, from time to time."""


def wish_for(
    station: str,
    *,
    connectors: int | None,
    names: tuple[str, ...],
    states: int,
    depth: int | None,
    walks: int,
    seed: int,
    fault: str = "",
) -> Wish:
    """What is to be explored; None and nothing stand for all there are.

    Raises:
        StationFileError: The declaration is wrong.
        ExplorationError: There are not so many connectors, no such alphabet, or no such fault.
    """
    declared = len(load(station).settings.connectors)
    if connectors is not None and not 1 <= connectors <= declared:
        raise ExplorationError(
            f"--connectors {connectors}; allowed: 1 to {declared}, as declared by {station}"
        )
    connectors = connectors or declared
    known = alphabets(tuple(range(1, connectors + 1)))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ExplorationError(f"--alphabet {unknown[0]!r}; allowed: {', '.join(known)}")
    if fault and fault not in faults():
        raise ExplorationError(
            f"--fault {fault!r}; allowed: the name of a mutant, as `statecharge mutate` tells them"
        )
    return Wish(
        station=station,
        connectors=connectors,
        alphabets=tuple(name for name in known if not names or name in names),
        is_everything=set(known) <= set(names) or not names,
        states=states,
        depth=depth,
        walks=walks,
        seed=seed,
        fault=fault,
    )


def faults() -> dict[str, tuple[type[AnyMachine], Mutant]]:
    """Every small fault that can be put into a machine, by name."""
    found = ((mutant, machine) for kind, machine in KINDS.items() for mutant in mutants_of(kind, machine))
    return {mutant.name: (machine, mutant) for mutant, machine in found}


@cache
def break_machine(fault: str) -> None:
    """Put ``fault`` into its machine, in this process and from now on."""
    machine, mutant = faults()[fault]
    install(machine, mutant, sys.modules)


def explored(wish: Wish, jobs: int, note: Note) -> Iterator[Outcome]:
    """What is found with each alphabet of ``wish``, in their order, ``jobs`` of them at a time."""
    tasks = [(wish, name) for name in wish.alphabets]
    if jobs == 1:
        for task in tasks:
            yield _explore(task, note)
        return
    # Only here, and nowhere in a station: an exploration computes and does not wait.
    from multiprocessing import get_context

    with get_context("spawn").Pool(min(jobs, len(tasks))) as pool:
        yield from pool.imap(explore, tasks)


def explore(task: tuple[Wish, str]) -> Outcome:
    """What is found with one alphabet, in a process of its own."""
    return _explore(task, lambda _what: None)


def events(wish: Wish, violation: Violation) -> tuple[Event, ...]:
    """What happens on the way to ``violation``."""
    explorer, _, _ = _prepared(wish, violation.alphabet)
    return tuple(explorer.tell(violation.way))


def _prepared(wish: Wish, name: str) -> tuple[Explorer, Alphabet, Settings]:
    if wish.fault:
        break_machine(wish.fault)
    station: Station = load(wish.station)
    alphabet = alphabets(tuple(range(1, wish.connectors + 1)))[name]
    settings, keys = station_for(alphabet, station.settings, station.defaults, wish.connectors)
    return Explorer(settings, station.keys, keys, alphabet, queue_max=alphabet.queue_max), alphabet, settings


def _explore(task: tuple[Wish, str], note: Note) -> Outcome:
    wish, name = task
    explorer, alphabet, settings = _prepared(wish, name)
    places: list[Place] = []
    violation = None
    for place, way in ways(alphabet, settings).items():
        with _timed() as seconds:
            found = explorer.explore(
                wish.states, way, depth_max=wish.depth, note=partial(_note, note, f"{name}, {place}")
            )
        places.append(Place(place, found, seconds()))
        if found.broken or found.stranded:
            what = found.broken or ("nobody can get all connectors free and working any more",)
            violation = Violation(name, place, what, found.trace)
        if violation or found.is_complete:
            break
    walked = 0
    with _timed() as seconds:
        for number in range(wish.walks if violation is None else 0):
            note(f"{name}: walk {number}")
            chance = random.Random(f"{wish.seed} {name} {number}")  # noqa: S311 - the same every time
            way, broken = explorer.walk(WALK_MOVES, chance.randrange)
            walked += WALK_MOVES
            if broken:
                violation = Violation(name, f"walk {number}", broken, explorer.shortened(way))
                break
    return Outcome(name, tuple(places), walked, seconds(), explorer.rows, violation)


def _note(note: Note, where: str, known: int, done: int) -> None:
    note(f"{where}: {done:,} of {known:,} states")


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    """Measure time of the processor in seconds."""
    start = time.process_time()
    yield lambda: time.process_time() - start
