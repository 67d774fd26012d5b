"""Runs a program under what a systemd unit allows, without systemd as the first process.

``sandbox.py UNIT FOLDER PROGRAM...``. What the kernel offers to everyone who is root is done as systemd does it: a file
system that is read-only but for FOLDER, no capability, no new privilege, the list of system calls, the families of
sockets, no memory that is writable and executable. What belongs to cgroups and to the user of the service is left out:
DevicePolicy, MemoryMax, User. Where control groups may be written ``booted.py`` shows all of it; this is for where not.
"""

import ctypes.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ALLOW, REFUSE = 0x7FFF0000, 0x00050001
EQUAL, MASKED_EQUAL = 4, 7
NEW_MOUNTS, RECURSIVE, PRIVATE, BIND, REMOUNT, READ_ONLY = 0x20000, 0x4000, 1 << 18, 0x1000, 0x20, 1
NO_NEW_PRIVILEGES, DROP_BOUNDING, CAPABILITIES_MAX = 38, 24, 41
WRITABLE, EXECUTABLE = 2, 4
KERNEL = ("/dev", "/proc", "/sys")
"""What ProtectSystem=strict leaves alone."""

libc = ctypes.CDLL(None, use_errno=True)


class Comparison(ctypes.Structure):
    """One argument of a system call."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def is_possible() -> bool:
    """Whether it can be done here."""
    if os.geteuid() != 0 or not shutil.which("systemd-analyze") or not ctypes.util.find_library("seccomp"):
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def options(unit: Path, name: str) -> list[str]:
    """Every value of an option of the unit, in order."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def calls_of(group: str) -> Iterator[str]:
    """The system calls of a group as systemd has them."""
    if not group.startswith("@"):
        yield group
        return
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines()[1:]:
        name = line.strip()
        if name and not name.startswith("#"):
            yield from calls_of(name)


def allowed_calls(unit: Path) -> set[str]:
    allowed: set[str] = set()
    for stated in options(unit, "SystemCallFilter"):
        names = {call for group in stated.removeprefix("~").split() for call in calls_of(group)}
        allowed = allowed - names if stated.startswith("~") else allowed | names
    return allowed


def make_read_only(folder: Path) -> None:
    """Everything but ``folder`` and what the kernel shows."""
    check(libc.unshare(NEW_MOUNTS))
    check(libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None))
    check(libc.mount(bytes(folder), bytes(folder), None, BIND, None))
    for line in Path("/proc/self/mounts").read_text().splitlines():
        place = line.split()[1].encode().decode("unicode_escape")
        if not place.startswith((*KERNEL, str(folder))):
            check(libc.mount(None, place.encode(), None, BIND | REMOUNT | READ_ONLY, None))


def drop_privileges() -> None:
    for capability in range(CAPABILITIES_MAX):
        check(libc.prctl(DROP_BOUNDING, capability, 0, 0, 0))
    check(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    check(libc.capset(header, (ctypes.c_uint32 * 6)()))


def filter_calls(unit: Path, calls: set[str]) -> None:
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))

    def allow(call: str, *comparisons: Comparison) -> None:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            array = (Comparison * len(comparisons))(*comparisons)
            check(seccomp.seccomp_rule_add_array(context, ALLOW, number, len(comparisons), array))

    for call in calls - {"socket", "mmap", "mprotect", "pkey_mprotect"}:
        allow(call)
    for family in options(unit, "RestrictAddressFamilies")[0].split():
        allow("socket", Comparison(0, EQUAL, getattr(socket, family), 0))
    assert options(unit, "MemoryDenyWriteExecute") == ["yes"]
    for forbidden in (WRITABLE, EXECUTABLE):
        allow("mmap", Comparison(2, MASKED_EQUAL, forbidden, 0))
    allow("mprotect", Comparison(2, MASKED_EQUAL, EXECUTABLE, 0))
    check(seccomp.seccomp_load(context))


def main() -> None:
    unit, folder, command = Path(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3:]
    calls = allowed_calls(unit)
    make_read_only(folder)
    os.umask(int(options(unit, "UMask")[0], 8))
    drop_privileges()
    filter_calls(unit, calls)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
