"""Which connectors could be reserved now: what a reservation must know of all connectors."""

from msgspec import Struct


class Places(Struct, frozen=True):
    """Every connector of the station, by what a reservation may do with it. In none of them: it is in use."""

    free: frozenset[int] = frozenset()
    """Nobody uses or reserved it."""
    kept: tuple[tuple[int, int], ...] = ()
    """Reserved and otherwise free: connector and reservationId."""
    faulted: frozenset[int] = frozenset()
    unavailable: frozenset[int] = frozenset()
    count: int = 0
    """Connectors that the station has."""
    station_id: int | None = None
    """The reservationId held for connector 0."""

    def free_for(self, reservation_id: int) -> frozenset[int]:
        """What would be free if the reservation ``reservation_id`` were given up (5.13: the same id replaces)."""
        return self.free | {number for number, held in self.kept if held == reservation_id}

    def leaves_one(self, number: int, reservation_id: int) -> bool:
        """Whether connector ``number`` can go to ``reservation_id`` and one stays free for who reserved connector 0."""
        if self.station_id in {None, reservation_id}:
            return True
        return bool(self.free_for(reservation_id) - {number})

    @property
    def is_usable(self) -> bool:
        """Whether any connector is in service and without a fault."""
        return len(self.faulted | self.unavailable) < self.count
