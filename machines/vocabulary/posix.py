"""The time of day that POSIX seconds mean."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_of(seconds: float) -> datetime:
    """The time of day ``seconds`` after 1970 began.

    Not ``datetime.fromtimestamp``, which asks the system: where its ``time_t`` has 32 bits, as that of Debian 12 on
    32-bit ARM, it knows no time after January 2038. A Central System may tell a later one long before.
    """
    return EPOCH + timedelta(seconds=seconds)
