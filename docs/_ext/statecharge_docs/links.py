"""Looks through a built site: ``python -m statecharge_docs.links out/site``.

Every link inside must lead to a page that is there, and to a place on it; nothing may be loaded from elsewhere, as the
site is read where there is no network. Exit code 1 if something is wrong, with one line for each.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "link": "href"}
"""What a browser fetches by itself."""


class _Page(HTMLParser):
    """The places of a page, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.places.update(name for name in (found.get("id"), found.get("name")) if name)
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag in LOADED and (loaded := found.get(LOADED[tag])):
            self.loads.append(loaded)


def wrong(site: Path) -> Iterator[str]:
    """What is wrong with the links in ``site``, a line each."""
    pages = {file: _Page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        name = file.relative_to(site)
        for loaded in page.loads:
            if urlsplit(loaded).netloc:
                yield f"{name}: loads {loaded} from elsewhere"
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.is_file():
                yield f"{name}: {link} leads nowhere"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{name}: {link} leads to no place on that page"


def main(site: str) -> int:
    """Say what is wrong; return the exit code."""
    found = list(wrong(Path(site).resolve()))
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201 - a command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
