"""What a charging profile means over time: facts 9.1 and 9.4."""

import pytest
from msgspec.structs import replace

from machines.smart_charging.prepare import plan_of
from machines.smart_charging.profiles import Bounds, begin_transaction, install_awaiting
from machines.smart_charging.schedule import NO_PROFILE, cover
from machines.vocabulary.ocpp import ChargingProfilePurposeType
from tests.smart_charging.payloads import decoded, payload, stamp
from tests.smart_charging.setting import (
    BOUNDS,
    DAY_S,
    NOW_S,
    TAG,
    TURN_S,
    A,
    W,
    asked,
    booked,
    by_second,
    limits,
    offered,
    running,
    site,
)

WEEK_S = 7 * DAY_S

# Absolute


def test_without_a_profile_the_hardware_is_the_limit():
    assert limits() == {0: 32}


def test_an_absolute_schedule_counts_from_its_start():
    assert limits(payload("default", {0: 10, 60: 16}, start_s=NOW_S - 20)) == {0: 10, 40: 16}


def test_before_an_absolute_schedule_starts_it_limits_nothing():
    assert limits(payload("default", {0: 10}, start_s=NOW_S + 30)) == {0: 32, 30: 10}


def test_a_schedule_ends_after_its_duration():
    assert limits(payload("default", {0: 10}, start_s=NOW_S, duration=50)) == {0: 10, 50: 32}


def test_without_a_duration_the_last_period_holds_on():
    assert limits(payload("default", {0: 10, 60: 16}, start_s=NOW_S), duration_s=5 * DAY_S) == {0: 10, 60: 16}


def test_periods_beyond_the_duration_are_not_run():
    assert limits(payload("default", {0: 10, 60: 16}, start_s=NOW_S, duration=60)) == {0: 10, 60: 32}


def test_an_absolute_schedule_without_a_start_counts_from_the_begin_of_the_transaction():
    transactions = (running(began_s=NOW_S - 50),)
    assert limits(payload("default", {0: 10, 60: 16}), transactions=transactions) == {0: 10, 10: 16}


def test_without_a_transaction_it_counts_from_its_receipt():
    book = booked(payload("default", {0: 10, 60: 16}), now_s=NOW_S - 40)
    assert by_second(asked(book, 100)) == {0: 10, 20: 16}


def test_one_of_the_station_counts_from_its_receipt_whatever_runs():
    book = booked(payload("max", {0: 10, 60: 16}), now_s=NOW_S - 40)
    transactions = (running(began_s=NOW_S - 1000),)
    assert by_second(asked(book, 100, transactions=transactions)) == {0: 10, 20: 16}


@pytest.mark.parametrize("purpose", ["max", "default"])
def test_a_clock_that_was_put_back_makes_its_receipt_no_thing_of_the_future(purpose):
    book = booked(payload(purpose, {0: 10, 60: 16}), now_s=NOW_S + 3600)
    assert by_second(asked(book, 100)) == {0: 10, 60: 16}


def test_times_are_cut_to_the_second():
    request = payload("default", {0: 10}, start_s=NOW_S + 5.999, duration=10)
    assert limits(request, duration_s=30) == {0: 32, 5: 10, 15: 32}


# Relative


def test_a_relative_schedule_counts_from_the_begin_of_the_transaction():
    transactions = (running(began_s=NOW_S - 50),)
    request = payload("tx", {0: 10, 60: 16}, kind="Relative", connector=1)
    assert limits(request, transactions=transactions) == {0: 10, 10: 16}


def test_without_a_transaction_a_relative_schedule_counts_from_now():
    book = booked(payload("default", {0: 10, 60: 16}, kind="Relative"), now_s=NOW_S - 1000)
    assert by_second(asked(book, 100)) == {0: 10, 60: 16}


def test_the_start_of_a_relative_schedule_is_ignored():
    request = payload("default", {0: 10, 60: 16}, kind="Relative", start_s=NOW_S - 30)
    assert limits(request, duration_s=100) == {0: 10, 60: 16}


# Recurring


def test_a_daily_schedule_begins_again_every_day():
    request = payload(
        "default", {0: 10, 3600: 16}, kind="Recurring", recurrencyKind="Daily", start_s=NOW_S - 3 * DAY_S - 60
    )
    assert limits(request, duration_s=DAY_S + 3600) == {0: 10, 3540: 16, DAY_S - 60: 10, DAY_S + 3540: 16}


