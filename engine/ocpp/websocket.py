"""One WebSocket to a Central System, from dialling to its end, whatever the peer does (OCPP-J 1.6, 3).

Every conversation ends with a reason and never with an exception of the peer's making.
"""

import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import trio
from msgspec import Struct

from engine.ocpp.socket import SocketClosed, WebSocket

SUBPROTOCOL = "ocpp1.6"

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


async def converse(
    dialling: Dialling, open_stream: OpenStream, talk: Callable[[WebSocket], Awaitable[str]]
) -> str:
    """Dial, and let ``talk`` have the WebSocket; return why the conversation ended or did not begin.

    The transport is closed on return, without a closing handshake: that is for ``talk`` to do.
    """
    why = ""
    stream: trio.abc.Stream | None = None
    try:
        with trio.fail_after(dialling.connect_timeout_s) as deadline:
            stream = await _open(open_stream, connection_url(dialling.url, dialling.identity))
            socket = await _shake_hands(stream, dialling)
            deadline.deadline = float("inf")
            why = await talk(socket)
    except* trio.TooSlowError:
        why = why or f"no connection within {dialling.connect_timeout_s:g} s"
    except* SocketClosed as group:
        why = why or reason(group)
    finally:
        if stream is not None:
            await trio.aclose_forcefully(stream)
    return why


async def _open(open_stream: OpenStream, url: str) -> trio.abc.Stream:
    """Open the transport.

    Raises:
        SocketClosed: There is no way to the server, or it is not the one its certificate should name.
    """
    try:
        return await open_stream(url)
    except (OSError, UnicodeError, trio.BrokenResourceError) as error:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise SocketClosed(f"the server's certificate is not valid: {cause.verify_message}") from error
        raise SocketClosed(str(error) or str(cause)) from error


async def _shake_hands(stream: trio.abc.Stream, dialling: Dialling) -> WebSocket:
    """Open the WebSocket on ``stream``.

    Raises:
        SocketClosed: The server does not speak ocpp1.6.
    """
    parts = urlsplit(connection_url(dialling.url, dialling.identity))
    headers = []
    if dialling.password is not None:
        headers.append((b"Authorization", authorization(dialling.identity, dialling.password)))
    socket = WebSocket(stream, send_timeout_s=dialling.send_timeout_s, frame_size_max=dialling.frame_size_max)
    await socket.shake_hands(parts.netloc.rpartition("@")[2], parts.path, SUBPROTOCOL, headers)
    return socket


def reason(error: BaseException) -> str:
    """One line for why a WebSocket ended, from the first of what was raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
