"""What an exploration lets happen: each alphabet as small as its questions allow, and one with everything.

A small alphabet can be gone through to the end; the large one only to a bound, and finds what its parts do to each
other.
"""

from datetime import timedelta

from msgspec.structs import replace

from machines.model.moves import EPOCH, TRANSACTION_ID, Alphabet
from machines.vocabulary import ocpp
from machines.vocabulary.hardware import HardwareFault, PilotState
from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import AuthorizationStatus, RegistrationStatus
from machines.vocabulary.settings import Settings
from machines.vocabulary.wire import Failure

_DRIVES = (PilotState.A, PilotState.C)
_PAUSES = (PilotState.A, PilotState.B, PilotState.C)
_BREAKS = (PilotState.A, PilotState.B, PilotState.C, PilotState.E)
_FAULTS = ((1, HardwareFault.GROUND), (1, HardwareFault.TEMPERATURE), (0, HardwareFault.INTERNAL))
_NO_ANSWER = (Failure.CALL_ERROR, Failure.TIMED_OUT)
_GOOD_AND_BAD = (AuthorizationStatus.ACCEPTED, AuthorizationStatus.INVALID)

_REMOTE: tuple[tuple[str, ocpp.Request], ...] = (
    ("RemoteStartTransaction A", ocpp.RemoteStartTransaction(id_tag="A", connector_id=1)),
    ("RemoteStopTransaction", ocpp.RemoteStopTransaction(transaction_id=TRANSACTION_ID)),
    ("UnlockConnector", ocpp.UnlockConnector(connector_id=1)),
)
_AVAILABILITY: tuple[tuple[str, ocpp.Request], ...] = tuple(
    (f"ChangeAvailability {number} {kind}", ocpp.ChangeAvailability(connector_id=number, type=kind))
    for number in (0, 1)
    for kind in ocpp.AvailabilityType
)
_RESET: tuple[tuple[str, ocpp.Request], ...] = (("Reset Soft", ocpp.Reset(type=ocpp.ResetType.SOFT)),)
_CURRENT: tuple[tuple[str, ocpp.Request], ...] = tuple(
    (f"ConnectorMaximumCurrent {value}", ocpp.ChangeConfiguration(key="ConnectorMaximumCurrent", value=value))
    for value in ("0", "16")
)
_RESERVATION: tuple[tuple[str, ocpp.Request], ...] = (
    (
        "ReserveNow for A",
        ocpp.ReserveNow(connector_id=1, expiry_date=EPOCH + timedelta(1), id_tag="A", reservation_id=1),
    ),
    ("CancelReservation", ocpp.CancelReservation(reservation_id=1)),
)
_TRIGGERS: tuple[tuple[str, ocpp.Request], ...] = tuple(
    (f"TriggerMessage {message}", ocpp.TriggerMessage(requested_message=message))
    for message in (
        ocpp.MessageTrigger.BOOT_NOTIFICATION,
        ocpp.MessageTrigger.HEARTBEAT,
        ocpp.MessageTrigger.METER_VALUES,
        ocpp.MessageTrigger.STATUS_NOTIFICATION,
    )
)

ALPHABETS = {
    "sessions": Alphabet(cards=("A",), pilots=_PAUSES),
    "two users": Alphabet(cards=("A", "B"), pilots=_DRIVES, answers=_GOOD_AND_BAD),
    "pilot and meter": Alphabet(cards=("A",), pilots=_BREAKS, has_meter_trouble=True),
    "remote": Alphabet(pilots=_DRIVES, requests=_REMOTE, has_lock_trouble=True),
    "faults": Alphabet(cards=("A",), pilots=_DRIVES, faults=_FAULTS),
    "availability": Alphabet(cards=("A",), pilots=_DRIVES, requests=_AVAILABILITY),
    "outages": Alphabet(cards=("A",), pilots=_DRIVES, has_outages=True),
    "delivery": Alphabet(cards=("A",), pilots=_DRIVES, failures=_NO_ANSWER, answers=_GOOD_AND_BAD),
    "registration": Alphabet(
        pilots=_DRIVES,
        registrations=tuple(RegistrationStatus),
        failures=_NO_ANSWER,
        has_outages=True,
        requests=_TRIGGERS,
    ),
    "power cuts": Alphabet(cards=("A",), pilots=_DRIVES, has_power_cuts=True),
    "reset": Alphabet(cards=("A",), pilots=_DRIVES, requests=_RESET),
    "pauses": Alphabet(cards=("A",), pilots=_PAUSES, requests=_CURRENT),
    "reservation": Alphabet(cards=("A", "B"), pilots=_DRIVES, requests=_RESERVATION),
    "free of charge": Alphabet(pilots=_PAUSES, requests=_AVAILABILITY, has_meter_trouble=True),
    "everything": Alphabet(
        cards=("A", "B"),
        pilots=_BREAKS,
        faults=_FAULTS,
        requests=(*_REMOTE, *_AVAILABILITY, *_RESET, *_CURRENT, *_RESERVATION, *_TRIGGERS),
        answers=_GOOD_AND_BAD,
        registrations=tuple(RegistrationStatus),
        failures=_NO_ANSWER,
        has_outages=True,
        has_power_cuts=True,
        has_lock_trouble=True,
        has_meter_trouble=True,
    ),
}
"""Each with its name."""

REGISTERED = ("the station starts", "connected", "BootNotification Accepted")
"""The way to a station in service whose hardware has not reported yet."""
CONNECTED = (*REGISTERED, "cable out of 1", "lock of 1 open", "pilot of 1 A", "cable in 1", "pilot of 1 C")
"""The way to a vehicle that asks for energy and has no idTag yet."""
WAYS = {
    "card": (*CONNECTED, "card A", "Authorize Accepted", "lock of 1 closed", "meter 1 read"),
    "remote": (*CONNECTED, "RemoteStartTransaction A", "lock of 1 closed", "meter 1 read"),
    "free": (*CONNECTED, "lock of 1 closed", "meter 1 read"),
}
"""The ways to a vehicle that charges: an exploration that cannot go to its end begins here as well."""

FREE_OF_CHARGE = "free of charge"
"""The alphabet for a station that charges without authorisation."""


def one_connector(settings: Settings, *, free_id_tag: str = "") -> Settings:
    """The station with its first connector alone."""
    return replace(settings, connectors=settings.connectors[:1], free_id_tag=free_id_tag)


def without_repetition(defaults: Keys) -> Keys:
    """Configuration without what only repeats itself or only grows: periodic values, and the cache of idTags."""
    return replace(
        defaults,
        authorization_cache_enabled=False,
        clock_aligned_data_interval=0,
        meter_value_sample_interval=0,
        stop_txn_aligned_data=(),
        stop_txn_sampled_data=(),
    )
