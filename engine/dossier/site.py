"""The dossier as a site: HTML that needs nothing else, with relative links."""

import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import PurePosixPath

from engine.dossier.digests import Digests
from engine.dossier.document import (
    Block,
    BrokenLinkError,
    Figure,
    Files,
    Heading,
    Inline,
    Page,
    Paragraph,
    Row,
    Table,
    Tone,
    places,
    spans,
)
from engine.dossier.words import Words

STYLE = "style.css"
FEW = 5
"""Pages of a chapter that are named on each of them; more can be unfolded."""


class Site:
    """Writes pages.

    Args:
        pages: All of them; the first is the one to begin with.
        title: Of the dossier.
        digests: For the foot of each page.
        words: Says the furniture.
    """

    def __init__(self, pages: Sequence[Page], title: str, digests: Digests, words: Words) -> None:
        self.pages = pages
        self.title = title
        self.digests = digests
        self.words = words
        self._places = places(pages)

    def files(self) -> Iterator[tuple[str, str]]:
        """Path and text of each file of the site."""
        for page in self.pages:
            yield page.path, self.page(page)

    def page(self, page: Page) -> str:
        """The HTML of ``page``."""
        body = "\n".join(self._block(page, block) for block in page.blocks)
        feet = "".join(
            f"<div><dt>{escape(label)}</dt><dd>{digest}</dd></div>"
            for label, digest in digest_lines(self.digests, self.words)
        )
        return f"""<!DOCTYPE html>
<html lang="{self.words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page.title)} \u00b7 {escape(self.title)}</title>
<link rel="stylesheet" href="{_relative(page.path, STYLE)}">
</head>
<body>
<header><a class="title" href="{_relative(page.path, self.pages[0].path)}">{escape(self.title)}</a>
<nav>{self._navigation(page)}</nav></header>
{self._within(page)}<main>
<h1 id="{page.anchor}">{escape(page.title)}</h1>
{body}
</main>
<footer><dl>{feet}</dl></footer>
</body>
</html>
"""

    def _navigation(self, page: Page) -> str:
        links = []
        for chapter, first in self._chapters().items():
            mark = ' aria-current="page"' if chapter == page.chapter else ""
            links.append(f'<a href="{_relative(page.path, first.path)}"{mark}>{escape(chapter)}</a>')
        return " ".join(links)

    def _within(self, page: Page) -> str:
        """The pages of the same chapter: the one before, the one after, and all of them."""
        chapter = [each for each in self.pages if each.chapter == page.chapter]
        if len(chapter) == 1:
            return ""
        place = chapter.index(page)

        def link(other: Page, text: str) -> str:
            mark = ' aria-current="page"' if other is page else ""
            return f'<a href="{_relative(page.path, other.path)}"{mark}>{escape(text)}</a>'

        beside = [link(chapter[place - 1], f"\u2190 {chapter[place - 1].title}")] if place else []
        if place + 1 < len(chapter):
            beside.append(link(chapter[place + 1], f"{chapter[place + 1].title} \u2192"))
        everything = " ".join(link(each, each.title) for each in chapter)
        if len(chapter) <= FEW:
            return f'<nav class="within">{everything}</nav>\n'
        summary = escape(self.words("All {count} pages", count=len(chapter)))
        return (
            f'<nav class="within">{" ".join(beside)}<details><summary>{summary}</summary>'
            f"<div>{everything}</div></details></nav>\n"
        )

    def _chapters(self) -> Mapping[str, Page]:
        """The first page of each chapter."""
        found: dict[str, Page] = {}
        for page in self.pages:
            found.setdefault(page.chapter, page)
        return found

    def _block(self, page: Page, block: Block) -> str:
        match block:
            case Heading(text, level, anchor):
                mark = f' id="{anchor}"' if anchor else ""
                return f"<h{level}{mark}>{escape(text)}</h{level}>"
            case Paragraph(text, tone):
                return f'<p class="{tone}">{self._inline(page, text)}</p>'
            case Table():
                return self._table(page, block)
            case Figure(_, svg, caption):
                return f"<figure>{_embedded(svg)}<figcaption>{escape(caption)}</figcaption></figure>"
            case Files(label, files):
                links = ", ".join(
                    f'<a href="{_relative(page.path, path)}">{escape(name)}</a>' for name, path in files
                )
                return f'<p class="files">{escape(label)}: {links}</p>'

    def _table(self, page: Page, table: Table) -> str:
        columns = "".join(
            f'<col style="width:{100 * width / sum(table.widths):.1f}%">' for width in table.widths
        )
        head = "".join(f"<th>{self._inline(page, cell)}</th>" for cell in table.head)
        body = "\n".join(self._row(page, row) for row in table.rows)
        kind = ' class="dense"' if table.is_dense else ""
        return (
            f'<div class="table"><table{kind}><colgroup>{columns}</colgroup>'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
        )

    def _row(self, page: Page, row: Row) -> str:
        mark = f' id="{row.anchor}"' if row.anchor else ""
        tone = f' class="{row.tone}"' if row.tone is not Tone.PLAIN else ""
        return (
            f"<tr{mark}{tone}>"
            + "".join(f"<td>{self._inline(page, cell)}</td>" for cell in row.cells)
            + "</tr>"
        )

    def _inline(self, page: Page, text: Inline) -> str:
        found = []
        for span in spans(text):
            shown = escape(span.text).replace("\n", "<br>")
            if span.tone is Tone.CODE:
                shown = f"<code>{shown}</code>"
            elif span.tone is not Tone.PLAIN:
                shown = f'<span class="{span.tone}">{shown}</span>'
            if span.to:
                shown = f'<a href="{self._link(page, span.to)}">{shown}</a>'
            found.append(shown)
        return "".join(found)

    def _link(self, page: Page, anchor: str) -> str:
        if anchor not in self._places:
            raise BrokenLinkError(f"{page.path} leads to {anchor}, which is nowhere")
        path = self._places[anchor]
        return f"#{anchor}" if path == page.path else f"{_relative(page.path, path)}#{anchor}"


def digest_lines(digests: Digests, words: Words) -> list[tuple[str, str]]:
    """The digests with their labels."""
    return [
        (words("Code"), digests.code),
        (words("Declaration"), digests.declaration),
        (words("Results"), digests.results),
    ]


def _relative(here: str, there: str) -> str:
    """The way from the page ``here`` to the file ``there``, both within the dossier."""
    return PurePosixPath(os.path.relpath(there, PurePosixPath(here).parent)).as_posix()


def _embedded(svg: str) -> str:
    """The element of an SVG file, for a page of HTML."""
    return svg[svg.index("<svg") :]
