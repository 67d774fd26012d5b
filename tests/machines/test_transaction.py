"""One connector's transaction by itself: from the idTag to the recorded stop, and after a power cut."""

import pytest
from msgspec.structs import replace

from machines.resumed import Resumed
from machines.transaction import START_TICKET, STOP_TICKET, RecoveryTimedOut, Transaction, TransactionData
from machines.vocabulary.effects import Answer, Instant, ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import (
    HardwareFault,
    MeterRead,
    MeterReadFailed,
    MeterReading,
    PowerFailing,
    StopPressed,
)
from machines.vocabulary.notices import (
    AllowanceUsed,
    AuthorizationDropped,
    Authorized,
    BecameFaulted,
    CableHeld,
    CableRemoved,
    Deauthorized,
    IntentBegan,
    IntentDropped,
    PreparationEnded,
    RestartGranted,
    StartSettled,
    StopRequested,
    TransactionEnded,
    TransactionMessageQueued,
    TransactionStarted,
    UnlockGranted,
    VehicleConnected,
    VehicleDisconnected,
)
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    IdTagInfo,
    Reason,
    RemoteStartStopStatus,
    RemoteStopTransaction,
    RemoteStopTransactionConf,
    ResetType,
)
from machines.vocabulary.settings import Recovery
from machines.vocabulary.transactions import Began, Ended
from tests.machines import alone
from tests.machines.alone import LIMITS, NOW, quiet, some, unmoved

EARLIER = Instant(1, 20.0, NOW.utc - 30)
NOTHING = TransactionData()
HELD = TransactionData(id_tag="CARD", parent_id_tag="GROUP")
OPEN = replace(HELD, local_id=4, transaction_id=77, started_at=EARLIER, meter_start=100, meter_last=150)
STOPPED = replace(OPEN, stop_reason=Reason.REMOTE, stop_id_tag="FRIEND", stopped_at=EARLIER)
REFUSED = replace(OPEN, is_deauthorized=True)
DATA = {
    "idle": NOTHING,
    "authorized": HELD,
    "starting": HELD,
    "running": OPEN,
    "deauthorized": REFUSED,
    "recovering": OPEN,
    "stopping": STOPPED,
}
"""What is remembered in each state."""

MY_STOP, ANOTHER_STOP = RemoteStopTransaction(transaction_id=77), RemoteStopTransaction(transaction_id=78)
READ_START, READ_STOP = ReadMeter(1, START_TICKET), ReadMeter(1, STOP_TICKET)
STAYS_AUTHORISED = {"stop_transaction_on_invalid_id": False}
SOFT, HARD = RestartGranted(ResetType.SOFT), RestartGranted(ResetType.HARD)
GROUND, HEAT = BecameFaulted(HardwareFault.GROUND), BecameFaulted(HardwareFault.TEMPERATURE)


def told(state, message, data=None, **known):
    return alone.told(Transaction, state, DATA[state] if data is None else data, message, **known)


def read(ticket, wh):
    return MeterRead(ticket, MeterReading(energy_import_wh=wh))


def settled(status="Accepted", local_id=4, parent=None):
    info = IdTagInfo(status=AuthorizationStatus(status), parent_id_tag=parent)
    return StartSettled(local_id, 99, info)


def answer(status):
    return Answer(RemoteStopTransactionConf(status=RemoteStartStopStatus(status)))


def stops(data, reason, id_tag=None, before=()):
    """The stop is noted, and the last register value read."""
    data = replace(data, stop_reason=reason, stop_id_tag=id_tag, stopped_at=NOW)
    return "stopping", [*before, StopTimer("recovery"), READ_STOP], data


BEFORE = {AuthorizationDropped, BecameFaulted, CableRemoved, PowerFailing, PreparationEnded, RestartGranted}
BEFORE |= {StopPressed, UnlockGranted, RemoteStopTransaction}
DURING = {
    BecameFaulted,
    CableRemoved,
    MeterRead,
    PowerFailing,
    RemoteStopTransaction,
    RestartGranted,
    StopPressed,
}
DURING |= {StopRequested, UnlockGranted, VehicleDisconnected}
MATTERS = {
    "idle": {Authorized, RemoteStopTransaction, Resumed},
    "authorized": BEFORE | {Authorized, VehicleConnected},
    "starting": BEFORE | {CableHeld, MeterRead, MeterReadFailed, VehicleDisconnected},
    "running": DURING | {StartSettled},
    "deauthorized": DURING | {AllowanceUsed},
    "recovering": {
        BecameFaulted,
        PowerFailing,
        RecoveryTimedOut,
        RemoteStopTransaction,
        RestartGranted,
        StartSettled,
        StopPressed,
        UnlockGranted,
    }
    | {VehicleConnected},
    "stopping": {MeterRead, MeterReadFailed, RemoteStopTransaction, StartSettled},
}


