"""What every driver of a connector keeps to, whatever hardware it drives (``drivers/interfaces.py``)."""

from collections.abc import Callable

import pytest
import trio
from msgspec.structs import replace

from drivers.interfaces import MeterSilentError
from drivers.map_files import SHIPPED, load_map
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    PilotChanged,
    PilotState,
    Setpoint,
)
from tests.peers.connector_rigs import METER_UNIT, BoardRig, ConnectorRig, ModbusRig, SimulatedRig

MAPS = [load_map(file) for file in sorted(SHIPPED.glob("*.toml"))]
EVSES = [found.id for found in MAPS if found.kind == "evse"]
METERS = [found.id for found in MAPS if found.kind == "meter"]
WITHIN = [found.id for found in MAPS if found.kind == "evse" and "energy_import_wh" in found.values]
"""Controllers with a meter of their own."""
SETTLED_S = 2.0
"""Longer than any driver takes to see a change and to carry out a setpoint."""


def modbus(nursery: trio.Nursery, evse: str, meter: str) -> ModbusRig:
    return ModbusRig(nursery, SHIPPED / f"{evse}.toml", SHIPPED / f"{meter}.toml")


RIGS: dict[str, Callable[[trio.Nursery], ConnectorRig]] = {
    "simulated socket": lambda nursery: SimulatedRig(has_socket=True),
    "simulated tethered": lambda nursery: SimulatedRig(has_socket=False),
    "board": lambda nursery: BoardRig(
        nursery, SHIPPED / "phoenix-ev-cc-basic.toml", SHIPPED / f"{METERS[0]}.toml"
    ),
    **{evse: (lambda nursery, evse=evse: modbus(nursery, evse, METERS[0])) for evse in EVSES},
    **{f"meter of {evse}": (lambda nursery, evse=evse: modbus(nursery, evse, evse)) for evse in WITHIN},
    **{meter: (lambda nursery, meter=meter: modbus(nursery, EVSES[0], meter)) for meter in METERS},
}


@pytest.fixture(params=RIGS)
def rig(request, nursery):
    return RIGS[request.param](nursery)


class Running:
    """A rig whose driver runs, and what it reported."""

    def __init__(self, rig: ConnectorRig) -> None:
        self.rig = rig
        self.events: list[HardwareEvent] = []
        self.scope = trio.CancelScope()
        self.has_ended = trio.Event()

    async def run(self) -> None:
        with self.scope:
            await self.rig.driver.run(self.report)
        self.has_ended.set()

    async def report(self, event: HardwareEvent) -> None:
        await trio.lowlevel.checkpoint()
        self.events.append(event)

    async def told(self) -> list[HardwareEvent]:
        """What was reported since the last look."""
        await trio.sleep(SETTLED_S)
        told, self.events = self.events, []
        return told


@pytest.fixture
async def running(rig, nursery):
    running = Running(rig)
    nursery.start_soon(running.run)
    return running


def offer(amps: float, rig: ConnectorRig) -> Setpoint:
    return Setpoint(contactor=True, offered_a=amps, locked=rig.has_lock)


async def test_the_present_state_is_told_once_at_the_start(running, autojump_clock):
    told = await running.told()
    wanted: list[HardwareEvent] = [PilotChanged(PilotState.A)]
    if running.rig.has_cable:
        wanted.append(CableChanged(False))
    if running.rig.has_lock:
        wanted.append(LockChanged(False))
    assert sorted(map(repr, told)) == sorted(map(repr, wanted))
    assert await running.told() == []


async def test_a_vehicle_is_told_after_its_cable(running, autojump_clock):
    await running.told()
    running.rig.plug_in()
    cable = [CableChanged(True, 32.0)] if running.rig.has_cable else []
    assert await running.told() == [*cable, PilotChanged(PilotState.B)]


async def test_a_vehicle_that_leaves_is_told_before_its_cable(running, autojump_clock):
    running.rig.plug_in()
    await running.told()
    running.rig.unplug()
    cable = [CableChanged(False)] if running.rig.has_cable else []
    assert await running.told() == [PilotChanged(PilotState.A), *cable]


async def test_what_is_offered_is_offered(running, autojump_clock):
    running.rig.plug_in()
    await running.told()
    running.rig.driver.apply(offer(16, running.rig))
    await running.told()
    assert running.rig.offered_a == 16


async def test_less_is_offered_when_less_is_asked(running, autojump_clock):
    running.rig.plug_in()
    running.rig.driver.apply(offer(16, running.rig))
    await running.told()
    running.rig.driver.apply(offer(7, running.rig))
    await running.told()
    assert running.rig.offered_a == 7


