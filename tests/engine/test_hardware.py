"""Readings of a meter: in the order in which they are asked for, each for itself, and never later than declared."""

import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from drivers.interfaces import MeterSilentError
from engine.hardware import Hardware
from machines.vocabulary.effects import ReadMeter
from machines.vocabulary.hardware import HardwareReported, MeterRead, MeterReadFailed, MeterReading

TIMEOUT_S = 5
START_S = 30


class Meter:
    """A connector whose meter takes as long for each reading as it is told."""

    meter_record = None

    def __init__(self, *takes_s: float) -> None:
        self._takes_s = list(takes_s)
        self._read_wh = 0

    async def run(self, _report):
        await trio.sleep_forever()

    async def read_meter(self) -> MeterReading:
        self._read_wh += 1
        read_wh = self._read_wh
        await trio.sleep(self._takes_s.pop(0))
        return MeterReading(energy_import_wh=read_wh)


def hardware_of(meter, told, start_s=0):
    async def deliver(arrival):
        told.append((trio.current_time(), arrival))

    return Hardware({1: meter}, [], deliver, lambda _connector, _record: None, TIMEOUT_S, start_s)


@pytest.mark.parametrize("is_running", [True, False])
async def test_readings_begin_in_the_order_in_which_they_are_asked_for(nursery, autojump_clock, is_running):
    """Also what is asked for before the devices run: the charge point may be quicker."""
    told = []
    hardware = hardware_of(Meter(3, 1, 2), told)
    if is_running:
        nursery.start_soon(hardware.run)
        await wait_all_tasks_blocked()
    for ticket in (10, 20, 30):
        hardware.read(ReadMeter(1, ticket))
    if not is_running:
        nursery.start_soon(hardware.run)
    await trio.sleep(10)

    found = {arrival.event.ticket: (at, arrival.event.reading.energy_import_wh) for at, arrival in told}
    assert found == {10: (3, 1), 20: (1, 2), 30: (2, 3)}


async def test_a_reading_may_be_asked_for_while_another_one_goes_on(nursery, autojump_clock):
    told = []
    hardware = hardware_of(Meter(4, 1), told)
    nursery.start_soon(hardware.run)
    hardware.read(ReadMeter(1, 10))
    await trio.sleep(2)
    hardware.read(ReadMeter(1, 20))
    await trio.sleep(10)

    assert [(at, arrival.event.ticket) for at, arrival in told] == [(3, 20), (4, 10)]


async def test_a_meter_that_does_not_answer_is_told_of_in_time(nursery, autojump_clock):
    told = []
    hardware = hardware_of(Meter(TIMEOUT_S + 1), told)
    nursery.start_soon(hardware.run)
    hardware.read(ReadMeter(1, 10))
    await trio.sleep(TIMEOUT_S)
    await wait_all_tasks_blocked()

    assert told == [(TIMEOUT_S, HardwareReported(1, MeterReadFailed(10, f"no reading in {TIMEOUT_S} s")))]
    assert not any(isinstance(arrival.event, MeterRead) for _, arrival in told)


class SlowStarter(Meter):
    """One that knows that it is silent, for so long after the start and from then on never."""

    def __init__(self, starts_at: float) -> None:
        super().__init__()
        self.starts_at = starts_at

    async def read_meter(self) -> MeterReading:
        if trio.current_time() < self.starts_at:
            raise MeterSilentError("no answer")
        return MeterReading(energy_import_wh=700)


async def test_a_meter_that_starts_more_slowly_than_the_station_is_waited_for(nursery, autojump_clock):
    told = []
    hardware = hardware_of(SlowStarter(starts_at=20), told, START_S)
    nursery.start_soon(hardware.run)
    hardware.read(ReadMeter(1, 10))
    await trio.sleep(START_S + 1)

    ((at, arrival),) = told
    assert 20 <= at < 21
    assert arrival.event == MeterRead(10, MeterReading(energy_import_wh=700))


async def test_a_meter_that_does_not_start_is_told_of_when_its_time_is_over(nursery, autojump_clock):
    told = []
    hardware = hardware_of(SlowStarter(starts_at=math.inf), told, START_S)
    nursery.start_soon(hardware.run)
    hardware.read(ReadMeter(1, 10))
    await trio.sleep(START_S + 1)
    hardware.read(ReadMeter(1, 20))
    await trio.sleep(1)

    silent = [(arrival.event, round(at)) for at, arrival in told]
    assert silent == [
        (MeterReadFailed(10, "no answer"), START_S),
        (MeterReadFailed(20, "no answer"), START_S + 1),
    ]


async def test_a_meter_that_was_heard_is_waited_for_no_longer_than_for_a_reading(nursery, autojump_clock):
    told, meter = [], SlowStarter(starts_at=0)
    hardware = hardware_of(meter, told, START_S)
    nursery.start_soon(hardware.run)
    hardware.read(ReadMeter(1, 10))
    await trio.sleep(1)
    meter.starts_at = math.inf
    hardware.read(ReadMeter(1, 20))
    await trio.sleep(1)

    assert [(at, arrival.event.ticket) for at, arrival in told] == [(0, 10), (1, 20)]
    assert isinstance(told[1][1].event, MeterReadFailed)


@pytest.mark.parametrize("readings", [1, 2])
@pytest.mark.parametrize("turns", range(8))
async def test_what_is_asked_for_while_the_devices_end_and_afterwards_is_not_read(turns, readings):
    """The charge point and the devices are cancelled together, and end in any order."""
    told = []
    hardware = hardware_of(Meter(*[TIMEOUT_S] * 10), told)
    async with trio.open_nursery() as devices:
        devices.start_soon(hardware.run)
        await wait_all_tasks_blocked()
        devices.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            for _ in range(turns):
                await trio.lowlevel.checkpoint()
            for ticket in range(readings):
                hardware.read(ReadMeter(1, ticket))
            await wait_all_tasks_blocked()
    assert not told
