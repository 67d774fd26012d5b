"""What a durable machine hears first after a start: what it remembered before."""

from typing import Any

from msgspec import Struct


class Resumed(Struct, frozen=True):
    """The snapshot of the machine, as it was last written."""

    state: str
    data: Any
    was_powered: bool = False
    """The power stayed on: the run before was stopped, or ended by a defect or the watchdog, not by a power cut."""
