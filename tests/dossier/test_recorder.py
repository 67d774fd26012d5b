"""The plugin that records what tests take of the machines."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.dossier.digests import code_digest
from engine.dossier.errors import DossierError
from engine.dossier.record import FORMAT, Outcome, read_record
from machines.heartbeat import Heartbeat
from machines.machine import rows

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
from machines.heartbeat import Heartbeat
from machines.machine import NoData, _compile
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted


def test_that_takes_one():
    Heartbeat(NoData()).handle(KeyChanged("heartbeat_interval"), None)


def test_that_takes_none():
    pass


def test_that_replaces_what_it_takes(monkeypatch):
    monkeypatch.setattr(Heartbeat, "begin", lambda self: None)
    monkeypatch.setattr(Heartbeat, "_table", _compile(Heartbeat), raising=False)
    Heartbeat(NoData()).handle(RegistrationAccepted(60), None)


def test_that_fails():
    Heartbeat(NoData()).handle(KeyChanged("heartbeat_interval"), None)
    raise ValueError


def test_that_is_skipped():
    pytest.skip("for a test")


@pytest.fixture
def broken():
    yield
    raise ValueError


def test_whose_end_fails(broken):
    pass
"""


@pytest.fixture(params=[[], ["-n", "2"]], ids=["in one process", "in several"])
def record(request, tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    file = tmp_path / "out" / "tests.json"
    arguments = [
        "-q",
        "-p",
        "engine.dossier.recorder",
        "--transitions",
        file,
        "-c",
        "/dev/null",
        "--rootdir",
        tmp_path,
    ]
    subprocess.run(
        [sys.executable, "-m", "pytest", *map(str, arguments), *request.param, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return read_record(file)


def test_each_test_has_what_it_took_and_what_came_of_it(record):
    (number,) = (
        number
        for number, row in enumerate(rows(Heartbeat), start=1)
        if (row.source, row.message.__name__) == ("silent", "KeyChanged")
    )
    found = {test.id.partition("::")[2]: (test.outcome, test.transitions) for test in record.tests}
    assert found == {
        "test_that_takes_one": (Outcome.PASSED, (f"heartbeat-{number}",)),
        "test_that_takes_none": (Outcome.PASSED, ()),
        "test_that_replaces_what_it_takes": (Outcome.PASSED, ()),
        "test_that_fails": (Outcome.FAILED, (f"heartbeat-{number}",)),
        "test_that_is_skipped": (Outcome.SKIPPED, ()),
        "test_whose_end_fails": (Outcome.FAILED, ()),
    }
    assert record.code == code_digest()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory; make test writes it"),
        ("{", "is no record of tests"),
        (
            f'{{"format": {FORMAT + 1}, "code": "", "tests": []}}',
            f"found format {FORMAT + 1}, allowed is {FORMAT}",
        ),
        (f'{{"format": {FORMAT}, "code": "abc", "tests": []}}', r"these tests ran with other code \(abc\)"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_in_one_line(content, why, tmp_path):
    file = tmp_path / "tests.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DossierError, match=rf"^[^\n]*tests\.json: {why}[^\n]*$"):
        read_record(file)
