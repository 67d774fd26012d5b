"""What is said at the end: how many mutants were made and caught, by which suite, and every one that was not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from engine.mutation.checks import Verdict
from engine.mutation.explained import Explanation, reason_of


def unexplained(verdicts: Iterable[Verdict], explained: Iterable[Explanation]) -> list[Verdict]:
    """Those that survived, and nobody knows why."""
    return [one for one in verdicts if not one.is_caught and not reason_of(one.mutant, explained)]


def report(
    verdicts: Sequence[Verdict], explained: Sequence[Explanation], suites: Sequence[str]
) -> Iterator[str]:
    """The lines of the report."""
    yield from _table("operator", verdicts, explained, suites)
    yield ""
    yield from _table("kind", verdicts, explained, suites)
    survivors = [one for one in verdicts if not one.is_caught]
    known = [(one, reason) for one in survivors if (reason := reason_of(one.mutant, explained))]
    if known:
        yield from ("", f"Not caught, explained: {len(known)}")
        for one, reason in known:
            yield from (f"  {one.mutant}", f"    {one.row}", f"    {reason}")
    unknown = unexplained(verdicts, explained)
    if unknown:
        yield from ("", f"Not caught: {len(unknown)}")
        for one in unknown:
            yield from (f"  {one.mutant}", f"    {one.row}", f"    {one.takers or 'no'} tests take it")
    needless = [one for one in verdicts if one.is_caught and reason_of(one.mutant, explained)]
    if needless:
        yield from ("", "Explained, and caught all the same:")
        yield from (f"  {one.mutant} by {one.check}" for one in needless)


def _table(
    by: str, verdicts: Sequence[Verdict], explained: Sequence[Explanation], suites: Sequence[str]
) -> Iterator[str]:
    """One line for each operator or kind, and the sum."""
    used = [suite for suite in suites if any(one.suite == suite for one in verdicts)]
    head = [by, "made", *used, "explained", "not caught"]
    lines = [head]
    groups: dict[str, list[Verdict]] = {}
    for one in verdicts:
        groups.setdefault(getattr(one, by), []).append(one)
    for name, members in [*groups.items(), ("all", list(verdicts))]:
        caught = Counter(one.suite for one in members if one.is_caught)
        left = len(unexplained(members, explained))
        survived = sum(not one.is_caught for one in members)
        counts = [len(members), *(caught[suite] for suite in used), survived - left, left]
        lines.append([name, *map(str, counts)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        yield "  ".join(cells)
