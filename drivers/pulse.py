"""Whether a loop goes round."""

import trio


class Pulse:
    """Beats once in every round of a loop."""

    def __init__(self) -> None:
        self._beat = trio.Event()

    def beat(self) -> None:
        """Tell whoever waits that another round is done."""
        self._beat.set()
        self._beat = trio.Event()

    async def until_beat(self) -> None:
        """Wait until the round that is under way is done."""
        await self._beat.wait()
