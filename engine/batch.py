"""What is written to the database together: a batch."""

from collections.abc import Iterable

from msgspec import Struct

from drivers.interfaces import MeterRecord
from machines.charge_point import Memory
from machines.machine import Effect


class Boot(Struct, frozen=True):
    """When a run of the station began, by the time of day; unsure until the Central System told it."""

    number: int
    zero: float
    is_set: bool


class KeptMeter(Struct, frozen=True):
    """What the energy of a connector rests on."""

    record: MeterRecord
    at: float
    """When it was read, by the time of day."""


class Batch(Struct):
    """What is written together."""

    memories: dict[str, Memory]
    """By address; the latest counts."""
    effects: list[Effect]
    """Keep, Collect, Forget and Settle, in order."""
    boot: Boot | None = None
    may_wait: bool = False
    """Whether it may be lost: it is worth no write of its own."""
    meters: dict[int, KeptMeter] = {}
    """By connector; the latest counts."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.memories and not self.effects and self.boot is None and not self.meters


def merged(batches: Iterable[Batch]) -> Batch:
    """Several batches as one, in their order."""
    together = Batch({}, [], None, may_wait=True, meters={})
    for batch in batches:
        together.memories.update(batch.memories)
        together.effects.extend(batch.effects)
        together.boot = batch.boot or together.boot
        together.may_wait = together.may_wait and (batch.may_wait or batch.is_empty)
        together.meters.update(batch.meters)
    return together
