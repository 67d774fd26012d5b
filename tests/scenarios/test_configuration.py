"""The configuration keys over the wire: what may be changed and what not, what is shown, and what is kept."""

import logging
from base64 import b64encode

import pytest
import trio

from machines.vocabulary.ocpp import ChangeConfiguration, GetConfiguration
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
        ("TransactionMessageAttempts", "0", "Rejected"),
        ("ConnectionTimeOut", "-1", "Rejected"),
        ("ConnectionTimeOut", "0", "Accepted"),
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


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("LocalPreAuthorize", "TRUE", "true"),
        ("LocalPreAuthorize", "False", "false"),
        ("MeterValuesSampledData", " Voltage , Voltage.L1-N ", "Voltage,Voltage.L1-N"),
    ],
)
async def test_blanks_and_case_are_read_and_not_shown(full, autojump_clock, key, value, shown):
    """Decision K6."""
    async with full.powered():
        assert await change(full, key, value) == "Accepted"
        assert await show(full, key) == ({key: shown}, ())


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


async def test_a_key_may_be_declared_read_only(tmp_path, autojump_clock):
    """Decision K5: where calibration law forbids what the standard lets be written."""
    lab = Lab(tmp_path, station_file(tmp_path, 'StopTransactionOnEVSideDisconnect = { access = "R" }'))
    async with lab.powered():
        assert await change(lab, "StopTransactionOnEVSideDisconnect", "false") == "Rejected"


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
