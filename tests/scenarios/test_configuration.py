"""The configuration keys over the wire: what is refused, and what every key that may be changed changes at run time."""

import itertools
import logging
from base64 import b64encode
from pathlib import Path

import pytest
import trio

from engine.station_file import load
from machines.vocabulary.ocpp import (
    ChangeConfiguration,
    GetConfiguration,
    MessageTrigger,
    RemoteStartTransaction,
    TriggerMessage,
)
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import Lab


@pytest.fixture
async def full(tmp_path):
    """The station that declares every key."""
    return Lab(tmp_path, "full")


def station_file(directory, keys):
    """The path of a station file like ``full`` with other declarations of ``keys``."""
    file = directory / "station.toml"
    file.write_text(f'extends = "full"\n[keys]\n{keys}\n')
    return str(file)


async def change(lab, key, value):
    """ChangeConfiguration; return its status."""
    return (await lab.csms.call(ChangeConfiguration(key=key, value=value))).status


async def show(lab, *names):
    """GetConfiguration; return the values by name, as spelt in the answer, and the unknown names."""
    conf = await lab.csms.call(GetConfiguration(key=names))
    return {one.key: one.value for one in conf.configuration_key or ()}, conf.unknown_key or ()


# What each key changes. Every function is told after its key was changed, and fails if it is without effect.


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
    shown, _ = await show(lab, "ConnectorPhaseRotation")
    assert shown == {"ConnectorPhaseRotation": "0.RST,1.STR"}


EFFECTS = {
    "HeartbeatInterval": ("7", heartbeat_interval),
    "ConnectionTimeOut": ("7", connection_time_out),
    "MinimumStatusDuration": ("7", minimum_status_duration),
    "TransactionMessageAttempts": ("7", transaction_message_attempts),
    "TransactionMessageRetryInterval": ("7", transaction_message_retry_interval),
    "MessageTimeout": ("7", message_timeout),
    "WebSocketPingInterval": ("7", web_socket_ping_interval),
    "AuthorizeRemoteTxRequests": ("true", authorize_remote_tx_requests),
    "AllowOfflineTxForUnknownId": ("true", allow_offline_tx_for_unknown_id),
    "LightIntensity": ("7", light_intensity),
    "BlinkRepeat": ("7", blink_repeat),
    "ConnectorPhaseRotation": (" 0.RST, 1.STR ", connector_phase_rotation),
}

ELSEWHERE = {
    "AuthorizationCacheEnabled",
    "AuthorizationKey",
    "ClockAlignedDataInterval",
    "ConnectorMaximumCurrent",
    "LocalAuthListEnabled",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MaxEnergyOnInvalidId",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "UnlockConnectorOnEVSideDisconnect",
}
"""Keys whose effect is shown where the behaviour they belong to is tested, or further below."""


class Charging(Lab):
    """A lab that counts pings, and can charge while StartTransaction fails."""

    pings: list[float]

    async def charge_unsettled(self):
        self.connector().plug_in()
        self.swipe()
        await self.until_status("Charging")


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


@pytest.mark.parametrize("key", EFFECTS)
async def test_a_change_counts_at_once(tmp_path, autojump_clock, key):
    """5.3 Accepted: set, and in force."""
    lab = Charging(tmp_path, "full")
    value, effect = EFFECTS[key]
    async with lab.powered():
        await _watch_pings(lab)
        assert await change(lab, key, value) == "Accepted"
        with trio.fail_after(24 * 3600):
            await effect(lab)


async def _watch_pings(lab):
    """Note pings from the next connection on, and make one."""
    lab.pings = []
    link = lab.running._link
    open_stream = link._open_stream

    async def open_watched(url):
        return Watched(await open_stream(url), lab.pings)

    link._open_stream = open_watched
    await lab.csms.disconnect()
    await trio.sleep(20)


def test_every_key_that_may_be_changed_has_a_test():
    writable = {rule.name for rule in load("full").keys.rules if rule.is_writable}
    assert writable == {*EFFECTS, *ELSEWHERE}
    assert not set(EFFECTS) & ELSEWHERE


