"""What a station leaves of its past in the file of its history, and how it is read while the station runs, or later."""

import sqlite3
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

FILE = "history.sqlite3"
TIME_MAX = 253_402_300_800
"""The year 10000, POSIX s."""


class HistoryError(Exception):
    """There is no history to be read. One line, for the user."""


class Happened(Struct, frozen=True):
    """A transition that was taken."""

    time: float
    """POSIX seconds."""
    machine: str
    """Such as ``transaction/1``."""
    message: str
    """What it was told, without texts: they may be tokens or passwords."""
    cause: str
    """What came from outside, and led to it."""
    source: str
    target: str
    clause: str
    guards: str
    """That decided between several ways; empty if there was one way."""

    @property
    def connector(self) -> int:
        """The connector whose machine it is; 0 for the station."""
        number = self.machine.partition("/")[2]
        return int(number) if number.isdecimal() else 0


class Logged(Struct, frozen=True):
    """An event of the log."""

    time: float
    """POSIX seconds."""
    event: str
    fields: dict[str, Any]
    """Its particulars, as values of JSON."""


def read(
    file: Path, *, connector: int | None = None, start: float | None = None, stop: float | None = None
) -> list[Happened]:
    """The history in ``file``, oldest first.

    Args:
        file: Of a station that runs, or that does not.
        connector: Only what its machines did, and those of the station (0: those alone).
        start: POSIX seconds; None is no bound.
        stop: The same.

    Raises:
        HistoryError: There is none.
    """
    rows = _selected(
        file, "time, machine, message, cause, source, target, clause, guards FROM history", start, stop
    )
    found = [Happened(*row) for row in rows if _says_something(row)]
    return [one for one in found if connector is None or one.connector in {0, connector}]


def read_log(file: Path, *, start: float | None = None, stop: float | None = None) -> list[Logged]:
    """The log in ``file``, as :func:`read`.

    Raises:
        HistoryError: There is none.
    """
    found = []
    for row in _selected(file, "time, event, fields FROM log", start, stop):
        with suppress(msgspec.MsgspecError):
            if _says_something(row):
                time, event, fields = row
                found.append(Logged(time, event, msgspec.json.decode(fields, type=dict[str, Any])))
    return found


def _says_something(row: tuple[Any, ...]) -> bool:
    """Whether a row is a time and texts: a sector of the file may be lost, and nobody looks after it."""
    time, *texts = row
    return isinstance(time, float) and 0 <= time < TIME_MAX and all(isinstance(text, str) for text in texts)


def _selected(file: Path, what: str, start: float | None, stop: float | None) -> list[Any]:
    if not file.exists():
        raise HistoryError(f"{file}: there is no history; a station writes it while it runs")
    try:
        database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            database.text_factory = partial(str, encoding="utf-8", errors="replace")
            return database.execute(
                f"SELECT {what} WHERE time >= ? AND time <= ? ORDER BY number",
                (start if start is not None else float("-inf"), stop if stop is not None else float("inf")),
            ).fetchall()
        finally:
            database.close()
    except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:  # a length may be any, too
        raise HistoryError(f"{file}: cannot be read: {error}") from error
