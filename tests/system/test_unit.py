"""The systemd unit, as systemd itself reads it."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.peers import sandbox
from tests.peers.processes import program

UNIT = Path(__file__).parents[2] / "deploy" / "statecharge.service"
EXPOSURE_MAX = 2.0
"""Of 10, where 10 is a service without any sandbox."""

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)

needs_sandbox = pytest.mark.skipif(not sandbox.is_possible(), reason="no root, systemd-analyze or libseccomp")


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


def image(folder: Path, *packages: str | Path) -> Path:
    """The root folder of an image that the station was put into."""
    root = folder / "root"
    command = ["sh", UNIT.with_name("image.sh"), root, *packages]
    subprocess.run(command, check=True, env={**os.environ, "PYTHON": sys.executable})
    return root


@needs_systemd
def test_an_image_with_the_station_starts_it(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*build, UNIT.parents[1], "--wheel-dir", tmp_path], check=True)
    (wheel,) = tmp_path.glob("statecharge-*.whl")
    root = image(tmp_path, wheel, "--no-deps")
    (root / "bin").mkdir()
    shutil.copy("/bin/sh", root / "bin")
    said = analyze("verify", "--man=no", "--recursive-errors=no", f"--root={root}", UNIT.name)
    assert UNIT.name not in said, said
    program = (root / "opt/statecharge/bin/statecharge").read_text()
    assert (root / "opt/statecharge/lib/engine/cli.py").exists()
    assert list((root / "opt/statecharge/lib/engine/__pycache__").glob("cli.*.pyc"))
    assert program.endswith('PYTHONPATH=/opt/statecharge/lib exec python3 -m engine.cli "$@"\n')


def test_an_image_keeps_a_declaration_of_its_own(tmp_path):
    own = tmp_path / "root/etc/statecharge/station.toml"
    own.parent.mkdir(parents=True)
    own.write_text("extends = 'ac-smart'\n")
    root = image(tmp_path)
    assert own.read_text() == "extends = 'ac-smart'\n"
    wanted = root / "etc/systemd/system/multi-user.target.wants" / UNIT.name
    assert (root / str(wanted.readlink()).lstrip("/")).read_text() == UNIT.read_text()
    assert "statecharge" in (root / "usr/lib/sysusers.d/statecharge.conf").read_text()


FORBIDDEN = {
    "write beside the state": "open('/etc/statecharge.test', 'w')",
    "write its own code": f"open({str(UNIT)!r}, 'a')",
    "packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "another family of sockets": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "code in writable memory": "mmap.mmap(-1, 4096, prot=7)",
    "a system call that is not listed": "os.chroot('/')",
}


@needs_sandbox
@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_the_unit_forbids_fails(tmp_path, attempt):
    code = f"""
import mmap, os, socket
open({str(tmp_path / "state")!r}, "w").close()
try: {attempt}
except OSError as error: print(type(error).__name__)
else: print("done")
"""
    command = [sys.executable, sandbox.__file__, UNIT, tmp_path, sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.stdout in ("PermissionError\n", "OSError\n"), run.stdout + run.stderr
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


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
                while len([message for message in told if message.startswith("WATCHDOG=1")]) < 2:
                    await trio.lowlevel.wait_readable(manager)
                    told.append(manager.recv(4096).decode())
    assert re.fullmatch("READY=1\nSTATUS=AC-SMART-0000001: (offline|dialling), 0 charging", told[0])
