"""What moves the hardware around a charge point under test: a simulation, programs, or a person."""

from typing import Protocol

from engine.conformance.stimuli import Stimulus


class RigError(Exception):
    """A stimulus could not be given. One line, for the tester."""


class Rig(Protocol):
    """Gives stimuli, and looks at what only the hardware shows. Waits for a stimulus, not for what it causes."""

    def can(self, kind: type[Stimulus]) -> bool:
        """Whether this rig has a way to give stimuli of ``kind``; a case that needs another one is not run."""

    async def do(self, stimulus: Stimulus) -> None:
        """Give ``stimulus``.

        Raises:
            RigError: It could not be given.
        """

    async def is_locked(self, connector: int) -> bool | None:
        """Whether the cable is held at the station; None if this rig cannot tell."""

    async def has_energy(self, connector: int) -> bool | None:
        """Whether the contactor of ``connector`` is closed; None if this rig cannot tell."""
