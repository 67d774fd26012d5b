"""The bench over a real loopback socket, before a small station of real simulated hardware."""

import json
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import httpx
import msgspec
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from drivers.simulated import (
    SimulatedConnector,
    SimulatedConnectorSettings,
    SimulatedConnectorState,
    SimulatedReader,
    SimulationError,
)
from engine import bench, bench_stimuli
from machines.vocabulary.hardware import HardwareFault, TokenRead
from machines.vocabulary.wire import DataTransferAsked

SOCKET = SimulatedConnectorSettings(
    cable="socket", has_lock=True, phases=3, voltage_v=230.0, current_max_a=32.0
)


class Snapshot(msgspec.Struct, frozen=True):
    link: bool
    connectors: dict[int, SimulatedConnectorState]


class Station:
    """The least that can be put on the bench."""

    def __init__(self) -> None:
        self.connectors = {1: SimulatedConnector(SOCKET), 2: SimulatedConnector(SOCKET)}
        self.reader = SimulatedReader(self.connectors)
        self.tokens: list[TokenRead] = []
        self.transfers: list[DataTransferAsked] = []
        self.link = True
        self.dark: list[float] = []
        self.faults: dict[HardwareFault, str] = {}
        self.cut = trio.Event()

    def snapshot(self) -> Snapshot:
        return Snapshot(self.link, {number: one.state() for number, one in self.connectors.items()})

    def set_link(self, up: bool) -> None:
        self.link = up

    async def send_data(self, asked: DataTransferAsked) -> None:
        await trio.lowlevel.checkpoint()
        self.transfers.append(asked)

    async def raise_fault(self, fault: HardwareFault, info: str) -> None:
        await trio.lowlevel.checkpoint()
        self.faults[fault] = info

    async def clear_fault(self, fault: HardwareFault) -> None:
        await trio.lowlevel.checkpoint()
        if fault not in self.faults:
            raise SimulationError("no such fault stands")
        del self.faults[fault]

    def go_dark(self, seconds: float) -> None:
        self.dark.append(seconds)

    def power_cut(self) -> None:
        self.cut.set()

    async def run(self) -> None:
        async def ignore(event: object) -> None:
            await trio.lowlevel.checkpoint()

        async def keep(token: TokenRead) -> None:
            await trio.lowlevel.checkpoint()
            self.tokens.append(token)

        async with trio.open_nursery() as nursery:
            for connector in self.connectors.values():
                nursery.start_soon(connector.run, ignore)
            nursery.start_soon(self.reader.run, keep)


@pytest.fixture
async def station(nursery: trio.Nursery) -> Station:
    station = Station()
    nursery.start_soon(station.run)
    return station


@pytest.fixture
async def url(station: Station, nursery: trio.Nursery) -> str:
    url: str = await nursery.start(bench.serve, station, "127.0.0.1", 0)
    return url


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    with trio.fail_after(30):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client


# Reading


async def test_health_is_ok(client):
    response = await client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_the_state_is_the_snapshot_of_the_station(client, station):
    station.connectors[2].plug_in()
    response = await client.get("/state")
    assert response.headers["content-type"] == "application/json"
    connectors = response.json()["connectors"]
    assert (connectors["1"]["pilot"], connectors["2"]["pilot"]) == ("A", "B")


# Stimuli


async def test_a_vehicle_is_plugged_in_and_the_answer_is_the_new_state(client, station):
    response = await client.post("/connectors/2/plug-in")
    assert (response.status_code, response.json()["plugged"]) == (200, True)
    assert [one.state().plugged for one in station.connectors.values()] == [False, True]


async def test_a_vehicle_pauses_resumes_and_leaves(client, station):
    for path in ("plug-in", "pause", "resume", "unplug"):
        assert (await client.post(f"/connectors/1/{path}")).status_code == 200
    assert station.connectors[1].state().cable is False


async def test_the_end_at_the_vehicle_alone_can_be_unplugged(client, station):
    await client.post("/connectors/1/plug-in")
    await client.post("/connectors/1/unplug", json={"side": "vehicle"})
    state = station.connectors[1].state()
    assert (state.plugged, state.cable) == (False, True)


@pytest.mark.parametrize(("code", "fault"), bench_stimuli.FAULTS.items())
async def test_each_fault_goes_by_its_ocpp_name(client, station, code, fault):
    await client.post("/connectors/1/fault", json={"errorCode": code, "info": "found by a test"})
    assert station.connectors[1].state().faults == {fault: "found by a test"}
    await client.post("/connectors/1/clear-fault", json={"errorCode": code})
    assert station.connectors[1].state().faults == {}


def test_every_fault_of_the_hardware_has_one_name():
    """But that of the disk: it is no device that the bench could move."""
    assert sorted(bench_stimuli.FAULTS.values()) == sorted(
        set(HardwareFault) - {HardwareFault.NOT_LOCKED, HardwareFault.STORAGE}
    )


async def test_the_lock_jams_and_is_repaired(client, station):
    assert (await client.post("/connectors/1/lock-failure")).json()["lock_jammed"] is True
    assert (await client.post("/connectors/1/lock-repair")).json()["lock_jammed"] is False


