"""An EVSE controller on a Modbus line in virtual time: what it is told, in which order, and what its failing means."""

import pytest
import trio
from msgspec.structs import replace

from drivers.map_files import SHIPPED
from drivers.modbus.device import ASK_AGAIN_S
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    LockFailed,
    PilotChanged,
    PilotState,
    Setpoint,
)
from tests.peers.connector_rigs import EVSE_UNIT, METER_UNIT, ModbusRig
from tests.peers.modbus_memory import Reply

METER = SHIPPED / "eastron-sdm630.toml"
CHARX, BASIC, AC_SMART = (
    SHIPPED / f"{name}.toml" for name in ("phoenix-charx-sec", "phoenix-ev-cc-basic", "weidmueller-ac-smart")
)
OFFER = Setpoint(contactor=True, offered_a=16.0, locked=True)


class Running:
    """A controller whose driver runs, and what it reported."""

    def __init__(self, nursery: trio.Nursery, rig: ModbusRig) -> None:
        self.rig = rig
        self.line = self.rig.line
        self.apply = self.rig.driver.apply
        self.events: list[HardwareEvent] = []
        self.times: list[float] = []
        self.scope = trio.CancelScope()
        nursery.start_soon(self._run)

    async def _run(self) -> None:
        with self.scope:
            await self.rig.driver.run(self._report)

    async def _report(self, event: HardwareEvent) -> None:
        self.events.append(event)
        self.times.append(trio.current_time())

    async def told(self, after_s: float = 2.0) -> list[HardwareEvent]:
        await trio.sleep(after_s)
        told, self.events = self.events, []
        return told

    def refuse(self, action: str, times: int = 1) -> None:
        """Let the controller refuse so often to be told ``action``."""
        wanted = self.rig.evse.actions[action].writes[0].register.address
        left = times

        class Refusing(dict[int, int]):
            def __setitem__(self, address: int, value: int) -> None:
                nonlocal left
                if address == wanted and left:
                    left -= 1
                    raise KeyError(address)
                super().__setitem__(address, value)

        tables = self.line.device(EVSE_UNIT)
        tables["holding"] = Refusing(tables["holding"])

    def written(self) -> list[tuple[int, int]]:
        """Addresses and values written to the controller since the last look."""
        written = [(address, value) for unit, _, address, value in self.line.writes if unit == EVSE_UNIT]
        self.line.writes.clear()
        return written


@pytest.fixture
def charx(nursery):
    return Running(nursery, ModbusRig(nursery, CHARX, METER))


async def test_the_current_stands_and_the_lock_holds_before_charging_is_allowed(charx, autojump_clock):
    charx.rig.plug_in()
    await charx.told()
    charx.written()
    charx.apply(OFFER)
    await charx.told()
    assert charx.written() == [(1303, 1), (1301, 16), (1300, 1)]


async def test_charging_is_forbidden_before_the_lock_lets_go(charx, autojump_clock):
    charx.apply(OFFER)
    await charx.told()
    charx.written()
    charx.apply(Setpoint())
    await charx.told()
    assert charx.written() == [(1300, 0), (1303, 0)]


async def test_only_whole_amperes_are_offered_and_never_more_than_asked(charx, autojump_clock):
    charx.apply(replace(OFFER, offered_a=15.9))
    await charx.told()
    assert charx.rig.offered_a == 15


async def test_a_setpoint_does_not_wait_for_the_next_turn(charx, autojump_clock):
    charx.apply(OFFER)
    await charx.told()
    charx.apply(Setpoint())
    await trio.sleep(0.05)
    assert charx.rig.offered_a == 0


async def test_a_setpoint_that_stands_is_not_written_again(charx, autojump_clock):
    charx.apply(OFFER)
    await charx.told()
    charx.written()
    await charx.told(60)
    assert charx.written() == []


async def test_what_a_controller_lost_is_written_again(charx, autojump_clock):
    """As after a restart that nobody noticed."""
    charx.apply(OFFER)
    await charx.told()
    charx.rig.hold("allowed", 0)
    charx.rig.hold("current_limit_a", 6)
    await charx.told()
    assert charx.rig.offered_a == 16


async def test_what_a_controller_allows_by_itself_is_forbidden(charx, autojump_clock):
    await charx.told()
    charx.rig.hold("allowed", 1)
    await charx.told()
    assert charx.rig.offered_a == 0


async def test_the_watchdog_of_a_controller_is_armed_to_take_the_energy_away(charx, autojump_clock):
    await charx.told()
    assert (1306, 0) in charx.written()
    assert charx.line.device(EVSE_UNIT)["holding"][1307] == charx.rig.evse_settings.watchdog_s


async def test_a_heartbeat_is_written_on_and_on(nursery, autojump_clock):
    running = Running(nursery, ModbusRig(nursery, AC_SMART, METER))
    await running.told(21)
    assert len([address for address, _ in running.written() if address == 11050]) == 5


