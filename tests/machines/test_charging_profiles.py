"""The charging profiles of a station by themselves: what each message leaves installed, and whether limits changed."""

import pytest
from msgspec.structs import replace

from machines.charging_profiles import ChargingProfiles, ChargingProfilesData, InstalledProfiles
from machines.resumed import Resumed
from machines.smart_charging.moment import Begun, Charging
from machines.smart_charging.prepare import plan_of
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import (
    IntentDropped,
    LimitsChanged,
    ProfileBrought,
    TransactionEnded,
    TransactionStarted,
)
from machines.vocabulary.ocpp import (
    ChargingProfileStatus,
    ClearChargingProfile,
    ClearChargingProfileConf,
    ClearChargingProfileStatus,
    GetCompositeSchedule,
    GetCompositeScheduleConf,
    GetCompositeScheduleStatus,
    SetChargingProfileConf,
)
from tests.machines import alone
from tests.machines.alone import NOW, quiet, some, unmoved
from tests.smart_charging.payloads import decoded, payload
from tests.smart_charging.setting import booked, running, site

NOW_S = int(NOW.utc)
SITE = site(3, 3)
DEFAULT = payload("default", {0: 10}, id_=1, start_s=NOW_S)
OTHER = payload("default", {0: 8}, id_=2, level=1, start_s=NOW_S)
OWN = payload("tx", {0: 6}, id_=3, connector=1, kind="Relative")
"""Of the transaction on connector 1."""


def book_of(*requests):
    return booked(*requests, transactions=(running(1),), now_s=NOW_S)


(SET_DEFAULT,) = book_of(DEFAULT)
(SET_OTHER,) = book_of(OTHER)
(SET_OWN,) = book_of(OWN)
WAITING = replace(SET_OWN, local_id=0, id_tag="CARD")
"""The same, before the transaction of CARD on connector 1 begins."""
BEGUN = Begun(connector=1, local_id=41, transaction_id=7, id_tag="CARD", started_at=NOW, is_ending=False)
CHANGED = LimitsChanged()


def data(*book):
    return ChargingProfilesData(plan_of(book, SITE), book)


def told(book, message, *, transactions=(), intents=(), now=NOW):
    held = data(*book)
    charging = Charging(
        plan=held.plan,
        book=held.book,
        transactions=transactions,
        intents=frozenset(intents),
        ceilings_a=(32.0, 32.0),
        installation_a=None,
    )
    state = "holding" if book else "empty"
    return alone.told(ChargingProfiles, state, held, message, number=0, charging=charging, now=now)


def after(book, *emitted):
    return "holding" if book else "empty", list(emitted), data(*book)


def set_answer(status):
    return Answer(SetChargingProfileConf(status=ChargingProfileStatus(status)))


def clear_answer(status):
    return Answer(ClearChargingProfileConf(status=ClearChargingProfileStatus(status)))


MATTERS = {
    "empty": set(ChargingProfiles.messages) - {TransactionStarted, TransactionEnded, IntentDropped},
    "holding": set(ChargingProfiles.messages) - {Resumed},
}


