"""Energy is conserved: whatever happens, the register is the integral of current, voltage and phases."""

import math

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from drivers.simulated import (
    SimulatedConnector,
    SimulatedConnectorSettings,
    SimulatedVehicleSettings,
    SimulationError,
)
from machines.vocabulary.hardware import PilotState, Setpoint

TICK_S = 0.5
"""Divides every delay of the simulation but the instant at which the battery is full, and the lock's."""

VEHICLES = st.builds(
    SimulatedVehicleSettings,
    battery_capacity_wh=st.sampled_from([1.0, 20.0, 60_000.0]),
    soc_percent=st.sampled_from([0.0, 50.0, 99.9, 100.0]),
    current_max_a=st.sampled_from([6.0, 16.0, 32.0]),
    phases=st.integers(1, 3),
    response_s=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
CONNECTORS = st.builds(
    SimulatedConnectorSettings,
    cable=st.just("socket"),
    has_lock=st.booleans(),
    phases=st.sampled_from([1, 3]),
    voltage_v=st.sampled_from([230.0, 231.7]),
    current_max_a=st.just(32.0),
    cable_rating_a=st.sampled_from([13.0, 20.0, 32.0]),
    meter_start_wh=st.sampled_from([0.0, 0.7, 1e6]),
    vehicle=VEHICLES,
)
SETPOINTS = st.builds(
    Setpoint,
    contactor=st.booleans(),
    offered_a=st.sampled_from([0.0, 6.0, 10.0, 17.3, 32.0]),
    phases=st.sampled_from([1, 3]),
    locked=st.booleans(),
)
STIMULI = st.sampled_from(["plug_in", "unplug", "pause", "resume", "lock_failure", "lock_repair"])
STEPS = st.lists(st.one_of(SETPOINTS, STIMULI, st.integers(1, 20)), max_size=40)


@given(CONNECTORS, STEPS)
@settings(deadline=None, max_examples=300)
def test_the_register_is_the_integral_of_what_flowed(declared, steps):
    async def session() -> None:
        connector = SimulatedConnector(declared)
        expected_wh = declared.meter_start_wh
        missing_wh = 0.0

        async def report(event: object) -> None:
            await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(connector.run, report)
            await trio.testing.wait_all_tasks_blocked()
            for step in steps:
                before = connector.state()
                if isinstance(step, Setpoint):
                    connector.apply(step)
                elif isinstance(step, str):
                    try:
                        getattr(connector, step)()
                    except SimulationError:
                        assert connector.state() == before
                    else:
                        if step == "plug_in":
                            vehicle = declared.vehicle
                            missing_wh = vehicle.battery_capacity_wh * (1 - vehicle.soc_percent / 100)
                else:
                    for _ in range(step):
                        now = connector.state()
                        power_w = now.current_a * declared.voltage_v * now.phases
                        # Within a tick the current changes only when the battery becomes full.
                        flowed_wh = min(power_w * TICK_S / 3600, missing_wh)
                        expected_wh += flowed_wh
                        missing_wh -= flowed_wh
                        await trio.sleep(TICK_S)
                after = connector.state()
                assert after.register_wh == pytest.approx(expected_wh, abs=1e-6)
                assert after.register_wh >= before.register_wh
                if after.current_a > 0.0:
                    assert after.contactor
                    assert after.pilot == PilotState.C
                    assert after.current_a <= min(
                        after.offered_a, declared.cable_rating_a, declared.vehicle.current_max_a
                    )
                shown_wh = (await connector.read_meter()).energy_import_wh
                assert shown_wh == math.floor(after.register_wh + 1e-6)
            nursery.cancel_scope.cancel()

    trio.run(session, clock=MockClock(autojump_threshold=0))