@pytest.mark.parametrize("key", sorted(ELSEWHERE))
def test_a_key_of_another_part_is_changed_in_its_tests(key):
    """A test changes it at run time."""
    tests = Path(__file__).parent.parent
    texts = [
        file.read_text().replace(f"    {name!r},\n", "")
        for folder in ("scenarios", "conformance")
        for file in (tests / folder).glob("test_*.py")
        for name in [key]
    ]
    own = Path(__file__).read_text()
    listed = 1 if f'    "{key}",\n' in own else 0
    mentions = sum(text.count(f'"{key}"') for text in texts) - listed
    assert mentions > 0, f"no scenario changes {key}"


# What is refused


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        # unknown
        ("Testing", "true", "NotSupported"),
        ("", "true", "NotSupported"),
        # read-only
        ("NumberOfConnectors", "2", "Rejected"),
        ("SupportedFeatureProfiles", "Core", "Rejected"),
        ("MeterValuesSampledDataMaxLength", "5", "Rejected"),
        # range
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("HeartbeatInterval", "0", "Rejected"),
        ("LightIntensity", "101", "Rejected"),
        ("LightIntensity", "100", "Accepted"),
        ("WebSocketPingInterval", "-1", "Rejected"),
        ("ConnectorMaximumCurrent", "33", "Rejected"),
        # type
        ("HeartbeatInterval", "soon", "Rejected"),
        ("HeartbeatInterval", "", "Rejected"),
        ("HeartbeatInterval", "60.0", "Rejected"),
        ("HeartbeatInterval", " 60", "Rejected"),
        ("LocalPreAuthorize", "1", "Rejected"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        # lists
        ("MeterValuesSampledData", "Voltage,Gossip", "Rejected"),
        ("MeterValuesSampledData", "Voltage,Voltage", "Rejected"),
        ("MeterValuesSampledData", "Voltage,", "Rejected"),
        ("MeterValuesSampledData", "RPM", "Rejected"),
        ("MeterValuesSampledData", "", "Accepted"),
        ("MeterValuesSampledData", " Voltage , Voltage.L1-N ", "Accepted"),
        ("ConnectorPhaseRotation", "3.RST", "Rejected"),
        ("ConnectorPhaseRotation", "1.RRR", "Rejected"),
        ("ConnectorPhaseRotation", "0.RST,1.RST,2.RST,0.RTS", "Rejected"),
        # the password: 16 to 20 bytes in hexadecimal digits
        ("AuthorizationKey", "00" * 15, "Rejected"),
        ("AuthorizationKey", "00" * 21, "Rejected"),
        ("AuthorizationKey", "0" * 33, "Rejected"),
        ("AuthorizationKey", "zz" * 16, "Rejected"),
        ("AuthorizationKey", "", "Rejected"),
    ],
)
async def test_what_may_be_changed_and_what_not(full, autojump_clock, key, value, status):
    """5.3, TC_040; what is refused changes nothing."""
    async with full.powered():
        before = (await full.csms.call(GetConfiguration())).configuration_key
        assert await change(full, key, value) == status
        after = (await full.csms.call(GetConfiguration())).configuration_key
        assert (before == after) or status == "Accepted"


async def test_names_are_read_in_any_case_and_told_as_declared(full, autojump_clock):
    """CiString."""
    async with full.powered():
        assert await change(full, "metervaluesampleINTERVAL", "17") == "Accepted"
        assert await show(full, "METERVALUESAMPLEINTERVAL") == ({"MeterValueSampleInterval": "17"}, ())


@pytest.mark.parametrize(
    "key",
    ["MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData"],
)
async def test_a_list_takes_no_more_items_than_its_max_length(tmp_path, autojump_clock, key):
    """9.1 ...MaxLength."""
    declared = f'{key}MaxLength = {{ default = 2 }}\n{key} = {{ items = "measured", default = ["Voltage"] }}'
    lab = Lab(tmp_path, station_file(tmp_path, declared))
    async with lab.powered():
        assert await change(lab, key, "Voltage,Frequency,SoC") == "Rejected"
        assert await change(lab, key, "Voltage,Frequency") == "Accepted"
        assert await show(lab, key, f"{key}MaxLength") == (
            {key: "Voltage,Frequency", f"{key}MaxLength": "2"},
            (),
        )


