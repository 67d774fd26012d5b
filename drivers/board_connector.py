"""A connector of a controller and a board beside it.

The board's contactor is in series with the controller's: it is closed only while the charge point wants it and the
controller tells, now, that a vehicle asks for energy through a cable. A controller that falls silent, and keeps its own
contactor as it was, does not keep the energy on.
"""

from collections.abc import Mapping

import trio

from drivers.board import Board
from drivers.interfaces import ConnectorDriver, MeterRecord, ReportEvent
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    MeterReading,
    PilotChanged,
    PilotState,
    Setpoint,
)

ASKING = frozenset({PilotState.C, PilotState.D})


class BoardConnector:
    """Implements ``drivers.interfaces.ConnectorDriver``.

    Args:
        connector: Controller and meter.
        board: The lines.
    """

    def __init__(self, connector: ConnectorDriver, board: Board) -> None:
        self.connector = connector
        """Without its board."""
        self.board = board
        """Beside it."""
        self._pilot = PilotState.A
        self._has_cable = True
        self._faults: dict[HardwareFault, dict[str, str]] = {}
        """What stands, by who says so."""

    async def run(self, report: ReportEvent) -> None:
        """Report the state and what changes, until cancelled; then open the contactor and forbid charging."""
        self._pilot, self._has_cable, self._faults = PilotState.A, True, {}

        async def hear(event: HardwareEvent) -> None:
            match event:
                case PilotChanged(state=state):
                    self._pilot = state
                case CableChanged(present=present):
                    self._has_cable = present
            event = self._joined("controller", event)
            self.board.permit(self._may_close)
            await report(event)

        async def hear_board(event: HardwareEvent) -> None:
            await report(self._joined("board", event))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.board.run, hear_board)
            nursery.start_soon(self.connector.run, hear)

    def apply(self, setpoint: Setpoint) -> None:
        """Set the board at once, and work towards ``setpoint`` with the controller."""
        self.board.apply(setpoint)
        self.connector.apply(setpoint)

    async def read_meter(self) -> MeterReading:
        """Read all values now.

        Raises:
            MeterSilentError: The meter did not answer.
        """
        return await self.connector.read_meter()

    async def until_moved(self) -> None:
        """Wait until the controller and the meter have been looked after once more."""
        await self.connector.until_moved()

    @property
    def meter_record(self) -> MeterRecord | None:
        """What the latest reading rests on."""
        return self.connector.meter_record

    def resume_meter(self, record: MeterRecord, passed_s: float) -> None:
        """Go on from ``record``."""
        self.connector.resume_meter(record, passed_s)

    @property
    def _may_close(self) -> bool:
        is_heard = "controller" not in self._faults.get(HardwareFault.INTERNAL, {})
        return is_heard and self._has_cable and self._pilot in ASKING

    def _joined(self, source: str, event: HardwareEvent) -> HardwareEvent:
        """A fault that both tell of is gone when neither tells of it any more."""
        match event:
            case FaultRaised(fault=fault, info=info):
                infos = self._faults.setdefault(fault, {})
                infos[source] = info
                return FaultRaised(fault, _text(infos))
            case FaultCleared(fault=fault):
                infos = self._faults.get(fault, {})
                infos.pop(source, None)
                return FaultRaised(fault, _text(infos)) if infos else event
        return event


def _text(infos: Mapping[str, str]) -> str:
    return ", ".join(infos.values())
