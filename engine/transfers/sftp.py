"""SFTP by a program of the system: sftp of OpenSSH, else curl where that can do it.

A server is believed if its key is in the declared file of known hosts, else in that of the user that runs the station,
and never otherwise. A password goes to the program in its environment or its input, and never as an argument: other
users of the system could read it there. curl cannot tell versions of a file apart, so with it every attempt begins
anew.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from engine.speed import of_real_time
from engine.transfers.address import PORTS, Address
from engine.transfers.limits import OnProgress, TransferError, TransferLimits, check_room, check_size

TOLD_MAX = 200
"""Characters of what a program says that are told on."""
LOOK_S = 0.5
"""How often it is seen how far a download is."""
PASSWORD = "STATECHARGE_SFTP_PASSWORD"  # noqa: S105 - the name of a variable
ASKPASS = f'#!/bin/sh\nprintf "%s\\n" "${PASSWORD}"\n'


async def fetch(address: Address, part: Path, limits: TransferLimits, on_progress: OnProgress) -> int:
    """Download into ``part``, from where it ends if the server still has the same file; return its bytes.

    Raises:
        TransferError: As :func:`engine.transfers.fetch`.
    """
    if shutil.which("sftp"):
        size = await _fetch_by_sftp(address, part, limits, on_progress)
    else:
        await trio.to_thread.run_sync(lambda: part.unlink(missing_ok=True))
        run = partial(_run_curl, address, limits, f'output = "{_quoted(str(part))}"')
        await _watched(run, address, part, limits, lambda size: on_progress(size, None))
        size = await _size(part)
        on_progress(size, size)
    check_size(size, limits, address.shown)
    await trio.to_thread.run_sync(_sync, part)
    return size


async def deliver(address: Address, source: Path, limits: TransferLimits, on_progress: OnProgress) -> None:
    """Upload.

    Raises:
        TransferError: As :func:`engine.transfers.deliver`.
    """
    size = await _size(source)
    if shutil.which("sftp"):
        await _run_sftp(address, limits, f'put "{_quoted(str(source))}" "{_quoted(address.path)}"')
    else:
        await _run_curl(address, limits, f'upload-file = "{_quoted(str(source))}"')
    on_progress(size, size)


def is_offered() -> bool:
    """Whether this system has a program that can do it."""
    return shutil.which("sftp") is not None or _curl() is not None


# OpenSSH


async def _fetch_by_sftp(
    address: Address, part: Path, limits: TransferLimits, on_progress: OnProgress
) -> int:
    note, path = part.with_name(part.name + ".version"), _quoted(address.path)
    version, total = _listed(address, await _run_sftp(address, limits, f'ls -ln "{path}"'))
    check_size(total, limits, address.shown)
    start = await trio.to_thread.run_sync(_resumable, part, note, version, total)
    await trio.to_thread.run_sync(check_room, part.parent, total - start, limits, address.shown)
    if start < total or not total:
        command = f'{"reget" if start else "get"} "{path}" "{_quoted(str(part))}"'
        run = partial(_run_sftp, address, limits, command)
        await _watched(run, address, part, limits, lambda done: on_progress(done, total))
    size = await _size(part)
    if size != total:
        raise TransferError(f"{address.shown}: {size} bytes of {total}, then the connection ended")
    await trio.to_thread.run_sync(note.unlink)
    on_progress(size, total)
    return size


def _listed(address: Address, said: str) -> tuple[str, int]:
    """The version and the size of a file, from its line in a long listing: mode, links, owners, size, time, name.

    The time is to the minute: a file that was put in place of one of the same size in the same minute is not told
    from it; a checksum tells (``firmware.checksum_suffix``).

    Raises:
        TransferError: There is no such line.
    """
    for line in said.splitlines():
        words = line.split()
        if line.startswith("-") and len(words) > 8 and words[4].isdigit():
            return " ".join(words[4:8]), int(words[4])
    raise TransferError(f"{address.shown}: not a file")


def _resumable(part: Path, note: Path, version: str, total: int) -> int:
    """Bytes of this version there are; what belongs to another one goes."""
    is_same = note.exists() and note.read_text(encoding="utf-8", errors="replace") == version
    if is_same and part.exists() and part.stat().st_size <= total:
        return part.stat().st_size
    part.unlink(missing_ok=True)
    note.write_text(version, encoding="utf-8")
    return 0


async def _run_sftp(address: Address, limits: TransferLimits, command: str) -> str:
    """What the program said.

    Raises:
        TransferError: It failed.
    """
    program = shutil.which("sftp")
    assert program is not None
    host = f"[{address.host}]" if ":" in address.host else address.host
    known, key = limits.known_hosts_file, limits.ssh_key_file
    stall_s = max(1, round(of_real_time(limits.stall_timeout_s)))
    options = [
        f"BatchMode={'no' if address.password else 'yes'}",  # before -b, which would say yes
        "StrictHostKeyChecking=yes",
        *([f"UserKnownHostsFile={known}", "GlobalKnownHostsFile=none"] if known else []),
        *([f"IdentityFile={key}", "IdentitiesOnly=yes"] if key else []),
        "NumberOfPasswordPrompts=1",
        f"ConnectTimeout={max(1, round(of_real_time(limits.connect_timeout_s)))}",
        f"ServerAliveInterval={stall_s}",
        "ServerAliveCountMax=1",
    ]
    port = ["-P", str(address.port)] if address.port != PORTS["sftp"] else []
    user = f"{address.user}@" if address.user else ""
    # Settings of the user are nobody's declaration.
    arguments = [program, "-F", "none", *(f"-o{option}" for option in options), "-b", "-", *port]
    async with _password_in_environment(address.password) as environment:
        return await _run(address, [*arguments, "--", f"{user}{host}"], command + "\n", environment)


@asynccontextmanager
async def _password_in_environment(password: str) -> AsyncIterator[Mapping[str, str]]:
    """What a program of OpenSSH needs to get a password that nobody types: a program that tells it."""
    if not password:
        yield {}
        return
    folder = Path(await trio.to_thread.run_sync(tempfile.mkdtemp))
    try:
        script = trio.Path(folder / "askpass")
        await script.write_text(ASKPASS, encoding="ascii")
        await script.chmod(0o700)
        yield {PASSWORD: password, "SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(shutil.rmtree, folder)


# curl


def _curl() -> str | None:
    """curl, if it is there and speaks SFTP."""
    program = shutil.which("curl")
    if program is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    protocols = next((line for line in said.stdout.splitlines() if line.startswith("Protocols:")), "")
    return program if "sftp" in protocols.split() else None


async def _run_curl(address: Address, limits: TransferLimits, *lines: str) -> None:
    program = await trio.to_thread.run_sync(_curl)
    if program is None:
        raise TransferError(f"{address.shown}: this system has no program for sftp")
    key = limits.ssh_key_file
    options = [
        f'url = "{_quoted(address.url)}"',
        f"connect-timeout = {of_real_time(limits.connect_timeout_s):g}",
        f"speed-time = {max(1, round(of_real_time(limits.stall_timeout_s)))}",
        "speed-limit = 1",
        f"max-filesize = {limits.size_max}",
        *([f'user = "{_quoted(address.user)}:{_quoted(address.password)}"'] if address.user else []),
        *([f'key = "{_quoted(str(key))}"'] if key else []),
        *lines,
    ]
    async with _known_hosts_at_home(limits.known_hosts_file) as environment:
        command = [program, "--disable", "--silent", "--show-error", "--config", "-"]
        await _run(address, command, "\n".join(options), environment)


@asynccontextmanager
async def _known_hosts_at_home(known: Path | None) -> AsyncIterator[Mapping[str, str]]:
    """A home with ``known`` hosts: curl looks for them there only, and believes every server where it has no file."""
    home = Path(await trio.to_thread.run_sync(tempfile.mkdtemp))
    try:
        await trio.to_thread.run_sync(_furnish, home, known)
        yield {"HOME": str(home), "CURL_HOME": str(home)}
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(shutil.rmtree, home)


def _furnish(home: Path, known: Path | None) -> None:
    file = home / ".ssh" / "known_hosts"
    file.parent.mkdir()
    known = Path("~/.ssh/known_hosts").expanduser() if known is None else known
    file.write_bytes(known.read_bytes() if known.exists() else b"")


# Both


async def _watched(
    run: Callable[[], Awaitable[object]],
    address: Address,
    part: Path,
    limits: TransferLimits,
    on_progress: Callable[[int], None],
) -> None:
    """Let a program ``run`` and write ``part``; look how that grows, and end it where a bound is broken.

    Raises:
        TransferError: It failed, the file is too large, or nothing more comes.
        NoRoomError: The disk is too full.
        OSError: The disk, or there is no room for another process.
    """
    failed: list[TransferError | OSError] = []

    async def first(work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except (TransferError, OSError) as error:
            failed.append(error)
        nursery.cancel_scope.cancel()

    async def watch() -> None:
        size, since = -1, trio.current_time()
        while trio.current_time() - since < of_real_time(limits.stall_timeout_s):
            await trio.sleep(LOOK_S)
            before, size = size, await trio.to_thread.run_sync(_size_now, part)
            if size != before:
                since = trio.current_time()
                on_progress(size)
            check_size(size, limits, address.shown)
            await trio.to_thread.run_sync(check_room, part.parent, 0, limits, address.shown)
        raise TransferError(f"{address.shown}: nothing more came for {limits.stall_timeout_s:g} s")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first, run)
        nursery.start_soon(first, watch)
    if failed:
        raise failed[0]


async def _run(address: Address, command: list[str], text: str, more: Mapping[str, str]) -> str:
    done = await trio.run_process(
        command,
        stdin=text.encode(),
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env={**os.environ, **more},
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise TransferError(f"{address.shown}: {_told(address, said) or f'exit code {done.returncode}'}")
    return done.stdout.decode(errors="replace")


def _told(address: Address, said: Iterable[str]) -> str:
    """The line that says most of what went wrong, without what is secret."""
    lines = [line.strip() for line in said if line.strip() and not line.startswith("Connection closed")]
    # curl explains at length what it said first; sftp comes to the point at the end.
    told = next((line for line in lines if line.startswith("curl: ")), lines[-1] if lines else "")
    for secret in (address.password, address.user):
        told = told.replace(secret, "***") if secret else told
    return told[:TOLD_MAX]


async def _size(file: Path) -> int:
    return (await trio.Path(file).stat()).st_size


def _size_now(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _sync(file: Path) -> None:
    """See to it that what was written is on the disk."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
