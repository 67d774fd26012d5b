"""A firmware update with everything real: an HTTP server, an installer that is a program, processes that end."""

import hashlib
import io
import json
import resource
import sys
import zipfile
from itertools import groupby

import pytest

from tests.peers.drivers import station
from tests.peers.file_servers import http_files
from tests.peers.processes import program

FIRMWARE = b"firmware 2 " * 50_000
OFFERS = """
sends = ["Authorize", "BootNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat",
         "MeterValues", "StartTransaction", "StatusNotification", "StopTransaction"]
"""
INSTALL = """
import os, pathlib, sys
content = pathlib.Path(sys.argv[1]).read_bytes()
assert os.environ["BOARD"] == "2"
print("50%", flush=True)
if content.startswith(b"BROKEN"):
    sys.exit("no firmware")
pathlib.Path(sys.argv[2]).write_bytes(content)
"""
CONFIRM = """
import pathlib, sys
sys.exit(not pathlib.Path(sys.argv[1]).exists())
"""


INSTALL_AND_RESTART = """
import os, pathlib, signal, sys, time
tries = pathlib.Path(sys.argv[2] + ".tries")
tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
pathlib.Path(sys.argv[2]).write_bytes(pathlib.Path(sys.argv[1]).read_bytes())
os.kill(os.getppid(), getattr(signal, os.environ["SIGNAL"]))
time.sleep(60)
"""


@pytest.fixture
def updatable(tmp_path, quick):
    """A station whose firmware a program puts into a file, and whose process ends to run it."""
    install, confirm = tmp_path / "install.py", tmp_path / "confirm.py"
    install.write_text(INSTALL)
    confirm.write_text(CONFIRM)
    slot = str(tmp_path / "slot")
    file = tmp_path / "updatable.toml"
    file.write_text(
        f"""
extends = {json.dumps(str(quick))}
process.reset = "exit"
[messages]
{OFFERS}
[firmware]
installer = "command"
after = "reboot"
command = {json.dumps([sys.executable, str(install), "{file}", slot])}
confirm = {json.dumps([sys.executable, str(confirm), slot])}
environment = {{ BOARD = "2" }}
checksum_suffix = ".sha256"
"""
    )
    return file


async def update(csms, location):
    await csms.call("UpdateFirmware", location=location, retrieveDate="2020-01-01T00:00:00Z", retries=0)


def told(csms):
    return [payload["status"] for payload in csms.calls("FirmwareStatusNotification")]


def told_over_a_restart(csms):
    """The same; a status that was on its way when the station ended is told once more."""
    return [status for status, _ in groupby(told(csms))]


async def test_new_firmware_is_installed_by_a_program_and_runs_after_the_reboot(csms, tmp_path, updatable):
    state = tmp_path / "state"
    async with http_files() as server:
        server.files |= {
            "/fw.bin": FIRMWARE,
            "/fw.bin.sha256": f"{hashlib.sha256(FIRMWARE).hexdigest()}  fw.bin\n".encode(),
        }
        async with station(csms.url, state, updatable) as box:
            await csms.until_available()
            await update(csms, f"{server.base}/fw.bin")
            assert await box.program.ended() == 11
    assert (tmp_path / "slot").read_bytes() == FIRMWARE
    async with station(csms.url, state, updatable) as box:
        await csms.until_call("FirmwareStatusNotification", status="Installed")
        assert await box.program.terminate() == 0
    assert told_over_a_restart(csms) == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert not [*(state / "transfers").iterdir()]
    async with program("-m", "engine.cli", "why", "--state-dir", state) as why:
        assert await why.ended() == 0
    for words in (
        "the installation of the firmware is at 50 %",
        "firmware update goes from installing to restarting on FirmwareInstalled",
    ):
        assert [line for line in why.out.all if words in line]


@pytest.mark.parametrize(
    ("content", "checksum", "last"),
    [
        (FIRMWARE, "00" * 32, "DownloadFailed"),
        (FIRMWARE, "", "DownloadFailed"),
        (b"", hashlib.sha256(b"").hexdigest(), "DownloadFailed"),
        (b"BROKEN", hashlib.sha256(b"BROKEN").hexdigest(), "InstallationFailed"),
    ],
)
async def test_firmware_that_is_not_right_is_not_installed(
    csms, tmp_path, updatable, content, checksum, last
):
    async with http_files() as server:
        server.files |= {"/fw.bin": content, "/fw.bin.sha256": checksum.encode()}
        async with station(csms.url, tmp_path / "state", updatable) as box:
            await csms.until_available()
            await update(csms, f"{server.base}/fw.bin")
            await csms.until_call("FirmwareStatusNotification", status=last)
            assert await box.begin_charging(csms) == 1
    assert not (tmp_path / "slot").exists()


@pytest.mark.parametrize(("kind", "code"), [("Soft", 10), ("Hard", 11)])
async def test_a_reset_ends_the_process_with_a_code_of_its_own(csms, tmp_path, updatable, kind, code):
    async with station(csms.url, tmp_path / "state", updatable) as box:
        await csms.until_available()
        await csms.call("Reset", type=kind)
        assert await box.program.ended() == code


