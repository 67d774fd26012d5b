"""TriggerMessage over the wire: facts section 6, TC_054 and TC_055."""

import json
from datetime import datetime, timedelta

import pytest
import trio
from msgspec.structs import replace

from machines.vocabulary.effects import LeaveUnanswered
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    BootNotificationConf,
    ChangeConfiguration,
    IdTagInfo,
    MessageTrigger,
    RegistrationStatus,
    StartTransactionConf,
    TriggerMessage,
)
from machines.vocabulary.wire import RequestReceived
from tests.lab import EPOCH, Lab
from tests.scenarios.test_gate import charge_point_in


@pytest.fixture
async def full(tmp_path):
    """The station that offers everything; two connectors."""
    return Lab(tmp_path, "full")


def pending(lab, *, times=1, interval=3600):
    """Answer BootNotification with Pending, ``times`` times, and then Accepted."""
    left = [RegistrationStatus.PENDING] * times

    def answer(_):
        status = left.pop() if left else RegistrationStatus.ACCEPTED
        return BootNotificationConf(status=status, current_time=lab.now(), interval=interval)

    lab.csms.override("BootNotification", answer)


async def trigger(lab, message, connector=None):
    """Send TriggerMessage; return its status."""
    conf = await lab.csms.call(TriggerMessage(requested_message=message, connector_id=connector))
    return conf.status


def sent_since(lab, start):
    """Actions that the station sent since ``start``, answers as ``conf``."""
    return [
        entry.action if entry.kind == 2 else "conf"
        for entry in lab.csms.transcript[start:]
        if entry.direction == "received"
    ]


@pytest.mark.parametrize(
    ("message", "count"),
    [
        (MessageTrigger.HEARTBEAT, 1),
        (MessageTrigger.STATUS_NOTIFICATION, 3),
        (MessageTrigger.METER_VALUES, 2),
        (MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION, 1),
        (MessageTrigger.FIRMWARE_STATUS_NOTIFICATION, 1),
    ],
)
@pytest.mark.parametrize("state", ["accepted", "pending"])
async def test_what_is_asked_for_follows_the_answer(full, autojump_clock, message, count, state):
    """TC_054: Accepted, then the message; without a connectorId for each. While Pending too (4.2.1)."""
    if state == "pending":
        pending(full)
    async with full.powered(until_accepted=state == "accepted"):
        if state == "pending":
            await full.until("BootNotification")
            await trio.sleep(1)
        start = len(full.csms.transcript)
        assert await trigger(full, message) == "Accepted"
        await trio.sleep(5)
        assert full.states()["registration"] == state

        assert sent_since(full, start) == ["conf", *[message.value] * count]


@pytest.mark.parametrize("state", ["unregistered", "booting", "rejected"])
@pytest.mark.parametrize("message", MessageTrigger)
def test_nothing_is_triggered_where_nothing_is_answered(message, state):
    """4.2, decision BN3: before the first answer, and while Rejected."""
    step = charge_point_in(state)(RequestReceived("1", TriggerMessage(requested_message=message)))
    assert [one.effect for one in step.effects] == [LeaveUnanswered()]


@pytest.mark.parametrize("message", ["DiagnosticsStatusNotification", "FirmwareStatusNotification"])
async def test_the_status_of_a_transfer_is_idle_when_nothing_runs(full, autojump_clock, message):
    """TC_054."""
    async with full.powered():
        await trigger(full, MessageTrigger(message))
        assert await full.until(message) == {"status": "Idle"}


@pytest.mark.parametrize("message", ["DiagnosticsStatusNotification", "FirmwareStatusNotification"])
async def test_a_message_that_is_not_declared_is_not_implemented(lab, autojump_clock, message):
    """TC_054 without the profile."""
    lab.station = _taking_triggers(lab.station)
    async with lab.powered():
        start = len(lab.csms.transcript)
        assert await trigger(lab, MessageTrigger(message)) == "NotImplemented"
        await trio.sleep(5)
        assert sent_since(lab, start) == ["conf"]


