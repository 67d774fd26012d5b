"""What a set of charging profiles means on a declared station: rows for the table, lines for the chart."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from engine.declaration.station import Station
from engine.schedule.errors import ScheduleError
from engine.schedule.profiles_file import Found
from machines.smart_charging.prepare import Piece, Plan, plan_of
from machines.smart_charging.profiles import (
    TX_PROFILE,
    Book,
    Refusal,
    Running,
    bounds_of,
    install,
)
from machines.smart_charging.schedule import (
    NO_PROFILE,
    Situation,
    composite,
    station_part,
    transaction_part,
)
from machines.smart_charging.site import UNLIMITED, Outlet, site_of
from machines.vocabulary.ocpp import ChargingRateUnitType
from machines.vocabulary.wire import CallError

ALL_TOGETHER = "sum of the connectors"


class Question(Struct, frozen=True, kw_only=True):
    """What is asked."""

    at_s: int
    duration_s: int
    connector: int
    unit: ChargingRateUnitType
    started_s: int | None = None
    """When the transaction began; None: at ``at_s``."""
    cable_a: float | None = None
    """What the cable carries; None: as much as the connector."""
    charging: frozenset[int] = frozenset()
    """Connectors where a transaction runs, whatever the profiles say."""


class Row(Struct, frozen=True, kw_only=True):
    """A limit over some time."""

    from_s: int
    limit: float
    phases: int
    by: str
    """What sets it."""
    is_pause: bool
    """Too little to charge with."""


class Line(Struct, frozen=True):
    """A limit on its own: from when (s) how much; None is no limit."""

    name: str
    steps: tuple[tuple[int, float | None], ...]


class Meaning(Struct, frozen=True, kw_only=True):
    """The answer."""

    station: str
    question: Question
    installed: int
    refused: tuple[str, ...]
    """A line for each profile that is not taken."""
    transaction: Running | None
    """That is supposed to run, because a profile needs one."""
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    """What goes into the limit. Of connector 0, nothing but the station's own."""


def meaning_of(station: Station, found: tuple[Found, ...], question: Question) -> Meaning:
    """What the profiles ``found`` mean on ``station``.

    Raises:
        ScheduleError: The station has no such connector, or does not know smart charging.
    """
    connectors = len(station.settings.connectors)
    if not 0 <= question.connector <= connectors:
        raise ScheduleError(f"there is no connector {question.connector}; allowed: 0..{connectors}")
    for number in sorted(question.charging):
        if not 1 <= number <= connectors:
            raise ScheduleError(f"there is no connector {number} to charge; allowed: 1..{connectors}")
    if "SetChargingProfile" not in station.settings.receives:
        raise ScheduleError(f"{station.path} does not receive SetChargingProfile")
    running = tuple(_running(found, question, connectors))
    book, refused = _installed(station, found, running, question.at_s)
    plan = plan_of(book, site_of(station.settings, station.defaults))
    situation = Situation(
        now_s=question.at_s,
        running=running,
        installation_a=station.settings.installation.current_max_a,
        ceilings_a=tuple(
            min(
                connector.current_max_a,
                float(station.defaults.connector_maximum_current),
                question.cable_a or connector.current_max_a,
            )
            for connector in station.settings.connectors
        ),
    )
    lines = _lines(plan, situation, question)
    return Meaning(
        station=station.csms.identity,
        question=question,
        installed=len(book),
        refused=refused,
        transaction=next((one for one in running if one.connector == question.connector), None),
        rows=_rows(plan, situation, question, _names(book)),
        lines=lines,
    )


def _running(found: Iterable[Found], question: Question, connectors: int) -> Iterable[Running]:
    """A transaction for each connector that has a TxProfile, that is said to charge, or asked about with its begin."""
    started_s = question.at_s if question.started_s is None else question.started_s
    ids: dict[int, int | None] = {}
    for one in found:
        request = one.request
        if isinstance(request, CallError) or not 0 < request.connector_id <= connectors:
            continue
        profile = request.cs_charging_profiles
        if profile.charging_profile_purpose is TX_PROFILE:
            ids[request.connector_id] = ids.get(request.connector_id) or profile.transaction_id
    asked = {question.connector} if question.started_s is not None and question.connector else set()
    for number in question.charging | asked:
        ids.setdefault(number, None)
    for connector, transaction_id in sorted(ids.items()):
        yield Running(
            connector=connector, local_id=connector, transaction_id=transaction_id, started_s=started_s
        )


def _installed(
    station: Station, found: Iterable[Found], running: tuple[Running, ...], now_s: int
) -> tuple[Book, tuple[str, ...]]:
    bounds = bounds_of(station.defaults)
    connectors = len(station.settings.connectors)
    book: Book = ()
    refused: list[str] = []
    for one in found:
        if isinstance(one.request, CallError):
            refused.append(f"{one.name}: CALLERROR {one.request.code}, {one.request.description}")
            continue
        outcome = install(
            book, one.request, bounds=bounds, connectors=connectors, running=running, now_s=now_s
        )
        if isinstance(outcome, Refusal):
            answer = "CALLERROR PropertyConstraintViolation" if outcome.is_no_connector else "Rejected"
            refused.append(f"{one.name}: {answer}, {outcome.why}")
        else:
            book = outcome
    return book, tuple(refused)


