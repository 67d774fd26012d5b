"""The configuration keys of a station: what the catalogue says, as far as the station does not narrow it."""

import re
from itertools import chain

from msgspec import Struct

from engine.declaration.layers import Layers, Table
from engine.declaration.narrowing import narrowed
from engine.declaration.problems import EntryPath, nearest, show_names, show_value
from machines.vocabulary.keys import (
    Access,
    KeyRule,
    Keys,
    KeySet,
    KeyType,
    KeyValue,
    attribute_of,
    check_value,
)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,49}")

TYPES = {KeyType.BOOL: bool, KeyType.INT: int, KeyType.LIST: tuple[str, ...], KeyType.STRING: str}
"""What :class:`Keys` holds for each type."""


class Construction(Struct, frozen=True, kw_only=True):
    """What the values of some keys follow from."""

    connectors: int
    current_max_a: int
    """Of the strongest connector."""
    has_lock: bool
    """At least one connector has one."""
    is_known: bool
    """False while the connectors themselves are declared wrongly: then nothing is held against them."""


class _Key(Struct, kw_only=True):
    """A key on its way to becoming a rule."""

    name: str
    path: EntryPath
    """Where the station speaks of it, else where the catalogue does."""
    entry: Table
    """The catalogue's entries, replaced by the station's where it has any."""
    items: tuple[str, ...] | None = None
    value: KeyValue | None = None

    @property
    def type(self) -> KeyType:
        return KeyType(str(self.entry["type"]))

    @property
    def attribute(self) -> str:
        return attribute_of(str(self.entry.get("stands_for", self.name)))


