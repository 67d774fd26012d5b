"""Links of pages that Sphinx does not see lead somewhere; it sees to those of docs/ itself."""

import re

import pytest

from statecharge_docs.links import wrong
from tests.peers.processes import ROOT

LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
PAGES = ["README.md", "CHANGELOG.md", "docs/architecture.md", "docs/install.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page):
    file = ROOT / page
    missing = [link for link in LINK.findall(file.read_text()) if not (file.parent / link).exists()]

    assert not missing


def test_a_version_of_the_changelog_has_only_the_sections_that_there_are():
    headings = re.findall(r"^#+ (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}

    assert headings[:2] == ["Changelog", "Unreleased"]
    assert all(
        each in kinds or re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", each) for each in headings[2:]
    )


def test_the_table_of_extras_is_complete():
    declared = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    extras = re.findall(r"^([\w-]+) = \[", declared.partition("\n[")[0], re.MULTILINE)
    table = re.findall(
        r"^\| `([\w-]+)` \| [^|]+ \| [^|]*\|$", (ROOT / "docs" / "install.md").read_text(), re.MULTILINE
    )

    assert set(extras) <= set(table)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('<a href="b.html#there">', ""),
        ('<a href="https://example.com/">', ""),
        ('<a href="c.html">', "a.html: c.html leads nowhere"),
        ('<a href="b.html#nowhere">', "a.html: b.html#nowhere leads to no place on that page"),
        ('<a href="#nowhere">', "a.html: #nowhere leads to no place on that page"),
        (
            '<img src="https://example.com/x.png">',
            "a.html: loads https://example.com/x.png from elsewhere",
        ),
    ],
)
def test_a_built_site_is_looked_through(body, complaint, tmp_path):
    (tmp_path / "a.html").write_text(body)
    (tmp_path / "b.html").write_text('<p id="there">')

    assert list(wrong(tmp_path)) == ([complaint] if complaint else [])
