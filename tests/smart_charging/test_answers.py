"""GetCompositeSchedule.conf: facts 9.4."""

from datetime import UTC, datetime

import msgspec
import pytest

from engine.ocpp.payloads import encode
from machines.smart_charging.answers import schedule_answer
from machines.smart_charging.prepare import plan_of
from machines.smart_charging.schedule import Situation
from machines.vocabulary.ocpp import (
    GetCompositeSchedule,
    GetCompositeScheduleConf,
    GetCompositeScheduleStatus,
)
from tests.smart_charging.payloads import payload
from tests.smart_charging.setting import NOW_S, A, W, booked, site

BOOK = booked(payload("default", {0: 10, 60: 16, 120: 20}, start_s=NOW_S))
SITUATION = Situation(now_s=NOW_S, running=(), ceilings_a=(32.0,))


def answered(connector=1, duration=100, unit=None, *, duration_max_s=1000, periods_max=100):
    request = GetCompositeSchedule(connector_id=connector, duration=duration, charging_rate_unit=unit)
    return schedule_answer(
        plan_of(BOOK, site()),
        SITUATION,
        request,
        preferred=A,
        duration_max_s=duration_max_s,
        periods_max=periods_max,
    )


def test_the_answer_as_it_goes_on_the_wire():
    assert msgspec.json.decode(encode(answered())) == {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2027-01-15T08:00:00Z",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "duration": 100,
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 10.0, "numberPhases": 3},
                {"startPeriod": 60, "limit": 16.0, "numberPhases": 3},
            ],
        },
    }


def test_the_schedule_starts_now():
    assert answered().schedule_start == datetime(2027, 1, 15, 8, tzinfo=UTC)


@pytest.mark.parametrize(("unit", "limit"), [(A, 10), (W, 6900), (None, 10)])
def test_the_unit_is_the_one_that_was_asked_for_or_else_the_preferred_one(unit, limit):
    schedule = answered(unit=unit).charging_schedule
    assert schedule.charging_rate_unit is (unit or A)
    assert schedule.charging_schedule_period[0].limit == limit


@pytest.mark.parametrize("connector", [-1, 2])
def test_of_a_connector_that_does_not_exist_nothing_is_told(connector):
    rejected = GetCompositeScheduleConf(status=GetCompositeScheduleStatus.REJECTED)
    assert answered(connector=connector) == rejected


def test_of_more_than_is_told_the_begin_is_told():
    schedule = answered(duration=2**31 - 1, duration_max_s=90).charging_schedule
    assert schedule.duration == 90
    assert [period.start_period for period in schedule.charging_schedule_period] == [0, 60]


def test_of_more_periods_than_are_told_the_first_ones_are_told():
    schedule = answered(duration=300, periods_max=2).charging_schedule
    assert schedule.duration == 120
    assert [period.start_period for period in schedule.charging_schedule_period] == [0, 60]
