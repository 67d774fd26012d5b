"""What holds at one second, found out the long way: the oracle that the implementation is compared with.

Every rule of facts section 9 is written down naively and asked second by second. Nothing is shared with what it
judges but the payloads; amperes and watts are fractions; nothing is prepared, sorted in time, or merged.
"""

from datetime import UTC, datetime
from fractions import Fraction
from itertools import product

from msgspec import Struct

from machines.vocabulary.ocpp import ChargingProfile, ClearChargingProfile, SetChargingProfile

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEK_S = {"Daily": 86_400, "Weekly": 7 * 86_400}


class Outlet(Struct, frozen=True, kw_only=True):
    phases: int
    volts: float
    ceiling_a: float
    """Of connector, cable and configuration, now."""
    least_a: float


class Transaction(Struct, frozen=True, kw_only=True):
    connector: int
    local_id: int
    transaction_id: int | None
    started_s: int


class Event(Struct, frozen=True, kw_only=True):
    at_s: int
    request: SetChargingProfile | ClearChargingProfile


class Case(Struct, frozen=True, kw_only=True):
    """A station, what it was told, and what it is asked."""

    outlets: tuple[Outlet, ...]
    can_switch: bool
    stack_level_max: int
    periods_max: int
    installed_max: int
    units: tuple[str, ...]
    running: tuple[Transaction, ...]
    """All of them from before the first event to the end."""
    installation_a: float | None
    events: tuple[dict, ...]
    """Requests as on the wire, each with ``action`` and ``at_s``."""
    now_s: int
    connector: int
    duration_s: int
    unit: str
    turn_s: int = 900


class Held(Struct, frozen=True, kw_only=True):
    connector: int
    profile: ChargingProfile
    at_s: int
    local_id: int


def second(moment: datetime) -> int:
    """The whole second that ``moment`` lies in."""
    return int((moment.replace(microsecond=0) - EPOCH).total_seconds())


# What is installed


def is_acceptable(case: Case, held: list[Held], at_s: int, request: SetChargingProfile) -> bool:
    """Whether the table of facts 9.2 has nothing against ``request``."""
    number, profile = request.connector_id, request.cs_charging_profiles
    schedule = profile.charging_schedule
    purpose, kind = profile.charging_profile_purpose.value, profile.charging_profile_kind.value
    if number < 0 or number > len(case.outlets):
        return False
    on_connector = [one for one in case.running if one.connector == number]
    if purpose == "TxProfile":
        if number == 0 or not on_connector:
            return False
        if profile.transaction_id not in (None, on_connector[0].transaction_id):
            return False
    elif profile.transaction_id is not None:
        return False
    if purpose == "ChargePointMaxProfile" and (number != 0 or kind == "Relative"):
        return False
    if (kind == "Recurring") != (profile.recurrency_kind is not None):
        return False
    if kind == "Recurring" and schedule.start_schedule is None:
        return False
    if profile.stack_level > case.stack_level_max or schedule.charging_rate_unit.value not in case.units:
        return False
    if schedule.duration == 0 or (schedule.min_charging_rate or 0) < 0:
        return False
    if profile.valid_to is not None:
        if profile.valid_from is not None and profile.valid_from >= profile.valid_to:
            return False
        if second(profile.valid_to) <= at_s:
            return False
    periods = schedule.charging_schedule_period
    starts = [period.start_period for period in periods]
    if len(periods) > case.periods_max or starts[0] != 0 or sorted(set(starts)) != starts:
        return False
    for period in periods:
        if period.limit < 0 or period.number_phases not in (None, 1, 2, 3):
            return False
    return len(with_room(case, without(held, request), at_s)) < case.installed_max


def with_room(case: Case, held: list[Held], at_s: int) -> list[Held]:
    """``held``, without what is valid no more if there is no room for another one."""
    if len(held) < case.installed_max:
        return held
    return [one for one in held if one.profile.valid_to is None or second(one.profile.valid_to) > at_s]


def without(held: list[Held], request: SetChargingProfile) -> list[Held]:
    """``held`` without what ``request`` replaces."""
    new = request.cs_charging_profiles
    left = []
    for one in held:
        old = one.profile
        is_same_place = (one.connector, old.charging_profile_purpose, old.stack_level) == (
            request.connector_id,
            new.charging_profile_purpose,
            new.stack_level,
        )
        if old.charging_profile_id != new.charging_profile_id and not is_same_place:
            left.append(one)
    return left


def cleared(held: list[Held], request: ClearChargingProfile) -> list[Held]:
    left = []
    for one in held:
        profile = one.profile
        if request.id is not None:
            is_meant = profile.charging_profile_id == request.id
        else:
            is_meant = True
            if request.connector_id is not None and request.connector_id != one.connector:
                is_meant = False
            if request.charging_profile_purpose not in (None, profile.charging_profile_purpose):
                is_meant = False
            if request.stack_level is not None and request.stack_level != profile.stack_level:
                is_meant = False
        if not is_meant:
            left.append(one)
    return left


