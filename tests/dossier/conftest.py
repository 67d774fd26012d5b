"""A dossier of the station ``full`` from a few cases, made once."""

import pytest

from engine.conformance.cases import CASES
from engine.conformance.selection import select
from engine.dossier.build import build
from engine.dossier.digests import code_digest
from engine.dossier.record import FORMAT, Outcome, TestRecord, TestRun
from engine.dossier.standing import Standing
from engine.station_file import load

SELECTED = "003,041,060"
RECORD = TestRecord(
    FORMAT,
    code_digest(),
    (
        TestRun("tests/a.py::test_one[x]", Outcome.PASSED, ("heartbeat-1", "heartbeat-2")),
        TestRun("tests/a.py::test_one[y]", Outcome.FAILED, ("heartbeat-1",)),
        TestRun("tests/a.py::test_two", Outcome.PASSED, ("heartbeat-1",)),
        TestRun("tests/b.py::test_nothing", Outcome.SKIPPED, ()),
        TestRun("tests/conformance/test_cases.py::test_our_station_passes[TC_003]", Outcome.PASSED, ()),
    ),
)


def made(station="full", language="en", cases=SELECTED, *, with_pdf=False, record=RECORD, where=None):
    """The files of a dossier by path."""
    files, _ = build(
        load(station),
        station,
        select(CASES, cases),
        record=record,
        where=where or Standing(),
        language=language,
        with_pdf=with_pdf,
        jobs=1,
        tell=lambda _: None,
    )
    return files


@pytest.fixture(scope="session")
def dossier():
    return made()


@pytest.fixture(scope="session")
def german():
    return made("ac-smart", "de", "003,019,044_1", record=None)