def test_a_weekly_schedule_begins_again_on_the_same_weekday():
    request = payload(
        "default", {0: 10, 100: 16}, kind="Recurring", recurrencyKind="Weekly", start_s=NOW_S - 2 * WEEK_S
    )
    assert limits(request, duration_s=WEEK_S + 200) == {0: 10, 100: 16, WEEK_S: 10, WEEK_S + 100: 16}


def test_before_its_first_start_a_recurring_schedule_limits_nothing():
    request = payload("default", {0: 10}, kind="Recurring", recurrencyKind="Daily", start_s=NOW_S + 100)
    assert limits(request) == {0: 32, 100: 10}


def test_between_its_duration_and_the_next_day_a_daily_schedule_limits_nothing():
    request = payload(
        "default", {0: 10}, kind="Recurring", recurrencyKind="Daily", start_s=NOW_S - DAY_S, duration=60
    )
    assert limits(request, duration_s=DAY_S + 100) == {0: 10, 60: 32, DAY_S: 10, DAY_S + 60: 32}


def test_a_recurring_schedule_is_cut_where_it_begins_again():
    request = payload(
        "default",
        {0: 10, DAY_S - 100: 12, DAY_S + 100: 16},
        kind="Recurring",
        recurrencyKind="Daily",
        start_s=NOW_S - DAY_S,
        duration=2 * DAY_S,
    )
    expected = {0: 10, DAY_S - 100: 12, DAY_S: 10, 2 * DAY_S - 100: 12, 2 * DAY_S: 10}
    assert limits(request, duration_s=2 * DAY_S + 500) == expected


# Validity


def test_a_profile_limits_nothing_before_it_is_valid():
    request = payload("default", {0: 10, 60: 16}, start_s=NOW_S, validFrom=stamp(NOW_S + 40))
    assert limits(request) == {0: 32, 40: 10, 60: 16}


def test_a_profile_limits_nothing_from_when_it_is_no_longer_valid():
    request = payload("default", {0: 10, 60: 16}, start_s=NOW_S, validTo=stamp(NOW_S + 70))
    assert limits(request) == {0: 10, 60: 16, 70: 32}


def test_a_profile_that_replaces_another_leaves_nothing_at_its_level_until_it_is_valid():
    found = limits(
        payload("default", {0: 10}, start_s=NOW_S, id_=1),
        payload("default", {0: 16}, start_s=NOW_S, validFrom=stamp(NOW_S + 40), id_=2),
    )
    assert found == {0: 32, 40: 16}


# Stack levels and purposes


def test_the_highest_stack_level_counts_although_it_limits_less():
    low = payload("default", {0: 10}, start_s=NOW_S, level=0, id_=1)
    high = payload("default", {0: 20}, start_s=NOW_S, level=1, id_=2)
    assert limits(low, high) == {0: 20}
    assert limits(high, low) == {0: 20}


def test_in_a_gap_the_next_lower_stack_level_counts():
    found = limits(
        payload("default", {0: 10}, start_s=NOW_S, level=0, id_=1),
        payload("default", {0: 20}, start_s=NOW_S + 50, duration=50, level=5, id_=2),
    )
    assert found == {0: 10, 50: 20, 100: 10}


def test_a_tx_profile_counts_before_the_default_whatever_their_levels():
    found = limits(
        payload("default", {0: 10}, start_s=NOW_S, level=9, id_=1),
        payload("tx", {0: 20}, start_s=NOW_S, level=0, connector=1, id_=2),
        transactions=(running(),),
    )
    assert found == {0: 20}


def test_where_a_tx_profile_has_run_out_the_default_counts_again():
    found = limits(
        payload("default", {0: 10}, start_s=NOW_S, id_=1),
        payload("tx", {0: 20}, start_s=NOW_S, duration=60, connector=1, id_=2),
        transactions=(running(),),
    )
    assert found == {0: 20, 60: 10}


def test_a_default_of_the_connector_counts_before_that_of_every_connector_of_the_same_level():
    everywhere = payload("default", {0: 10}, start_s=NOW_S, id_=1)
    here = payload("default", {0: 20}, start_s=NOW_S, connector=1, id_=2)
    for requests in ((everywhere, here), (here, everywhere)):
        book = booked(*requests)
        assert by_second(asked(book, 100, at=site(3, 3), connector=1)) == {0: 20}
        assert by_second(asked(book, 100, at=site(3, 3), connector=2)) == {0: 10}


