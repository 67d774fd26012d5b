"""Reset over the wire: 5.14, facts section 6, with a Central System that answers and with one that does not."""

import pytest
import trio

from engine.run import RunningStation
from machines.vocabulary.ocpp import (
    AvailabilityType,
    ChangeAvailability,
    ChangeConfiguration,
    Reset,
    ResetType,
)
from tests.lab import Lab


@pytest.fixture
async def full(tmp_path):
    """Two connectors, all keys."""
    return Lab(tmp_path, "full")


@pytest.mark.parametrize("kind", ResetType)
async def test_without_a_transaction_it_restarts_at_once_and_availability_persists(
    full, autojump_clock, kind
):
    """TC_013, TC_014: boot, then every status; what was Unavailable still is."""
    async with full.powered() as running:
        await full.csms.call(ChangeAvailability(connector_id=1, type=AvailabilityType.INOPERATIVE))
        await full.until_status("Unavailable")
        asked = full.now()
        assert (await full.csms.call(Reset(type=kind))).status == "Accepted"
        await running.wait_ended()
        assert (full.now() - asked).total_seconds() < 1
    start = len(full.csms.transcript)
    async with full.powered():
        pass

    assert len(full.calls("BootNotification", start)) == 1
    assert {p["connectorId"]: p["status"] for p in full.calls("StatusNotification", start)} == {
        0: "Available",
        1: "Unavailable",
        2: "Available",
    }


async def test_a_hard_reset_during_a_soft_one_is_carried_out(full, autojump_clock):
    """5.14: Accepted means that the hardware restarts. There used to be a soft restart in spite of it."""
    async with full.powered() as running:
        await full.charge()
        full.csms.override("StopTransaction", lambda _: None)
        assert (await full.csms.call(Reset(type=ResetType.SOFT))).status == "Accepted"
        await trio.sleep(5)
        assert (await full.csms.call(Reset(type=ResetType.HARD))).status == "Accepted"
        await running.wait_ended()
        assert running._restart.is_hard


@pytest.mark.parametrize("kind", ResetType)
async def test_with_transactions_on_both_connectors_both_end_and_are_delivered_first(
    full, autojump_clock, kind
):
    """TC_015, TC_016: StopTransaction with the reason of the reset, then the restart."""
    async with full.powered() as running:
        await full.charge("ONE")
        full.connector(2).plug_in()
        await full.until_status("Preparing", 2)
        full.swipe("TWO")
        await full.until_status("Charging", 2)
        assert (await full.csms.call(Reset(type=kind))).status == "Accepted"
        await running.wait_ended()
        assert {p["reason"] for p in full.calls("StopTransaction")} == {f"{kind.value}Reset"}
        assert len(full.calls("StopTransaction")) == 2
    async with full.powered():
        await trio.sleep(60)

    assert all(line.stopped is not None for line in full.csms.ledger.values())
    assert len(full.calls("StopTransaction")) == 2, "nothing is told twice"
    assert full.statuses(1)[-1] in {"Preparing", "Finishing"}


async def test_nobody_begins_while_a_restart_waits(full, autojump_clock):
    full.csms.override("StopTransaction", lambda _: None)
    async with full.powered() as running:
        await full.charge("ONE")
        await full.csms.call(Reset(type=ResetType.SOFT))
        full.connector(2).plug_in()
        full.swipe("TWO")
        await running.wait_ended()
    assert len(full.calls("StartTransaction")) == 1


async def test_a_second_reset_is_accepted_and_changes_nothing(full, autojump_clock):
    full.csms.override("StopTransaction", lambda _: None)
    async with full.powered() as running:
        await full.charge()
        await full.csms.call(Reset(type=ResetType.SOFT))
        assert (await full.csms.call(Reset(type=ResetType.HARD))).status == "Accepted"
        await running.wait_ended()
    assert [p["reason"] for p in full.calls("StopTransaction")] == ["SoftReset"]


async def test_a_queue_that_cannot_be_delivered_does_not_hold_the_restart_up(full, autojump_clock):
    """The connection is lost after the answer: the restart waits ``stop_flush_s``, the stop is told after it."""
    async with full.powered() as running:
        await full.charge()
        assert (await full.csms.call(Reset(type=ResetType.SOFT))).status == "Accepted"
        full.cut_link()
        asked = full.now()
        await running.wait_ended()
        waited_s = (full.now() - asked).total_seconds()
        assert waited_s == pytest.approx(full.station.settings.limits.stop_flush_s, abs=1)
        assert full.calls("StopTransaction") == []
    full.is_linked = True
    async with full.powered():
        stop = await full.until("StopTransaction")

    assert stop["reason"] == "SoftReset"
    assert len(full.csms.ledger) == 1


class Refusing:
    """A restart that cannot be, for the first ``times``."""

    def __init__(self, times):
        self.left = times
        self.asked = []

    def __call__(self, is_hard):
        self.asked.append(is_hard)
        self.left -= 1
        return "the watchdog is stuck" if self.left >= 0 else ""


def refusing(monkeypatch, times):
    """Make the station of every lab refuse to restart."""
    refusal = Refusing(times)
    create = RunningStation.__init__

    def refusing_init(self, *args, **kwargs):
        create(self, *args, restart_refusal=refusal, **kwargs)

    monkeypatch.setattr(RunningStation, "__init__", refusing_init)
    return refusal


async def test_a_restart_that_fails_is_tried_again(full, autojump_clock, monkeypatch):
    """9.1 ResetRetries."""
    refusal = refusing(monkeypatch, 1)
    async with full.powered() as running:
        await full.csms.call(Reset(type=ResetType.HARD))
        await running.wait_ended()
    assert refusal.asked == [True, True]


@pytest.mark.parametrize("retries", [0, 3])
async def test_a_restart_that_fails_for_good_is_told_and_the_station_serves_on(
    full, autojump_clock, monkeypatch, retries
):
    """9.1 ResetRetries changed at run time; decision R2: errorCode ResetFailure of connector 0, a warning."""
    refusal = refusing(monkeypatch, retries + 1)
    async with full.powered():
        await full.csms.call(ChangeConfiguration(key="ResetRetries", value=str(retries)))
        await full.csms.call(Reset(type=ResetType.SOFT))
        report = await full.until("StatusNotification", connectorId=0, errorCode="ResetFailure")
        assert (report["status"], report["info"]) == ("Available", "the watchdog is stuck")
        assert len(refusal.asked) == retries + 1
        await full.charge()
        await full.csms.call(Reset(type=ResetType.SOFT))
        await full.running.wait_ended()
    async with full.powered():
        pass
    assert full.calls("StatusNotification")[-3]["errorCode"] == "NoError", "it did restart"
