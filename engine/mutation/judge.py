"""Which check notices a mutant: each is judged in a process of its own, by the checks that take its row.

The checks are run once without any fault. What is measured then says which of them a mutant can matter to, in which
order they are asked, and how long each may take: a check that goes on for much longer has noticed.
"""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from trio.testing import MockClock

from engine.mutation.checks import Check, Measured, MutationError, Verdict
from engine.mutation.forks import Ended, Forks, Tell
from engine.mutation.mutants import Mutant, Operator, install
from engine.mutation.watch import Remembered, Watch
from machines.machine import AnyMachine, rows

CPU_S = 2.0
"""Computing time that a check may take beside ten times what it took without a fault."""
VIRTUAL_S = 10_800.0
"""How much farther than without a fault a check may move the clock of Trio: three hours."""
SILENCE_S = 120.0
"""How long a check may hang beside ten times the computing time that it took without a fault."""
MEASURING_S = 600.0
"""How long a check without a fault may take."""
MEMORY = 2 << 30
"""Bytes that a process with a fault may take."""

Kinds = Mapping[str, type[AnyMachine]]


class Judge:
    """Judges mutants of ``kinds`` by ``checks``, ``jobs`` at a time.

    Args:
        kinds: Every kind of machine.
        checks: In the order in which they are to be run without a fault.
        order: The suites, those first that a mutant shall meet first.
        jobs: How many processes to use.
        scratch: A folder for what the checks write.
    """

    def __init__(
        self, kinds: Kinds, checks: Sequence[Check], order: Sequence[str], jobs: int, scratch: Path
    ) -> None:
        self._scratch = scratch
        self._kinds = kinds
        self._checks = {check.name: check for check in checks}
        self._place = {check.name: number for number, check in enumerate(checks)}
        self._order = {suite: number for number, suite in enumerate(order)}
        self._jobs = jobs
        self._measured: dict[str, Measured] = {}

    # Without a fault

    def measure(self, known: Collection[str] = ()) -> Iterator[Measured]:
        """Run every check as it is, and say what is known of it then; but for files all of whose checks are ``known``.

        Raises:
            MutationError: A check ended the process.
        """
        forks = Forks(self._jobs)
        waiting = (checks for checks in self._files() if not all(check.name in known for check in checks))
        checks = next(waiting, None)
        try:
            while checks or not forks.is_idle:
                if checks and not forks.is_full:
                    self._start_measuring(forks, checks)
                    checks = next(waiting, None)
                else:
                    yield from self._measured_in(forks.wait())
        finally:
            forks.close()

    def _start_measuring(self, forks: Forks, checks: list[Check]) -> None:
        forks.start(checks, lambda tell: self._measure(checks, tell), MEASURING_S)

    def _measured_in(self, ended: Ended) -> Iterator[Measured]:
        shutil.rmtree(self._scratch / str(ended.pid), ignore_errors=True)
        if ended.status:
            at = ended.key[len(ended.told)].name
            raise MutationError(f"{at}: it ended the process with {ended.status}, without any fault")
        for members in ended.told:
            yield Measured(**members)

    def know(self, measured: Iterable[Measured]) -> None:
        """Take what was measured of the checks, now or at another time."""
        self._measured = {one.check: one for one in measured if one.check in self._checks}

    def _files(self) -> list[list[Check]]:
        """The checks of each file: they stay together, since they may share what is costly to make."""
        files: dict[str, list[Check]] = {}
        for check in self._checks.values():
            files.setdefault(check.name.partition("::")[0], []).append(check)
        return list(files.values())

    def _measure(self, checks: list[Check], tell: Tell) -> None:
        self._own_scratch()
        watch = Watch(self._kinds)
        for check, following in _with_following(checks):
            tell(watch.run(check, following))

    # With a fault

    def relevant(self, mutant: Mutant) -> list[Measured]:
        """The checks that may notice ``mutant``, in the order in which they are asked.

        Those that take a row of it, or see it do what it does no more; and of what changes the table itself those that
        read it. The special ones come first: a check that takes few rows looks at them closely.
        """
        is_in_table = mutant.operator not in {Operator.LOSE, Operator.FORGET}
        found = [
            one
            for one in self._measured.values()
            if self._takes(mutant, one) or (is_in_table and not one.failure and mutant.kind in one.reads)
        ]
        return sorted(found, key=self._rank)

    @staticmethod
    def _takes(mutant: Mutant, one: Measured) -> bool:
        if one.failure:
            return False
        match mutant.operator:
            case Operator.LOSE:
                return f"{mutant.kind}/{mutant.row}/{mutant.detail}" in one.did
            case Operator.FORGET:
                return f"{mutant.kind}/{mutant.row}/{Remembered.__name__}" in one.did
            case _:
                return any(f"{mutant.kind}/{number}" in one.rows for number in mutant.heard_by)

    def _rank(self, one: Measured) -> tuple[int, int, int]:
        return self._order[self._checks[one.check].suite], len(one.rows), self._place[one.check]

    def judge(self, mutants: Iterable[Mutant]) -> Iterator[Verdict]:
        """What becomes of each of ``mutants``, as they come."""
        forks = Forks(self._jobs)
        waiting = iter(mutants)
        mutant = next(waiting, None)
        try:
            while mutant is not None or not forks.is_idle:
                if mutant is not None and not forks.is_full:
                    asked = self.relevant(mutant)
                    if asked:
                        self._start(forks, mutant, asked)
                    else:
                        yield self._verdict(mutant)
                    mutant = next(waiting, None)
                else:
                    ended = forks.wait()
                    shutil.rmtree(self._scratch / str(ended.pid), ignore_errors=True)
                    yield self._verdict_of(ended.key, ended)
        finally:
            forks.close()

    def _start(self, forks: Forks, mutant: Mutant, asked: list[Measured]) -> None:
        silence_s = SILENCE_S + 10 * max(one.cpu_s for one in asked)
        forks.start(mutant, lambda tell: self._ask(mutant, asked, tell), silence_s)

    def _ask(self, mutant: Mutant, asked: list[Measured], tell: Tell) -> None:
        """Ask one check after the other until one notices. In a process of its own."""
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        install(self._kinds[mutant.kind], mutant, sys.modules)
        self._own_scratch()
        clock = _Bounded()
        checks = [self._checks[one.check] for one in asked]
        for one, (check, following) in zip(asked, _with_following(checks), strict=True):
            tell(check.name)
            clock.left = one.virtual_s + VIRTUAL_S
            signal.setitimer(signal.ITIMER_PROF, CPU_S + 10 * one.cpu_s)
            failure = check.run(following)
            signal.setitimer(signal.ITIMER_PROF, 0)
            if failure:
                tell([failure])
                return
        tell([""])

    def _own_scratch(self) -> None:
        """Let pytest write where it is removed when this process has ended."""
        folder = self._scratch / str(os.getpid())
        folder.mkdir()
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)

    def _verdict_of(self, mutant: Mutant, ended: Ended) -> Verdict:
        names = [what for what in ended.told if isinstance(what, str)]
        if not names:
            raise MutationError(f"{mutant.name}: its process ended with {ended.status} before any check")
        last = ended.told[-1]
        if isinstance(last, list):
            why = last[0]
        elif ended.status == -signal.SIGPROF:
            why = "it took ten times as long as without the fault"
        elif ended.status == -signal.SIGKILL:
            why = "it hung"
        else:
            why = f"it ended the process with {ended.status}"
        return self._verdict(mutant, names[-1] if why else "", why, len(names), ended.seconds)

    def _verdict(
        self, mutant: Mutant, check: str = "", why: str = "", checks: int = 0, seconds: float = 0
    ) -> Verdict:
        row = rows(self._kinds[mutant.kind])[mutant.row]
        takers = sum(self._takes(mutant, one) for one in self._measured.values())
        guards = " ".join(name if expected else f"!{name}" for name, expected in row.guards)
        text = f"{row.source} -> {row.target}  {row.message.__name__} ({row.clause})"
        text += f"  [{guards}]" * bool(guards) + f"  / {row.action}" * bool(row.action)
        return Verdict(
            mutant=mutant.name,
            kind=mutant.kind,
            operator=str(mutant.operator),
            row=text,
            suite=self._checks[check].suite if check else "",
            check=check,
            why=why[:200],
            checks=checks,
            takers=takers,
            seconds=round(seconds, 3),
        )


def _with_following(checks: Sequence[Check]) -> Iterator[tuple[Check, Check | None]]:
    return zip(checks, [*checks[1:], None], strict=True)


class _Bounded:
    """Every clock of Trio that can be moved, made to stop at a bound. For a process that will end soon."""

    def __init__(self) -> None:
        self.left = VIRTUAL_S
        jump = MockClock.jump

        def bounded(clock: MockClock, seconds: float) -> None:
            self.left -= seconds
            if self.left < 0:
                raise AssertionError("it waits for what never comes")
            jump(clock, seconds)

        MockClock.jump = bounded  # type: ignore[method-assign, assignment]
