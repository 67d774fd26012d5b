"""Boot, registration, clock and connection: facts section 4, in virtual time."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import trio

from machines.vocabulary.ocpp import (
    BootNotificationConf,
    ChangeConfiguration,
    GetConfiguration,
    MessageTrigger,
    RegistrationStatus,
    RemoteStartTransaction,
    RemoteStopTransaction,
    Reset,
    ResetType,
    TriggerMessage,
)
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import EPOCH, Lab


@pytest.fixture
async def full(tmp_path):
    """Every message and key."""
    return Lab(tmp_path, "full")


def boots(lab):
    """Seconds since the epoch of each BootNotification."""
    return [
        (entry.time - EPOCH).total_seconds()
        for entry in lab.csms.transcript
        if entry.action == "BootNotification" and entry.kind == 2
    ]


def answering(lab, *statuses, interval=100):
    """Answer BootNotification with these, and then Accepted."""
    left = list(statuses)

    def answer(_):
        status = left.pop(0) if left else RegistrationStatus.ACCEPTED
        return BootNotificationConf(status=status, current_time=lab.now(), interval=interval)

    lab.csms.override("BootNotification", answer)


async def test_the_first_message_is_boot_notification_with_the_declared_identity(lab, autojump_clock):
    """4.2; then every status, connector 0 included."""
    async with lab.powered():
        pass
    first, *rest = [e for e in lab.csms.transcript if e.direction == "received" and e.kind == 2]

    assert first.payload == {
        "chargePointVendor": "Weidmueller",
        "chargePointModel": "AC SMART ADVANCED",
        "chargePointSerialNumber": "WM-0000001",
        "firmwareVersion": "0.1.0",
        "meterType": "MID",
        "meterSerialNumber": "0000001",
    }
    assert [(e.payload["connectorId"], e.payload["status"]) for e in rest] == [
        (0, "Available"),
        (1, "Available"),
    ]


@pytest.mark.parametrize("status", [RegistrationStatus.PENDING, RegistrationStatus.REJECTED])
async def test_not_accepted_waits_for_the_interval(lab, autojump_clock, status):
    """TC_001, TC_002: nothing but BootNotification, and that no sooner than told."""
    answering(lab, status, status)
    async with lab.powered(until_accepted=False):
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(199)
        sent = [e for e in lab.csms.transcript if e.direction == "received" and e.kind == 2]
        assert {e.action for e in sent} == {"BootNotification"}
        await lab.until("StatusNotification")

    assert [round(b - a) for a, b in zip(boots(lab), boots(lab)[1:], strict=False)] == [100, 100]


async def test_the_interval_holds_over_a_reconnect(lab, autojump_clock):
    """4.2: a Central System that closes the connection meanwhile hears no BootNotification early."""
    answering(lab, RegistrationStatus.REJECTED, interval=600)
    async with lab.powered(until_accepted=False):
        await lab.until("BootNotification")
        await trio.sleep(1)
        await lab.csms.disconnect()
        await trio.sleep(500)
        assert len(boots(lab)) == 1
        await lab.until("BootNotification")

    assert boots(lab)[1] - boots(lab)[0] == pytest.approx(600, abs=2)


async def test_interval_0_while_not_accepted_does_not_flood(lab, autojump_clock):
    """4.2: the station chooses its own wait (``boot_retry_s``)."""
    answering(lab, RegistrationStatus.PENDING, interval=0)
    async with lab.powered(until_accepted=False):
        await lab.until("BootNotification")
        await lab.until("BootNotification")

    assert boots(lab)[1] - boots(lab)[0] >= lab.station.settings.limits.boot_retry_s


@pytest.mark.parametrize("failure", [None, CallError(ErrorCode.INTERNAL_ERROR)], ids=["silence", "CALLERROR"])
async def test_boot_notification_without_a_result_is_repeated(lab, autojump_clock, failure):
    """Decision BN1."""
    lab.csms.override("BootNotification", lambda _: failure)
    async with lab.powered(until_accepted=False):
        await lab.until("BootNotification")
        await trio.sleep(5)
        lab.csms.override("BootNotification", None)
        await lab.until("BootNotification")
        await lab.until("StatusNotification")


GATE = [
    # request, what is answered while Pending
    (GetConfiguration(), "GetConfigurationConf"),
    (ChangeConfiguration(key="HeartbeatInterval", value="60"), "Accepted"),
    (RemoteStartTransaction(connector_id=1, id_tag="X"), "Rejected"),
    (RemoteStopTransaction(transaction_id=1), "Rejected"),
]


@pytest.mark.parametrize(("request_", "answer"), GATE, ids=lambda v: type(v).__name__)
async def test_requests_while_pending(lab, autojump_clock, request_, answer):
    """4.2.1: configuration is served, remote start and stop are not."""
    answering(lab, RegistrationStatus.PENDING)
    async with lab.powered(until_accepted=False):
        await lab.until("BootNotification")
        await trio.sleep(1)
        conf = await lab.csms.call(request_)

    assert getattr(conf, "status", type(conf).__name__) == answer


@pytest.mark.parametrize(("request_", "_answer"), GATE, ids=lambda v: type(v).__name__)
async def test_requests_while_rejected_get_no_answer(lab, autojump_clock, request_, _answer):
    """4.2: a rejected charge point shall not answer; once accepted it does."""
    answering(lab, RegistrationStatus.REJECTED, interval=300)
    async with lab.powered(until_accepted=False):
        await lab.until("BootNotification")
        await trio.sleep(1)
        with pytest.raises(trio.TooSlowError):
            await lab.csms.call(request_)
        answers = [e for e in lab.csms.transcript if e.direction == "received" and e.kind != 2]
        assert not answers
        await lab.until("StatusNotification")
        assert await lab.csms.call(GetConfiguration(key=("HeartbeatInterval",)))


@pytest.mark.parametrize("is_triggered", [False, True], ids=["interval over", "triggered"])
async def test_requests_while_it_asks_again_are_served(full, autojump_clock, is_triggered):
    """4.2.1, decision BN3: Pending is Pending until something else is said.

    There used to be a station that left unanswered what crossed its next BootNotification on the way.
    """
    statuses = [RegistrationStatus.PENDING, RegistrationStatus.ACCEPTED]

    async def slow(_):
        if len(statuses) == 1:
            await trio.sleep(10)
        return BootNotificationConf(status=statuses.pop(0), current_time=full.now(), interval=60)

    full.csms.override("BootNotification", slow)
    boot = TriggerMessage(requested_message=MessageTrigger.BOOT_NOTIFICATION)
    async with full.powered(until_accepted=False):
        await full.until("BootNotification")
        await trio.sleep(1)
        if is_triggered:
            assert (await full.csms.call(boot)).status == "Accepted"
        await full.until("BootNotification")
        change = ChangeConfiguration(key="ConnectionTimeOut", value="77")
        assert (await full.csms.call(change)).status == "Accepted"
        assert (await full.csms.call(boot)).status == "Accepted"
        assert (await full.csms.call(RemoteStartTransaction(id_tag="X"))).status == "Rejected"
        await full.until("StatusNotification")
        await trio.sleep(60)

    assert len(boots(full)) == 2


async def test_a_reconnect_sends_no_boot_notification(lab, autojump_clock):
    """J 5.3; and no status that the Central System knows already."""
    async with lab.powered():
        await lab.csms.disconnect()
        await trio.sleep(60)
        lab.connector().plug_in()
        await lab.until_status("Preparing")

    assert len(boots(lab)) == 1
    assert lab.statuses() == ["Available", "Preparing"]


async def test_a_status_that_changed_offline_is_told_on_reconnect(lab, autojump_clock):
    """Facts 3.3: the present status, no history."""
    async with lab.powered():
        lab.cut_link()
        await trio.sleep(1)
        lab.connector().plug_in()
        await trio.sleep(200)
        lab.restore_link()
        await lab.until_status("Finishing")

    assert lab.statuses() == ["Available", "Finishing"]


async def test_dialling_never_ends_and_backs_off(lab, autojump_clock):
    """J 5.4: waits double from the first to the last declared one, lengthened by the declared jitter at most."""
    attempts = []
    async with lab.powered():
        lab.is_linked = False
        lab.running._link._open_stream = _recording(attempts, lab.running._link._open_stream)
        await lab.csms.disconnect()
        await trio.sleep(24 * 3600)
        waits = [b - a for a, b in itertools.pairwise(attempts)]
        lab.is_linked = True
        await trio.sleep(200)
        assert lab.states()["connection"] == "online"
    for wait, base in zip(waits, [10, 20, 40, 80, *[120] * len(waits)], strict=False):
        assert base <= wait <= base * 1.3
    assert len({round(wait, 3) for wait in waits[10:20]}) > 5, "jitter"


def _recording(attempts, opener):
    async def open_stream(url):
        attempts.append(trio.current_time())
        return await opener(url)

    return open_stream


async def test_heartbeats_keep_their_interval(lab, autojump_clock):
    """TC_001: one every interval of BootNotification.conf."""
    answering(lab, interval=50)
    async with lab.powered():
        await trio.sleep(500)
    beats = [e.time for e in lab.csms.transcript if e.action == "Heartbeat" and e.kind == 2]

    assert {round((b - a).total_seconds()) for a, b in itertools.pairwise(beats)} == {50}
    assert len(beats) == 10


async def test_a_new_heartbeat_interval_counts_at_once(lab, autojump_clock):
    """9.1 HeartbeatInterval."""
    async with lab.powered():
        await lab.csms.call(ChangeConfiguration(key="heartbeatinterval", value="7"))
        begun = trio.current_time()
        await lab.until("Heartbeat")
        assert trio.current_time() - begun == pytest.approx(7, abs=0.5)


async def test_the_clock_follows_the_central_system(lab, autojump_clock):
    """4.2, 4.6: the system clock says 1970, time stamps are those of the Central System, corrected by Heartbeat."""
    answering(lab, interval=100)
    async with lab.powered():
        lab.csms.now = lambda: lab.now() + timedelta(hours=1)
        await lab.until("Heartbeat")
        await trio.sleep(1)
        lab.connector().plug_in()
        report = await lab.until_status("Preparing")

    assert lab.statuses()[0] == "Available"
    told = (EPOCH + timedelta(hours=1)).isoformat()[:14]
    assert report["timestamp"].startswith(told.replace("+00:00", ""))


@pytest.mark.parametrize(
    "told", [datetime.min, datetime.max], ids=["the first there is", "the last there is"]
)
async def test_a_central_system_without_a_clock_stops_no_station(lab, autojump_clock, told):
    """4.2 currentTime is any date: what happened before it was told has one too, and what happens later."""
    lab.csms.now = lambda: told.replace(tzinfo=UTC)
    lab.give_away("FREE")
    lab.connector().plug_in()
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(100)
        lab.restore_link()
        start = await lab.until("StartTransaction")
        await trio.sleep(100)
        lab.connector().unplug()
        stop = await lab.until("StopTransaction")
    assert datetime.fromisoformat(start["timestamp"]) < datetime.fromisoformat(stop["timestamp"])


@pytest.mark.parametrize("told", [datetime.max, datetime.min])
async def test_a_time_at_an_end_of_the_calendar_ends_nothing(lab, autojump_clock, told):
    """4.2: from a Central System that does not know the time. Put right by a Heartbeat it is over, for restarts too."""
    wrong = told.replace(tzinfo=UTC)
    conf = BootNotificationConf(status=RegistrationStatus.ACCEPTED, current_time=wrong, interval=100)
    lab.csms.override("BootNotification", lambda _: conf)
    lab.declare(allow_offline_tx_for_unknown_id=True)
    async with lab.powered():
        await lab.charge()
        await lab.until("Heartbeat")
        await trio.sleep(1)
        lab.swipe()
        stop = await lab.until("StopTransaction")
        await trio.sleep(1)
        lab.connector().unplug()
        await lab.until_status("Available")
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(10)
        lab.connector().plug_in()
        lab.swipe("STRANGER")
        await trio.sleep(600)
    lab.csms.override("BootNotification", None)
    lab.is_linked = True
    async with lab.powered():
        start = await lab.until("StartTransaction")

    assert stop["timestamp"].startswith("2026-01-01T00:01")
    assert start["timestamp"].startswith("2026-01-01T00:0")


@pytest.mark.parametrize("kind", ResetType)
async def test_reset_ends_the_transaction_and_boots_anew(lab, autojump_clock, kind):
    """5.14: StopTransaction with the reason of the reset, answered and delivered before the restart."""
    async with lab.powered() as running:
        await lab.charge()
        answer = await lab.csms.call(Reset(type=kind))
        assert answer.status == "Accepted"
        stop = await lab.until("StopTransaction")
        await running.wait_ended()
    assert stop["reason"] == f"{kind.value}Reset"
    async with lab.powered():
        await trio.sleep(70)

    assert lab.statuses()[-2:] == ["Preparing", "Finishing"]
    assert len(lab.csms.ledger) == 1
