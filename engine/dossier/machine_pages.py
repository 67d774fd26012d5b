"""The page of a machine: pictures, transition table, matrix, and what cannot happen."""

from collections.abc import Iterator, Sequence

from engine.conformance.coverage import ALLOWED, STATUSES
from engine.diagrams.picture import guard_of, purpose_of
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
from engine.dossier.subject import Subject, clause_anchor
from engine.dossier.transitions import Transition, transitions_of
from engine.dossier.views import Drawn
from machines.machine import AnyMachine

FORMATS = (
    ("SVG", "svg"),
    ("PNG", "png"),
    ("Mermaid", "mmd"),
    ("DOT", "dot"),
    ("PlantUML", "puml"),
    ("SCXML", "scxml"),
)
"""How the whole picture of a machine lies beside the site: for people, and the ending of the file."""


def machine_page(kind: str, machine: type[AnyMachine], pictures: Sequence[Drawn], subject: Subject) -> Page:
    """The page of ``machine``."""
    words = subject.words
    table = transitions_of(kind, machine)
    blocks: list[Block] = [*_purpose(machine), Heading(words("Pictures"))]
    for each in pictures:
        caption = words(f"view: {each.title}") if each.title else words("All ways from one state to another")
        if each.is_condensed:
            caption += ". " + words("Guards, clauses and what is done within a state: in the table")
        blocks.append(Figure(each.name, each.svg, f"{machine.__name__}: {caption}."))
    files = tuple((label, f"diagrams/{kind}.{suffix}") for label, suffix in FORMATS)
    blocks.append(Files(words("The whole picture for other programs"), files))
    blocks += [
        Heading(words("Transitions")),
        Paragraph(words("For each state and message exactly one row applies.")),
    ]
    blocks.append(_transitions(machine, table, subject))
    if kind == "connector":
        blocks += [Heading(words("Status table of 4.9"), anchor="status-table"), *_status_table(subject)]
    blocks += [
        Heading(words("Messages by state")),
        Paragraph(words("Numbers of the rows; a dash: cannot meet.")),
    ]
    blocks.append(_matrix(machine, table, subject))
    blocks += [Heading(words("What cannot happen")), *_impossible(machine, subject)]
    return Page(f"machines/{kind}.html", machine.__name__, kind, tuple(blocks), words("Machines"))


def _purpose(machine: type[AnyMachine]) -> Iterator[Block]:
    for paragraph in purpose_of(machine).split("\n\n"):
        yield Paragraph(" ".join(paragraph.replace("``", "").split()))
    yield Paragraph(Span(f"{machine.__module__.replace('.', '/')}.py", Tone.CODE), Tone.SOFT)


def clause_of(each: Transition) -> Inline:
    """The clause of a transition, leading to the tests of that clause."""
    if not each.clauses:
        return Span(each.row.clause, Tone.SOFT)
    return Span(each.row.clause, to=clause_anchor(each.clauses[0]))


def _transitions(machine: type[AnyMachine], table: Sequence[Transition], subject: Subject) -> Table:
    names = {state.value: state.name for state in machine.states}
    rows = []
    for each in table:
        proofs = subject.shown_proofs([each.id])
        rows.append(
            Row(
                (
                    each.id.replace("_", "_\u200b"),
                    names[each.row.source],
                    each.row.message.__name__,
                    Span(guard_of(each.row), Tone.CODE),
                    ", ".join(each.effects),
                    names[each.row.target],
                    clause_of(each),
                    proofs,
                ),
                each.id,
                Tone.BAD if not subject.proofs([each.id]) else Tone.PLAIN,
            )
        )
    head = ("Id", "From", "Message", "Guard", "Effects", "To", "Clause", "Tests")
    return Table(tuple(map(subject.words, head)), tuple(rows), (15, 10, 14, 13, 13, 10, 13, 12))


def _matrix(machine: type[AnyMachine], table: Sequence[Transition], subject: Subject) -> Table:
    numbers: dict[tuple[str, type], list[Span]] = {}
    for each in table:
        link = Span(str(each.number), to=each.id)
        numbers.setdefault((each.row.source, each.row.message), []).append(link)
    rows = tuple(
        Row(
            (
                message.__name__,
                *(
                    joined(numbers.get((state.value, message), [Span("\u2014", Tone.SOFT)]), " ")
                    for state in machine.states
                ),
            )
        )
        for message in machine.messages
    )
    states = [state.name for state in machine.states]
    return Table(
        (subject.words("Message"), *states), rows, (18, *([10] * len(states))), is_dense=len(states) > 6
    )


def _impossible(machine: type[AnyMachine], subject: Subject) -> Iterator[Block]:
    words = subject.words
    if not machine.impossible:
        yield Paragraph(words("Nothing: every state takes every message."))
        return
    names = {state.value: state.name for state in machine.states}
    yield Paragraph(
        words("A state and a message that cannot meet. Should they all the same, the process ends.")
    )
    rows = tuple(
        Row((names[state], message.__name__, reason))
        for (state, message), reason in machine.impossible.items()
    )
    yield Table((words("State"), words("Message"), words("Reason")), rows, (20, 25, 55))


def _status_table(subject: Subject) -> Iterator[Block]:
    """The 9 x 9 table of 4.9, each of its 53 labels with the transitions that are it."""
    words = subject.words
    by_label = labels(subject)
    missing = sorted(ALLOWED - by_label.keys())
    yield Paragraph(
        words(
            "{count} of {all} labels have transitions. Column 9 and row I belong to the machine fault.",
            count=len(ALLOWED) - len(missing),
            all=len(ALLOWED),
        ),
        Tone.BAD if missing else Tone.GOOD,
    )
    rows = []
    for letter, status in zip("ABCDEFGHI", STATUSES, strict=True):
        cells: list[Inline] = [Span(f"{letter} {status.value}", Tone.STRONG)]
        for digit in range(1, 10):
            label = f"{letter}{digit}"
            if label in by_label:
                links = joined((Span(_short(each), to=each.id) for each in by_label[label]), " ")
                cells.append([Span(label, Tone.STRONG, clause_anchor(f"4.9 {label}")), Span("\n"), *links])
            else:
                cells.append(Span(label, Tone.BAD) if label in ALLOWED else Span("\u2014", Tone.SOFT))
        rows.append(Row(tuple(cells)))
    head = ("", *(f"{number} {status.value}" for number, status in enumerate(STATUSES, start=1)))
    yield Table(head, tuple(rows), (14, *([10] * 9)), is_dense=True)


def _short(each: Transition) -> str:
    return str(each.number) if each.kind == "connector" else each.id


def labels(subject: Subject) -> dict[str, list[Transition]]:
    """The transitions of each label of the status table."""
    found: dict[str, list[Transition]] = {}
    for each in subject.transitions:
        for label in each.labels:
            found.setdefault(label, []).append(each)
    return found
