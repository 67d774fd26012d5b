"""What the engine expects of hardware. One object per connector, and one per reader."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from machines.vocabulary.hardware import HardwareEvent, MeterReading, Setpoint, TokenRead

ReportEvent = Callable[[HardwareEvent], Awaitable[None]]
"""Hands an event to the charge point; waits while its inbox is full."""

ReportToken = Callable[[TokenRead], Awaitable[None]]


class MeterSilentError(Exception):
    """The meter did not answer within its time-out."""


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


class ReaderDriver(Protocol):
    """A card reader."""

    async def run(self, report: ReportToken) -> None:
        """Report each presented token once, until cancelled."""
