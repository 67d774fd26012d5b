"""What a check looks at: the rows that machines take while it runs, and the tables that it reads."""

import sys
import time
from collections.abc import Mapping

from trio.testing import MockClock

from engine.mutation.checks import Check, Measured
from machines import machine as base
from machines.machine import AnyMachine, Machine, Row, rows


class Remembered:
    """Stands for what a machine remembers, among what it emits."""


class Watch:
    """Watches every machine of this process, from now on. For a process that will end soon."""

    def __init__(self, kinds: Mapping[str, type[AnyMachine]]) -> None:
        self._kind_of = {machine: kind for kind, machine in kinds.items()}
        self._taken: set[int] = set()
        self._did: set[tuple[int, type]] = set()
        self._read: set[str] = set()
        self._virtual_s = 0.0
        self._names = self._compiled()
        self._watch_steps()
        self._watch_tables()
        self._watch_clock()

    def run(self, check: Check, following: Check | None) -> Measured:
        """Run ``check`` and say what it looked at."""
        self._taken.clear()
        self._did.clear()
        self._read.clear()
        self._virtual_s, began = 0.0, time.process_time()
        failure = check.run(following)
        return Measured(
            check=check.name,
            rows=tuple(sorted(self._names[one] for one in self._taken if one in self._names)),
            did=tuple(
                sorted(f"{self._names[one]}/{cls.__name__}" for one, cls in self._did if one in self._names)
            ),
            reads=tuple(sorted(self._read)),
            cpu_s=round(time.process_time() - began, 3),
            virtual_s=round(self._virtual_s, 3),
            failure=failure,
        )

    def _compiled(self) -> dict[int, str]:
        """The name of each row, by the identity of the object that a machine has for it."""
        names: dict[int, str] = {}
        for machine, kind in self._kind_of.items():
            machine._table = base._compile(machine)  # noqa: SLF001 - before anybody reads the rows
            number_of = {row: number for number, row in enumerate(rows(machine))}
            for bound in machine._table.values():  # noqa: SLF001
                names |= {id(one.row): f"{kind}/{number_of[one.row]}" for one in bound}
        return names

    def _watch_steps(self) -> None:
        handle, taken, did = Machine.handle, self._taken, self._did

        def watched(machine: AnyMachine, message: object, facts: object) -> list[base.Effect | base.Notice]:
            before = machine.data
            emitted = handle(machine, message, facts)
            row = id(machine.last)
            taken.add(row)
            did.update((row, type(one)) for one in emitted)
            if machine.data is not before and machine.data != before:
                did.add((row, Remembered))
            return emitted

        Machine.handle = watched  # type: ignore[method-assign, assignment]

    def _watch_tables(self) -> None:
        sound = rows

        def watched(machine: type[AnyMachine]) -> tuple[Row, ...]:
            if machine in self._kind_of:
                self._read.add(self._kind_of[machine])
            return sound(machine)

        for module in list(sys.modules.values()):
            if getattr(module, "rows", None) is sound:
                module.rows = watched  # type: ignore[attr-defined]

    def _watch_clock(self) -> None:
        jump = MockClock.jump

        def watched(clock: MockClock, seconds: float) -> None:
            self._virtual_s += seconds
            jump(clock, seconds)

        MockClock.jump = watched  # type: ignore[method-assign, assignment]
