"""Sampled and clock-aligned metering by themselves, row by row; what is made of a reading is in test_metering.py."""

import pytest

from machines.clock_aligned import CLOCK_TICKET, GRID, LOOK_S, ClockAligned, ClockAlignedData, GridDue
from machines.metering import SAMPLE, SAMPLE_TICKET, Metering, MeteringData, SampleDue
from machines.transaction import START_TICKET, STOP_TICKET
from machines.vocabulary.effects import Instant, ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, MeterReading
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted, TransactionEnded, TransactionStarted
from tests.machines import alone
from tests.machines.alone import NOW, unmoved

READING = MeterReading(energy_import_wh=100)
PLAIN = {
    "meter_value_sample_interval": 30,
    "clock_aligned_data_interval": 900,
    "meter_values_aligned_data": (),
    "stop_txn_sampled_data": (),
    "stop_txn_aligned_data": (),
}
"""Nothing is configured but the intervals."""
OTHER_KEY = KeyChanged("connection_time_out")


def read(ticket):
    return MeterRead(ticket, MeterReading(energy_import_wh=150))


# Sampled

RUNS = MeteringData(4, edge=READING, previous=READING)
SAMPLES = [StartTimer(SAMPLE, 30, SampleDue(), every_s=30)]
NO_SAMPLES = [StopTimer(SAMPLE)]


def sampled(state, message, data=RUNS, interval_s=30):
    return alone.told(
        Metering, state, data, message, keys=PLAIN | {"meter_value_sample_interval": interval_s}
    )


@pytest.mark.parametrize(("interval_s", "timers"), [(30, SAMPLES), (0, NO_SAMPLES)])
def test_a_transaction_is_sampled_from_its_start_or_goes_on_being_sampled(interval_s, timers):
    begun = sampled("silent", TransactionStarted(5), interval_s=interval_s)
    assert begun == ("sampling", timers, MeteringData(5))
    resumed = sampled("silent", TransactionStarted(5, resumed=True), interval_s=interval_s)
    assert resumed == ("sampling", timers, MeteringData(5, previous=READING))


@pytest.mark.parametrize("state", ["silent", "sampling"])
def test_with_the_transaction_everything_ends(state):
    assert sampled(state, TransactionEnded(4)) == ("silent", NO_SAMPLES, MeteringData())


@pytest.mark.parametrize("state", ["silent", "sampling"])
@pytest.mark.parametrize("ticket", [START_TICKET, STOP_TICKET])
def test_what_the_transaction_was_billed_by_is_noted(state, ticket):
    noted = MeteringData(4, edge=read(ticket).reading, previous=READING)
    assert sampled(state, read(ticket)) == unmoved(state, noted)


@pytest.mark.parametrize("state", ["silent", "sampling"])
@pytest.mark.parametrize("message", [read(CLOCK_TICKET), MeterReadFailed(SAMPLE_TICKET), OTHER_KEY])
def test_what_is_no_sample_changes_nothing(state, message):
    assert sampled(state, message) == unmoved(state, RUNS)


def test_the_meter_is_read_when_a_sample_is_due():
    assert sampled("sampling", SampleDue()) == ("sampling", [ReadMeter(1, SAMPLE_TICKET)], RUNS)


@pytest.mark.parametrize(("interval_s", "timers"), [(30, SAMPLES), (0, NO_SAMPLES)])
def test_a_new_interval_holds_at_once(interval_s, timers):
    changed = KeyChanged("meter_value_sample_interval")
    assert sampled("sampling", changed, interval_s=interval_s) == ("sampling", timers, RUNS)
    assert sampled("silent", changed, interval_s=interval_s) == unmoved("silent", RUNS)


# Clock-aligned

NOON = NOW.utc
AT_NOON = ClockAlignedData(NOON - 900, NOON)
DONE = ClockAlignedData(NOON, NOON + 900)
NEXT = StartTimer(GRID, 900.0, GridDue())
INTERVAL = KeyChanged("clock_aligned_data_interval")


def aligned(state, message, data=AT_NOON, interval_s=900, now=NOW):
    keys = PLAIN | {"clock_aligned_data_interval": interval_s}
    return alone.told(ClockAligned, state, data, message, keys=keys, now=now)


def test_the_clock_is_looked_at_when_it_may_be_known():
    assert aligned("silent", RegistrationAccepted(60)) == (
        "waiting",
        [StartTimer(GRID, 0, GridDue())],
        AT_NOON,
    )


def test_at_a_point_of_the_grid_the_meter_is_read():
    assert aligned("waiting", GridDue()) == ("reading", [ReadMeter(1, CLOCK_TICKET), NEXT], DONE)


@pytest.mark.parametrize("state", ["waiting", "reading"])
@pytest.mark.parametrize(("interval_s", "now"), [(0, NOW), (900, Instant(1, 50.0))])
def test_without_an_interval_or_a_clock_nothing_is_waited_for(state, interval_s, now):
    for message in (GridDue(), INTERVAL):
        assert aligned(state, message, interval_s=interval_s, now=now) == (state, [StopTimer(GRID)], AT_NOON)


@pytest.mark.parametrize("state", ["waiting", "reading"])
def test_a_new_interval_of_the_grid_holds_at_once(state):
    assert aligned(state, INTERVAL, DONE) == (state, [NEXT], DONE)
    hourly = ClockAlignedData(NOON, NOON + 7200)
    assert aligned(state, INTERVAL, DONE, 7200) == (state, [StartTimer(GRID, LOOK_S, GridDue())], hourly)


def test_a_point_that_comes_while_the_meter_is_read_is_left_out():
    assert aligned("reading", GridDue()) == ("reading", [NEXT], ClockAlignedData(NOON - 900, NOON + 900))


def test_a_reading_of_the_grid_ends_the_wait_for_it():
    assert aligned("reading", read(CLOCK_TICKET), DONE) == unmoved("waiting", DONE)
    assert aligned("reading", MeterReadFailed(CLOCK_TICKET), DONE) == unmoved("waiting", DONE)


@pytest.mark.parametrize("state", ["silent", "waiting", "reading"])
@pytest.mark.parametrize("message", [read(SAMPLE_TICKET), MeterReadFailed(SAMPLE_TICKET), OTHER_KEY])
def test_what_is_of_no_point_changes_nothing(state, message):
    assert aligned(state, message) == unmoved(state, AT_NOON)


@pytest.mark.parametrize("message", [read(CLOCK_TICKET), MeterReadFailed(CLOCK_TICKET)])
def test_a_reading_that_nobody_waits_for_changes_nothing(message):
    for state in ("silent", "waiting"):
        assert aligned(state, message) == unmoved(state, AT_NOON)
