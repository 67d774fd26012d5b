"""The configuration keys: from the catalogue and the shipped declarations."""

from typing import Any

import tomli

from engine.declaration.layers import SHIPPED as FOLDER
from engine.station_file import load
from machines.vocabulary.keys import Access, KeyRule
from statecharge_docs.reference.text import anchored, code, mark, table

SHIPPED = ("ac-smart", "full")


def catalogue() -> dict[str, dict[str, Any]]:
    """The keys as the catalogue has them."""
    found: dict[str, dict[str, Any]] = tomli.loads((FOLDER / "catalogue.toml").read_text(encoding="utf-8"))[
        "catalogue"
    ]
    return found


def text() -> str:
    """Every key of the catalogue, by profile; then what the shipped stations make of them."""
    stations = {name: load(name).keys for name in SHIPPED}
    parts = []
    for profile in dict.fromkeys(entry["profile"] for entry in catalogue().values()):
        body = (
            (
                anchored(name, f"key-{name.lower()}"),
                entry["description"],
                f"{allowed(entry)}; {default(entry)}",
                entry["access"] + (", counts after a restart" if entry.get("reboot") else ""),
                mark(entry["required"]),
                ", ".join(code(station) for station in SHIPPED if name in _names(stations[station].rules)),
            )
            for name, entry in catalogue().items()
            if entry["profile"] == profile
        )
        head = ("Key", "Meaning", "Values; default", "Access", "Required", "Declared by")
        parts.append(f"## {profile}\n\n{table(head, body)}")
    said = "As GetConfiguration shows them."
    parts += [f"## The keys of `{station}`\n\n{said}\n\n{declared(station)}" for station in SHIPPED]
    return "\n\n".join(parts) + "\n"


def declared(station: str) -> str:
    """The keys of a shipped station with the values that they begin with."""
    loaded = load(station)
    body = (
        (
            code(rule.name),
            code(shown(getattr(loaded.defaults, rule.attribute))) if rule.access is not Access.WRITE else "",
            bounds(rule.min, rule.max),
            rule.unit or "",
            rule.access.value,
        )
        for rule in loaded.keys.rules
    )
    return table(("Key", "Value", "Range", "Unit", "Access"), body)


def _names(rules: tuple[KeyRule, ...]) -> set[str]:
    return {rule.name for rule in rules}


def allowed(entry: dict[str, Any]) -> str:
    """What the values of a key may be."""
    words = {"bool": "true or false", "int": "integer", "list": "list", "string": "text"}[entry["type"]]
    if limits := bounds(entry.get("min"), entry.get("max")):
        words += f" {limits}{' characters' if entry['type'] == 'string' else ''}"
    if unit := entry.get("unit"):
        words += f" {unit}"
    match entry.get("items"):
        case str() as name:
            words += f" of {name.replace('_', ' ')}"
        case list() as items:
            words += f" of {', '.join(code(item) for item in items)}"
    match entry.get("items_max"):
        case str() as name:
            words += f", at most [{name}](#key-{name.lower()})"
        case int() as most:
            words += f", at most {most}"
    return words


def bounds(low: int | None, high: int | None) -> str:
    """A range."""
    if low is None and high is None:
        return ""
    return f"{'' if low is None else low}..{'' if high is None else high}"


def default(entry: dict[str, Any]) -> str:
    """The value that a key begins with."""
    value = entry.get("default")
    if value is None:
        return "follows from the station"
    return code(shown(tuple(value) if isinstance(value, list) else value)) or "empty"


def shown(value: object) -> str:
    """A value as it goes over the wire."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(value)
    return str(value)
