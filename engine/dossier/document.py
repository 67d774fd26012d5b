"""What the dossier says, before it is a site or a PDF: pages of blocks, which both are written from.

Blocks refer to each other by anchors, which are unique in the whole dossier: ``connector-12``, ``TC_003``.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """How a text or a row is to be read."""

    PLAIN = "plain"
    SOFT = "soft"
    """Beside the matter."""
    STRONG = "strong"
    CODE = "code"
    GOOD = "good"
    BAD = "bad"
    """In red: something is missing, or failed."""


class Span(NamedTuple):
    """A piece of text."""

    text: str
    tone: Tone = Tone.PLAIN
    to: str = ""
    """The anchor that it leads to."""


Inline = str | Span | Sequence[str | Span]


def spans(text: Inline) -> Iterator[Span]:
    """The pieces of ``text``."""
    parts: Iterable[str | Span] = [text] if isinstance(text, str | Span) else text
    for part in parts:
        yield part if isinstance(part, Span) else Span(part)


def joined(parts: Iterable[Span], separator: str = ", ") -> list[Span]:
    """``parts`` one after the other."""
    found: list[Span] = []
    for part in parts:
        if found:
            found.append(Span(separator))
        found.append(part)
    return found


class Heading(NamedTuple):
    """A heading within a page; those of level 2 are in the contents of the PDF."""

    text: str
    level: int = 2
    anchor: str = ""


class Paragraph(NamedTuple):
    """Some lines."""

    text: Inline
    tone: Tone = Tone.PLAIN


class Row(NamedTuple):
    """A row of a table."""

    cells: tuple[Inline, ...]
    anchor: str = ""
    tone: Tone = Tone.PLAIN


class Table(NamedTuple):
    """A table."""

    head: tuple[Inline, ...]
    rows: tuple[Row, ...]
    widths: tuple[float, ...]
    """Of the columns, relative to each other."""
    is_dense: bool = False
    """A matrix: many narrow columns, small type."""


class Figure(NamedTuple):
    """A drawing."""

    name: str
    """Of its files, without ending."""
    svg: str
    caption: str
    is_full_page: bool = False
    """In the PDF it has a page of its own, upright or across."""


class Files(NamedTuple):
    """Files of the dossier to look at with other programs: label and path."""

    label: str
    files: tuple[tuple[str, str], ...]


Block = Heading | Paragraph | Table | Figure | Files


class Page(NamedTuple):
    """A page of the site, a section of the PDF."""

    path: str
    """Of its file within the dossier: ``machines/connector.html``."""
    title: str
    anchor: str
    blocks: tuple[Block, ...]
    chapter: str = ""
    """The heading of the contents that it stands under."""


def anchors(page: Page) -> Iterator[str]:
    """The anchors that are on ``page``."""
    yield page.anchor
    for block in page.blocks:
        if isinstance(block, Heading) and block.anchor:
            yield block.anchor
        elif isinstance(block, Table):
            yield from (row.anchor for row in block.rows if row.anchor)


class BrokenLinkError(Exception):
    """A text leads to an anchor that is nowhere, or an anchor is twice: a defect."""


def places(pages: Iterable[Page]) -> dict[str, str]:
    """The page of each anchor, by its path.

    Raises:
        BrokenLinkError: An anchor is there twice.
    """
    found: dict[str, str] = {}
    for page in pages:
        for anchor in anchors(page):
            if anchor in found:
                raise BrokenLinkError(f"{anchor} is in {found[anchor]} and in {page.path}")
            found[anchor] = page.path
    return found
