"""Who may ask a bench: nobody on another host by way of a browser here."""

import ipaddress
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def guard(
    application: "ASGIApp",
    hosts: set[str],
    bound: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> "ASGIApp":
    """``application`` for requests that were really meant for this server."""

    async def guarded(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http" and (why := _why_foreign(scope["headers"], hosts, bound)):
            content = msgspec.json.encode({"error": why})
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": content})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await application(scope, receive, send)

    return guarded


def _why_foreign(
    headers: list[tuple[bytes, bytes]],
    hosts: set[str],
    bound: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> str:
    """Why a request with these headers is refused; empty if it is not."""
    host = b"".join(value for name, value in headers if name == b"host").decode("latin-1").lower()
    origins = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
    if not _is_ours(host, hosts, bound):
        return f"Host {host!r}: must be loopback or the address of the bench"
    if any(origin != f"http://{host}" for origin in origins):
        return f"Origin {origins[0]!r}: must be that of the bench"
    return ""


def _is_ours(host: str, hosts: set[str], bound: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether a Host header names this server.

    A name can be made to point anywhere, an address cannot: a server on all addresses takes any address.
    """
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost" or name in hosts:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or bound.is_unspecified