def _taking_triggers(station):
    settings = station.settings
    return replace(station, settings=replace(settings, receives=settings.receives | {"TriggerMessage"}))


@pytest.mark.parametrize("message", [MessageTrigger.STATUS_NOTIFICATION, MessageTrigger.METER_VALUES])
async def test_a_connector_that_is_not_there_is_rejected(full, autojump_clock, message):
    """TC_055: NumberOfConnectors + 1; nothing is sent."""
    async with full.powered():
        start = len(full.csms.transcript)
        assert await trigger(full, message, 3) == "Rejected"
        await trio.sleep(5)
        assert sent_since(full, start) == ["conf"]


async def test_there_is_no_meter_of_connector_0(full, autojump_clock):
    """Decision TM3."""
    async with full.powered():
        assert await trigger(full, MessageTrigger.METER_VALUES, 0) == "Rejected"


async def test_the_status_of_connector_0_may_be_asked_for(full, autojump_clock):
    """Facts section 2: 0 is the charge point itself."""
    async with full.powered():
        start = len(full.csms.transcript)
        assert await trigger(full, MessageTrigger.STATUS_NOTIFICATION, 0) == "Accepted"
        assert (await full.until("StatusNotification"))["connectorId"] == 0
        await trio.sleep(5)
        assert sent_since(full, start) == ["conf", "StatusNotification"]


async def test_a_connector_is_ignored_where_it_means_nothing(full, autojump_clock):
    """5.17."""
    async with full.powered():
        assert await trigger(full, MessageTrigger.HEARTBEAT, 99) == "Accepted"
        await full.until("Heartbeat")


async def test_boot_notification_is_rejected_once_accepted(full, autojump_clock):
    """Decision TM2."""
    async with full.powered():
        assert await trigger(full, MessageTrigger.BOOT_NOTIFICATION) == "Rejected"
        await trio.sleep(60)
    assert len(full.calls("BootNotification")) == 1


async def test_boot_notification_while_pending_comes_at_once(full, autojump_clock):
    """4.2.1: the retry is brought forward, and accepted; the interval is not waited for."""
    pending(full, interval=3600)
    async with full.powered(until_accepted=False):
        await full.until("BootNotification")
        await trio.sleep(1)
        assert await trigger(full, MessageTrigger.BOOT_NOTIFICATION) == "Accepted"
        await full.until("BootNotification")
        await full.until("StatusNotification")
        assert full.now() - EPOCH < timedelta(minutes=1)
        await trio.sleep(2 * 3600)
    assert len(full.calls("BootNotification")) == 2, "the timer of the retry is gone"


async def test_the_present_status_is_told_however_short_it_lasted(full, autojump_clock):
    """5.17; and MinimumStatusDuration does not tell it a second time."""
    async with full.powered():
        await full.csms.call(ChangeConfiguration(key="MinimumStatusDuration", value="30"))
        full.connector(1).plug_in()
        await trio.sleep(5)
        assert full.statuses(1) == ["Available"]
        await trigger(full, MessageTrigger.STATUS_NOTIFICATION, 1)
        await full.until_status("Preparing")
        await trio.sleep(40)

    assert full.statuses(1) == ["Available", "Preparing"]


async def test_a_status_that_was_told_while_pending_is_told_again_once_accepted(full, autojump_clock):
    """4.2: every status after registration."""
    pending(full, interval=100)
    async with full.powered(until_accepted=False):
        await full.until("BootNotification")
        await trio.sleep(1)
        await trigger(full, MessageTrigger.STATUS_NOTIFICATION, 1)
        await full.until_status("Available")
        await trio.sleep(200)

    assert [full.statuses(number) for number in (0, 1, 2)] == [
        ["Available"],
        ["Available"] * 2,
        ["Available"],
    ]


