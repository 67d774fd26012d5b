"""Cable and vehicle of one connector by themselves: IEC 61851-1, each state of the pilot in each state of knowledge."""

import pytest

from machines.control_pilot import ControlPilot, ControlPilotData
from machines.vocabulary.hardware import CableChanged, PilotChanged, PilotState
from machines.vocabulary.notices import (
    CableInserted,
    CableRemoved,
    EnergyRefused,
    EnergyRequested,
    VehicleConnected,
    VehicleDisconnected,
)
from tests.machines import alone
from tests.machines.alone import STATION

SOCKET, TETHERED = STATION.settings.connectors
NOTHING = ControlPilotData()
CABLE = ControlPilotData(32.0, had_vehicle=False, has_cable=True)
VEHICLE = ControlPilotData(32.0, had_vehicle=True, has_cable=True)
DATA = {"empty": NOTHING, "cable_only": CABLE, "connected": VEHICLE, "requesting": VEHICLE}

COMES, GOES = VehicleConnected(), VehicleDisconnected()
ASKS, ASKS_NO_MORE = EnergyRequested(), EnergyRefused()
OUT = CableRemoved()


def told(state, message, data=None, connector=SOCKET):
    return alone.told(
        ControlPilot, state, DATA[state] if data is None else data, message, connector=connector
    )


def pilot(letter):
    return PilotChanged(PilotState(letter))


def test_the_two_connectors_are_a_socket_and_a_fixed_cable():
    assert (SOCKET.cable, TETHERED.cable) == ("socket", "tethered")


# A pilot that can be read: where it was, what it shows, where it is, what is told, what is known then

READABLE = [
    ("empty", "A", "empty", [], NOTHING),
    ("empty", "BD", "connected", [COMES], ControlPilotData(None, had_vehicle=True, has_cable=True)),
    ("empty", "C", "requesting", [COMES, ASKS], ControlPilotData(None, had_vehicle=True, has_cable=True)),
    ("empty", "EF", "unreadable", [], NOTHING),
    ("cable_only", "A", "cable_only", [], CABLE),
    ("cable_only", "BD", "connected", [COMES], VEHICLE),
    ("cable_only", "C", "requesting", [COMES, ASKS], VEHICLE),
    ("cable_only", "EF", "unreadable", [], CABLE),
    ("connected", "A", "cable_only", [GOES], CABLE),
    ("connected", "BD", "connected", [], VEHICLE),
    ("connected", "C", "requesting", [ASKS], VEHICLE),
    ("connected", "EF", "unreadable", [], VEHICLE),
    ("requesting", "A", "cable_only", [GOES], CABLE),
    ("requesting", "BD", "connected", [ASKS_NO_MORE], VEHICLE),
    ("requesting", "C", "requesting", [], VEHICLE),
    ("requesting", "EF", "unreadable", [ASKS_NO_MORE], VEHICLE),
]
LETTERS = [(before, letter, *rest) for before, letters, *rest in READABLE for letter in letters]


@pytest.mark.parametrize(("before", "letter", "after", "news", "data"), LETTERS)
def test_the_pilot_tells_of_the_vehicle(before, letter, after, news, data):
    assert told(before, pilot(letter)) == (after, news, data)


@pytest.mark.parametrize("before", ["connected", "requesting"])
def test_a_fixed_cable_leaves_with_the_vehicle(before):
    assert told(before, pilot("A"), connector=TETHERED) == ("empty", [GOES, OUT], NOTHING)


@pytest.mark.parametrize(
    ("before", "after", "news", "data"),
    [
        ("empty", "cable_only", [CableInserted()], ControlPilotData(20.0, had_vehicle=False, has_cable=True)),
        ("cable_only", "cable_only", [], ControlPilotData(20.0, had_vehicle=False, has_cable=True)),
        ("connected", "connected", [], ControlPilotData(20.0, had_vehicle=True, has_cable=True)),
        ("requesting", "requesting", [], ControlPilotData(20.0, had_vehicle=True, has_cable=True)),
    ],
)
def test_a_cable_is_in_once_and_its_rating_is_known(before, after, news, data):
    assert told(before, CableChanged(True, 20.0)) == (after, news, data)


@pytest.mark.parametrize(
    ("before", "news"),
    [("empty", []), ("cable_only", [OUT]), ("connected", [GOES, OUT]), ("requesting", [GOES, OUT])],
)
def test_a_cable_takes_the_vehicle_with_it(before, news):
    assert told(before, CableChanged(False)) == ("empty", news, NOTHING)


# A pilot that cannot be read: what was known before it, what it shows, where it is, what is told, what is known then

FOUND = ControlPilotData(None, had_vehicle=True, has_cable=True)
UNREADABLE = [
    (NOTHING, "A", "empty", [], NOTHING),
    (NOTHING, "BD", "connected", [COMES], FOUND),
    (NOTHING, "C", "requesting", [COMES, ASKS], FOUND),
    (NOTHING, "EF", "unreadable", [], NOTHING),
    (CABLE, "A", "cable_only", [], CABLE),
    (CABLE, "BD", "connected", [COMES], VEHICLE),
    (CABLE, "C", "requesting", [COMES, ASKS], VEHICLE),
    (CABLE, "EF", "unreadable", [], CABLE),
    (VEHICLE, "A", "cable_only", [GOES], CABLE),
    (VEHICLE, "BD", "connected", [], VEHICLE),
    (VEHICLE, "C", "requesting", [ASKS], VEHICLE),
    (VEHICLE, "EF", "unreadable", [], VEHICLE),
]


@pytest.mark.parametrize(
    ("known", "letter", "after", "news", "data"),
    [(known, letter, *rest) for known, letters, *rest in UNREADABLE for letter in letters],
)
def test_a_pilot_that_can_be_read_again_tells_what_changed_meanwhile(known, letter, after, news, data):
    assert told("unreadable", pilot(letter), known) == (after, news, data)


def test_a_fixed_cable_left_with_the_vehicle_meanwhile():
    assert told("unreadable", pilot("A"), VEHICLE, TETHERED) == ("empty", [GOES, OUT], NOTHING)


@pytest.mark.parametrize(
    ("known", "is_in", "news", "data"),
    [
        (NOTHING, True, [CableInserted()], ControlPilotData(20.0, had_vehicle=False, has_cable=True)),
        (CABLE, True, [], ControlPilotData(20.0, had_vehicle=False, has_cable=True)),
        (VEHICLE, True, [], ControlPilotData(20.0, had_vehicle=True, has_cable=True)),
        (NOTHING, False, [], NOTHING),
        (CABLE, False, [OUT], NOTHING),
        (VEHICLE, False, [GOES, OUT], NOTHING),
    ],
)
def test_a_cable_is_seen_whatever_the_pilot_shows(known, is_in, news, data):
    message = CableChanged(is_in, 20.0 if is_in else None)
    assert told("unreadable", message, known) == ("unreadable", news, data)
