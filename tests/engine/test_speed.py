"""The clock of a station that lives faster than real time, on a real time that the test tells."""

from datetime import UTC, datetime

import pytest
import trio
from msgspec.structs import replace

from engine import speed
from engine.clock import Clock
from engine.declaration.station import Device
from engine.speed import FastClock, SpeedError, clock_of
from engine.station_file import load
from tests.lab import Lab

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


class RealTime:
    """Real time, as it is told."""

    def __init__(self) -> None:
        self.seconds = 5_000.0

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return NOON + self.seconds


@pytest.fixture
def real():
    return RealTime()


def clock(real: RealTime, factor: float, csms: float = 1) -> FastClock:
    made = FastClock(factor, csms, base=real.monotonic, wall=real.wall)
    made.start_clock()
    return made


def test_a_second_of_real_time_is_so_many_on_the_clock(real):
    fast = clock(real, 60)
    real.seconds += 1.5

    assert fast.current_time() == 90


def test_trio_sleeps_for_the_real_time_until_a_deadline(real):
    fast = clock(real, 60)
    real.seconds += 1

    assert fast.deadline_to_sleep_time(180) == 2
    assert fast.deadline_to_sleep_time(float("inf")) == float("inf")


def test_a_slow_clock_is_slow(real):
    slow = clock(real, 0.5)
    real.seconds += 10

    assert slow.current_time() == 5
    assert slow.deadline_to_sleep_time(6) == 2


def test_the_time_of_day_goes_as_fast_from_when_the_clock_was_started(real):
    fast = clock(real, 60)
    real.seconds += 60

    assert fast.utc() == NOON + 5_000 + 3_600


@pytest.mark.parametrize("wrong", [0, 0.09, 1_001, -1, float("nan")])
def test_a_speed_out_of_bounds_is_refused(wrong):
    with pytest.raises(SpeedError, match=r"0\.1 to 1000"):
        FastClock(wrong)
    with pytest.raises(SpeedError, match=r"0\.1 to 1000"):
        FastClock(1, wrong)


def run(made: FastClock, function):
    async def main():
        return function()

    return trio.run(main, clock=made)


def test_what_others_do_takes_longer_on_a_fast_clock(real):
    assert run(clock(real, 60), lambda: speed.of_real_time(2)) == 120
    assert run(clock(real, 60), lambda: speed.of_the_central_system(2)) == 120


def test_a_central_system_as_fast_takes_as_long_as_on_its_own_clock(real):
    assert run(clock(real, 60, csms=60), lambda: speed.of_the_central_system(2)) == 2
    assert run(clock(real, 60, csms=60), lambda: speed.of_real_time(2)) == 120


def test_only_a_central_system_as_fast_is_believed_what_time_it_is(real):
    assert run(clock(real, 60, csms=60), speed.is_time_shared)
    assert not run(clock(real, 60), speed.is_time_shared)


def test_a_slow_central_system_is_waited_for_on_its_own_clock(tmp_path):
    """In the 0.3 s that it takes to answer, 90 s pass for the station, which waits 30 s for an answer."""

    async def main():
        lab = Lab(tmp_path)

        async def answer_late(request):
            await trio.sleep(speed.of_real_time(0.3))
            return lab.csms.usual_answer(request)

        lab.csms.override("BootNotification", answer_late)
        with trio.fail_after(speed.of_real_time(20)):
            async with lab.powered():
                return len(lab.calls("BootNotification"))

    assert trio.run(main, clock=FastClock(300)) == 1


async def test_on_any_other_clock_nothing_is_turned_into_anything(autojump_clock):
    assert (speed.of_real_time(2), speed.of_the_central_system(2)) == (2, 2)
    assert speed.is_time_shared()


async def test_a_clock_that_follows_nobody_is_set_and_not_changed(autojump_clock):
    own = Clock(1, system_utc=1_000, earlier={}, follows=False)
    await trio.sleep(10)

    assert own.learn(500) == 0
    assert own.now().utc == 1_010


def test_a_station_at_the_speed_of_everybody_needs_no_clock():
    assert clock_of(load("full"), 1, 1) is None


def test_real_hardware_lives_in_real_time():
    station = load("full")
    station = replace(station, drivers=(station.drivers[0], Device(driver="modbus", parameters={})))

    with pytest.raises(SpeedError, match=r"connector 2 is real hardware \(modbus\)"):
        clock_of(station, 60, 1)
