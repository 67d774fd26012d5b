"""The simulated board and vehicle, in virtual time: what is reported, when, and what is refused."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock, wait_all_tasks_blocked

from drivers.interfaces import ConnectorDriver, MeterSilentError
from drivers.simulated import (
    SimulatedConnector,
    SimulatedConnectorSettings,
    SimulatedVehicleSettings,
    SimulationError,
)
from drivers.simulated.connector import EVENTS_MAX
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

SOCKET = SimulatedConnectorSettings(
    cable="socket", has_lock=True, phases=3, voltage_v=230.0, current_max_a=32.0
)
TETHERED = replace(SOCKET, cable="tethered", has_lock=False)
OFFER = Setpoint(contactor=True, offered_a=16.0)
LOCKED = replace(OFFER, locked=True)

A, B, C = (PilotChanged(state) for state in (PilotState.A, PilotState.B, PilotState.C))
CABLE_IN, CABLE_OUT = CableChanged(True, 32.0), CableChanged(False)


class Run:
    """A connector that runs, and what it reports."""

    def __init__(self, connector: SimulatedConnector) -> None:
        self.connector = connector
        self.times: list[float] = []
        self.events: list[HardwareEvent] = []
        self.scope = trio.CancelScope()

    async def run(self) -> None:
        driver: ConnectorDriver = self.connector
        with self.scope:
            await driver.run(self.report)

    async def report(self, event: HardwareEvent) -> None:
        self.times.append(trio.current_time())
        self.events.append(event)

    async def told(self) -> list[HardwareEvent]:
        """What was reported since the last look."""
        await wait_all_tasks_blocked()
        told, self.events = self.events, []
        return told


Start = Callable[[SimulatedConnectorSettings], Awaitable[Run]]


@pytest.fixture
def start(nursery: trio.Nursery) -> Start:
    async def start(settings: SimulatedConnectorSettings) -> Run:
        run = Run(SimulatedConnector(settings))
        nursery.start_soon(run.run)
        await run.told()
        return run

    return start


async def charging(start: Start, settings: SimulatedConnectorSettings) -> Run:
    """A vehicle draws 16 A since now."""
    run = await start(settings)
    run.connector.plug_in()
    run.connector.apply(LOCKED if settings.has_lock else OFFER)
    await trio.sleep(settings.vehicle.response_s)
    await run.told()
    return run


# The present state


async def test_a_socket_reports_pilot_cable_and_lock_at_the_start(nursery, autojump_clock):
    run = Run(SimulatedConnector(SOCKET))
    nursery.start_soon(run.run)
    assert await run.told() == [A, CABLE_OUT, LockChanged(False)]


async def test_a_fixed_cable_reports_only_the_pilot_at_the_start(nursery, autojump_clock):
    run = Run(SimulatedConnector(TETHERED))
    nursery.start_soon(run.run)
    assert await run.told() == [A]


async def test_standing_faults_are_part_of_the_state_at_the_start(nursery, autojump_clock):
    run = Run(SimulatedConnector(TETHERED))
    run.connector.raise_fault(HardwareFault.GROUND, "30 mA")
    nursery.start_soon(run.run)
    assert await run.told() == [A, FaultRaised(HardwareFault.GROUND, "30 mA")]


async def test_a_vehicle_plugged_in_before_the_start_is_reported_once(nursery, autojump_clock):
    run = Run(SimulatedConnector(SOCKET))
    run.connector.plug_in()
    nursery.start_soon(run.run)
    assert await run.told() == [B, CABLE_IN, LockChanged(False)]


# Pilot


async def test_plugging_in_makes_the_proximity_contact_before_the_pilot(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.plug_in()
    assert await run.told() == [CABLE_IN, B]


async def test_a_fixed_cable_never_reports_the_cable(start, autojump_clock):
    run = await start(TETHERED)
    run.connector.plug_in()
    run.connector.unplug()
    assert await run.told() == [B, A]


async def test_the_vehicle_asks_for_energy_one_response_time_after_the_offer(start, autojump_clock):
    run = await start(replace(TETHERED, vehicle=SimulatedVehicleSettings(response_s=2.5)))
    run.connector.plug_in()
    await trio.sleep(10)
    run.connector.apply(OFFER)
    await trio.sleep(10)
    assert await run.told() == [B, C]
    assert run.times[-1] == 12.5


async def test_a_vehicle_without_an_offer_asks_for_nothing(start, autojump_clock):
    run = await start(TETHERED)
    run.connector.plug_in()
    run.connector.apply(Setpoint(contactor=True))
    await trio.sleep(3600)
    assert await run.told() == [B]


async def test_an_offer_withdrawn_before_the_response_was_never_taken(start, autojump_clock):
    run = await start(TETHERED)
    run.connector.plug_in()
    run.connector.apply(OFFER)
    await trio.sleep(0.5)
    run.connector.apply(Setpoint())
    await trio.sleep(10)
    assert await run.told() == [B]


async def test_without_an_offer_the_vehicle_goes_back_to_b_within_3_s(start, autojump_clock):
    """IEC 61851-1, table A.6, sequence 10."""
    run = await charging(start, TETHERED)
    stopped = trio.current_time()
    run.connector.apply(Setpoint(contactor=True))
    await trio.sleep(10)
    assert await run.told() == [B]
    assert 0 < run.times[-1] - stopped <= 3


async def test_an_offer_that_comes_back_at_once_keeps_the_vehicle_in_c(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.apply(Setpoint(contactor=True))
    await trio.sleep(0.5)
    run.connector.apply(OFFER)
    await trio.sleep(10)
    assert await run.told() == []


async def test_a_pause_of_the_vehicle_is_pilot_b_until_it_resumes(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.pause()
    await trio.sleep(100)
    assert await run.told() == [B]
    run.connector.resume()
    await trio.sleep(100)
    assert await run.told() == [C]


async def test_a_vehicle_plugged_in_anew_does_not_pause(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.pause()
    run.connector.unplug()
    run.connector.plug_in()
    await trio.sleep(1)
    assert await run.told() == [B, A, B, C]


async def test_unplugging_while_charging_goes_straight_to_a(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.unplug()
    assert await run.told() == [A]
    assert run.connector.state().current_a == 0.0


async def test_a_full_battery_ends_at_the_computed_instant_and_stays_in_b(start, autojump_clock):
    """11 040 W into a battery that lacks 1104 Wh take 360 s."""
    vehicle = SimulatedVehicleSettings(battery_capacity_wh=11_040.0, soc_percent=90.0)
    run = await charging(start, replace(TETHERED, vehicle=vehicle))
    began = trio.current_time()
    await trio.sleep(7200)
    assert await run.told() == [B]
    assert run.times[-1] - began == pytest.approx(360.0)
    assert run.connector.register_wh == pytest.approx(1104.0)
    assert run.connector.state().soc_percent == 100.0


async def test_a_vehicle_that_arrives_full_never_asks(start, autojump_clock):
    run = await start(replace(TETHERED, vehicle=SimulatedVehicleSettings(soc_percent=100.0)))
    run.connector.plug_in()
    run.connector.apply(OFFER)
    await trio.sleep(3600)
    assert await run.told() == [B]


# Current and energy


@pytest.mark.parametrize(
    ("offered_a", "vehicle_a", "cable_a", "drawn_a"),
    [(10.0, 16.0, 32.0, 10.0), (32.0, 16.0, 32.0, 16.0), (32.0, 32.0, 20.0, 20.0)],
)
async def test_the_vehicle_draws_the_least_of_offer_charger_and_cable(
    start, autojump_clock, offered_a, vehicle_a, cable_a, drawn_a
):
    vehicle = SimulatedVehicleSettings(current_max_a=vehicle_a)
    run = await charging(start, replace(SOCKET, vehicle=vehicle, cable_rating_a=cable_a))
    run.connector.apply(replace(LOCKED, offered_a=offered_a))
    assert run.connector.state().current_a == drawn_a


async def test_nothing_flows_while_the_contactor_is_open(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.apply(replace(OFFER, contactor=False))
    before = run.connector.register_wh
    await trio.sleep(3600)
    assert run.connector.register_wh == before
    assert run.connector.state().pilot == PilotState.C


async def test_one_hour_at_16_a_on_three_phases_is_11040_wh(start, autojump_clock):
    run = await charging(start, replace(TETHERED, meter_start_wh=500.0))
    await trio.sleep(3600)
    assert (await run.connector.read_meter()).energy_import_wh == 500 + 11_040


async def test_opening_the_contactor_stops_the_register_at_that_instant(start, autojump_clock):
    run = await charging(start, TETHERED)
    await trio.sleep(90)
    run.connector.apply(replace(OFFER, contactor=False))
    await trio.sleep(1000)
    assert run.connector.register_wh == pytest.approx(11_040 * 90 / 3600)


async def test_the_register_outlasts_plugging_in_anew(start, autojump_clock):
    run = await charging(start, TETHERED)
    await trio.sleep(360)
    run.connector.unplug()
    run.connector.plug_in()
    assert run.connector.register_wh == pytest.approx(1104.0)


async def test_a_new_vehicle_brings_the_charge_of_its_arrival(start, autojump_clock):
    run = await charging(start, TETHERED)
    await trio.sleep(3600)
    run.connector.unplug()
    run.connector.plug_in()
    assert run.connector.state().soc_percent == TETHERED.vehicle.soc_percent


async def test_the_meter_shows_whole_wh_rounded_down(start, autojump_clock):
    run = await charging(start, replace(TETHERED, meter_start_wh=0.9))
    assert (await run.connector.read_meter()).energy_import_wh == 0


async def test_the_meter_shows_each_wired_phase(start, autojump_clock):
    run = await charging(start, replace(TETHERED, vehicle=SimulatedVehicleSettings(phases=1)))
    reading = await run.connector.read_meter()
    assert (reading.current_l1_a, reading.current_l2_a, reading.current_l3_a) == (16.0, 0.0, 0.0)
    assert (reading.power_w, reading.power_l1_w, reading.power_l3_w) == (3680.0, 3680.0, 0.0)
    assert (reading.voltage_l1_v, reading.voltage_l3_v) == (230.0, 230.0)


async def test_the_meter_of_a_single_phase_connector_knows_no_other_phase(start, autojump_clock):
    run = await charging(start, replace(TETHERED, phases=1))
    reading = await run.connector.read_meter()
    assert (reading.current_l1_a, reading.current_l2_a, reading.voltage_l3_v) == (16.0, None, None)
    assert reading.power_w == 3680.0


async def test_a_setpoint_of_one_phase_takes_the_other_two_away(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.apply(replace(OFFER, phases=1))
    assert run.connector.state().power_w == 3680.0


async def test_a_silent_meter_is_an_error_after_its_time_out(start, autojump_clock):
    run = await start(TETHERED)
    run.connector.meter_silence(True)
    before = trio.current_time()
    with pytest.raises(MeterSilentError):
        await run.connector.read_meter()
    assert trio.current_time() - before == TETHERED.meter_timeout_s


async def test_a_meter_measures_while_it_is_silent(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.connector.meter_silence(True)
    await trio.sleep(3600)
    run.connector.meter_silence(False)
    assert (await run.connector.read_meter()).energy_import_wh == 11_040


# Lock and cable


async def test_the_lock_reports_when_it_reached_its_position(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.apply(Setpoint(locked=True))
    assert await run.told() == []
    await trio.sleep(1)
    assert await run.told() == [LockChanged(True)]


async def test_a_connector_without_a_lock_does_not_report_one(start, autojump_clock):
    run = await start(replace(SOCKET, has_lock=False))
    run.connector.apply(Setpoint(locked=True))
    await trio.sleep(1)
    assert await run.told() == []


async def test_a_setpoint_given_again_does_not_move_the_lock(start, autojump_clock):
    run = await start(SOCKET)
    for _ in range(3):
        run.connector.apply(Setpoint(locked=True))
        await trio.sleep(1)
    assert await run.told() == [LockChanged(True)]


async def test_a_jammed_lock_fails_to_lock_and_stays_open(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.lock_failure()
    run.connector.apply(Setpoint(locked=True))
    await trio.sleep(1)
    assert await run.told() == [LockFailed(True)]
    assert run.connector.state().locked is False


async def test_a_jammed_lock_fails_to_unlock_and_holds_the_cable(start, autojump_clock):
    run = await charging(start, SOCKET)
    run.connector.lock_failure()
    run.connector.apply(Setpoint())
    await trio.sleep(0.5)
    assert await run.told() == [LockFailed(False)]
    with pytest.raises(SimulationError, match="locked"):
        run.connector.unplug("station")


async def test_a_repaired_lock_goes_where_it_was_asked_to(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.lock_failure()
    run.connector.apply(Setpoint(locked=True))
    await trio.sleep(1)
    run.connector.lock_repair()
    await trio.sleep(1)
    assert await run.told() == [LockFailed(True), LockChanged(True)]


async def test_a_shorted_pilot_says_nothing_and_offers_nothing(start, autojump_clock):
    """The vehicle sees no offer, and asks again when it does."""
    run = await charging(start, SOCKET)
    run.connector.pilot_failure()
    await trio.sleep(3)
    assert await run.told() == [PilotChanged(PilotState.E)]
    assert run.connector.state().current_a == 0
    run.connector.pilot_repair()
    await trio.sleep(10)
    assert await run.told() == [PilotChanged(PilotState.B), PilotChanged(PilotState.C)]
    assert run.connector.state().current_a > 0


async def test_taking_a_free_cable_breaks_the_pilot_before_the_proximity_contact(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.plug_in()
    await run.told()
    run.connector.unplug()
    assert await run.told() == [A, CABLE_OUT]


async def test_the_end_at_the_vehicle_can_be_taken_while_the_cable_stays(start, autojump_clock):
    run = await charging(start, SOCKET)
    run.connector.unplug("vehicle")
    await trio.sleep(10)
    assert await run.told() == [A]
    assert run.connector.state().cable


async def test_a_person_waits_for_the_lock_to_take_the_cable(start, autojump_clock):
    run = await charging(start, SOCKET)
    run.connector.unplug()
    assert await run.told() == [A]
    run.connector.apply(Setpoint())
    await trio.sleep(1)
    assert await run.told() == [LockChanged(False), CABLE_OUT]


async def test_plugging_in_again_ends_the_wait_for_the_lock(start, autojump_clock):
    run = await charging(start, SOCKET)
    run.connector.unplug()
    run.connector.plug_in()
    run.connector.apply(Setpoint())
    await trio.sleep(1)
    state = run.connector.state()
    assert (state.plugged, state.cable) == (True, True)


async def test_the_end_at_the_station_is_held_by_the_lock(start, autojump_clock):
    run = await charging(start, SOCKET)
    with pytest.raises(SimulationError, match="locked"):
        run.connector.unplug("station")
    assert await run.told() == []


async def test_a_cable_left_behind_can_be_taken_later(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.plug_in()
    run.connector.unplug("vehicle")
    await run.told()
    run.connector.unplug()
    assert await run.told() == [CABLE_OUT]


# Faults


async def test_faults_come_and_go(start, autojump_clock):
    run = await start(TETHERED)
    run.connector.raise_fault(HardwareFault.CONTACTOR, "welded")
    run.connector.clear_fault(HardwareFault.CONTACTOR)
    assert await run.told() == [
        FaultRaised(HardwareFault.CONTACTOR, "welded"),
        FaultCleared(HardwareFault.CONTACTOR),
    ]


async def test_a_fault_raised_again_replaces_its_info(start, autojump_clock):
    run = await start(TETHERED)
    run.connector.raise_fault(HardwareFault.TEMPERATURE, "80 C")
    run.connector.raise_fault(HardwareFault.TEMPERATURE, "90 C")
    assert run.connector.state().faults == {HardwareFault.TEMPERATURE: "90 C"}


# Bad order


def plug_in(connector: SimulatedConnector) -> None:
    connector.plug_in()


@pytest.mark.parametrize(
    ("settings", "before", "stimulus", "why"),
    [
        (SOCKET, [plug_in], plug_in, "plugged in already"),
        (SOCKET, [], lambda it: it.unplug(), "nothing is plugged in"),
        (SOCKET, [], lambda it: it.unplug("vehicle"), "nothing is plugged in"),
        (SOCKET, [], lambda it: it.unplug("station"), "nothing is plugged in"),
        (SOCKET, [plug_in], lambda it: it.unplug("left"), "both, vehicle or station"),
        (TETHERED, [], lambda it: it.unplug(), "nothing is plugged in"),
        (TETHERED, [plug_in], lambda it: it.unplug("station"), "fixed"),
        (SOCKET, [], lambda it: it.pause(), "no vehicle"),
        (SOCKET, [plug_in], lambda it: it.resume(), "does not pause"),
        (SOCKET, [plug_in, lambda it: it.pause()], lambda it: it.pause(), "pauses already"),
        (SOCKET, [], lambda it: it.clear_fault(HardwareFault.GROUND), "no fault 'ground' stands"),
        (TETHERED, [], lambda it: it.lock_failure(), "no lock"),
        (SOCKET, [], lambda it: it.lock_repair(), "not jammed"),
        (SOCKET, [], lambda it: it.pilot_repair(), "not shorted"),
        (SOCKET, [lambda it: it.pilot_failure()], lambda it: it.pilot_failure(), "shorted already"),
        (SOCKET, [lambda it: it.lock_failure()], lambda it: it.lock_failure(), "jammed already"),
    ],
)
async def test_a_stimulus_out_of_order_is_refused_and_changes_nothing(
    start, autojump_clock, settings, before, stimulus, why
):
    run = await start(settings)
    for earlier in before:
        earlier(run.connector)
    await run.told()
    state = run.connector.state()
    with pytest.raises(SimulationError, match=why):
        stimulus(run.connector)
    assert run.connector.state() == state
    assert await run.told() == []


async def test_a_locked_empty_socket_takes_no_cable(start, autojump_clock):
    run = await start(SOCKET)
    run.connector.apply(Setpoint(locked=True))
    await trio.sleep(1)
    with pytest.raises(SimulationError, match="locked"):
        run.connector.plug_in()


async def test_stimuli_are_refused_while_too_many_events_wait(nursery, autojump_clock):
    connector = SimulatedConnector(TETHERED)

    async def never(event: HardwareEvent) -> None:
        await trio.sleep_forever()

    nursery.start_soon(connector.run, never)
    await wait_all_tasks_blocked()
    for _ in range(EVENTS_MAX):
        connector.raise_fault(HardwareFault.OTHER)
    with pytest.raises(SimulationError, match="events wait"):
        connector.raise_fault(HardwareFault.OTHER)


@pytest.mark.parametrize("offered_a", [-1.0, 5.9, 32.1, float("nan")])
async def test_an_offer_that_pwm_cannot_express_is_a_defect(start, autojump_clock, offered_a):
    run = await start(TETHERED)
    with pytest.raises(AssertionError):
        run.connector.apply(Setpoint(offered_a=offered_a))


# Start and end


async def test_the_end_of_the_run_opens_the_contactor_and_takes_the_offer_away(start, autojump_clock):
    run = await charging(start, TETHERED)
    await trio.sleep(360)
    run.scope.cancel()
    await trio.sleep(3600)
    state = run.connector.state()
    assert (state.contactor, state.offered_a, state.pilot) == (False, 0.0, PilotState.B)
    assert state.register_wh == pytest.approx(1104.0)


async def test_a_setpoint_after_the_end_of_the_run_closes_nothing(start, autojump_clock):
    run = await charging(start, TETHERED)
    run.scope.cancel()
    await wait_all_tasks_blocked()
    run.connector.apply(replace(OFFER, offered_a=10.0))
    assert run.connector.state().contactor is False


async def test_a_second_run_reports_the_state_and_waits_to_be_asked(start, nursery, autojump_clock):
    run = await charging(start, SOCKET)
    run.scope.cancel()
    await run.told()
    again = Run(run.connector)
    nursery.start_soon(again.run)
    await trio.sleep(10)
    assert await again.told() == [C, CABLE_IN, LockChanged(True), B]
    assert run.connector.state().contactor is False


def test_a_connector_goes_on_under_the_clock_of_another_run():
    """A power cut in virtual time: the second Trio run starts its clock anew."""
    connector = SimulatedConnector(TETHERED)
    registers_wh: list[float] = []

    async def session() -> None:
        async with trio.open_nursery() as nursery:
            run = Run(connector)
            nursery.start_soon(run.run)
            if not connector.state().plugged:
                connector.plug_in()
            connector.apply(OFFER)
            await trio.sleep(1.0 + 3600.0)
            run.scope.cancel()
            registers_wh.append(connector.register_wh)

    trio.run(session, clock=MockClock(autojump_threshold=0))
    trio.run(session, clock=MockClock(autojump_threshold=0))
    # The vehicle, still in C, takes the second offer up without its second of response.
    assert registers_wh == pytest.approx([11_040, 11_040 + 11_040 * 3601 / 3600])


def test_what_was_under_way_goes_on_under_the_clock_of_another_run():
    """The lock travels and the vehicle notices the end of the offer, though the clock reads less."""
    connector = SimulatedConnector(SOCKET)

    async def first() -> None:
        async with trio.open_nursery() as nursery:
            run = Run(connector)
            nursery.start_soon(run.run)
            connector.plug_in()
            connector.apply(OFFER)
            await trio.sleep(3600)
            connector.apply(LOCKED)
            run.scope.cancel()

    async def second() -> None:
        async with trio.open_nursery() as nursery:
            run = Run(connector)
            nursery.start_soon(run.run)
            await trio.sleep(3)
            assert await run.told() == [C, CABLE_IN, LockChanged(False), LockChanged(True), B]
            run.scope.cancel()

    trio.run(first, clock=MockClock(autojump_threshold=0))
    trio.run(second, clock=MockClock(autojump_threshold=0))


async def test_what_a_run_had_no_time_to_report_is_not_reported_by_the_next(nursery, autojump_clock):
    connector = SimulatedConnector(TETHERED)

    async def never(event: HardwareEvent) -> None:
        await trio.sleep_forever()

    with trio.move_on_after(1):
        connector.raise_fault(HardwareFault.GROUND)
        await connector.run(never)
    connector.clear_fault(HardwareFault.GROUND)
    run = Run(connector)
    nursery.start_soon(run.run)
    assert await run.told() == [A]


async def test_a_slow_charge_point_gets_the_events_in_order_and_the_meter_stays_exact(
    nursery, autojump_clock
):
    connector = SimulatedConnector(TETHERED)
    events: list[HardwareEvent] = []

    async def report(event: HardwareEvent) -> None:
        await trio.sleep(1000)
        events.append(event)

    nursery.start_soon(connector.run, report)
    await wait_all_tasks_blocked()
    connector.plug_in()
    connector.apply(OFFER)
    await trio.sleep(1.0 + 100.0)
    connector.unplug()
    await trio.sleep(10_000)
    assert events == [A, B, C, A]
    assert connector.register_wh == pytest.approx(11_040 * 100 / 3600)
