"""Reports of firmware and diagnostics by themselves: each status once, in order, whatever the network does."""

import pytest

from machines.resumed import Resumed
from machines.transfer_report import REPORTS_MAX, Report, TransferReport, TransferReportData
from machines.vocabulary.effects import Call
from machines.vocabulary.notices import DiagnosticsStatusChanged, FirmwareStatusChanged, RegistrationAccepted
from machines.vocabulary.ocpp import (
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    DiagnosticsStatusNotificationConf,
    FirmwareStatus,
    FirmwareStatusNotification,
    FirmwareStatusNotificationConf,
)
from machines.vocabulary.wire import CallFailed, ConnectionClosed, ConnectionOpened, Failure
from tests.machines import alone
from tests.machines.alone import STATION, unmoved

FETCHED, UPLOADED = FirmwareStatus.DOWNLOADED, DiagnosticsStatus.UPLOADED
FIRST, SECOND = Report(firmware=FETCHED), Report(diagnostics=UPLOADED)
NONE, ONE, TWO = TransferReportData(), TransferReportData((FIRST,)), TransferReportData((FIRST, SECOND))
TELL_FIRST = [Call(FirmwareStatusNotification(status=FETCHED))]
TELL_SECOND = [Call(DiagnosticsStatusNotification(status=UPLOADED))]
NEWS = pytest.mark.parametrize(
    ("news", "report", "calls"),
    [
        (FirmwareStatusChanged(FETCHED), FIRST, TELL_FIRST),
        (DiagnosticsStatusChanged(UPLOADED), SECOND, TELL_SECOND),
    ],
)
SILENT = {"sends": STATION.settings.sends - {"FirmwareStatusNotification", "DiagnosticsStatusNotification"}}


def told(state, message, data, **known):
    return alone.told(TransferReport, state, data, message, number=0, **known)


@NEWS
def test_a_status_is_told_at_once_if_nothing_is_in_its_way(news, report, calls):
    assert told("ready", news, NONE) == ("telling", calls, TransferReportData((report,)))


@NEWS
@pytest.mark.parametrize("state", ["held", "telling"])
def test_a_status_waits_behind_those_before_it(state, news, report, calls):
    assert calls
    assert told(state, news, ONE) == (state, [], TransferReportData((FIRST, report)))


@NEWS
@pytest.mark.parametrize("state", ["held", "ready", "telling"])
def test_what_is_not_declared_is_not_told(state, news, report, calls):
    assert report
    assert calls
    assert told(state, news, ONE, settings=SILENT) == unmoved(state, ONE)


def test_when_nobody_listens_for_days_the_oldest_go_but_the_one_on_its_way():
    full = TransferReportData((SECOND, FIRST, *[SECOND] * (REPORTS_MAX - 2)))
    kept = TransferReportData((SECOND, *[SECOND] * (REPORTS_MAX - 2), FIRST))
    assert told("held", FirmwareStatusChanged(FETCHED), full) == unmoved("held", kept)


@pytest.mark.parametrize("message", [RegistrationAccepted(60), ConnectionOpened()])
def test_what_waited_is_told_when_the_way_is_free(message):
    assert told("held", message, TWO) == ("telling", TELL_FIRST, TWO)
    assert told("held", message, NONE) == unmoved("ready", NONE)


def test_before_registration_nothing_is_told():
    assert told("held", ConnectionOpened(), TWO, is_accepted=False) == unmoved("held", TWO)


@pytest.mark.parametrize("state", ["held", "ready", "telling"])
def test_without_a_connection_everything_is_held(state):
    assert told(state, ConnectionClosed("gone"), TWO) == unmoved("held", TWO)


@pytest.mark.parametrize(
    "message",
    [
        FirmwareStatusNotificationConf(),
        DiagnosticsStatusNotificationConf(),
        CallFailed("transfer_report", "FirmwareStatusNotification", Failure.CALL_ERROR),
    ],
)
def test_one_is_told_after_the_other_and_none_twice(message):
    assert told("telling", message, TWO) == ("telling", TELL_SECOND, TransferReportData((SECOND,)))
    assert told("telling", message, ONE) == unmoved("ready", NONE)


def test_what_was_not_told_outlives_a_restart():
    assert told("held", Resumed("telling", TWO), NONE) == unmoved("held", TWO)
