"""The suites: the tests of a checkout, collected by pytest, and by which name a report speaks of them."""

import contextlib
import importlib.util
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.mutation.checks import Check, MutationError

if TYPE_CHECKING:
    import pytest

SUITES: dict[str, tuple[str, ...]] = {
    "table": ("tests/machines/test_every_machine.py", "tests/machines/test_status_table.py"),
    "machines": ("tests/machines", "tests/smart_charging"),
    "tours": (),
    "conformance": ("tests/conformance",),
    "scenarios": ("tests/scenarios",),
    "engine": ("tests/engine",),
    "tests": ("tests",),
    "walks": (
        "tests/machines/test_random_walks.py",
        "tests/machines/test_reservation_model.py",
    ),
    "exploration": ("tests/machines/test_exploration.py",),
}
"""Files and folders of each suite, the cheap suites first: that is the order in which a mutant meets them.

The tours are in a folder of their own (rehearsed.py). A file belongs to the suite that names the longest part of its
path.
"""

EXCLUDED = {
    "tests/system": "it runs the station in processes of its own, where there is no fault",
    "tests/architecture": "it reads sources",
    "tests/engine/test_explore.py": "it explores in processes of its own, where there is no fault",
    "tests/engine/test_mutation.py": "it is the test of this",
    "tests/engine/test_diagrams.py": "whatever differs from the pages that were written before is no finding",
    "tests/tours": "tours that are planned on a mutant expect what it does; those of the sound machines are rehearsed",
    "tests/machines/test_interpreters.py": "it compares a machine with its own definition",
    "tests/machines/test_random_walks.py::test_the_walks_take_most_rows": "it asks how much walks see, not what",
    "tests/machines/test_status_transitions.py": "it walks once more, and longer; a mutant need not wait for it",
    "tests/scenarios/test_soak.py": "what it plays at length, the others play in short",
    "tests/scenarios/test_power_cut_day.py": "what it plays at length, test_recovery.py plays in short",
}
"""Tests that do not count, and why. Without them the check is stricter, or sooner done."""


def suite_of(path: str) -> str:
    """The suite of the test file ``path``."""
    fitting = [
        (len(part), suite)
        for suite, parts in SUITES.items()
        for part in parts
        if path == part or path.startswith(f"{part}/")
    ]
    return max(fitting)[1] if fitting else "tests"


class Collected:
    """The tests of a checkout, ready to be run one at a time in this process or in one forked from it.

    Args:
        root: The checkout.
        paths: Its tests: files, folders, or single tests as pytest names them.
    """

    def __init__(self, root: Path, paths: Sequence[str]) -> None:
        self._root = root
        self._paths = tuple(paths)
        self._items: dict[str, pytest.Item] = {}
        self._failure = ""
        self._body: Callable[[list[Check]], None] | None = None
        self._error: BaseException | None = None

    def with_checks(self, body: Callable[[list[Check]], None]) -> None:
        """Call ``body`` with every check, while pytest holds them ready.

        Raises:
            MutationError: There are no tests, or they cannot be collected.
        """
        for module in ("pytest", "hypothesis"):
            if importlib.util.find_spec(module) is None:
                raise MutationError(f"{module} is not installed; pip install 'statecharge[dev]' has it")
        for path in self._paths:
            if not (self._root / path.partition("::")[0]).exists():
                raise MutationError(f"found no {path} in {self._root}; mutants are judged in a checkout")
        import pytest

        excluded = [f"--{'deselect' if '::' in path else 'ignore'}={path}" for path in EXCLUDED]
        # The plugin of this project is loaded before pytest could rewrite it; that matters to nobody here.
        ignored = "ignore::pytest.PytestAssertRewriteWarning"
        options = ["--quiet", "--capture=no", "--tb=line", "-p", "no:cacheprovider", "-W", ignored]
        options += ["--override-ini=tmp_path_retention_policy=none", *excluded]
        said, here = io.StringIO(), Path.cwd()
        self._body = body
        os.chdir(self._root)
        try:
            with contextlib.redirect_stdout(said):
                pytest.main([*options, *self._paths], plugins=[self])
        finally:
            os.chdir(here)
        if self._error is not None:
            raise self._error
        if self._body is not None:
            lines = [line for line in said.getvalue().splitlines() if line.strip()]
            why = next(
                (line for line in lines if line.startswith("ERROR ")), lines[-1] if lines else "no word"
            )
            raise MutationError(f"the tests cannot be collected: {why}")

    # What pytest calls

    def pytest_configure(self) -> None:
        """Let hypothesis stop at the first example that fails: whether there is one is all that is asked."""
        from hypothesis import Phase, settings

        settings.register_profile("mutation", phases=(Phase.explicit, Phase.generate), database=None)
        settings.load_profile("mutation")

    def pytest_runtestloop(self, session: "pytest.Session") -> bool:
        """Take the place of pytest's own loop."""
        if session.testsfailed:
            return True  # not everything could be collected; pytest tells
        assert self._body is not None
        body, self._body = self._body, None
        self._items = {item.nodeid: item for item in session.items}
        try:
            body([self._check(name) for name in self._items])
        except BaseException as error:
            self._error = error  # pytest would make a report of it
            raise
        return True

    def pytest_keyboard_interrupt(self) -> None:
        """Hear that the user has enough; pytest would only make a report of it."""
        self._error = KeyboardInterrupt()

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        """Hear how a test went."""
        if report.failed and not self._failure:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = (report.longreprtext if crash is None else str(crash.message)).strip().splitlines()
            self._failure = said[0] if said else "failed"

    def _check(self, name: str) -> Check:
        def run(following: Check | None) -> str:
            self._failure = ""
            item, after = self._items[name], None if following is None else self._items.get(following.name)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
            return self._failure

        return Check(suite_of(name.partition("::")[0]), name, run)
