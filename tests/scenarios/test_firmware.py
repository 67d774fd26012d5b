"""A firmware update over the wire, in virtual time: 6.19, 4.5, facts 10.1, and every way that it may fail."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.ocpp import (
    AvailabilityType,
    ChangeAvailability,
    MessageTrigger,
    TriggerMessage,
    UpdateFirmware,
)
from machines.vocabulary.settings import Recovery
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import Lab

LOCATION = "ftp://files.example/firmware-2.bin"
OTHER = "ftp://files.example/firmware-3.bin"
USUAL = ["Downloading", "Downloaded", "Installing", "Installed"]


@pytest.fixture
async def full(tmp_path):
    """Two connectors, all messages; a server with firmware."""
    lab = Lab(tmp_path, "full")
    lab.works.files |= {LOCATION: b"new firmware", OTHER: b"newer firmware"}
    return lab


async def update(lab, location=LOCATION, **members):
    """Send UpdateFirmware for at once, or later."""
    after_s = members.pop("after_s", 0)
    when = lab.now() + timedelta(seconds=after_s - 1)
    await lab.csms.call(UpdateFirmware(location=location, retrieve_date=when, **members))


def told(lab):
    """The statuses of firmware that the Central System was told, in order."""
    return [payload["status"] for payload in lab.calls("FirmwareStatusNotification")]


async def install(lab):
    """Let the station run until it restarts, and boot anew."""
    with trio.fail_after(3600):
        await lab.running.wait_ended()


async def after_restart(lab, seconds=60):
    """Power again; return what the station sent since."""
    start = len(lab.csms.transcript)
    async with lab.powered():
        await trio.sleep(seconds)
        return [
            entry
            for entry in lab.csms.transcript[start:]
            if entry.direction == "received" and entry.kind == 2
        ]


async def test_an_update_goes_over_a_restart_and_installed_comes_last(full, autojump_clock):
    """TC_044_1: boot, every status, then Installed."""
    async with full.powered():
        await update(full)
        await install(full)
    sent = await after_restart(full)

    assert told(full) == USUAL
    assert [entry.action for entry in sent] == [
        "BootNotification",
        *["StatusNotification"] * 3,
        "FirmwareStatusNotification",
    ]
    assert {entry.payload["status"] for entry in sent[1:4]} == {"Available"}
    assert full.works.installed == [b"new firmware"]


async def test_connectors_are_unavailable_while_it_is_installed(full, autojump_clock):
    async with full.powered():
        await update(full)
        await full.until("FirmwareStatusNotification", status="Installing")
        await trio.sleep(1)
        assert [full.statuses(n)[-1] for n in (0, 1, 2)] == ["Available", "Unavailable", "Unavailable"]
        full.connector(1).plug_in()
        full.swipe("CARD")
        await install(full)
    assert full.calls("StartTransaction") == []


async def test_after_the_restart_anybody_may_charge(full, autojump_clock):
    async with full.powered():
        await update(full)
        await install(full)
    async with full.powered():
        await trio.sleep(10)
        await full.charge()


# The download


async def test_a_download_is_tried_again(full, autojump_clock):
    """6.19 retries, retryInterval: the status is told once."""
    full.works.is_reachable = False
    async with full.powered():
        began = full.now()
        await update(full, retries=2, retry_interval=100)
        await trio.sleep(150)
        full.works.is_reachable = True
        await full.until("FirmwareStatusNotification", status="Downloaded")
        assert full.works.downloads == 3
        assert (full.now() - began).total_seconds() == pytest.approx(200, abs=20)
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL


async def test_without_retries_the_first_failure_is_the_last(full, autojump_clock):
    """TC_044_2."""
    async with full.powered():
        await update(full, "ftp://files.example/missing", retries=0)
        await full.until("FirmwareStatusNotification", status="DownloadFailed")
        await trio.sleep(3600)
    assert told(full) == ["Downloading", "DownloadFailed"]
    assert full.works.downloads == 1


async def test_where_no_number_of_retries_is_named_the_declared_one_counts(full, autojump_clock):
    full.limit(transfer_retries=2, transfer_retry_interval_s=10)
    async with full.powered():
        await update(full, "ftp://files.example/missing")
        await full.until("FirmwareStatusNotification", status="DownloadFailed")
    assert full.works.downloads == 3


@pytest.mark.parametrize(
    "location", ["firmware.bin", "gopher://files.example/x", "ftp:///x", "", "ftp://h/%0D%0ADELE x"]
)
async def test_a_location_that_cannot_be_used_fails_at_once(full, autojump_clock, location):
    async with full.powered():
        await update(full, location, retries=5, retry_interval=60)
        await full.until("FirmwareStatusNotification", status="DownloadFailed")
        await trio.sleep(600)
    assert told(full) == ["Downloading", "DownloadFailed"]
    assert full.works.downloads == 0


async def test_a_file_that_is_not_what_its_maker_made_is_fetched_again_and_given_up(full, autojump_clock):
    full.works.is_corrupt = True
    async with full.powered():
        await update(full, retries=1, retry_interval=10)
        await full.until("FirmwareStatusNotification", status="DownloadFailed")
        await trio.sleep(60)
        assert not [*(full.directory / "transfers").iterdir()], "it was thrown away"
    assert full.works.downloads == 2
    assert full.works.installed == []


async def test_after_a_failure_another_update_may_come(full, autojump_clock):
    async with full.powered():
        await update(full, "ftp://files.example/missing", retries=0)
        await full.until("FirmwareStatusNotification", status="DownloadFailed")
        await update(full)
        await install(full)
    await after_restart(full)
    assert told(full) == ["Downloading", "DownloadFailed", *USUAL]


# retrieveDate


async def test_nothing_happens_before_the_retrieve_date(full, autojump_clock):
    async with full.powered():
        await update(full, after_s=7200)
        await trio.sleep(7100)
        assert told(full) == []
        await full.until("FirmwareStatusNotification", status="Downloading")
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL


async def test_a_retrieve_date_outlasts_a_power_cut(full, autojump_clock):
    async with full.powered():
        await update(full, after_s=7200)
        await trio.sleep(60)
    await trio.sleep(600)
    async with full.powered():
        await trio.sleep(6000)
        assert told(full) == []
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL


async def test_a_retrieve_date_that_passed_without_power_is_due_at_once(full, autojump_clock):
    async with full.powered():
        await update(full, after_s=7200)
        await trio.sleep(60)
    await trio.sleep(9000)
    async with full.powered():
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL


# Who charges


async def test_an_installation_waits_for_who_charges_and_lets_nobody_begin(full, autojump_clock):
    """The free connector is Unavailable at once, the other one when its user has gone."""
    async with full.powered():
        await full.charge()
        await update(full)
        await full.until_status("Unavailable", 2)
        await trio.sleep(3600)
        assert told(full) == ["Downloading", "Downloaded"]
        assert full.statuses(1)[-1] == "Charging"
        full.swipe("CARD")
        await full.until("FirmwareStatusNotification", status="Installing")
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL
    assert len(full.calls("StopTransaction")) == 1


async def test_a_connector_that_becomes_free_meanwhile_stays_unavailable(full, autojump_clock):
    async with full.powered():
        await full.charge()
        full.connector(2).plug_in()
        await full.until_status("Preparing", 2)
        await update(full)
        await full.until("FirmwareStatusNotification", status="Downloaded")
        full.swipe("OTHER", (2,))
        await trio.sleep(5)
        assert full.states()["transaction/2"] == "idle", "nobody begins any more"
        full.connector(2).unplug("both")
        await full.until_status("Unavailable", 2)


@pytest.mark.parametrize(("kind", "status"), [("Inoperative", "Unavailable"), ("Operative", "Available")])
async def test_availability_that_is_asked_for_while_firmware_waits_counts_after_it(
    full, autojump_clock, kind, status
):
    async with full.powered():
        await full.charge()
        await update(full)
        await full.until_status("Unavailable", 2)
        conf = await full.csms.call(ChangeAvailability(connector_id=2, type=AvailabilityType(kind)))
        assert conf.status == "Accepted"
        await trio.sleep(10)
        assert full.statuses(2)[-1] == "Unavailable"
        full.swipe("CARD")
        await install(full)
    await after_restart(full)
    assert full.statuses(2)[-1] == status


async def test_what_is_put_into_service_while_firmware_waits_comes_back_after_it(full, autojump_clock):
    async with full.powered():
        await full.csms.call(ChangeAvailability(connector_id=2, type=AvailabilityType.INOPERATIVE))
        await full.charge()
        await update(full)
        await full.until("FirmwareStatusNotification", status="Downloaded")
        await full.csms.call(ChangeAvailability(connector_id=2, type=AvailabilityType.OPERATIVE))
        await trio.sleep(10)
        assert full.statuses(2)[-1] == "Unavailable"
        full.swipe("CARD")
        await install(full)
    await after_restart(full)
    assert full.statuses(2)[-1] == "Available"


# The installation


async def test_an_installation_that_fails_leaves_everything_as_it_was(full, autojump_clock):
    """TC_044_3."""
    full.works.files[LOCATION] = b"BROKEN"
    async with full.powered():
        await update(full)
        await full.until("FirmwareStatusNotification", status="InstallationFailed")
        for number in (1, 2):
            await full.until_status("Available", number)
        await full.charge()
    assert told(full) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]


async def test_firmware_that_does_not_run_after_the_restart_is_told_once(full, autojump_clock):
    full.works.runs_old = True
    async with full.powered():
        await update(full)
        await install(full)
    await after_restart(full)
    await after_restart(full)
    assert told(full) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
    assert full.statuses(1)[-1] == "Available"


async def test_a_restart_that_does_not_come_about_puts_connectors_back(full, autojump_clock):
    """Decision FU5."""
    async with full.powered() as running:
        running._restart_refusal = lambda _: "no"
        await update(full)
        await full.until("StatusNotification", errorCode="ResetFailure")
        for number in (1, 2):
            await full.until_status("Available", number)
        await full.charge()
        assert told(full)[-1] == "Installing"
        full.swipe("CARD")
        await full.until("StopTransaction")
    await after_restart(full)
    assert told(full) == USUAL


# Another update


async def test_another_update_takes_the_place_of_one_that_is_not_installed_yet(full, autojump_clock):
    """Decision FU1: while it is to come, is downloaded, or waits."""
    async with full.powered():
        await update(full, after_s=3600)
        await update(full, OTHER, after_s=600)
        await trio.sleep(700)
        assert told(full)[0] == "Downloading"
        await install(full)
    assert full.works.installed == [b"newer firmware"]


@pytest.mark.parametrize("after_s", [0, 600])
async def test_another_update_stops_the_download_of_the_first(full, autojump_clock, after_s):
    """Decision FU1."""
    async with full.powered():
        await update(full)
        await full.until("FirmwareStatusNotification", status="Downloading")
        await trio.sleep(1)
        await update(full, OTHER, after_s=after_s)
        await install(full)
    assert full.works.installed == [b"newer firmware"]


async def test_another_update_takes_the_place_of_one_that_waits(full, autojump_clock):
    """Decision FU1: connectors are back in service until it is there."""
    async with full.powered():
        await full.charge()
        await update(full)
        await full.until_status("Unavailable", 2)
        await update(full, OTHER, after_s=600)
        await full.until_status("Available", 2)
        full.swipe("CARD")
        await install(full)
    assert full.works.installed == [b"newer firmware"]


async def test_another_update_is_too_late_once_the_first_is_being_installed(full, autojump_clock):
    """Decision FU1."""
    async with full.powered():
        await update(full)
        await full.until("FirmwareStatusNotification", status="Installing")
        await update(full, OTHER)
        await install(full)
    await after_restart(full)
    assert full.works.installed == [b"new firmware"]
    assert told(full) == USUAL


# Power and network


@pytest.mark.parametrize("after_s", [0.1, 1, 3, 4.5, 6, 9])
async def test_a_power_cut_at_any_point_of_an_update(full, autojump_clock, after_s):
    """It ends, each status is told once, and connectors are back in service."""
    async with full.powered() as running:
        await update(full)
        with trio.move_on_after(after_s):
            await running.wait_ended()
    for _ in range(3):
        async with full.powered() as running:
            with trio.move_on_after(120):
                await running.wait_ended()
    assert told(full) == USUAL
    assert set(full.works.installed) == {b"new firmware"}
    assert full.statuses(1)[-1] == full.statuses(2)[-1] == "Available"


async def test_an_installation_that_the_power_cuts_every_time_is_given_up(full, autojump_clock):
    """Decision FU2."""
    full.limit(install_attempts_max=2)
    async with full.powered():
        await update(full)
        await full.until("FirmwareStatusNotification", status="Installing")
        await trio.sleep(1)
    async with full.powered():
        await trio.sleep(3)
        assert full.states()["firmware_update"] == "installing"
    await after_restart(full)
    assert told(full) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
    assert full.statuses(1)[-1] == "Available"


async def test_an_installation_that_was_cut_waits_for_a_transaction_that_goes_on(full, autojump_clock):
    """``recovery = "resume"``."""
    full.recover(Recovery.RESUME)
    async with full.powered():
        await full.charge()
        await update(full)
        await full.until("FirmwareStatusNotification", status="Downloaded")
        await trio.sleep(1)
    async with full.powered():
        await trio.sleep(600)
        assert told(full) == ["Downloading", "Downloaded"]
        assert full.statuses(2)[-1] == "Unavailable"
        full.swipe("CARD")
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL


async def test_what_was_told_to_nobody_is_told_after_the_outage(full, autojump_clock):
    async with full.powered():
        await update(full, after_s=60)
        full.cut_link()
        await full.running.wait_ended()
    full.is_linked = True
    await after_restart(full)
    assert told(full) == USUAL


async def test_a_status_that_is_refused_is_not_repeated(full, autojump_clock):
    """Decision FU4."""
    full.csms.override("FirmwareStatusNotification", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    async with full.powered():
        await update(full)
        await install(full)
    await after_restart(full)
    assert told(full) == USUAL


async def test_what_is_not_declared_is_not_told_and_happens_all_the_same(lab, autojump_clock):
    """The AC SMART sends no FirmwareStatusNotification."""
    lab.works.files[LOCATION] = b"new firmware"
    async with lab.powered():
        await update(lab)
        await install(lab)
    await after_restart(lab)
    assert lab.works.installed == [b"new firmware"]
    assert told(lab) == []


# TriggerMessage


@pytest.mark.parametrize(("after_s", "status"), [(1, "Downloading"), (3, "Downloading"), (6, "Installing")])
async def test_the_present_status_is_told_when_it_is_asked_for(full, autojump_clock, after_s, status):
    """5.17."""
    async with full.powered():
        await update(full)
        await trio.sleep(after_s)
        start = len(full.csms.transcript)
        await full.csms.call(TriggerMessage(requested_message=MessageTrigger.FIRMWARE_STATUS_NOTIFICATION))
        await trio.sleep(0.1)
        assert full.calls("FirmwareStatusNotification", start) == [{"status": status}]


async def test_an_update_that_is_to_come_is_idle(full, autojump_clock):
    """5.17."""
    async with full.powered():
        await update(full, after_s=600)
        await full.csms.call(TriggerMessage(requested_message=MessageTrigger.FIRMWARE_STATUS_NOTIFICATION))
        assert await full.until("FirmwareStatusNotification") == {"status": "Idle"}
