"""A plan over time: what limits hold from when, and what is offered now and until when.

OCPP 1.6 edition 2: 3.13.2 to 3.13.5, 5.7; facts 9.4. At any moment the limit of a connector is the least of three:

* of its transaction: the TxProfile of the highest stackLevel that says something at that moment, or if none does
  the TxDefaultProfile likewise,
* of the station: the ChargePointMaxProfile of the highest stackLevel that says something, and what the installation
  carries, shared by the connectors that charge,
* of the hardware: connector, cable, ConnectorMaximumCurrent.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from machines.smart_charging.prepare import Piece, Plan, Prepared, Stack
from machines.smart_charging.profiles import PHASES_ASSUMED, Running
from machines.smart_charging.sharing import is_short, shares
from machines.smart_charging.site import UNLIMITED, Outlet
from machines.vocabulary.ocpp import ChargingRateUnitType

NO_PROFILE = -(1 << 64)
"""Instead of a chargingProfileId where no profile says anything: less than any that a message can state."""

HOLD_S = 5
"""Between two changes of the offered current: so long a vehicle may take to follow one (IEC 61851-1, table A.6)."""

LOOK_AHEADS_S = (900, 86_400, 8 * 86_400)
"""How far :func:`offer` looks for the next change, in turn: mostly the first is enough."""

Span = tuple[int, int, int]
"""From when (s), parts on each phase, phases; until the next span."""


class Situation(Struct, frozen=True, kw_only=True):
    """What a plan is asked in."""

    now_s: int
    running: tuple[Running, ...]
    """The transactions, at most one for each connector."""
    ceilings_a: tuple[float, ...]
    """Of each connector, connector 1 first: what its hardware, its cable and its configuration carry, per phase."""
    installation_a: float | None = None
    """What all connectors together may draw from the installation, per phase; None if nothing is known of it."""


class Period(NamedTuple):
    """A limit from ``start`` seconds after the begin of a schedule until the next period."""

    start: int
    tenths: int
    """0.1 A for each phase, or 0.1 W for all of them."""
    phases: int


class Composite(Struct, frozen=True, kw_only=True):
    """What holds for a connector over some time. No two neighbours are equal."""

    start_s: int
    duration_s: int
    unit: ChargingRateUnitType
    periods: tuple[Period, ...]


class Offer(Struct, frozen=True, kw_only=True):
    """The current that may be offered now."""

    limit_a: float
    """Per phase; 0 is a pause."""
    lasting_a: float
    """The least of the next ``HOLD_S``: what may be offered for so long."""
    phases: int
    """That it may be offered on."""
    until_s: int | None
    """When this may be another, by the clock that was asked; None if only a message can change it."""


# One stack


def cover(stack: Stack, began_s: int | None, now_s: int, begin: int, end: int) -> list[Piece]:
    """What ``stack`` says from ``begin`` to ``end``, without a gap: where no profile speaks there is no limit.

    Args:
        stack: The profiles, the first that says something counts.
        began_s: When the transaction began that they are asked about; None if none runs.
        now_s: The moment that stands for its begin then.
        begin: First second.
        end: Second after the last one.
    """
    pieces: list[Piece] = []
    gaps = [(begin, end)]
    for prepared in stack:
        start = prepared.start_s
        if start is None:
            # A clock that was put back since does not make it a thing of the future, in which it limits nothing yet.
            received_s = now_s if prepared.received_s is None else min(prepared.received_s, now_s)
            start = began_s if began_s is not None else received_s
        left: list[tuple[int, int]] = []
        for gap_begin, gap_end in gaps:
            at = gap_begin
            for run_begin, run_end, run_start in _runs(prepared, start, gap_begin, gap_end):
                if at < run_begin:
                    left.append((at, run_begin))
                _append_pieces(prepared, run_start, run_begin, run_end, pieces)
                at = run_end
            if at < gap_end:
                left.append((at, gap_end))
        gaps = left
        if not gaps:
            break
    pieces.extend([(gap_begin, UNLIMITED, PHASES_ASSUMED, NO_PROFILE) for gap_begin, _ in gaps])
    pieces.sort()
    return pieces


def _runs(prepared: Prepared, start: int, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """From when to when ``prepared`` says something between ``begin`` and ``end``, and when its first period was."""
    begin, end = max(begin, prepared.valid_from_s, start), min(end, prepared.valid_to_s)
    if not prepared.repeat_s:
        end = min(end, start + prepared.length_s)
        if begin < end:
            yield begin, end, start
        return
    last = start + (begin - start) // prepared.repeat_s * prepared.repeat_s
    for again in range(last, end, prepared.repeat_s):
        run_begin, run_end = max(begin, again), min(end, again + prepared.length_s)
        if run_begin < run_end:
            yield run_begin, run_end, again


def _append_pieces(prepared: Prepared, start: int, begin: int, end: int, pieces: list[Piece]) -> None:
    """Add what ``prepared``, whose first period is at ``start``, says from ``begin`` to ``end``."""
    offset = start - prepared.starts[0]
    at = bisect_right(prepared.starts, begin - offset)
    until = bisect_right(prepared.starts, end - 1 - offset, at)
    _, parts, phases, by = prepared.pieces[at - 1]
    pieces.append((begin, parts, phases, by))
    if offset == 0:
        pieces.extend(prepared.pieces[at:until])
    else:
        pieces.extend([(t + offset, parts, phases, by) for t, parts, phases, by in prepared.pieces[at:until]])


# Parts of the limit


def transaction_part(plan: Plan, situation: Situation, number: int, begin: int, end: int) -> list[Piece]:
    """What the profiles for the transaction of connector ``number`` say, or for one that began now if none runs."""
    transaction = next((one for one in situation.running if one.connector == number), None)
    default = plan.default[number - 1]
    if transaction is None:
        return cover(default, None, situation.now_s, begin, end)
    own = tuple(one for one in plan.transaction[number - 1] if one.local_id == transaction.local_id)
    return cover(own + default, transaction.started_s, situation.now_s, begin, end)


def station_part(plan: Plan, situation: Situation, begin: int, end: int) -> list[Piece]:
    """What the profiles for the station say, and what the installation carries."""
    pieces = cover(plan.station, None, situation.now_s, begin, end)
    if situation.installation_a is None:
        return pieces
    most = plan.site.station.parts_of_a(situation.installation_a)
    return [(at, min(parts, most), phases, by) for at, parts, phases, by in pieces]


def _together(parts: Sequence[list[Piece]]) -> Iterator[tuple[int, list[Piece]]]:
    """Every moment at which one of ``parts`` changes, and what each of them says from then on."""
    current = [part[0] for part in parts]
    following = [iter(part[1:]) for part in parts]
    coming = [next(rest, None) for rest in following]
    at = current[0][0]
    while True:
        yield at, list(current)
        times = [piece[0] for piece in coming if piece is not None]
        if not times:
            return
        at = min(times)
        for index, piece in enumerate(coming):
            if piece is not None and piece[0] == at:
                current[index] = piece
                coming[index] = next(following[index], None)


# One connector


def spans(plan: Plan, situation: Situation, number: int, begin: int, end: int) -> list[Span]:
    """What limit holds for connector ``number``, which is not 0, from ``begin`` to ``end``."""
    own = transaction_part(plan, situation, number, begin, end)
    station = station_part(plan, situation, begin, end)
    is_limited = len(station) > 1 or station[0][1] < UNLIMITED
    if is_limited and any(one.draws and one.connector != number for one in situation.running):
        return _shared_spans(plan, situation, number, station, end)
    outlet = plan.site.outlet(number)
    most = outlet.parts_of_a(situation.ceilings_a[number - 1])
    # What _together does for many, written out for two, and without a call where a comparison does: this is where
    # most of the time goes.
    found: list[Span] = []
    at, one, other, place, other_place = begin, own[0], station[0], 1, 1
    end_piece = (end, UNLIMITED, PHASES_ASSUMED, NO_PROFILE)
    own.append(end_piece)
    station.append(end_piece)
    while at < end:
        parts = one[1] if one[1] < other[1] else other[1]  # noqa: FURB136
        phases = _phases(outlet, one, other)
        found.append((at, parts if parts < most else most, phases))  # noqa: FURB136
        following, other_following = own[place], station[other_place]
        if following[0] <= other_following[0]:
            one, at = following, following[0]
            place += 1
        if other_following[0] <= following[0]:
            other, at = other_following, other_following[0]
            other_place += 1
    return found


def _phases(outlet: Outlet, own: Piece, station: Piece) -> int:
    return min(own[2], station[2]) if outlet.can_switch else outlet.phases


def _shared_spans(
    plan: Plan, situation: Situation, number: int, station: list[Piece], end: int
) -> list[Span]:
    """:func:`spans` where other connectors charge too, so that the limit of the station is shared.

    The transaction that began first comes first, one that is only thought of last, and where it is too little for all
    they take turns, on a grid of the time of day (decision SC9).
    """
    began = sorted((one.started_s, one.connector) for one in situation.running if one.draws)
    order = [connector for _, connector in began]
    if number not in order:
        order.append(number)
    outlets = [plan.site.outlet(connector) for connector in order]
    most = [outlet.parts_of_a(situation.ceilings_a[outlet.number - 1]) for outlet in outlets]
    wanted = [transaction_part(plan, situation, connector, station[0][0], end) for connector in order]
    place, turn_s = order.index(number), plan.site.turn_s
    found: list[Span] = []
    for (at, (pool, *pieces)), (until, _) in pairwise((*_together((station, *wanted)), (end, []))):
        wants = [min(piece[1], limit) for piece, limit in zip(pieces, most, strict=True)]
        least = [
            _least_of_use(plan, outlet, piece, min(want, pool[1]))
            for outlet, piece, want in zip(outlets, pieces, wants, strict=True)
        ]
        begins = [at]
        if is_short(pool[1], wants, least):
            begins.extend(range((at // turn_s + 1) * turn_s, until, turn_s))
        phases = _phases(outlets[place], pieces[place], pool)
        found.extend(
            (begin, shares(pool[1], wants, least, begin // turn_s)[place], phases) for begin in begins
        )
    return found


def _least_of_use(plan: Plan, outlet: Outlet, piece: Piece, most: int) -> int:
    """What ``outlet`` has of a shared limit if it has anything: what it can offer, and minChargingRate if it may.

    The rate is for sharing only (7.11, decision SC15): who may not have as much has what there is.
    """
    least = outlet.parts_of_a(outlet.current_min_a)
    for profile_id, rate in plan.rates:
        if profile_id == piece[3]:
            return max(least, min(rate.parts(outlet, piece[2]), most))
    return least


# The composite schedule


def composite(
    plan: Plan, situation: Situation, number: int, duration_s: int, unit: ChargingRateUnitType
) -> Composite:
    """What holds for connector ``number`` from now for ``duration_s``, or with 0 what all connectors may draw.

    Of a connector without a transaction, as if one began now.
    """
    begin, end = situation.now_s, situation.now_s + max(1, duration_s)
    is_current = unit is ChargingRateUnitType.A
    if number == 0:
        limits = _station_limits(plan, situation, begin, end, is_current=is_current)
    else:
        outlet = plan.site.outlet(number)
        found = spans(plan, situation, number, begin, end)
        if is_current:
            limits = [(at, outlet.tenths_of_a(parts), phases) for at, parts, phases in found]
        else:
            limits = [(at, outlet.tenths_of_w(parts, phases), phases) for at, parts, phases in found]
    periods: list[Period] = []
    last = (-1, 0)
    for at, limit, phases in limits:
        if (limit, phases) != last:
            periods.append(Period(at - begin, limit, phases))
            last = (limit, phases)
    return Composite(start_s=begin, duration_s=duration_s, unit=unit, periods=tuple(periods))


def _station_limits(
    plan: Plan, situation: Situation, begin: int, end: int, *, is_current: bool
) -> list[tuple[int, int, int]]:
    """Limits of all connectors together: their sum, or what the station may draw if that is less (decision SC8)."""
    outlets, station = plan.site.outlets, plan.site.station
    most = [outlet.parts_of_a(limit_a) for outlet, limit_a in zip(outlets, situation.ceilings_a, strict=True)]
    parts = [station_part(plan, situation, begin, end)]
    parts.extend(transaction_part(plan, situation, outlet.number, begin, end) for outlet in outlets)
    limits = []
    for at, (pool, *pieces) in _together(parts):
        each = [min(piece[1], limit) for piece, limit in zip(pieces, most, strict=True)]
        phases = [_phases(outlet, piece, pool) for outlet, piece in zip(outlets, pieces, strict=True)]
        used = max(phases)
        if is_current:
            limit = station.tenths_of_a(min(sum(each), pool[1]))
        else:
            milliwatt_parts = sum(
                of_one * on * outlet.voltage_mv
                for of_one, on, outlet in zip(each, phases, outlets, strict=True)
            )
            total = min(milliwatt_parts, pool[1] * used * station.voltage_mv)
            limit = total // (1000 * station.parts_per_tenth_a)
        limits.append((at, limit, used))
    return limits


# Now


def offer(plan: Plan, situation: Situation, number: int) -> Offer:
    """What may be offered on connector ``number`` now, and until when, by the same rules as the composite schedule.

    IEC 61851-1 has no value below 6 A: less than the least of the connector is a pause.
    """
    outlet = plan.site.outlet(number)
    begin = situation.now_s
    for ahead_s in LOOK_AHEADS_S:
        end = begin + ahead_s
        found = [
            (at, offered(outlet, parts), phases)
            for at, parts, phases in spans(plan, situation, number, begin, end)
        ]
        _, limit_a, phases = found[0]
        lasting_a = min(limit for at, limit, _ in found if at <= begin + HOLD_S)
        changes = (at for at, limit, on in found if (limit, on) != (limit_a, phases))
        until_s = next(changes, None)
        if until_s is not None:
            break
    else:
        has_profiles = bool(plan.station) or any(plan.transaction) or any(plan.default)
        until_s = end if has_profiles else None
    return Offer(limit_a=limit_a, lasting_a=lasting_a, phases=phases, until_s=until_s)


def offered(outlet: Outlet, parts: int) -> float:
    """``parts`` in A per phase, as the control pilot can tell it: 0 is a pause."""
    limit_a = outlet.tenths_of_a(parts) / 10
    return limit_a if limit_a >= outlet.current_min_a else 0.0
