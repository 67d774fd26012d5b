"""Transitions of the status table (4.9) that take more than chance to come about, on the declaration with every key."""

import pytest

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability, ChangeConfiguration
from tests.lab import Lab


@pytest.fixture
async def lab(tmp_path):
    """Connector 2 has a fixed cable."""
    return Lab(tmp_path, "full")


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
