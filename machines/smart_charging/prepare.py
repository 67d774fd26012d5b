"""Installed profiles made ready to be asked: limits in parts, times in seconds, the ones that count first.

OCPP 1.6 edition 2: 3.13.1 to 3.13.4, 7.8, 7.9; facts 9.1. A plan is made when profiles change, and asked often.
"""

from msgspec import Struct

from machines.smart_charging.profiles import (
    DEFAULT_PROFILE,
    MAX_PROFILE,
    PHASES_ASSUMED,
    TX_PROFILE,
    Book,
    Installed,
    seconds_of,
)
from machines.smart_charging.site import Outlet, Site
from machines.vocabulary.ocpp import (
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    RecurrencyKindType,
)

REPEATS_S = {RecurrencyKindType.DAILY: 86_400, RecurrencyKindType.WEEKLY: 604_800}

ALWAYS_S = 1 << 62
"""Later than any time that a message can state."""

Piece = tuple[int, int, int, int]
"""From when (s), how much (parts), on how many phases, by which chargingProfileId; until the next piece.

Until a plan is asked the times of a profile that counts from the begin of a transaction are from that begin.
"""


class Prepared(Struct, frozen=True, kw_only=True):
    """A profile, ready for one outlet."""

    level: int
    local_id: int
    """Of the transaction that it is for; 0 if for any."""
    start_s: int | None
    """When its first period begins; None: with the transaction."""
    received_s: int | None
    """What stands for the begin of the transaction while there is none; None: the moment that is asked about."""
    length_s: int
    """After this long it says nothing more, or begins again."""
    repeat_s: int
    """After how long it begins again; 0 if it does not."""
    valid_from_s: int
    valid_to_s: int
    starts: tuple[int, ...]
    pieces: tuple[Piece, ...]
    least: int
    """Parts of its least limit."""
    fewest: int
    """Phases where it allows the fewest."""


Stack = tuple[Prepared, ...]
"""Profiles in the order in which they are asked: the first that says something counts."""


class Rate(Struct, frozen=True):
    """A minChargingRate: less than this is allowed, and a vehicle makes poor use of it (7.11)."""

    rate: float
    is_current: bool
    """In A for each phase; else in W for all of them."""

    def parts(self, outlet: Outlet, phases: int) -> int:
        """The same for each of ``phases`` that are connected of ``outlet``."""
        return outlet.parts_of_a(self.rate) if self.is_current else outlet.parts_of_w(self.rate, phases)


class Plan(Struct, frozen=True, kw_only=True):
    """What is installed, for each outlet."""

    site: Site
    station: Stack
    """The ChargePointMaxProfiles."""
    transaction: tuple[Stack, ...]
    """Of each connector, connector 1 first: the TxProfiles of its transactions."""
    default: tuple[Stack, ...]
    """Of each connector: the TxDefaultProfiles that hold there."""
    rates: tuple[tuple[int, Rate], ...]
    """The chargingProfileId and the minChargingRate of the profiles that have one."""


def plan_of(book: Book, site: Site) -> Plan:
    """``book`` made ready for ``site``."""
    by_purpose: dict[ChargingProfilePurposeType, list[Installed]] = {
        purpose: [] for purpose in ChargingProfilePurposeType
    }
    for one in book:
        by_purpose[one.profile.charging_profile_purpose].append(one)
    return Plan(
        site=site,
        station=_stack(by_purpose[MAX_PROFILE], site.station),
        transaction=tuple(
            _stack([one for one in by_purpose[TX_PROFILE] if one.connector == outlet.number], outlet)
            for outlet in site.outlets
        ),
        default=tuple(
            _stack(_defaults(by_purpose[DEFAULT_PROFILE], outlet), outlet) for outlet in site.outlets
        ),
        rates=tuple((one.profile.charging_profile_id, rate) for one in book if (rate := _rate(one))),
    )


def _rate(installed: Installed) -> Rate | None:
    schedule = installed.profile.charging_schedule
    if schedule.min_charging_rate is None:
        return None
    return Rate(schedule.min_charging_rate, schedule.charging_rate_unit is ChargingRateUnitType.A)


def _defaults(installed: list[Installed], outlet: Outlet) -> list[Installed]:
    """One for each stackLevel: that of the connector itself, or else that of every connector (decision SC4)."""
    levels: dict[int, Installed] = {}
    for number in (0, outlet.number):
        levels |= {one.profile.stack_level: one for one in installed if one.connector == number}
    return list(levels.values())


def _stack(installed: list[Installed], outlet: Outlet) -> Stack:
    """The highest stackLevel first (3.13.2)."""
    prepared = [prepare(one, outlet) for one in installed]
    return tuple(sorted(prepared, key=lambda one: one.level, reverse=True))


def prepare(installed: Installed, outlet: Outlet) -> Prepared:
    """``installed`` made ready for ``outlet``."""
    profile = installed.profile
    schedule = profile.charging_schedule
    kind = profile.charging_profile_kind
    repeat_s = REPEATS_S[profile.recurrency_kind] if profile.recurrency_kind is not None else 0
    length_s = min(
        schedule.duration if schedule.duration is not None else ALWAYS_S,
        repeat_s or ALWAYS_S,
    )
    start_s = None
    received_s: int | None = installed.received_s
    if kind is ChargingProfileKindType.RELATIVE:
        received_s = None
    elif schedule.start_schedule is not None:
        start_s = seconds_of(schedule.start_schedule)
    offset_s = start_s if start_s is not None and not repeat_s else 0
    is_current = schedule.charging_rate_unit is ChargingRateUnitType.A
    id_ = profile.charging_profile_id
    starts, pieces = [], []
    for period in schedule.charging_schedule_period:
        if period.start_period >= length_s:
            break
        phases = PHASES_ASSUMED if period.number_phases is None else period.number_phases
        parts = outlet.parts_of_a(period.limit) if is_current else outlet.parts_of_w(period.limit, phases)
        starts.append(offset_s + period.start_period)
        pieces.append((offset_s + period.start_period, parts, outlet.used(phases), id_))
    return Prepared(
        level=profile.stack_level,
        local_id=installed.local_id,
        start_s=start_s,
        received_s=received_s,
        length_s=length_s,
        repeat_s=repeat_s,
        valid_from_s=seconds_of(profile.valid_from) if profile.valid_from is not None else -ALWAYS_S,
        valid_to_s=seconds_of(profile.valid_to) if profile.valid_to is not None else ALWAYS_S,
        starts=tuple(starts),
        pieces=tuple(pieces),
        least=min(piece[1] for piece in pieces),
        fewest=min(piece[2] for piece in pieces),
    )
