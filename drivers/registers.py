"""What registers hold as values, and values as registers. No bus and no device."""

import math
import struct
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

Value = float | str | bool | None
"""What a device measured or says of itself; None if it says that it has no value."""

TABLES = ("holding", "input", "coil", "discrete")
BIT_TABLES = ("coil", "discrete")
FORMATS: Final = {
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "f32": "f",
    "f64": "d",
}
"""Of the struct module, most significant byte first."""
EXPONENTS = ("t5", "t6")
"""A power of ten in the first byte and 24 bits, unsigned or signed (Iskra)."""
TYPES = (*FORMATS, *EXPONENTS, "str", "bit")
WORD_ORDERS = ("big", "little")
NO_VALUES = ("none", "greatest", "high_word_7fff")
"""How a device says that it has no value: not at all, by the greatest number of the type (with a sign: 7FFF...,
without: FFFF...), or by 7FFF in the most significant word."""
DECIMALS = 6
"""Kept of a scaled number: more than any meter has, less than binary rounding shows."""


class Register(Struct, frozen=True, kw_only=True):
    """One value on a device: where it lies and how it is to be read."""

    table: str
    address: int
    words: int
    type: str
    word_order: str
    scale: float
    no_value: str

    @property
    def end(self) -> int:
        """The address after the last word."""
        return self.address + self.words


def words_of(kind: str) -> int:
    """How many registers a value of the type takes; of a text at least one."""
    return struct.calcsize(">" + FORMATS[kind]) // 2 if kind in FORMATS else 2 if kind in EXPONENTS else 1


def decode(register: Register, words: Sequence[int]) -> Value:
    """The value in ``words``, scaled."""
    kind = register.type
    if kind == "str":
        content = b"".join(word.to_bytes(2, "big") for word in words)
        return content.replace(b"\0", b"").decode("latin-1").strip()
    if kind == "bit":
        return bool(words[0])
    if kind in EXPONENTS:
        return scaled(_exponent(kind, words), register.scale)
    if _is_no_value(register, words):
        return None
    ordered = words if register.word_order == "big" else list(reversed(words))
    content = b"".join(word.to_bytes(2, "big") for word in ordered)
    number: float = struct.unpack(">" + FORMATS[kind], content)[0]
    return scaled(number, register.scale) if math.isfinite(number) else None


def encode(register: Register, value: int) -> tuple[int, ...]:
    """``value`` as registers.

    Raises:
        ValueError: It does not fit.
    """
    if register.type == "bit":
        return (int(bool(value)),)
    try:
        content = struct.pack(">" + FORMATS[register.type], value)
    except struct.error as error:
        raise ValueError(f"{value} is no {register.type}") from error
    words = [int.from_bytes(content[at : at + 2], "big") for at in range(0, len(content), 2)]
    return tuple(words if register.word_order == "big" else reversed(words))


def scaled(number: float, scale: float) -> float:
    """``number`` times ``scale``; whole if both are."""
    product = number * scale
    return product if isinstance(product, int) else round(product, DECIMALS)


def _exponent(kind: str, words: Sequence[int]) -> float:
    high, low = words
    power: int = struct.unpack("b", bytes([high >> 8]))[0]
    number = (high & 0xFF) << 16 | low
    if kind == "t6" and number & 0x800000:
        number -= 1 << 24
    return scaled(number, 10.0**power)


def _is_no_value(register: Register, words: Sequence[int]) -> bool:
    ordered = words if register.word_order == "big" else list(reversed(words))
    match register.no_value:
        case "greatest":
            first = 0xFFFF if register.type.startswith("u") else 0x7FFF
            return ordered[0] == first and all(word == 0xFFFF for word in ordered[1:])
        case "high_word_7fff":
            return len(ordered) > 1 and ordered[0] == 0x7FFF
    return False
