"""The messages of a transaction, as they are kept until delivered.

What the Central System assigns (transactionId) and what only it can tell (the time of day, before the clock
was first set) are filled in when a message is sent, by :func:`to_request`. They are never copied in here.
"""

from collections.abc import Sequence

from msgspec import Struct

from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import (
    MeterValue,
    MeterValues,
    ReadingContext,
    Reason,
    SampledValue,
    StartTransaction,
    StopTransaction,
)
from machines.vocabulary.posix import utc_of

UNSETTLED = -1
"""transactionId of messages whose StartTransaction was given up (errata v4 to 3.7)."""


class Began(Struct, frozen=True, tag="began"):
    """StartTransaction.req, less its time stamp."""

    connector_id: int
    id_tag: str
    meter_start: int
    """Wh, as the register read."""
    reservation_id: int | None = None


class Metered(Struct, frozen=True, tag="metered"):
    """MeterValues.req with one set of values, less its time stamp. Of no transaction if its local id is 0."""

    connector_id: int
    values: tuple[SampledValue, ...]


class Ended(Struct, frozen=True, tag="ended"):
    """StopTransaction.req, less its time stamp."""

    meter_stop: int
    """Wh, as the register read; never below the start."""
    reason: Reason
    id_tag: str | None = None


Body = Began | Metered | Ended


class TransactionMessage(Struct, frozen=True):
    """A message in the queue."""

    number: int
    """Position in the queue, ascending over the life of the station."""
    local_id: int
    """The transaction it belongs to."""
    at: Instant
    body: Body


class Collected(Struct, frozen=True):
    """A set of values of one context, collected for StopTransaction."""

    at: Instant
    values: tuple[SampledValue, ...]

    @property
    def is_edge(self) -> bool:
        """Whether it was taken at the begin or the end of the transaction."""
        return self.values[0].context in {ReadingContext.TRANSACTION_BEGIN, ReadingContext.TRANSACTION_END}


def thinned(collected: Sequence[Collected], most: int) -> tuple[Collected, ...]:
    """``collected`` without as many as are more than ``most``, evenly; those of begin and end always stay.

    Each context loses its share, so that of two grids neither hides the other.
    """
    kept = {index for index, one in enumerate(collected) if one.is_edge}
    contexts: dict[ReadingContext | None, list[int]] = {}
    for index, one in enumerate(collected):
        if index not in kept:
            contexts.setdefault(one.values[0].context, []).append(index)
    room, between = max(0, most - len(kept)), len(collected) - len(kept)
    for series in contexts.values():
        share = min(len(series), -(-room * len(series) // between))
        kept.update(series[place * len(series) // share] for place in range(share))
        room, between = room - share, between - len(series)
    return tuple(one for index, one in enumerate(collected) if index in kept)


def to_request(
    message: TransactionMessage,
    transaction_id: int,
    utc: float,
    transaction_data: tuple[MeterValue, ...] = (),
) -> StartTransaction | MeterValues | StopTransaction:
    """The CALL that delivers ``message``, which happened at ``utc`` (POSIX seconds)."""
    timestamp = utc_of(utc)
    match message.body:
        case Began() as began:
            return StartTransaction(
                connector_id=began.connector_id,
                id_tag=began.id_tag,
                meter_start=began.meter_start,
                reservation_id=began.reservation_id,
                timestamp=timestamp,
            )
        case Metered() as metered:
            return MeterValues(
                connector_id=metered.connector_id,
                transaction_id=transaction_id if message.local_id else None,
                meter_value=(MeterValue(timestamp=timestamp, sampled_value=metered.values),),
            )
        case Ended() as ended:
            return StopTransaction(
                transaction_id=transaction_id,
                id_tag=ended.id_tag,
                meter_stop=ended.meter_stop,
                reason=ended.reason,
                timestamp=timestamp,
                transaction_data=transaction_data or None,
            )
