"""Which connector a card or a request is meant for, from the facts of all connectors."""

from collections.abc import Mapping

from machines.admission import Admission, admission, gets_cable, may_begin
from machines.facts import Facts
from machines.vocabulary.ocpp import (
    CancelReservation,
    ChangeAvailability,
    ChargePointStatus,
    RemoteStartTransaction,
    RemoteStopTransaction,
    Request,
    ReserveNow,
    UnlockConnector,
)
from machines.vocabulary.tags import is_same


def for_card(id_tag: str, served: Mapping[int, Facts]) -> int:
    """The connector that a card means, of those its reader serves; the lowest number where several fit.

    In this order: its own transaction, intent or question, a cable that is kept for it, a connector reserved for it, a vehicle
    that waits for a card, a free connector, one reserved perhaps for its group, one that its last user has not left, a
    transaction whose group might admit it, any (decision AU5).
    """
    ranks = {number: _rank(id_tag, facts) for number, facts in served.items()}
    return min(ranks, key=lambda number: (ranks[number], number))


def _rank(id_tag: str, facts: Facts) -> int:
    if facts.transaction != "idle" and is_same(id_tag, facts.id_tag):
        return 0
    if facts.asked_for and is_same(id_tag, facts.asked_for):
        return 0  # shown again while the answer is awaited, whoever has plugged in elsewhere meanwhile
    if facts.kept_for:
        return 1 if gets_cable(facts, id_tag) else 8
    if facts.transaction == "idle" and _may_begin_with(id_tag, facts):
        return _rank_of_start(id_tag, facts)
    if facts.transaction in {"running", "deauthorized"} and facts.parent_id_tag is not None:
        return 7
    return 8


def _rank_of_start(id_tag: str, facts: Facts) -> int:
    if facts.reserved_for:
        # Perhaps of its group: only if nothing else is free.
        return 2 if admission(facts, id_tag) is Admission.YES else 5
    if facts.status is ChargePointStatus.FINISHING:
        return 6  # the vehicle of somebody else, for all that is known (4.9 B6, decision T5)
    return 3 if facts.is_connected else 4


def _may_begin_with(id_tag: str, facts: Facts) -> bool:
    """Whether the idTag may start here as far as it is known now (5.13: a reservation refuses all others)."""
    return may_begin(facts) and admission(facts, id_tag) is not Admission.NO


def _is_left(facts: Facts) -> bool:
    """Whether the user before took the cable along: where it is still in, a remote start is refused (decision T5)."""
    return facts.status is not ChargePointStatus.FINISHING and not facts.kept_for


def for_request(request: Request, connectors: Mapping[int, Facts]) -> int:
    """The connector whose machine serves ``request``; it refuses what is not its own. 0 is the station."""
    match request:
        case ChangeAvailability(connector_id=number):
            return number if number in connectors else 0
        case ReserveNow(connector_id=0) if len(connectors) == 1:
            return min(connectors)  # its only connector is what connector 0 guarantees (decision RV5)
        case ReserveNow(connector_id=number):
            return number if number in connectors else 0
        case CancelReservation(reservation_id=wanted):
            return next((n for n, facts in connectors.items() if facts.own_reservation_id == wanted), 0)
        case UnlockConnector(connector_id=number):
            return number if number in connectors else 1
        case RemoteStartTransaction(connector_id=int() as number):
            return number if number in connectors else 1
        case RemoteStartTransaction(id_tag=tag):
            free = {
                number: facts
                for number, facts in connectors.items()
                if facts.transaction == "idle" and _is_left(facts) and _may_begin_with(tag, facts)
            }
            return for_card(tag, free or connectors)
        case RemoteStopTransaction(transaction_id=wanted):
            return next((n for n, facts in connectors.items() if facts.transaction_id == wanted), 1)
        case _:
            return 0
