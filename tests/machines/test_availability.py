"""In and out of service, one connector by itself: 5.2 Change Availability, and 6.19 while firmware waits."""

import pytest

from machines.availability import Availability
from machines.machine import NoData
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import (
    BecameInoperative,
    BecameOperative,
    InstallationAwaited,
    InstallationOver,
    StationAvailabilityAsked,
    UseEnded,
)
from machines.vocabulary.ocpp import (
    AvailabilityStatus,
    AvailabilityType,
    ChangeAvailability,
    ChangeAvailabilityConf,
)
from tests.machines import alone
from tests.machines.alone import Outcome, unmoved

NOTHING = NoData()
IN, OUT = AvailabilityType.OPERATIVE, AvailabilityType.INOPERATIVE
LEAVES, RETURNS = BecameInoperative(), BecameOperative()
STATES = ["operative", "scheduled", "inoperative", "to_be_withheld", "withheld"]

# How it stands, what is asked, whether it is in use and whether firmware waits; what is answered, and what follows.
CHANGES = [
    ("operative", IN, "", "Accepted", "operative", None),
    ("operative", IN, "in use", "Accepted", "operative", None),
    ("operative", OUT, "", "Accepted", "inoperative", LEAVES),
    ("operative", OUT, "in use", "Scheduled", "scheduled", None),
    ("scheduled", IN, "in use", "Accepted", "operative", None),
    ("scheduled", IN, "in use, firmware waits", "Accepted", "to_be_withheld", None),
    ("scheduled", OUT, "in use", "Scheduled", "scheduled", None),
    ("inoperative", IN, "", "Accepted", "operative", RETURNS),
    ("inoperative", IN, "firmware waits", "Accepted", "withheld", None),
    ("inoperative", OUT, "", "Accepted", "inoperative", None),
    ("to_be_withheld", IN, "in use, firmware waits", "Accepted", "to_be_withheld", None),
    ("to_be_withheld", OUT, "in use, firmware waits", "Scheduled", "scheduled", None),
    ("withheld", IN, "firmware waits", "Accepted", "withheld", None),
    ("withheld", OUT, "firmware waits", "Accepted", "inoperative", None),
]


def told(state, message, circumstances="", number=1):
    known = {"has_use": "in use" in circumstances, "is_withheld": "firmware waits" in circumstances}
    return alone.told(Availability, state, NOTHING, message, number=number, **known)


def answer(status):
    return Answer(ChangeAvailabilityConf(status=AvailabilityStatus(status)))


@pytest.mark.parametrize(("state", "asked", "circumstances", "status", "after", "news"), CHANGES)
def test_a_request_is_granted_at_once_or_when_the_use_ends(state, asked, circumstances, status, after, news):
    request = ChangeAvailability(connector_id=1, type=asked)
    emitted = [answer(status)] + ([news] if news else [])
    assert told(state, request, circumstances) == Outcome(after, emitted, NOTHING)


@pytest.mark.parametrize(("state", "asked", "circumstances", "status", "after", "news"), CHANGES)
def test_the_charge_point_tells_its_connectors_what_it_granted(
    state, asked, circumstances, status, after, news
):
    request = ChangeAvailability(connector_id=0, type=asked)
    emitted = [answer(status), StationAvailabilityAsked(asked)] + ([news] if news else [])
    assert told(state, request, circumstances, number=0) == Outcome(after, emitted, NOTHING)


@pytest.mark.parametrize(("state", "asked", "circumstances", "status", "after", "news"), CHANGES)
def test_a_connector_follows_the_charge_point(state, asked, circumstances, status, after, news):
    emitted = [news] if news else []
    assert told(state, StationAvailabilityAsked(asked), circumstances) == Outcome(after, emitted, NOTHING)


def test_who_came_back_by_himself_and_is_in_use_is_waited_for():
    """Decision S10: only the charge point as a whole has anybody in use while it is out of service."""
    emitted = [answer("Scheduled"), StationAvailabilityAsked(OUT)]
    request = ChangeAvailability(connector_id=0, type=OUT)
    assert told("inoperative", request, "in use", number=0) == Outcome("inoperative", emitted, NOTHING)


@pytest.mark.parametrize("state", STATES)
def test_a_request_for_no_connector_of_the_station_is_rejected(state):
    request = ChangeAvailability(connector_id=9, type=OUT)
    assert told(state, request, number=0) == Outcome(state, [answer("Rejected")], NOTHING)


# The end of the use


@pytest.mark.parametrize(("state", "after"), [("scheduled", "inoperative"), ("to_be_withheld", "withheld")])
def test_what_was_scheduled_happens_when_nobody_uses_it_any_more(state, after):
    assert told(state, UseEnded(), "in use") == unmoved(state, NOTHING)
    assert told(state, UseEnded()) == Outcome(after, [LEAVES], NOTHING)


@pytest.mark.parametrize("state", ["operative", "inoperative", "withheld"])
def test_the_end_of_a_use_alone_changes_nothing(state):
    assert told(state, UseEnded()) == unmoved(state, NOTHING)


# Firmware


def test_firmware_that_waits_takes_a_free_connector_out_of_service():
    assert told("operative", InstallationAwaited()) == Outcome("withheld", [LEAVES], NOTHING)


def test_firmware_that_waits_lets_a_use_go_on():
    assert told("operative", InstallationAwaited(), "in use") == unmoved("to_be_withheld", NOTHING)


@pytest.mark.parametrize("state", ["scheduled", "inoperative"])
def test_a_connector_that_is_out_of_service_or_soon_will_be_does_not_wait_for_firmware(state):
    assert told(state, InstallationAwaited()) == unmoved(state, NOTHING)
    assert told(state, InstallationOver()) == unmoved(state, NOTHING)


def test_after_the_installation_a_connector_is_back():
    assert told("withheld", InstallationOver()) == Outcome("operative", [RETURNS], NOTHING)
    assert told("to_be_withheld", InstallationOver(), "in use") == unmoved("operative", NOTHING)
    assert told("operative", InstallationOver()) == unmoved("operative", NOTHING)


# After a restart


@pytest.mark.parametrize("state", ["scheduled", "inoperative"])
def test_out_of_service_outlives_a_restart(state):
    assert told("operative", Resumed(state, NOTHING)) == Outcome("inoperative", [LEAVES], NOTHING)


@pytest.mark.parametrize("state", ["operative", "to_be_withheld", "withheld"])
def test_firmware_that_waited_does_not_outlive_a_restart(state):
    assert told("operative", Resumed(state, NOTHING)) == unmoved("operative", NOTHING)
