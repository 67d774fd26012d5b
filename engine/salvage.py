"""What is done about a database that is damaged: keep what can be read, and go on.

A wallbox has nobody who could repair it. The damaged file stays beside the new one (``station.sqlite3.damaged``, the
latest only) for who wants to look. Into the new one goes every row that can be read and understood; what belongs to it
is made to fit again:

* messages are numbered without gaps, and the queue begins and ends with them;
* the start of a transaction that is not settled and no longer queued is queued again, from the ledger;
* a transaction that nothing continues is ended, as the ledger says or else with the last register value on record: it
  is billed, and not lost.

A power cut in between changes nothing: the new file takes the place of the damaged one in a single step.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from engine.rows import ORDERS, is_understood
from machines.delivery import DeliveryData
from machines.transaction import TransactionData
from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import Measurand, Reason, SampledValue
from machines.vocabulary.transactions import Began, Collected, Ended, Metered, TransactionMessage

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database."""
UNREADABLE = (sqlite3.Error, UnicodeDecodeError, MemoryError)
"""What reading a damaged database ends with: its own text may be none, and a length may be any."""
DONE = {"idle"}
"""States of the transaction machine in which nothing continues."""


def salvage(file: Path, schema: str) -> int:
    """Put a sound database in the place of the damaged ``file``; return how many rows are known to be lost.

    Raises:
        OSError, sqlite3.Error: There is no room for it, or the disk refuses.
    """
    _set_aside(file)
    fresh, ready = file.with_name(f"{file.name}.fresh"), file.with_name(f"{file.name}.salvaged")
    for leftover in (fresh, ready):
        leftover.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600))
    with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as database:
        database.executescript(f"PRAGMA synchronous = FULL; BEGIN; {schema} COMMIT; BEGIN;")
        lost = _copy(file, database)
        _fit(database)
        database.execute("COMMIT")
    fresh.replace(ready)
    finish(file)
    return lost