def test_it_does_so_in_its_gaps_too():
    found = limits(
        payload("default", {0: 10}, start_s=NOW_S, id_=1),
        payload("default", {0: 20}, start_s=NOW_S, duration=60, connector=1, id_=2),
    )
    assert found == {0: 20, 60: 32}


def test_defaults_of_other_levels_stack_wherever_they_are_installed():
    found = limits(
        payload("default", {0: 10}, start_s=NOW_S, level=1, id_=1),
        payload("default", {0: 20}, start_s=NOW_S, connector=1, level=0, id_=2),
    )
    assert found == {0: 10}


def test_the_limit_of_the_station_counts_beside_that_of_the_transaction():
    found = limits(
        payload("max", {0: 16, 60: 8}, start_s=NOW_S, id_=1),
        payload("default", {0: 10}, start_s=NOW_S, id_=2),
    )
    assert found == {0: 10, 60: 8}


def test_a_profile_that_waits_for_its_transaction_says_nothing_until_then():
    waiting = install_awaiting(
        (),
        1,
        TAG,
        decoded(payload("tx", {0: 10}, kind="Relative")).cs_charging_profiles,
        bounds=BOUNDS,
        now_s=NOW_S,
    )
    transaction = running()
    assert by_second(asked(waiting, 100, transactions=(transaction,))) == {0: 32}
    begun = begin_transaction(waiting, 1, transaction.local_id, TAG)
    assert by_second(asked(begun, 100, transactions=(transaction,))) == {0: 10}


# Units and phases


def test_a_limit_in_watts_is_shared_by_the_phases():
    assert limits(payload("default", {0: 11_040}, start_s=NOW_S, unit="W")) == {0: 16}


def test_a_limit_in_amperes_is_told_in_watts_of_all_phases():
    assert limits(payload("default", {0: 10}, start_s=NOW_S), unit=W) == {0: 6900}


def test_a_limit_in_watts_is_told_in_watts_unchanged():
    assert limits(payload("default", {0: 11_000.1}, start_s=NOW_S, unit="W"), unit=W) == {0: 11_000.1}


def test_what_is_no_whole_tenth_is_rounded_down():
    assert limits(payload("default", {0: 11_000}, start_s=NOW_S, unit="W"), unit=A) == {0: 15.9}


def test_watts_for_more_phases_than_there_are_do_not_become_more_on_each():
    request = payload("default", {0: 11_040}, start_s=NOW_S, unit="W")
    assert limits(request, at=site(1)) == {0: 16}
    assert limits(request, at=site(1), unit=W) == {0: 3680}


def test_watts_for_fewer_phases_than_are_connected_are_shared_by_those():
    request = payload("default", {0: 6900}, start_s=NOW_S, unit="W", phases=1)
    assert limits(request, unit=W) == {0: 6900}
    assert limits(request) == {0: 10}


def test_amperes_count_for_each_phase_whatever_number_phases_says():
    assert limits(payload("default", {0: 10}, start_s=NOW_S, phases=1)) == {0: 10}


@pytest.mark.parametrize(("stated", "used"), [(None, 3), (3, 3), (2, 1), (1, 1)])
def test_a_station_that_can_switch_uses_no_more_phases_than_the_profile_allows(stated, used):
    book = booked(payload("default", {0: 10}, start_s=NOW_S, phases=stated))
    (period,) = asked(book, 100, at=site(3, can_switch=True)).periods
    assert period.phases == used


def test_a_station_that_cannot_switch_uses_all_its_phases():
    book = booked(payload("default", {0: 10}, start_s=NOW_S, phases=1))
    (period,) = asked(book, 100, at=site(3)).periods
    assert period.phases == 3


def test_neighbours_that_differ_in_phases_only_stay_apart():
    schedule = {
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 10, "numberPhases": 3},
            {"startPeriod": 60, "limit": 10, "numberPhases": 1},
        ]
    }
    book = booked(payload("default", {}, start_s=NOW_S, schedule=schedule))
    periods = asked(book, 100, at=site(3, can_switch=True)).periods
    assert [(period.start, period.phases) for period in periods] == [(0, 3), (60, 1)]


