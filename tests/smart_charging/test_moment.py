"""What smart charging goes by at a moment: with the time of day, and without."""

import pytest
from msgspec.structs import replace

from machines.smart_charging.moment import Begun, Charging, offer_at, running, started_s
from machines.smart_charging.prepare import plan_of
from machines.vocabulary.effects import Instant
from tests.smart_charging import setting
from tests.smart_charging.payloads import payload
from tests.smart_charging.setting import NOW_S, TAG, booked, site

NOW = Instant(2, 1000.0, NOW_S + 0.25)
TIMELESS = Instant(2, 1000.0, None)


def begun(connector=1, *, started_at=NOW, is_ending=False, draws=True):
    return Begun(
        connector=connector,
        local_id=connector + 40,
        transaction_id=7,
        id_tag=TAG,
        started_at=started_at,
        is_ending=is_ending,
        draws=draws,
    )


def charging(*requests, transactions=(), installation_a=None):
    book = booked(*requests)
    return Charging(
        plan=plan_of(book, site(3, 3)),
        book=book,
        transactions=transactions,
        intents=frozenset(),
        ceilings_a=(32.0, 32.0),
        installation_a=installation_a,
    )


@pytest.mark.parametrize(
    ("started_at", "expected"),
    [
        (Instant(2, 900.0, NOW_S - 99.5), NOW_S - 100),
        (Instant(2, 900.0, NOW_S + 3500.5), NOW_S - 100),
        (Instant(2, 900.0, NOW_S - 3700.5), NOW_S - 100),
        (Instant(2, 900.0, None), NOW_S - 100),
        (Instant(1, 900.0, NOW_S - 5000.5), NOW_S - 5001),
        (Instant(1, 900.0, NOW_S + 3000.0), NOW_S - 1000),
        (Instant(1, 900.0, None), NOW_S - 1000),
        (None, NOW_S - 1000),
    ],
    ids=[
        "in this run",
        "in this run, and the clock was put back since",
        "in this run, and the clock was put forward since",
        "before the time was told",
        "in an earlier run",
        "in an earlier run, and the clock was put back since",
        "in an earlier run, nobody can tell when",
        "of an old record",
    ],
)
def test_when_a_transaction_began(started_at, expected):
    assert started_s(started_at, NOW) == expected


def test_a_transaction_of_which_nobody_knows_the_begin_grows_older_all_the_same():
    for later_s in (0, 1, 600):
        later = Instant(2, NOW.seconds + later_s, NOW.utc + later_s)
        assert started_s(Instant(1, 900.0, None), later) == NOW_S - 1000


def test_the_begin_of_a_transaction_does_not_move_while_time_passes():
    """Whole seconds and fractions of a binary number, added up."""
    for tenths in range(1, 2000, 7):
        began = Instant(2, 0.1, NOW_S + 100.0)
        assert started_s(began, Instant(2, 0.1 + tenths / 10, NOW_S + 100.0 + tenths / 10)) == NOW_S + 100


def test_a_transaction_that_ends_shares_nothing_any_more():
    now = charging(transactions=(begun(1), begun(2, is_ending=True)))
    assert [one.connector for one in running(now, NOW)] == [1]


@pytest.mark.parametrize("now", [NOW, TIMELESS], ids=["with the time", "without"])
def test_a_transaction_that_may_draw_nothing_shares_nothing(now):
    """It is open all the same: it may be given a TxProfile."""
    found = charging(transactions=(begun(1), begun(2, draws=False)), installation_a=16)
    assert offer_at(found, 1, now).limit_a == 16
    assert [one.connector for one in running(found, NOW)] == [1, 2]


def test_without_the_time_the_least_limit_of_each_profile_counts():
    now = charging(
        payload("default", {0: 16, 60: 10, 120: 20}, start_s=NOW_S, id_=1), transactions=(begun(),)
    )
    found = offer_at(now, 1, TIMELESS)
    assert (found.limit_a, found.until_s) == (10, None)


def test_without_the_time_the_limit_of_the_station_is_shared_evenly():
    now = charging(payload("max", {0: 24, 60: 20}, start_s=NOW_S), transactions=(begun(1), begun(2)))
    assert offer_at(now, 1, TIMELESS).limit_a == 10


def test_without_the_time_the_installation_is_a_limit_too():
    now = charging(transactions=(begun(1), begun(2)), installation_a=16)
    assert offer_at(now, 1, TIMELESS).limit_a == 8


def test_without_the_time_they_take_turns_by_the_time_of_the_run():
    now = charging(transactions=(begun(1), begun(2)), installation_a=10)
    for seconds, expected in ((0.0, (10, 0)), (899.9, (10, 0)), (900.0, (0, 10)), (1800.0, (10, 0))):
        at = Instant(2, seconds, None)
        found = [offer_at(now, number, at) for number in (1, 2)]
        assert tuple(one.limit_a for one in found) == expected
        assert {one.until_s for one in found} == {(seconds // 900 + 1) * 900}


def test_without_the_time_the_fewest_phases_of_each_profile_count():
    """3.6 kW on one phase are 16 A, and on three they would be 11 kW."""
    single = payload("default", {0: 3680}, unit="W", phases=1, start_s=NOW_S)
    switching = replace(
        charging(transactions=(begun(1),)), plan=plan_of(booked(single), site(3, 3, can_switch=True))
    )
    found = offer_at(switching, 1, TIMELESS)
    assert (found.limit_a, found.phases) == (16, 1)
    station = payload("max", {0: 3680}, unit="W", phases=1, start_s=NOW_S)
    limited = replace(switching, plan=plan_of(booked(station), site(3, 3, can_switch=True)))
    assert offer_at(limited, 1, TIMELESS).phases == 1
    fixed = replace(switching, plan=plan_of(booked(single), site(3, 3)))
    found = offer_at(fixed, 1, TIMELESS)
    assert (found.limit_a, found.phases) == (0, 3)


def test_without_the_time_and_without_profiles_the_ceiling_counts():
    assert offer_at(charging(transactions=(begun(),)), 1, TIMELESS).limit_a == 32


def test_what_the_transaction_of_another_connector_may_have_does_not_count_here():
    limited = payload("tx", {0: 8}, start_s=NOW_S, connector=2)
    book = booked(limited, transactions=(setting.running(2),))
    now = replace(charging(transactions=(begun(1), begun(2))), plan=plan_of(book, site(3, 3)))
    assert [offer_at(now, number, TIMELESS).limit_a for number in (1, 2)] == [32, 8]


def test_with_the_time_the_schedule_counts():
    now = charging(payload("default", {0: 16, 60: 10}, start_s=NOW_S), transactions=(begun(),))
    found = offer_at(now, 1, NOW)
    assert (found.limit_a, found.until_s) == (16, NOW_S + 60)
