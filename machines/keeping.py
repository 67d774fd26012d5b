"""Which connectors are kept and which could be reserved, from the states of all machines (5.13 Reserve Now)."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from machines.machine import Standing
from machines.places import Places
from machines.reservation import ReservationData
from machines.vocabulary.tags import TagBook

Standings = Mapping[str, Standing]
Books = Callable[[], Iterable[TagBook]]


class Keeping(NamedTuple):
    """What a connector is kept for; as the fields of Facts with the same names."""

    reserved_for: str = ""
    reserved_parent: str | None = None
    reservation_id: int | None = None


NOT_KEPT = Keeping()


def keeping_of(number: int, standings: Standings, connectors: Iterable[int], books: Books) -> Keeping:
    """What connector ``number`` is kept for: its own reservation, or that of connector 0 if it is the last free one.

    A transaction of its holder uses the reservation of connector 0 wherever it starts. ``books`` tell the group of an
    idTag that was accepted without asking.
    """
    own, of_station = standings[f"reservation/{number}"], standings["reservation/0"]
    if own.state == "held":
        kept: ReservationData = own.data
        used = kept if _is_used(number, kept, standings, books) else None
    elif of_station.state == "held":
        free = places_of(standings, connectors).free
        kept = ReservationData() if free - {number} else of_station.data
        used = of_station.data if _is_used(number, of_station.data, standings, books) else None
    else:
        return NOT_KEPT
    return Keeping(kept.id_tag, kept.parent_id_tag, used.reservation_id if used else None)


def _is_used(number: int, kept: ReservationData, standings: Standings, books: Books) -> bool:
    transaction = standings[f"transaction/{number}"]
    if transaction.state == "idle":
        return False
    entries = (book.find(transaction.data.id_tag) for book in books())
    parents = (entry.parent_id_tag for entry in entries if entry is not None)
    parent = transaction.data.parent_id_tag or next(parents, None)
    return kept.is_held_by(transaction.data.id_tag, parent)


def places_of(standings: Standings, connectors: Iterable[int]) -> Places:
    """Every connector, as a reservation sees it."""

    def state(kind: str, number: int) -> str:
        return standings[f"{kind}/{number}"].state

    free, kept, faulted, unavailable = set(), [], set(), set()
    is_faulted = state("fault", 0) == "faulted"
    for n in connectors:
        if state("fault", n) == "faulted":
            faulted.add(n)
        if state("availability", n) == "inoperative":
            unavailable.add(n)
        is_usable = state("fault", n) != "faulted" and state("availability", n) == "operative"
        if is_faulted or not is_usable or state("transaction", n) != "idle":
            continue
        if state("reservation", n) == "held":
            if state("connector", n) in {"Available", "Reserved"}:
                kept.append((n, standings[f"reservation/{n}"].data.reservation_id))
        elif state("connector", n) == "Available":
            free.add(n)
    of_station = standings["reservation/0"]
    return Places(
        free=frozenset(free),
        kept=tuple(kept),
        faulted=frozenset(faulted),
        unavailable=frozenset(unavailable),
        count=len(tuple(connectors)),
        station_id=of_station.data.reservation_id if of_station.state == "held" else None,
    )
