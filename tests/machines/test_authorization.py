"""Authorisation at one connector by itself: what follows from a card, a remote start and an answer.

Who is let in by which rule is in tests/scenarios/test_authorization.py.
"""

import pytest

from machines.authorization import Authorization, AuthorizationData, IdTagPresented
from machines.smart_charging.moment import Charging
from machines.smart_charging.prepare import plan_of
from machines.vocabulary.effects import Answer, Call
from machines.vocabulary.notices import (
    AuthorizationDropped,
    Authorized,
    BecameOperative,
    CableReleased,
    FaultsEnded,
    IdTagLearnt,
    ProfileBrought,
    ReservationEnded,
    StopRequested,
    VehicleConnected,
)
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    ChargePointStatus,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    IdTagInfo,
    Reason,
    RemoteStartStopStatus,
    RemoteStartTransaction,
    RemoteStartTransactionConf,
)
from machines.vocabulary.tags import TagBook, TagEntry
from machines.vocabulary.wire import CallFailed, ConnectionClosed, Failure
from tests.machines import alone
from tests.machines.alone import STATION, quiet, some, unmoved
from tests.smart_charging.setting import site

NOBODY = AuthorizationData()
START, STOP = AuthorizationData("CARD"), AuthorizationData("FRIEND", stops=4)
"""What is asked: whether CARD may start, and whether FRIEND may stop transaction 4."""

PROFILE = ChargingProfile(
    charging_profile_id=1,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.TX_PROFILE,
    charging_profile_kind=ChargingProfileKindType.RELATIVE,
    charging_schedule=ChargingSchedule(
        charging_rate_unit=ChargingRateUnitType.A,
        charging_schedule_period=(ChargingSchedulePeriod(start_period=0, limit=10.0),),
    ),
)
ROOM = {
    "charging": Charging(
        plan=plan_of((), site()),
        book=(),
        transactions=(),
        intents=frozenset(),
        ceilings_a=(32.0,),
        installation_a=None,
    )
}
"""Nothing is installed."""
PLAIN = {"receives": STATION.settings.receives - {"SetChargingProfile"}}
"""A station without smart charging."""

RUNS = {"transaction": "running", "local_id": 4, "id_tag": "CARD", "parent_id_tag": "GROUP"}
LISTED = {"local_list": TagBook((TagEntry("CARD", AuthorizationStatus.ACCEPTED, parent_id_tag="GROUP"),))}
FREE = {"free_id_tag": "FREE"}
FAILED = CallFailed("authorization/1", "Authorize", Failure.TIMED_OUT)
OFFLINE = {"allow_offline_tx_for_unknown_id": True}


def told(state, message, data=NOBODY, **known):
    return alone.told(Authorization, state, data, message, **known)


def shown(id_tag="CARD"):
    return IdTagPresented(id_tag)


def conf(status="Accepted", parent=None):
    return AuthorizeConf(id_tag_info=IdTagInfo(status=AuthorizationStatus(status), parent_id_tag=parent))


def asks(id_tag):
    return Call(Authorize(id_tag=id_tag))


def learnt(data, message):
    return IdTagLearnt(data.id_tag, message.id_tag_info)


def answer(status):
    return Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus(status)))


MATTERS = {
    "idle": {
        BecameOperative,
        FaultsEnded,
        IdTagPresented,
        RemoteStartTransaction,
        ReservationEnded,
        VehicleConnected,
    },
    "asking": {AuthorizeConf, CallFailed, ConnectionClosed, RemoteStartTransaction},
}


