"""SFTP by a program of the system: curl where it can, else sftp of OpenSSH (keys only).

Neither password nor address is ever an argument of the program: other users of the system could read it there.
"""

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import trio

from engine.transfers.address import PORTS, Address
from engine.transfers.limits import TransferError, TransferLimits, check_size

TOLD_MAX = 200
"""Characters of what a program says that are told on."""


async def fetch(
    address: Address, part: Path, limits: TransferLimits, on_progress: Callable[[int], None]
) -> int:
    """Download into ``part``, from where it ends; return its bytes.

    Raises:
        TransferError: As :func:`engine.transfers.fetch`.
    """
    if _curl():
        await _run_curl(address, limits, f'output = "{_quoted(str(part))}"', "continue-at = -")
    else:
        await _run_sftp(address, limits, f'reget "{_quoted(address.path)}" "{_quoted(str(part))}"')
    size = (await trio.Path(part).stat()).st_size
    check_size(size, limits, address.shown)
    on_progress(size)
    return size


async def deliver(
    address: Address, source: Path, limits: TransferLimits, on_progress: Callable[[int], None]
) -> None:
    """Upload.

    Raises:
        TransferError: As :func:`engine.transfers.deliver`.
    """
    if _curl():
        await _run_curl(address, limits, f'upload-file = "{_quoted(str(source))}"')
    else:
        await _run_sftp(address, limits, f'put "{_quoted(str(source))}" "{_quoted(address.path)}"')
    on_progress((await trio.Path(source).stat()).st_size)


@cache
def _curl() -> str | None:
    """curl, if it is there and speaks SFTP."""
    program = shutil.which("curl")
    if program is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    protocols = next((line for line in said.stdout.splitlines() if line.startswith("Protocols:")), "")
    return program if "sftp" in protocols.split() else None


async def _run_curl(address: Address, limits: TransferLimits, *lines: str) -> None:
    program = _curl()
    assert program is not None
    options = [
        f'url = "{_quoted(address.url)}"',
        f"connect-timeout = {limits.connect_timeout_s:g}",
        f"speed-time = {limits.stall_timeout_s:g}",
        "speed-limit = 1",
        f"max-filesize = {limits.size_max}",
        *([f'user = "{_quoted(address.user)}:{_quoted(address.password)}"'] if address.user else []),
        *lines,
    ]
    await _run(address, [program, "--silent", "--show-error", "--config", "-"], "\n".join(options))


async def _run_sftp(address: Address, limits: TransferLimits, command: str) -> None:
    program = shutil.which("sftp")
    if program is None:
        raise TransferError(f"{address.shown}: this system has no program for sftp")
    if address.password:
        raise TransferError(f"{address.shown}: this system's sftp takes no password; use a key")
    host = f"{address.user}@{address.host}" if address.user else address.host
    options = ["-b", "-", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={limits.connect_timeout_s:.0f}"]
    port = ["-P", str(address.port)] if address.port != PORTS["sftp"] else []
    await _run(address, [program, *options, *port, "--", host], command + "\n")


async def _run(address: Address, command: list[str], text: str) -> None:
    done = await trio.run_process(
        command, stdin=text.encode(), capture_stdout=True, capture_stderr=True, check=False
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        told = said[-1] if said else f"exit code {done.returncode}"
        for secret in (address.password, address.user):
            told = told.replace(secret, "***") if secret else told
        raise TransferError(f"{address.shown}: {told[:TOLD_MAX]}")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
