"""The pictures of a machine: all of it, and where it grew, what a session, a fault or an outage have to do with.

What belongs to a view is read from what happened: the transitions that were taken in its cases, and those of its
messages, whichever state they meet.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from engine.diagrams.dot import dot
from engine.diagrams.picture import Picture, condensed, focused, picture, standing
from engine.diagrams.render import render
from engine.dossier.drawn import Drawing
from engine.dossier.evidence import Run
from engine.dossier.sheet import best_fit
from engine.dossier.standing import Standing
from engine.dossier.transitions import Transition, transitions_of
from machines.machine import AnyMachine

LEGIBLE_PT = 5.0
"""The least size of type on paper."""


class View(NamedTuple):
    """Something that a machine is looked at for."""

    name: str
    """Of its files."""
    title: str
    cases: tuple[str, ...]
    """Ids of cases of the programme that show it."""
    messages: tuple[str, ...] = ()
    """What it begins or ends with."""


SESSION = View("session", "a normal session", ("003", "004_1", "004_2", "012", "068"))
FAULTS = View(
    "faults",
    "faults",
    ("024", "030", "032_1", "032_2", "041", "044_2", "044_3", "045_2"),
    (
        *("FaultRaised", "FaultCleared", "BecameFaulted", "FaultsEnded", "LockFailed", "CableHeld"),
        *("MeterReadFailed", "PowerFailing", "Resumed", "RestartFailed", "ResetFailed"),
        *("FetchFailed", "FirmwareCorrupt", "InstallFailed", "DeliveryFailed"),
    ),
)
OFFLINE = View(
    "offline",
    "offline and back again",
    ("034", "036", "037_1", "037_2", "037_3", "038", "039"),
    ("ConnectionClosed", "ConnectionFailed", "ConnectionOpened", "CallFailed"),
)
VIEWS = (SESSION, FAULTS, OFFLINE)


class Drawn(NamedTuple):
    """A picture, drawn so that it can be read on a sheet of A4."""

    name: str
    """Of its files."""
    title: str
    svg: str
    is_condensed: bool


@cache
def _svg(text: str) -> str:
    return render(text, "svg").decode()


def printed_size(svg: str) -> float:
    """The size of the smallest type of a drawing on a page of its own, in pt."""
    drawing = Drawing(svg)
    return best_fit(drawing.size)[1] * drawing.font_size_min


def legible(shown: Picture) -> tuple[str, bool]:
    """The drawing of ``shown``, and whether it had to be condensed for paper."""
    svg = _svg(dot(shown))
    if printed_size(svg) >= LEGIBLE_PT:
        return svg, False
    return _svg(dot(condensed(shown))), True


def drawn(kind: str, machine: type[AnyMachine], runs: Sequence[Run], where: Standing) -> Iterator[Drawn]:
    """The pictures of ``machine``, the whole of it first. Views only where the whole had to be condensed."""
    whole = standing(picture(kind, machine), where.of(kind))
    svg, is_condensed = legible(whole)
    yield Drawn(kind, "", svg, is_condensed)
    if not is_condensed:
        return
    table = transitions_of(kind, machine)
    before: set[frozenset[int]] = set()
    for view in VIEWS:
        numbers = frozenset(_numbers(view, table, runs))
        shown = focused(whole, numbers, view.title)
        ways = frozenset(line.number for move in shown.moves for line in move.lines)
        if ways and ways not in before:
            before.add(ways)
            yield Drawn(f"{kind}-{view.name}", view.title, *legible(shown))


def _numbers(view: View, table: Iterable[Transition], runs: Iterable[Run]) -> Iterator[int]:
    taken = {each for run in runs if run.result.id in view.cases for each in run.transitions}
    for each in table:
        if each.id in taken or each.row.message.__name__ in view.messages:
            yield each.number
