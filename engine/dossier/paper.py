"""The dossier as one PDF, A4, written with reportlab (the extra ``dossier``).

What leads to another place on the site does so in the PDF; the contents tell the pages. Every page has the digests.
The same dossier gives the same file.
"""

import io
from collections.abc import Iterator, Sequence
from html import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Paragraph as Text

from engine.dossier.digests import Digests
from engine.dossier.document import (
    Block,
    Figure,
    Files,
    Heading,
    Inline,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    spans,
)
from engine.dossier.drawn import Drawing
from engine.dossier.sheet import ACROSS, CAPTION, FOOT, MARGIN, MM, UPRIGHT, best_fit, paper_size, room
from engine.dossier.site import digest_lines
from engine.dossier.words import Words

ALONE_SCALE = 0.75
"""A figure that had to be drawn smaller than this among the text has a page of its own."""

HEADING_ROOM = 90.0
"""A heading that has less below it, in pt, goes to the next page."""
SHORT_ROOM = 130.0
"""The same for a section of a few lines."""
CELL_MAX = 1500
"""Characters of a cell beyond which a row may not fit on a page: it goes on on the next."""

INK, SOFT, GOOD, BAD, LINK = "#1c2430", "#5b6675", "#1a7f4b", "#b3261e", "#1f5fa8"
LINE, SHADE, RED = "#d5dbe3", "#eef1f5", "#fdeceb"
COLORS = {Tone.SOFT: SOFT, Tone.GOOD: GOOD, Tone.BAD: BAD}

REPLACED = str.maketrans({"\u2192": "->", "\u2265": ">=", "\u2264": "<=", "\u00a0": " ", "\u200b": ""})
"""What the fonts that every reader of PDF has do not have."""

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12, textColor=INK, spaceAfter=5)
CELL = ParagraphStyle("cell", BODY, fontSize=7, leading=8.6, spaceAfter=0, splitLongWords=1)
HEAD = ParagraphStyle("head", CELL, fontName="Helvetica-Bold", textColor=SOFT)
DENSE = ParagraphStyle("dense", CELL, fontSize=5.4, leading=6.6)
DENSE_HEAD = ParagraphStyle("dense head", DENSE, fontName="Helvetica-Bold", textColor=SOFT)
NOTE = ParagraphStyle("note", BODY, fontSize=7.5, leading=9.5, textColor=SOFT, alignment=TA_CENTER)
TITLES = {
    1: ParagraphStyle("h1", BODY, fontName="Helvetica-Bold", fontSize=18, leading=23, spaceAfter=6),
    2: ParagraphStyle("h2", BODY, fontName="Helvetica-Bold", fontSize=12.5, leading=16, spaceBefore=10),
    3: ParagraphStyle("h3", BODY, fontName="Helvetica-Bold", fontSize=10, leading=13, spaceBefore=6),
}


def printed(pages: Sequence[Page], title: str, digests: Digests, words: Words) -> bytes:
    """The PDF of ``pages``, the first of which is the cover; the contents follow it."""
    file = io.BytesIO()
    document = _Document(file, title, digests, words)
    story = _Story()
    cover, *rest = pages
    story.section(cover)
    story.contents(rest, words)
    for page in rest:
        story.section(page)
    document.build(story.flowables)
    return file.getvalue()