class KeyReader:
    """Makes the keys of a declaration that the schema allows. Notes what is wrong, and goes on."""

    def __init__(self, layers: Layers, declaration: Table, construction: Construction) -> None:
        self._layers = layers
        self._construction = construction
        self._catalogue = _tables(declaration.get("catalogue"))
        self._stated = _tables(declaration.get("keys"))
        self._sets = declaration.get("items") or {}

    def read(self, authorization_key: str) -> tuple[KeySet, Keys] | None:
        """The declared rules and the value of every key; None if something is wrong with them."""
        if not self._has_catalogue():
            return None
        keys = [self._catalogued(name) for name in self._catalogue]
        aliases = [self._alias(name) for name in self._stated if "stands_for" in self._stated[name]]
        by_name = {key.name: key for key in chain(keys, aliases) if key is not None}
        self._refuse_unknown(by_name)
        for key in by_name.values():
            key.items = self._items(key)
            key.value = self._value(key, authorization_key)
        values = self._values(by_name)
        rules = {key.name: self._rule(key, by_name) for key in by_name.values()}
        for key in by_name.values():
            self._check(key, rules[key.name])
        if self._layers.problems:
            return None
        declared = (name for name, spec in self._stated.items() if spec.get("declared", True))
        return KeySet(tuple(rules[name] for name in declared)), Keys(**values)  # type: ignore[arg-type]

    def _is_wrong(self, name: str) -> bool:
        """Whether something was refused that the station states of the key ``name``."""
        return any(problem.path.startswith(f"keys.{name}.") for problem in self._layers.problems)

    # Names

    def _has_catalogue(self) -> bool:
        """Whether the catalogue is as the rules need it: without it nothing can be said of any key."""
        told = len(self._layers.problems)
        lacking = {*Keys.__struct_fields__}
        for name, entry in self._catalogue.items():
            held = Keys.__annotations__.get(attribute_of(name))
            lacking.discard(attribute_of(name))
            if held is None:
                self._layers.refuse(("catalogue", name), f"the key {name!r}", "a key that a rule reads")
            elif "type" in entry and TYPES[KeyType(str(entry["type"]))] != held:
                self._layers.refuse(
                    ("catalogue", name, "type"), show_value(entry["type"]), "the type the rules read"
                )
        if lacking:
            found = f"no key for {show_names(sorted(lacking)[:3])}"
            self._layers.refuse(("catalogue",), found, "every key", 'extend "base" or "catalogue"')
        self._refuse_overridden()
        is_wrong = any(problem.path.startswith(("catalogue", "items")) for problem in self._layers.problems)
        return len(self._layers.problems) == told and not is_wrong

    def _refuse_overridden(self) -> None:
        """Whoever extends the catalogue narrows it in ``keys``, where it is seen that nothing is widened."""
        sets = {
            str(entry["items"]) for entry in self._catalogue.values() if isinstance(entry.get("items"), str)
        }
        for path in (*(("catalogue", name) for name in self._catalogue), *(("items", name) for name in sets)):
            if self._layers.is_overridden(path):
                self._layers.refuse(path, "it once more", "nothing: keys says what a station narrows")

    def _catalogued(self, name: str) -> _Key:
        stated = self._stated.get(name, {})
        if "stands_for" in stated:
            self._layers.refuse(
                ("keys", name, "stands_for"), name, "a name that is not itself in the catalogue"
            )
            stated = {}
        path = ("keys", name) if name in self._stated else ("catalogue", name)
        return _Key(name=name, path=path, entry=narrowed(self._layers, path, self._catalogue[name], stated))

    def _alias(self, name: str) -> _Key | None:
        """The key ``name`` that is another spelling of a key of the catalogue."""
        stated = self._stated[name]
        standard = str(stated["stands_for"])
        if name in self._catalogue:
            return None
        if not NAME.fullmatch(name):
            self._layers.refuse(("keys", name), f"the name {name!r}", "1..50 letters and digits")
        if standard not in self._catalogue:
            path = ("keys", name, "stands_for")
            hint = nearest(standard, list(self._catalogue))
            self._layers.refuse(path, show_value(standard), "the name of a key in the catalogue", hint)
            return None
        base = self._catalogue[standard] | self._stated.get(standard, {})
        return _Key(
            name=name, path=("keys", name), entry=narrowed(self._layers, ("keys", name), base, stated)
        )

    def _refuse_unknown(self, known: dict[str, _Key]) -> None:
        spellings: dict[str, str] = {}
        for name, stated in self._stated.items():
            other = spellings.setdefault(name.lower(), name)
            # After a wrong stands_for it is no news that the name is unknown.
            if name not in known and "stands_for" not in stated and not self._is_wrong(name):
                hint = nearest(name, list(self._catalogue))
                self._layers.refuse(
                    ("keys", name), f"the unknown key {name!r}", "a key of the catalogue", hint
                )
            elif other != name:
                self._layers.refuse(
                    ("keys", name), f"{name!r} beside {other!r}", "every key once, whatever its case"
                )

    # Items

    def _items(self, key: _Key) -> tuple[str, ...] | None:
        """What the list ``key`` may hold, written out."""
        if key.type is not KeyType.LIST:
            return None
        items = self._expanded((*key.path, "items"), key.entry.get("items"))
        if items is None or key.path[0] == "catalogue":
            return items
        name = str(key.entry.get("stands_for", key.name))
        of_catalogue = self._expanded(("catalogue", name, "items"), self._catalogue[name].get("items"))
        if of_catalogue is not None and (unknown := [item for item in items if item not in of_catalogue]):
            hint = nearest(unknown[0], of_catalogue)
            self._layers.refuse((*key.path, "items"), show_value(unknown[0]), "items of the catalogue", hint)
        return items

    def _expanded(self, path: EntryPath, items: object) -> tuple[str, ...] | None:
        """``items``, or the items of the set of that name, with every placeholder filled in."""
        if isinstance(items, str):
            assert isinstance(self._sets, dict)
            if items not in self._sets:
                names = list(self._sets)
                self._layers.refuse(
                    path, show_value(items), f"a list, or one of {show_names(names)}", nearest(items, names)
                )
                return None
            items = self._sets[items]
        if not isinstance(items, list):
            return None
        return tuple(chain.from_iterable(self._filled(str(item)) for item in items))

    def _filled(self, item: str) -> list[str]:
        if "{" not in item:
            return [item]
        places = {
            "{connector}": [str(number) for number in range(self._construction.connectors + 1)],
            "{line}": ["L1", "L2", "L3"],
            "{pair}": ["L1-L2", "L2-L3", "L3-L1"],
        }
        for place, names in places.items():
            if place in item:
                return [item.replace(place, name) for name in names]
        return [item]

    def _items_max(self, key: _Key, by_name: dict[str, _Key]) -> int | None:
        items_max = key.entry.get("items_max")
        if not isinstance(items_max, str):
            return items_max if isinstance(items_max, int) else None
        other = by_name.get(items_max)
        if other is None or not isinstance(other.value, int):
            hint = nearest(items_max, list(by_name))
            self._layers.refuse(
                (*key.path, "items_max"), show_value(items_max), "a number, or the name of a key", hint
            )
            return None
        return other.value

    # Values

    def _value(self, key: _Key, authorization_key: str) -> KeyValue | None:
        """The default of ``key``; None if it is of the wrong type."""
        path = (*key.path, "default")
        stated = key.entry.get("default")
        if key.type is KeyType.STRING and key.entry["access"] == Access.WRITE:
            if stated is not None:
                self._layers.refuse(
                    path, "a value", "nothing: a key that cannot be read is no place for a secret"
                )
            return authorization_key
        if stated is None:
            stated = self._by_construction(key.attribute)
        match key.type, stated:
            case KeyType.BOOL, bool():
                return stated
            case KeyType.INT, int() if not isinstance(stated, bool):
                return stated
            case KeyType.STRING, str():
                return stated
            case KeyType.LIST, list():
                return tuple(chain.from_iterable(self._filled(str(item)) for item in stated))
        self._layers.refuse(
            path, "nothing" if stated is None else show_value(stated), f"a value of type {key.type}"
        )
        return None

    def _by_construction(self, attribute: str) -> bool | int | None:
        built = self._construction
        return {
            "number_of_connectors": built.connectors,
            "connector_phase_rotation_max_length": built.connectors + 1,
            "unlock_connector_on_ev_side_disconnect": built.has_lock,
            "connector_maximum_current": built.current_max_a,
        }.get(attribute)

    def _values(self, by_name: dict[str, _Key]) -> dict[str, KeyValue]:
        """The value of every attribute. A default stated for another spelling counts for the key."""
        values: dict[str, KeyValue] = {}
        for key in by_name.values():
            standard = key.entry.get("stands_for")
            if key.value is None:
                continue
            if isinstance(standard, str):
                if "default" not in self._stated[key.name]:
                    continue
                if "default" in self._stated.get(standard, {}) and key.value != by_name[standard].value:
                    found = show_value(key.entry["default"])
                    self._layers.refuse((*key.path, "default"), found, f"the default of {standard}")
            values[key.attribute] = key.value
        return values

    # Rules

    def _rule(self, key: _Key, by_name: dict[str, _Key]) -> KeyRule:
        entry = key.entry
        low, high, unit = entry.get("min"), entry.get("max"), entry.get("unit")
        if key.attribute == "connector_maximum_current" and isinstance(high, int):
            high = min(high, self._construction.current_max_a)
        return KeyRule(
            name=key.name,
            attribute=key.attribute,
            type=key.type,
            access=Access(str(entry["access"])),
            reboot=bool(entry.get("reboot", False)),
            unit=str(unit) if unit is not None else None,
            min=low if isinstance(low, int) else None,
            max=high if isinstance(high, int) else None,
            items=key.items,
            items_max=self._items_max(key, by_name),
        )

    def _check(self, key: _Key, rule: KeyRule) -> None:
        """The default must be a value that the rule allows, and true to how the station is built."""
        # A default that is wrong because something else is would be no news.
        is_absent = key.value is None or (key.value == "" and rule.access is Access.WRITE)
        if is_absent or self._is_wrong(key.name):
            return
        assert key.value is not None
        path = (*key.path, "default")
        if refusal := check_value(rule, key.value):
            self._layers.refuse(path, show_value(key.entry.get("default", key.value)), refusal.why)
        elif self._construction.is_known:
            self._check_construction(key, rule, path)

    def _check_construction(self, key: _Key, rule: KeyRule, path: EntryPath) -> None:
        count = self._construction.connectors
        if key.attribute == "number_of_connectors" and key.value != count:
            self._layers.refuse(path, str(key.value), f"{count}, as many as are declared")
        if key.attribute == "unlock_connector_on_ev_side_disconnect" and not self._construction.has_lock:
            if key.value:
                self._layers.refuse(path, "true", "false: no connector has a lock")
            if rule.is_writable and key.name in self._stated:
                self._layers.refuse(
                    (*key.path, "access"), show_value(rule.access.value), "R: no connector has a lock"
                )


def _tables(value: object) -> dict[str, Table]:
    """``value``, known to be a table of tables or absent, with its type."""
    return value if isinstance(value, dict) else {}
