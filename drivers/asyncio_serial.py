"""Serial ports by pyserial-asyncio: an asyncio loop within Trio, by trio-asyncio. Optional (``backend = "asyncio"``).

For adapters that only a fork of pyserial-asyncio knows how to open. It costs more than our own stream and is not the
default (docs/decisions.md, HW7); above it everything is the same, so that no register is ever taken for another.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import serial_asyncio
import trio
import trio_asyncio

from drivers.serial_port import CHUNK_SIZE, Port, SerialSettings, open_serial


class AsyncioSerialStream(trio.abc.Stream):
    """An open port.

    Its end is told by trio.BrokenResourceError from whatever waits: the adapter was unplugged.
    """

    def __init__(
        self,
        loop: trio_asyncio.BaseTrioEventLoop,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._loop = loop
        self._reader, self._writer = reader, writer
        self._is_closed = False
        self._receiving = trio.Lock()
        self._sending = trio.Lock()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; never b""."""
        async with self._receiving:
            self._check()
            read = trio_asyncio.aio_as_trio(self._reader.read, loop=self._loop)
            try:
                received: bytes = await read(max_bytes or CHUNK_SIZE)
            except OSError as error:
                raise trio.BrokenResourceError(f"serial port: {error}") from error
            self._check()
            if not received:
                raise trio.BrokenResourceError("serial port: unplugged")
            return received

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Hand all bytes to the port."""
        async with self._sending:
            await trio.lowlevel.checkpoint()
            self._check()
            if self._writer.is_closing():
                raise trio.BrokenResourceError("serial port: unplugged")
            try:
                self._writer.write(bytes(data))
                await trio_asyncio.aio_as_trio(self._writer.drain, loop=self._loop)()
            except OSError as error:
                raise trio.BrokenResourceError(f"serial port: {error}") from error
            self._check()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the port takes bytes: asyncio takes them at once."""
        self._check()
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close the port; whoever waits on it is told."""
        if not self._is_closed:
            self._is_closed = True
            if not self._writer.is_closing():
                self._writer.transport.abort()
            self._reader.feed_eof()
        await trio.lowlevel.checkpoint()

    def _check(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError("serial port: closed")


class AsyncioPorts:
    """Ports on one asyncio loop, which is there within :meth:`running`."""

    def __init__(self) -> None:
        self._loop: trio_asyncio.BaseTrioEventLoop | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loop."""
        async with trio_asyncio.open_loop() as self._loop:
            try:
                yield
            finally:
                self._loop = None

    async def open_port(self, settings: SerialSettings) -> AsyncioSerialStream:
        """Open a port for us alone.

        Raises:
            OSError: It is not there, in use, or does not have these settings.
        """
        loop = self._loop
        assert loop is not None, "the loop does not run"
        # serial_asyncio.open_serial_connection opens within the loop: all would wait for an adapter that hangs.
        port = await open_serial(settings)
        reader, writer = await trio_asyncio.aio_as_trio(_connect, loop=loop)(port)
        return AsyncioSerialStream(loop, reader, writer)


async def _connect(port: Port) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Streams of asyncio on an open port."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await serial_asyncio.connection_for_serial(loop, lambda: protocol, port)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
