"""What an exploration lets happen: each alphabet as small as its question allows, and one with everything.

A small alphabet can be gone through to the end; the large one only to a bound, and finds what its parts do to each
other. Values that make no difference stand for all others: two idTags (the holder and somebody else), one fault of each
kind (safety, other, warning), one register value unless energy is counted, one CALLERROR. Time is left out (a timer may
fire at any moment after it was started) but where ``has_clock`` says otherwise. What comes at once in all alphabets but
one: the answers to CALLs that decide nothing.
"""

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from machines.model.moves import EPOCH, LONG, Alphabet, transaction_id_of
from machines.vocabulary import ocpp
from machines.vocabulary.hardware import HardwareEvent, HardwareFault, PilotState, StopPressed
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    ChargingProfilePurposeType,
    IdTagInfo,
    MessageTrigger,
    RegistrationStatus,
)
from machines.vocabulary.settings import Installation, Recovery
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


WARNINGS = (HardwareFault.READER, HardwareFault.SIGNAL)


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


def alphabets(numbers: Numbers) -> dict[str, Alphabet]:
    """All alphabets by name, for a station with the connectors ``numbers``."""
    return dict((*_charging(numbers), *_energy(numbers), *_station(numbers), _everything(numbers)))


def _charging(numbers: Numbers) -> Iterator[tuple[str, Alphabet]]:
    """What happens at a connector."""
    first = numbers[0]
    yield "sessions", Alphabet("a card, a vehicle that pauses", cards=("A",), pilots=PAUSES)
    yield (
        "two users",
        Alphabet("two cards, accepted or not", cards=("A", "B"), pilots=DRIVES, answers=GOOD_AND_BAD),
    )
    yield (
        "two users without a stop",
        Alphabet(
            "a card that is accepted when somebody else charges, or may not",
            cards=("A", "B"),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            station=(("stop_transaction_on_invalid_id", False),),
        ),
    )
    yield (
        "group",
        Alphabet(
            "two cards, of one group or of none",
            cards=("A", "B"),
            pilots=DRIVES,
            answers=(ACCEPTED, OF_GROUP),
            failures=(Failure.CALL_ERROR,),
        ),
    )
    yield (
        "pilot and meter",
        Alphabet(
            "a pilot that cannot be read, a meter that is silent",
            cards=("A",),
            pilots=BREAKS,
            has_meter_trouble=True,
        ),
    )
    yield (
        "drivers that repeat themselves",
        Alphabet(
            "reports that say nothing new, a cable that is seen after the vehicle",
            cards=("A",),
            pilots=BREAKS,
            has_repeats=True,
        ),
    )
    yield (
        "remote",
        Alphabet(
            "remote start, stop and unlock; a lock that sticks",
            pilots=DRIVES,
            requests=remote(numbers),
            has_lock_trouble=True,
        ),
    )
    yield (
        "remote and asked",
        Alphabet(
            "AuthorizeRemoteTxRequests",
            cards=("A",),
            pilots=DRIVES,
            requests=remote(numbers),
            answers=GOOD_AND_BAD,
            station=(("authorize_remote_tx_requests", True),),
        ),
    )
    yield "faults", Alphabet("faults and warnings", cards=("A",), pilots=DRIVES, faults=faults(numbers))
    yield (
        "buttons",
        Alphabet(
            "the stop button; a supply that says when it fails",
            cards=("A",),
            pilots=DRIVES,
            reports=buttons(numbers),
            answers=GOOD_AND_BAD,
            has_power_failing=True,
            station=(("stop_transaction_on_invalid_id", False),),
        ),
    )
    yield (
        "availability",
        Alphabet("ChangeAvailability", cards=("A",), pilots=DRIVES, requests=availability(numbers)),
    )
    yield (
        "pauses",
        Alphabet("the station withholds energy", cards=("A",), pilots=PAUSES, requests=CURRENTS),
    )
    yield (
        "cable kept",
        Alphabet(
            "who unplugs the vehicle keeps the cable",
            cards=("A", "B"),
            pilots=DRIVES,
            requests=(("UnlockConnector", ocpp.UnlockConnector(connector_id=first)),),
            has_lock_trouble=True,
            has_repeats=True,
            station=(("unlock_connector_on_ev_side_disconnect", False),),
        ),
    )
    yield (
        "left connected",
        Alphabet(
            "a transaction outlasts the unplugging of the vehicle",
            cards=("A",),
            pilots=PAUSES,
            requests=CURRENTS,
            station=(("stop_transaction_on_ev_side_disconnect", False),),
        ),
    )
    yield (
        "not accepted",
        Alphabet(
            "a transaction goes on without energy",
            cards=("A", "B"),
            pilots=PAUSES,
            answers=GOOD_AND_BAD,
            requests=(*remote(numbers), *RESETS),
            faults=faults(numbers),
            has_lock_trouble=True,
            station=(("stop_transaction_on_invalid_id", False),),
        ),
    )
    for name, value in (("stop", True), ("no stop", False)):
        yield (
            f"some energy and {name}",
            Alphabet(
                "MaxEnergyOnInvalidId",
                cards=("A",),
                pilots=DRIVES,
                answers=GOOD_AND_BAD,
                registers_wh=(0, 1000),
                has_meter_trouble=True,
                station=(
                    ("max_energy_on_invalid_id", 100),
                    ("stop_transaction_on_invalid_id", value),
                    ("stop_transaction_on_ev_side_disconnect", False),
                ),
            ),
        )
    yield (
        "free of charge",
        Alphabet(
            "no card is needed",
            pilots=PAUSES,
            requests=(*availability(numbers), *CURRENTS),
            has_meter_trouble=True,
            station=(("free_id_tag", "FREE"),),
        ),
    )
    yield (
        "free but reserved",
        Alphabet(
            "no card is needed, but for what is reserved",
            cards=("A",),
            pilots=DRIVES,
            faults=faults(numbers),
            requests=reservations(numbers),
            station=(("free_id_tag", "FREE"),),
        ),
    )
    yield (
        "reservation",
        Alphabet("a reservation", cards=("A", "B"), pilots=PAUSES, requests=reservations(numbers)),
    )
    yield (
        "reservations and what ends them",
        Alphabet(
            "of a connector and of any, for a group",
            cards=("A",),
            pilots=DRIVES,
            answers=(ACCEPTED, OF_GROUP),
            requests=(
                *reservation(first, reservation_id=1),
                *reservation(first, reservation_id=2, id_tag="B", group="P"),
                *reservation(0, reservation_id=8),
                *reservation(0, reservation_id=7),
                *reservation(NOWHERE, reservation_id=9),
                *availability(numbers[:1]),
            ),
            faults=faults(numbers),
        ),
    )
    yield (
        "reservations that outlast faults",
        Alphabet(
            "a fault comes and goes while a connector is kept",
            cards=("A",),
            pilots=DRIVES,
            faults=tuple((number, HardwareFault.GROUND) for number in (0, *numbers)),
            requests=(*reservations(numbers), *reservation(0, reservation_id=8), *availability(())),
            station=(("reservations_outlast_faults", True),),
        ),
    )
    yield (
        "reservations and time",
        Alphabet(
            "expiryDate, and a clock that is set",
            cards=("A",),
            pilots=DRIVES,
            requests=reservations(numbers),
            registrations=tuple(RegistrationStatus),
            clocks=(("", timedelta(0)), (", time later", LONG)),
            has_long_cuts=True,
            has_power_cuts=True,
        ),
    )


