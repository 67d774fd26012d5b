"""Safe first, durable second, visible third: with a disk that does not answer, in real time."""

import contextlib
import resource
import threading

import pytest
import trio
from msgspec.structs import replace
from trio.testing import memory_stream_pair

from drivers.simulated import SimulatedConnector
from engine.csms import Csms, NotConnectedError
from engine.devices import devices_of
from engine.owner import StoreStalledError
from engine.run import RunningStation
from engine.station_file import load
from engine.store import FILE, Store
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import ChangeConfiguration
from tests.lab import EPOCH


class StallingStore(Store):
    """A database on a disk that can be made to hang."""

    def __init__(self, directory):
        super().__init__(directory)
        self.is_free = threading.Event()
        self.is_free.set()

    def write(self, batch):
        assert self.is_free.wait(30)
        super().write(batch)


class Stage:
    """A charging station, its Central System, and its disk."""

    def __init__(self, directory, *, keys=None, **limits):
        station = load("station.toml")
        vehicle = {"vehicle": {"response_s": 0}}
        drivers = tuple(replace(driver, parameters=vehicle) for driver in station.drivers)
        settings = replace(station.settings, limits=replace(station.settings.limits, **limits))
        defaults = replace(station.defaults, **(keys or {}))
        self.station = replace(station, drivers=drivers, settings=settings, defaults=defaults)
        self.devices = devices_of(self.station)
        self.csms = Csms(lambda: EPOCH)
        self.store = StallingStore(directory)
        self.running = None

    async def run(self):
        try:
            async with trio.open_nursery() as nursery:

                async def open_stream(_url):
                    ours, theirs = memory_stream_pair()
                    nursery.start_soon(self.csms.serve_stream, theirs)
                    return ours

                self.running = RunningStation(self.station, self.devices, self.store, open_stream=open_stream)
                await self.running.run()
        finally:
            self.store.is_free.set()
            self.store.close()

    @property
    def connector(self) -> SimulatedConnector:
        return self.devices.connectors[1]

    async def charge(self):
        await self.csms.wait_for_request("StatusNotification", connectorId=1, status="Available")
        self.connector.plug_in()
        self.devices.readers[0].swipe("CARD")
        await self.csms.wait_for_request("StatusNotification", connectorId=1, status="Charging")
        await self.csms.wait_for_request("StartTransaction")
        assert await _becomes(lambda: self.connector.state().contactor)


async def _becomes(condition):
    """Let the other tasks run until ``condition`` holds; bounded by steps, not by time."""
    for _ in range(200_000):
        if condition():
            return True
        await trio.lowlevel.checkpoint()
    return False


@pytest.fixture
async def stage(tmp_path, nursery):
    stage = Stage(tmp_path)
    nursery.start_soon(stage.run)
    with trio.fail_after(20):
        await stage.charge()
    return stage


async def test_energy_goes_away_while_the_disk_hangs(stage, nursery):
    """A fault opens the contactor at once; the Central System hears of it when it is on record."""
    stage.store.is_free.clear()
    stage.connector.raise_fault(HardwareFault.GROUND)

    assert await _becomes(lambda: not stage.connector.state().contactor)
    told = [e for e in stage.csms.transcript if e.payload.get("status") == "Faulted"]
    assert not told
    stage.store.is_free.set()
    with trio.fail_after(20):
        await stage.csms.wait_for_request("StatusNotification", status="Faulted")
        await stage.csms.wait_for_request("StopTransaction")
    nursery.cancel_scope.cancel()


async def test_the_disk_waits_for_no_thread_that_hangs_elsewhere(tmp_path, nursery):
    """Each attempt to resolve a name, or to reach a server of files, may keep a thread for minutes."""
    others = trio.to_thread.current_default_thread_limiter()
    for _ in range(int(others.total_tokens)):
        others.acquire_on_behalf_of_nowait(object())
    stage = Stage(tmp_path)
    nursery.start_soon(stage.run)
    with trio.fail_after(20):
        await stage.charge()
    nursery.cancel_scope.cancel()


async def test_no_contactor_closes_on_what_is_not_on_record(tmp_path, nursery):
    """The start of a transaction is committed before energy flows."""
    stage = Stage(tmp_path)
    nursery.start_soon(stage.run)
    with trio.fail_after(20):
        await stage.csms.wait_for_request("StatusNotification", connectorId=1, status="Available")
        stage.connector.plug_in()
        await stage.csms.wait_for_request("StatusNotification", connectorId=1, status="Preparing")
        stage.devices.readers[0].swipe("CARD")
        await stage.csms.wait_for_request("Authorize")
        stage.store.is_free.clear()
        transaction = stage.running.charge_point.machines["transaction/1"]
        assert await _becomes(lambda: transaction.state == "running")
    await trio.testing.wait_all_tasks_blocked(0.01)
    assert not stage.connector.state().contactor
    assert stage.connector.state().offered_a == 0
    stage.store.is_free.set()
    assert await _becomes(lambda: stage.connector.state().contactor)
    nursery.cancel_scope.cancel()


