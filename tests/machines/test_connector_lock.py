"""The lock of one connector by itself: 5.18 Unlock Connector, and the cable that is kept for its user."""

import pytest
from msgspec.structs import replace

from machines.connector_lock import ConnectorLock, ConnectorLockData, UnlockTimedOut
from machines.vocabulary.effects import Answer, StartTimer, StopTimer
from machines.vocabulary.hardware import LockChanged, LockFailed
from machines.vocabulary.notices import (
    CableHeld,
    CableReleased,
    CableRemoved,
    TransactionEnded,
    UnlockGranted,
)
from machines.vocabulary.ocpp import Reason, UnlockConnector, UnlockConnectorConf, UnlockStatus
from tests.machines import alone
from tests.machines.alone import LIMITS, STATION, unmoved

NOTHING, WAITS = ConnectorLockData(), ConnectorLockData("call 3")
KEPT = ConnectorLockData(kept_for="CARD", kept_parent="GROUP")
UNLOCK = UnlockConnector(connector_id=1)
LOCKED, OPEN = LockChanged(True), LockChanged(False)
ENDED = TransactionEnded(4, Reason.LOCAL, "CARD", "GROUP")


def told(state, message, data=NOTHING, **known):
    return alone.told(ConnectorLock, state, data, message, call_id="call 9", **known)


def answer(status, call_id=""):
    return Answer(UnlockConnectorConf(status=UnlockStatus(status)), call_id)


@pytest.mark.parametrize("state", ["unlocked", "locked"])
def test_a_connector_without_a_lock_says_so(state):
    fixed = replace(STATION.settings.connectors[0], has_lock=False)
    refused = state, [answer("NotSupported")], NOTHING
    assert told(state, UNLOCK, connector=fixed) == refused


@pytest.mark.parametrize(
    ("state", "data"), [("unlocked", NOTHING), ("locked", NOTHING), ("unlocking", WAITS), ("kept", KEPT)]
)
def test_a_request_for_a_connector_that_does_not_exist_moves_no_lock(state, data):
    """It goes to the first one; TC_031."""
    assert told(state, UnlockConnector(connector_id=9), data) == (state, [answer("NotSupported")], data)


def test_a_lock_that_is_open_is_unlocked():
    """The transaction that is about to lock it is over."""
    assert told("unlocked", UNLOCK) == ("unlocked", [answer("Unlocked"), UnlockGranted()], NOTHING)


@pytest.mark.parametrize(("state", "data"), [("locked", NOTHING), ("kept", KEPT)])
def test_a_lock_that_is_closed_opens_and_the_answer_waits(state, data):
    wait = StartTimer("unlocking", LIMITS.unlock_timeout_s, UnlockTimedOut())
    assert told(state, UNLOCK, data) == ("unlocking", [wait, UnlockGranted()], ConnectorLockData("call 9"))


def test_a_lock_that_opened_is_what_the_request_waited_for():
    assert told("unlocking", OPEN, WAITS) == (
        "unlocked",
        [StopTimer("unlocking"), answer("Unlocked", "call 3")],
        NOTHING,
    )


@pytest.mark.parametrize("message", [LockFailed(False), UnlockTimedOut()])
def test_a_lock_that_did_not_open_is_locked(message):
    assert told("unlocking", message, WAITS) == (
        "locked",
        [StopTimer("unlocking"), answer("UnlockFailed", "call 3")],
        NOTHING,
    )


def test_a_second_request_fails_while_the_first_one_waits():
    assert told("unlocking", UNLOCK, WAITS) == ("unlocking", [answer("UnlockFailed")], WAITS)


def test_a_cable_that_is_held_is_news():
    assert told("unlocked", LOCKED) == ("locked", [CableHeld()], NOTHING)


def test_a_lock_that_opens_frees_the_cable():
    assert told("locked", OPEN) == unmoved("unlocked", NOTHING)
    assert told("kept", OPEN, KEPT) == unmoved("unlocked", NOTHING)


@pytest.mark.parametrize(
    ("state", "message", "data"),
    [
        ("unlocked", OPEN, NOTHING),
        ("locked", LOCKED, NOTHING),
        ("unlocking", LOCKED, WAITS),
        ("kept", LOCKED, KEPT),
        ("unlocked", LockFailed(True), NOTHING),
        ("locked", LockFailed(False), NOTHING),
        ("kept", LockFailed(False), KEPT),
        ("unlocked", ENDED, NOTHING),
        ("locked", ENDED, NOTHING),
        ("unlocking", ENDED, WAITS),
        ("unlocked", CableRemoved(), NOTHING),
        ("locked", CableRemoved(), NOTHING),
        ("unlocking", CableRemoved(), WAITS),
    ],
)
def test_what_does_not_move_the_lock_changes_nothing(state, message, data):
    assert told(state, message, data) == unmoved(state, data)


# The cable is kept after the end


@pytest.mark.parametrize(
    ("reason", "opens_on_disconnect", "has_cable", "is_kept"),
    [
        (Reason.EV_DISCONNECTED, False, True, True),
        (Reason.EV_DISCONNECTED, True, True, False),
        (Reason.DE_AUTHORIZED, True, True, True),
        (Reason.LOCAL, False, True, False),
        (Reason.EV_DISCONNECTED, False, False, False),
        (Reason.DE_AUTHORIZED, True, False, False),
    ],
)
def test_a_cable_that_was_unplugged_at_the_vehicle_or_whose_user_was_refused_is_kept(
    reason, opens_on_disconnect, has_cable, is_kept
):
    """Unless it is gone already."""
    keys = {"unlock_connector_on_ev_side_disconnect": opens_on_disconnect}
    ended = TransactionEnded(4, reason, "CARD", "GROUP")
    after = unmoved("kept", KEPT) if is_kept else unmoved("locked", NOTHING)
    assert told("locked", ended, keys=keys, has_cable=has_cable) == after


def test_a_kept_cable_that_is_gone_is_waited_for_no_longer():
    assert told("kept", CableRemoved(), KEPT) == unmoved("locked", NOTHING)


def test_its_user_gets_a_kept_cable_back():
    assert told("kept", CableReleased(), KEPT) == unmoved("locked", NOTHING)
