"""What a ground looks like to somebody who walks it: places, ways between them, and what each way shows.

A place is where the station stands as far as it decides what may happen next: without times of day and register
values, numbers that only count up counted from the latest. Places are found by going on first from where something
new was seen, so that little effort shows much.
"""

import math
from collections import deque
from collections.abc import Hashable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.conformance.board import Board, OutOfOrderError
from engine.conformance.enactment import RestlessError, Snapshot
from engine.conformance.grounds import QUIET_KEYS, Ground
from engine.conformance.moves import QUIET_S, WAIT_MAX_S, Move, made
from engine.conformance.prepared import declared, station_of
from engine.conformance.reference import Rehearsal
from engine.conformance.script import Header, ScriptError
from engine.conformance.transitions import Catalogue, Shown, shown
from machines.machine import Standing
from machines.vocabulary.effects import Instant
from machines.vocabulary.hardware import MeterReading

if TYPE_CHECKING:
    from networkx import DiGraph

LOCAL_IDS = frozenset({"local_id", "next_local_id", "stops"})
"""Members that hold the number of a transaction; 0 is none."""
OF_FILES = frozenset({"ticket", "file_name"})
"""Members that number transfers, beside a location."""
REGISTERS = frozenset({"meter_start", "meter_last", "end_wh", "boot"})
"""Members that only measure."""

Plains = dict[tuple[int, int], tuple[Standing, Hashable]]
"""What decides something of a standing, by its identity and the number that numbers are counted from."""


def place(rehearsal: Rehearsal, plains: Plains) -> Hashable:
    """Where the station stands; ``plains`` is what is known from other places."""
    world, standings = rehearsal.world, rehearsal.charge_point.standings
    delivery = standings["delivery"].data
    since = delivery.next_local_id
    due = [name for time, name in rehearsal.world.deadlines() if time - world.now < WAIT_MAX_S]
    return (
        tuple(_standing(standing, since, plains) for standing in standings.values()),
        tuple(_hardware(board) for board in world.boards),
        tuple(due),
        tuple(map(msgspec.json.encode, world.ledger.policies.values())),
        (world.is_open, world.is_reachable, world.is_powered),
        tuple((type(message.body), message.local_id - since) for message in world.messages),
        tuple((each.owner.partition(":")[0], type(each.request)) for each in world.calls),
        world.transaction is not None,
        len(world.readings),
        tuple((doing.by, type(doing.ending)) for doing in world.works),
        world.file and world.file[1],
        (world.is_installed, bool(world.works) and world.installed_at <= world.now),
        None if world.sent is None else type(world.sent.waiting.request),
        tuple(type(sent.waiting.request) for sent in world.late),
    )


def _standing(standing: Standing, since: int, plains: Plains) -> Hashable:
    key = id(standing), since
    known = plains.get(key)
    if known is None:
        # The standing is kept, so that no other one gets its identity.
        known = plains[key] = standing, (standing.state, _plain(standing.data, since))
    return known[1]


def _plain(data: Any, since: int) -> Hashable:
    """Members that decide something."""
    match data:
        case bool() | str() | None:
            return data
        case Instant() | MeterReading():
            return True
        case datetime() | float():
            return None
        case int():
            return data
        case tuple() | list():
            return tuple(_plain(each, since) for each in data)
        case Struct():
            return _members(data, since)
        case _:
            return data  # type: ignore[no-any-return]


def _members(data: Struct, since: int) -> Hashable:
    found = []
    for name in data.__struct_fields__:
        value = getattr(data, name)
        if name in LOCAL_IDS and value:
            found.append(value - since)
        elif name == "transaction_id":
            found.append(value is None)
        elif name in REGISTERS or (name in OF_FILES and "location" in data.__struct_fields__):
            pass
        elif name == "tail":
            found.append(value - data.head)  # type: ignore[attr-defined]
        elif name == "head":
            pass
        elif name == "failures":
            found.append(min(value, 2))
        else:
            found.append(_plain(value, since))
    return tuple(found)


def _hardware(board: Board) -> Hashable:
    faults = tuple(sorted(fault for fault, _ in board.faults))
    is_moving = board.decides_at < math.inf, board.lock_arrives_at < math.inf
    flags = (
        *is_moving,
        board.is_plugged,
        board.is_paused,
        board.asks,
        board.cable,
        board.is_leaving,
        board.is_shorted,
        board.is_locked,
    )
    return (*flags, board.lock_target, board.is_jammed, board.is_silent, board.is_powered, faults)


