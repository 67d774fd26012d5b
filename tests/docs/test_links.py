"""Links of pages that Sphinx does not see lead somewhere; it sees to those of docs/ itself."""

import re
import tomllib

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


def test_what_is_installed_is_told_as_it_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installed = (ROOT / "docs" / "install.md").read_text()
    core = {re.match(r"[\w-]+", each)[0] for each in project["dependencies"]}
    table = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| [^|]*\|$", installed, re.MULTILINE)

    assert not [name for name in core if name not in installed.partition("Everything else is an extra")[0]]
    assert set(project["optional-dependencies"]) <= set(table)


def test_an_image_gets_the_extras_that_an_installation_gets():
    """Without them the example of a declaration ends the service with 2, and nothing starts it again."""
    installed = (ROOT / "docs" / "install.md").read_text()
    (by_pip,) = re.findall(r"pip install 'statecharge(\[.*?\])'", installed)
    (into_image,) = re.findall(r"image\.sh \$\{D\} .*\.whl\)?(\S*)", installed)

    assert into_image.strip('"') == by_pip


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
