"""All figures: ``python -m benchmarks [--quick] [--only N] [--out FILE]``."""

import argparse
import compileall
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.charging import idle, sessions
from benchmarks.contenders import Stage
from benchmarks.measure import ROOT, Program
from benchmarks.reacting import reacting
from benchmarks.report import Figure, document, markdown, shown
from benchmarks.starting import cold_start, many

LIMITS = Path(__file__).with_name("limits.md")
"""What limits each figure, by hand."""


class Scale(NamedTuple):
    """How much of everything."""

    starts: int
    idle_s: float
    rounds: int
    sessions: int
    logged: int
    reactions: int
    calls: int
    cycles: int
    offline_sessions: int
    stations: tuple[int, ...]
    hours: float
    plays: int


FULL = Scale(15, 60, 5, 200, 60, 200, 500, 60, 834, (1, 10, 100), 24, 5)
QUICK = Scale(2, 3, 2, 8, 4, 8, 30, 3, 20, (1, 5), 2, 1)
TINY = Scale(1, 0.2, 1, 1, 1, 1, 3, 1, 2, (1, 2), 0.1, 1)
"""Whether it works at all."""


def virtual_time(_stage: Stage, hours: float, plays: int) -> Figure:
    """Figure 8."""
    found = []
    for _ in range(plays):
        with Program("-m", "benchmarks.virtual_time", str(hours)) as program:
            found.append(program.read())
    rows = [
        ["", f"{plays} x {hours:g} h"],
        ["hours of charging per second", shown([one["hours"] / one["wall_s"] for one in found])],
        ["hours of charging per CPU second", shown([one["hours"] / one["cpu_s"] for one in found])],
    ]
    note = (
        "A vehicle charges, a sample a minute, the engine and both ends of the websocket code in one process."
    )
    return Figure(8, "Virtual time", "none", rows, note)


def figures(scale: Scale, only: Sequence[int]) -> list[Figure]:
    """Measure."""
    parts: list[tuple[tuple[int, ...], Callable[[Stage], Figure | tuple[Figure, ...]]]] = [
        ((1,), lambda stage: cold_start(stage, scale.starts)),
        ((2, 4), lambda stage: sessions(stage, scale.rounds, scale.sessions, scale.logged)),
        ((3,), lambda stage: idle(stage, scale.idle_s)),
        (
            (5, 6),
            lambda stage: reacting(stage, scale.reactions, scale.calls, scale.cycles, scale.offline_sessions),
        ),
        ((7,), lambda stage: many(stage, scale.stations)),
        ((8,), lambda stage: virtual_time(stage, scale.hours, scale.plays)),
    ]
    found: list[Figure] = []
    for numbers, measure in parts:
        if only and not set(numbers) & set(only):
            continue
        with Stage() as stage:
            began = time.monotonic()
            measured = measure(stage)
            new = [measured] if isinstance(measured, Figure) else list(measured)
            for figure in new:
                print(markdown(figure), end="\n\n", flush=True)
            print(f"({time.monotonic() - began:.0f} s)\n", file=sys.stderr, flush=True)
            found += new
    return sorted(found)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="less of everything, under a minute")
    parser.add_argument("--tiny", action="store_true", help="only whether it works")
    parser.add_argument("--only", type=int, action="append", default=[], metavar="N", help="figure N")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the document there, too")
    arguments = parser.parse_args()
    scale = TINY if arguments.tiny else QUICK if arguments.quick else FULL
    for folder in (*(ROOT / name for name in ("engine", "machines", "drivers", "benchmarks")), _packages()):
        compileall.compile_dir(folder, quiet=2)
    before = os.getloadavg()[0]
    found = figures(scale, arguments.only)
    if arguments.out is not None:
        load = (before, os.getloadavg()[0])
        form = "make bench" if scale == FULL else f"python -m benchmarks {' '.join(sys.argv[1:])}"
        limits = LIMITS.read_text(encoding="utf-8")
        arguments.out.write_text(document(found, load, form, limits), encoding="utf-8")


def _packages() -> Path:
    return Path(sysconfig.get_path("purelib"))


if __name__ == "__main__":
    main()
