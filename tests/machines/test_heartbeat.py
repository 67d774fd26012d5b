"""The heartbeat by itself: 4.6, 9.1 HeartbeatInterval."""

from datetime import UTC, datetime

import pytest

from machines.heartbeat import HEARTBEAT, HeartbeatDue
from machines.heartbeat import Heartbeat as Machine
from machines.machine import NoData
from machines.vocabulary.effects import Call, LearnTime, StartTimer, StopTimer
from machines.vocabulary.notices import HeartbeatTriggered, KeyChanged, RegistrationAccepted, TimeLearnt
from machines.vocabulary.ocpp import Heartbeat, HeartbeatConf
from machines.vocabulary.wire import CallFailed, Failure
from tests.machines import alone
from tests.machines.alone import unmoved

NOTHING = NoData()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
INTERVAL = KeyChanged("heartbeat_interval")
BEAT = [Call(Heartbeat())]


def told(state, message, interval_s=300, **known):
    return alone.told(
        Machine, state, NOTHING, message, number=0, keys={"heartbeat_interval": interval_s}, **known
    )


def every(seconds):
    return [StartTimer(HEARTBEAT, seconds, HeartbeatDue(), every_s=seconds)]


def test_the_central_system_says_how_often_or_leaves_it_to_the_key():
    assert told("silent", RegistrationAccepted(60)) == ("beating", every(60), NOTHING)
    assert told("silent", RegistrationAccepted(0)) == ("beating", every(300), NOTHING)


def test_without_an_interval_it_is_silent():
    assert told("silent", RegistrationAccepted(0), interval_s=0) == (
        "beating",
        [StopTimer(HEARTBEAT)],
        NOTHING,
    )


def test_a_changed_interval_holds_at_once():
    assert told("beating", INTERVAL) == ("beating", every(300), NOTHING)
    assert told("beating", INTERVAL, interval_s=0) == ("beating", [StopTimer(HEARTBEAT)], NOTHING)
    assert told("beating", KeyChanged("connection_time_out")) == unmoved("beating", NOTHING)
    assert told("silent", INTERVAL) == unmoved("silent", NOTHING)


def test_it_is_sent_when_it_is_due_and_somebody_is_there():
    assert told("beating", HeartbeatDue()) == ("beating", BEAT, NOTHING)
    assert told("beating", HeartbeatDue(), is_open=False) == unmoved("beating", NOTHING)


@pytest.mark.parametrize("state", ["silent", "beating"])
def test_it_is_sent_when_it_is_asked_for(state):
    assert told(state, HeartbeatTriggered()) == (state, BEAT, NOTHING)


@pytest.mark.parametrize("state", ["silent", "beating"])
def test_its_answer_tells_the_time(state):
    utc = NOON.timestamp()
    assert told(state, HeartbeatConf(current_time=NOON)) == (
        state,
        [LearnTime(utc), TimeLearnt(utc)],
        NOTHING,
    )


@pytest.mark.parametrize("state", ["silent", "beating"])
def test_one_that_fails_is_not_repeated(state):
    assert told(state, CallFailed("heartbeat", "Heartbeat", Failure.TIMED_OUT)) == unmoved(state, NOTHING)
