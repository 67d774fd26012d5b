"""Traceability: from clauses over transitions to tests and back, and from test cases to tests.

What has no test, or no clause, comes first.
"""

import re
from collections.abc import Iterator

from engine.conformance.cases import UNTESTED
from engine.conformance.results import Verdict
from engine.dossier.document import Block, Heading, Page, Paragraph, Row, Span, Table, Tone, joined
from engine.dossier.evidence import Run
from engine.dossier.machine_pages import clause_of
from engine.dossier.record import Outcome
from engine.dossier.subject import Subject, Tested, case_anchor, clause_anchor, linked, natural
from engine.dossier.transitions import Transition

TONES = {Verdict.PASSED: Tone.GOOD, Verdict.FAILED: Tone.BAD, Verdict.INCONCLUSIVE: Tone.BAD}


def clauses(subject: Subject) -> dict[str, list[Transition]]:
    """The transitions of each clause, in the order of the clauses; one of the status table is one for each label."""
    found: dict[str, list[Transition]] = {}
    for each in subject.transitions:
        for clause in each.clauses:
            found.setdefault(clause, []).append(each)
    return dict(sorted(found.items(), key=lambda item: natural(item[0])))


def clauses_page(subject: Subject) -> Page:
    """Clause, transitions, tests."""
    words = subject.words
    blocks: list[Block] = [*_without_test(subject), *_without_clause(subject)]
    rows = tuple(
        Row(
            (
                clause,
                linked((each.id for each in found), subject.by_id),
                subject.shown_proofs(each.id for each in found),
                _result(subject, found),
            ),
            clause_anchor(clause),
        )
        for clause, found in clauses(subject).items()
    )
    blocks += [Heading(words("From clauses to tests")), _sources(subject)]
    blocks.append(
        Table(
            (words("Clause"), words("Transitions"), words("Tests"), words("Result")), rows, (14, 36, 38, 12)
        )
    )
    return Page(
        "traceability/clauses.html",
        words("Clauses, transitions, tests"),
        "clauses",
        tuple(blocks),
        words("Traceability"),
    )


def _sources(subject: Subject) -> Block:
    words = subject.words
    if subject.record is None:
        return Paragraph(
            words("Tests: the recorded cases only; no run of the other tests was given."), Tone.BAD
        )
    return Paragraph(
        words(
            "Tests: {cases} recorded cases (TC), and the last run of {tests} tests (T, by their functions). Those that "
            "take the fewest transitions are shown; traceability.json has all.",
            cases=len(subject.runs),
            tests=len(subject.record.tests),
        )
    )


def _result(subject: Subject, found: list[Transition]) -> Span:
    proofs = subject.proofs(each.id for each in found)
    bad = sum(not proof.is_good for proof in proofs)
    if not proofs or bad:
        return Span(subject.words("{bad} of {count} not passed", bad=bad, count=len(proofs)), Tone.BAD)
    return Span(subject.words("{count} passed", count=len(proofs)), Tone.GOOD)


def _without_test(subject: Subject) -> Iterator[Block]:
    words = subject.words
    untested = subject.untested()
    yield Heading(words("Transitions without a test"))
    if not untested:
        yield Paragraph(
            words("None: something takes each of {count}.", count=len(subject.transitions)), Tone.GOOD
        )
        return
    yield Paragraph(words("{count} of {all}.", count=len(untested), all=len(subject.transitions)), Tone.BAD)
    yield _list(subject, untested)


def _without_clause(subject: Subject) -> Iterator[Block]:
    words = subject.words
    without = [each for each in subject.transitions if not each.clause]
    yield Heading(words("Transitions without a clause"))
    if not without:
        yield Paragraph(words("None: each of {count} cites one.", count=len(subject.transitions)), Tone.GOOD)
        return
    yield Paragraph(
        words("{count} of {all} have a reason instead.", count=len(without), all=len(subject.transitions)),
        Tone.BAD,
    )
    yield _list(subject, without)


def _list(subject: Subject, found: list[Transition]) -> Table:
    words = subject.words
    rows = tuple(
        Row(
            (
                Span(each.id, to=each.id),
                each.row.source,
                each.row.message.__name__,
                each.row.target,
                clause_of(each),
            ),
            tone=Tone.BAD,
        )
        for each in found
    )
    head = ("Id", "From", "Message", "To", "Clause")
    return Table(tuple(map(words, head)), rows, (20, 15, 25, 15, 25))


def tests_page(subject: Subject) -> Page:
    """Test, clauses, transitions."""
    words = subject.words
    taking = [group for group in subject.groups if group.transitions & subject.by_id.keys()]
    without = [group for group in subject.groups if not group.transitions & subject.by_id.keys()]
    blocks: list[Block] = []
    if subject.record is None:
        blocks.append(_sources(subject))
    if without:
        blocks += [Heading(words("Tests that take no transition")), *_without_transition(subject, without)]
    if taking:
        rows = tuple(_test_row(subject, group) for group in taking)
        head = ("Id", "Test", "Runs", "Result", "Clauses", "Transitions")
        blocks += [
            Heading(words("From tests to clauses")),
            Table(tuple(map(words, head)), rows, (6, 34, 6, 9, 19, 26)),
        ]
    return Page(
        "traceability/tests.html",
        words("Tests, transitions, clauses"),
        "tests",
        tuple(blocks),
        words("Traceability"),
    )


