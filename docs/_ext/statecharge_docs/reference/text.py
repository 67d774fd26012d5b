"""Markdown: the pieces that every reference is made of."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import pairwise

from engine.diagrams import markdown
from engine.diagrams.markdown import code

__all__ = ["anchored", "code", "details", "fields_of", "linked", "mark", "plain", "summary", "table"]

ROLE = re.compile(r":\w+:`~?([^`]+)`")
DOUBLE = re.compile(r"``([^`]+)``")


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table, without the columns in which nothing stands."""
    lines = list(body)
    kept = [number for number in range(len(head)) if any(row[number] for row in lines)]
    return markdown.table(
        [head[number] for number in kept], ([row[number] for number in kept] for row in lines)
    )


def plain(text: str) -> str:
    """``text`` of a docstring, in Markdown and in one line."""
    return " ".join(DOUBLE.sub(r"`\1`", ROLE.sub(r"`\1`", text)).split())


def summary(thing: object) -> str:
    """What the first paragraph of a docstring says."""
    return plain((inspect.getdoc(thing) or "").partition("\n\n")[0])


def details(thing: object) -> str:
    """A docstring without its first paragraph and without what it says of arguments, in one line."""
    _, _, rest = (inspect.getdoc(thing) or "").partition("\n\n")
    paragraphs = (part for part in rest.split("\n\n") if not re.match(r"(Args|Raises|Returns):", part))
    return plain(" ".join(paragraphs))


def mark(holds: bool) -> str:
    """Yes, or nothing."""
    return "yes" if holds else ""


def anchored(text: str, name: str) -> str:
    """``text`` as code, with a place to link to."""
    return f"[`{text}`]{{#{name}}}"


def linked(kinds: Iterable[str]) -> str:
    """Machines, with links to their pages."""
    return ", ".join(f"[{kind}](../machines/{kind}.md)" for kind in kinds)


def fields_of(struct: type) -> dict[str, str]:
    """What the docstrings below the fields of a class say of them, those it inherits included."""
    said: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if base.__module__.split(".")[0] not in ("engine", "machines", "drivers"):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        said |= _said(tree.body)
    return said


def _said(body: Sequence[ast.stmt]) -> dict[str, str]:
    found = {}
    for field, after in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match after:
                case ast.Expr(ast.Constant(str(text))):
                    found[field.target.id] = plain(text)
    return found
