"""What the specification leaves open and no other scenario shows: rows of docs/decisions.md."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.hardware import CableChanged, HardwareFault, HardwareReported, LockChanged
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    AuthorizeConf,
    AvailabilityType,
    BootNotificationConf,
    ChangeAvailability,
    ChangeConfiguration,
    IdTagInfo,
    RegistrationStatus,
    RemoteStartTransaction,
    SendLocalList,
    UnlockConnector,
    UpdateType,
)
from machines.vocabulary.wire import CallError, ErrorCode, RequestReceived
from tests.lab import EPOCH, Lab
from tests.scenarios.test_gate import charge_point_in


@pytest.fixture
async def full(tmp_path):
    """Every message and key."""
    return Lab(tmp_path, "full")


async def ask(lab, request):
    return (await lab.csms.call(request)).status


async def change(lab, key, value):
    assert await ask(lab, ChangeConfiguration(key=key, value=value)) == "Accepted"


def times(lab, action):
    """Seconds since the begin at which the station sent ``action``."""
    return [
        (entry.time - EPOCH).total_seconds()
        for entry in lab.csms.transcript
        if (entry.kind, entry.action) == (2, action)
    ]


# Registration and connection


async def test_interval_0_when_accepted_keeps_the_heartbeat_interval(lab, autojump_clock):
    """Decision BN2."""
    lab.csms.override(
        "BootNotification",
        lambda _: BootNotificationConf(
            status=RegistrationStatus.ACCEPTED, current_time=lab.now(), interval=0
        ),
    )
    async with lab.powered():
        await trio.sleep(1000)

    first, second, *_ = times(lab, "Heartbeat")
    assert second - first == pytest.approx(lab.station.defaults.heartbeat_interval, abs=1)


async def test_an_authorize_in_flight_dies_with_its_connection(lab, autojump_clock):
    """Decision CN2: nothing comes of it later, and the next card is asked for anew."""
    lab.csms.override("Authorize", lambda _: None)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await lab.until("Authorize")
        await lab.csms.disconnect()
        await trio.sleep(100)
        assert lab.states()["authorization/1"] == "idle"
        lab.csms.override("Authorize", None)
        lab.connector().unplug()
        await trio.sleep(10)
        await lab.charge()

    assert len(lab.calls("Authorize")) == 2


# Authorisation


async def test_the_report_of_a_conflict_is_not_repeated(full, autojump_clock):
    """Decision LL3: the Central System could not take it."""
    blocked = IdTagInfo(status=AuthorizationStatus.BLOCKED)
    entry = AuthorizationData(id_tag="CARD", id_tag_info=IdTagInfo(status=AuthorizationStatus.ACCEPTED))
    full.csms.override("Authorize", lambda _: AuthorizeConf(id_tag_info=blocked))
    async with full.powered():
        request = SendLocalList(
            list_version=1, update_type=UpdateType.FULL, local_authorization_list=(entry,)
        )
        assert await ask(full, request) == "Accepted"
        full.csms.override("StatusNotification", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
        full.swipe()
        await full.until("StatusNotification", errorCode="LocalListConflict")
        full.csms.override("StatusNotification", None)
        await trio.sleep(3600)
        codes = [one["errorCode"] for one in full.calls("StatusNotification")]

    assert codes.count("LocalListConflict") == 1


async def test_the_latest_card_waits_for_the_cable(lab, autojump_clock):
    """Decision AU3."""
    async with lab.powered():
        lab.swipe("FIRST")
        await lab.until_status("Preparing")
        await trio.sleep(1)
        lab.swipe("SECOND")
        await trio.sleep(5)
        lab.connector().plug_in()
        started = await lab.until("StartTransaction")

    assert started["idTag"] == "SECOND"


async def test_connection_time_out_0_is_none(lab, autojump_clock):
    """Decision T2."""
    lab.declare(connection_time_out=0)
    async with lab.powered():
        lab.swipe()
        await lab.until_status("Preparing")
        await trio.sleep(24 * 3600)
        lab.connector().plug_in()
        await lab.until_status("Charging")

    assert lab.statuses() == ["Available", "Preparing", "Charging"]


async def test_the_central_system_may_set_connection_time_out_0(full, autojump_clock):
    """Decision T2, for the vehicle that comes first, too."""
    async with full.powered():
        await change(full, "ConnectionTimeOut", "0")
        full.connector().plug_in()
        await full.until_status("Preparing")
        await trio.sleep(24 * 3600)
        full.swipe(connectors=(1,))
        await full.until_status("Charging")

    assert full.statuses() == ["Available", "Preparing", "Charging"]


async def test_a_status_that_nobody_answered_is_told_again(full, autojump_clock):
    """Decision S12: the Central System used to show Preparing until the connector changed again."""
    full.declare(connection_time_out=0)
    async with full.powered():
        full.csms.override("StatusNotification", lambda _: None)
        full.connector().plug_in()
        await full.until("StatusNotification", status="Preparing")
        await trio.sleep(300)
        full.csms.override("StatusNotification", None)
        await trio.sleep(24 * 3600)
        assert full.states()["status_report/1"] == "settled"

    told = [call["timestamp"] for call in full.calls("StatusNotification") if call["status"] == "Preparing"]
    assert len(told) == 4
    assert len(set(told)) == 1, "since when it has been so"


async def test_a_second_remote_start_while_authorize_is_pending_is_rejected(full, autojump_clock):
    """Decision T4."""
    full.csms.override("Authorize", lambda _: None)
    async with full.powered():
        await change(full, "AuthorizeRemoteTxRequests", "true")
        request = RemoteStartTransaction(connector_id=1, id_tag="FIRST")
        assert await ask(full, request) == "Accepted"
        assert await ask(full, RemoteStartTransaction(connector_id=1, id_tag="SECOND")) == "Rejected"


# Status and availability


async def test_an_error_that_came_and_went_offline_is_not_told(lab, autojump_clock):
    """Decision S5: neither a fault nor a warning; one that still stands is."""
    async with lab.powered():
        lab.cut_link()
        await trio.sleep(1)
        for fault in (HardwareFault.OVER_VOLTAGE, HardwareFault.SIGNAL):
            lab.connector().raise_fault(fault)
            await trio.sleep(60)
            lab.connector().clear_fault(fault)
        lab.restore_link()
        await trio.sleep(300)
        assert lab.statuses() == ["Available"]
        lab.cut_link()
        await trio.sleep(1)
        lab.connector().raise_fault(HardwareFault.SIGNAL)
        lab.restore_link()
        await lab.until("StatusNotification", connectorId=1, status="Available", errorCode="WeakSignal")


async def test_a_warning_that_is_gone_is_told_with_no_error(lab, autojump_clock):
    """Decision S6."""
    async with lab.powered():
        lab.connector().raise_fault(HardwareFault.SIGNAL)
        await lab.until("StatusNotification", connectorId=1, errorCode="WeakSignal")
        lab.connector().clear_fault(HardwareFault.SIGNAL)
        await lab.until("StatusNotification", connectorId=1, status="Available", errorCode="NoError")


async def test_a_pilot_that_cannot_be_trusted_takes_the_energy_away(lab, autojump_clock):
    """Decision S11: EVCommunicationError is no Faulted, the status goes to SuspendedEVSE, and back."""
    async with lab.powered():
        await lab.charge()
        lab.connector().raise_fault(HardwareFault.PILOT, "diode of the vehicle")
        told = await lab.until("StatusNotification", connectorId=1)
        assert (told["status"], told["errorCode"]) == ("SuspendedEVSE", "EVCommunicationError")
        assert told["info"] == "diode of the vehicle"
        await trio.sleep(1)
        state = lab.connector().state()
        assert (state.contactor, state.offered_a) == (False, 0.0)
        lab.connector().clear_fault(HardwareFault.PILOT)
        told = await lab.until_status("Charging")
        assert told["errorCode"] == "NoError"
        assert not lab.calls("StopTransaction")


async def test_a_transaction_that_begins_with_such_a_pilot_waits_for_it(lab, autojump_clock):
    """Decision S11."""
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.connector().raise_fault(HardwareFault.PILOT)
        await lab.until("StatusNotification", status="Preparing", errorCode="EVCommunicationError")
        lab.swipe()
        await lab.until("StatusNotification", status="SuspendedEVSE", errorCode="EVCommunicationError")
        await trio.sleep(60)
        assert lab.connector().state().offered_a == 0.0
        lab.connector().clear_fault(HardwareFault.PILOT)
        await lab.until_status("Charging")


async def test_trouble_with_the_pilot_is_told_only_where_a_vehicle_may_be(lab, autojump_clock):
    """Decision S11: not with Available, nor beside what is worse."""
    async with lab.powered():
        lab.connector().raise_fault(HardwareFault.PILOT)
        await trio.sleep(60)
        assert {one["errorCode"] for one in lab.calls("StatusNotification")} == {"NoError"}
        lab.connector().raise_fault(HardwareFault.GROUND)
        await lab.until("StatusNotification", status="Faulted", errorCode="GroundFailure")
        lab.connector().clear_fault(HardwareFault.GROUND)
        await lab.until("StatusNotification", status="Available", errorCode="NoError")
        lab.connector().plug_in()
        await lab.until("StatusNotification", status="Preparing", errorCode="EVCommunicationError")


async def test_a_scheduled_change_happens_in_spite_of_a_power_cut(lab, autojump_clock):
    """Decision S9: at boot, as nothing is in use then."""
    async with lab.powered():
        await lab.charge()
        asked = ChangeAvailability(connector_id=1, type=AvailabilityType.INOPERATIVE)
        assert await ask(lab, asked) == "Scheduled"
    since = len(lab.csms.transcript)
    async with lab.powered():
        await trio.sleep(60)

    assert {one["status"] for one in lab.calls("StatusNotification", since) if one["connectorId"]} == {
        "Unavailable"
    }
    assert lab.calls("StopTransaction")[0]["reason"] == "PowerLoss"


async def test_operative_cancels_what_was_scheduled(lab, autojump_clock):
    """Decision S9."""
    async with lab.powered():
        await lab.charge()
        for kind, status in (
            (AvailabilityType.INOPERATIVE, "Scheduled"),
            (AvailabilityType.OPERATIVE, "Accepted"),
        ):
            assert await ask(lab, ChangeAvailability(connector_id=1, type=kind)) == status
        lab.swipe()
        await trio.sleep(5)
        lab.connector().unplug()
        await lab.until_status("Available")


# The lock


def test_an_unlocking_while_one_is_under_way_fails():
    """Decision U1: the first is answered when the lock has moved."""
    take = charge_point_in("accepted")
    take(HardwareReported(1, CableChanged(True, 32.0)))
    take(HardwareReported(1, LockChanged(True)))

    def answers(arrival):
        return [
            (one.effect.call_id or arrival.call_id, one.effect.answer.status.value)
            for one in take(arrival).effects
            if type(one.effect).__name__ == "Answer"
        ]

    assert answers(RequestReceived("1", UnlockConnector(connector_id=1))) == []
    assert answers(RequestReceived("2", UnlockConnector(connector_id=1))) == [("2", "UnlockFailed")]
    assert answers(HardwareReported(1, LockChanged(False))) == [("1", "Unlocked")]


async def test_unlocking_is_answered_when_the_lock_has_moved(lab, autojump_clock):
    """Decision U2: the end of the transaction is neither waited for nor held up."""
    async with lab.powered():
        await lab.charge()
        lab.csms.override("StopTransaction", lambda _: None)
        began = trio.current_time()
        assert await ask(lab, UnlockConnector(connector_id=1)) == "Unlocked"
        assert trio.current_time() - began < lab.station.settings.limits.unlock_timeout_s
        assert not lab.connector().state().locked
        await lab.csms.wait_for_request("StopTransaction", reason="UnlockCommand")


async def test_what_was_unlocked_is_not_locked_again_while_the_meter_is_silent(lab, autojump_clock):
    """5.18: Unlocked is what the user finds, though the end waits for its register value.

    There used to be a lock that closed once more until the meter was given up.
    """
    async with lab.powered():
        await lab.charge()
        lab.connector().meter_silence(True)
        assert await ask(lab, UnlockConnector(connector_id=1)) == "Unlocked"
        for _ in range(30):
            assert not lab.connector().state().locked
            await trio.sleep(0.1)

    assert [stop["reason"] for stop in lab.calls("StopTransaction")] == ["UnlockCommand"]


# Delivery


async def test_a_new_retry_interval_counts_for_the_next_wait(lab, autojump_clock):
    """Decision DL4: the wait that runs stays as it is."""
    lab.csms.override("StartTransaction", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    async with lab.powered():
        await change(lab, "TransactionMessageRetryInterval", "100")
        lab.connector().plug_in()
        lab.swipe()
        await lab.until("StartTransaction")
        await trio.sleep(10)
        await change(lab, "TransactionMessageRetryInterval", "7")
        await trio.sleep(600)
        first, second, third = times(lab, "StartTransaction")

    assert [second - first, third - second] == pytest.approx([100, 14], abs=1)


async def test_retry_interval_0_sends_again_at_once(lab, autojump_clock):
    """Decision DL5."""
    lab.csms.override("StartTransaction", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    async with lab.powered():
        await change(lab, "TransactionMessageRetryInterval", "0")
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(600)
        sent = times(lab, "StartTransaction")

    assert len(sent) == lab.station.defaults.transaction_message_attempts
    assert sent[-1] - sent[0] < 1


# Meter values


async def test_a_pause_adds_no_values_of_its_own(full, autojump_clock):
    """Decision M10: neither our side's pause nor the vehicle's; the grid of the samples goes on."""
    async with full.powered():
        await change(full, "StopTxnSampledData", "Energy.Active.Import.Register")
        await full.charge()
        await change(full, "ConnectorMaximumCurrent", "0")
        await trio.sleep(150)
        await change(full, "ConnectorMaximumCurrent", "16")
        full.connector().pause()
        await trio.sleep(150)
        full.swipe()
        stop = await full.until("StopTransaction")

    contexts = [one["context"] for value in stop["transactionData"] for one in value["sampledValue"]]
    assert contexts == ["Transaction.Begin", *["Sample.Periodic"] * 5, "Transaction.End"]


async def test_a_grid_that_does_not_divide_a_day_begins_anew_at_midnight(full, autojump_clock):
    """Decision M11."""
    async with full.powered():
        await change(full, "ClockAlignedDataInterval", "50000")
        await trio.sleep(2 * 86_400 + 100)

    points = [
        one["meterValue"][0]["timestamp"] for one in full.calls("MeterValues") if one["connectorId"] == 1
    ]
    expected = [EPOCH + timedelta(seconds=s) for s in (50_000, 86_400, 136_400, 172_800)]
    assert points == [point.strftime("%Y-%m-%dT%H:%M:%SZ") for point in expected]
