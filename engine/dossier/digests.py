"""What a dossier and a firmware are matched by: SHA-256 of the code, of the declaration, and of the results."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]
PACKAGES = ("drivers", "engine", "machines")
"""What the wallbox runs, and all that stands in its wheel."""
CASES, TESTS = "results/cases.jsonl", "results/tests.json"
RESULTS = (CASES, TESTS)
"""The files of a dossier that hold the record of the cases, and of the tests."""
SUFFIXES = (".css", ".html", ".json", ".jsonl", ".md", ".py", ".toml", ".typed")


class Digests(Struct, frozen=True, kw_only=True):
    """SHA-256 as hexadecimal digits."""

    code: str
    """Of every file of the packages machines, drivers and engine."""
    declaration: str
    """Of the merged declaration of the station, without its secret."""
    results: str
    """Of the record of the cases, and of the tests if there is one."""


def code_files(root: Path = ROOT) -> list[Path]:
    """The files of the code under ``root``, in order of their names."""
    found = [
        path
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    ]
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def code_digest(root: Path = ROOT) -> str:
    """SHA-256 over the files of the code: of each its name, its size and its bytes.

    It is the same for a checkout and for the wheel that was built from it.
    """
    digest = hashlib.sha256()
    for path in code_files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def results_digest(contents: Iterable[bytes]) -> str:
    """SHA-256 over the contents of the files of results, in their order, each with its size."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(f"{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
