"""The time of day of POSIX seconds, for every time that a Central System may tell."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from machines.vocabulary.posix import utc_of


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC)))
def test_a_time_of_day_and_its_seconds_are_one(moment):
    assert abs(utc_of(moment.timestamp()) - moment).total_seconds() < 1e-4
    assert utc_of(int(moment.timestamp())) == moment.replace(microsecond=0)


def test_seconds_after_those_of_32_bits_are_a_time_of_day():
    assert utc_of(2**31) == datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
    assert utc_of(2**32) == datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC)
