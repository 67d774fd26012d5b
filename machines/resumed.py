"""What a durable machine hears first after a start: what it remembered before."""

from typing import Any

from msgspec import Struct


class Resumed(Struct, frozen=True):
    """The snapshot of the machine, as it was last written."""

    state: str
    data: Any