# The table


def _names(book: Book) -> dict[int, str]:
    """What the profiles of ``book`` are called, by chargingProfileId."""
    return {
        one.profile.charging_profile_id: f"{one.profile.charging_profile_purpose} {one.profile.charging_profile_id}"
        for one in book
    }


def _rows(plan: Plan, situation: Situation, question: Question, names: dict[int, str]) -> tuple[Row, ...]:
    found = composite(plan, situation, question.connector, question.duration_s, question.unit)
    outlet = plan.site.outlet(question.connector)
    begin, end = situation.now_s, situation.now_s + max(1, question.duration_s)
    own: list[Piece] = []
    if question.connector:
        own = transaction_part(plan, situation, question.connector, begin, end)
    station = station_part(plan, replace(situation, installation_a=None), begin, end)
    least = outlet.parts_of_a(outlet.current_min_a)
    rows = []
    for start, tenths, phases in found.periods:

        def told(parts: int, on: int = phases) -> int:
            is_current = found.unit is ChargingRateUnitType.A
            return outlet.tenths_of_a(parts) if is_current else outlet.tenths_of_w(parts, on)

        own_limits = _own_limits(outlet, situation, question, _at(own, begin + start), names)
        pools = _pools(plan, situation, _at(station, begin + start), names)
        most, by = min((*own_limits, *pools), key=lambda limit: limit[0])
        if tenths < told(most):
            by = _shared_by(question, pools, is_nothing=not tenths)
        rows.append(
            Row(
                from_s=begin + start,
                limit=tenths / 10,
                phases=phases,
                by=by,
                is_pause=tenths < told(least),
            )
        )
    return tuple(rows)


def _at(pieces: list[Piece], at_s: int) -> Piece | None:
    """What is said at ``at_s``."""
    found = None
    for piece in pieces:
        if piece[0] <= at_s:
            found = piece
    return found


def _own_limits(
    outlet: Outlet, situation: Situation, question: Question, said: Piece | None, names: dict[int, str]
) -> list[tuple[int, str]]:
    """What holds for the connector alone, in parts, and what sets it; profiles come first."""
    limits = [(said[1], names[said[3]])] if said is not None and said[3] != NO_PROFILE else []
    if question.connector:
        return [*limits, (outlet.parts_of_a(situation.ceilings_a[question.connector - 1]), "hardware")]
    return [(outlet.parts_of_a(sum(situation.ceilings_a)), ALL_TOGETHER)]


def _pools(
    plan: Plan, situation: Situation, said: Piece | None, names: dict[int, str]
) -> list[tuple[int, str]]:
    """What holds for all connectors together, likewise."""
    limits = [(said[1], names[said[3]])] if said is not None and said[3] != NO_PROFILE else []
    if situation.installation_a is not None:
        limits.append((plan.site.station.parts_of_a(situation.installation_a), "installation"))
    return limits


def _shared_by(question: Question, pools: list[tuple[int, str]], *, is_nothing: bool) -> str:
    """What sets a limit that is less than any that holds by itself."""
    if question.connector == 0:
        return ALL_TOGETHER
    _, by = min(pools, key=lambda limit: limit[0])
    return f"{by}, not its turn" if is_nothing else f"{by}, shared"


# The chart


def _lines(plan: Plan, situation: Situation, question: Question) -> tuple[Line, ...]:
    outlet = plan.site.outlet(question.connector)
    begin, end = situation.now_s, situation.now_s + max(1, question.duration_s)
    lines = []
    if question.connector:
        own = transaction_part(plan, situation, question.connector, begin, end)
        lines.append(_line("transaction", own, outlet, question.unit))
    station = station_part(plan, replace(situation, installation_a=None), begin, end)
    lines.append(_line("station", station, outlet, question.unit))
    if situation.installation_a is not None:
        most = outlet.parts_of_a(situation.installation_a)
        lines.append(_line("installation", [(begin, most, outlet.phases, NO_PROFILE)], outlet, question.unit))
    if question.connector:
        most = outlet.parts_of_a(situation.ceilings_a[question.connector - 1])
        lines.append(_line("hardware", [(begin, most, outlet.phases, NO_PROFILE)], outlet, question.unit))
    return tuple(lines)


def _line(name: str, pieces: list[Piece], outlet: Outlet, unit: ChargingRateUnitType) -> Line:
    def value(parts: int, phases: int) -> float | None:
        if parts >= UNLIMITED:
            return None
        if unit is ChargingRateUnitType.A:
            return outlet.tenths_of_a(parts) / 10
        return outlet.tenths_of_w(parts, phases) / 10

    return Line(name, tuple((at, value(parts, phases)) for at, parts, phases, _ in pieces))
