"""The current without a Central System by itself: decision SC10."""

import pytest

from machines.fail_safe import SILENCE, FailSafe, SilenceDue
from machines.machine import NoData
from machines.vocabulary.effects import StartTimer, StopTimer
from machines.vocabulary.notices import LimitsChanged, Started
from machines.vocabulary.settings import Installation
from machines.vocabulary.wire import ConnectionClosed, ConnectionOpened
from tests.machines import alone
from tests.machines.alone import unmoved

NOTHING = NoData()
DECLARED = {"installation": Installation(offline_current_max_a=10.0, offline_after_s=600.0)}
UNDECLARED = {"installation": Installation()}


def told(state, message, settings=DECLARED):
    return alone.told(FailSafe, state, NOTHING, message, number=0, settings=settings)


@pytest.mark.parametrize("message", [Started(), ConnectionClosed("gone")])
def test_without_a_connection_it_waits_for_as_long_as_is_declared(message):
    assert told("led", message) == ("alone", [StartTimer(SILENCE, 600.0, SilenceDue())], NOTHING)
    assert told("led", message, UNDECLARED) == unmoved("led", NOTHING)


def test_when_nobody_came_back_it_limits():
    assert told("alone", SilenceDue()) == ("limited", [LimitsChanged()], NOTHING)


def test_a_connection_ends_the_wait_or_the_limit():
    assert told("alone", ConnectionOpened()) == ("led", [StopTimer(SILENCE)], NOTHING)
    assert told("limited", ConnectionOpened()) == ("led", [LimitsChanged()], NOTHING)
    assert told("led", ConnectionOpened(), UNDECLARED) == unmoved("led", NOTHING)