@pytest.mark.parametrize(("state", "message"), quiet(Transaction, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message)) == unmoved(state, DATA[state])


# An idTag and a vehicle


def test_an_id_tag_waits_for_a_vehicle():
    assert told("idle", Authorized("CARD", "GROUP")) == ("authorized", [IntentBegan()], HELD)


def test_an_id_tag_after_the_vehicle_begins_with_the_register():
    begun = ("starting", [IntentBegan(), READ_START], HELD)
    assert told("idle", Authorized("CARD", "GROUP"), is_connected=True) == begun


def test_a_vehicle_after_the_id_tag_begins_with_the_register():
    assert told("authorized", VehicleConnected(), is_connected=True) == ("starting", [READ_START], HELD)


@pytest.mark.parametrize("why", [{"is_operative": False}, {"is_faulted": True}, {"is_restarting": True}])
def test_nothing_starts_at_a_connector_that_may_not_be_used(why):
    assert told("idle", Authorized("CARD"), **why) == unmoved("idle", NOTHING)
    assert told("idle", Authorized("CARD"), is_connected=True, **why) == unmoved("idle", NOTHING)
    dropped = ("idle", [IntentDropped()], NOTHING)
    assert told("authorized", VehicleConnected(), is_connected=True, **why) == dropped


def test_the_latest_id_tag_holds():
    other = TransactionData(id_tag="OTHER")
    assert told("authorized", Authorized("OTHER")) == ("authorized", [IntentBegan()], other)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("authorized", AuthorizationDropped()),
        ("authorized", PreparationEnded()),
        ("authorized", CableRemoved()),
        ("authorized", HEAT),
        ("authorized", SOFT),
        ("authorized", UnlockGranted()),
        ("authorized", PowerFailing()),
        ("authorized", StopPressed()),
        ("starting", MeterReadFailed(START_TICKET)),
        ("starting", VehicleDisconnected()),
        ("starting", HEAT),
        ("starting", PreparationEnded()),
        ("starting", HARD),
        ("starting", UnlockGranted()),
        ("starting", PowerFailing()),
        ("starting", StopPressed()),
    ],
)
def test_what_comes_before_the_start_drops_the_id_tag(state, message):
    assert told(state, message) == ("idle", [IntentDropped()], NOTHING)


# The first register value


def test_the_register_starts_the_transaction():
    began = Began(connector_id=1, id_tag="CARD", meter_start=120, reservation_id=8)
    data = replace(HELD, local_id=6, started_at=NOW, meter_start=120, meter_last=120)
    assert told("starting", read(START_TICKET, 120), next_local_id=6, reservation_id=8) == (
        "running",
        [TransactionMessageQueued(6, NOW, began), TransactionStarted(6)],
        data,
    )


def test_nothing_starts_before_the_cable_is_held():
    assert told("starting", read(START_TICKET, 120), is_held=False) == unmoved("starting", HELD)
    assert told("starting", CableHeld()) == ("starting", [READ_START], HELD)


@pytest.mark.parametrize("message", [read(STOP_TICKET, 120), MeterReadFailed(STOP_TICKET)])
def test_another_reading_does_not_start_it(message):
    assert told("starting", message) == unmoved("starting", HELD)


# What ends it


@pytest.mark.parametrize("state", ["running", "deauthorized"])
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (StopPressed(), Reason.LOCAL),
        (StopPressed(is_emergency=True), Reason.EMERGENCY_STOP),
        (PowerFailing(), Reason.POWER_LOSS),
        (VehicleDisconnected(), Reason.EV_DISCONNECTED),
        (CableRemoved(), Reason.EV_DISCONNECTED),
        (GROUND, Reason.OTHER),
        (SOFT, Reason.SOFT_RESET),
        (HARD, Reason.HARD_RESET),
        (UnlockGranted(), Reason.UNLOCK_COMMAND),
    ],
)
def test_each_end_has_its_reason(state, message, reason):
    assert told(state, message) == stops(DATA[state], reason)