class _Document(BaseDocTemplate):  # type: ignore[misc]
    """The pages, with their feet. Page numbers that are known at the end only are drawn as forms, which come last."""

    def __init__(self, file: io.BytesIO, title: str, digests: Digests, words: Words) -> None:
        super().__init__(
            file, title=title, author="Statecharge", subject=digests.code, invariant=1, lang=words.language
        )
        self._feet = digest_lines(digests, words)
        self._words = words
        self._pages: dict[str, int] = {}
        templates = []
        for orientation in (UPRIGHT, ACROSS):
            size = paper_size(orientation)
            frame = Frame(MARGIN, FOOT, *room(orientation), 0, 0, 0, 0, id=orientation)
            templates.append(PageTemplate(orientation, [frame], onPage=self._foot, pagesize=size))
        self.addPageTemplates(templates)

    def _foot(self, canvas: Canvas, _document: object) -> None:
        width = canvas._pagesize[0]  # noqa: SLF001 - there is no other way to ask
        canvas.setStrokeColor(HexColor(LINE))
        canvas.setLineWidth(0.5)
        canvas.line(MARGIN, FOOT - 3 * MM, width - MARGIN, FOOT - 3 * MM)
        canvas.setFillColor(HexColor(SOFT))
        for number, (label, digest) in enumerate(self._feet):
            y = FOOT - 3 * MM - 7 * (number + 1)
            canvas.setFont("Helvetica", 5.5)
            canvas.drawString(MARGIN, y, f"{label} SHA-256")
            canvas.setFont("Courier", 5.5)
            canvas.drawString(MARGIN + 75, y, digest)
        canvas.setFont("Helvetica", 7)
        y = FOOT - 3 * MM - 9
        canvas.drawRightString(width - MARGIN - 24, y, f"{self.title}    {canvas.getPageNumber()} /")
        canvas.saveState()
        canvas.translate(width - MARGIN - 22, y)
        canvas.doForm("page-of-end")
        canvas.restoreState()

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - the library's name
        """Take note of where a section begins."""
        if isinstance(flowable, _Mark):
            self._pages[flowable.anchor] = self.page

    def afterPage(self) -> None:  # noqa: N802
        """Nothing is left to do."""

    def _endBuild(self) -> None:  # noqa: N802
        for anchor, page in {**self._pages, "end": self.page}.items():
            self.canv.beginForm(f"page-of-{anchor}", 0, -3, 30, 10)
            self.canv.setFont("Helvetica", 7)
            self.canv.setFillColor(HexColor(SOFT))
            self.canv.drawString(0, 0, str(page))
            self.canv.endForm()
        super()._endBuild()


class _Mark(Flowable):  # type: ignore[misc]
    """A place that can be led to; with a title it is in the outline too."""

    def __init__(self, anchor: str, title: str = "", level: int = 0) -> None:
        super().__init__()
        self.anchor, self.title, self.level = anchor, title, level
        self.width = self.height = 0

    def draw(self) -> None:
        """Nothing that could be seen."""
        self.canv.bookmarkHorizontal(self.anchor, 0, 24)
        if self.title:
            self.canv.addOutlineEntry(self.title.translate(REPLACED), self.anchor, self.level, closed=True)


class _PageOf(Flowable):  # type: ignore[misc]
    """The number of the page on which a section begins."""

    def __init__(self, anchor: str) -> None:
        super().__init__()
        self.anchor = anchor
        self.width, self.height = 20, 7

    def draw(self) -> None:
        """The form that is made at the end."""
        self.canv.doForm(f"page-of-{self.anchor}")


class _Picture(Flowable):  # type: ignore[misc]
    """A drawing."""

    def __init__(self, drawing: Drawing, scale: float) -> None:
        super().__init__()
        self._drawing, self._scale = drawing, scale
        self.width, self.height = drawing.size[0] * scale, drawing.size[1] * scale
        self.hAlign = "CENTER"

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """As large as it is."""
        return self.width, self.height

    def draw(self) -> None:
        """The drawing, to scale."""
        self._drawing.draw(self.canv, self._scale)


