"""What StatusNotification says of a cable that is unplugged at the vehicle (4.9, facts 3.3): info beside the status."""

import pytest
import trio

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import ChangeConfiguration, RemoteStopTransaction
from tests.lab import Lab

GONE = "EV side disconnected"


def told(lab):
    """Status, errorCode and info of every report about connector 1, in order."""
    return [
        (one["status"], one["errorCode"], one.get("info"))
        for one in lab.calls("StatusNotification")
        if one["connectorId"] == 1
    ]


async def limit(lab, amperes):
    request = ChangeConfiguration(key="ConnectorMaximumCurrent", value=str(amperes))
    assert (await lab.csms.call(request)).status == "Accepted"


async def test_the_transaction_that_it_ends_is_finished_with_the_info(lab, autojump_clock):
    """StopTransactionOnEVSideDisconnect=true: one report, and none of the info once the cable is out."""
    async with lab.powered():
        await lab.charge()
        lab.connector().unplug()
        await lab.until_status("Available")

    assert told(lab)[-3:] == [
        ("Charging", "NoError", None),
        ("Finishing", "NoError", GONE),
        ("Available", "NoError", None),
    ]


async def test_the_transaction_that_outlives_it_is_suspended_with_the_info(lab, autojump_clock):
    """StopTransactionOnEVSideDisconnect=false; connected again the vehicle goes on, and the info is gone."""
    lab.declare(stop_transaction_on_ev_side_disconnect=False)
    async with lab.powered():
        await lab.charge()
        lab.connector().unplug("vehicle")
        await trio.sleep(60)
        lab.connector().plug_in()
        await lab.until_status("Charging")

    assert told(lab)[-4:] == [
        ("Charging", "NoError", None),
        ("SuspendedEV", "NoError", GONE),
        ("SuspendedEV", "NoError", None),
        ("Charging", "NoError", None),
    ]


async def test_a_vehicle_that_was_suspended_before_it_left(lab, autojump_clock):
    """The status stays, the info is news."""
    lab.declare(stop_transaction_on_ev_side_disconnect=False)
    async with lab.powered():
        await lab.charge()
        lab.connector().pause()
        await lab.until_status("SuspendedEV")
        lab.connector().unplug("vehicle")
        await trio.sleep(60)

    assert told(lab)[-2:] == [("SuspendedEV", "NoError", None), ("SuspendedEV", "NoError", GONE)]


async def test_where_both_sides_suspend_the_info_waits(tmp_path, autojump_clock):
    """SuspendedEVSE wins (facts 3.1); once energy is offered again it is the vehicle that is missing."""
    lab = Lab(tmp_path, "full")
    lab.declare(stop_transaction_on_ev_side_disconnect=False)
    async with lab.powered():
        await lab.charge()
        await limit(lab, 0)
        await lab.until_status("SuspendedEVSE")
        lab.connector().unplug("vehicle")
        await trio.sleep(60)
        await limit(lab, 16)
        await lab.until_status("SuspendedEV")

    assert told(lab)[-2:] == [("SuspendedEVSE", "NoError", None), ("SuspendedEV", "NoError", GONE)]


async def test_a_transaction_that_was_stopped_before_needs_no_info(lab, autojump_clock):
    """The vehicle leaves while Finishing: nothing more is told until the cable is out."""
    async with lab.powered():
        transaction_id = await lab.charge()
        await lab.csms.call(RemoteStopTransaction(transaction_id=transaction_id))
        await lab.until_status("Finishing")
        lab.connector().unplug("vehicle")
        await trio.sleep(60)
        lab.connector().unplug("station")
        await lab.until_status("Available")

    assert told(lab)[-2:] == [("Finishing", "NoError", None), ("Available", "NoError", None)]


@pytest.mark.parametrize("fault", [HardwareFault.SIGNAL, HardwareFault.TEMPERATURE])
async def test_what_is_wrong_comes_before_the_info(lab, autojump_clock, fault):
    """The info goes with NoError: a warning or a fault has its own."""
    async with lab.powered():
        await lab.charge()
        lab.connector().raise_fault(fault, "look here")
        lab.connector().unplug("vehicle")
        await trio.sleep(60)

    assert told(lab)[-1][2] == "look here"
