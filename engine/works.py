"""The real world of engine/jobs.py: servers, disk, installer; whatever may block does so in a thread."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio
from msgspec.structs import replace

from engine import transfers
from engine.declaration.station import Firmware, Transfers
from engine.installers import Installer
from engine.transfers.address import Address
from engine.transfers.limits import OnProgress, TransferError, TransferLimits
from machines.vocabulary.transfers import DeliverDiagnostics

CHECKSUM_SIZE_MAX = 64 * 1024
"""Bytes of a file that holds a checksum."""

Collect = Callable[[DeliverDiagnostics, Path], Awaitable[None]]
"""Writes diagnostics into a file."""


class RealWorks:
    """Implements :class:`engine.jobs.Works`.

    Args:
        declared: Bounds of transfers.
        firmware: What is installed, and how.
        protocols: Those that the station declares, in the spelling of SupportedFileTransferProtocols.
        directory: The state directory.
        collect: Writes diagnostics.
    """

    def __init__(
        self,
        declared: Transfers,
        firmware: Firmware,
        protocols: tuple[str, ...],
        directory: Path,
        collect: Collect,
    ) -> None:
        self._limits = TransferLimits(
            size_max=declared.size_max,
            connect_timeout_s=declared.connect_timeout_s,
            stall_timeout_s=declared.stall_timeout_s,
            duration_max_s=declared.duration_max_s,
            redirects_max=declared.redirects_max,
            disk_free_min=declared.disk_free_min,
            ca_file=declared.ca_file,
            known_hosts_file=declared.known_hosts_file,
            ssh_key_file=declared.ssh_key_file,
        )
        self._suffix = firmware.checksum_suffix
        self._installer = installer_of(firmware, directory)
        offered = transfers.offered()
        self._schemes = tuple(name.lower() for name in protocols if name in offered)
        self.missing = tuple(name for name in protocols if name not in offered)
        """What is declared and this system cannot do."""
        self._collect = collect

    @property
    def schemes(self) -> tuple[str, ...]:
        """See :class:`engine.jobs.Works`: what is declared and this system can do."""
        return self._schemes

    async def fetch(self, address: Address, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.jobs.Works`."""
        await transfers.fetch(address, file, self._limits, on_progress)

    async def verify(self, address: Address, file: Path) -> None:
        """See :class:`engine.jobs.Works`: not empty and, where it is declared, with the checksum beside it."""
        if (await trio.Path(file).stat()).st_size == 0:
            raise TransferError(f"{address.shown}: an empty file")
        if not self._suffix:
            return
        beside = address.beside(self._suffix)
        note = file.with_name(file.name + ".checksum")
        await transfers.fetch(beside, note, replace(self._limits, size_max=CHECKSUM_SIZE_MAX))
        wanted = (await trio.Path(note).read_text(encoding="ascii", errors="replace")).split()[:1]
        await trio.Path(note).unlink()
        found = await trio.to_thread.run_sync(_sha256, file)
        if [each.lower() for each in wanted] != [found]:
            raise TransferError(f"{address.shown}: another checksum than {beside.shown} says")

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.jobs.Works`."""
        await self._installer.install(file, lambda percent: on_progress(percent, 100))

    async def confirm(self, *, is_cut: bool) -> None:
        """See :class:`engine.jobs.Works`."""
        await self._installer.confirm(is_cut=is_cut)

    async def collect(self, wanted: DeliverDiagnostics, file: Path) -> None:
        """See :class:`engine.jobs.Works`."""
        await self._collect(wanted, file)

    async def deliver(self, address: Address, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.jobs.Works`."""
        await transfers.deliver(address, file, self._limits, on_progress)

    async def clear(self, directory: Path, begin: str, kept: str = "") -> None:
        """See :class:`engine.jobs.Works`."""
        await trio.to_thread.run_sync(clear, directory, begin, kept)


def installer_of(firmware: Firmware, directory: Path) -> Installer:
    """The installer that is declared."""
    if firmware.installer == "command":
        from engine.installers.command import CommandInstaller

        return CommandInstaller(
            firmware.command,
            firmware.confirm,
            tuple(sorted(firmware.environment.items())),
            firmware.timeout_s,
        )
    if firmware.installer == "rauc":
        from engine.installers.rauc import RaucInstaller

        return RaucInstaller(directory / "slot-before-update", timeout_s=firmware.timeout_s)
    from engine.installers.simulated import SimulatedInstaller

    return SimulatedInstaller()


def clear(directory: Path, begin: str, kept: str = "") -> None:
    """Make ``directory``; remove what begins with ``begin`` but for the file ``kept`` and its parts.

    Raises:
        OSError: The disk.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in directory.glob(f"{begin}*"):
        if not kept or (file.name != kept and not file.name.startswith(f"{kept}.")):
            file.unlink(missing_ok=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
