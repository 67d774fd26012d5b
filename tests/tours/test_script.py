from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conformance import script as scripts
from engine.conformance.script import (
    Answered,
    Answers,
    Asks,
    Call,
    Expects,
    Header,
    Script,
    ScriptError,
    Wait,
    decode,
    encode,
)
from engine.conformance.stimuli import (
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PlugIn,
    PressStop,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Swipe,
    Unplug,
)
from machines.vocabulary.ocpp import ACTIONS, ChargePointErrorCode

SECONDS = st.floats(0, 1e6).map(lambda seconds: round(seconds, 3))
MEMBERS = st.dictionaries(
    st.sampled_from(["connectorId", "status", "idTag"]),
    st.none() | st.integers(0, 9) | st.text("abc", max_size=3) | st.lists(st.integers(0, 3), max_size=2),
    max_size=2,
)
REPORTED = st.sampled_from([name for name, action in ACTIONS.items() if action.from_charge_point])
COMMANDED = st.sampled_from([name for name, action in ACTIONS.items() if action.from_central_system])
CALLS = st.lists(st.builds(Call, REPORTED, MEMBERS), max_size=3).map(tuple)
POLICIES = st.one_of(
    st.builds(Answers, REPORTED, with_=MEMBERS, after_s=SECONDS),
    st.builds(Answers, REPORTED, error=st.just("InternalError")),
    st.builds(Answers, REPORTED, nothing=st.just(True)),
    st.builds(Answers, REPORTED, usual=st.just(True), after_s=SECONDS),
)
REQUESTS = st.one_of(
    st.builds(Asks, COMMANDED, MEMBERS, within_s=SECONDS),
    st.builds(Asks, COMMANDED, MEMBERS, expect=MEMBERS),
    st.builds(Asks, COMMANDED, error=st.just("NotSupported")),
    st.builds(Asks, COMMANDED, nothing=st.just(True)),
)
STIMULI = st.sampled_from(
    [
        PlugIn(2),
        Unplug(side="vehicle"),
        Pause(),
        Resume(),
        Swipe("CARD", 2),
        Swipe("CARD"),
        PressStop(emergency=True),
        RaiseFault(ChargePointErrorCode.GROUND_FAILURE, 0, "wet"),
        ClearFault(ChargePointErrorCode.GROUND_FAILURE),
        JamLock(),
        FreeLock(),
        FailPilot(),
        RepairPilot(),
        SilenceMeter(True),
        FailPower(),
        CutPower(2.5),
        CutLink(),
        RestoreLink(),
        SendData("org.example", "Ping"),
    ]
)
STEPS = st.one_of(
    STIMULI,
    st.builds(Wait, SECONDS, CALLS, st.booleans()),
    REQUESTS,
    POLICIES,
    st.builds(Expects, CALLS, CALLS, SECONDS),
    st.builds(Answered, REPORTED, MEMBERS, within_s=SECONDS),
)
HEADERS = st.builds(
    Header,
    st.sampled_from(["tour-017", "a"]),
    st.text(max_size=5),
    st.just("full"),
    st.dictionaries(st.sampled_from(["ConnectionTimeOut"]), st.text("0123", max_size=3)),
    st.sampled_from(["", '[transactions]\nrecovery = "resume"\n']),
    SECONDS,
    SECONDS,
    st.lists(st.text("ab/ ", max_size=4), max_size=2).map(tuple),
)
SCRIPTS = st.builds(Script, HEADERS, st.lists(STEPS, max_size=4).map(tuple))


@given(SCRIPTS)
def test_what_is_written_reads_as_the_same(script):
    assert decode(encode(script)) == script


def test_a_script_reads_as_its_module_says():
    example = (scripts.__doc__ or "").split("::\n\n")[1].split("\n\n")[0]
    script = decode(example)
    assert script.header == Header("remote-1", "Remote start", "full", {"ConnectionTimeOut": "60"})
    assert script.steps[-1] == Wait(60)
    assert [type(step).__name__ for step in script.steps] == [
        "Answers", "Expects", "PlugIn", "Expects", "Asks", "Wait",
    ]  # fmt: skip