class ExtraMissingError(ScriptError):
    """What tours need is not installed. One line, for the user."""


def _empty() -> "DiGraph[Any]":
    try:
        from networkx import DiGraph
    except ModuleNotFoundError as error:
        raise ExtraMissingError(f"tours need {error.name}: install statecharge[tours]") from error
    return DiGraph()


class Way(Struct, frozen=True):
    """A move from one place to another."""

    move: Move
    end: int
    """The place that it leads to."""
    shown: Shown


class Terrain:
    """A ground, gone through as far as an effort reaches. Place 0 is the station before it gets power.

    Args:
        ground: What is done to which station.
        catalogue: What there is to be seen.
        station: The station file, or its name.

    Raises:
        ScriptError: The station is not one that the ground could be about.
        ExtraMissingError: networkx is not installed.
    """

    def __init__(self, ground: Ground, catalogue: Catalogue, station: str = "full") -> None:
        self.ground = ground
        self.catalogue = catalogue
        header = Header(
            ground.name,
            title=ground.title,
            station=station,
            declares=ground.declares,
            quiet_s=QUIET_S,
            edge_s=ground.edge_s,
        )
        rules = declared(header).keys
        quiet = {name: value for name, value in QUIET_KEYS.items() if rules.find(name) is not None}
        self.header = replace(header, keys=quiet | ground.keys)
        self.rehearsal = Rehearsal(station_of(self.header), ground.edge_s)
        self.fresh = self.rehearsal.snapshot()
        self.places: dict[Hashable, int] = {}
        self._plains: Plains = {}
        self.ways: list[tuple[Way, ...]] = [()]
        """From each place; none from where nobody went on."""
        self.unexplored: dict[int, Snapshot] = {0: self.fresh}
        """The places from where nobody went on."""
        self.addresses: dict[str, int] = {}
        """The machines that took anything."""
        self.graph = _empty()
        """The places, and of the ways from one to another the first as ``way``."""
        self.graph.add_node(0)

    def explore(self, effort: int, known: set[int]) -> int:
        """Make about ``effort`` moves; go on first from where something was seen that is not in ``known``.

        Args:
            effort: How many moves to make.
            known: Transitions and pairs that were seen before. What is seen here is put in.

        Returns:
            How many moves were made.
        """
        lasts: dict[int, dict[str, int]] = {0: {}}
        news, others = deque([0]), deque[int]()
        count = 0
        while (news or others) and count < effort:
            index = news.popleft() if news else others.popleft()
            last = lasts.pop(index)
            for way, is_new in self.go_on(index):
                count += 1
                seen = way.shown.all_items(self.catalogue, last)
                is_news = not seen <= known
                known |= seen
                if is_new:
                    lasts[way.end] = way.shown.after(last)
                    (news if is_news else others).append(way.end)
        return count

    def go_on(self, index: int) -> list[tuple[Way, bool]]:
        """Learn the ways from place ``index``, where nobody went on before.

        Returns:
            Each with whether nobody was at its end before.
        """
        snapshot = self.unexplored.pop(index)
        found = []
        for move in self.ground.moves if index else self.ground.starts:
            self.rehearsal.restore(snapshot)
            seen = self.make(move)
            if seen is None:
                continue
            end, is_new = self.arrive()
            self.addresses.update(dict(seen.lasts))
            way = Way(move, end, seen)
            found.append((way, is_new))
            if not self.graph.has_edge(index, end):
                self.graph.add_edge(index, end, way=way)
        self.ways[index] = tuple(way for way, _ in found)
        return found

    def arrive(self) -> tuple[int, bool]:
        """The number of the place where the rehearsal stands, and whether it is new."""
        end = self.places.setdefault(self.place(), len(self.ways))
        is_new = end == len(self.ways)
        if is_new:
            self.ways.append(())
            self.unexplored[end] = self.rehearsal.snapshot()
            self.graph.add_node(end)
        return end, is_new

    def make(self, move: Move) -> Shown | None:
        """Make ``move``; what it shows, or None if it cannot be made here."""
        try:
            _, taken = made(self.rehearsal, move)
        except (OutOfOrderError, RestlessError):
            return None
        return shown(self.catalogue, taken)

    def place(self) -> Hashable:
        """Where the rehearsal stands."""
        return place(self.rehearsal, self._plains)
