"""Register maps from files: those that are shipped, and those of an installation, which come first."""

from pathlib import Path

from drivers.register_map import (
    EVSE_VALUES,
    KINDS,
    METER_VALUES,
    SERIAL_NUMBER,
    Action,
    Bus,
    Demand,
    FaultBit,
    Heartbeat,
    Quantity,
    Range,
    RegisterMap,
    Write,
)
from drivers.registers import BIT_TABLES, EXPONENTS, NO_VALUES, TABLES, TYPES, WORD_ORDERS, Register, words_of
from drivers.strict_toml import FileError, Table, read_table
from machines.vocabulary.hardware import HardwareFault, PilotState

SHIPPED = Path(__file__).with_name("devices")
ADDRESSES = 0x10000
REGISTERS_MAX = 125
"""In one reply (Modbus Application Protocol 1.1b3, section 6.3)."""
SCALE_MAX = 1e9
NUMBER_MAX = 2**63
REQUIRED_ACTIONS = ("set_current", "allow", "forbid")
ARGUMENTS = {"set_current": ("amps",), "watchdog": ("amps", "seconds"), "phases": ("three",)}
"""What the actions with arguments are told; others have none."""
ACTIONS = (
    *REQUIRED_ACTIONS,
    *("available", "unavailable", "lock", "unlock", "force_unlock"),
    *("phases", "watchdog", "reset", "clear_token"),
)
UNKNOWN = "unknown"


def find_map(name: str, folder: Path | None, point: int = 1) -> RegisterMap:
    """The map of the device ``name``.

    Args:
        name: Its id, which is the name of its file too.
        folder: Of the installation; a file there counts instead of a shipped one.
        point: Which charging point of a controller that has several, from 1.

    Raises:
        FileError: There is no such map, or it is wrong.
    """
    for place in (folder, SHIPPED):
        if place is not None and (file := place / f"{name}.toml").is_file():
            return load_map(file, point)
    known = sorted({file.stem for place in (folder, SHIPPED) if place for file in place.glob("*.toml")})
    raise FileError(f"there is no register map {name!r}, allowed: {', '.join(known)}")


def load_map(file: Path, point: int = 1) -> RegisterMap:
    """Read one file.

    Raises:
        FileError: It is wrong: every problem, with its line and what is allowed.
    """
    notes, top = read_table(file)
    found = _Reader(top, point).read()
    if found.id != file.stem:
        top.refuse("id", f'"{found.id}"', f'"{file.stem}", as the file')
    notes.finish()
    return found


