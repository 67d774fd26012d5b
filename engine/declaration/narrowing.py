"""What a station states of a key may narrow what the catalogue says, and never widen it.

The catalogue says what the rules can take: a greater range, or write access where it has none, would be a
promise that nobody keeps.
"""

from engine.declaration.layers import Layers, Table
from engine.declaration.problems import EntryPath, show_value
from machines.vocabulary.keys import Access, KeyType

NARROWER = {
    Access.READ: (Access.READ,),
    Access.READ_WRITE: (Access.READ_WRITE, Access.READ),
    Access.WRITE: (Access.WRITE,),
}
"""What a station may make of the access in the catalogue."""

APPLICABLE = {
    "min": (KeyType.INT, KeyType.STRING),
    "max": (KeyType.INT, KeyType.STRING),
    "items": (KeyType.LIST,),
    "items_max": (KeyType.LIST,),
}
"""Entries that only some types of key have."""


def narrowed(layers: Layers, path: EntryPath, base: Table, stated: Table) -> Table:
    """``base`` with what a station states of it at ``path``, less what would widen it, which is refused."""
    entry = {**base, **stated}
    kind = KeyType(str(base["type"]))
    for name in ("type", "unit"):
        if name in stated and stated[name] != base.get(name):
            allowed = show_value(base[name]) if name in base else "nothing"
            layers.refuse((*path, name), show_value(stated[name]), f"{allowed}, as the catalogue")
            entry[name] = base.get(name)
    narrower = NARROWER[Access(str(base["access"]))]
    if "access" in stated and Access(str(stated["access"])) not in narrower:
        allowed = " or ".join(narrower)
        layers.refuse((*path, "access"), show_value(stated["access"]), f"{allowed}, as the catalogue")
        entry["access"] = base["access"]
    for name, types in APPLICABLE.items():
        if name in stated and kind not in types:
            layers.refuse((*path, name), show_value(stated[name]), f"nothing: the key is of type {kind}")
            entry.pop(name)
    _check_range(layers, path, base, stated)
    return entry


def _check_range(layers: Layers, path: EntryPath, base: Table, stated: Table) -> None:
    low, high = base.get("min"), base.get("max")
    if isinstance(low, int) and isinstance(high, int):
        for name in ("min", "max"):
            value = stated.get(name)
            if isinstance(value, int) and not low <= value <= high:
                layers.refuse((*path, name), str(value), f"{low}..{high}, as the catalogue")
    least, greatest = stated.get("min"), stated.get("max")
    if isinstance(least, int) and isinstance(greatest, int) and least > greatest:
        layers.refuse((*path, "min"), str(least), f"at most max, {greatest}")
