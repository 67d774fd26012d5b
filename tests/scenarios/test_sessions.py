"""Charging sessions of the AC SMART as its Central System sees them, in virtual time."""

import itertools
import re
from datetime import datetime

import pytest
import trio
from trio.testing import MockClock

from machines.vocabulary.hardware import FaultRaised, HardwareFault, HardwareReported
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    ChangeConfiguration,
    IdTagInfo,
    RemoteStartTransaction,
    RemoteStopTransaction,
    StartTransaction,
    StartTransactionConf,
)
from tests.lab import EPOCH, Lab


async def test_plug_in_first(lab, autojump_clock):
    """4.9 A2, B3, C6, F1; the register is billed as it reads, the time is that of the event."""
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        await lab.until_status("Charging")
        await trio.sleep(2 * 3600)
        lab.swipe("card")  # idTags are case-insensitive
        await lab.until_status("Finishing")
        lab.connector().unplug()
        await lab.until_status("Available")

    (transaction,) = lab.csms.ledger.values()
    assert lab.statuses() == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    assert transaction.reason == "Local"
    assert transaction.energy_wh == int(lab.connector().register_wh) > 20_000
    assert (transaction.stopped.timestamp - transaction.started.timestamp).total_seconds() == pytest.approx(
        2 * 3600, abs=5
    )
    assert len(lab.calls("Authorize")) == 1, "no Authorize for the tag that started it (4.10)"


async def test_card_first(lab, autojump_clock):
    """4.9 A2 by the idTag; the transaction starts when the vehicle is connected."""
    async with lab.powered():
        lab.swipe()
        await lab.until_status("Preparing")
        await trio.sleep(30)
        assert not lab.calls("StartTransaction")
        lab.connector().plug_in()
        await lab.until_status("Charging")

    assert lab.calls("StartTransaction")[0]["idTag"] == "CARD"


async def test_no_cable_in_time(lab, autojump_clock):
    """ConnectionTimeOut with the idTag first: 4.9 B1, and a later cable starts nothing."""
    async with lab.powered():
        lab.swipe()
        await lab.until_status("Preparing")
        entered = trio.current_time()
        await lab.until_status("Available")
        assert trio.current_time() - entered == pytest.approx(60, abs=1)
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        await trio.sleep(10)

    assert not lab.calls("StartTransaction")


async def test_no_card_in_time(lab, autojump_clock):
    """ConnectionTimeOut with the cable first: 4.9 B6, then F1 when it is taken out."""
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Finishing")
        lab.connector().unplug()
        await lab.until_status("Available")

    assert lab.statuses() == ["Available", "Preparing", "Finishing", "Available"]


async def test_a_second_swipe_gives_the_intent_up(lab, autojump_clock):
    """4.9 B1: the same idTag again before the cable."""
    async with lab.powered():
        lab.swipe()
        await lab.until_status("Preparing")
        lab.swipe()
        await lab.until_status("Available")
        await trio.sleep(100)

    assert lab.statuses() == ["Available", "Preparing", "Available"]


async def test_a_refused_card_starts_nothing(lab, autojump_clock):
    """TC_023: Authorize answered Invalid; the cable shows Preparing and no transaction starts."""
    lab.csms.override(
        "Authorize", lambda _: AuthorizeConf(id_tag_info=IdTagInfo(status=AuthorizationStatus.INVALID))
    )
    async with lab.powered():
        lab.swipe()
        await lab.until("Authorize")
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        await trio.sleep(30)

    assert not lab.calls("StartTransaction")


async def test_the_vehicle_pauses_and_goes_on(lab, autojump_clock):
    """4.9 C4 and D3; nothing flows in between, the transaction goes on."""
    async with lab.powered():
        await lab.charge()
        lab.connector().pause()
        await lab.until_status("SuspendedEV")
        register = lab.connector().register_wh
        await trio.sleep(3600)
        assert lab.connector().register_wh == register
        lab.connector().resume()
        await lab.until_status("Charging")
        assert len(lab.csms.ledger) == 1


async def test_a_full_battery_does_not_end_the_transaction(lab, autojump_clock):
    """A vehicle that is full suspends; only the user, or the operator, ends the transaction."""
    async with lab.powered():
        await lab.charge()
        await lab.until_status("SuspendedEV")
        await trio.sleep(24 * 3600)
        assert not lab.calls("StopTransaction")
        assert lab.states()["transaction/1"] == "running"


