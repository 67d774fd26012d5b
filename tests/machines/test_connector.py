"""The status of one connector by itself: the table of 4.9, row by row."""

import pytest
from msgspec.structs import replace

from machines.connector import (
    Connector,
    ConnectorData,
    PreparationTimedOut,
    VehicleResponseDue,
    info_of,
)
from machines.machine import Standing
from machines.vocabulary.effects import StartTimer, StopTimer
from machines.vocabulary.notices import (
    BecameInoperative,
    BecameOperative,
    CableFound,
    CableInserted,
    CableRemoved,
    EnergyRefused,
    EnergyRequested,
    IntentBegan,
    IntentDropped,
    PreparationEnded,
    ReservationEnded,
    Reserved,
    SupplyAllowed,
    SupplyWithheld,
    TransactionEnded,
    TransactionStarted,
    UseEnded,
    VehicleConnected,
    VehicleDisconnected,
)
from machines.vocabulary.ocpp import Reason
from tests.machines import alone
from tests.machines.alone import LIMITS, quiet, some, unmoved

PLAIN = ConnectorData()
CHARGED = ConnectorData(has_transaction=True)
LEFT = ConnectorData(has_transaction=True, is_vehicle_gone=True)
DATA = {
    "Available": PLAIN,
    "Preparing": PLAIN,
    "Charging": CHARGED,
    "SuspendedEV": CHARGED,
    "SuspendedEVSE": CHARGED,
    "Finishing": PLAIN,
    "Reserved": PLAIN,
    "Unavailable": PLAIN,
}
"""What is remembered in each status."""

TIME_OUT_S = 90
PREPARES = [StartTimer("preparation", TIME_OUT_S, PreparationTimedOut())]
AWAITS = [
    StopTimer("preparation"),
    StartTimer("vehicle-response", LIMITS.vehicle_response_s, VehicleResponseDue()),
]
NO_TIMERS = [StopTimer("preparation"), StopTimer("vehicle-response")]
FREE = {"free_id_tag": "FREE"}
"""Settings of a station where every vehicle charges at once."""

SUPPLIED = {"is_supplied": True}
ASKED = {"is_supplied": True, "is_requesting": True}
CABLE = {"has_cable": True}
VEHICLE = {"has_cable": True, "is_connected": True}
SCHEDULED = {"is_operative": False, "is_scheduled": True}
ENDING = {"transaction": "stopping"}
STARTED, ENDED = TransactionStarted(4), TransactionEnded(4, Reason.LOCAL)


def told(state, message, data=None, **known):
    data = DATA[state] if data is None else data
    return alone.told(Connector, state, data, message, keys={"connection_time_out": TIME_OUT_S}, **known)


TAKEN = {TransactionEnded, SupplyWithheld, VehicleDisconnected}
MATTERS = {
    "Available": {BecameInoperative, CableFound, CableInserted, IntentBegan, IntentDropped, Reserved}
    | {TransactionEnded, TransactionStarted, VehicleConnected},
    "Preparing": TAKEN
    | {
        CableRemoved,
        EnergyRequested,
        IntentDropped,
        PreparationTimedOut,
        TransactionStarted,
        VehicleConnected,
    }
    | {VehicleResponseDue},
    "Charging": TAKEN | {EnergyRefused},
    "SuspendedEV": TAKEN | {EnergyRequested, VehicleConnected},
    "SuspendedEVSE": TAKEN | {EnergyRequested, SupplyAllowed, VehicleConnected, VehicleResponseDue},
    "Finishing": {BecameInoperative, CableRemoved, IntentBegan, VehicleConnected},
    "Reserved": {BecameInoperative, IntentBegan, IntentDropped, ReservationEnded, TransactionEnded},
    "Unavailable": {BecameOperative, CableRemoved, IntentDropped, TransactionEnded, TransactionStarted},
}


@pytest.mark.parametrize(("state", "message"), quiet(Connector, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message)) == unmoved(state, DATA[state])


# Preparing begins: A2, F2, G2, H2


