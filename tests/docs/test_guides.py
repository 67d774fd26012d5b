"""Who follows the tutorial or a guide sees what it shows; every declaration in a page is right."""

import re

import pytest

from engine.station_file import load
from tests.docs.console import Desk, find, lay_out
from tests.peers.processes import ROOT

DOCS = ROOT / "docs"
FOLLOWED = [
    DOCS / "tutorials" / "first-charge.md",
    DOCS / "testing-a-charge-point.md",
    *sorted((DOCS / "guides").glob("*.md")),
]
TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DECLARATIONS = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.rglob("*.md"))
    for number, text in enumerate(TOML.findall(page.read_text(encoding="utf-8")), start=1)
]


@pytest.mark.skipif(not (ROOT / ".venv" / "ready").exists(), reason="make has not set up .venv")
@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.stem)
async def test_a_page_is_true(page, tmp_path, free_tcp_ports):
    csms, bench = free_tcp_ports(2)
    async with Desk(lay_out(tmp_path), {"9000": csms, "8080": bench}) as desk:
        await desk.follow(page)


def test_the_readme_asks_the_station_that_it_runs_why():
    """It ran with a state directory, and asked where there was none."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    run, why = (re.search(rf"^\$ statecharge {each} .*", readme, re.MULTILINE)[0] for each in ("run", "why"))

    assert re.findall(r"--state-dir \S+", run) == re.findall(r"--state-dir \S+", why) != []


def whole(text):
    """A declaration of which a page shows ``text``: all of it, or the parameters of a connector."""
    if text.startswith("[connectors.parameters"):
        shipped = (ROOT / "deploy" / "station.toml").read_text(encoding="utf-8")
        head = re.escape(text.partition("\n")[0])
        without = re.sub(rf"^{head}\n.*?(?=^\[)", "", shipped, flags=re.MULTILINE | re.DOTALL)
        return without.replace("[[readers]]", f"{text}\n[[readers]]", 1)
    return text


@pytest.mark.parametrize("text", DECLARATIONS)
def test_a_declaration_in_a_page_is_right(text, tmp_path):
    """One that is not whole belongs to a station as in ``deploy/station.toml``."""
    file = tmp_path / "station.toml"
    file.write_text(whole(text))

    load(file)


@pytest.mark.parametrize(
    ("shown", "lines", "is_shown"),
    [
        (("a", "b"), ["a", "b"], True),
        (("a", "b"), ["a", "c"], False),
        (("a",), ["a", "b"], False),
        (("…", "b"), ["a", "a", "b"], True),
        (("…", "b"), ["a", "b", "c"], False),
        (("a", "…"), ["a"], True),
        (("…x…",), ["axb"], True),
        (("…x",), ["axb"], False),
        (("a", "…", "b", "…"), ["a", "c"], False),
    ],
)
def test_what_is_shown_is_compared_with_what_came(shown, lines, is_shown):
    assert (find(shown, lines, is_whole=True) is not None) is is_shown