async def test_diagnostics_are_uploaded_and_hold_no_credentials(csms, tmp_path, updatable):
    async with http_files() as server:
        async with station(csms.url, tmp_path / "state", updatable) as box:
            await csms.until_available()
            location = server.base.replace("//", "//somebody:s3cret@") + "/in/"
            answer = await csms.call("GetDiagnostics", location=location)
            await csms.until_call("DiagnosticsStatusNotification", status="Uploaded")
            assert not [line for line in box.program.err.all if "s3cret" in line]
        content = server.files[f"/in/{answer['fileName']}"]
    (tmp_path / "found.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "found.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"s3cret" not in everything
    assert b'"event":"received"' in everything


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
async def test_an_installer_that_restarts_the_station_is_asked_after_it(csms, tmp_path, updatable, how):
    """Decision FU2: as `swupdate` does from a script after the update. It is installed once, each status told once."""
    (tmp_path / "install.py").write_text(INSTALL_AND_RESTART)
    updatable.write_text(updatable.read_text().replace('BOARD = "2"', f'SIGNAL = "{how}"'))
    state = tmp_path / "state"
    async with http_files() as server:
        server.files |= {"/fw.bin": FIRMWARE, "/fw.bin.sha256": hashlib.sha256(FIRMWARE).hexdigest().encode()}
        async with station(csms.url, state, updatable) as box:
            await csms.until_available()
            await update(csms, f"{server.base}/fw.bin")
            await box.program.ended()
    async with station(csms.url, state, updatable) as box:
        await csms.until_call("FirmwareStatusNotification", status="Installed")
        assert await box.begin_charging(csms) == 1
    assert told(csms) == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert (tmp_path / "slot.tries").read_text() == "x"


async def test_a_station_that_is_killed_in_the_middle_of_a_download_fetches_the_rest(
    csms, tmp_path, updatable
):
    state = tmp_path / "state"
    async with http_files() as server:
        server.files |= {"/fw.bin": FIRMWARE, "/fw.bin.sha256": hashlib.sha256(FIRMWARE).hexdigest().encode()}
        server.stall_after = 300_000
        async with station(csms.url, state, updatable) as box:
            await csms.until_available()
            await update(csms, f"{server.base}/fw.bin")
            await box.program.err.until(lambda line: '"work progress"' in line and '"percent":40' in line)
            await box.program.kill()
        server.stall_after = None
        async with station(csms.url, state, updatable) as box:
            assert await box.program.ended() == 11
        first, again, *_ = server.requests
        assert "range" not in first[2]
        assert int(again[2]["range"].removeprefix("bytes=").rstrip("-")) >= 200_000
    assert (tmp_path / "slot").read_bytes() == FIRMWARE
    async with station(csms.url, state, updatable) as box:
        await csms.until_call("FirmwareStatusNotification", status="Installed")
    assert told_over_a_restart(csms) == ["Downloading", "Downloaded", "Installing", "Installed"]


async def test_a_disk_that_is_full_costs_the_update_and_nothing_else(csms, tmp_path, updatable):
    """No file of the station may grow beyond 2 MB; the firmware has 5."""
    state = tmp_path / "state"
    async with http_files() as server:
        server.files["/fw.bin"] = FIRMWARE * 10
        async with station(csms.url, state, updatable) as box:
            await csms.until_available()
            resource.prlimit(box.program.pid, resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
            assert await box.begin_charging(csms) == 1
            await update(csms, f"{server.base}/fw.bin")
            await csms.until_call("FirmwareStatusNotification", status="DownloadFailed")
            assert [line for line in box.program.err.all if "File too large" in line]
            assert not [*(state / "transfers").iterdir()], "the room is given back"
            csms.forget()
            for _ in range(2):
                await csms.until_call("MeterValues")  # It charges on.
            assert csms.calls("StopTransaction") == []


async def test_diagnostics_have_the_log_of_earlier_runs_and_do_without_it(csms, tmp_path, updatable):
    """They are asked for when something went wrong; often the station was started again since."""
    state, logs = tmp_path / "state", []
    async with http_files() as server:
        for begin in (b"", b"", b"no database"):
            if begin:
                for file in state.glob("history.sqlite3*"):
                    file.unlink()
                (state / "history.sqlite3").mkdir()
            async with station(csms.url, state, updatable) as box:
                csms.forget()
                await csms.until_call("StatusNotification", connectorId=1)
                answer = await csms.call("GetDiagnostics", location=f"{server.base}/in")
                while f"/in/{answer['fileName']}" not in server.files:  # else it was told again: decision FU7
                    await csms.until_call("DiagnosticsStatusNotification", status="Uploaded")
                assert await box.program.terminate() == 0
            with zipfile.ZipFile(io.BytesIO(server.files[f"/in/{answer['fileName']}"])) as archive:
                logs.append([json.loads(line) for line in archive.read("log.jsonl").splitlines()])
    starts = [[one.get("boot") for one in log if one["event"] == "station started"] for log in logs]
    assert starts == [[1], [1, 2], []]
    assert [one["event"] for one in logs[2]] == ["no history"]


async def test_no_credentials_of_a_location_are_shown_or_logged(csms, tmp_path, updatable):
    async with http_files() as server:
        server.files["/fw.bin"], server.stall_after = FIRMWARE, 300_000
        location = server.base.replace("//", "//somebody:s3cret@") + "/fw.bin?token=t0ken"
        async with station(csms.url, tmp_path / "state", updatable) as box:
            await csms.until_available()
            await update(csms, location)
            await box.program.err.until(lambda line: '"work progress"' in line)
            seen = json.dumps(await box.state())
            assert '"FetchFirmware"' in seen
            await box.program.terminate()
            printed = "\n".join(box.program.err.all)
        assert server.requests[0][2]["authorization"].startswith("Basic ")
    for word in ("s3cret", "somebody", "t0ken"):
        assert word not in seen
        assert word not in printed
        assert word.encode() not in (tmp_path / "state" / "history.sqlite3").read_bytes()
