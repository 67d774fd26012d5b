"""Every request of the Central System (facts section 6) in every state that a transaction can be in.

A cell of the table is the answer and what comes of it within ten seconds; a cell with the answer alone means that what
goes on goes on, as the line "(nothing)" has it. Written by hand; connector 1 of ``full`` is a socket outlet with a
lock, connector 2 a fixed cable that nobody uses.
"""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import trio

from machines.transaction import Transaction
from machines.vocabulary import ocpp
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    AvailabilityType,
    IdTagInfo,
    MessageTrigger,
    ResetType,
    UpdateType,
)
from machines.vocabulary.settings import Recovery
from tests.lab import Lab

STATES = ("idle", "authorized", "starting", "running", "deauthorized", "recovering", "stopping", "finishing")
"""Those of the transaction machine, and ``finishing``: it is over, the cable is still in."""

REQUESTS = {
    "RemoteStart 1": lambda _: ocpp.RemoteStartTransaction(connector_id=1, id_tag="REMOTE"),
    "RemoteStart": lambda _: ocpp.RemoteStartTransaction(id_tag="REMOTE"),
    "RemoteStart 9": lambda _: ocpp.RemoteStartTransaction(connector_id=9, id_tag="REMOTE"),
    "RemoteStop": lambda lab: ocpp.RemoteStopTransaction(transaction_id=max(lab.csms.ledger, default=1)),
    "RemoteStop other": lambda _: ocpp.RemoteStopTransaction(transaction_id=4711),
    "Reset Soft": lambda _: ocpp.Reset(type=ResetType.SOFT),
    "Reset Hard": lambda _: ocpp.Reset(type=ResetType.HARD),
    "Inoperative 1": lambda _: ocpp.ChangeAvailability(connector_id=1, type=AvailabilityType.INOPERATIVE),
    "Inoperative 0": lambda _: ocpp.ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE),
    "Inoperative 9": lambda _: ocpp.ChangeAvailability(connector_id=9, type=AvailabilityType.INOPERATIVE),
    "Operative 1": lambda _: ocpp.ChangeAvailability(connector_id=1, type=AvailabilityType.OPERATIVE),
    "Operative 0": lambda _: ocpp.ChangeAvailability(connector_id=0, type=AvailabilityType.OPERATIVE),
    "Unlock 1": lambda _: ocpp.UnlockConnector(connector_id=1),
    "Unlock 2": lambda _: ocpp.UnlockConnector(connector_id=2),
    "Unlock 9": lambda _: ocpp.UnlockConnector(connector_id=9),
    "ClearCache": lambda _: ocpp.ClearCache(),
    "Change key": lambda _: ocpp.ChangeConfiguration(key="HeartbeatInterval", value="600"),
    "Change unknown": lambda _: ocpp.ChangeConfiguration(key="Nonsense", value="1"),
    "Change wrong": lambda _: ocpp.ChangeConfiguration(key="MeterValueSampleInterval", value="-1"),
    "Change fixed": lambda _: ocpp.ChangeConfiguration(key="NumberOfConnectors", value="3"),
    "DataTransfer": lambda _: ocpp.DataTransfer(vendor_id="nobody"),
    "Trigger status": lambda _: ocpp.TriggerMessage(
        requested_message=MessageTrigger.STATUS_NOTIFICATION, connector_id=1
    ),
    "Trigger values": lambda _: ocpp.TriggerMessage(
        requested_message=MessageTrigger.METER_VALUES, connector_id=1
    ),
    "Trigger boot": lambda _: ocpp.TriggerMessage(requested_message=MessageTrigger.BOOT_NOTIFICATION),
    "Trigger 9": lambda _: ocpp.TriggerMessage(requested_message=MessageTrigger.METER_VALUES, connector_id=9),
    "Reserve 1": lambda lab: ocpp.ReserveNow(
        connector_id=1, expiry_date=lab.now().replace(year=2030), id_tag="GUEST", reservation_id=1
    ),
    "Cancel": lambda _: ocpp.CancelReservation(reservation_id=1),
    "Get key": lambda _: ocpp.GetConfiguration(key=("NumberOfConnectors",)),
    "List version": lambda _: ocpp.GetLocalListVersion(),
    "Send list": lambda _: ocpp.SendLocalList(list_version=1, update_type=UpdateType.FULL),
}

