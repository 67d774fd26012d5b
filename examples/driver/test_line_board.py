"""The driver before a board in memory, in virtual time."""

import pytest
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from drivers.interfaces import MeterSilentError
from examples.driver.line_board import LineBoard
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareFault,
    PilotChanged,
    PilotState,
    Setpoint,
)


class Board:
    """What the driver drives."""

    def __init__(self):
        self.pilot = "A"
        self.offered_a = 0
        self.contactor = 0
        self.register_wh = 1000
        self.answers = True
        self._line = None

    async def connect(self):
        """The driver's end of a new line; this end is served by ``run``."""
        await trio.lowlevel.checkpoint()
        if not self.answers:
            raise OSError("nobody there")
        theirs, self._line = memory_stream_pair()
        self._nursery.start_soon(self._serve, self._line)
        return theirs

    async def run(self, task_status):
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await trio.sleep_forever()

    async def vehicle(self, pilot):
        """The control pilot goes to another state."""
        self.pilot = pilot
        await self._line.send_all(f"PILOT {pilot}\n".encode())

    async def unplug_line(self):
        self.answers = False
        await self._line.aclose()

    async def _serve(self, line):
        held = b""
        try:
            async for received in line:
                *lines, held = (held + received).split(b"\n")
                for each in lines:
                    await self._take(each.decode().split(), line)
        except trio.ClosedResourceError:
            pass

    async def _take(self, words, line):
        match words:
            case ["?"]:
                await line.send_all(f"PILOT {self.pilot}\n".encode())
            case ["OFFER", amps]:
                self.offered_a = int(amps)
            case ["CONTACTOR", closed]:
                self.contactor = int(closed)
            case ["METER?"] if self.register_wh is not None:
                await line.send_all(f"METER {self.register_wh}\n".encode())


class Running:
    """The driver and its board."""

    def __init__(self, board):
        self.board = board
        self.driver = LineBoard(board.connect)
        self.told = []
        self.scope = trio.CancelScope()

    async def run(self):
        with self.scope:
            await self.driver.run(self.report)

    async def report(self, event):
        await trio.lowlevel.checkpoint()
        self.told.append(event)


@pytest.fixture
async def running(nursery):
    board = Board()
    await nursery.start(board.run)
    running = Running(board)
    nursery.start_soon(running.run)
    await wait_all_tasks_blocked()
    return running


async def test_the_present_state_is_told_once_and_then_what_changes(running):
    await running.board.vehicle("B")
    await running.board.vehicle("B")
    await running.board.vehicle("C")
    await wait_all_tasks_blocked()

    assert running.told == [
        PilotChanged(PilotState.A),
        PilotChanged(PilotState.B),
        PilotChanged(PilotState.C),
    ]


async def test_the_latest_setpoint_is_carried_out(running):
    running.driver.apply(Setpoint(contactor=True, offered_a=16))
    running.driver.apply(Setpoint(contactor=True, offered_a=10))
    await wait_all_tasks_blocked()

    assert (running.board.offered_a, running.board.contactor) == (10, 1)


async def test_the_contactor_is_open_when_the_driver_ends(running):
    running.driver.apply(Setpoint(contactor=True, offered_a=16))
    await wait_all_tasks_blocked()
    running.scope.cancel()
    await wait_all_tasks_blocked()

    assert (running.board.offered_a, running.board.contactor) == (0, 0)


async def test_the_meter_is_read_and_a_silent_one_is_told(running, autojump_clock):
    assert (await running.driver.read_meter()).energy_import_wh == 1000
    running.board.register_wh = None
    with pytest.raises(MeterSilentError):
        await running.driver.read_meter()


async def test_a_board_that_is_gone_is_a_fault_until_it_is_back(running, autojump_clock):
    await running.board.unplug_line()
    await trio.sleep(10)
    with pytest.raises(MeterSilentError):
        await running.driver.read_meter()
    running.driver.apply(Setpoint(contactor=True, offered_a=6))
    running.board.answers = True
    await trio.sleep(10)

    assert running.told[1:] == [
        FaultRaised(HardwareFault.INTERNAL, "the board does not answer"),
        FaultCleared(HardwareFault.INTERNAL),
    ]
    assert running.board.offered_a == 6


async def test_noise_on_the_line_is_nothing(running):
    await running.board._line.send_all(b"PILOT X\n\xff\nMETER -1\n" + b"x" * 500 + b"\nPILOT B\n")
    await wait_all_tasks_blocked()

    assert running.told == [PilotChanged(PilotState.A), PilotChanged(PilotState.B)]
