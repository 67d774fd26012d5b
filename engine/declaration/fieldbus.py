"""Whether devices on Modbus lines are declared so that they can be spoken to: a line each, and a map that fits."""

from pathlib import Path

from drivers.map_files import find_map
from drivers.register_map import RegisterMap
from drivers.strict_toml import FileError
from engine.declaration.layers import Layers, Table
from engine.declaration.lines import check_lines, lines_of
from engine.declaration.problems import EntryPath, show_value

MAPS = Path("/etc/statecharge/devices")
"""Where an installation keeps register maps of its own, unless it says otherwise (``maps``)."""


EVSE_POLL_S, EVSE_SILENT_AFTER_S, EVSE_WATCHDOG_S = 0.5, 3.0, 10.0
"""Of a controller where nothing else is declared (drivers/modbus_evse.py)."""

PATIENCE_MAX_S = 10.0
"""For a request, with its late window and its repetitions."""


def maps_folder(station: Path, stated: object) -> Path:
    """The folder of the installation's own register maps."""
    return station.parent / stated if isinstance(stated, str) else MAPS


def check_modbus(layers: Layers, path: EntryPath, connector: Table, parameters: Table) -> None:
    """Note what is wrong with the controller and the meter of ``connector``, which stands at ``path``."""
    place: EntryPath = (*path, "parameters")
    folder = maps_folder(layers.file, parameters.get("maps"))
    evse = parameters.get("evse")
    if isinstance(evse, dict):
        found = _check_device(layers, (*place, "evse"), evse, "evse", folder)
        if found is not None:
            _check_evse(layers, path, connector, parameters, found)
    meter = parameters.get("meter")
    if isinstance(meter, dict):
        if "map" not in meter:
            layers.refuse((*place, "meter", "map"), "nothing", "the name of a register map")
        _check_device(layers, (*place, "meter"), meter, "meter", folder)
    check_lines(layers, path, connector, parameters)


def can_switch_phases(station: Path, parameters: Table) -> bool:
    """Whether the controller or the board of a connector that is declared rightly can connect one phase or three."""
    evse = parameters["evse"]
    assert isinstance(evse, dict)
    found = find_map(str(evse["map"]), maps_folder(station, parameters.get("maps")))
    return "phases" in found.actions or "phases" in lines_of(parameters)


def _check_device(
    layers: Layers, path: EntryPath, device: Table, kind: str, folder: Path
) -> RegisterMap | None:
    if ("device" in device) is ("host" in device):
        found = "both" if "device" in device else "neither"
        layers.refuse(path, found, "device, a serial line, or host, a computer")
    if "device" in device and device.get("framing") == "tcp":
        layers.refuse((*path, "framing"), '"tcp"', '"rtu" on a serial line')
    _check_patience(layers, path, device)
    name, point = device.get("map"), device.get("point", 1)
    if not isinstance(name, str) or not isinstance(point, int):
        return None
    try:
        found_map = find_map(name, folder, point)
    except FileError as error:
        for problem in str(error).splitlines():
            layers.refuse((*path, "map"), show_value(name), f"the name of a register map: {problem}")
        return None
    if found_map.kind != kind:
        layers.refuse((*path, "map"), f"{show_value(name)}, of kind {found_map.kind}", f"one of kind {kind}")
        return None
    return found_map


def _check_patience(layers: Layers, path: EntryPath, device: Table) -> None:
    """Who waits for one device for too long starves the others, and the watchdog of the service."""
    timeout_s, retries = device.get("timeout_s", 1.0), device.get("retries", 1)
    window_s = device.get("late_window_s", timeout_s)
    if isinstance(timeout_s, int | float) and isinstance(window_s, int | float) and isinstance(retries, int):
        longest_s = (timeout_s + window_s) * (retries + 1)
        if longest_s > PATIENCE_MAX_S:
            found = f"{longest_s:g} s for a request that is not answered, with late_window_s and retries"
            layers.refuse((*path, "timeout_s"), found, f"at most {PATIENCE_MAX_S:g} s")


def _check_evse(
    layers: Layers, path: EntryPath, connector: Table, parameters: Table, found: RegisterMap
) -> None:
    """Whether the controller, with the board, can do what is declared of the connector."""
    place: EntryPath = (*path, "parameters", "evse")
    evse, lines = parameters["evse"], lines_of(parameters)
    assert isinstance(evse, dict)
    most_a = found.actions["set_current"].arguments["amps"].max
    stated_a = connector.get("current_max_a")
    if isinstance(stated_a, int | float) and stated_a > most_a:
        layers.refuse((*path, "current_max_a"), f"{stated_a:g}", f"at most {most_a:g}, with {found.name}")
    has_lock = {"lock", "unlock"} <= found.actions.keys() or "lock" in lines
    if connector.get("has_lock") is True and not has_lock:
        layers.refuse((*path, "has_lock"), "true", f"false: the map of {found.name} has no lock")
    _check_silence(layers, (*place, "stays_on_when_silent"), evse, found, has_contactor="contactor" in lines)
    if "watchdog" in found.actions:
        _check_watchdog(layers, place, evse)
    elif "watchdog_s" in evse:
        layers.refuse(
            (*place, "watchdog_s"), show_value(evse["watchdog_s"]), f"nothing: {found.name} has none"
        )


def _check_watchdog(layers: Layers, path: EntryPath, evse: Table) -> None:
    """A controller that hears from us too rarely takes the energy away between two turns, again and again."""
    declared = {"poll_s": EVSE_POLL_S, "silent_after_s": EVSE_SILENT_AFTER_S, "watchdog_s": EVSE_WATCHDOG_S}
    for name in declared:
        stated = evse.get(name, declared[name])
        if not isinstance(stated, int | float):
            return  # told as such
        declared[name] = stated
    turn_s, watchdog_s = min(declared["poll_s"], declared["silent_after_s"]), declared["watchdog_s"]
    if turn_s > watchdog_s / 2:
        layers.refuse(
            (*path, "watchdog_s"), f"{watchdog_s:g}", f"twice poll_s or silent_after_s at least, {turn_s:g}"
        )


def _check_silence(
    layers: Layers, path: EntryPath, evse: Table, found: RegisterMap, *, has_contactor: bool
) -> None:
    """Whether the energy goes when the controller falls silent, or whoever declares it knows that it does not."""
    goes_off = "watchdog" in found.actions or found.heartbeat is not None or has_contactor
    states_it = evse.get("stays_on_when_silent") is True
    if states_it and goes_off:
        layers.refuse(path, "true", "nothing: a watchdog or the contactor of the board takes the energy away")
    if not states_it and not goes_off:
        layers.refuse(
            path,
            "nothing",
            f"true, or a contactor among the lines: {found.name} has no watchdog, and charges on without us",
        )
