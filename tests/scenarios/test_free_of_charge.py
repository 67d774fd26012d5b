"""A station where every vehicle is charged with a declared idTag (decision T7), on the declaration with every key."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.hardware import CableChanged, HardwareFault, HardwareReported
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    AuthorizeConf,
    AvailabilityType,
    ChangeAvailability,
    IdTagInfo,
    RemoteStartTransaction,
    ReserveNow,
    StartTransactionConf,
)
from machines.vocabulary.settings import Recovery
from tests.lab import Lab

TIME_OUT_S = 90
"""ConnectionTimeOut."""


@pytest.fixture
async def lab(tmp_path):
    """Connector 2 has a fixed cable."""
    lab = Lab(tmp_path, "full")
    lab.give_away("FREE")
    lab.declare(connection_time_out=TIME_OUT_S)
    return lab


def refusing(_):
    return StartTransactionConf(id_tag_info=IdTagInfo(status=AuthorizationStatus.BLOCKED), transaction_id=9)


async def insert_cable(lab):
    """A cable in the socket of connector 1, with nothing at its other end."""
    await lab.running.deliver(HardwareReported(1, CableChanged(True)))


async def set_availability(lab, connector, kind):
    conf = await lab.csms.call(ChangeAvailability(connector_id=connector, type=kind))
    assert conf.status == "Accepted"


async def start_remotely(lab, id_tag="USER"):
    conf = await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag=id_tag))
    assert conf.status == "Accepted"


def started(lab):
    return [start["idTag"] for start in lab.calls("StartTransaction")]


async def test_free_of_charge_every_vehicle_charges_at_once(lab, autojump_clock):
    """4.9 A4 and D3 (the vehicle takes a second); the declared idTag, no Authorize, no Preparing."""
    async with lab.powered():
        lab.connector(2).plug_in()
        await lab.until_status("Charging", 2)
        await trio.sleep(60)
        lab.connector(2).unplug()
        await lab.until_status("Available", 2)

    assert lab.statuses(2) == ["Available", "SuspendedEV", "Charging", "Available"]
    assert lab.calls("StartTransaction")[0]["idTag"] == "FREE"
    assert not lab.calls("Authorize")


@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "EV side disconnected"])
async def test_free_of_charge_a_kept_cable_is_taken_up_by_the_next_vehicle(lab, autojump_clock, is_refused):
    """Decision T9: where nobody has a card, who plugs in again is its user.

    There used to be a vehicle that waited in vain, as the cable waited for the card of the declared idTag.
    """
    lab.declare(unlock_connector_on_ev_side_disconnect=False)
    if is_refused:
        lab.csms.override("StartTransaction", refusing)
    async with lab.powered():
        lab.connector().plug_in()
        await trio.sleep(30)
        lab.csms.override("StartTransaction", None)
        lab.connector().unplug("vehicle")
        await trio.sleep(30)
        assert lab.states()["connector_lock/1"] == "kept"
        lab.connector().plug_in()
        await trio.sleep(30)
        assert lab.connector().state().locked
        assert lab.statuses()[-1] == "Charging"

    assert started(lab) == ["FREE", "FREE"]


async def test_free_of_charge_after_a_time_out_of_service(lab, autojump_clock):
    """4.9 H4: a vehicle that was plugged in meanwhile starts when the connector comes back."""
    async with lab.powered():
        await set_availability(lab, 2, AvailabilityType.INOPERATIVE)
        await lab.until_status("Unavailable", 2)
        lab.connector(2).plug_in()
        await trio.sleep(30)
        assert not lab.calls("StartTransaction")
        await set_availability(lab, 2, AvailabilityType.OPERATIVE)
        await lab.until_status("Charging", 2)

    assert lab.statuses(2) == ["Available", "Unavailable", "SuspendedEV", "Charging"]


async def test_free_of_charge_a_vehicle_charges_again_after_a_power_cut(lab, autojump_clock):
    """4.9 A4, 5.8: one transaction ends with PowerLoss, the next begins. The vehicle used to stand there, Available."""
    lab.recover(Recovery.END)
    async with lab.powered():
        lab.connector(2).plug_in()
        await lab.until_status("Charging", 2)
    async with lab.powered():
        await lab.until_status("Charging", 2)

    assert [stop["reason"] for stop in lab.calls("StopTransaction")] == ["PowerLoss"]
    assert started(lab) == ["FREE", "FREE"]


@pytest.mark.parametrize("number", [1, 2], ids=["socket", "fixed cable"])
async def test_free_of_charge_a_vehicle_that_comes_while_a_transaction_ends(lab, autojump_clock, number):
    """4.9 F2: as one that comes right after it. It used to wait in vain while the meter took its time."""
    async with lab.powered():
        lab.connector(number).plug_in()
        await lab.until_status("Charging", number)
        lab.connector(number).meter_silence(True)
        lab.connector(number).unplug("vehicle")
        await trio.sleep(0.2)
        assert lab.states()[f"transaction/{number}"] == "stopping"
        lab.connector(number).plug_in()
        lab.connector(number).meter_silence(False)
        await lab.until_status("Charging", number)

    assert started(lab) == ["FREE", "FREE"]
    told = [call for call in lab.calls("StatusNotification") if call["status"] == "Finishing"]
    assert not any("info" in call for call in told)  # it is connected again (decision S7)


# Somebody with an idTag all the same


async def test_free_of_charge_an_id_tag_waits_for_its_vehicle_as_long_as_anywhere(lab, autojump_clock):
    """4.9 A2, B1: there used to be no end to it, and the vehicle of the day after was charged to that idTag."""
    async with lab.powered():
        await start_remotely(lab)
        await lab.until_status("Preparing")
        await trio.sleep(TIME_OUT_S + 1)
        assert lab.states()["transaction/1"] == "idle"
        lab.connector().plug_in()
        await lab.until_status("Charging")

    assert lab.statuses() == ["Available", "Preparing", "Available", "SuspendedEV", "Charging"]
    assert started(lab) == ["FREE"]


async def test_free_of_charge_an_id_tag_that_came_before_its_vehicle_pays(lab, autojump_clock):
    """4.9 A2, B3."""
    async with lab.powered():
        await start_remotely(lab)
        lab.connector().plug_in()
        await lab.until_status("Charging")

    assert lab.statuses() == ["Available", "Preparing", "Charging"]
    assert started(lab) == ["USER"]


@pytest.mark.parametrize("end", ["Invalid", "no answer", "the link is lost"])
async def test_free_of_charge_a_vehicle_that_comes_while_authorize_is_pending(lab, autojump_clock, end):
    """5.11.1: it waits for the answer, and charges free of charge if that starts nobody. It used to be left alone."""
    lab.declare(authorize_remote_tx_requests=True)

    async def slow(_):
        await trio.sleep(3600 if end == "no answer" else 10)
        return AuthorizeConf(id_tag_info=IdTagInfo(status=AuthorizationStatus.INVALID))

    async with lab.powered():
        lab.csms.override("Authorize", slow)
        await start_remotely(lab)
        await lab.until("Authorize")
        lab.connector().plug_in()
        await trio.sleep(5)
        assert lab.states()["authorization/1"] == "asking"
        assert not started(lab)
        if end == "the link is lost":
            lab.cut_link()
            await trio.sleep(1)
            lab.restore_link()
        await lab.until("StartTransaction")

    assert started(lab) == ["FREE"]


# A cable alone, and what keeps a vehicle from being charged


async def test_free_of_charge_a_cable_alone_leaves_the_connector_available(lab, autojump_clock):
    """4.9 H1: back in service it used to stay Unavailable for the Central System until the cable was out."""
    async with lab.powered():
        await set_availability(lab, 1, AvailabilityType.INOPERATIVE)
        await lab.until_status("Unavailable")
        await insert_cable(lab)
        await set_availability(lab, 1, AvailabilityType.OPERATIVE)
        await trio.sleep(1)

    assert lab.statuses() == ["Available", "Unavailable", "Available"]


async def test_free_of_charge_a_vehicle_that_stands_where_another_is_waited_for(lab, autojump_clock):
    """5.13 connector 0: the last free connector is for the holder; who plugs in there prepares in vain (B6)."""
    async with lab.powered():
        lab.connector(2).plug_in()
        await lab.until_status("Charging", 2)
        expiry_date = lab.now() + timedelta(hours=1)
        conf = await lab.csms.call(
            ReserveNow(connector_id=0, expiry_date=expiry_date, id_tag="HOLDER", reservation_id=7)
        )
        assert conf.status == "Accepted"
        lab.connector().plug_in()
        await lab.until_status("Finishing")
        assert started(lab) == ["FREE"]
        await lab.until_status("Charging")

    assert lab.statuses()[:4] == ["Available", "Preparing", "Finishing", "Preparing"]
    assert started(lab) == ["FREE", "FREE"]


async def test_free_of_charge_a_start_that_comes_to_nothing_shows_the_vehicle(lab, autojump_clock):
    """4.8, 4.9 A2 and B6: no register value, no transaction. It used to be Available with a vehicle in it."""
    async with lab.powered():
        lab.connector(2).meter_silence(True)
        lab.connector(2).plug_in()
        await lab.until_status("Finishing", 2)
        lab.connector(2).unplug()
        await lab.until_status("Available", 2)

    assert lab.statuses(2) == ["Available", "Preparing", "Finishing", "Available"]
    assert not started(lab)


async def test_free_of_charge_a_fault_keeps_the_vehicle_waiting(lab, autojump_clock):
    """4.9 I3: it charges once the fault is gone."""
    async with lab.powered():
        lab.connector(2).raise_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Faulted", 2)
        lab.connector(2).plug_in()
        await trio.sleep(600)
        assert not started(lab)
        lab.connector(2).clear_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Charging", 2)

    assert started(lab) == ["FREE"]