def test_equal_neighbours_are_one():
    found = limits(
        payload("default", {0: 10, 50: 10, 100: 12}, start_s=NOW_S, id_=1),
        payload("max", {0: 16, 30: 15, 120: 12}, start_s=NOW_S, id_=2),
    )
    assert found == {0: 10, 100: 12}


# Hardware and installation


def test_the_ceiling_of_the_connector_is_a_limit():
    assert limits(payload("default", {0: 20}, start_s=NOW_S), ceilings_a=(13.0,)) == {0: 13}


def test_the_installation_is_a_limit():
    assert limits(payload("default", {0: 20}, start_s=NOW_S), installation_a=16) == {0: 16}


# Several connectors


def test_the_limit_of_the_station_is_shared_by_those_that_charge():
    book = booked(payload("max", {0: 20}, start_s=NOW_S))
    transactions = (running(1), running(2))
    for connector in (1, 2):
        found = asked(book, 100, at=site(3, 3), connector=connector, transactions=transactions)
        assert by_second(found) == {0: 10}


def test_what_one_may_not_take_the_other_has():
    book = booked(
        payload("max", {0: 30}, start_s=NOW_S, id_=1),
        payload("tx", {0: 8}, kind="Relative", connector=1, id_=2),
        transactions=(running(1), running(2)),
    )
    found = asked(book, 100, at=site(3, 3), connector=2, transactions=(running(1), running(2)))
    assert by_second(found) == {0: 22}


def test_those_that_do_not_charge_have_no_share():
    book = booked(payload("max", {0: 20}, start_s=NOW_S))
    found = asked(book, 100, at=site(3, 3), connector=1, transactions=(running(1),))
    assert by_second(found) == {0: 20}


def test_where_it_is_too_little_for_all_the_first_transaction_is_served():
    book = booked(payload("max", {0: 10}, start_s=NOW_S))
    transactions = (running(1), running(2, began_s=NOW_S - 100))
    assert by_second(asked(book, 9, at=site(3, 3), connector=2, transactions=transactions)) == {0: 10}
    assert by_second(asked(book, 9, at=site(3, 3), connector=1, transactions=transactions)) == {0: 0}


def shared(seconds, *requests, transactions=(1, 2), at_s=NOW_S):
    """What connectors 1 and 2 have of what they share, by second."""
    ran = tuple(running(number, began_s=NOW_S - 100 + number) for number in transactions)
    book = booked(*requests)
    return [
        by_second(asked(book, seconds, at=site(3, 3), connector=number, transactions=ran, now_s=at_s))
        for number in (1, 2)
    ]


def test_where_it_is_too_little_for_all_they_take_turns():
    """On a grid of the time of day: 1_800_000_000 is the begin of an even turn."""
    limit = payload("max", {0: 10}, start_s=NOW_S)
    assert shared(2 * TURN_S, limit) == [{0: 10, TURN_S: 0}, {0: 0, TURN_S: 10}]
    in_between = shared(2 * TURN_S, limit, at_s=NOW_S + 1000)
    assert in_between == [{0: 0, 800: 10, 1700: 0}, {0: 10, 800: 0, 1700: 10}]


def test_who_is_only_thought_of_takes_turns_too():
    limit = payload("max", {0: 10}, start_s=NOW_S)
    assert shared(2 * TURN_S, limit, transactions=(1,))[1] == {0: 0, TURN_S: 10}


def test_they_take_turns_only_while_it_is_too_little():
    limit = payload("max", {0: 20, 600: 10, 1200: 20}, start_s=NOW_S)
    assert shared(2 * TURN_S, limit) == [
        {0: 10, TURN_S: 0, 1200: 10},
        {0: 10, 600: 0, TURN_S: 10},
    ]


def fast(rate, *, id_, connector, **more):
    return payload(
        "default",
        {0: 32},
        start_s=NOW_S,
        id_=id_,
        connector=connector,
        schedule={"minChargingRate": rate},
        **more,
    )


def test_a_share_is_no_less_than_min_charging_rate_or_nothing():
    limit = payload("max", {0: 16}, start_s=NOW_S, id_=9)
    assert shared(TURN_S, limit) == [{0: 8}, {0: 8}]
    both = [fast(10, id_=number, connector=number) for number in (1, 2)]
    assert shared(2 * TURN_S, limit, *both) == [{0: 16, TURN_S: 0}, {0: 0, TURN_S: 16}]
    assert shared(TURN_S, limit, both[1]) == [{0: 6}, {0: 10}]


