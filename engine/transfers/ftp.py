"""FTP and FTPS by the standard library's ftplib in a thread, which ends when its sockets are shut down."""

import ftplib
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import trio
import trio.lowlevel

from engine.transfers.address import Address
from engine.transfers.limits import FULL, OnProgress, TransferError, TransferLimits, check_room, check_size

BLOCK = 64 * 1024
"""Bytes read from a socket at a time."""
TOLD_EVERY = 1024 * 1024
"""Bytes between what is told of progress."""
ANSWERS_SIZE_MAX = 256 * 1024
"""Characters that a server may answer to all commands; a transfer takes some hundred."""

ANONYMOUS = "anonymous"
ERRORS = (ftplib.Error, OSError, EOFError, ValueError)
"""How ftplib says that something failed; ValueError of an answer that is no number, and of a host that is no name."""


class _CancelledError(OSError):
    """Nobody waits for the transfer any more."""


class _Session:
    """One FTP connection in a thread, which another thread may end."""

    def __init__(self, address: Address, limits: TransferLimits) -> None:
        self._address = address
        self._limits = limits
        self._sockets: list[socket.socket] = []
        """Of data."""
        self._client: ftplib.FTP | None = None
        self._is_cancelled = False
        """Set by the thread of Trio, read by ours."""

    def cancel(self) -> None:
        """End it from another thread: whatever it waits for fails at once, and it writes nothing more."""
        self._is_cancelled = True
        control = getattr(self._client, "sock", None)
        for each in [*self._sockets, *([control] if control is not None else [])]:
            with suppress(OSError):  # It is closed already.
                each.shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Stop here if nobody waits any more."""
        if self._is_cancelled:
            raise _CancelledError

    def run(self, work: Callable[[], int | None]) -> int | None:
        """Do ``work`` and leave no socket open."""
        try:
            return work()
        finally:
            for each in self._sockets:
                each.close()
            if self._client is not None:
                self._client.close()

    def open(self) -> ftplib.FTP:
        """A connection that is logged in, in binary mode."""
        address, limits = self._address, self._limits
        client: ftplib.FTP
        if address.scheme == "ftps":
            context = ssl.create_default_context(cafile=str(limits.ca_file) if limits.ca_file else None)
            client = _FtpTls(self._sockets, context=context, timeout=limits.connect_timeout_s)
        else:
            client = _Noting(self._sockets, timeout=limits.connect_timeout_s)
        self._client = client
        client.connect(address.host, address.port)
        self.check()
        client.login(address.user or ANONYMOUS, address.password or f"{ANONYMOUS}@")
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        assert client.sock is not None
        client.sock.settimeout(limits.stall_timeout_s)
        client.timeout = limits.stall_timeout_s  # of the data connections
        client.voidcmd("TYPE I")
        return client


class _Noting(ftplib.FTP):
    """Notes its data sockets, so that they can be shut down, and how much the server answered."""

    def __init__(self, sockets: list[socket.socket], **options: Any) -> None:
        self._sockets = sockets
        self._answered = 0
        super().__init__(**options)

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        # That of FTP also with TLS, which begins in secured().
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - it is asked for
        connection = self.secured(connection)
        self._sockets.append(connection)
        return connection, size

    def secured(self, connection: socket.socket) -> socket.socket:
        """A connection of data, with TLS if that is wanted."""
        return connection

    def getline(self) -> str:
        # ftplib puts the lines of an answer together until the last one comes, and it need not come.
        line = super().getline()
        self._answered += len(line)
        if self._answered > ANSWERS_SIZE_MAX:
            raise ValueError("the server answered too much")
        return line


class _FtpTls(_Noting, ftplib.FTP_TLS):
    """The same with TLS; the data connections too, which go on with the session of the control connection.

    ftplib begins another session, and servers that do as they are by default (vsftpd, FileZilla) refuse that.
    """

    def secured(self, connection: socket.socket) -> socket.socket:
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            return self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        except BaseException:
            connection.close()
            raise


async def fetch(address: Address, part: Path, limits: TransferLimits, on_progress: OnProgress) -> int:
    """Download into ``part``, from where it ends; return its bytes.

    Raises:
        TransferError: As :func:`engine.transfers.fetch`.
    """
    session, path = _Session(address, limits), _path(address)
    tell = _teller(on_progress)
    note = part.with_name(part.name + ".version")

    def work() -> int:
        client = session.open()
        size = _size_of(client, path)
        check_size(size or 0, limits, address.shown)
        version = f"{size} {_changed(client, path)}"
        start = part.stat().st_size if _is_of(part, note, version) else 0
        check_room(part.parent, 0 if size is None else size - start, limits, address.shown)
        note.write_text(version, encoding="utf-8")
        with part.open("r+b" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            check = partial(_check, session, part.parent, limits, address.shown)
            taken = _Taker(file, start, check, lambda done: tell(done, size))
            if start != size:
                client.retrbinary(f"RETR {path}", taken, BLOCK, rest=start or None)
            file.flush()
            os.fsync(file.fileno())
        if size is not None and taken.size != size:
            raise TransferError(f"{address.shown}: {taken.size} bytes of {size}, then the connection ended")
        _leave(client)
        note.unlink()
        return taken.size

    size = await _in_thread(session, work, address)
    assert size is not None
    return size


async def deliver(address: Address, source: Path, limits: TransferLimits, on_progress: OnProgress) -> None:
    """Upload with STOR.

    Raises:
        TransferError: As :func:`engine.transfers.deliver`.
    """
    session = _Session(address, limits)
    tell = _teller(on_progress)

    def work() -> None:
        client = session.open()
        size, sent = source.stat().st_size, 0

        def count(block: bytes) -> None:
            nonlocal sent
            session.check()
            sent += len(block)
            tell(sent, size)

        with source.open("rb") as file:
            client.storbinary(f"STOR {_path(address)}", file, BLOCK, count)
        _leave(client)

    await _in_thread(session, work, address)


def _path(address: Address) -> str:
    """What to ask for: from where the user is after the login, or after ``//`` from the root (RFC 1738, 3.2.2)."""
    return address.path[1:] or "/"


