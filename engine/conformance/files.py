"""Servers of files, and what installs them, in memory: for stations in virtual time (engine/jobs.py)."""

import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio
import trio.lowlevel

from engine.installers import InstallError
from engine.installers.simulated import DURATION_S, MARK, SimulatedInstaller
from engine.transfers.address import PORTS, Address, AddressError, parse
from engine.transfers.limits import OnProgress, TransferError
from engine.works import clear
from machines.vocabulary.transfers import (
    ConfirmFirmware,
    DeliverDiagnostics,
    DeliveryFailed,
    DiagnosticsDelivered,
    FetchFailed,
    FetchFirmware,
    FirmwareConfirmed,
    FirmwareCorrupt,
    FirmwareFetched,
    FirmwareInstalled,
    FirmwareVerified,
    InstallFailed,
    InstallFirmware,
    TransferEffect,
    TransferEnded,
    VerifyFirmware,
)

TRANSFER_S = 2.0
"""How long any transfer takes."""

NOBODY = "127.0.0.1"
"""There is no server in the station itself."""


CORRUPT, OLD, SLOW, ITSELF = b"CORRUPT", b"OLD", b"SLOW", b"ITSELF"
"""Firmware that its maker knows nothing of; after which the old one runs; of which it takes :data:`CONFIRM_S` to see
that it runs; whose installer restarts the station without being asked."""
CONFIRM_S = 30.0

SERVER = "ftp://files.example/"
"""A folder of files for tours; diagnostics may be put there, too."""
FILES = {
    SERVER + "firmware.bin": b"firmware",
    SERVER + "broken.bin": MARK,
    SERVER + "corrupt.bin": CORRUPT,
    SERVER + "old.bin": OLD,
    SERVER + "slow.bin": SLOW,
    SERVER + "itself.bin": ITSELF,
}


def outcome(
    asked: TransferEffect, file: tuple[int, str] | None, *, is_installed: bool = False
) -> tuple[float, TransferEnded]:
    """How long what a machine asks for takes with :data:`FILES`, and how it ends.

    Args:
        asked: What it asks for.
        file: The firmware that is on the disk, by its ticket and location.
        is_installed: The installation had ended before the power went.
    """
    content = b"" if file is None else FILES[file[1]]
    match asked:
        case FetchFirmware(ticket, location):
            if not _is_location(location):
                return 0, FetchFailed(ticket, "", is_final=True)
            if file == (ticket, location):
                return 0, FirmwareFetched(ticket)
            return TRANSFER_S, FirmwareFetched(ticket) if location in FILES else FetchFailed(ticket, "")
        case VerifyFirmware(ticket):
            is_known = content != CORRUPT
            return TRANSFER_S, FirmwareVerified(ticket) if is_known else FirmwareCorrupt(ticket, "")
        case InstallFirmware(ticket):
            is_good = content not in (b"", MARK)
            after_s = math.inf if content == ITSELF else DURATION_S
            return after_s, FirmwareInstalled(ticket) if is_good else InstallFailed(ticket, "")
        case ConfirmFirmware(ticket, is_cut):
            runs = content != OLD and not (is_cut and not (content == ITSELF and is_installed))
            after_s = CONFIRM_S if content == SLOW else 0
            return after_s, FirmwareConfirmed(ticket) if runs else InstallFailed(ticket, "")
        case DeliverDiagnostics(ticket, location):
            if not _is_location(location):
                return 0, DeliveryFailed(ticket, "", is_final=True)
            is_refused = parse(location).host == NOBODY
            return TRANSFER_S, DeliveryFailed(ticket, "") if is_refused else DiagnosticsDelivered(ticket)
        case _:
            raise AssertionError(asked)


def _is_location(text: str) -> bool:
    try:
        parse(text)
    except AddressError:
        return False
    return True


class MemoryFiles:
    """Implements :class:`engine.jobs.Works`.

    Args:
        collect: Writes diagnostics into a file.
    """

    def __init__(self, collect: Callable[[DeliverDiagnostics, Path], Awaitable[None]]) -> None:
        self._collect = collect
        self.files: dict[str, bytes] = {}
        """What servers have, by URL without credentials; uploads come here too."""
        self.is_reachable = True
        self.is_corrupt = False
        """Whether what is downloaded is another thing than its maker made."""
        self.runs_old = False
        """Whether the old firmware runs after the restart."""
        self.restarts_itself = False
        """Whether what was installed to the end runs after a cut, too, as with an installer that restarts the box."""
        self.takes_uploads = True
        self.installed: list[bytes] = []
        """Everything that was installed."""
        self.downloads = 0
        self._content = b""
        """What was installed last, or is being installed."""
        self._is_complete = False
        """Its installation has ended."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """All that there are."""
        return tuple(PORTS)

    async def fetch(self, address: Address, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.jobs.Works`."""
        self.downloads += 1
        await trio.sleep(TRANSFER_S)
        content = self.files.get(address.shown)
        if not self.is_reachable or content is None:
            raise TransferError(f"{address.shown}: not found")
        _write(file, content)
        on_progress(len(content), len(content))

    async def verify(self, address: Address, file: Path) -> None:
        """See :class:`engine.jobs.Works`."""
        await trio.sleep(TRANSFER_S)
        if self.is_corrupt or _read(file) == CORRUPT:
            raise TransferError(f"{address.shown}: another checksum")

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.jobs.Works`."""
        self._content, self._is_complete = _read(file), False
        await SimulatedInstaller().install(file, lambda percent: on_progress(percent, 100))
        self._is_complete = True
        self.installed.append(self._content)
        if self._restarts:
            await trio.sleep_forever()  # until the power goes

    async def confirm(self, *, is_cut: bool) -> None:
        """See :class:`engine.jobs.Works`."""
        if self._content == SLOW:
            await trio.sleep(CONFIRM_S)
        await SimulatedInstaller().confirm(is_cut=is_cut and not (self._restarts and self._is_complete))
        if self.runs_old or self._content == OLD:
            raise InstallError("the old firmware runs")

    @property
    def _restarts(self) -> bool:
        return self.restarts_itself or self._content == ITSELF

    async def collect(self, wanted: DeliverDiagnostics, file: Path) -> None:
        """See :class:`engine.jobs.Works`."""
        await self._collect(wanted, file)

    async def deliver(self, address: Address, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.jobs.Works`."""
        await trio.sleep(TRANSFER_S)
        if not self.is_reachable or not self.takes_uploads or address.host == NOBODY:
            raise TransferError(f"{address.shown}: refused")
        self.files[address.shown] = content = _read(file)
        on_progress(len(content), len(content))

    async def clear(self, directory: Path, begin: str, kept: str = "") -> None:
        """See :class:`engine.jobs.Works`."""
        await trio.lowlevel.checkpoint()
        clear(directory, begin, kept)


def _read(file: Path) -> bytes:
    return file.read_bytes()


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)
