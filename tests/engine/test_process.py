"""A station over its restarts: what a power cut of the virtual station takes away, and what it leaves."""

from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import memory_stream_pair

from drivers.simulated import SimulationError
from engine.csms import Csms
from engine.devices import devices_of
from engine.process import StationProcess
from engine.run import RunningStation
from engine.station_file import load
from engine.store import FILE, Store
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import Reset, ResetType
from tests.engine.test_owner import FullDisk
from tests.lab import EPOCH


class Plant:
    """A process of a virtual station, and its Central System."""

    def __init__(self, directory):
        self.station = load("station.toml")
        self.store = Store(directory)
        self.csms = Csms(lambda: EPOCH, interval_s=3600)
        self.devices = devices_of(self.station)
        self.seen = 0

    @asynccontextmanager
    async def running(self):
        async with trio.open_nursery() as nursery:

            async def open_stream(_url):
                ours, theirs = memory_stream_pair()
                nursery.start_soon(self.csms.serve_stream, theirs)
                return ours

            def begin(station, devices, store):
                return RunningStation(
                    station,
                    devices,
                    store,
                    open_stream=open_stream,
                    commit_in_thread=False,
                    system_utc=0,
                    seed=1,
                )

            process = StationProcess(self.station, self.devices, self.store, begin)
            nursery.start_soon(process.run)
            await self.until("StatusNotification", connectorId=1, status="Available")
            yield process
            nursery.cancel_scope.cancel()

    async def until(self, action, **members):
        entry = await self.csms.wait_for_request(action, start=self.seen, **members)
        self.seen = self.csms.transcript.index(entry) + 1
        return entry.payload

    def told_of_the_station(self):
        told = [entry.payload for entry in self.csms.transcript if entry.payload.get("connectorId") == 0]
        return told[-1]

    def close(self):
        self.store.close()


@pytest.fixture
async def plant(tmp_path):
    plant = Plant(tmp_path)
    yield plant
    plant.close()


async def test_a_power_cut_ends_the_transaction_and_the_vehicle_stays(plant, autojump_clock):
    async with plant.running() as process:
        process.connectors[1].plug_in()
        process.reader.swipe("CARD")
        await plant.until("StatusNotification", status="Charging")
        await trio.sleep(60)
        process.go_dark(30)
        await plant.until("BootNotification")
        assert (await plant.until("StopTransaction"))["reason"] == "PowerLoss"
        assert process.connectors[1].state().plugged


async def test_the_power_is_gone_as_long_as_it_should(plant, autojump_clock):
    async with plant.running() as process:
        process.go_dark(3600)
        cut = trio.current_time()
        await plant.until("BootNotification")
        assert 3600 <= trio.current_time() - cut < 3700


async def test_who_waits_for_a_run_to_move_that_ends_waits_for_the_next_one(plant, autojump_clock):
    """The watchdog, at a restart in place: the run that ended takes nothing out of its inbox any more."""
    async with plant.running() as process:
        process.go_dark(100)
        began = trio.current_time()
        with trio.fail_after(1000):
            await process.until_moved()
        assert trio.current_time() - began == pytest.approx(100, abs=5)


async def test_without_power_there_is_nothing_to_cut(plant, autojump_clock):
    async with plant.running() as process:
        process.go_dark(30)
        await trio.sleep(1)
        with pytest.raises(SimulationError, match="no power"):
            process.go_dark(30)


async def test_a_disk_that_is_full_does_not_spoil_an_end_in_order(plant, tmp_path, autojump_clock):
    """The exit code tells what is wanted next (``process.reset = "exit"``), whatever can still be written."""
    async with plant.running() as process:
        await trio.sleep(1)
    with FullDisk(tmp_path):
        process.mark_clean()

    assert not plant.store.was_powered()


async def test_a_fault_of_the_station_stands_until_it_is_cleared(plant, autojump_clock):
    async with plant.running() as process:
        await process.raise_fault(HardwareFault.TEMPERATURE, "hot")
        await plant.until("StatusNotification", connectorId=0, status="Faulted")
        await plant.csms.call(Reset(type=ResetType.SOFT))
        await plant.until("BootNotification")
        await plant.until("StatusNotification", connectorId=0, status="Faulted")
        await process.clear_fault(HardwareFault.TEMPERATURE)
        await plant.until("StatusNotification", connectorId=0, status="Available")


async def test_a_fault_that_does_not_stand_cannot_be_cleared(plant, autojump_clock):
    async with plant.running() as process:
        with pytest.raises(SimulationError, match="no fault"):
            await process.clear_fault(HardwareFault.TEMPERATURE)


async def test_the_operator_hears_of_a_damaged_database(tmp_path, autojump_clock):
    """It is a warning: the station charges all the same, and says nothing more of it once it has started anew."""
    (tmp_path / FILE).write_bytes(b"rubbish" * 1000)
    plant = Plant(tmp_path)
    async with plant.running():
        told = plant.told_of_the_station()
        assert told["status"] == "Available"
        assert (told["errorCode"], told["info"]) == ("OtherError", "database damaged, 0 known rows lost")
    plant.close()
    plant = Plant(tmp_path)
    async with plant.running():
        assert plant.told_of_the_station()["errorCode"] == "NoError"
    plant.close()
