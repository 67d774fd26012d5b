"""The reference, written by the code that it is about: each module has a ``text()`` in Markdown.

A page of docs/reference takes it where it has::

    ```{reference} keys
    ```
"""

import re
from collections.abc import Callable, Mapping

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from statecharge_docs.reference import (
    bench_api,
    command_line,
    declaration,
    devices,
    exit_codes,
    fixture,
    keys,
    messages,
    scripts,
)

TEXTS: Mapping[str, Callable[[], str]] = {
    "bench": bench_api.text,
    "command-line": command_line.text,
    "declaration": declaration.text,
    "devices": devices.text,
    "exit-codes": exit_codes.text,
    "fixture": fixture.text,
    "keys": keys.text,
    "messages": messages.text,
    "scripts": scripts.text,
}


PLACE = re.compile(r"^```\{reference\} (?P<name>.*)\n```$", re.MULTILINE)


def filled(page: str) -> str:
    """``page`` with what the code says of itself in its place.

    Raises:
        ExtensionError: There is no such text.
    """
    return PLACE.sub(lambda place: _text(place["name"]), page)


def _text(name: str) -> str:
    if name not in TEXTS:
        raise ExtensionError(f"no reference {name!r}: there are {', '.join(TEXTS)}")
    return TEXTS[name]()


def on_read(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Fill a page before it is parsed: so it may have headings of its own."""
    source[0] = filled(source[0])


def register(app: Sphinx) -> None:
    """Have pages filled as they are read."""
    app.connect("source-read", on_read)
