"""The optional backend: serial ports by pyserial-asyncio within Trio, against the same peers as our own stream."""

from functools import partial

import pytest
import trio

from drivers.asyncio_serial import AsyncioPorts
from drivers.modbus.client import ClientSettings, ModbusClient
from drivers.modbus.errors import DisconnectedError, NoResponseError
from drivers.modbus.frames import Framing, Function
from drivers.readers.card import CardSettings
from drivers.readers.serial_reader import ReaderSettings, SerialReader
from drivers.readers.twn4 import Twn4
from drivers.serial_port import SerialSettings, open_port
from machines.vocabulary.hardware import TokenRead
from tests.peers.fake_reader import FakeReader
from tests.peers.modbus_devices import PymodbusDevices

HOLDING = Function.READ_HOLDING_REGISTERS


@pytest.fixture
def line(tmp_path):
    with PymodbusDevices([1], tmp_path / "line", registers=1000) as devices:
        devices.set(1, "holding", 0, list(range(1000)))
        yield devices


def client_of(ports: AsyncioPorts, devices: PymodbusDevices, timeout_s: float = 2.0) -> ModbusClient:
    port = SerialSettings(device=str(devices.link), baudrate=115_200)
    settings = ClientSettings(
        timeout_s=timeout_s, retries=0, late_window_s=0.3, reconnect_first_s=0.01, reconnect_max_s=0.01
    )
    return ModbusClient(partial(ports.open_port, port), Framing.RTU, settings)


async def test_registers_are_read_and_written(line):
    ports = AsyncioPorts()
    async with ports.running():
        client = client_of(ports, line)
        assert await client.read(1, HOLDING, 10, 3) == (10, 11, 12)
        await client.write(1, Function.WRITE_REGISTERS, 40, (7, 8))
        assert line.get(1, "holding", 40, 2) == [7, 8]
        await client.aclose()


async def test_neither_a_late_reply_nor_that_of_a_cancelled_request_is_taken_for_another(line):
    ports = AsyncioPorts()
    async with ports.running():
        client = client_of(ports, line, timeout_s=0.5)
        line.delay_s = 0.55
        with pytest.raises(NoResponseError):
            await client.read(1, HOLDING, 10, 2)
        line.delay_s = 0
        assert await client.read(1, HOLDING, 20, 2) == (20, 21)
        for address in range(100, 150):
            with trio.move_on_after(0.001):
                await client.read(1, HOLDING, address, 1)
        assert await client.read(1, HOLDING, 30, 2) == (30, 31)
        await client.aclose()


async def test_a_port_that_was_unplugged_is_used_again_when_it_is_back(tmp_path):
    ports = AsyncioPorts()
    async with ports.running():
        with PymodbusDevices([1], tmp_path / "line", registers=100) as devices:
            client = client_of(ports, devices)
            assert await client.read(1, HOLDING, 10, 1) == (0,)
        with pytest.raises(DisconnectedError):
            await client.read(1, HOLDING, 10, 1)
        with PymodbusDevices([1], tmp_path / "line", registers=100):
            while True:
                try:
                    assert await client.read(1, HOLDING, 10, 1) == (0,)
                except DisconnectedError:
                    await trio.sleep(0.01)
                else:
                    break
            await client.aclose()


async def test_a_port_is_ours_alone_and_must_have_what_is_asked_for(line):
    ports = AsyncioPorts()
    async with ports.running():
        settings = SerialSettings(device=str(line.link))
        async with await ports.open_port(settings):
            with pytest.raises(OSError, match="lock"):
                await open_port(settings)
        with pytest.raises(OSError, match="aud"):
            await ports.open_port(SerialSettings(device=str(line.link), baudrate=-5))


async def test_a_closed_port_tells_whoever_waits(line, nursery):
    ports = AsyncioPorts()
    async with ports.running():
        port = await ports.open_port(SerialSettings(device=str(line.link)))
        nursery.start_soon(port.aclose)
        with pytest.raises(trio.ClosedResourceError):
            await port.receive_some()
        with pytest.raises(trio.ClosedResourceError):
            await port.send_all(b"x")


async def test_a_reader_that_is_asked_tells_of_cards(tmp_path, nursery):
    ports, send_receive = AsyncioPorts(), trio.open_memory_channel(10)
    send, receive = send_receive
    settings = ReaderSettings(card=CardSettings(is_reversed=False, gone_after_s=1.0), poll_s=0.05)
    with FakeReader(tmp_path / "reader", pushes=False) as fake:
        port = SerialSettings(device=str(fake.link), baudrate=115_200)
        async with ports.running(), trio.open_nursery() as running:
            reader = SerialReader(partial(ports.open_port, port), Twn4, settings, [1])
            running.start_soon(reader.run, send.send)
            with trio.fail_after(10):
                while not fake.questions:
                    await trio.sleep(0.01)
                fake.present("04A1B2C3")
                assert await receive.receive() == TokenRead("04A1B2C3", (1,))
            running.cancel_scope.cancel()