@pytest.mark.parametrize("state", ["running", "deauthorized"])
def test_a_card_ends_it_in_its_own_name(state):
    asked = StopRequested(Reason.LOCAL, "FRIEND")
    assert told(state, asked) == stops(DATA[state], Reason.LOCAL, "FRIEND")


@pytest.mark.parametrize("state", ["running", "deauthorized"])
def test_a_remote_stop_ends_the_transaction_that_it_names(state):
    assert told(state, MY_STOP) == stops(DATA[state], Reason.REMOTE, before=[answer("Accepted")])
    assert told(state, ANOTHER_STOP) == (state, [answer("Rejected")], DATA[state])


@pytest.mark.parametrize("state", ["idle", "authorized", "starting", "recovering", "stopping"])
def test_there_is_nothing_for_a_remote_stop_where_none_runs(state):
    assert told(state, MY_STOP) == (state, [answer("Rejected")], DATA[state])


@pytest.mark.parametrize("state", ["running", "deauthorized"])
def test_a_vehicle_that_leaves_may_come_back_if_so_declared(state):
    keys = {"stop_transaction_on_ev_side_disconnect": False}
    assert told(state, VehicleDisconnected(), keys=keys) == unmoved(state, DATA[state])


@pytest.mark.parametrize("state", ["running", "deauthorized", "recovering"])
def test_a_fault_that_is_no_danger_waits_for_the_repair(state):
    assert told(state, HEAT) == unmoved(state, DATA[state])


# StartTransaction.conf


@pytest.mark.parametrize("state", ["running", "stopping", "recovering"])
def test_the_central_system_numbers_the_transaction_and_may_name_a_group(state):
    before = DATA[state]
    assert told(state, settled()) == unmoved(state, replace(before, transaction_id=99))
    named = replace(before, transaction_id=99, parent_id_tag="OTHERS")
    assert told(state, settled(parent="OTHERS")) == unmoved(state, named)


@pytest.mark.parametrize("state", ["running", "stopping", "recovering"])
def test_the_start_of_another_transaction_is_none_of_its_business(state):
    assert told(state, settled("Invalid", local_id=3)) == unmoved(state, DATA[state])


@pytest.mark.parametrize("state", ["stopping", "recovering"])
def test_a_refusal_is_noted_where_it_cannot_stop_anything(state):
    assert told(state, settled("Blocked")).data.is_deauthorized


def test_a_transaction_that_is_refused_stops():
    data = replace(OPEN, transaction_id=99, is_deauthorized=True)
    assert told("running", settled("Invalid")) == stops(data, Reason.DE_AUTHORIZED)


@pytest.mark.parametrize("keys", [STAYS_AUTHORISED, {"max_energy_on_invalid_id": 100}])
def test_a_transaction_that_is_refused_may_stay_open_if_so_declared(keys):
    data = replace(OPEN, transaction_id=99, is_deauthorized=True)
    assert told("running", settled("Invalid"), keys=keys) == ("deauthorized", [Deauthorized()], data)


def test_when_the_allowance_is_used_it_stops_or_stays_open_without_energy():
    assert told("deauthorized", AllowanceUsed()) == stops(REFUSED, Reason.DE_AUTHORIZED)
    assert told("deauthorized", AllowanceUsed(), keys=STAYS_AUTHORISED) == unmoved("deauthorized", REFUSED)


# Register values


@pytest.mark.parametrize("state", ["running", "deauthorized", "stopping"])
@pytest.mark.parametrize(("wh", "noted"), [(180, 180), (140, 150)])
def test_the_highest_register_value_is_on_record(state, wh, noted):
    assert told(state, read(3, wh)) == unmoved(state, replace(DATA[state], meter_last=noted))


# The end


def ended(meter_stop):
    body = Ended(meter_stop=meter_stop, reason=Reason.REMOTE, id_tag="FRIEND")
    queued = TransactionMessageQueued(4, EARLIER, body)
    return "idle", [queued, TransactionEnded(4, Reason.REMOTE, "CARD", "GROUP")], NOTHING


