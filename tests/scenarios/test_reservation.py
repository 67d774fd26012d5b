"""Reservations as the Central System sees them (facts 7), on both declarations, in virtual time."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    AuthorizeConf,
    AvailabilityType,
    CancelReservation,
    ChangeAvailability,
    IdTagInfo,
    RemoteStartTransaction,
    ReserveNow,
)
from tests.lab import Lab

ACCEPTED, REJECTED = "Accepted", "Rejected"
STATIONS = ("full", "station.toml")


@pytest.fixture(params=STATIONS, ids=["full", "ac-smart"])
async def lab(request, tmp_path):
    """Each of the two declarations; of two connectors the second is out of service."""
    return Lab(tmp_path, request.param)


@pytest.fixture
async def full(tmp_path):
    """Two connectors in service, every message and key."""
    return Lab(tmp_path, "full")


async def ask(lab, request):
    return (await lab.csms.call(request)).status


async def reserve(lab, connector=1, *, tag="HOLDER", seconds=3600, reservation_id=7, parent=None):
    """Ask for a reservation; return the answer."""
    expiry_date = lab.now() + timedelta(seconds=seconds)
    return await ask(
        lab,
        ReserveNow(
            connector_id=connector,
            expiry_date=expiry_date,
            id_tag=tag,
            parent_id_tag=parent,
            reservation_id=reservation_id,
        ),
    )


async def keep(lab, **how):
    """Reserve connector 1, the only one in service."""
    await leave_one(lab)
    assert await reserve(lab, **how) == ACCEPTED
    await lab.until_status("Reserved")


async def leave_one(lab):
    """Take every connector but the first out of service."""
    for connector in lab.station.settings.connectors[1:]:
        request = ChangeAvailability(connector_id=connector.number, type=AvailabilityType.INOPERATIVE)
        assert await ask(lab, request) == ACCEPTED
        await lab.until_status("Unavailable", connector.number)


def group(lab, parent):
    """Let Authorize tell a parentIdTag for every idTag."""
    info = IdTagInfo(status=AuthorizationStatus.ACCEPTED, parent_id_tag=parent)
    lab.csms.override("Authorize", lambda _: AuthorizeConf(id_tag_info=info))


def started(lab):
    return [(call["idTag"], call.get("reservationId")) for call in lab.calls("StartTransaction")]


async def test_local_start(lab, autojump_clock):
    """TC_046_1: a foreign idTag causes no Authorize; the holder's takes the connector (A7, G2)."""
    async with lab.powered():
        await keep(lab)
        lab.swipe("FOREIGN")
        await trio.sleep(10)
        assert not lab.calls("Authorize")
        lab.swipe("holder")  # idTags are case-insensitive
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("holder", 7)]


async def test_an_empty_parent_id_tag_opens_no_reservation(lab, autojump_clock):
    """Decision AU4: it reserves for the holder alone, so that a foreign idTag causes no Authorize."""
    async with lab.powered():
        await leave_one(lab)
        expiry_date = (lab.now() + timedelta(hours=1)).isoformat()
        payload = f"""{{"connectorId": 1, "expiryDate": "{expiry_date}", "idTag": "HOLDER", "parentIdTag": "",
            "reservationId": 7}}"""
        assert (await lab.csms.call_with("ReserveNow", payload.encode())).status == ACCEPTED
        await lab.until_status("Reserved")
        lab.swipe("FOREIGN")
        await trio.sleep(10)

    assert not lab.calls("Authorize")
    assert lab.statuses()[-1] == "Reserved"


async def test_remote_start(lab, autojump_clock):
    """TC_046_2: that of a foreign idTag is Rejected."""
    async with lab.powered():
        await keep(lab)
        assert await ask(lab, RemoteStartTransaction(connector_id=1, id_tag="FOREIGN")) == REJECTED
        assert await ask(lab, RemoteStartTransaction(connector_id=1, id_tag="HOLDER")) == ACCEPTED
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("HOLDER", 7)]