OFFLINE = (
    *("meter of 1 (start) read", "connection lost", "pilot of 1 A", "meter of 1 (stop) read"),
    *("lock of 1 open", "cable out of 1"),
    *("cable in 1", "pilot of 1 C", "card A", "lock of 1 closed", "meter of 1 (start) read"),
)
"""The end of a session that the Central System has not heard of, and another one."""


def _station(numbers: Numbers) -> Iterator[tuple[str, Alphabet]]:
    """What happens to the station."""
    yield "outages", Alphabet("the connection is lost", cards=("A",), pilots=DRIVES, has_outages=True)
    yield (
        "offline",
        Alphabet(
            "idTags that the station knows, or not; nobody to ask",
            cards=("A", "B"),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            failures=(Failure.CALL_ERROR,),
            requests=(("ClearCache", ocpp.ClearCache()),),
            has_outages=True,
            station=(("allow_offline_tx_for_unknown_id", True), ("authorization_cache_enabled", True)),
        ),
    )
    yield (
        "local list",
        Alphabet(
            "SendLocalList, and a cache",
            cards=("A",),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            requests=(
                *local_list(1, FULL, ("A", GOOD)),
                *local_list(2, DIFFERENTIAL, ("A", BAD)),
                *local_list(3, FULL, ("A", None)),
                *local_list(4, DIFFERENTIAL, ("A", None)),
                ("GetLocalListVersion", ocpp.GetLocalListVersion()),
                ("ClearCache", ocpp.ClearCache()),
                *configuration(LocalAuthListEnabled="true false", AuthorizationCacheEnabled="true false"),
            ),
            failures=(Failure.CALL_ERROR,),
            has_slow_answers=True,
            station=(("local_pre_authorize", True), ("authorization_cache_enabled", True)),
        ),
    )
    yield (
        "delivery",
        Alphabet(
            "transaction messages that fail or are answered late",
            cards=("A",),
            pilots=DRIVES,
            failures=NO_ANSWER,
            answers=GOOD_AND_BAD,
        ),
    )
    yield (
        "samples",
        Alphabet(
            "meter values while a queue of four is full, and values on the clock",
            cards=("A",),
            pilots=DRIVES,
            failures=NO_ANSWER,
            requests=(
                *configuration(MeterValueSampleInterval="0 10", ClockAlignedDataInterval="0 900"),
                *configuration(MeterValuesSampledData="Energy.Active.Import.Interval"),
                *triggers(MessageTrigger.METER_VALUES),
            ),
            has_outages=True,
            has_meter_trouble=True,
            has_clock=True,
            station=(
                ("queue_size_max", 4),
                ("transaction_message_attempts", 1),
                ("clock_aligned_data_interval", 900),
                ("meter_value_sample_interval", 10),
                ("meter_values_sampled_data", ("Energy.Active.Import.Register",)),
                ("meter_values_aligned_data", ("Energy.Active.Import.Register",)),
            ),
        ),
    )
    yield (
        "registration",
        Alphabet(
            "registration, and what may be asked for before it",
            pilots=DRIVES,
            registrations=tuple(RegistrationStatus),
            intervals=(0, 60),
            failures=NO_ANSWER,
            has_outages=True,
            requests=triggers(
                MessageTrigger.BOOT_NOTIFICATION,
                MessageTrigger.HEARTBEAT,
                MessageTrigger.METER_VALUES,
                MessageTrigger.STATUS_NOTIFICATION,
            ),
        ),
    )
    yield (
        "slow answers",
        Alphabet(
            "what is asked for, and answers that come late or never",
            cards=("A",),
            pilots=DRIVES,
            registrations=(RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING),
            failures=(Failure.CALL_ERROR,),
            requests=(
                *triggers(*MessageTrigger),
                *triggers(
                    MessageTrigger.STATUS_NOTIFICATION, MessageTrigger.METER_VALUES, numbers=(0, *numbers, 9)
                ),
                *configuration(MeterValuesSampledData="Energy.Active.Import.Interval"),
                ("TriggerMessage Rumour", ocpp.TriggerUnknownMessage(requested_message="Rumour")),
            ),
            has_outages=True,
            has_vendor_data=True,
            has_slow_answers=True,
        ),
    )
    for offered in ("FirmwareStatusNotification", "DiagnosticsStatusNotification"):
        yield (
            f"few messages with {offered}",
            Alphabet(
                "reports that the station does not declare",
                requests=(*triggers(*MessageTrigger), *UPDATES[1:2], DIAGNOSTICS),
                has_vendor_data=True,
                has_slow_answers=True,
                has_failing_works=True,
                station=(("sends", frozenset({"BootNotification", "StatusNotification", offered})),),
            ),
        )
    yield (
        "short statuses",
        Alphabet(
            "MinimumStatusDuration",
            cards=("A",),
            pilots=DRIVES,
            requests=triggers(MessageTrigger.STATUS_NOTIFICATION, numbers=(None, *numbers)),
            failures=(Failure.CALL_ERROR,),
            has_outages=True,
            has_slow_answers=True,
            station=(("minimum_status_duration", 5),),
        ),
    )
    yield (
        "configuration",
        Alphabet(
            "keys of every kind, and what is read",
            requests=(
                *configuration(
                    AuthorizationKey="00112233445566778899aabbccddeeff",
                    HeartbeatInterval="0 10 -1",
                    NumberOfConnectors="2",
                    Nonsense="1",
                    LightIntensity="50",
                ),
                ("GetConfiguration", ocpp.GetConfiguration()),
                *(
                    (
                        f"DataTransfer {vendor} {message}",
                        ocpp.DataTransfer(vendor_id=vendor, message_id=message),
                    )
                    for vendor in ("org.example", "nobody")
                    for message in ("Ping", "Pong")
                ),
            ),
            registrations=(RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING),
            intervals=(0, 60),
            has_outages=True,
            has_vendor_data=True,
            has_power_cuts=True,
        ),
    )
    yield "power cuts", Alphabet("the power is cut", cards=("A",), pilots=DRIVES, has_power_cuts=True)
    yield (
        "power cuts and resumed",
        Alphabet(
            "the power is cut, and transactions go on",
            cards=("A",),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            reports=buttons(numbers),
            faults=((numbers[0], HardwareFault.GROUND),),
            requests=(
                *availability(numbers[:1]),
                *remote(numbers),
                *RESETS,
                *triggers(MessageTrigger.METER_VALUES),
                *configuration(StopTransactionOnInvalidId="true false"),
            ),
            has_power_cuts=True,
            has_power_failing=True,
            has_meter_trouble=True,
            station=(("recovery", Recovery.RESUME), ("stop_transaction_on_invalid_id", False)),
        ),
    )
    yield (
        "power cuts and no energy",
        Alphabet(
            "the power is cut, and transactions go on that may draw none",
            cards=("A",),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            requests=configuration(StopTransactionOnInvalidId="true false"),
            has_power_cuts=True,
            station=(("recovery", Recovery.RESUME), ("stop_transaction_on_invalid_id", False)),
        ),
    )
    yield (
        "offline and resumed",
        Alphabet(
            "transactions that nobody was told of, and a power cut",
            cards=("A",),
            pilots=DRIVES,
            has_outages=True,
            has_power_cuts=True,
            queue_max=3,
            further=(("offline", OFFLINE),),
            station=(("recovery", Recovery.RESUME), ("allow_offline_tx_for_unknown_id", True)),
        ),
    )
    yield (
        "reset",
        Alphabet(
            "Reset, and restarts that fail",
            cards=("A",),
            pilots=DRIVES,
            requests=RESETS,
            failures=(Failure.CALL_ERROR,),
            has_failing_restarts=True,
        ),
    )
    yield (
        "firmware",
        Alphabet(
            "UpdateFirmware, and everything that may become of it",
            cards=("A",),
            pilots=DRIVES,
            requests=(
                *UPDATES,
                *availability(numbers[:1]),
                *triggers(MessageTrigger.FIRMWARE_STATUS_NOTIFICATION),
            ),
            has_failing_works=True,
            has_failing_restarts=True,
            has_power_cuts=True,
            station=(("recovery", Recovery.RESUME), ("install_attempts_max", 2)),
        ),
    )
    yield (
        "firmware and restarts",
        Alphabet(
            "UpdateFirmware, Reset, and restarts that fail",
            requests=(*UPDATES, *RESETS),
            has_failing_works=True,
            has_failing_restarts=True,
            has_power_cuts=True,
            has_clock=True,
            station=(("install_attempts_max", 2),),
        ),
    )
    yield (
        "diagnostics",
        Alphabet(
            "GetDiagnostics, and what is told of it",
            requests=(
                DIAGNOSTICS,
                *triggers(MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION),
            ),
            has_failing_works=True,
            has_power_cuts=True,
        ),
    )
    yield (
        "transfers told slowly",
        Alphabet(
            "what is told of firmware and diagnostics, and answered late or never",
            requests=(
                *UPDATES,
                DIAGNOSTICS,
                *triggers(
                    MessageTrigger.FIRMWARE_STATUS_NOTIFICATION,
                    MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION,
                ),
            ),
            failures=(Failure.CALL_ERROR,),
            has_failing_works=True,
            has_outages=True,
            has_slow_answers=True,
        ),
    )


