"""A plugin of pytest that records which transitions each test takes: for the traceability of the dossier.

    pytest -p engine.dossier.recorder --transitions out/tests.json

Whatever a test does in the process of pytest counts, be it a machine by itself, the composition, or a whole station;
what it does in processes of its own does not, nor what a machine does of which it has replaced a guard or an action:
that says nothing of the machine that runs. It costs a fraction of a microsecond a message.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.dossier.record import Outcome, TestRecord, TestRun, worst
from engine.dossier.transitions import ids
from machines.machine import AnyMachine, Effect, Machine, Notice, Row, rows
from machines.routes import KINDS

PROPERTY = "statecharge_transitions"


def functions_of(machine: type[AnyMachine]) -> dict[str, object]:
    """The guards and actions of ``machine``, by their names."""
    names = (name for row in rows(machine) for name in (row.action, *(guard for guard, _ in row.guards)))
    return {name: getattr(machine, name) for name in names if name}


class Recorder:
    """Takes down what machines do, test by test.

    Args:
        file: Where the record goes at the end; None for a process of pytest-xdist, which tells the one that has it.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._rows: dict[int, tuple[type, Row]] = {}
        self._sound = {machine: functions_of(machine) for machine in KINDS.values()}
        self._runs: dict[str, TestRun] = {}
        self._watch()

    def _watch(self) -> None:
        """Let every machine tell what it took."""
        handle = Machine.handle
        recorder = self

        def watched(machine: Machine[Any, Any], message: object, facts: object) -> list[Effect | Notice]:
            emitted = handle(machine, message, facts)
            row = machine.last
            assert row is not None
            if id(row) not in recorder._rows and recorder._is_sound(type(machine)):
                recorder._rows[id(row)] = (type(machine), row)
            return emitted

        Machine.handle = watched  # type: ignore[method-assign, assignment]

    def _is_sound(self, machine: type) -> bool:
        """Whether ``machine`` is one that runs, with the guards and actions that it has there."""
        sound = self._sound.get(machine)
        return sound is not None and all(getattr(machine, name) is one for name, one in sound.items())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Begin anew with each test."""
        self._rows = {}
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Note what was taken, in a way that reaches the process that writes the record."""
        result = yield
        item.user_properties.append((PROPERTY, sorted(self._taken())))
        return result

    def _taken(self) -> set[str]:
        kinds = {machine: kind for kind, machine in KINDS.items()}
        known = ids()
        found = ((kinds.get(machine, ""), row) for machine, row in self._rows.values())
        return {known[each] for each in found if each in known}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a phase of a test; the worst counts."""
        before = self._runs.get(report.nodeid)
        taken: tuple[str, ...] = ()
        for name, value in report.user_properties:
            if name == PROPERTY:
                taken = msgspec.convert(value, tuple[str, ...])
        outcome = Outcome(report.outcome)
        if report.when != "call" and outcome is Outcome.PASSED:
            outcome = before.outcome if before else Outcome.PASSED
        elif before is not None:
            outcome = worst(before.outcome, outcome)
        self._runs[report.nodeid] = TestRun(report.nodeid, outcome, taken)

    def pytest_sessionfinish(self) -> None:
        """Write the record."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            record = TestRecord.of(self._runs.values())
            self._file.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of the plugin."""
    parser.addoption(
        "--transitions",
        metavar="FILE",
        help="Write which transitions of the machines each test takes to FILE.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Record, if that is asked for."""
    file = config.getoption("--transitions")
    if file is not None:
        is_worker = hasattr(config, "workerinput")
        config.pluginmanager.register(
            Recorder(None if is_worker else Path(file).absolute()), "statecharge-recorder"
        )