@pytest.mark.parametrize(
    ("state", "message", "known"),
    [
        ("Available", CableInserted(), {}),
        ("Available", VehicleConnected(), {}),
        ("Available", IntentBegan(), {}),
        ("Available", CableFound(), {}),
        ("Finishing", IntentBegan(), {}),
        ("Finishing", VehicleConnected(), {}),
        ("Reserved", IntentBegan(), {}),
        ("Unavailable", BecameOperative(), CABLE),
        ("Unavailable", IntentDropped(), CABLE),
    ],
)
def test_whoever_uses_the_connector_has_a_time_to_finish_preparing(state, message, known):
    assert told(state, message, LEFT, **known) == ("Preparing", PREPARES, PLAIN)


def test_without_a_connection_time_out_preparing_takes_as_long_as_it_takes():
    keys = {"connection_time_out": 0}
    begun = alone.told(Connector, "Available", PLAIN, CableInserted(), keys=keys)
    assert begun == unmoved("Preparing", PLAIN)


@pytest.mark.parametrize(
    ("state", "message", "known"),
    [
        ("Available", CableInserted(), {}),
        ("Available", VehicleConnected(), {}),
        ("Available", VehicleConnected(), VEHICLE),
        ("Available", VehicleConnected(), {**VEHICLE, "kept_for": "free"}),
        ("Available", IntentBegan(), VEHICLE),
        ("Available", CableFound(), {}),
        ("Available", CableFound(), VEHICLE),
        ("Unavailable", BecameOperative(), VEHICLE),
    ],
)
def test_free_of_charge_a_transaction_begins_without_preparing(state, message, known):
    assert told(state, message, settings=FREE, **known) == unmoved(state, PLAIN)


@pytest.mark.parametrize(
    ("state", "message", "known"),
    [
        ("Available", IntentBegan(), {}),
        ("Available", IntentBegan(), CABLE),
        ("Available", VehicleConnected(), {**VEHICLE, "reserved_for": "OTHER"}),
        ("Available", VehicleConnected(), {**VEHICLE, "kept_for": "OTHER"}),
        ("Available", IntentDropped(), CABLE),
        ("Unavailable", BecameOperative(), {**VEHICLE, "reserved_for": "OTHER"}),
    ],
)
def test_free_of_charge_who_waits_prepares(state, message, known):
    assert told(state, message, settings=FREE, **known) == ("Preparing", PREPARES, PLAIN)


def test_free_of_charge_a_cable_alone_does_not_keep_the_connector_out_of_service():
    assert told("Unavailable", BecameOperative(), settings=FREE, **CABLE) == unmoved("Available", PLAIN)


# Preparing comes to nothing: B1, B6


def test_a_cable_that_leaves_ends_the_use():
    assert told("Preparing", CableRemoved(), LEFT) == ("Available", [*NO_TIMERS, UseEnded()], PLAIN)


def test_an_id_tag_that_is_dropped_ends_the_use_unless_a_cable_or_a_transaction_is_there():
    assert told("Preparing", IntentDropped()) == ("Available", [*NO_TIMERS, UseEnded()], PLAIN)
    assert told("Preparing", IntentDropped(), **CABLE) == unmoved("Preparing", PLAIN)
    assert told("Preparing", IntentDropped(), CHARGED) == unmoved("Preparing", CHARGED)
    assert told("Preparing", IntentDropped(), CHARGED, **CABLE) == unmoved("Preparing", CHARGED)


def test_who_takes_too_long_must_begin_anew():
    assert told("Preparing", PreparationTimedOut(), **CABLE) == ("Finishing", [PreparationEnded()], PLAIN)
    assert told("Preparing", PreparationTimedOut()) == ("Available", [PreparationEnded(), UseEnded()], PLAIN)


# A transaction: A3 to A5, B3 to B5, H3 to H5


@pytest.mark.parametrize("state", ["Available", "Preparing", "Unavailable"])
@pytest.mark.parametrize(
    ("known", "status"),
    [(ASKED, "Charging"), ({"is_requesting": True}, "SuspendedEVSE"), ({}, "SuspendedEVSE")],
)
def test_a_transaction_shows_whether_energy_flows(state, known, status):
    assert told(state, STARTED, **known) == (status, NO_TIMERS, CHARGED)


@pytest.mark.parametrize("state", ["Available", "Unavailable"])
def test_a_vehicle_that_asks_for_nothing_suspends(state):
    assert told(state, STARTED, **SUPPLIED) == ("SuspendedEV", NO_TIMERS, CHARGED)


