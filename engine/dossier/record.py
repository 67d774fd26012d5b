"""The record of a run of the tests: what came of each, and which transitions it took."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from engine.dossier.digests import code_digest
from engine.dossier.errors import DossierError

FORMAT = 1


class Outcome(StrEnum):
    """What came of a test, as pytest says."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


SEVERITY = (Outcome.PASSED, Outcome.SKIPPED, Outcome.FAILED)


def worst(*outcomes: Outcome) -> Outcome:
    """The worst of several."""
    return max(outcomes, key=SEVERITY.index)


class TestRun(Struct, frozen=True):
    """One test."""

    __test__ = False

    id: str
    """As pytest calls it."""
    outcome: Outcome
    transitions: tuple[str, ...]
    """Ids of what it took, such as ``connector-12``."""


class TestRecord(Struct, frozen=True):
    """All tests of a run."""

    __test__ = False

    format: int
    code: str
    """SHA-256 of the code that was tested."""
    tests: tuple[TestRun, ...]

    @classmethod
    def of(cls, tests: Iterable[TestRun]) -> Self:
        """The record of ``tests`` with the code that runs here."""
        return cls(FORMAT, code_digest(), tuple(sorted(tests, key=lambda each: each.id)))


def read_record(file: Path) -> TestRecord:
    """The record in ``file``.

    Raises:
        DossierError: There is none, or it is of other code than runs here: its transitions may be other ones.
    """
    try:
        record = msgspec.json.decode(file.read_bytes(), type=TestRecord)
    except OSError as error:
        raise DossierError(f"{file}: {error.strerror}; make test writes it") from error
    except msgspec.DecodeError as error:
        raise DossierError(f"{file}: is no record of tests: {error}") from error
    if record.format != FORMAT:
        raise DossierError(f"{file}: found format {record.format}, allowed is {FORMAT}")
    if record.code != code_digest():
        raise DossierError(f"{file}: these tests ran with other code ({record.code[:12]}); run them again")
    return record