def _without_transition(subject: Subject, without: list[Tested]) -> Iterator[Block]:
    words = subject.words
    by_file: dict[str, list[Tested]] = {}
    for group in without:
        by_file.setdefault(group.file, []).append(group)
    yield Paragraph(
        words(
            "{count} of {all}: they are about what is no machine, or run processes.",
            count=len(without),
            all=len(subject.groups),
        ),
        Tone.BAD,
    )
    rows = []
    for file, groups in by_file.items():
        failed = sum(group.outcome is Outcome.FAILED for group in groups)
        skipped = sum(group.outcome is Outcome.SKIPPED for group in groups)
        result = words("{failed} failed, {skipped} skipped", failed=failed, skipped=skipped)
        runs = sum(group.size for group in groups)
        rows.append(Row((file, str(len(groups)), str(runs), result), tone=Tone.BAD))
    yield Table(
        (words("File"), words("Tests"), words("Runs"), words("Result")), tuple(rows), (55, 10, 10, 25)
    )


def _test_row(subject: Subject, group: Tested) -> Row:
    known = [each for each in group.transitions if each in subject.by_id]
    cited = {clause: None for each in known for clause in subject.by_id[each].clauses}
    links = [Span(clause, to=clause_anchor(clause)) for clause in sorted(cited, key=natural)]
    good = group.outcome is Outcome.PASSED
    return Row(
        (
            Span(group.id, Tone.STRONG),
            [Span(group.name), Span(f"\n{group.file}", Tone.SOFT)],
            str(group.size),
            Span(subject.words(group.outcome.value), Tone.GOOD if good else Tone.BAD),
            joined(links),
            linked(known, subject.by_id),
        ),
        group.id,
    )


def cases_page(subject: Subject) -> Page:
    """Test cases of the programme, their runs, and the tests that play them."""
    words = subject.words
    blocks: list[Block] = [Heading(words("Test cases without a test"))]
    if UNTESTED:
        rows = tuple(
            Row((f"TC_{each.id}", each.title, each.profile, each.why), tone=Tone.BAD) for each in UNTESTED
        )
        head = ("Test case", "Title", "Profile", "Reason")
        blocks.append(Table(tuple(map(words, head)), rows, (12, 34, 18, 36)))
    by_id: dict[str, list[Run]] = {}
    for run in subject.runs:
        by_id.setdefault(run.result.id, []).append(run)
    unsaid = {
        id_: runs
        for id_, runs in by_id.items()
        if all(run.result.verdict is not Verdict.PASSED for run in runs)
    }
    if unsaid:
        blocks += [Heading(words("Test cases that did not pass on this station")), _unsaid(subject, unsaid)]
    blocks += [Heading(words("From test cases to tests")), _cases(subject, by_id)]
    return Page(
        "traceability/cases.html", words("Test cases, tests"), "cases", tuple(blocks), words("Traceability")
    )


def _unsaid(subject: Subject, by_id: dict[str, list[Run]]) -> Table:
    words = subject.words
    rows = tuple(
        Row(
            (
                Span(run.result.label, to=case_anchor(id_)),
                verdict(subject, run),
                run.result.reason.partition("\n")[0],
            ),
            tone=Tone.BAD,
        )
        for id_, runs in sorted(
            by_id.items(), key=lambda item: item[1][0].result.verdict is not Verdict.FAILED
        )
        for run in runs
    )
    return Table((words("Test case"), words("Verdict"), words("Reason")), rows, (22, 15, 63))


def verdict(subject: Subject, run: Run) -> Span:
    """The verdict of a run."""
    return Span(subject.words(run.result.verdict.value), TONES.get(run.result.verdict, Tone.SOFT))


def _cases(subject: Subject, by_id: dict[str, list[Run]]) -> Table:
    words = subject.words
    rows = []
    for id_, runs in by_id.items():
        first = runs[0].result
        verdicts = joined(
            verdict
            for run in runs
            for verdict in [Span(words(run.result.verdict.value), TONES.get(run.result.verdict, Tone.SOFT))]
        )
        rows.append(
            Row(
                (
                    Span(case_anchor(id_), to=case_anchor(id_)),
                    first.title,
                    first.profile,
                    verdicts,
                    _tests_of_case(subject, id_),
                )
            )
        )
    head = ("Test case", "Title", "Profile", "Recorded runs", "Tests")
    return Table(tuple(map(words, head)), tuple(rows), (10, 36, 15, 14, 25))


def _tests_of_case(subject: Subject, id_: str) -> list[Span]:
    """The tests of the suite that play a case, with their results."""
    pattern = re.compile(rf"\[TC_{re.escape(id_)}(?:-[\w-]+)?\]$")
    found = [test for test in (subject.record.tests if subject.record else ()) if pattern.search(test.id)]
    parts = []
    for test in found:
        good = test.outcome is Outcome.PASSED
        name = test.id.rpartition("::")[2]
        parts.append(Span(f"{name}: {subject.words(test.outcome.value)}", Tone.PLAIN if good else Tone.BAD))
    return joined(parts, "\n") if parts else [Span(subject.words("the recorded runs"), Tone.SOFT)]