TABLE = """
                 | idle                 | authorized           | starting                      | running                             | deauthorized                        | recovering                       | stopping                          | finishing
(nothing)        | Available            | Preparing            | starts, Charging              | Charging                            | SuspendedEVSE                       | Preparing                        | stops Local, Finishing            | Finishing
RemoteStart 1    | Accepted: Preparing  | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
RemoteStart      | Accepted: Preparing  | Accepted             | Accepted                      | Accepted                            | Accepted                            | Accepted                         | Accepted                          | Accepted
RemoteStart 9    | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
RemoteStop       | Rejected             | Rejected             | Rejected                      | Accepted: stops Remote, Finishing   | Accepted: stops Remote, Finishing   | Rejected                         | Rejected                          | Rejected
RemoteStop other | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
Reset Soft       | Accepted: restarts   | Accepted: restarts   | Accepted: restarts            | Accepted: stops SoftReset, restarts | Accepted: stops SoftReset, restarts | Accepted: stops SoftReset, restarts | Accepted: stops Local, restarts | Accepted: restarts
Reset Hard       | Accepted: restarts   | Accepted: restarts   | Accepted: restarts            | Accepted: stops HardReset, restarts | Accepted: stops HardReset, restarts | Accepted: stops HardReset, restarts | Accepted: stops Local, restarts | Accepted: restarts
Inoperative 1    | Accepted: Unavailable | Scheduled           | Scheduled                     | Scheduled                           | Scheduled                           | Scheduled                        | Scheduled: stops Local, Finishing | Accepted: Unavailable
Inoperative 0    | Accepted: Unavailable | Scheduled           | Scheduled                     | Scheduled                           | Scheduled                           | Scheduled                        | Scheduled: stops Local, Finishing | Accepted: Unavailable
Inoperative 9    | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
Operative 1      | Accepted             | Accepted             | Accepted                      | Accepted                            | Accepted                            | Accepted                         | Accepted                          | Accepted
Operative 0      | Accepted             | Accepted             | Accepted                      | Accepted                            | Accepted                            | Accepted                         | Accepted                          | Accepted
Unlock 1         | Unlocked             | Unlocked: Available  | Unlocked: Preparing           | Unlocked: stops UnlockCommand, Finishing | Unlocked: stops UnlockCommand, Finishing | Unlocked: stops UnlockCommand, Available | Unlocked                  | Unlocked
Unlock 2         | NotSupported         | NotSupported         | NotSupported                  | NotSupported                        | NotSupported                        | NotSupported                     | NotSupported                      | NotSupported
Unlock 9         | NotSupported         | NotSupported         | NotSupported                  | NotSupported                        | NotSupported                        | NotSupported                     | NotSupported                      | NotSupported
ClearCache       | Accepted             | Accepted             | Accepted                      | Accepted                            | Accepted                            | Accepted                         | Accepted                          | Accepted
Change key       | Accepted             | Accepted             | Accepted                      | Accepted                            | Accepted                            | Accepted                         | Accepted                          | Accepted
Change unknown   | NotSupported         | NotSupported         | NotSupported                  | NotSupported                        | NotSupported                        | NotSupported                     | NotSupported                      | NotSupported
Change wrong     | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
Change fixed     | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
DataTransfer     | UnknownVendorId      | UnknownVendorId      | UnknownVendorId               | UnknownVendorId                     | UnknownVendorId                     | UnknownVendorId                  | UnknownVendorId                   | UnknownVendorId
Trigger status   | Accepted             | Accepted             | Accepted                      | Accepted                            | Accepted                            | Accepted                         | Accepted                          | Accepted
Trigger values   | Accepted: values, Available | Accepted: values, Preparing | Accepted: starts, values, Charging | Accepted: values, Charging | Accepted: values, SuspendedEVSE | Accepted: values, Preparing | Accepted                          | Accepted: values, Finishing
Trigger boot     | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
Trigger 9        | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
Reserve 1        | Accepted: Reserved   | Occupied             | Occupied                      | Occupied                            | Occupied                            | Occupied                         | Occupied                          | Occupied
Cancel           | Rejected             | Rejected             | Rejected                      | Rejected                            | Rejected                            | Rejected                         | Rejected                          | Rejected
Get key          | 2 | 2 | 2 | 2 | 2 | 2 | 2 | 2
List version     | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
Send list        | Accepted | Accepted | Accepted | Accepted | Accepted | Accepted | Accepted | Accepted
"""  # noqa: E501

