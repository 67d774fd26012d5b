"""Why a station is where it is: the latest transitions of every machine, and its log, in bounded rings on disk.

A database of its own beside that of the station: people read it while the station runs, and nothing that matters waits
for it. Rows are written by the second, in a thread; a power cut may cost the last ones, and only those.
"""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import trio

from engine.past import Happened, Logged, read, read_log
from engine.speed import of_real_time
from machines.charge_point import Step, Taken
from machines.machine import Row
from machines.vocabulary.effects import Instant

WRITE_EVERY_S = 1.0
"""Rows wait together so long."""
TOGETHER_MAX = 500
"""Rows, or events of the log, of which so many wait are written at once: each holds a message in memory."""
WAITING_MAX = 10_000
"""So many wait while a disk hangs; the oldest go."""
_SHOWN = (Enum, bool, int, float)
SHOWN_MAX = 40
"""Characters of a value of a message that are kept."""

TEXT_MAX = 2000
"""Characters of a text in the log that are kept; a frame may be longer."""


SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS history (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, machine TEXT NOT NULL, message TEXT NOT NULL, cause TEXT NOT NULL,
    source TEXT NOT NULL, target TEXT NOT NULL, clause TEXT NOT NULL, guards TEXT NOT NULL
)
""",
    "CREATE TABLE IF NOT EXISTS log (number INTEGER PRIMARY KEY, time REAL NOT NULL, event TEXT NOT NULL, fields TEXT)",
)


_HistoryRow = tuple[float, str, str, str, str, str, str, str]
"""The fields of :class:`Happened`, as the database has them."""


class _Noted(NamedTuple):
    """A transition, not yet written."""

    instant: Instant
    cause: str
    taken: Taken


class History:
    """Keeps what happened.

    Args:
        file: The database; None keeps it in memory.
        rows_max: Transitions that are kept; the oldest go.
        resolve: Tells the time of day of an instant.
        log_max: Events of the log that are kept; the oldest go.
    """

    def __init__(
        self, file: Path | None, rows_max: int, resolve: Callable[[Instant], float], log_max: int = 0
    ) -> None:
        self._file = file
        self._rows_max = rows_max
        self._resolve = resolve
        self._log_max = log_max
        waiting_max = WAITING_MAX if file is not None else max(rows_max, log_max)
        self._events: deque[tuple[Instant, str, dict[str, object]]] = deque(maxlen=min(log_max, waiting_max))
        self._logged: deque[Logged] = deque(maxlen=log_max)
        """Without a file, what was written."""
        self._noted: deque[_Noted] = deque(maxlen=min(rows_max, waiting_max))
        self._kept: deque[Happened] = deque(maxlen=rows_max)
        """Without a file, what was written."""
        self._is_news = trio.Event()
        self._is_much = trio.Event()
        self._database: sqlite3.Connection | None = None
        self._writing = trio.Lock()
        self.thread = trio.CapacityLimiter(1)
        """In which it is written: its own, those of Trio may all hang."""

    def note(self, instant: Instant, arrival: object, step: Step) -> None:
        """Keep the transitions of ``step`` that changed or did something."""
        cause = type(arrival).__name__
        for taken in step.taken:
            row = taken.row
            if row.source != row.target or row.action:
                self._noted.append(_Noted(instant, cause, taken))
        if self._noted:
            self._tell()

    def log(self, instant: Instant, event: str, fields: dict[str, object]) -> None:
        """Keep an event of the log, long texts cut: what waits while a disk hangs takes memory."""
        for one in fields.values():
            if isinstance(one, str) and len(one) > TEXT_MAX:
                fields = _cut(fields)
                break
        self._events.append((instant, event, fields))
        self._tell()

    def _tell(self) -> None:
        """Have written what waits: soon, or now."""
        self._is_news.set()
        if max(len(self._noted), len(self._events)) >= TOGETHER_MAX:
            self._is_much.set()

    async def run(self) -> None:
        """Write what was noted, by the second or as soon as it is much, until cancelled."""
        while self._rows_max or self._log_max:
            await self._is_news.wait()
            with trio.move_on_after(of_real_time(WRITE_EVERY_S)):
                await self._is_much.wait()
            self._is_news, self._is_much = trio.Event(), trio.Event()
            await self.flush()

    async def flush(self) -> None:
        """Write what was noted by now."""
        async with self._writing:
            if self._file is None:
                self.write()
            else:
                await trio.to_thread.run_sync(self.write, limiter=self.thread)

    def write(self) -> None:
        """Write what was noted and not written yet. If the disk will not, that is lost and nothing else."""
        rows = []
        while self._noted:
            rows.append(self._row(self._noted.popleft()))
        events = []
        while self._events:
            instant, event, fields = self._events.popleft()
            events.append((self._resolve(instant), event, _as_json(fields)))
        if self._file is None:
            self._kept.extend(Happened(*row) for row in rows)
            self._logged.extend(_logged(*event) for event in events)
        elif rows or events:
            try:
                if self._database is None:
                    self._database = _open(self._file)
                _write(self._database, rows, self._rows_max, events, self._log_max)
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                self._give_up()
                if _is_damage(error):
                    # A damaged file would take nothing any more, in no later run either.
                    with suppress(OSError):
                        self._file.unlink()

    def close(self) -> None:
        """Write the rest, and give the database up."""
        self.write()
        self._give_up()

    def _give_up(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def recent(self, start: float | None = None, stop: float | None = None) -> list[Happened]:
        """What happened from ``start`` to ``stop`` (POSIX seconds; None is no bound), oldest first."""
        if self._file is not None:
            return read(self._file, start=start, stop=stop) if self._file.exists() else []
        self.write()
        return [one for one in self._kept if _is_within(one.time, start, stop)]

    def events(self, start: float | None = None, stop: float | None = None) -> list[Logged]:
        """The log from ``start`` to ``stop``, as :meth:`recent`."""
        if self._file is not None:
            return read_log(self._file, start=start, stop=stop) if self._file.exists() else []
        self.write()
        return [one for one in self._logged if _is_within(one.time, start, stop)]

    def _row(self, noted: _Noted) -> _HistoryRow:
        address, row, message = noted.taken
        time = self._resolve(noted.instant)
        return time, address, shown(message), noted.cause, row.source, row.target, row.clause, guards_of(row)


def shown(message: object) -> str:
    """A message in a few words: its name, and those of its values that are numbers, flags or words of OCPP."""
    name = type(message).__name__
    fields: tuple[str, ...] = getattr(message, "__struct_fields__", ())
    if not fields:
        return name
    values = []
    for field in fields:
        value = getattr(message, field)
        if isinstance(value, _SHOWN):
            word = f"{field} {value.value}" if isinstance(value, Enum) else f"{field} {value}"[:SHOWN_MAX]
            values.append(word)
    return f"{name} ({', '.join(values)})" if values else name


@cache  # There are as many rows as the tables of the machines have.
def guards_of(row: Row) -> str:
    """The guards of a row, as words."""
    return ", ".join(name if expected else f"not {name}" for name, expected in row.guards)


def _cut(fields: dict[str, object]) -> dict[str, object]:
    return {name: one[:TEXT_MAX] if isinstance(one, str) else one for name, one in fields.items()}


def _as_json(fields: dict[str, object]) -> str:
    return msgspec.json.encode(fields, enc_hook=str).decode()


def _logged(time: float, event: str, fields: str) -> Logged:
    return Logged(time, event, msgspec.json.decode(fields))


def _is_within(time: float, start: float | None, stop: float | None) -> bool:
    return (start is None or time >= start) and (stop is None or time <= stop)


# The database


def _open(file: Path) -> sqlite3.Connection:
    """The database; a file that is none any more makes room for a new one.

    Raises:
        OSError, sqlite3.Error: The disk will not.
    """
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        return _prepared(file)
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        file.unlink()
        return _prepared(file)


def _is_damage(error: Exception) -> bool:
    """Whether the file is damaged. What SQLite says of a damaged schema may repeat it, and be no text."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_CORRUPT or isinstance(error, UnicodeDecodeError)


def _prepared(file: Path) -> sqlite3.Connection:
    # Written by threads, one after the other.
    database = sqlite3.connect(file, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        # A power cut costs the last rows at most; none of them is worth waiting for the disk.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA cache_size = -128")  # KiB: rows are added, and hardly ever read
        for table in SCHEMA:
            database.execute(table)
    except BaseException:
        database.close()
        raise
    return database


def _write(
    database: sqlite3.Connection,
    rows: Iterable[_HistoryRow],
    rows_max: int,
    events: Iterable[tuple[float, str, str]],
    log_max: int,
) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        database.executemany("INSERT INTO history VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT INTO log VALUES (NULL, ?, ?, ?)", events)
        for table, most in (("history", rows_max), ("log", log_max)):
            database.execute(
                f"DELETE FROM {table} WHERE number <= (SELECT max(number) FROM {table}) - ?",  # noqa: S608 - two names
                (most,),
            )
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
