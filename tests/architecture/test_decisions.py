"""docs/decisions.md holds: every row has a test that exists, its own id, and every citation has its row."""

import re
from itertools import chain
from pathlib import Path

import pytest

from tests.machines.test_status_table import STATUSES

ROOT = Path(__file__).parents[2]
COLUMNS = ("id", "point", "what we do", "why", "test")
QUOTED = re.compile(r"`([^`]+)`")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)
CITED = re.compile(r"\b[Dd]ecisions? ([A-Z]+\d+)\b")
"""As in ``decision T1``."""


def rows():
    """The rows of the table, by column."""
    lines = (ROOT / "docs" / "decisions.md").read_text().splitlines()
    table = [line.strip("|").split(" | ") for line in lines if line.startswith("| ")]
    head, *body = [[cell.strip() for cell in cells] for cells in table]
    assert tuple(cell.lower() for cell in head) == COLUMNS
    assert all(len(cells) == len(COLUMNS) for cells in body), "a cell too many or too few"
    return [dict(zip(COLUMNS, cells, strict=True)) for cells in body]


def sources(*folders):
    """The text of every module in ``folders``, by path."""
    files = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders)
    return {file: file.read_text() for file in files if file != Path(__file__)}


@pytest.fixture(scope="module")
def tests():
    """The names of all test functions."""
    return {name for text in sources("tests").values() for name in DEFINED.findall(text)}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_a_decision_is_complete_and_its_tests_exist(row, tests):
    named = QUOTED.findall(row["test"])
    assert all(row.values())
    assert named
    assert set(named) <= tests


def test_no_two_decisions_have_the_same_id():
    found = [row["id"] for row in rows()]
    assert sorted(found) == sorted(set(found))


def test_no_decision_is_called_like_a_transition_of_the_status_table():
    """Letter of a status and number of another: A2, I7."""
    label = re.compile(rf"[A-I][1-{len(STATUSES)}]")
    assert not [row["id"] for row in rows() if label.fullmatch(row["id"])]


def test_what_is_cited_is_in_the_table():
    cited = {
        found: file
        for file, text in sources("machines", "drivers", "engine", "tests").items()
        for found in CITED.findall(text)
    }
    known = {row["id"] for row in rows()}
    assert not {found: str(file.relative_to(ROOT)) for found, file in cited.items() if found not in known}
