"""What the registers of a device hold when it has certain values, by its register map."""

import struct
from collections.abc import Iterator
from typing import Any

from drivers.register_map import Quantity
from drivers.registers import Register, encode


def cells(quantity: Quantity, value: Any) -> Iterator[tuple[str, int, list[int]]]:
    """Table, address and words of everything that makes up ``value``."""
    if quantity.exponent is not None:
        yield quantity.exponent.table, quantity.exponent.address, [1]
        value //= 10
    shares = [value] if len(quantity.parts) == 1 else [value // 1000 * 1000, value % 1000]
    for part, share in zip(quantity.parts, shares, strict=True):
        yield part.table, part.address, words_of(part, share)


def words_of(register: Register, value: Any) -> list[int]:
    """``value`` as the device holds it."""
    if register.type == "str":
        content = value.encode().ljust(2 * register.words, b"\0")
        return list(struct.unpack(f">{register.words}H", content))
    if register.type in ("t5", "t6"):
        raw = round(value * 100)
        return [0xFE00 | raw >> 16, raw & 0xFFFF]
    raw = value / register.scale
    return list(encode(register, raw if register.type in ("f32", "f64") else round(raw)))
