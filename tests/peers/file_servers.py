"""Servers of files: HTTP and HTTPS with faults on Trio; FTP, FTPS and SFTP in processes of their own."""

import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trio
import trustme

USER, PASSWORD = "maker", "s3cret"


class HttpFiles:
    """Serves ``files`` by their paths; what is put lands there too. One request a connection."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.redirects: dict[str, str] = {}
        self.break_after: int | None = None
        """Bytes of a body after which the connection is cut, once."""
        self.resets = False
        """Whether that is a reset, and not an end."""
        self.pause_s = 0.0
        """Between each thousand bytes of a body, and each few thousand of one that is put."""
        self.stall_after: int | None = None
        """Bytes of a body after which nothing more comes."""
        self.lies_about_size = False
        self.part_max: int | None = None
        """Bytes of a part that is asked for; the server sends no more at once."""
        self.content_range = b""
        """What every answer says to be, instead of what it is."""
        self.talks_on = False
        """Whether the answer to an upload never ends."""
        self.etag = '"1"'
        self.base = ""

    async def serve(self, stream: trio.abc.Stream) -> None:
        try:
            await self._serve(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # The other side went away; tests do that.
        finally:
            await trio.aclose_forcefully(stream)

    async def _serve(self, stream: trio.abc.Stream) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = await stream.receive_some()
            if not more:
                return
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.requests.append((method, path, headers))
        path = path.partition("?")[0]
        if path in self.redirects:
            await stream.send_all(
                f"HTTP/1.1 302 Found\r\nLocation: {self.redirects[path]}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        elif method == "PUT":
            length = int(headers["content-length"])
            while len(body) < length:
                if self.stall_after is not None and len(body) >= self.stall_after:
                    await trio.sleep_forever()
                await trio.sleep(self.pause_s)
                body += await stream.receive_some(4000 if self.pause_s else None)
            self.files[path] = body
            if self.talks_on:
                await stream.send_all(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
                while True:
                    await stream.send_all(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await stream.send_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        elif path not in self.files:
            await stream.send_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            await self._send(stream, self.files[path], headers)

    async def _send(self, stream: trio.abc.Stream, content: bytes, headers: dict[str, str]) -> None:
        start, status, extra = 0, b"200 OK", b""
        if "range" in headers and headers.get("if-range") == self.etag:
            start = int(headers["range"].removeprefix("bytes=").rstrip("-"))
            status = b"206 Partial Content"
        end = len(content) if self.part_max is None or not start else start + self.part_max
        body = content[start:end]
        if start:
            extra = b"Content-Range: bytes %d-%d/%d\r\n" % (start, start + len(body) - 1, len(content))
        if self.content_range:
            status, extra = b"206 Partial Content", b"Content-Range: " + self.content_range + b"\r\n"
        length = len(body) + (100 if self.lies_about_size else 0)
        head = b"Content-Length: %d\r\nETag: %s\r\n" % (length, self.etag.encode())
        await stream.send_all(b"HTTP/1.1 " + status + b"\r\n" + head + extra + b"\r\n")
        if self.break_after is not None:
            body, self.break_after = body[: self.break_after], None
            if self.resets:
                await stream.send_all(body)
                self._reset(stream)
                return
        while self.pause_s and body:
            await stream.send_all(body[:1000])
            body = body[1000:]
            await trio.sleep(self.pause_s)
        if self.stall_after is not None:
            await stream.send_all(body[: self.stall_after])
            await trio.sleep_forever()
        await stream.send_all(body)

    @staticmethod
    def _reset(stream: trio.abc.Stream) -> None:
        assert isinstance(stream, trio.SocketStream)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def http_files(authority: trustme.CA | None = None) -> AsyncIterator[HttpFiles]:
    """An HTTP server on a port of loopback; HTTPS with a certificate of ``authority``."""
    files = HttpFiles()
    async with trio.open_nursery() as nursery:
        listeners: list = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        # Of what is not read yet little is on its way.
        listeners[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        scheme = "http"
        if authority is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            listeners = [trio.SSLListener(listener, context, https_compatible=True) for listener in listeners]
            scheme = "https"
        files.base = f"{scheme}://127.0.0.1:{port}"
        nursery.start_soon(trio.serve_listeners, files.serve, listeners)
        yield files
        nursery.cancel_scope.cancel()


@contextmanager
def ftp_files(folder: Path, certificate: Path | None = None, *, speed: int = 0) -> Iterator[str]:
    """An FTP server of ``folder``, with explicit TLS if it has a certificate; tells host and port.

    ``speed`` is in bytes per second, 0 as fast as it can.
    """
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("ftp_server.py")), str(folder)]
    command += [USER, PASSWORD, str(speed), *([str(certificate)] if certificate else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield f"127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()


@dataclass(frozen=True)
class SftpServer:
    """An SFTP server that runs."""

    port: int
    public_key: str

    def known_as(self, file: Path) -> Path:
        """Write the key of this server into ``file``, as OpenSSH knows it."""
        file.write_text(f"[127.0.0.1]:{self.port} {self.public_key}\n")
        return file


@contextmanager
def sftp_files(folder: Path, public_key: Path | None = None, *, stall_after: int = 0) -> Iterator[SftpServer]:
    """An SFTP server of ``folder``; :data:`USER` gets in by :data:`PASSWORD`, or by the key.

    Of what is read no more is sent than ``stall_after`` bytes; 0 is everything.
    """
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("sftp_server.py")), str(folder)]
    command += [USER, PASSWORD, str(stall_after), *([str(public_key)] if public_key else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            port, _, key = server.stdout.readline().strip().partition(" ")
            yield SftpServer(int(port), key)
        finally:
            server.stdin.close()
