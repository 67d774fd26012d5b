"""A reset by itself: 5.14 Reset, 6.19 for new firmware, 9.1 ResetRetries."""

import pytest

from machines.reset import FLUSH, FlushTimedOut, Reset, ResetData
from machines.vocabulary.effects import Answer, Restart, StartTimer, StopTimer
from machines.vocabulary.notices import (
    QueueEmptied,
    ResetFailed,
    RestartGranted,
    RestartNeeded,
)
from machines.vocabulary.ocpp import Reset as ResetRequest
from machines.vocabulary.ocpp import ResetConf, ResetStatus, ResetType
from machines.vocabulary.wire import RestartFailed
from tests.machines import alone
from tests.machines.alone import LIMITS, quiet, some, unmoved

SOFT, HARD = ResetType.SOFT, ResetType.HARD
NEITHER, HARDLY = ResetData(), ResetData(is_hard=True)
ACCEPTED = Answer(ResetConf(status=ResetStatus.ACCEPTED))
FLUSHES = StartTimer(FLUSH, LIMITS.stop_flush_s, FlushTimedOut())
BOTH = pytest.mark.parametrize("kind", [SOFT, HARD])


def told(state, message, data=HARDLY, retries=0, **known):
    return alone.told(Reset, state, data, message, number=0, keys={"reset_retries": retries}, **known)


def restarts(is_hard):
    return [StopTimer(FLUSH), Restart(is_hard)]


MATTERS = {
    "running": {ResetRequest, RestartNeeded},
    "stopping": {FlushTimedOut, QueueEmptied, ResetRequest},
    "restarting": {ResetRequest, RestartFailed},
}


@pytest.mark.parametrize(("state", "message"), quiet(Reset, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message)) == unmoved(state, HARDLY)


@BOTH
def test_a_station_without_work_restarts_at_once(kind):
    data = ResetData(is_hard=kind is HARD)
    emitted = [ACCEPTED, RestartGranted(kind), *restarts(kind is HARD)]
    assert told("running", ResetRequest(type=kind), NEITHER) == ("restarting", emitted, data)


@BOTH
@pytest.mark.parametrize("work", [{"running": 1}, {"queued": 1}])
def test_transactions_end_and_are_delivered_first(kind, work):
    data = ResetData(is_hard=kind is HARD)
    emitted = [ACCEPTED, FLUSHES, RestartGranted(kind)]
    assert told("running", ResetRequest(type=kind), NEITHER, **work) == ("stopping", emitted, data)


@pytest.mark.parametrize("reboots", [False, True])
def test_new_firmware_restarts_the_station_in_the_same_way(reboots):
    settings = {"reboots_for_firmware": reboots}
    data = ResetData(is_hard=reboots)
    at_once = [RestartGranted(HARD), *restarts(reboots)]
    assert told("running", RestartNeeded(), NEITHER, settings=settings) == ("restarting", at_once, data)
    later = [FLUSHES, RestartGranted(HARD)]
    assert told("running", RestartNeeded(), NEITHER, settings=settings, queued=1) == ("stopping", later, data)


@pytest.mark.parametrize("is_hard", [False, True])
@pytest.mark.parametrize("reboots", [False, True])
def test_new_firmware_that_needs_the_box_to_reboot_gets_it_from_a_reset_that_is_under_way(is_hard, reboots):
    """Else the old firmware would come back, and the update count as failed."""
    settings = {"reboots_for_firmware": reboots}
    data = ResetData(is_hard=is_hard or reboots)
    assert told("stopping", RestartNeeded(), ResetData(is_hard), settings=settings) == ("stopping", [], data)


@pytest.mark.parametrize("state", ["stopping", "restarting"])
def test_a_second_request_is_accepted_and_changes_nothing(state):
    assert told(state, ResetRequest(type=SOFT)) == (state, [ACCEPTED], HARDLY)


def test_a_hard_one_during_a_soft_one_is_carried_out():
    """What was Accepted happens: somebody asks for it because the soft one takes long."""
    assert told("stopping", ResetRequest(type=HARD), NEITHER) == ("stopping", [ACCEPTED], HARDLY)


def test_it_restarts_when_all_is_delivered_or_took_too_long():
    assert told("stopping", QueueEmptied()) == ("restarting", restarts(True), HARDLY)
    assert told("stopping", QueueEmptied(), running=1) == unmoved("stopping", HARDLY)
    assert told("stopping", FlushTimedOut(), NEITHER, running=1) == ("restarting", restarts(False), NEITHER)


def test_a_restart_that_does_not_come_about_is_tried_again_and_then_given_up():
    failed = RestartFailed("no supervisor")
    again = ResetData(is_hard=True, failures=1)
    assert told("restarting", failed, retries=1) == ("restarting", [Restart(True)], again)
    assert told("restarting", failed, again, retries=1) == (
        "running",
        [ResetFailed("no supervisor")],
        NEITHER,
    )
