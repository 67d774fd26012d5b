"""The machines of the site: drawn when it is built, and linked with the decisions that they cite."""

import re
import subprocess
import sys

import pytest

from engine.diagrams.files import drawing, names
from statecharge_docs.breakable import breakable
from statecharge_docs.machine_pages import decisions_page, machine_page
from tests.peers.processes import ROOT

DECISIONS = ROOT / "docs" / "decisions.md"


@pytest.mark.parametrize("kind", names())
def test_a_page_has_its_picture_and_no_other(kind):
    page = machine_page(kind)

    assert page.count(f"```{{statemachine}} {kind}\n") == 1
    assert "mermaid" not in page


def test_a_row_can_be_linked_to():
    assert "| [heartbeat-1]{#heartbeat-1} |" in machine_page("heartbeat")


def test_every_decision_that_is_cited_has_a_place_to_link_to():
    places = set(re.findall(r"\{#(decision-\w+)\}", decisions_page(DECISIONS.read_text())))
    cited = {each for kind in names() for each in re.findall(r"decisions\.md#([\w-]+)", machine_page(kind))}

    assert "decision-ll2" in cited
    assert cited <= places


def test_a_long_name_in_a_table_may_be_broken_and_no_other():
    text = '<a href="is_here/LocalList">LocalList</a> <code>is_so_long</code> OCPP'

    assert breakable(f"<p>{text}</p><td>{text}</td>") == (
        f'<p>{text}</p><td><a href="is_here/LocalList">Local<wbr>List</a> <code>is_so_<wbr>long</code> OCPP</td>'
    )


def build(folder, page):
    """Build a site of one page; return how that ended, and the folder of its pages."""
    (folder / "index.md").write_text(page)
    settings = ("-D", "extensions=myst_parser,statecharge_docs", "-D", "html_theme=basic", "-C")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", *settings, str(folder), str(folder / "out")]
    path = f"{ROOT}:{ROOT / 'docs' / '_ext'}"
    ended = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": path}, check=False)
    return ended, folder / "out"


def test_a_picture_is_drawn_when_the_site_is_built(tmp_path):
    ended, out = build(tmp_path, "# Test\n\n```{statemachine} heartbeat\n```\n")

    assert ended.returncode == 0, ended.stderr
    assert (out / "_images" / "machine-heartbeat.svg").read_bytes() == drawing("heartbeat", "svg")
    assert '<img src="_images/machine-heartbeat.svg"' in (out / "index.html").read_text()


def test_a_machine_that_does_not_exist_ends_the_build(tmp_path):
    ended, _ = build(tmp_path, "# Test\n\n```{statemachine} heart_beat\n```\n")

    assert ended.returncode != 0
    assert "did you mean heartbeat?" in ended.stderr
