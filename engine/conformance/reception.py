"""Where the station under test connects: a port, TLS if that is wanted, and who may come in."""

import ssl
from contextlib import suppress
from pathlib import Path

import trio

from engine.conformance.plan import PlanError
from engine.conformance.trace import Notes
from engine.csms import Csms
from engine.csms_book import SENT
from engine.ocpp import frames
from engine.ocpp.websocket import authorization as authorization_of

HANDSHAKE_S = 30


class Reception:
    """Lets one station in: the one with the identity that is wanted, or the first that comes.

    Args:
        notes: Where connections are noted.
        identity: Of the station; None is that of the first.
        password: For Basic authentication, as text or as the hexadecimal digits of AuthorizationKey; None asks for
            none.
    """

    def __init__(self, notes: Notes, identity: str | None, password: str | None) -> None:
        self.identity = identity
        self.arrived = trio.Event()
        """The station has connected once."""
        self.refused = ""
        """Who was refused last, and why."""
        self.csms: Csms | None = None
        """Whose door it is."""
        self._notes = notes
        self._password = password

    def admit(self, identity: str, authorization: bytes | None) -> bool:
        """Whether a station may come in (``engine.csms.Admit``)."""
        why = self._why_not(identity, authorization)
        if why:
            self.refused = f"{identity} was refused: {why}"
            self._notes.connection("refused", identity=identity, why=why)
            return False
        self.identity = identity
        self._notes.connection("connected", identity=identity)
        self.arrived.set()
        return True

    def _why_not(self, identity: str, authorization: bytes | None) -> str:
        if self.identity not in (None, identity):
            return f"the station under test is {self.identity}"
        if self._password is None:
            return ""
        if authorization is None:
            return "it sends no password"
        allowed = [authorization_of(identity, password) for password in self._passwords()]
        return "" if authorization in allowed else "the password is another one"

    def _passwords(self) -> list[bytes]:
        """The password, and what the station was told to use since."""
        texts = [self._password or ""]
        for entry in self.csms.transcript if self.csms else ():
            if (
                entry.direction == SENT
                and entry.kind == frames.CALL
                and entry.action == "ChangeConfiguration"
            ):
                key, value = entry.payload.get("key"), entry.payload.get("value")
                texts += [str(value)] if str(key).casefold() == "authorizationkey" else []
        return [form for text in texts for form in _forms(text)]

    async def serve(
        self,
        listener: trio.abc.Listener[trio.abc.Stream],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Take connections until cancelled."""
        await trio.serve_listeners(self._welcome, [listener], task_status=task_status)  # type: ignore[arg-type]

    async def _welcome(self, stream: trio.abc.Stream) -> None:
        assert self.csms is not None
        if isinstance(stream, trio.SSLStream) and not await self._has_shaken_hands(stream):
            return
        asked = len(self.csms.upgrades)
        await self.csms.serve_stream(stream)
        if len(self.csms.upgrades) > asked:
            self._notes.connection("disconnected")

    async def _has_shaken_hands(self, stream: "trio.SSLStream[trio.SocketStream]") -> bool:
        try:
            with trio.fail_after(HANDSHAKE_S):
                await stream.do_handshake()
        except (trio.BrokenResourceError, trio.TooSlowError) as error:
            why = str(error.__cause__ or "no handshake in time")
            self.refused = f"TLS failed: {why}"
            self._notes.connection("TLS failed", why=why)
            await trio.aclose_forcefully(stream)
            return False
        return True


async def listen(
    host: str, port: int, tls: tuple[Path, Path | None] | None
) -> tuple[trio.abc.Listener[trio.abc.Stream], int]:
    """Listen for stations: what takes connections, and the port, which matters if it was 0.

    Raises:
        PlanError: The address or the certificate is no good.
    """
    context = None if tls is None else _context(*tls)
    try:
        tcp, *rest = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise PlanError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    for other in rest:
        await other.aclose()
    bound = int(tcp.socket.getsockname()[1])
    if context is None:
        return tcp, bound
    return trio.SSLListener(tcp, context, https_compatible=True), bound


def _context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise PlanError(f"{certificate} with {key}: {error}") from error
    return context


def _forms(password: str) -> list[bytes]:
    """The text itself, and the bytes that it denotes if it is hexadecimal."""
    forms = [password.encode()]
    with suppress(ValueError):  # it is a text
        forms.append(bytes.fromhex(password))
    return forms
