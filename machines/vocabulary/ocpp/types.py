"""What the payloads of OCPP 1.6 are made of: base classes, constrained types, structs shared by several.

A field that is optional in the specification is None when absent, and is not sent. Timestamps are aware, in
UTC and whole milliseconds, however they were written: :class:`Stamped` sees to it.
"""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from machines.vocabulary.ocpp.enums import (
    AuthorizationStatus,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    Location,
    Measurand,
    Phase,
    ReadingContext,
    RecurrencyKindType,
    UnitOfMeasure,
    ValueFormat,
)

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""An integer that the store can hold."""
Seconds = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""A duration that can be added to a time of day."""
ConnectorId = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""A connector, counted from 1."""
ConnectorIdOrZero = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""A connector, or 0 for the charge point as a whole."""
IdToken = Annotated[str, Meta(max_length=20)]
"""What identifies a user. Compared without regard to case."""
String20 = Annotated[str, Meta(max_length=20)]
String25 = Annotated[str, Meta(max_length=25)]
String50 = Annotated[str, Meta(max_length=50)]
String255 = Annotated[str, Meta(max_length=255)]
String500 = Annotated[str, Meta(max_length=500)]


class Payload(
    Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """A JSON object of OCPP 1.6. Unknown fields are refused, absent optional ones are None and not encoded."""


class Request(Payload, frozen=True, kw_only=True):
    """The payload of a CALL. The class is named as its action."""


class Conf(Payload, frozen=True, kw_only=True):
    """The payload of a CALLRESULT. The class is named as its action, and ``Conf``."""


class Stamped(Payload, frozen=True, kw_only=True):
    """A payload with timestamps, which it keeps in UTC and cut to milliseconds. One without zone is UTC."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                force_setattr(self, name, _in_utc(value))


def _in_utc(timestamp: datetime) -> datetime:
    """``timestamp`` in UTC and whole milliseconds; at the ends of the calendar, the nearest that exists."""
    if timestamp.tzinfo is None:
        timestamp = timestamp.replace(tzinfo=UTC)
    try:
        timestamp = timestamp.astimezone(UTC)
    except OverflowError:
        nearest = datetime.min if timestamp.year == 1 else datetime.max
        timestamp = nearest.replace(tzinfo=UTC)
    return timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000)


def _require_zone(name: str, value: datetime | None) -> None:
    """Refuse a time without a zone: a limit that holds an hour too late is worse than none (decision SC16).

    Raises:
        ValueError: There is no zone.
    """
    if value is not None and value.tzinfo is None:
        raise ValueError(f"Expected a time with a zone in `{name}`")


def _require_one_decimal(name: str, value: float | None) -> None:
    """Refuse a rate with more than one decimal.

    Written out because a binary float is almost never a multiple of 0.1, so ``Meta(multiple_of=0.1)`` refuses
    even 16.0.

    Raises:
        ValueError: There are more decimals.
    """
    if value is not None and value != round(value, 1):
        raise ValueError(f"Expected at most one decimal in `{name}`")


class Grouped(Stamped, frozen=True, kw_only=True):
    """A payload with a parentIdTag. An empty one is none: else all who have none would be one group (decision AU4)."""

    parent_id_tag: IdToken | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.parent_id_tag == "":
            force_setattr(self, "parent_id_tag", None)


class IdTagInfo(Grouped, frozen=True, kw_only=True):
    """What the Central System knows of an idTag."""

    status: AuthorizationStatus
    expiry_date: datetime | None = None


class AuthorizationData(Payload, frozen=True, kw_only=True):
    """One entry of the local authorization list. In a differential update, no info means: remove it."""

    id_tag: IdToken
    id_tag_info: IdTagInfo | None = None


class KeyValue(Payload, frozen=True, kw_only=True):
    """A configuration key as GetConfiguration.conf shows it."""

    key: String50
    readonly: bool
    value: String500 | None = None


class SampledValue(Payload, frozen=True, kw_only=True):
    """One value of a meter. Absent: Sample.Periodic, Raw, Energy.Active.Import.Register, all phases, Outlet, Wh."""

    value: str
    context: ReadingContext | None = None
    format: ValueFormat | None = None
    measurand: Measurand | None = None
    phase: Phase | None = None
    location: Location | None = None
    unit: UnitOfMeasure | None = None


class MeterValue(Stamped, frozen=True, kw_only=True):
    """Values taken at one instant."""

    timestamp: datetime
    sampled_value: Annotated[tuple[SampledValue, ...], Meta(min_length=1)]


class ChargingSchedulePeriod(Payload, frozen=True, kw_only=True):
    """A limit from ``start_period`` seconds after the start of the schedule until the next period."""

    start_period: Seconds
    limit: float
    """In the unit of the schedule, at most one decimal."""
    number_phases: Integer | None = None

    def __post_init__(self) -> None:
        _require_one_decimal("limit", self.limit)


class ChargingSchedule(Stamped, frozen=True, kw_only=True):
    """Limits over time."""

    charging_rate_unit: ChargingRateUnitType
    charging_schedule_period: tuple[ChargingSchedulePeriod, ...]
    """One or more; a profile without any is Rejected, not refused as a payload (facts 9.2)."""
    duration: Seconds | None = None
    start_schedule: datetime | None = None
    min_charging_rate: float | None = None
    """In the unit of the schedule, at most one decimal."""

    def __post_init__(self) -> None:
        _require_zone("startSchedule", self.start_schedule)
        super().__post_init__()
        _require_one_decimal("minChargingRate", self.min_charging_rate)


class ChargingProfile(Stamped, frozen=True, kw_only=True):
    """A charging schedule, with what it is for and when it holds."""

    charging_profile_id: Integer
    stack_level: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    charging_profile_purpose: ChargingProfilePurposeType
    charging_profile_kind: ChargingProfileKindType
    charging_schedule: ChargingSchedule
    transaction_id: Integer | None = None
    recurrency_kind: RecurrencyKindType | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        _require_zone("validFrom", self.valid_from)
        _require_zone("validTo", self.valid_to)
        super().__post_init__()
