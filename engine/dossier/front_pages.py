"""The first pages: what the dossier is about, and how the machines are composed; and the decisions."""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from engine.conformance.results import Verdict
from engine.diagrams import overview
from engine.diagrams.flows import effects_of, flows, kind_of
from engine.diagrams.picture import purpose_of
from engine.diagrams.render import render
from engine.dossier.digests import Digests
from engine.dossier.document import (
    Block,
    Figure,
    Files,
    Heading,
    Inline,
    Page,
    Paragraph,
    Row,
    Span,
    Table,
    Tone,
    joined,
)
from engine.dossier.record import Outcome
from engine.dossier.subject import Subject, clause_anchor
from machines import routes
from machines.machine import rows

DECISIONS = Path(__file__).with_name("decisions.md")
CODE = re.compile(r"`([^`]*)`")


def cover_page(subject: Subject, digests: Digests, made: str, files: Mapping[str, str]) -> Page:
    """What the dossier is about, what came of it, and what it is matched with a firmware by."""
    words, station = subject.words, subject.station
    identity = station.settings.identity
    facts: list[tuple[str, Inline]] = [
        (words("Station"), f"{identity.vendor} {identity.model}"),
        (words("Serial number"), identity.serial_number or "\u2014"),
        (words("Firmware"), identity.firmware_version or "\u2014"),
        (words("Declaration"), subject.name),
        ("Statecharge", version("statecharge")),
        (words("Made"), made),
    ]
    if subject.standing.states:
        facts.append((words("States shown"), words("of a station, at present: orange in the pictures")))
    blocks: list[Block] = [
        Table(("", ""), tuple(Row((Span(name, Tone.SOFT), value)) for name, value in facts), (25, 75)),
        Heading(words("What came of it")),
        _sums(subject),
        Heading(words("What it belongs to")),
        Paragraph(
            words(
                "SHA-256 of the code, of the declaration and of the results stand at the foot of every page. "
                "statecharge dossier --verify tells whether a firmware and this dossier belong together."
            )
        ),
        Table(
            (words("What"), "SHA-256"),
            tuple(
                Row((words(name), Span(value, Tone.CODE)))
                for name, value in (
                    ("Code", digests.code),
                    ("Declaration", digests.declaration),
                    ("Results", digests.results),
                )
            ),
            (20, 80),
        ),
        Files(words("Files"), tuple(files.items())),
    ]
    return Page("index.html", words("Certification dossier"), "cover", tuple(blocks), words("Dossier"))


def _sums(subject: Subject) -> Table:
    words = subject.words
    rows: list[Row] = []

    def add(what: str, value: object, tone: Tone, anchor: str) -> None:
        rows.append(Row((Span(what, to=anchor), Span(str(value), tone))))

    for verdict in Verdict:
        count = sum(run.result.verdict is verdict for run in subject.runs)
        tone = {Verdict.PASSED: Tone.GOOD, Verdict.NOT_APPLICABLE: Tone.SOFT}.get(
            verdict, Tone.BAD if count else Tone.SOFT
        )
        add(f"{words('Recorded cases')}: {words(verdict.value)}", count, tone, "cases")
    if subject.record is not None:
        for outcome in Outcome:
            count = sum(test.outcome is outcome for test in subject.record.tests)
            tone = Tone.GOOD if outcome is Outcome.PASSED else Tone.BAD if count else Tone.SOFT
            add(f"{words('Tests')}: {words(outcome.value)}", count, tone, "tests")
    untested = len(subject.untested())
    without = sum(not each.clause for each in subject.transitions)
    add(words("Transitions"), len(subject.transitions), Tone.PLAIN, "clauses")
    add(words("Transitions without a test"), untested, Tone.BAD if untested else Tone.GOOD, "clauses")
    add(words("Transitions without a clause"), without, Tone.BAD if without else Tone.GOOD, "clauses")
    return Table((words("What"), words("Count")), tuple(rows), (70, 30))


