"""A sequence diagram as SVG, in pieces that each fit on a sheet of paper and have the names of the participants on top.

The same items give the same text.
"""

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import NamedTuple

from engine.diagrams.sequence import Arrow, Item, Remark

WIDTH = 520.0
FIRST, LAST = 76.0, WIDTH - 34
"""Where the first and the last participant stand, in pt; before the first is the column of times."""
FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
SIZE, LINE, HEAD, GAP = 6.8, 8.2, 26.0, 5.0
CHARACTER = 3.45
"""Width of a character on the average, in pt; texts are wrapped by it."""
REMARK_WIDTH = 190.0
INK, SOFT, SENT, BAD = "#111827", "#6b7280", "#1f5fa8", "#b3261e"
NOTE, NOTE_INK = "#fdf6dd", "#d9c27a"


class Moment(NamedTuple):
    """An item and when it was."""

    time: str
    item: Item
    is_bad: bool = False
    """It must not have been."""


class _Row(NamedTuple):
    """An item, wrapped."""

    moment: Moment
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        """Of all that is drawn of it."""
        return LINE * len(self.lines) + GAP + (4 if isinstance(self.moment.item, Arrow) else 6)


def pieces(participants: Sequence[str], moments: Sequence[Moment], height_max: float) -> Iterator[str]:
    """The diagram in SVG files of up to ``height_max`` pt each. ``participants`` from left to right."""
    places = {
        name: FIRST + number * (LAST - FIRST) / (len(participants) - 1)
        for number, name in enumerate(participants)
    }
    if len(participants) == 3:
        places[participants[1]] = FIRST + (LAST - FIRST) * 0.36  # payloads are longer than what hardware says
    rows: list[_Row] = []
    height = HEAD
    for row in _rows(places, moments, height_max - HEAD):
        if rows and height + row.height > height_max:
            yield _piece(places, rows)
            rows, height = [], HEAD
        rows.append(row)
        height += row.height
    yield _piece(places, rows)


def _rows(places: dict[str, float], moments: Sequence[Moment], height_max: float) -> Iterator[_Row]:
    """Items that are higher than a piece go on in the next."""
    most = int((height_max - 2 * GAP - 6) // LINE)
    for moment in moments:
        item = moment.item
        if isinstance(item, Arrow):
            room = abs(places[item.source] - places[item.target]) or WIDTH - places[item.source]
        else:
            room = REMARK_WIDTH
        found = [
            part
            for text in item.text.split("\n")
            for part in wrap(text, int((room - 10) / CHARACTER), break_on_hyphens=False) or [""]
        ]
        for start in range(0, len(found), most):
            yield _Row(moment, tuple(found[start : start + most]))


def _piece(places: dict[str, float], rows: Sequence[_Row]) -> str:
    height = HEAD + sum(row.height for row in rows) + GAP
    size = f'width="{WIDTH:g}pt" height="{height:g}pt" viewBox="0 0 {WIDTH:g} {height:g}"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    for name, x in places.items():
        out.append(_line(x, HEAD - 6, x, height, "#9aa7b8"))
        ink = 'fill="#eef1f5" stroke="#9aa7b8" stroke-width="0.6"'
        out.append(f'<rect x="{x - 33:g}" y="3" width="66" height="16" rx="3" {ink}/>')
        out.append(_text(x, 13.5, name, INK, anchor="middle", weight="bold"))
    y, last_time = HEAD, ""
    for row in rows:
        if row.moment.time != last_time:
            last_time = row.moment.time
            out.append(_text(0, y + LINE, last_time, SOFT))
        out += _drawn(places, row, y)
        y += row.height
    out.append("</svg>")
    return "\n".join(out) + "\n"


def _drawn(places: dict[str, float], row: _Row, y: float) -> Iterator[str]:
    match row.moment.item:
        case Arrow(source, target, _, is_answer) if source != target:
            left, right = sorted((places[source], places[target]))
            ink = BAD if row.moment.is_bad else SOFT if is_answer else SENT
            for number, text in enumerate(row.lines):
                yield _text(
                    (left + right) / 2,
                    y + LINE * (number + 1),
                    text,
                    ink if row.moment.is_bad else INK,
                    anchor="middle",
                )
            below = y + LINE * len(row.lines) + 3.5
            yield _line(left, below, right, below, ink, dashes="3,2" if is_answer else "")
            tip, back = (right, -4) if places[target] > places[source] else (left, 4)
            yield (
                f'<polygon points="{tip:g},{below:g} {tip + back:g},{below - 2.2:g} {tip + back:g},{below + 2.2:g}" '
                f'fill="{ink}" stroke="{ink}" stroke-width="0.5"/>'
            )
        case Arrow(source):
            for number, text in enumerate(row.lines):
                yield _text(places[source] + 5, y + LINE * (number + 1), text, INK)
        case Remark(about):
            widest = max((len(text) for text in row.lines), default=0)
            width = min(REMARK_WIDTH, widest * CHARACTER + 14)
            x = min(max(places[about], FIRST - 30 + width / 2), WIDTH - width / 2 - 1)
            yield (
                f'<rect x="{x - width / 2:g}" y="{y + 1:g}" width="{width:g}" height="{LINE * len(row.lines) + 5:g}" '
                f'rx="2" fill="{NOTE}" stroke="{NOTE_INK}" stroke-width="0.5"/>'
            )
            for number, text in enumerate(row.lines):
                yield _text(x, y + 1 + LINE * (number + 1), text, INK, anchor="middle")


def _line(x: float, y: float, to_x: float, to_y: float, ink: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}" stroke="{ink}" stroke-width="0.7"{dashed}/>'
    )


def _text(x: float, y: float, text: str, ink: str, *, anchor: str = "start", weight: str = "normal") -> str:
    bold = ' font-weight="bold"' if weight == "bold" else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="{FONT}" font-size="{SIZE:g}"{bold} '
        f'fill="{ink}">{escape(text, quote=False)}</text>'
    )
