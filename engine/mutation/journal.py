"""What was found of mutants, one line of JSON each, so that a run that was interrupted goes on where it was.

A verdict holds as long as the station's code is what it was. A mutant that survived is judged anew when the tests
changed; one that was caught stays caught while the check that caught it is there.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from engine.mutation.checks import Measured, MutationError, Verdict

CODE = ("machines", "drivers", "engine")
NOT_CODE = "engine/mutation"
"""Changes of this change no verdict."""
TESTS = "tests"


class About(Struct, frozen=True, tag_field="line", tag="about"):
    """What the lines after it are about: sums of the files, and the tests that were asked for."""

    code: str
    tests: str
    paths: tuple[str, ...]


class MeasuredLine(Struct, frozen=True, tag_field="line", tag="measured"):
    """What is known of a check."""

    measured: Measured


class VerdictLine(Struct, frozen=True, tag_field="line", tag="verdict"):
    """What became of a mutant."""

    verdict: Verdict


_LINE = msgspec.json.Decoder(About | MeasuredLine | VerdictLine)


def about(root: Path, besides: Iterable[Path], paths: Iterable[str]) -> About:
    """What a run in the checkout ``root`` is about.

    Args:
        root: The checkout.
        besides: Folders of tests that are elsewhere.
        paths: What was asked for.
    """
    code = _sum(file for folder in CODE for file in _files(root / folder, root))
    tests = _sum(file for folder in (root / TESTS, *besides) for file in _files(folder, root))
    return About(code, tests, tuple(paths))


def _files(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_other = "__pycache__" in path.parts or path.is_relative_to(root / NOT_CODE)
        if path.is_file() and not is_other:
            yield path


def _sum(files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


class Journal:
    """A file of findings, and what it held when it was opened.

    Args:
        path: The file. Lines about other code are left behind.
        now: What is to be added.

    Raises:
        MutationError: It cannot be read or written, or is no journal.
    """

    def __init__(self, path: Path, now: About) -> None:
        self.verdicts: dict[str, Verdict] = {}
        """Those that still hold, by the name of the mutant."""
        self.measured: dict[str, Measured] = {}
        """What still holds of checks, by their names."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                self._read(path, now)
            self._file = path.open("wb")
        except OSError as error:
            raise MutationError(f"{path}: {error.strerror}") from error
        self._write(now)
        for measured in self.measured.values():
            self._write(MeasuredLine(measured))
        for verdict in self.verdicts.values():
            self._write(VerdictLine(verdict))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def keep(self, found: Measured | Verdict) -> None:
        """Write down what was found."""
        if isinstance(found, Measured):
            self.measured[found.check] = found
            self._write(MeasuredLine(found))
        else:
            self.verdicts[found.mutant] = found
            self._write(VerdictLine(found))

    def _write(self, line: Struct) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()

    def _read(self, path: Path, now: About) -> None:
        lines = path.read_bytes().split(b"\n")[:-1]  # the last one may be half a line
        try:
            found = [_LINE.decode(line) for line in lines]
        except msgspec.DecodeError as error:
            raise MutationError(f"{path}: found something else than findings of mutants: {error}") from error
        then = found[0] if found else None
        if not isinstance(then, About) or then.code != now.code:
            return
        for line in found:
            if isinstance(line, VerdictLine) and (line.verdict.is_caught or then == now):
                self.verdicts[line.verdict.mutant] = line.verdict
            elif isinstance(line, MeasuredLine) and then.tests == now.tests:
                self.measured[line.measured.check] = line.measured
