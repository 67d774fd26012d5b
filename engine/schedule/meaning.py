"""What a set of charging profiles means on a declared station: rows for the table, lines for the chart."""

from collections.abc import Iterable

from msgspec import Struct

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
    if "SetChargingProfile" not in station.settings.receives:
        raise ScheduleError(f"{station.path} does not receive SetChargingProfile")
    running = tuple(_running(found, question, connectors))
    book, refused = _installed(station, found, running, question.at_s)
    plan = plan_of(book, site_of(station.settings, station.defaults))
    situation = Situation(
        now_s=question.at_s,
        running=running,
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
    """A transaction for each connector that has a TxProfile, or that is asked about with its begin."""
    started_s = question.at_s if question.started_s is None else question.started_s
    ids: dict[int, int | None] = {}
    for one in found:
        request = one.request
        if isinstance(request, CallError) or not 0 < request.connector_id <= connectors:
            continue
        profile = request.cs_charging_profiles
        if profile.charging_profile_purpose is TX_PROFILE:
            ids[request.connector_id] = ids.get(request.connector_id) or profile.transaction_id
    if question.started_s is not None and question.connector:
        ids.setdefault(question.connector, None)
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
    station = station_part(plan, situation, begin, end)
    least = outlet.parts_of_a(outlet.current_min_a)
    rows = []
    for start, tenths, phases in found.periods:
        if found.unit is ChargingRateUnitType.A:
            enough = outlet.tenths_of_a(least)
        else:
            enough = outlet.tenths_of_w(least, phases)
        said = (_at(own, begin + start), _at(station, begin + start))
        rows.append(
            Row(
                from_s=begin + start,
                limit=tenths / 10,
                phases=phases,
                by=_by(outlet, situation, question, said, names),
                is_pause=tenths < enough,
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


def _by(
    outlet: Outlet,
    situation: Situation,
    question: Question,
    said: tuple[Piece | None, Piece | None],
    names: dict[int, str],
) -> str:
    """What sets the limit: a profile of the transaction, one of the station, or the hardware."""
    if question.connector == 0:
        least, by = outlet.parts_of_a(sum(situation.ceilings_a)), "sum of the connectors"
    else:
        least, by = outlet.parts_of_a(situation.ceilings_a[question.connector - 1]), "hardware"
    for piece in said:
        if piece is not None and piece[3] != NO_PROFILE and piece[1] <= least:
            least, by = piece[1], names[piece[3]]
    return by


# The chart


def _lines(plan: Plan, situation: Situation, question: Question) -> tuple[Line, ...]:
    outlet = plan.site.outlet(question.connector)
    begin, end = situation.now_s, situation.now_s + max(1, question.duration_s)
    lines = []
    if question.connector:
        own = transaction_part(plan, situation, question.connector, begin, end)
        lines.append(_line("transaction", own, outlet, question.unit))
    lines.append(_line("station", station_part(plan, situation, begin, end), outlet, question.unit))
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
