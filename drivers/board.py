"""What a board has beside its controller: contactor, phases, lock, lamps, and what watches them."""

from collections.abc import Callable, Collection, Mapping

import trio
from msgspec import Struct

from drivers.interfaces import ReportEvent
from drivers.lines import INPUTS, OUTPUTS, LineBackend, LineChange
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    Indicator,
    LockChanged,
    LockFailed,
    Setpoint,
)

OpenLines = Callable[[Collection[str]], LineBackend]
"""Gets lines by name, the outputs among them inactive; OSError if that cannot be done now."""

RETRY_S = 2.0
"""Between two attempts to get the lines."""
LAMPS: Mapping[Indicator, Collection[str]] = {
    Indicator.READY: ("lamp_ready",),
    Indicator.OCCUPIED: ("lamp_charging",),
    Indicator.CHARGING: ("lamp_charging",),
    Indicator.PAUSED: ("lamp_charging",),
    Indicator.RESERVED: ("lamp_ready", "lamp_charging"),
    Indicator.OUT_OF_SERVICE: ("lamp_fault",),
    Indicator.FAULT: ("lamp_fault",),
}
"""Which lamps are lit."""


class BoardSettings(Struct, frozen=True, kw_only=True):
    """What a board has. Times in s."""

    outputs: tuple[str, ...] = OUTPUTS
    inputs: tuple[str, ...] = INPUTS
    """The lock cannot be without its feedback; all others can."""
    contactor_timeout_s: float = 0.2
    """For the feedback to follow the contactor."""
    lock_timeout_s: float = 3.0


class Board:
    """The lines of one connector.

    The contactor is never closed while it is not permitted, a residual current is reported, or its feedback says that
    it is welded. Phases are switched only while it is open.

    Args:
        open_lines: Gets the lines.
        settings: What is there.
    """

    def __init__(self, open_lines: OpenLines, settings: BoardSettings) -> None:
        self._open = open_lines
        self._settings = settings
        self._lines: LineBackend | None = None
        """None while there are none."""
        self._setpoint = Setpoint()
        self._is_permitted = False
        self._closed = False
        self._tripped = False
        self._welded = False
        self._moved = trio.Event()

    async def run(self, report: ReportEvent) -> None:
        """Report the state and what changes, until cancelled; then let go of the lines."""
        lines = await self._get_lines(report)
        self._lines = lines
        try:
            self._tripped = "residual_current" in self._settings.inputs and lines.get("residual_current")
            self._welded = False
            self._follow()
            if self._tripped:
                await report(FaultRaised(HardwareFault.GROUND, "residual current"))
            if "lock" in self._settings.outputs:
                await report(LockChanged(lines.get("lock_closed")))
            async with trio.open_nursery() as nursery:
                if "contactor_closed" in self._settings.inputs:
                    nursery.start_soon(self._watch_contactor, lines, report)
                if "lock" in self._settings.outputs:
                    nursery.start_soon(self._watch_lock, lines, report)
                async for change in lines.changes():
                    for event in self._news(change):
                        await report(event)
        finally:
            self._lines = None
            self._setpoint, self._closed, self._is_permitted = Setpoint(), False, False
            lines.set(dict.fromkeys(self._settings.outputs, False))
            lines.close()

    def apply(self, setpoint: Setpoint) -> None:
        """Make it so, at once."""
        self._setpoint = setpoint
        self._follow()

    def permit(self, is_permitted: bool) -> None:
        """Say whether the contactor may be closed, whatever the setpoint is; at the start it may not."""
        if is_permitted is not self._is_permitted:
            self._is_permitted = is_permitted
            self._follow()

    def look(self) -> dict[str, bool]:
        """The inputs as they are now; nothing is set.

        Raises:
            OSError: They cannot be had.
        """
        if not self._settings.inputs:
            return {}
        lines = self._open(self._settings.inputs)
        try:
            return {name: lines.get(name) for name in self._settings.inputs}
        finally:
            lines.close()

    async def _get_lines(self, report: ReportEvent) -> LineBackend:
        has_failed = False
        while True:
            try:
                lines = self._open((*self._settings.outputs, *self._settings.inputs))
            except OSError as error:
                if not has_failed:
                    has_failed = True
                    await report(FaultRaised(HardwareFault.INTERNAL, f"lines: {error.strerror or error}"))
                await trio.sleep(RETRY_S)
            else:
                if has_failed:
                    await report(FaultCleared(HardwareFault.INTERNAL))
                return lines

    def _follow(self) -> None:
        wanted, has = self._setpoint, self._settings.outputs
        was_closed = self._closed
        self._closed = wanted.contactor and self._is_permitted and not (self._tripped or self._welded)
        if self._lines is None:
            return
        lit = LAMPS[wanted.indicator] if wanted.brightness_percent else ()
        values = {lamp: lamp in lit for lamp in ("lamp_ready", "lamp_charging", "lamp_fault")}
        values |= {"lock": wanted.locked, "contactor": self._closed}
        if not was_closed:
            # Before the contactor closes; the vehicle sees none come or go.
            values = {"phases": wanted.phases == 3, **values}
        for name, is_active in values.items():
            if name in has:
                self._lines.set({name: is_active})
        self._move()

    def _move(self) -> None:
        self._moved.set()
        self._moved = trio.Event()

    def _news(self, change: LineChange) -> list[HardwareEvent]:
        if change.name == "residual_current":
            self._tripped = change.is_active
            self._follow()
            fault = HardwareFault.GROUND
            return [FaultRaised(fault, "residual current") if change.is_active else FaultCleared(fault)]
        self._move()
        return [LockChanged(change.is_active)] if change.name == "lock_closed" else []

    async def _watch_contactor(self, lines: LineBackend, report: ReportEvent) -> None:
        """Tell of a contactor whose feedback does not follow."""
        while True:
            moved, is_fault = self._moved, self._welded
            with trio.move_on_after(self._settings.contactor_timeout_s) as waited:
                await moved.wait()
            if not waited.cancelled_caught:
                continue
            is_stuck = lines.get("contactor_closed") is not self._closed
            if is_stuck and not is_fault:
                self._welded = True
                info = "does not close" if self._closed else "does not open: welded"
                self._follow()
                await report(FaultRaised(HardwareFault.CONTACTOR, info))
            elif is_fault and not lines.get("contactor_closed"):
                self._welded = False
                self._follow()
                await report(FaultCleared(HardwareFault.CONTACTOR))
            else:
                await moved.wait()

    async def _watch_lock(self, lines: LineBackend, report: ReportEvent) -> None:
        """Tell of a lock that does not reach what it is asked for."""
        while True:
            wanted = self._setpoint.locked
            if lines.get("lock_closed") is not wanted:
                with trio.move_on_after(self._settings.lock_timeout_s) as waited:
                    while self._setpoint.locked is wanted and lines.get("lock_closed") is not wanted:
                        await self._moved.wait()
                if waited.cancelled_caught:
                    await report(LockFailed(wanted))
                    while self._setpoint.locked is wanted:
                        await self._moved.wait()
            else:
                await self._moved.wait()