async def test_unplugging_the_vehicle_ends_the_transaction(lab, autojump_clock):
    """9.1 StopTransactionOnEVSideDisconnect: reason EVDisconnected, Finishing until the cable is out."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(600)
        lab.connector().unplug("vehicle")
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)
        lab.connector().unplug("station")
        await lab.until_status("Available")

    assert stop["reason"] == "EVDisconnected"
    assert "idTag" not in stop
    assert lab.statuses() == ["Available", "Preparing", "Charging", "Finishing", "Available"]


async def test_a_vehicle_that_asks_for_nothing_is_suspended(lab, autojump_clock):
    """4.9 B4: offered, but not asked for within the declared time."""
    async with lab.powered():
        lab.connector().plug_in()
        lab.connector().pause()
        await lab.until_status("Preparing")
        lab.swipe()
        await lab.until_status("SuspendedEV")

    assert lab.statuses() == ["Available", "Preparing", "SuspendedEV"]


async def test_remote_start_and_stop(lab, autojump_clock):
    """5.11 and 5.12: the cable in, started and stopped by the Central System; reason Remote."""
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        answer = await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="REMOTE"))
        assert answer.status == "Accepted"
        await lab.until_status("Charging")
        await trio.sleep(60)
        (transaction_id,) = lab.csms.ledger
        other = await lab.csms.call(RemoteStopTransaction(transaction_id=transaction_id + 1))
        assert other.status == "Rejected"
        answer = await lab.csms.call(RemoteStopTransaction(transaction_id=transaction_id))
        assert answer.status == "Accepted"
        await lab.until_status("Finishing")
        await trio.sleep(1)

    assert lab.calls("StopTransaction")[0]["reason"] == "Remote"
    assert not lab.calls("Authorize"), "AuthorizeRemoteTxRequests is false (9.1)"


async def test_remote_start_before_the_cable(lab, autojump_clock):
    """TC_011_1 and _2: Preparing, then a transaction or Available again."""
    async with lab.powered():
        await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="REMOTE"))
        await lab.until_status("Preparing")
        await lab.until_status("Available")
        await lab.csms.call(RemoteStartTransaction(id_tag="REMOTE"))
        await lab.until_status("Preparing")
        lab.connector().plug_in()
        await lab.until_status("Charging")


@pytest.mark.parametrize("connector", [2, 99])
async def test_remote_start_on_a_connector_that_is_not_there(lab, autojump_clock, connector):
    """5.11: Rejected. (Connector 0 is refused as a payload, before any machine hears of it.)."""
    async with lab.powered():
        answer = await lab.csms.call(RemoteStartTransaction(connector_id=connector, id_tag="X"))
        assert answer.status == "Rejected"


async def test_remote_start_while_charging(lab, autojump_clock):
    """TC_026: Rejected."""
    async with lab.powered():
        await lab.charge()
        answer = await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="X"))
        assert answer.status == "Rejected"


async def test_a_start_that_is_not_accepted_is_stopped(lab, autojump_clock):
    """4.8, 9.1 StopTransactionOnInvalidId: reason DeAuthorized, no energy worth mentioning."""
    lab.csms.override("StartTransaction", _refuse)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        stop = await lab.until("StopTransaction")

    assert stop["reason"] == "DeAuthorized"
    assert stop["transactionId"] == 77


async def test_a_start_that_is_not_accepted_may_stay_open_without_energy(lab, autojump_clock):
    """4.9 B5 or C5: SuspendedEVSE, the contactor open; the card ends it."""
    lab.declare(stop_transaction_on_invalid_id=False)
    lab.csms.override("StartTransaction", _refuse)
    async with lab.powered():
        lab.connector().plug_in()
        await trio.sleep(1)
        lab.swipe()
        await lab.until_status("SuspendedEVSE")
        register = lab.connector().register_wh
        await trio.sleep(3600)
        assert lab.connector().register_wh == register
        assert not lab.connector().state().contactor
        lab.swipe()
        stop = await lab.until("StopTransaction")

    assert stop["reason"] == "Local"


def _refuse(_: StartTransaction) -> StartTransactionConf:
    return StartTransactionConf(transaction_id=77, id_tag_info=IdTagInfo(status=AuthorizationStatus.BLOCKED))


async def test_a_group_member_may_stop(lab, autojump_clock):
    """4.10, TC_069: another idTag with the same parentIdTag; one without is ignored."""

    def authorize(request: Authorize) -> AuthorizeConf:
        parent = None if request.id_tag == "STRANGER" else "FAMILY"
        return AuthorizeConf(id_tag_info=IdTagInfo(status=AuthorizationStatus.ACCEPTED, parent_id_tag=parent))

    lab.csms.override("Authorize", authorize)
    async with lab.powered():
        await lab.charge("MOTHER")
        lab.swipe("STRANGER")
        await trio.sleep(5)
        assert not lab.calls("StopTransaction")
        lab.swipe("CHILD")
        stop = await lab.until("StopTransaction")

    assert stop["idTag"] == "CHILD"


async def test_a_foreign_card_without_a_group_is_ignored(lab, autojump_clock):
    """TC_068: no Authorize, no stop."""
    async with lab.powered():
        await lab.charge()
        authorized = len(lab.calls("Authorize"))
        lab.swipe("FOREIGN")
        await trio.sleep(60)

    assert len(lab.calls("Authorize")) == authorized
    assert not lab.calls("StopTransaction")


async def test_an_error_that_has_no_code_of_its_own_says_what_it_is_in_vendor_error_code(lab, autojump_clock):
    """7.6 OtherError: more information in vendorErrorCode. Any other code says it by itself."""
    async with lab.powered():
        lab.connector().raise_fault(HardwareFault.OTHER, "door open")
        other = await lab.until_status("Faulted")
        lab.connector().clear_fault(HardwareFault.OTHER)
        none = await lab.until_status("Available")
        lab.connector().raise_fault(HardwareFault.TEMPERATURE, "79 degrees")
        hot = await lab.until_status("Faulted")

    assert (other["errorCode"], other["info"], other["vendorErrorCode"]) == (
        "OtherError",
        "door open",
        "door open",
    )
    assert "vendorErrorCode" not in none | hot


async def test_a_fault_takes_the_energy_away_and_gives_it_back(lab, autojump_clock):
    """4.9 C9 and its way back; a fault that is no safety fault leaves the transaction open."""
    async with lab.powered():
        await lab.charge()
        lab.connector().raise_fault(HardwareFault.TEMPERATURE, "79 degrees")
        report = await lab.until_status("Faulted")
        await trio.sleep(1)
        assert (report["errorCode"], report["info"]) == ("HighTemperature", "79 degrees")
        assert not lab.connector().state().contactor
        register = lab.connector().register_wh
        await trio.sleep(600)
        assert lab.connector().register_wh == register
        lab.connector().clear_fault(HardwareFault.TEMPERATURE)
        await lab.until_status("Charging")
        assert len(lab.csms.ledger) == 1
        assert lab.calls("StopTransaction") == []


async def test_a_safety_fault_ends_the_transaction(lab, autojump_clock):
    """Decision T1: GroundFailure, reason Other."""
    async with lab.powered():
        await lab.charge()
        lab.connector().raise_fault(HardwareFault.GROUND)
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)
        lab.connector().clear_fault(HardwareFault.GROUND)
        await lab.until_status("Finishing")

    assert stop["reason"] == "Other"
    assert lab.statuses()[2:4] == ["Charging", "Faulted"]


async def test_a_safety_fault_of_the_whole_station_ends_the_transaction(lab, autojump_clock):
    """Decision T1 does not ask whose fault it is."""
    async with lab.powered() as running:
        await lab.charge()
        await running.deliver(HardwareReported(0, FaultRaised(HardwareFault.GROUND)))
        stop = await lab.until("StopTransaction")

    assert stop["reason"] == "Other"


async def test_a_faulted_connector_starts_nothing(lab, autojump_clock):
    """TC_041."""
    async with lab.powered():
        lab.connector().raise_fault(HardwareFault.OVER_VOLTAGE)
        await lab.until_status("Faulted")
        lab.connector().plug_in()
        lab.swipe()
        answer = await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="X"))
        await trio.sleep(30)

    assert answer.status == "Rejected"
    assert not lab.calls("StartTransaction")


async def test_no_transaction_without_a_first_register_value(lab, autojump_clock):
    """4.8: a meter that is silent at the start leaves nothing to bill, so nothing starts."""
    async with lab.powered():
        lab.connector().meter_silence(True)
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        await trio.sleep(30)
        assert not lab.calls("StartTransaction")
        assert not lab.connector().state().contactor


async def test_a_silent_meter_at_the_end_bills_what_is_on_record(lab, autojump_clock):
    """4.10: the latest register value that was sampled."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(3600)
        sampled = lab.calls("MeterValues")[-1]["meterValue"][0]["sampledValue"][0]["value"]
        lab.connector().meter_silence(True)
        lab.swipe()
        stop = await lab.until("StopTransaction")

    assert stop["meterStop"] == int(sampled) > 0


