"""One transition is changed in a copy of the project: the dossier of the copy says so wherever it must."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from engine.cli import command

ROOT = Path(__file__).parents[2]
CLAUSE = "4.6 changed for a test"


def run(root, *arguments):
    """The command line of the project in ``root``."""
    environment = {**os.environ, "PYTHONPATH": str(root), "SOURCE_DATE_EPOCH": "1800000000"}
    return subprocess.run(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy in which Heartbeat is changed: HeartbeatTriggered leads from silent to beating, by another clause."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("drivers", "engine", "machines", "docs"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "station.toml", root)
    file = root / "machines" / "heartbeat.py"
    text = file.read_text()
    (old,) = [
        line for line in text.splitlines() if "silent.to(silent" in line and "HeartbeatTriggered" in line
    ]
    before, _, rest = old.replace("silent.to(silent", "silent.to(beating", 1).split('"', 2)
    changed = f'{before}"{CLAUSE}"{rest}'
    file.write_text(text.replace(old, changed))
    return root


@pytest.fixture(scope="module")
def dossiers(copy, tmp_path_factory):
    """The folders of the dossiers of the project and of its copy."""
    out = tmp_path_factory.mktemp("dossiers")
    for root, name in ((ROOT, "ours"), (copy, "copy")):
        done = run(root, "dossier", "full", "--out", out / name, "--select", "003", "--jobs", 1, "--no-pdf")
        assert done.returncode == 0, done.stderr
    return out / "ours", out / "copy"


def both(dossiers, path):
    return tuple((folder / path).read_text(encoding="utf-8") for folder in dossiers)


def test_the_diagram_is_another_one_in_every_format(dossiers):
    for suffix in ("svg", "dot", "mmd", "puml", "scxml"):
        ours, copy = both(dossiers, f"diagrams/heartbeat.{suffix}")
        assert ours != copy
    ours, copy = both(dossiers, "diagrams/heartbeat.svg")
    assert "changed for a test" in copy
    assert "changed for a test" not in ours
    ours, copy = (set((folder / "diagrams").iterdir()) for folder in dossiers)
    different = {
        file.name.partition(".")[0]
        for file in ours
        if file.read_bytes() != (dossiers[1] / "diagrams" / file.name).read_bytes()
    }
    assert different == {"heartbeat"}


def test_the_table_has_the_new_row_under_the_same_id(dossiers):
    ours, copy = both(dossiers, "machines/heartbeat.html")
    before, after = (
        text[text.index('<tr id="heartbeat-3"') :].partition("</tr>")[0] for text in (ours, copy)
    )
    assert all("Silent</td><td>HeartbeatTriggered" in row for row in (before, after))
    assert "<td>Beating</td>" in after
    assert "<td>Beating</td>" not in before
    assert CLAUSE in after


def test_the_traceability_has_it_under_its_new_clause(dossiers):
    ours, copy = both(dossiers, "traceability/clauses.html")

    def of(text, clause):
        return text[text.index(f'<tr id="clause-{clause}"') :].partition("</tr>")[0]

    assert "heartbeat-3" in of(ours, "4.2.1")
    assert "heartbeat-3" not in of(copy, "4.2.1")
    assert "#heartbeat-" in of(copy, "4.6")
    assert CLAUSE in both(dossiers, "traceability.json")[1]


def test_the_digest_is_another_one_on_every_page(dossiers):
    ours, copy = (msgspec.json.decode(text)["digests"] for text in both(dossiers, "manifest.json"))
    assert ours["code"] != copy["code"]
    assert ours["declaration"] == copy["declaration"]
    for page in dossiers[1].rglob("*.html"):
        assert copy["code"] in page.read_text(encoding="utf-8")
        assert ours["code"] not in page.read_text(encoding="utf-8")


def test_verify_tells_which_dossier_belongs_to_which_firmware(dossiers, copy):
    ours, theirs = dossiers
    assert run(ROOT, "dossier", "--verify", ours).returncode == 0
    assert run(copy, "dossier", "--verify", theirs).returncode == 0
    done = run(ROOT, "dossier", "--verify", theirs)
    assert done.returncode == 1
    first, only_there, only_here = done.stdout.splitlines()
    assert first.startswith("code: here runs ")
    assert only_there == (
        f"transition only in the dossier: heartbeat: silent -> beating on HeartbeatTriggered ({CLAUSE})"
    )
    assert only_here.startswith(
        "transition only here: heartbeat: silent -> silent on HeartbeatTriggered (4.2.1"
    )


# Verify, in all that may be wrong


@pytest.fixture
def folder(dossiers, tmp_path):
    shutil.copytree(dossiers[0], tmp_path / "dossier")
    return tmp_path / "dossier"


def verified(folder, *arguments):
    return CliRunner().invoke(command, ["dossier", "--verify", str(folder), *arguments])


def test_a_dossier_that_is_whole_and_of_this_code_is_told_with_its_digests(folder):
    done = verified(folder)
    assert done.exit_code == 0
    digests = msgspec.json.decode((folder / "manifest.json").read_bytes())["digests"]
    assert all(f"{name} {digest}" in done.stdout for name, digest in digests.items())


def test_a_changed_a_missing_and_a_foreign_file_are_told(folder):
    page = folder / "machines" / "fault.html"
    page.write_bytes(page.read_bytes() + b" ")
    (folder / "style.css").unlink()
    (folder / "more.txt").touch()
    done = verified(folder)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "machines/fault.html: was changed",
        "style.css: is missing",
        "more.txt: does not belong to it",
    ]


def test_other_results_are_told(folder):
    cases = folder / "results" / "cases.jsonl"
    cases.write_bytes(cases.read_bytes().replace(b'"passed"', b'"failed"', 1))
    assert verified(folder).stdout.splitlines() == [
        "results/cases.jsonl: was changed",
        "results: not those of the dossier",
    ]


def test_another_declaration_is_told(folder):
    done = verified(folder, "ac-smart")
    assert done.exit_code == 1
    assert done.stdout.startswith("declaration: ")


def test_a_folder_that_is_no_dossier_is_refused(tmp_path):
    done = verified(tmp_path)
    assert done.exit_code == 2
    assert "manifest.json: No such file or directory; allowed is the folder of a dossier" in done.stderr


# Where a dossier may go


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    done = CliRunner().invoke(
        command, ["dossier", "full", "--out", str(tmp_path), "--select", "003", "--no-pdf"]
    )
    assert done.exit_code == 2
    assert "holds something else; allowed: a new or empty folder, or an earlier dossier" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_earlier_dossier_is_replaced(folder):
    (folder / "machines" / "old.html").touch()
    arguments = ["dossier", "full", "--out", str(folder), "--select", "001", "--no-pdf", "--jobs", "1"]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert not (folder / "machines" / "old.html").exists()
    assert (folder / "evidence" / "TC_001.html").exists()
    assert not (folder / "evidence" / "TC_003.html").exists()
    assert verified(folder).exit_code == 0


def test_a_case_that_is_not_there_is_one_line(tmp_path):
    done = CliRunner().invoke(command, ["dossier", "--select", "999", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert done.stderr.startswith("statecharge: --select 999: none of")
