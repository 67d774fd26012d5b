"""Which machine hears of what: the only place that knows two machines.

A table names the kinds of machines that are told. A kind by itself means the machine of the same connector, or the
one machine of a kind that exists once (:data:`STATION`); ``kind/*`` means those of all connectors, ``kind/0`` that of
the station as a whole, ``kind/+`` that of the same connector or, of what happens to the station, those of all.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from machines.allowance import Allowance
from machines.authorization import Authorization
from machines.authorization_cache import AuthorizationCache
from machines.availability import Availability
from machines.charging_profiles import ChargingProfiles
from machines.clock_aligned import ClockAligned
from machines.configuration import Configuration
from machines.connection import Connection
from machines.connector import Connector
from machines.connector_lock import ConnectorLock
from machines.control_pilot import ControlPilot
from machines.current_offer import CurrentOffer
from machines.data_transfer import DataTransfer
from machines.delivery import Delivery, MessageDelivered, MessageFailed
from machines.diagnostics_upload import DiagnosticsUpload
from machines.fail_safe import FailSafe
from machines.fault import Fault
from machines.firmware_update import FirmwareUpdate
from machines.heartbeat import Heartbeat
from machines.local_list import LocalList
from machines.machine import AnyMachine, Notice
from machines.metering import Metering
from machines.phase_switch import PhaseSwitch
from machines.registration import Registration
from machines.reservation import Reservation
from machines.reset import Reset
from machines.status_report import StatusChanged, StatusReport
from machines.transaction import Transaction
from machines.transfer_report import TransferReport
from machines.trigger_message import TriggerMessage
from machines.triggered_values import TriggeredValues
from machines.vocabulary import hardware, notices, ocpp, transfers
from machines.vocabulary.transactions import TransactionMessage
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    DataTransferAsked,
    RestartFailed,
)

KINDS: dict[str, type[AnyMachine]] = {
    "connection": Connection,
    "registration": Registration,
    "configuration": Configuration,
    "heartbeat": Heartbeat,
    "delivery": Delivery,
    "reset": Reset,
    "firmware_update": FirmwareUpdate,
    "diagnostics_upload": DiagnosticsUpload,
    "transfer_report": TransferReport,
    "trigger_message": TriggerMessage,
    "data_transfer": DataTransfer,
    "local_list": LocalList,
    "authorization_cache": AuthorizationCache,
    "availability": Availability,
    "fault": Fault,
    "status_report": StatusReport,
    "reservation": Reservation,
    "control_pilot": ControlPilot,
    "connector_lock": ConnectorLock,
    "authorization": Authorization,
    "transaction": Transaction,
    "metering": Metering,
    "clock_aligned": ClockAligned,
    "triggered_values": TriggeredValues,
    "allowance": Allowance,
    "charging_profiles": ChargingProfiles,
    "fail_safe": FailSafe,
    "current_offer": CurrentOffer,
    "phase_switch": PhaseSwitch,
    "connector": Connector,
}
"""Every kind of machine, in the order in which they are told of a common event."""

STATION = (
    "connection",
    "registration",
    "configuration",
    "heartbeat",
    "delivery",
    "reset",
    "firmware_update",
    "diagnostics_upload",
    "transfer_report",
    "trigger_message",
    "data_transfer",
    "local_list",
    "authorization_cache",
    "charging_profiles",
    "fail_safe",
)
"""One of each for the station."""

EVERYWHERE = ("availability", "fault", "status_report", "reservation")
"""One for the station (number 0) and one for each connector."""

HEARS: dict[type[Notice], tuple[str, ...]] = {
    notices.CableInserted: ("connector",),
    notices.CableFound: ("connector",),
    notices.CableRemoved: ("transaction", "connector_lock", "connector"),
    notices.VehicleConnected: ("transaction", "connector", "authorization"),
    notices.VehicleDisconnected: ("transaction", "connector"),
    notices.EnergyRequested: ("connector",),
    notices.EnergyRefused: ("connector",),
    notices.SupplyAllowed: ("current_offer", "connector"),
    notices.SupplyWithheld: ("connector",),
    notices.Authorized: ("transaction",),
    notices.IdTagLearnt: ("local_list", "authorization_cache"),
    notices.AuthorizationDropped: ("transaction",),
    notices.StopRequested: ("transaction",),
    notices.IntentBegan: ("connector",),
    notices.IntentDropped: ("connector", "charging_profiles"),
    notices.PreparationEnded: ("transaction",),
    notices.TransactionMessageQueued: ("delivery",),
    notices.TransactionStarted: (
        "charging_profiles",
        "current_offer/*",
        "metering",
        "connector",
        "reservation",
    ),
    notices.TransactionEnded: (
        "charging_profiles",
        "current_offer/*",
        "metering",
        "allowance",
        "connector_lock",
        "connector",
        "authorization",
        "reset",
        "firmware_update",
    ),
    notices.ProfileBrought: ("charging_profiles",),
    notices.LimitsChanged: ("current_offer/*",),
    notices.OfferBegan: ("phase_switch",),
    notices.PhasesWanted: ("phase_switch",),
    notices.OfferEnded: ("phase_switch",),
    notices.Deauthorized: ("allowance",),
    notices.AllowanceUsed: ("transaction",),
    notices.CableReleased: ("connector_lock",),
    notices.StartSettled: ("transaction/*",),
    notices.QueueEmptied: ("reset",),
    notices.RegistrationAccepted: (
        "connection",
        "configuration",
        "heartbeat",
        "status_report/0",
        "status_report/*",
        "transfer_report",
        "delivery",
        "clock_aligned/*",
    ),
    notices.KeyChanged: ("connection", "heartbeat", "current_offer/*", "metering/*", "clock_aligned/*"),
    notices.StationAvailabilityAsked: ("availability/*",),
    notices.BecameInoperative: ("connector", "reservation", "reservation/0"),
    notices.BecameOperative: ("connector", "authorization"),
    notices.UseEnded: ("availability", "availability/0", "reservation"),
    notices.BecameFaulted: ("transaction/+", "reservation/0", "reservation/*"),
    notices.FaultsEnded: ("authorization/+",),
    notices.RestartGranted: ("transaction/*",),
    notices.ResetFailed: ("fault/0", "firmware_update"),
    notices.FirmwareStatusChanged: ("transfer_report",),
    notices.DiagnosticsStatusChanged: ("transfer_report",),
    notices.InstallationAwaited: ("availability/*",),
    notices.InstallationOver: ("availability/*",),
    notices.RestartNeeded: ("reset",),
    notices.FirmwareStatusTriggered: ("firmware_update",),
    notices.DiagnosticsStatusTriggered: ("diagnostics_upload",),
    notices.BootNotificationTriggered: ("registration",),
    notices.HeartbeatTriggered: ("heartbeat",),
    notices.StatusTriggered: ("status_report/0", "status_report/*"),
    notices.MeterValuesTriggered: ("triggered_values/*",),
    notices.UnlockGranted: ("transaction",),
    notices.CableHeld: ("transaction",),
    notices.ReservationEnded: ("connector", "authorization/+"),
    notices.Reserved: ("connector",),
    notices.ReservationMoved: ("reservation/0", "reservation/*"),
    notices.TimeLearnt: ("reservation/0", "reservation/*", "current_offer/*", "firmware_update"),
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
    hardware.StopPressed: ("transaction",),
    hardware.PowerFailing: ("transaction/*",),
    hardware.MeterRead: ("transaction", "metering", "clock_aligned", "triggered_values", "allowance"),
    hardware.MeterReadFailed: ("transaction", "metering", "clock_aligned", "triggered_values", "allowance"),
}
"""Who hears of what a driver reports."""

WIRE: dict[type, tuple[str, ...]] = {
    ConnectionOpened: (
        "connection",
        "registration",
        "status_report/0",
        "status_report/*",
        "transfer_report",
        "delivery",
        "fail_safe",
    ),
    ConnectionFailed: ("connection",),
    ConnectionClosed: (
        "connection",
        "registration",
        "authorization/*",
        "status_report/0",
        "status_report/*",
        "transfer_report",
        "delivery",
        "fail_safe",
    ),
    DataTransferAsked: ("data_transfer",),
    RestartFailed: ("reset",),
}
"""Who hears of the connection and of the engine. A CALL in flight dies with its connection, untold."""

TRANSFERS: dict[type, tuple[str, ...]] = {
    transfers.FirmwareFetched: ("firmware_update",),
    transfers.FetchFailed: ("firmware_update",),
    transfers.FirmwareVerified: ("firmware_update",),
    transfers.FirmwareCorrupt: ("firmware_update",),
    transfers.FirmwareInstalled: ("firmware_update",),
    transfers.InstallFailed: ("firmware_update",),
    transfers.FirmwareConfirmed: ("firmware_update",),
    transfers.DiagnosticsDelivered: ("diagnostics_upload",),
    transfers.DeliveryFailed: ("diagnostics_upload",),
}
"""Who hears how a transfer or an installation ended."""

REQUESTS: dict[type[ocpp.Request], str] = {
    ocpp.ChangeAvailability: "availability",
    ocpp.CancelReservation: "reservation",
    ocpp.ChangeConfiguration: "configuration",
    ocpp.ClearCache: "authorization_cache",
    ocpp.ClearChargingProfile: "charging_profiles",
    ocpp.DataTransfer: "data_transfer",
    ocpp.GetCompositeSchedule: "charging_profiles",
    ocpp.GetConfiguration: "configuration",
    ocpp.GetDiagnostics: "diagnostics_upload",
    ocpp.GetLocalListVersion: "local_list",
    ocpp.RemoteStartTransaction: "authorization",
    ocpp.RemoteStopTransaction: "transaction",
    ocpp.ReserveNow: "reservation",
    ocpp.Reset: "reset",
    ocpp.SendLocalList: "local_list",
    ocpp.SetChargingProfile: "charging_profiles",
    ocpp.TriggerMessage: "trigger_message",
    ocpp.TriggerUnknownMessage: "trigger_message",
    ocpp.UnlockConnector: "connector_lock",
    ocpp.UpdateFirmware: "firmware_update",
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


def _hearers(
    places: Mapping[str, list[tuple[str, int]]], number: int, kinds: tuple[str, ...]
) -> tuple[str, ...]:
    """The machines that ``kinds`` means for something that happened at connector ``number`` (0: the station).

    ``places`` holds address and number of the machines of each kind.
    """
    told: dict[str, None] = {}
    for pattern in kinds:
        kind, _, which = pattern.partition("/")
        is_for_all = which == "*" or (which == "+" and number == 0)
        wanted = None if is_for_all else int(which) if which.isdigit() else number
        for name, other in places[kind]:
            if other == wanted or kind in STATION or (wanted is None and other > 0):
                told[name] = None
    return tuple(told)


@cache
def all_hearers(connectors: int) -> Mapping[tuple[int, tuple[str, ...]], tuple[str, ...]]:
    """Of a station with connectors 1..n: who hears of what happens at each (0: the station), by what a table says."""
    places: dict[str, list[tuple[str, int]]] = {}
    for name, (kind, number) in addresses(connectors).items():
        places.setdefault(kind, []).append((name, number))
    tables: tuple[dict[Any, tuple[str, ...]], ...] = (HEARS, HARDWARE, WIRE, TRANSFERS)
    return {
        (number, kinds): _hearers(places, number, kinds)
        for number in range(connectors + 1)
        for kinds in dict.fromkeys(kinds for table in tables for kinds in table.values())
    }


def lock_fault(event: hardware.HardwareEvent) -> hardware.FaultRaised | hardware.FaultCleared | None:
    """What a report means for the fault that a cable is not locked.

    It stands from when the lock did not close until it does, or until there is nothing to lock: another cable gets
    another chance. What the driver itself finds wrong with the lock (LOCK) stands until the driver says that it is gone.

    A lock that does not open is no fault: it is the answer to UnlockConnector, and the user still has the cable in.
    """
    match event:
        case hardware.LockFailed(locked=True):
            return hardware.FaultRaised(hardware.HardwareFault.NOT_LOCKED, "the cable cannot be locked")
        case hardware.LockChanged(locked=True) | hardware.CableChanged(present=False):
            return hardware.FaultCleared(hardware.HardwareFault.NOT_LOCKED)
        case _:
            return None


def answered(event: CallAnswered) -> Iterator[To]:
    """Who hears of the answer to a CALL. Of late ones, only those that still count."""
    if event.owner.startswith("delivery:"):
        number, local_id, id_tag = _message_of(event.owner)
        yield To("delivery", MessageDelivered(number, local_id, id_tag, event.conf))
    elif not event.late:
        yield To(event.owner, event.conf)


def failed(event: CallFailed) -> Iterator[To]:
    """Who hears that a CALL got no result."""
    if event.owner.startswith("delivery:"):
        number, local_id, _ = _message_of(event.owner)
        yield To("delivery", MessageFailed(number, local_id, event.failure))
    else:
        yield To(event.owner, event)


def delivery_owner(message: TransactionMessage) -> str:
    """The owner of the CALL that delivers a transaction message."""
    id_tag = getattr(message.body, "id_tag", None) or ""
    return f"delivery:{message.number}:{message.local_id}:{id_tag}"


def _message_of(owner: str) -> tuple[int, int, str]:
    _, number, local_id, id_tag = owner.split(":", 3)
    return int(number), int(local_id), id_tag
