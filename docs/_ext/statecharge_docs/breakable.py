"""Names in tables may be broken, such as ``is_long`` and ``LocalList``: a table of long ones then fits the window."""

import re
from typing import Any

from sphinx.application import Sphinx

CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)
TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z0-9]_)(?=[a-z0-9]{3})")


def breakable(body: str) -> str:
    """The HTML ``body`` with places where a browser may break names."""
    return CELL.sub(lambda cell: TEXT.sub(lambda text: JOINT.sub("<wbr>", text[0]), cell[0]), body)


def on_page(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Change a page before it is written."""
    if "body" in context:
        context["body"] = breakable(context["body"])


def register(app: Sphinx) -> None:
    """Have pages changed before they are written."""
    app.connect("html-page-context", on_page)
