"""A firmware update by itself: 6.19 from the request to the last report, at whatever point the power goes."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from machines.firmware_update import (
    INSTALL,
    RETRIES_MAX,
    RETRIEVE,
    RETRY,
    SETTLING_S,
    DownloadDue,
    FirmwareUpdate,
    FirmwareUpdateData,
    InstallDue,
    RetrieveDue,
)
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Call, Instant, StartTimer, StopTimer
from machines.vocabulary.notices import (
    FirmwareStatusChanged,
    FirmwareStatusTriggered,
    InstallationAwaited,
    InstallationOver,
    ResetFailed,
    RestartNeeded,
    TimeLearnt,
    TransactionEnded,
)
from machines.vocabulary.ocpp import (
    FirmwareStatus,
    FirmwareStatusNotification,
    UpdateFirmware,
    UpdateFirmwareConf,
)
from machines.vocabulary.transfers import (
    ConfirmFirmware,
    FetchFailed,
    FetchFirmware,
    FirmwareConfirmed,
    FirmwareCorrupt,
    FirmwareFetched,
    FirmwareInstalled,
    FirmwareVerified,
    GiveUpTransfer,
    InstallFailed,
    InstallFirmware,
    VerifyFirmware,
)
from tests.machines import alone
from tests.machines.alone import LIMITS, NOW, quiet, some, unmoved

NOON = datetime.fromtimestamp(NOW.utc, UTC)
SOON = NOON + timedelta(seconds=100)
URL = "ftp://updates.example/new"
NONE = FirmwareUpdateData()
OLD = FirmwareUpdateData(2, "ftp://updates.example/old", NOW.utc, retries=1, retry_interval_s=30.0)
"""An update that is under way."""
LAST = replace(OLD, retries=0)

ANSWER = Answer(UpdateFirmwareConf())
DROPS = [GiveUpTransfer(), StopTimer(RETRIEVE), StopTimer(RETRY), StopTimer(INSTALL)]
FETCHES = FetchFirmware(2, OLD.location)
CHARGING, NOBODY = {"running": 1}, {"running": 0}
STATES = [state.value for state in FirmwareUpdate.states]
REPLACEABLE = ["downloading", "retrying", "verifying"]


def told(state, message, data=OLD, **known):
    return alone.told(FirmwareUpdate, state, data, message, number=0, **known)


def asked(retrieve_date=NOON, **members):
    return UpdateFirmware(location=URL, retrieve_date=retrieve_date, **members)


def wanted(ticket, retrieve_date=NOON, **members):
    """What is remembered of a request."""
    plain = {"retries": LIMITS.transfer_retries, "retry_interval_s": LIMITS.transfer_retry_interval_s}
    return FirmwareUpdateData(ticket, URL, retrieve_date.timestamp(), **{**plain, **members})


def status(name):
    return FirmwareStatus(name)


def telling(data, name):
    """The status is news, and told once."""
    return FirmwareStatusChanged(status(name)), replace(data, told=status(name))


def due(after_s):
    return StartTimer(RETRIEVE, after_s, RetrieveDue())


EVERYWHERE = {UpdateFirmware, FirmwareStatusTriggered}
MATTERS = {
    "idle": EVERYWHERE | {Resumed},
    "scheduled": EVERYWHERE | {RetrieveDue, TimeLearnt},
    "downloading": EVERYWHERE | {FirmwareFetched, FetchFailed},
    "retrying": EVERYWHERE | {DownloadDue},
    "verifying": EVERYWHERE | {FirmwareVerified, FirmwareCorrupt},
    "waiting": EVERYWHERE | {TransactionEnded, InstallDue},
    "installing": EVERYWHERE | {FirmwareInstalled, InstallFailed},
    "restarting": EVERYWHERE | {ResetFailed},
    "confirming": EVERYWHERE | {FirmwareConfirmed, InstallFailed},
    "checking": EVERYWHERE | {FirmwareConfirmed, InstallFailed},
}


@pytest.mark.parametrize(("state", "message"), quiet(FirmwareUpdate, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message)) == unmoved(state, OLD)


# The request


def test_a_request_whose_date_has_come_is_downloaded_at_once():
    news, data = telling(wanted(1), "Downloading")
    assert told("idle", asked(), NONE) == ("downloading", [ANSWER, FetchFirmware(1, URL), news], data)


def test_a_request_for_later_waits():
    assert told("idle", asked(SOON), NONE) == ("scheduled", [ANSWER, due(100.0)], wanted(1, SOON))


def test_a_request_waits_until_the_time_of_day_is_known():
    waits = ("scheduled", [ANSWER, StopTimer(RETRIEVE)], wanted(1))
    assert told("idle", asked(), NONE, now=Instant(1, 50.0)) == waits


@pytest.mark.parametrize(
    ("members", "retries", "interval_s"),
    [
        ({"retries": 0, "retry_interval": 0}, 0, 0),
        ({"retries": 5, "retry_interval": 7}, 5, 7),
        ({"retries": -1, "retry_interval": -1}, 0, 0),
        ({"retries": 10**6}, RETRIES_MAX, LIMITS.transfer_retry_interval_s),
    ],
)
def test_a_request_may_say_how_often_to_try(members, retries, interval_s):
    data = told("idle", asked(SOON, **members), NONE).data
    assert (data.retries, data.retry_interval_s) == (retries, interval_s)


@pytest.mark.parametrize("state", ["scheduled", *REPLACEABLE])
def test_a_request_takes_the_place_of_one_that_waits_or_is_downloaded(state):
    news, data = telling(wanted(3), "Downloading")
    fetched = ("downloading", [*DROPS, ANSWER, FetchFirmware(3, URL), news], data)
    assert told(state, asked()) == fetched
    dropped = [] if state == "scheduled" else DROPS
    assert told(state, asked(SOON)) == ("scheduled", [*dropped, ANSWER, due(100.0)], wanted(3, SOON))


def test_a_request_takes_the_place_of_one_that_waits_to_be_installed():
    news, data = telling(wanted(3), "Downloading")
    fetched = [InstallationOver(), *DROPS, ANSWER, FetchFirmware(3, URL), news]
    assert told("waiting", asked()) == ("downloading", fetched, data)
    later = [InstallationOver(), *DROPS, ANSWER, due(100.0)]
    assert told("waiting", asked(SOON)) == ("scheduled", later, wanted(3, SOON))


@pytest.mark.parametrize("state", ["installing", "restarting", "confirming", "checking"])
def test_a_request_during_an_installation_is_answered_and_forgotten(state):
    assert told(state, asked()) == (state, [ANSWER], OLD)


# The download


def test_it_is_downloaded_when_its_date_has_come():
    news, data = telling(OLD, "Downloading")
    assert told("scheduled", RetrieveDue()) == ("downloading", [FETCHES, news], data)


def test_a_clock_that_is_set_is_looked_at():
    assert told("scheduled", TimeLearnt(NOW.utc)) == ("scheduled", [due(0)], OLD)
    later = replace(OLD, retrieve_utc=NOW.utc + 40)
    assert told("scheduled", RetrieveDue(), later) == ("scheduled", [due(40.0)], later)


def test_what_was_downloaded_is_checked():
    assert told("downloading", FirmwareFetched(2)) == ("verifying", [VerifyFirmware(2, OLD.location)], OLD)


@pytest.mark.parametrize(
    ("state", "message"),
    [("downloading", FetchFailed(2, "no route")), ("verifying", FirmwareCorrupt(2, "short"))],
)
def test_a_download_that_failed_is_tried_again_and_then_given_up(state, message):
    again = StartTimer(RETRY, 30.0, DownloadDue())
    assert told(state, message) == ("retrying", [again], LAST)
    news, data = telling(LAST, "DownloadFailed")
    assert told(state, message, LAST) == ("idle", [GiveUpTransfer(), news], data)


def test_a_download_that_cannot_succeed_is_given_up_at_once():
    news, data = telling(OLD, "DownloadFailed")
    failed = FetchFailed(2, "no such file", is_final=True)
    assert told("downloading", failed) == ("idle", [GiveUpTransfer(), news], data)


def test_a_further_attempt_tells_nothing_new():
    downloading = replace(OLD, told=status("Downloading"))
    assert told("retrying", DownloadDue(), downloading) == ("downloading", [FETCHES], downloading)


@pytest.mark.parametrize("message", [FirmwareFetched(1), FetchFailed(1, "given up")])
def test_the_end_of_a_download_that_was_replaced_changes_nothing(message):
    assert told("downloading", message) == unmoved("downloading", OLD)


def test_without_the_time_of_day_its_date_is_waited_for_until_somebody_tells():
    dark = Instant(1, 50.0)
    waits = [StopTimer(RETRIEVE)]
    assert told("scheduled", RetrieveDue(), now=dark) == ("scheduled", waits, OLD)
    assert told("scheduled", asked(), now=dark) == ("scheduled", [ANSWER, *waits], wanted(3))
    assert told("idle", Resumed("scheduled", OLD), NONE, now=dark) == ("scheduled", waits, OLD)


# The installation


def test_who_charges_may_end_before_the_installation():
    news, data = telling(OLD, "Downloaded")
    assert told("verifying", FirmwareVerified(2), **CHARGING) == (
        "waiting",
        [news, InstallationAwaited()],
        data,
    )
    assert told("waiting", TransactionEnded(4), **CHARGING) == unmoved("waiting", OLD)
    assert told("waiting", InstallDue(), **CHARGING) == unmoved("waiting", OLD)


def installs(data):
    news, data = telling(replace(data, installs=data.installs + 1), "Installing")
    return [StopTimer(INSTALL), InstallFirmware(2), news], data


def test_where_nobody_charges_it_is_installed():
    downloaded, data = telling(OLD, "Downloaded")
    emitted, data = installs(data)
    assert told("verifying", FirmwareVerified(2), **NOBODY) == (
        "installing",
        [downloaded, InstallationAwaited(), *emitted],
        data,
    )


@pytest.mark.parametrize("message", [TransactionEnded(4), InstallDue()])
def test_when_nobody_charges_any_more_it_is_installed(message):
    emitted, data = installs(OLD)
    assert told("waiting", message, **NOBODY) == ("installing", emitted, data)


def test_what_is_installed_needs_a_restart():
    assert told("installing", FirmwareInstalled(2)) == ("restarting", [RestartNeeded()], OLD)


def test_without_its_restart_the_station_is_in_service_again():
    assert told("restarting", ResetFailed("no supervisor")) == ("restarting", [InstallationOver()], OLD)


def test_an_installation_that_failed_is_over():
    news, data = telling(OLD, "InstallationFailed")
    assert told("installing", InstallFailed(2, "full")) == ("idle", [news, InstallationOver()], data)
    assert told("confirming", InstallFailed(2, "the old one runs")) == ("idle", [news], data)


def test_what_runs_after_the_restart_is_installed():
    news, data = telling(OLD, "Installed")
    assert told("confirming", FirmwareConfirmed(2)) == ("idle", [news], data)


# TriggerMessage


@pytest.mark.parametrize("state", STATES)
def test_the_status_that_is_asked_for_is_the_latest_or_idle(state):
    is_idle = state in {"idle", "scheduled"}
    now = status("Idle" if is_idle else "Downloading")
    data = replace(OLD, told=status("Downloading"))
    call = Call(FirmwareStatusNotification(status=now))
    assert told(state, FirmwareStatusTriggered(), data) == (state, [call], data)


# After a restart


def test_nothing_goes_on_that_was_not_under_way():
    assert told("idle", Resumed("idle", OLD), NONE) == unmoved("idle", OLD)


def test_a_date_that_is_to_come_is_waited_for():
    later = replace(OLD, retrieve_utc=NOW.utc + 40)
    assert told("idle", Resumed("scheduled", later), NONE) == ("scheduled", [due(40.0)], later)
    assert told("idle", Resumed("scheduled", OLD), NONE) == ("scheduled", [due(0.0)], OLD)


@pytest.mark.parametrize("state", REPLACEABLE)
def test_a_download_goes_on(state):
    news, data = telling(OLD, "Downloading")
    assert told("idle", Resumed(state, OLD), NONE) == ("downloading", [FETCHES, news], data)


WAIT = StartTimer(INSTALL, SETTLING_S, InstallDue())
TRIED = replace(OLD, installs=LIMITS.install_attempts_max - 1)
TOO_OFTEN = replace(OLD, installs=LIMITS.install_attempts_max)


def test_an_installation_that_had_not_begun_waits_for_who_charges_as_before():
    assert told("idle", Resumed("waiting", TRIED), NONE) == ("waiting", [InstallationAwaited(), WAIT], TRIED)


@pytest.mark.parametrize("state", ["installing", "checking"])
def test_after_a_cut_the_installer_is_asked_what_runs_and_nobody_charges_meanwhile(state):
    asks = [InstallationAwaited(), ConfirmFirmware(2, is_cut=True)]
    assert told("idle", Resumed(state, TOO_OFTEN), NONE) == ("checking", asks, TOO_OFTEN)


def test_what_the_installer_restarted_by_itself_is_installed():
    news, data = telling(TOO_OFTEN, "Installed")
    assert told("checking", FirmwareConfirmed(2), TOO_OFTEN) == ("idle", [news, InstallationOver()], data)


def test_an_installation_that_was_cut_begins_again_and_is_given_up_some_time():
    cut = InstallFailed(2, "the old one runs")
    assert told("checking", cut, TRIED) == ("waiting", [WAIT], TRIED)
    news, data = telling(TOO_OFTEN, "InstallationFailed")
    assert told("checking", cut, TOO_OFTEN) == ("idle", [news, InstallationOver()], data)


@pytest.mark.parametrize("state", ["restarting", "confirming"])
def test_after_its_restart_the_installer_is_asked(state):
    assert told("idle", Resumed(state, OLD), NONE) == ("confirming", [ConfirmFirmware(2)], OLD)
