"""The pytest plugin, in test suites of Central Systems that run in processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve
from websockets.typing import Subprotocol

from engine.pytest_plugin import NothingCame, StationError, VirtualStation
from tests.peers.processes import ROOT, program

SAMPLE = ROOT / "examples" / "csms_test" / "csms.py"
NOWHERE = "ws://127.0.0.1:9/ocpp"

FAILING = f"""
def test_it(statecharge_station):
    station = statecharge_station("{NOWHERE}", identity="BOX-7")
    station.wait_for("BootNotification", timeout_s=1)
"""

CRASHING = f"""
import os, signal

def test_it(statecharge_station):
    station = statecharge_station("{NOWHERE}", identity="BOX-7")
    os.kill(station._process.pid, signal.SIGKILL)
    station._process.wait()
"""


def run_pytest(*arguments, directory):
    """Run pytest with our plugin and no other; return exit code and output."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "engine.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *map(str, arguments),
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return run.returncode, run.stdout


@pytest.fixture
def box(tmp_path):
    with VirtualStation(NOWHERE, tmp_path / "box", identity="BOX-7") as station:
        yield station


def test_the_tests_of_the_sample_central_system_pass():
    code, out = run_pytest("examples/csms_test", directory=ROOT)

    assert code == 0, out
    assert "7 passed" in out


async def test_the_sample_central_system_can_be_interrupted():
    async with program(SAMPLE, "0") as running:
        await running.out.until(bool)
        os.kill(running.pid, signal.SIGINT)
        assert await running.ended() == 0
    assert not running.err.all


async def test_a_port_in_use_is_one_line_of_the_sample_central_system():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with program(SAMPLE, port) as running:
            assert await running.ended() == 1
    (line,) = running.err.all
    assert port in line
    assert not running.out.all


def test_the_report_of_a_failed_test_has_what_the_station_said_and_heard(tmp_path):
    (tmp_path / "test_it.py").write_text(FAILING)
    code, out = run_pytest("test_it.py", directory=tmp_path)

    assert code == 1
    assert "BootNotification did not come within 1 s" in out
    assert "- statecharge station BOX-7 -" in out
    assert "dialling failed" in out.split("- statecharge station BOX-7 -")[1]


def test_a_station_that_ends_by_itself_fails_the_test(tmp_path):
    (tmp_path / "test_it.py").write_text(CRASHING)
    code, out = run_pytest("test_it.py", directory=tmp_path)

    assert code == 1
    assert "StationError: BOX-7 ended with -9" in out


def test_loading_the_plugin_loads_nothing_of_the_station():
    code = "import engine.pytest_plugin, sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)

    assert not {"trio", "msgspec", "machines", "engine.run"} & set(run.stdout.split())


def test_without_a_central_system_nothing_comes_and_the_station_says_so(box):
    with pytest.raises(NothingCame, match="dialling failed"):
        box.wait_for("BootNotification", timeout_s=0.5)


def leaves_once(socket):
    """A Central System that takes the first BootNotification and is gone; the next one it answers."""
    _, call_id, *_ = json.loads(socket.recv())
    if not leaves_once.has_left:
        leaves_once.has_left = True
        return
    conf = {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300}
    socket.send(json.dumps([3, call_id, conf]))
    with suppress(ConnectionClosed):
        socket.recv()


def test_a_call_that_died_with_its_connection_is_not_waited_for(tmp_path):
    """The station sends it again, and that one is answered."""
    leaves_once.has_left = False
    with serve(leaves_once, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        with VirtualStation(url, tmp_path / "box", speed=30) as station:
            found = station.wait_for("BootNotification")
            died, answered = station.calls("BootNotification")[:2]
        server.shutdown()
        thread.join()

    assert (died.answer, died.error) == (None, None)
    assert found == answered
    assert found.answer["status"] == "Accepted"


def test_the_hardware_does_what_it_is_told_or_says_why_not(box):
    box.plug_in(connector=2)

    assert box.state()["hardware"]["2"]["plugged"] is True
    with pytest.raises(StationError, match="a vehicle is plugged in already"):
        box.plug_in(connector=2)
    box.kill()
    with pytest.raises(StationError, match="BOX-7 does not run"):
        box.plug_in()


def test_a_wrong_declaration_is_told_as_it_is(tmp_path):
    with pytest.raises(StationError, match=r"station.toml.*HeartbeatIntervall"):
        VirtualStation(NOWHERE, tmp_path, keys={"HeartbeatIntervall": 60})


def test_keys_and_declarations_are_those_that_were_asked_for(tmp_path):
    given = {"keys": {"HeartbeatInterval": 77}, "declares": "[limits]\nback_off_first_s = 0.5"}
    with VirtualStation(NOWHERE, tmp_path, station="ac-smart", **given) as station:
        declared = (station.directory / "station.toml").read_text()

    assert "HeartbeatInterval = { default = 77 }" in declared
    assert 'extends = "ac-smart"' in declared
