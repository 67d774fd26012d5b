"""Diagnostics over the wire, in virtual time: 6.9, 4.4, facts 10.1."""

import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import trio

from machines.vocabulary.ocpp import GetDiagnostics, MessageTrigger, TriggerMessage
from tests.lab import EPOCH, Lab

FOLDER = "ftp://files.example/in"


@pytest.fixture
async def full(tmp_path):
    """All messages."""
    return Lab(tmp_path, "full")


async def ask(lab, **members):
    """Send GetDiagnostics; return the name of the file."""
    conf = await lab.csms.call(GetDiagnostics(location=members.pop("location", FOLDER), **members))
    return conf.file_name


def told(lab):
    """The statuses of diagnostics that the Central System was told, in order."""
    return [payload["status"] for payload in lab.calls("DiagnosticsStatusNotification")]


def archive(lab, name):
    """What was uploaded: names to contents."""
    with zipfile.ZipFile(io.BytesIO(lab.works.files[f"{FOLDER}/{name}"])) as opened:
        return {one: opened.read(one).decode() for one in opened.namelist()}


async def test_the_file_that_was_named_is_uploaded(full, autojump_clock):
    """TC_045_1."""
    async with full.powered():
        name = await ask(full)
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
        assert not [*(full.directory / "transfers").iterdir()], "the station keeps no copy"
    assert told(full) == ["Uploading", "Uploaded"]
    assert f"{FOLDER}/{name}" in full.works.files


async def test_the_archive_tells_how_the_station_came_to_be_where_it_is(full, autojump_clock):
    async with full.powered():
        await full.charge()
        name = await ask(full)
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
    found = archive(full, name)
    history = [json.loads(line) for line in found["history.jsonl"].splitlines()]
    moves = [(one["machine"], one["source"], one["target"]) for one in history]
    assert ("transaction/1", "starting", "running") in moves
    assert json.loads(found["machines.json"])["transaction/1"] == "running"
    assert json.loads(found["database.json"])["charging"] == 1
    assert json.loads(found["station.json"])["hash"] == full.station.hash
    assert any("station started" in line for line in found["log.jsonl"].splitlines())


@pytest.mark.parametrize("system_utc", [100.0, 5e9], ids=["1970", "2128"])
async def test_a_system_without_a_clock_has_an_archive_all_the_same(
    full, monkeypatch, system_utc, autojump_clock
):
    """Its parts are dated as the Central System tells the time; a zip has no year before 1980 or after 2107."""
    monkeypatch.setattr(time, "time", lambda: system_utc)
    async with full.powered():
        name = await ask(full)
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
    with zipfile.ZipFile(io.BytesIO(full.works.files[f"{FOLDER}/{name}"])) as opened:
        assert {part.date_time[:4] for part in opened.infolist()} == {(2026, 1, 1, 0)}
        assert {part.compress_type for part in opened.infolist()} == {zipfile.ZIP_DEFLATED}


@pytest.mark.parametrize("told", [datetime.min, datetime.max], ids=["begin", "end"])
async def test_a_time_that_no_zip_has_is_the_nearest_that_it_has(full, told, autojump_clock):
    full.csms.now = lambda: told.replace(tzinfo=UTC)
    async with full.powered():
        await ask(full)
        await full.until("DiagnosticsStatusNotification", status="Uploaded")


async def test_no_secret_is_in_the_archive(full, autojump_clock):
    full.declare(authorization_key="00112233445566778899aabbccddeeff")
    async with full.powered():
        await full.charge("CARD-SECRET")
        name = await ask(full, location="ftp://somebody:password@files.example/in")
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
    found = archive(full, name)
    assert json.loads(found["configuration.json"])["AuthorizationKey"] == "***"
    for content in found.values():
        assert not [word for word in ("aabbccdd", "password", "CARD-SECRET") if word in content]


async def test_it_tells_of_the_time_that_was_asked_for(full, autojump_clock):
    async with full.powered():
        await trio.sleep(1000)
        await full.charge()
        await trio.sleep(1000)
        start, stop = EPOCH + timedelta(seconds=900), EPOCH + timedelta(seconds=1500)
        name = await ask(full, start_time=start, stop_time=stop)
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
    found = archive(full, name)
    history = [json.loads(line) for line in found["history.jsonl"].splitlines()]
    assert history
    assert all(start.timestamp() <= one["time"] <= stop.timestamp() for one in history)
    logged = [json.loads(line) for line in found["log.jsonl"].splitlines()]
    times = [datetime.fromisoformat(one["time"]) for one in logged]
    assert times
    assert start <= min(times)
    assert max(times) <= stop
    assert "5.17" not in found["why.txt"]
    assert len(found["why.txt"].splitlines()) == len(history)


async def test_an_upload_is_tried_again_and_given_up(full, autojump_clock):
    """TC_045_2."""
    full.works.takes_uploads = False
    async with full.powered():
        await ask(full, retries=2, retry_interval=60)
        await trio.sleep(100)
        assert told(full) == ["Uploading"]
        await full.until("DiagnosticsStatusNotification", status="UploadFailed")
    assert told(full) == ["Uploading", "UploadFailed"]


async def test_a_location_that_cannot_be_used_fails_at_once(full, autojump_clock):
    async with full.powered():
        await ask(full, location="nowhere", retries=5, retry_interval=1000)
        with trio.fail_after(60):
            await full.until("DiagnosticsStatusNotification", status="UploadFailed")


async def test_one_upload_at_a_time(full, autojump_clock):
    """The second one is told that there is nothing to upload."""
    async with full.powered():
        first = await ask(full)
        assert await ask(full) is None
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
        second = await ask(full)
        await full.until("DiagnosticsStatusNotification", status="Uploaded")
    assert first != second


async def test_an_upload_outlasts_a_power_cut(full, autojump_clock):
    async with full.powered():
        name = await ask(full)
        await trio.sleep(1)
    async with full.powered():
        await trio.sleep(10)
    assert f"{FOLDER}/{name}" in full.works.files
    assert told(full) == ["Uploading", "Uploaded"]


async def test_the_present_status_is_told_when_it_is_asked_for(full, autojump_clock):
    """5.17."""
    full.works.takes_uploads = False
    trigger = TriggerMessage(requested_message=MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION)
    async with full.powered():
        await ask(full, retries=1, retry_interval=100)
        for after_s in (1, 30):
            await trio.sleep(after_s)
            start = len(full.csms.transcript)
            await full.csms.call(trigger)
            await trio.sleep(0.1)
            assert full.calls("DiagnosticsStatusNotification", start) == [{"status": "Uploading"}]


async def test_what_is_not_declared_is_not_told_and_happens_all_the_same(lab, autojump_clock):
    """The AC SMART sends no DiagnosticsStatusNotification."""
    async with lab.powered():
        name = await ask(lab)
        await trio.sleep(60)
    assert f"{FOLDER}/{name}" in lab.works.files
    assert told(lab) == []
