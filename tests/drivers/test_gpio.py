"""A board behind lines, in virtual time."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from drivers.gpio import Board, BoardSettings, MemoryLines
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    LockFailed,
    Setpoint,
)

CLOSED = Setpoint(contactor=True, offered_a=16.0, locked=True)


class Running:
    """A board that runs."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.lines = MemoryLines()
        self.board = Board(self.lines, BoardSettings(has_lock=True))
        self.events: list[HardwareEvent] = []
        self.scope = trio.CancelScope()
        nursery.start_soon(self._run)

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
    running.follow(CLOSED)
    await running.told()
    running.scope.cancel()
    await wait_all_tasks_blocked()
    assert not any(running.lines.outputs.values())
