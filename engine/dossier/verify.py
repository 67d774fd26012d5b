"""Whether a dossier is whole, and belongs to the code and the declaration that are here."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from engine.declaration.station import Station
from engine.dossier import manifest as manifests
from engine.dossier.digests import RESULTS, code_digest, results_digest
from engine.dossier.manifest import Manifest, stated
from engine.dossier.transitions import all_transitions

SHOWN = 12
"""Differences that are told one by one."""


def differences(directory: Path, manifest: Manifest, station: Station) -> list[str]:
    """What is different, one line each; nothing if the dossier in ``directory`` is whole and belongs here."""
    found = [*_files(directory, manifest), *_code(manifest)]
    if station.hash != manifest.digests.declaration:
        found.append(
            f"declaration: {station.path} is {station.hash[:16]}, the dossier {manifest.digests.declaration[:16]}"
        )
    return found


def _files(directory: Path, manifest: Manifest) -> Iterator[str]:
    for path, digest in manifest.files.items():
        file = directory / path
        if not file.is_file():
            yield f"{path}: is missing"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            yield f"{path}: was changed"
    present = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    yield from (
        f"{path}: does not belong to it"
        for path in sorted(present - manifest.files.keys() - {manifests.FILE})
    )
    results = [directory / name for name in RESULTS if (directory / name).is_file()]
    if results_digest(each.read_bytes() for each in results) != manifest.digests.results:
        yield "results: not those of the dossier"


def _code(manifest: Manifest) -> Iterator[str]:
    here = code_digest()
    if here == manifest.digests.code:
        return
    yield f"code: here runs {here[:16]}, the dossier is of {manifest.digests.code[:16]} (version {manifest.version})"
    ours = Counter(str(each) for each in stated(all_transitions()))
    theirs = Counter(str(each) for each in manifest.transitions)
    changed = [f"transition only in the dossier: {each}" for each in theirs - ours]
    changed += [f"transition only here: {each}" for each in ours - theirs]
    yield from changed[:SHOWN]
    if len(changed) > SHOWN:
        yield f"and {len(changed) - SHOWN} more transitions"
