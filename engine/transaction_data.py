"""The transactionData of a StopTransaction: what was collected, put together when the message is sent."""

from collections.abc import Callable, Sequence

import msgspec

from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import MeterValue, ReadingContext
from machines.vocabulary.posix import utc_of
from machines.vocabulary.transactions import Collected, thinned

EDGES = 2
"""The values of begin and end, which thinning out leaves."""


def transaction_data(
    collected: Sequence[Collected], most: int, size_max: int, resolve: Callable[[Instant], float]
) -> tuple[MeterValue, ...]:
    """What of ``collected`` goes into StopTransaction, in order of time, thinned out evenly to what may.

    Args:
        collected: In any order.
        most: Meter values at most (StopTransactionMaxMeterValues).
        size_max: Bytes at most: a message that fits no frame would never be delivered. If even begin and end do
            not fit, nothing is left.
        resolve: The time of day of an instant, POSIX s.
    """

    def order(one: Collected) -> tuple[int, float]:
        # Begin and end are that, whatever became of the clock in between.
        match one.values[0].context:
            case ReadingContext.TRANSACTION_BEGIN:
                return 0, 0.0
            case ReadingContext.TRANSACTION_END:
                return 2, 0.0
            case _:
                return 1, resolve(one.at)

    ordered = sorted(collected, key=order)
    while True:
        values = tuple(
            MeterValue(timestamp=utc_of(resolve(one.at)), sampled_value=one.values)
            for one in thinned(ordered, most)
        )
        if len(msgspec.json.encode(values)) <= size_max:
            return values
        if most <= EDGES:
            return ()
        most = max(EDGES, min(most, len(values)) // 2)
