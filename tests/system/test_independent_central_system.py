"""A station process and a Central System that shares no code with it. Every payload passes foreign schemas."""

import pytest

from tests.peers.drivers import station
from tests.peers.meter_values import register, timestamp

KEYS = {
    "ConnectionTimeOut",
    "HeartbeatInterval",
    "MeterValueSampleInterval",
    "NumberOfConnectors",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "ConnectorMaximumCurrent",
    "WebSocketPingInterval",
    "GetConfigurationMaxKeys",
    "MeterValuesSampledData",
    "ConnectorPhaseRotation",
    "ChargeProfileMaxStackLevel",
    "ChargeScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "ConnectorSwitch3to1PhaseSupported",
    "MaxChargingProfilesInstalled",
}


@pytest.fixture
async def product(csms, tmp_path):
    """The AC SMART as it is declared, registered."""
    async with station(csms.url, tmp_path / "state", "station.toml") as running:
        await csms.until_available()
        yield running


@pytest.fixture
async def box(csms, tmp_path, quick):
    """The AC SMART with a vehicle that loses no time, registered."""
    async with station(csms.url, tmp_path / "state", quick) as running:
        await csms.until_available()
        yield running


async def test_a_session_from_plug_to_plug(csms, product):
    assert (await csms.call("ChangeConfiguration", key="MeterValueSampleInterval", value="1")) == {
        "status": "Accepted"
    }
    await product.plug_in()
    await csms.until_status("Preparing")
    await product.swipe("04A1B2C3D4E5F6")
    assert await csms.until_call("Authorize") == {"idTag": "04A1B2C3D4E5F6"}
    started = await csms.until_call("StartTransaction")
    await csms.until_status("Charging")
    first = await csms.until_call("MeterValues", transactionId=1)
    second = await csms.until_call("MeterValues", transactionId=1)
    await product.swipe("04A1B2C3D4E5F6")
    stopped = await csms.until_call("StopTransaction")
    await csms.until_status("Finishing")
    await product.unplug()
    await csms.until_status("Available")

    assert (started["connectorId"], started["idTag"]) == (1, "04A1B2C3D4E5F6")
    assert started["meterStart"] <= register(first) <= register(second) <= stopped["meterStop"]
    assert started["timestamp"] < timestamp(first) < timestamp(second) < stopped["timestamp"]
    assert (stopped["transactionId"], stopped.get("reason", "Local")) == (1, "Local")


async def test_it_boots_as_declared(csms, product):
    (booted,) = csms.calls("BootNotification")

    assert (booted["chargePointVendor"], booted["chargePointModel"]) == ("Weidmueller", "AC SMART ADVANCED")
    assert csms.events[1] == {
        "event": "connected",
        "identity": "AC-SMART-0000001",
        "subprotocol": "ocpp1.6",
    }


async def test_remote_start_and_remote_stop(csms, box):
    await box.plug_in()
    await csms.until_status("Preparing")
    assert await csms.call("RemoteStartTransaction", idTag="APP", connectorId=1) == {"status": "Accepted"}
    assert (await csms.until_call("StartTransaction"))["idTag"] == "APP"
    await csms.until_status("Charging")

    assert await csms.call("RemoteStopTransaction", transactionId=99) == {"status": "Rejected"}
    assert await csms.call("RemoteStopTransaction", transactionId=1) == {"status": "Accepted"}
    stopped = await csms.until_call("StopTransaction")
    assert (stopped["transactionId"], stopped["reason"]) == (1, "Remote")


async def test_a_card_that_is_not_accepted_starts_nothing(csms, box):
    await csms.answer("Authorize", {"idTagInfo": {"status": "Blocked"}})
    await box.plug_in()
    await csms.until_status("Preparing")
    await box.swipe("STOLEN")
    await csms.until_call("Authorize", idTag="STOLEN")
    # Answered in order, so the answer to Authorize has been read.
    assert await csms.call("RemoteStopTransaction", transactionId=1) == {"status": "Rejected"}

    assert (await box.state())["machines"]["transaction/1"]["state"] == "idle"
    assert not csms.calls("StartTransaction")


async def test_get_configuration_shows_the_keys_of_the_product(csms, product):
    shown = await csms.call("GetConfiguration")

    assert "unknownKey" not in shown or shown["unknownKey"] == []
    assert {entry["key"] for entry in shown["configurationKey"]} == KEYS
    assert len(shown["configurationKey"]) == len(KEYS)


async def test_get_configuration_tells_known_from_unknown_keys(csms, product):
    asked = ["heartbeatinterval", "ChargingScheduleAllowedChargingRateUnit"]
    shown = await csms.call("GetConfiguration", key=asked)

    assert [(entry["key"], entry["readonly"], entry["value"]) for entry in shown["configurationKey"]] == [
        ("HeartbeatInterval", False, "300")
    ]
    assert shown["unknownKey"] == ["ChargingScheduleAllowedChargingRateUnit"]


async def test_change_configuration_answers_for_each_kind_of_key(csms, box):
    async def change(key: str, value: str) -> str:
        return (await csms.call("ChangeConfiguration", key=key, value=value))["status"]

    assert await change("HeartbeatInterval", "0") == "Rejected"
    assert await change("NumberOfConnectors", "2") == "Rejected"
    assert await change("ColourOfTheLid", "red") == "NotSupported"
    assert await change("HeartbeatInterval", "1") == "Accepted"
    await csms.until_call("Heartbeat")


async def test_an_inoperative_connector_is_unavailable_until_operative(csms, box):
    assert await csms.call("ChangeAvailability", connectorId=1, type="Inoperative") == {"status": "Accepted"}
    await csms.until_status("Unavailable")
    assert await csms.call("ChangeAvailability", connectorId=1, type="Operative") == {"status": "Accepted"}
    await csms.until_status("Available")


async def test_a_charging_connector_becomes_inoperative_afterwards(csms, box):
    await box.begin_charging(csms)
    assert await csms.call("ChangeAvailability", connectorId=1, type="Inoperative") == {"status": "Scheduled"}
    await box.swipe()
    await csms.until_call("StopTransaction")
    await box.unplug()
    await csms.until_status("Unavailable")


async def test_unlocking_ends_the_session_and_frees_the_cable(csms, box):
    await box.begin_charging(csms)
    await box.until_transition("connector_lock/1", "unlocked", "locked")
    assert await csms.call("UnlockConnector", connectorId=1) == {"status": "Unlocked"}

    assert (await csms.until_call("StopTransaction"))["reason"] == "UnlockCommand"
    assert (await box.state())["hardware"]["1"]["locked"] is False


async def test_a_soft_reset_ends_the_session_and_boots_anew(csms, box):
    await box.begin_charging(csms)
    assert await csms.call("Reset", type="Soft") == {"status": "Accepted"}

    assert (await csms.until_call("StopTransaction"))["reason"] == "SoftReset"
    await csms.until("disconnected")
    await csms.until_call("BootNotification")


async def test_what_the_product_does_not_offer_is_not_supported(csms, product):
    await csms.send_text('[2,"19223201","ClearCache",{}]')

    assert (await csms.until("error", id="19223201"))["code"] == "NotSupported"


async def test_the_connection_that_the_central_system_closes_is_opened_again(csms, tmp_path, quick):
    async with station(csms.url, tmp_path / "state", quick):
        await csms.until_available()
        await csms.drop()
        await csms.until("disconnected")
        await csms.until("connected")
        assert await csms.call("ChangeAvailability", connectorId=1, type="Operative") == {
            "status": "Accepted"
        }

    assert len(csms.calls("BootNotification")) == 1, "a reconnect is no boot (J 5.3)"
