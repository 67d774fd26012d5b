"""Reservations, clause by clause."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from engine.station_file import load
from machines.facts import Facts
from machines.places import Places
from machines.reservation import EXPIRY, ExpiryDue, Reservation, ReservationData
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Instant, StartTimer, StopTimer
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.notices import (
    BecameFaulted,
    BecameInoperative,
    ReservationEnded,
    ReservationMoved,
    Reserved,
    TimeLearnt,
    TransactionStarted,
    UseEnded,
)
from machines.vocabulary.ocpp import (
    CancelReservation,
    CancelReservationConf,
    CancelReservationStatus,
    ChargePointStatus,
    ReservationStatus,
    ReserveNow,
    ReserveNowConf,
)

STATION = load("full")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UTC_NOW = NOON.timestamp()
HOUR_S = 3600.0
BOTH_FREE = Places(free=frozenset({1, 2}), count=2)
ONE_KEPT = Places(free=frozenset({2}), kept=((1, 7),), count=2)


def facts(number=1, *, utc=UTC_NOW, keys=None, **known):
    return Facts(
        now=Instant(1, 0.0, utc),
        settings=STATION.settings,
        keys=replace(STATION.defaults, **(keys or {})),
        key_set=STATION.keys,
        number=number,
        is_open=True,
        is_accepted=True,
        was_accepted=True,
        **{"places": BOTH_FREE, **known},
    )


def reserve(reservation_id=7, connector=1, tag="ALICE", parent=None, hours=1):
    return ReserveNow(
        connector_id=connector,
        expiry_date=NOON + timedelta(hours=hours),
        id_tag=tag,
        parent_id_tag=parent,
        reservation_id=reservation_id,
    )


def answered(effects):
    """The one answer among ``effects``."""
    (answer,) = [effect.answer.status for effect in effects if isinstance(effect, Answer)]
    return answer


@pytest.fixture
def free():
    return Reservation(ReservationData())


@pytest.fixture
def held(free):
    """Connector 1, kept for Alice or her family for an hour."""
    free.handle(reserve(parent="FAMILY"), facts())
    return free


def test_a_free_connector_is_reserved(free):
    """4.9 A7: answered, timed, told; in this order."""
    assert free.handle(reserve(), facts()) == [
        Answer(ReserveNowConf(status=ReservationStatus.ACCEPTED)),
        StartTimer(EXPIRY, HOUR_S, ExpiryDue()),
        ReservationMoved(7, 1),
        Reserved(),
    ]
    assert free.state == "held"


IN_USE = Places(free=frozenset({2}), count=2)
REFUSED = {
    "the profile is off": (
        reserve(),
        facts(keys={"supported_feature_profiles": ("Core",)}),
        ReservationStatus.REJECTED,
    ),
    "connector 0 is not supported": (
        reserve(connector=0),
        facts(0, keys={"reserve_connector_zero_supported": False}),
        ReservationStatus.REJECTED,
    ),
    "no such connector": (reserve(connector=3), facts(0), ReservationStatus.REJECTED),
    "the expiryDate is over": (reserve(hours=0), facts(), ReservationStatus.REJECTED),
    "the time is not known": (reserve(), facts(utc=None), ReservationStatus.REJECTED),
    "Faulted": (reserve(), facts(is_faulted=True, places=IN_USE), ReservationStatus.FAULTED),
    "Faulted goes before Unavailable": (
        reserve(),
        facts(is_faulted=True, status=ChargePointStatus.UNAVAILABLE),
        ReservationStatus.FAULTED,
    ),
    "Unavailable": (
        reserve(),
        facts(status=ChargePointStatus.UNAVAILABLE, places=IN_USE),
        ReservationStatus.UNAVAILABLE,
    ),
    "in use": (
        reserve(),
        facts(status=ChargePointStatus.CHARGING, places=IN_USE),
        ReservationStatus.OCCUPIED,
    ),
    "the last one, and connector 0 is reserved": (
        reserve(),
        facts(places=Places(free=frozenset({1}), count=2, station_id=8)),
        ReservationStatus.OCCUPIED,
    ),
    "0: the charge point is Faulted": (
        reserve(connector=0),
        facts(0, is_faulted=True),
        ReservationStatus.FAULTED,
    ),
    "0: every connector is Faulted": (
        reserve(connector=0),
        facts(0, places=Places(faulted=frozenset({1, 2}), count=2)),
        ReservationStatus.FAULTED,
    ),
    "0: the charge point is Unavailable": (
        reserve(connector=0),
        facts(0, is_operative=False),
        ReservationStatus.UNAVAILABLE,
    ),
    "0: Faulted or Unavailable all": (
        reserve(connector=0),
        facts(0, places=Places(faulted=frozenset({1}), unavailable=frozenset({2}), count=2)),
        ReservationStatus.UNAVAILABLE,
    ),
    "0: none is free": (
        reserve(connector=0),
        facts(0, places=Places(unavailable=frozenset({2}), count=2)),
        ReservationStatus.OCCUPIED,
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_refuses_a_reservation(free, why):
    """5.13 and decision RV1; nothing but the answer follows."""
    request, known, status = REFUSED[why]

    assert free.handle(request, known) == [Answer(ReserveNowConf(status=status))]
    assert free.state == "free"


def test_one_connector_is_reserved_for_one_at_a_time(held):
    """5.13 Occupied: under another id, even for the same idTag."""
    assert answered(held.handle(reserve(8), facts(places=ONE_KEPT))) is ReservationStatus.OCCUPIED
    assert held.data.reservation_id == 7


def test_the_same_id_replaces_it(held):
    """5.13: holder and expiry are the new ones; the connector stays Reserved."""
    assert held.handle(reserve(tag="BOB", hours=2), facts(places=ONE_KEPT)) == [
        Answer(ReserveNowConf(status=ReservationStatus.ACCEPTED)),
        StartTimer(EXPIRY, 2 * HOUR_S, ExpiryDue()),
    ]
    assert held.data.is_held_by("bob", None)
    assert not held.data.is_held_by("ALICE", "FAMILY")


def test_the_same_id_moves_it_to_another_connector(free):
    """5.13: what the old reservation keeps counts as free."""
    only_kept = Places(kept=((2, 7),), count=2)

    assert (
        answered(free.handle(reserve(connector=0), facts(0, places=only_kept))) is ReservationStatus.ACCEPTED
    )


def test_a_reservation_that_moved_is_given_up_where_it_was(held):
    assert held.handle(ReservationMoved(7, 2), facts()) == [StopTimer(EXPIRY), ReservationEnded(7)]
    assert held.state == "free"


@pytest.mark.parametrize("moved", [ReservationMoved(7, 1), ReservationMoved(8, 2)])
def test_its_own_move_and_those_of_others_change_nothing(held, moved):
    assert held.handle(moved, facts()) == []
    assert held.state == "held"


@pytest.mark.parametrize("transaction", ["authorized", "starting"])
def test_nobody_else_gets_it_while_its_holder_is_at_it(held, transaction):
    """Decision RV2: Occupied for another idTag, Accepted for the holder's own."""
    known = facts(transaction=transaction, status=ChargePointStatus.PREPARING, places=IN_USE)

    assert answered(held.handle(reserve(tag="BOB"), known)) is ReservationStatus.OCCUPIED
    assert answered(held.handle(reserve(hours=3), known)) is ReservationStatus.ACCEPTED


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (ExpiryDue(), {}),
        (TimeLearnt(UTC_NOW + HOUR_S), {}),
        (BecameFaulted(HardwareFault.METER), {"is_faulted": True}),
        (BecameInoperative(), {"is_operative": False}),
    ],
)
def test_what_ends_it_gives_the_connector_back(held, message, known):
    """5.13: expiryDate, Faulted, Unavailable."""
    assert held.handle(message, facts(**known)) == [StopTimer(EXPIRY), ReservationEnded(7)]
    assert held.state == "free"


