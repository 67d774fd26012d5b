"""A system that systemd has booted, with the station put in by ``deploy/image.sh`` as its service.

``boot.sh`` says how. Needs root, systemd as a package, and control groups that may be written; nothing of the computer
is changed but for groups below our own, which are removed again.
"""

import grp
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "statecharge.service"
BOOT = Path(__file__).with_name("boot.sh")
GUARD_S = 60
HIERARCHIES = ("systemd", "memory", "devices", "pids", "unified")
INIT = "/lib/systemd/systemd"
OF_A_SERVICE = ("Type", "Restart", "WatchdogSec", "NotifyAccess", "ExecStopPost", "SyslogIdentifier")
"""Options of the unit that speak of how it lives, not of what it may do."""


class System:
    """A running system.

    Args:
        pid: Its first process, as this computer counts.
        process: What ends when the system does.
    """

    def __init__(self, pid: int, process: "subprocess.Popen[bytes]") -> None:
        self.pid = pid
        self.process = process
        self.root = Path(f"/proc/{pid}/root")
        """Its files."""
        self._attempts = 0

    def run(self, *command: str) -> str:
        """Run a command as root of the system, and return what it says; it may fail."""
        inside = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--uts", "--ipc", "--cgroup"]
        ran = subprocess.run(
            [*inside, *command], capture_output=True, text=True, timeout=GUARD_S, check=False
        )
        return (ran.stdout + ran.stderr).strip()

    def show(self, option: str, unit: str = UNIT.name) -> str:
        """A property of a unit, as systemd has it."""
        return self.run("systemctl", "show", "--value", f"--property={option}", unit)

    def attempt(self, code: str, *without: str) -> str:
        """What Python code says that runs as the service may, ``without`` some options of the unit."""
        self._attempts += 1
        name = f"attempt-{self._attempts}.service"
        (self.root / "run/code").mkdir(exist_ok=True)
        (self.root / "run/code/attempt.py").write_text(code)
        text = UNIT.read_text()
        for pattern, new in (
            (rf"({'|'.join((*OF_A_SERVICE, *without))}|StartLimit.*)=.*\n", ""),
            ("ExecStart=.*", "Type=oneshot\nExecStart=python3 /run/code/attempt.py"),
            ("Standard(Output|Error)=.*", rf"Standard\1=file:/run/{name}.said"),
        ):
            text = re.sub(f"^{pattern}", new, text, flags=re.MULTILINE)
        folder = self.root / "run/systemd/system"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "start", name)
        return (self.root / f"run/{name}.said").read_text().strip() or self.show("Result", name)


def own_groups() -> Iterator[Path]:
    """The control groups that we are in, of each hierarchy that a system uses."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, own = line.split(":", 2)
        name = controllers.removeprefix("name=") or "unified"
        if name in HIERARCHIES:
            yield Path("/sys/fs/cgroup", name, own.lstrip("/"))


def is_possible() -> bool:
    """Whether a system can be booted here."""
    tools = ("systemd-sysusers", "systemctl", "unshare", "nsenter", "pivot_root")
    if os.geteuid() != 0 or not Path(INIT).exists() or not all(map(shutil.which, tools)):
        return False
    groups = [group for group in own_groups() if os.access(group, os.W_OK)]
    return len(groups) == len(HIERARCHIES) and "overlay" in Path("/proc/filesystems").read_text()


def build_image(folder: Path) -> Path:
    """The image that a builder would make, with the packages that are installed here."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*build, DEPLOY.parent, "--wheel-dir", folder], check=True)
    (wheel,) = folder.glob("statecharge-*.whl")
    root = folder / "image"
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(["sh", DEPLOY / "image.sh", root, wheel, "--no-deps"], check=True, env=environment)
    installed = root / "opt/statecharge/lib"
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not (installed / package.name).exists():
            (installed / package.name).symlink_to(Path("/opt/packages", package.name))
    python = root / "usr/local/bin/python3"
    python.parent.mkdir(parents=True)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH=/opt/python/lib exec /opt/python/bin/{name} "$@"\n')
    python.chmod(0o755)
    return root


@contextmanager
def booted(
    image: Path,
    hierarchy: str,
    station: str,
    lines: Mapping[str, Path] = MappingProxyType({}),
    drop_in: str = "",
) -> Iterator[System]:
    """Boot ``image`` with a declaration.

    Args:
        image: Of ``build_image``.
        hierarchy: Of control groups: unified or legacy.
        station: ``/etc/statecharge/station.toml``.
        lines: Serial lines by their names in ``/dev``: links to pseudo-terminals, which are given to the group of
            serial lines as the rules of ``deploy/`` do it.
        drop_in: Options of the unit that shall be others.
    """
    (image / "etc/statecharge/station.toml").write_text(station)
    overridden = image / f"etc/systemd/system/{UNIT.name}.d/test.conf"
    overridden.parent.mkdir(exist_ok=True)
    overridden.write_text(f"[Service]\n{drop_in}")
    for link in lines.values():
        os.chown(link.readlink(), 0, grp.getgrnam("dialout").gr_gid)
        link.readlink().chmod(0o660)
    with ExitStack() as stack:
        root = stack.enter_context(TemporaryDirectory(prefix="statecharge-"))
        name = Path(root).name
        groups = [group / name for group in own_groups()]
        for group in groups:
            group.mkdir()
            stack.callback(remove, group)
        manager = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        manager.bind(f"\0{name}")
        manager.settimeout(GUARD_S)
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": f"@{name}",
            "PYTHON_HOME": sys.base_prefix,
            "PACKAGES": sysconfig.get_path("purelib"),
            "LINES": " ".join(f"{line}={link.readlink()}" for line, link in lines.items()),
        }
        command = ["sh", BOOT, image, root, hierarchy, *groups]
        process = stack.enter_context(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        stack.callback(end, process)
        while "READY=1" not in manager.recv(4096).decode():
            pass
        yield System(first_of(process), process)


def first_of(process: "subprocess.Popen[bytes]") -> int:
    """The first process of the system that ``process`` has started; itself until then."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0]) if children else process.pid


def end(process: "subprocess.Popen[bytes]") -> None:
    """Switch the system off, and wait until all its processes have ended."""
    if process.poll() is None:
        os.kill(first_of(process), signal.SIGKILL)
        process.wait(GUARD_S)


def remove(group: Path) -> None:
    """Remove a control group whose processes have ended, with those below it."""
    for folder, _, _ in os.walk(group, topdown=False):
        Path(folder).rmdir()
