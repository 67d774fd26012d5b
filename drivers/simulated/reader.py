"""The simulated card reader."""

from collections import deque
from collections.abc import Iterable

import trio

from drivers.interfaces import ReportReaderEvent
from drivers.simulated.errors import SimulationError
from machines.vocabulary.hardware import TokenRead

TOKEN_LENGTH_MAX = 20
WAITING_MAX = 100
"""Tokens that wait for the charge point."""


class SimulatedReader:
    """Implements ``drivers.interfaces.ReaderDriver``."""

    def __init__(self, connectors: Iterable[int]) -> None:
        self.connectors = tuple(connectors)
        """The connectors the reader serves."""
        self._waiting: deque[TokenRead] = deque()
        self._woken = trio.Event()

    async def run(self, report: ReportReaderEvent) -> None:
        """Report each presented token once, in order, until cancelled. One shown without power is not seen."""
        self._waiting.clear()
        try:
            while True:
                while self._waiting:
                    await report(self._waiting.popleft())
                self._woken = trio.Event()
                await self._woken.wait()
        finally:
            self._waiting.clear()

    def swipe(self, token: str, connectors: Iterable[int] | None = None) -> None:
        """Present a token.

        Args:
            token: 1 to 20 printable ASCII characters.
            connectors: For which connectors; all that the reader serves if None.

        Raises:
            SimulationError: The token or a connector is none of these, or too many tokens wait.
        """
        chosen = self.connectors if connectors is None else tuple(connectors)
        if not (1 <= len(token) <= TOKEN_LENGTH_MAX and token.isascii() and token.isprintable()):
            raise SimulationError(
                f"token {token!r}: must be 1 to {TOKEN_LENGTH_MAX} printable ASCII characters"
            )
        if not chosen or not set(chosen) <= set(self.connectors):
            served = ", ".join(map(str, self.connectors))
            raise SimulationError(f"connectors {list(chosen)}: the reader serves {served}")
        if len(self._waiting) >= WAITING_MAX:
            raise SimulationError(f"{WAITING_MAX} tokens wait; the charge point takes none")
        self._waiting.append(TokenRead(token, chosen))
        self._woken.set()
