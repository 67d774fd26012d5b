"""What alphabets are put together from: requests, answers, faults and buttons, each with the name of its move."""

from datetime import timedelta

from msgspec.structs import replace

from machines.model.alphabet import EPOCH, LONG, transaction_id_of
from machines.vocabulary import ocpp
from machines.vocabulary.hardware import HardwareEvent, HardwareFault, PilotState, StopPressed
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    ChargingProfilePurposeType,
    IdTagInfo,
    MessageTrigger,
)
from machines.vocabulary.wire import Failure

Requests = tuple[tuple[str, ocpp.Request], ...]
Numbers = tuple[int, ...]

DRIVES = (PilotState.A, PilotState.C)
PAUSES = (PilotState.A, PilotState.B, PilotState.C)
BREAKS = (PilotState.A, PilotState.B, PilotState.C, PilotState.E)
NOWHERE = 9
"""A connector, and a transaction, that does not exist."""
NO_ANSWER = (Failure.CALL_ERROR, Failure.TIMED_OUT)

ACCEPTED = ("Accepted", IdTagInfo(status=AuthorizationStatus.ACCEPTED))
INVALID = ("Invalid", IdTagInfo(status=AuthorizationStatus.INVALID))
OF_GROUP = ("Accepted for group P", IdTagInfo(status=AuthorizationStatus.ACCEPTED, parent_id_tag="P"))
GOOD_AND_BAD = (ACCEPTED, INVALID)


def faults(numbers: Numbers) -> tuple[tuple[int, HardwareFault], ...]:
    """A safety fault, another and a warning of the first connector, a fault of each other one and of the station."""
    first, *others = numbers
    return (
        *((first, fault) for fault in (HardwareFault.GROUND, HardwareFault.TEMPERATURE)),
        *((first, fault) for fault in WARNINGS),
        *((number, HardwareFault.GROUND) for number in others),
        (0, HardwareFault.INTERNAL),
    )


WARNINGS = (HardwareFault.PILOT, HardwareFault.SIGNAL)
"""One that takes the energy away, and one that does not."""


def remote(numbers: Numbers) -> Requests:
    """Start, stop and unlock by the Central System."""
    found: list[tuple[str, ocpp.Request]] = []
    for n in numbers:
        start = ocpp.RemoteStartTransaction(id_tag="A", connector_id=n)
        stop = ocpp.RemoteStopTransaction(transaction_id=transaction_id_of(n))
        found += [
            (f"RemoteStartTransaction A at {n}", start),
            (f"RemoteStopTransaction at {n}", stop),
            (f"UnlockConnector {n}", ocpp.UnlockConnector(connector_id=n)),
        ]
    return (
        *found,
        ("RemoteStopTransaction of none", ocpp.RemoteStopTransaction(transaction_id=NOWHERE)),
        ("UnlockConnector 9", ocpp.UnlockConnector(connector_id=NOWHERE)),
    )


def availability(numbers: Numbers) -> Requests:
    """ChangeAvailability of each connector, of the station, and of one that is not there."""
    return tuple(
        (f"ChangeAvailability {number} {kind}", ocpp.ChangeAvailability(connector_id=number, type=kind))
        for number in (0, *numbers, NOWHERE)
        for kind in ocpp.AvailabilityType
    )


def reservation(number: int, *, reservation_id: int, id_tag: str = "A", group: str | None = None) -> Requests:
    """ReserveNow and CancelReservation, and ReserveNow with an expiryDate that has passed."""
    reserve = ocpp.ReserveNow(
        connector_id=number,
        expiry_date=EPOCH + timedelta(1),
        id_tag=id_tag,
        parent_id_tag=group,
        reservation_id=reservation_id,
    )
    cancel = ocpp.CancelReservation(reservation_id=reservation_id)
    return (
        (f"ReserveNow {reservation_id} at {number} for {id_tag}", reserve),
        (f"ReserveNow {reservation_id} at {number}, too late", replace(reserve, expiry_date=EPOCH)),
        (f"CancelReservation {reservation_id}", cancel),
    )


def reservations(numbers: Numbers) -> Requests:
    """One for each connector, under its number."""
    return tuple(one for number in numbers for one in reservation(number, reservation_id=number))


def configuration(**values: str) -> Requests:
    """ChangeConfiguration of each key to each of its values, which are separated by blanks."""
    return tuple(
        (f"{key} = {value}", ocpp.ChangeConfiguration(key=key, value=value))
        for key, several in values.items()
        for value in several.split(" ")
    )


def triggers(*messages: MessageTrigger, numbers: tuple[int | None, ...] = (None,)) -> Requests:
    """TriggerMessage of each message, of each connector."""
    return tuple(
        (
            f"TriggerMessage {message}" + f" of {number}" * (number is not None),
            ocpp.TriggerMessage(requested_message=message, connector_id=number),
        )
        for message in messages
        for number in numbers
    )


