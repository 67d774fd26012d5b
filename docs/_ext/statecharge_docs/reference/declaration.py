"""The entries of a station file: from the schema that checks it, and the comments of the shipped files."""

import re
from collections.abc import Iterable, Iterator
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
    "connectors": "One for each connector, as `[[connectors]]`.",
    "readers": "Card readers, as `[[readers]]`; none, as `readers = []`.",
    "messages": "What the station offers over OCPP: names of [messages](messages.md).",
    "data_transfer": 'Vendors whose DataTransfer is taken, as `[data_transfer."VENDOR"]`.',
    "bench": "[The bench](bench.md): for the laboratory, never on in the field.",
    "items": "Lists with a name, that `items` of a key may refer to.",
    "catalogue": "The keys that rules read; it ships with the program, and a station file has none of its own.",
    "keys": "Which [configuration keys](keys.md) the station has, and what it narrows.",
}
"""What is said of a table before its entries, where no shipped file says it above the table."""

TABLE_HEAD = re.compile(r"(?:# )?\[+(?P<path>[\w.]+)\]+")
SET = re.compile(r"(?:# )?(?P<name>[\w.]+) *= *(?P<value>[^#]*?) *(?:# *(?P<comment>.*))?$")


def text() -> str:
    """Every table with its entries, then the parameters of each driver."""
    said, values = comments(), defaults()
    parts = []
    for name in dict.fromkeys(map(table_of, ENTRIES)):
        entries = [entry for entry in ENTRIES if table_of(entry) == name and entry.path != name]
        body = rows(entries, said, values, name)
        parts.append(f"## `[{name}]`\n\n{TABLES.get(name) or said.get(name, '')}\n\n{body}")
    for head, drivers in (("connector", CONNECTOR_DRIVERS), ("reader", READER_DRIVERS)):
        parts.append(f"## Parameters of {head} drivers\n\nIn `[{head}s.parameters]`.")
        for driver, entries_of_driver in drivers.items():
            parameters = rows(entries_of_driver, {}, {}) if entries_of_driver else "None."
            parts.append(f"### `{driver}`\n\n{parameters}")
    return "\n\n".join(parts) + "\n"


def table_of(entry: Entry) -> str:
    """The table that an entry is in."""
    return re.split(r"[.\[]", entry.path, maxsplit=1)[0]


def rows(entries: Iterable[Entry], said: dict[str, str], values: dict[str, Any], within: str = "") -> str:
    """A table of entries, named as they are ``within`` a table of the file."""
    body = []
    for entry in entries:
        words = describe_entry(entry) + ("; a secret" if entry.secret else "")
        name = entry.path.removeprefix(within).removeprefix("[]").removeprefix(".")
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


def _comments(text: str) -> Iterator[tuple[str, str]]:
    """The comment beside an entry, or the lines above it or above a table; one that is commented out counts, too."""
    table, above = "", list[str]()
    for line in text.splitlines():
        if (head := TABLE_HEAD.fullmatch(line)) is not None:
            table = head["path"] + ("[]" if line.startswith("[[") else "")
            path, comment = head["path"], ""
        elif (found := SET.match(line)) is not None:
            path, comment = f"{table}.{found['name']}", found["comment"] or ""
        else:
            above = [*above, line.removeprefix("# ")] if re.match("# (?!---)", line) else []
            continue
        comment = comment or " ".join(above)
        above = []
        if comment and not comment.startswith("or "):
            yield path, _sentence(comment)


def _sentence(comment: str) -> str:
    comment = re.sub(r"(?<![\w`\"])((?:[a-z]+_)+[a-z]+)(?![\w`\"])", r"`\1`", comment.rstrip(",;:"))
    return comment[0].upper() + comment[1:]
