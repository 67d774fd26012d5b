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
from engine.transfers.limits import OnProgress, TransferError
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
TOLD_EVERY = 10
"""Percent between what the log is told of progress."""
DIAGNOSTICS = "diagnostics-"
"""How files of diagnostics begin (machines/diagnostics_upload.py)."""


class Works(Protocol):
    """What touches the world: servers, disks, installers."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """Of the URLs that can be used: ``https``, ``ftp``."""

    async def fetch(self, address: Address, file: Path, on_progress: OnProgress) -> None:
        """Download to ``file``, going on where an earlier attempt stopped.

        Raises:
            TransferError: It failed; another attempt may go better.
        """

    async def verify(self, address: Address, file: Path) -> None:
        """Compare ``file`` with what its maker says of it.

        Raises:
            TransferError: It is another file, or nobody can know.
        """

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """Install ``file``; progress is in percent.

        Raises:
            InstallError: It was not installed.
        """

    async def confirm(self, *, is_cut: bool) -> None:
        """After the restart: keep the new firmware, which must run.

        Args:
            is_cut: The installation was not known to have ended.

        Raises:
            InstallError: It does not, or after a cut nobody can tell.
        """

    async def collect(self, wanted: DeliverDiagnostics, file: Path) -> None:
        """Write diagnostics to ``file``.

        Raises:
            OSError: The disk.
        """

    async def deliver(self, address: Address, file: Path, on_progress: OnProgress) -> None:
        """Upload ``file``.

        Raises:
            TransferError: It failed.
        """

    async def clear(self, directory: Path, begin: str, kept: str = "") -> None:
        """Make ``directory`` if it is missing, and remove what begins with ``begin`` but for ``kept`` and its parts.

        Raises:
            OSError: The disk.
        """


class UnderWay(Struct, frozen=True):
    """A piece of work, and how far it is."""

    work: str
    """What was asked for, such as ``FetchFirmware``."""
    done: int = 0
    """Bytes; percent of an installation."""
    total: int | None = None
    """None is not known."""

    @property
    def percent(self) -> int | None:
        """How far it is; None is not known."""
        return min(100 * self.done // self.total, 100) if self.total else None


Watch = Callable[[str, UnderWay | None], None]
"""Told how far a machine's work is; None when it is over."""


class _Asked(Struct, frozen=True):
    """What is to be done, and for whom."""

    by: str
    effect: TransferEffect


class _Task:
    """A piece of work that is under way, or over."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.over = trio.Event()


class Jobs:
    """Carries out what machines ask for.

    Args:
        works: What touches the world.
        directory: Where files lie while they are needed.
        deliver: Tells the machines how it ended.
        log: Told of beginnings and ends, and in between of every tenth.
        watch: Told how far everything is.
    """

    def __init__(
        self,
        works: Works,
        directory: Path,
        deliver: Callable[[TransferEnded], Awaitable[None]],
        log: EventLog,
        watch: Watch = lambda _by, _how_far: None,
    ) -> None:
        self._works = works
        self._directory = directory
        self._deliver = deliver
        self._log = log
        self._watch = watch
        self.under_way: dict[str, UnderWay] = {}
        """By the machine that asked for it."""
        # A machine asks for one piece at a time: there is never more here than machines.
        self._send, self._receive = trio.open_memory_channel[_Asked](math.inf)
        self._latest: dict[str, _Task] = {}
        """Of each machine."""

    def ask(self, by: str, effect: TransferEffect) -> None:
        """Have ``effect`` carried out for the machine ``by``, in place of what it asked for before."""
        self._send.send_nowait(_Asked(by, effect))

    async def run(self) -> None:
        """Do what is asked for, until cancelled."""
        async with trio.open_nursery() as nursery:
            async for asked in self._receive:
                before, task = self._latest.get(asked.by), _Task()
                if before is not None:
                    before.scope.cancel()
                self._latest[asked.by] = task
                nursery.start_soon(self._do, asked, task, before)

    async def _do(self, asked: _Asked, task: _Task, before: _Task | None) -> None:
        # What was given up may still be at the disk.
        if before is not None:
            await before.over.wait()
        with task.scope:
            if isinstance(asked.effect, GiveUpTransfer):
                await self._clear()
            else:
                await self._work(asked)
        task.over.set()

    async def _work(self, asked: _Asked) -> None:
        name = type(asked.effect).__name__
        self._log.event("work begun", work=name)
        self.under_way[asked.by] = UnderWay(name)
        try:
            ended = await self._end(asked.effect, self._follow(asked.by, name))
        finally:
            del self.under_way[asked.by]
            self._watch(asked.by, None)
        why = getattr(ended, "why", "")
        self._log.event("work ended", work=name, how=type(ended).__name__, **({"why": why} if why else {}))
        await self._deliver(ended)

    def _follow(self, by: str, name: str) -> OnProgress:
        """Note how far a piece of work is."""
        told = 0

        def on_progress(done: int, total: int | None) -> None:
            nonlocal told
            if by not in self.under_way:
                return  # It was given up, and a thread has not heard of it yet.
            now = self.under_way[by] = UnderWay(name, done, total)
            self._watch(by, now)
            if now.percent is not None and now.percent >= told + TOLD_EVERY:
                told = now.percent - now.percent % TOLD_EVERY
                self._log.event("work progress", work=name, percent=told)

        return on_progress

    async def _end(self, effect: TransferEffect, on_progress: OnProgress) -> TransferEnded:
        match effect:
            case FetchFirmware():
                return await self._fetch(effect, on_progress)
            case VerifyFirmware():
                return await self._verify(effect)
            case InstallFirmware(ticket):
                try:
                    await self._works.install(self._firmware(ticket), on_progress)
                except (InstallError, OSError) as error:
                    await self._clear()
                    return InstallFailed(ticket, _told(error))
                return FirmwareInstalled(ticket)
            case ConfirmFirmware(ticket, is_cut):
                try:
                    await self._works.confirm(is_cut=is_cut)
                except (InstallError, OSError) as error:
                    if not is_cut:  # else it may be installed again
                        await self._clear()
                    return InstallFailed(ticket, _told(error))
                await self._clear()
                return FirmwareConfirmed(ticket)
            case DeliverDiagnostics():
                return await self._deliver_diagnostics(effect, on_progress)
            case _:
                raise AssertionError(effect)

    async def _fetch(self, wanted: FetchFirmware, on_progress: OnProgress) -> FirmwareFetched | FetchFailed:
        file = self._firmware(wanted.ticket)
        try:
            address = parse(wanted.location, self._works.schemes)
            await self._works.clear(self._directory, FIRMWARE, file.name)
            # Complete since before a power cut: it is checked next.
            if not file.exists():
                await self._works.fetch(address, file, on_progress)
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

    async def _deliver_diagnostics(
        self, wanted: DeliverDiagnostics, on_progress: OnProgress
    ) -> DiagnosticsDelivered | DeliveryFailed:
        file = self._directory / wanted.file_name
        try:
            address = parse(wanted.location, self._works.schemes)
            await self._works.clear(self._directory, DIAGNOSTICS)
            await self._works.collect(wanted, file)
            await self._works.deliver(address.within(wanted.file_name), file, on_progress)
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