async def test_the_pilot_is_shorted_and_repaired(client, station):
    assert (await client.post("/connectors/1/pilot-failure")).json()["pilot"] == "E"
    assert (await client.post("/connectors/1/pilot-repair")).json()["pilot"] == "A"


async def test_the_meter_falls_silent(client, station):
    await client.post("/connectors/1/meter-silence", json={"silent": True})
    assert station.connectors[1].state().meter_silent


async def test_a_token_is_swiped_for_all_connectors_of_the_reader(client, station):
    assert (await client.post("/swipe", json={"idTag": "04A1B2C3"})).status_code == 200
    await wait_all_tasks_blocked()
    assert station.tokens == [TokenRead("04A1B2C3", (1, 2))]


async def test_a_token_is_swiped_for_one_connector(client, station):
    await client.post("/swipe", json={"idTag": "04A1B2C3", "connectors": [2]})
    await wait_all_tasks_blocked()
    assert station.tokens == [TokenRead("04A1B2C3", (2,))]


async def test_vendor_data_is_passed_on(client, station):
    body = {"vendorId": "org.example", "messageId": "Ping", "data": "x"}
    assert (await client.post("/data-transfer", json=body)).status_code == 200
    await client.post("/data-transfer", json={"vendorId": "org.example"})
    assert station.transfers == [
        DataTransferAsked("org.example", "Ping", "x"),
        DataTransferAsked("org.example"),
    ]


async def test_the_link_goes_down_and_up(client, station):
    await client.post("/link/down")
    assert station.link is False
    await client.post("/link/up")
    assert station.link is True


async def test_a_power_cut_of_some_seconds_leaves_the_process_alone(client, station):
    response = await client.post("/power-cut", json={"seconds": 2.5})
    assert (response.status_code, station.dark, station.cut.is_set()) == (200, [2.5], False)


async def test_a_fault_of_the_station_comes_and_goes(client, station):
    await client.post("/connectors/0/fault", json={"errorCode": "HighTemperature", "info": "hot"})
    assert station.faults == {HardwareFault.TEMPERATURE: "hot"}
    await client.post("/connectors/0/clear-fault", json={"errorCode": "HighTemperature"})
    assert station.faults == {}


async def test_a_fault_of_the_station_that_does_not_stand_cannot_be_cleared(client):
    response = await client.post("/connectors/0/clear-fault", json={"errorCode": "HighTemperature"})
    assert response.status_code == 409


async def test_a_power_cut_is_answered_before_it_happens(client, station):
    response = await client.post("/power-cut")
    assert response.json() == {"status": "ok"}
    await station.cut.wait()


async def test_a_power_cut_kills_the_process():
    """In a process of its own, with the answer received."""
    program = """
import trio
from engine import bench, bench_stimuli

class Station:
    connectors = {}
    reader = None
    def power_cut(self):
        bench.kill_this_process()

async def main():
    async with trio.open_nursery() as nursery:
        print(await nursery.start(bench.serve, Station(), "127.0.0.1", 0), flush=True)

trio.run(main)
"""
    with trio.fail_after(60):
        process = await trio.lowlevel.open_process([sys.executable, "-c", program], stdout=subprocess.PIPE)
        async with process.stdout:
            url = (await process.stdout.receive_some()).decode().strip()
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                response = await client.post("/power-cut")
            assert response.json() == {"status": "ok"}
            assert await process.wait() == -signal.SIGKILL


# Refusals


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/connectors/1/fault", b"", 422, "errorCode"),
        ("/connectors/1/fault", b"{", 400, "truncated"),
        ("/connectors/1/fault", b'{"errorCode": "\xff"}', 400, "utf-8"),
        ("/connectors/1/fault", b"[" * 50_000, 422, "object"),
        ("/connectors/1/fault", b'{"errorCode": 1}', 422, "errorCode"),
        ("/connectors/1/fault", b'{"errorCode": "NoError"}', 422, "GroundFailure, HighTemperature"),
        ("/connectors/1/fault", b'{"errorCode": "WeakSignal", "extra": 1}', 422, "extra"),
        ("/connectors/1/clear-fault", b'{"errorCode": "Broken"}', 422, "GroundFailure"),
        ("/connectors/1/plug-in", b'{"force": true}', 422, "force"),
        ("/connectors/1/unplug", b'{"side": "left"}', 422, "left"),
        ("/connectors/1/meter-silence", b'{"silent": "yes"}', 422, "silent"),
        ("/swipe", b'{"idTag": ""}', 422, "idTag"),
        ("/data-transfer", b"{}", 422, "vendorId"),
        ("/data-transfer", b'{"vendorId": ""}', 422, "vendorId"),
        ("/data-transfer", b'{"vendorId": "A", "messageId": 1}', 422, "messageId"),
        ("/swipe", b'{"idTag": "123456789012345678901"}', 422, "idTag"),
        ("/swipe", b'{"idTag": "A\\n"}', 422, "idTag"),
        ("/swipe", b'{"idTag": "A", "connectors": []}', 422, "connectors"),
        ("/swipe", b'{"idTag": "A", "connectors": [3]}', 404, "connector 3"),
        ("/link/up", b"null", 422, "object"),
        ("/connectors/3/plug-in", b"", 404, "connector 3: the station has 1, 2"),
        ("/connectors/one/plug-in", b"", 404, "connector one"),
        (f"/connectors/{'1' * 5000}/plug-in", b"", 404, "connector 111"),
        ("/connectors/1/explode", b"", 404, "explode"),
        ("/connectors/1/unplug", b"", 409, "nothing is plugged in"),
        ("/connectors/1/clear-fault", b'{"errorCode": "WeakSignal"}', 409, "signal"),
        ("/health", b"", 405, "POST /health"),
        ("/swipe", b" " * (64 * 1024 + 1), 413, "65536 bytes"),
        ("/swipe", b" " * 900_000, 413, "65536 bytes"),
    ],
)
async def test_a_bad_request_is_refused_with_its_reason_and_changes_nothing(
    client, station, path, body, status, text
):
    before = station.snapshot()
    response = await client.post(path, content=body)
    assert response.status_code == status
    assert text in response.json()["error"]
    assert list(response.json()) == ["error"]
    assert station.snapshot() == before
    assert station.tokens == []


