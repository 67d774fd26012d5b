"""The bounds of a transfer, how far it is, and how it says that it failed."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

OnProgress = Callable[[int, int | None], None]
"""Told the bytes that were transferred, a resumed part included, and how many there are; None is not known."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a disk that takes no more."""


class TransferError(Exception):
    """A transfer failed. One line, without credentials, for the log and the diagnostics."""


class NoRoomError(TransferError):
    """It failed for want of room; what arrived is of no use, and in the way."""


class TransferLimits(Struct, frozen=True, kw_only=True):
    """What a transfer may take."""

    size_max: int = 1024**3
    """Bytes of the file."""
    connect_timeout_s: float = 30
    stall_timeout_s: float = 60
    """Without a byte for so long, the server counts as gone."""
    duration_max_s: float = 4 * 3600
    redirects_max: int = 5
    disk_free_min: int = 0
    """Bytes that stay free on the disk: the station writes its transactions there."""
    ca_file: Path | None = None
    """Who vouches for https and ftps servers; None is what the system trusts."""
    known_hosts_file: Path | None = None
    """The keys of sftp servers, as OpenSSH writes them; None is the file of the user that runs this."""
    ssh_key_file: Path | None = None
    """Who this is for sftp servers; None is what the programs of the system use by themselves."""


def check_size(size: int, limits: TransferLimits, shown: str) -> None:
    """Refuse a file that is too large.

    Raises:
        TransferError: ``size`` is beyond ``limits``.
    """
    if size > limits.size_max:
        raise TransferError(f"{shown}: larger than {limits.size_max} bytes")


def check_room(folder: Path, more: int, limits: TransferLimits, shown: str) -> None:
    """Refuse to write ``more`` bytes where the disk would be too full after them.

    Raises:
        NoRoomError: It would.
        OSError: The disk.
    """
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize - more < limits.disk_free_min:
        raise NoRoomError(f"{shown}: no room for it on the disk")