def _energy(numbers: Numbers) -> Iterator[tuple[str, Alphabet]]:
    """How much may be drawn."""
    yield (
        "smart charging",
        Alphabet(
            "charging profiles that come and go; their periods are waited for",
            cards=("A", "B"),
            pilots=DRIVES,
            requests=(*profiles(numbers), *CURRENTS, *configuration(LightIntensity="50")),
            has_clock=True,
            has_power_cuts=True,
            station=(("recovery", Recovery.RESUME),),
        ),
    )
    yield (
        "a profile for a remote start",
        Alphabet(
            "a profile comes with a remote start that may come to nothing",
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            faults=((numbers[0], HardwareFault.GROUND),),
            requests=(
                *profiles(numbers)[-2:],
                *profiles(numbers)[:1],
                ("ClearChargingProfile", ocpp.ClearChargingProfile()),
            ),
            station=(("authorize_remote_tx_requests", True),),
        ),
    )
    yield (
        "fail-safe",
        Alphabet(
            "a limit for when nobody can be asked any more",
            cards=("A",),
            pilots=DRIVES,
            requests=profiles(numbers)[:1],
            has_outages=True,
            station=(
                (
                    "installation",
                    Installation(current_max_a=32, offline_current_max_a=6, offline_after_s=60),
                ),
            ),
        ),
    )
    yield (
        "phases",
        Alphabet(
            "one phase or three, as profiles say",
            cards=("A",),
            pilots=DRIVES,
            requests=(
                *(
                    (
                        f"SetChargingProfile {phases} for {phases} phases",
                        ocpp.SetChargingProfile(
                            connector_id=0, cs_charging_profiles=profile(phases, DEFAULT, 16.0, phases=phases)
                        ),
                    )
                    for phases in (1, 2, 3)
                ),
                ("ClearChargingProfile", ocpp.ClearChargingProfile()),
            ),
            has_clock=True,
            station=(("connector_switch3to1_phase_supported", True),),
        ),
    )


def _everything(numbers: Numbers) -> tuple[str, Alphabet]:
    return (
        "everything",
        Alphabet(
            "all of it",
            cards=("A", "B"),
            pilots=BREAKS,
            faults=faults(numbers),
            requests=(
                *remote(numbers),
                *availability(numbers),
                *RESETS,
                *CURRENTS,
                *reservations(numbers),
                *triggers(*MessageTrigger),
            ),
            reports=buttons(numbers),
            answers=GOOD_AND_BAD,
            registrations=tuple(RegistrationStatus),
            failures=NO_ANSWER,
            has_outages=True,
            has_power_cuts=True,
            has_power_failing=True,
            has_failing_restarts=True,
            has_lock_trouble=True,
            has_meter_trouble=True,
            has_vendor_data=True,
        ),
    )