async def test_it_expires(lab, autojump_clock):
    """TC_047: at expiryDate, not before; then anybody may charge (G1)."""
    async with lab.powered():
        await keep(lab, seconds=100)
        began = lab.now()
        await lab.until_status("Available")
        assert 98 <= (lab.now() - began).total_seconds() <= 101
        await lab.charge("FOREIGN")

    assert started(lab) == [("FOREIGN", None)]


async def test_a_faulted_connector_is_not_reserved(lab, autojump_clock):
    """TC_048_1."""
    async with lab.powered():
        lab.connector().raise_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Faulted")
        assert await reserve(lab) == "Faulted"


async def test_an_occupied_connector_is_not_reserved(lab, autojump_clock):
    """TC_048_2: from the cable on, while it charges, and until the cable is out."""
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        assert await reserve(lab) == "Occupied"
        lab.swipe()
        await lab.until_status("Charging")
        assert await reserve(lab) == "Occupied"
        lab.swipe()
        await lab.until_status("Finishing")
        assert await reserve(lab) == "Occupied"


async def test_a_reserved_connector_is_occupied(lab, autojump_clock):
    """TC_048_2: under another id, for the same idTag too."""
    async with lab.powered():
        await keep(lab)
        assert await reserve(lab, reservation_id=8) == "Occupied"


async def test_a_connector_out_of_service_is_not_reserved(lab, autojump_clock):
    """TC_048_3."""
    async with lab.powered():
        await ask(lab, ChangeAvailability(connector_id=1, type=AvailabilityType.INOPERATIVE))
        assert await reserve(lab) == "Unavailable"


async def test_reservations_switched_off(full, autojump_clock):
    """TC_048_4: the profile is not among SupportedFeatureProfiles, which the AC SMART does not declare."""
    full.declare(supported_feature_profiles=("Core",))
    async with full.powered():
        assert await reserve(full) == REJECTED


async def test_connector_0_of_one_shows_reserved(tmp_path, autojump_clock):
    """TC_049 and decision RV5: with one connector it is that one which is Reserved."""
    lab = Lab(tmp_path)
    lab.declare(reserve_connector_zero_supported=True)
    async with lab.powered():
        assert await reserve(lab, 0) == ACCEPTED
        await lab.until_status("Reserved")
        lab.swipe("FOREIGN")
        await trio.sleep(10)
        assert not lab.calls("Authorize")
        lab.swipe("HOLDER")
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("HOLDER", 7)]
    assert "Reserved" not in lab.statuses(0)


async def test_a_faulted_charge_point_is_not_reserved(lab, autojump_clock):
    """TC_050_1: every connector is Faulted."""
    lab.declare(reserve_connector_zero_supported=True)
    async with lab.powered():
        for connector in lab.station.settings.connectors:
            lab.connector(connector.number).raise_fault(HardwareFault.OVER_VOLTAGE)
            await lab.until_status("Faulted", connector.number)
        assert await reserve(lab, 0) == "Faulted"


async def test_an_occupied_charge_point_is_not_reserved(lab, autojump_clock):
    """TC_050_2: no connector is free."""
    lab.declare(reserve_connector_zero_supported=True)
    async with lab.powered():
        await leave_one(lab)
        await lab.charge()
        assert await reserve(lab, 0) == "Occupied"


async def test_a_charge_point_out_of_service_is_not_reserved(lab, autojump_clock):
    """TC_050_3."""
    lab.declare(reserve_connector_zero_supported=True)
    async with lab.powered():
        await ask(lab, ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE))
        assert await reserve(lab, 0) == "Unavailable"


async def test_connector_0_must_be_supported(lab, autojump_clock):
    """TC_050_4: ReserveConnectorZeroSupported is false, as the AC SMART has it without declaring the key."""
    if lab.station.path.name == "full.toml":
        lab.declare(reserve_connector_zero_supported=False)
    async with lab.powered():
        assert await reserve(lab, 0) == REJECTED


