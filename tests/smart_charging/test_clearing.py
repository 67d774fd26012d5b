"""What ClearChargingProfile.req removes, and what a transaction takes with it: facts 9.3."""

import msgspec
import pytest

from machines.smart_charging.answers import clear_answer
from machines.smart_charging.profiles import (
    begin_transaction,
    clear,
    drop_awaiting,
    end_transaction,
    install_awaiting,
)
from machines.vocabulary.ocpp import ClearChargingProfile, ClearChargingProfileStatus
from tests.smart_charging.payloads import decoded, payload
from tests.smart_charging.setting import BOUNDS, NOW_S, TAG, asked, booked, by_second, running

BOOK = booked(
    payload("max", {0: 30}, id_=1, level=0, start_s=NOW_S),
    payload("default", {0: 10}, id_=2, level=0, start_s=NOW_S),
    payload("default", {0: 12}, id_=3, level=1, start_s=NOW_S, connector=1),
    payload("tx", {0: 14}, id_=4, level=1, start_s=NOW_S, connector=1),
    payload("tx", {0: 16}, id_=5, level=1, start_s=NOW_S, connector=2),
    transactions=(running(1), running(2)),
)


def left(**fields):
    """Ids of what is left of the book, and the answer."""
    request = msgspec.json.decode(msgspec.json.encode(fields), type=ClearChargingProfile)
    after = clear(BOOK, request)
    return [one.profile.charging_profile_id for one in after], clear_answer(BOOK, after, request).status.value


def test_without_fields_everything_goes():
    assert left() == ([], "Accepted")


def test_to_clear_everything_succeeds_although_nothing_is_installed():
    request = ClearChargingProfile()
    assert clear_answer((), clear((), request), request).status is ClearChargingProfileStatus.ACCEPTED


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"id": 3}, [1, 2, 4, 5]),
        ({"id": 3, "connectorId": 2, "stackLevel": 7}, [1, 2, 4, 5]),
        ({"connectorId": 0}, [3, 4, 5]),
        ({"connectorId": 1}, [1, 2, 5]),
        ({"chargingProfilePurpose": "TxProfile"}, [1, 2, 3]),
        ({"stackLevel": 1}, [1, 2]),
        ({"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile"}, [1, 2, 4, 5]),
        ({"connectorId": 1, "chargingProfilePurpose": "TxProfile", "stackLevel": 1}, [1, 2, 3, 5]),
    ],
)
def test_what_matches_goes(fields, kept):
    assert left(**fields) == (kept, "Accepted")


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 9},
        {"connectorId": 3},
        {"connectorId": -1},
        {"stackLevel": 9},
        {"chargingProfilePurpose": "ChargePointMaxProfile", "stackLevel": 1},
    ],
)
def test_where_nothing_matches_nothing_goes(fields):
    assert left(**fields) == ([1, 2, 3, 4, 5], "Unknown")


def test_tc_067_by_id_by_criteria_and_all():
    transactions = (running(1),)
    book = booked(
        payload("max", {0: 10}, id_=1, start_s=NOW_S),
        payload("default", {0: 8}, id_=2, start_s=NOW_S),
        payload("tx", {0: 6}, id_=3, start_s=NOW_S, connector=1),
        transactions=transactions,
    )
    seen = []
    for fields in ({"id": 3}, {"connectorId": 0, "chargingProfilePurpose": "TxDefaultProfile"}, {}):
        seen.append(by_second(asked(book, 300, transactions=transactions)))
        book = clear(book, msgspec.convert(fields, ClearChargingProfile))
    seen.append(by_second(asked(book, 300, transactions=transactions)))
    assert seen == [{0: 6}, {0: 8}, {0: 10}, {0: 32}]


def test_the_profiles_of_a_transaction_end_with_it():
    kept = end_transaction(BOOK, running(1).local_id)
    assert [one.profile.charging_profile_id for one in kept] == [1, 2, 3, 5]


def test_what_waits_for_a_transaction_becomes_that_of_the_next_one_there():
    profile = decoded(payload("tx", {0: 10}, kind="Relative", id_=8)).cs_charging_profiles
    waiting = install_awaiting((), 2, TAG, profile, bounds=BOUNDS, now_s=NOW_S)
    assert begin_transaction(waiting, 1, running(1).local_id, TAG) == waiting
    (installed,) = begin_transaction(waiting, 2, running(2).local_id, TAG)
    assert installed.local_id == running(2).local_id


def test_what_waits_leaves_what_the_running_transaction_has():
    profile = decoded(payload("tx", {0: 10}, kind="Relative", id_=8, level=1)).cs_charging_profiles
    assert len(install_awaiting(BOOK, 1, TAG, profile, bounds=BOUNDS, now_s=NOW_S)) == len(BOOK) + 1


def test_what_waited_for_a_transaction_that_does_not_come_is_dropped():
    profile = decoded(payload("tx", {0: 10}, kind="Relative", id_=8)).cs_charging_profiles
    waiting = install_awaiting(BOOK, 2, TAG, profile, bounds=BOUNDS, now_s=NOW_S)
    assert drop_awaiting(waiting, 1) == waiting
    assert drop_awaiting(waiting, 2) == BOOK
