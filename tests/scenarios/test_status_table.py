"""Transitions of the status table (4.9) that take more than chance to come about, on the declaration with every key."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault, HardwareReported
from machines.vocabulary.ocpp import (
    AvailabilityType,
    CancelReservation,
    ChangeAvailability,
    ChangeConfiguration,
    ReserveNow,
)
from tests.lab import Lab

OUTLASTING = """
extends = "full"
reservations.outlast_faults = true
"""


@pytest.fixture
async def lab(tmp_path):
    """Connector 2 has a fixed cable."""
    return Lab(tmp_path, "full")


@pytest.fixture
async def outlasting(tmp_path):
    """A station whose reservations outlast faults."""
    file = tmp_path / "station.toml"
    file.write_text(OUTLASTING)
    return Lab(tmp_path, str(file))


async def reserve(lab, seconds=3600):
    """Reserve connector 1 for HOLDER."""
    expiry_date = lab.now() + timedelta(seconds=seconds)
    request = ReserveNow(connector_id=1, expiry_date=expiry_date, id_tag="HOLDER", reservation_id=7)
    assert (await lab.csms.call(request)).status == "Accepted"
    await lab.until_status("Reserved")


async def break_down(lab):
    lab.connector().raise_fault(HardwareFault.OVER_VOLTAGE)
    await lab.until_status("Faulted")


async def repair(lab, status):
    lab.connector().clear_fault(HardwareFault.OVER_VOLTAGE)
    await lab.until_status(status)


async def limit(lab, amperes):
    conf = await lab.csms.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value=str(amperes)))
    assert conf.status == "Accepted"


async def set_availability(lab, kind):
    return (await lab.csms.call(ChangeAvailability(connector_id=2, type=kind))).status


async def suspend(lab):
    """A transaction on connector 2, without energy from our side."""
    lab.connector(2).plug_in()
    await lab.until_status("Preparing", 2)
    lab.swipe("CARD", (2,))
    await lab.until_status("Charging", 2)
    await limit(lab, 0)
    await lab.until_status("SuspendedEVSE", 2)


async def test_e8_out_of_service_when_a_suspended_transaction_ends(lab, autojump_clock):
    """4.9 E8: the vehicle leaves with a scheduled Inoperative, no action left for the user."""
    async with lab.powered():
        await suspend(lab)
        assert await set_availability(lab, AvailabilityType.INOPERATIVE) == "Scheduled"
        lab.connector(2).unplug()
        await lab.until_status("Unavailable", 2)

    assert lab.statuses(2)[-2:] == ["SuspendedEVSE", "Unavailable"]


async def test_d8_out_of_service_when_the_vehicle_that_asked_for_nothing_leaves(lab, autojump_clock):
    """4.9 D8: as E8, where it is the vehicle that had suspended."""
    async with lab.powered():
        lab.connector(2).plug_in()
        await lab.until_status("Preparing", 2)
        lab.swipe("CARD", (2,))
        await lab.until_status("Charging", 2)
        lab.connector(2).pause()
        await lab.until_status("SuspendedEV", 2)
        assert await set_availability(lab, AvailabilityType.INOPERATIVE) == "Scheduled"
        lab.connector(2).unplug()
        await lab.until_status("Unavailable", 2)

    assert lab.statuses(2)[-2:] == ["SuspendedEV", "Unavailable"]


async def test_h5_free_of_charge_and_nothing_to_offer(lab, autojump_clock):
    """4.9 H5: back in service with a vehicle connected, and a limit below what can be offered."""
    lab.give_away("FREE")
    async with lab.powered():
        await limit(lab, 0)
        await set_availability(lab, AvailabilityType.INOPERATIVE)
        await lab.until_status("Unavailable", 2)
        lab.connector(2).plug_in()
        await set_availability(lab, AvailabilityType.OPERATIVE)
        await lab.until_status("SuspendedEVSE", 2)

    assert lab.statuses(2)[-2:] == ["Unavailable", "SuspendedEVSE"]


async def test_i5_back_to_suspended_by_the_evse(lab, autojump_clock):
    """4.9 E9 and I5: a fault that comes and goes while our side offers nothing."""
    async with lab.powered():
        await suspend(lab)
        lab.connector(2).raise_fault(HardwareFault.TEMPERATURE)
        await lab.until_status("Faulted", 2)
        lab.connector(2).clear_fault(HardwareFault.TEMPERATURE)
        await lab.until_status("SuspendedEVSE", 2)

    assert lab.statuses(2)[-3:] == ["SuspendedEVSE", "Faulted", "SuspendedEVSE"]


# Reservations that outlast a fault (decision RV8)


async def test_i7_reserved_again_once_repaired(outlasting, autojump_clock):
    """4.9 G9 and I7: the reservation still counts, for its holder alone."""
    async with outlasting.powered():
        await reserve(outlasting)
        await break_down(outlasting)
        outlasting.swipe("HOLDER", (1,))
        await trio.sleep(10)
        assert not outlasting.calls("Authorize")
        await repair(outlasting, "Reserved")
        outlasting.swipe("FOREIGN", (1,))
        outlasting.swipe("HOLDER", (1,))
        await outlasting.until_status("Preparing")
        outlasting.connector().plug_in()
        await outlasting.until_status("Charging")
        await trio.sleep(1)

    assert outlasting.statuses() == ["Available", "Reserved", "Faulted", "Reserved", "Preparing", "Charging"]
    (started,) = outlasting.calls("StartTransaction")
    assert (started["idTag"], started["reservationId"]) == ("HOLDER", 7)


async def test_i7_after_a_fault_while_its_holder_prepared(outlasting, autojump_clock):
    """4.9 B9 and I7: the holder's card was shown, then the fault; the reservation was not used."""
    async with outlasting.powered():
        await reserve(outlasting)
        outlasting.swipe("HOLDER")
        await outlasting.until_status("Preparing")
        await break_down(outlasting)
        await repair(outlasting, "Reserved")

    assert outlasting.statuses()[-3:] == ["Preparing", "Faulted", "Reserved"]


