"""The messages of a transaction, as they are kept until delivered.

What the Central System assigns (transactionId) and what only it can tell (the time of day, before the clock
was first set) are filled in when a message is sent, by :func:`to_request`. They are never copied in here.
"""

from datetime import UTC, datetime

from msgspec import Struct

from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import (
    MeterValue,
    MeterValues,
    Reason,
    SampledValue,
    StartTransaction,
    StopTransaction,
)

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
    """MeterValues.req with one set of values, less its time stamp."""

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


def to_request(
    message: TransactionMessage, transaction_id: int, utc: float
) -> StartTransaction | MeterValues | StopTransaction:
    """The CALL that delivers ``message``, which happened at ``utc`` (POSIX seconds)."""
    timestamp = datetime.fromtimestamp(utc, UTC)
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
                transaction_id=transaction_id,
                meter_value=(MeterValue(timestamp=timestamp, sampled_value=metered.values),),
            )
        case Ended() as ended:
            return StopTransaction(
                transaction_id=transaction_id,
                id_tag=ended.id_tag,
                meter_stop=ended.meter_stop,
                reason=ended.reason,
                timestamp=timestamp,
            )
