"""What SetChargingProfile.req is answered, row by row of facts 9.2, and what replaces what."""

import math

import pytest
from msgspec.structs import force_setattr, replace

from machines.smart_charging.answers import set_answer
from machines.smart_charging.profiles import Refusal, install, install_awaiting
from machines.vocabulary.ocpp import ChargingProfileStatus, ChargingRateUnitType
from machines.vocabulary.wire import CallError, ErrorCode
from tests.smart_charging.payloads import decoded, payload, stamp
from tests.smart_charging.setting import BOUNDS, NOW_S, TAG, booked, running, tried

ABSOLUTE = {"start_s": NOW_S}
TRANSACTIONS = (running(1),)


def status_of(request, **more):
    """The answer to ``request`` on a station with one connector, on which transaction 7 runs."""
    answer = set_answer(tried((), request, transactions=TRANSACTIONS, **more))
    return answer.code if isinstance(answer, CallError) else answer.status


def from_to(first_s, end_s):
    """An absolute schedule that is valid from and to so many seconds from now."""
    return {**ABSOLUTE, "validFrom": stamp(NOW_S + first_s), "validTo": stamp(NOW_S + end_s)}


# fmt: off
ACCEPTED = {
    "a ChargePointMaxProfile on 0": payload("max", {0: 10}, **ABSOLUTE),
    "a TxDefaultProfile on 0": payload("default", {0: 10}, **ABSOLUTE),
    "a TxDefaultProfile on a connector": payload("default", {0: 10}, connector=1, **ABSOLUTE),
    "a TxProfile of the transaction": payload("tx", {0: 10}, connector=1, transactionId=7, **ABSOLUTE),
    "a TxProfile of no stated transaction": payload("tx", {0: 10}, connector=1, **ABSOLUTE),
    "the highest stackLevel": payload("default", {0: 10}, level=9, **ABSOLUTE),
    "as many periods as may be": payload("default", dict.fromkeys(range(24), 10), **ABSOLUTE),
    "Absolute without startSchedule": payload("default", {0: 10}),
    "Recurring, Daily": payload("default", {0: 10}, kind="Recurring", recurrencyKind="Daily", **ABSOLUTE),
    "Recurring, Weekly": payload("default", {0: 10}, kind="Recurring", recurrencyKind="Weekly", **ABSOLUTE),
    "Relative": payload("default", {0: 10}, kind="Relative"),
    "Relative with startSchedule": payload("default", {0: 10}, kind="Relative", **ABSOLUTE),
    "a limit of 0": payload("default", {0: 0}, **ABSOLUTE),
    "a limit in W": payload("default", {0: 11_000.5}, unit="W", **ABSOLUTE),
    "minChargingRate": payload("default", {0: 10}, schedule={"minChargingRate": 6.5}, **ABSOLUTE),
    "numberPhases 1": payload("default", {0: 10}, phases=1, **ABSOLUTE),
    "numberPhases 3": payload("default", {0: 10}, phases=3, **ABSOLUTE),
    "a validity to come": payload("default", {0: 10}, **from_to(9, 10)),
    "a validity that ends in a second": payload("default", {0: 10}, validTo=stamp(NOW_S + 1), **ABSOLUTE),
    "a duration of a second": payload("default", {0: 10}, duration=1, **ABSOLUTE),
    "a schedule that is over": payload("default", {0: 10}, start_s=NOW_S - 1000, duration=1),
}
REJECTED = {
    "a TxProfile on 0": payload("tx", {0: 10}, connector=0, **ABSOLUTE),
    "a TxProfile of another transaction": payload("tx", {0: 10}, connector=1, transactionId=8, **ABSOLUTE),
    "a ChargePointMaxProfile on a connector": payload("max", {0: 10}, connector=1, **ABSOLUTE),
    "a relative ChargePointMaxProfile": payload("max", {0: 10}, kind="Relative"),
    "a transactionId of a TxDefaultProfile": payload("default", {0: 10}, connector=1, transactionId=7, **ABSOLUTE),
    "a transactionId of a ChargePointMaxProfile": payload("max", {0: 10}, transactionId=7, **ABSOLUTE),
    "a stackLevel too high": payload("default", {0: 10}, level=10, **ABSOLUTE),
    "a period too many": payload("default", dict.fromkeys(range(25), 10), **ABSOLUTE),
    "a first period not at 0": payload("default", {5: 10}, **ABSOLUTE),
    "no period": payload("default", {}, **ABSOLUTE),
    "periods out of order": payload("default", {0: 10, 60: 16, 30: 12}, **ABSOLUTE),
    "periods from the last to the first": payload("default", {60: 10, 0: 16}, **ABSOLUTE),
    "Recurring without startSchedule": payload("default", {0: 10}, kind="Recurring", recurrencyKind="Daily"),
    "Recurring without recurrencyKind": payload("default", {0: 10}, kind="Recurring", **ABSOLUTE),
    "Absolute with recurrencyKind": payload("default", {0: 10}, recurrencyKind="Daily", **ABSOLUTE),
    "Relative with recurrencyKind": payload("default", {0: 10}, kind="Relative", recurrencyKind="Daily"),
    "validTo at validFrom": payload("default", {0: 10}, **from_to(9, 9)),
    "validTo before validFrom": payload("default", {0: 10}, **from_to(9, 8)),
    "validTo now": payload("default", {0: 10}, validTo=stamp(NOW_S), **ABSOLUTE),
    "validTo past": payload("default", {0: 10}, validTo=stamp(NOW_S - 99), **ABSOLUTE),
    "a negative limit": payload("default", {0: 10, 60: -0.1}, **ABSOLUTE),
    "numberPhases 0": payload("default", {0: 10}, phases=0, **ABSOLUTE),
    "numberPhases 4": payload("default", {0: 10}, phases=4, **ABSOLUTE),
    "a duration of 0": payload("default", {0: 10}, duration=0, **ABSOLUTE),
    "a negative minChargingRate": payload("default", {0: 10}, schedule={"minChargingRate": -1}, **ABSOLUTE),
}
# fmt: on


