"""A serial port as a Trio stream. pyserial opens it and sets it up; Trio does the waiting."""

import fcntl
import os
import struct
import termios
from functools import cache

import serial
import trio
from msgspec import Struct

CHUNK_SIZE = 512
CLOSE_S = 0.2
"""For a port to be closed. The kernel waits up to 30 s for an adapter that hangs to send what it was given."""
Port = serial.Serial
"""An open port as pyserial has it."""
PARITIES = ("N", "E", "O")
TIOCSRS485 = 0x542F
"""Has the kernel switch the direction of an RS-485 transceiver (linux/serial.h, asm-generic/ioctls.h)."""
ENABLED, RTS_ON_SEND, RTS_AFTER_SEND = 1, 2, 4
RS485 = {"rts": ENABLED | RTS_ON_SEND, "rts_inverted": ENABLED | RTS_AFTER_SEND}
"""Flags by what is declared: RTS is active while sending, or but for that."""


class SerialSettings(Struct, frozen=True, kw_only=True):
    """A port and the characters on it."""

    device: str
    """Path, best one that udev keeps: /dev/serial/by-id/..."""
    baudrate: int = 9600
    parity: str = "N"
    """N, E or O."""
    stopbits: int = 1
    rs485: str = ""
    """A key of ``RS485``; empty: the adapter switches the direction by itself."""

    @property
    def bits(self) -> int:
        """Bits of one character on the line, with start, parity and stop."""
        return 1 + 8 + (self.parity != "N") + self.stopbits


class SerialStream(trio.abc.Stream):
    """An open port.

    Its end is told by trio.BrokenResourceError from whatever waits: the adapter was unplugged.
    """

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._fd: int = port.fileno()
        self._receiving = trio.Lock()
        self._sending = trio.Lock()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; never b""."""
        async with self._receiving:
            while True:
                self._check()
                await trio.lowlevel.wait_readable(self._fd)
                try:
                    received = os.read(self._fd, max_bytes or CHUNK_SIZE)
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise trio.BrokenResourceError(f"serial port: {error.strerror}") from error
                if not received:
                    raise trio.BrokenResourceError("serial port: unplugged")
                return received

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Hand all bytes to the port."""
        async with self._sending:
            await trio.lowlevel.checkpoint()
            rest = memoryview(data)
            while rest:
                self._check()
                try:
                    rest = rest[os.write(self._fd, rest) :]
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(self._fd)
                except OSError as error:
                    raise trio.BrokenResourceError(f"serial port: {error.strerror}") from error

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the port takes bytes."""
        self._check()
        await trio.lowlevel.wait_writable(self._fd)

    async def aclose(self) -> None:
        """Close the port; whoever waits on it is told."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            trio.lowlevel.notify_closing(fd)
            # Begun whatever is cancelled, and not waited for when it hangs: it goes on in its thread.
            with trio.move_on_after(CLOSE_S, shield=True):
                alone = trio.CapacityLimiter(1)
                await trio.to_thread.run_sync(self._port.close, abandon_on_cancel=True, limiter=alone)
        await trio.lowlevel.checkpoint()

    def _check(self) -> None:
        if self._fd < 0:
            raise trio.ClosedResourceError("serial port: closed")


@cache
def limiter_of(_device: str) -> trio.CapacityLimiter:
    """One thread for each device."""
    return trio.CapacityLimiter(1)


async def open_port(settings: SerialSettings) -> SerialStream:
    """Open a port for us alone.

    Raises:
        OSError: It is not there, in use, or does not have these settings.
    """
    return SerialStream(await open_serial(settings))


async def open_serial(settings: SerialSettings) -> Port:
    """The same as pyserial has it, in a thread: nothing else waits for an adapter that hangs.

    Raises:
        OSError: It is not there, in use, or does not have these settings.
    """
    try:
        # An adapter may hang when it is opened. Nobody waits for that any longer than he wants to, and nobody tries
        # again before: threads would pile up.
        limiter = limiter_of(settings.device)
        return await trio.to_thread.run_sync(_open, settings, abandon_on_cancel=True, limiter=limiter)
    except ValueError as error:
        raise OSError(f"{settings.device}: {error}") from error
    except termios.error as error:
        # Unplugged just then: pyserial hands on what the kernel says to its settings as it is.
        raise OSError(f"{settings.device}: {error.args[-1]}") from error


def rs485_request(mode: str) -> bytes:
    """``struct serial_rs485`` of the kernel: flags, two delays of RTS in ms, which are 0, and padding."""
    return struct.pack("=8I", RS485[mode], *(0,) * 7)


def _open(settings: SerialSettings) -> Port:
    # inter_byte_timeout=0 means VMIN=1: a read without bytes is refused, and b"" only means unplugged.
    port = serial.Serial(
        settings.device,
        baudrate=settings.baudrate,
        parity=settings.parity,
        stopbits=settings.stopbits,
        timeout=0,
        write_timeout=0,
        inter_byte_timeout=0,
        exclusive=True,
    )
    if settings.rs485:
        try:
            fcntl.ioctl(port.fileno(), TIOCSRS485, rs485_request(settings.rs485))
        except OSError as error:
            port.close()
            why = f'rs485 = "{settings.rs485}": its driver cannot switch the direction by RTS'
            raise OSError(f"{settings.device}: {why}: {error.strerror}") from error
    return port
