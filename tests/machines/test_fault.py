"""The faults of one connector by themselves: 4.9 column 9 and row I, 7.6 ChargePointErrorCode."""

import pytest

from machines.fault import WARNINGS, Fault, FaultData
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault
from machines.vocabulary.notices import BecameFaulted, FaultsEnded, ResetFailed
from tests.machines import alone

GROUND, HEAT = (HardwareFault.GROUND, "leak"), (HardwareFault.TEMPERATURE, "hot")
WEAK, READER, RESET = (
    (HardwareFault.SIGNAL, "weak"),
    (HardwareFault.READER, "silent"),
    (HardwareFault.RESET, "no supervisor"),
)

BESIDE = [("clear", "warned", ()), ("warned", "warned", (WEAK,)), ("faulted", "faulted", (GROUND,))]
"""A state, the one that a further warning leads to, and what stands before it."""


def told(state, message, *faults):
    return alone.told(Fault, state, FaultData(faults), message)


def standing(state, *faults, news=()):
    return state, list(news), FaultData(faults)


@pytest.mark.parametrize("before", [(), (WEAK,), (GROUND,), (GROUND, WEAK)])
def test_a_fault_that_prevents_charging_is_news_and_stands_last(before):
    state = "faulted" if GROUND in before else "warned" if before else "clear"
    news = [BecameFaulted(HardwareFault.TEMPERATURE)]
    assert told(state, FaultRaised(*HEAT), *before) == standing("faulted", *before, HEAT, news=news)


@pytest.mark.parametrize(
    ("state", "after", "before"),
    [("clear", "warned", ()), ("warned", "warned", (WEAK,)), ("faulted", "faulted", (GROUND,))],
)
def test_a_warning_stands_beside_whatever_there_is(state, after, before):
    assert told(state, FaultRaised(*READER), *before) == standing(after, *before, READER)


@pytest.mark.parametrize(
    ("state", "after", "before"),
    [("clear", "warned", ()), ("warned", "warned", (WEAK,)), ("faulted", "faulted", (GROUND,))],
)
def test_a_reset_that_failed_is_a_warning(state, after, before):
    assert told(state, ResetFailed("no supervisor"), *before) == standing(after, *before, RESET)


def test_a_fault_that_is_told_again_stands_once_with_what_was_said_last():
    again = (HardwareFault.GROUND, "worse")
    news = [BecameFaulted(HardwareFault.GROUND)]
    assert told("faulted", FaultRaised(*again), GROUND, HEAT) == standing("faulted", HEAT, again, news=news)


def test_the_end_of_no_fault_changes_nothing():
    assert told("clear", FaultCleared(HardwareFault.GROUND)) == standing("clear")
    assert told("warned", FaultCleared(HardwareFault.GROUND), WEAK) == standing("warned", WEAK)
    assert told("faulted", FaultCleared(HardwareFault.READER), GROUND) == standing("faulted", GROUND)


def test_a_warning_ends():
    assert told("warned", FaultCleared(HardwareFault.SIGNAL), WEAK, READER) == standing("warned", READER)
    assert told("warned", FaultCleared(HardwareFault.SIGNAL), WEAK) == standing("clear")
    assert told("faulted", FaultCleared(HardwareFault.SIGNAL), GROUND, WEAK) == standing("faulted", GROUND)


def test_charging_is_prevented_until_the_last_fault_has_gone():
    assert told("faulted", FaultCleared(HardwareFault.GROUND), GROUND, HEAT, WEAK) == standing(
        "faulted", HEAT, WEAK
    )
    assert told("faulted", FaultCleared(HardwareFault.TEMPERATURE), HEAT, WEAK) == standing(
        "warned", WEAK, news=[FaultsEnded()]
    )
    assert told("faulted", FaultCleared(HardwareFault.TEMPERATURE), HEAT) == standing(
        "clear", news=[FaultsEnded()]
    )


@pytest.mark.parametrize("fault", HardwareFault)
def test_which_faults_leave_a_connector_able_to_charge(fault):
    """7.6 has no word on it; these are told by what does not move energy."""
    is_warning = fault.name in {"PILOT", "READER", "RESET", "SIGNAL", "STORAGE"}
    assert (fault in WARNINGS) == is_warning
    assert told("clear", FaultRaised(fault)).state == ("warned" if is_warning else "faulted")
