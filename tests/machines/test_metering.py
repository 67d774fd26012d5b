"""Sampled and clock-aligned metering by themselves: what is read when, and what is made of it."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.station_file import load
from machines.clock_aligned import (
    CLOCK_TICKET,
    LOOK_S,
    ClockAligned,
    ClockAlignedData,
    GridDue,
    point_after,
    point_at,
)
from machines.facts import Facts
from machines.metering import SAMPLE_TICKET, Metering, MeteringData, SampleDue
from machines.resumed import Resumed
from machines.transaction import START_TICKET, STOP_TICKET
from machines.vocabulary.effects import Collect, Instant, ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, MeterReading
from machines.vocabulary.notices import (
    KeyChanged,
    RegistrationAccepted,
    TransactionEnded,
    TransactionMessageQueued,
    TransactionStarted,
)
from machines.vocabulary.ocpp import ReadingContext, SampledValue
from machines.vocabulary.transactions import Collected, thinned

FULL = load("full")
REGISTER, INTERVAL = "Energy.Active.Import.Register", "Energy.Active.Import.Interval"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


def facts(utc=None, local_id=0, sends=("MeterValues",), **keys):
    settings = replace(FULL.settings, sends=frozenset(sends))
    return Facts(
        now=Instant(1, 5.0, utc),
        settings=settings,
        keys=replace(FULL.defaults, **keys),
        key_set=FULL.keys,
        number=1,
        is_open=True,
        is_accepted=True,
        was_accepted=True,
        connector=settings.connectors[0],
        local_id=local_id,
    )


def read(ticket, wh):
    return MeterRead(ticket, MeterReading(energy_import_wh=wh))


def of(emitted, kind):
    return [one for one in emitted if isinstance(one, kind)]


def shown(values):
    return [(value.context.value, value.value) for value in values]


# Sampled


def sampling(**keys):
    """A machine that samples transaction 7, begun at 100 Wh, and its facts."""
    known = facts(**keys)
    machine = Metering(MeteringData())
    machine.handle(read(START_TICKET, 100), known)
    begun = machine.handle(TransactionStarted(7), known)
    return machine, known, begun


def test_sampling_lasts_from_the_start_to_the_end():
    machine, known, begun = sampling(meter_value_sample_interval=30)
    assert of(begun, StartTimer) == [StartTimer("sample", 30, SampleDue(), every_s=30)]
    assert machine.handle(SampleDue(), known) == [ReadMeter(1, SAMPLE_TICKET)]

    assert of(machine.handle(TransactionEnded(7), known), StopTimer) == [StopTimer("sample")]
    assert machine.state == "silent"


def test_without_an_interval_nothing_is_sampled():
    _, _, begun = sampling(meter_value_sample_interval=0)

    assert not of(begun, StartTimer)


def test_a_sample_is_reported_with_its_transaction():
    machine, known, _ = sampling(meter_values_sampled_data=(REGISTER,))
    (queued,) = machine.handle(read(SAMPLE_TICKET, 150), known)

    assert isinstance(queued, TransactionMessageQueued)
    assert queued.local_id == 7
    assert shown(queued.body.values) == [("Sample.Periodic", "150")]


def test_a_sample_of_which_nothing_is_measurable_is_not_reported():
    machine, known, _ = sampling(meter_values_sampled_data=("Temperature",))

    assert machine.handle(read(SAMPLE_TICKET, 150), known) == []


def test_without_the_message_nothing_is_reported_but_collected_all_the_same():
    machine, known, _ = sampling(sends=("StopTransaction",), stop_txn_sampled_data=(REGISTER,))
    (collect,) = machine.handle(read(SAMPLE_TICKET, 150), known)

    assert isinstance(collect, Collect)


def test_begin_samples_and_end_are_collected():
    machine, known, begun = sampling(stop_txn_sampled_data=(REGISTER,))
    emitted = [*begun, *machine.handle(read(SAMPLE_TICKET, 150), known)]
    machine.handle(read(STOP_TICKET, 180), known)
    emitted += machine.handle(TransactionEnded(7), known)
    collects = of(emitted, Collect)

    assert [collect.local_id for collect in collects] == [7, 7, 7]
    assert [shown(collect.values) for collect in collects] == [
        [("Transaction.Begin", "100")],
        [("Sample.Periodic", "150")],
        [("Transaction.End", "180")],
    ]


def test_begin_and_end_have_what_either_list_names():
    """Facts 5.7: values of every configured measurand."""
    machine, known, begun = sampling(stop_txn_aligned_data=(REGISTER,), stop_txn_sampled_data=())
    assert shown(of(begun, Collect)[0].values) == [("Transaction.Begin", "100")]

    assert not of(machine.handle(read(SAMPLE_TICKET, 150), known), Collect)


def test_nothing_is_collected_while_both_lists_are_empty():
    machine, known, begun = sampling(stop_txn_aligned_data=(), stop_txn_sampled_data=())
    machine.handle(read(SAMPLE_TICKET, 150), known)
    machine.handle(read(STOP_TICKET, 180), known)

    assert not of([*begun, *machine.handle(TransactionEnded(7), known)], Collect)


def test_a_meter_that_is_silent_at_the_end_gives_no_end_value():
    machine, known, _ = sampling(stop_txn_sampled_data=(REGISTER,))
    machine.handle(MeterReadFailed(STOP_TICKET), known)

    assert not of(machine.handle(TransactionEnded(7), known), Collect)


def test_an_end_after_a_restart_is_collected():
    """5.8: the machine was told of no start in this run."""
    machine, known = Metering(MeteringData()), facts(stop_txn_sampled_data=(REGISTER,))
    machine.handle(read(STOP_TICKET, 180), known)
    (collect,) = of(machine.handle(TransactionEnded(7), known), Collect)

    assert collect.local_id == 7
    assert shown(collect.values) == [("Transaction.End", "180")]


def test_a_transaction_that_goes_on_has_no_second_begin():
    machine, known = Metering(MeteringData()), facts(stop_txn_sampled_data=(REGISTER,))
    emitted = machine.handle(TransactionStarted(7, resumed=True), known)

    assert not of(emitted, Collect)
    assert of(emitted, StartTimer)


def test_energy_per_interval_is_counted_from_the_sample_before_and_from_the_begin():
    machine, known, _ = sampling(meter_values_sampled_data=(INTERVAL,))
    first = machine.handle(read(SAMPLE_TICKET, 150), known)
    machine.handle(read(START_TICKET, 160), known)
    second = machine.handle(read(SAMPLE_TICKET, 175), known)

    assert [shown(one.body.values)[0][1] for one in (*first, *second)] == ["50", "25"]


def test_energy_per_interval_goes_on_over_a_restart():
    machine, known, _ = sampling(meter_values_sampled_data=(INTERVAL,))
    machine.handle(read(SAMPLE_TICKET, 150), known)
    after = Metering(MeteringData())
    after.handle(Resumed("sampling", machine.remember()), known)
    after.handle(TransactionStarted(7, resumed=True), known)
    (queued,) = after.handle(read(SAMPLE_TICKET, 190), known)

    assert shown(queued.body.values)[0][1] == "40"


def test_a_sample_changes_nothing_that_is_kept_if_no_interval_is_configured():
    """One write less for every sample."""
    machine, known, _ = sampling()
    before = machine.remember()
    machine.handle(read(SAMPLE_TICKET, 150), known)

    assert machine.remember() == before


def test_a_new_sample_interval_counts_at_once():
    machine, _, _ = sampling(meter_value_sample_interval=30)
    changed = KeyChanged("meter_value_sample_interval")
    (timer,) = machine.handle(changed, facts(meter_value_sample_interval=7))

    assert (timer.after_s, timer.every_s) == (7, 7)
    assert machine.handle(changed, facts(meter_value_sample_interval=0)) == [StopTimer("sample")]


# Clock-aligned


def aligned(utc, **keys):
    """A machine that waits, and its facts."""
    machine = ClockAligned(ClockAlignedData()).restore(("waiting", ClockAlignedData(next=NOON)))
    return machine, facts(utc, **{"clock_aligned_data_interval": 900, **keys})


def test_the_clock_is_looked_at_right_after_registration():
    """The same message sets it: before that there is no grid."""
    machine = ClockAligned(ClockAlignedData())

    assert machine.handle(RegistrationAccepted(60), facts()) == [StartTimer("grid", 0, GridDue())]
    assert machine.state == "waiting"


def test_without_the_time_of_day_nothing_is_read():
    machine, known = aligned(None)

    assert machine.handle(GridDue(), known) == [StopTimer("grid")]


@pytest.mark.parametrize(
    ("after_noon_s", "wait_s"), [(1.0, 899.0), (899.0, 1.0), (11.0, 889.0), (899.995, 900.005)]
)
def test_the_next_point_is_reckoned_from_the_time_of_day(after_noon_s, wait_s):
    machine, known = aligned(NOON + after_noon_s)
    timers = of(machine.handle(GridDue(), known), StartTimer)

    assert [timer.after_s for timer in timers] == [pytest.approx(wait_s)]


@pytest.mark.parametrize("late_s", [0.0, -0.005, 9.0])
def test_at_a_point_the_meter_is_read(late_s):
    machine, known = aligned(NOON + late_s)

    assert of(machine.handle(GridDue(), known), ReadMeter) == [ReadMeter(1, CLOCK_TICKET)]
    assert machine.state == "reading"


@pytest.mark.parametrize("late_s", [11.0, -0.5, 450.0])
def test_beside_a_point_the_meter_is_not_read(late_s):
    """The clock was set in between."""
    machine, known = aligned(NOON + late_s)

    assert not of(machine.handle(GridDue(), known), ReadMeter)


def test_a_clock_that_is_set_back_a_little_gives_no_point_twice():
    machine, known = aligned(NOON)
    machine.handle(GridDue(), known)
    machine.handle(read(CLOCK_TICKET, 5), known)
    set_back = replace(known, now=Instant(1, 6.0, NOON - 3))
    (timer,) = machine.handle(GridDue(), set_back)

    assert timer.after_s == 903
    assert not of(machine.handle(GridDue(), known), ReadMeter)


def test_a_point_that_passed_before_anyone_waited_for_it_is_left_out():
    """The station booted a moment after it."""
    machine = ClockAligned(ClockAlignedData())
    known = facts(NOON + 2, clock_aligned_data_interval=900)
    machine.handle(RegistrationAccepted(60), known)

    assert not of(machine.handle(GridDue(), known), ReadMeter)


def test_the_clock_is_looked_at_every_hour_at_least():
    machine, known = aligned(NOON, clock_aligned_data_interval=86_400)
    (timer,) = machine.handle(GridDue(), known)

    assert timer.after_s == LOOK_S


def test_a_value_is_stamped_with_its_point():
    """Decision M5."""
    machine, known = aligned(NOON + 0.3)
    machine.handle(GridDue(), known)
    (queued,) = machine.handle(read(CLOCK_TICKET, 5), replace(known, now=Instant(1, 7.0, NOON + 1.9)))

    assert queued.at.utc == NOON
    assert queued.local_id == 0
    assert shown(queued.body.values) == [("Sample.Clock", "5")]


def test_a_value_in_a_transaction_belongs_to_it():
    machine, known = aligned(NOON, local_id=7, stop_txn_aligned_data=(REGISTER,))
    machine.handle(GridDue(), known)
    queued, collect = machine.handle(read(CLOCK_TICKET, 5), known)

    assert (queued.local_id, collect.local_id) == (7, 7)
    assert collect.at == queued.at
    assert shown(collect.values) == [("Sample.Clock", "5")]


def test_nothing_is_collected_without_a_transaction():
    machine, known = aligned(NOON, stop_txn_aligned_data=(REGISTER,))
    machine.handle(GridDue(), known)

    assert not of(machine.handle(read(CLOCK_TICKET, 5), known), Collect)


def test_an_empty_list_of_aligned_data_reports_nothing():
    """Decision M3: unlike the sampled one."""
    machine, known = aligned(NOON, meter_values_aligned_data=())
    machine.handle(GridDue(), known)

    assert machine.handle(read(CLOCK_TICKET, 5), known) == []


def test_aligned_values_without_the_message_are_not_reported():
    machine, known = aligned(NOON, sends=("StopTransaction",))
    machine.handle(GridDue(), known)

    assert machine.handle(read(CLOCK_TICKET, 5), known) == []


def test_a_silent_meter_leaves_a_point_out():
    machine, known = aligned(NOON)
    machine.handle(GridDue(), known)

    assert machine.handle(MeterReadFailed(CLOCK_TICKET), known) == []
    assert machine.state == "waiting"


def test_a_point_that_comes_while_the_meter_is_being_read_is_left_out():
    machine, known = aligned(NOON, clock_aligned_data_interval=1)
    machine.handle(GridDue(), known)
    later = replace(known, now=Instant(1, 6.0, NOON + 1))

    assert not of(machine.handle(GridDue(), later), ReadMeter)


def test_energy_per_interval_is_counted_from_point_to_point_and_over_a_restart():
    machine, known = aligned(NOON, meter_values_aligned_data=(INTERVAL,))
    machine.handle(GridDue(), known)
    assert machine.handle(read(CLOCK_TICKET, 100), known) == []
    after = ClockAligned(ClockAlignedData())
    after.handle(Resumed("waiting", machine.remember()), known)
    after.handle(RegistrationAccepted(60), known)
    after.handle(GridDue(), known)
    later = replace(known, now=Instant(2, 6.0, NOON + 900))
    after.handle(GridDue(), later)
    (queued,) = after.handle(read(CLOCK_TICKET, 130), later)

    assert shown(queued.body.values)[0][1] == "30"


def test_the_grid_begins_anew_at_midnight():
    """7 h does not divide a day: 0, 7, 14, 21, and 0 again."""
    seven, midnight = 7 * 3600, NOON - 12 * 3600

    assert point_at(NOON, seven) == midnight + seven
    assert point_after(midnight + 3 * seven, seven) == midnight + 86_400


@given(st.integers(0, 4_000_000_000), st.integers(1, 86_400))
def test_a_point_is_on_the_grid_and_the_next_one_follows(utc, interval_s):
    point = point_at(float(utc), interval_s)

    assert point % 86_400 % interval_s == 0
    assert point <= utc < point_after(point, interval_s)
    assert point_at(point_after(point, interval_s), interval_s) == point_after(point, interval_s)


# What is collected is thinned out


def collected(*contexts):
    return [
        Collected(Instant(1, float(index)), (SampledValue(value="1", context=context),))
        for index, context in enumerate(contexts)
    ]


BEGIN, END = ReadingContext.TRANSACTION_BEGIN, ReadingContext.TRANSACTION_END
SAMPLE, CLOCK = ReadingContext.SAMPLE_PERIODIC, ReadingContext.SAMPLE_CLOCK


@given(st.lists(st.sampled_from([SAMPLE, CLOCK])), st.integers(2, 20))
def test_thinning_keeps_begin_and_end_the_order_and_the_bound(between, most):
    everything = collected(BEGIN, *between, END)
    kept = thinned(everything, most)

    assert len(kept) == min(most, len(everything))
    assert kept[0] == everything[0]
    assert kept[-1] == everything[-1]
    assert list(kept) == [one for one in everything if one in kept]


@given(st.integers(1, 300), st.integers(3, 60))
def test_thinning_is_even(count, most):
    """Neighbours are as far apart as others, give or take one."""
    everything = collected(BEGIN, *[SAMPLE] * count, END)
    places = [int(one.at.seconds) for one in thinned(everything, most)[1:-1]]
    gaps = {after - before for before, after in itertools.pairwise(places)}

    assert not gaps or max(gaps) - min(gaps) <= 1


def test_thinning_leaves_each_kind_its_share():
    """Values that alternate do not hide each other."""
    kept = thinned(collected(BEGIN, *[SAMPLE, CLOCK] * 50, END), 22)

    assert [one.values[0].context for one in kept].count(CLOCK) == 10
