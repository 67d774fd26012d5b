"""What is wrong with the frames of a Central System, whatever a script is about."""

import json
import logging

import pytest

from engine.log import EventLog
from engine.play.complaints import complaints
from engine.play.transcript import Transcript

AUTHORIZE = [2, "1", "Authorize", {"idTag": "CARD"}]
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
HEARTBEAT = [2, "2", "Heartbeat", {}]
NOW = {"currentTime": "2026-01-01T00:00:00Z"}


def found(*happened, excused=()):
    """Texts of failures and remarks. A list is a frame that the station sent, any other text one it received."""
    transcript = Transcript()
    log = EventLog("TEST", frames=True)
    with transcript.of("TEST", lambda _entry: None):
        for each in happened:
            match each:
                case ("event", what):
                    log(what, why="test")
                case ("received", frame):
                    log("received", text=frame if isinstance(frame, str) else json.dumps(frame))
                case _:
                    log("sent", text=json.dumps(each))
    made = list(complaints(transcript.entries, excused))
    return [each.text for each in made if each.is_failure], [
        each.text for each in made if not each.is_failure
    ]


@pytest.fixture(autouse=True)
async def in_trio():
    """A transcript tells who waits for it, so it lives in a Trio run."""


async def test_a_conversation_without_fault_gives_none():
    happened = [AUTHORIZE, ("received", [3, "1", ACCEPTED]), HEARTBEAT, ("received", [3, "2", NOW])]
    asked = [("received", [2, "a", "ClearCache", {}]), [3, "a", {"status": "Accepted"}]]

    assert found(*happened, *asked) == ([], [])


async def test_an_answer_that_lacks_what_it_must_say_is_a_failure():
    failures, _ = found(AUTHORIZE, ("received", [3, "1", {}]))

    assert failures == ["Authorize.conf: Object missing required field `idTagInfo`"]


async def test_an_answer_that_says_more_is_a_remark():
    assert found(AUTHORIZE, ("received", [3, "1", {**ACCEPTED, "colour": "red"}])) == (
        [],
        ["Authorize.conf: unknown field colour"],
    )


async def test_a_call_error_is_a_failure_unless_it_is_excused():
    happened = [AUTHORIZE, ("received", [4, "1", "GenericError", "no database", {}])]

    assert found(*happened) == (["Authorize was answered with GenericError: no database"], [])
    assert found(*happened, excused={"1"}) == ([], [])


async def test_a_call_that_was_given_up_was_not_answered():
    happened = [AUTHORIZE, HEARTBEAT, ("received", [3, "2", NOW])]

    assert found(*happened) == (["Authorize was not answered"], [])


async def test_an_answer_after_that_is_late():
    happened = [AUTHORIZE, HEARTBEAT, ("received", [3, "1", ACCEPTED]), ("received", [3, "2", NOW])]

    assert found(*happened) == (["Authorize was not answered"], ["Authorize was answered too late"])


@pytest.mark.parametrize("end", ["connection closed", "station started"])
async def test_what_died_with_its_connection_needs_no_answer(end):
    assert found(AUTHORIZE, ("event", end), HEARTBEAT, ("received", [3, "2", NOW])) == ([], [])


async def test_an_answer_to_nothing_is_a_failure():
    assert found(("received", [3, "9", {}])) == (["an answer to no CALL of the station"], [])


@pytest.mark.parametrize("text", ["hello", "[2]", "{}", '[9,"1",{}]'])
async def test_what_is_no_frame_is_a_failure(text):
    (failure,), _ = found(("received", text))

    assert failure.startswith("no frame of OCPP-J: ")


async def test_a_malformed_call_is_a_failure_and_one_that_is_not_offered_a_remark():
    malformed = [4, "a", "TypeConstraintViolation", "connectorId is no integer", {}]
    refused = [4, "b", "NotSupported", "", {}]
    happened = [
        *(("received", [2, "a", "ReserveNow", {}]), malformed),
        *(("received", [2, "b", "ClearCache", {}]), refused),
    ]

    assert found(*happened) == (
        ["ReserveNow was refused: TypeConstraintViolation: connectorId is no integer"],
        ["ClearCache was refused: NotSupported"],
    )


async def test_the_log_is_left_as_it_was():
    logger = logging.getLogger("statecharge.TEST")
    found(AUTHORIZE)

    assert (logger.level, logger.handlers) == (logging.NOTSET, [])
