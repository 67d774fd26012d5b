"""The bench: every path, from the table that serves them and the words of the stimuli."""

from collections.abc import Iterator

from engine import bench
from engine.bench_stimuli import FAULTS
from engine.conformance.stimuli import KINDS, kind_name
from statecharge_docs.reference.text import code, summary, table
from statecharge_docs.reference.types import fields

SAID = {kind_name(kind): summary(kind) for kind in KINDS}
STATION = {
    "/connectors/0/fault": "Cause a fault of the station itself.",
    "/connectors/0/clear-fault": "Remove its cause.",
}


def text() -> str:
    """Every path, then the bodies that they take, then the faults."""
    parts = [table(("Request", "Does", "Body"), paths()), "## Bodies"]
    for path, body in bench.PATHS.items():
        if body.__struct_fields__ and not path.startswith("/connectors/0/"):
            parts.append(f"### `{path}`\n\n{fields(body, is_linked=False)}")
    faults = ", ".join(code(name) for name in FAULTS)
    parts.append(f"## Faults\n\nWhat `errorCode` may be: {faults}.")
    return "\n\n".join(parts) + "\n"


def paths() -> Iterator[tuple[str, str, str]]:
    """Each request that is served."""
    yield code("GET /health"), "Whether the bench is there.", ""
    yield code("GET /state"), "Every machine, its state and its data; hardware, connection and queue.", ""
    for path, body in bench.PATHS.items():
        members = ", ".join(code(field) for field in body.__struct_encode_fields__)
        yield code(f"POST {path}"), STATION.get(path) or SAID[stimulus(path)], members


def stimulus(path: str) -> str:
    """The name of what a path does, as scripts call it."""
    parts = path.strip("/").split("/")
    return "-".join(parts) if parts[0] == "link" else parts[-1]