class _Taker:
    """Takes the blocks of a download."""

    def __init__(
        self, file: BinaryIO, start: int, check: Callable[[int, int], None], tell: Callable[[int], None]
    ) -> None:
        self.size = start
        self._file = file
        self._check = check
        self._tell = tell

    def __call__(self, block: bytes) -> None:
        self._check(self.size, len(block))
        self._file.write(block)
        self.size += len(block)
        self._tell(self.size)


def _check(session: _Session, folder: Path, limits: TransferLimits, shown: str, size: int, more: int) -> None:
    """Stop where a block of ``more`` bytes may not be written behind ``size`` bytes."""
    session.check()
    check_size(size + more, limits, shown)
    check_room(folder, more, limits, shown)


def _teller(on_progress: OnProgress) -> OnProgress:
    """``on_progress``, as a thread may tell it: not of every block, each of which would wake the loop."""
    token = trio.lowlevel.current_trio_token()
    told: int | None = None

    def tell(done: int, size: int | None) -> None:
        nonlocal told
        if told is None or done >= told + TOLD_EVERY or done == size:
            told = done
            token.run_sync_soon(on_progress, done, size)

    return tell


def _size_of(client: ftplib.FTP, path: str) -> int | None:
    """What the server says of the size; None if it does not."""
    try:
        return client.size(path)
    except ftplib.error_perm as error:
        if str(error).startswith(("500", "502", "504")):
            return None
        raise


def _changed(client: ftplib.FTP, path: str) -> str:
    """When the file was last changed, as the server says it; empty if it does not."""
    try:
        return client.voidcmd(f"MDTM {path}").removeprefix("213").strip()
    except ftplib.error_perm:
        return ""


def _is_of(part: Path, note: Path, version: str) -> bool:
    """Whether ``part`` was begun from this version of the file; without size and time nobody can know."""
    known, _, changed = version.partition(" ")
    if not changed or not known.isdigit() or not part.exists() or not note.exists():
        return False
    return note.read_text(encoding="utf-8", errors="replace") == version and part.stat().st_size <= int(known)


def _leave(client: ftplib.FTP) -> None:
    with suppress(*ERRORS):  # The file is complete; how the server says goodbye makes no difference.
        client.quit()


async def _in_thread(session: _Session, work: Callable[[], int | None], address: Address) -> int | None:
    """Let a thread ``work``. When nobody waits any more its sockets are shut down, and it ends by itself."""
    try:
        return await trio.to_thread.run_sync(session.run, work, abandon_on_cancel=True)
    except trio.Cancelled:
        session.cancel()
        raise
    except ERRORS as error:
        # The text of a server's answer is its own; a reply code and a kind say enough.
        if getattr(error, "errno", None) in FULL:
            raise  # the disk of ours
        is_reply = isinstance(error, ftplib.Error)
        told = str(error)[:3] if is_reply else getattr(error, "strerror", None) or str(error) or "cut off"
        raise TransferError(f"{address.shown}: {told}") from error
