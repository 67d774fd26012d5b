"""Registration by itself: BootNotification, what it is answered, and when it is sent again."""

from datetime import UTC, datetime

import pytest

from machines.registration import BootDue, Registration, RegistrationData
from machines.resumed import Resumed
from machines.vocabulary.effects import Call, LearnTime, StartTimer, StopTimer
from machines.vocabulary.notices import BootNotificationTriggered, RegistrationAccepted, TimeLearnt
from machines.vocabulary.ocpp import BootNotification, BootNotificationConf, RegistrationStatus
from machines.vocabulary.wire import CallFailed, ConnectionClosed, ConnectionOpened, Failure
from tests.machines import alone
from tests.machines.alone import LIMITS, STATION, unmoved

NEW, KNOWN = RegistrationData(), RegistrationData(was_accepted=True)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UTC_S = NOON.timestamp()
CLOSED, OPENED = ConnectionClosed("gone"), ConnectionOpened()


def told(state, message, data=NEW, **known):
    return alone.told(Registration, state, data, message, number=0, **known)


def conf(status, interval=30):
    return BootNotificationConf(status=RegistrationStatus(status), current_time=NOON, interval=interval)


def due(wait_s, **members):
    return StartTimer("boot", wait_s, BootDue(), **members)


@pytest.mark.parametrize(
    ("state", "message", "then"),
    [
        ("unregistered", OPENED, "booting"),
        ("unregistered", BootDue(), "booting"),
        ("pending", BootDue(), "asking_again"),
        ("rejected", BootDue(), "booting"),
        ("pending", BootNotificationTriggered(), "asking_again"),
    ],
)
def test_who_it_is_is_told_and_no_further_attempt_is_due_meanwhile(state, message, then):
    now_in, (stopped, call), _ = told(state, message)
    identity = STATION.settings.identity
    assert (now_in, stopped) == (then, StopTimer("boot"))
    assert isinstance(call, Call)
    assert isinstance(call.request, BootNotification)
    assert call.request.charge_point_vendor == identity.vendor
    assert call.request.charge_point_model == identity.model
    assert call.request.firmware_version == identity.firmware_version


@pytest.mark.parametrize("state", ["unregistered", "pending", "rejected"])
def test_an_attempt_that_is_due_offline_waits_for_the_connection(state):
    assert told(state, BootDue(), is_open=False) == unmoved("unregistered", NEW)


@pytest.mark.parametrize("state", ["booting", "asking_again"])
def test_acceptance_is_remembered_for_life(state):
    assert told(state, conf("Accepted")) == (
        "accepted",
        [LearnTime(UTC_S), TimeLearnt(UTC_S), RegistrationAccepted(30)],
        KNOWN,
    )


@pytest.mark.parametrize("state", ["booting", "asking_again"])
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
@pytest.mark.parametrize(
    ("interval", "wait_s"), [(30, 30), (0, LIMITS.boot_retry_s), (-1, LIMITS.boot_retry_s)]
)
def test_who_is_not_accepted_learns_the_time_and_waits(state, status, interval, wait_s):
    assert told(state, conf(status, interval)) == (
        status.lower(),
        [LearnTime(UTC_S), TimeLearnt(UTC_S), due(wait_s)],
        NEW,
    )


def test_an_attempt_that_failed_is_repeated():
    failed = CallFailed("registration", "BootNotification", Failure.TIMED_OUT)
    assert told("booting", failed) == (
        "unregistered",
        [due(LIMITS.boot_retry_s, jitter=LIMITS.boot_retry_jitter)],
        NEW,
    )


@pytest.mark.parametrize("end", [CallFailed("registration", "BootNotification", Failure.TIMED_OUT), CLOSED])
def test_who_was_pending_is_so_until_something_else_is_said(end):
    """Decision BN3: an attempt that failed or died says nothing."""
    again = due(LIMITS.boot_retry_s, jitter=LIMITS.boot_retry_jitter)
    assert told("asking_again", end) == ("pending", [again], NEW)


def test_who_asks_again_need_not_be_told_to():
    assert told("asking_again", BootNotificationTriggered()) == unmoved("asking_again", NEW)


def test_an_attempt_dies_with_its_connection():
    assert told("booting", CLOSED, is_open=False) == unmoved("unregistered", NEW)


def test_without_a_connection_no_attempt_is_waited_for():
    assert told("unregistered", CLOSED, is_open=False) == ("unregistered", [StopTimer("boot")], NEW)


@pytest.mark.parametrize("state", ["accepted", "pending", "rejected"])
@pytest.mark.parametrize("message", [OPENED, CLOSED])
def test_what_was_answered_outlives_the_connection(state, message):
    assert told(state, message, KNOWN) == unmoved(state, KNOWN)


def test_a_restart_registers_anew_and_recalls_that_it_was_accepted():
    assert told("unregistered", Resumed("accepted", KNOWN)) == unmoved("unregistered", KNOWN)
