"""Types of messages in words: what msgspec checks, told to people."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from statecharge_docs.reference.text import anchored, code, fields_of, mark, table

INT_MAX, LONG_MAX = 2**31 - 1, 2**63 - 1


def words_of(kind: types.Type, *, is_linked: bool = True) -> str:
    """What a value of ``kind`` may be. Structs are linked to where they are told of, if ``is_linked``."""
    match kind:
        case types.IntType() | types.FloatType():
            name = "integer" if isinstance(kind, types.IntType) else "number"
            return f"{name}{_range(kind)}"
        case types.StrType(min_length=low, max_length=high, pattern=pattern):
            said = "text" if high is None else f"text, {low or 0}..{high} characters"
            return f"{said}, {code(pattern)}" if pattern else said
        case types.BoolType():
            return "true or false"
        case types.DateTimeType():
            return "time"
        case types.LiteralType(values=values):
            return " or ".join(code(str(value)) for value in values)
        case types.EnumType(cls=enum):
            if is_linked:
                return f"[{enum.__name__}](#type-{enum.__name__.lower()})"
            return ", ".join(code(str(member.value)) for member in enum)
        case types.StructType(cls=struct):
            return f"[{struct.__name__}](#type-{struct.__name__.lower()})" if is_linked else struct.__name__
        case types.VarTupleType(item_type=item, min_length=least):
            return f"list of {words_of(item, is_linked=is_linked)}{f', at least {least}' if least else ''}"
        case types.DictType(value_type=value):
            return "object" if isinstance(value, types.AnyType) else f"object of {words_of(value)}"
        case types.UnionType(types=several):
            parts = (part for part in several if not isinstance(part, types.NoneType))
            return " or ".join(words_of(part, is_linked=is_linked) for part in parts)
    raise NotImplementedError(f"no words for {kind}")


def _range(kind: types.IntType | types.FloatType) -> str:
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le not in (INT_MAX, LONG_MAX) else None
    if low is None or low == -LONG_MAX - 1:
        return ""
    if high is not None:
        return f", {low:g}..{high:g}"
    return f", more than {low:g}" if kind.ge is None else f", at least {low:g}"


def fields(struct: type[Struct], *, is_linked: bool = True) -> str:
    """A table of the members of a message."""
    said = fields_of(struct)
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    body = []
    for field in info.fields:
        words = words_of(field.type, is_linked=is_linked)
        if field.default is not msgspec.NODEFAULT and field.default not in (None, "", ()):
            words += f"; {code(_as_json(field.default))} if absent"
        body.append((code(field.encode_name), words, mark(field.required), said.get(field.name, "")))
    if not body:
        return "No members."
    return table(("Member", "Value", "Required", "Meaning"), body)


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def met_in(structs: Iterator[type[Struct]]) -> tuple[list[type], list[type]]:
    """The structs and the enumerations that occur within ``structs``, each once, in their order."""
    inner: dict[type, None] = {}
    enums: dict[type, None] = {}

    def look(kind: types.Type) -> None:
        match kind:
            case types.EnumType(cls=enum):
                enums.setdefault(enum)
            case types.StructType(cls=struct):
                inner.setdefault(struct)
                look_inside(struct)
            case types.VarTupleType(item_type=item):
                look(item)
            case types.UnionType(types=several):
                for part in several:
                    look(part)

    def look_inside(struct: type) -> None:
        info = types.type_info(struct)
        assert isinstance(info, types.StructType)
        for field in info.fields:
            look(field.type)

    for struct in structs:
        look_inside(struct)
    return sorted(inner, key=lambda each: each.__name__), sorted(enums, key=lambda each: each.__name__)


def name_of(kind: type) -> str:
    """The name of a type, with the place that others link to."""
    return anchored(kind.__name__, f"type-{kind.__name__.lower()}")
