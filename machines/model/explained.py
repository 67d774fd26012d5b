"""Rows that no exploration takes, and why they are there all the same.

What cannot happen at all stands in ``impossible`` of its machine, and ends the process where it happens anyway. These
rows are kept instead: what they wait for cannot happen as things stand, but for a reason that lies outside of their
machine, and doing the harmless thing is better than a restart should that reason ever go.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from machines.machine import Row, rows
from machines.routes import KINDS
from machines.vocabulary.settings import ConnectorSettings


class Explained(NamedTuple):
    """Rows of one machine, and the reason."""

    kind: str
    states: tuple[str, ...]
    message: str
    """Its name; empty is any."""
    clause: str
    """How it begins."""
    reason: str


_USED = "a reservation is used up, or refused, where a transaction is under way"
_FREE = "told where the connector is free"
_FIRST = "it is withheld before the connector is left"
_ONE_OR_THREE = "there is nothing between one phase and three"

ALWAYS = (
    Explained(
        "connection",
        ("offline", "dialling"),
        "KeyChanged",
        "",
        "keys are changed over an open connection; kept for a change made at the station",
    ),
    Explained(
        "connection", ("renewing",), "RegistrationAccepted", "", "nothing is asked for any more by then"
    ),
    Explained(
        "registration",
        ("unregistered",),
        "BootDue",
        "4.2 sent when connected",
        "its timer stops with the connection",
    ),
    Explained(
        "configuration",
        ("ready",),
        "ChangeConfiguration",
        "5.3 RebootRequired",
        "no shipped declaration has a key that needs a restart",
    ),
    Explained(
        "delivery",
        ("waiting",),
        "MessageFailed",
        "",
        "the link sends one CALL at a time: a second transmission ends before the next message is sent",
    ),
    Explained(
        "reservation", ("held",), "TransactionStarted", "5.13 not for this", "whoever else is refused before"
    ),
    Explained(
        "connector_lock", ("kept",), "LockFailed", "", "while a cable is kept there is nothing to move"
    ),
    Explained(
        "connector",
        ("Preparing",),
        "IntentDropped",
        "4.9 the transaction stands",
        "an idTag in use is not given up",
    ),
    Explained(
        "connector",
        ("Preparing",),
        "EnergyRequested",
        "4.9 not supplied",
        "where energy is withheld from a transaction Preparing is left at once",
    ),
    Explained(
        "connector", ("Preparing",), "SupplyWithheld", "4.9 no transaction yet", "nothing was offered yet"
    ),
    Explained(
        "connector", ("Preparing",), "TransactionEnded", "4.9 B1", "without a cable Preparing is left at once"
    ),
    Explained("connector", ("Preparing", "Finishing"), "Reserved", "", _FREE),
    Explained("connector", ("Charging", "SuspendedEV", "SuspendedEVSE"), "Reserved", "", _USED),
    Explained("connector", ("Charging", "SuspendedEV", "SuspendedEVSE"), "ReservationEnded", "", _USED),
    Explained(
        "connector", ("Reserved",), "IntentDropped", "", "it is dropped before the connector is kept again"
    ),
    Explained("connector", ("Reserved",), "TransactionEnded", "", _USED),
    Explained("connector", ("Finishing", "Reserved", "Unavailable"), "SupplyWithheld", "", _FIRST),
    Explained(
        "connector",
        ("Unavailable",),
        "IntentDropped",
        "4.9 H1",
        "the cable that left has brought the connector back before",
    ),
    Explained(
        "firmware_update",
        ("installing", "restarting", "confirming", "checking"),
        "TransactionEnded",
        "",
        "nobody charges while firmware is being installed",
    ),
    Explained(
        "availability",
        ("to_be_withheld", "withheld"),
        "ChangeAvailability",
        "5.2 no such connector",
        "what no connector has is answered by the station, which is not withheld",
    ),
    Explained(
        "current_offer",
        ("idle",),
        "SupplyAllowed",
        "no transaction runs here",
        "energy is allowed to a transaction, and told after its start",
    ),
    Explained(
        "phase_switch",
        ("arranging", "steady"),
        "PhasesWanted",
        "7.8 they are connected",
        "told when they change",
    ),
    Explained(
        "phase_switch", ("steady",), "DwellOver", "", "its timer stops when no switching waits any more"
    ),
    Explained("phase_switch", ("delayed",), "PhasesWanted", "7.8 fewer", _ONE_OR_THREE),
    Explained("phase_switch", ("delayed", "held"), "PhasesWanted", "7.8 more", _ONE_OR_THREE),
    Explained("phase_switch", ("held",), "PhasesWanted", "7.8 fewer still", _ONE_OR_THREE),
)
"""On any station."""

ONE_CONNECTOR = (
    Explained("reservation", ("free",), "TransactionStarted", "5.13 the holder of connector 0", ""),
    Explained("reservation", ("held",), "ReserveNow", "5.13 Unavailable", ""),
    Explained("reservation", ("held",), "CancelReservation", "5.1 no such reservation", ""),
    Explained("reservation", ("held",), "ReservationMoved", "", ""),
    Explained("reservation", ("held",), "BecameInoperative", "5.13 another connector", ""),
    Explained("transaction", ("deauthorized",), "StartSettled", "", ""),
    Explained("firmware_update", ("waiting",), "TransactionEnded", "6.19 somebody else", ""),
    Explained("current_offer", ("idle",), "TransactionStarted", "of another connector", ""),
    Explained("current_offer", ("steady", "waiting"), "TransactionStarted", "3.13.1", ""),
    Explained("current_offer", ("steady", "waiting"), "TransactionEnded", "3.13.1 more", ""),
    Explained("current_offer", ("steady", "waiting"), "TransactionEnded", "3.13.1 one", ""),
    Explained("status_report", ("settling", "doubtful"), "StatusTriggered", "5.17 another connector", ""),
    Explained("triggered_values", ("idle",), "MeterValuesTriggered", "5.17 another connector", ""),
)
"""Where there is one connector. They take two, which is their reason."""

ONE_IS_ENOUGH = (
    Explained("reservation", ("held",), "ReserveNow", "5.13 Faulted", ""),
    Explained("transaction", ("running", "deauthorized", "stopping"), "Authorized", "4.8", ""),
    Explained("charging_profiles", ("holding",), "TransactionStarted", "5.11 it waited for another", ""),
    Explained("authorization", ("idle",), "IdTagPresented", "4.10, 4.1 same group?", ""),
    Explained("authorization", ("asking",), "AuthorizeConf", "4.10 same parentIdTag", ""),
    Explained("current_offer", ("waiting",), "TimeLearnt", "3.13.2 where", ""),
)
"""Where there are several: what a bound that takes minutes does not come to with all of them, and comes to with one."""

SEVERAL = (
    Explained(
        "current_offer",
        ("waiting",),
        "TransactionEnded",
        "3.13.1 one shares",
        "there is more then, and nobody waits any more once the timer was due: both would come in the same moment",
    ),
)
"""Where there are several."""


def reasons(connectors: Sequence[ConnectorSettings]) -> dict[tuple[str, Row], str]:
    """Every row that is explained for a station with ``connectors``, with its kind of machine."""
    found = rows_of(ALWAYS)
    if len(connectors) == 1:
        found |= dict.fromkeys(rows_of(ONE_CONNECTOR), "it takes two connectors")
    else:
        found |= rows_of(SEVERAL)
    if not any(connector.cable == "tethered" for connector in connectors):
        found |= _with_guard("is_tethered", "it takes a fixed cable")
    if not any(connector.cable == "socket" for connector in connectors):
        found |= {
            (kind, row): "it takes a socket outlet"
            for kind in ("control_pilot", "connector_lock", "connector")
            for row in rows(KINDS[kind])
            if row.message.__name__
            in {"CableChanged", "CableInserted", "CableFound", "LockChanged", "LockFailed"}
        }
    return found


def left_to_one(connectors: Sequence[ConnectorSettings]) -> dict[tuple[str, Row], str]:
    """Every row that a station with ``connectors`` can take, but that is looked for with one of them alone."""
    if len(connectors) == 1:
        return {}
    return dict.fromkeys(rows_of(ONE_IS_ENOUGH), "one connector is enough: explore --connectors 1 takes it")


def rows_of(entries: Iterable[Explained]) -> dict[tuple[str, Row], str]:
    """The rows that ``entries`` mean, each with its kind of machine, and the reason."""
    return {
        (entry.kind, row): entry.reason
        for entry in entries
        for row in rows(KINDS[entry.kind])
        if row.source in entry.states
        and row.message.__name__ == (entry.message or row.message.__name__)
        and row.clause.startswith(entry.clause)
    }


def _with_guard(name: str, reason: str) -> dict[tuple[str, Row], str]:
    return {
        (kind, row): reason
        for kind, machine in KINDS.items()
        for row in rows(machine)
        if (name, True) in row.guards
    }
