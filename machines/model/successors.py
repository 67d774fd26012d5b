"""The states that follow a state: what may happen there, and what comes of it.

Everything is remembered by what it depended on (:class:`machines.model.cells.Recall`), so that most steps are looked up.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from machines.charge_point import ChargePoint
from machines.machine import Row
from machines.model import moves as what
from machines.model.alphabet import Alphabet, Move, Topic
from machines.model.cells import Board, Cells, Recall, State, Writes
from machines.model.composition import Composition, Made, rows_of
from machines.model.counts import count_anew
from machines.model.environment import CALLS, IS_OVER, QUEUE, READINGS
from machines.model.symmetry import Symmetry, alike, readers
from machines.vocabulary.hardware import Setpoint
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.settings import Settings
from machines.vocabulary.transactions import Body

Option = tuple[int, Move]
"""A move, and its number."""
Broken = tuple[str, ...]
"""What does not hold."""


class NoSuchMoveError(Exception):
    """A move that was asked for cannot happen there."""


class Event(Struct, frozen=True):
    """A step on a way, told."""

    name: str
    made: Made
    setpoints: tuple[tuple[int, Setpoint], ...]
    """Of the connectors whose setpoint changed."""
    queue: dict[int, Body]
    """The transaction messages in the store afterwards, by their numbers."""


class Successors:
    """The composition of a station, and what may happen to it. Arguments as those of the explorer."""

    def __init__(self, settings: Settings, key_set: KeySet, defaults: Keys, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._composition = composition = Composition(settings, key_set, defaults)
        self._layout = layout = composition.layout
        self.start = composition.start
        """The station before it was ever switched on."""
        self._recall = Recall(layout)
        composition.lie_on(self._recall.board)
        served = readers(settings.connectors, alphabet)
        topics = what.topics(alphabet, settings.connectors, composition.addresses, served)
        self._topics = [(f"moves: {name}", self._listed(topic)) for name, topic in topics.items()]
        self._settlers: list[tuple[str, Callable[..., Broken], int | None]] = [
            *((f"settle {number}", composition.settle, number) for number in composition.numbers),
            ("rest", composition.rest, None),
        ]
        self._numbers: dict[Move, int] = {}
        self._rows: dict[tuple[str, Row], None] = {}
        self._queue = layout.index[QUEUE]
        ways = alike(settings.connectors, alphabet)
        self._symmetry = Symmetry(layout, composition.start, ways) if len(ways) > 1 else None
        self.steps = 0
        """That were made since somebody set it to 0."""
        self.transitions = 0
        """That were taken in them."""

    @property
    def rows(self) -> frozenset[tuple[str, Row]]:
        """Every row that was taken so far, with its kind of machine."""
        return frozenset(self._rows)

    # States

    def packed(self, cells: Cells) -> State:
        """``cells``, as a short tuple."""
        return self._layout.packed(cells)

    def unpacked(self, state: State) -> Cells:
        """The cells of ``state``."""
        return self._layout.unpacked(state)

    def key(self, cells: Cells) -> State:
        """The same for all states that differ in the places of connectors alone that are alike."""
        state = self._layout.packed(cells)
        return state if self._symmetry is None else self._symmetry.key(state)

    def is_free(self, cells: Cells) -> bool:
        """Whether everybody could charge."""
        return bool(self._recall("is free", cells, self._composition.is_free)[1])

    def queued(self, cells: Cells) -> int:
        """How many transaction messages wait."""
        return len(self._layout.values[self._queue][cells[self._queue]])

    def laid_out(self, cells: Cells) -> ChargePoint:
        """The charge point in the state ``cells``, until something else is asked here."""
        self._recall.board.lay(cells)
        return self._composition.charge_point

    def _value(self, cells: Cells, name: str) -> Any:
        index = self._layout.index[name]
        return self._layout.values[index][cells[index]]

    # What may happen

    def moves(self, cells: Cells) -> Iterator[Option]:
        """Everything that may happen next."""
        is_first, options = self._recall("moves: first", cells, self._first)[1]
        if is_first:
            yield from options
            return
        for key, topic in self._topics:
            yield from self._recall(key, cells, topic)[1]

    def named(self, cells: Cells, name: str, after: Sequence[str]) -> Option:
        """The move ``name``, or the answer that must come first; ``after`` is told where it cannot happen.

        Raises:
            NoSuchMoveError: It cannot happen.
        """
        offered = {option[1].name: option for option in self.moves(cells)}
        if name in offered:
            return offered[name]
        for option in offered.values():
            if option[1].name.endswith(" answered"):
                return option
        raise NoSuchMoveError(f"{name!r} cannot happen after {tuple(after)}, but {sorted(offered)}")

    def _first(self, board: Board) -> tuple[bool, list[Option]]:
        """What comes before anything else, if anything does."""
        alphabet = self._alphabet
        if board[IS_OVER] and not (alphabet.has_failing_restarts and board["reset"].state == "restarting"):
            return True, self._numbered(what.start(board, alphabet))
        if len(board[READINGS]) > what.READINGS_MAX:
            return True, self._numbered(what.readings(board, alphabet))
        if len(board[CALLS]) > what.CALLS_MAX:
            return True, self._numbered(what.answers(board, alphabet))
        return False, []

    def _listed(self, topic: Topic) -> Callable[[Board], list[Option]]:
        return lambda board: self._numbered(topic(board))

    def _numbered(self, moves: Iterable[Move]) -> list[Option]:
        return [(self._numbers.setdefault(move, len(self._numbers)), move) for move in moves]

    # What comes of it

    def made(self, cells: Cells, number: int, move: Move) -> tuple[Cells, Broken]:
        """Where ``move`` leads, and what it breaks. Answers that make no difference follow at once."""
        while True:
            writes, (transitions, broken) = self._recall(number, cells, self._make, move)
            self.steps += 1
            self.transitions += transitions
            cells = _after(cells, writes)
            if broken:
                return cells, broken
            cells, broken = self._settled(cells)
            if broken:
                return cells, broken
            quiet = self._quiet(cells)
            if quiet is None:
                return self._normal(cells), ()
            number, move = quiet

    def told(self, cells: Cells, move: Move) -> Iterator[Event]:
        """The same, step by step."""
        following: Move | None = move
        while following is not None:
            board = self._recall.board
            board.lay(cells)
            made = self._composition.make(board, following)
            before = _after(cells, board.writes())
            cells, broken = self._settled(before)
            names = {number: f"setpoint/{number}" for number in self._composition.numbers}
            setpoints = tuple(
                (number, self._value(cells, name))
                for number, name in names.items()
                if self._value(cells, name) != self._value(before, name)
            )
            queue = {message.number: message.body for message in self._value(cells, QUEUE)}
            made = made._replace(broken=made.broken + broken)
            yield Event(following.name, made, setpoints, queue)
            quiet = self._quiet(cells)
            following = quiet[1] if quiet is not None and not made.broken else None

    def _make(self, board: Board, move: Move) -> tuple[int, Broken]:
        made = self._composition.make(board, move)
        rows = rows_of(made)
        self._rows.update(dict.fromkeys(rows))
        return len(rows), made.broken

    def _settled(self, cells: Cells) -> tuple[Cells, Broken]:
        for key, settle, number in self._settlers:
            writes, broken = self._recall(key, cells, settle, number)
            if writes:
                cells = _after(cells, writes)
            if broken:
                return cells, broken
        return cells, ()

    def _quiet(self, cells: Cells) -> Option | None:
        option: Option | None = self._recall("quiet", cells, self._quiet_on)[1]
        return option

    def _quiet_on(self, board: Board) -> Option | None:
        move = what.quiet(board, self._alphabet)
        return None if move is None else self._numbered([move])[0]

    def _normal(self, cells: Cells) -> Cells:
        writes, _ = self._recall("normal", cells, count_anew, self._composition.counting)
        return _after(cells, writes) if writes else cells


def _after(cells: Cells, writes: Writes) -> Cells:
    after = cells.copy()
    for index, number in writes:
        after[index] = number
    return after
