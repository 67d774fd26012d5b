"""Which machine hears of what: the only place that knows two machines.

A table names the kinds of machines that are told. A kind by itself means the machine of the same connector, or the
one machine of a kind that exists once (:data:`STATION`); ``kind/*`` means those of all connectors, ``kind/0`` that of
the station as a whole.
"""

from collections.abc import Iterator
from typing import NamedTuple

from machines.authorization import Authorization
from machines.availability import Availability
from machines.configuration import Configuration
from machines.connection import Connection
from machines.connector import Connector
from machines.connector_lock import ConnectorLock
from machines.control_pilot import ControlPilot
from machines.delivery import Delivery, MessageDelivered, MessageFailed
from machines.fault import Fault
from machines.heartbeat import Heartbeat
from machines.machine import AnyMachine, Notice
from machines.metering import Metering
from machines.registration import Registration
from machines.reset import Reset
from machines.status_report import StatusChanged, StatusReport
from machines.transaction import Transaction
from machines.vocabulary import hardware, notices, ocpp
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
)

KINDS: dict[str, type[AnyMachine]] = {
    "connection": Connection,
    "registration": Registration,
    "configuration": Configuration,
    "heartbeat": Heartbeat,
    "delivery": Delivery,
    "reset": Reset,
    "availability": Availability,
    "fault": Fault,
    "status_report": StatusReport,
    "control_pilot": ControlPilot,
    "connector_lock": ConnectorLock,
    "authorization": Authorization,
    "transaction": Transaction,
    "metering": Metering,
    "connector": Connector,
}
"""Every kind of machine, in the order in which they are told of a common event."""

STATION = ("connection", "registration", "configuration", "heartbeat", "delivery", "reset")
"""One of each for the station."""

EVERYWHERE = ("availability", "fault", "status_report")
"""One for the station (number 0) and one for each connector."""

HEARS: dict[type[Notice], tuple[str, ...]] = {
    notices.CableInserted: ("connector",),
    notices.CableRemoved: ("transaction", "connector"),
    notices.VehicleConnected: ("transaction", "connector"),
    notices.VehicleDisconnected: ("transaction", "connector"),
    notices.EnergyRequested: ("connector",),
    notices.EnergyRefused: ("connector",),
    notices.SupplyAllowed: ("connector",),
    notices.SupplyWithheld: ("connector",),
    notices.Authorized: ("transaction",),
    notices.AuthorizationDropped: ("transaction",),
    notices.StopRequested: ("transaction",),
    notices.IntentBegan: ("connector",),
    notices.IntentDropped: ("connector",),
    notices.PreparationEnded: ("transaction",),
    notices.TransactionMessageQueued: ("delivery",),
    notices.TransactionStarted: ("metering", "connector"),
    notices.TransactionEnded: ("metering", "connector", "reset"),
    notices.StartSettled: ("transaction/*",),
    notices.QueueEmptied: ("reset",),
    notices.RegistrationAccepted: (
        "connection",
        "configuration",
        "heartbeat",
        "status_report/0",
        "status_report/*",
        "delivery",
    ),
    notices.KeyChanged: ("heartbeat", "metering/*"),
    notices.StationAvailabilityAsked: ("availability/*",),
    notices.BecameInoperative: ("connector",),
    notices.BecameOperative: ("connector",),
    notices.UseEnded: ("availability", "availability/0"),
    notices.BecameFaulted: ("transaction",),
    notices.FaultsEnded: (),
    notices.RestartGranted: ("transaction/*",),
    notices.UnlockGranted: ("transaction",),
    notices.CableHeld: ("transaction",),
    StatusChanged: ("status_report",),
}
"""Who hears of a notice."""

HARDWARE: dict[type, tuple[str, ...]] = {
    hardware.PilotChanged: ("control_pilot",),
    hardware.CableChanged: ("control_pilot",),
    hardware.LockChanged: ("connector_lock",),
    hardware.LockFailed: ("connector_lock",),
    hardware.FaultRaised: ("fault",),
    hardware.FaultCleared: ("fault",),
    hardware.MeterRead: ("transaction", "metering"),
    hardware.MeterReadFailed: ("transaction", "metering"),
}
"""Who hears of what a driver reports."""

