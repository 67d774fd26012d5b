"""A station on hardware: controller, meter and card reader on lines of their own, and an independent Central System.

Controller and meter are servers of pymodbus on pseudo-terminals, the reader is played on pyserial-asyncio.
"""

import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.peers import sandbox
from tests.peers.processes import program
from tests.peers.real_wallbox import STATION, Wallbox, begin_charging


@pytest.fixture
def wallbox(tmp_path):
    wallbox = Wallbox(tmp_path)
    yield wallbox
    wallbox.close()


@asynccontextmanager
async def station(csms, folder, backend="trio", before=()):
    """The station as a process, started by ``before`` if that is given."""
    file = folder / "station.toml"
    text = STATION.format(folder=folder)
    file.write_text(re.sub("^device = .*$", rf'\g<0>\nbackend = "{backend}"', text, flags=re.MULTILINE))
    command = ["-m", "engine.cli", "run", file, "--csms", csms.url, "--state-dir", folder / "state"]
    async with program(*before, *command, "--log", "json") as running:
        yield running
        printed = "\n".join(running.err.all)
        assert "Traceback" not in printed, printed


@asynccontextmanager
async def bounded():
    """Keep a broken test from hanging: longer than anything here takes."""
    with trio.fail_after(40):
        yield


UNIT = Path(__file__).parents[2] / "deploy" / "statecharge.service"
needs_sandbox = pytest.mark.skipif(not sandbox.is_possible(), reason="no root, systemd-analyze or libseccomp")


@pytest.mark.parametrize(
    ("backend", "is_confined"),
    [("trio", False), ("asyncio", False), pytest.param("trio", True, marks=needs_sandbox)],
    ids=["trio", "asyncio", "as the service is confined"],
)
async def test_a_charging_session(csms, tmp_path, wallbox, backend, is_confined):
    before = [sandbox.__file__, UNIT, tmp_path, sys.executable] if is_confined else []
    async with station(csms, tmp_path, backend, before), bounded():
        await begin_charging(csms, wallbox)
        wallbox.consume(125)
        while True:
            sample = await csms.until_call("MeterValues", transactionId=1)
            values = {value["measurand"]: value["value"] for value in sample["meterValue"][0]["sampledValue"]}
            if float(values["Energy.Active.Import.Register"]) >= 100_125:
                break
        wallbox.present()
        await csms.until_call("StopTransaction", transactionId=1, meterStop=100_125, reason="Local")
        await wallbox.until_allowed(0)
        wallbox.pilot("A1", cable_a=0)
        await csms.until_status("Available")
    await wallbox.until_allowed(0)


async def test_a_session_that_a_killed_process_interrupts_ends_with_reboot(csms, tmp_path, wallbox):
    """5.6 Reboot: the supervisor starts the station again, and the power was never gone. It used to say PowerLoss."""
    async with bounded():
        async with station(csms, tmp_path) as running:
            await begin_charging(csms, wallbox)
            wallbox.consume(125)
            await running.kill()
        async with station(csms, tmp_path):
            await csms.until_call("StopTransaction", transactionId=1, meterStop=100_125, reason="Reboot")


async def test_a_meter_that_is_pulled_while_charging_is_told_and_the_energy_stays_right(
    csms, tmp_path, wallbox
):
    async with station(csms, tmp_path), bounded():
        await begin_charging(csms, wallbox)
        wallbox.pull("meter")
        await csms.until_call("StatusNotification", errorCode="PowerMeterFailure")
        wallbox.energy_kwh += 0.04
        wallbox.plug_in_meter()
        await csms.until_call("StatusNotification", errorCode="NoError", status="Charging")
        wallbox.present()
        await csms.until_call("StopTransaction", transactionId=1, meterStop=100_040)


async def test_a_controller_that_is_pulled_while_charging_is_told_and_charges_on_when_it_is_back(
    csms, tmp_path, wallbox
):
    async with station(csms, tmp_path), bounded():
        await begin_charging(csms, wallbox)
        wallbox.pull("evse")
        await csms.until_call("StatusNotification", errorCode="InternalError", status="Faulted")
        wallbox.plug_in_controller("C2", 32)
        await csms.until_status("Charging")
        await wallbox.until_allowed(32)
        assert not csms.calls("StopTransaction")


async def test_a_reader_that_is_pulled_is_told_and_serves_again_when_it_is_back(csms, tmp_path, wallbox):
    async with station(csms, tmp_path), bounded():
        await begin_charging(csms, wallbox)
        wallbox.pull("reader")
        await csms.until_call("StatusNotification", errorCode="ReaderFailure", status="Charging")
        wallbox.plug_in_reader()
        await csms.until_call("StatusNotification", errorCode="NoError", status="Charging")
        wallbox.present()
        await csms.until_call("StopTransaction", transactionId=1, reason="Local")


async def test_the_hardware_is_shown_as_a_table(tmp_path, wallbox):
    file = tmp_path / "station.toml"
    file.write_text(STATION.format(folder=tmp_path))
    async with program("-m", "engine.cli", "devices", file) as running:
        assert await running.ended() == 0, running.err.all
    rows = [re.split(" {2,}", line) for line in running.out.all]
    assert ["connector 1 evse", "pilot", "A1"] in rows
    assert ["connector 1 meter", "energy_import_wh", "100000"] in rows
    assert ["reader", "rdm6300", f"{tmp_path}/reader"] in rows
    assert ["reader", "says", "the line is open; it tells by itself"] in rows


async def test_hardware_that_does_not_answer_is_shown_and_the_exit_code_says_so(tmp_path, wallbox):
    file = tmp_path / "station.toml"
    file.write_text(STATION.format(folder=tmp_path))
    wallbox.pull("meter")
    wallbox.pull("reader")
    async with program("-m", "engine.cli", "devices", file) as running:
        assert await running.ended() == 1
    assert any(re.match("reader +error +.*No such file", line) for line in running.out.all)
    assert any("meter" in line and "error" in line and "cannot be opened" in line for line in running.out.all)


async def test_the_hardware_is_shown_live_until_it_is_interrupted(tmp_path, wallbox):
    file = tmp_path / "station.toml"
    file.write_text(STATION.format(folder=tmp_path))
    async with program("-m", "engine.cli", "devices", file, "--watch") as running, bounded():
        await running.out.until(lambda line: line.endswith("A1"))
        wallbox.pilot("B1")
        await running.out.until(lambda line: line.endswith("B1"))
        os.kill(running.pid, signal.SIGINT)
        assert await running.ended() == 0