async def test_nothing_is_offered_when_nothing_is_asked(running, autojump_clock):
    running.rig.plug_in()
    running.rig.driver.apply(offer(16, running.rig))
    await running.told()
    running.rig.driver.apply(Setpoint())
    await running.told()
    assert running.rig.offered_a == 0


async def test_nothing_is_offered_once_the_driver_has_ended(running, autojump_clock):
    running.rig.plug_in()
    running.rig.driver.apply(offer(16, running.rig))
    await running.told()
    running.scope.cancel()
    await running.has_ended.wait()
    assert running.rig.offered_a == 0


async def test_the_lock_reaches_what_it_is_asked_for(running, autojump_clock):
    if not running.rig.has_lock:
        pytest.skip("it has no lock")
    running.rig.plug_in()
    await running.told()
    for is_locked in (True, False):
        running.rig.driver.apply(Setpoint(locked=is_locked))
        assert await running.told() == [LockChanged(is_locked)]


async def test_the_meter_is_read(running, autojump_clock):
    await running.told()
    reading = await running.rig.driver.read_meter()
    assert reading.energy_import_wh in (0, 5000)
    assert reading.frequency_hz in (None, pytest.approx(50))


async def test_a_silent_meter_is_told_and_one_that_answers_again_is_read(running, autojump_clock):
    await running.told()
    before = (await running.rig.driver.read_meter()).energy_import_wh
    running.rig.silence_meter(True)
    with pytest.raises(MeterSilentError):
        await running.rig.driver.read_meter()
    running.rig.silence_meter(False)
    assert (await running.rig.driver.read_meter()).energy_import_wh == before


async def test_a_reading_that_is_given_up_spoils_none_that_follows(running, autojump_clock):
    await running.told()
    running.rig.silence_meter(True)
    with trio.move_on_after(0.01):
        await running.rig.driver.read_meter()
    running.rig.silence_meter(False)
    assert (await running.rig.driver.read_meter()).energy_import_wh in (0, 5000)


async def test_the_driver_runs_again_after_it_ended(running, nursery, autojump_clock):
    running.rig.plug_in()
    await running.told()
    running.scope.cancel()
    await running.has_ended.wait()
    again = Running(running.rig)
    nursery.start_soon(again.run)
    assert PilotChanged(PilotState.B) in await again.told()


@pytest.mark.parametrize("read_wh", [0, 4000, 900_000], ids=["reset", "less", "more than can have flowed"])
async def test_the_energy_of_a_meter_goes_on_whatever_becomes_of_its_register(
    running, autojump_clock, read_wh
):
    """The simulated register cannot be moved: it only counts."""
    if not isinstance(running.rig, ModbusRig):
        pytest.skip("its register cannot be moved")
    rig = running.rig
    await running.told()
    rig.hold("energy_import_wh", read_wh, METER_UNIT)
    told = await running.told() + await running.told()
    faults = [event for event in told if isinstance(event, FaultRaised)]
    assert {fault.fault for fault in faults} == {HardwareFault.METER}
    assert told[-1] == FaultCleared(HardwareFault.METER)
    assert (await rig.driver.read_meter()).energy_import_wh == 5000
    rig.hold("energy_import_wh", read_wh + 100, METER_UNIT)
    # The Eastron counts in floats of 32 bits, and what is shown is rounded down.
    assert 5099 <= (await rig.driver.read_meter()).energy_import_wh <= 5100


async def test_the_energy_of_a_meter_goes_on_after_a_restart(running, nursery, autojump_clock):
    rig = running.rig
    await running.told()
    await rig.driver.read_meter()
    record = rig.driver.meter_record
    if record is None:
        assert not isinstance(rig, ModbusRig)
        return
    rig.hold("energy_import_wh", 0, METER_UNIT)
    again = rig.new_driver()
    again.resume_meter(record, passed_s=3600)
    with pytest.raises(MeterSilentError):
        await again.read_meter()
    assert (await again.read_meter()).energy_import_wh == 5000


async def test_energy_flows_only_through_a_cable_to_a_vehicle_that_asks(running, autojump_clock):
    """Whatever the charge point asks for, also when it asks too early or too late."""
    rig = running.rig
    await running.told()
    rig.driver.apply(replace(offer(16, rig), locked=False))
    await running.told()
    assert not rig.energy_flows
    rig.plug_in()
    rig.driver.apply(offer(16, rig))
    await running.told()
    if isinstance(rig, ModbusRig):
        assert not rig.energy_flows
        rig.pilot(PilotState.C)
        await running.told()
        assert rig.energy_flows
    rig.driver.apply(Setpoint())
    await running.told()
    assert not rig.energy_flows
