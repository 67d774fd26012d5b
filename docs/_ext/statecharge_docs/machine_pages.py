"""The pages of the machines: written from the classes when the site is built, whatever lies in docs/machines.

What is checked in there is for those who read the repository; ``make lint`` compares it with the classes.
"""

import re

from sphinx.application import Sphinx

from engine.diagrams.markdown import page
from engine.diagrams.overview import NAME as OVERVIEW

FOLDER = "machines/"
PICTURE = re.compile(r"^```mermaid\n.*?^```\n", re.MULTILINE | re.DOTALL)
ANCHOR = re.compile(r'<a id="(?P<name>[^"]+)"></a>(?P<text>[\w-]+)')
CONTENTS = """
```{toctree}
:hidden:
:glob:

*
```
"""
DECISION = re.compile(r"(?<![\w/#])[Dd]ecision (?P<id>[A-Z]+\d+)\b")
ROW = re.compile(r"^\| (?P<id>[A-Z]+\d+) \|", re.MULTILINE)


def machine_page(kind: str) -> str:
    """The page of machine ``kind`` as the site shows it: with a picture that is drawn now, and links to decisions."""
    text = PICTURE.sub(f"```{{statemachine}} {kind}\n```\n", page(kind), count=1)
    text = ANCHOR.sub(r"[\g<text>]{#\g<name>}", text)
    if kind == OVERVIEW:
        text += CONTENTS
    return DECISION.sub(lambda found: f"[{found[0]}](../decisions.md#{anchor_of(found['id'])})", text)


def anchor_of(decision: str) -> str:
    """Where a decision stands in its page."""
    return f"decision-{decision.lower()}"


def decisions_page(text: str) -> str:
    """The page of decisions, with a place to link to in each row."""
    return ROW.sub(lambda row: f"| [{row['id']}]{{#{anchor_of(row['id'])}}} |", text)


def on_read(_: Sphinx, name: str, source: list[str]) -> None:
    """Put what is written now in the place of what was read."""
    if name == "decisions":
        source[0] = decisions_page(source[0])
    elif name.startswith(FOLDER):
        kind = name.removeprefix(FOLDER)
        source[0] = machine_page(OVERVIEW if kind == "index" else kind)


def register(app: Sphinx) -> None:
    """Have pages replaced as they are read."""
    app.connect("source-read", on_read)
