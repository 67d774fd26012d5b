# ruff: noqa: S603, S311 - a script, run by hand
"""The device that benchmarks/serial_backends.py reads: a process of its own, on a pseudo-terminal or over TCP.

A register holds its own address, so that a wrong value shows. A faulty device answers in 0 to 55 ms, and 5 % of the
requests not at all; over a serial line it spoils another 5 % of its replies, which over TCP nobody could tell.
"""

import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

SLOWEST_S = 0.055
TCP = "127.0.0.1"
HEAD = 6
"""Bytes before the unit, over TCP."""


def play(where: str, *, is_faulty: bool) -> None:
    """Be a device at ``where``, a path or HOST:PORT, until killed."""
    host, _, port = where.partition(":")
    if port:
        with socket.create_server((host, int(port))) as listener:
            print("ready", flush=True)
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _answer(_reader_of(connection), connection.sendall, is_faulty=is_faulty, is_tcp=True)
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    Path(where).unlink(missing_ok=True)
    Path(where).symlink_to(os.ttyname(slave))
    print("ready", flush=True)
    _answer(lambda: os.read(master, 512), lambda reply: os.write(master, reply), is_faulty=is_faulty)


def _reader_of(connection: socket.socket) -> Callable[[], bytes]:
    """What reads from a connection; b"" when it has ended."""

    def read() -> bytes:
        try:
            return connection.recv(512)
        except ConnectionError:
            return b""

    return read


def _answer(
    read: Callable[[], bytes], write: Callable[[bytes], object], *, is_faulty: bool, is_tcp: bool = False
) -> None:
    from pymodbus.framer import FramerRTU

    chance = random.Random(1)
    head_size, tail_size = (HEAD, 0) if is_tcp else (0, 2)
    size = head_size + 6 + tail_size
    heard = b""
    while received := read():
        heard += received
        while len(heard) >= size:
            head, request, heard = heard[:head_size], heard[head_size:size], heard[size:]
            address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
            body = b"".join((address + place).to_bytes(2, "big") for place in range(count))
            reply = request[:2] + bytes([len(body)]) + body
            if is_tcp:
                reply = head[:4] + len(reply).to_bytes(2, "big") + reply
            else:
                reply += FramerRTU.compute_CRC(reply).to_bytes(2, "big")
            if is_faulty:
                time.sleep(chance.uniform(0, SLOWEST_S))
                fault = chance.random()
                if fault < 0.05:
                    continue
                if fault < 0.1 and not is_tcp:
                    reply = reply[:-1] + bytes([reply[-1] ^ 0xFF])
            with contextlib.suppress(ConnectionError):
                write(reply)


class Device:
    """The device as a process.

    Args:
        where: Path of its serial line, or HOST:PORT.
        is_faulty: Whether it is slow, and loses and spoils replies.
    """

    def __init__(self, where: str, *, is_faulty: bool) -> None:
        self.where = where
        command = [sys.executable, "-m", "benchmarks.serial_backends", "--play", where]
        self._command = [*command, "--faulty"] if is_faulty else command
        self.plug_in()

    def plug_in(self) -> None:
        """Start it, anew if it was there before."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def unplug(self) -> None:
        """Take it away with its line, and first with the name of it: its number is another terminal's soon."""
        if ":" not in self.where:
            Path(self.where).unlink()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def device(*, is_tcp: bool, is_faulty: bool) -> Iterator[Device]:
    """The device, at a place of its own."""
    with tempfile.TemporaryDirectory() as folder:
        where = str(Path(folder) / "line")
        if is_tcp:
            with socket.create_server((TCP, 0)) as free:
                where = f"{TCP}:{free.getsockname()[1]}"
        played = Device(where, is_faulty=is_faulty)
        try:
            yield played
        finally:
            played.unplug()
