"""The connection by itself: dialled, lost, dialled again later and later, and renewed for a new password."""

import pytest

from machines.connection import BackOffElapsed, Connection, ConnectionData, ConnectionStable
from machines.vocabulary.effects import Dial, HangUp, StartTimer, StopTimer
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted, Started
from machines.vocabulary.wire import ConnectionClosed, ConnectionFailed, ConnectionOpened
from tests.machines import alone
from tests.machines.alone import LIMITS, unmoved

PASSWORD = KeyChanged("authorization_key")
TWICE = ConnectionData(2)
"""Two failures in a row."""


def told(state, message, data=TWICE):
    return alone.told(Connection, state, data, message)


def back_off(failures):
    wait_s = LIMITS.back_off_first_s * 2**failures
    return [
        StopTimer("stable"),
        StartTimer("back-off", wait_s, BackOffElapsed(), jitter=LIMITS.back_off_jitter),
    ]


@pytest.mark.parametrize("message", [Started(), BackOffElapsed()])
def test_it_is_dialled(message):
    assert told("offline", message) == ("dialling", [Dial()], TWICE)


def test_a_connection_is_watched_until_it_has_lasted():
    assert told("dialling", ConnectionOpened()) == (
        "online",
        [StartTimer("stable", LIMITS.connection_stable_s, ConnectionStable())],
        TWICE,
    )


@pytest.mark.parametrize(
    ("state", "message"), [("dialling", ConnectionFailed("no")), ("online", ConnectionClosed("gone"))]
)
@pytest.mark.parametrize("failures", [0, 1, 2])
def test_each_failure_doubles_the_wait(state, message, failures):
    assert told(state, message, ConnectionData(failures)) == (
        "offline",
        back_off(failures),
        ConnectionData(failures + 1),
    )


@pytest.mark.parametrize("message", [ConnectionStable(), RegistrationAccepted(60)])
def test_a_connection_that_proved_good_makes_up_for_the_failures_before(message):
    assert told("online", message) == ("online", [StopTimer("stable")], ConnectionData(0))


def test_a_new_password_renews_the_connection_at_once():
    hang_up = [StopTimer("stable"), HangUp("AuthorizationKey was changed")]
    assert told("online", PASSWORD) == ("renewing", hang_up, TWICE)
    assert told("renewing", ConnectionClosed("closed")) == ("dialling", [Dial()], TWICE)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("offline", PASSWORD),
        ("dialling", PASSWORD),
        ("renewing", PASSWORD),
        ("online", KeyChanged("heartbeat_interval")),
        ("renewing", RegistrationAccepted(60)),
    ],
)
def test_what_the_next_connection_is_soon_enough_for_changes_nothing(state, message):
    assert told(state, message) == unmoved(state, TWICE)
