"""HTTP and HTTPS by httpx, which is loaded when the first file is transferred."""

import os
import re
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import trio

from engine.speed import of_real_time
from engine.transfers.address import Address
from engine.transfers.limits import OnProgress, TransferError, TransferLimits, check_room, check_size

if TYPE_CHECKING:
    import httpx

CHUNK = 256 * 1024
"""Bytes that are written to disk at a time."""
PIECE = 16 * 1024
"""Bytes that are sent at a time: each has ``stall_timeout_s``, and a line may be slow."""
PARTIAL, RANGE_NOT_SATISFIABLE = 206, 416
COUNT = re.compile(r"[0-9]{1,18}")
"""A number of bytes. Not every digit is one of ASCII, nor every number one that Python reads."""
RANGE = re.compile(rf"bytes (?P<first>{COUNT.pattern})-{COUNT.pattern}(/\*|/(?P<whole>{COUNT.pattern}))?")


async def fetch(address: Address, part: Path, limits: TransferLimits, on_progress: OnProgress) -> int:
    """Download into ``part``, from where it ends if the server still has the same file; return its bytes.

    Raises:
        TransferError: As :func:`engine.transfers.fetch`.
    """
    import httpx

    validator = part.with_name(part.name + ".etag")
    try:
        async with await _client(limits) as client:
            have, tag = await trio.to_thread.run_sync(_resumable, part, validator)
            headers = {"Accept-Encoding": "identity"}
            if have:
                headers |= {"Range": f"bytes={have}-", "If-Range": tag}
            async with await _redirected(client, address, limits, headers) as response:
                if response.status_code == RANGE_NOT_SATISFIABLE:
                    await trio.to_thread.run_sync(_forget, part, validator)
                    raise TransferError(f"{address.shown}: the file has changed; begin again")
                if not response.is_success:
                    raise TransferError(f"{address.shown}: HTTP {response.status_code}")
                start, total = 0, _announced(response)
                if response.status_code == PARTIAL:
                    start, whole = _part_of(response)
                    if start != have:
                        raise TransferError(
                            f"{address.shown}: the server sent another part than was asked for"
                        )
                    # It may send less than all that is left (RFC 9110, 14.2): complete is only what is whole.
                    total = whole if whole is not None or total is None else start + total
                check_size(total or 0, limits, address.shown)
                more = 0 if total is None else total - start
                await trio.to_thread.run_sync(check_room, part.parent, more, limits, address.shown)
                await trio.to_thread.run_sync(_note, validator, _strong_tag(response))
                size = await _store(
                    response, part, start, limits, address, lambda done: on_progress(done, total)
                )
                if total is not None and size != total:
                    raise TransferError(
                        f"{address.shown}: {size} bytes of {total}, then the connection ended"
                    )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise TransferError(_told(address, error)) from error
    await trio.to_thread.run_sync(lambda: validator.unlink(missing_ok=True))
    return size


async def deliver(address: Address, source: Path, limits: TransferLimits, on_progress: OnProgress) -> None:
    """Upload by PUT.

    Raises:
        TransferError: As :func:`engine.transfers.deliver`.
    """
    import httpx

    size = (await trio.Path(source).stat()).st_size

    async def content() -> AsyncGenerator[bytes]:
        sent = 0
        async with await trio.open_file(source, "rb") as file:
            while chunk := await file.read(PIECE):
                yield chunk
                sent += len(chunk)
                on_progress(sent, size)

    try:
        # What the server says beside its status is not read: it may be without end.
        async with (
            await _client(limits) as client,
            aclosing(content()) as body,
            client.stream(
                "PUT",
                address.url,
                content=body,
                headers={"Content-Length": str(size), "Content-Type": "application/octet-stream"},
                auth=_auth(address),
            ) as response,
        ):
            if not response.is_success:
                raise TransferError(f"{address.shown}: HTTP {response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise TransferError(_told(address, error)) from error


async def _client(limits: TransferLimits) -> "httpx.AsyncClient":
    import httpx

    # Certificates of the whole world take their time to read.
    context = await trio.to_thread.run_sync(_context, limits)
    timeout = httpx.Timeout(
        of_real_time(limits.stall_timeout_s), connect=of_real_time(limits.connect_timeout_s)
    )
    # Proxies and .netrc of the environment are nobody's declaration.
    return httpx.AsyncClient(verify=context, timeout=timeout, follow_redirects=False, trust_env=False)


def _context(limits: TransferLimits) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(limits.ca_file) if limits.ca_file else None)


