"""What every configuration key that may be changed changes at run time: ChangeConfiguration, then its effect.

Each effect is looked for a second time without the change, and must be missing then.
"""

import itertools
from base64 import b64encode

import pytest
import trio

from engine.station_file import load
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    ChangeConfiguration,
    GetConfiguration,
    GetLocalListVersion,
    IdTagInfo,
    MessageTrigger,
    RemoteStartTransaction,
    Reset,
    ResetType,
    StartTransactionConf,
    TriggerMessage,
)
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import Lab

REGISTER = "Energy.Active.Import.Register"
NEW_KEY = "00112233445566778899AABBCCDDEEFF001122"


async def change(lab, key, value):
    """ChangeConfiguration; it must be Accepted."""
    assert (await lab.csms.call(ChangeConfiguration(key=key, value=value))).status == "Accepted"


class Noting(Lab):
    """A lab that notes every ping of the station and the Authorization header of every connection."""

    def __init__(self, directory):
        super().__init__(directory, "full")
        self.pings = []
        self.headers = []

    async def watch(self):
        """Note from the next connection on, and make one."""

        def admit(_identity, authorization):
            self.headers.append(authorization)
            return True

        self.csms._admit = admit
        link = self.running._link
        open_stream = link._open_stream

        async def open_watched(url):
            return Watched(await open_stream(url), self.pings)

        link._open_stream = open_watched
        await self.csms.disconnect()
        await trio.sleep(20)

    async def charge_unsettled(self):
        """Charge, whatever becomes of StartTransaction."""
        self.connector().plug_in()
        self.swipe()
        await self.until_status("Charging")

    async def end(self):
        """End the session with its card, and take the cable out."""
        self.swipe()
        await trio.sleep(5)
        self.connector().unplug()
        await self.until_status("Available")
        return self.calls("StopTransaction")[-1]


class Watched(trio.abc.Stream):
    """A stream that notes when pings go out."""

    def __init__(self, stream, pings):
        self._stream, self._pings = stream, pings

    async def send_all(self, data):
        if data[0] == 0x89:  # RFC 6455, 5.2: final frame, opcode ping
            self._pings.append(trio.current_time())
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self):
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes=None):
        return await self._stream.receive_some(max_bytes)

    async def aclose(self):
        await self._stream.aclose()


# What each key changes. Every function is called after its key was changed, and fails if that is without effect.


async def heartbeat_interval(lab):
    begun = trio.current_time()
    await lab.until("Heartbeat")
    await lab.until("Heartbeat")
    assert trio.current_time() - begun == pytest.approx(2 * 7, abs=0.5)


async def connection_time_out(lab):
    lab.swipe()
    await lab.until_status("Preparing")
    begun = trio.current_time()
    await lab.until_status("Available")
    assert trio.current_time() - begun == pytest.approx(7, abs=0.5)


async def minimum_status_duration(lab):
    begun = trio.current_time()
    lab.connector().plug_in()
    await lab.until_status("Preparing")
    assert trio.current_time() - begun == pytest.approx(7, abs=0.5)


async def transaction_message_attempts(lab):
    lab.csms.override("StartTransaction", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    await lab.charge_unsettled()
    await trio.sleep(3600)
    assert len(lab.calls("StartTransaction")) == 7


async def transaction_message_retry_interval(lab):
    lab.csms.override("StartTransaction", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    await lab.charge_unsettled()
    await trio.sleep(60)
    sent = [e.time for e in lab.csms.transcript if (e.kind, e.action) == (2, "StartTransaction")]
    assert [(b - a).total_seconds() for a, b in itertools.pairwise(sent)] == pytest.approx([7, 14], abs=0.5)


async def message_timeout(lab):
    """One CALL at a time: the one after an unanswered one goes out when that has timed out."""
    lab.csms.override("Heartbeat", lambda _: None)
    for message in (MessageTrigger.HEARTBEAT, MessageTrigger.STATUS_NOTIFICATION):
        await lab.csms.call(TriggerMessage(requested_message=message, connector_id=1))
    begun, start = trio.current_time(), len(lab.csms.transcript)
    await lab.csms.wait_for_request("StatusNotification", start=start)
    assert trio.current_time() - begun == pytest.approx(7, abs=0.5)


async def web_socket_ping_interval(lab):
    await trio.sleep(1)
    pings = lab.pings[:]
    await trio.sleep(7 * 5)
    gaps = [b - a for a, b in itertools.pairwise(lab.pings[len(pings) :])]
    assert gaps == pytest.approx([7] * len(gaps), abs=0.1)
    assert len(gaps) >= 3


async def authorize_remote_tx_requests(lab):
    await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="REMOTE"))
    assert (await lab.until("Authorize"))["idTag"] == "REMOTE"


