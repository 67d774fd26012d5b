"""A state of the exploration as small numbers, one for the value of each cell.

A cell is a named place that holds one value: where a machine stands, the timers that it has running, what the hardware
of a connector reported last. Equal values have equal numbers, so that two states are compared, copied and looked up
without touching what they mean. Cells whose names end in ``/1`` belong to connector 1, and so on; the others, those of
the station and of its surroundings, come first. A packed state is a number for each of these groups.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar

Cells = list[int]
"""A state: the number of the value of each cell."""

State = tuple[int, ...]
"""The same, packed: the number of each group of cells."""

Writes = tuple[tuple[int, int], ...]
"""What a step changed: cells, and the numbers of their new values."""

Key = TypeVar("Key")


def group_of(name: str) -> int:
    """The connector that a cell belongs to; 0 is the station and its surroundings."""
    number = name.rpartition("/")[2]
    return int(number) if number.isdigit() else 0


class Layout:
    """Which cells there are, and the numbers of their values.

    Args:
        names: Of all cells.
        connectors: How many connectors there are.
    """

    def __init__(self, names: Sequence[str], connectors: int) -> None:
        self.names = sorted(names, key=group_of)
        self.index = {name: index for index, name in enumerate(self.names)}
        groups = [group_of(name) for name in self.names]
        self.groups = tuple(
            slice(groups.index(number), len(groups) - groups[::-1].index(number))
            for number in range(connectors + 1)
        )
        # The cells of one kind share their numbers, whatever connector they belong to.
        numbers: dict[str, dict[Any, int]] = {}
        values: dict[str, list[Any]] = {}
        kinds = [name.rpartition("/")[0] or name for name in self.names]
        self._numbers = [numbers.setdefault(kind, {}) for kind in kinds]
        self.values = [values.setdefault(kind, []) for kind in kinds]
        # So do the groups of connectors.
        stations: tuple[dict[State, int], list[State]] = ({}, [])
        of_connectors: tuple[dict[State, int], list[State]] = ({}, [])
        self._packed = [stations, *[of_connectors] * connectors]

    def number(self, index: int, value: Any) -> int:
        """The number of ``value`` in the cell at ``index``."""
        numbers = self._numbers[index]
        number = numbers.get(value)
        if number is None:
            number = numbers[value] = len(numbers)
            self.values[index].append(value)
        return number

    def cells(self, values: Mapping[str, Any]) -> Cells:
        """The state in which the cells hold ``values``, by name."""
        return [self.number(index, values[name]) for index, name in enumerate(self.names)]

    def packed(self, cells: Cells) -> State:
        """``cells``, as a short tuple."""
        return tuple([self.numbered(group, tuple(cells[part])) for group, part in enumerate(self.groups)])

    def numbered(self, group: int, cells: State) -> int:
        """The number of ``cells`` of a group."""
        numbers, groups = self._packed[group]
        number = numbers.get(cells)
        if number is None:
            number = numbers[cells] = len(numbers)
            groups.append(cells)
        return number

    def group(self, group: int, number: int) -> State:
        """The cells of a group with that number."""
        return self._packed[group][1][number]

    def unpacked(self, state: State) -> Cells:
        """The cells of ``state``."""
        cells: Cells = []
        for (_, groups), number in zip(self._packed, state, strict=True):
            cells.extend(groups[number])
        return cells


class Board:
    """One state, to be read and written by the names of its cells. Takes down what is looked at."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._cells: Cells = []
        self._written: dict[int, Any] = {}
        self.seen: dict[int, int] = {}
        """Cells that were read before they were written, in order, with the numbers of their values."""

    def lay(self, cells: Cells) -> None:
        """Begin anew with ``cells``."""
        self._cells = cells
        self._written, self.seen = {}, {}

    def __getitem__(self, name: str) -> Any:
        index = self._layout.index[name]
        if index in self._written:
            return self._written[index]
        number = self.seen[index] = self._cells[index]
        return self._layout.values[index][number]

    def __setitem__(self, name: str, value: Any) -> None:
        self._written[self._layout.index[name]] = value

    def writes(self) -> Writes:
        """What was written."""
        return tuple((index, self._layout.number(index, value)) for index, value in self._written.items())

    def has_written(self, name: str) -> bool:
        """Whether the cell ``name`` was written."""
        return self._layout.index[name] in self._written

    def before(self) -> Callable[[str], Any]:
        """Read the board as it is now, whatever is written later."""
        written = dict(self._written)

        def read(name: str) -> Any:
            index = self._layout.index[name]
            if index in written:
                return written[index]
            number = self.seen[index] = self._cells[index]
            return self._layout.values[index][number]

        return read


class Column(MutableMapping[Key, Any]):
    """Some cells of a board, under other names."""

    def __init__(self, board: Board, names: Mapping[Key, str]) -> None:
        self._board, self._names = board, names

    def __getitem__(self, key: Key) -> Any:
        return self._board[self._names[key]]

    def __setitem__(self, key: Key, value: Any) -> None:
        self._board[self._names[key]] = value

    def __delitem__(self, key: Key) -> None:
        raise TypeError("cells are not taken away")

    def __iter__(self) -> Iterator[Key]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Recall:
    """What functions of a state came to, remembered by what they looked at.

    A function gets the board, and must depend on nothing else than its argument and what it reads there. The first
    cell that it reads is then always the same; the second one depends on the value of the first, and so on: what was
    read is a path in a tree, and at its end lies the result. A state that is new as a whole is mostly made of parts
    that are not.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.board = Board(layout)
        self._trees: dict[Hashable, tuple[int, Any]] = {}
        self.worked_out = 0
        """How often nothing was remembered."""

    def __call__(
        self, key: Hashable, cells: Cells, function: Callable[..., Any], argument: Any = None
    ) -> tuple[Writes, Any]:
        """What ``function`` writes, and its result, for ``cells``. ``key`` stands for function and argument."""
        node = self._trees.get(key)
        while node is not None:
            index, branches = node
            if index < 0:
                found: tuple[Writes, Any] = branches
                return found
            node = branches.get(cells[index])
        return self._work_out(key, cells, function, argument)

    def _work_out(
        self, key: Hashable, cells: Cells, function: Callable[..., Any], argument: Any
    ) -> tuple[Writes, Any]:
        board = self.board
        board.lay(cells)
        result = function(board) if argument is None else function(board, argument)
        found = board.writes(), result
        self.worked_out += 1
        branches: dict[Any, Any] = self._trees
        at: Hashable = key
        for index, number in board.seen.items():
            node = branches.setdefault(at, (index, {}))
            assert node[0] == index, f"{key} does not depend on the board alone"
            branches, at = node[1], number
        branches[at] = (-1, found)
        return found
