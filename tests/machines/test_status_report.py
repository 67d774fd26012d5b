"""The status reports of one connector by themselves: what is told, when, and what is told again."""

import pytest
from msgspec.structs import replace

from machines.status_report import (
    REPEAT,
    SETTLING,
    MinimumStatusPassed,
    RepetitionDue,
    Status,
    StatusChanged,
    StatusReport,
    StatusReportData,
)
from machines.vocabulary.effects import Call, Instant, StartTimer, StopTimer
from machines.vocabulary.notices import RegistrationAccepted, StatusTriggered
from machines.vocabulary.ocpp import (
    ChargePointErrorCode,
    ChargePointStatus,
    StatusNotification,
    StatusNotificationConf,
)
from machines.vocabulary.wire import CallFailed, ConnectionClosed, ConnectionOpened, Failure
from tests.machines import alone
from tests.machines.alone import NOW, unmoved

AVAILABLE = Status(ChargePointStatus.AVAILABLE)
FAULTED = Status(ChargePointStatus.FAULTED, ChargePointErrorCode.GROUND_FAILURE, "leak")
EARLIER = Instant(1, 20.0)
TOLD = StatusReportData(AVAILABLE, EARLIER, AVAILABLE)
"""Available, as the Central System knows."""
UNTOLD = StatusReportData(FAULTED, NOW, AVAILABLE)
"""Faulted by now."""
CHANGED = StatusChanged(FAULTED, NOW)
CLOSED, OPENED, ARRIVED = ConnectionClosed("gone"), ConnectionOpened(), StatusNotificationConf()
FAILED = CallFailed("status_report/1", "StatusNotification", Failure.TIMED_OUT)
REFUSED = CallFailed("status_report/1", "StatusNotification", Failure.CALL_ERROR)
STATES = ["held", "settled", "settling"]


def told(state, message, data=TOLD, minimum_s=0, **known):
    return alone.told(
        StatusReport, state, data, message, keys={"minimum_status_duration": minimum_s}, **known
    )


def notified(data):
    """The status is told, with when it began."""
    status = data.present
    request = StatusNotification(
        connector_id=1,
        status=status.status,
        error_code=status.error_code,
        info=status.info or None,
    )
    return [Call(request, at=data.since)], replace(data, told=status, in_flight=data.in_flight + 1)


def waits(seconds):
    return [StartTimer(SETTLING, seconds, MinimumStatusPassed())]


def test_a_status_that_changes_offline_is_noted():
    assert told("held", CHANGED) == unmoved("held", UNTOLD)


def test_a_status_that_changes_is_told_at_once():
    assert told("settled", CHANGED) == ("settled", *notified(UNTOLD))


def test_with_a_minimum_duration_a_status_is_told_once_it_has_lasted():
    assert told("settled", CHANGED, minimum_s=5) == ("settling", waits(5), UNTOLD)
    assert told("settling", CHANGED, minimum_s=5) == ("settling", waits(5), UNTOLD)
    assert told("settling", MinimumStatusPassed(), UNTOLD, minimum_s=5) == ("settled", *notified(UNTOLD))


def test_a_status_that_is_back_to_what_was_told_is_not_told_again():
    assert told("settling", MinimumStatusPassed(), minimum_s=5) == unmoved("settled", TOLD)


def test_after_registration_every_status_is_told():
    assert told("held", RegistrationAccepted(60)) == ("settled", *notified(TOLD))


def test_after_an_outage_only_what_changed_is_told():
    assert told("held", OPENED) == unmoved("settled", TOLD)
    assert told("held", OPENED, UNTOLD) == ("settled", *notified(UNTOLD))
    assert told("held", OPENED, UNTOLD, is_accepted=False) == unmoved("held", UNTOLD)


@pytest.mark.parametrize("state", STATES)
def test_a_status_that_is_asked_for_is_told(state):
    for connector in (1, None):
        assert told(state, StatusTriggered(connector)) == (state, *notified(TOLD))
    assert told(state, StatusTriggered(2)) == unmoved(state, TOLD)


@pytest.mark.parametrize("state", STATES)
def test_what_arrived_is_known_and_what_failed_is_not(state):
    flying = replace(TOLD, in_flight=1)
    assert told(state, ARRIVED, flying) == unmoved(state, TOLD)
    assert told(state, REFUSED, flying) == unmoved(state, replace(TOLD, told=None))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("message", [ARRIVED, FAILED, REFUSED])
def test_what_another_notification_tells_is_not_in_doubt_yet(state, message):
    assert told(state, message, replace(TOLD, in_flight=2)) == unmoved(state, replace(TOLD, in_flight=1))


# Nobody answers


def repeats(seconds):
    return [StartTimer(REPEAT, seconds, RepetitionDue())]


def test_what_nobody_answered_is_told_again():
    flying, doubtful = replace(TOLD, in_flight=1), replace(TOLD, told=None, unanswered=1)
    assert told("settled", FAILED, flying) == ("doubtful", repeats(60), doubtful)
    assert told("doubtful", RepetitionDue(), doubtful) == ("settled", *notified(doubtful))
    for state in ("held", "settling"):
        assert told(state, FAILED, flying) == unmoved(state, replace(TOLD, told=None))


@pytest.mark.parametrize(("before", "wait_s", "after"), [(0, 60, 1), (1, 120, 2), (5, 1920, 6), (6, 3840, 6)])
def test_each_repetition_waits_twice_as_long_until_one_arrives(before, wait_s, after):
    flying = replace(TOLD, in_flight=1, unanswered=before)
    doubtful = replace(TOLD, told=None, unanswered=after)
    assert told("settled", FAILED, flying) == ("doubtful", repeats(wait_s), doubtful)
    assert told("settled", ARRIVED, flying) == unmoved("settled", TOLD)


def test_what_is_told_or_may_not_be_told_meanwhile_is_not_repeated():
    doubtful = replace(TOLD, told=None, unanswered=1)
    changed = replace(doubtful, present=FAULTED, since=NOW)
    stop = StopTimer(REPEAT)
    told_now, data = notified(changed)
    assert told("doubtful", CHANGED, doubtful) == ("settled", [stop, *told_now], data)
    assert told("doubtful", CHANGED, doubtful, minimum_s=5) == ("settling", [stop, *waits(5)], changed)
    told_again, data = notified(doubtful)
    for connector in (1, None):
        assert told("doubtful", StatusTriggered(connector), doubtful) == (
            "settled",
            [stop, *told_again],
            data,
        )
    assert told("doubtful", StatusTriggered(2), doubtful) == unmoved("doubtful", doubtful)
    assert told("doubtful", CLOSED, doubtful) == ("held", [stop], doubtful)


@pytest.mark.parametrize(
    ("state", "emitted"), [("held", []), ("settled", []), ("settling", [StopTimer(SETTLING)])]
)
def test_what_was_in_flight_when_the_connection_closed_is_told_again(state, emitted):
    assert told(state, CLOSED) == ("held", emitted, TOLD)
    assert told(state, CLOSED, replace(TOLD, in_flight=2)) == ("held", emitted, replace(TOLD, told=None))
