"""One WebSocket to a Central System, from dialling to its end, whatever the peer does (OCPP-J 1.6, 3).

trio-websocket has edges that a hostile or dead peer can reach: its handshake waits for ever if the connection
is lost meanwhile, its reader dies of protocol errors, its sends are unbounded. :class:`_Guarded` and
:func:`converse` round them off, so that every conversation ends with a reason and never with an exception of
the peer's making.
"""

import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import h11
import trio
from msgspec import Struct
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from wsproto.utilities import ProtocolError, RemoteProtocolError

SUBPROTOCOL = "ocpp1.6"

HANDSHAKE_SIZE_MAX = 64 * 1024
"""Bytes that a server may send before the WebSocket is open; a handshake takes some hundred."""

MESSAGES_MAX = 16
"""Messages that trio-websocket keeps ahead of us. Its reader sees pongs only while there is room."""

PIECE = 4096
"""Bytes of a frame that are sent at a time: so many at least a peer must take while it may refuse to read."""

OpenStream = Callable[[str], Awaitable[trio.abc.Stream]]
"""Opens the transport to the server of a URL. Raises OSError or trio.BrokenResourceError if it cannot."""


class Dialling(Struct, frozen=True, kw_only=True):
    """What is needed to open the WebSocket. Times in s, sizes in bytes."""

    url: str
    """Of the endpoint, ``ws://`` or ``wss://``, without the identity."""
    identity: str
    password: bytes | None
    connect_timeout_s: float
    """For all of it: name, transport, TLS, handshake."""
    send_timeout_s: float
    """How long a peer may refuse to read."""
    frame_size_max: int


class _HandshakeFailed(Exception):  # noqa: N818 - the name of the fact
    """The server ended the connection before the WebSocket was open, or said what is no handshake."""


# What a peer can make trio-websocket raise: a refusal, a lost connection, a breach of RFC 6455 or of HTTP
# (which it tries to answer in a way that is a breach itself), a header that is not ASCII.
PEER_ERRORS = (
    _HandshakeFailed,
    HandshakeError,
    ConnectionClosed,
    ProtocolError,
    h11.ProtocolError,
    UnicodeDecodeError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
)


def connection_url(url: str, identity: str) -> str:
    """The URL of a charge point: the endpoint's, and its identity percent-encoded (OCPP-J 1.6, 3.1.1)."""
    return f"{url.rstrip('/')}/{quote(identity, safe='')}"


def authorization(identity: str, password: bytes) -> bytes:
    """The Authorization header of HTTP Basic authentication; the password is raw bytes, not text."""
    return b"Basic " + b64encode(identity.encode() + b":" + password)


def stream_opener(ca_file: Path | None) -> OpenStream:
    """What opens TCP for ``ws://``, and TLS 1.2 or later for ``wss://``.

    Certificates are checked against those in ``ca_file`` (PEM), or without one those of the system.
    """

    async def open_stream(url: str) -> trio.abc.Stream:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "wss":
            return await trio.open_tcp_stream(host, parts.port or 80)
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        transport = await trio.open_tcp_stream(host, parts.port or 443)
        stream = trio.SSLStream(transport, context, server_hostname=host, https_compatible=True)
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(transport)
            raise
        return stream

    return open_stream


class _Guarded(trio.abc.Stream):
    """A stream whose sends end in time, and which fails loudly until the WebSocket on it is open."""

    def __init__(self, stream: trio.abc.Stream, send_timeout_s: float) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._handshake_size = 0
        self.is_open = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        # In pieces: a peer that reads slowly reads.
        view = memoryview(data)
        for begin in range(0, len(view), PIECE):
            with trio.move_on_after(self._send_timeout_s) as patience:
                await self._stream.send_all(view[begin : begin + PIECE])
            if patience.cancelled_caught:
                raise trio.BrokenResourceError(f"the peer read nothing for {self._send_timeout_s:g} s")

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self._stream.receive_some(max_bytes)
        if not self.is_open:
            self._handshake_size += len(data)
            if not data:
                raise _HandshakeFailed("the server closed the connection")
            if self._handshake_size > HANDSHAKE_SIZE_MAX:
                raise _HandshakeFailed("the server answered too much")
        return data

    async def aclose(self) -> None:
        if not self.is_open:
            raise _HandshakeFailed("the server does not speak WebSocket")
        with trio.move_on_after(self._send_timeout_s):  # then it is closed without ceremony
            await self._stream.aclose()


