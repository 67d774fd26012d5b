"""``statecharge tours``: test scripts from the model, and what they cover."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine import options

if TYPE_CHECKING:
    from engine.conformance.grounds import Ground
    from engine.conformance.script import Script
    from engine.conformance.tours import Planner

NOT_COVERED = "not-covered.txt"


@click.command()
@click.argument("station", required=False, default="full")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/tours"),
    show_default=True,
    help=f"Where the scripts go, and {NOT_COVERED}: what is in none of them.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Look at what may be done in another order."
)
@click.option(
    "--effort",
    type=click.IntRange(1),
    default=800,
    show_default=True,
    help="Moves made on each ground to find out what it has to offer.",
)
@click.option("--select", help="Grounds by name, with commas between them.  [default: all]")
@click.option("--run", "is_run", is_flag=True, help="Run them on our own engine, too, in virtual time.")
def tours(station: str, out: Path, seed: int, effort: int, select: str | None, is_run: bool) -> None:
    """Make test scripts from the model: all that STATION (default: full) can do on a test bench.

    They show every state, every transition and every pair of consecutive transitions of the machines that is found.
    Each is a file of JSON Lines, for `statecharge conformance --scripts`. With --run they are played on our own engine
    at once; ends with 1 if it does other than they say.
    """
    from engine.conformance.script import ScriptError
    from engine.conformance.tours import Planner
    from engine.conformance.transitions import Catalogue

    grounds = _selected(select)
    options.declared_station(station)  # one that cannot be read is told of once, and not for each ground
    planner = Planner(Catalogue(), station=station, effort=effort, seed=seed)
    scripts = options.in_one_line(lambda: _made(planner, grounds, out), (ScriptError, OSError))
    if is_run:
        sys.exit(_run(scripts, planner))


def _selected(select: str | None) -> "list[Ground]":
    from engine.conformance.grounds import GROUNDS

    grounds = {ground.name: ground for ground in GROUNDS}
    names = list(grounds) if select is None else [name.strip() for name in select.split(",")]
    for name in names:
        if name not in grounds:
            raise click.BadParameter(f"--select {name!r}; allowed: {', '.join(grounds)}.")
    return [grounds[name] for name in names]


def _made(planner: "Planner", grounds: "Sequence[Ground]", out: Path) -> "list[Script]":
    """Plan, write and tell the tours of each ground.

    Raises:
        ScriptError: The station is not one that any ground could be about, or networkx is not installed.
        OSError: They cannot be written.
    """
    from engine.conformance.script import ScriptError, encode
    from engine.conformance.terrain import ExtraMissingError
    from engine.progress import steps

    out.mkdir(parents=True, exist_ok=True)
    scripts: list[Script] = []
    refused: list[ScriptError] = []
    with steps(len(grounds), sys.stdout) as shown:
        for ground in grounds:
            shown.note(ground.name)
            for old in out.glob(f"{ground.name}-[0-9]*.jsonl"):
                old.unlink()
            try:
                found = planner.plan(ground)
            except ExtraMissingError:
                raise  # which no ground can be about
            except ScriptError as error:
                refused.append(error)
                shown.say(f"{ground.name:24} not for this station: {error}")
            else:
                for script in found:
                    (out / f"{script.header.script}.jsonl").write_text(encode(script), encoding="utf-8")
                shown.say(f"{ground.name:24} {len(found):4} scripts {_steps(found):6} steps  {ground.title}")
                scripts += found
            shown.advance()
    if refused and not scripts:
        raise refused[0]
    click.echo(f"{'':24} {len(scripts):4} scripts {_steps(scripts):6} steps in {out}/")
    _tell(planner, out)
    return scripts


def _steps(scripts: "Sequence[Script]") -> int:
    return sum(len(script.steps) for script in scripts)


def _tell(planner: "Planner", out: Path) -> None:
    """What is covered, and why the rest is not."""
    from engine.conformance.transitions import summary
    from engine.conformance.uncovered import reasons

    catalogue, covered = planner.catalogue, planner.covered
    ends = ", ".join(f"{count} {why}" for why, count in planner.ends.most_common())
    click.echo(f"why tours end: {ends or 'there are none'}")
    click.echo(f"covered by the model: {summary(catalogue, covered)}; {planner.moves} moves tried")
    vain = planner.reachable - covered
    missing = reasons(catalogue, covered, planner.reachable, planner.connectors)
    lines = sorted(f"{reason}: {catalogue.name(item)}" for item, reason in missing.items())
    (out / NOT_COVERED).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    shown = sum(not catalogue.is_pair(item) for item in covered)
    pairs, ways = len(covered) - shown, sum(map(catalogue.is_pair, planner.reachable | covered))
    between = sum(covered.issuperset(catalogue.parts(pair)) for pair in catalogue.pairs)
    click.echo(
        f"pairs: {pairs} of {ways} that the known ways have, {between} that fit together of what is covered"
    )
    for what, is_pair in (("transitions", False), ("pairs", True)):
        counted = Counter(reason for item, reason in missing.items() if catalogue.is_pair(item) is is_pair)
        click.echo(f"{what} not covered: {counted.total()}")
        for reason, count in counted.most_common():
            click.echo(f"  {count:6}  {reason}")
    click.echo(f"looked reachable, and was not: {len(vain)}; each one is in {out / NOT_COVERED}")


def _run(scripts: "Sequence[Script]", planner: "Planner") -> int:
    """Run the scripts on our own engine, and tell what it covered; the exit code."""
    from engine.conformance.in_memory import play_all
    from engine.conformance.transitions import Tally, summary
    from engine.progress import steps

    tally = Tally(planner.catalogue)
    deviations, seconds = 0, 0.0
    with steps(len(scripts), sys.stderr) as shown:
        for played in play_all(scripts, tally):
            seconds += played.seconds
            if played.deviation:
                deviations += 1
                shown.say(played.deviation)
            shown.advance()
    passed = f"{len(scripts) - deviations} of {len(scripts)} scripts passed"
    click.echo(f"run on our own engine: {passed}, {seconds / 3600:.1f} hours of virtual time")
    click.echo(f"covered by the engine: {summary(planner.catalogue, tally.items)}")
    return 1 if deviations else 0
