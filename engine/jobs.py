"""Long work that machines ask for: firmware is fetched, checked and installed, diagnostics are collected and delivered.

Each piece of work is a task of its own beside the station; nothing here is waited for. How it ended comes back to the
machine that asked, with its ticket. Whatever goes wrong outside (a server, a disk, an installer) is such an ending.
"""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import trio
from msgspec import Struct

from engine.installers import InstallError
from engine.log import EventLog
from engine.transfers.address import Address, AddressError, parse
from engine.transfers.limits import TransferError
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
    GiveUpTransfer,
    InstallFailed,
    InstallFirmware,
    TransferEffect,
    TransferEnded,
    VerifyFirmware,
)

FOLDER = "transfers"
"""Of the state directory."""
FIRMWARE = "firmware-"
"""How files of firmware begin; the ticket follows."""
DIAGNOSTICS = "diagnostics-"
"""How files of diagnostics begin (machines/diagnostics_upload.py)."""


class Works(Protocol):
    """What touches the world: servers, disks, installers."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """Of the URLs that can be used: ``https``, ``ftp``."""

    async def fetch(self, address: Address, file: Path) -> None:
        """Download to ``file``, going on where an earlier attempt stopped.

        Raises:
            TransferError: It failed; another attempt may go better.
        """

    async def verify(self, address: Address, file: Path) -> None:
        """Compare ``file`` with what its maker says of it.

        Raises:
            TransferError: It is another file, or nobody can know.
        """

    async def install(self, file: Path) -> None:
        """Install ``file``.

        Raises:
            InstallError: It was not installed.
        """

    async def confirm(self) -> None:
        """After the restart: keep the new firmware, which must run.

        Raises:
            InstallError: It does not.
        """

    async def collect(self, wanted: DeliverDiagnostics, file: Path) -> None:
        """Write diagnostics to ``file``.

        Raises:
            OSError: The disk.
        """

    async def deliver(self, address: Address, file: Path) -> None:
        """Upload ``file``.

        Raises:
            TransferError: It failed.
        """

    async def clear(self, directory: Path, begin: str, kept: str = "") -> None:
        """Make ``directory`` if it is missing, and remove what begins with ``begin`` but for ``kept`` and its parts.

        Raises:
            OSError: The disk.
        """


class _Asked(Struct, frozen=True):
    """What is to be done, and for whom."""

    by: str
    effect: TransferEffect


class Jobs:
    """Carries out what machines ask for.

    Args:
        works: What touches the world.
        directory: Where files lie while they are needed.
        deliver: Tells the machines how it ended.
        log: Told of beginnings and ends.
    """

    def __init__(
        self,
        works: Works,
        directory: Path,
        deliver: Callable[[TransferEnded], Awaitable[None]],
        log: EventLog,
    ) -> None:
        self._works = works
        self._directory = directory
        self._deliver = deliver
        self._log = log
        # A machine asks for one piece at a time: there is never more here than machines.
        self._send, self._receive = trio.open_memory_channel[_Asked](math.inf)
        self._scopes: dict[str, trio.CancelScope] = {}

    def ask(self, by: str, effect: TransferEffect) -> None:
        """Have ``effect`` carried out for the machine ``by``, in place of what it asked for before."""
        self._send.send_nowait(_Asked(by, effect))

    async def run(self) -> None:
        """Do what is asked for, until cancelled."""
        async with trio.open_nursery() as nursery:
            async for asked in self._receive:
                before = self._scopes.pop(asked.by, None)
                if before is not None:
                    before.cancel()
                if not isinstance(asked.effect, GiveUpTransfer):
                    scope = self._scopes[asked.by] = trio.CancelScope()
                    nursery.start_soon(self._do, asked.effect, scope)

    async def _do(self, effect: TransferEffect, scope: trio.CancelScope) -> None:
        with scope:
            name = type(effect).__name__
            self._log.event("work begun", work=name)
            ended = await self._end(effect)
            why = getattr(ended, "why", "")
            self._log.event(
                "work ended", work=name, how=type(ended).__name__, **({"why": why} if why else {})
            )
            await self._deliver(ended)

    async def _end(self, effect: TransferEffect) -> TransferEnded:
        match effect:
            case FetchFirmware():
                return await self._fetch(effect)
            case VerifyFirmware():
                return await self._verify(effect)
            case InstallFirmware(ticket):
                try:
                    await self._works.install(self._firmware(ticket))
                except (InstallError, OSError) as error:
                    await self._clear()
                    return InstallFailed(ticket, _told(error))
                return FirmwareInstalled(ticket)
            case ConfirmFirmware(ticket):
                try:
                    await self._works.confirm()
                except (InstallError, OSError) as error:
                    return InstallFailed(ticket, _told(error))
                finally:
                    await self._clear()
                return FirmwareConfirmed(ticket)
            case DeliverDiagnostics():
                return await self._deliver_diagnostics(effect)
            case _:
                raise AssertionError(effect)

    async def _fetch(self, wanted: FetchFirmware) -> FirmwareFetched | FetchFailed:
        file = self._firmware(wanted.ticket)
        try:
            address = parse(wanted.location, self._works.schemes)
            await self._works.clear(self._directory, FIRMWARE, file.name)
            # Complete since before a power cut: it is checked next.
            if not file.exists():
                await self._works.fetch(address, file)
        except AddressError as error:
            return FetchFailed(wanted.ticket, str(error), is_final=True)
        except (TransferError, OSError) as error:
            return FetchFailed(wanted.ticket, _told(error))
        return FirmwareFetched(wanted.ticket)

    async def _verify(self, wanted: VerifyFirmware) -> FirmwareVerified | FirmwareCorrupt:
        try:
            address = parse(wanted.location, self._works.schemes)
            await self._works.verify(address, self._firmware(wanted.ticket))
        except (AddressError, TransferError, OSError) as error:
            await self._clear()
            return FirmwareCorrupt(wanted.ticket, _told(error))
        return FirmwareVerified(wanted.ticket)

    async def _deliver_diagnostics(self, wanted: DeliverDiagnostics) -> DiagnosticsDelivered | DeliveryFailed:
        file = self._directory / wanted.file_name
        try:
            address = parse(wanted.location, self._works.schemes)
            await self._works.clear(self._directory, DIAGNOSTICS)
            await self._works.collect(wanted, file)
            await self._works.deliver(address.within(wanted.file_name), file)
        except AddressError as error:
            return DeliveryFailed(wanted.ticket, str(error), is_final=True)
        except (TransferError, OSError) as error:
            return DeliveryFailed(wanted.ticket, _told(error))
        finally:
            with suppress(OSError):  # What cannot be removed now is removed before the next one.
                file.unlink(missing_ok=True)
        return DiagnosticsDelivered(wanted.ticket)

    def _firmware(self, ticket: int) -> Path:
        return self._directory / f"{FIRMWARE}{ticket}"

    async def _clear(self) -> None:
        """Throw firmware away that was installed, or is of no use. A disk that will not is tried again next time."""
        with suppress(OSError):
            await self._works.clear(self._directory, FIRMWARE)


def _told(error: Exception) -> str:
    """One line. The text of an error of the operating system may hold a path, which nobody needs to know."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
