"""A station one of whose serial adapters hangs when it is opened: the rest of it is there, and it ends in time."""

import re
from functools import partial

import pytest
import trio

from drivers.modbus.client import ClientSettings, ModbusClient
from drivers.modbus.errors import DisconnectedError
from drivers.modbus.frames import Framing, Function
from drivers.serial_port import SerialSettings, open_port
from tests.peers.hanging_port import hanging_port, is_possible
from tests.peers.modbus_devices import PymodbusDevices
from tests.peers.processes import program
from tests.peers.real_wallbox import STATION, Wallbox, begin_charging

pytestmark = pytest.mark.skipif(not is_possible(), reason="no root, or no file systems in user space")

HANGING = """
[[connectors]]
number = 2
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "modbus"

[connectors.parameters.evse]
map = "phoenix-ev-cc-basic"
device = "{port}"
backend = "{backend}"
silent_after_s = 1
stays_on_when_silent = true

[connectors.parameters.meter]
map = "eastron-sdm630"
device = "{port}-meter"
backend = "{backend}"
silent_after_s = 1

[[readers]]
driver = "rdm6300"
connectors = [2]

[readers.parameters]
device = "{port}-reader"
backend = "{backend}"
byte_order = "as_read"
silent_after_s = 1
"""
BACKENDS = ("trio", "asyncio")


@pytest.fixture
def port(tmp_path):
    with hanging_port(tmp_path / "hanging") as port:
        yield port


@pytest.fixture
def wallbox(tmp_path):
    wallbox = Wallbox(tmp_path)
    yield wallbox
    wallbox.close()


def declared(folder, port, backend):
    """Two connectors, each with a reader: all that belongs to the second one hangs."""
    one = STATION.format(folder=folder).replace("[keys]", "[keys]\nNumberOfConnectors = { default = 2 }")
    file = folder / "station.toml"
    file.write_text(one + HANGING.format(port=port.path, backend=backend))
    return file


def is_fault(line):
    """Whether ``line`` of the log tells that something of the second connector has failed."""
    return '"machine":"fault/2"' in line and '"message":"FaultRaised"' in line


@pytest.mark.parametrize("backend", BACKENDS)
async def test_another_connector_charges_while_ports_hang_and_what_hangs_is_told(
    csms, tmp_path, port, wallbox, backend
):
    command = [
        "-m",
        "engine.cli",
        "run",
        declared(tmp_path, port, backend),
        "--csms",
        csms.url,
        "--log",
        "json",
    ]
    async with program(*command, "--state-dir", tmp_path / "state") as running:
        with trio.fail_after(30):
            await begin_charging(csms, wallbox)
            wallbox.consume(125)
            wallbox.present()
            await csms.until_call("StopTransaction", transactionId=1, reason="Local")
            # Reader, controller and meter.
            number = -1
            for _ in range(3):
                number = await running.err.until(is_fault, number + 1)
            assert await running.terminate() == 0
            await csms.until("disconnected")
    told = [status for status in csms.calls("StatusNotification") if status["connectorId"] == 2]
    assert told[-1]["status"] == "Faulted"


@pytest.mark.parametrize("backend", BACKENDS)
async def test_hardware_that_hangs_is_shown_as_not_there(tmp_path, port, backend):
    async with program("-m", "engine.cli", "devices", declared(tmp_path, port, backend)) as running:
        assert await running.ended() == 1, running.err.all
    for device in ("connector 2 evse", "connector 2 meter", "reader"):
        assert any(re.match(rf"{device} +error +.*no answer", line) for line in running.out.all), (
            running.out.all
        )


async def test_a_port_that_hung_is_used_when_it_can_be_opened(tmp_path):
    folder = tmp_path / "hanging"
    link = tmp_path / "line"
    client = ModbusClient(
        partial(open_port, SerialSettings(device=str(link), baudrate=115_200)),
        Framing.RTU,
        ClientSettings(connect_timeout_s=0.1, reconnect_first_s=0.01, reconnect_max_s=0.01),
    )
    with hanging_port(folder) as port:
        link.symlink_to(port.path)
        for _ in range(2):
            with pytest.raises(DisconnectedError, match="cannot be opened: no answer"):
                await until_tried(client)
    with PymodbusDevices([1], link, registers=100), trio.fail_after(10):
        while True:
            try:
                assert await client.read(1, Function.READ_HOLDING_REGISTERS, 10, 1) == (0,)
            except DisconnectedError:
                await trio.sleep(0.01)
            else:
                break
        await client.aclose()


async def until_tried(client):
    """Read; where the client waits before it opens the line again, until it has tried."""
    while True:
        try:
            await client.read(1, Function.READ_HOLDING_REGISTERS, 10, 1)
        except DisconnectedError as error:
            if "waiting" not in str(error):
                raise
            await trio.sleep(0.01)
