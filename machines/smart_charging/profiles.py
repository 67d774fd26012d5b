"""The charging profiles that are installed: which are refused, which replace others, which are cleared.

OCPP 1.6 edition 2: 3.13.1 to 3.13.3, 5.5, 5.16, 7.8, 7.13, 7.14; facts 9.1 to 9.3. What is refused changes nothing.
"""

import math
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import (
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ClearChargingProfile,
    SetChargingProfile,
)
from machines.vocabulary.tags import is_same

MAX_PROFILE = ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE
DEFAULT_PROFILE = ChargingProfilePurposeType.TX_DEFAULT_PROFILE
TX_PROFILE = ChargingProfilePurposeType.TX_PROFILE

PHASES_ASSUMED = 3
"""numberPhases where a period states none (7.8)."""

UNITS = {"Current": ChargingRateUnitType.A, "Power": ChargingRateUnitType.W}
"""How ChargingScheduleAllowedChargingRateUnit names the units."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class Bounds(Struct, frozen=True, kw_only=True):
    """What the configuration keys allow a charging profile to be."""

    stack_level_max: int
    periods_max: int
    installed_max: int
    units: frozenset[ChargingRateUnitType]


class Running(Struct, frozen=True, kw_only=True):
    """A transaction that runs on a connector."""

    connector: int
    local_id: int
    """What the station calls it, from its begin; over 0."""
    started_s: int
    transaction_id: int | None = None
    """What the Central System calls it; None until it has said so."""
    draws: bool = True
    """Whether it may have energy; else it is open, but shares nothing."""


class Installed(Struct, frozen=True, kw_only=True):
    """A charging profile that counts."""

    connector: int
    """0 is the charge point; of a TxDefaultProfile, every connector."""
    profile: ChargingProfile
    received_s: int
    local_id: int = 0
    """Of the transaction that a TxProfile is for; 0 of one that waits for its transaction, and of other purposes."""
    id_tag: str = ""
    """Whose transaction a TxProfile waits for. An empty one is somebody's too."""

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its transaction: it came with a remote start."""
        return self.profile.charging_profile_purpose is TX_PROFILE and not self.local_id


Book = tuple[Installed, ...]
"""All that is installed, in the order of arrival."""


class Refusal(Struct, frozen=True):
    """Why a charging profile is not taken."""

    why: str
    """One line, for a log."""
    is_no_connector: bool = False
    """The connector does not exist: a CALLERROR, where any other is Rejected (facts 9.2)."""


def bounds_of(keys: Keys) -> Bounds:
    """What ``keys`` allow."""
    return Bounds(
        stack_level_max=keys.charge_profile_max_stack_level,
        periods_max=keys.charging_schedule_max_periods,
        installed_max=keys.max_charging_profiles_installed,
        units=frozenset(
            UNITS[name] for name in keys.charging_schedule_allowed_charging_rate_unit if name in UNITS
        ),
    )


def seconds_of(moment: datetime) -> int:
    """``moment``, which has a zone, as whole POSIX seconds: the second that it lies in."""
    return (moment - _EPOCH) // _SECOND


# Refusals


def install(
    book: Book,
    request: SetChargingProfile,
    *,
    bounds: Bounds,
    connectors: int,
    running: tuple[Running, ...],
    now_s: int,
) -> Book | Refusal:
    """``book`` with the profile of ``request``, and without those that it replaces.

    Args:
        book: What is installed.
        request: SetChargingProfile.req.
        bounds: What is allowed.
        connectors: How many there are.
        running: The transactions, at most one for each connector.
        now_s: When the request arrived.
    """
    number, profile = request.connector_id, request.cs_charging_profiles
    if not 0 <= number <= connectors:
        return Refusal(f"there is no connector {number}", is_no_connector=True)
    transaction = next((one for one in running if one.connector == number), None)
    why = _wrong_place(number, profile, transaction) or _wrong_profile(profile, bounds, now_s)
    if why:
        return Refusal(why)
    local_id = transaction.local_id if transaction and profile.charging_profile_purpose is TX_PROFILE else 0
    installed = Installed(connector=number, profile=profile, received_s=now_s, local_id=local_id)
    return _with(book, installed, bounds)


def install_awaiting(
    book: Book, number: int, id_tag: str, profile: ChargingProfile, *, bounds: Bounds, now_s: int
) -> Book | Refusal:
    """``book`` with the ``profile`` of a RemoteStartTransaction.

    It waits for the transaction of ``id_tag`` on connector ``number``, and counts from when :func:`begin_transaction`
    gives it that one (facts 6).
    """
    if profile.charging_profile_purpose is not TX_PROFILE:
        return Refusal("a remote start takes no profile but a TxProfile")
    if profile.transaction_id is not None:
        return Refusal("a transaction that has not begun has no transactionId")
    why = _wrong_profile(profile, bounds, now_s)
    if why:
        return Refusal(why)
    waiting = Installed(connector=number, profile=profile, received_s=now_s, id_tag=id_tag)
    return _with(drop_awaiting(book, number), waiting, bounds)


def _wrong_place(number: int, profile: ChargingProfile, transaction: Running | None) -> str:
    """Why ``profile`` cannot be installed on connector ``number``; empty if it can."""
    match profile.charging_profile_purpose:
        case ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE if number != 0:
            return "a ChargePointMaxProfile is for connector 0"
        case ChargingProfilePurposeType.TX_PROFILE if transaction is None:
            return f"no transaction runs on connector {number}"
        case ChargingProfilePurposeType.TX_PROFILE:
            assert transaction is not None
            wanted = profile.transaction_id
            if wanted is not None and wanted != transaction.transaction_id:
                return f"the transaction on connector {number} is not {wanted}"
        case _ if profile.transaction_id is not None:
            return "only a TxProfile has a transactionId"
    return ""


def _wrong_profile(profile: ChargingProfile, bounds: Bounds, now_s: int) -> str:
    """What is wrong with ``profile`` wherever it is installed; empty if nothing is."""
    if profile.stack_level > bounds.stack_level_max:
        return f"stackLevel is {profile.stack_level}, allowed is at most {bounds.stack_level_max}"
    valid_from, valid_to = profile.valid_from, profile.valid_to
    if valid_to is not None and valid_from is not None and valid_to <= valid_from:
        return "validTo is not after validFrom"
    if valid_to is not None and seconds_of(valid_to) <= now_s:
        return "validTo is past"
    schedule = profile.charging_schedule
    return _wrong_kind(profile, schedule) or _wrong_schedule(schedule, bounds)


def _wrong_kind(profile: ChargingProfile, schedule: ChargingSchedule) -> str:
    kind = profile.charging_profile_kind
    if kind is ChargingProfileKindType.RECURRING:
        if profile.recurrency_kind is None:
            return "a Recurring profile needs a recurrencyKind"
        if schedule.start_schedule is None:
            return "a Recurring profile needs a startSchedule"
    elif profile.recurrency_kind is not None:
        return f"only a Recurring profile has a recurrencyKind, not one that is {kind}"
    if kind is ChargingProfileKindType.RELATIVE and profile.charging_profile_purpose is MAX_PROFILE:
        return "a ChargePointMaxProfile is relative to no transaction"
    return ""


def _wrong_schedule(schedule: ChargingSchedule, bounds: Bounds) -> str:
    if schedule.charging_rate_unit not in bounds.units:
        return f"chargingRateUnit {schedule.charging_rate_unit} is not allowed"
    if schedule.duration == 0:
        return "a duration of 0 limits nothing"
    least = schedule.min_charging_rate
    if least is not None and not 0 <= least < math.inf:
        return f"minChargingRate is {least:g}"
    periods = schedule.charging_schedule_period
    # Counted before anything is done with each: a million of them cost no more than one too many.
    if len(periods) > bounds.periods_max:
        return f"{len(periods)} periods, allowed are at most {bounds.periods_max}"
    if not periods or periods[0].start_period != 0:
        return "no period begins at 0"
    before = -1
    for period in periods:
        if period.start_period <= before:
            return f"the period at {period.start_period} comes after the one at {before}"
        if not 0 <= period.limit < math.inf:
            return f"the limit at {period.start_period} is {period.limit:g}"
        if period.number_phases is not None and not 1 <= period.number_phases <= 3:
            return f"numberPhases at {period.start_period} is {period.number_phases}, allowed is 1..3"
        before = period.start_period
    return ""


# What replaces what


def _with(book: Book, new: Installed, bounds: Bounds) -> Book | Refusal:
    left = [one for one in book if not _is_replaced(one, new)]
    if len(left) >= bounds.installed_max:
        # Those that will never count again make room. Not before: the clock may have been put forward by mistake.
        left = [one for one in left if not _is_over(one, new.received_s)]
    if len(left) >= bounds.installed_max:
        return Refusal(f"{len(left)} profiles are installed, allowed are at most {bounds.installed_max}")
    return (*left, new)


def _is_over(one: Installed, now_s: int) -> bool:
    valid_to = one.profile.valid_to
    return valid_to is not None and seconds_of(valid_to) <= now_s


def _is_replaced(old: Installed, new: Installed) -> bool:
    """Whether ``new`` takes the place of ``old``: same id, or same purpose and stackLevel on the connector (3.13.2)."""
    if old.profile.charging_profile_id == new.profile.charging_profile_id:
        return True
    return (
        old.connector == new.connector
        and old.profile.charging_profile_purpose is new.profile.charging_profile_purpose
        and old.profile.stack_level == new.profile.stack_level
        # What waits for its transaction leaves what the running one has alone.
        and old.local_id == new.local_id
    )


# Clearing


def clear(book: Book, request: ClearChargingProfile) -> Book:
    """``book`` without the profiles that ``request`` means; unchanged if there are none.

    An id decides alone (errata v4 to 6.8); of the other fields all must match.
    """
    if request.id is not None:
        return tuple(one for one in book if one.profile.charging_profile_id != request.id)
    return tuple(one for one in book if not _is_meant(one, request))


def _is_meant(one: Installed, request: ClearChargingProfile) -> bool:
    purpose, level = request.charging_profile_purpose, request.stack_level
    return (
        (request.connector_id is None or one.connector == request.connector_id)
        and (purpose is None or one.profile.charging_profile_purpose is purpose)
        and (level is None or one.profile.stack_level == level)
    )


# Transactions


def begin_transaction(book: Book, number: int, local_id: int, id_tag: str) -> Book:
    """``book`` once the transaction ``local_id`` of ``id_tag`` began on connector ``number``: what waited is its own now.

    It replaces what a TxProfile replaces; what waited there for somebody else is dropped.
    """
    waiting = [one for one in book if _is_waiting(one, number) and is_same(one.id_tag, id_tag)]
    book = drop_awaiting(book, number)
    for one in waiting:
        begun = replace(one, local_id=local_id, id_tag="")
        book = (*(other for other in book if not _is_replaced(other, begun)), begun)
    return book


def end_transaction(book: Book, local_id: int) -> Book:
    """``book`` once the transaction ``local_id`` ended: its TxProfiles end with it (3.13.1)."""
    return tuple(one for one in book if one.local_id != local_id)


def drop_awaiting(book: Book, number: int) -> Book:
    """``book`` once it is clear that no transaction begins on connector ``number`` for what waits there."""
    return tuple(one for one in book if not _is_waiting(one, number))


def _is_waiting(one: Installed, number: int) -> bool:
    return one.connector == number and one.is_waiting
