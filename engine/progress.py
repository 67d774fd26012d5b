"""How far long work is, where a person looks: a bar on standard error, if that is a terminal and rich is installed.

Otherwise there is no bar, and everything else is as with one. What is printed meanwhile goes above the bar.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from time import monotonic
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from engine.jobs import UnderWay

SHOWN_EVERY_S = 0.1
"""A bar that moves faster only costs time."""
MEGABYTE = 1_000_000
WORKS = {
    "FetchFirmware": "downloading firmware",
    "VerifyFirmware": "checking firmware",
    "InstallFirmware": "installing firmware",
    "ConfirmFirmware": "looking which firmware runs",
    "DeliverDiagnostics": "uploading diagnostics",
}


class Steps:
    """Work of so many steps, and lines that it prints.

    Args:
        out: Where lines go.
        bar: Shows how far it is; None shows nothing.
        total: Steps.
    """

    def __init__(self, out: IO[str], bar: "Progress | None", total: int) -> None:
        self._out = out
        self._bar = bar
        self._task: TaskID | None = None if bar is None else bar.add_task("", total=total)

    def note(self, what: str) -> None:
        """Tell what is being done."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=what)

    def advance(self) -> None:
        """One step more."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def say(self, text: str) -> None:
        """Print a line."""
        if self._bar is not None and self._out.isatty():
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._out.write(f"{text}\n")
            self._out.flush()


@contextmanager
def steps(total: int, out: IO[str]) -> Iterator[Steps]:
    """Show how far work of ``total`` steps is that prints to ``out``."""
    if not _is_shown():
        yield Steps(out, None, total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    done = TextColumn("{task.description}", markup=False)
    with _bar(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), done) as bar:
        yield Steps(out, bar, total)


class Works:
    """How far transfers and installations of a running station are, under its log.

    A bar is there only while something is under way. It moves when there is news; no thread looks after it.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shown_at = 0.0
        if _is_shown():
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn

            words = TextColumn("{task.description}", markup=False)
            self._bar = _bar(words, BarColumn(), TaskProgressColumn(), auto_refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def log(self) -> Any:
        """Where the log may be written."""
        return sys.stderr if self._bar is None else self

    def watch(self, by: str, how_far: "UnderWay | None") -> None:
        """Show how far the work of a machine is; None when it is over (:data:`engine.jobs.Watch`)."""
        bar = self._bar
        if bar is None:
            return
        if how_far is None:
            if by in self._tasks:
                bar.remove_task(self._tasks.pop(by))
            if not self._tasks:
                bar.stop()
            return
        if by not in self._tasks:
            self._tasks[by] = bar.add_task("")
            bar.start()
        elif monotonic() - self._shown_at < SHOWN_EVERY_S:
            return
        self._shown_at = monotonic()
        words = {"description": described(how_far), "total": how_far.total, "completed": how_far.done}
        bar.update(self._tasks[by], refresh=True, **words)  # type: ignore[arg-type] # by name

    def write(self, text: str) -> None:
        """Print a part of the log above what is shown."""
        if self._bar is not None and self._tasks:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True, end="")
        else:
            sys.stderr.write(text)

    def fileno(self) -> int:
        """That of the terminal."""
        return sys.stderr.fileno()

    def flush(self) -> None:
        """Nothing is held back but by the terminal."""
        sys.stderr.flush()


def described(how_far: "UnderWay") -> str:
    """A piece of work in a few words, with its megabytes."""
    what = WORKS.get(how_far.work, how_far.work)
    if how_far.work not in {"FetchFirmware", "DeliverDiagnostics"}:
        return what
    of = "" if how_far.total is None else f" of {how_far.total / MEGABYTE:.1f}"
    return f"{what}, {how_far.done / MEGABYTE:.1f}{of} MB"


def _is_shown() -> bool:
    return sys.stderr.isatty() and find_spec("rich") is not None


def _bar(*columns: Any, auto_refresh: bool = True) -> "Progress":
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        auto_refresh=auto_refresh,
        # What is printed meanwhile is printed by say(): it may go to a file.
        redirect_stdout=False,
        redirect_stderr=False,
    )
