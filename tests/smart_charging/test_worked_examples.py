"""The worked examples of certification, as facts 9.4 has them."""

import pytest

from tests.smart_charging.payloads import payload
from tests.smart_charging.setting import NOW_S, A, W, limits, running

DAY_S = 86_400


@pytest.mark.parametrize(("unit", "factor"), [("A", 1), ("W", 1000)])
def test_tc_066_the_composite_schedule_of_three_purposes(unit, factor):
    def scaled(periods):
        return {start: limit * factor for start, limit in periods.items()}

    transaction = running()
    found = limits(
        payload("max", scaled({0: 10}), start_s=NOW_S, duration=DAY_S, unit=unit, id_=1),
        payload(
            "default",
            scaled({0: 6, 60: 10, 120: 8, 180: 25, 260: 8}),
            start_s=NOW_S,
            duration=300,
            unit=unit,
            id_=2,
        ),
        payload(
            "tx",
            scaled({0: 8, 50: 11, 140: 16, 200: 6, 240: 12}),
            start_s=NOW_S,
            duration=260,
            unit=unit,
            connector=1,
            transactionId=7,
            id_=3,
        ),
        duration_s=400,
        transactions=(transaction,),
        unit=A if unit == "A" else W,
    )
    assert found == scaled({0: 8, 50: 10, 200: 6, 240: 10, 260: 8, 300: 10})


@pytest.mark.parametrize("second", [{0: 6, 100: 8, 200: 10}, {0: 6, 50: 5, 100: 8, 200: 10}])
def test_tc_072_stacking_of_two_levels(second):
    found = limits(
        payload("default", second, start_s=NOW_S, duration=400, level=0, id_=1),
        payload("default", {0: 7, 100: 9}, start_s=NOW_S, duration=150, level=1, id_=2),
        duration_s=350,
    )
    assert found == {0: 7, 100: 9, 150: 8, 200: 10}


def test_the_boundaries_of_tc_066_shift_when_the_schedules_began_a_little_earlier():
    found = limits(
        payload("max", {0: 10}, start_s=NOW_S - 3, duration=DAY_S, id_=1),
        payload("default", {0: 6, 60: 10, 120: 8}, start_s=NOW_S - 3, duration=300, id_=2),
        duration_s=400,
    )
    assert found == {0: 6, 57: 10, 117: 8, 297: 10}