def overview_page(subject: Subject) -> Page:
    """How the machines are composed: who tells whom."""
    words = subject.words
    svg = render(overview.dot(), "svg").decode()
    files = (("SVG", "svg"), ("PNG", "png"), ("Mermaid", "mmd"), ("DOT", "dot"), ("PlantUML", "puml"))
    blocks: list[Block] = [
        Paragraph(
            words(
                "Every behaviour of the charge point is one of these machines. Each takes one message at a time, and "
                "tells others what they need to know."
            )
        ),
        Heading(words("Machines")),
        _machines(subject),
        Heading(words("Who tells whom")),
        Figure("overview", svg, words("Who tells whom") + "."),
        Files(
            words("The whole picture for other programs"),
            tuple((n, f"diagrams/overview.{s}") for n, s in files),
        ),
        Paragraph(
            words(
                "kind/0: the machine of the station as a whole; kind/*: those of all connectors; a kind by itself: the "
                "machine of the same connector, or the only one; kind/+: that of the same connector, and those of all "
                "for what happens to the station as a whole."
            ),
            Tone.SOFT,
        ),
        _told(subject),
    ]
    return Page("machines/index.html", words("Machines"), "machines", tuple(blocks), words("Machines"))


def _machines(subject: Subject) -> Table:
    words = subject.words
    found = []
    for kind, machine in routes.KINDS.items():
        if kind in routes.STATION:
            how_many = words("station")
        elif kind in routes.EVERYWHERE:
            how_many = words("station, each connector")
        else:
            how_many = words("each connector")
        where = ", ".join(
            f"{name}: {state}" for state, names in subject.standing.of(kind).items() for name in names
        )
        found.append(
            Row(
                (
                    Span(machine.__name__, to=kind),
                    purpose_of(machine).partition("\n")[0],
                    how_many,
                    str(len(list(machine.states))),
                    str(len(rows(machine))),
                    ", ".join(effect.__name__ for effect in effects_of(machine)),
                    where,
                )
            )
        )
    head = ["Machine", "Purpose", "One of", "States", "Transitions", "Asks the engine for", "Stands at"]
    widths = [16, 28, 12, 7, 10, 20, 18]
    if not subject.standing.states:
        head, widths = head[:-1], widths[:-1]
        found = [Row(row.cells[:-1]) for row in found]
    return Table(tuple(map(words, head)), tuple(found), tuple(widths))


def _told(subject: Subject) -> Table:
    words = subject.words
    found = tuple(
        Row(
            (
                Span(flow.sender, to=flow.sender) if flow.sender in routes.KINDS else flow.sender,
                ", ".join(message.__name__ for message in flow.messages),
                joined(Span(hearer, to=kind_of(hearer)) for hearer in flow.hearers),
            )
        )
        for flow in flows()
    )
    return Table((words("From"), words("Messages"), words("To")), found, (18, 50, 32))


def decisions_page(subject: Subject) -> Page:
    """docs/decisions.md; a test that is named leads to its result."""
    text = DECISIONS.read_text(encoding="utf-8")
    blocks: list[Block] = []
    table: list[list[str]] = []
    for chunk in text.split("\n\n"):
        lines = chunk.strip().splitlines()
        if lines and lines[0].startswith("# "):
            continue
        if lines and lines[0].startswith("#"):
            blocks.append(Heading(lines[0].lstrip("# ")))
        elif lines and lines[0].startswith("|"):
            table = [_cells(line) for line in lines]
            blocks.append(_decisions(table, subject))
        elif lines:
            blocks.append(Paragraph(list(_spans(" ".join(lines), subject))))
    return Page(
        "decisions.html", subject.words("Decisions"), "decisions", tuple(blocks), subject.words("Decisions")
    )


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _decisions(table: list[list[str]], subject: Subject) -> Table:
    head, _, *body = table
    found = []
    for cells in body:
        clause = f"decision {cells[0]}"
        first: Inline = Span(cells[0], to=clause_anchor(clause)) if clause in subject.clauses else cells[0]
        rest = tuple(list(_spans(cell, subject)) for cell in cells[1:])
        found.append(Row((first, *rest)))
    widths = {5: (6, 20, 26, 22, 26)}.get(len(head), (1,) * len(head))
    return Table(tuple(head), tuple(found), widths)


def _spans(text: str, subject: Subject) -> Iterator[Span]:
    for number, part in enumerate(CODE.split(text)):
        if number % 2 == 0:
            yield Span(part)
        else:
            yield Span(part, Tone.CODE, subject.anchors_of_tests.get(part, ""))
