"""A controller with a board beside it, in virtual time, while the charge point goes on asking for energy."""

import pytest
import trio

from drivers.map_files import SHIPPED
from machines.vocabulary.hardware import (
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    PilotState,
    Setpoint,
)
from tests.peers.connector_rigs import EVSE_UNIT, BoardRig

GROUND_BIT = 1 << 15
"""What the controller says of a residual current."""
TURN_S = 1.0


class Running:
    """A connector that runs and is asked for energy all the time."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.rig = BoardRig(nursery, SHIPPED / "phoenix-ev-cc-basic.toml", SHIPPED / "abb-b23.toml")
        self.events: list[HardwareEvent] = []
        nursery.start_soon(self.rig.driver.run, self._report)
        self.rig.driver.apply(Setpoint(contactor=True, offered_a=16.0, locked=True))

    async def _report(self, event: HardwareEvent) -> None:
        self.events.append(event)

    async def faults(self, after_s: float = TURN_S) -> list[HardwareEvent]:
        """The news of faults after a while."""
        await trio.sleep(after_s)
        told, self.events = self.events, []
        return [event for event in told if isinstance(event, FaultRaised | FaultCleared)]

    @property
    def is_closed(self) -> bool:
        return self.rig.lines.outputs["contactor"]


@pytest.fixture
async def running(nursery):
    return Running(nursery)


async def test_the_contactor_is_closed_only_while_a_vehicle_asks_through_a_cable(running, autojump_clock):
    await trio.sleep(TURN_S)
    assert not running.is_closed
    running.rig.plug_in()
    for state, is_closed in (
        ("B", False),
        ("C", True),
        ("B", False),
        ("C", True),
        ("E", False),
        ("A", False),
    ):
        running.rig.pilot(PilotState(state))
        await trio.sleep(TURN_S)
        assert running.is_closed is is_closed, state


async def test_without_a_cable_it_stays_open_whatever_the_pilot_says(running, autojump_clock):
    running.rig.pilot(PilotState.C)
    await trio.sleep(5)
    assert not running.is_closed


async def test_it_opens_in_the_declared_time_when_the_controller_falls_silent(running, autojump_clock):
    running.rig.plug_in()
    running.rig.pilot(PilotState.C)
    await running.faults()
    assert running.is_closed
    running.rig.line.silent.add(EVSE_UNIT)
    (fault,) = await running.faults(running.rig.evse_settings.silent_after_s + 0.1)
    assert fault.fault is HardwareFault.INTERNAL
    assert not running.is_closed
    running.rig.line.silent.clear()
    await running.faults(3)
    assert running.is_closed


async def test_a_fault_that_both_tell_of_goes_with_the_last_of_them(running, autojump_clock):
    await running.faults()
    running.rig.hold("fault_bits", GROUND_BIT)
    running.rig.lines.put("residual_current", is_active=True)
    told = await running.faults()
    assert {event.fault for event in told} == {HardwareFault.GROUND}
    running.rig.hold("fault_bits", 0)
    assert await running.faults() == [FaultRaised(HardwareFault.GROUND, "residual current")]
    running.rig.lines.put("residual_current", is_active=False)
    assert await running.faults() == [FaultCleared(HardwareFault.GROUND)]
