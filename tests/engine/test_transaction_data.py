"""transactionData as it goes with StopTransaction."""

import msgspec
import pytest

from engine.transaction_data import transaction_data
from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import ReadingContext, SampledValue
from machines.vocabulary.transactions import Collected

BEGIN, END = ReadingContext.TRANSACTION_BEGIN, ReadingContext.TRANSACTION_END
SAMPLE, CLOCK = ReadingContext.SAMPLE_PERIODIC, ReadingContext.SAMPLE_CLOCK


def one(context, boot, seconds):
    return Collected(Instant(boot, seconds), (SampledValue(value="1", context=context),))


def resolve(instant):
    """Runs begin a thousand seconds apart."""
    return 1000.0 * instant.boot + instant.seconds


EVERYTHING = [one(SAMPLE, 1, float(n)) for n in range(10, 110, 10)]
EVERYTHING += [one(CLOCK, 2, 5.0), one(END, 2, 9.0), one(BEGIN, 1, 0.0)]


def seconds(values):
    return [value.timestamp.timestamp() for value in values]


def test_it_is_in_order_of_time_over_several_runs_of_the_station():
    values = transaction_data(EVERYTHING, 100, 100_000, resolve)

    assert seconds(values) == [1000.0, *(1000.0 + n for n in range(10, 110, 10)), 2005.0, 2009.0]


def test_begin_and_end_are_that_even_if_the_clock_was_set_back():
    values = transaction_data(
        [one(END, 1, 0.0), one(SAMPLE, 1, 5.0), one(BEGIN, 1, 9.0)], 9, 100_000, resolve
    )

    assert [value.sampled_value[0].context for value in values] == [BEGIN, SAMPLE, END]


def test_of_nothing_it_is_nothing():
    assert transaction_data([], 10, 100_000, resolve) == ()


@pytest.mark.parametrize("most", [2, 3, 7, 13])
def test_there_are_no_more_than_may_be(most):
    values = transaction_data(EVERYTHING, most, 100_000, resolve)

    assert len(values) == most
    assert seconds(values)[0] == 1000.0
    assert seconds(values)[-1] == 2009.0


@pytest.mark.parametrize("size_max", [300, 500, 900])
def test_it_is_never_larger_than_a_frame_holds(size_max):
    """What fits no frame would never be delivered, and nothing after it either."""
    values = transaction_data(EVERYTHING, 100, size_max, resolve)

    assert len(msgspec.json.encode(values)) <= size_max
    assert seconds(values)[0] == 1000.0
    assert seconds(values)[-1] == 2009.0


def test_if_not_even_begin_and_end_fit_there_is_none():
    assert transaction_data(EVERYTHING, 100, 50, resolve) == ()
