"""A cable that is in when a reservation ends: the connector is free, and taken (decision RV7)."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import CancelReservation, ReserveNow
from tests.lab import Lab


@pytest.fixture(params=["full", "station.toml"], ids=["full", "ac-smart"])
async def lab(request, tmp_path):
    """Each of the two declarations."""
    return Lab(tmp_path, request.param)


async def reserve(lab, seconds=3600):
    """Reserve connector 1, then let somebody plug in."""
    expiry_date = lab.now() + timedelta(seconds=seconds)
    request = ReserveNow(connector_id=1, expiry_date=expiry_date, id_tag="HOLDER", reservation_id=7)
    assert (await lab.csms.call(request)).status == "Accepted"
    await lab.until_status("Reserved")
    lab.connector().plug_in()


async def cancel(lab):
    assert (await lab.csms.call(CancelReservation(reservation_id=7))).status == "Accepted"


async def test_it_expires_with_a_cable_in(lab, autojump_clock):
    """4.9 G1, then A2: as if the cable came now; whoever shows a card charges."""
    async with lab.powered():
        await reserve(lab, seconds=100)
        await lab.until_status("Preparing")
        lab.swipe("FOREIGN", (1,))
        await lab.until_status("Charging")
        await trio.sleep(1)

    assert lab.statuses() == ["Available", "Reserved", "Available", "Preparing", "Charging"]
    (started,) = lab.calls("StartTransaction")
    assert started["idTag"] == "FOREIGN"
    assert "reservationId" not in started


async def test_it_is_cancelled_with_a_cable_in_and_nobody_comes(lab, autojump_clock):
    """4.9 G1, A2, B6: ConnectionTimeOut runs from then on, and the cable must out before anybody else may use it."""
    async with lab.powered():
        await reserve(lab)
        await trio.sleep(600)
        await cancel(lab)
        await lab.until_status("Preparing")
        began = trio.current_time()
        await lab.until_status("Finishing")
        assert trio.current_time() - began == pytest.approx(lab.station.defaults.connection_time_out, abs=1)
        lab.connector().unplug()
        await lab.until_status("Available")

    assert lab.statuses()[1:] == ["Reserved", "Available", "Preparing", "Finishing", "Available"]


async def test_it_is_cancelled_without_a_cable(lab, autojump_clock):
    """4.9 G1, and nothing else."""
    async with lab.powered():
        await reserve(lab)
        lab.connector().unplug()
        await cancel(lab)
        await trio.sleep(600)

    assert lab.statuses() == ["Available", "Reserved", "Available"]


async def test_a_fault_ends_it_with_a_cable_in(lab, autojump_clock):
    """4.9 G9, I2."""
    async with lab.powered():
        await reserve(lab)
        await trio.sleep(1)
        lab.connector().raise_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Faulted")
        lab.connector().clear_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Preparing")

    assert lab.statuses() == ["Available", "Reserved", "Faulted", "Preparing"]


async def test_free_of_charge_the_vehicle_that_waited_charges(lab, autojump_clock):
    """4.9 G1, A3: while it was reserved only its holder was served."""
    lab.give_away("FREE")
    async with lab.powered():
        await reserve(lab, seconds=100)
        await trio.sleep(60)
        assert not lab.calls("StartTransaction")
        await lab.until_status("Charging")

    assert lab.statuses()[:3] == ["Available", "Reserved", "Available"]