@pytest.mark.parametrize("name", ACCEPTED)
def test_it_is_accepted(name):
    assert status_of(ACCEPTED[name]) is ChargingProfileStatus.ACCEPTED


@pytest.mark.parametrize("name", REJECTED)
def test_it_is_rejected(name):
    assert status_of(REJECTED[name]) is ChargingProfileStatus.REJECTED


@pytest.mark.parametrize("connector", [-1, 2, 2**40])
def test_a_connector_that_does_not_exist_is_a_call_error(connector):
    request = payload("default", {0: 10}, connector=connector, **ABSOLUTE)
    assert status_of(request) is ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


def test_tc_058_1_a_tx_profile_without_a_transaction_is_rejected():
    request = payload("tx", {0: 10}, connector=1, **ABSOLUTE)
    assert isinstance(tried((), request), Refusal)


def test_tc_058_2_a_tx_profile_of_another_transaction_is_rejected():
    request = payload("tx", {0: 10}, connector=1, transactionId=8, **ABSOLUTE)
    assert isinstance(tried((), request, transactions=TRANSACTIONS), Refusal)


def test_a_transaction_id_cannot_match_what_the_central_system_has_not_named_yet():
    request = payload("tx", {0: 10}, connector=1, transactionId=7, **ABSOLUTE)
    assert isinstance(tried((), request, transactions=(running(1, transaction_id=None),)), Refusal)


def test_a_tx_profile_without_transaction_id_is_for_the_transaction_that_runs():
    request = payload("tx", {0: 10}, connector=1, **ABSOLUTE)
    (installed,) = booked(request, transactions=(running(1, transaction_id=None),))
    assert installed.local_id == running(1).local_id


@pytest.mark.parametrize("unit", ["A", "W"])
def test_a_unit_that_is_not_allowed_is_rejected(unit):
    other = ChargingRateUnitType.W if unit == "A" else ChargingRateUnitType.A
    bounds = replace(BOUNDS, units=frozenset({other}))
    assert isinstance(tried((), payload("default", {0: 10}, unit=unit, **ABSOLUTE), bounds=bounds), Refusal)


@pytest.mark.parametrize("limit", [math.nan, math.inf])
def test_a_limit_that_is_no_number_is_rejected(limit):
    """JSON has none; should one get in all the same."""
    request = decoded(payload("default", {0: 10}, **ABSOLUTE))
    (period,) = request.cs_charging_profiles.charging_schedule.charging_schedule_period
    force_setattr(period, "limit", limit)
    outcome = install((), request, bounds=BOUNDS, connectors=1, running=(), now_s=NOW_S)
    assert isinstance(outcome, Refusal)


# Room


def full(count=3):
    return booked(
        *(payload("default", {0: 10}, id_=number, level=number, **ABSOLUTE) for number in range(1, count + 1))
    )


