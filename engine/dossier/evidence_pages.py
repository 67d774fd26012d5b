"""The page of a test case: its recorded runs, each with its verdict, its sequence diagram and the states entered."""

from collections.abc import Iterator, Sequence

from engine.conformance.results import Verdict
from engine.conformance.trace import Kind, Line, brief
from engine.diagrams.sequence import Arrow, Item, Remark
from engine.diagrams.sequence_svg import Moment, pieces
from engine.dossier.document import Block, Figure, Heading, Page, Paragraph, Span, Tone, joined
from engine.dossier.evidence import Noted, Run
from engine.dossier.subject import Subject, case_anchor, clause_anchor, linked, natural
from engine.dossier.trace_pages import verdict

HARDWARE, STATION, CENTRAL_SYSTEM = "Hardware", "Station", "CSMS"
PARTICIPANTS = (HARDWARE, STATION, CENTRAL_SYSTEM)
PIECE_HEIGHT = 660.0
"""Of a piece of a sequence diagram, in pt."""
LOOKS = ("is locked", "has energy", "register in Wh")
"""What the tester reads of the hardware, rather than does to it."""


def case_page(id_: str, runs: Sequence[Run], subject: Subject) -> Page:
    """The page of the test case ``id_``."""
    first = runs[0].result
    blocks: list[Block] = [
        Paragraph([Span(first.title, Tone.STRONG), Span(f" \u00b7 {first.profile}", Tone.SOFT)]),
    ]
    for number, run in enumerate(runs, start=1):
        if len(runs) > 1:
            blocks.append(Heading(run.result.label, 2))
        blocks += _run(run, f"{case_anchor(id_)}-{number}", subject)
    anchor = case_anchor(id_)
    return Page(
        f"evidence/{anchor}.html",
        f"{anchor}: {first.title}",
        anchor,
        tuple(blocks),
        subject.words("Evidence"),
    )


def _run(run: Run, name: str, subject: Subject) -> Iterator[Block]:
    words, result = subject.words, run.result
    if result.text:
        yield Paragraph(" ".join(result.text.split()), Tone.SOFT)
    yield Paragraph([Span(words("Verdict") + ": ", Tone.STRONG), verdict(subject, run)])
    if result.reason:
        first = result.reason.partition("\n")[0]  # the frames that follow are in the picture
        yield Paragraph(first, Tone.BAD if result.verdict is Verdict.FAILED else Tone.SOFT)
    if run.declares:
        yield Paragraph(
            [words("Declared beside the station file") + ":\n", Span(run.declares.strip(), Tone.CODE)]
        )
    if result.verdict is Verdict.NOT_APPLICABLE or not result.trace:
        return
    for number, svg in enumerate(pieces(PARTICIPANTS, moments(run), PIECE_HEIGHT), start=1):
        yield Figure(
            f"{name}-{number}", svg, words("{case}, part {number}", case=result.label, number=number)
        )
    if run.transitions:
        yield Paragraph(
            [Span(words("Transitions taken") + ": ", Tone.STRONG), *linked(run.transitions, subject.by_id)]
        )
        cited = {clause for each in run.transitions for clause in subject.by_id[each].clauses}
        links = joined(Span(clause, to=clause_anchor(clause)) for clause in sorted(cited, key=natural))
        yield Paragraph([Span(words("Clauses") + ": ", Tone.STRONG), *links])


def moments(run: Run) -> list[Moment]:
    """What happened, in order: messages, what the hardware was made to do, and the states that were entered."""
    found: list[Moment] = []
    entered = [each for each in run.taken if each.source != each.target]
    began = run.result.began
    for place in range(len(run.result.trace) + 1):
        here = [each for each in entered if each.place == place]
        if here:
            found.append(Moment(_clock((here[0].time - began).total_seconds()), _states(here)))
        if place < len(run.result.trace):
            line = run.result.trace[place]
            is_bad = place == run.result.deviates_at
            found.append(Moment(_clock((line.time - began).total_seconds()), _item(line), is_bad))
    return found


def _clock(seconds: float) -> str:
    """Since the beginning of the case: ``1:02:03.5``."""
    tenths = round(seconds * 10)
    whole = tenths // 10
    text = f"{whole // 60 % 60:02}:{whole % 60:02}.{tenths % 10}"
    return f"{whole // 3600}:{text}" if whole >= 3600 else text


def _states(entered: Sequence[Noted]) -> Item:
    """The states entered, one machine a line."""
    lines = [
        f"{each.address.replace('/', ' ')}: {each.target}  ({each.id.rpartition('-')[2]})" for each in entered
    ]
    return Remark(STATION, "\n".join(lines))


def _item(line: Line) -> Item:
    text = f"{line.name} {brief(line.detail)}".strip()
    if line.kind is Kind.STIMULUS:
        return Remark(HARDWARE, text) if line.name in LOOKS else Arrow(HARDWARE, STATION, text)
    if line.kind is Kind.CONNECTION:
        return Remark(CENTRAL_SYSTEM, text)
    ends = (CENTRAL_SYSTEM, STATION) if line.from_csms else (STATION, CENTRAL_SYSTEM)
    if line.kind is Kind.CALL:
        return Arrow(*ends, text)
    suffix = {Kind.RESULT: ".conf", Kind.ERROR: " CALLERROR"}.get(line.kind, "")
    return Arrow(*ends, f"{line.name}{suffix} {brief(line.detail)}".strip(), is_answer=True)
