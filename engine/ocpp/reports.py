"""The way of events from the link to the charge point: one at a time, in the order in which they happened."""

import math
from collections.abc import Awaitable, Callable

import trio

from machines.vocabulary.wire import WireEvent

Report = Callable[[WireEvent], Awaitable[None]]
"""Hands an event to the charge point; waits while its inbox is full."""


class Reports:
    """Events on their way.

    The charge point itself asks for calls, from within the step that would take their events, so what follows
    at once from such a call must never wait: it is posted. What the peer causes is delivered: whoever reads
    the socket waits until the charge point has taken it, which is what bounds this queue. Mostly nothing is
    queued, and then it is handed over without a detour.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._send, self._receive = trio.open_memory_channel[tuple[WireEvent, trio.Event]](math.inf)
        self._queued = 0
        """Events that are on their way through the queue."""
        self._turn = trio.Lock()
        """Whose event is being handed over."""

    def post(self, event: WireEvent) -> None:
        """Report ``event`` when those before it are taken."""
        self._queue(event, trio.Event())

    async def deliver(self, event: WireEvent) -> None:
        """Report ``event`` and wait until it is taken."""
        if self._queued or self._turn.locked():
            taken = trio.Event()
            self._queue(event, taken)
            await taken.wait()
            return
        self._turn.acquire_nowait()
        try:
            await self._report(event)
        finally:
            self._turn.release()

    def _queue(self, event: WireEvent, taken: trio.Event) -> None:
        self._queued += 1
        self._send.send_nowait((event, taken))

    async def run(self) -> None:
        """Carry events until cancelled."""
        async for event, taken in self._receive:
            async with self._turn:
                await self._report(event)
            self._queued -= 1
            taken.set()
