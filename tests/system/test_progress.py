"""How far long work is, on a terminal, and nothing of it anywhere else."""

import os
import pty
import re
import sys

import pytest
import trio

from tests.peers.file_servers import http_files
from tests.peers.processes import GUARD_S, ROOT

EXPLORE = (
    "explore",
    "full",
    "--connectors",
    "1",
    "--alphabet",
    "diagnostics",
    "--states",
    "300",
    "--walks",
    "1",
)
TOURS = ("tours", "full", "--select", "sessions", "--effort", "20")
WITHOUT_RICH = "import sys; sys.modules['rich'] = None; from engine.cli import main; main()"
BAR = re.compile(r"[━╸╺]{3,}")


class Terminal:
    """A program whose errors go to a terminal, and what it prints to a pipe."""

    def __init__(self):
        self.shown = ""
        self.printed = ""

    async def run(self, arguments, until=None):
        ours, theirs = pty.openpty()
        process = await trio.lowlevel.open_process(
            [sys.executable, *arguments],
            stdout=-1,
            stderr=theirs,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "PYTHONUTF8": "1"},
        )
        os.close(theirs)
        with trio.fail_after(GUARD_S):
            async with process.stdout, trio.open_nursery() as nursery:
                nursery.start_soon(self._read, ours)
                async for chunk in process.stdout:
                    self.printed += chunk.decode()
        return await process.wait()

    async def _read(self, terminal):
        async with trio.lowlevel.FdStream(terminal) as stream:
            try:
                async for chunk in stream:
                    self.shown += chunk.decode(errors="replace")
            except trio.BrokenResourceError:
                pass  # How Linux says that the other end is closed.


@pytest.fixture
def terminal():
    return Terminal()


@pytest.mark.parametrize("command", [EXPLORE, TOURS], ids=["explore", "tours"])
async def test_a_terminal_shows_a_bar_and_what_is_printed_has_none_of_it(terminal, tmp_path, command):
    code = await terminal.run(["-m", "engine.cli", *command, "--out", str(tmp_path)])
    assert code == 0
    assert BAR.search(terminal.shown)
    assert not BAR.search(terminal.printed)
    assert "\x1b" not in terminal.printed


async def test_without_rich_there_is_no_bar(terminal, tmp_path):
    assert await terminal.run(["-c", WITHOUT_RICH, *EXPLORE, "--out", str(tmp_path)]) == 0
    assert terminal.shown == ""
    assert "no violation" in terminal.printed


async def test_without_a_terminal_there_is_no_bar(tmp_path):
    ran = await trio.run_process(
        [sys.executable, "-m", "engine.cli", *EXPLORE, "--out", str(tmp_path)],
        capture_stdout=True,
        capture_stderr=True,
        cwd=ROOT,
    )
    assert ran.stderr == b""
    assert b"no violation" in ran.stdout


async def test_a_station_shows_how_far_its_firmware_is_under_its_log(terminal, csms, tmp_path):
    file = tmp_path / "station.toml"
    file.write_text('extends = "full"\nprocess.reset = "exit"\n')
    run = ["-m", "engine.cli", "run", str(file), "--csms", csms.url, "--state-dir", str(tmp_path / "state")]
    async with http_files() as server, trio.open_nursery() as nursery:
        server.files["/fw.bin"], server.pause_s = b"firmware" * 20_000, 0.01
        nursery.start_soon(terminal.run, run)
        await csms.until("connected")
        await csms.until_call("StatusNotification", connectorId=2)
        when = "2020-01-01T00:00:00Z"
        await csms.call("UpdateFirmware", location=f"{server.base}/fw.bin", retrieveDate=when)
        await csms.until_call("FirmwareStatusNotification", status="Installing")
    assert re.search(r"downloading firmware, \d\.\d of 0\.2 MB [━╸╺ ]+ +\d+%", plain(terminal.shown))
    assert re.search(r"installing firmware [━╸╺ ]+ +\d0%", plain(terminal.shown))
    lines = plain(terminal.shown).splitlines()
    assert [
        line for line in lines if re.match(r"\d\d:\d\d:\d\d\.\d{3} work progress work=InstallFirmware", line)
    ]


def plain(shown):
    """What a terminal was told, without where and in which colour."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n")