async def test_nobody_but_us_commands_a_controller_that_lets_us_see_to_it(nursery, autojump_clock):
    running = Running(nursery, ModbusRig(nursery, BASIC, METER))
    await running.told()
    assert running.written()[:3] == [(4000, 3), (4001, 2), (4002, 3)]


async def test_a_controller_that_others_command_is_a_fault_and_allows_nothing(nursery, autojump_clock):
    running = Running(nursery, ModbusRig(nursery, CHARX, METER))
    running.rig.hold("release_mode", 3)
    running.apply(OFFER)
    faults = [event for event in await running.told() if isinstance(event, FaultRaised)]
    assert [fault.fault for fault in faults] == [HardwareFault.INTERNAL]
    assert "release_mode is 3, must be 5: set the charging release to Modbus" in faults[0].info
    assert running.rig.offered_a == 0


async def test_a_controller_that_somebody_sets_up_meanwhile_is_used(nursery, autojump_clock):
    running = Running(nursery, ModbusRig(nursery, CHARX, METER))
    running.rig.hold("release_mode", 3)
    running.rig.plug_in()
    running.apply(OFFER)
    await running.told()
    running.written()
    running.rig.hold("release_mode", 5)
    assert FaultCleared(HardwareFault.INTERNAL) in await running.told()
    assert running.written() == [(1301, 16), (1300, 1)]


async def test_bits_of_the_controller_are_faults(charx, autojump_clock):
    await charx.told()
    charx.rig.hold("fault_bits", 1 << 30 | 1 << 27)
    assert set(await charx.told()) == {
        FaultRaised(HardwareFault.GROUND),
        FaultRaised(HardwareFault.CONTACTOR),
    }
    charx.rig.hold("fault_bits", 1 << 30)
    assert await charx.told() == [FaultCleared(HardwareFault.CONTACTOR)]


async def test_a_shorted_proximity_pilot_is_a_fault_and_no_cable(charx, autojump_clock):
    await charx.told()
    charx.rig.hold("cable_a", 0xFFFF)
    assert await charx.told() == [FaultRaised(HardwareFault.OTHER, "proximity pilot is shorted")]


async def test_a_pilot_that_nobody_knows_is_a_fault(charx, autojump_clock):
    await charx.told()
    charx.rig.hold("pilot", "XY")
    assert await charx.told() == [FaultRaised(HardwareFault.PILOT, "the pilot reads 'XY'")]


async def test_a_lock_that_does_not_move_is_told_once(charx, autojump_clock):
    charx.rig.plug_in()
    await charx.told()
    register = charx.rig.evse.values["locked"].parts[0]
    holding = charx.line.device(EVSE_UNIT)["holding"]

    class Jammed(dict):
        def __setitem__(self, address: int, value: int) -> None:
            super().__setitem__(address, 0 if address == register.address else value)

    charx.line.units[EVSE_UNIT]["holding"] = Jammed(holding)
    charx.apply(OFFER)
    assert await charx.told(10) == [LockFailed(True)]
    assert charx.rig.offered_a == 0


async def test_a_lock_that_is_opened_by_hand_takes_the_energy_away_and_is_closed_again(charx, autojump_clock):
    charx.rig.plug_in()
    charx.apply(OFFER)
    await charx.told()
    charx.rig.pilot(PilotState.C)
    await charx.told()
    charx.written()
    charx.rig.hold("locked", 0)
    assert await charx.told() == [LockChanged(False), LockChanged(True)]
    assert charx.written() == [(1300, 0), (1303, 1), (1301, 16), (1300, 1)]


async def test_no_energy_flows_while_the_lock_stays_open(charx, autojump_clock):
    charx.rig.plug_in()
    charx.apply(OFFER)
    await charx.told()
    charx.rig.pilot(PilotState.C)
    await charx.told()
    assert charx.rig.energy_flows
    charx.refuse("lock", times=1000)
    charx.rig.hold("locked", 0)
    await charx.told(1)
    assert not charx.rig.energy_flows


# A turn that fails in the middle


async def test_what_was_read_is_told_although_a_writing_after_it_fails(charx, autojump_clock):
    charx.rig.plug_in()
    charx.apply(OFFER)
    await charx.told()
    charx.rig.pilot(PilotState.C)
    await charx.told()
    charx.refuse("set_current")
    charx.rig.hold("current_limit_a", 6)
    charx.rig.hold("fault_bits", 1 << 30)
    charx.rig.unplug()
    assert await charx.told(0.7) == [
        PilotChanged(PilotState.A),
        CableChanged(False),
        FaultRaised(HardwareFault.GROUND),
    ]
    assert await charx.told() == []