class _Reader:
    """Goes once through a file."""

    def __init__(self, top: Table, point: int) -> None:
        self._top = top
        self._point = point
        self._defaults = top.table("defaults")
        self._step = 0

    def read(self) -> RegisterMap:
        top = self._top
        top.whole("schema", 1, 1)
        kind = top.text("kind", choices=KINDS)
        bus = self._bus(top.table("bus"))
        self._step = bus.point_step
        require = top.table("require")
        demanded = tuple(require.each())
        values = self._values(top.table("values"), kind, demanded)
        found = RegisterMap(
            id=top.text("id"),
            kind=kind,
            name=top.text("name"),
            verified=top.flag("verified", default=True),
            sources=top.texts("sources"),
            note=top.text("note", default=""),
            bus=bus,
            values=values,
            probe=self._ranges(top.table("probe"), tuple(values)),
            pilots=self._pilots(top.table("pilot"), kind),
            demands={
                name: demand
                for name in demanded
                if (demand := self._demand(require.table(name), values.get(name))) is not None
            },
            faults=self._faults(top.table("faults"), values),
            actions=self._actions(top.table("actions"), kind),
            heartbeat=self._heartbeat(top.table("heartbeat")) if "heartbeat" in top else None,
            energy_modulus_wh=(
                top.whole("energy_modulus_wh", 1000, 10**18) if "energy_modulus_wh" in top else None
            ),
        )
        self._check_whole(found)
        for name in ("table", "type", "word_order", "no_value"):
            self._defaults.anything(name)
        self._defaults.close()
        top.close()
        return found

    def _check_whole(self, found: RegisterMap) -> None:
        needed = "energy_import_wh" if found.kind == "meter" else "pilot"
        if needed not in found.values:
            self._top.refuse("values", f"no {needed}", f"{needed} and others")
        if found.kind == "meter":
            for name in ("pilot", "faults", "actions", "heartbeat", "require"):
                if name in self._top:
                    self._top.refuse(name, "a table", "nothing: the device is a meter")

    def _bus(self, table: Table) -> Bus:
        bus = Bus(
            transport=table.text("transport", choices=("rtu", "tcp")),
            unit=table.whole("unit", 0, 255),
            baudrate=table.whole("baudrate", 300, 1_000_000, default=9600),
            parity=table.text("parity", default="N", choices=("N", "E", "O")),
            stopbits=table.whole("stopbits", 1, 2, default=1),
            port=table.whole("port", 1, 65_535, default=502),
            timeout_s=table.number("timeout_s", 0.01, 10),
            max_registers=table.whole("max_registers", 1, REGISTERS_MAX),
            max_gap=table.whole("max_gap", 0, REGISTERS_MAX),
            point_step=table.whole("point_step", 0, 10_000, default=0),
        )
        table.close()
        return bus

    def _values(self, table: Table, kind: str, demanded: tuple[str, ...]) -> dict[str, Quantity]:
        known = (*METER_VALUES, SERIAL_NUMBER, *(() if kind == "meter" else (*EVSE_VALUES, *demanded)))
        values: dict[str, Quantity] = {}
        for name in table.each():
            entry = table.table(name)
            if name not in known:
                table.refuse(name, f"the unknown name {name!r}", f"one of {', '.join(known)}")
            else:
                values[name] = self._quantity(entry)
        return values

    def _quantity(self, entry: Table) -> Quantity:
        parts = entry.tables("parts")
        exponent = self._register(entry.table("exponent"), is_whole=True) if "exponent" in entry else None
        fallback = self._register(entry.table("fallback"), is_whole=True) if "fallback" in entry else None
        bit = entry.whole("bit", 0, 63) if "bit" in entry else None
        if parts:
            registers = tuple(self._register(part, is_whole=True) for part in parts)
            entry.close()
        else:
            registers = (self._register(entry, is_whole=True),)
        return Quantity(parts=registers, exponent=exponent, fallback=fallback, bit=bit)

    def _register(self, entry: Table, *, is_whole: bool) -> Register:
        """The register that ``entry`` tells of; nothing else may stand there if it ``is_whole``."""
        defaults = self._defaults
        table = entry.text("table", defaults.text("table", "holding", TABLES), TABLES)
        kind = entry.text("type", defaults.text("type", "u16", TYPES), TYPES)
        if table in BIT_TABLES:
            kind = "bit"
        elif kind == "bit":
            entry.refuse("type", '"bit"', "this type only in the tables coil and discrete")
        words = entry.whole("words", 1, REGISTERS_MAX, default=1) if kind == "str" else words_of(kind)
        register = Register(
            table=table,
            address=entry.whole("address", 0, ADDRESSES - words) + self._step * self._point,
            words=words,
            type=kind,
            word_order=entry.text("word_order", defaults.text("word_order", "big", WORD_ORDERS), WORD_ORDERS),
            scale=entry.number("scale", -SCALE_MAX, SCALE_MAX, default=1),
            no_value=entry.text("no_value", defaults.text("no_value", "none", NO_VALUES), NO_VALUES),
        )
        if register.end > ADDRESSES:
            allowed = f"at most {ADDRESSES - words - self._step * self._point} at point {self._point}"
            entry.refuse("address", str(register.address), allowed)
        if register.scale == 0:
            entry.refuse("scale", "0", "any other number")
        if is_whole:
            entry.close()
        return register

    def _ranges(self, table: Table, known: tuple[str, ...]) -> dict[str, Range]:
        ranges: dict[str, Range] = {}
        for name in table.each():
            if name not in known:
                table.anything(name)
                table.refuse(name, f"the unknown name {name!r}", f"one of {', '.join(known)}")
            else:
                ranges[name] = self._range(table.table(name))
        return ranges

    def _range(self, table: Table) -> Range:
        found = Range(
            min=table.number("min", -NUMBER_MAX, NUMBER_MAX), max=table.number("max", -NUMBER_MAX, NUMBER_MAX)
        )
        if found.min > found.max:
            table.refuse("min", f"{found.min:g}", f"at most max, {found.max:g}")
        table.close()
        return found

    def _pilots(self, table: Table, kind: str) -> dict[str, str]:
        states = tuple(PilotState)
        pilots = {
            name: table.text(name, choices=(*states, UNKNOWN)) for name in table.each(r"[A-Za-z0-9]{1,4}")
        }
        if kind == "evse" and not set(states[:3]) <= set(pilots.values()):
            self._top.refuse(
                "pilot", ", ".join(pilots.values()) or "nothing", "texts for A, B and C at least"
            )
        return pilots

    def _demand(self, table: Table, quantity: Quantity | None) -> Demand | None:
        register = quantity.parts[0] if quantity else None
        demand = Demand(
            equals=table.whole("equals", 0, 0xFFFF),
            write=register if table.flag("write", default=False) else None,
            only_socket=table.flag("only_socket", default=False),
            hint=table.text("hint", default=""),
        )
        if register is None:
            table.refuse("equals", "no value of this name", "a name that stands in [values]")
        table.close()
        return demand

    def _faults(self, table: Table, values: dict[str, Quantity]) -> dict[int, FaultBit]:
        faults: dict[int, FaultBit] = {}
        names = tuple(fault for fault in HardwareFault if fault is not HardwareFault.NOT_LOCKED)
        for name in table.each(r"[0-9]|[1-5][0-9]|6[0-3]"):
            if isinstance(table.anything(name), dict):
                entry = table.table(name)
                fault = entry.text("fault", choices=names)
                faults[int(name)] = FaultBit(fault=HardwareFault(fault), info=entry.text("info", default=""))
                entry.close()
            else:
                faults[int(name)] = FaultBit(fault=HardwareFault(table.text(name, choices=names)), info="")
        if faults and "fault_bits" not in values:
            self._top.refuse("faults", "bits", "nothing without the value fault_bits")
        return faults

    def _actions(self, table: Table, kind: str) -> dict[str, Action]:
        actions: dict[str, Action] = {}
        for name in table.each():
            if name not in ACTIONS:
                table.anything(name)
                table.refuse(name, f"the unknown name {name!r}", f"one of {', '.join(ACTIONS)}")
            else:
                actions[name] = self._action(table.table(name), ARGUMENTS.get(name, ()))
        for name in REQUIRED_ACTIONS if kind == "evse" else ():
            if name not in actions:
                self._top.refuse("actions", f"no {name}", f"at least {', '.join(REQUIRED_ACTIONS)}")
        return actions

    def _action(self, table: Table, names: tuple[str, ...]) -> Action:
        arguments = table.table("arguments")
        ranges = {name: self._range(arguments.table(name)) for name in names}
        arguments.close()
        action = Action(arguments=ranges, writes=self._writes(table, names))
        table.close()
        return action

    def _writes(self, table: Table, names: tuple[str, ...]) -> tuple[Write, ...]:
        writes: list[Write] = []
        for entry in table.tables("writes"):
            value = entry.anything("value")
            allowed = f"a whole number{''.join(f' or {{{name}}}' for name in names)}"
            is_argument = isinstance(value, str) and value[:1] + value[-1:] == "{}" and value[1:-1] in names
            if type(value) is not int and not is_argument:
                entry.refuse("value", repr(value), allowed)
                value = 0
            register = self._register(entry, is_whole=True)
            if register.table not in ("holding", "coil"):
                entry.refuse("table", register.table, "holding or coil")
            if register.type in (*EXPONENTS, "str", "f32", "f64"):
                entry.refuse("type", register.type, "a whole number")
            assert isinstance(value, int | str)
            writes.append(Write(register=register, value=value[1:-1] if isinstance(value, str) else value))
        return tuple(writes)

    def _heartbeat(self, table: Table) -> Heartbeat:
        heartbeat = Heartbeat(period_s=table.number("period_s", 0.1, 3600), writes=self._writes(table, ()))
        table.close()
        return heartbeat