def test_a_vehicle_has_time_to_respond_to_what_is_offered():
    assert told("Preparing", STARTED, **SUPPLIED) == ("Preparing", AWAITS, CHARGED)
    assert told("Preparing", EnergyRequested(), CHARGED, **ASKED) == ("Charging", NO_TIMERS, CHARGED)
    assert told("Preparing", VehicleResponseDue(), CHARGED) == ("SuspendedEV", NO_TIMERS, CHARGED)


def test_a_request_for_energy_without_a_supply_or_a_transaction_shows_nothing():
    assert told("Preparing", EnergyRequested(), CHARGED, is_requesting=True) == unmoved("Preparing", CHARGED)
    assert told("Preparing", EnergyRequested(), **ASKED) == unmoved("Preparing", PLAIN)


def test_a_supply_that_is_withheld_shows_once_a_transaction_runs():
    assert told("Preparing", SupplyWithheld(), CHARGED) == ("SuspendedEVSE", NO_TIMERS, CHARGED)
    assert told("Preparing", SupplyWithheld()) == unmoved("Preparing", PLAIN)


# Energy flows, or does not: C4, C5, D3, D5, E3, E4


def test_a_vehicle_that_asks_no_more_suspends():
    assert told("Charging", EnergyRefused()) == unmoved("SuspendedEV", CHARGED)
    assert told("SuspendedEV", EnergyRequested()) == unmoved("Charging", CHARGED)


@pytest.mark.parametrize("state", ["Charging", "SuspendedEV"])
def test_a_station_that_offers_no_more_suspends_unless_the_transaction_ends(state):
    assert told(state, SupplyWithheld()) == unmoved("SuspendedEVSE", CHARGED)
    assert told(state, SupplyWithheld(), **ENDING) == unmoved(state, CHARGED)


def test_a_station_that_offers_again_waits_for_the_vehicle():
    assert told("SuspendedEVSE", SupplyAllowed(), **ASKED) == unmoved("Charging", CHARGED)
    assert told("SuspendedEVSE", SupplyAllowed(), **SUPPLIED) == ("SuspendedEVSE", AWAITS, CHARGED)
    assert told("SuspendedEVSE", VehicleResponseDue()) == unmoved("SuspendedEV", CHARGED)
    no_wait = [StopTimer("vehicle-response")]
    assert told("SuspendedEVSE", EnergyRequested(), **ASKED) == ("Charging", no_wait, CHARGED)
    assert told("SuspendedEVSE", SupplyWithheld()) == ("SuspendedEVSE", no_wait, CHARGED)


def test_a_request_for_energy_that_is_not_offered_shows_nothing():
    assert told("SuspendedEVSE", EnergyRequested(), is_requesting=True) == unmoved("SuspendedEVSE", CHARGED)


# The vehicle unplugged, the cable still in


def test_a_vehicle_that_left_suspends_and_is_known_to_have_left():
    assert told("Charging", VehicleDisconnected()) == unmoved("SuspendedEV", LEFT)
    for state in ("SuspendedEV", "SuspendedEVSE"):
        assert told(state, VehicleDisconnected()) == unmoved(state, LEFT)
    assert told("Preparing", VehicleDisconnected(), CHARGED) == unmoved("Preparing", LEFT)
    assert told("Preparing", VehicleDisconnected()) == unmoved("Preparing", PLAIN)


