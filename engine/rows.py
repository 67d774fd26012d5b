"""What the rows of the station's database must be, to be of use: whether each can be understood.

SQLite finds damage where its pages hang together, not in what a row says: a sector of a page that was lost leaves rows
that can be read and say nothing.
"""

import re
import sqlite3
from types import UnionType
from typing import Any

import msgspec

from drivers.interfaces import MeterRecord
from machines import routes
from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import Reason
from machines.vocabulary.transactions import Collected, TransactionMessage

ORDERS = {
    "machine": "address",
    "message": "number",
    "charging": "local_id",
    "collected": "local_id, context, place",
    "boot": "number",
    "meter": "connector",
}
"""Every table, and the order of its rows."""
COLUMNS: dict[str, dict[str, type | UnionType]] = {
    "machine": {"address": str, "state": str, "data": bytes},
    "message": {"number": int, "local_id": int, "content": bytes},
    "charging": {
        "local_id": int,
        "connector": int,
        "id_tag": str,
        "meter_start": int,
        "began": bytes,
        "transaction_id": int | None,
        "meter_stop": int | None,
        "reason": str | None,
        "ended": bytes | None,
        "is_delivered": int,
    },
    "collected": {"local_id": int, "context": str, "place": int, "content": bytes},
    "boot": {"number": int, "zero": float, "is_set": int, "is_clean": int},
    "meter": {"connector": int, "at": float, "record": bytes},
    "kernel": {"number": int, "run": str},
}
"""Those of every table, as they follow each other, and what is in them."""
ADDRESS = re.compile(r"[a-z_]+(/[0-9]+)?")
"""Of a machine, of any version."""
NOT_UNDERSTOOD = (msgspec.MsgspecError, ValueError, KeyError)


def are_sound(database: sqlite3.Connection) -> bool:
    """Whether every row can be understood, or may be what a later version left.

    Raises:
        sqlite3.Error: The disk refuses.
    """
    try:
        return not any(
            _is_damaged(table, row)
            for table, columns in COLUMNS.items()
            for row in database.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our own names
        )
    except UnicodeDecodeError:  # the name of a column
        return False
    except sqlite3.OperationalError as error:
        # A table or a column is not there, or, without a code, text is none.
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
            raise
        return False


def is_understood(table: str, row: tuple[Any, ...]) -> bool:
    """Whether this version can use ``row``."""
    if not _is_of_its_columns(table, row):
        return False
    try:
        match table:
            case "machine":
                kind = routes.KINDS[row[0].partition("/")[0]]
                msgspec.json.decode(row[2], type=kind.memory)
                return kind.memory is not None and row[1] in {state.value for state in kind.states}
            case "message":
                msgspec.json.decode(row[2], type=TransactionMessage)
            case "charging":
                msgspec.json.decode(row[4], type=Instant)
                if row[8] is not None:
                    msgspec.json.decode(row[8], type=Instant)
                    Reason(row[7])
            case "collected":
                msgspec.json.decode(row[3], type=Collected)
            case "meter":
                msgspec.json.decode(row[2], type=MeterRecord)
    except NOT_UNDERSTOOD:
        return False
    return True


def _is_damaged(table: str, row: tuple[Any, ...]) -> bool:
    """Whether no version left ``row`` so."""
    if is_understood(table, row):
        return False
    if table != "machine" or not _is_of_its_columns(table, row):
        return True
    address, state, data = row
    try:
        msgspec.json.decode(data)
        return not (ADDRESS.fullmatch(address) and state.isidentifier())
    except NOT_UNDERSTOOD:
        return True


def _is_of_its_columns(table: str, row: tuple[Any, ...]) -> bool:
    kinds = COLUMNS[table].values()
    return len(row) == len(kinds) and all(map(isinstance, row, kinds))
