"""What the log looks like."""

import json
import logging

import pytest

from engine.log import JsonFormatter, TextFormatter


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
