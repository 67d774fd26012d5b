"""The systemd unit, as systemd itself reads it."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.peers.processes import program

UNIT = Path(__file__).parents[2] / "deploy" / "statecharge.service"
EXPOSURE_MAX = 2.0
"""Of 10, where 10 is a service without any sandbox."""

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


def analyze(*arguments: str | Path) -> str:
    run = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)
    return run.stdout + run.stderr


@needs_systemd
def test_the_unit_is_right(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/statecharge/bin/statecharge", sys.executable))
    said = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert UNIT.name not in said, said


@needs_systemd
def test_the_unit_exposes_little():
    said = analyze("security", "--offline=yes", "--no-pager", UNIT)
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
    assert found, said
    assert float(found[1]) <= EXPOSURE_MAX


def test_the_example_is_right():
    code = f"from engine.station_file import load; load({str(UNIT.with_name('station.toml'))!r})"
    run = subprocess.run([sys.executable, "-c", code], cwd=UNIT.parents[1], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


async def test_the_service_manager_is_told_that_the_station_is_ready_and_moves(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        command = ["-m", "engine.cli", "run", "ac-smart", "--csms", "ws://127.0.0.1:9/ocpp"]
        told: list[str] = []
        async with program(*command, "--state-dir", tmp_path / "state"):
            with trio.fail_after(30):
                while told.count("WATCHDOG=1") < 2:
                    await trio.lowlevel.wait_readable(manager)
                    told.append(manager.recv(4096).decode())
    assert told[0] == "READY=1\nSTATUS=AC-SMART-0000001 runs"
