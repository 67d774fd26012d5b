"""Files fetched from and delivered to servers: http, https, ftp, ftps, and sftp where the system has a program for it.

Firmware comes this way and diagnostics leave this way. A transfer is bounded in size, in time and in silence, it can be
cancelled at any point, and its errors never show the credentials that a URL may carry.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import trio

from engine.speed import of_real_time
from engine.transfers import sftp
from engine.transfers.address import Address, AddressError, parse
from engine.transfers.limits import FULL, NoRoomError, OnProgress, TransferError, TransferLimits, check_room

__all__ = [
    "Address",
    "AddressError",
    "NoRoomError",
    "OnProgress",
    "TransferError",
    "TransferLimits",
    "deliver",
    "fetch",
    "offered",
    "parse",
]


def offered() -> tuple[str, ...]:
    """The protocols that this system can use, in the spelling of SupportedFileTransferProtocols."""
    found = ["FTP", "FTPS"]
    # Found, not loaded: it takes a tenth of a second and 15 MB, and most days bring no file.
    if find_spec("httpx") is not None:
        found += ["HTTP", "HTTPS"]
    if sftp.is_offered():
        found.append("SFTP")
    return tuple(found)


def _silent(_done: int, _all: int | None) -> None:
    """Nobody looks."""


async def fetch(
    address: Address, target: Path, limits: TransferLimits, on_progress: OnProgress = _silent
) -> int:
    """Download to ``target``, going on from where an earlier attempt at the same source stopped; return its bytes.

    The file appears under its name when it is complete; until then it is ``target`` with ``.part`` added.

    Raises:
        TransferError: It failed, with the reason; what arrived is kept for the next attempt, unless it filled the disk.
    """
    part = target.with_name(target.name + ".part")
    try:
        return await _fetch(address, part, target, limits, on_progress)
    except NoRoomError:
        await trio.to_thread.run_sync(_remove, part)
        raise


async def _fetch(
    address: Address, part: Path, target: Path, limits: TransferLimits, on_progress: OnProgress
) -> int:
    with _limited(limits, address):
        await trio.to_thread.run_sync(check_room, part.parent, 0, limits, address.shown)
        match address.scheme:
            case "http" | "https":
                http = await _loaded_http()
                size: int = await http.fetch(address, part, limits, on_progress)
            case "ftp" | "ftps":
                from engine.transfers import ftp

                size = await ftp.fetch(address, part, limits, on_progress)
            case _:
                size = await sftp.fetch(address, part, limits, on_progress)
        await trio.to_thread.run_sync(part.replace, target)
    return size


async def deliver(
    address: Address, source: Path, limits: TransferLimits, on_progress: OnProgress = _silent
) -> None:
    """Upload ``source`` to ``address``, whose path names the file there.

    Raises:
        TransferError: It failed, with the reason.
    """
    with _limited(limits, address):
        match address.scheme:
            case "http" | "https":
                http = await _loaded_http()
                await http.deliver(address, source, limits, on_progress)
            case "ftp" | "ftps":
                from engine.transfers import ftp

                await ftp.deliver(address, source, limits, on_progress)
            case _:
                await sftp.deliver(address, source, limits, on_progress)


async def _loaded_http() -> ModuleType:
    """engine.transfers.http, with all that it stands on: loaded in a thread, for it takes a tenth of a second."""
    return await trio.to_thread.run_sync(_load_http)


def _load_http() -> ModuleType:
    for name in (
        "httpx",
        "httpcore",
        "httpcore._backends.trio",
    ):  # The last two are loaded by a first request.
        import_module(name)
    return import_module("engine.transfers.http")


@contextmanager
def _limited(limits: TransferLimits, address: Address) -> Iterator[None]:
    """Bound the whole transfer in time, and tell the errors of the local disk as those of the transfer."""
    try:
        with trio.move_on_after(of_real_time(limits.duration_max_s)) as scope:
            yield
    except OSError as error:
        kind = NoRoomError if error.errno in FULL else TransferError
        raise kind(f"{address.shown}: {error.strerror or error}") from error
    if scope.cancelled_caught:
        raise TransferError(f"{address.shown}: not done in {limits.duration_max_s:g} s")


def _remove(part: Path) -> None:
    """Give the room of what arrived back, and forget which version of the file it was."""
    for file in part.parent.glob(f"{part.name}*"):
        with suppress(OSError):
            file.unlink()
