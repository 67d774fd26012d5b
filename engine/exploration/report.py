"""What an exploration prints."""

from collections.abc import Iterable, Iterator

from engine.exploration.work import Outcome, Violation, Wish
from engine.station_file import load
from machines.machine import Row, rows
from machines.model.explained import left_to_one, reasons
from machines.model.explore import Exploration
from machines.routes import KINDS, REQUESTS
from machines.vocabulary import ocpp

HEAD = (
    f"{'alphabet':32} {'from':10} {'states':>9} {'moves':>11} {'transitions':>12} {'depth':>5} {'seconds':>8}"
)

CHECKED = (
    "Looked at in every state: a transition for each message, contactor and offer, an owner for each running timer;",
    "over every step: what is sent, answered, admitted and recorded, and the status table.",
)


def head(wish: Wish) -> Iterator[str]:
    """The lines above the table."""
    depth = f" and {wish.depth} moves" if wish.depth is not None else ""
    connectors = _counted(wish.connectors, "connector")
    yield f"{wish.station}, {connectors}: up to {wish.states:,} states{depth} from each place"
    if wish.fault:
        yield f"with a fault: {wish.fault}"
    yield ""
    yield HEAD


def lines(outcome: Outcome) -> Iterator[str]:
    """The lines of one alphabet."""
    name = outcome.alphabet
    for place in outcome.places:
        yield _line(name, place.name, place.found, place.seconds)
        name = ""
    if outcome.walked:
        yield f"{'':32} {'walks':10} {'':9} {outcome.walked:11,} {'':12} {'':5} {outcome.walk_seconds:8.1f}"


def _line(name: str, place: str, found: Exploration, seconds: float) -> str:
    end = "violated" if found.broken or found.stranded else "complete" if found.is_complete else ""
    sizes = f"{found.states:9,} {found.moves:11,} {found.transitions:12,} {found.depth:5}"
    return f"{name:32} {place:10} {sizes} {seconds:8.1f}  {end}".rstrip()


def sums(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The lines below the table."""
    outcomes = list(outcomes)
    founds = [place.found for outcome in outcomes for place in outcome.places]
    seconds = sum(place.seconds for outcome in outcomes for place in outcome.places)
    steps = sum(found.steps for found in founds)
    yield ""
    yield (
        f"{_counted(len(outcomes), 'alphabet')}: {sum(found.states for found in founds):,} states,"
        f" {sum(found.moves for found in founds):,} moves,"
        f" {sum(found.transitions for found in founds):,} transitions of machines;"
        f" {steps:,} composed steps in {seconds:.1f} s of one core, {steps / max(seconds, 0.001):,.0f} a second."
    )
    yield from CHECKED
    complete = sum(found.is_complete for found in founds)
    cut = [found for found in founds if not found.is_complete]
    yield (
        "All connectors can become Available again: from every state of"
        f" {_counted(complete, 'complete exploration')};"
        f" of {len(cut)} that were cut a way back was seen from {sum(found.freeable for found in cut):,}"
        f" of {sum(found.states for found in cut):,} states, the others are at the edge."
    )


def missing(
    wish: Wish, outcomes: Iterable[Outcome]
) -> tuple[dict[tuple[str, Row], str], list[tuple[str, Row]]]:
    """The rows that nobody took: those that are explained, with their reason, and the others."""
    station = load(wish.station)
    connectors = station.settings.connectors[: wish.connectors]
    explained = reasons(connectors) | left_to_one(connectors)
    taken = frozenset[tuple[str, Row]]().union(*(outcome.rows for outcome in outcomes))
    left = [
        (kind, row) for kind, machine in KINDS.items() for row in rows(machine) if (kind, row) not in taken
    ]
    known = {one: explained[one] for one in left if one in explained}
    return known, [one for one in left if one not in explained]


def takes_everything(wish: Wish) -> bool:
    """Whether the station takes every request that a machine serves: else there are rows that it has no use for."""
    receives = load(wish.station).settings.receives
    return {request.__name__ for request in REQUESTS if request.__name__ in ocpp.ACTIONS} <= receives


def dead(known: dict[tuple[str, Row], str], unknown: list[tuple[str, Row]]) -> Iterator[str]:
    """The lines on rows that nobody took."""
    total = sum(len(rows(machine)) for machine in KINDS.values())
    taken = total - len(known) - len(unknown)
    yield f"{taken} of {total} rows of all machines were taken; {len(known)} never, and there is a reason:"
    for reason in dict.fromkeys(known.values()):
        yield f"  {reason}"
        for (kind, row), why in known.items():
            if why == reason:
                yield f"    {_named(kind, row)}"
    if unknown:
        yield f"{len(unknown)} were never taken, and nobody says why:"
        yield from (f"    {_named(kind, row)}" for kind, row in unknown)


def _named(kind: str, row: Row) -> str:
    guards = " and ".join(name if expected else f"not {name}" for name, expected in row.guards)
    return f"{kind}: {row.source}, {row.message.__name__} ({row.clause}){f' [{guards}]' * bool(guards)}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def violated(violation: Violation) -> str:
    """The line above a trace."""
    return f"{violation.alphabet}, from {violation.place}: {'; '.join(violation.what)}"
