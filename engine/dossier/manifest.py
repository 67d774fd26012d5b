"""The manifest of a dossier: what it belongs to, and every file of it. It needs no more than the core."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.dossier.digests import Digests
from engine.dossier.errors import DossierError
from engine.dossier.transitions import Transition

FILE = "manifest.json"
FORMAT = 1


class Stated(Struct, frozen=True, kw_only=True):
    """A transition, so that dossiers and firmware can be compared row by row, whatever its number is."""

    id: str
    kind: str
    source: str
    message: str
    guards: tuple[str, ...]
    action: str
    target: str
    clause: str

    @property
    def sense(self) -> tuple[object, ...]:
        """All of it but its number."""
        return self.kind, self.source, self.message, self.guards, self.action, self.target, self.clause

    def __str__(self) -> str:
        """For people."""
        guards = f" [{', '.join(self.guards)}]" if self.guards else ""
        return f"{self.kind}: {self.source} -> {self.target} on {self.message}{guards} ({self.clause})"


class Manifest(Struct, frozen=True, kw_only=True):
    """What a dossier is."""

    format: int
    version: str
    """Of Statecharge."""
    station: str
    """How STATION was named."""
    language: str
    made: str
    digests: Digests
    transitions: tuple[Stated, ...]
    files: dict[str, str]
    """SHA-256 of each file of the dossier but this one, by path."""


def stated(transitions: Iterable[Transition]) -> tuple[Stated, ...]:
    """The transitions as the manifest has them."""
    return tuple(
        Stated(
            id=each.id,
            kind=each.kind,
            source=each.row.source,
            message=each.row.message.__name__,
            guards=tuple(name if expected else f"not {name}" for name, expected in each.row.guards),
            action=each.row.action,
            target=each.row.target,
            clause=each.row.clause,
        )
        for each in transitions
    )


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each of ``files``."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}


def read_manifest(directory: Path) -> Manifest:
    """The manifest of the dossier in ``directory``.

    Raises:
        DossierError: There is none.
    """
    file = directory / FILE
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except OSError as error:
        raise DossierError(f"{file}: {error.strerror}; allowed is the folder of a dossier") from error
    except msgspec.DecodeError as error:
        raise DossierError(f"{file}: is no manifest: {error}") from error
    if manifest.format != FORMAT:
        raise DossierError(f"{file}: found format {manifest.format}, allowed is {FORMAT}")
    return manifest
