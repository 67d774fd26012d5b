"""The devices that are reached by shipped register maps: from the maps themselves."""

from collections.abc import Iterator

from drivers.map_files import SHIPPED, load_map
from drivers.register_map import KINDS, Bus, RegisterMap
from statecharge_docs.reference.text import code

TITLES = {"meter": "Meters", "evse": "Controllers"}


def text() -> str:
    """Every map, meters and controllers apart."""
    maps = [load_map(file) for file in sorted(SHIPPED.glob("*.toml"))]
    parts = []
    for kind in KINDS:
        parts.append(f"## {TITLES[kind]}")
        parts += [told(each) for each in maps if each.kind == kind]
    return "\n\n".join(parts) + "\n"


def told(device: RegisterMap) -> str:
    """One map: how the device is reached, what it can do, and where that is written."""
    return "\n".join([f"### {code(device.id)}\n", f"{device.name}. {device.note}\n", *facts(device)])


def facts(device: RegisterMap) -> Iterator[str]:
    """The lines of a list."""
    yield f"- Bus, unless the installation says otherwise: {bus(device.bus)}"
    yield f"- Reads: {', '.join(map(code, device.values))}"
    if device.actions:
        yield f"- Does: {', '.join(map(code, device.actions))}"
    if device.kind == "evse":
        has_watchdog = "watchdog" in device.actions or device.heartbeat is not None
        yield f"- Watchdog: {'yes' if has_watchdog else 'none'}"
    yield f"- Sources: {'; '.join(device.sources)}"
    yield f"- Checked against documents of the maker: {'yes' if device.verified else 'no'}"


def bus(found: Bus) -> str:
    """How to talk to a device."""
    if found.transport == "tcp":
        return f"Modbus/TCP, port {found.port}, unit {found.unit}"
    return f"Modbus RTU, {found.baudrate} baud, {found.parity}{found.stopbits}, unit {found.unit}"
