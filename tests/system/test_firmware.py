"""A firmware update with everything real: an HTTP server, an installer that is a program, processes that end."""

import hashlib
import json
import sys
import zipfile

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
    assert told(csms) == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert not [*(state / "transfers").iterdir()]
    async with program("-m", "engine.cli", "why", "--state-dir", state) as why:
        assert await why.ended() == 0
    assert any(
        "firmware update goes from installing to restarting on FirmwareInstalled" in line
        for line in why.out.all
    )


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
