"""A sequence diagram of what a few participants send each other: as Mermaid text, and as plain text.

The same items give the same text.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

TEXT = str.maketrans({";": ",", "#": "no.", "<": "\u2039", ">": "\u203a"})
"""What would end a text of Mermaid, and what stands there instead."""
SPACE = 4
"""Characters between a text and the lifelines beside it."""


class Arrow(NamedTuple):
    """Something that one participant sends another, or itself."""

    source: str
    target: str
    text: str
    is_answer: bool = False


class Remark(NamedTuple):
    """Something that is said about one participant."""

    about: str
    text: str


Item = Arrow | Remark


def mermaid(participants: Sequence[str], items: Iterable[Item]) -> str:
    """The diagram as Mermaid text. ``participants`` from left to right."""
    names = {name: f"p{number}" for number, name in enumerate(participants)}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {short} as {name}" for name, short in names.items()]
    for item in items:
        match item:
            case Arrow(source, target, text, is_answer):
                line = "-->>" if is_answer else "->>"
                lines.append(f"    {names[source]}{line}{names[target]}: {text.translate(TEXT)}")
            case Remark(about, text):
                lines.append(f"    Note over {names[about]}: {text.translate(TEXT)}")
    return "\n".join(lines) + "\n"


def plain(participants: Sequence[str], items: Sequence[Item]) -> str:
    """The diagram as plain text, for a terminal. ``participants`` from left to right."""
    places = _places(participants, items)
    lifelines = _drawn(dict.fromkeys(places, "|"))
    heads = {place - len(name) // 2: name for name, place in zip(participants, places, strict=True)}
    lines = [_drawn(heads), lifelines]
    index = {name: number for number, name in enumerate(participants)}
    for item in items:
        texts = dict.fromkeys(places, "|")
        match item:
            case Arrow(source, target, text, is_answer) if source != target:
                left, right = sorted((places[index[source]], places[index[target]]))
                line = "." if is_answer else "-"
                shaft = f" {text} ".center(right - left - 3, line)
                is_right = index[source] < index[target]
                texts[left + 1] = f"{shaft}{line}>" if is_right else f"<{line}{shaft}"
            case Arrow(source, _, text):
                texts[places[index[source]]] = f"|> {text}"
            case Remark(about, text):
                texts[places[index[about]]] = f"* {text}"
        lines.append(_drawn(texts))
    return "\n".join(line.rstrip() for line in [*lines, lifelines]) + "\n"


def _places(participants: Sequence[str], items: Iterable[Item]) -> list[int]:
    """The columns of the lifelines: far enough from each other for what is sent between them."""
    index = {name: number for number, name in enumerate(participants)}
    apart = [(len(one) + len(other)) // 2 + SPACE for one, other in pairwise(participants)]
    for item in items:
        if isinstance(item, Remark) or item.source == item.target:
            continue
        left, right = sorted((index[item.source], index[item.target]))
        if right == left + 1:
            apart[left] = max(apart[left], len(item.text) + 2 * SPACE)
    places = [len(participants[0]) // 2]
    for distance in apart:
        places.append(places[-1] + distance)
    return places


def _drawn(texts: dict[int, str]) -> str:
    """A line with texts at columns; what begins further to the right goes over what is there."""
    line = ""
    for column, text in sorted(texts.items()):
        if text == "|" and len(line) > column:
            continue  # a text that is too long hides a lifeline
        line = line[:column].ljust(column) + text
    return line