async def test_the_silence_is_over_although_a_writing_fails_at_first(charx, autojump_clock):
    await charx.told()
    charx.line.silent.add(EVSE_UNIT)
    await charx.told(10)
    charx.refuse("unlock")
    charx.line.silent.clear()
    assert await charx.told(10) == [FaultCleared(HardwareFault.INTERNAL)]


async def test_the_silence_goes_on_while_a_writing_fails(charx, autojump_clock):
    await charx.told()
    charx.line.silent.add(EVSE_UNIT)
    await charx.told(10)
    charx.refuse("unlock", times=1000)
    charx.line.silent.clear()
    assert await charx.told(10) == []


# Silence


async def test_a_silent_controller_is_a_fault_in_the_declared_time(charx, autojump_clock):
    await charx.told()
    charx.line.silent.add(EVSE_UNIT)
    begin = trio.current_time()
    (fault,) = await charx.told(10)
    assert fault.fault is HardwareFault.INTERNAL
    assert "silent" in fault.info
    assert charx.times[-1] - begin <= charx.rig.evse_settings.silent_after_s


async def test_a_controller_that_answers_again_is_told_everything_anew(charx, autojump_clock):
    charx.apply(OFFER)
    await charx.told()
    charx.line.silent.add(EVSE_UNIT)
    await charx.told(10)
    charx.apply(Setpoint())
    charx.written()
    charx.line.silent.clear()
    assert await charx.told(5) == [FaultCleared(HardwareFault.INTERNAL), LockChanged(False)]
    assert (1307, 10) in charx.written()
    assert charx.rig.offered_a == 0


async def test_a_fault_outlasts_the_silence_after_it(charx, autojump_clock):
    charx.rig.hold("fault_bits", 1 << 30)
    await charx.told()
    charx.line.silent.add(EVSE_UNIT)
    assert FaultCleared(HardwareFault.GROUND) not in await charx.told(10)
    charx.line.silent.clear()
    assert await charx.told(5) == [FaultCleared(HardwareFault.INTERNAL)]


async def test_replies_that_are_lost_now_and_then_are_no_fault(charx, autojump_clock):
    await charx.told()
    for _ in range(20):
        charx.line.replies.extend([Reply(lost=True), Reply(spoilt=True), Reply(), Reply(), Reply(), Reply()])
        assert await charx.told(1) == []


async def test_a_line_that_is_unplugged_is_a_fault_and_back_when_it_is_plugged_in(charx, autojump_clock):
    charx.apply(OFFER)
    await charx.told()
    charx.line.unplug()
    faults = {event.fault for event in await charx.told(20)}
    assert faults == {HardwareFault.INTERNAL, HardwareFault.METER}
    charx.line.plugged = True
    assert set(await charx.told(10)) == {
        FaultCleared(HardwareFault.INTERNAL),
        FaultCleared(HardwareFault.METER),
    }
    assert charx.rig.offered_a == 16


@pytest.mark.parametrize("unit", [EVSE_UNIT, METER_UNIT], ids=["controller", "meter"])
async def test_a_device_that_refuses_everything_while_it_starts_is_used_once_it_has_started(
    charx, autojump_clock, unit
):
    """On a line that is not opened anew for that."""
    await charx.told()
    device = charx.line.device(unit)
    holds = {table: dict(values) for table, values in device.items()}
    for values in device.values():
        values.clear()
    (fault,) = await charx.told(5)
    for table, values in holds.items():
        device[table].update(values)
    assert await charx.told(ASK_AGAIN_S) == [FaultCleared(fault.fault)]


async def test_a_controller_that_was_never_there_is_a_fault(nursery, autojump_clock):
    running = Running(nursery, ModbusRig(nursery, CHARX, METER))
    running.line.silent.add(EVSE_UNIT)
    assert [event.fault for event in await running.told(10)] == [HardwareFault.INTERNAL]


async def test_registers_that_were_not_read_at_the_same_moment_are_read_again(charx, autojump_clock):
    await charx.told()
    charx.rig.pilot(PilotState.B)
    await trio.sleep(0.2)
    charx.rig.hold("cable_a", 32)
    assert await charx.told() == [CableChanged(True, 32.0), PilotChanged(PilotState.B)]


@pytest.mark.parametrize("on_the_way", [[], [PilotState.E], [PilotState.C, PilotState.F]])
async def test_a_cable_that_was_never_seen_leaves_with_its_vehicle(charx, autojump_clock, on_the_way):
    """Its proximity contact is broken: a vehicle was told, so that there had to be one."""
    await charx.told()
    charx.rig.pilot(PilotState.B)
    assert await charx.told() == [PilotChanged(PilotState.B)]
    for state in on_the_way:
        charx.rig.pilot(state)
        await charx.told()
    charx.rig.pilot(PilotState.A)
    assert await charx.told() == [PilotChanged(PilotState.A), CableChanged(False)]
    assert await charx.told(60) == []