def finish(file: Path) -> None:
    """Put what was salvaged in the place of ``file``, if it is ready and a power cut prevented that."""
    ready = file.with_name(f"{file.name}.salvaged")
    if not ready.exists():
        return
    for suffix in BESIDE:
        # A log that is not of this database must not be played into it.
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    ready.replace(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _set_aside(file: Path) -> None:
    for suffix in ("", *BESIDE):
        source = file.with_name(file.name + suffix)
        target = file.with_name(f"{file.name}.damaged{suffix}")
        target.unlink(missing_ok=True)
        if source.exists():
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
            shutil.copyfile(source, target)


# What can be read


def _copy(file: Path, database: sqlite3.Connection) -> int:
    """Copy every row that can be read and understood; return how many are known to be lost."""
    lost = 0
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as damaged:
        for table, order in ORDERS.items():
            rows = dict(_readable(damaged, table, order))
            understood = [row for row in rows.values() if is_understood(table, row)]
            for row in understood:
                marks = ", ".join("?" * len(row))
                database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608 - our own names
            lost += max(len(rows), _count(damaged, table)) - len(understood)
    return lost


def _readable(damaged: sqlite3.Connection, table: str, order: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Rows by their place, from both ends up to where the damage is."""
    width = order.count(",") + 1
    for direction in ("", " DESC"):
        by = ", ".join(f"{column}{direction}" for column in order.split(", "))
        with contextlib.suppress(*UNREADABLE):
            for row in damaged.execute(f"SELECT * FROM {table} ORDER BY {by}"):  # noqa: S608 - our own names
                yield row[:width], row


def _count(damaged: sqlite3.Connection, table: str) -> int:
    with contextlib.suppress(*UNREADABLE):
        count: int = damaged.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        return count
    return 0


# What is made to fit


def _fit(database: sqlite3.Connection) -> None:
    messages = [
        msgspec.json.decode(content, type=TransactionMessage)
        for (content,) in database.execute("SELECT content FROM message ORDER BY number")
    ]
    going_on = _transactions(database)
    _note(database, messages, going_on)
    began = {message.local_id for message in messages if isinstance(message.body, Began)}
    ended = {message.local_id for message in messages if isinstance(message.body, Ended)}
    continued = {transaction.local_id for transaction in going_on.values()}
    starts, ends = [], []
    for charging in _not_delivered(database):
        if charging.transaction_id is None and charging.local_id not in began:
            starts.append(charging.start())
        if charging.local_id not in continued | ended:
            ends.append(_end_of(charging, messages, database))
    _queue(database, [*starts, *messages, *ends])


class _Charging(NamedTuple):
    """A row of the ledger whose end is not delivered, by its first columns."""

    local_id: int
    connector: int
    id_tag: str
    meter_start: int
    at: Instant
    transaction_id: int | None
    end: tuple[Instant, Ended] | None = None
    """If it is over."""

    def start(self) -> TransactionMessage:
        """Its StartTransaction."""
        body = Began(connector_id=self.connector, id_tag=self.id_tag, meter_start=self.meter_start)
        return TransactionMessage(0, self.local_id, self.at, body)


def _not_delivered(database: sqlite3.Connection) -> list[_Charging]:
    rows = database.execute(
        """SELECT local_id, connector, id_tag, meter_start, began, transaction_id, meter_stop, reason, ended
           FROM charging WHERE NOT is_delivered ORDER BY local_id"""
    ).fetchall()
    return [
        _Charging(
            local_id,
            connector,
            id_tag,
            meter_start,
            at=msgspec.json.decode(began, type=Instant),
            transaction_id=settled,
            end=None
            if ended is None
            else (
                msgspec.json.decode(ended, type=Instant),
                Ended(meter_stop=meter_stop, reason=Reason(reason)),
            ),
        )
        for local_id, connector, id_tag, meter_start, began, settled, meter_stop, reason, ended in rows
    ]


def _transactions(database: sqlite3.Connection) -> dict[int, TransactionData]:
    """Those that a machine continues, by connector."""
    rows = database.execute("SELECT address, state, data FROM machine WHERE address LIKE 'transaction/%'")
    found = {
        int(address.partition("/")[2]): msgspec.json.decode(data, type=TransactionData)
        for address, state, data in rows
        if state not in DONE
    }
    return {connector: data for connector, data in found.items() if data.local_id}


def _note(
    database: sqlite3.Connection, messages: list[TransactionMessage], going_on: dict[int, TransactionData]
) -> None:
    """Put into the ledger what is missing there, of transactions in the queue and of those that go on."""
    rows = [
        _Charging(one.local_id, began.connector_id, began.id_tag, began.meter_start, one.at, None)
        for one in messages
        if isinstance(began := one.body, Began)
    ] + [
        _Charging(one.local_id, connector, one.id_tag, one.meter_start, at, one.transaction_id)
        for connector, one in going_on.items()
        if (at := one.started_at) is not None
    ]
    for row in rows:
        database.execute(
            """INSERT OR IGNORE INTO charging (local_id, connector, id_tag, meter_start, began, transaction_id)
               VALUES (?, ?, ?, ?, ?, ?)""",
            (*row[:4], msgspec.json.encode(row.at), row.transaction_id),
        )
    for message in messages:
        if isinstance(ended := message.body, Ended):
            _note_end(database, message.local_id, message.at, ended)


def _note_end(database: sqlite3.Connection, local_id: int, at: Instant, ended: Ended) -> None:
    database.execute(
        "UPDATE charging SET meter_stop = ?, reason = ?, ended = ? WHERE local_id = ?",
        (ended.meter_stop, ended.reason.value, msgspec.json.encode(at), local_id),
    )


def _end_of(
    charging: _Charging, messages: list[TransactionMessage], database: sqlite3.Connection
) -> TransactionMessage:
    """The end of a transaction that nothing continues; where it was seen last, if its stop is not on record."""
    if charging.end is not None:
        return TransactionMessage(0, charging.local_id, *charging.end)
    seen = [
        (message.at, message.body.values)
        for message in messages
        if message.local_id == charging.local_id and isinstance(message.body, Metered)
    ]
    for (content,) in database.execute(
        "SELECT content FROM collected WHERE local_id = ?", (charging.local_id,)
    ):
        collected = msgspec.json.decode(content, type=Collected)
        seen.append((collected.at, collected.values))
    at, register = charging.at, charging.meter_start
    for at, values in sorted(seen, key=lambda one: (one[0].boot, one[0].seconds)):  # noqa: B007 - the latest
        register = max(register, *_registers(values))
    body = Ended(meter_stop=register, reason=Reason.OTHER)
    _note_end(database, charging.local_id, at, body)
    return TransactionMessage(0, charging.local_id, at, body)


def _registers(values: tuple[SampledValue, ...]) -> Iterator[int]:
    """The energy registers in a set of values, in whole Wh, and 0."""
    yield 0
    for one in values:
        is_register = one.measurand in {None, Measurand.ENERGY_ACTIVE_IMPORT_REGISTER} and one.phase is None
        if is_register and one.value.isdecimal():
            yield int(one.value)


def _queue(database: sqlite3.Connection, messages: list[TransactionMessage]) -> None:
    """Number the messages without gaps, and let the queue be these."""
    row = database.execute("SELECT state, data FROM machine WHERE address = 'delivery'").fetchone()
    state = "held" if row is None else row[0]
    data = DeliveryData() if row is None else msgspec.json.decode(row[1], type=DeliveryData)
    (last,) = database.execute("SELECT max(local_id) FROM charging").fetchone()
    known = [last or 0, *(message.local_id for message in messages)]
    # Numbers ascend over the life of the station.
    head = max([data.tail, *(message.number + 1 for message in messages)])
    database.execute("DELETE FROM message")
    for number, message in enumerate(messages, head):
        content = msgspec.json.encode(replace(message, number=number))
        database.execute("INSERT INTO message VALUES (?, ?, ?)", (number, message.local_id, content))
    next_local_id = max(data.next_local_id, *(local_id + 1 for local_id in known))
    data = DeliveryData(head=head, tail=head + len(messages), next_local_id=next_local_id)
    row = ("delivery", state, msgspec.json.encode(data))
    database.execute("INSERT OR REPLACE INTO machine VALUES (?, ?, ?)", row)
