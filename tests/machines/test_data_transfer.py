"""Vendor data in both directions by itself: 4.3 and 5.6 Data Transfer."""

import pytest

from machines.data_transfer import DataTransfer, DataTransferData
from machines.vocabulary.effects import Answer, Call
from machines.vocabulary.ocpp import DataTransfer as DataTransferRequest
from machines.vocabulary.ocpp import DataTransferConf, DataTransferStatus
from machines.vocabulary.settings import VendorMessages
from machines.vocabulary.wire import CallFailed, DataTransferAsked, Failure
from tests.machines import alone
from tests.machines.alone import STATION

BEFORE = DataTransferData("Accepted", "earlier")
VENDOR = VendorMessages(vendor_id="org.example", messages=("", "Hello"), status="Rejected", data="no")
ASKED = DataTransferAsked("org.example", "Hello", "x")


def told(message, **known):
    settings = {"data_transfer": (VENDOR,), **known.pop("settings", {})}
    state, emitted, data = alone.told(
        DataTransfer, "ready", BEFORE, message, number=0, settings=settings, **known
    )
    assert state == "ready"
    return emitted, data


def answer(status, data=None):
    return [Answer(DataTransferConf(status=DataTransferStatus(status), data=data))], BEFORE


@pytest.mark.parametrize(
    ("vendor", "message"), [("org.example", "Hello"), ("ORG.Example", "hello"), ("org.example", None)]
)
def test_what_is_declared_is_answered_as_declared(vendor, message):
    assert told(DataTransferRequest(vendor_id=vendor, message_id=message)) == answer("Rejected", "no")


def test_what_is_not_declared_is_unknown():
    assert told(DataTransferRequest(vendor_id="com.example")) == answer("UnknownVendorId")
    other = DataTransferRequest(vendor_id="org.example", message_id="Bye")
    assert told(other) == answer("UnknownMessageId")


def test_what_somebody_asks_for_is_sent():
    request = DataTransferRequest(vendor_id="org.example", message_id="Hello", data="x")
    assert told(ASKED) == ([Call(request)], BEFORE)


@pytest.mark.parametrize(
    "known",
    [
        {"is_open": False},
        {"is_accepted": False},
        {"settings": {"sends": STATION.settings.sends - {"DataTransfer"}}},
    ],
)
def test_what_cannot_be_sent_is_not_sent(known):
    assert told(ASKED, **known) == ([], DataTransferData("not sent"))


def test_how_it_ended_is_remembered():
    conf = DataTransferConf(status=DataTransferStatus.UNKNOWN_VENDOR_ID, data="who?")
    assert told(conf) == ([], DataTransferData("UnknownVendorId", "who?"))
    failed = CallFailed("data_transfer", "DataTransfer", Failure.TIMED_OUT)
    assert told(failed) == ([], DataTransferData("failed"))
