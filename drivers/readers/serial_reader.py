"""A card reader on a serial line, whatever it speaks. A reader that was unplugged is used again when it is back."""

from collections.abc import Awaitable, Callable, Iterable

import trio
from msgspec import Struct

from drivers.interfaces import ReportToken
from drivers.readers.card import CardProtocol, CardSettings, Presence
from machines.vocabulary.hardware import TokenRead

CHUNK_SIZE = 512
Connect = Callable[[], Awaitable[trio.abc.Stream]]
"""Opens the line; OSError if that cannot be done now."""


class ReaderSettings(Struct, frozen=True, kw_only=True):
    """How a reader is served. Times in s."""

    card: CardSettings
    poll_s: float = 0.25
    """Between two questions to a reader that tells nothing by itself."""
    reconnect_s: float = 2.0
    """Between two attempts to open the line."""


class SerialReader:
    """Implements ``drivers.interfaces.ReaderDriver``.

    Args:
        connect: Opens the line.
        protocol: Makes what the reader's language needs, anew for each connection.
        settings: How it is served.
        connectors: The connectors it serves.
    """

    def __init__(
        self,
        connect: Connect,
        protocol: Callable[[], CardProtocol],
        settings: ReaderSettings,
        connectors: Iterable[int],
    ) -> None:
        self._connect = connect
        self._protocol = protocol
        self._settings = settings
        self._presence = Presence(settings.card)
        self.connectors = tuple(connectors)
        """The connectors the reader serves."""

    async def run(self, report: ReportToken) -> None:
        """Report each presented token once, until cancelled."""
        while True:
            try:
                async with await self._connect() as line:
                    await self._serve(line, self._protocol(), report)
            except (OSError, trio.BrokenResourceError):
                await trio.sleep(self._settings.reconnect_s)

    async def _serve(self, line: trio.abc.Stream, protocol: CardProtocol, report: ReportToken) -> None:
        """Ask and listen until the line is gone."""
        if protocol.opening:
            await line.send_all(protocol.opening)
        while True:
            if protocol.poll:
                await line.send_all(protocol.poll)
            until = trio.current_time() + self._settings.poll_s if protocol.poll else float("inf")
            while trio.current_time() < until:
                received = b""
                with trio.move_on_at(until):
                    received = await _receive(line)
                # Outside of the deadline: a token that was seen is told.
                for uid in protocol.feed(received):
                    if token := self._presence.see(uid, trio.current_time()):
                        await report(TokenRead(token, self.connectors))


async def _receive(line: trio.abc.Stream) -> bytes:
    received = bytes(await line.receive_some(CHUNK_SIZE))
    if not received:
        raise trio.BrokenResourceError("closed by the other side")
    return received
