"""The bounds of a transfer, and how it says that it failed."""

from pathlib import Path

from msgspec import Struct


class TransferError(Exception):
    """A transfer failed. One line, without credentials, for the log and the diagnostics."""


class TransferLimits(Struct, frozen=True, kw_only=True):
    """What a transfer may take."""

    size_max: int = 1024**3
    """Bytes of the file."""
    connect_timeout_s: float = 30
    stall_timeout_s: float = 60
    """Without a byte for so long, the server counts as gone."""
    duration_max_s: float = 4 * 3600
    redirects_max: int = 5
    ca_file: Path | None = None
    """Who vouches for https and ftps servers; None is what the system trusts."""


def check_size(size: int, limits: TransferLimits, shown: str) -> None:
    """Refuse a file that is too large.

    Raises:
        TransferError: ``size`` is beyond ``limits``.
    """
    if size > limits.size_max:
        raise TransferError(f"{shown}: larger than {limits.size_max} bytes")