def test_it_is_cancelled(held):
    """5.1, 4.9 G1."""
    assert held.handle(CancelReservation(reservation_id=7), facts()) == [
        Answer(CancelReservationConf(status=CancelReservationStatus.ACCEPTED)),
        StopTimer(EXPIRY),
        ReservationEnded(7),
    ]


def test_cancelling_another_is_rejected(held):
    """5.1: and this one stands."""
    assert (
        answered(held.handle(CancelReservation(reservation_id=8), facts()))
        is CancelReservationStatus.REJECTED
    )
    assert held.state == "held"


def test_cancelling_without_any_is_rejected(free):
    assert (
        answered(free.handle(CancelReservation(reservation_id=7), facts()))
        is CancelReservationStatus.REJECTED
    )


def test_a_transaction_of_its_holder_uses_it_up(held):
    """5.13: the use decides the status, so nothing is given back."""
    assert held.handle(TransactionStarted(1), facts(reservation_id=7)) == [StopTimer(EXPIRY)]
    assert held.state == "free"


def test_a_transaction_that_goes_on_after_a_power_cut_uses_nothing_up(held):
    held.handle(TransactionStarted(1, resumed=True), facts(reservation_id=7))

    assert held.state == "held"


def test_the_holder_of_connector_0_uses_it_wherever_a_transaction_starts(free):
    assert free.handle(TransactionStarted(1), facts(2, reservation_id=9)) == [ReservationMoved(9, 2)]


