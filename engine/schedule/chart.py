"""A schedule as a step chart in SVG: the limit over time, and what it is made of."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from engine.schedule.meaning import Line, Meaning, Row
from engine.schedule.table import title

WIDTH, HEIGHT = 960, 440
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 76, 48
STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
TICKS_MAX = 13

LIMIT = "#0b5cad"
PAUSE = "#b3261e"
COLOURS = {"transaction": "#c2570c", "station": "#5b8c2a", "installation": "#7b3fa0", "hardware": "#777777"}
DASHES = {"transaction": "6 3", "station": "2 3", "installation": "5 3 1 3", "hardware": "10 4"}
NAMES = {
    "transaction": "profiles of the transaction",
    "station": "profiles of the station",
    "installation": "installation",
    "hardware": "hardware",
}
LETTER_WIDTH = 6.2
"""Of a letter of the legend, about."""
DAY_WIDTH = 76
"""Of a date under the axis, about."""


class _Frame:
    """Where a second and a limit lie on the picture."""

    def __init__(self, begin_s: int, end_s: int, top: float) -> None:
        self.begin_s, self.end_s, self.top = begin_s, end_s, top

    def x(self, at_s: float) -> str:
        share = (min(max(at_s, self.begin_s), self.end_s) - self.begin_s) / (self.end_s - self.begin_s)
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    def y(self, limit: float) -> str:
        return f"{HEIGHT - BOTTOM - min(limit, self.top) / self.top * (HEIGHT - TOP - BOTTOM):.1f}"

    def path(self, steps: Sequence[tuple[int, float | None]]) -> str:
        """A line of steps, broken where there is no limit."""
        drawn = []
        ends = [at for at, _ in steps[1:]] + [self.end_s]
        before: float | None = None
        for (at, limit), end in zip(steps, ends, strict=True):
            if limit is not None:
                drawn.append(f"{'M' if before is None else 'L'}{self.x(at)} {self.y(limit)}")
                drawn.append(f"L{self.x(end)} {self.y(limit)}")
            before = limit
        return " ".join(drawn)


def chart(meaning: Meaning) -> str:
    """The picture of ``meaning``, an SVG document."""
    question = meaning.question
    end_s = question.at_s + max(1, question.duration_s)
    highest = max([row.limit for row in meaning.rows] + [_highest(line) for line in meaning.lines])
    step = _nice(highest / 6)
    frame = _Frame(question.at_s, end_s, step * (int(highest / step) + 1))
    limits = [(row.from_s, row.limit) for row in meaning.rows]
    outline = frame.path(limits)
    floor = frame.y(0)
    area = f"{outline} L{frame.x(end_s)} {floor} L{frame.x(question.at_s)} {floor} Z"
    body = [
        *_limits_axis(frame, step, question.unit.value),
        *_time_axis(frame),
        f'<path d="{area}" fill="{LIMIT}" fill-opacity="0.12"/>',
        *_pauses(frame, meaning.rows, end_s),
        *(
            f'<path d="{path}" fill="none" stroke="{COLOURS[line.name]}" stroke-width="1.5" '
            f'stroke-dasharray="{DASHES[line.name]}"/>'
            for line in meaning.lines
            if (path := frame.path(line.steps))
        ),
        f'<path d="{outline}" fill="none" stroke="{LIMIT}" stroke-width="2.5"/>',
        *_legend(
            [line.name for line in meaning.lines if frame.path(line.steps)],
            has_pauses=any(row.is_pause for row in meaning.rows),
        ),
    ]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
            f"<title>{escape(title(meaning))}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<text x="{LEFT}" y="24" font-size="14">{escape(title(meaning))}</text>',
            *body,
            "</svg>",
            "",
        ]
    )


def _highest(line: Line) -> float:
    return max((limit for _, limit in line.steps if limit is not None), default=0.0)


def _nice(rough: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... that is not less than ``rough``."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if step * factor >= rough:
                return step * factor
        step *= 10


def _limits_axis(frame: _Frame, step: float, unit: str) -> Iterable[str]:
    for count in range(round(frame.top / step) + 1):
        y = frame.y(count * step)
        yield f'<path d="M{LEFT} {y} H{WIDTH - RIGHT}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y}" dy="4" text-anchor="end">{count * step:g} {unit}</text>'


def _time_axis(frame: _Frame) -> Iterable[str]:
    length = frame.end_s - frame.begin_s
    step = next((step for step in STEPS_S if length / step <= TICKS_MAX), -(-length // TICKS_MAX))
    first = -(-frame.begin_s // step) * step
    base = HEIGHT - BOTTOM
    before = ""
    for at in range(first, frame.end_s + 1, step):
        when = datetime.fromtimestamp(at, UTC)
        clock = when.strftime("%H:%M:%S" if step < 60 else "%H:%M")
        day = when.strftime("%Y-%m-%d")
        x = frame.x(at)
        yield f'<path d="M{x} {TOP} V{base}" stroke="#eeeeee"/>'
        yield f'<text x="{x}" y="{base + 18}" text-anchor="middle">{clock}</text>'
        if day != before:
            # A date at an edge stays on the picture.
            middle = min(max(float(x), DAY_WIDTH / 2), WIDTH - DAY_WIDTH / 2)
            yield f'<text x="{middle:.1f}" y="{base + 34}" text-anchor="middle">{day}</text>'
        before = day
    yield f'<path d="M{LEFT} {base} H{WIDTH - RIGHT}" stroke="#333333"/>'


def _pauses(frame: _Frame, rows: Sequence[Row], end_s: int) -> Iterable[str]:
    """When there is too little to charge with: a band over the whole height."""
    ends = [row.from_s for row in rows[1:]] + [end_s]
    for row, end in zip(rows, ends, strict=True):
        if row.is_pause:
            x, width = frame.x(row.from_s), float(frame.x(end)) - float(frame.x(row.from_s))
            size = f'x="{x}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - BOTTOM - TOP}"'
            yield f'<rect {size} fill="{PAUSE}" fill-opacity="0.08"/>'


def _legend(names: Sequence[str], *, has_pauses: bool) -> Iterable[str]:
    x = LEFT
    for name, colour, dash, width in (
        ("limit", LIMIT, "", 2.5),
        *((NAMES[name], COLOURS[name], DASHES[name], 1.5) for name in names),
    ):
        yield f'<path d="M{x} 48 h28" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>'
        yield f'<text x="{x + 34}" y="52">{name}</text>'
        x += 34 + 24 + round(LETTER_WIDTH * len(name))
    if has_pauses:
        yield f'<rect x="{x}" y="40" width="28" height="16" fill="{PAUSE}" fill-opacity="0.08"/>'
        yield f'<text x="{x + 34}" y="52">pause</text>'
