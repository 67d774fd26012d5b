"""A whole run: make mutants of machines, let the suites judge them, and tell what was found."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from msgspec import Struct

from engine.conformance.script import Script, ScriptError, read
from engine.mutation.checks import Check, Measured, MutationError, Verdict
from engine.mutation.explained import explanations, stale
from engine.mutation.journal import About, Journal, about
from engine.mutation.judge import Judge
from engine.mutation.mutants import Mutant, is_name, mutants_of
from engine.mutation.rehearsed import SUITE, checks_of
from engine.mutation.report import report, unexplained
from engine.mutation.suites import SUITES, Collected
from engine.progress import steps
from machines.routes import KINDS


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    machines: tuple[str, ...] = ()
    """Kinds of machines, or names of mutants; none is all."""
    suites: tuple[str, ...] = ()
    """Those that may catch; none is all."""
    tests: tuple[str, ...] = ("tests",)
    """Files and folders of tests."""
    jobs: int = 1
    seed: int = 0
    sample: int | None = None
    """How many mutants, chosen with ``seed``."""
    tours: Path | None = None
    """A folder of tours; they take part if it is there."""
    out: Path
    """The journal."""
    explained: Path | None = None
    """Explanations, if not those that ship with the tool."""


def judge_all(wanted: Wanted, stdout: TextIO, stderr: TextIO) -> int:
    """Judge the mutants that are wanted; return 1 if one survives that is not explained.

    Raises:
        MutationError: What is wanted does not exist, or the tests cannot be run.
    """
    root = Path.cwd()
    explained = explanations(wanted.explained)
    chosen = _chosen(wanted)
    known = {mutant.name for mutant in _all_mutants()}
    gone = stale(explained, known)
    if gone:
        raise MutationError(f"explained, but there is no such mutant: {gone[0]}")
    for suite in wanted.suites:
        if suite not in SUITES:
            raise MutationError(f"found suite {suite!r}, allowed is one of {', '.join(SUITES)}")
    verdicts: list[Verdict] = []

    tours = list(checks_of(_scripts(wanted, stdout)))

    def body(checks: list[Check]) -> None:
        asked = [check for check in (*checks, *tours) if not wanted.suites or check.suite in wanted.suites]
        with (
            Journal(wanted.out, _about(root, wanted)) as journal,
            tempfile.TemporaryDirectory(prefix="mutants-") as scratch,
        ):
            judge = Judge(KINDS, asked, tuple(SUITES), wanted.jobs, Path(scratch))
            judge.know(_measured(judge, journal, asked, stderr))
            verdicts.extend(_judged(judge, journal, asked, chosen, stderr))

    Collected(root, wanted.tests).with_checks(body)
    for line in report(verdicts, explained, tuple(SUITES)):
        print(line, file=stdout)
    return 1 if unexplained(verdicts, explained) else 0


def _scripts(wanted: Wanted, stdout: TextIO) -> list[Script]:
    """The tours, if they take part.

    Raises:
        MutationError: A file is no script.
    """
    if wanted.tours is None or (wanted.suites and SUITE not in wanted.suites):
        return []
    files = sorted(wanted.tours.glob("*.jsonl"))
    if not files:
        print(f"found no tours in {wanted.tours}; statecharge tours makes them", file=stdout)
    try:
        return [read(file) for file in files]
    except ScriptError as error:
        raise MutationError(str(error)) from error


def _about(root: Path, wanted: Wanted) -> About:
    folders = () if wanted.tours is None else (wanted.tours,)
    return about(root, folders, (*wanted.tests, *sorted(wanted.suites)))


def _all_mutants() -> list[Mutant]:
    return [mutant for kind, machine in KINDS.items() for mutant in mutants_of(kind, machine)]


def _chosen(wanted: Wanted) -> list[Mutant]:
    """The mutants that are wanted, in the order of machines and rows.

    Raises:
        MutationError: There is no such machine, or mutant.
    """
    everything = _all_mutants()
    names = {mutant.name for mutant in everything}
    for name in wanted.machines:
        if name not in KINDS and name not in names:
            allowed = "a mutant of a row that is there" if is_name(name) else f"one of {', '.join(KINDS)}"
            raise MutationError(f"found machine {name!r}, allowed is {allowed}")
    chosen = [
        mutant
        for mutant in everything
        if not wanted.machines or mutant.kind in wanted.machines or mutant.name in wanted.machines
    ]
    if wanted.sample is not None and wanted.sample < len(chosen):
        places = random.Random(wanted.seed).sample(range(len(chosen)), wanted.sample)  # noqa: S311
        chosen = [chosen[place] for place in sorted(places)]
    return chosen


def _measured(judge: Judge, journal: Journal, checks: Sequence[Check], stderr: TextIO) -> list[Measured]:
    names = {check.name for check in checks}
    if not names <= set(journal.measured):
        journal.measured.clear()
        with steps(len(names), stderr) as shown:
            shown.note("tests, without a fault")
            for one in judge.measure():
                journal.keep(one)
                shown.advance()
    failing = [one for one in journal.measured.values() if one.failure and one.check in names]
    for one in failing:
        print(f"does not count, it fails without any fault: {one.check}: {one.failure}", file=stderr)
    return [one for one in journal.measured.values() if one.check in names]


def _judged(
    judge: Judge, journal: Journal, checks: Sequence[Check], chosen: Sequence[Mutant], stderr: TextIO
) -> list[Verdict]:
    names = {check.name for check in checks}
    held = {
        name: verdict
        for name, verdict in journal.verdicts.items()
        if not verdict.is_caught or verdict.check in names
    }
    waiting = [mutant for mutant in chosen if mutant.name not in held]
    survived = sum(not held[mutant.name].is_caught for mutant in chosen if mutant.name in held)
    with steps(len(waiting), stderr) as shown:
        for verdict in judge.judge(waiting):
            journal.keep(verdict)
            survived += not verdict.is_caught
            shown.note(f"mutants, {survived} not caught")
            shown.advance()
    return [journal.verdicts[mutant.name] for mutant in chosen]