def installed(case: Case, events: list[Event]) -> tuple[list[Held], list[bool]]:
    """What is installed after ``events``, and for each of them whether it had an effect."""
    held: list[Held] = []
    effects = []
    for event in events:
        request = event.request
        if isinstance(request, ClearChargingProfile):
            left = cleared(held, request)
            effects.append(len(left) < len(held) or request == ClearChargingProfile())
            held = left
        elif is_acceptable(case, held, event.at_s, request):
            number = request.connector_id
            profile = request.cs_charging_profiles
            local_id = 0
            if profile.charging_profile_purpose.value == "TxProfile":
                (local_id,) = (one.local_id for one in case.running if one.connector == number)
            held = with_room(case, without(held, request), event.at_s)
            held.append(Held(connector=number, profile=profile, at_s=event.at_s, local_id=local_id))
            effects.append(True)
        else:
            effects.append(False)
    return held, effects


# One profile at one second


def used_phases(case: Case, outlet: Outlet, number_phases: int) -> int:
    """Phases that are connected where that many may be: a station can switch from three to one, or not at all."""
    if outlet.phases == 3 and case.can_switch and number_phases < 3:
        return 1
    return outlet.phases


def period_at(held: Held, began_s: int | None, now_s: int, t: int):
    """The period of a profile that counts at second ``t``; None if it says nothing then."""
    profile, schedule = held.profile, held.profile.charging_schedule
    if profile.valid_from is not None and t < second(profile.valid_from):
        return None
    if profile.valid_to is not None and t >= second(profile.valid_to):
        return None
    if profile.charging_profile_kind.value == "Relative":
        start = now_s if began_s is None else began_s
    elif schedule.start_schedule is not None:
        start = second(schedule.start_schedule)
    elif profile.charging_profile_purpose.value == "ChargePointMaxProfile" or began_s is None:
        start = min(held.at_s, now_s)  # the clock may have been put back since
    else:
        start = began_s
    elapsed = t - start
    if elapsed < 0:
        return None
    if profile.recurrency_kind is not None:
        elapsed = elapsed % WEEK_S[profile.recurrency_kind.value]
    if schedule.duration is not None and elapsed >= schedule.duration:
        return None
    found = None
    for period in schedule.charging_schedule_period:
        if period.start_period <= elapsed:
            found = period
    return found


def amps(profile: ChargingProfile, period, volts: float, connected: int) -> Fraction:
    """A per phase of ``period`` where ``connected`` phases are."""
    limit = Fraction(str(period.limit))
    if profile.charging_schedule.charging_rate_unit.value == "A":
        return limit
    return limit / (Fraction(str(volts)) * max(period.number_phases or 3, connected))


# One connector at one second


def transaction_limit(case: Case, held: list[Held], number: int, t: int):
    """(A per phase, numberPhases) of the transaction of a connector; (None, 3) if nothing is said."""
    said = transaction_period(case, held, number, t)
    if said is None:
        return None, 3
    outlet, (profile, period) = case.outlets[number - 1], said
    phases = period.number_phases or 3
    return amps(profile, period, outlet.volts, used_phases(case, outlet, phases)), phases


def transaction_period(case: Case, held: list[Held], number: int, t: int):
    """The profile that counts for the transaction of a connector, and its period; None if nothing is said."""
    running = [one for one in case.running if one.connector == number]
    began_s = running[0].started_s if running else None
    ranked = []
    for one in held:
        purpose, level = one.profile.charging_profile_purpose.value, one.profile.stack_level
        if purpose == "TxProfile" and running and one.local_id == running[0].local_id:
            ranked.append((2, level, one))
        if purpose == "TxDefaultProfile" and one.connector == number:
            ranked.append((1, level, one))
        if purpose == "TxDefaultProfile" and one.connector == 0:
            is_overridden = any(
                other.connector == number
                and other.profile.charging_profile_purpose.value == "TxDefaultProfile"
                and other.profile.stack_level == level
                for other in held
            )
            if not is_overridden:
                ranked.append((1, level, one))
    best = None
    for rank, level, one in ranked:
        period = period_at(one, began_s, case.now_s, t)
        if period is not None and (best is None or (rank, level) > best[0]):
            best = ((rank, level), one.profile, period)
    return None if best is None else best[1:]


def least_of_use(case: Case, held: list[Held], number: int, t: int, most: Fraction) -> Fraction:
    """A per phase below which a share is of no use: too little to offer, or for the vehicle to charge well with.

    What a vehicle charges well with counts only as far as it may have that much at all.
    """
    outlet = case.outlets[number - 1]
    least = Fraction(str(outlet.least_a))
    said = transaction_period(case, held, number, t)
    if said is None or said[0].charging_schedule.min_charging_rate is None:
        return least
    schedule, connected = said[0].charging_schedule, used_phases(case, outlet, said[1].number_phases or 3)
    rate = Fraction(str(schedule.min_charging_rate))
    if schedule.charging_rate_unit.value == "W":
        rate /= Fraction(str(outlet.volts)) * connected
    return max(least, min(rate, most))


