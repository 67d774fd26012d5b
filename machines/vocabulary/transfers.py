"""Files that come and go, and firmware: what machines ask of the engine, and how that ends.

``ticket`` tells an ending from that of an earlier one which was given up.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from machines.machine import Effect

# What is asked


class TransferEffect(Effect, frozen=True):
    """Any of them. Carried out once the step that asked for it is on record."""


class FetchFirmware(TransferEffect, frozen=True):
    """Download firmware, going on where an earlier attempt stopped. Ends in FirmwareFetched or FetchFailed."""

    ticket: int
    location: str


class VerifyFirmware(TransferEffect, frozen=True):
    """Compare what was downloaded with what its maker says. Ends in FirmwareVerified or FirmwareCorrupt."""

    ticket: int
    location: str


class InstallFirmware(TransferEffect, frozen=True):
    """Install what was downloaded. Ends in FirmwareInstalled or InstallFailed."""

    ticket: int


class ConfirmFirmware(TransferEffect, frozen=True):
    """After the restart: does the new firmware run? Ends in FirmwareConfirmed or InstallFailed."""

    ticket: int
    is_cut: bool = False
    """The restart came before the installation was known to have ended: it may be begun again."""


class DeliverDiagnostics(TransferEffect, frozen=True):
    """Collect diagnostics into a file and upload it. Ends in DiagnosticsDelivered or DeliveryFailed."""

    ticket: int
    location: str
    """A folder."""
    file_name: str
    start: datetime | None
    """Nothing older; None is no bound."""
    stop: datetime | None


class GiveUpTransfer(TransferEffect, frozen=True):
    """Stop what this machine asked for, and throw away what has come of it; its ending is not told any more."""


# How it ends


class FirmwareFetched(Struct, frozen=True):
    """The file is complete."""

    ticket: int


class FetchFailed(Struct, frozen=True):
    """The download failed."""

    ticket: int
    why: str
    is_final: bool = False
    """Another attempt would be as bad: the location cannot be used."""


class FirmwareVerified(Struct, frozen=True):
    """The file is what its maker made."""

    ticket: int


class FirmwareCorrupt(Struct, frozen=True):
    """The file is another one; it was thrown away."""

    ticket: int
    why: str


class FirmwareInstalled(Struct, frozen=True):
    """The firmware is in place, and runs after a restart."""

    ticket: int


class InstallFailed(Struct, frozen=True):
    """It is not in place, or it is not what runs now. The old one is whole."""

    ticket: int
    why: str


class FirmwareConfirmed(Struct, frozen=True):
    """The new firmware runs, and stays."""

    ticket: int


class DiagnosticsDelivered(Struct, frozen=True):
    """The file is where it was wanted."""

    ticket: int


class DeliveryFailed(Struct, frozen=True):
    """It is not."""

    ticket: int
    why: str
    is_final: bool = False
    """Another attempt would be as bad: the location cannot be used."""


TransferEnded = (
    FirmwareFetched
    | FetchFailed
    | FirmwareVerified
    | FirmwareCorrupt
    | FirmwareInstalled
    | InstallFailed
    | FirmwareConfirmed
    | DiagnosticsDelivered
    | DeliveryFailed
)
"""Any ending."""

ENDINGS: dict[type[TransferEffect], tuple[type[Any], type[Any]]] = {
    FetchFirmware: (FirmwareFetched, FetchFailed),
    VerifyFirmware: (FirmwareVerified, FirmwareCorrupt),
    InstallFirmware: (FirmwareInstalled, InstallFailed),
    ConfirmFirmware: (FirmwareConfirmed, InstallFailed),
    DeliverDiagnostics: (DiagnosticsDelivered, DeliveryFailed),
}
"""How each may end: well, with its ticket, or not, with the ticket and why."""