def test_empty_lines_and_remarks_are_passed_over():
    assert decode('# why\n\n{"script": "a"}\n  # what\n{"wait": 1}\n').steps == (Wait(1),)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "Input data was truncated"),
        ("[]", "found '[]', allowed is one JSON object a line"),
        ('{"doo": 1}', "found 'doo', a step has one of 'do', 'wait', "),
        ("{}", "found nothing, a step has one of"),
        ('{"do": "plug-out"}', "Invalid value 'plug-out' - at `$.do`"),
        ('{"do": "plug-in", "connector": 0}', "Expected `int` >= 1 - at `$.connector`"),
        ('{"do": "plug-in", "plug": 1}', "Object contains unknown field `plug`"),
        ('{"wait": -1}', "Expected `float` >= 0.0 - at `$.wait`"),
        ('{"wait": "1"}', "Expected `float`, got `str` - at `$.wait`"),
        ('{"request": "Authorize"}', "found action 'Authorize', allowed is one of DataTransfer, "),
        (
            '{"request": "Reset", "expect": {}, "error": "InternalError"}',
            "allowed is one of 'expect', 'error'",
        ),
        ('{"request": "Reset", "error": "Sorry"}', "found error 'Sorry', allowed is one of NotImplemented, "),
        ('{"answers": "Reset", "usual": true}', "found action 'Reset', allowed is one of Authorize, "),
        ('{"answers": "Authorize"}', "wanted is exactly one of 'with', 'error', 'nothing' and 'usual'"),
        ('{"answers": "Authorize", "with": {}, "usual": true}', "wanted is exactly one of"),
        ('{"expect": [{"action": "Boot"}]}', "found action 'Boot', allowed is one of"),
        ('{"expect": [], "optional": [{"action": "Boot"}]}', "found action 'Boot', allowed is one of"),
        ('{"wait": 1, "optional": [{"action": "Boot"}]}', "found action 'Boot', allowed is one of"),
        ('{"answered": "Boot"}', "found action 'Boot', allowed is one of"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_what_is_allowed(line, complaint):
    with pytest.raises(ScriptError) as raised:
        decode(f'{{"script": "a"}}\n\n{line}\n', "tours/a.jsonl")
    text = str(raised.value)
    assert text.startswith("tours/a.jsonl:3: ")
    assert complaint in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a.jsonl: found nothing, wanted is a header"),
        ('{"wait": 1}', "a.jsonl:1: Object contains unknown field `wait`"),
        ('{"script": "A B"}', "a.jsonl:1: Expected `str` matching regex"),
        ('{"script": "a", "keys": {"A": 1}}', "a.jsonl:1: Expected `str`, got `int` - at `$.keys[...]`"),
    ],
)
def test_a_header_that_is_wrong_is_named(text, complaint):
    with pytest.raises(ScriptError) as raised:
        decode(text, "a.jsonl")
    assert str(raised.value).startswith(complaint)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ScriptError) as raised:
        scripts.read(Path("/nowhere/a.jsonl"))
    assert str(raised.value).startswith("/nowhere/a.jsonl: ")


def test_a_time_from_now_is_a_time_of_day_when_it_is_sent():
    payload = {"expiryDate": "now+90.5s", "list": [{"from": "now", "note": "nowhere"}], "n": 1}
    assert scripts.at(payload, datetime(2026, 1, 1, tzinfo=UTC)) == {
        "expiryDate": "2026-01-01T00:01:30.500Z",
        "list": [{"from": "2026-01-01T00:00:00.000Z", "note": "nowhere"}],
        "n": 1,
    }


def test_a_script_tells_what_its_rig_must_do():
    script = decode('{"script": "a"}\n{"do": "plug-in"}\n{"do": "unplug"}\n{"do": "plug-in"}\n{"wait": 1}')
    assert {kind.__name__ for kind in script.stimuli} == {"PlugIn", "Unplug"}
