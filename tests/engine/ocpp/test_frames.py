"""Every frame that can arrive has one defined outcome (OCPP-J 1.6, 4.2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import frames
from engine.ocpp.redaction import loggable
from machines.vocabulary.ocpp import Heartbeat, MeterValuesConf, RemoteStartTransaction
from machines.vocabulary.wire import CallError, ErrorCode

SIZE_MAX = 1000


def decode(text: str | bytes) -> frames.Frame:
    return frames.decode(text, SIZE_MAX)


def test_a_call_is_read():
    call = decode('[2, "19223201", "Reset", {"type": "Hard"}]')

    assert (call.call_id, call.action, bytes(call.payload)) == ("19223201", "Reset", b'{"type": "Hard"}')


@pytest.mark.parametrize("payload", ["null", "{}", "{ }"])
def test_a_call_may_have_an_empty_payload(payload):
    assert isinstance(decode(f'[2, "1", "ClearCache", {payload}]'), frames.Call)


def test_a_result_is_read():
    result = decode('[3,"1",{"status":"Accepted"}]')

    assert (result.call_id, bytes(result.payload)) == ("1", b'{"status":"Accepted"}')


def test_an_error_is_read():
    assert decode('[4,"1","GenericError","no",{}]') == frames.Error("1", "GenericError", "no")


@pytest.mark.parametrize(
    "code", ["FormatViolation", "OccurrenceConstraintViolation", "RpcFrameworkError", "x"]
)
def test_an_error_may_have_any_code(code):
    assert decode(f'[4,"1","{code}","",{{}}]') == frames.Error("1", code, "")


@pytest.mark.parametrize("text", ['[4,"1"]', '[4,"1",null,null,null]', '[4,"1",5,6]'])
def test_an_error_that_says_nothing_still_ends_its_call(text):
    assert decode(text) == frames.Error("1", "", "")


def test_a_result_without_payload_still_ends_its_call():
    assert bytes(decode('[3,"1"]').payload) == b"{}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[2,",
        '[2,"1","Reset",{}] and more',
        '[2,"1","Reset",{"type":}]',
        "{}",
        '"text"',
        "null",
        "42",
        b"\xff\xfe",
        '[2,"\\ud800","Reset",{}]',
        "[" * 500,
    ],
)
def test_what_is_no_json_array_is_not_answered(text):
    assert decode(text).call_id is None


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_call_with_a_number_that_is_none_is_refused_by_its_id(number):
    refused = decode(f'[2,"1","SetChargingProfile",{{"limit": {number}, "other": [{number}]}}]')
    assert (refused.call_id, refused.error.code) == ("1", "FormationViolation")
    for text in (
        f'[3,"1",{{"limit":{number}}}]',
        f'[2,"1","Reset",{{"a":{number}',
        f"{number}",
        f"[{number}]",
    ):
        assert decode(text).call_id is None


def test_nesting_without_end_is_not_answered():
    assert frames.decode("[" * 100_000, 10**6).call_id is None
    assert (
        frames.decode('[2,"1","Reset",{"type":' + "[" * 100_000 + "]" * 100_000 + "}]", 10**6).call_id is None
    )


@pytest.mark.parametrize(
    "text", ["[]", "[2]", '[2,1,"Reset",{}]', '[2,null,"Reset",{}]', '[2,["1"],"Reset",{}]', "[3,{}]"]
)
def test_a_frame_without_a_usable_id_is_not_answered(text):
    assert decode(text).call_id is None


@pytest.mark.parametrize("kind", ["0", "1", "5", '"2"', "2.0", "true", "null", "-2", "22"])
def test_another_message_type_is_not_answered(kind):
    assert decode(f'[{kind},"1","Reset",{{}}]').call_id is None


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1"]',
        '[2,"1","Reset"]',
        '[2,"1","Reset",{},{}]',
        '[2,"1",5,{}]',
        '[2,"1",null,{}]',
        '[2,"1","Reset",[]]',
        '[2,"1","Reset","{}"]',
        '[2,"1","Reset",5]',
    ],
)
def test_a_call_of_wrong_elements_is_a_formation_violation(text):
    refused = decode(text)

    assert (refused.call_id, refused.error.code) == ("1", ErrorCode.FORMATION_VIOLATION)


def test_a_call_id_may_have_36_characters():
    assert isinstance(decode(f'[2,"{"x" * 36}","ClearCache",{{}}]'), frames.Call)


def test_a_longer_call_id_is_a_formation_violation_and_echoed():
    refused = decode(f'[2,"{"x" * 37}","ClearCache",{{}}]')

    assert (refused.call_id, refused.error.code) == ("x" * 37, ErrorCode.FORMATION_VIOLATION)


def test_the_size_of_a_frame_is_counted_in_bytes():
    text = '[2,"1","DataTransfer",{"vendorId":"' + "é" * 100 + '"}]'
    size = len(text.encode())

    assert isinstance(frames.decode(text, size), frames.Call)
    assert frames.decode(text, size - 1).call_id is None


@given(st.text() | st.binary())
def test_any_text_has_an_outcome(text):
    assert isinstance(decode(text), frames.Frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.lists(JSON, max_size=6), st.sampled_from([2, 3, 4]))
def test_any_array_has_an_outcome(elements, kind):
    assert isinstance(decode(json.dumps([kind, *elements])), frames.Frame)


def test_a_call_is_encoded():
    text = frames.encode_call("1", RemoteStartTransaction(id_tag="A"))

    assert text == '[2,"1","RemoteStartTransaction",{"idTag":"A"}]'


def test_an_empty_payload_is_encoded_as_an_object():
    assert frames.encode_call("1", Heartbeat()) == '[2,"1","Heartbeat",{}]'
    assert frames.encode_result("1", MeterValuesConf()) == '[3,"1",{}]'


def test_an_id_is_echoed_as_it_came():
    call_id = 'a"\\\né'

    assert json.loads(frames.encode_result(call_id, MeterValuesConf()))[1] == call_id


def test_an_error_is_encoded_with_empty_details():
    text = frames.encode_error("1", CallError(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, "no idTag"))

    assert text == '[4,"1","OccurenceConstraintViolation","no idTag",{}]'


def test_a_description_is_cut_to_255_characters():
    text = frames.encode_error("1", CallError(ErrorCode.GENERIC_ERROR, "x" * 300))

    assert len(json.loads(text)[3]) == 255


def test_a_password_under_a_key_in_numbers_is_not_logged():
    text = r'[2,"1","ChangeConfiguration",{"key":"\u0041uthorizationKey","value":"00112233"}]'

    assert loggable(text) == '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]'


@pytest.mark.parametrize("text", [r"[2,\u0041", r'[2,"1","DataTransfer",{"vendorId": "\u0041"}]'])
def test_numbers_that_hide_nothing_are_logged_as_they_came(text):
    assert loggable(text) == text


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey"])
@pytest.mark.parametrize("value", ["00112233", 'quoted \\" 00112233'])
def test_the_password_is_not_logged(key, value):
    text = f'[2,"1","ChangeConfiguration",{{"key": "{key}", "value" : "{value}"}}]'

    assert loggable(text) == f'[2,"1","ChangeConfiguration",{{"key": "{key}", "value" : "***"}}]'


def test_other_values_are_logged():
    text = '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]'

    assert loggable(text) == text


@pytest.mark.parametrize("slashes", ["//", "\\/\\/"])
def test_who_logs_in_in_a_url_is_not_logged(slashes):
    text = f'[2,"1","UpdateFirmware",{{"location":"ftp:{slashes}maker:s3cret@files.example/fw","at":"a@b"}}]'
    assert loggable(text) == text.replace("maker:s3cret@", "***@")


@pytest.mark.parametrize("password", ["s3/cret", "s3?cret", "12c/ret", r"s3\/cret@x", "1c#ret"])
def test_a_password_that_is_not_written_as_it_must_be_is_not_logged(password):
    text = f'[2,"1","UpdateFirmware",{{"location":"ftp://maker:{password}@files.example/fw","at":"a@b"}}]'
    assert loggable(text) == text.replace(f"maker:{password}@", "***@")


@pytest.mark.parametrize("location", ["https://host:8080/a@b", "https://host/a:b@c", "ftp://host:21"])
def test_a_location_that_hides_nothing_is_logged_as_it_came(location):
    text = f'[2,"1","UpdateFirmware",{{"location":"{location}","at":"a@b"}}]'
    assert loggable(text) == text


def test_what_may_be_a_token_in_the_location_of_a_file_is_not_logged():
    text = '[2,"1","UpdateFirmware",{"location":"https://maker:s3cret@h/fw?sig=a\\"b%2F&x=1","retrieveDate":"x?y"}]'
    shown = '[2,"1","UpdateFirmware",{"location":"https://***@h/fw?***","retrieveDate":"x?y"}]'
    assert loggable(text) == shown
