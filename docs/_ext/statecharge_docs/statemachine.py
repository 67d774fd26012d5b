"""The directive ``statemachine``: a picture of a machine, drawn from the class that runs when the site is built.

::

    ```{statemachine} heartbeat
    ```

``overview`` is the picture of all machines together; ``package.module:Class`` is a machine beside those of the station.
"""

import html
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from engine.diagrams import overview
from engine.diagrams.dot import dot
from engine.diagrams.files import checked, drawing
from engine.diagrams.picture import picture
from engine.diagrams.render import render
from machines import routes
from machines.machine import AnyMachine

SIZE = re.compile(r'<svg width="(?P<width>\d+)pt" height="(?P<height>\d+)pt"')
FOLDER = "_images"


class statemachine(nodes.General, nodes.Element):  # noqa: N801 - nodes are called like what they stand for
    """The picture of the machine ``kind``."""


class StateMachine(SphinxDirective):
    """Stands for the picture of one machine.

    Raises:
        DiagramError: There is no such machine; the build ends.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The picture, to be drawn when the page is written."""
        kind = self.arguments[0]
        module, _, name = kind.partition(":")
        if name:
            return [foreign(getattr(import_module(module), name))]
        return [known(checked(kind))]


def known(kind: str) -> statemachine:
    """A machine of the station, or all of them."""
    title = overview.TITLE if kind == overview.NAME else title_of(routes.KINDS[kind])
    return statemachine("", kind=kind, svg=drawing(kind, "svg").decode(), title=title)


def foreign(machine: type[AnyMachine]) -> statemachine:
    """A machine that is none of the station's."""
    kind = machine.__name__.lower()
    svg = render(dot(picture(kind, machine)), "svg").decode()
    return statemachine("", kind=kind, svg=svg, title=title_of(machine))


def title_of(machine: type[AnyMachine]) -> str:
    """What is to be seen, in words."""
    return f"State diagram of the machine {machine.__name__}"


def figure(target: str, title: str, width: str) -> str:
    """The picture in a page: as wide as it can be read, and by itself when it is clicked."""
    place, words = html.escape(target), html.escape(title)
    return (
        f'<figure class="statemachine"><div class="statemachine-frame">'
        f'<a href="{place}"><img src="{place}" alt="{words}" style="min-width: {width}px"></a></div>'
        f'<figcaption>{words}. <a href="{place}">The picture by itself</a></figcaption></figure>\n'
    )


def visit_html(translator: Any, node: nodes.Element) -> None:
    """Write the picture beside the page, and show it there."""
    svg = node["svg"]
    size = SIZE.search(svg)
    assert size is not None, "Graphviz tells the size of a picture first"
    file = Path(translator.builder.outdir) / FOLDER / f"machine-{node['kind']}.svg"
    file.parent.mkdir(exist_ok=True)
    file.write_text(svg, encoding="utf-8")
    depth = translator.builder.current_docname.count("/")
    translator.body.append(figure("../" * depth + f"{FOLDER}/{file.name}", node["title"], size["width"]))
    raise nodes.SkipNode


def visit_text(translator: Any, node: nodes.Element) -> None:
    """Say what is to be seen, where nothing can be."""
    translator.add_text(f"[{node['title']}]")
    raise nodes.SkipNode


def register(app: Sphinx) -> None:
    """Add the directive to the site."""
    app.add_node(statemachine, html=(visit_html, None), text=(visit_text, None))
    app.add_directive("statemachine", StateMachine)
