"""What a run of the conformance command is to do, from what the user wants and from a run that was interrupted."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from engine.conformance.cards import CardError, cards_of, told
from engine.conformance.case import Case
from engine.conformance.results import Header, Journal, JournalError
from engine.conformance.rig import RigError
from engine.conformance.rigs import Opener, rig_of
from engine.conformance.script import ScriptError
from engine.conformance.selection import SelectionError, in_order, part_of, select
from engine.id_tags import IdTagNames
from engine.speed import FastClock, SpeedError

LISTEN = ("127.0.0.1", 9000)
PROMPT = "prompt"
"""The rig where the user does not say."""
TOLERANCE_S = 1.5
"""How far times may be off, where the user does not say."""
TOLERANCE_S_PER_SPEED = 0.03
"""And so much more for each time that the clock is faster: what is late is late in real time."""


class PlanError(Exception):
    """The run cannot be played as it was asked for. One line, for the user."""


MENDABLE = (PlanError, CardError, JournalError, RigError, ScriptError, SelectionError, SpeedError)
"""What the user can mend."""


class Wishes(Struct, frozen=True, kw_only=True):
    """What the user said on the command line; None is nothing."""

    listen: tuple[str, int] | None = None
    tls: tuple[Path, Path | None] | None = None
    """Certificate and key."""
    identity: str | None = None
    password: str | None = None
    rig: str | None = None
    cards: tuple[tuple[str, str], ...] = ()
    """Name and idTag of each card at hand."""
    select: str | None = None
    scripts: Path | None = None
    declares: Path | None = None
    """TOML that the station file has beside what it extends: scripts for exactly such a station are for this one."""
    seed: int | None = None
    part: tuple[int, int] | None = None
    """Of the selected cases, this one and every so manieth after it."""
    sockets: tuple[int, ...] = ()
    files: str = ""
    """URL of a folder on the tester's server of files."""
    tethered: tuple[int, ...] = ()
    connectors: int | None = None
    tolerance_s: float | None = None
    speed: float | None = None
    patience_s: float = 300
    """How long to wait for the charge point, in real seconds."""
    out: Path = Path("out/conformance")
    resume: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """What is done."""

    wishes: Wishes
    cases: tuple[Case, ...]
    """In the order in which they are run, those that were run already among them."""
    journal: Journal | None
    """Of the run that goes on."""
    listen: tuple[str, int]
    identity: str | None
    rig: str
    open_rig: Opener
    cards: dict[str, str]
    """The idTags of the cards at hand, by name; none if their names are their idTags."""
    clock: FastClock | None
    """None is real time."""
    speed: float
    tolerance_s: float
    select: str
    scripts: str
    declares: str
    seed: int | None
    part: str


def prepare(wishes: Wishes) -> Plan:
    """Make a plan.

    Raises:
        PlanError, CardError, JournalError, RigError, ScriptError, SelectionError, SpeedError: Something asked for is
            not there, or does not fit the run that is to go on.
    """
    if wishes.tls is not None and wishes.tls[1] is None:
        raise PlanError("--tls-cert: must come with --tls-key")
    journal = Journal.resume(wishes.out) if wishes.resume else None
    before = None if journal is None else journal.header
    if before is not None:
        _check_same(wishes, before)
    scripts = str(wishes.scripts or "") if before is None else before.scripts
    declares = _text_of(wishes.declares) if before is None else before.declares
    known = _cases(Path(scripts) if scripts else None, declares)
    if before is None:
        selection, seed, part = wishes.select or "", wishes.seed, _name_of(wishes.part)
        cases = part_of(in_order(select(known, selection), seed), wishes.part)
    else:
        selection, seed, part = before.select, before.seed, before.part
        cases = _as_before(known, before)
    cards = cards_of(wishes.cards, known)
    if before is not None:
        cards = dict(before.declared.cards)
    rig = wishes.rig or (PROMPT if before is None else before.rig)
    speed = wishes.speed
    if speed is None:
        speed = 1.0 if before is None else before.speed
    clock = FastClock(speed, speed)
    if wishes.tolerance_s is not None:
        tolerance_s = wishes.tolerance_s
    elif before is not None:
        tolerance_s = before.tolerance_s
    else:
        tolerance_s = TOLERANCE_S + TOLERANCE_S_PER_SPEED * (speed - 1)
    return Plan(
        wishes=wishes,
        cases=tuple(cases),
        journal=journal,
        listen=wishes.listen or (LISTEN if before is None else _host_and_port(before.url)),
        identity=wishes.identity or (None if before is None else before.identity),
        rig=rig,
        open_rig=rig_of(rig, IdTagNames(cards)),
        cards=cards,
        clock=None if speed == 1 else clock,
        speed=speed,
        tolerance_s=tolerance_s,
        select=selection,
        scripts=scripts,
        declares=declares,
        seed=seed,
        part=part,
    )


def _text_of(path: Path | None) -> str:
    try:
        return "" if path is None else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"--declares {path}: {error}") from error


def _name_of(part: tuple[int, int] | None) -> str:
    return "" if part is None else f"{part[0]}/{part[1]}"


def _check_same(wishes: Wishes, before: Header) -> None:
    """A run goes on as it began."""
    said = {
        "--select": (wishes.select, before.select),
        "--scripts": (None if wishes.scripts is None else str(wishes.scripts), before.scripts),
        "--declares": (wishes.declares and _text_of(wishes.declares), before.declares),
        "--seed": (wishes.seed, before.seed),
        "--part": (_name_of(wishes.part) or None, before.part),
        "--speed": (wishes.speed, before.speed),
        "--card": (told(dict(wishes.cards)) or None, told(before.declared.cards)),
        "--identity": (wishes.identity, before.identity),
    }
    for option, (found, wanted) in said.items():
        if found is not None and found != wanted:
            raise PlanError(f"{option} {found}: the run that is to be resumed has {wanted!r}; leave it out")


def _as_before(known: Sequence[Case], before: Header) -> list[Case]:
    by_name = {case.name: case for case in known}
    if missing := [name for name in before.cases if name not in by_name]:
        raise PlanError(f"the run that is to be resumed has a case {missing[0]}, which is no more")
    return [by_name[name] for name in before.cases]


def _host_and_port(url: str) -> tuple[str, int]:
    """Of the address that a journal names."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.hostname or LISTEN[0], parts.port or LISTEN[1]


def _cases(scripts: Path | None, declares: str) -> list[Case]:
    """The test cases, then the scripts in a file or a directory, for a station that ``declares`` so."""
    from engine.conformance.cases import CASES
    from engine.conformance.scripted import cases_of

    return [*CASES, *(() if scripts is None else cases_of(scripts, declares))]
