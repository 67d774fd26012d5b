"""The OCPP-J client: one connection at a time to the Central System, and the CALLs over it.

The link does what it is asked and reports what came of it; when to dial, what to send and what a lost answer
means is for state machines to decide. Nothing that a peer sends, or does not send, ends the station.
"""

from pathlib import Path
from urllib.parse import urlsplit

import trio
from msgspec import Struct
from trio_websocket import WebSocketConnection

from engine.ocpp.conversation import Conversation, Log, Terms
from engine.ocpp.reports import Report, Reports
from engine.ocpp.websocket import Dialling, OpenStream, converse, stream_opener
from machines.vocabulary.ocpp import Conf, Request
from machines.vocabulary.wire import (
    CallError,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    Failure,
)


class LinkSettings(Struct, frozen=True, kw_only=True):
    """The connection as declared. Times in s."""

    url: str
    """Endpoint of the Central System, ``ws://`` or ``wss://``, without the identity."""
    identity: str
    """Of the charge point; also the user name."""
    password: bytes | None
    """For HTTP Basic authentication, or None for none."""
    ca_file: Path | None
    """Certificates (PEM) that the server's is checked against, or None for those of the system."""
    connect_timeout_s: float
    call_timeout_s: float
    ping_interval_s: float
    """0 is never."""
    pong_timeout_s: float
    """How long a peer may owe a pong, refuse to read, or take to close."""
    frame_size_max: int
    """Bytes of a frame that is received."""
    outbox_size_max: int
    """CALLs of ours that may wait, and CALLs of the Central System that may be in progress."""
    receives: frozenset[str]
    """Actions that the station takes from the Central System."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"url: found {self.url!r}, allowed is ws:// or wss://, a host, and a path")


class Link:
    """The link to the Central System. Only :meth:`run` waits."""

    def __init__(
        self, settings: LinkSettings, report: Report, log: Log, open_stream: OpenStream | None = None
    ) -> None:
        self._settings = settings
        self._reports = Reports(report)
        self._log = log
        self._open_stream = open_stream or stream_opener(settings.ca_file)
        self._password = settings.password
        self._ping_interval_s = settings.ping_interval_s
        self._call_timeout_s = settings.call_timeout_s
        self._is_unreachable = False
        self._dial_asked = trio.Event()
        self._attempt: trio.CancelScope | None = None
        """The connection, from dialling to its end."""
        self._ending = ""
        """Why the present connection is being ended by us, if it is."""
        self._conversation: Conversation | None = None
        self.connections = 0
        """How many connections were opened so far."""

    async def run(self) -> None:
        """Serve until cancelled. What ``report`` raises ends it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._reports.run)
            while True:
                asked = self._dial_asked
                await asked.wait()
                if asked is self._dial_asked:  # and has not been dropped since
                    self._dial_asked = trio.Event()
                    await self._connect()

    def dial(self) -> None:
        """Open the connection: ends in ConnectionOpened or ConnectionFailed. While there is one, nothing."""
        if self._attempt is not None and not self._ending:
            self._log("dialling ignored", why="there is a connection, or one is being opened")
            return
        self._dial_asked.set()

    def hang_up(self, why: str) -> None:
        """Close the connection, or stop dialling: ends in ConnectionClosed or ConnectionFailed."""
        if self._conversation is not None:
            self._ending = self._ending or why
            self._conversation.hang_up(why)
        else:
            self._drop(why)

    async def wait_closed(self) -> None:
        """Wait for the end of the present connection, if there is one."""
        if self._conversation is not None:
            await self._conversation.wait_closed()

    def call(self, owner: str, request: Request) -> None:
        """Send a CALL; ends in one CallAnswered or CallFailed for ``owner``."""
        if self._conversation is None:
            self._reports.post(_not_connected(owner, request))
        else:
            self._conversation.call(owner, request)

    def call_transaction(self, owner: str, request: Request) -> None:
        """Send a CALL once no other waits. There must not be another one of these waiting."""
        if self._conversation is None:
            self._reports.post(_not_connected(owner, request))
        else:
            self._conversation.call_transaction(owner, request)

    def answer(self, call_id: str, answer: Conf | CallError) -> None:
        """Answer the CALL of RequestReceived. If its connection is gone, nothing is sent."""
        if self._conversation is None:
            self._log("answer dropped", call_id=call_id, why="not connected")
        else:
            self._conversation.answer(call_id, answer)

    def leave_unanswered(self, call_id: str) -> None:
        """Forget the CALL of RequestReceived: it gets no answer."""
        if self._conversation is not None:
            self._conversation.leave_unanswered(call_id)

    def set_ping_interval(self, ping_interval_s: float) -> None:
        """Ping every ``ping_interval_s`` from now on, on the present connection too; 0 is never."""
        self._ping_interval_s = ping_interval_s
        if self._conversation is not None:
            self._conversation.set_ping_interval(ping_interval_s)

    def set_call_timeout(self, call_timeout_s: float) -> None:
        """Wait no longer than ``call_timeout_s`` for an answer, from the next CALL on."""
        self._call_timeout_s = call_timeout_s
        if self._conversation is not None:
            self._conversation.set_call_timeout(call_timeout_s)

    def set_password(self, password: bytes | None) -> None:
        """Use ``password`` from the next connection on."""
        self._password = password

    def make_unreachable(self, flag: bool) -> None:
        """Cut the link, without a closing frame, and refuse to dial until it is put back."""
        self._is_unreachable = flag
        if flag:
            self._drop("the link was cut")

    def _drop(self, why: str) -> None:
        """End dialling or the connection at once. A dialling that was asked for fails."""
        if self._attempt is not None:
            self._ending = self._ending or why
            self._attempt.cancel()
        elif self._dial_asked.is_set():
            self._dial_asked = trio.Event()
            self._reports.post(ConnectionFailed(why))

    async def _connect(self) -> None:
        """One connection, from dialling to its end."""
        if self._is_unreachable:
            self._reports.post(ConnectionFailed("the link is cut"))
            return
        dialling = Dialling(
            url=self._settings.url,
            identity=self._settings.identity,
            password=self._password,
            connect_timeout_s=self._settings.connect_timeout_s,
            send_timeout_s=self._settings.pong_timeout_s,
            frame_size_max=self._settings.frame_size_max,
        )
        why = ""
        with trio.CancelScope() as self._attempt:
            why = await converse(dialling, self._open_stream, self._talk)
        # From here to the end nothing waits: a call asked for meanwhile would be lost.
        conversation, self._conversation = self._conversation, None
        why, self._ending, self._attempt = self._ending or why, "", None
        if conversation is None:
            self._log("dialling failed", why=why)
            self._reports.post(ConnectionFailed(why))
            return
        self._log("connection closed", why=why)
        for failed in conversation.abandon(why):
            self._reports.post(failed)
        self._reports.post(ConnectionClosed(why))

    async def _talk(self, socket: WebSocketConnection) -> str:
        terms = Terms(
            call_timeout_s=self._call_timeout_s,
            pong_timeout_s=self._settings.pong_timeout_s,
            frame_size_max=self._settings.frame_size_max,
            outbox_size_max=self._settings.outbox_size_max,
            receives=self._settings.receives,
        )
        self._conversation = Conversation(socket, terms, self._ping_interval_s, self._reports, self._log)
        self._log("connection opened", url=self._settings.url, identity=self._settings.identity)
        self.connections += 1
        self._reports.post(ConnectionOpened())
        return await self._conversation.run()


def _not_connected(owner: str, request: Request) -> CallFailed:
    return CallFailed(owner, type(request).__name__, Failure.DISCONNECTED, "not connected")