def test_one_more_than_may_be_installed_is_rejected():
    bounds = replace(BOUNDS, installed_max=3)
    outcome = tried(full(), payload("default", {0: 10}, id_=9, level=9, **ABSOLUTE), bounds=bounds)
    assert isinstance(outcome, Refusal)


@pytest.mark.parametrize(("id_", "level"), [(2, 9), (9, 2), (2, 2)])
def test_a_replacement_needs_no_room(id_, level):
    bounds = replace(BOUNDS, installed_max=3)
    outcome = tried(full(), payload("default", {0: 12}, id_=id_, level=level, **ABSOLUTE), bounds=bounds)
    assert len(outcome) == 3


def test_profiles_whose_validity_is_over_make_room():
    """Decision SC17: a Central System that sends one for each day would be refused some day."""
    bounds = replace(BOUNDS, installed_max=3)
    days = [{**ABSOLUTE, "validTo": stamp(NOW_S + 100 * number)} for number in (1, 2)]
    book = booked(
        *(payload("default", {0: 10}, id_=n, level=n, **day) for n, day in enumerate(days, start=1)),
        payload("default", {0: 10}, id_=3, level=3, **ABSOLUTE),
    )
    another = payload("default", {0: 10}, id_=9, level=9, **ABSOLUTE)
    assert isinstance(tried(book, another, bounds=bounds, now_s=NOW_S + 99), Refusal)
    assert ids(tried(book, another, bounds=bounds, now_s=NOW_S + 100)) == [(0, 2), (0, 3), (0, 9)]
    assert ids(tried(book, another, bounds=bounds, now_s=NOW_S + 200)) == [(0, 3), (0, 9)]


def test_while_there_is_room_they_stay():
    """The clock may have been put forward by mistake."""
    first = payload("default", {0: 10}, id_=1, level=1, validTo=stamp(NOW_S + 100), **ABSOLUTE)
    another = payload("default", {0: 10}, id_=9, level=9, **ABSOLUTE)
    assert ids(tried(booked(first), another, now_s=NOW_S + 100)) == [(0, 1), (0, 9)]


# Replacement


def ids(book):
    return [(one.connector, one.profile.charging_profile_id) for one in book]


def test_the_same_id_replaces_whatever_it_was_and_wherever():
    book = booked(payload("max", {0: 10}, id_=5, **ABSOLUTE), payload("default", {0: 10}, id_=6, **ABSOLUTE))
    assert ids(tried(book, payload("default", {0: 10}, id_=5, level=3, connector=1, **ABSOLUTE))) == [
        (0, 6),
        (1, 5),
    ]


def test_the_same_purpose_and_stack_level_on_a_connector_replaces():
    book = booked(payload("default", {0: 10}, id_=5, connector=1, **ABSOLUTE))
    assert ids(tried(book, payload("default", {0: 10}, id_=6, connector=1, **ABSOLUTE))) == [(1, 6)]


@pytest.mark.parametrize(
    "other",
    [
        payload("default", {0: 10}, id_=6, connector=0, **ABSOLUTE),
        payload("default", {0: 10}, id_=6, connector=1, level=1, **ABSOLUTE),
        payload("tx", {0: 10}, id_=6, connector=1, **ABSOLUTE),
    ],
)
def test_another_connector_level_or_purpose_stays_beside(other):
    book = booked(payload("default", {0: 10}, id_=5, connector=1, **ABSOLUTE))
    assert len(tried(book, other, transactions=TRANSACTIONS)) == 2


# With a remote start


def awaiting(**more):
    request = decoded(payload("tx", {0: 10}, **{"kind": "Relative", **more}))
    return install_awaiting((), 1, TAG, request.cs_charging_profiles, bounds=BOUNDS, now_s=NOW_S)


def test_a_remote_start_brings_a_tx_profile():
    (installed,) = awaiting()
    assert (installed.connector, installed.local_id) == (1, 0)


@pytest.mark.parametrize(
    "more", [{"transactionId": 7}, {"level": 10}, {"phases": 4}, {"duration": 0}, {"recurrencyKind": "Daily"}]
)
def test_a_remote_start_with_a_wrong_profile_is_refused(more):
    assert isinstance(awaiting(**more), Refusal)


@pytest.mark.parametrize("purpose", ["max", "default"])
def test_a_remote_start_takes_no_other_purpose(purpose):
    profile = decoded(payload(purpose, {0: 10}, **ABSOLUTE)).cs_charging_profiles
    assert isinstance(install_awaiting((), 1, TAG, profile, bounds=BOUNDS, now_s=NOW_S), Refusal)