async def test_samples_lie_exactly_on_their_interval(lab, autojump_clock):
    """TC_070: spacing, context, the configured measurands."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(10 * 60)
    values = [payload["meterValue"][0] for payload in lab.calls("MeterValues")]
    seconds = [(datetime.fromisoformat(value["timestamp"]) - EPOCH).total_seconds() for value in values]
    gaps = {round(b - a, 2) for a, b in itertools.pairwise(seconds)}

    assert gaps == {60.0}
    assert {one.get("context") for value in values for one in value["sampledValue"]} == {"Sample.Periodic"}
    assert {one["measurand"] for one in values[0]["sampledValue"]} == {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
        "Current.Import",
        "Voltage",
    }
    assert {payload["transactionId"] for payload in lab.calls("MeterValues")} == {1}


async def test_the_operator_limits_and_pauses_the_current(tmp_path, autojump_clock):
    """ConnectorMaximumCurrent counts at once: less current, then C5, E3; nothing between 0 and 6 A is ever offered."""
    lab = Lab(tmp_path, "full")
    async with lab.powered():
        await lab.charge()
        for amperes, offered in [("10", 10.0), ("6", 6.0)]:
            answer = await lab.csms.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value=amperes))
            assert answer.status == "Accepted"
            await trio.sleep(1)
            assert lab.running.charge_point.setpoints[1].offered_a == offered
            assert lab.connector().state().current_a == offered
        await lab.csms.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value="5"))
        await lab.until_status("SuspendedEVSE")
        await trio.sleep(600)
        assert lab.connector().state().current_a == 0
        await lab.csms.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value="32"))
        await lab.until_status("Charging")
        assert len(lab.csms.ledger) == 1


def test_a_whole_day_is_the_same_every_time(tmp_path):
    """One seed, one transcript: ids of messages aside, nothing depends on the scheduler."""

    def transcript(directory):
        async def day():
            lab = Lab(directory)
            async with lab.powered():
                await lab.charge()
                await trio.sleep(8 * 3600)
                lab.cut_link()
                await trio.sleep(3600)
                lab.restore_link()
                await trio.sleep(600)
                lab.swipe()
                await lab.until_status("Finishing")
            return [
                (str(e.time), e.direction, e.kind, e.action, re.sub("[0-9a-f-]{36}", "", str(e.payload)))
                for e in lab.csms.transcript
            ]

        return trio.run(day, clock=MockClock(autojump_threshold=0))

    first, second = transcript(tmp_path / "a"), transcript(tmp_path / "b")
    assert first == second
    assert len(first) > 900


async def test_no_energy_flows_through_a_cable_that_cannot_be_locked(lab, autojump_clock):
    """TC_024: ConnectorLockFailure, no transaction; the next cable gets another chance."""
    async with lab.powered():
        lab.connector().lock_failure()
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        report = await lab.until_status("Faulted")
        await trio.sleep(30)
        assert report["errorCode"] == "ConnectorLockFailure"
        assert not lab.calls("StartTransaction")
        assert not lab.connector().state().contactor
        assert lab.statuses()[-1] == "Faulted"
        lab.connector().unplug()
        await lab.until_status("Available")
        lab.connector().lock_repair()
        await lab.charge()


async def test_a_fault_that_the_driver_finds_in_the_lock_stands_until_it_is_gone(lab, autojump_clock):
    """4.9 A9, I1: it used to be forgotten with the cable, and a connector that cannot lock was told Available."""
    async with lab.powered():
        lab.connector().raise_fault(HardwareFault.LOCK, "actuator")
        await lab.until_status("Faulted")
        lab.connector().plug_in()
        await trio.sleep(30)
        lab.connector().unplug()
        await trio.sleep(30)
        assert lab.statuses()[-1] == "Faulted"
        lab.connector().clear_fault(HardwareFault.LOCK)
        await lab.until_status("Available")

    assert lab.statuses() == ["Available", "Faulted", "Available"]


async def test_the_contactor_closes_after_the_lock(lab, autojump_clock):
    """However fast the vehicle is."""
    seen = []
    async with lab.powered() as running:
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        while not lab.connector().state().contactor:
            seen.append(lab.connector().state().locked)
            await trio.sleep(0.05)
        assert lab.connector().state().locked
        assert running.charge_point.setpoints[1].locked
    assert False in seen