async def test_triggered_values_are_a_fresh_reading_with_every_sampled_measurand(full, autojump_clock):
    """5.17, facts 5.7: context Trigger, no transactionId without a transaction, the time of the reading."""
    async with full.powered():
        await trio.sleep(100)
        await trigger(full, MessageTrigger.METER_VALUES, 2)
        asked = full.now()
        report = await full.until("MeterValues")

    (value,) = report["meterValue"]
    assert report["connectorId"] == 2
    assert "transactionId" not in report
    assert {one["context"] for one in value["sampledValue"]} == {"Trigger"}
    assert {one["measurand"] for one in value["sampledValue"]} == {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
    }
    assert abs((datetime.fromisoformat(value["timestamp"]) - asked).total_seconds()) < 1


async def test_triggered_values_in_a_transaction_carry_its_id(full, autojump_clock):
    async with full.powered():
        transaction_id = await full.charge()
        await trigger(full, MessageTrigger.METER_VALUES, 1)
        report = await full.until("MeterValues")
    assert report["transactionId"] == transaction_id


async def test_triggered_values_are_not_queued(full, autojump_clock):
    """Facts 5.9: they are no transaction message, so they are lost with the connection, and overtake the queue."""
    full.csms.override("StartTransaction", lambda _: None)
    async with full.powered():
        full.connector().plug_in()
        full.swipe()
        await full.until("StartTransaction")
        await trio.sleep(35)
        await trigger(full, MessageTrigger.METER_VALUES, 1)
        report = await full.until("MeterValues")
        assert "transactionId" not in report, "not known yet"
        full.csms.override("MeterValues", lambda _: None)
        full.csms.override("StartTransaction", _start)
        await trigger(full, MessageTrigger.METER_VALUES, 2)
        await full.until("MeterValues", connectorId=2)
        await full.csms.disconnect()
        full.csms.override("MeterValues", None)
        await full.until("StartTransaction")
        await trio.sleep(300)

    assert [report["connectorId"] for report in full.calls("MeterValues")].count(2) == 1


def _start(_):
    return StartTransactionConf(transaction_id=5, id_tag_info=IdTagInfo(status=AuthorizationStatus.ACCEPTED))


async def test_a_silent_meter_is_asked_in_vain(full, autojump_clock):
    """Accepted, and nothing follows but the next trigger is served again."""
    async with full.powered():
        full.connector(2).meter_silence(True)
        assert await trigger(full, MessageTrigger.METER_VALUES, 2) == "Accepted"
        await trio.sleep(20)
        assert full.calls("MeterValues") == []
        full.connector(2).meter_silence(False)
        await trigger(full, MessageTrigger.METER_VALUES, 2)
        await full.until("MeterValues")


@pytest.mark.parametrize("asked", ["Authorize", "", "x" * 50])
async def test_a_message_that_nobody_knows_is_not_implemented(full, autojump_clock, asked):
    """Decision TM1: no CALLERROR."""
    async with full.powered():
        assert await _raw_trigger(full, {"requestedMessage": asked}) == {"status": "NotImplemented"}


@pytest.mark.parametrize(
    "payload",
    [
        {"requestedMessage": "Rumour", "connectorId": "one"},
        {"requestedMessage": "Rumour", "colour": "red"},
        {"requestedMessage": 7},
        {"requestedMessage": "x" * 51},
        {},
    ],
    ids=str,
)
async def test_a_trigger_that_is_wrong_otherwise_is_a_call_error(full, autojump_clock, payload):
    async with full.powered():
        assert "code" in await _raw_trigger(full, payload)


async def _raw_trigger(lab, payload):
    """Send TriggerMessage with any payload; return the payload of what is answered."""
    (station,) = lab.csms._stations.values()
    start = len(lab.csms.transcript)
    await station.socket.send_message(json.dumps([2, "raw", "TriggerMessage", payload]))
    entry = await lab.csms.wait_for(lambda e: e.call_id == "raw" and e.direction == "received", start=start)
    return entry.payload