def test_the_group_may_use_it_and_its_parent_is_no_idtag(held):
    """5.13; two parentIdTags are compared, never one with an idTag."""
    assert held.data.is_held_by("BOB", "family")
    assert not held.data.is_held_by("FAMILY", None)
    assert not held.data.is_held_by("BOB", None)


def test_the_connector_is_reserved_again_after_a_use_that_came_to_nothing(held):
    """Decision RV3."""
    assert held.handle(UseEnded(), facts()) == [Reserved()]


def test_a_connector_out_of_service_is_not_reserved_again(held):
    """What was scheduled happens now and ends the reservation."""
    assert held.handle(UseEnded(), facts(is_operative=False)) == []


def test_a_scheduled_change_does_not_end_it(held):
    """Another connector's fault finds the holder preparing, Inoperative scheduled."""
    held.handle(BecameFaulted(HardwareFault.METER), facts(is_operative=False, is_scheduled=True))

    assert held.state == "held"


def test_the_expiry_follows_the_clock(held):
    """Decision RV4: each time that is told sets the timer anew."""
    assert held.handle(TimeLearnt(UTC_NOW + 3000), facts()) == [StartTimer(EXPIRY, 600.0, ExpiryDue())]
    assert held.handle(TimeLearnt(UTC_NOW - 3000), facts()) == [StartTimer(EXPIRY, 6600.0, ExpiryDue())]


def test_connector_0_stays_reserved_while_any_connector_is_usable():
    """Decision RV6."""
    machine = Reservation(ReservationData())
    machine.handle(reserve(connector=0), facts(0))

    machine.handle(
        BecameFaulted(HardwareFault.METER), facts(0, places=Places(faulted=frozenset({1}), count=2))
    )
    assert machine.state == "held"
    all_gone = Places(faulted=frozenset({1}), unavailable=frozenset({2}), count=2)
    machine.handle(BecameInoperative(), facts(0, places=all_gone))
    assert machine.state == "free"


def resumed(machine, free):
    """The time of day is not known yet."""
    return free.handle(Resumed(machine.state, machine.remember()), facts(utc=None))


def test_after_a_restart_it_is_held_for_its_whole_length(held):
    """Decision RV4: by then expiryDate has passed for certain."""
    again = Reservation(ReservationData())

    assert resumed(held, again) == [StartTimer(EXPIRY, HOUR_S, ExpiryDue()), Reserved()]
    assert again.data == held.data


def test_after_a_restart_it_is_held_for_what_is_left_once_the_time_is_told(held):
    again = Reservation(ReservationData())
    resumed(held, again)

    told = again.handle(TimeLearnt(UTC_NOW + 600), facts(utc=None))
    assert told == [StartTimer(EXPIRY, 3000.0, ExpiryDue())]


def test_after_a_restart_it_ends_when_a_time_is_told_at_which_it_has_passed(held):
    again = Reservation(ReservationData())
    resumed(held, again)

    assert ReservationEnded(7) in again.handle(TimeLearnt(UTC_NOW + HOUR_S), facts(utc=None))
    assert again.state == "free"


def test_nothing_is_held_after_a_restart_if_nothing_was(free):
    again = Reservation(ReservationData())

    assert resumed(free, again) == []
    assert again.state == "free"
