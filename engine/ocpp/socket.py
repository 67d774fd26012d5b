"""The client's end of one WebSocket (RFC 6455): wsproto on a Trio stream, without a task of its own.

Frames are wsproto's; here is what waits. One task receives, any may send. However the WebSocket ends, whoever uses it
gets :class:`SocketClosed`, which says why.
"""

from collections import deque

import h11
import trio
from wsproto import WSConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, ProtocolError

CHUNK_SIZE = 64 * 1024
"""Bytes that are read at once."""


class SocketClosed(Exception):  # noqa: N818 - the name of the fact
    """The WebSocket has ended, or never came to be. Says why."""


def _closed(code: int, reason: str | None) -> SocketClosed:
    try:
        name = CloseReason(code).name
    except ValueError:
        name = "of its own"
    return SocketClosed(f"closed with code {int(code)}: {reason or name}")


GONE = _closed(CloseReason.ABNORMAL_CLOSURE, None)


class WebSocket:
    """One WebSocket, from its handshake on.

    Args:
        stream: The transport. It stays the caller's to close.
        send_timeout_s: How long the peer may refuse to read.
        frame_size_max: Bytes of a message; one that is larger ends the WebSocket.
    """

    def __init__(self, stream: trio.abc.Stream, *, send_timeout_s: float, frame_size_max: int) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._frame_size_max = frame_size_max
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._turn = trio.StrictFIFOLock()
        """Whose frame is being sent."""
        self._received: deque[Event] = deque()
        self._parts: list[str | bytes | bytearray] = []
        """Of the message that is being received."""
        self._size = 0
        self._pings = 0
        self._awaited: tuple[bytes, trio.Event] | None = None
        """The ping that waits for its pong."""

    async def shake_hands(
        self, host: str, path: str, subprotocol: str, headers: list[tuple[bytes, bytes]]
    ) -> None:
        """Open the WebSocket.

        Raises:
            SocketClosed: The server does not open it, or does not speak ``subprotocol``.
        """
        request = Request(host=host, target=path, subprotocols=[subprotocol], extra_headers=headers)
        await self._send(request)
        while True:  # h11 takes no more than 16 KB of headers.
            data = await self._read()
            if not data:
                raise SocketClosed("the server closed the connection")
            try:
                self._wire.receive_data(data)
                self._received.extend(self._wire.events())
            except (ProtocolError, h11.ProtocolError, UnicodeDecodeError) as error:
                raise SocketClosed(str(error) or type(error).__name__) from error
            while self._received:
                match self._received.popleft():
                    case AcceptConnection(subprotocol=chosen):
                        if chosen != subprotocol:
                            raise SocketClosed(f"the server did not choose subprotocol {subprotocol}")
                        return
                    case RejectConnection(status_code=status):
                        raise SocketClosed(f"the server answered HTTP {status}")
                    case _:
                        raise SocketClosed("the server does not speak WebSocket")

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            SocketClosed: There is none, and will not be.
        """
        while True:
            while self._received:
                message = await self._take(self._received.popleft())
                if message is not None:
                    return message
            data = await self._read()
            self._wire.receive_data(data or None)
            self._received.extend(self._wire.events())

    async def send(self, text: str) -> None:
        """Send a message.

        Raises:
            SocketClosed: It cannot be sent.
        """
        await self._send(TextMessage(data=text))

    async def ping(self) -> None:
        """Send a ping and wait for its pong, which comes only while somebody receives.

        Raises:
            SocketClosed: It cannot be sent.
        """
        self._pings += 1
        payload, answered = str(self._pings).encode(), trio.Event()
        self._awaited = payload, answered
        await self._send(Ping(payload=payload))
        await answered.wait()

    async def close(self) -> None:
        """Say goodbye and wait for the answer, when nobody receives any more."""
        try:
            await self._send(CloseConnection(code=CloseReason.NORMAL_CLOSURE))
            while True:
                await self.receive()
        except SocketClosed:
            return

    # Inside

    async def _take(self, event: Event) -> str | bytes | None:
        """What ``event`` completes, if it completes a message."""
        match event:
            case TextMessage(data=part) | BytesMessage(data=part):
                self._size += len(part)
                if self._size > self._frame_size_max:
                    why = f"a message of more than {self._frame_size_max} bytes"
                    await self._refuse(CloseReason.MESSAGE_TOO_BIG, why)
                if event.message_finished and not self._parts:
                    self._size = 0
                    return part if isinstance(part, str) else bytes(part)
                self._parts.append(part)
                if event.message_finished:
                    return self._joined()
            case Ping():
                await self._send(event.response())
            case Pong(payload=payload):
                if self._awaited is not None and self._awaited[0] == payload:
                    self._awaited[1].set()
            case CloseConnection(code=code, reason=reason):
                if self._wire.state is ConnectionState.OPEN:
                    # wsproto's word for a breach of the protocol.
                    await self._refuse(code, reason or "")
                if self._wire.state is ConnectionState.REMOTE_CLOSING:
                    await self._send(event.response())
                raise _closed(code, reason)
        return None

    def _joined(self) -> str | bytes:
        parts, self._parts, self._size = self._parts, [], 0
        if isinstance(parts[0], str):
            return "".join(str(part) for part in parts)
        return b"".join(bytes(part) for part in parts if not isinstance(part, str))

    async def _refuse(self, code: int, why: str) -> None:
        """End the WebSocket because of what the peer sent."""
        if self._wire.state is ConnectionState.OPEN:
            await self._send(CloseConnection(code=code, reason=why))
        raise _closed(code, why)

    async def _read(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(CHUNK_SIZE))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise GONE from error

    async def _send(self, event: Event) -> None:
        # Without waiting where nobody sends: to take a lock is a turn of the scheduler.
        if self._turn.locked():
            await self._turn.acquire()
        else:
            self._turn.acquire_nowait()
        try:
            data = self._wire.send(event)
            with trio.move_on_after(self._send_timeout_s) as patience:
                await self._stream.send_all(data)
            if patience.cancelled_caught:
                raise SocketClosed(f"the peer read nothing for {self._send_timeout_s:g} s")
        except (trio.BrokenResourceError, trio.ClosedResourceError, LocalProtocolError) as error:
            raise GONE from error
        finally:
            self._turn.release()
