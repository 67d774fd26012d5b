"""All that a dossier tells of: the station, its machines, what was played on it, and what the tests took."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from engine.conformance.results import Verdict
from engine.declaration.station import Station
from engine.dossier.document import Span, Tone, joined
from engine.dossier.evidence import Run
from engine.dossier.record import Outcome, TestRecord, TestRun, worst
from engine.dossier.standing import Standing
from engine.dossier.transitions import Transition, all_transitions
from engine.dossier.words import Words

SHOWN_TESTS = 4
"""Tests that are named for a transition: those that take the fewest others."""


NUMBERS = re.compile(r"\d+|\D+")


class Proof(NamedTuple):
    """What takes a transition: a case of the programme, or a test."""

    name: str
    anchor: str
    is_good: bool
    breadth: int
    """How many transitions it takes; the fewer, the more it says of each."""


class Tested(NamedTuple):
    """A function of the tests, with all its parameters."""

    id: str
    """What it is called in tables, ``T17``; its anchor too."""
    name: str
    file: str
    outcome: Outcome
    size: int
    """How often it ran."""
    transitions: frozenset[str]


class Subject:
    """What a dossier is about.

    Args:
        station: As declared.
        name: How STATION was named.
        runs: The record of the cases.
        record: The record of the tests; None if there is none.
        standing: Where a station stands, if one was looked at.
        words: Says the furniture.
    """

    def __init__(
        self,
        station: Station,
        name: str,
        runs: Sequence[Run],
        record: TestRecord | None,
        standing: Standing,
        words: Words,
    ) -> None:
        self.station = station
        self.name = name
        self.runs = tuple(runs)
        self.record = record
        self.standing = standing
        self.words = words
        self.transitions: tuple[Transition, ...] = tuple(all_transitions())

    @cached_property
    def by_id(self) -> Mapping[str, Transition]:
        """The transitions by their ids."""
        return {each.id: each for each in self.transitions}

    @cached_property
    def clauses(self) -> frozenset[str]:
        """Every clause that is cited."""
        return frozenset(clause for each in self.transitions for clause in each.clauses)

    @cached_property
    def anchors_of_tests(self) -> Mapping[str, str]:
        """Where tests are told of, by their names. Without their files: what has several is the first."""
        taking = (group for group in reversed(self.groups) if group.transitions & self.by_id.keys())
        return {group.name: group.id for group in taking}

    @cached_property
    def groups(self) -> tuple[Tested, ...]:
        """The tests, one for all parameters of a function."""
        together: dict[str, list[TestRun]] = {}
        for test in self.record.tests if self.record else ():
            together.setdefault(test.id.partition("[")[0], []).append(test)
        return tuple(
            Tested(
                f"T{number}",
                name.rpartition("::")[2],
                name.partition("::")[0],
                worst(*(test.outcome for test in tests)),
                len(tests),
                frozenset(each for test in tests for each in test.transitions),
            )
            for number, (name, tests) in enumerate(together.items(), start=1)
        )

    @cached_property
    def _proofs(self) -> Mapping[str, list[Proof]]:
        found: dict[str, list[Proof]] = {each.id: [] for each in self.transitions}
        breadths: dict[str, int] = {}
        for run in self.runs:
            breadths[run.result.id] = max(breadths.get(run.result.id, 0), len(run.transitions))
        for run in self.runs:
            taken = run.transitions
            is_good = run.result.verdict is Verdict.PASSED
            for each in taken:
                found[each].append(
                    Proof(
                        case_anchor(run.result.id),
                        case_anchor(run.result.id),
                        is_good,
                        breadths[run.result.id],
                    )
                )
        for group in self.groups:
            for each in group.transitions:
                if each in found:
                    is_good = group.outcome is Outcome.PASSED
                    found[each].append(Proof(group.id, group.id, is_good, len(group.transitions)))
        return found

    def proofs(self, ids: Iterable[str]) -> list[Proof]:
        """What takes one of the transitions ``ids``, the most specific first."""
        found = {proof: None for each in ids for proof in self._proofs[each]}
        return sorted(found, key=lambda proof: (proof.breadth, proof.name))

    def shown_proofs(self, ids: Iterable[str]) -> list[Span]:
        """The first of :meth:`proofs`, and how many there are."""
        found = self.proofs(ids)
        if not found:
            return [Span(self.words("none"), Tone.BAD)]
        bad = [proof for proof in found if not proof.is_good]
        shown = list(dict.fromkeys([*bad[:SHOWN_TESTS], *found[:SHOWN_TESTS]]))
        parts = joined(
            Span(each.name, Tone.PLAIN if each.is_good else Tone.BAD, each.anchor) for each in shown
        )
        rest = len(found) - len(shown)
        return [*parts, Span(" " + self.words("and {count} more", count=rest), Tone.SOFT)] if rest else parts

    def untested(self) -> list[Transition]:
        """The transitions that nothing takes."""
        return [each for each in self.transitions if not self._proofs[each.id]]


def case_anchor(case_id: str) -> str:
    """The anchor of a case: ``TC_003``."""
    return f"TC_{case_id}"


def clause_anchor(clause: str) -> str:
    """The anchor of a clause: ``clause-4.9-A2``."""
    return "clause-" + clause.replace(" ", "-")


def natural(clause: str) -> list[tuple[int, str]]:
    """What clauses are ordered by: ``4.9`` before ``4.10``."""
    return [(int(part), "") if part.isdecimal() else (10**6, part) for part in NUMBERS.findall(clause)]


def linked(ids: Iterable[str], by_id: Mapping[str, Transition]) -> list[Span]:
    """Transitions by machine, each number or range leading to its row: ``connector 1\u20133 7, transaction 7``."""
    by_kind: dict[str, set[int]] = {}
    for each in ids:
        by_kind.setdefault(by_id[each].kind, set()).add(by_id[each].number)
    found: list[Span] = []
    for kind, numbers in sorted(by_kind.items()):
        found.append(Span(f"{', ' if found else ''}{kind}", Tone.STRONG))
        for first, last in _ranges(sorted(numbers)):
            text = str(first) if first == last else f"{first}\u2013{last}"
            found += [Span(" "), Span(text, to=f"{kind}-{first}")]
    return found


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers that follow each other, as first and last."""
    first = last = None
    for number in numbers:
        if first is None or last is None or number != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