OF_OTHER_PARTS = {
    "ClearChargingProfile",
    "GetCompositeSchedule",
    "GetDiagnostics",
    "SetChargingProfile",
    "UpdateFirmware",
}
"""Requests of profiles that have tables of their own."""


def cells():
    """Every cell: request, state, answer, outcome."""
    head, nothing, *lines = [
        [cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines()
    ]
    assert tuple(head[1:]) == STATES
    natural = dict(zip(STATES, nothing[1:], strict=True))
    for request, *answers in lines:
        for state, cell in zip(STATES, answers, strict=True):
            answer, _, outcome = cell.partition(": ")
            if state == "idle" and request == "RemoteStart":
                outcome = "Preparing"
            yield pytest.param(request, state, answer, outcome or natural[state], id=f"{request}-{state}")
    for state in STATES:
        yield pytest.param("", state, "", natural[state], id=f"nothing-{state}")


@asynccontextmanager
async def brought_to(lab, state):
    """A powered station whose transaction machine on connector 1 is in ``state``."""
    connector = lab.connector(1)
    if state == "deauthorized":
        lab.declare(stop_transaction_on_invalid_id=False)
        info = IdTagInfo(status=AuthorizationStatus.BLOCKED)
        lab.csms.override(
            "StartTransaction",
            lambda r: ocpp.StartTransactionConf(transaction_id=start(lab, r), id_tag_info=info),
        )
    if state == "recovering":
        lab.recover(Recovery.RESUME)
        lab.limit(vehicle_response_s=60)
        async with lab.powered():
            await lab.charge()
        connector.unplug()
    async with lab.powered():
        if state in {"running", "stopping", "finishing"}:
            await lab.charge()
        elif state == "authorized":
            lab.swipe()
        elif state in {"starting", "deauthorized"}:
            connector.plug_in()
            await lab.until_status("Preparing")
            lab.swipe()
        if state == "stopping":
            connector.meter_silence(True)
        if state in {"stopping", "finishing"}:
            lab.swipe()
        wanted = "idle" if state == "finishing" else state
        while lab.states()["transaction/1"] != wanted or (
            state == "finishing" and lab.states()["connector/1"] != "Finishing"
        ):
            await trio.sleep(0.01)
        yield


def start(lab, request):
    """What the Central System usually does with a StartTransaction."""
    return lab.csms.usual_answer(request).transaction_id


def outcome_of(lab, since, *, is_over):
    """What happened, in the words of the table."""
    words = ["starts"] * len(lab.calls("StartTransaction", since))
    words += [f"stops {stop['reason']}" for stop in lab.calls("StopTransaction", since)]
    contexts = [
        value.get("context")
        for call in lab.calls("MeterValues", since)
        for one in call["meterValue"]
        for value in one["sampledValue"]
    ]
    words += ["values"] if "Trigger" in contexts else []
    return ", ".join([*words, "restarts" if is_over else lab.states()["connector/1"]])


def said(conf):
    """The answer in a word: its status, or the value that was asked for."""
    match conf:
        case ocpp.GetConfigurationConf(configuration_key=(key,)):
            return key.value
        case ocpp.GetLocalListVersionConf(list_version=version):
            return str(version)
    return conf.status


def test_the_table_has_every_state_of_a_transaction():
    assert {*STATES} == {state.value for state in Transaction.states} | {"finishing"}


def test_the_table_has_every_request_of_these_profiles():
    commands = {action.name for action in ocpp.ACTIONS.values() if action.from_central_system}
    lab = SimpleNamespace(csms=SimpleNamespace(ledger={}), now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    assert {type(make(lab)).__name__ for make in REQUESTS.values()} == commands - OF_OTHER_PARTS
    assert {line.partition("|")[0].strip() for line in TABLE.splitlines()[3:]} == set(REQUESTS)


@pytest.mark.parametrize(("request_name", "state", "answer", "outcome"), list(cells()))
async def test_each_request_in_each_state(tmp_path, autojump_clock, request_name, state, answer, outcome):
    lab = Lab(tmp_path, "full")
    async with brought_to(lab, state):
        since = len(lab.csms.transcript)
        if request_name:
            conf = await lab.csms.call(REQUESTS[request_name](lab))
            assert said(conf) == answer
        with trio.move_on_after(10) as wait:
            await lab.running.wait_ended()
        assert outcome_of(lab, since, is_over=not wait.cancelled_caught) == outcome
