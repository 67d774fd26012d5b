"""The Central System, met by a simulated station that lives 60 times as fast."""

import pytest


@pytest.fixture
def box(served, statecharge_station):
    """A station that has booted, with a free connector."""
    station = statecharge_station(served.url, identity="BOX-1", speed=60)
    station.wait_for("StatusNotification", connectorId=1, status="Available")
    return station


def test_a_known_card_starts_a_transaction(box):
    box.plug_in()
    box.swipe("ALICE", connector=1)
    started = box.wait_for("StartTransaction", idTag="ALICE")

    assert started.answer == {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}


def test_an_unknown_card_starts_none(box):
    box.plug_in()
    box.swipe("MALLORY", connector=1)
    asked = box.wait_for("Authorize", idTag="MALLORY")

    assert asked.answer["idTagInfo"]["status"] == "Invalid"
    assert not box.calls("StartTransaction")


def test_what_was_charged_is_billed(box, served):
    box.plug_in()
    box.swipe("ALICE", connector=1)
    box.wait_for("StatusNotification", connectorId=1, status="Charging")
    box.wait_for("MeterValues")
    box.swipe("ALICE", connector=1)
    stopped = box.wait_for("StopTransaction").payload

    energy_wh = stopped["meterStop"] - box.calls("StartTransaction")[0].payload["meterStart"]
    assert energy_wh > 0
    assert served.csms.bills == {1: energy_wh * 40 // 1000}


def test_a_session_that_ends_offline_is_billed_when_the_network_is_back(box, served):
    box.plug_in()
    box.swipe("BOB", connector=1)
    box.wait_for("StatusNotification", connectorId=1, status="Charging")
    box.cut_link()
    box.unplug()
    box.restore_link()
    box.wait_for("StopTransaction", transactionId=1)

    assert list(served.csms.bills) == [1]


def test_a_session_is_started_from_afar(box, served):
    box.plug_in()
    box.wait_for("StatusNotification", connectorId=1, status="Preparing")

    assert served.do(served.csms.start_from_afar("BOX-1", "BOB")) == "Accepted"
    assert box.wait_for("RemoteStartTransaction").direction == "received"
    assert box.wait_for("StartTransaction").payload["idTag"] == "BOB"


def test_a_session_that_a_power_cut_ended_is_billed_when_the_power_is_back(box, served):
    box.plug_in()
    box.swipe("ALICE", connector=1)
    box.wait_for("StartTransaction")
    box.power_cut(seconds=30)
    stopped = box.wait_for("StopTransaction")

    assert stopped.payload["reason"] == "PowerLoss"
    assert list(served.csms.bills) == [1]