def _auth(address: Address) -> Any:
    return (address.user, address.password) if address.user else None


async def _redirected(
    client: "httpx.AsyncClient", address: Address, limits: TransferLimits, headers: dict[str, str]
) -> "_Closing":
    """The response after the redirects that are allowed. Credentials stay with the host they are for."""
    import httpx

    url = httpx.URL(address.url)
    first = url
    for _ in range(limits.redirects_max + 1):
        is_home = (url.scheme, url.host, url.port) == (first.scheme, first.host, first.port)
        auth: Any = _auth(address) if is_home else None
        request = client.build_request("GET", url, headers=headers)
        response = await client.send(request, stream=True, auth=auth)
        if not response.has_redirect_location:
            return _Closing(response)
        target = url.join(response.headers["Location"])
        await response.aclose()
        if target.scheme not in ("http", "https") or (first.scheme == "https" and target.scheme != "https"):
            raise TransferError(f"{address.shown}: redirected to {target.scheme}, which is not allowed")
        url = target
    raise TransferError(f"{address.shown}: more than {limits.redirects_max} redirects")


class _Closing:
    """A response that is closed at the end of a block."""

    def __init__(self, response: "httpx.Response") -> None:
        self._response = response

    async def __aenter__(self) -> "httpx.Response":
        return self._response

    async def __aexit__(self, *_: object) -> None:
        await self._response.aclose()


async def _store(
    response: "httpx.Response",
    part: Path,
    start: int,
    limits: TransferLimits,
    address: Address,
    on_progress: Callable[[int], None],
) -> int:
    """Write the body behind ``start`` bytes; return the size of the file."""
    size = start
    async with await trio.open_file(part, "r+b" if start else "wb") as file:
        await file.truncate(start)
        await file.seek(start)
        write = partial(_write, file.wrapped, part.parent, limits, address.shown)
        try:
            async for chunk in response.aiter_raw(CHUNK):
                check_size(size + len(chunk), limits, address.shown)
                await trio.to_thread.run_sync(write, chunk)
                size += len(chunk)
                on_progress(size)
        finally:
            with trio.CancelScope(shield=True):
                await file.flush()
                await trio.to_thread.run_sync(os.fsync, file.fileno())
    return size


def _write(file: IO[bytes], folder: Path, limits: TransferLimits, shown: str, chunk: bytes) -> None:
    check_room(folder, len(chunk), limits, shown)
    file.write(chunk)


def _resumable(part: Path, validator: Path) -> tuple[int, str]:
    """Bytes there are, and the tag of the file they belong to; without a tag nothing is worth going on from."""
    if not part.exists() or not validator.exists():
        return 0, ""
    tag = validator.read_text(encoding="ascii", errors="replace")
    return (part.stat().st_size, tag) if tag else (0, "")


def _note(validator: Path, tag: str) -> None:
    validator.write_text(tag, encoding="ascii", errors="replace")


def _forget(part: Path, validator: Path) -> None:
    part.unlink(missing_ok=True)
    validator.unlink(missing_ok=True)


def _strong_tag(response: "httpx.Response") -> str:
    """What tells this version of the file from others (RFC 9110, 8.8.3 and 13.1.5); empty if nothing does."""
    tag: str = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    modified: str = response.headers.get("Last-Modified", "")
    return modified


def _announced(response: "httpx.Response") -> int | None:
    """The bytes of the body, as the server says; None if it does not."""
    announced: str = response.headers.get("Content-Length", "")
    return int(announced) if COUNT.fullmatch(announced) else None


def _part_of(response: "httpx.Response") -> tuple[int, int | None]:
    """The first byte of a Content-Range, -1 if none can be read; and the size of the whole, if it is said."""
    read = RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if read is None:
        return -1, None
    return int(read["first"]), None if read["whole"] is None else int(read["whole"])


def _told(address: Address, error: Exception) -> str:
    # The text of an error may hold a URL; ours holds none.
    return f"{address.shown}: {type(error).__name__}"
