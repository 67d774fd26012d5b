"""What ``statecharge play`` says before anything is played."""

import pytest
from click.testing import CliRunner

from engine.play.command import play


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Runs the command in an empty directory; gives exit code, lines of stdout and lines of stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(play, [str(argument) for argument in arguments])
        return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()

    return run


def test_the_shipped_scripts_are_listed(told):
    code, out, _ = told("--list")

    assert code == 0
    assert [line.split()[0] for line in out] == [
        "faults",
        "first-charge",
        "offline-and-back",
        "remote-start-and-stop",
    ]


def test_a_wrong_script_is_one_line_with_its_place(told, tmp_path):
    (tmp_path / "wrong.jsonl").write_text('{"script": "wrong"}\n{"dance": 1}\n')
    code, out, (line,) = told("wrong.jsonl")

    assert (code, out) == (2, [])
    assert line.startswith("statecharge: wrong.jsonl:2: found 'dance'")


def test_an_unknown_script_is_one_line_that_names_the_shipped_ones(told):
    code, out, (line,) = told("nothing")

    assert (code, out) == (2, [])
    assert "first-charge" in line


def test_a_speed_out_of_bounds_is_one_line(told):
    code, out, (line,) = told("first-charge", "--speed", "0")

    assert (code, out) == (2, [])
    assert line == "statecharge: speed 0: must be 0.1 to 1000"


def test_a_key_that_the_station_does_not_take_is_one_line(told, tmp_path):
    (tmp_path / "keys.jsonl").write_text('{"script": "keys", "keys": {"HeartbeatInterval": "soon"}}\n')
    code, out, (line,) = told("keys.jsonl")

    assert (code, out) == (2, [])
    assert "HeartbeatInterval" in line
    assert "soon" in line


def test_a_declaration_that_does_not_fit_is_told_as_that_of_a_station_file(told, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"script": "bad", "declares": "limits.call_timeout_s = 0"}\n')
    code, out, (line,) = told("bad.jsonl")

    assert (code, out) == (2, [])
    assert "call_timeout_s" in line
