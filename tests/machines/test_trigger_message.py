"""Messages on demand by themselves: 5.17 Trigger Message."""

import pytest

from machines.machine import NoData
from machines.trigger_message import TriggerMessage
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import (
    BootNotificationTriggered,
    DiagnosticsStatusTriggered,
    FirmwareStatusTriggered,
    HeartbeatTriggered,
    MeterValuesTriggered,
    StatusTriggered,
)
from machines.vocabulary.ocpp import (
    MessageTrigger,
    TriggerMessageConf,
    TriggerMessageStatus,
    TriggerUnknownMessage,
)
from machines.vocabulary.ocpp import TriggerMessage as TriggerRequest
from tests.machines import alone
from tests.machines.alone import STATION

NOTHING = NoData()
PENDING = {"is_accepted": False, "is_pending": True}


def told(message, **known):
    state, emitted, data = alone.told(TriggerMessage, "ready", NOTHING, message, number=0, **known)
    assert (state, data) == ("ready", NOTHING)
    return emitted


def asked(message, connector=None):
    return TriggerRequest(requested_message=MessageTrigger(message), connector_id=connector)


def answer(status):
    return Answer(TriggerMessageConf(status=TriggerMessageStatus(status)))


@pytest.mark.parametrize("known", [{}, PENDING])
@pytest.mark.parametrize(
    ("message", "connector", "news"),
    [
        ("Heartbeat", None, HeartbeatTriggered()),
        ("Heartbeat", 9, HeartbeatTriggered()),
        ("StatusNotification", None, StatusTriggered(None)),
        ("StatusNotification", 0, StatusTriggered(0)),
        ("StatusNotification", 2, StatusTriggered(2)),
        ("MeterValues", None, MeterValuesTriggered(None)),
        ("MeterValues", 1, MeterValuesTriggered(1)),
        ("DiagnosticsStatusNotification", None, DiagnosticsStatusTriggered()),
        ("FirmwareStatusNotification", None, FirmwareStatusTriggered()),
    ],
)
def test_a_message_is_asked_of_who_usually_sends_it(known, message, connector, news):
    assert told(asked(message, connector), **known) == [answer("Accepted"), news]


@pytest.mark.parametrize(
    ("message", "connector"), [("StatusNotification", 3), ("MeterValues", 0), ("MeterValues", 3)]
)
def test_a_message_of_no_connector_is_rejected(message, connector):
    assert told(asked(message, connector)) == [answer("Rejected")]


def test_a_boot_notification_comes_at_once_if_the_station_waits_to_be_accepted():
    assert told(asked("BootNotification"), **PENDING) == [answer("Accepted"), BootNotificationTriggered()]
    assert told(asked("BootNotification")) == [answer("Rejected")]


@pytest.mark.parametrize("message", MessageTrigger)
def test_a_message_that_the_station_does_not_send_is_not_implemented(message):
    settings = {"sends": STATION.settings.sends - {message.value}}
    assert told(asked(message), settings=settings, **PENDING) == [answer("NotImplemented")]


def test_a_message_that_does_not_exist_is_not_implemented():
    assert told(TriggerUnknownMessage(requested_message="Weather")) == [answer("NotImplemented")]