async def allow_offline_tx_for_unknown_id(lab):
    lab.cut_link()
    await trio.sleep(1)
    lab.connector().plug_in()
    lab.swipe("STRANGER")
    await trio.sleep(30)
    assert lab.connector().state().contactor


async def light_intensity(lab):
    await trio.sleep(1)
    assert [lab.connector(number).state().brightness_percent for number in (1, 2)] == [7, 7]


async def blink_repeat(lab):
    await trio.sleep(1)
    assert [lab.connector(number).state().blink_repeat for number in (1, 2)] == [7, 7]


async def connector_phase_rotation(lab):
    """Told, and nothing else: no rule depends on it."""
    conf = await lab.csms.call(GetConfiguration(key=("ConnectorPhaseRotation",)))
    assert [one.value for one in conf.configuration_key] == ["0.RST,1.STR"]


async def authorization_key(lab):
    """Facts 1.2: a new connection with it, at once."""
    await trio.sleep(30)
    assert lab.headers[-1] == b"Basic " + b64encode(b"FULL-1:" + bytes.fromhex(NEW_KEY))


# Who may charge


async def authorization_cache_enabled(lab):
    """Nothing is remembered: the card is asked for again, though LocalPreAuthorize would start it."""
    await change(lab, "LocalPreAuthorize", "true")
    await lab.charge()
    await lab.end()
    await lab.charge()
    assert len(lab.calls("Authorize")) == 2


async def local_pre_authorize(lab):
    await lab.charge()
    await lab.end()
    await lab.charge()
    assert len(lab.calls("Authorize")) == 1


async def local_authorize_offline(lab):
    """The cache knows the card, and that no longer helps."""
    await lab.charge()
    await lab.end()
    lab.cut_link()
    await trio.sleep(1)
    lab.connector().plug_in()
    lab.swipe()
    await trio.sleep(60)
    assert not lab.connector().state().contactor


async def local_auth_list_enabled(lab):
    assert (await lab.csms.call(GetLocalListVersion())).list_version == -1


def refuse_start(lab):
    """Let the Central System not accept any StartTransaction."""
    info = IdTagInfo(status=AuthorizationStatus.BLOCKED)
    lab.csms.override("StartTransaction", lambda _: StartTransactionConf(transaction_id=5, id_tag_info=info))


async def stop_transaction_on_invalid_id(lab):
    refuse_start(lab)
    lab.connector().plug_in()
    lab.swipe()
    await lab.until("StartTransaction")
    await trio.sleep(60)
    assert lab.statuses()[-1] == "SuspendedEVSE"
    assert not lab.calls("StopTransaction")


async def max_energy_on_invalid_id(lab):
    refuse_start(lab)
    lab.connector().plug_in()
    lab.swipe()
    stop = await lab.until("StopTransaction")
    assert 500 <= stop["meterStop"] - lab.calls("StartTransaction")[0]["meterStart"] < 530


# The vehicle, and what it is offered


async def stop_transaction_on_ev_side_disconnect(lab):
    await lab.charge()
    lab.connector().unplug("vehicle")
    await trio.sleep(60)
    assert not lab.calls("StopTransaction")


async def unlock_connector_on_ev_side_disconnect(lab):
    await lab.charge()
    lab.connector().unplug("vehicle")
    await trio.sleep(60)
    assert lab.connector().state().locked


async def connector_maximum_current(lab):
    await lab.charge()
    assert lab.connector().state().offered_a == 10


async def reset_retries(lab):
    """The restart never comes about: as often again as the key says."""
    asked = []
    lab.running._restart_refusal = lambda is_hard: asked.append(is_hard) or "stuck"
    await lab.csms.call(Reset(type=ResetType.SOFT))
    await lab.until("StatusNotification", connectorId=0, errorCode="ResetFailure")
    assert len(asked) == 1 + 4


# Meter values


def sampled(values):
    """The measurands of a list of meter values, and their contexts."""
    every = [one for value in values for one in value["sampledValue"]]
    return {one.get("measurand", REGISTER) for one in every}, {one.get("context") for one in every}


def gaps(lab, context):
    """Seconds between the MeterValues of connector 1 with ``context``."""
    sent = [
        entry.time
        for entry in lab.csms.transcript
        if (entry.kind, entry.action) == (2, "MeterValues")
        and entry.payload["connectorId"] == 1
        and sampled(entry.payload["meterValue"])[1] == {context}
    ]
    return [(b - a).total_seconds() for a, b in itertools.pairwise(sent)]


async def meter_value_sample_interval(lab):
    await lab.charge()
    await trio.sleep(30)
    assert gaps(lab, "Sample.Periodic") == pytest.approx([7] * 3, abs=0.5)


