"""A run of ``statecharge explore``: what is found, told as it comes; the exit code."""

import re
from pathlib import Path
from typing import IO

from engine.diagrams import sequence
from engine.exploration import report, story
from engine.exploration.work import ExplorationError, Outcome, Violation, Wish, events, explored
from engine.progress import steps

STATES, WALKS = 20_000, 20
"""How far a run goes by itself. Rows that are not taken by then count as dead."""


def conduct(wish: Wish, jobs: int, out: Path, console: IO[str]) -> int:
    """Explore what ``wish`` says and print it; return 1 if something is not as it must be.

    Raises:
        ExplorationError: A diagram cannot be written.
    """
    for line in report.head(wish):
        console.write(f"{line}\n")
    outcomes: list[Outcome] = []
    with steps(len(wish.alphabets), console) as shown:
        for outcome in explored(wish, jobs, shown.note):
            outcomes.append(outcome)
            for line in report.lines(outcome):
                shown.say(line)
            shown.advance()
    for line in report.sums(outcomes):
        console.write(f"{line}\n")
    known, unknown = report.missing(wish, outcomes)
    if wish.is_everything and not wish.fault:
        for line in report.dead(known, unknown):
            console.write(f"{line}\n")
    violations = [outcome.violation for outcome in outcomes if outcome.violation is not None]
    for violation in violations:
        _tell(wish, violation, out, console)
    if not violations:
        console.write("no violation\n")
    return 1 if violations or (unknown and _is_decided(wish)) else 0


def _is_decided(wish: Wish) -> bool:
    """Whether a row that was not taken counts as dead: of a station that uses all of them, and not in a short run."""
    is_whole = not wish.fault and wish.states >= STATES and wish.walks >= WALKS and wish.depth is None
    return is_whole and wish.is_everything and report.takes_everything(wish)


def _tell(wish: Wish, violation: Violation, out: Path, console: IO[str]) -> None:
    """Print the trace, and write its diagram."""
    happened = events(wish, violation)
    items = list(story.drawn(happened))
    console.write(f"\n{report.violated(violation)}\n\n")
    for line in story.told(happened):
        console.write(f"{line}\n")
    name = re.sub(r"[^a-z0-9]+", "-", f"{violation.alphabet} {violation.place}".casefold())
    texts = {
        ".mmd": sequence.mermaid(story.PARTICIPANTS, items),
        ".txt": sequence.plain(story.PARTICIPANTS, items),
    }
    for suffix, text in texts.items():
        path = out / f"{name}{suffix}"
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise ExplorationError(f"{path}: {error.strerror or error}") from error
        console.write(f"{path}\n")