def local_list(version: int, update: ocpp.UpdateType, *entries: tuple[str, IdTagInfo | None]) -> Requests:
    """SendLocalList."""
    named = ", ".join(f"{id_tag} {info.status if info else 'gone'}" for id_tag, info in entries)
    listed = tuple(ocpp.AuthorizationData(id_tag=id_tag, id_tag_info=info) for id_tag, info in entries)
    request = ocpp.SendLocalList(list_version=version, update_type=update, local_authorization_list=listed)
    return ((f"SendLocalList {version} {update}: {named}", request),)


def buttons(numbers: Numbers) -> tuple[tuple[str, int, HardwareEvent], ...]:
    """The stop button and the emergency stop of each connector."""
    return tuple(
        (f"{what} of {number} pressed", number, StopPressed(is_emergency=what == "emergency stop"))
        for number in numbers
        for what in ("stop button", "emergency stop")
    )


UPDATES: Requests = tuple(
    (
        f"UpdateFirmware {when}, {retries} retries",
        ocpp.UpdateFirmware(location="ftp://h/f", retrieve_date=EPOCH + ahead, retries=retries),
    )
    for when, ahead, retries in (("now", timedelta(0), 0), ("now", timedelta(0), 1), ("later", LONG, 0))
)
DIAGNOSTICS = ("GetDiagnostics", ocpp.GetDiagnostics(location="ftp://h/", retries=1))
RESETS: Requests = tuple((f"Reset {kind}", ocpp.Reset(type=kind)) for kind in ocpp.ResetType)
CURRENTS = configuration(ConnectorMaximumCurrent="0 16")

FULL, DIFFERENTIAL = ocpp.UpdateType.FULL, ocpp.UpdateType.DIFFERENTIAL
GOOD, BAD, IN_GROUP = ACCEPTED[1], INVALID[1], OF_GROUP[1]


def profile(
    profile_id: int,
    purpose: ChargingProfilePurposeType,
    *limits_a: float,
    phases: int | None = None,
    transaction_id: int | None = None,
    stack_level: int = 0,
) -> ocpp.ChargingProfile:
    """A profile from now on, with another limit every minute."""
    return ocpp.ChargingProfile(
        charging_profile_id=profile_id,
        stack_level=stack_level,
        charging_profile_purpose=purpose,
        charging_profile_kind=ocpp.ChargingProfileKindType.ABSOLUTE,
        transaction_id=transaction_id,
        charging_schedule=ocpp.ChargingSchedule(
            charging_rate_unit=ocpp.ChargingRateUnitType.A,
            start_schedule=EPOCH,
            charging_schedule_period=tuple(
                ocpp.ChargingSchedulePeriod(start_period=60 * minute, limit=limit_a, number_phases=phases)
                for minute, limit_a in enumerate(limits_a)
            ),
        ),
    )


def profiles(numbers: Numbers) -> Requests:
    """Charging profiles of every purpose, installed and cleared."""
    first = numbers[0]
    mine = {"transaction_id": transaction_id_of(first)}
    installed = (
        ("of the station", 0, profile(1, STATION_LIMIT, 20.0, 10.0)),
        ("for all", 0, profile(2, DEFAULT, 16.0, 0.0, 16.0)),
        ("for the transaction", first, profile(3, OF_TRANSACTION, 8.0, 30.0, **mine)),
        ("for a transaction anywhere", 0, profile(4, OF_TRANSACTION, 8.0)),
    )
    brought = {
        "a profile": profile(5, OF_TRANSACTION, 12.0),
        "a profile that is too high up": profile(6, OF_TRANSACTION, 12.0, stack_level=1_000_000),
    }
    return (
        *(
            (
                f"SetChargingProfile {one.charging_profile_id} {what}",
                ocpp.SetChargingProfile(connector_id=n, cs_charging_profiles=one),
            )
            for what, n, one in installed
        ),
        ("ClearChargingProfile", ocpp.ClearChargingProfile()),
        ("ClearChargingProfile 1", ocpp.ClearChargingProfile(id=1)),
        ("ClearChargingProfile of none", ocpp.ClearChargingProfile(id=NOWHERE)),
        ("GetCompositeSchedule", ocpp.GetCompositeSchedule(connector_id=first, duration=180)),
        *(
            (
                f"RemoteStartTransaction A at {first} with {what}",
                ocpp.RemoteStartTransaction(id_tag="A", connector_id=first, charging_profile=one),
            )
            for what, one in brought.items()
        ),
    )


STATION_LIMIT = ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE
DEFAULT = ChargingProfilePurposeType.TX_DEFAULT_PROFILE
OF_TRANSACTION = ChargingProfilePurposeType.TX_PROFILE
