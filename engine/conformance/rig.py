"""What moves the hardware around a charge point under test: a simulation, programs, or a person."""

import math
from typing import Protocol

from engine.conformance.stimuli import Stimulus


class RigError(Exception):
    """A stimulus could not be given. One line, for the tester."""


class CannotError(RigError):
    """This rig has no way to give that stimulus, as it turns out; the case is not applicable."""


class Rig(Protocol):
    """Gives stimuli, and looks at what only the hardware shows. Waits for a stimulus, not for what it causes."""

    def can(self, kind: type[Stimulus]) -> bool:
        """Whether this rig has a way to give stimuli of ``kind``; a case that needs another one is not run."""

    async def do(self, stimulus: Stimulus) -> None:
        """Give ``stimulus``. A power cut has been given when the power is back.

        Raises:
            RigError: It could not be given.
        """

    async def is_locked(self, connector: int) -> bool | None:
        """Whether the cable is held at the station; None if this rig cannot tell."""

    async def has_energy(self, connector: int) -> bool | None:
        """Whether the contactor of ``connector`` is closed; None if this rig cannot tell."""

    async def register_wh(self, connector: int) -> float | None:
        """What the meter of ``connector`` shows, in Wh; None if this rig cannot tell."""


def energy_wh(text: str) -> float | None:
    """What somebody says that a meter shows; None if nothing.

    Raises:
        ValueError: It is no number, or none that a meter shows.
    """
    if not text:
        return None
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(text)
    return found
