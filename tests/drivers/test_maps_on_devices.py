"""Every shipped map, against a device that pymodbus' own server plays: what stands there is what is read."""

from functools import partial
from typing import Any

import pytest
import trio

from drivers.map_files import SHIPPED, load_map
from drivers.modbus.client import ClientSettings, ModbusClient
from drivers.modbus.device import MappedDevice
from drivers.modbus.frames import Framing
from drivers.serial_port import SerialSettings, open_port
from tests.peers.mapped import cells
from tests.peers.modbus_devices import PymodbusDevices

MAPS = sorted(SHIPPED.glob("*.toml"))
VALUES: dict[str, Any] = {
    "voltage_l1_v": 230.5,
    "voltage_l2_v": 229.9,
    "voltage_l3_v": 231.2,
    "current_l1_a": 15.98,
    "current_l2_a": 15.9,
    "current_l3_a": 16.01,
    "power_l1_w": 3680.5,
    "power_l2_w": 3655.0,
    "power_l3_w": 3701.0,
    "power_w": 11036.5,
    "frequency_hz": 50.0,
    "power_factor": 0.998,
    "energy_import_wh": 1_234_560,
    "energy_export_wh": 120,
    "pilot": "C2",
    "token": "04A1B2C3",
    "cable_a": 32,
    "fault_bits": 1 << 12,
}


@pytest.mark.parametrize("file", MAPS, ids=lambda file: file.stem)
async def test_what_the_device_holds_is_what_is_read(file, tmp_path):
    found = load_map(file)
    is_serial = found.bus.transport == "rtu"
    with PymodbusDevices([found.bus.unit], tmp_path / "line" if is_serial else None) as devices:
        held = {name: value for name, value in VALUES.items() if name in found.values}
        if found.id == "weidmueller-ac-smart":
            held["pilot"] = "\0C"
        for name, value in held.items():
            for table, address, words in cells(found.values[name], value):
                devices.set(found.bus.unit, table, address, words)
        device = MappedDevice(client_of(devices), found.bus.unit, found)
        read = await device.read(list(held))
        await device.client.aclose()
    for name, value in held.items():
        expected = value.strip("\0") if isinstance(value, str) else pytest.approx(value, rel=1e-6)
        assert read[name] == expected, name


async def test_energy_in_the_older_device_is_read_from_the_other_register(tmp_path):
    """An EM330 of before 2018 has no fine register: it refuses the address."""
    found = load_map(SHIPPED / "carlo-gavazzi-em340.toml")
    with PymodbusDevices([1], tmp_path / "line", registers=0x0100) as devices:
        devices.set(1, "input", 0x0034, [4321, 0])
        device = MappedDevice(client_of(devices), 1, found)
        assert (await device.read(["energy_import_wh", "frequency_hz"]))["energy_import_wh"] == 432_100
        await device.client.aclose()


async def test_a_current_is_written_where_the_map_says(tmp_path):
    found = load_map(SHIPPED / "phoenix-ev-cc-basic.toml")
    with PymodbusDevices([1], tmp_path / "line") as devices:
        device = MappedDevice(client_of(devices), 1, found)
        await device.act("set_current", {"amps": 16})
        await device.act("allow")
        assert devices.get(1, "holding", 22000) == [16]
        assert devices.get(1, "coil", 20000) == [True]
        await device.client.aclose()


async def test_a_heartbeat_is_written_as_a_whole(tmp_path):
    found = load_map(SHIPPED / "weidmueller-ac-smart.toml")
    with PymodbusDevices([255]) as devices:
        device = MappedDevice(client_of(devices), 255, found)
        await device.beat()
        assert devices.get(255, "holding", 11050, 2) == [65535, 0]
        await device.client.aclose()


def client_of(devices: PymodbusDevices) -> ModbusClient:
    settings = ClientSettings(timeout_s=3.0, retries=0)
    if devices.link is None:
        return ModbusClient(partial(trio.open_tcp_stream, "127.0.0.1", devices.port), Framing.TCP, settings)
    port = SerialSettings(device=str(devices.link), baudrate=115_200)
    return ModbusClient(partial(open_port, port), Framing.RTU, settings)