async def test_a_body_of_the_greatest_size_is_taken(client, station):
    content = json.dumps({"idTag": "A"}).encode().ljust(bench_stimuli.BODY_SIZE_MAX)
    assert (await client.post("/swipe", content=content)).status_code == 200


async def test_a_client_that_goes_away_in_the_middle_harms_nobody(client, url):
    port = int(url.rpartition(":")[2])
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    await stream.send_all(b"POST /swipe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    await stream.aclose()
    assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "[::"]
)
async def test_a_request_for_another_host_is_refused(client, station, host):
    """A page that rebinds its name to 127.0.0.1 sends its own name as Host."""
    response = await client.post("/connectors/1/plug-in", headers={"Host": host})
    assert (response.status_code, station.connectors[1].state().plugged) == (403, False)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:9000", "[::1]:9000"])
async def test_any_name_of_loopback_is_taken(client, host):
    assert (await client.get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost", "http://localhost:1"])
async def test_a_page_of_another_origin_is_refused(client, station, origin):
    headers = {"Host": "localhost:8080", "Origin": origin}
    response = await client.post("/connectors/1/plug-in", headers=headers)
    assert (response.status_code, station.connectors[1].state().plugged) == (403, False)


async def test_a_page_of_the_bench_itself_is_taken(client, url):
    assert (await client.get("/health", headers={"Origin": url})).status_code == 200


async def test_a_websocket_is_refused(client):
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert (await client.get("/state", headers=handshake)).status_code == 403


# Serving


async def test_the_bench_listens_on_loopback_unless_told_otherwise(station, nursery, caplog):
    url = await nursery.start(lambda task_status: bench.serve(station, port=0, task_status=task_status))
    assert url.startswith("http://127.0.0.1:")
    assert caplog.records == []


async def test_another_address_is_warned_about_and_takes_any_address_as_host(station, nursery, caplog):
    url = await nursery.start(bench.serve, station, "0.0.0.0", 0)
    assert "everyone who reaches it" in caplog.text
    async with httpx.AsyncClient(base_url=url.replace("0.0.0.0", "127.0.0.1"), trust_env=False) as client:
        assert (await client.get("/health", headers={"Host": "10.0.0.1:8080"})).status_code == 200
        assert (await client.get("/health", headers={"Host": "evil.example"})).status_code == 403


async def test_a_port_in_use_is_one_clear_line(station):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(bench.BenchError, match=f"127.0.0.1 port {port}: Address already in use"):
            await bench.serve(station, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "text"), [("example.org", 0, "localhost or an IP"), ("127.0.0.1", 65536, "65536")]
)
async def test_an_address_that_is_none_is_one_clear_line(station, host, port, text):
    with pytest.raises(bench.BenchError, match=text):
        await bench.serve(station, host, port)


@pytest.mark.parametrize("missing", ["hypercorn", "starlette"])
async def test_without_the_extra_the_error_says_what_to_install(station, monkeypatch, missing):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(bench.BenchError, match=r"install statecharge\[bench\]"):
        await bench.serve(station, "127.0.0.1", 0)


def test_importing_the_bench_imports_no_web_server():
    program = (
        "import sys, engine.bench; sys.exit(bool({'starlette', 'hypercorn', 'anyio'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


async def test_cancelling_ends_it_at_once_and_quietly_with_a_connection_open(station, caplog, capfd):
    caplog.set_level(logging.WARNING)
    async with trio.open_nursery() as nursery:
        url = await nursery.start(bench.serve, station, "127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            await client.get("/health")
            nursery.cancel_scope.cancel()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


async def test_a_defect_of_the_station_ends_the_bench(caplog):
    class Broken(Station):
        def snapshot(self) -> Snapshot:
            raise ZeroDivisionError

    async def ask(serve: Callable[..., object]) -> None:
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, Broken(), "127.0.0.1", 0)
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                assert (await client.get("/state")).status_code == 500
            await trio.sleep_forever()

    with trio.fail_after(30), pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        await ask(bench.serve)
