"""Timestamps, decimals and the table of actions."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from machines.vocabulary.ocpp import (
    ACTIONS,
    Authorize,
    AuthorizeConf,
    ChargingSchedule,
    ChargingSchedulePeriod,
    HeartbeatConf,
    IdTagInfo,
    ReserveNow,
    action_of,
)


def current_time(text: str) -> datetime:
    return msgspec.json.decode(f'{{"currentTime": "{text}"}}', type=HeartbeatConf).current_time


@pytest.mark.parametrize(
    "text",
    [
        "2030-06-01T12:00:00Z",
        "2030-06-01T12:00:00+00:00",
        "2030-06-01T14:00:00+02:00",
        "2030-06-01T05:30:00-06:30",
        "2030-06-01T12:00:00.000Z",
        "2030-06-01T12:00:00.0000001Z",
        "2030-06-01t12:00:00z",
    ],
)
def test_a_timestamp_is_read_with_fractions_and_any_offset(text):
    assert current_time(text) == datetime(2030, 6, 1, 12, tzinfo=UTC)


def test_a_timestamp_without_a_zone_is_utc():
    assert current_time("2030-06-01T12:00:00") == datetime(2030, 6, 1, 12, tzinfo=UTC)


def test_a_timestamp_is_kept_in_utc():
    assert current_time("2030-06-01T14:00:00+02:00").tzinfo is UTC


def test_a_timestamp_is_cut_to_milliseconds():
    assert current_time("2030-06-01T12:00:00.123987Z").microsecond == 123000


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("9999-12-31T23:59:59-05:00", datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_timestamp_whose_utc_is_outside_the_calendar_is_its_end(text, nearest):
    assert current_time(text) == nearest


@pytest.mark.parametrize("text", ["", "now", "2030-06-01", "12:00:00Z", "2030-13-01T12:00:00Z"])
def test_what_is_no_timestamp_is_refused(text):
    with pytest.raises(msgspec.ValidationError):
        current_time(text)


def test_a_timestamp_made_in_python_is_normalised_too():
    zone = timezone(timedelta(hours=2))
    conf = HeartbeatConf(current_time=datetime(2030, 6, 1, 14, 0, 0, 123987, tzinfo=zone))

    assert msgspec.json.encode(conf) == b'{"currentTime":"2030-06-01T12:00:00.123000Z"}'


@pytest.mark.parametrize("limit", [0, 0.1, 0.3, 6.7, 16, 21.3, 32.0, 11040.9, 1e300])
def test_a_limit_with_at_most_one_decimal_is_taken(limit):
    text = f'{{"startPeriod": 0, "limit": {limit}}}'

    assert msgspec.json.decode(text, type=ChargingSchedulePeriod).limit == limit


@pytest.mark.parametrize("limit", [0.05, 6.71, 16.25, 21.333])
def test_a_limit_with_more_decimals_is_refused(limit):
    with pytest.raises(msgspec.ValidationError, match="at most one decimal in `limit`"):
        msgspec.json.decode(f'{{"startPeriod": 0, "limit": {limit}}}', type=ChargingSchedulePeriod)


def test_the_start_of_a_schedule_is_normalised_too():
    text = """{"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
        "startSchedule": "2030-06-01T14:00:00+02:00", "minChargingRate": 6.1}"""
    schedule = msgspec.json.decode(text, type=ChargingSchedule)

    assert (schedule.start_schedule, schedule.start_schedule.tzinfo) == (
        datetime(2030, 6, 1, 12, tzinfo=UTC),
        UTC,
    )


def test_absent_fields_are_not_encoded():
    conf = AuthorizeConf(id_tag_info=IdTagInfo(status="Accepted"))

    assert msgspec.json.encode(conf) == b'{"idTagInfo":{"status":"Accepted"}}'


def test_an_empty_parent_id_tag_is_none():
    """Decision AU4; whatever it comes with."""
    reserve = """{"connectorId": 1, "expiryDate": "2030-06-01T14:00:00+02:00", "idTag": "A", "reservationId": 1,
        "parentIdTag": ""}"""

    assert (
        msgspec.json.decode('{"status": "Accepted", "parentIdTag": ""}', type=IdTagInfo).parent_id_tag is None
    )
    assert msgspec.json.decode(reserve, type=ReserveNow).parent_id_tag is None
    assert msgspec.json.decode(reserve, type=ReserveNow).expiry_date == datetime(2030, 6, 1, 12, tzinfo=UTC)


def test_a_payload_knows_its_action():
    assert action_of(Authorize(id_tag="A")) is ACTIONS["Authorize"]
    assert action_of(AuthorizeConf(id_tag_info=IdTagInfo(status="Accepted"))) is ACTIONS["Authorize"]


def test_every_payload_bears_the_name_of_its_action():
    for name, action in ACTIONS.items():
        assert (action.name, action.request.__name__, action.conf.__name__) == (name, name, f"{name}Conf")


def test_only_data_transfer_goes_both_ways():
    both = [
        action.name for action in ACTIONS.values() if action.from_charge_point and action.from_central_system
    ]
    neither = [
        action.name
        for action in ACTIONS.values()
        if not action.from_charge_point and not action.from_central_system
    ]

    assert (both, neither) == (["DataTransfer"], [])


def test_actions_belong_to_the_six_feature_profiles():
    sizes = {}
    for action in ACTIONS.values():
        sizes[action.profile] = sizes.get(action.profile, 0) + 1

    assert sizes == {
        "Core": 16,
        "FirmwareManagement": 4,
        "LocalAuthListManagement": 2,
        "Reservation": 2,
        "SmartCharging": 3,
        "RemoteTrigger": 1,
    }
