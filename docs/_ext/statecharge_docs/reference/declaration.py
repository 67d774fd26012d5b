"""The entries of a station file: from the schema that checks it, and the comments of the shipped files."""

import re
from collections.abc import Iterable
from typing import Any

import tomli

from engine.declaration.layers import SHIPPED as FOLDER
from engine.declaration.schema import CONNECTOR_DRIVERS, ENTRIES, READER_DRIVERS, Entry
from engine.declaration.validate import describe_entry
from statecharge_docs.reference.keys import shown
from statecharge_docs.reference.text import code, table

EXPLAINED_IN = ("ac-smart", "base", "full")
"""Shipped files whose comments say what an entry is for; the first that says it counts."""

TABLES = {
    "identity": "Who the station says it is, in BootNotification.",
    "csms": "The Central System.",
    "connectors": "One for each connector, as `[[connectors]]`.",
    "readers": "Card readers, as `[[readers]]`; none, as `readers = []`.",
    "messages": "What the station offers over OCPP: names of [messages](messages.md).",
    "data_transfer": 'Vendors whose DataTransfer is taken, as `[data_transfer."VENDOR"]`.',
    "transactions": "",
    "reservations": "",
    "installation": "What all connectors together may draw.",
    "limits": "Everything that is bounded and not a configuration key. Times in s, sizes in bytes.",
    "transfers": "Files that come and go: firmware and diagnostics.",
    "firmware": "What puts a downloaded file in place.",
    "process": "",
    "bench": "[The bench](bench.md): for the laboratory, never on in the field.",
    "log": "",
    "items": "Lists with a name, that `items` of a key may refer to.",
    "keys": "Which [configuration keys](keys.md) the station has, and what it narrows.",
    "catalogue": "The keys that rules read; it ships with the program, and a station file has none of its own.",
}
"""What is said before the entries of each table: all that is not said of a single entry."""

TABLE_HEAD = re.compile(r"\[+(?P<path>[^\]]+)\]+")
SET = re.compile(r"(?P<off># )?(?P<name>[\w.]+) *= *(?P<value>[^#]*?) *(?:# *(?P<comment>.*))?$")


def text() -> str:
    """Every table with its entries, then the parameters of each driver."""
    said, values = comments(), defaults()
    parts = []
    for name, before in TABLES.items():
        entries = [entry for entry in ENTRIES if table_of(entry) == name and entry.path != name]
        body = rows(entries, said, values)
        parts.append(f"## `[{name}]`\n\n{before}\n\n{body}")
    for head, drivers in (("connector", CONNECTOR_DRIVERS), ("reader", READER_DRIVERS)):
        parts.append(f"## Parameters of {head} drivers\n\nIn `[{head}s.parameters]`.")
        for driver, entries_of_driver in drivers.items():
            parameters = rows(entries_of_driver, said, {}) if entries_of_driver else "None."
            parts.append(f"### `{driver}`\n\n{parameters}")
    return "\n\n".join(parts) + "\n"


def table_of(entry: Entry) -> str:
    """The table that an entry is in."""
    return re.split(r"[.\[]", entry.path, maxsplit=1)[0]


def rows(entries: Iterable[Entry], said: dict[str, str], values: dict[str, Any]) -> str:
    """A table of entries."""
    body = []
    for entry in entries:
        words = describe_entry(entry) + ("; a secret" if entry.secret else "")
        name = entry.path.removeprefix(f"{table_of(entry)}.").removeprefix(f"{table_of(entry)}[].")
        body.append(
            (
                code(name),
                words,
                default(entry, values),
                said.get(entry.path, ""),
            )
        )
    return table(("Entry", "Allowed", "Default", "Meaning"), body)


def default(entry: Entry, values: dict[str, Any]) -> str:
    """What counts where an entry is not stated."""
    if entry.path in values:
        value = values[entry.path]
        return code(shown(tuple(value) if isinstance(value, list) else value))
    return "" if entry.optional else "must be stated"


def defaults() -> dict[str, Any]:
    """What ``extends = "base"`` brings: path to value."""
    found: dict[str, Any] = {}
    for name, entries in tomli.loads((FOLDER / "base.toml").read_text(encoding="utf-8")).items():
        if isinstance(entries, dict):
            found |= {f"{name}.{entry}": value for entry, value in entries.items()}
    return found


def comments() -> dict[str, str]:
    """What the shipped files say of entries: path to text."""
    found: dict[str, str] = {}
    for name in EXPLAINED_IN:
        for path, comment in _comments((FOLDER / f"{name}.toml").read_text(encoding="utf-8")):
            found.setdefault(path, comment)
    return found


def _comments(text: str) -> Iterable[tuple[str, str]]:
    """The comment beside an entry, or the lines above it."""
    path, above = "", list[str]()
    for line in text.splitlines():
        if (head := TABLE_HEAD.fullmatch(line)) is not None:
            path = head["path"] + ("[]" if line.startswith("[[") else "")
            above = []
        elif (found := SET.match(line)) is not None and (found["off"] is None or above):
            comment = found["comment"] or " ".join(above)
            if comment and not comment.startswith(("-", "or ")):
                yield f"{path}.{found['name']}", _sentence(comment)
            above = []
        elif line.startswith("# ") and not line.startswith("# ---"):
            above.append(line.removeprefix("# "))
        else:
            above = []


def _sentence(comment: str) -> str:
    comment = re.sub(r"(?<![\w`\"])((?:[a-z]+_)+[a-z]+)(?![\w`\"])", r"`\1`", comment.rstrip(",;:"))
    return comment[0].upper() + comment[1:]
