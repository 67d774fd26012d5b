"""Card readers played on pyserial-asyncio, in a thread with a loop of its own, on a pseudo-terminal.

The fake gets the master of the pseudo-terminal, as the server of pymodbus does; the station opens the slave by a
symbolic link that stays where it is. Unplugging closes the master.
"""

import asyncio
import os
import queue
import threading
import tty
from pathlib import Path
from typing import Any, Self

import serial
import serial_asyncio

from drivers.readers.twn4 import SEARCH_TAG, line_of
from tests.peers.modbus_devices import register_handler

GUARD_S = 60
REPEAT_S = 0.05
HELD_S = 0.3
"""How long a card is held to the reader."""
AWAY_S = 1.3
"""From one card to the next: longer than the station takes a card to be there still."""


class _Reader(asyncio.Protocol):
    """What the reader does: one that tells by itself repeats, one that is asked answers."""

    def __init__(self) -> None:
        self.card = b""
        self.is_silent = False
        self.questions = 0
        self._heard = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._heard = (self._heard + data).split(b"\r")
        for line in lines:
            assert line + b"\r" == line_of(SEARCH_TAG, has_crc=False)
            self.questions += 1
            if not self.is_silent:
                self.transport.write(twn4_answer(self.card))

    async def push(self) -> None:
        """As an RDM6300 does."""
        while True:
            if self.card and not self.is_silent:
                self.transport.write(rdm6300_frame(self.card))
            await asyncio.sleep(REPEAT_S)


class FakeReader:
    """A context manager; within it the reader is there.

    Args:
        link: Where the pseudo-terminal shall be found.
        pushes: Whether it tells by itself, as an RDM6300, or is asked, as a TWN4.
    """

    def __init__(self, link: Path, *, pushes: bool) -> None:
        self.link = link
        self._pushes = pushes
        self._reader = _Reader()
        self._free_at = 0.0

    @property
    def questions(self) -> int:
        """How often it was asked."""
        return self._reader.questions

    def __enter__(self) -> Self:
        register_handler()
        master, self._slave = os.openpty()
        tty.setraw(master)
        tty.setraw(self._slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        started: queue.Queue[BaseException | None] = queue.Queue()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(master, started)), daemon=True)
        self._thread.start()
        error = started.get(timeout=GUARD_S)
        if error is not None:
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        self.link.unlink(missing_ok=True)  # first: the number of the terminal is another one's soon
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(GUARD_S)
        assert not self._thread.is_alive()
        os.close(self._slave)

    def present(self, uid: str) -> None:
        """Hold a card to the reader for a moment, as soon as the one before has been away for long enough."""
        self._loop.call_soon_threadsafe(self._wait_and_show, bytes.fromhex(uid))

    def silence(self, is_silent: bool) -> None:
        """Let it say nothing, as if it had no power."""
        self._reader.is_silent = is_silent

    def _wait_and_show(self, card: bytes) -> None:
        show_at = max(self._loop.time(), self._free_at)
        self._free_at = show_at + HELD_S + AWAY_S
        self._loop.call_at(show_at, self._show, card)

    def _show(self, card: bytes) -> None:
        self._reader.card = card
        self._loop.call_later(HELD_S, self._take_away)

    def _take_away(self) -> None:
        self._reader.card = b""

    async def _serve(self, master: int, started: "queue.Queue[BaseException | None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            port = serial.serial_for_url(f"ptm://x/{master}", timeout=0)
            transport = serial_asyncio.SerialTransport(self._loop, self._reader, port)
        except BaseException as error:
            started.put(error)
            raise
        pushing = self._loop.create_task(self._reader.push()) if self._pushes else None
        started.put(None)
        await self._stopping.wait()
        if pushing is not None:
            pushing.cancel()
        transport.abort()
        await asyncio.sleep(0)


def rdm6300_frame(uid: bytes) -> bytes:
    """What an RDM6300 says while it sees ``uid``."""
    check = 0
    for byte in uid:
        check ^= byte
    return b"\x02" + (uid + bytes([check])).hex().upper().encode() + b"\x03"


def twn4_answer(uid: bytes) -> bytes:
    """What a TWN4 answers to SearchTag; without ``uid`` it sees nothing."""
    if not uid:
        return line_of(b"\x00\x00", has_crc=False)
    return line_of(bytes([0, 1, 0x80, 8 * len(uid), len(uid)]) + uid, has_crc=False)
