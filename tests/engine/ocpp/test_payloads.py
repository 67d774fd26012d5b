"""Requests are read strictly, answers with lenience, and timestamps written in milliseconds."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct, structs

from engine.ocpp import payloads
from engine.ocpp.payloads import Accepted, Unusable
from machines.vocabulary.ocpp import (
    ACTIONS,
    AuthorizationStatus,
    BootNotificationConf,
    ClearCache,
    DataTransfer,
    DataTransferStatus,
    HeartbeatConf,
    MeterValue,
    MeterValues,
    RegistrationStatus,
    ReserveNow,
    SampledValue,
    StatusNotificationConf,
)
from machines.vocabulary.wire import CallError, ErrorCode

BOOT = '"currentTime":"2030-01-01T00:00:00Z","interval":300'


def request(action: str, payload: object):
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return payloads.decode_request(ACTIONS[action], Raw(text.encode()))


def conf(action: str, payload: str):
    return payloads.decode_conf(ACTIONS[action], Raw(payload.encode()))


RESERVATION = {"connectorId": 1, "expiryDate": "2030-01-01T00:00:00Z", "idTag": "A", "reservationId": 7}


def test_a_good_request_is_read():
    assert request("ReserveNow", RESERVATION) == ReserveNow(
        connector_id=1, expiry_date=datetime(2030, 1, 1, tzinfo=UTC), id_tag="A", reservation_id=7
    )


@pytest.mark.parametrize("payload", ["null", "{}"])
def test_an_empty_request_is_an_object_or_null(payload):
    assert request("ClearCache", payload) == ClearCache()


PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]},
}
SCHEDULE = PROFILE["chargingSchedule"]


def profile(**schedule):
    wrong = PROFILE | {"chargingSchedule": SCHEDULE | schedule}
    return {"connectorId": 1, "csChargingProfiles": wrong}


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Reset", {}, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
        ("ReserveNow", {"connectorId": 1}, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
        (
            "SetChargingProfile",
            profile(chargingSchedulePeriod=[{}]),
            ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
        ),
        ("Reset", {"type": 5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"connectorId": "1"}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"connectorId": 1.5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"idTag": None}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"expiryDate": 5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("SetChargingProfile", profile(chargingSchedulePeriod=[5]), ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("GetConfiguration", {"key": "HeartbeatInterval"}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("Reset", {"type": "Hard", "delay": 5}, ErrorCode.FORMATION_VIOLATION),
        ("ClearCache", {"all": True}, ErrorCode.FORMATION_VIOLATION),
        ("SetChargingProfile", profile(speed=1), ErrorCode.FORMATION_VIOLATION),
        ("Reset", {"type": "Hard", "Object missing required field": 5}, ErrorCode.FORMATION_VIOLATION),
        ("Reset", '{"type":}', ErrorCode.FORMATION_VIOLATION),
        ("Reset", '{"type": "\\ud800"}', ErrorCode.FORMATION_VIOLATION),
        ("Reset", {"type": "Firm"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("Reset", {"type": "hard"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("Reset", {"type": "Expected `str`, got `int`"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"idTag": "x" * 21}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"connectorId": -1}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"reservationId": 2**63}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"reservationId": 10**4000}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("ReserveNow", RESERVATION | {"expiryDate": "soon"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("UnlockConnector", {"connectorId": 0}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("SetChargingProfile", profile(chargingRateUnit="X"), ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("SetChargingProfile", profile(minChargingRate=6.25), ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (
            "GetCompositeSchedule",
            {"connectorId": 1, "duration": 60, "chargingRateUnit": "X"},
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
        ),
    ],
)
def test_a_bad_request_is_refused_with_the_code_for_what_is_wrong(action, payload, code):
    refused = request(action, payload)

    assert isinstance(refused, CallError)
    assert refused.code is code


def test_the_description_names_the_field():
    refused = request("SetChargingProfile", profile(chargingSchedulePeriod=[{"startPeriod": 0}]))

    assert "limit" in refused.description
    assert "$.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]" in refused.description


def test_the_description_is_short_and_printable():
    refused = request("ClearCache", {"\n\u202eé" * 300: 1})

    assert len(refused.description) <= 255
    assert refused.description.isascii()
    assert refused.description.isprintable()


def test_the_description_does_not_hold_the_value_of_a_key():
    secret = "00112233445566778899" * 30
    refused = request("ChangeConfiguration", {"key": "AuthorizationKey", "value": secret})

    assert "0011" not in refused.description


@pytest.mark.parametrize("field", ["type", "delay"])
def test_nesting_without_end_is_refused(field):
    assert isinstance(request("Reset", f'{{"{field}":' + "[" * 50_000 + "]" * 50_000 + "}"), CallError)


@pytest.mark.parametrize("payload", ["null", "{}"])
def test_an_empty_answer_is_an_object_or_null(payload):
    assert conf("StatusNotification", payload) == Accepted(StatusNotificationConf())


def test_an_unknown_field_of_an_answer_is_forgiven():
    answer = conf("BootNotification", f'{{"status":"Accepted",{BOOT},"vendor":{{"x":1}}}}')

    assert answer.conf == BootNotificationConf(
        status=RegistrationStatus.ACCEPTED, current_time=datetime(2030, 1, 1, tzinfo=UTC), interval=300
    )
    assert answer.forgiven == ("unknown field vendor",)


def test_an_unknown_field_inside_an_answer_is_forgiven():
    answer = conf("Authorize", '{"idTagInfo":{"status":"Accepted","user":"me"}}')

    assert answer.conf.id_tag_info.status is AuthorizationStatus.ACCEPTED


@pytest.mark.parametrize("action", ["Authorize", "StartTransaction", "StopTransaction"])
def test_an_unknown_authorization_status_is_invalid(action):
    rest = ',"transactionId":1' if action == "StartTransaction" else ""
    answer = conf(action, f'{{"idTagInfo":{{"status":"NoCredit"}}{rest}}}')

    assert answer.conf.id_tag_info.status is AuthorizationStatus.INVALID
    assert answer.forgiven == ("unknown AuthorizationStatus NoCredit",)


def test_an_unknown_registration_status_is_rejected():
    answer = conf("BootNotification", f'{{"status":"accepted",{BOOT}}}')

    assert answer.conf.status is RegistrationStatus.REJECTED


def test_an_unknown_data_transfer_status_is_rejected():
    assert conf("DataTransfer", '{"status":"Maybe"}').conf.status is DataTransferStatus.REJECTED


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("BootNotification", "{}"),
        ("BootNotification", f'{{"status":5,{BOOT}}}'),
        ("BootNotification", "[]"),
        ("Heartbeat", '{"currentTime":"soon"}'),
        ("StartTransaction", '{"idTagInfo":{"status":"Accepted"}}'),
        ("StartTransaction", '{"idTagInfo":{"status":"Accepted"},"transactionId":"1"}'),
        ("StartTransaction", f'{{"idTagInfo":{{"status":"Accepted"}},"transactionId":{2**63}}}'),
        ("StatusNotification", "5"),
        ("StatusNotification", '"no"'),
        ("StatusNotification", '{"x":'),
        ("StatusNotification", '{"x":' + "[" * 50_000 + "]" * 50_000 + "}"),
        ("Reset", '{"status":"Scheduled"}'),
    ],
)
def test_an_answer_that_says_less_than_it_must_is_unusable(action, payload):
    assert isinstance(conf(action, payload), Unusable)


def test_the_last_moment_of_the_calendar_is_read_however_finely_it_is_counted():
    answer = conf("Heartbeat", '{"currentTime":"9999-12-31T23:59:59.9999999Z"}')

    assert answer.conf.current_time == datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


VALUES = (SampledValue(value="1"),)


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(0, "00:00:00Z"), (123456, "00:00:00.123Z"), (500000, "00:00:00.500Z"), (999, "00:00:00Z")],
)
def test_timestamps_are_sent_in_utc_with_at_most_three_decimals(microsecond, text):
    midnight = datetime(2030, 1, 1, 2, 0, 0, microsecond, tzinfo=timezone(timedelta(hours=2)))
    values = MeterValues(connector_id=1, meter_value=(MeterValue(timestamp=midnight, sampled_value=VALUES),))

    sent = json.loads(payloads.encode(values))

    assert sent["meterValue"] == [{"timestamp": f"2030-01-01T{text}", "sampledValue": [{"value": "1"}]}]


def test_a_text_that_looks_like_a_timestamp_is_sent_as_it_is():
    text = "2030-01-01T00:00:00.123000Z"

    assert json.loads(payloads.encode(DataTransfer(vendor_id="x", data=text)))["data"] == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_survives_the_wire(time):
    sent = HeartbeatConf(current_time=time)

    assert conf("Heartbeat", payloads.encode(sent).decode()).conf == sent


def moments(kind, seen):
    """Names on the wire of the fields of ``kind``, and of all within it, that are moments."""
    if isinstance(kind, type) and issubclass(kind, Struct) and kind not in seen:
        seen.add(kind)
        for field in structs.fields(kind):
            yield from ((field.encode_name, leaf) for leaf in leaves(field.type))
            for leaf in leaves(field.type):
                yield from moments(leaf, seen)


def leaves(kind):
    """``kind`` without Annotated, None and containers around it."""
    parts = get_args(kind)
    if not parts:
        return [kind]
    return [leaf for part in parts for leaf in leaves(part)]


def test_every_moment_that_may_be_sent_is_written_in_milliseconds():
    """All fields of this type in all payloads, however deep."""
    seen: set[type] = set()
    found = {
        name
        for action in ACTIONS.values()
        for kind in (action.request, action.conf)
        for name, leaf in moments(kind, seen)
        if leaf is datetime
    }

    assert {"timestamp", "currentTime", "expiryDate", "startSchedule"} <= found
    for name in found:
        text = b'{"%s":"2026-01-01T00:00:00.123000Z"}' % name.encode()
        assert payloads._MICROSECONDS.sub(b"", text) == text.replace(b"000Z", b"Z"), name


def test_a_text_of_somebody_that_looks_like_a_moment_stays():
    text = '"timestamp":"2026-01-01T00:00:00.123000Z"'
    sent = payloads.encode(DataTransfer(vendor_id="V", data=text))

    assert json.loads(sent)["data"] == text