async def clock_aligned_data_interval(lab):
    await trio.sleep(300)
    assert gaps(lab, "Sample.Clock") == pytest.approx([60] * 4, abs=0.5)


async def meter_values_sampled_data(lab):
    await lab.charge()
    values = await lab.until("MeterValues")
    assert sampled(values["meterValue"])[0] == {"Voltage"}


async def meter_values_aligned_data(lab):
    await change(lab, "ClockAlignedDataInterval", "60")
    values = await lab.until("MeterValues")
    assert sampled(values["meterValue"]) == ({"Voltage"}, {"Sample.Clock"})


async def stop_txn_sampled_data(lab):
    await lab.charge()
    await trio.sleep(100)
    stop = await lab.end()
    assert sampled(stop.get("transactionData", ())) == (
        {"Voltage"},
        {"Transaction.Begin", "Sample.Periodic", "Transaction.End"},
    )


async def stop_txn_aligned_data(lab):
    await change(lab, "ClockAlignedDataInterval", "60")
    await lab.charge()
    await trio.sleep(100)
    stop = await lab.end()
    assert sampled(stop.get("transactionData", ())) == (
        {"Voltage"},
        {"Transaction.Begin", "Sample.Clock", "Transaction.End"},
    )


EFFECTS = {
    "AllowOfflineTxForUnknownId": ("true", allow_offline_tx_for_unknown_id),
    "AuthorizationCacheEnabled": ("false", authorization_cache_enabled),
    "AuthorizationKey": (NEW_KEY, authorization_key),
    "AuthorizeRemoteTxRequests": ("true", authorize_remote_tx_requests),
    "BlinkRepeat": ("7", blink_repeat),
    "ClockAlignedDataInterval": ("60", clock_aligned_data_interval),
    "ConnectionTimeOut": ("7", connection_time_out),
    "ConnectorMaximumCurrent": ("10", connector_maximum_current),
    "ConnectorPhaseRotation": (" 0.RST, 1.STR ", connector_phase_rotation),
    "HeartbeatInterval": ("7", heartbeat_interval),
    "LightIntensity": ("7", light_intensity),
    "LocalAuthListEnabled": ("false", local_auth_list_enabled),
    "LocalAuthorizeOffline": ("false", local_authorize_offline),
    "LocalPreAuthorize": ("true", local_pre_authorize),
    "MaxEnergyOnInvalidId": ("500", max_energy_on_invalid_id),
    "MessageTimeout": ("7", message_timeout),
    "MeterValuesAlignedData": ("Voltage", meter_values_aligned_data),
    "MeterValuesSampledData": ("Voltage", meter_values_sampled_data),
    "MeterValueSampleInterval": ("7", meter_value_sample_interval),
    "MinimumStatusDuration": ("7", minimum_status_duration),
    "ResetRetries": ("4", reset_retries),
    "StopTransactionOnEVSideDisconnect": ("false", stop_transaction_on_ev_side_disconnect),
    "StopTransactionOnInvalidId": ("false", stop_transaction_on_invalid_id),
    "StopTxnAlignedData": ("Voltage", stop_txn_aligned_data),
    "StopTxnSampledData": ("Voltage", stop_txn_sampled_data),
    "TransactionMessageAttempts": ("7", transaction_message_attempts),
    "TransactionMessageRetryInterval": ("7", transaction_message_retry_interval),
    "UnlockConnectorOnEVSideDisconnect": ("false", unlock_connector_on_ev_side_disconnect),
    "WebSocketPingInterval": ("7", web_socket_ping_interval),
}
"""Of each key a value that is not its default, and what is different with it."""


def test_every_key_that_may_be_changed_has_its_effect():
    assert {rule.name for rule in load("full").keys.rules if rule.is_writable} == set(EFFECTS)


@pytest.mark.parametrize("key", EFFECTS)
async def test_a_change_counts_at_once(tmp_path, autojump_clock, key):
    """5.3 Accepted: set, and in force."""
    lab = Noting(tmp_path)
    value, effect = EFFECTS[key]
    async with lab.powered():
        await lab.watch()
        await change(lab, key, value)
        with trio.fail_after(24 * 3600):
            await effect(lab)


@pytest.mark.parametrize("key", EFFECTS)
async def test_without_the_change_there_is_no_such_effect(tmp_path, autojump_clock, key):
    """What the test above sees does come from the key."""
    lab = Noting(tmp_path)
    async with lab.powered():
        await lab.watch()
        with pytest.raises((AssertionError, trio.TooSlowError)), trio.fail_after(3600):
            await EFFECTS[key][1](lab)