async def test_more_keys_than_the_maximum_are_answered_all_the_same(tmp_path, autojump_clock):
    """Decision K2: GetConfigurationMaxKeys."""
    lab = Lab(tmp_path, station_file(tmp_path, "GetConfigurationMaxKeys = { default = 2 }"))
    async with lab.powered():
        shown, unknown = await show(
            lab, "HeartbeatInterval", "ConnectionTimeOut", "NumberOfConnectors", "Nonsense"
        )
    assert list(shown) == ["HeartbeatInterval", "ConnectionTimeOut", "NumberOfConnectors"]
    assert unknown == ("Nonsense",)


async def test_a_change_outlives_a_power_cut(full, autojump_clock):
    """5.3; and counts from the start."""
    async with full.powered():
        await change(full, "LightIntensity", "42")
    async with full.powered():
        assert await show(full, "LightIntensity") == ({"LightIntensity": "42"}, ())
        assert full.connector().state().brightness_percent == 42


async def test_a_key_that_needs_a_restart_counts_after_it(tmp_path, autojump_clock):
    """5.3 RebootRequired: kept, and not in force before."""
    lab = Lab(tmp_path, station_file(tmp_path, "LightIntensity = { reboot = true }"))
    async with lab.powered():
        assert await change(lab, "LightIntensity", "42") == "RebootRequired"
        await trio.sleep(60)
        assert lab.connector().state().brightness_percent == 100
    async with lab.powered():
        assert lab.connector().state().brightness_percent == 42


# AuthorizationKey

NEW_KEY = "00112233445566778899AABBCCDDEEFF001122"


def headers_of(lab):
    """Note the Authorization header of every connection from now on."""
    headers = []

    def admit(_identity, authorization):
        headers.append(authorization)
        return True

    lab.csms._admit = admit
    return headers


def basic(identity, key):
    return b"Basic " + b64encode(identity.encode() + b":" + bytes.fromhex(key))


async def test_a_new_password_is_used_at_once_and_kept(full, autojump_clock):
    """TC_073, facts 1.2: Accepted, then a new connection with it; no BootNotification. So too after a power cut."""
    headers = headers_of(full)
    async with full.powered():
        assert await change(full, "AuthorizationKey", NEW_KEY) == "Accepted"
        await trio.sleep(1)
        assert full.states()["connection"] == "online"
        assert headers == [None, basic("FULL-1", NEW_KEY)]
        await full.charge()
    async with full.powered():
        pass
    assert headers[2:] == [basic("FULL-1", NEW_KEY)]
    assert len(full.calls("BootNotification")) == 2


async def test_a_refused_password_leaves_the_old_one_and_the_connection(full, autojump_clock):
    headers = headers_of(full)
    async with full.powered():
        await change(full, "AuthorizationKey", "short")
        await trio.sleep(60)
    assert headers == [None]


async def test_queued_messages_outlive_a_new_password(full, autojump_clock):
    """Facts 1.2: nothing of a transaction is lost, nothing told twice that was answered."""
    full.csms.override("StartTransaction", lambda _: None)
    async with full.powered():
        full.connector().plug_in()
        full.swipe()
        await full.until("StartTransaction")
        full.csms.override("StartTransaction", None)
        assert await change(full, "AuthorizationKey", NEW_KEY) == "Accepted"
        await trio.sleep(60)
        full.swipe()
        await full.until("StopTransaction")

    (transaction,) = full.csms.ledger.values()
    assert transaction.repeats == 0
    assert transaction.stopped is not None


async def test_the_password_is_shown_to_nobody(full, autojump_clock, caplog):
    """Neither over OCPP, nor to people, nor in the log with every frame in it."""
    caplog.set_level(logging.DEBUG)
    async with full.powered() as running:
        running._log._frames = True
        await change(full, "authorizationkey", NEW_KEY)
        await trio.sleep(1)
        everything = await full.csms.call(GetConfiguration())
        _, unknown = await show(full, "AuthorizationKey")
        seen = (
            repr(everything)
            + repr(running.view())
            + repr(running.charge_point.machines["configuration"].data.keys)
        )
    logged = "".join(str(vars(record)) for record in caplog.records)

    assert unknown == ("AuthorizationKey",)
    assert "ChangeConfiguration" in logged
    assert NEW_KEY.lower() not in (seen + logged).lower()
