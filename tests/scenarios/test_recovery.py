"""Power cuts: facts 5.8. Nothing is lost, nothing is sent twice, whatever the moment."""

from datetime import datetime

import pytest
import trio
from trio.testing import MockClock

from engine.batch import Batch
from engine.store import BOOTS_MAX, Store
from machines.vocabulary.hardware import HardwareFault, Setpoint
from machines.vocabulary.ocpp import (
    AvailabilityType,
    ChangeAvailability,
    ChangeConfiguration,
    GetConfiguration,
    UnlockConnector,
)
from machines.vocabulary.settings import Recovery
from tests.lab import Lab


async def test_an_interrupted_transaction_ends_with_power_loss(lab, autojump_clock):
    """Recovery = end: after boot, with the register as it reads then."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(1800)
    await trio.sleep(600)
    async with lab.powered():
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)

    assert stop["reason"] == "PowerLoss"
    assert stop["meterStop"] == int(lab.connector().register_wh) > 0
    assert [transaction.repeats for transaction in lab.csms.ledger.values()] == [0]
    assert len(lab.calls("StopTransaction")) == 1


@pytest.mark.parametrize("after_s", [5, 25, 60])
async def test_a_meter_that_starts_more_slowly_than_the_station_is_billed_by_what_it_shows(
    lab, autojump_clock, after_s
):
    """Decision M2: the energy since the last sample, up to MeterValueSampleInterval of it, would be lost."""
    lab.declare(meter_value_sample_interval=0)
    async with lab.powered():
        await lab.charge()
        await trio.sleep(1800)
    charged_wh = int(lab.connector().register_wh)
    lab.connector().meter_silence(True)
    async with lab.powered(), trio.open_nursery() as nursery:
        nursery.start_soon(start_meter, lab, after_s)
        stop = await lab.until("StopTransaction")

    is_in_time = after_s <= lab.station.settings.limits.meter_start_s
    assert stop["meterStop"] == (charged_wh if is_in_time else 0)
    assert charged_wh > 0


async def start_meter(lab, after_s):
    await trio.sleep(after_s)
    lab.connector().meter_silence(False)


async def test_an_interrupted_transaction_goes_on(lab, autojump_clock):
    """Recovery = resume, the vehicle still there: Charging again, samples and the stop carry the same id."""
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await lab.charge()
        await trio.sleep(1800)
    async with lab.powered():
        await lab.until_status("Charging")
        await trio.sleep(1800)
        lab.swipe()
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)

    assert len(lab.csms.ledger) == 1
    assert stop["meterStop"] == int(lab.connector().register_wh)
    assert {payload["transactionId"] for payload in lab.calls("MeterValues")} == {1}


async def test_a_vehicle_that_left_meanwhile_ends_the_transaction(lab, autojump_clock):
    """Recovery = resume, but nothing is connected any more."""
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await lab.charge()
    lab.connector().unplug()
    async with lab.powered():
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)
        assert lab.states()["connector/1"] == "Available"

    assert stop["reason"] == "PowerLoss"


async def test_a_safety_fault_that_is_there_when_the_power_returns_ends_the_transaction(lab, autojump_clock):
    """Decision T1, recovery = resume: also if it is told before the vehicle is found."""
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await lab.charge()
    lab.connector().unplug("vehicle")
    lab.connector().raise_fault(HardwareFault.GROUND)
    async with lab.powered():
        lab.connector().plug_in()
        stop = await lab.until("StopTransaction")
        lab.connector().clear_fault(HardwareFault.GROUND)
        await trio.sleep(60)
        assert not lab.connector().state().contactor

    assert stop["reason"] == "Other"


async def test_a_cable_that_is_unlocked_before_the_vehicle_is_found_ends_the_transaction(lab, autojump_clock):
    """5.18, recovery = resume: Unlocked means that the cable can be taken, and stays so."""
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await lab.charge()
    lab.connector().unplug("vehicle")
    async with lab.powered():
        assert lab.states()["transaction/1"] == "recovering"
        conf = await lab.csms.call(UnlockConnector(connector_id=1))
        stop = await lab.until("StopTransaction")
        assert not lab.connector().state().locked

    assert conf.status == "Unlocked"
    assert stop["reason"] == "UnlockCommand"


async def test_what_was_set_survives(lab, autojump_clock):
    """5.2 availability and 5.3 changed values are persistent."""
    async with lab.powered():
        await lab.csms.call(ChangeAvailability(connector_id=1, type=AvailabilityType.INOPERATIVE))
        await lab.csms.call(ChangeConfiguration(key="MeterValueSampleInterval", value="17"))
        await lab.until_status("Unavailable")
    async with lab.powered():
        conf = await lab.csms.call(GetConfiguration(key=("MeterValueSampleInterval",)))

    assert lab.statuses()[-1] == "Unavailable"
    assert conf.configuration_key[0].value == "17"


async def test_what_an_earlier_run_left_behind_is_undone(lab, autojump_clock):
    """A lock that stayed closed, the cable long gone: the socket is free again after the start."""
    lab.connector().apply(Setpoint(locked=True))
    async with lab.powered():
        await trio.sleep(1)
        assert not lab.connector().state().locked


class PowerCut(BaseException):
    """The power is gone."""


class CutStore(Store):
    """A database whose power is cut at one of its writes, just before or just after it."""

    cut_at = 0
    is_after = False
    writes = 0

    def write(self, batch: Batch) -> None:
        type(self).writes += 1
        if self.writes == self.cut_at:
            if self.is_after:
                super().write(batch)
            raise PowerCut
        super().write(batch)


async def _day(lab):
    """A session online, one that ends offline, one interrupted by nothing but the power."""
    await lab.charge()
    await trio.sleep(300)
    lab.swipe()
    await lab.until("StopTransaction")
    lab.connector().unplug()
    await lab.until_status("Available")
    await lab.charge()
    await trio.sleep(130)
    lab.cut_link()
    await trio.sleep(130)
    lab.swipe()
    await trio.sleep(5)
    lab.connector().unplug()
    await trio.sleep(5)
    lab.restore_link()
    await trio.sleep(300)


async def _cut_day(directory, cut_at, is_after):
    CutStore.cut_at, CutStore.is_after, CutStore.writes = cut_at, is_after, 0
    lab = Lab(directory)
    lab.store_type = CutStore
    try:
        async with lab.powered():
            await _day(lab)
    except BaseExceptionGroup as group:
        _, rest = group.split(PowerCut)
        assert rest is None
    was_cut = CutStore.writes >= cut_at
    CutStore.cut_at = 0
    lab.is_linked = True
    if lab.connector().state().plugged:
        lab.connector().unplug()
    async with lab.powered(until_accepted=False):
        await trio.sleep(900)
        states = lab.states()
        assert states["connector/1"] == "Available"
        assert states["delivery"] == "idle"
        assert states["transaction/1"] == "idle"
    return lab, was_cut, lab.connector().register_wh


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_power_cut_at_any_write_loses_nothing(tmp_path, is_after):
    """Each transaction the Central System knows is stopped once, and billed as metered."""
    cut_at = 0
    was_cut = True
    while was_cut:
        cut_at += 1
        lab, was_cut, metered = trio.run(
            _cut_day, tmp_path / str(cut_at), cut_at, is_after, clock=MockClock(autojump_threshold=0)
        )
        where = f"power cut {'after' if is_after else 'before'} write {cut_at}"
        assert not lab.csms.strays, where
        for transaction in lab.csms.ledger.values():
            assert transaction.stopped is not None, where
        stops = [payload["transactionId"] for payload in lab.calls("StopTransaction")]
        billed = sum(transaction.energy_wh for transaction in lab.csms.ledger.values())
        assert abs(billed - metered) <= len(lab.csms.ledger), where
        # A message whose answer was not written down yet is sent again: at least once is all a wire can give.
        repeated = len(stops) - len(set(stops)) + sum(t.repeats for t in lab.csms.ledger.values())
        assert repeated <= 1, where
    assert cut_at > 25


async def test_a_program_that_was_stopped_in_order_says_reboot(lab, autojump_clock):
    """Facts 5.6: not every way to be away is a loss of power."""
    async with lab.powered():
        await lab.charge()
    store = Store(lab.directory)
    store.mark_clean()
    store.close()
    async with lab.powered():
        stop = await lab.until("StopTransaction")

    assert stop["reason"] == "Reboot"


async def test_time_does_not_run_backwards_over_power_cuts_without_a_network(lab, autojump_clock):
    """Facts 5.6, decision CN3: the system clock says 1970 after each, and two runs never hear the time of day."""
    lab.declare(allow_offline_tx_for_unknown_id=True)
    async with lab.powered():
        await lab.charge()
        await trio.sleep(1800)
        lab.cut_link()
        await trio.sleep(1800)
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(600)
        lab.connector().unplug()
        await trio.sleep(10)
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(1800)
    async with lab.powered(until_accepted=False):
        await trio.sleep(600)
    lab.is_linked = True
    async with lab.powered():
        await lab.until("StopTransaction", transactionId=2)
        await trio.sleep(1)

    told = [
        entry.payload.get("timestamp") or entry.payload["meterValue"][0]["timestamp"]
        for entry in lab.csms.transcript
        if entry.kind == 2 and entry.action in {"StartTransaction", "MeterValues", "StopTransaction"}
    ]
    assert len(told) > 10
    assert told == sorted(told)


async def test_a_session_keeps_its_time_over_any_number_of_restarts_without_a_network(lab, autojump_clock):
    """Decision CN3: the run that stamped it is remembered until it is delivered."""
    lab.declare(allow_offline_tx_for_unknown_id=True)
    async with lab.powered():
        pass
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(10)
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(600)
        lab.swipe()
        await trio.sleep(10)
    session_over = lab.now()
    for _ in range(BOOTS_MAX + 5):
        async with lab.powered(until_accepted=False):
            await trio.sleep(3600)
    lab.is_linked = True
    async with lab.powered():
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)
    async with lab.powered():
        pass
    store = Store(lab.directory)
    rows = store.counts()["boot"]
    store.close()

    assert datetime.fromisoformat(stop["timestamp"]) <= session_over
    assert rows <= BOOTS_MAX + 1
