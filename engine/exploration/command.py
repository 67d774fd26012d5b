"""``statecharge explore``: the composed machines searched for what must not be."""

import sys
from pathlib import Path

import click

from engine import options


@click.command()
@click.argument("station", required=False)
@click.option(
    "--connectors", type=click.IntRange(1), metavar="N", help="Its first N.  [default: all declared]"
)
@click.option(
    "--alphabet", "alphabets", multiple=True, metavar="NAME", help="Only this one. May be repeated."
)
@click.option(
    "--states",
    type=click.IntRange(1),
    default=20_000,
    show_default=True,
    metavar="N",
    help="To visit from each place.",
)
@click.option("--depth", type=click.IntRange(1), metavar="N", help="Moves to go from there.")
@click.option(
    "--walks",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="Of 1,000 moves at random, for each alphabet.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the walks.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes at a time.")
@click.option(
    "--fault",
    default="",
    metavar="NAME",
    help="Break a machine first: a fault as `statecharge mutate` names them. Shows what the exploration makes of it.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Where the sequence diagrams of violations go.",
)
def explore(
    station: str | None,
    connectors: int | None,
    alphabets: tuple[str, ...],
    states: int,
    depth: int | None,
    walks: int,
    seed: int,
    jobs: int,
    fault: str,
    out: Path,
) -> None:
    """Go through the states of all machines of STATION together: a file, or a shipped one (ac-smart, full).

    Each alphabet lets other things happen, breadth-first up to the bounds. The exit code is 1 if something is not as it
    must be; the shortest way there is printed and drawn.
    """
    from engine.exploration.run import conduct
    from engine.exploration.work import ExplorationError, wish_for
    from engine.station_file import StationFileError

    def run() -> int:
        wish = wish_for(
            station or options.default_station(),
            connectors=connectors,
            names=alphabets,
            states=states,
            depth=depth,
            walks=walks,
            seed=seed,
            fault=fault,
        )
        return conduct(wish, jobs, out, sys.stdout)

    try:
        sys.exit(options.in_one_line(run, (ExplorationError,)))
    except StationFileError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
