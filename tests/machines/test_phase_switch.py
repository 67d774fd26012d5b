"""The phases of one connector by themselves: 7.8 numberPhases, 9.4 ConnectorSwitch3to1PhaseSupported."""

import pytest

from machines.phase_switch import (
    DWELL,
    SETTLE_S,
    SWITCH,
    DwellOver,
    PhaseSwitch,
    PhaseSwitchData,
    SettleDue,
    SwitchDue,
)
from machines.smart_charging.schedule import HOLD_S
from machines.vocabulary.effects import StartTimer, StopTimer
from machines.vocabulary.notices import OfferBegan, OfferEnded, PhasesWanted
from tests.machines import alone
from tests.machines.alone import LIMITS, NOW, unmoved

DWELL_S = LIMITS.phase_switch_dwell_s
LONG_AGO = NOW.seconds - DWELL_S
JUST_NOW = NOW.seconds - DWELL_S + 20
"""The phases may be switched again in 20 s."""
ONE, THREE = PhasesWanted(1), PhasesWanted(3)
PAUSES = [StopTimer(DWELL), StartTimer(SWITCH, LIMITS.phase_switch_wait_s, SwitchDue())]
DWELLS = [StartTimer(DWELL, 20.0, DwellOver())]


def told(state, message, data):
    return alone.told(PhaseSwitch, state, data, message)


def phases(connected, wanted=None, switched_s=JUST_NOW):
    return PhaseSwitchData(connected, connected if wanted is None else wanted, switched_s)


def test_it_begins_with_the_phases_that_are_allowed():
    assert told("idle", OfferBegan(3), phases(3)) == unmoved("steady", PhaseSwitchData(3, 3))
    as_wired = PhaseSwitchData()
    assert told("idle", OfferBegan(3), as_wired) == unmoved("steady", PhaseSwitchData(3, 3))


@pytest.mark.parametrize(("before", "began"), [(phases(1), 3), (phases(3), 1), (PhaseSwitchData(), 1)])
def test_others_are_connected_with_the_contactor_open_and_settle(before, began):
    settles = [StartTimer(SWITCH, SETTLE_S, SettleDue())]
    assert told("idle", OfferBegan(began), before) == ("arranging", settles, PhaseSwitchData(began, began))


def test_once_they_settled_the_contactor_may_close():
    assert told("arranging", SettleDue(), phases(1)) == unmoved("steady", phases(1))


@pytest.mark.parametrize(("message", "connected", "wanted"), [(ONE, 3, 1), (THREE, 1, 3)])
def test_where_others_are_wanted_before_they_settled_nothing_is_offered_until_they_are_switched(
    message, connected, wanted
):
    assert told("arranging", message, phases(connected)) == ("pausing", PAUSES, phases(connected, wanted))
    assert told("arranging", THREE, phases(3)) == unmoved("arranging", phases(3))


@pytest.mark.parametrize("state", ["arranging", "steady", "delayed", "held", "pausing", "settling"])
def test_it_ends_with_the_offer(state):
    assert told(state, OfferEnded(), phases(3, 1)) == (
        "idle",
        [StopTimer(DWELL), StopTimer(SWITCH)],
        phases(3, 1),
    )


# Other phases are wanted


@pytest.mark.parametrize("switched_s", [None, LONG_AGO])
@pytest.mark.parametrize(("message", "connected", "wanted"), [(ONE, 3, 1), (THREE, 1, 3)])
def test_phases_that_were_not_switched_for_long_are_switched_now(switched_s, message, connected, wanted):
    after = ("pausing", PAUSES, phases(connected, wanted, switched_s))
    assert told("steady", message, phases(connected, None, switched_s)) == after


def test_phases_that_were_switched_just_now_stay_and_nothing_is_offered_on_too_many():
    assert told("steady", ONE, phases(3)) == ("held", DWELLS, phases(3, 1))
    assert told("steady", THREE, phases(1)) == ("delayed", DWELLS, phases(1, 3))


def test_what_is_connected_needs_no_switching():
    assert told("steady", THREE, phases(3)) == unmoved("steady", phases(3))
    assert told("delayed", ONE, phases(1, 3)) == ("steady", [StopTimer(DWELL)], phases(1))


def test_what_was_withheld_for_other_phases_is_offered_again_once_it_was_so_for_5_s():
    resumes = [StopTimer(DWELL), StartTimer(SWITCH, HOLD_S, SettleDue())]
    assert told("held", THREE, phases(3, 1)) == ("settling", resumes, phases(3))


def test_what_is_wanted_may_change_while_it_waits():
    assert told("delayed", THREE, phases(1, 2)) == unmoved("delayed", phases(1, 3))
    assert told("delayed", ONE, phases(2, 3)) == unmoved("held", phases(2, 1))
    assert told("held", ONE, phases(3, 2)) == unmoved("held", phases(3, 1))
    assert told("held", THREE, phases(2, 1)) == unmoved("delayed", phases(2, 3))


@pytest.mark.parametrize(("state", "data"), [("delayed", phases(1, 3)), ("held", phases(3, 1))])
def test_after_the_dwell_they_are_switched(state, data):
    assert told(state, DwellOver(), data) == ("pausing", PAUSES, data)


def test_where_none_are_wanted_any_more_nothing_is_switched():
    assert told("steady", DwellOver(), phases(3)) == unmoved("steady", phases(3))


# The contactor is open


def test_they_are_switched_with_the_contactor_open_and_settle():
    settles = [StartTimer(SWITCH, SETTLE_S, SettleDue())]
    assert told("pausing", SwitchDue(), phases(3, 1)) == ("settling", settles, phases(1, 1, NOW.seconds))


@pytest.mark.parametrize("state", ["pausing", "settling"])
def test_what_is_wanted_may_change_while_the_contactor_is_open(state):
    assert told(state, THREE, phases(3, 1)) == unmoved(state, phases(3))


def test_what_was_switched_is_offered_unless_others_are_wanted_by_now():
    assert told("settling", SettleDue(), phases(1)) == unmoved("steady", phases(1))
    assert told("settling", SettleDue(), phases(3, 1)) == ("held", DWELLS, phases(3, 1))
    assert told("settling", SettleDue(), phases(1, 3)) == ("delayed", DWELLS, phases(1, 3))