async def test_what_waited_for_the_disk_answers_no_call_of_a_later_connection(tmp_path, nursery):
    """The ids of a Central System may begin anew there: the same one is another CALL (OCPP-J 1.6, 4.1.4)."""
    stage = Stage(tmp_path, back_off_first_s=0.01, back_off_jitter=0)
    nursery.start_soon(stage.run)
    with trio.fail_after(20):
        await stage.csms.wait_for_request("StatusNotification", connectorId=1, status="Available")
        stage.store.is_free.clear()
        change = '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"77"}]'
        await stage.csms._station(None).socket.send_message(change)
        configuration = stage.running.charge_point.machines["configuration"]
        assert await _becomes(lambda: configuration.data.keys.heartbeat_interval == 77)
        stage.csms.set_reachable(False)
        stage.csms.set_reachable(True)
        while len(stage.csms.upgrades) < 2 or not stage.csms.identities:
            await trio.sleep(0.01)
        ask = '[2,"1","GetConfiguration",{"key":["HeartbeatInterval"]}]'
        await stage.csms._station(None).socket.send_message(ask)
        await trio.testing.wait_all_tasks_blocked(0.05)
        stage.store.is_free.set()
        answer = await stage.csms.wait_for(lambda entry: entry.call_id == "1")

    assert [key["value"] for key in answer.payload["configurationKey"]] == ["77"]
    nursery.cancel_scope.cancel()


async def test_a_disk_that_hangs_for_too_long_ends_the_process_with_the_contactor_open(tmp_path):
    """``uncommitted_max``: loud, and on the safe side while the disk still hangs."""
    stage = Stage(tmp_path, uncommitted_max=10)
    opened = []

    async def watch():
        with trio.CancelScope(shield=True):
            opened.append(await _becomes(lambda: not stage.connector.state().contactor))
            stage.store.is_free.set()

    async def change():
        with contextlib.suppress(NotConnectedError):
            await stage.csms.call(ChangeConfiguration(key="HeartbeatInterval", value="99"))

    with pytest.RaisesGroup(pytest.RaisesExc(StoreStalledError), flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.run)
            with trio.fail_after(60):
                await stage.charge()
                stage.store.is_free.clear()
                nursery.start_soon(watch)
                # Durable, so it waits for the disk; what comes after it queues up.
                nursery.start_soon(change)
                configuration = stage.running.charge_point.machines["configuration"]
                assert await _becomes(lambda: configuration.data.changed)
                for _ in range(20):
                    stage.connector.raise_fault(HardwareFault.SIGNAL, "a warning")
                    stage.connector.clear_fault(HardwareFault.SIGNAL)
                await trio.sleep_forever()

    assert opened == [True]


class FullDisk:
    """No file of this process may become longer than the log of the database is."""

    def __init__(self, directory):
        self._log = directory / f"{FILE}-wal"
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def __enter__(self):
        size = self._log.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


async def test_what_a_full_disk_refuses_is_written_once_there_is_room(tmp_path, nursery, caplog):
    """Energy goes away at once; nothing is told, nothing is lost, and the station goes on by itself."""
    caplog.set_level("INFO", "statecharge")
    stage = Stage(tmp_path, disk_retry_s=0.1)
    nursery.start_soon(stage.run)
    with trio.fail_after(20):
        await stage.charge()
    with FullDisk(tmp_path):
        stage.connector.raise_fault(HardwareFault.GROUND)
        with trio.fail_after(20):
            while [record.message for record in caplog.records].count("disk refuses") < 2:
                await trio.lowlevel.checkpoint()
        assert not stage.connector.state().contactor
        assert not [e for e in stage.csms.transcript if e.payload.get("status") == "Faulted"]
        (charging,) = stage.store.ledger()
        assert charging.meter_stop is None
    with trio.fail_after(20):
        await stage.csms.wait_for_request("StatusNotification", status="Faulted")
        stopped = await stage.csms.wait_for_request("StopTransaction")
    (charging,) = stage.store.ledger()
    assert charging.meter_stop == stopped.payload["meterStop"]
    nursery.cancel_scope.cancel()


async def test_what_is_settled_by_a_late_answer_while_the_disk_hangs_is_not_sent_again(tmp_path, nursery):
    """The retry of a message and its late answer are written together: there is nothing left to send."""
    stage = Stage(tmp_path, keys={"transaction_message_retry_interval": 1}, call_timeout_s=0.2)
    is_answered = trio.Event()

    async def late(request):
        await is_answered.wait()
        return stage.csms.usual_answer(request)

    nursery.start_soon(stage.run)
    with trio.fail_after(60):
        await stage.charge()
        stage.csms.override("StopTransaction", late)
        delivery = stage.running.charge_point.machines["delivery"]
        configuration = stage.running.charge_point.machines["configuration"]
        stage.devices.readers[0].swipe("CARD")
        while delivery.state != "waiting":
            await trio.lowlevel.checkpoint()
        stage.store.is_free.clear()
        # Durable, so it waits for the disk; what comes after it is written together.
        nursery.start_soon(stage.csms.call, ChangeConfiguration(key="HeartbeatInterval", value="99"))
        while not configuration.data.changed or delivery.state != "sending":
            await trio.lowlevel.checkpoint()
        is_answered.set()
        while delivery.state != "idle":
            await trio.lowlevel.checkpoint()
        stage.store.is_free.set()
        assert await _becomes(lambda: stage.store.ledger()[0].is_delivered)
        conf = await stage.csms.call(ChangeConfiguration(key="HeartbeatInterval", value="98"))
    assert conf.status == "Accepted"
    sent = [e for e in stage.csms.transcript if (e.kind, e.action) == (2, "StopTransaction")]
    assert len(sent) == 1
    nursery.cancel_scope.cancel()