def station_limit(case: Case, held: list[Held], t: int):
    """(A per phase, numberPhases) of all connectors together; (None, 3) if nothing is said."""
    best = None
    for one in held:
        if one.profile.charging_profile_purpose.value == "ChargePointMaxProfile":
            period = period_at(one, None, case.now_s, t)
            if period is not None and (best is None or one.profile.stack_level > best[0]):
                best = (one.profile.stack_level, one.profile, period)
    limits, phases = [], 3
    if best is not None:
        _, profile, period = best
        phases = period.number_phases or 3
        connected = max(used_phases(case, outlet, phases) for outlet in case.outlets)
        volts = max(outlet.volts for outlet in case.outlets)
        limits.append(amps(profile, period, volts, connected))
    if case.installation_a is not None:
        limits.append(Fraction(str(case.installation_a)))
    return min(limits, default=None), phases


def own_limit(case: Case, held: list[Held], number: int, t: int):
    """A per phase that a connector could have for itself, and numberPhases."""
    limit, phases = transaction_limit(case, held, number, t)
    ceiling = Fraction(str(case.outlets[number - 1].ceiling_a))
    return ceiling if limit is None else min(limit, ceiling), phases


def shared(pool: Fraction, wants: list[Fraction], least: list[Fraction], turn: int) -> list[Fraction]:
    """Who gets what of ``pool`` in a turn: every way to share it is tried until one is even."""
    queue = [index for index, want in enumerate(wants) if want >= least[index] and least[index] <= pool]
    if not queue:
        return [min(want, pool) for want in wants]
    for _ in range(turn % len(queue)):
        queue.append(queue.pop(0))
    served, taken = [], Fraction(0)
    for index in queue:
        if taken + least[index] <= pool:
            served.append(index)
            taken += least[index]
    for choice in product(("least", "level", "want"), repeat=len(served)):
        given = {i: wants[i] if how == "want" else least[i] for i, how in zip(served, choice, strict=True)}
        even = [i for i, how in zip(served, choice, strict=True) if how == "level"]
        fixed = sum(given[i] for i in served if i not in even)
        # Either the pool is used up and some have the same, or everybody has what it wants.
        level = (pool - fixed) / len(even) if even else max(given.values())
        given |= dict.fromkeys(even, level)
        is_even = all(given[i] == max(least[i], min(level, wants[i])) for i in served)
        is_all = sum(given.values()) == pool or (sum(given.values()) < pool and set(choice) == {"want"})
        if is_even and is_all:
            break
    else:
        raise AssertionError("no even way to share")
    shares = []
    for index, want in enumerate(wants):
        if index in served:
            shares.append(given[index])
        else:
            shares.append(Fraction(0) if want >= least[index] else min(want, pool))
    return shares


def limit_at(case: Case, held: list[Held], number: int, t: int) -> tuple[Fraction, int]:
    """A per phase and phases of connector ``number`` at second ``t``."""
    outlet = case.outlets[number - 1]
    own, own_phases = own_limit(case, held, number, t)
    pool, pool_phases = station_limit(case, held, t)
    phases = used_phases(case, outlet, min(own_phases, pool_phases))
    if pool is None:
        return own, phases
    order = [one.connector for one in sorted(case.running, key=lambda one: (one.started_s, one.connector))]
    if number not in order:
        order.append(number)
    wants = [own_limit(case, held, other, t)[0] for other in order]
    least = [
        least_of_use(case, held, other, t, min(want, pool)) for other, want in zip(order, wants, strict=True)
    ]
    return shared(pool, wants, least, t // case.turn_s)[order.index(number)], phases


# What is told


def told_at(case: Case, held: list[Held], t: int) -> tuple[int, int]:
    """Tenths of A per phase, or of W, and phases, that the composite schedule has at second ``t``."""
    if case.connector:
        limit, phases = limit_at(case, held, case.connector, t)
        if case.unit == "W":
            limit *= Fraction(str(case.outlets[case.connector - 1].volts)) * phases
        return int(limit * 10), phases
    pool, pool_phases = station_limit(case, held, t)
    amperes, watts, used = Fraction(0), Fraction(0), 0
    for number, outlet in enumerate(case.outlets, 1):
        own, own_phases = own_limit(case, held, number, t)
        phases = used_phases(case, outlet, min(own_phases, pool_phases))
        amperes += own
        watts += own * phases * Fraction(str(outlet.volts))
        used = max(used, phases)
    if pool is not None:
        amperes = min(amperes, pool)
        watts = min(watts, pool * used * Fraction(str(max(outlet.volts for outlet in case.outlets))))
    return int((watts if case.unit == "W" else amperes) * 10), used


def offered_at(case: Case, held: list[Held], t: int) -> tuple[Fraction, int]:
    """What may be offered on the connector of ``case`` at second ``t``: never between 0 and the least."""
    limit, phases = limit_at(case, held, case.connector, t)
    limit = Fraction(int(limit * 10), 10)
    is_enough = limit >= Fraction(str(case.outlets[case.connector - 1].least_a))
    return limit if is_enough else Fraction(0), phases
