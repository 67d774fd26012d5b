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
from functools import cache, partial
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import trio
from msgspec import Struct

from engine.speed import of_real_time
from machines.charge_point import Step, Taken
from machines.machine import Row
from machines.vocabulary.effects import Instant
from machines.vocabulary.posix import utc_of

FILE = "history.sqlite3"
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

TIME_MAX = 253_402_300_800
"""The year 10000, POSIX s."""

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS history (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, machine TEXT NOT NULL, message TEXT NOT NULL, cause TEXT NOT NULL,
    source TEXT NOT NULL, target TEXT NOT NULL, clause TEXT NOT NULL, guards TEXT NOT NULL
)
""",
    "CREATE TABLE IF NOT EXISTS log (number INTEGER PRIMARY KEY, time REAL NOT NULL, event TEXT NOT NULL, fields TEXT)",
)

WORKS = {
    "FetchFirmware": "the download of the firmware",
    "VerifyFirmware": "the check of the firmware",
    "InstallFirmware": "the installation of the firmware",
    "ConfirmFirmware": "the look at which firmware runs",
    "DeliverDiagnostics": "the upload of diagnostics",
}
"""Long work, in plain language (machines/vocabulary/transfers.py)."""


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


def story(happened: Iterable[Happened], logged: Iterable[Logged]) -> list[str]:
    """What led here, in plain language, a line each, oldest first: transitions, and how long work went on."""
    transitions = [(one.time, told(one)) for one in happened]
    works = [(one.time, told_work(one)) for one in logged if one.event.startswith("work ")]
    # Merged, and not sorted: a clock that was put back, or not yet set, has given later ones earlier times.
    return [line for _, line in merge(transitions, works, key=lambda timed: timed[0])]


def told_work(logged: Logged) -> str:
    """How a piece of long work began, goes on, or ended, one line."""
    fields = logged.fields
    name = str(fields.get("work"))
    work = WORKS.get(name, name)
    match logged.event:
        case "work begun":
            what = f"{work} begins"
        case "work progress":
            what = f"{work} is at {fields.get('percent')} %"
        case _:
            what = f"{work} failed: {fields['why']}" if "why" in fields else f"{work} is done"
    return f"{_time(logged.time)}  {what}"


def _time(seconds: float) -> str:
    return utc_of(seconds).strftime("%Y-%m-%d %H:%M:%SZ")


def told(happened: Happened) -> str:
    """A transition in plain language, one line."""
    kind, _, number = happened.machine.partition("/")
    who = kind.replace("_", " ") + (f" {number}" if number else "")
    if happened.source == happened.target:
        what = f"stays {happened.source.replace('_', ' ')}"
    else:
        what = f"goes from {happened.source.replace('_', ' ')} to {happened.target.replace('_', ' ')}"
    because = f", as {happened.guards.replace('_', ' ')}" if happened.guards else ""
    by = f" [{happened.cause}]" if not happened.message.startswith(happened.cause) else ""
    return f"{_time(happened.time)}  {who} {what} on {happened.message}{because}: {happened.clause}{by}"