class _Story:
    """The flowables of the document, with breaks where they are needed and nowhere else."""

    def __init__(self) -> None:
        self.flowables: list[Flowable] = []
        self._was_short = False
        """The latest section was a few lines: others of that kind go below it."""
        self._next: str | None = None
        """The orientation of the page that is to begin before whatever comes next."""

    def add(self, *flowables: Flowable) -> None:
        """What comes next."""
        if self._next is not None:
            self.flowables += [NextPageTemplate(self._next), PageBreak()]
            self._next = None
        self.flowables += flowables

    def turn(self, orientation: str = UPRIGHT) -> None:
        """Whatever comes next is on a new page."""
        if self.flowables:
            self._next = orientation

    def section(self, page: Page) -> None:
        """A page of the site."""
        is_short = all(isinstance(block, Paragraph | Heading) for block in page.blocks)
        if is_short and self._was_short:
            self.add(CondPageBreak(SHORT_ROOM))
        else:
            self.turn()
        self._was_short = is_short
        self.add(_Mark(page.anchor, page.title), Text(_markup(page.title), TITLES[1]))
        heading: list[Flowable] = []
        for block in page.blocks:
            placed = _Placed(block) if isinstance(block, Figure) else None
            if isinstance(block, Heading):
                self.add(*heading)
                heading = list(_flowables(block))  # it goes where the next block goes
                continue
            if placed is None:
                self.add(*heading, *_flowables(block))
            elif placed.is_alone:
                orientation, *flowables = placed.alone()
                self.turn(orientation)
                self.add(*heading, *flowables)
                self.turn()
            else:
                self.add(KeepTogether([*heading, *placed.inline()]))
            heading = []
        self.add(*heading)

    def contents(self, pages: Sequence[Page], words: Words) -> None:
        """The contents, each with the page on which it begins."""
        self.turn()
        self.add(Text(_markup(words("Contents")), TITLES[1]))
        rows: list[list[Flowable]] = []
        chapter = ""
        for page in pages:
            if page.chapter != chapter:
                chapter = page.chapter
                rows.append([Text(f"<b>{_escaped(chapter)}</b>", BODY), Spacer(0, 0)])
            rows.append([Text(_markup(Span(page.title, to=page.anchor)), CELL), _PageOf(page.anchor)])
        style = [
            ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
        self.add(LongTable(rows, [room(UPRIGHT)[0] - 30, 30], style=TableStyle(style)))


class _Placed:
    """Where a figure goes.

    Args:
        figure: What is to be placed.
    """

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self._drawing = Drawing(figure.svg)
        width, height = room(UPRIGHT)
        self._scale = min(1.0, width / self._drawing.size[0])
        is_small = self._scale < ALONE_SCALE
        self.is_alone = is_small or self._drawing.size[1] * self._scale > height - CAPTION

    def inline(self) -> list[Flowable]:
        """Among the text."""
        return [_Picture(self._drawing, self._scale), Text(_markup(self._figure.caption), NOTE)]

    def alone(self) -> tuple[str, Flowable, Flowable]:
        """On a page of its own: how that lies, and what is on it."""
        orientation, scale = best_fit(self._drawing.size)
        return orientation, _Picture(self._drawing, scale), Text(_markup(self._figure.caption), NOTE)


def _flowables(block: Block) -> Iterator[Flowable]:
    match block:
        case Heading(text, level, anchor):
            yield CondPageBreak(HEADING_ROOM)
            if anchor:
                yield _Mark(anchor, text if level == 2 else "", 1)
            yield Text(_markup(text), TITLES[level])
        case Paragraph(text, tone):
            yield Text(_markup(text, tone), BODY)
        case Table():
            yield _table(block)
            yield Spacer(0, 6)
        case Files() | Figure():
            return  # files lie beside the PDF; figures are placed


def _table(table: Table) -> Flowable:
    head, cell = (DENSE_HEAD, DENSE) if table.is_dense else (HEAD, CELL)
    width = room(UPRIGHT)[0]
    widths = [width * each / sum(table.widths) for each in table.widths]
    rows = [[Text(_markup(each), head) for each in table.head]]
    style: list[tuple[object, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE)),
        ("BACKGROUND", (0, 0), (-1, 0), HexColor(SHADE)),
        ("LEFTPADDING", (0, 0), (-1, -1), 2.5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2.5),
        ("TOPPADDING", (0, 0), (-1, -1), 1.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
    ]
    if table.is_dense:
        style.append(("LINEAFTER", (0, 0), (-2, -1), 0.4, HexColor(LINE)))
    for number, row in enumerate(table.rows, start=1):
        cells = [
            Text(_markup(each, row.tone if row.tone is Tone.SOFT else Tone.PLAIN), cell) for each in row.cells
        ]
        if row.anchor:
            first = _markup(row.cells[0])
            cells[0] = Text(f'<a name="{row.anchor}"/>{first}', cell)
        if row.tone is Tone.BAD:
            style.append(("BACKGROUND", (0, number), (-1, number), HexColor(RED)))
        rows.append(cells)
    longest = max((_length(each) for row in table.rows for each in row.cells), default=0)
    is_split = int(longest > CELL_MAX)
    return LongTable(rows, widths, style=TableStyle(style), repeatRows=1, splitInRow=is_split)


def _length(text: Inline) -> int:
    return sum(len(span.text) for span in spans(text))


def _escaped(text: str) -> str:
    plain = text.translate(REPLACED)
    return escape(plain.encode("cp1252", "replace").decode("cp1252"), quote=False).replace("\n", "<br/>")


def _markup(text: Inline, tone: Tone = Tone.PLAIN) -> str:
    """``text`` as the markup of reportlab."""
    found = []
    for span in spans(text):
        shown = _escaped(span.text)
        used = span.tone if span.tone is not Tone.PLAIN else tone
        if used is Tone.CODE:
            shown = f'<font face="Courier">{shown}</font>'
        elif used is Tone.STRONG:
            shown = f"<b>{shown}</b>"
        color = COLORS.get(used) or (LINK if span.to else "")
        if color:
            shown = f'<font color="{color}">{shown}</font>'
        if span.to:
            shown = f'<a href="#{span.to}">{shown}</a>'
        found.append(shown)
    return "".join(found)
