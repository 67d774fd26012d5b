"""What the engine expects of hardware. One object per connector, and one per reader."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    MeterReading,
    Setpoint,
    TokenRead,
)

ReportEvent = Callable[[HardwareEvent], Awaitable[None]]
"""Hands an event to the charge point; waits while its inbox is full."""

ReaderEvent = TokenRead | FaultRaised | FaultCleared
"""What a reader sees, and how it is itself."""

ReportReaderEvent = Callable[[ReaderEvent], Awaitable[None]]


class MeterSilentError(Exception):
    """The meter did not answer within its time-out."""


class MeterRecord(Struct, frozen=True, kw_only=True):
    """What must be known of a meter over a restart, so that its energy goes on where it was."""

    serial_number: str
    """Empty if the meter does not tell one."""
    read_wh: float
    """What the meter itself read last."""
    offset_wh: float
    """Of what is shown over what the meter reads: meters that were there before."""


class ConnectorDriver(Protocol):
    """The hardware of one connector: pilot, contactor, proximity, lock, meter, lamp."""

    async def run(self, report: ReportEvent) -> None:
        """Report the present state once, then what changes, until cancelled.

        Opens the contactor and takes the offer away before it ends, however it ends.
        """

    def apply(self, setpoint: Setpoint) -> None:
        """Make the hardware so. Never waits: a slow device keeps the latest setpoint and works towards it."""

    async def read_meter(self) -> MeterReading:
        """Read all values now.

        Raises:
            MeterSilentError: The meter did not answer.
        """

    async def until_moved(self) -> None:
        """Wait until the driver, while it runs, has looked after its hardware once more, however that went.

        What comes later than some seconds is a driver that hangs.
        """

    @property
    def meter_record(self) -> MeterRecord | None:
        """What the latest reading rests on; None: nothing has to be kept."""

    def resume_meter(self, record: MeterRecord, passed_s: float) -> None:
        """Go on from ``record``, which was kept ``passed_s`` ago; without effect once the meter has been read."""


class ReaderDriver(Protocol):
    """A card reader."""

    connectors: tuple[int, ...]
    """The connectors it serves."""

    async def run(self, report: ReportReaderEvent) -> None:
        """Report each presented token once, and when the reader fails and is well again, until cancelled."""
