"""Which connector a card or a request is meant for, from the facts of all connectors."""

from collections.abc import Mapping

from machines.authorization import is_same, may_begin
from machines.facts import Facts
from machines.vocabulary.ocpp import (
    ChangeAvailability,
    RemoteStartTransaction,
    RemoteStopTransaction,
    Request,
    UnlockConnector,
)


def for_card(id_tag: str, served: Mapping[int, Facts]) -> int:
    """The connector that a card means, of those its reader serves; the lowest number where several fit.

    In this order: its own transaction or intent, a vehicle that waits for a card, a free connector, a transaction
    whose group might admit it, any.
    """
    ranks = {number: _rank(id_tag, facts) for number, facts in served.items()}
    return min(ranks, key=lambda number: (ranks[number], number))


def _rank(id_tag: str, facts: Facts) -> int:
    if facts.transaction != "idle" and is_same(id_tag, facts.id_tag):
        return 0
    if facts.transaction == "idle" and may_begin(facts):
        return 1 if facts.is_connected else 2
    if facts.transaction in {"running", "deauthorized"} and facts.parent_id_tag is not None:
        return 3
    return 4


def for_request(request: Request, connectors: Mapping[int, Facts]) -> int:
    """The connector whose machine serves ``request``; it refuses what is not its own. 0 is the station."""
    match request:
        case ChangeAvailability(connector_id=number):
            return number if number in connectors else 0
        case UnlockConnector(connector_id=number):
            return number if number in connectors else 1
        case RemoteStartTransaction(connector_id=int() as number):
            return number if number in connectors else 1
        case RemoteStartTransaction():
            free = [n for n, facts in connectors.items() if facts.transaction == "idle" and may_begin(facts)]
            waiting = [n for n in free if connectors[n].is_connected]
            return min(waiting or free or connectors)
        case RemoteStopTransaction(transaction_id=wanted):
            return next((n for n, facts in connectors.items() if facts.transaction_id == wanted), 1)
        case _:
            return 0