@pytest.fixture
def stock(nursery):
    """The stock AC SMART, which can connect one phase or three, and may."""
    rig = ModbusRig(nursery, AC_SMART, METER)
    rig.evse_settings = replace(rig.evse_settings, switches_phases=True)
    rig.driver = rig.new_driver()
    rig.hold("phases", 1)
    return Running(nursery, rig)


PHASES, LIMIT = 318, 11052


async def test_phases_are_switched_while_nothing_is_offered(stock, autojump_clock):
    stock.rig.plug_in()
    stock.apply(replace(OFFER, locked=False))
    await stock.told()
    stock.written()
    stock.apply(Setpoint(phases=1))
    await stock.told()
    stock.apply(replace(OFFER, locked=False, phases=1))
    await stock.told()
    ours = [write for write in stock.written() if write[0] in (PHASES, LIMIT)]
    assert ours == [(LIMIT, 0), (PHASES, 0), (LIMIT, 16)]


async def test_an_offer_on_other_phases_is_taken_back_first(stock, autojump_clock):
    stock.rig.plug_in()
    stock.apply(replace(OFFER, locked=False))
    await stock.told()
    stock.written()
    stock.apply(replace(OFFER, locked=False, phases=1))
    await stock.told()
    ours = [write for write in stock.written() if write[0] in (PHASES, LIMIT)]
    assert ours == [(LIMIT, 0), (PHASES, 0), (LIMIT, 16)]


@pytest.mark.parametrize("pilot", [PilotState.B, PilotState.C])
async def test_phases_that_nobody_tells_are_switched_again_after_a_controller_was_not_heard(
    nursery, autojump_clock, pilot
):
    """It may have restarted meanwhile, with three phases: 16 A on one are a third of that."""
    rig = ModbusRig(nursery, AC_SMART, METER)
    rig.evse = replace(
        rig.evse, values={name: of for name, of in rig.evse.values.items() if name != "phases"}
    )
    rig.evse_settings = replace(rig.evse_settings, switches_phases=True)
    rig.driver = rig.new_driver()
    mute = Running(nursery, rig)
    rig.plug_in()
    mute.apply(Setpoint(phases=1))
    await mute.told()
    mute.apply(replace(OFFER, locked=False, phases=1))
    rig.pilot(pilot)
    await mute.told()
    mute.written()
    mute.line.silent.add(EVSE_UNIT)
    assert await mute.told(0.5) == []
    mute.line.silent.clear()
    await mute.told(10)
    ours = [write for write in mute.written() if write[0] in (PHASES, LIMIT)]
    assert ours == [(LIMIT, 0), (PHASES, 0), (LIMIT, 16)]


async def test_phases_that_the_controller_tells_are_left_alone_after_it_was_not_heard(stock, autojump_clock):
    stock.rig.plug_in()
    stock.apply(replace(OFFER, locked=False))
    await stock.told()
    stock.written()
    stock.line.silent.add(EVSE_UNIT)
    assert await stock.told(0.5) == []
    stock.line.silent.clear()
    await stock.told()
    ours = [write for write in stock.written() if write[0] in (PHASES, LIMIT)]
    assert ours == [(LIMIT, 16)]


async def test_phases_wait_for_the_contactor_of_the_controller(stock, autojump_clock):
    """A program that starts anew finds a vehicle that charges on one phase: who asks for energy is off after 6 s."""
    stock.rig.plug_in()
    await stock.told()
    stock.apply(replace(OFFER, locked=False, phases=1))
    await stock.told()
    stock.rig.pilot(PilotState.C)
    await stock.told()
    stock.written()
    stock.apply(Setpoint())
    await stock.told(6)
    assert [write for write in stock.written() if write[0] in (PHASES, LIMIT)] == [(LIMIT, 0)]
    await stock.told(2)
    assert [write for write in stock.written() if write[0] in (PHASES, LIMIT)] == [(PHASES, 1)]


async def test_phases_do_not_wait_for_a_vehicle_that_asks_no_more(stock, autojump_clock):
    stock.rig.plug_in()
    stock.apply(replace(OFFER, locked=False, phases=1))
    stock.rig.pilot(PilotState.C)
    await stock.told(10)
    stock.apply(Setpoint())
    await stock.told(1)
    stock.written()
    stock.rig.pilot(PilotState.B)
    await stock.told(1)
    assert [write for write in stock.written() if write[0] in (PHASES, LIMIT)] == [(PHASES, 1)]


async def test_phases_are_left_alone_unless_it_is_declared(nursery, autojump_clock):
    running = Running(nursery, ModbusRig(nursery, AC_SMART, METER))
    running.rig.plug_in()
    running.apply(replace(OFFER, locked=False, phases=1))
    await running.told()
    assert PHASES not in [address for address, _ in running.written()]