WIRE: dict[type, tuple[str, ...]] = {
    ConnectionOpened: ("connection", "registration", "status_report/0", "status_report/*", "delivery"),
    ConnectionFailed: ("connection",),
    ConnectionClosed: (
        "connection",
        "registration",
        "authorization/*",
        "status_report/0",
        "status_report/*",
        "delivery",
    ),
}
"""Who hears of the connection. A CALL in flight dies with it, untold."""

REQUESTS: dict[type[ocpp.Request], str] = {
    ocpp.ChangeAvailability: "availability",
    ocpp.ChangeConfiguration: "configuration",
    ocpp.GetConfiguration: "configuration",
    ocpp.RemoteStartTransaction: "authorization",
    ocpp.RemoteStopTransaction: "transaction",
    ocpp.Reset: "reset",
    ocpp.UnlockConnector: "connector_lock",
}
"""Who serves a request of the Central System. One that is not here is answered by machines/gate.py."""


class To(NamedTuple):
    """A message and the machine it is for."""

    address: str
    message: object


def address(kind: str, number: int) -> str:
    """Name of a machine: ``connector/1``, or ``delivery`` for one that exists once."""
    return kind if kind in STATION else f"{kind}/{number}"


def addresses(connectors: int) -> dict[str, tuple[str, int]]:
    """Every machine of a station with connectors 1..n: address to kind and number."""
    everything = {}
    for kind in KINDS:
        first = 0 if kind in STATION or kind in EVERYWHERE else 1
        last = 0 if kind in STATION else connectors
        for number in range(first, last + 1):
            everything[address(kind, number)] = (kind, number)
    return everything


def hearers(everything: dict[str, tuple[str, int]], number: int, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The machines that ``kinds`` means for something that happened at connector ``number`` (0: the station)."""
    told: list[str] = []
    for pattern in kinds:
        kind, _, which = pattern.partition("/")
        wanted = number if not which else int(which) if which != "*" else None
        for name, (other, other_number) in everything.items():
            is_wanted = other_number == wanted or kind in STATION or (wanted is None and other_number > 0)
            if other == kind and is_wanted and name not in told:
                told.append(name)
    return tuple(told)


def lock_fault(event: hardware.HardwareEvent) -> hardware.FaultRaised | hardware.FaultCleared | None:
    """What the lock's report means for the faults: one that does not close is a fault, one that moves is none.

    A lock that does not open is no fault: it is the answer to UnlockConnector, and the user still has the cable in.
    """
    match event:
        case hardware.LockFailed(locked=True):
            return hardware.FaultRaised(hardware.HardwareFault.LOCK, "the cable cannot be locked")
        case hardware.LockChanged():
            return hardware.FaultCleared(hardware.HardwareFault.LOCK)
        case _:
            return None


def answered(event: CallAnswered) -> Iterator[To]:
    """Who hears of the answer to a CALL. Of late ones, only those that still count."""
    if event.owner.startswith("delivery:"):
        number, local_id = _message_of(event.owner)
        yield To("delivery", MessageDelivered(number, local_id, event.conf))
    elif not event.late:
        yield To(event.owner, event.conf)


def failed(event: CallFailed) -> Iterator[To]:
    """Who hears that a CALL got no result."""
    if event.owner.startswith("delivery:"):
        number, local_id = _message_of(event.owner)
        yield To("delivery", MessageFailed(number, local_id, event.failure))
    else:
        yield To(event.owner, event)


def delivery_owner(number: int, local_id: int) -> str:
    """The owner of the CALL that delivers a transaction message."""
    return f"delivery:{number}:{local_id}"


def _message_of(owner: str) -> tuple[int, int]:
    _, number, local_id = owner.split(":")
    return int(number), int(local_id)
