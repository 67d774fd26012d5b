"""The simulated lock of a socket outlet: a motor that takes a moment, and may jam."""

import math

from machines.vocabulary.hardware import LockChanged, LockFailed

TRAVEL_S = 0.3
"""From the command to the end position."""


class Lock:
    """Position, target and travel. Times are those of the caller's clock, in s."""

    def __init__(self) -> None:
        self.locked = False
        """The last position reached."""
        self.target = False
        """The position asked for."""
        self.jammed = False
        """It does not leave its position until it is repaired."""
        self.arrives_at = math.inf

    def ask(self, *, locked: bool, now: float) -> None:
        """Travel to a position. Asking for the same again changes nothing, also after a failure."""
        if locked != self.target:
            self.target = locked
            self.arrives_at = now + TRAVEL_S

    def repair(self, now: float) -> None:
        """Free the motor; it works towards its target at once."""
        self.jammed = False
        if self.locked != self.target and self.arrives_at == math.inf:
            self.arrives_at = now + TRAVEL_S

    def arrive(self) -> LockChanged | LockFailed:
        """Do what was due at ``arrives_at``; tell what the end switches say."""
        self.arrives_at = math.inf
        if self.jammed and self.locked != self.target:
            return LockFailed(self.target)
        self.locked = self.target
        return LockChanged(self.locked)