async def test_it_is_cancelled(lab, autojump_clock):
    """TC_051: then anybody may charge."""
    async with lab.powered():
        await keep(lab)
        assert await ask(lab, CancelReservation(reservation_id=7)) == ACCEPTED
        await lab.until_status("Available")
        assert await ask(lab, CancelReservation(reservation_id=7)) == REJECTED
        await lab.charge("FOREIGN")

    assert started(lab) == [("FOREIGN", None)]


async def test_an_unknown_one_is_not_cancelled(lab, autojump_clock):
    """TC_052: and the other stands."""
    async with lab.powered():
        await keep(lab)
        assert await ask(lab, CancelReservation(reservation_id=8)) == REJECTED
        await trio.sleep(10)
        assert lab.statuses()[-1] == "Reserved"


async def test_one_of_the_group_starts(lab, autojump_clock):
    """TC_053_1: its parentIdTag is asked for with Authorize."""
    group(lab, "FAMILY")
    async with lab.powered():
        await keep(lab, parent="FAMILY")
        lab.swipe("COUSIN")
        await lab.until("Authorize", idTag="COUSIN")
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("COUSIN", 7)]


async def test_one_of_another_group_does_not_start(lab, autojump_clock):
    """5.13: Authorize says Accepted, and it is refused here all the same."""
    group(lab, "STRANGERS")
    async with lab.powered():
        await keep(lab, parent="FAMILY")
        lab.swipe("FOREIGN")
        await lab.until("Authorize", idTag="FOREIGN")
        lab.connector().plug_in()
        await trio.sleep(30)

    assert not started(lab)
    assert lab.statuses()[-1] == "Reserved"


async def test_one_of_the_group_starts_remotely(lab, autojump_clock):
    """TC_053_2."""
    group(lab, "FAMILY")
    lab.declare(authorize_remote_tx_requests=True)
    async with lab.powered():
        await keep(lab, parent="FAMILY")
        assert await ask(lab, RemoteStartTransaction(connector_id=1, id_tag="COUSIN")) == ACCEPTED
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("COUSIN", 7)]


async def test_a_cable_does_not_end_it(lab, autojump_clock):
    """Facts 7: Reserved until the holder's idTag, then the transaction starts at once."""
    async with lab.powered():
        await keep(lab)
        lab.connector().plug_in()
        await trio.sleep(100)
        assert lab.statuses()[-1] == "Reserved"
        lab.swipe("HOLDER")
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("HOLDER", 7)]


async def test_no_cable_in_time_and_it_is_reserved_again(lab, autojump_clock):
    """Decision RV3: ConnectionTimeOut after the holder's idTag; the reservation lasts, and can be used."""
    async with lab.powered():
        await keep(lab)
        lab.swipe("HOLDER")
        await lab.until_status("Preparing")
        await lab.until_status("Reserved")
        lab.swipe("FOREIGN")
        await trio.sleep(10)
        lab.swipe("HOLDER")
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert started(lab) == [("HOLDER", 7)]
    assert "FOREIGN" not in [call["idTag"] for call in lab.calls("Authorize")]


async def test_a_fault_ends_it(lab, autojump_clock):
    """5.13: once repaired the connector is free for anybody."""
    async with lab.powered():
        await keep(lab)
        lab.connector().raise_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Faulted")
        lab.connector().clear_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Available")
        assert await ask(lab, CancelReservation(reservation_id=7)) == REJECTED


async def test_out_of_service_ends_it(lab, autojump_clock):
    """5.13, 4.9 G8."""
    async with lab.powered():
        await keep(lab)
        await ask(lab, ChangeAvailability(connector_id=1, type=AvailabilityType.INOPERATIVE))
        await lab.until_status("Unavailable")
        await ask(lab, ChangeAvailability(connector_id=1, type=AvailabilityType.OPERATIVE))
        await lab.until_status("Available")


async def test_a_reservation_survives_a_power_cut(lab, autojump_clock):
    """Decision RV4: with what is left of its time."""
    async with lab.powered():
        await keep(lab, seconds=1000)
    await trio.sleep(500)
    async with lab.powered():
        assert lab.statuses()[-1] == "Reserved"
        began = lab.now()
        await lab.until_status("Available")
        assert (lab.now() - began).total_seconds() < 500


