"""What the log looks like."""

import fcntl
import json
import logging
import os

import pytest

from engine import log
from engine.log import JsonFormatter, PatientHandler, TextFormatter


def record(event, **fields):
    made = logging.makeLogRecord({"created": 0.0, "levelname": "INFO", "name": "statecharge.CP1"})
    made.event, made.fields, made.station = event, fields, "CP1"
    return made


@pytest.mark.parametrize(
    ("event", "fields", "shown"),
    [
        ("received", {"text": '[3,\n "1",\r\n {}]'}, r'< [3,\n "1",\r\n {}]'),
        ("connection closed", {"why": "bye\x1b[2J"}, r"connection closed why=bye\x1b[2J"),
        ("received", {"text": '["\u00e9\u4e2d\u2028"]'}, '< ["\u00e9\u4e2d\\u2028"]'),
    ],
)
def test_whatever_a_peer_sends_is_one_line_of_text(event, fields, shown):
    """Else it could write lines of the log, or move the terminal of who reads it."""
    assert TextFormatter().format(record(event, **fields)) == f"00:00:00.000 {shown}"


def test_whatever_a_peer_sends_is_one_line_of_json():
    line = JsonFormatter().format(record("received", text='[3,\n "1",\x1b{}]'))
    assert "\n" not in line
    assert json.loads(line)["text"] == '[3,\n "1",\x1b{}]'


# Who does not read


@pytest.fixture
def pipe():
    read, written = os.pipe()
    fcntl.fcntl(written, fcntl.F_SETPIPE_SZ, 16_384)
    with os.fdopen(written, "w", encoding="utf-8") as stream:
        handler = PatientHandler(stream)
        handler.setFormatter(JsonFormatter())
        yield handler, lambda: os.read(read, 65_536).splitlines(keepends=True)
    os.close(read)


@pytest.mark.parametrize("size", [100, 10_000])
def test_what_finds_no_room_is_lost_and_told_to_be(pipe, monkeypatch, size):
    """However long lines are: of one that does not fit the begin may be there."""
    monkeypatch.setattr(log, "PATIENCE_MS", 0)
    handler, read = pipe
    for number in range(200):
        handler.emit(record("said", number=number, text="x" * size))
    whole = [json.loads(line) for line in read() if line.endswith(b"\n")]
    handler.emit(record("heard"))
    told = [line for line in read() if line != b"\n"]

    assert [one["number"] for one in whole] == list(range(len(whole)))
    assert [json.loads(line)["event"] for line in told] == ["log lost", "heard"]
    assert json.loads(told[0])["lines"] == 200 - len(whole)


def test_what_is_read_is_not_lost(pipe):
    handler, read = pipe
    for number in range(200):
        handler.emit(record("said", number=number, text="x" * 3000))
        (line,) = read()
        assert json.loads(line)["number"] == number
