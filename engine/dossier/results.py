"""The results of a dossier as files: the record of the cases, and of the tests."""

from collections.abc import Sequence

import msgspec

from engine.dossier.digests import CASES, TESTS
from engine.dossier.evidence import Run
from engine.dossier.record import TestRecord


def result_files(runs: Sequence[Run], record: TestRecord | None) -> dict[str, bytes]:
    """The files: a case a line; the tests as one record, if there is one."""
    files = {CASES: b"".join(msgspec.json.encode(run) + b"\n" for run in runs)}
    if record is not None:
        files[TESTS] = msgspec.json.encode(record) + b"\n"
    return files
