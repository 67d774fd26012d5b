"""The table request x registration state (facts section 4): what becomes of every CALL of the Central System."""

import itertools
from datetime import UTC, datetime

import pytest

from engine.station_file import load
from machines.charge_point import ChargePoint, PoweredUp
from machines.registration import BootDue, Registration
from machines.vocabulary.effects import Answer, Instant, LeaveUnanswered, TimerFired
from machines.vocabulary.ocpp import (
    ACTIONS,
    AvailabilityType,
    BootNotificationConf,
    CancelReservation,
    ChangeAvailability,
    ChangeConfiguration,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearCache,
    ClearChargingProfile,
    DataTransfer,
    GetCompositeSchedule,
    GetConfiguration,
    GetDiagnostics,
    GetLocalListVersion,
    MessageTrigger,
    RegistrationStatus,
    RemoteStartTransaction,
    RemoteStopTransaction,
    ReserveNow,
    Reset,
    ResetType,
    SendLocalList,
    SetChargingProfile,
    TriggerMessage,
    UnlockConnector,
    UpdateFirmware,
    UpdateType,
)
from machines.vocabulary.wire import CallAnswered, CallFailed, ConnectionOpened, Failure, RequestReceived

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROFILE = ChargingProfile(
    charging_profile_id=1,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.TX_DEFAULT_PROFILE,
    charging_profile_kind=ChargingProfileKindType.RELATIVE,
    charging_schedule=ChargingSchedule(
        charging_rate_unit=ChargingRateUnitType.A,
        charging_schedule_period=(ChargingSchedulePeriod(start_period=0, limit=10),),
    ),
)
REQUESTS = [
    CancelReservation(reservation_id=1),
    ChangeAvailability(connector_id=1, type=AvailabilityType.OPERATIVE),
    ChangeConfiguration(key="HeartbeatInterval", value="60"),
    ClearCache(),
    ClearChargingProfile(),
    DataTransfer(vendor_id="org.example"),
    GetCompositeSchedule(connector_id=1, duration=60),
    GetConfiguration(),
    GetDiagnostics(location="ftp://localhost/"),
    GetLocalListVersion(),
    RemoteStartTransaction(connector_id=1, id_tag="A"),
    RemoteStopTransaction(transaction_id=1),
    ReserveNow(connector_id=1, expiry_date=NOON, id_tag="A", reservation_id=1),
    Reset(type=ResetType.SOFT),
    SendLocalList(list_version=1, update_type=UpdateType.FULL),
    SetChargingProfile(connector_id=1, cs_charging_profiles=PROFILE),
    TriggerMessage(requested_message=MessageTrigger.HEARTBEAT),
    UnlockConnector(connector_id=1),
    UpdateFirmware(location="ftp://localhost/", retrieve_date=NOON),
]
STATES = [state.value for state in Registration.states]
REFUSED_WHILE_PENDING = (RemoteStartTransaction, RemoteStopTransaction)
"""4.2.1: these shall not be sent then; facts section 4: Rejected."""


def expected(request, state):
    """What the table says."""
    if state in {"unregistered", "booting", "rejected"}:
        return "unanswered"
    if state in {"pending", "asking_again"} and isinstance(request, REFUSED_WHILE_PENDING):
        return "refused"
    return "served"


def charge_point_in(state):
    """A charge point, connected, whose registration is in ``state``."""
    station = load("full")
    charge_point = ChargePoint(station.settings, station.keys, station.defaults)
    seconds = itertools.count()

    def take(arrival):
        return charge_point.handle(arrival, Instant(1, float(next(seconds))))

    take(PoweredUp(()))
    take(ConnectionOpened())
    if state == "unregistered":
        take(CallFailed("registration", "BootNotification", Failure.TIMED_OUT))
    elif state != "booting":
        status = RegistrationStatus("Pending" if state == "asking_again" else state.capitalize())
        conf = BootNotificationConf(status=status, current_time=NOON, interval=60)
        take(CallAnswered("registration", conf))
    if state == "asking_again":
        take(TimerFired("registration", "boot", BootDue()))
    assert charge_point.machines["registration"].state == state
    return take


def outcome(request, state):
    """What became of ``request``."""
    step = charge_point_in(state)(RequestReceived("1", request))
    if [emitted.effect for emitted in step.effects] == [LeaveUnanswered()]:
        assert not step.taken, "no machine hears of it"
        return "unanswered"
    (answer,) = [one.effect.answer for one in step.effects if isinstance(one.effect, Answer)]
    is_by_gate = getattr(answer, "status", "") == "Rejected" and not step.taken
    return "refused" if is_by_gate and isinstance(request, REFUSED_WHILE_PENDING) else "served"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_every_request_in_every_registration_state(request_, state):
    """4.2, 4.2.1, decision BN3."""
    assert outcome(request_, state) == expected(request_, state)


def test_the_table_has_every_request_of_the_central_system():
    commands = {action.name for action in ACTIONS.values() if action.from_central_system}
    assert {type(request).__name__ for request in REQUESTS} == commands


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_a_request_that_is_served_gets_exactly_one_answer_first(request_):
    """The answer goes before what follows from it."""
    step = charge_point_in("accepted")(RequestReceived("1", request_))
    kinds = [type(one.effect).__name__ for one in step.effects]
    assert kinds.count("Answer") == 1
    assert not {"Call", "Restart", "HangUp"} & set(kinds[: kinds.index("Answer")])
