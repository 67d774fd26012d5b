"""A board behind lines, in virtual time."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from drivers.board import Board, BoardSettings
from drivers.lines import MemoryLines
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    Indicator,
    LockChanged,
    LockFailed,
    Setpoint,
)

CLOSED = Setpoint(contactor=True, offered_a=16.0, locked=True)


class Running:
    """A board that runs."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.lines = MemoryLines()
        self.is_there = True
        self.board = Board(self._open, BoardSettings())
        self.board.permit(True)
        self.events: list[HardwareEvent] = []
        self.scope = trio.CancelScope()
        nursery.start_soon(self._run)

    def _open(self, _names) -> MemoryLines:
        if not self.is_there:
            raise OSError(16, "Device or resource busy")
        return self.lines

    async def _run(self) -> None:
        with self.scope:
            await self.board.run(self._report)

    async def _report(self, event: HardwareEvent) -> None:
        self.events.append(event)

    async def told(self, after_s: float = 5.0) -> list[HardwareEvent]:
        await trio.sleep(after_s)
        told, self.events = self.events, []
        return told

    def follow(self, setpoint: Setpoint) -> None:
        """Apply ``setpoint`` on a board that works."""
        self.board.apply(setpoint)
        self.lines.put("contactor_closed", is_active=self.lines.outputs["contactor"])
        self.lines.put("lock_closed", is_active=self.lines.outputs["lock"])


@pytest.fixture
def running(nursery):
    return Running(nursery)


async def test_a_setpoint_is_on_the_lines_at_once(running, autojump_clock):
    await running.told()
    running.board.apply(CLOSED)
    assert (running.lines.outputs["contactor"], running.lines.outputs["lock"]) == (True, True)


async def test_a_board_that_works_is_no_news(running, autojump_clock):
    await running.told()
    running.follow(CLOSED)
    assert await running.told() == [LockChanged(True)]
    running.follow(Setpoint())
    assert await running.told() == [LockChanged(False)]


async def test_a_residual_current_opens_the_contactor_and_holds_it_open(running, autojump_clock):
    await running.told()
    running.follow(CLOSED)
    await running.told()
    running.lines.put("residual_current", is_active=True)
    await wait_all_tasks_blocked()
    assert running.lines.outputs["contactor"] is False
    running.lines.put("contactor_closed", is_active=False)
    assert await running.told() == [FaultRaised(HardwareFault.GROUND, "residual current")]
    running.board.apply(CLOSED)
    assert running.lines.outputs["contactor"] is False


async def test_a_contactor_that_does_not_open_is_welded(running, autojump_clock):
    await running.told()
    running.follow(CLOSED)
    await running.told()
    running.board.apply(Setpoint(locked=True))
    assert await running.told() == [FaultRaised(HardwareFault.CONTACTOR, "does not open: welded")]
    running.lines.put("contactor_closed", is_active=False)
    assert await running.told() == [FaultCleared(HardwareFault.CONTACTOR)]


async def test_a_lock_that_does_not_move_is_told_once(running, autojump_clock):
    await running.told()
    running.board.apply(Setpoint(locked=True))
    assert await running.told(20) == [LockFailed(True)]


async def test_the_lines_are_let_go_at_the_end(running, autojump_clock):
    await running.told()
    running.follow(CLOSED)
    await running.told()
    running.scope.cancel()
    await wait_all_tasks_blocked()
    assert not any(running.lines.outputs.values())


async def test_what_is_not_permitted_is_not_closed(running, autojump_clock):
    await running.told()
    running.board.permit(False)
    running.board.apply(CLOSED)
    assert running.lines.outputs["contactor"] is False
    running.board.permit(True)
    assert running.lines.outputs["contactor"] is True
    running.board.permit(False)
    assert running.lines.outputs["contactor"] is False


async def test_phases_are_switched_only_while_the_contactor_is_open(running, autojump_clock):
    await running.told()
    running.follow(Setpoint(contactor=True, offered_a=16.0, phases=3))
    assert running.lines.outputs["phases"] is True
    running.follow(Setpoint(contactor=True, offered_a=16.0, phases=1))
    assert running.lines.outputs["phases"] is True
    running.follow(Setpoint(phases=1))
    running.follow(Setpoint(phases=1))
    assert running.lines.outputs["phases"] is False


@pytest.mark.parametrize(
    ("indicator", "brightness", "lit"),
    [
        (Indicator.READY, 100, {"lamp_ready"}),
        (Indicator.CHARGING, 1, {"lamp_charging"}),
        (Indicator.FAULT, 100, {"lamp_fault"}),
        (Indicator.FAULT, 0, set()),
    ],
)
async def test_lamps_show_the_state(running, autojump_clock, indicator, brightness, lit):
    await running.told()
    running.board.apply(Setpoint(indicator=indicator, brightness_percent=brightness))
    assert {name for name, is_on in running.lines.outputs.items() if is_on and "lamp" in name} == lit


async def test_lines_that_cannot_be_had_are_told_and_asked_for_again(nursery, autojump_clock):
    running = Running(nursery)
    running.is_there = False
    running.board.apply(CLOSED)
    told = await running.told(20)
    assert told == [FaultRaised(HardwareFault.INTERNAL, "lines: Device or resource busy")]
    assert running.lines.outputs["contactor"] is False
    running.is_there = True
    told = await running.told(2.5)
    assert told[0] == FaultCleared(HardwareFault.INTERNAL)
    assert running.lines.outputs["contactor"] is True


async def test_a_board_may_have_a_contactor_and_nothing_else(nursery, autojump_clock):
    lines = MemoryLines(["contactor"], [])
    board = Board(lambda _names: lines, BoardSettings(outputs=("contactor",), inputs=()))
    board.permit(True)
    events: list[HardwareEvent] = []

    async def report(event: HardwareEvent) -> None:
        events.append(event)

    nursery.start_soon(board.run, report)
    await trio.sleep(1)
    board.apply(CLOSED)
    await trio.sleep(10)
    assert (events, lines.outputs) == ([], {"contactor": True})


def test_inputs_are_looked_at_and_no_output_is_asked_for():
    lines, asked = MemoryLines(), []
    lines.inputs["lock_closed"] = True
    board = Board(lambda names: asked.append(names) or lines, BoardSettings())
    assert board.look() == {"residual_current": False, "contactor_closed": False, "lock_closed": True}
    assert asked == [("residual_current", "contactor_closed", "lock_closed")]
