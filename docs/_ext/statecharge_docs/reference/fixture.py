"""The pytest fixture ``statecharge_station``: the methods of the station that it makes."""

import inspect
from collections.abc import Callable

from engine.virtual_station import VirtualStation
from statecharge_docs.reference.text import code, details, summary, table


def text() -> str:
    """How a station is made, and what it can do."""
    made = _arguments(VirtualStation, without="directory")
    arguments = table(("Argument", "Meaning"), parameters())
    body = []
    for name, method in vars(VirtualStation).items():
        if name.startswith("_"):
            continue
        if isinstance(method, property):
            body.append((code(name), summary(method)))
        elif inspect.isfunction(method):
            body.append(
                (code(f"{name}({_arguments(method)})"), f"{summary(method)} {details(method)}".strip())
            )
    methods = table(("Method", "Does"), body)
    return f"```python\nstatecharge_station({made})\n```\n\n{arguments}\n\n{methods}\n"


def parameters() -> list[tuple[str, str]]:
    """The arguments, as the docstring tells of them."""
    doc = inspect.getdoc(VirtualStation) or ""
    lines = doc.partition("Args:\n")[2].partition("\n\n")[0].splitlines()
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("     "):
            name, said = found[-1]
            found[-1] = (name, f"{said} {line.strip()}")
        else:
            name, _, said = line.strip().partition(": ")
            found.append((name, said))
    return [(code(name), said.replace("``", "`")) for name, said in found if name != "directory"]


def _arguments(method: Callable[..., object], without: str = "self") -> str:
    named = inspect.signature(method).parameters.values()
    kept = [each.replace(annotation=inspect.Parameter.empty) for each in named if each.name != without]
    return str(inspect.Signature(kept)).strip("()")