def test_min_charging_rate_in_watts_is_of_all_phases():
    limit = payload("max", {0: 16}, start_s=NOW_S, id_=9)
    watts = payload(
        "default",
        {0: 22_080},
        unit="W",
        start_s=NOW_S,
        id_=1,
        connector=1,
        schedule={"minChargingRate": 6900},
    )
    assert shared(TURN_S, limit, watts) == [{0: 10}, {0: 6}]


@pytest.mark.parametrize("id_", [-1, 0, -(2**63), 2**63 - 1])
def test_min_charging_rate_is_for_whom_the_profile_is_whatever_its_id(id_):
    """Nothing is said to the second one, which does with 8 A."""
    transactions = (running(1), running(2))
    book = booked(fast(12, id_=id_, connector=1), transactions=transactions)
    found = [
        offered(
            book,
            at=site(3, 3),
            connector=number,
            transactions=transactions,
            ceilings_a=(32.0, 32.0),
            installation_a=20,
        ).limit_a
        for number in (1, 2)
    ]
    assert found == [12, 8]


def test_min_charging_rate_keeps_nobody_from_what_there_is():
    """It is for sharing: no limit by itself, neither alone nor where it is more than anybody may have."""
    slow = payload("default", {0: 8}, start_s=NOW_S, connector=1, schedule={"minChargingRate": 10})
    assert limits(slow, duration_s=9) == {0: 8}
    limit = payload("max", {0: 9}, start_s=NOW_S, id_=9)
    both = [fast(10, id_=number, connector=number) for number in (1, 2)]
    assert shared(2 * TURN_S, limit, *both) == [{0: 9, TURN_S: 0}, {0: 0, TURN_S: 9}]


def test_min_charging_rate_of_the_station_means_nothing():
    limit = payload("max", {0: 16}, start_s=NOW_S, id_=9, schedule={"minChargingRate": 10})
    assert shared(TURN_S, limit) == [{0: 8}, {0: 8}]


def test_connector_0_is_the_sum_of_all():
    book = booked(payload("default", {0: 10, 60: 16}, start_s=NOW_S, connector=1))
    assert by_second(asked(book, 100, at=site(3, 3), connector=0)) == {0: 42, 60: 48}


def test_connector_0_is_no_more_than_the_station_may():
    book = booked(payload("max", {0: 50, 30: 40}, start_s=NOW_S))
    assert by_second(asked(book, 100, at=site(3, 3), connector=0)) == {0: 50, 30: 40}


def test_connector_0_in_watts_adds_up_what_each_is_wired_to():
    found = asked((), 100, at=site(3, 1), connector=0, unit=W, ceilings_a=(16.0, 10.0))
    assert by_second(found) == {0: 16 * 3 * 230 + 10 * 230}


# Shape


def test_the_first_period_is_at_0_and_none_is_at_the_end():
    book = booked(payload("default", {0: 10, 60: 16}, start_s=NOW_S))
    assert [period.start for period in asked(book, 60).periods] == [0]


def test_a_schedule_of_no_duration_tells_what_holds_now():
    book = booked(payload("default", {0: 10, 60: 16}, start_s=NOW_S))
    found = asked(book, 0)
    assert (found.duration_s, by_second(found)) == (0, {0: 10})


def test_deep_stacks_are_no_deeper_than_memory():
    bounds = Bounds(stack_level_max=5000, periods_max=24, installed_max=5000, units=BOUNDS.units)
    book = booked(payload("default", {0: 10}, start_s=NOW_S + 10**6))
    (one,) = book
    book = tuple(
        replace(one, profile=replace(one.profile, stack_level=level, charging_profile_id=level))
        for level in range(bounds.stack_level_max)
    )
    assert by_second(asked(book, 100)) == {0: 32}


def test_a_stack_says_which_profile_counts():
    book = booked(payload("default", {0: 10}, start_s=NOW_S, duration=60, id_=5))
    assert {one.profile.charging_profile_purpose for one in book} == {
        ChargingProfilePurposeType.TX_DEFAULT_PROFILE
    }
    pieces = cover(plan_of(book, site()).default[0], None, NOW_S, NOW_S, NOW_S + 100)
    assert [(at - NOW_S, by) for at, _, _, by in pieces] == [(0, 5), (60, NO_PROFILE)]
