"""What came of a run: a result for each case, kept in a journal, so that an interrupted run can go on.

The journal is JSON Lines: the first line says what is run, each further one is the result of a case, written and
synchronised as soon as the case is over.
"""

import os
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.conformance.declared import Declared
from engine.conformance.trace import Line

JOURNAL = "journal.jsonl"
FORMAT = 1
"""Of the journal. A journal of another format is not resumed."""


OF_THE_PROGRAMME = re.compile(r"\d{3}(_\d+)?")
"""The id of a test case of the certification programme; a script has a name instead."""


class Verdict(StrEnum):
    """What came of a case."""

    PASSED = "passed"
    FAILED = "failed"
    """The station did other than the case says."""
    NOT_APPLICABLE = "not applicable"
    """The station does not offer what the case is about, or the rig lacks what it takes."""
    INCONCLUSIVE = "inconclusive"
    """The rig failed, or the station could not be brought to rest: nothing can be said of the station."""


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one case."""

    name: str
    """What no other case is called."""
    id: str
    title: str
    profile: str
    text: str = ""
    """What must be seen."""
    verdict: Verdict
    reason: str = ""
    """Why it did not pass, or why it does not apply. Nothing for one that passed."""
    began: datetime
    seconds: float
    """How long it took, on the clock of the station."""
    trace: tuple[Line, ...] = ()
    deviates_at: int | None = None
    """Place in the trace of the line at which the station did other than it must, if a line shows it."""

    @property
    def label(self) -> str:
        """For people: ``TC_012_CS (tethered)``; scripts have their own names."""
        if not OF_THE_PROGRAMME.fullmatch(self.id):
            return self.name
        variant = self.name.removeprefix(self.id).removeprefix("-").replace("-", " ")
        return f"TC_{self.id}_CS" + (f" ({variant})" if variant else "")


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run is about: the first line of its journal."""

    format: int = FORMAT
    version: str
    """Of Statecharge."""
    began: datetime
    identity: str
    """Of the station under test."""
    url: str
    """Where it connects."""
    rig: str
    seed: int | None
    select: str = ""
    scripts: str = ""
    declares: str = ""
    part: str = ""
    """Which of the selected cases, as ``2/6``."""
    speed: float = 1
    tolerance_s: float
    declared: Declared
    boot: dict[str, str] = {}
    """What the station said of itself in BootNotification, if it booted."""
    cases: tuple[str, ...]
    """The names of all cases, in the order in which they are run."""


class JournalError(Exception):
    """There is no journal that could be resumed. One line, for the user."""


class Journal:
    """The results of a run, on disk.

    Args:
        path: The file.
        header: Its first line.
        results: Those that it holds.
    """

    def __init__(self, path: Path, header: Header, results: Iterable[Result] = ()) -> None:
        self.path = path
        self.header = header
        self.results = list(results)

    @classmethod
    def begin(cls, directory: Path, header: Header) -> "Journal":
        """A new journal in ``directory``; one that is there is kept as ``journal-1.jsonl`` and so on.

        Raises:
            JournalError: It cannot be written.
        """
        path = directory / JOURNAL
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if path.exists():
                kept = (directory / f"journal-{number}.jsonl" for number in count(1))
                path.replace(next(each for each in kept if not each.exists()))
            journal = cls(path, header)
            journal._write(header)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}") from error
        return journal

    @classmethod
    def resume(cls, directory: Path) -> "Journal":
        """The journal in ``directory``. A last line that was not finished is taken away.

        Raises:
            JournalError: There is none, or it is none.
        """
        path = directory / JOURNAL
        try:
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]
            if len(whole) < len(text):
                with path.open("r+b") as file:
                    file.truncate(len(whole))
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}; there is nothing to resume") from error
        first, *rest = whole.splitlines() or [b""]
        try:
            header = msgspec.json.decode(first, type=Header)
            results = [msgspec.json.decode(line, type=Result) for line in rest]
        except msgspec.DecodeError as error:
            raise JournalError(f"{path}: {error}; it cannot be resumed") from error
        if header.format != FORMAT:
            raise JournalError(f"{path}: found format {header.format}, allowed is {FORMAT}")
        return cls(path, header, results)

    def add(self, result: Result) -> None:
        """Write a result; return when it is on disk.

        Raises:
            JournalError: It cannot be written.
        """
        try:
            self._write(result)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror or error}") from error
        self.results.append(result)

    def _write(self, entry: Struct) -> None:
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