async def test_a_reservation_expires_while_there_is_no_power(lab, autojump_clock):
    """Decision RV4: noticed as soon as the Central System has told the time."""
    async with lab.powered():
        await keep(lab, seconds=100)
    await trio.sleep(500)
    async with lab.powered():
        await trio.sleep(1)
        assert lab.statuses()[-1] == "Available"
        await lab.charge("FOREIGN")


# Several connectors


async def test_the_same_id_moves_it(full, autojump_clock):
    """5.13: the old connector is free again, the new one Reserved."""
    async with full.powered():
        assert await reserve(full) == ACCEPTED
        await full.until_status("Reserved", 1)
        assert await reserve(full, 2) == ACCEPTED
        await trio.sleep(1)

    assert (full.statuses(1)[-1], full.statuses(2)[-1]) == ("Available", "Reserved")


async def test_a_refused_replacement_leaves_the_old_one(full, autojump_clock):
    """Decision RV2."""
    async with full.powered():
        assert await reserve(full) == ACCEPTED
        full.connector(2).raise_fault(HardwareFault.OVER_VOLTAGE)
        await full.until_status("Faulted", 2)
        assert await reserve(full, 2) == "Faulted"
        assert await ask(full, CancelReservation(reservation_id=7)) == ACCEPTED


async def test_others_may_charge_while_one_connector_stays_free(full, autojump_clock):
    """Decision RV5: the last one is for who reserved connector 0, whichever it is."""
    async with full.powered():
        assert await reserve(full, 0) == ACCEPTED
        assert await reserve(full, 1, reservation_id=8) == ACCEPTED
        assert await reserve(full, 2, reservation_id=9) == "Occupied"
        assert await ask(full, CancelReservation(reservation_id=8)) == ACCEPTED
        assert await ask(full, RemoteStartTransaction(connector_id=2, id_tag="FOREIGN")) == ACCEPTED
        full.connector(2).plug_in()
        await full.until("StartTransaction", connectorId=2)
        assert await ask(full, RemoteStartTransaction(connector_id=1, id_tag="FOREIGN")) == REJECTED
        full.swipe("HOLDER")
        await full.until_status("Preparing", 1)
        full.connector(1).plug_in()
        await full.until_status("Charging", 1)
        await trio.sleep(1)
        assert await ask(full, CancelReservation(reservation_id=7)) == REJECTED

    assert started(full) == [("FOREIGN", None), ("HOLDER", 7)]


async def test_a_remote_start_without_connector_goes_where_it_is_reserved(full, autojump_clock):
    """5.11: the connector that is kept for the idTag; others get another one."""
    async with full.powered():
        await reserve(full, 1, reservation_id=7)
        assert await ask(full, RemoteStartTransaction(id_tag="FOREIGN")) == ACCEPTED
        await full.until_status("Preparing", 2)
        assert await ask(full, RemoteStartTransaction(id_tag="HOLDER")) == ACCEPTED
        await full.until_status("Preparing", 1)


async def test_a_card_goes_where_it_is_reserved(full, autojump_clock):
    """One reader for both connectors."""
    async with full.powered():
        await reserve(full, 2, reservation_id=7)
        full.swipe("HOLDER")
        await full.until_status("Preparing", 2)
        full.swipe("FOREIGN")
        await full.until_status("Preparing", 1)


async def test_connector_0_of_two(full, autojump_clock):
    """TC_049: the other one out of service, only the holder charges at the last one; no status shows it."""
    async with full.powered():
        await leave_one(full)
        assert await reserve(full, 0) == ACCEPTED
        full.swipe("FOREIGN")
        await trio.sleep(10)
        assert not full.calls("Authorize")
        full.swipe("HOLDER")
        await full.until_status("Preparing")
        full.connector().plug_in()
        await full.until_status("Charging")
        await trio.sleep(1)

    assert started(full) == [("HOLDER", 7)]
    assert "Reserved" not in full.statuses(1)
