"""A board that speaks lines of text, as many a small EVSE controller does over a serial line or a socket.

It tells ``PILOT A|B|C``, whenever that changes and when it is asked ``?``; it takes ``OFFER <A>`` (0: no offer) and
``CONTACTOR 0|1``, and answers ``METER?`` with ``METER <Wh>``. It opens its contactor when it hears nothing for 10 s.
"""

from collections.abc import Awaitable, Callable

import trio

from drivers.interfaces import MeterRecord, MeterSilentError, ReportEvent
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareFault,
    MeterReading,
    PilotChanged,
    PilotState,
    Setpoint,
)

Connect = Callable[[], Awaitable[trio.abc.Stream]]
"""Opens the line; OSError if that cannot be done now."""

REPEAT_S = 2.0
"""The setpoint is written again and again: the board opens the contactor when it hears nothing."""
RECONNECT_S = 1.0
METER_TIMEOUT_S = 1.0
LINE_MAX = 100
"""Bytes; what is longer is no line of the board."""


class LineBoard:
    """Implements ``drivers.interfaces.ConnectorDriver`` for a fixed cable, on one or three phases.

    Args:
        connect: Opens the line to the board.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._setpoint = Setpoint()
        self._changed = trio.Event()
        self._line: trio.abc.Stream | None = None
        """While it is open."""
        self._pilot: PilotState | None = None
        """As told last; None before the first time."""
        self._is_silent = False
        """It was told that the board cannot be reached."""
        self._metered: trio.Event | None = None
        """While somebody waits for a reading."""
        self._energy_wh = 0

    async def run(self, report: ReportEvent) -> None:
        """Report the state and what changes, until cancelled; then open the contactor."""
        self._pilot, self._is_silent = None, False
        try:
            while True:
                try:
                    async with await self._connect() as self._line:
                        await self._serve(self._line, report)
                except* (OSError, trio.BrokenResourceError):
                    pass  # It is told below, and the line is opened again.
                self._line = None
                if not self._is_silent:
                    self._is_silent = True
                    await report(FaultRaised(HardwareFault.INTERNAL, "the board does not answer"))
                await trio.sleep(RECONNECT_S)
        finally:
            self._setpoint = Setpoint()
            self._line = None

    def apply(self, setpoint: Setpoint) -> None:
        """Have ``setpoint`` written; the latest counts."""
        self._setpoint = setpoint
        self._changed.set()

    async def read_meter(self) -> MeterReading:
        """Ask the board for its register.

        Raises:
            MeterSilentError: There is no answer.
        """
        if self._line is None:
            await trio.lowlevel.checkpoint()
            raise MeterSilentError("the board does not answer")
        metered = self._metered = self._metered or trio.Event()
        self._changed.set()
        with trio.move_on_after(METER_TIMEOUT_S):
            await metered.wait()
            return MeterReading(energy_import_wh=self._energy_wh)
        raise MeterSilentError(f"no answer in {METER_TIMEOUT_S:g} s")

    async def until_moved(self) -> None:
        """Return at once: the board speaks by itself, and every wait here ends by its time or with the line."""
        await trio.lowlevel.checkpoint()

    @property
    def meter_record(self) -> None:
        """Keep nothing: the meter is part of the board, and nobody replaces it alone."""

    def resume_meter(self, record: MeterRecord, passed_s: float) -> None:
        """Go on from nothing."""

    async def _serve(self, line: trio.abc.Stream, report: ReportEvent) -> None:
        """Listen and write until the line is gone, or the run ends: then the board is told to open."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, line)
                await self._listen(line, report)
                nursery.cancel_scope.cancel()
        finally:
            with trio.move_on_after(1, shield=True):
                await line.send_all(b"OFFER 0\nCONTACTOR 0\n")

    async def _write(self, line: trio.abc.Stream) -> None:
        await line.send_all(b"?\n")
        while True:
            self._changed = trio.Event()
            asked = b"METER?\n" if self._metered is not None else b""
            await line.send_all(self._written() + asked)
            with trio.move_on_after(REPEAT_S):
                await self._changed.wait()

    def _written(self) -> bytes:
        """The setpoint, as the board takes it."""
        setpoint = self._setpoint
        return b"OFFER %d\nCONTACTOR %d\n" % (setpoint.offered_a, setpoint.contactor)

    async def _listen(self, line: trio.abc.Stream, report: ReportEvent) -> None:
        held = b""
        while received := await line.receive_some(LINE_MAX):
            *lines, held = (held + bytes(received)).split(b"\n")
            held = held[-LINE_MAX:]
            for each in lines:
                await self._take(each.decode("ascii", "replace").strip(), report)

    async def _take(self, line: str, report: ReportEvent) -> None:
        """What the board says. What it does not say in its own language is noise on the line."""
        match line.split():
            case ["PILOT", "A" | "B" | "C" as letter]:
                await self._answered(report)
                if self._pilot != letter:
                    self._pilot = PilotState(letter)
                    await report(PilotChanged(self._pilot))
            case ["METER", register] if register.isascii() and register.isdigit():
                self._energy_wh = max(self._energy_wh, int(register))
                if self._metered is not None:
                    self._metered.set()
                    self._metered = None

    async def _answered(self, report: ReportEvent) -> None:
        if self._is_silent:
            self._is_silent = False
            await report(FaultCleared(HardwareFault.INTERNAL))
