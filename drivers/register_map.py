"""What a device has at which register, as declared by a file; and which requests read it. Pure.

Values have names of their own (``power_w``, ``pilot``), so that no code ever sees the address of a register.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from drivers.registers import Register, Value, decode, scaled
from machines.vocabulary.hardware import HardwareFault, MeterReading

METER_VALUES = MeterReading.__struct_fields__
EVSE_VALUES = (
    "pilot",
    "cable_a",
    "offered_a",
    "current_limit_a",
    "allowed",
    "locked",
    "fault_bits",
    "phases",
    "duty_percent",
    "digital_inputs",
    "digital_outputs",
    "token",
)
"""``current_limit_a`` and ``allowed`` are what was written; ``offered_a`` is what the pilot says now."""
SERIAL_NUMBER = "serial_number"
"""Of the meter, also of one within a controller: another number is another meter."""
KINDS = ("meter", "evse")


class Bus(Struct, frozen=True, kw_only=True):
    """How to talk to the device, unless the installation says otherwise."""

    transport: str
    """rtu or tcp."""
    unit: int
    baudrate: int
    parity: str
    stopbits: int
    port: int
    timeout_s: float
    max_registers: int
    """Registers in one request."""
    max_gap: int
    """Registers that are read along rather than sending two requests."""
    point_step: int
    """Added to every address for each charging point of a controller that has several."""


class Quantity(Struct, frozen=True, kw_only=True):
    """How one value is had."""

    parts: tuple[Register, ...]
    """Added up."""
    exponent: Register | None = None
    """A power of ten that stands in a register of its own."""
    fallback: Register | None = None
    """Read instead when the device does not know ``parts``."""
    bit: int | None = None
    """The value is this bit of the number."""


class Range(Struct, frozen=True, kw_only=True):
    """Bounds of a value or an argument, both allowed."""

    min: float
    max: float


class Demand(Struct, frozen=True, kw_only=True):
    """A value that the device must have been set to."""

    equals: int
    write: Register | None
    """Where we set it ourselves; None: a person must."""
    only_socket: bool
    hint: str


class Write(Struct, frozen=True, kw_only=True):
    """One register or coil to be written."""

    register: Register
    value: int | str
    """A number, or the name of an argument."""


class Action(Struct, frozen=True, kw_only=True):
    """Something that a device can be told."""

    arguments: Mapping[str, Range]
    writes: tuple[Write, ...]


class Heartbeat(Struct, frozen=True, kw_only=True):
    """What has to be written again and again, or the device takes us for dead."""

    period_s: float
    writes: tuple[Write, ...]


class FaultBit(Struct, frozen=True, kw_only=True):
    """What a bit of ``fault_bits`` means."""

    fault: HardwareFault
    info: str


class RegisterMap(Struct, frozen=True, kw_only=True):
    """One device, as its file declares it."""

    id: str
    kind: str
    """meter or evse."""
    name: str
    verified: bool
    """Checked against the maker's documents, as opposed to hearsay."""
    sources: tuple[str, ...]
    note: str
    bus: Bus
    values: Mapping[str, Quantity]
    probe: Mapping[str, Range]
    """What values must look like at the start; another word order does not."""
    pilots: Mapping[str, str]
    """What ``pilot`` reads, and which state that is; ``unknown`` for a moment."""
    demands: Mapping[str, Demand]
    faults: Mapping[int, FaultBit]
    actions: Mapping[str, Action]
    heartbeat: Heartbeat | None
    energy_modulus_wh: int | None
    """After this the energy register begins again at 0; None: it never does."""


class Block(Struct, frozen=True, kw_only=True):
    """Neighbours that are read by one request."""

    table: str
    address: int
    count: int
    registers: tuple[Register, ...]


Words = Mapping[Register, Sequence[int]]
"""What the device answered, by register. Those that it does not have are missing."""


def registers_of(quantities: Collection[Quantity], refused: Collection[Register]) -> set[Register]:
    """All registers that must be read for ``quantities`` when the device does not know ``refused``."""
    wanted: set[Register] = set()
    for quantity in quantities:
        is_whole = not any(part in refused for part in quantity.parts)
        wanted.update(quantity.parts if is_whole or quantity.fallback is None else (quantity.fallback,))
        if quantity.exponent is not None:
            wanted.add(quantity.exponent)
    return wanted.difference(refused)


def plan(registers: Collection[Register], bus: Bus, apart: Collection[Register] = ()) -> tuple[Block, ...]:
    """The fewest requests, in order of address, that read ``registers``; those ``apart`` one by one."""
    blocks: list[Block] = []
    for register in sorted(registers, key=lambda each: (each.table, each.address, each.words, each.type)):
        last = blocks[-1] if blocks else None
        if last is not None and not _is_apart(last, register, apart) and _fits(last, register, bus):
            end = max(last.address + last.count, register.end)
            blocks[-1] = Block(
                table=last.table,
                address=last.address,
                count=end - last.address,
                registers=(*last.registers, register),
            )
        else:
            blocks.append(
                Block(
                    table=register.table,
                    address=register.address,
                    count=register.words,
                    registers=(register,),
                )
            )
    return tuple(blocks)


def value_of(quantity: Quantity, words: Words) -> Value:
    """The value of ``quantity``; None if the device does not have it."""
    values = [decode(part, words[part]) if part in words else None for part in quantity.parts]
    fallback = quantity.fallback
    if any(value is None for value in values) and fallback is not None and fallback in words:
        values = [decode(fallback, words[fallback])]
    if any(value is None for value in values):
        return None
    if isinstance(values[0], str | bool):
        return values[0]
    number: float = sum(value for value in values if isinstance(value, int | float))
    if quantity.bit is not None:
        return bool(int(number) >> quantity.bit & 1)
    if quantity.exponent is not None:
        power = decode(quantity.exponent, words[quantity.exponent]) if quantity.exponent in words else None
        if not isinstance(power, int):
            return None
        number = scaled(number, 10.0**power if power < 0 else 10**power)
    return scaled(number, 1)


def _is_apart(block: Block, register: Register, apart: Collection[Register]) -> bool:
    return register in apart or any(each in apart for each in block.registers)


def _fits(block: Block, register: Register, bus: Bus) -> bool:
    end = block.address + block.count
    return (
        block.table == register.table
        and register.address - end <= bus.max_gap
        and max(end, register.end) - block.address <= bus.max_registers
    )