async def test_i1_where_the_reservation_expired_in_the_fault(outlasting, autojump_clock):
    """4.9 I1: what outlasts a fault ends at its expiryDate all the same."""
    async with outlasting.powered():
        await reserve(outlasting, seconds=100)
        await break_down(outlasting)
        await trio.sleep(200)
        await repair(outlasting, "Available")


async def test_i1_where_the_reservation_was_cancelled_in_the_fault(outlasting, autojump_clock):
    """4.9 I1, 5.1."""
    async with outlasting.powered():
        await reserve(outlasting)
        await break_down(outlasting)
        conf = await outlasting.csms.call(CancelReservation(reservation_id=7))
        assert conf.status == "Accepted"
        await repair(outlasting, "Available")


async def test_i1_where_reservations_end_with_a_fault(lab, autojump_clock):
    """4.9 G9 and I1: as 5.13 has it, and as a station does that declares nothing else."""
    async with lab.powered():
        await reserve(lab)
        await break_down(lab)
        await repair(lab, "Available")


async def test_a_reservation_outlasts_a_fault_of_the_whole_station(outlasting, autojump_clock):
    """Decision RV8: connector 0 is Faulted; connector 1 stays Reserved, and its holder charges after the repair."""
    async with outlasting.powered() as running:
        await reserve(outlasting)
        await running.deliver(HardwareReported(0, FaultRaised(HardwareFault.INTERNAL)))
        await outlasting.until_status("Faulted", 0)
        await running.deliver(HardwareReported(0, FaultCleared(HardwareFault.INTERNAL)))
        await outlasting.until_status("Available", 0)
        outlasting.connector().plug_in()
        outlasting.swipe("HOLDER")
        await outlasting.until_status("Charging")

    assert outlasting.statuses() == ["Available", "Reserved", "Preparing", "Charging"]
