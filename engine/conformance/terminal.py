"""The conformance command as its user sees it: lines, a progress bar, and reports at the end, however it ends."""

import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import trio

from engine.conformance import report_html, report_junit
from engine.conformance.case import Case
from engine.conformance.plan import PROMPT, Plan, PlanError
from engine.conformance.results import Header, Result, Verdict
from engine.conformance.runner import Run

if TYPE_CHECKING:
    from rich.progress import TaskID

INTERRUPTED = 130
"""Exit code, as a shell says of a program that was interrupted."""


def show(plan: Plan, out: IO[str]) -> None:
    """Print the cases of a plan, with the cards that they show."""
    for case in plan.cases:
        cards = f" ({', '.join(case.cards)})" if case.cards else ""
        out.write(f"{case.name:24} {case.profile:24} {case.title}{cards}\n")


def conduct(plan: Plan) -> int:
    """Play a plan to its end, or until SIGINT or SIGTERM, and write the reports; return the exit code.

    Raises:
        One of ``engine.conformance.plan.MENDABLE``, perhaps in a group: it cannot be played.
    """
    has_bar = sys.stderr.isatty() and plan.rig != PROMPT
    console = Bar(sys.stdout, len(plan.cases)) if has_bar else Console(sys.stdout, len(plan.cases))
    run = Run(plan, console)
    signals_seen: list[int] = []

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(_wait_told, nursery.cancel_scope, signals_seen)
            await run.play()
            nursery.cancel_scope.cancel()

    try:
        trio.run(play, clock=plan.clock)
    finally:
        console.close()
        if run.journal is not None:
            console.sums(run, write_reports(run, plan.wishes.out))
    if signals_seen:
        return INTERRUPTED
    return 0 if run.is_good else 1


async def _wait_told(
    scope: trio.CancelScope,
    seen: list[int],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Cancel ``scope`` at SIGINT or SIGTERM."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            seen.append(number)
            scope.cancel()


def write_reports(run: Run, directory: Path) -> list[Path]:
    """Write the reports of what was played; return where they are.

    Raises:
        PlanError: They cannot be written.
    """
    assert run.journal is not None
    header, results = run.journal.header, run.results
    contents = {
        report_html.NAME: report_html.page(header, results).encode(),
        report_junit.NAME: report_junit.document(header, results),
    }
    paths = []
    for name, content in contents.items():
        path = directory / name
        try:
            path.write_bytes(content)
        except OSError as error:
            raise PlanError(f"{path}: {error.strerror or error}") from error
        paths.append(path)
    return paths


class Console:
    """Tells in lines how a run goes. Implements ``engine.conformance.runner.Listener``.

    Args:
        out: Where the lines go.
        total: How many cases there are.
    """

    def __init__(self, out: IO[str], total: int) -> None:
        self._out = out
        self._total = total
        self._done = 0

    def waiting(self, url: str) -> None:
        """Say where the station is awaited."""
        self.say(f"waiting for the charge point at {url}")

    def met(self, header: Header, done: int) -> None:
        """Say which station it is."""
        self._done = done
        boot = header.boot
        product = " ".join(boot[name] for name in ("chargePointVendor", "chargePointModel") if name in boot)
        profiles = ", ".join(header.declared.profiles) or "no profiles"
        self.say(f"testing {header.identity}{f' ({product})' if product else ''}: {profiles}")
        if done:
            self.say(f"{done} of {self._total} cases were played before")

    def begins(self, case: Case) -> None:
        """A case is about to be played."""

    def ended(self, result: Result) -> None:
        """Say what came of a case."""
        self._done += 1
        count = f"{self._done:{len(str(self._total))}}/{self._total}"
        self.say(f"{count}  {result.verdict:14}  {result.label}  {result.title}  ({result.seconds:.1f} s)")
        if result.reason:
            self.say(f"{' ' * len(count)}  {result.reason.partition(chr(10))[0]}")

    def gave_up(self, why: str) -> None:
        """Say why no further case is played."""
        self.say(f"the run ends here: {why}")

    def sums(self, run: Run, paths: list[Path]) -> None:
        """Say what came of it all."""
        results = run.results
        counts = [(verdict, sum(each.verdict is verdict for each in results)) for verdict in Verdict]
        text = ", ".join(f"{count} {verdict}" for verdict, count in counts if count) or "nothing was played"
        left = self._total - len(results)
        self.say(f"{text}{f'; {left} not played, --resume goes on' if left else ''}")
        self.say(f"reports: {', '.join(map(str, paths))}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._out.write(text + "\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing more happens."""


class Bar(Console):
    """The same, with a progress bar under the lines."""

    def __init__(self, out: IO[str], total: int) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__(out, total)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=RichConsole(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task: TaskID = self._progress.add_task("waiting", total=total)
        self._progress.start()

    def met(self, header: Header, done: int) -> None:
        """Begin with what was done before."""
        super().met(header, done)
        self._progress.update(self._task, completed=done)

    def begins(self, case: Case) -> None:
        """Show which case is played."""
        self._progress.update(self._task, description=case.name)

    def ended(self, result: Result) -> None:
        """One more."""
        super().ended(result)
        self._progress.advance(self._task)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._out.isatty():
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            super().say(text)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()