@pytest.mark.parametrize(("state", "message"), quiet(Authorization, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    """A card that is shown while another question is open is among it."""
    data = START if state == "asking" else NOBODY
    assert told(state, some(message), data) == unmoved(state, data)


# A card


def test_a_card_that_nobody_knows_is_asked_about():
    assert told("idle", shown()) == ("asking", [asks("CARD")], START)


def test_a_card_that_is_on_the_list_starts_with_its_group():
    keys = {"local_pre_authorize": True}
    assert told("idle", shown(), keys=keys, **LISTED) == ("idle", [Authorized("CARD", "GROUP")], NOBODY)


def test_a_card_that_nobody_can_be_asked_about_starts_if_so_declared():
    assert told("idle", shown(), is_open=False, keys=OFFLINE) == ("idle", [Authorized("CARD")], NOBODY)
    assert told("idle", shown(), is_open=False) == unmoved("idle", NOBODY)


def test_a_card_that_is_shown_a_second_time_is_dropped():
    waits = {"transaction": "authorized", "id_tag": "CARD"}
    assert told("idle", shown(), **waits) == ("idle", [AuthorizationDropped()], NOBODY)


def test_the_card_that_started_it_stops_it():
    assert told("idle", shown(), **RUNS) == ("idle", [StopRequested(Reason.LOCAL, "CARD")], NOBODY)


def test_another_card_is_asked_about_for_its_group():
    assert told("idle", shown("FRIEND"), **RUNS) == ("asking", [asks("FRIEND")], STOP)


def test_the_card_of_its_user_releases_a_kept_cable():
    assert told("idle", shown(), kept_for="CARD") == ("idle", [CableReleased()], NOBODY)


# No card at all


@pytest.mark.parametrize(
    "message", [VehicleConnected(), BecameOperative(), FaultsEnded(), ReservationEnded(8)]
)
def test_free_of_charge_a_vehicle_that_is_there_may_start(message):
    free = ("idle", [Authorized("FREE")], NOBODY)
    assert told("idle", message, settings=FREE, is_connected=True) == free
    taken_up = ("idle", [CableReleased(), Authorized("FREE")], NOBODY)
    assert told("idle", message, settings=FREE, is_connected=True, kept_for="free") == taken_up
    for known in ({"is_operative": False}, {"is_faulted": True}, {"is_restarting": True}):
        assert told("idle", message, settings=FREE, is_connected=True, kept_for="FREE", **known) == free
    assert told("idle", message, is_connected=True) == unmoved("idle", NOBODY)
    for known in ({"transaction": "stopping"}, {"reserved_for": "CARD"}, {"kept_for": "CARD"}):
        assert told("idle", message, settings=FREE, is_connected=True, **known) == unmoved("idle", NOBODY)


@pytest.mark.parametrize("message", [BecameOperative(), FaultsEnded(), ReservationEnded(8)])
def test_free_of_charge_nobody_starts_without_a_vehicle(message):
    assert told("idle", message, settings=FREE) == unmoved("idle", NOBODY)


@pytest.mark.parametrize(
    "message", [VehicleConnected(), BecameOperative(), FaultsEnded(), ReservationEnded(8)]
)
def test_free_of_charge_a_vehicle_that_may_start_waits_for_the_answer(message):
    waits = ("asking", [], AuthorizationData("CARD", is_awaited=True))
    assert told("asking", message, START, settings=FREE, is_connected=True) == waits
    assert told("asking", message, START, settings=FREE) == unmoved("asking", START)
    for known in ({"transaction": "running"}, {"reserved_for": "OTHER"}):
        came = told("asking", message, START, settings=FREE, is_connected=True, **known)
        assert came == unmoved("asking", START)


@pytest.mark.parametrize("message", [conf("Invalid"), FAILED, ConnectionClosed("gone")])
def test_free_of_charge_a_vehicle_that_waited_starts_where_the_answer_starts_nobody(message):
    waiting = AuthorizationData("CARD", is_awaited=True)
    learns = [learnt(START, message)] if message == conf("Invalid") else []
    started = ("idle", [*learns, Authorized("FREE")], waiting)
    assert told("asking", message, waiting, settings=FREE, is_connected=True) == started
    # It has left, or did not come for this.
    assert told("asking", message, waiting, settings=FREE) == ("idle", learns, waiting)
    assert told("asking", message, START, settings=FREE, is_connected=True) == ("idle", learns, START)


def test_free_of_charge_the_answer_that_starts_somebody_starts_nobody_else():
    waiting, known = AuthorizationData("CARD", is_awaited=True), {"settings": FREE, "is_connected": True}
    assert told("asking", conf(), waiting, **known).emitted == [learnt(START, conf()), Authorized("CARD")]
    for message in (FAILED, ConnectionClosed("gone")):
        assert told("asking", message, waiting, keys=OFFLINE, **known).emitted == [Authorized("CARD")]


# RemoteStartTransaction.req


def remote(**members):
    return RemoteStartTransaction(id_tag="CARD", connector_id=1, **members)


def test_a_remote_start_starts():
    assert told("idle", remote()) == ("idle", [answer("Accepted"), Authorized("CARD")], NOBODY)


def test_a_remote_start_brings_its_profile_if_the_station_knows_any():
    brought = ProfileBrought(1, "CARD", PROFILE)
    after = told("idle", remote(charging_profile=PROFILE), settings=PLAIN)
    assert after == ("idle", [answer("Accepted"), Authorized("CARD")], NOBODY)
    asked = AuthorizationData("CARD", PROFILE)
    message = conf(parent="GROUP")
    assert told("asking", message, asked, **ROOM).emitted == [
        learnt(asked, message),
        Authorized("CARD", "GROUP"),
        brought,
    ]
    assert told("asking", message, asked, settings=PLAIN).emitted[2:] == []


def test_a_remote_start_is_asked_about_if_so_declared():
    keys = {"authorize_remote_tx_requests": True}
    asked = AuthorizationData("CARD", PROFILE)
    request = remote(charging_profile=PROFILE)
    assert told("idle", request, keys=keys, settings=PLAIN) == (
        "asking",
        [answer("Accepted"), asks("CARD")],
        asked,
    )
    accepted = [answer("Accepted"), Authorized("CARD", "GROUP")]
    keys["local_pre_authorize"] = True
    assert told("idle", remote(), keys=keys, **LISTED) == ("idle", accepted, NOBODY)


@pytest.mark.parametrize(
    "known",
    [
        {"transaction": "authorized"},
        {"kept_for": "CARD"},
        {"is_operative": False},
        {"is_faulted": True},
        {"is_restarting": True},
        {"status": ChargePointStatus.FINISHING},
        {"status": ChargePointStatus.CHARGING},
        {"reserved_for": "OTHER"},
        {"number": 2},
    ],
)
def test_a_remote_start_is_rejected_where_nobody_may_start(known):
    assert told("idle", remote(), **known) == ("idle", [answer("Rejected")], NOBODY)


def test_a_remote_start_is_rejected_while_another_one_is_asked_about():
    assert told("asking", remote(), START) == ("asking", [answer("Rejected")], START)


# Authorize.conf


def test_who_is_accepted_may_start():
    message = conf(parent="GROUP")
    emitted = [learnt(START, message), Authorized("CARD", "GROUP")]
    assert told("asking", message, START) == ("idle", emitted, START)


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
def test_who_is_not_accepted_may_not(status):
    message = conf(status)
    assert told("asking", message, START) == ("idle", [learnt(START, message)], START)


def test_who_is_accepted_may_not_start_where_it_is_reserved_for_somebody_else():
    message = conf(parent="GROUP")
    refused = ("idle", [learnt(START, message)], START)
    assert told("asking", message, START, reserved_for="OTHER") == refused
    assert told("asking", message, START, reserved_for="OTHER", reserved_parent="ANOTHER") == refused
    for known in ({"reserved_for": "card"}, {"reserved_for": "OTHER", "reserved_parent": "group"}):
        granted = [learnt(START, message), Authorized("CARD", "GROUP")]
        assert told("asking", message, START, **known).emitted == granted


@pytest.mark.parametrize("state", ["running", "deauthorized"])
def test_who_is_of_the_same_group_may_stop(state):
    message = conf(parent="GROUP")
    emitted = [learnt(STOP, message), StopRequested(Reason.LOCAL, "FRIEND")]
    assert told("asking", message, STOP, **{**RUNS, "transaction": state}) == ("idle", emitted, STOP)


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (conf(parent="OTHERS"), RUNS),
        (conf("Blocked", parent="GROUP"), RUNS),
        (conf(parent="GROUP"), RUNS | {"local_id": 5}),
        (conf(parent="GROUP"), RUNS | {"transaction": "stopping"}),
    ],
)
def test_who_is_not_of_the_group_of_this_transaction_may_not_stop(message, known):
    assert told("asking", message, STOP, **known) == ("idle", [learnt(STOP, message)], STOP)


# Nobody answers


@pytest.mark.parametrize("message", [FAILED, ConnectionClosed("gone")])
def test_without_an_answer_the_station_decides_as_if_offline(message):
    assert told("asking", message, START) == unmoved("idle", START)
    assert told("asking", message, START, keys=OFFLINE) == ("idle", [Authorized("CARD")], START)
    assert told("asking", message, STOP, keys=OFFLINE, **RUNS) == unmoved("idle", STOP)
    assert told("asking", message, START, keys=OFFLINE, is_faulted=True) == unmoved("idle", START)


@pytest.mark.parametrize("message", [FAILED, ConnectionClosed("gone")])
def test_a_remote_start_without_an_answer_brings_its_profile_as_well(message):
    asked = AuthorizationData("CARD", PROFILE)
    emitted = [Authorized("CARD"), ProfileBrought(1, "CARD", PROFILE)]
    assert told("asking", message, asked, keys=OFFLINE, **ROOM).emitted == emitted
