"""Lines of a board, by what they are for: outputs that are set, inputs that are heard.

What has to happen within 100 ms, or must not depend on a program, stays in hardware: the pilot, and what trips on a
residual current. Here are the lines beside it. Outputs fall back when the process ends, however it ends.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

import trio
from msgspec import Struct

OUTPUTS = ("contactor", "phases", "lock", "lamp_ready", "lamp_charging", "lamp_fault")
"""``contactor`` is one in series with that of the controller, or its release; ``phases`` connects the second and the
third one."""
INPUTS = ("residual_current", "contactor_closed", "lock_closed")


class LineChange(Struct, frozen=True):
    """An input that changed."""

    name: str
    is_active: bool


class LineBackend(Protocol):
    """Lines by name, active or not; which level that is, the backend knows."""

    def set(self, values: Mapping[str, bool]) -> None:
        """Set outputs."""

    def get(self, name: str) -> bool:
        """An input as it is now."""

    def changes(self) -> AsyncIterator[LineChange]:
        """What changes from now on, in order."""

    def close(self) -> None:
        """Let go of all lines: outputs fall back."""


class MemoryLines:
    """Lines in memory."""

    def __init__(self, outputs: Iterable[str] = OUTPUTS, inputs: Iterable[str] = INPUTS) -> None:
        self.outputs: dict[str, bool] = dict.fromkeys(outputs, False)
        self.inputs: dict[str, bool] = dict.fromkeys(inputs, False)
        self._send, self._receive = trio.open_memory_channel[LineChange](1000)

    def set(self, values: Mapping[str, bool]) -> None:
        """Set outputs."""
        assert values.keys() <= self.outputs.keys(), values
        self.outputs.update(values)

    def get(self, name: str) -> bool:
        """An input as it is now."""
        return self.inputs[name]

    def put(self, name: str, *, is_active: bool) -> None:
        """Let an input change."""
        if self.inputs[name] is not is_active:
            self.inputs[name] = is_active
            self._send.send_nowait(LineChange(name, is_active))

    async def changes(self) -> AsyncIterator[LineChange]:
        """What changes from now on, in order."""
        while True:
            yield await self._receive.receive()

    def close(self) -> None:
        """Let go of all lines."""
        self.outputs = dict.fromkeys(self.outputs, False)
