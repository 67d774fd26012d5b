"""Meter values on demand by themselves: 5.17, 3.16."""

import pytest

from machines.machine import NoData
from machines.triggered_values import TRIGGER_TICKET, UNTIL_SENT, TriggeredValues
from machines.vocabulary.effects import Call, ReadMeter
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, MeterReading
from machines.vocabulary.notices import MeterValuesTriggered
from machines.vocabulary.ocpp import MeterValues, ReadingContext
from tests.machines import alone
from tests.machines.alone import NOW, quiet, some, unmoved

NOTHING = NoData()
REGISTER = {"meter_values_sampled_data": ("Energy.Active.Import.Register",)}
MINE, ANOTHER = (MeterRead(ticket, MeterReading(energy_import_wh=120)) for ticket in (TRIGGER_TICKET, 1))
READ = [ReadMeter(1, TRIGGER_TICKET)]


def told(state, message, keys=REGISTER, **known):
    return alone.told(TriggeredValues, state, NOTHING, message, keys=keys, **known)


MATTERS = {"idle": {MeterValuesTriggered}, "reading": {MeterRead, MeterReadFailed}}


@pytest.mark.parametrize(("state", "message"), quiet(TriggeredValues, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    """Another request while the meter is being read is among it."""
    assert told(state, some(message)) == unmoved(state, NOTHING)


@pytest.mark.parametrize("connector", [1, None])
def test_the_meter_is_read_for_the_purpose(connector):
    assert told("idle", MeterValuesTriggered(connector)) == ("reading", READ, NOTHING)


def test_the_values_of_another_connector_are_its_own_affair():
    assert told("idle", MeterValuesTriggered(2)) == unmoved("idle", NOTHING)


@pytest.mark.parametrize("known", [{}, {"is_accepted": False, "is_pending": True}])
def test_what_was_read_is_told_with_its_context_and_its_transaction(known):
    state, (call,), _ = told("reading", MINE, transaction_id=77, **known)
    assert state == "idle"
    assert isinstance(call, Call)
    assert call.at == NOW
    assert isinstance(call.request, MeterValues)
    assert (call.request.connector_id, call.request.transaction_id) == (1, 77)
    ((value,),) = (each.sampled_value for each in call.request.meter_value)
    assert (value.value, value.context) == ("120", ReadingContext.TRIGGER)
    assert call.request.meter_value[0].timestamp == UNTIL_SENT


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"meter_values_sampled_data": ("Temperature",)}, {}),
        (REGISTER, {"is_open": False}),
        (REGISTER, {"is_accepted": False}),
    ],
)
def test_nothing_is_told_where_there_is_nothing_or_nobody(keys, known):
    assert told("reading", MINE, keys, **known) == unmoved("idle", NOTHING)


def test_a_silent_meter_ends_it():
    assert told("reading", MeterReadFailed(TRIGGER_TICKET)) == unmoved("idle", NOTHING)


@pytest.mark.parametrize("message", [ANOTHER, MeterReadFailed(1)])
def test_the_readings_of_others_do_not_count(message):
    assert told("reading", message) == unmoved("reading", NOTHING)
