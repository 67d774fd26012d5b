"""A card reader on a serial line, whatever it speaks. A reader that was unplugged is used again when it is back.

A reader that is asked is well while it answers; one that tells by itself while its line is there, since nobody can
know more of it. One that has not been well for ``silent_after_s`` has failed, and its line is opened anew: it may have
lost its power, and with it what it was told.
"""

import math
from collections.abc import Awaitable, Callable, Iterable

import trio
from msgspec import Struct

from drivers.interfaces import ReportReaderEvent
from drivers.readers.card import CardProtocol, CardSettings, Presence
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault, TokenRead

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
    silent_after_s: float = 5.0
    """Without a sign of life for so long, the reader has failed."""


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
        self._well_at = 0.0
        """When there was the last sign of life."""
        self._has_failed = False

    async def run(self, report: ReportReaderEvent) -> None:
        """Report each presented token once, and when the reader fails and is well again, until cancelled."""
        self._well_at, self._has_failed = trio.current_time(), False
        while True:
            try:
                async with await self._open() as line:
                    await self._serve(line, self._protocol(), report)
            except (OSError, trio.BrokenResourceError) as error:
                await self._judge(report, str(error) or "the line is gone")
            again_at = trio.current_time() + self._settings.reconnect_s
            await trio.sleep_until(again_at if self._has_failed else min(again_at, self._fails_at))

    async def look(self, patience_s: float) -> str:
        """What the reader says within ``patience_s``, for people; empty if it does not answer.

        Raises:
            OSError, trio.BrokenResourceError: Its line is not there, hangs, or is used by another program.
        """
        protocol = self._protocol()
        uids: list[bytes] = []
        async with await self._opened_by(trio.current_time() + patience_s) as line:
            if protocol.opening:
                await line.send_all(protocol.opening)
            if protocol.poll:
                await line.send_all(protocol.poll)
            with trio.move_on_after(patience_s):
                while not uids:
                    uids = protocol.feed(await _receive(line))
        if uids:
            return f"card {uids[0].hex().upper()}"
        if not protocol.poll:
            return "the line is open; it tells by itself"
        return "no card" if protocol.answers else ""

    async def _open(self) -> trio.abc.Stream:
        return await self._opened_by(self._patience())

    def _patience(self) -> float:
        """When to give up: when the reader is to be judged, or later when it is time for another attempt."""
        now = trio.current_time()
        is_in_time = not self._has_failed and self._fails_at > now
        return self._fails_at if is_in_time else now + self._settings.reconnect_s

    async def _opened_by(self, deadline: float) -> trio.abc.Stream:
        try:
            with trio.fail_at(deadline):
                return await self._connect()
        except trio.TooSlowError as error:
            raise OSError("the line cannot be opened: no answer") from error

    async def _serve(self, line: trio.abc.Stream, protocol: CardProtocol, report: ReportReaderEvent) -> None:
        """Ask and listen until the line is gone, or the reader has been silent for too long."""
        if protocol.opening:
            await self._ask(line, protocol.opening)
        if not protocol.poll:
            await self._note_well(report)
        opened_at = trio.current_time()
        while True:
            if protocol.poll:
                await self._ask(line, protocol.poll)
            answers = protocol.answers
            try:
                await self._listen(line, protocol, report)
            finally:
                if not protocol.poll:
                    self._well_at = trio.current_time()
            if protocol.answers != answers:
                await self._note_well(report)
            elif trio.current_time() - max(self._well_at, opened_at) >= self._settings.silent_after_s:
                await self._judge(report, "it does not answer")
                return

    async def _ask(self, line: trio.abc.Stream, question: bytes) -> None:
        """Send ``question``.

        Raises:
            OSError: The reader does not take it.
        """
        try:
            with trio.fail_at(self._patience()):
                await line.send_all(question)
        except trio.TooSlowError as error:
            raise OSError("it takes no question") from error

    async def _listen(self, line: trio.abc.Stream, protocol: CardProtocol, report: ReportReaderEvent) -> None:
        """Tell of cards, until it is time to ask again."""
        until = trio.current_time() + self._settings.poll_s if protocol.poll else math.inf
        while trio.current_time() < until:
            received = b""
            with trio.move_on_at(until):
                received = await _receive(line)
            # Outside of the deadline: a token that was seen is told.
            for uid in protocol.feed(received):
                if token := self._presence.see(uid, trio.current_time()):
                    await report(TokenRead(token, self.connectors))

    @property
    def _fails_at(self) -> float:
        """When the reader has been silent for too long."""
        return self._well_at + self._settings.silent_after_s

    async def _note_well(self, report: ReportReaderEvent) -> None:
        self._well_at = trio.current_time()
        if self._has_failed:
            self._has_failed = False
            await report(FaultCleared(HardwareFault.READER))

    async def _judge(self, report: ReportReaderEvent, why: str) -> None:
        """Tell that the reader has failed, if it has just been silent for too long."""
        if trio.current_time() >= self._fails_at and not self._has_failed:
            self._has_failed = True
            await report(FaultRaised(HardwareFault.READER, f"card reader: {why}"))


async def _receive(line: trio.abc.Stream) -> bytes:
    received = bytes(await line.receive_some(CHUNK_SIZE))
    if not received:
        raise trio.BrokenResourceError("closed by the other side")
    return received
