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
    the socket waits until the charge point has taken it, which is what bounds this queue.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._send, self._receive = trio.open_memory_channel[tuple[WireEvent, trio.Event]](math.inf)

    def post(self, event: WireEvent) -> None:
        """Report ``event`` when those before it are taken."""
        self._send.send_nowait((event, trio.Event()))

    async def deliver(self, event: WireEvent) -> None:
        """Report ``event`` and wait until it is taken."""
        taken = trio.Event()
        self._send.send_nowait((event, taken))
        await taken.wait()

    async def run(self) -> None:
        """Carry events until cancelled."""
        async for event, taken in self._receive:
            await self._report(event)
            taken.set()
