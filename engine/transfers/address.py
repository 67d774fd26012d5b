"""URLs of files, with their credentials kept apart from what may be shown."""

import re
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22}
"""The schemes that are understood, with their usual ports. ``ftps`` is FTP with explicit TLS (RFC 4217)."""
LENGTH_MAX = 2000
SAFE = "/%:@!$&'()*+,;=~"
"""What a path may hold as it is (RFC 3986, 3.3), beside letters, digits and ``-._``."""
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
CONTROL = {*map(chr, range(32)), "\x7f"}


class AddressError(ValueError):
    """A URL cannot be used. One line, without credentials."""


class Address(Struct, frozen=True, kw_only=True):
    """Where a file is."""

    scheme: str
    host: str
    port: int
    encoded_path: str
    """With a leading slash, percent-encoded as in the URL: an HTTP server may tell ``%2F`` from a slash."""
    query: str = ""
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def shown(self) -> str:
        """The URL without credentials and without its query, which may hold a token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.encoded_path}"

    @property
    def url(self) -> str:
        """The URL without credentials; they go where the protocol has a place for them."""
        return self.shown + (f"?{self.query}" if self.query else "")

    @property
    def path(self) -> str:
        """Percent-decoded, with a leading slash."""
        return unquote(self.encoded_path)

    @property
    def name(self) -> str:
        """The last part of the path; empty for a folder."""
        return self.path.rpartition("/")[2]

    def within(self, name: str) -> "Address":
        """The file ``name`` in the folder that this is (GetDiagnostics.location)."""
        return replace(self, encoded_path=f"{self.encoded_path.rstrip('/')}/{quote(name)}")

    def beside(self, suffix: str) -> "Address":
        """The file whose name has ``suffix`` added."""
        return replace(self, encoded_path=self.encoded_path + quote(suffix))


def parse(url: str, schemes: tuple[str, ...] = tuple(PORTS)) -> Address:
    """Read a URL.

    Args:
        url: ``scheme://user:password@host:port/path``; user, password and port may be left out.
        schemes: Those that are allowed.

    Raises:
        AddressError: It is none, or of another scheme.
    """
    if len(url) > LENGTH_MAX:
        raise AddressError(f"a URL of {len(url)} characters: at most {LENGTH_MAX}")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        # Its text may hold what stands before the host: a password with a slash in it looks like a port.
        raise AddressError("not a URL: host or port cannot be read") from error
    scheme = parts.scheme.lower()
    if scheme not in schemes:
        raise AddressError(f"scheme {scheme or 'missing'!r}: must be one of {', '.join(schemes)}")
    if not parts.hostname:
        raise AddressError(f"{scheme}: the host is missing")
    found = Address(
        scheme=scheme,
        host=parts.hostname,
        port=port or PORTS[scheme],
        encoded_path=quote(STRAY_PERCENT.sub("%25", parts.path), safe=SAFE) or "/",
        query=parts.query,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    # A line break would be another command to an FTP server.
    if CONTROL & {*found.host, *found.path, *found.query, *found.user, *found.password}:
        raise AddressError(f"{scheme}: a URL must hold no control characters")
    return found


def shown(url: str) -> str:
    """What of ``url`` may be shown: nothing if it cannot be used."""
    try:
        return parse(url).shown
    except AddressError:
        return "***"