@pytest.mark.parametrize("state", ["Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_vehicle_that_left_shows_no_more_when_the_transaction_ends(state):
    assert told(state, VehicleDisconnected(), **ENDING) == unmoved(state, CHARGED)


@pytest.mark.parametrize("state", ["Preparing", "SuspendedEV", "SuspendedEVSE"])
def test_a_vehicle_that_came_back_has_not_left(state):
    assert told(state, VehicleConnected(), LEFT) == unmoved(state, CHARGED)


def test_at_a_connector_that_goes_out_of_service_a_vehicle_finishes_only():
    gone = replace(PLAIN, is_vehicle_gone=True)
    assert told("Finishing", VehicleConnected(), gone, is_operative=False) == unmoved("Finishing", PLAIN)


def test_where_the_vehicle_left_the_status_says_so():
    told_in = {state for state in DATA if info_of(Standing(state, LEFT)) == "EV side disconnected"}
    assert told_in == {"SuspendedEV", "Finishing"}
    assert not any(info_of(Standing(state, CHARGED)) for state in DATA)


# The transaction ends: C1, C6, C8, D1, D6, D8, E1, E6, E8, B1, B6


@pytest.mark.parametrize("state", ["Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"])
@pytest.mark.parametrize("known", [CABLE, CABLE | SCHEDULED])
def test_with_the_cable_in_it_finishes(state, known):
    assert told(state, ENDED, LEFT, **known) == ("Finishing", NO_TIMERS, PLAIN)
    gone = replace(PLAIN, is_vehicle_gone=True)
    disconnected = TransactionEnded(4, Reason.EV_DISCONNECTED)
    assert told(state, disconnected, CHARGED, **known) == ("Finishing", NO_TIMERS, gone)


@pytest.mark.parametrize("state", ["Charging", "SuspendedEV", "SuspendedEVSE"])
@pytest.mark.parametrize(("known", "status"), [({}, "Available"), (SCHEDULED, "Unavailable")])
def test_without_a_cable_it_is_free_or_out_of_service(state, known, status):
    assert told(state, ENDED, LEFT, **known) == (status, [*NO_TIMERS, UseEnded()], PLAIN)


def test_a_transaction_that_ends_in_preparing_without_a_cable_frees_the_connector():
    assert told("Preparing", ENDED, LEFT) == ("Available", [*NO_TIMERS, UseEnded()], PLAIN)


@pytest.mark.parametrize("state", ["Available", "Reserved", "Unavailable"])
def test_a_transaction_that_ended_after_a_restart_was_never_shown(state):
    assert told(state, ENDED, LEFT) == (state, [UseEnded()], PLAIN)


@pytest.mark.parametrize("state", ["Available", "Reserved"])
def test_an_id_tag_that_was_dropped_before_it_showed_ends_the_use(state):
    assert told(state, IntentDropped(), LEFT) == (state, [UseEnded()], PLAIN)


# Finishing: F1, F8


@pytest.mark.parametrize(("known", "status"), [({}, "Available"), (SCHEDULED, "Unavailable")])
def test_when_the_cable_leaves_the_use_is_over(known, status):
    assert told("Finishing", CableRemoved(), LEFT, **known) == (status, [UseEnded()], PLAIN)


# Reserved: A7, G1, G8


def test_a_free_connector_is_reserved():
    assert told("Available", Reserved()) == unmoved("Reserved", PLAIN)


def test_the_end_of_a_reservation_frees_the_connector_and_finds_what_cable_there_is():
    assert told("Reserved", ReservationEnded(8), LEFT) == ("Available", [UseEnded()], PLAIN)
    found = ("Available", [UseEnded(), CableFound()], PLAIN)
    assert told("Reserved", ReservationEnded(8), LEFT, **CABLE) == found


# Out of service: A8, F8, G8, H1


@pytest.mark.parametrize("state", ["Available", "Reserved"])
def test_a_connector_that_nobody_uses_goes_out_of_service(state):
    assert told(state, BecameInoperative()) == unmoved("Unavailable", PLAIN)


def test_a_connector_that_is_finishing_goes_out_of_service_and_the_charge_point_may_follow():
    assert told("Finishing", BecameInoperative()) == ("Unavailable", [UseEnded()], PLAIN)


def test_out_of_service_the_cable_that_is_left_in_is_forgotten():
    gone = replace(PLAIN, is_vehicle_gone=True)
    assert told("Finishing", BecameInoperative(), gone) == ("Unavailable", [UseEnded()], PLAIN)


def test_a_connector_without_a_cable_comes_back_as_available():
    assert told("Unavailable", BecameOperative()) == unmoved("Available", PLAIN)
    assert told("Unavailable", IntentDropped()) == unmoved("Available", PLAIN)
    assert told("Unavailable", CableRemoved()) == ("Available", [UseEnded()], PLAIN)


def test_an_id_tag_or_a_cable_does_not_bring_it_back():
    assert told("Unavailable", IntentDropped(), LEFT, is_operative=False) == (
        "Unavailable",
        [UseEnded()],
        PLAIN,
    )
    assert told("Unavailable", IntentDropped(), LEFT, is_operative=False, **CABLE).state == "Unavailable"
    assert told("Unavailable", CableRemoved(), is_operative=False) == unmoved("Unavailable", PLAIN)