@pytest.mark.parametrize(("state", "message"), quiet(ChargingProfiles, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert state == "empty"
    assert told((), some(message)) == unmoved("empty", data())


# SetChargingProfile.req


@pytest.mark.parametrize("book", [(), (SET_OTHER,)])
def test_a_profile_is_installed_beside_others(book):
    assert told(book, decoded(DEFAULT)) == after((*book, SET_DEFAULT), set_answer("Accepted"), CHANGED)


@pytest.mark.parametrize("book", [(), (SET_OTHER,)])
def test_a_profile_that_is_refused_changes_nothing(book):
    """There is no transaction for it; or nobody knows when it would be."""
    assert told(book, decoded(OWN)) == after(book, set_answer("Rejected"))
    assert told(book, decoded(DEFAULT), now=replace(NOW, utc=None)) == after(book, set_answer("Rejected"))


# ClearChargingProfile.req


def test_profiles_are_cleared():
    both, one = (SET_DEFAULT, SET_OTHER), ClearChargingProfile(id=1)
    assert told(both, one) == after((SET_OTHER,), clear_answer("Accepted"), CHANGED)
    assert told((SET_DEFAULT,), one) == after((), clear_answer("Accepted"), CHANGED)
    assert told(both, ClearChargingProfile()) == after((), clear_answer("Accepted"), CHANGED)


@pytest.mark.parametrize("book", [(), (SET_DEFAULT,)])
def test_a_profile_that_is_not_there_cannot_be_cleared(book):
    assert told(book, ClearChargingProfile(id=9)) == after(book, clear_answer("Unknown"))


# GetCompositeSchedule.req


@pytest.mark.parametrize(("book", "limit"), [((), 32.0), ((SET_DEFAULT,), 10.0)])
def test_the_schedule_is_told(book, limit):
    state, (answer,), left = told(book, GetCompositeSchedule(connector_id=1, duration=60))
    assert (state, left) == (after(book)[0], data(*book))
    assert answer.answer.status is GetCompositeScheduleStatus.ACCEPTED
    (period,) = answer.answer.charging_schedule.charging_schedule_period
    assert period.limit == limit


def test_without_the_time_of_day_there_is_no_schedule():
    refused = Answer(GetCompositeScheduleConf(status=GetCompositeScheduleStatus.REJECTED))
    request = GetCompositeSchedule(connector_id=1, duration=60)
    assert told((), request, now=replace(NOW, utc=None)) == after((), refused)


# The profile of a remote start

BROUGHT = ProfileBrought(1, "CARD", SET_OWN.profile)


@pytest.mark.parametrize("book", [(), (SET_DEFAULT,)])
def test_a_profile_that_a_remote_start_brought_waits_for_its_transaction(book):
    assert told(book, BROUGHT, intents={1}) == after((*book, WAITING), CHANGED)


@pytest.mark.parametrize("book", [(), (SET_DEFAULT,)])
def test_a_profile_without_a_transaction_to_come_is_left_alone(book):
    """Nobody waits there; or it is of a kind that waits for none."""
    assert told(book, BROUGHT) == after(book)
    assert told(book, BROUGHT, intents={2}) == after(book)
    assert told(book, ProfileBrought(1, "CARD", SET_DEFAULT.profile), intents={1}) == after(book)


@pytest.mark.parametrize("rest", [(), (SET_DEFAULT,)])
def test_a_transaction_takes_what_waited_for_it_and_ends_what_waited_for_another(rest):
    mine, another = (replace(BEGUN, id_tag=tag) for tag in ("CARD", "FRIEND"))
    started = TransactionStarted(41)
    assert told((*rest, WAITING), started, transactions=(mine,)) == after((*rest, SET_OWN), CHANGED)
    assert told((*rest, WAITING), started, transactions=(another,)) == after(rest, CHANGED)


def test_a_transaction_that_nothing_waited_for_changes_nothing():
    assert told((SET_DEFAULT,), TransactionStarted(41), transactions=(BEGUN,)) == after((SET_DEFAULT,))


@pytest.mark.parametrize("rest", [(), (SET_DEFAULT,)])
def test_what_waited_goes_when_no_transaction_comes(rest):
    assert told((*rest, WAITING), IntentDropped()) == after(rest, CHANGED)
    assert told((*rest, WAITING), IntentDropped(), intents={1}) == after((*rest, WAITING))


# The end of a transaction


@pytest.mark.parametrize("rest", [(), (SET_DEFAULT,)])
def test_a_profile_of_a_transaction_ends_with_it(rest):
    assert told((*rest, SET_OWN), TransactionEnded(41)) == after(rest, CHANGED)
    assert told((*rest, SET_OWN), TransactionEnded(42)) == after((*rest, SET_OWN))


# After a restart


def test_profiles_outlive_a_restart_and_those_of_a_transaction_with_it():
    kept = Resumed("holding", InstalledProfiles((SET_DEFAULT, SET_OWN)))
    assert told((), kept) == after((SET_DEFAULT,), CHANGED)
    assert told((), kept, transactions=(BEGUN,)) == after((SET_DEFAULT, SET_OWN), CHANGED)
    assert told((), Resumed("holding", InstalledProfiles((SET_OWN,)))) == after(())