def test_the_last_register_value_ends_it():
    assert told("stopping", read(STOP_TICKET, 180)) == ended(180)


def test_without_an_answer_of_the_meter_the_latest_value_ends_it():
    assert told("stopping", MeterReadFailed(STOP_TICKET)) == ended(150)
    assert told("stopping", MeterReadFailed(START_TICKET)) == unmoved("stopping", STOPPED)


# After a restart


def resumed(state, data=OPEN, was_powered=False):
    return Resumed(state, data, was_powered)


RESUMING = {"recovery": Recovery.RESUME}
WAIT = StartTimer("recovery", LIMITS.vehicle_response_s, RecoveryTimedOut())


@pytest.mark.parametrize("state", ["idle", "authorized", "starting"])
def test_nothing_is_left_of_what_had_not_begun(state):
    assert told("idle", resumed(state, HELD)) == unmoved("idle", NOTHING)


@pytest.mark.parametrize("state", ["running", "deauthorized", "recovering"])
@pytest.mark.parametrize(("was_powered", "reason"), [(False, Reason.POWER_LOSS), (True, Reason.REBOOT)])
def test_an_interrupted_transaction_ends(state, was_powered, reason):
    data = replace(OPEN, interruption=reason)
    assert told("idle", resumed(state, was_powered=was_powered)) == stops(data, reason)


@pytest.mark.parametrize("settings", [{}, RESUMING])
def test_a_transaction_that_was_ending_ends_as_it_would_have(settings):
    assert told("idle", resumed("stopping", STOPPED), settings=settings) == ("stopping", [READ_STOP], STOPPED)


@pytest.mark.parametrize("state", ["running", "deauthorized", "recovering"])
def test_an_interrupted_transaction_waits_for_its_vehicle_if_so_declared(state):
    data = replace(OPEN, interruption=Reason.REBOOT)
    assert told("idle", resumed(state, was_powered=True), settings=RESUMING) == ("recovering", [WAIT], data)


CUT = replace(OPEN, interruption=Reason.REBOOT)
GOES_ON = [StopTimer("recovery"), IntentBegan(), TransactionStarted(4, resumed=True)]


def test_with_its_vehicle_it_goes_on():
    assert told("recovering", VehicleConnected(), CUT) == ("running", GOES_ON, CUT)


@pytest.mark.parametrize("state", ["running", "deauthorized"])
def test_power_that_fails_after_a_restart_in_order_is_a_loss_of_power(state):
    """Facts 5.6: what interrupted it before is over."""
    assert told(state, PowerFailing(), CUT) == stops(CUT, Reason.POWER_LOSS)


def test_with_its_vehicle_it_stays_without_energy_or_stops_if_it_was_refused():
    cut = replace(CUT, is_deauthorized=True)
    assert told("recovering", VehicleConnected(), cut, keys=STAYS_AUTHORISED) == (
        "deauthorized",
        GOES_ON,
        cut,
    )
    assert told("recovering", VehicleConnected(), cut) == stops(cut, Reason.DE_AUTHORIZED)


@pytest.mark.parametrize("keys", [{}, STAYS_AUTHORISED])
@pytest.mark.parametrize("is_deauthorized", [False, True])
def test_a_connector_that_went_out_of_service_ends_it(keys, is_deauthorized):
    cut = replace(CUT, is_deauthorized=is_deauthorized)
    assert told("recovering", VehicleConnected(), cut, keys=keys, is_operative=False) == stops(
        cut, Reason.REBOOT
    )


def test_firmware_that_waits_lets_it_go_on():
    known = {"is_operative": False, "is_withheld": True, "is_scheduled": True}
    assert told("recovering", VehicleConnected(), CUT, **known).state == "running"
    assert told("recovering", VehicleConnected(), CUT, **{**known, "is_scheduled": False}).state == "stopping"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (RecoveryTimedOut(), Reason.REBOOT),
        (PowerFailing(), Reason.POWER_LOSS),
        (StopPressed(), Reason.LOCAL),
        (SOFT, Reason.SOFT_RESET),
        (UnlockGranted(), Reason.UNLOCK_COMMAND),
        (GROUND, Reason.OTHER),
    ],
)
def test_while_it_waits_for_its_vehicle_it_may_end(message, reason):
    assert told("recovering", message, CUT) == stops(CUT, reason)
