"""A Modbus client on any byte stream: a serial line, TCP, or a serial line behind a TCP converter.

How it works: one request at a time, in the order of asking. A reply over RTU does not say what it answers, so a
request that was cancelled or timed out leaves the line *unsettled*: the next one first listens until a late reply
has come or cannot come any more. What is still heard just before sending belongs to nobody and is dropped.
Over TCP the connection is closed instead.

A lost line is opened again by the next request, at growing intervals.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from msgspec import Struct
from msgspec.structs import replace

from drivers.modbus.errors import BadFrameError, DisconnectedError, ExceptionReplyError, NoResponseError
from drivers.modbus.frames import REPEATABLE, Codec, Framing, Function, Request

Connect = Callable[[], Awaitable[trio.abc.Stream]]
"""Opens the line; OSError if that cannot be done now."""

CHUNK_SIZE = 512
SILENCE_LEAST_S = 0.00175
"""Pause between messages above 19200 baud (Modbus over Serial Line 1.02, section 2.5.1.1)."""
SILENCE_CHARACTERS = 3.5
GAP_S = 0.005
"""No byte for so long: the late reply is complete. More than an operating system splits a message by."""


class ClientSettings(Struct, frozen=True, kw_only=True):
    """How patient a client is. Times in s."""

    timeout_s: float = 0.5
    """From a request to the end of its reply."""
    retries: int = 2
    """Further attempts when there was no reply or a spoilt one."""
    late_window_s: float = 0.5
    """How long after the time-out a late reply may still come."""
    silence_s: float = SILENCE_LEAST_S
    """Pause between two messages over RTU."""
    connect_timeout_s: float = 5.0
    reconnect_first_s: float = 0.2
    """Wait before the second attempt to open the line; doubled for each further one."""
    reconnect_max_s: float = 10.0


def silence_of(baudrate: int, bits: int) -> float:
    """The pause that the serial line needs between two messages, in s; ``bits`` of one character on the line."""
    return max(SILENCE_CHARACTERS * bits / baudrate, SILENCE_LEAST_S)


class ModbusClient:
    """One line, with the devices on it.

    Args:
        connect: Opens the line.
        framing: How messages stand on it.
        settings: How patient to be.
    """

    def __init__(self, connect: Connect, framing: Framing, settings: ClientSettings) -> None:
        self._connect = connect
        self._framing = framing
        self._settings = settings
        self._codec = Codec(framing)
        self._lock = trio.Lock()
        self._stream: trio.abc.Stream | None = None
        self._transaction = 0
        self._late_until = -math.inf
        """Until when a reply to an abandoned request may come, over RTU."""
        self._free_at = -math.inf
        """When the pause after the last message is over."""
        self._open_at = -math.inf
        """When the line may be opened again."""
        self._wait_s = 0.0
        self._users = 0
        self.connections = 0
        """How often the line was opened: a device that was read before may be another one now."""

    async def read(self, unit: int, function: Function, address: int, count: int) -> tuple[int, ...]:
        """Read registers, or bits as 0 and 1.

        Raises:
            ModbusError: There is no result.
        """
        return await self.exchange(Request(unit=unit, function=function, address=address, count=count))

    async def write(self, unit: int, function: Function, address: int, values: tuple[int, ...]) -> None:
        """Write registers, or a coil.

        Raises:
            ModbusError: Whether it was written is unknown.
        """
        await self.exchange(Request(unit=unit, function=function, address=address, values=values))

    async def exchange(self, request: Request) -> tuple[int, ...]:
        """Send ``request`` and wait for its reply; a cancelled one has no effect on those that follow.

        Raises:
            NoResponseError: The device was silent, at every attempt.
            BadFrameError: What came was spoilt, at every attempt.
            ExceptionReplyError: The device refuses. It is not asked again.
            DisconnectedError: There is no line.
        """
        attempts = self._settings.retries + 1 if request.function in REPEATABLE else 1
        async with self._lock:
            while True:
                attempts -= 1
                try:
                    return await self._attempt(request)
                except (NoResponseError, BadFrameError):
                    if not attempts:
                        raise

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Close the line when the last of those that use it is done."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                await self.aclose()

    def be_patient(self, settings: ClientSettings) -> None:
        """Be as patient as the most patient device on the line needs it."""
        own = self._settings
        self._settings = replace(
            own,
            timeout_s=max(own.timeout_s, settings.timeout_s),
            retries=max(own.retries, settings.retries),
            late_window_s=max(own.late_window_s, settings.late_window_s),
        )

    async def aclose(self) -> None:
        """Close the line. The next request opens it again."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await trio.aclose_forcefully(stream)

    async def _attempt(self, request: Request) -> tuple[int, ...]:
        try:
            stream = await self._open()
            if self._framing is Framing.RTU:
                await self._clear(stream)
            return await self._exchange(stream, request)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            await self.aclose()
            raise DisconnectedError(f"the line is gone: {error}") from error

    async def _open(self) -> trio.abc.Stream:
        """The line, opened if it is time for that."""
        if self._stream is not None:
            return self._stream
        if trio.current_time() < self._open_at:
            await trio.lowlevel.checkpoint()
            raise DisconnectedError("the line is gone; waiting before it is opened again")
        try:
            with trio.fail_after(self._settings.connect_timeout_s):
                self._stream = await self._connect()
        except (OSError, trio.TooSlowError) as error:
            first_s, max_s = self._settings.reconnect_first_s, self._settings.reconnect_max_s
            self._wait_s = min(max(2 * self._wait_s, first_s), max_s)
            self._open_at = trio.current_time() + self._wait_s
            raise DisconnectedError(f"the line cannot be opened: {str(error) or 'no answer'}") from error
        self._wait_s = 0.0
        self._late_until = self._free_at = -math.inf
        self.connections += 1
        return self._stream

    async def _clear(self, stream: trio.abc.Stream) -> None:
        """Wait until the line is free, and drop what is heard meanwhile."""
        now = trio.current_time()
        if now < self._late_until:
            await self._hear(stream, self._late_until)
            self._late_until = -math.inf
        await self._hear(stream, max(self._free_at, trio.current_time()) + self._settings.silence_s)

    async def _hear(self, stream: trio.abc.Stream, until: float) -> None:
        """Drop what comes until the instant ``until``, or until a message that came is complete."""
        limit = until + self._settings.late_window_s
        heard = False
        while True:
            deadline = min(trio.current_time() + GAP_S, limit) if heard else until
            with trio.move_on_at(deadline) as quiet:
                await _receive(stream)
                heard = True
            if quiet.cancelled_caught or trio.current_time() >= limit:
                return

    async def _exchange(self, stream: trio.abc.Stream, request: Request) -> tuple[int, ...]:
        if self._framing is Framing.TCP:
            self._transaction = self._transaction % 0xFFFF + 1
        received = bytearray()
        deadline = trio.current_time() + self._settings.timeout_s
        is_settled = False
        try:
            with trio.move_on_at(deadline):
                await stream.send_all(self._codec.encode(request, self._transaction))
                while True:
                    received += await _receive(stream)
                    # As much as a reply, even a spoilt one. Less may be noise, with the reply still to come.
                    is_settled = self._framing is Framing.RTU and len(received) >= request.reply_size
                    try:
                        values = self._codec.decode(received, request, self._transaction)
                    except ExceptionReplyError:
                        is_settled = True
                        raise
                    if values is not None:
                        return values
                    is_settled = False
            raise NoResponseError(f"unit {request.unit}: no reply in {self._settings.timeout_s:g} s")
        finally:
            self._free_at = trio.current_time()
            if not is_settled:
                await self._leave_unsettled(deadline)

    async def _leave_unsettled(self, deadline: float) -> None:
        """Make sure that a late reply is taken for none but itself."""
        if self._framing is Framing.RTU:
            self._late_until = deadline + self._settings.late_window_s
        else:
            # A reply that is cut in two would be the end of all order.
            await self.aclose()


async def _receive(stream: trio.abc.Stream) -> bytes:
    received = await stream.receive_some(CHUNK_SIZE)
    if not received:
        raise trio.BrokenResourceError("closed by the other side")
    return bytes(received)
