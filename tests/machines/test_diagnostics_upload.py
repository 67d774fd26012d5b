"""An upload of diagnostics by itself: 6.9 Get Diagnostics."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from machines.diagnostics_upload import (
    RETRIES_MAX,
    RETRY,
    DiagnosticsUpload,
    DiagnosticsUploadData,
    UploadDue,
)
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Call, Instant, StartTimer
from machines.vocabulary.notices import DiagnosticsStatusChanged, DiagnosticsStatusTriggered
from machines.vocabulary.ocpp import (
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    GetDiagnostics,
    GetDiagnosticsConf,
)
from machines.vocabulary.transfers import DeliverDiagnostics, DeliveryFailed, DiagnosticsDelivered
from tests.machines import alone
from tests.machines.alone import LIMITS, quiet, some, unmoved

URL = "ftp://files.example/here"
FROM, TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 6, tzinfo=UTC)
FILE = "diagnostics-20260101T120000Z-3.zip"
BEFORE = DiagnosticsUploadData(2, told=DiagnosticsStatus.UPLOADED)
"""After the second upload."""
LATEST = DiagnosticsUploadData(3, URL, FILE, FROM, TO, retries=1, retry_interval_s=30)
LAST = replace(LATEST, retries=0)
DELIVERS = DeliverDiagnostics(3, URL, FILE, FROM, TO)
STATES = ["idle", "uploading", "retrying"]


def told(state, message, data=LATEST, **known):
    return alone.told(DiagnosticsUpload, state, data, message, number=0, **known)


def asked(**members):
    return GetDiagnostics(location=URL, start_time=FROM, stop_time=TO, **members)


def telling(data, name):
    status = DiagnosticsStatus(name)
    return DiagnosticsStatusChanged(status), replace(data, told=status)


EVERYWHERE = {GetDiagnostics, DiagnosticsStatusTriggered}
MATTERS = {
    "idle": EVERYWHERE | {Resumed},
    "uploading": EVERYWHERE | {DiagnosticsDelivered, DeliveryFailed},
    "retrying": EVERYWHERE | {UploadDue},
}


@pytest.mark.parametrize(("state", "message"), quiet(DiagnosticsUpload, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message)) == unmoved(state, LATEST)


def test_a_request_is_answered_with_a_name_of_its_own_and_uploaded():
    news, data = telling(LATEST, "Uploading")
    named = Answer(GetDiagnosticsConf(file_name=FILE))
    after = told("idle", asked(retries=1, retry_interval=30), BEFORE)
    assert after == ("uploading", [named, DELIVERS, news], data)


def test_a_name_can_do_without_the_time_of_day():
    assert told("idle", asked(), BEFORE, now=Instant(1, 5.0)).data.file_name == "diagnostics-notime-3.zip"


@pytest.mark.parametrize(
    ("members", "retries", "interval_s"),
    [
        ({}, LIMITS.transfer_retries, LIMITS.transfer_retry_interval_s),
        ({"retries": 0, "retry_interval": 0}, 0, 0),
        ({"retries": -1, "retry_interval": -1}, 0, 0),
        ({"retries": 10**6}, RETRIES_MAX, LIMITS.transfer_retry_interval_s),
    ],
)
def test_a_request_may_say_how_often_to_try(members, retries, interval_s):
    data = told("idle", asked(**members), BEFORE).data
    assert (data.retries, data.retry_interval_s) == (retries, interval_s)


@pytest.mark.parametrize("state", ["uploading", "retrying"])
def test_one_at_a_time(state):
    assert told(state, asked()) == (state, [Answer(GetDiagnosticsConf())], LATEST)


def test_an_upload_ends():
    news, data = telling(LATEST, "Uploaded")
    assert told("uploading", DiagnosticsDelivered(3)) == ("idle", [news], data)


def test_an_upload_that_failed_is_tried_again_and_then_given_up():
    again = StartTimer(RETRY, 30, UploadDue())
    assert told("uploading", DeliveryFailed(3, "no route")) == ("retrying", [again], LAST)
    uploading = replace(LAST, told=DiagnosticsStatus.UPLOADING)
    assert told("retrying", UploadDue(), uploading) == ("uploading", [DELIVERS], uploading)
    news, data = telling(LAST, "UploadFailed")
    assert told("uploading", DeliveryFailed(3, "no route"), LAST) == ("idle", [news], data)


def test_an_upload_that_cannot_succeed_is_given_up_at_once():
    news, data = telling(LATEST, "UploadFailed")
    assert told("uploading", DeliveryFailed(3, "no such place", is_final=True)) == ("idle", [news], data)


@pytest.mark.parametrize("state", STATES)
def test_the_status_that_is_asked_for_is_whether_one_is_under_way(state):
    status = DiagnosticsStatus.IDLE if state == "idle" else DiagnosticsStatus.UPLOADING
    call = Call(DiagnosticsStatusNotification(status=status))
    assert told(state, DiagnosticsStatusTriggered()) == (state, [call], LATEST)


def test_after_a_restart_an_upload_begins_again():
    news, data = telling(LATEST, "Uploading")
    for state in ("uploading", "retrying"):
        assert told("idle", Resumed(state, LATEST), BEFORE) == ("uploading", [DELIVERS, news], data)
    assert told("idle", Resumed("idle", LATEST), BEFORE) == unmoved("idle", LATEST)
