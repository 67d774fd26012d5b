"""A picture in the DOT language, for Graphviz.

What is written beside an arrow is a node of its own, half way: Graphviz then keeps it clear of everything else, which
it does not promise for labels.
"""

from collections.abc import Iterable, Iterator, Mapping

from engine.diagrams.hints import COLORS, Color, hint
from engine.diagrams.picture import Box, Line, Move, Picture, is_short, wrapped

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
HERE = "#c2410c"
"""Of the state that a machine is in."""
INK, SOFT, REFERENCE, LABEL = "#111827", "#6b7280", "#1d4ed8", "#b91c1c"


def escape(text: str) -> str:
    """``text`` within a label in the HTML of DOT."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def font(text: str, color: str, size: float, *, bold: bool = False) -> str:
    """``text``, which is escaped here, in a font."""
    inner = f"<B>{escape(text)}</B>" if bold else escape(text)
    return f'<FONT COLOR="{color}" POINT-SIZE="{size:g}">{inner}</FONT>'


def written(line: Line, size: float) -> str:
    """A transition in one cell: message and number, guard, clause. What is short enough shares a line."""
    numbers = font(f"  {line.numbers}", SOFT, size - (1 if line.others else 2))
    first = font(line.message, INK, size) + numbers if line.message else numbers
    guard = [font(part, SOFT, size - 1) for part in wrapped(f"[{line.guard}]" if line.guard else "")]
    clause = [font(part, REFERENCE, size - 1) for part in wrapped(line.clause)]
    if is_short(line):
        first, clause = first + font(f"  {line.clause}", REFERENCE, size - 1), []
    return '<BR ALIGN="LEFT"/>'.join([first, *guard, *clause]) + '<BR ALIGN="LEFT"/>'


def cells(lines: Iterable[Line], size: float) -> str:
    """A row of a table for each line; the label of the status table stands in a column before it."""
    found = []
    lines = tuple(lines)
    has_labels = any(line.label for line in lines)
    for line in lines:
        label = f'<TD ALIGN="LEFT" VALIGN="TOP">{font(line.label or " ", LABEL, size + 5, bold=True)}</TD>'
        text = f'<TD ALIGN="LEFT" BALIGN="LEFT">{written(line, size)}</TD>'
        found.append(f"<TR>{label if has_labels else ''}{text}</TR>")
    return "".join(found)


def box(state: Box) -> str:
    """A state: its name, and what is done within it."""
    rows = [f"<TR><TD>{font(state.name, INK, 15, bold=True)}</TD></TR>"]
    if state.inside:
        inner = cells(state.inside, 9)
        if state.more:
            rest = font(f"and {state.more} more in the table", SOFT, 7)
            inner += f'<TR><TD COLSPAN="2">{rest}</TD></TR>'
        rows.append("<HR/>")
        rows.append(f'<TR><TD><TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{inner}</TABLE></TD></TR>')
    if state.here:
        rows.insert(
            0, f'<TR><TD BGCOLOR="{HERE}">{font(", ".join(state.here), "white", 10, bold=True)}</TD></TR>'
        )
    border, ink = (4, HERE) if state.here else (1.4, state.color.ink)
    style = f'STYLE="ROUNDED" BORDER="{border}" COLOR="{ink}" BGCOLOR="{state.color.fill}"'
    return f'<<TABLE {style} CELLBORDER="0" CELLSPACING="0" CELLPADDING="6">{"".join(rows)}</TABLE>>'


def beside(move: Move, color: Color) -> str:
    """What is written half way along an arrow."""
    style = f'BORDER="1" COLOR="{color.ink}" BGCOLOR="white" STYLE="ROUNDED"'
    return f'<<TABLE {style} CELLBORDER="0" CELLSPACING="1" CELLPADDING="2">{cells(move.lines, 10)}</TABLE>>'


def arrows(move: Move, order: Mapping[str, int], color: Color) -> Iterator[str]:
    """The two halves of an arrow, drawn in the order of the states, so that a way back takes no detour."""
    name = f"{move.source} to {move.target}"
    if order[move.source] < order[move.target]:
        yield f'"{move.source}" -> "{name}" [color="{color.ink}", arrowhead=none]'
        yield f'"{name}" -> "{move.target}" [color="{color.ink}"]'
    else:
        yield f'"{name}" -> "{move.source}" [color="{color.ink}", arrowhead=none]'
        yield f'"{move.target}" -> "{name}" [color="{color.ink}", dir=back]'


def dot(shown: Picture) -> str:
    """``shown`` in the DOT language. The same machine gives the same text."""
    layout = hint(shown.kind)
    placed = {state for states in layout.spine for state in states}
    ranks = (*layout.spine, *((state.value,) for state in shown.boxes if state.value not in placed))
    order = {state: rank for rank, states in enumerate(ranks) for state in states}
    out = [
        f'digraph "{shown.kind}" {{',
        "  graph [rankdir=TB, nodesep=0.12, ranksep=0.14, splines=true, pad=0.2]",
        f'  graph [label={title(shown)}, labelloc=t, labeljust=l, fontname="{FONT}"]',
        f'  node [shape=plain, fontname="{FONT}"]',
        f'  edge [fontname="{FONT}", color="{INK}", arrowsize=0.8, penwidth=1.1]',
    ]
    if any(state.value == shown.initial for state in shown.boxes):
        out.append(f'  "" [shape=circle, style=filled, fillcolor="{INK}", width=0.16, height=0.16, label=""]')
        out.append(f'  "" -> "{shown.initial}"')
    out += [f'  "{state.value}" [label={box(state)}]' for state in shown.boxes]
    values = {state.value for state in shown.boxes}
    for states in ranks:
        together = [state for state in states if state in values]
        if len(together) > 1:
            out.append("  {rank=same " + " ".join(f'"{state}"' for state in together) + "}")
    colors = {state.value: state.color for state in shown.boxes}
    for move in shown.moves:
        color = colors[move.source]
        out.append(f'  "{move.source} to {move.target}" [label={beside(move, color)}]')
        out += [f"  {arrow}" for arrow in arrows(move, order, color)]
    out.append("}")
    return "\n".join(out) + "\n"


def legend(colors: Iterable[Color]) -> str:
    """What colours mean, in one line."""
    return font("  ", INK, 9).join(
        font("\u25a0 ", color.ink, 12) + font(color.meaning, INK, 9) for color in colors
    )


def title(shown: Picture) -> str:
    """What the picture shows, and how to read it."""
    used = {state.color for state in shown.boxes}
    swatches = legend(color for color in COLORS if color in used)
    reading = [
        "Label of the status table or message, and the numbers of its rows in the table."
        if shown.is_condensed
        else "Message, number of its row in the table, [guard], clause.",
        "A way has the colour of the state it leaves.",
        f"The table has {shown.size} rows; those that do nothing are there only.",
    ]
    name = f"{shown.name}: {shown.view}" if shown.view else shown.name
    lines = '<BR ALIGN="LEFT"/>'.join(font(line, SOFT, 8) for line in reading)
    return (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">'
        f'<TR><TD ALIGN="LEFT">{font(name, INK, 20, bold=True)}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">{font(shown.summary, SOFT, 12)}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">{swatches}</TD></TR>'
        f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{lines}<BR ALIGN="LEFT"/></TD></TR></TABLE>>'
    )
