"""Whether the lines of a board are declared so that they make sense."""

from drivers.lines import INPUTS, OUTPUTS
from engine.declaration.layers import Layers, Table
from engine.declaration.problems import EntryPath, show_value

NEEDED = {"lock": "lock_closed", "lock_closed": "lock", "contactor_closed": "contactor"}
"""A lock and its feedback go together; a feedback without what it tells of says nothing."""


def lines_of(parameters: Table) -> dict[str, Table]:
    """The lines that are declared, by what they are for."""
    lines = parameters.get("lines", {})
    assert isinstance(lines, dict)
    return {role: line for role in (*OUTPUTS, *INPUTS) if isinstance(line := lines.get(role), dict)}


def check_lines(layers: Layers, path: EntryPath, connector: Table, parameters: Table) -> None:
    """Note what is wrong with the lines of ``connector``, which stands at ``path``."""
    declared = parameters.get("lines")
    if not isinstance(declared, dict):
        return
    place: EntryPath = (*path, "parameters", "lines")
    if "chip" not in declared:
        layers.refuse((*place, "chip"), "nothing", "the path of a chip, such as /dev/gpiochip0")
    lines = lines_of(parameters)
    if not lines:
        layers.refuse(place, "no lines", f"at least one of {', '.join((*OUTPUTS, *INPUTS))}")
    names: list[object] = []
    for role, line in lines.items():
        name = line.get("line")
        if name is None:
            layers.refuse((*place, role, "line"), "nothing", "the name of a line, or its number")
        elif name in names:
            layers.refuse((*place, role, "line"), f"{show_value(name)} again", "every line once")
        names.append(name)
        if NEEDED.get(role, role) not in lines:
            layers.refuse((*place, NEEDED[role]), "nothing", f"a line, as there is {role}")
    if "lock" in lines and connector.get("has_lock") is False:
        layers.refuse((*place, "lock"), "a lock", "nothing, as has_lock is false")
