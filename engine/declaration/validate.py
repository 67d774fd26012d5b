"""Checking a merged declaration against the schema: names, types and bounds, entry by entry."""

import math
import re

from msgspec import Struct

from engine.declaration.layers import Layers, Table
from engine.declaration.problems import EntryPath, nearest, show_names, show_value
from engine.declaration.schema import ENTRIES, Entry, Kind

PART = re.compile(r"\[\]|[^.\[\]]+")

KIND_WORDS = {
    Kind.FLAG: "true or false",
    Kind.WHOLE: "a whole number",
    Kind.NUMBER: "a number",
    Kind.TEXT: "a text",
    Kind.TEXTS: "a list of texts",
    Kind.WHOLES: "a list of whole numbers",
    Kind.TABLES: "an array of tables",
    Kind.ANYTHING: "a table",
}


class _Node(Struct):
    """A place in the schema: an entry, a table of further places, or both for an array of tables."""

    entry: Entry | None
    children: dict[str, "_Node"]


def _build(entries: tuple[Entry, ...]) -> _Node:
    root = _Node(None, {})
    for entry in entries:
        node = root
        for part in PART.findall(entry.path):
            node = node.children.setdefault(part, _Node(None, {}))
        node.entry = entry
    return root


ROOT = _build(ENTRIES)


def validate(layers: Layers, merged: Table) -> Table:
    """Note every entry of ``merged`` that the schema does not allow; return the rest."""
    return _table(layers, ROOT, (), merged)


def validate_table(layers: Layers, path: EntryPath, table: Table, entries: tuple[Entry, ...]) -> Table:
    """Do as :func:`validate` for the ``table`` at ``path``, which may have ``entries``."""
    return _table(layers, _build(entries), path, table)


def _table(layers: Layers, node: _Node, path: EntryPath, table: Table) -> Table:
    valid: Table = {}
    names = [name for name in node.children if name != "*"]
    for name, value in table.items():
        child = node.children.get(name) or node.children.get("*")
        if child is None:
            allowed = f"one of {show_names(names)}" if names else "no entries"
            layers.refuse((*path, name), f"the unknown name {name!r}", allowed, nearest(name, names))
        elif (checked := _value(layers, child, (*path, name), value)) is not None:
            valid[name] = checked
    for name in names:
        if name not in table:
            _miss(layers, node.children[name], (*path, name))
    return valid


def _miss(layers: Layers, node: _Node, path: EntryPath) -> None:
    """Note every entry of ``node`` that must be there, now that nothing of it is."""
    if node.entry is None:
        for name, child in node.children.items():
            if name != "*":
                _miss(layers, child, (*path, name))
    elif not node.entry.optional:
        layers.refuse(path, "nothing", describe_entry(node.entry))


def _value(layers: Layers, node: _Node, path: EntryPath, value: object) -> object | None:
    """``value`` as far as it is allowed; None, which TOML cannot say, if it is not."""
    if node.entry is None:
        if isinstance(value, dict):
            return _table(layers, node, path, value)
        layers.refuse(path, show_value(value), "a table")
        return None
    if not _is_allowed(node.entry, value):
        layers.refuse(path, _show(node.entry, value), describe_entry(node.entry), _hint(node.entry, value))
        return None
    if node.entry.kind is Kind.TABLES:
        assert isinstance(value, list)
        element = node.children["[]"]
        return [_table(layers, element, (*path, number), item) for number, item in enumerate(value)]
    return value


def _is_allowed(entry: Entry, value: object) -> bool:
    """Whether ``value`` is of the kind and within the bounds of ``entry``."""
    if entry.choices and (isinstance(value, bool) or value not in entry.choices):
        return False
    match value:
        case bool():
            return Kind.FLAG in entry.kind
        case int():
            return bool(entry.kind & (Kind.WHOLE | Kind.NUMBER)) and _is_inside(entry, value)
        case float():
            return Kind.NUMBER in entry.kind and math.isfinite(value) and _is_inside(entry, value)
        case str():
            return Kind.TEXT in entry.kind and _is_text(entry, value)
        case list():
            return _is_list(entry.kind, value) and _is_inside(entry, len(value))
        case dict():
            return Kind.ANYTHING in entry.kind
    return False


def _is_inside(entry: Entry, size: float) -> bool:
    return (entry.min is None or size >= entry.min) and (entry.max is None or size <= entry.max)


def _is_text(entry: Entry, value: str) -> bool:
    # For an entry that may be a number as well, the bounds are the number's.
    is_sized = Kind.WHOLE in entry.kind or _is_inside(entry, len(value))
    return is_sized and (not entry.pattern or re.fullmatch(entry.pattern, value) is not None)


def _is_list(kind: Kind, value: list[object]) -> bool:
    return (
        (Kind.TEXTS in kind and all(isinstance(item, str) for item in value))
        or (Kind.WHOLES in kind and all(type(item) is int for item in value))
        or (Kind.TABLES in kind and all(isinstance(item, dict) for item in value))
    )


def describe_entry(entry: Entry) -> str:
    """What ``entry`` allows, in words for people."""
    if entry.choices:
        return f"one of {', '.join(str(choice) for choice in entry.choices)}"
    words = " or ".join(KIND_WORDS[kind] for kind in entry.kind)
    if entry.min is not None and entry.max is not None:
        unit = {Kind.TEXT: " characters", Kind.TEXTS: " items", Kind.WHOLES: " items", Kind.TABLES: " tables"}
        words += f", {entry.min:.10g}..{entry.max:.10g}{unit.get(entry.kind, '')}"
    return f"{words}, {entry.words}" if entry.words else words


def _show(entry: Entry, value: object) -> str:
    if entry.secret:
        return f"a text of {len(value)} characters" if isinstance(value, str) else "no text"
    if isinstance(value, str) and entry.max is not None and len(value) > entry.max:
        return f"{show_value(value)}, {len(value)} characters"
    return show_value(value)


def _hint(entry: Entry, value: object) -> str:
    names = [choice for choice in entry.choices if isinstance(choice, str)]
    return nearest(value, names) if isinstance(value, str) else ""