async def converse(
    dialling: Dialling, open_stream: OpenStream, talk: Callable[[WebSocketConnection], Awaitable[str]]
) -> str:
    """Dial, and let ``talk`` have the WebSocket; return why the conversation ended or did not begin.

    The transport is closed on return, without a closing handshake: that is for ``talk`` to do.
    """
    why = ""
    url = connection_url(dialling.url, dialling.identity)
    stream: trio.abc.Stream | None = None
    try:
        with trio.fail_after(dialling.connect_timeout_s) as deadline:
            stream = await _open(open_stream, url)
            async with trio.open_nursery() as nursery:
                socket = await _shake_hands(nursery, stream, url, dialling)
                deadline.deadline = float("inf")
                why = await talk(socket)
                nursery.cancel_scope.cancel()
    except* trio.TooSlowError:
        why = why or f"no connection within {dialling.connect_timeout_s:g} s"
    except* PEER_ERRORS as group:
        why = why or reason(group)
    finally:
        if stream is not None:
            await trio.aclose_forcefully(stream)
    return why


async def _open(open_stream: OpenStream, url: str) -> trio.abc.Stream:
    """Open the transport.

    Raises:
        _HandshakeFailed: There is no way to the server, or it is not the one its certificate should name.
    """
    try:
        return await open_stream(url)
    except (OSError, UnicodeError, trio.BrokenResourceError) as error:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise _HandshakeFailed(
                f"the server's certificate is not valid: {cause.verify_message}"
            ) from error
        raise _HandshakeFailed(str(error) or str(cause)) from error


async def _shake_hands(
    nursery: trio.Nursery, stream: trio.abc.Stream, url: str, dialling: Dialling
) -> WebSocketConnection:
    """Open the WebSocket on ``stream``; its reader lives in ``nursery``.

    Raises:
        _HandshakeFailed: The server does not speak ocpp1.6.
    """
    guarded = _Guarded(stream, dialling.send_timeout_s)
    parts = urlsplit(url)
    headers = []
    if dialling.password is not None:
        headers.append((b"Authorization", authorization(dialling.identity, dialling.password)))
    socket = await wrap_client_stream(
        nursery,
        cast("Any", guarded),  # any stream will do, its annotation is too narrow
        parts.netloc.rpartition("@")[2],
        parts.path,
        subprotocols=[SUBPROTOCOL],
        extra_headers=headers,
        message_queue_size=MESSAGES_MAX,
        max_message_size=dialling.frame_size_max,
    )
    guarded.is_open = True
    if socket.subprotocol != SUBPROTOCOL:
        raise _HandshakeFailed(f"the server did not choose subprotocol {SUBPROTOCOL}")
    return socket


def reason(error: BaseException) -> str:
    """One line for why a WebSocket ended, from the first of what was raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConnectionRejected):
        return f"the server answered HTTP {error.status_code}"
    if isinstance(error, ConnectionClosed):
        if error.reason is None:
            return "the peer broke the protocol"
        return f"closed with code {error.reason.code}: {error.reason.reason or error.reason.name}"
    breach: BaseException | None = error
    while breach is not None and not isinstance(breach, RemoteProtocolError):
        breach = breach.__context__  # the breach itself, and not that the answer to it could not be sent
    error = breach or error
    return str(error) or type(error).__name__
