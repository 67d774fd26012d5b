"""A picture as a Mermaid state diagram, which forges draw where a page holds it."""

from statemachine.contrib.diagram.model import (
    ActionType,
    DiagramAction,
    DiagramGraph,
    DiagramState,
    DiagramTransition,
    StateType,
)
from statemachine.contrib.diagram.renderers.mermaid import MermaidRenderer, MermaidRendererConfig

from engine.diagrams.hints import COLORS
from engine.diagrams.picture import Line, Picture, reference_of

TEXT = str.maketrans({":": ",", ";": ",", "<": "\u2039", ">": "\u203a", '"': "'"})
"""What would end a text of Mermaid, and what stands there instead."""


def written(line: Line) -> str:
    """A transition, shorter than in a picture: Mermaid has no small type. The table has the rest."""
    if line.label:
        return f"{line.label} {line.message}"
    parts = (line.message, f"[{line.guard}]" if line.guard else "", reference_of(line.clause))
    return " ".join(part for part in parts if part).translate(TEXT)


def mermaid(shown: Picture) -> str:
    """``shown`` as Mermaid text. The same machine gives the same text."""
    names = {box.value: box.value.lower() for box in shown.boxes}
    states = []
    for box in shown.boxes:
        inside = [DiagramAction(ActionType.INTERNAL, written(line)) for line in box.inside]
        if box.more:
            inside.append(DiagramAction(ActionType.INTERNAL, f"and {box.more} more in the table"))
        state = DiagramState(names[box.value], box.name, StateType.REGULAR, actions=inside)
        state.is_initial = box.value == shown.initial
        states.append(state)
    ways = [
        DiagramTransition(
            names[move.source],
            [names[move.target]],
            event="<br/>".join(written(line) for line in move.lines),
        )
        for move in shown.moves
    ]
    config = MermaidRendererConfig(direction="TB")
    text = MermaidRenderer(config).render(DiagramGraph(shown.name, states, ways))
    classes = []
    for number, color in enumerate(COLORS):
        members = ",".join(names[box.value] for box in shown.boxes if box.color is color)
        if members:
            classes.append(f"    classDef kind{number} fill:{color.fill},stroke:{color.ink},color:#111827\n")
            classes.append(f"    class {members} kind{number}\n")
    return text + "".join(classes)
