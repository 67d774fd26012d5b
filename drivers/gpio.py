"""Lines of a board: outputs that are set, inputs that are heard. By libgpiod, or in memory for tests.

What has to happen within 100 ms, or must not depend on a program, stays in hardware: the pilot, and what trips on a
residual current. Here are the lines beside it. Outputs fall back when the process ends, however it ends.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import trio
from msgspec import Struct

from drivers.interfaces import ReportEvent
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    LockFailed,
    Setpoint,
)

if TYPE_CHECKING:
    from gpiod.line import Value

OUTPUTS = ("contactor", "lock", "lamp_ready", "lamp_charging", "lamp_fault")
INPUTS = ("residual_current", "contactor_closed", "lock_closed")
DEBOUNCE = timedelta(milliseconds=10)


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

    def __init__(self, inputs: Iterable[str] = INPUTS) -> None:
        self.outputs: dict[str, bool] = dict.fromkeys(OUTPUTS, False)
        self.inputs: dict[str, bool] = dict.fromkeys(inputs, False)
        self._send, self._receive = trio.open_memory_channel[LineChange](1000)

    def set(self, values: Mapping[str, bool]) -> None:
        """Set outputs."""
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


class LineSettings(Struct, frozen=True, kw_only=True):
    """One line of a chip."""

    name: str
    """As the chip calls it, or its number."""
    active_low: bool = False


class ChipLines:
    """Lines of a chip, by libgpiod.

    Args:
        chip: Path of the chip, /dev/gpiochip0.
        outputs: Which line is which output. They are inactive until they are set.
        inputs: Which line is which input.

    Raises:
        OSError: A line is not there, or in use.
    """

    def __init__(
        self, chip: str, outputs: Mapping[str, LineSettings], inputs: Mapping[str, LineSettings]
    ) -> None:
        import gpiod
        from gpiod.line import Direction, Edge, Value

        self._active, self._inactive = Value.ACTIVE, Value.INACTIVE
        self._lines = {role: line.name for role, line in {**outputs, **inputs}.items()}
        config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = {
            line.name: gpiod.LineSettings(
                direction=Direction.OUTPUT, output_value=Value.INACTIVE, active_low=line.active_low
            )
            for line in outputs.values()
        }
        config |= {
            line.name: gpiod.LineSettings(
                direction=Direction.INPUT,
                edge_detection=Edge.BOTH,
                active_low=line.active_low,
                debounce_period=DEBOUNCE,
            )
            for line in inputs.values()
        }
        self._request = gpiod.request_lines(chip, consumer="statecharge", config=config)
        roles = {name: role for role, name in self._lines.items()}
        self._roles = {
            offset: roles[str(name)]
            for offset, name in zip(self._request.offsets, self._request.lines, strict=True)
        }

    def set(self, values: Mapping[str, bool]) -> None:
        """Set outputs."""
        levels: dict[int | str, Value] = {
            self._lines[role]: self._active if value else self._inactive for role, value in values.items()
        }
        self._request.set_values(levels)

    def get(self, name: str) -> bool:
        """An input as it is now."""
        return self._request.get_value(self._lines[name]) is self._active

    async def changes(self) -> AsyncIterator[LineChange]:
        """What changes from now on, in order."""
        while True:
            await trio.lowlevel.wait_readable(self._request.fd)
            for event in self._request.read_edge_events():
                is_active = event.event_type is event.Type.RISING_EDGE
                yield LineChange(self._roles[event.line_offset], is_active)

    def close(self) -> None:
        """Let go of all lines: outputs fall back."""
        self._request.release()


class BoardSettings(Struct, frozen=True, kw_only=True):
    """What a board has beside its pilot. Times in s."""

    has_lock: bool
    contactor_timeout_s: float = 0.2
    """For the feedback to follow the contactor."""
    lock_timeout_s: float = 3.0


class Board:
    """Contactor, lock, lamps and what watches them.

    The contactor is never closed while a residual current is reported or its feedback says that it is welded.

    Args:
        lines: The lines.
        settings: What is there.
    """

    def __init__(self, lines: LineBackend, settings: BoardSettings) -> None:
        self._lines = lines
        self._settings = settings
        self._setpoint = Setpoint()
        self._closed = False
        self._tripped = False
        self._welded = False
        self._moved = trio.Event()

    async def run(self, report: ReportEvent) -> None:
        """Report the state and what changes, until cancelled; then let go of the lines."""
        try:
            self._tripped = self._lines.get("residual_current")
            if self._tripped:
                await report(FaultRaised(HardwareFault.GROUND, "residual current"))
            if self._settings.has_lock:
                await report(LockChanged(self._lines.get("lock_closed")))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_contactor, report)
                if self._settings.has_lock:
                    nursery.start_soon(self._watch_lock, report)
                async for change in self._lines.changes():
                    for event in self._news(change):
                        await report(event)
        finally:
            self._setpoint = Setpoint()
            self._lines.set({"contactor": False})
            self._lines.close()

    def apply(self, setpoint: Setpoint) -> None:
        """Make it so, at once."""
        self._setpoint = setpoint
        self._follow()

    def _follow(self) -> None:
        self._closed = self._setpoint.contactor and not (self._tripped or self._welded)
        lock = {"lock": self._setpoint.locked} if self._settings.has_lock else {}
        self._lines.set({"contactor": self._closed, **lock})
        self._moved.set()
        self._moved = trio.Event()

    def _news(self, change: LineChange) -> list[HardwareEvent]:
        if change.name == "residual_current":
            self._tripped = change.is_active
            self._follow()
            fault = HardwareFault.GROUND
            return [FaultRaised(fault, "residual current") if change.is_active else FaultCleared(fault)]
        self._moved.set()
        self._moved = trio.Event()
        return [LockChanged(change.is_active)] if change.name == "lock_closed" else []

    async def _watch_contactor(self, report: ReportEvent) -> None:
        """Tell of a contactor whose feedback does not follow."""
        while True:
            moved, is_fault = self._moved, self._welded
            with trio.move_on_after(self._settings.contactor_timeout_s) as waited:
                await moved.wait()
            if not waited.cancelled_caught:
                continue
            is_stuck = self._lines.get("contactor_closed") is not self._closed
            if is_stuck and not is_fault:
                self._welded = True
                info = "does not close" if self._closed else "does not open: welded"
                self._follow()
                await report(FaultRaised(HardwareFault.CONTACTOR, info))
            elif is_fault and not self._lines.get("contactor_closed"):
                self._welded = False
                self._follow()
                await report(FaultCleared(HardwareFault.CONTACTOR))
            else:
                await moved.wait()

    async def _watch_lock(self, report: ReportEvent) -> None:
        """Tell of a lock that does not reach what it is asked for."""
        while True:
            wanted = self._setpoint.locked
            if self._lines.get("lock_closed") is not wanted:
                with trio.move_on_after(self._settings.lock_timeout_s) as waited:
                    while self._setpoint.locked is wanted and self._lines.get("lock_closed") is not wanted:
                        await self._moved.wait()
                if waited.cancelled_caught:
                    await report(LockFailed(wanted))
                    while self._setpoint.locked is wanted:
                        await self._moved.wait()
            else:
                await self._moved.wait()
