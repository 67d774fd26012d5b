"""Profiles that real back ends send wrong, as bytes: the right answer, and nothing changed."""

import json

import pytest
from msgspec import Raw

from engine.ocpp.payloads import decode_request
from machines.smart_charging.answers import set_answer
from machines.smart_charging.profiles import Refusal, install
from machines.vocabulary.ocpp import ACTIONS
from machines.vocabulary.wire import CallError
from tests.smart_charging.payloads import payload
from tests.smart_charging.setting import BOUNDS, NOW_S

GOOD = json.dumps(payload("default", {0: 10, 60: 16.5}, start_s=NOW_S))
START = '"startSchedule": "2027-01-15T08:00:00Z"'


def answered(text: str) -> str:
    """What the station answers to SetChargingProfile.req ``text``, and that a refusal installs nothing."""
    request = decode_request(ACTIONS["SetChargingProfile"], Raw(text.encode()))
    if isinstance(request, CallError):
        return request.code.value
    outcome = install((), request, bounds=BOUNDS, connectors=1, running=(), now_s=NOW_S)
    assert isinstance(outcome, Refusal) or len(outcome) == 1
    answer = set_answer(outcome)
    return answer.code.value if isinstance(answer, CallError) else answer.status.value


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_as_it_should_be_it_is_accepted():
    assert answered(GOOD) == "Accepted"


# fmt: off
@pytest.mark.parametrize(("old", "new", "answer"), [
    ('"limit": 10', '"limit": NaN',                              "FormationViolation"),
    ('"limit": 10', '"limit": Infinity',                         "FormationViolation"),
    ('"limit": 10', '"limit": 1e400',                            "PropertyConstraintViolation"),
    ('"limit": 10', '"limit": "10"',                             "TypeConstraintViolation"),
    ('"limit": 10', '"limit": null',                             "TypeConstraintViolation"),
    ('"limit": 10', '"limit": 10.55',                            "PropertyConstraintViolation"),
    ('"limit": 10', '"limit": -10',                              "Rejected"),
    ('"limit": 10', '"limit": 1e308',                            "Accepted"),
    (', "limit": 10', '',                                        "OccurenceConstraintViolation"),
    ('"startPeriod": 0', '"startPeriod": 1',                     "Rejected"),
    ('"startPeriod": 0', '"startPeriod": 60',                    "Rejected"),
    ('"startPeriod": 0', '"startPeriod": -1',                    "PropertyConstraintViolation"),
    ('"startPeriod": 0', '"startPeriod": 0.5',                   "TypeConstraintViolation"),
    ('"startPeriod": 60', '"startPeriod": 99999999999',          "PropertyConstraintViolation"),
    ('"chargingRateUnit": "A"', '"chargingRateUnit": "kW"',      "PropertyConstraintViolation"),
    ('"chargingRateUnit": "A"', '"chargingRateUnit": "a"',       "PropertyConstraintViolation"),
    ('"TxDefaultProfile"', '"ChargingStationMaxProfile"',        "PropertyConstraintViolation"),
    ('"Absolute"', '"Dynamic"',                                  "PropertyConstraintViolation"),
    ('"Absolute"', '"Recurring"',                                "Rejected"),
    ('"stackLevel": 0', '"stackLevel": -1',                      "PropertyConstraintViolation"),
    ('"stackLevel": 0', '"stackLevel": 2147483647',              "Rejected"),
    ('"stackLevel"', '"stacklevel"',                             "FormationViolation"),
    ('"connectorId": 0', '"connectorId": 2',                     "PropertyConstraintViolation"),
    ('"connectorId": 0', '"connectorId": "0"',                   "TypeConstraintViolation"),
    (START, '"startSchedule": "2027-01-15T08:00:00"',            "PropertyConstraintViolation"),
    ('"stackLevel"', '"validFrom": "2027-01-15T08:00:00", "stackLevel"', "PropertyConstraintViolation"),
    ('"stackLevel"', '"validTo": "2027-01-15T08:00:00.000", "stackLevel"', "PropertyConstraintViolation"),
    ('"stackLevel"', '"validTo": "2028-01-15T08:00:00+00:00", "stackLevel"', "Accepted"),
    (START, '"startSchedule": "2027-01-15T09:00:00+01:00"',      "Accepted"),
    (START, '"startSchedule": "0001-01-01T00:00:00Z"',           "Accepted"),
    (START, '"startSchedule": "9999-12-31T23:59:59.9999999Z"',   "Accepted"),
    (START, '"startSchedule": "2027-02-30T08:00:00Z"',           "PropertyConstraintViolation"),
    (START, '"startSchedule": "15.01.2027"',                     "PropertyConstraintViolation"),
    (START, '"startSchedule": ""',                               "PropertyConstraintViolation"),
    (START, '"startSchedule": 1800000000',                       "TypeConstraintViolation"),
    (START, START + ', "duration": -1',                          "PropertyConstraintViolation"),
    (START, START + ', "duration": 0',                           "Rejected"),
    (START, START + ', "duration": 2147483647',                  "Accepted"),
    (START, START + ', "minChargingRate": -6',                   "Rejected"),
])
def test_one_member_wrong(old, new, answer):
    assert answered(changed(old, new)) == answer
# fmt: on


def test_what_is_wrong_with_a_date_without_a_zone_is_said():
    text = changed(START, '"startSchedule": "2027-01-15T08:00:00"')
    refused = decode_request(ACTIONS["SetChargingProfile"], Raw(text.encode()))
    assert isinstance(refused, CallError)
    assert "a time with a zone in `startSchedule`" in refused.description


def test_no_periods_at_all():
    request = payload("default", {}, start_s=NOW_S)
    assert answered(json.dumps(request)) == "Rejected"


def test_valid_to_before_valid_from():
    request = payload(
        "default", {0: 10}, start_s=NOW_S, validFrom="2028-01-01T00:00:00Z", validTo="2027-06-01T00:00:00Z"
    )
    assert answered(json.dumps(request)) == "Rejected"


def test_a_million_periods():
    request = payload("default", {0: 10}, start_s=NOW_S)
    schedule = request["csChargingProfiles"]["chargingSchedule"]
    schedule["chargingSchedulePeriod"] *= 1_000_000
    assert answered(json.dumps(request)) == "Rejected"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"connectorId": 1, "duration": 60, "chargingRateUnit": "V"}', "PropertyConstraintViolation"),
        ('{"connectorId": 1, "duration": -1}', "PropertyConstraintViolation"),
        ('{"connectorId": 1}', "OccurenceConstraintViolation"),
        ('{"connectorId": 1, "duration": 1e99}', "TypeConstraintViolation"),
    ],
)
def test_a_composite_schedule_asked_for_wrongly(text, answer):
    refused = decode_request(ACTIONS["GetCompositeSchedule"], Raw(text.encode()))
    assert isinstance(refused, CallError)
    assert refused.code.value == answer
