"""Pictures and pages as files."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from engine.diagrams import overview
from engine.diagrams.dot import dot
from engine.diagrams.errors import DiagramError
from engine.diagrams.markdown import page
from engine.diagrams.mermaid import mermaid
from engine.diagrams.picture import picture
from engine.diagrams.plantuml import plantuml
from engine.diagrams.render import render
from engine.diagrams.scxml import scxml
from machines import routes

FORMATS = ("mermaid", "dot", "svg", "png", "plantuml", "scxml", "md")
SUFFIXES = {"mermaid": "mmd", "plantuml": "puml"}
"""Where the name of a file does not end like its format."""


def names() -> tuple[str, ...]:
    """All that can be drawn: every kind of machine, and ``overview``."""
    return (*routes.KINDS, overview.NAME)


def checked(name: str) -> str:
    """``name``, if it can be drawn.

    Raises:
        DiagramError: There is no such machine.
    """
    if name in names():
        return name
    near = difflib.get_close_matches(name.lower().replace("-", "_"), names(), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}"
    raise DiagramError(f"no machine {name!r}: {hint}")


def drawing(name: str, file_format: str) -> bytes:
    """One picture or page.

    Raises:
        DiagramError: There is no such machine or format, or pygraphviz is not installed.
    """
    checked(name)
    is_overview = name == overview.NAME
    match file_format:
        case "md":
            text = page(name)
        case "mermaid":
            text = overview.mermaid() if is_overview else mermaid(picture(name, routes.KINDS[name]))
        case "plantuml":
            text = overview.plantuml() if is_overview else plantuml(picture(name, routes.KINDS[name]))
        case "scxml" if is_overview:
            raise DiagramError("no format 'scxml' for the overview: it is of one state machine")
        case "scxml":
            text = scxml(name, routes.KINDS[name])
        case "dot" | "svg" | "png":
            text = overview.dot() if is_overview else dot(picture(name, routes.KINDS[name]))
        case _:
            raise DiagramError(f"no format {file_format!r}: there are {', '.join(FORMATS)}")
    return render(text, file_format) if file_format in ("svg", "png") else text.encode()


def export(kinds: Sequence[str], file_format: str, out: Path) -> list[Path]:
    """Write ``kinds``, or all where none is named, to the folder ``out``, which is made where it is missing.

    Raises:
        DiagramError: There is no such machine or format, pygraphviz is not installed, or a file cannot be written.
            Nothing is written unless all can be drawn.
    """
    everything = routes.KINDS if file_format == "scxml" else names()
    drawn = {name: drawing(name, file_format) for name in dict.fromkeys(kinds or everything)}
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in drawn.items():
            path = out / f"{name}.{SUFFIXES.get(file_format, file_format)}"
            path.write_bytes(content)
            written.append(path)
    except OSError as error:
        raise DiagramError(f"cannot write to {out}: {error.strerror}") from error
    return written
