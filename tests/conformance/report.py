"""The page docs/conformance.md: ``python -m tests.conformance.report`` runs the cases and writes what came of them.

``--check`` runs nothing: it compares the ids, titles and profiles of the page with those of the tests.
"""

import sys
from pathlib import Path

import click
import pytest

from tests.conformance.cases import FOLDER, UNTESTED, Case, CasesError, id_of, tested

PAGE = FOLDER.parents[1] / "docs" / "conformance.md"
WORST_FIRST = ("failed", "not run", "skipped", "passed")
"""What may come of a case. One with several tests counts as the worst of them."""

HEAD = """# Conformance

The test cases of the OCPP 1.6 certification programme (OCTT) for a charge point, as this project runs them: each
against the real engine over the real WebSocket code, in virtual time and on memory streams. A case fails on any message
that it does not expect, and on any payload that does not fit the JSON schema of its message. The tests are in
`tests/conformance`, named after their case: 004_1 is `test_tc_004_1_...`. This is evidence of our own, no certificate.

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
        case_id = id_of(report.location[2])
        if case_id is not None and (report.when == "call" or report.outcome != "passed"):
            known = self.by_id.get(case_id, "passed")
            self.by_id[case_id] = min(known, report.outcome, key=WORST_FIRST.index)


def run() -> dict[str, str]:
    """Run the tests; return what came of each case, by id."""
    results = Results()
    pytest.main(["-q", "-p", "no:cacheprovider", str(FOLDER)], plugins=[results])
    return results.by_id


def page(cases: list[Case], results: dict[str, str]) -> str:
    """The page."""
    done = [f"| {c.id} | {c.title} | {c.profile} | {results.get(c.id, 'not run')} |\n" for c in cases]
    rest = [f"| {c.id} | {c.title} | {c.profile} | {why} |\n" for c, why in UNTESTED]
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
    try:
        cases = tested()
    except CasesError as error:
        raise click.ClickException(str(error)) from error
    if check:
        written = out.read_text(encoding="utf-8") if out.exists() else ""
        if without_results(written) != without_results(page(cases, {})):
            click.echo(f"{out}: not what the tests say; run python -m tests.conformance.report", err=True)
            sys.exit(1)
        return
    results = run()
    out.write_text(page(cases, results), encoding="utf-8")
    bad = sorted(case.id for case in cases if results.get(case.id) != "passed")
    click.echo(f"{out}: {len(cases) - len(bad)} of {len(cases)} cases passed")
    if bad:
        click.echo(f"not passed: {', '.join(bad)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
