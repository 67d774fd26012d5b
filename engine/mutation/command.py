"""``statecharge mutate``: small faults in the machines, and which tests notice."""

import sys
from pathlib import Path

import click

from engine import options


@click.command()
@click.argument("machines", nargs=-1)
@click.option("--suite", "suites", multiple=True, help="Only this suite may catch. May be repeated.")
@click.option(
    "--tests",
    multiple=True,
    metavar="PATH",
    default=("tests",),
    show_default=True,
    help="Only these tests may catch: a file, a folder, or a single test as pytest names it. May be repeated.",
)
@click.option(
    "--tours",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/tours"),
    show_default=True,
    help="Scripts of `statecharge tours`; they are rehearsed as well.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes at a time.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="N mutants, chosen at random.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the choice.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("out/mutants.jsonl"),
    show_default=True,
    help="Findings, a line each; a run that was interrupted goes on from there.",
)
@click.option(
    "--explained",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Why some are not caught, if not as shipped.",
)
def mutate(
    machines: tuple[str, ...],
    suites: tuple[str, ...],
    tests: tuple[str, ...],
    tours: Path,
    jobs: int,
    sample: int | None,
    seed: int,
    out: Path,
    explained: Path | None,
) -> None:
    """Put small faults into MACHINES (default: all of them), one at a time, and tell which tests notice.

    A name of a mutant, as in the report, stands for this one alone. Runs in a checkout. The exit code is 1 if a fault
    goes unnoticed that is not explained.
    """
    from engine.mutation.checks import MutationError
    from engine.mutation.run import Wanted, judge_all

    wanted = Wanted(
        machines=machines,
        suites=suites,
        tests=tests,
        tours=tours,
        jobs=jobs,
        sample=sample,
        seed=seed,
        out=out,
        explained=explained,
    )
    sys.exit(options.in_one_line(lambda: judge_all(wanted, sys.stdout, sys.stderr), (MutationError,)))
