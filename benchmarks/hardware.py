"""Hardware for the benchmarks: a connector and a reader, drivers like any other, that know when they were asked.

The connector does at once whatever it is asked for, so that what is measured is the station and not its hardware.
"""

from collections.abc import Callable
from time import monotonic_ns

import trio

from drivers.interfaces import MeterRecord, ReportEvent, ReportReaderEvent
from machines.vocabulary.hardware import (
    CableChanged,
    HardwareEvent,
    LockChanged,
    MeterReading,
    PilotChanged,
    PilotState,
    Setpoint,
    TokenRead,
)

WH_A_SAMPLE = 2
VOLTAGE_V = 230.0
CURRENT_A = 16.0
EVENTS_MAX = 100


class BenchConnector:
    """Implements ``drivers.interfaces.ConnectorDriver``."""

    def __init__(self) -> None:
        self.setpoint = Setpoint()
        self._register_wh = 0
        self._pilot = PilotState.A
        self._send, self._receive = trio.open_memory_channel[HardwareEvent](EVENTS_MAX)
        self._changed = trio.Event()
        self._awaited: Callable[[Setpoint], bool] | None = None
        self._reported_ns = self._applied_ns = 0

    async def run(self, report: ReportEvent) -> None:
        """Report the present state, then what is said by :meth:`say`."""
        await report(PilotChanged(PilotState.A))
        await report(CableChanged(present=False))
        await report(LockChanged(locked=False))
        async for event in self._receive:
            if self._awaited is not None and not self._reported_ns:
                self._reported_ns = monotonic_ns()
            await report(event)

    def apply(self, setpoint: Setpoint) -> None:
        """Make it so; lock and vehicle follow at once."""
        before, self.setpoint = self.setpoint, setpoint
        if self._awaited is not None and self._reported_ns and self._awaited(setpoint):
            self._applied_ns = monotonic_ns()
            self._awaited = None
        if setpoint.locked != before.locked:
            self.say(LockChanged(setpoint.locked))
        if self._pilot is PilotState.B and setpoint.offered_a and not before.offered_a:
            self.pilot(PilotState.C)
        self._tell()

    async def read_meter(self) -> MeterReading:
        """What goes on while 11 kW flow, in 8 values."""
        self._register_wh += WH_A_SAMPLE
        power_w = VOLTAGE_V * CURRENT_A
        return MeterReading(
            energy_import_wh=self._register_wh,
            power_w=3 * power_w,
            current_l1_a=CURRENT_A,
            current_l2_a=CURRENT_A,
            current_l3_a=CURRENT_A,
            voltage_l1_v=VOLTAGE_V,
            voltage_l2_v=VOLTAGE_V,
            voltage_l3_v=VOLTAGE_V,
        )

    @property
    def meter_record(self) -> MeterRecord | None:
        """Nothing has to be kept of this meter."""
        return None

    def resume_meter(self, record: MeterRecord, passed_s: float) -> None:
        """Never called: nothing was kept."""
        raise AssertionError(record, passed_s)

    def say(self, event: HardwareEvent) -> None:
        """Let something happen."""
        self._send.send_nowait(event)

    def pilot(self, state: PilotState) -> None:
        """Let the vehicle change the control pilot."""
        self._pilot = state
        self.say(PilotChanged(state))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is looked at when a setpoint is applied."""
        while not condition():
            await self._changed.wait()

    async def time(self, event: HardwareEvent, applied: Callable[[Setpoint], bool]) -> int:
        """Let ``event`` happen; how long it takes until a setpoint is applied for which ``applied`` holds, in ns."""
        self._awaited, self._reported_ns = applied, 0
        self.say(event)
        await self.until(lambda: self._awaited is None)
        return self._applied_ns - self._reported_ns

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


class BenchReader:
    """Implements ``drivers.interfaces.ReaderDriver``."""

    connectors = (1,)

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[TokenRead](EVENTS_MAX)

    async def run(self, report: ReportReaderEvent) -> None:
        """Report what is shown."""
        async for token in self._receive:
            await report(token)

    def swipe(self, token: str) -> None:
        """Show a card for connector 1."""
        self._send.send_nowait(TokenRead(token, (1,)))
