"""Reading a TOML file strictly: what is missing, unknown or out of bounds is told with its place, all at once.

A :class:`Table` is asked for what may stand in it. A wrong entry is noted and a harmless value returned in its
place, so that the reading goes on and finds the next one; ``finish`` raises if anything was noted.
"""

import errno
import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import tomli

HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]")
KEY = re.compile(r"\s*([A-Za-z0-9_.-]+|\"[^\"]*\")\s*=")
NAME = r"[a-z][a-z0-9_]*"


MENDABLE = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
        *(errno.EACCES, errno.EPERM),
    }
)
"""What the system says of a file that somebody has to mend; anything else may be over when it is read again."""


class FileError(Exception):
    """A file is wrong: one line for each problem, with the file, the line, what was found and what is allowed."""


class Notes:
    """The problems of one file.

    Args:
        path: The file.
        text: Its content.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = _lines_of(text)
        self._problems: list[str] = []

    def refuse(self, entry: str, found: str, allowed: str) -> None:
        """Note that ``entry``, as ``values.power_w.type``, is wrong."""
        line = self._line_of(entry)
        place = f"{self._path}:{line}" if line else str(self._path)
        self._problems.append(f"{place}: {entry}: found {found}, allowed: {allowed}")

    def _line_of(self, entry: str) -> int:
        """The line of ``entry``, or of the nearest that stands around it; 0 for the file as a whole."""
        parts = re.split(r"[.\[]", entry)
        for size in range(len(parts), 0, -1):
            line = self._lines.get(".".join(parts[:size]))
            if line is not None:
                return line
        return 0

    def finish(self) -> None:
        """Raise what was noted.

        Raises:
            FileError: Something was.
        """
        if self._problems:
            raise FileError("\n".join(self._problems))


class Table:
    """One table, asked for its entries one by one."""

    def __init__(self, notes: Notes, path: str, entries: dict[str, object]) -> None:
        self._notes = notes
        self._path = path
        self._entries = entries
        self._known: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def refuse(self, name: str, found: str, allowed: str) -> None:
        """Note that the entry ``name`` is wrong."""
        self._notes.refuse(self._entry(name), found, allowed)

    def text(self, name: str, default: str | None = None, choices: Collection[str] = ()) -> str:
        """A text; it must be there if there is no ``default``."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and value and (not choices or value in choices):
            return value
        self.refuse(name, _show(value), f"one of {', '.join(choices)}" if choices else "a text")
        return next(iter(choices), "")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; none if it is not there."""
        value = self._take(name)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.refuse(name, _show(value), "a list of texts")
        return ()

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        if type(value) is int and low <= value <= high:
            return value
        self.refuse(name, _show(value), f"a whole number, {low}..{high}")
        return low

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """A number within bounds. A whole one stays whole: sums of energy shall be exact."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and low <= value <= high
        ):
            return value
        self.refuse(name, _show(value), f"a number, {low:g}..{high:g}")
        return low

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.refuse(name, _show(value), "true or false")
        return default

    def anything(self, name: str) -> object:
        """Whatever stands there; None if nothing does."""
        return self._take(name)

    def table(self, name: str) -> "Table":
        """A table; an empty one if it is not there."""
        value = self._take(name)
        if value is not None and not isinstance(value, dict):
            self.refuse(name, _show(value), "a table")
        return Table(self._notes, self._entry(name), value if isinstance(value, dict) else {})

    def tables(self, name: str) -> list["Table"]:
        """A list of tables; none if it is not there."""
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(name, _show(value), "a list of tables")
            return []
        return [
            Table(self._notes, f"{self._entry(name)}[{number}]", item) for number, item in enumerate(value)
        ]

    def each(self, pattern: str = NAME) -> Iterator[str]:
        """The names not asked for yet, each of which must match ``pattern``; the caller takes them."""
        for name in list(self._entries):
            if name not in self._known:
                if re.fullmatch(pattern, name):
                    yield name
                else:
                    self._known.add(name)
                    self.refuse(name, f"the name {name!r}", f"a name such as {pattern}")

    def close(self) -> None:
        """Note every entry that was not asked for."""
        for name in self._entries:
            if name not in self._known:
                known = ", ".join(sorted(self._known)) or "no entries"
                self.refuse(name, f"the unknown name {name!r}", f"one of {known}")

    def _take(self, name: str) -> object:
        self._known.add(name)
        return self._entries.get(name)

    def _entry(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def read_table(path: Path) -> tuple[Notes, Table]:
    """Open a file.

    Raises:
        FileError: It cannot be read, or is no TOML.
        OSError: It cannot be read now, which may pass.
    """
    try:
        text = path.read_text(encoding="utf-8")
        entries = tomli.loads(text)
    except OSError as error:
        if error.errno not in MENDABLE:
            raise
        raise FileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: it is not UTF-8") from error
    except (tomli.TOMLDecodeError, ValueError, RecursionError) as error:
        # The latter two: numbers of thousands of digits, and what is nested hundreds deep.
        raise FileError(f"{path}: {error}") from error
    notes = Notes(path, text)
    return notes, Table(notes, "", entries)


def _show(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a table"
        case list():
            return "a list"
        case str():
            return f'"{value[:40]}"'
    return str(value)


def _lines_of(text: str) -> dict[str, int]:
    """The line of every table and entry that begins one, by path."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = header[1]
            lines.setdefault(table, number)
        elif key := KEY.match(line):
            name = key[1].strip('"')
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines
