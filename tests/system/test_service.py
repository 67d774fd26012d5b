"""The service as systemd itself runs it, in a system that has been booted for it (tests/peers/booted.py)."""

import grp
import os
import signal
import tty
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.peers.booted import booted, build_image, is_possible
from tests.peers.real_wallbox import STATION, Wallbox, begin_charging

pytestmark = pytest.mark.skipif(
    not is_possible(), reason="no root, systemd, overlay file system or control groups of both kinds"
)
HIERARCHIES = ("unified", "legacy")
OFFLINE = """
extends = "ac-smart"
csms.url = "ws://127.0.0.1:9/ocpp"
csms.identity = "AC-SMART-0000001"
"""
STATE = "/var/lib/statecharge"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return build_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module", params=HIERARCHIES)
def system(request, image):
    """A system that is up, with a station without a Central System."""
    with booted(image, request.param, OFFLINE) as system:
        yield system


@pytest.fixture(scope="module")
def with_memory(image):
    """One that can count memory."""
    with booted(image, "legacy", OFFLINE) as system:
        yield system


@contextmanager
def serial_line(group, mode):
    """A pseudo-terminal of a group; its path."""
    master, slave = os.openpty()
    tty.setraw(slave)
    path = Path(os.ttyname(slave))
    os.chown(path, 0, group)
    path.chmod(mode)
    try:
        yield path
    finally:
        os.close(master)
        os.close(slave)


def status_of(system):
    """What the kernel says of the station's process."""
    lines = (system.root / "proc" / system.show("MainPID") / "status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def test_it_is_up_as_its_own_user_with_no_right_but_its_groups(system):
    assert system.show("ActiveState") == "active"
    assert system.show("StatusText") == "AC-SMART-0000001: offline, 0 charging"
    status = status_of(system)
    assert status["Uid"] == [system.run("id", "-u", "statecharge")] * 4
    groups = {system.run("id", "-g", "statecharge")}
    groups |= {system.run("getent", "group", name).split(":")[2] for name in ("dialout", "gpio")}
    assert set(status["Groups"]) == groups
    assert status["CapEff"] == status["CapBnd"] == ["0" * 16]
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])


def test_its_state_is_nobody_elses(system):
    for line in system.run("find", STATE, "-printf", "%u %g %y %m\n").splitlines():
        assert line in ("statecharge statecharge d 700", "statecharge statecharge f 600")
    assert system.run("find", STATE, "-name", "station.sqlite3")


OPEN = """
import os
try: os.close(os.open({path!r}, os.O_RDWR | os.O_NOCTTY))
except OSError as error: print(error.strerror)
else: print("opened")
"""
DIALOUT = grp.getgrnam("dialout").gr_gid


@pytest.mark.parametrize(
    ("group", "mode", "said"),
    [(DIALOUT, 0o660, "opened"), (0, 0o660, "Permission denied"), (DIALOUT, 0o600, "Permission denied")],
    ids=["of its group", "of another", "of root alone"],
)
def test_a_serial_line_is_opened_that_belongs_to_its_group(system, group, mode, said):
    with serial_line(group, mode) as path:
        assert system.attempt(OPEN.format(path=str(path))) == said


def test_a_device_that_is_not_listed_is_refused_though_everybody_may_use_it(system):
    code = OPEN.format(path="/dev/fuse")
    assert system.attempt(code) == "Operation not permitted"
    assert system.attempt(code, "DevicePolicy", "DeviceAllow") == "opened"


FORBIDDEN = {
    "write beside the state": "open('/etc/statecharge.test', 'w')",
    "write its own code": "open('/opt/statecharge/lib/engine/cli.py', 'a')",
    "read the homes of others": "os.listdir('/root')",
    "see other processes": "open('/proc/1/status')",
    "packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "another family of sockets": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "code in writable memory": "mmap.mmap(-1, 4096, prot=7)",
    "a system call that is not listed": "os.chroot('/')",
    "real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
}


@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_the_unit_forbids_fails(system, attempt):
    code = f"import mmap, os, socket\nopen('{STATE}/attempt', 'w').close()\ntry: {attempt}"
    said = system.attempt(f"{code}\nexcept OSError as error: print('refused')\nelse: print('done')")
    assert said == "refused"


def test_more_memory_than_it_may_have_ends_it(with_memory):
    assert with_memory.attempt("bytes(200 << 20)\nprint('enough')") == "enough"
    assert with_memory.attempt("bytearray(b'x') * (300 << 20)\nprint('enough')") == "signal"
    assert with_memory.attempt("bytearray(b'x') * (300 << 20)\nprint('enough')", "MemoryMax") == "enough"


@pytest.fixture
def wallbox(tmp_path):
    wallbox = Wallbox(tmp_path)
    yield wallbox
    wallbox.close()


def on_hardware(csms, folder):
    """The declaration of a station on serial lines, and these."""
    declared = STATION.format(folder="/dev").replace("[keys]", '[process]\nreset = "exit"\n\n[keys]')
    url = f'csms.url = "{csms.url}"\ncsms.identity = "AC-SMART-0000001"\n'
    lines = {name: folder / name for name in ("evse", "meter", "reader")}
    return declared.replace("limits.", f"{url}limits.", 1), lines


@pytest.mark.parametrize("hierarchy", HIERARCHIES)
async def test_it_charges_on_serial_lines_and_is_stopped(csms, tmp_path, wallbox, image, hierarchy):
    station, lines = on_hardware(csms, tmp_path)
    with booted(image, hierarchy, station, lines) as system, trio.fail_after(60):
        await begin_charging(csms, wallbox)
        wallbox.consume(125)
        wallbox.present()
        await csms.until_call("StopTransaction", transactionId=1, reason="Local")
        await wallbox.until_allowed(0)
        if hierarchy == "legacy":
            group = system.root / "sys/fs/cgroup/memory/system.slice/statecharge.service"
            assert (group / "memory.limit_in_bytes").read_text() == f"{256 << 20}\n"
            assert (group / "memory.failcnt").read_text() == "0\n"
        await trio.to_thread.run_sync(system.run, "systemctl", "stop", "statecharge")
        assert (system.show("ActiveState"), system.show("Result")) == ("inactive", "success")


async def test_a_soft_reset_starts_it_again_and_a_hard_one_the_system(csms, tmp_path, wallbox, image):
    station, lines = on_hardware(csms, tmp_path)
    with booted(image, "unified", station, lines, "RestartSec=0") as system, trio.fail_after(60):
        await csms.until_available()
        await csms.call("Reset", type="Soft")
        await csms.until_available()
        assert system.show("NRestarts") == "1"
        await csms.call("Reset", type="Hard")
        assert await trio.to_thread.run_sync(system.process.wait, 30) == -signal.SIGHUP


async def test_one_that_hangs_is_started_again(csms, tmp_path, wallbox, image):
    station, lines = on_hardware(csms, tmp_path)
    with (
        booted(image, "unified", station, lines, "WatchdogSec=2\nRestartSec=0") as system,
        trio.fail_after(60),
    ):
        await begin_charging(csms, wallbox)
        wallbox.consume(125)
        csms.forget()
        system.run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", "statecharge")
        await csms.until_call("BootNotification")
        await csms.until_call("StopTransaction", transactionId=1, meterStop=100_125, reason="Reboot")
        assert system.show("NRestarts") == "1"


def test_a_wrong_declaration_is_told_once(image):
    with booted(image, "unified", 'extends = "nothing"\n') as system:
        assert (system.show("ActiveState"), system.show("NRestarts")) == ("failed", "0")
        assert system.show("ExecMainStatus") == "2"
