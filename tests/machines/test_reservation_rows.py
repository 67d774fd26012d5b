"""A reservation by itself, row by row: what each message leaves behind. The clauses are in test_reservation.py."""

from datetime import UTC, datetime, timedelta

import pytest

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
from tests.machines import alone
from tests.machines.alone import NOW, quiet, some, unmoved

NOTHING = ReservationData()
HELD = ReservationData(7, "ALICE", "FAMILY", NOW.utc + 3600, 3600.0)
DATA = {"free": NOTHING, "held": HELD}
BOTH_FREE = Places(free=frozenset({1, 2}), count=2)
ONE_KEPT = Places(free=frozenset({2}), kept=((1, 7),), count=2)
SOON = datetime.fromtimestamp(NOW.utc, UTC) + timedelta(hours=2)
FAULTED = BecameFaulted(HardwareFault.GROUND)
STATES = ["free", "held"]


def told(state, message, data=None, **known):
    data = DATA[state] if data is None else data
    return alone.told(Reservation, state, data, message, **{"places": ONE_KEPT, **known})


def asked(reservation_id=7, connector=1):
    return ReserveNow(connector_id=connector, expiry_date=SOON, id_tag="ALICE", reservation_id=reservation_id)


def answer(status):
    return Answer(ReserveNowConf(status=ReservationStatus(status)))


def cancelled(status):
    return Answer(CancelReservationConf(status=CancelReservationStatus(status)))


MATTERS = {
    "free": {CancelReservation, ReserveNow, Resumed, TransactionStarted},
    "held": {BecameFaulted, BecameInoperative, CancelReservation, ExpiryDue, ReservationMoved, ReserveNow}
    | {TimeLearnt, TransactionStarted, UseEnded},
}


@pytest.mark.parametrize(("state", "message"), quiet(Reservation, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message)) == unmoved(state, DATA[state])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"now": Instant(1, 50.0)}, "Rejected"),
        ({"is_faulted": True}, "Faulted"),
        ({"status": ChargePointStatus.UNAVAILABLE}, "Unavailable"),
        ({"places": Places(free=frozenset({2}), count=2)}, "Occupied"),
    ],
)
def test_a_request_that_is_refused_leaves_everything_as_it_is(state, known, status):
    assert told(state, asked(reservation_id=8), **known) == (state, [answer(status)], DATA[state])


def test_a_request_that_is_granted_is_held_until_its_date():
    data = ReservationData(8, "ALICE", None, NOW.utc + 7200, 7200.0)
    begun = [answer("Accepted"), StartTimer(EXPIRY, 7200.0, ExpiryDue()), ReservationMoved(8, 1), Reserved()]
    assert told("free", asked(8), places=BOTH_FREE) == ("held", begun, data)


def test_a_request_with_the_same_number_replaces_it():
    data = ReservationData(7, "ALICE", None, NOW.utc + 7200, 7200.0)
    replaced = [answer("Accepted"), StartTimer(EXPIRY, 7200.0, ExpiryDue())]
    assert told("held", asked()) == ("held", replaced, data)


def test_only_what_is_held_can_be_cancelled():
    assert told("free", CancelReservation(reservation_id=7)) == ("free", [cancelled("Rejected")], NOTHING)
    assert told("held", CancelReservation(reservation_id=8)) == ("held", [cancelled("Rejected")], HELD)
    ended = [cancelled("Accepted"), StopTimer(EXPIRY), ReservationEnded(7)]
    assert told("held", CancelReservation(reservation_id=7)) == ("free", ended, NOTHING)


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (ReservationMoved(7, 2), {}),
        (ExpiryDue(), {}),
        (TimeLearnt(NOW.utc + 3600), {}),
        (FAULTED, {"is_faulted": True}),
        (BecameInoperative(), {"is_operative": False}),
    ],
)
def test_when_it_ends_nothing_is_left_of_it(message, known):
    assert told("held", message, **known) == ("free", [StopTimer(EXPIRY), ReservationEnded(7)], NOTHING)


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (ReservationMoved(7, 1), {}),
        (ReservationMoved(8, 2), {}),
        (FAULTED, {}),
        (FAULTED, {"is_faulted": True, "settings": {"reservations_outlast_faults": True}}),
        (BecameInoperative(), {}),
        (UseEnded(), {"is_operative": False}),
        (UseEnded(), {"status": ChargePointStatus.PREPARING}),
        (TransactionStarted(4), {}),
        (TransactionStarted(4, resumed=True), {"reservation_id": 7}),
    ],
)
def test_what_does_not_end_it_leaves_it_as_it_is(message, known):
    assert told("held", message, **known) == unmoved("held", HELD)


def test_a_transaction_of_its_holder_uses_it_up():
    used = {"reservation_id": 7}
    assert told("held", TransactionStarted(4), **used) == ("free", [StopTimer(EXPIRY)], NOTHING)
    moved = [ReservationMoved(7, 1)]
    assert told("free", TransactionStarted(4), **used) == ("free", moved, NOTHING)
    assert told("free", TransactionStarted(4)) == unmoved("free", NOTHING)


def test_its_end_follows_the_clock():
    waits = [StartTimer(EXPIRY, 600.0, ExpiryDue())]
    assert told("held", TimeLearnt(NOW.utc + 3000)) == ("held", waits, HELD)


def test_after_a_use_that_came_to_nothing_it_is_kept_again():
    assert told("held", UseEnded()) == ("held", [Reserved()], HELD)


def test_after_a_restart_it_is_held_as_long_as_it_lasts():
    resumed = Resumed("held", HELD)
    held = [StartTimer(EXPIRY, 3600.0, ExpiryDue()), Reserved()]
    assert told("free", resumed) == ("held", held, HELD)
    assert told("free", Resumed("free", HELD)) == unmoved("free", NOTHING)
