"""What is offered now, and until when: facts 9.4 and IEC 61851-1."""

from tests.smart_charging.payloads import payload
from tests.smart_charging.setting import DAY_S, NOW_S, booked, offered, running, site


def test_without_a_profile_the_ceiling_is_offered_until_something_is_told():
    found = offered((), ceilings_a=(20.0,))
    assert (found.limit_a, found.phases, found.until_s) == (20, 3, None)


def test_the_limit_holds_until_its_next_change():
    found = offered(booked(payload("default", {0: 10, 60: 16}, start_s=NOW_S - 20)))
    assert (found.limit_a, found.until_s) == (10, NOW_S + 40)


def test_a_boundary_that_changes_nothing_is_passed_over():
    book = booked(payload("default", {0: 10, 60: 10, 120: 16}, start_s=NOW_S))
    assert offered(book).until_s == NOW_S + 120


def test_less_than_6_a_is_a_pause():
    assert offered(booked(payload("default", {0: 5.9}, start_s=NOW_S))).limit_a == 0


def test_from_one_limit_below_6_a_to_another_nothing_changes():
    book = booked(payload("default", {0: 0, 60: 5, 120: 6}, start_s=NOW_S))
    assert offered(book).until_s == NOW_S + 120


def test_changes_of_phases_are_changes():
    schedule = {
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 10, "numberPhases": 3},
            {"startPeriod": 60, "limit": 10, "numberPhases": 1},
        ]
    }
    book = booked(payload("default", {}, start_s=NOW_S, schedule=schedule))
    found = offered(book, at=site(3, can_switch=True))
    assert (found.phases, found.until_s) == (3, NOW_S + 60)


def test_a_change_some_days_ahead_is_found():
    book = booked(payload("default", {0: 10, 5 * DAY_S: 16}, start_s=NOW_S))
    assert offered(book).until_s == NOW_S + 5 * DAY_S


def test_a_change_far_ahead_is_looked_for_again_in_time():
    change_s = NOW_S + 100 * DAY_S
    book = booked(payload("default", {0: 10, 100 * DAY_S: 16}, start_s=NOW_S))
    now_s, looks = NOW_S, 0
    while (found := offered(book, now_s=now_s)).limit_a == 10:
        assert found.until_s is not None
        assert now_s < found.until_s <= change_s
        now_s, looks = found.until_s, looks + 1
    assert (now_s, found.limit_a) == (change_s, 16)
    assert looks < 20


def test_the_share_of_another_connector_counts():
    book = booked(
        payload("max", {0: 30}, start_s=NOW_S, id_=1),
        payload("default", {0: 8, 90: 20}, start_s=NOW_S, connector=1, id_=2),
    )
    found = offered(book, at=site(3, 3), connector=2, transactions=(running(1), running(2)))
    assert (found.limit_a, found.until_s) == (22, NOW_S + 90)
