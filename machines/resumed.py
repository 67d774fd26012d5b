"""What a durable machine hears first after a start: what it remembered before."""

from typing import Any

from msgspec import Struct


class Resumed(Struct, frozen=True):
    """The snapshot of the machine, as it was last written."""

    state: str
    data: Any
    was_clean: bool = False
    """The run before ended in order (the program was stopped), not by a power cut or a crash."""
