"""The only place where state lives: one SQLite database in the state directory.

Everything that must outlast a power cut is written in one transaction per batch (WAL, synchronous=FULL), through one
connection that is never used by two tasks at a time. What is in it:

* ``machine``: state and data of every machine that remembers;
* ``message``: transaction messages not yet settled, in order of their numbers;
* ``charging``: one row for each transaction from start to stop, with the transactionId of the Central System;
* ``collected``: meter values for a StopTransaction that is not yet settled, by transaction and context;
* ``boot``: for each run of the station, the time of day when it began;
* ``meter``: what the energy of each connector rests on, as it was when last read for the charge point;
* ``kernel``: the run of the operating system in which the latest run of the station began.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from drivers.interfaces import MeterRecord
from engine.batch import Batch, KeptMeter
from engine.rows import are_sound
from machines import routes
from machines.charge_point import Memory
from machines.machine import Effect
from machines.vocabulary.effects import Collect, Forget, Instant, Keep, Settle
from machines.vocabulary.transactions import Began, Collected, Ended, TransactionMessage

FILE = "station.sqlite3"
SCHEMA_VERSION = 1
BOOTS_MAX = 100
"""Runs whose beginning is remembered, beside those that stamped what is still to be delivered."""

METERS = (
    "CREATE TABLE IF NOT EXISTS meter (connector INTEGER PRIMARY KEY, at REAL NOT NULL, record BLOB NOT NULL)"
)
KERNEL = (
    "CREATE TABLE IF NOT EXISTS kernel (number INTEGER PRIMARY KEY CHECK (number = 0), run TEXT NOT NULL)"
)
"""Both later than the rest: a database of before has them not."""
SCHEMA = f"""
CREATE TABLE machine (address TEXT PRIMARY KEY, state TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE message (number INTEGER PRIMARY KEY, local_id INTEGER NOT NULL, content BLOB NOT NULL);
CREATE TABLE charging (
    local_id INTEGER PRIMARY KEY, connector INTEGER NOT NULL, id_tag TEXT NOT NULL,
    meter_start INTEGER NOT NULL, began BLOB NOT NULL,
    transaction_id INTEGER, meter_stop INTEGER, reason TEXT, ended BLOB, is_delivered INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE collected (
    local_id INTEGER NOT NULL, context TEXT NOT NULL, place INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (local_id, context, place)
) WITHOUT ROWID;
CREATE TABLE boot (
    number INTEGER PRIMARY KEY, zero REAL NOT NULL, is_set INTEGER NOT NULL, is_clean INTEGER NOT NULL DEFAULT 0
);
{METERS};
{KERNEL};
PRAGMA user_version = {SCHEMA_VERSION};
"""


REFUSALS = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY}
"""What SQLite says when the disk is full, cannot be written, or is another program's for a moment."""

CACHE_KIB = 256
"""Of pages of the database in memory: what is read again soon is little."""

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""What it says of a file that is damaged."""


class StoreError(Exception):
    """The state directory or its database cannot be used. One line, for the user."""


class DiskError(Exception):
    """The disk took nothing of a batch. It may take the same batch later."""


class _Stamped(Struct, frozen=True):
    """What a transaction message and a collected value have in common."""

    at: Instant


class Charging(Struct, frozen=True, kw_only=True):
    """One transaction in the ledger. Register values in Wh."""

    local_id: int
    connector: int
    id_tag: str
    meter_start: int
    transaction_id: int | None
    meter_stop: int | None
    reason: str | None
    is_delivered: bool


class Store:
    """The database of one station.

    Args:
        directory: Is created with mode 0700 if it is missing; the database in it has mode 0600.
        ledger_max: Delivered transactions that stay in the ledger.
        kernel: A name of this run of the operating system; empty where the process alone is the wallbox, so that its
            end is a power cut.

    Raises:
        StoreError: It cannot be opened, is of another version, or is in use by another process.
    """

    def __init__(self, directory: Path, ledger_max: int = 1000, kernel: str = "") -> None:
        self.directory = directory
        """Where the database lies."""
        self.damage = ""
        """What was found damaged, and made good as far as it could be; empty if nothing was."""
        self._ledger_max = ledger_max
        self._kernel = kernel
        self._file = directory / FILE
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.damage = self._open()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise StoreError(
                    f"{self._file}: cannot be used as the station's database: {error}"
                ) from error
            raise StoreError(f"{self._file}: is in use by another process") from error
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self._file}: cannot be used as the station's database: {error}") from error

    def _open(self) -> str:
        """Open the database, and a damaged one once more; return what was damaged."""
        if self._file.with_name(f"{FILE}.salvaged").exists():
            from engine.salvage import finish

            finish(self._file)
        os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in DAMAGE:
                raise
            self._database.close()
        except UnicodeDecodeError:  # what SQLite says of a damaged schema, which it repeats
            self._database.close()
        else:
            return ""
        from engine.salvage import salvage

        lost = salvage(self._file, SCHEMA)
        self._prepare()
        return f"database damaged, {lost} known rows lost"

    def _prepare(self) -> None:
        self._database = sqlite3.connect(self._file, timeout=0, isolation_level=None, check_same_thread=False)
        database = self._database
        # Two stations on one state directory would each write what the other does not know.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise _damage(said)
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        elif version != SCHEMA_VERSION:
            database.close()
            raise StoreError(f"{self._file}: has version {version}, this software reads {SCHEMA_VERSION}")
        database.execute("BEGIN IMMEDIATE")
        database.execute(METERS)
        database.execute(KERNEL)
        database.execute("COMMIT")
        if not are_sound(database):
            raise _damage("rows that say nothing")

    # Reading, at the start

    def memories(self) -> tuple[Memory, ...]:
        """What every machine remembers. Of a kind that no longer remembers anything, nothing.

        Raises:
            StoreError: A later version left something that this one does not understand.
        """
        found = []
        for address, state, data in self._database.execute("SELECT address, state, data FROM machine"):
            kind = routes.KINDS.get(address.partition("/")[0])
            if kind is None or kind.memory is None:
                continue
            try:
                remembered = msgspec.json.decode(data, type=kind.memory)
            except msgspec.MsgspecError as error:
                raise StoreError(
                    f"{self._file}: {address} cannot be read by this version: {error}"
                ) from error
            if state not in {known.value for known in kind.states}:
                raise StoreError(f"{self._file}: {address} is {state!r}, which this version does not know")
            found.append(Memory(address, state, remembered))
        return tuple(found)

    def boots(self) -> dict[int, float]:
        """For each earlier run the time of day when it began."""
        return dict(self._database.execute("SELECT number, zero FROM boot"))

    def latest_utc(self) -> float:
        """The latest time of day on record, POSIX s: no run that follows began before it. 0 if there is none.

        What the Central System told, and whatever is still to be told to it, as well as it is known.
        """
        told = "SELECT zero FROM boot WHERE is_set ORDER BY number DESC LIMIT 1"
        times: list[float] = [0.0, *(zero for (zero,) in self._database.execute(told))]
        began = "SELECT began FROM charging WHERE NOT is_delivered ORDER BY local_id DESC LIMIT 1"
        for (at,) in self._database.execute(began):
            times.append(msgspec.json.decode(at, type=Instant).utc or 0.0)
        queued = "SELECT content FROM message ORDER BY number DESC LIMIT 1"
        for (content,) in self._database.execute(queued):
            at = msgspec.json.decode(content, type=TransactionMessage).at
            times.append(at.utc or self.boots().get(at.boot, 0.0) + at.seconds)
        return max(times)

    def meters(self) -> dict[int, KeptMeter]:
        """What the energy of each connector rested on."""
        return {
            connector: KeptMeter(msgspec.json.decode(record, type=MeterRecord), at)
            for connector, at, record in self._database.execute("SELECT connector, at, record FROM meter")
        }

    def was_powered(self) -> bool:
        """Whether the power stayed on: the latest run on record ended in order, or the operating system has not."""
        latest = "SELECT is_clean FROM boot ORDER BY number DESC LIMIT 1"
        was_clean = any(is_clean for (is_clean,) in self._database.execute(latest))
        kernel = [run for (run,) in self._database.execute("SELECT run FROM kernel")]
        return was_clean or bool(self._kernel and kernel == [self._kernel])

    def mark_clean(self) -> None:
        """Note that the run on record ends in order.

        Raises:
            DiskError: As :meth:`write`.
        """
        with _refusals():
            self._database.execute(
                "UPDATE boot SET is_clean = 1 WHERE number = (SELECT max(number) FROM boot)"
            )

    def message(self, number: int) -> tuple[TransactionMessage, int | None]:
        """The transaction message ``number``, and the transactionId of its transaction if there is one yet.

        Raises:
            KeyError: There is no such message: a defect.
        """
        query = """SELECT content, transaction_id FROM message LEFT JOIN charging USING (local_id)
                   WHERE number = ?"""
        row = self._database.execute(query, (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return msgspec.json.decode(row[0], type=TransactionMessage), row[1]

    def collected(self, local_id: int) -> list[Collected]:
        """The meter values collected in a transaction, those of each context in order."""
        query = "SELECT content FROM collected WHERE local_id = ? ORDER BY context, place"
        rows = self._database.execute(query, (local_id,))
        return [msgspec.json.decode(content, type=Collected) for (content,) in rows]

    def ledger(self) -> list[Charging]:
        """Every transaction on record, oldest first."""
        fields = Charging.__struct_fields__
        rows = self._database.execute(f"SELECT {', '.join(fields)} FROM charging ORDER BY local_id")  # noqa: S608 - our own names
        return [msgspec.convert(dict(zip(fields, row, strict=True)), Charging, strict=False) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many rows each table has. May be asked from any thread."""
        tables = ("machine", "message", "charging", "collected", "boot", "meter")
        query = "SELECT count(*) FROM {}"
        return {table: self._database.execute(query.format(table)).fetchone()[0] for table in tables}

    # Writing

    def write(self, batch: Batch) -> None:
        """Write all of ``batch`` or, if this fails or the power does, nothing of it.

        Raises:
            DiskError: The disk is full, or refuses for another reason that may pass.
        """
        with _refusals():
            self._write(batch)

    def _write(self, batch: Batch) -> None:
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(
                "INSERT OR REPLACE INTO machine VALUES (?, ?, ?)",
                [(m.address, m.state, msgspec.json.encode(m.data)) for m in batch.memories.values()],
            )
            for effect in batch.effects:
                self._apply(effect)
            database.executemany(
                "INSERT OR REPLACE INTO meter VALUES (?, ?, ?)",
                [(connector, m.at, msgspec.json.encode(m.record)) for connector, m in batch.meters.items()],
            )
            if batch.boot is not None:
                boot = batch.boot
                database.execute(
                    "INSERT OR REPLACE INTO boot (number, zero, is_set) VALUES (?, ?, ?)",
                    (boot.number, boot.zero, boot.is_set),
                )
                database.execute("INSERT OR REPLACE INTO kernel VALUES (0, ?)", (self._kernel,))
                self._forget_boots(boot.number - BOOTS_MAX)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise

    def _apply(self, effect: Effect) -> None:
        match effect:
            case Keep(message=TransactionMessage() as message):
                self._keep(message)
            case Collect() as collect:
                self._collect(collect)
            case Forget(number=number):
                self._forget(number)
            case Settle(local_id=local_id, transaction_id=transaction_id):
                # Of the messages of one transaction only its StartTransaction settles it.
                self._database.execute(
                    "UPDATE charging SET transaction_id = ? WHERE local_id = ? AND transaction_id IS NULL",
                    (transaction_id, local_id),
                )
            case _:
                raise AssertionError(effect)

    def _keep(self, message: TransactionMessage) -> None:
        content = msgspec.json.encode(message)
        self._database.execute(
            "INSERT INTO message VALUES (?, ?, ?)", (message.number, message.local_id, content)
        )
        match message.body:
            case Began() as began:
                self._database.execute(
                    "INSERT INTO charging (local_id, connector, id_tag, meter_start, began) VALUES (?, ?, ?, ?, ?)",
                    (
                        message.local_id,
                        began.connector_id,
                        began.id_tag,
                        began.meter_start,
                        _encode(message.at),
                    ),
                )
            case Ended() as ended:
                self._database.execute(
                    "UPDATE charging SET meter_stop = ?, reason = ?, ended = ? WHERE local_id = ?",
                    (ended.meter_stop, ended.reason.value, _encode(message.at), message.local_id),
                )
            case _:
                pass

    def _collect(self, collect: Collect) -> None:
        """Keep every value until there is no more room, then every second, every fourth and so on; and the latest."""
        database, context = self._database, collect.values[0].context
        series = (collect.local_id, context)
        (latest,) = database.execute(
            "SELECT max(place) FROM collected WHERE local_id = ? AND context = ?", series
        ).fetchone()
        place = 0 if latest is None else latest + 1
        step = _step(place, collect.room)
        if step != _step(place - 1, collect.room):
            database.execute(
                "DELETE FROM collected WHERE local_id = ? AND context = ? AND place % ? != 0", (*series, step)
            )
        elif latest is not None and latest % step != 0:
            database.execute(
                "DELETE FROM collected WHERE local_id = ? AND context = ? AND place = ?", (*series, latest)
            )
        content = msgspec.json.encode(Collected(collect.at, collect.values))
        database.execute("INSERT INTO collected VALUES (?, ?, ?, ?)", (*series, place, content))

    def _forget(self, number: int) -> None:
        query = "DELETE FROM message WHERE number = ? RETURNING content"
        row = self._database.execute(query, (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        message = msgspec.json.decode(row[0], type=TransactionMessage)
        if isinstance(message.body, Ended):
            self._database.execute("DELETE FROM collected WHERE local_id = ?", (message.local_id,))
            self._database.execute(
                "UPDATE charging SET is_delivered = 1 WHERE local_id = ?", (message.local_id,)
            )
            self._database.execute(
                "DELETE FROM charging WHERE is_delivered AND local_id <= ?",
                (message.local_id - self._ledger_max,),
            )

    def _forget_boots(self, last: int) -> None:
        """Forget the runs up to ``last``, but for those that stamped what is still to be delivered."""
        database = self._database
        old = {number for (number,) in database.execute("SELECT number FROM boot WHERE number <= ?", (last,))}
        if not old:
            return
        for (content,) in database.execute(
            "SELECT content FROM message UNION ALL SELECT content FROM collected"
        ):
            old.discard(msgspec.json.decode(content, type=_Stamped).at.boot)
        for (began,) in database.execute("SELECT began FROM charging WHERE NOT is_delivered"):
            old.discard(msgspec.json.decode(began, type=Instant).boot)
        database.executemany("DELETE FROM boot WHERE number = ?", [(number,) for number in old])

    def close(self) -> None:
        """Give the database up."""
        self._database.close()


def _damage(what: str) -> sqlite3.DatabaseError:
    damage = sqlite3.DatabaseError(what)
    damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return damage


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell what the disk refuses from what is a defect."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in REFUSALS:
            raise
        raise DiskError(str(error)) from error


def _step(place: int, room: int) -> int:
    """The least power of two whose multiples up to ``place``, and ``place`` itself, are at most ``room``."""
    step = 1
    while -(-place // step) + 1 > room:
        step *= 2
    return step


def _encode(instant: Instant) -> Any:
    return msgspec.json.encode(instant)
