"""The page docs/conformance.md: ``python -m tests.conformance.report`` runs the cases and writes what came of them.

``--check`` runs nothing: it compares the ids, titles and profiles of the page with those of the cases.
"""

import re
import sys
from pathlib import Path

import click
import pytest

from engine.conformance.cases import CASES, UNTESTED

FOLDER = Path(__file__).parent
TEST = re.compile(r".*\[TC_(\d{3}(?:_\d)?)(?:-[\w-]+)?\]")
"""The name of a test of a case; its group is the id."""
PAGE = FOLDER.parents[1] / "docs" / "conformance.md"
WORST_FIRST = ("failed", "not run", "skipped", "passed")
"""What may come of a case. An id with several cases counts as the worst of them."""

HEAD = """# Conformance

The test cases of the OCPP 1.6 certification programme (OCTT) for a charge point. They are part of the product
(`engine/conformance/cases`): `statecharge conformance` runs them against any charge point. Here each ran against the
real engine over the real WebSocket code, in virtual time and on memory streams. A case fails on any message that it
does not expect, and on any payload that does not fit the JSON schema of its message. This is evidence of our own, no
certificate. `pytest tests/conformance -k 004_1` runs one of them.

This page is written by `python -m tests.conformance.report`, which runs them all.

| Test case | Title | Profile | Result |
|---|---|---|---|
"""
UNTESTED_HEAD = """
## Not tested

| Test case | Title | Profile | Why |
|---|---|---|---|
"""


class Results:
    """What came of each case; a plugin of pytest."""

    def __init__(self) -> None:
        self.by_id: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a phase of a test; setting up and tearing down count if they fail or skip."""
        name = TEST.fullmatch(report.location[2])
        if name is not None and (report.when == "call" or report.outcome != "passed"):
            known = self.by_id.get(name[1], "passed")
            self.by_id[name[1]] = min(known, report.outcome, key=WORST_FIRST.index)


def run() -> dict[str, str]:
    """Run the tests; return what came of each case, by id."""
    results = Results()
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    pytest.main([*options, str(FOLDER / "test_cases.py")], plugins=[results])
    return results.by_id


def page(results: dict[str, str]) -> str:
    """The page. Several cases with one id have the same title and profile, and are one line."""
    rows = dict.fromkeys((case.id, case.title, case.profile) for case in CASES)
    done = [f"| {row[0]} | {row[1]} | {row[2]} | {results.get(row[0], 'not run')} |\n" for row in rows]
    rest = [f"| {each.id} | {each.title} | {each.profile} | {each.why} |\n" for each in UNTESTED]
    return "".join([HEAD, *done, UNTESTED_HEAD, *rest])


def without_results(text: str) -> list[str]:
    """The lines of a page, its results left out."""
    return [
        line.rsplit("|", 2)[0] if line.endswith(tuple(f"| {each} |" for each in WORST_FIRST)) else line
        for line in text.splitlines()
    ]


@click.command()
@click.option("--check", is_flag=True, help="Run nothing; exit with 1 if the page does not list these cases.")
@click.option("--out", type=click.Path(path_type=Path), default=PAGE, show_default=True)
def main(check: bool, out: Path) -> None:
    """Write the page of the conformance cases."""
    if check:
        written = out.read_text(encoding="utf-8") if out.exists() else ""
        if without_results(written) != without_results(page({})):
            click.echo(f"{out}: not what the cases say; run python -m tests.conformance.report", err=True)
            sys.exit(1)
        return
    results = run()
    out.write_text(page(results), encoding="utf-8")
    ids = {case.id for case in CASES}
    bad = sorted(each for each in ids if results.get(each) != "passed")
    click.echo(f"{out}: {len(ids) - len(bad)} of {len(ids)} cases passed")
    if bad:
        click.echo(f"not passed: {', '.join(bad)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
