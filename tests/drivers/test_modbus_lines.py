"""The Modbus client on real lines: pymodbus' own server on a pseudo-terminal, over TCP and over RTU through TCP."""

import os
import random
import sys
import termios
import threading
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import serial
import trio
from pymodbus.constants import ExcCodes

from drivers.modbus.client import ClientSettings, ModbusClient
from drivers.modbus.errors import DisconnectedError, ExceptionReplyError, ModbusError, NoResponseError
from drivers.modbus.frames import Framing, Function
from drivers.serial_port import SerialSettings, SerialStream, open_port
from tests.peers.modbus_devices import PymodbusDevices

HOLDING = Function.READ_HOLDING_REGISTERS
PATIENT = ClientSettings(timeout_s=2.0, retries=0, late_window_s=0.2)
HASTY = ClientSettings(timeout_s=0.05, retries=0, late_window_s=0.3)


@pytest.fixture(params=["serial", "tcp"])
def devices(request, tmp_path):
    link = tmp_path / "line" if request.param == "serial" else None
    with PymodbusDevices([1, 2], link, registers=2000) as devices:
        for unit in (1, 2):
            devices.set(unit, "holding", 0, [1000 * unit + address for address in range(500)])
        yield devices


@pytest.fixture
def on_a_line(tmp_path):
    with PymodbusDevices([1], tmp_path / "line", registers=4000) as devices:
        devices.set(1, "holding", 0, list(range(4000)))
        yield devices


def client_of(devices: PymodbusDevices, settings: ClientSettings = PATIENT) -> ModbusClient:
    if devices.link is None:
        return ModbusClient(partial(trio.open_tcp_stream, "127.0.0.1", devices.port), Framing.TCP, settings)
    port = SerialSettings(device=str(devices.link), baudrate=115_200)
    return ModbusClient(partial(open_port, port), Framing.RTU, settings)


async def test_registers_of_several_devices_on_one_line_are_read(devices):
    client = client_of(devices)
    assert await client.read(1, HOLDING, 10, 2) == (1010, 1011)
    assert await client.read(2, HOLDING, 10, 2) == (2010, 2011)
    await client.aclose()


@pytest.mark.parametrize(
    ("function", "table", "values"),
    [
        (Function.WRITE_COIL, "coil", (1,)),
        (Function.WRITE_REGISTER, "holding", (16,)),
        (Function.WRITE_REGISTERS, "holding", (7, 8, 9)),
    ],
)
async def test_what_is_written_stands_there(devices, function, table, values):
    client = client_of(devices)
    await client.write(1, function, 40, values)
    assert devices.get(1, table, 40, len(values)) == list(values)
    await client.aclose()


async def test_a_refusal_is_told_with_its_code(devices):
    client = client_of(devices)
    devices.refuse[10] = ExcCodes.DEVICE_BUSY
    with pytest.raises(ExceptionReplyError) as caught:
        await client.read(1, HOLDING, 10, 2)
    assert caught.value.code == 6
    await client.aclose()


async def test_a_register_that_is_not_there_is_exception_2(devices):
    client = client_of(devices)
    with pytest.raises(ExceptionReplyError) as caught:
        await client.read(1, HOLDING, 20_000, 2)
    assert caught.value.code == 2
    await client.aclose()


async def test_a_silent_device_is_told_and_the_line_goes_on(devices):
    client = client_of(devices, HASTY)
    devices.silent.add(2)
    with pytest.raises(NoResponseError):
        await client.read(2, HOLDING, 10, 2)
    devices.silent.clear()
    patient = client_of(devices) if devices.link is None else client
    assert await patient.read(2, HOLDING, 12, 2) == (2012, 2013)
    await client.aclose()
    await patient.aclose()


async def test_a_slow_reply_is_taken_for_no_other(devices):
    client = client_of(devices, HASTY)
    devices.delay_s = 0.08
    with pytest.raises(NoResponseError):
        await client.read(1, HOLDING, 10, 2)
    devices.delay_s = 0
    assert await client.read(1, HOLDING, 20, 2) == (1020, 1021)
    await client.aclose()


async def test_a_spoilt_reply_on_a_line_is_read_again(on_a_line):
    client = client_of(on_a_line, ClientSettings(timeout_s=2.0, retries=1))
    on_a_line.spoil = 1
    assert await client.read(1, HOLDING, 10, 2) == (10, 11)
    await client.aclose()


async def test_rtu_goes_through_a_converter_too(tmp_path, nursery):
    """A converter in Trio: what comes over TCP goes to the line, and back."""
    with PymodbusDevices([1], tmp_path / "line", registers=100) as devices:
        devices.set(1, "holding", 0, list(range(100)))

        async def pump(source: trio.abc.ReceiveStream, target: trio.abc.SendStream) -> None:
            async for chunk in source:
                await target.send_all(chunk)

        async def convert(connection: trio.SocketStream) -> None:
            line = await open_port(SerialSettings(device=str(devices.link), baudrate=115_200))
            async with line, connection, trio.open_nursery() as pumps:
                pumps.start_soon(pump, line, connection)
                await pump(connection, line)
                pumps.cancel_scope.cancel()

        listeners = await nursery.start(partial(trio.serve_tcp, convert, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        client = ModbusClient(partial(trio.open_tcp_stream, "127.0.0.1", port), Framing.RTU, PATIENT)
        assert await client.read(1, HOLDING, 10, 2) == (10, 11)
        await client.aclose()
        nursery.cancel_scope.cancel()


async def test_a_port_that_was_unplugged_is_used_again_when_it_is_back(tmp_path):
    link = tmp_path / "line"
    client = ModbusClient(
        partial(open_port, SerialSettings(device=str(link))),
        Framing.RTU,
        ClientSettings(timeout_s=2.0, reconnect_first_s=0.01, reconnect_max_s=0.01),
    )
    with PymodbusDevices([1], link, registers=100):
        assert await client.read(1, HOLDING, 10, 1) == (0,)
    with pytest.raises(DisconnectedError):
        await client.read(1, HOLDING, 10, 1)
    with pytest.raises(DisconnectedError, match="cannot be opened"):
        await client.read(1, HOLDING, 10, 1)
    with PymodbusDevices([1], link, registers=100) as devices:
        devices.set(1, "holding", 10, [5])
        while True:
            try:
                assert await client.read(1, HOLDING, 10, 1) == (5,)
            except DisconnectedError:
                await trio.sleep(0.01)
            else:
                break
        await client.aclose()


async def test_a_port_that_someone_uses_is_not_opened(on_a_line):
    settings = SerialSettings(device=str(on_a_line.link))
    async with await open_port(settings):
        with pytest.raises(OSError, match="lock"):
            await open_port(settings)


async def test_a_port_is_not_opened_at_a_speed_that_it_lacks(on_a_line):
    with pytest.raises(OSError, match="aud"):
        await open_port(SerialSettings(device=str(on_a_line.link), baudrate=-5))


@pytest.mark.parametrize("last_act", ["tcsetattr", "tcflush"])
async def test_a_port_that_is_unplugged_while_it_is_set_up_cannot_be_opened(monkeypatch, last_act):
    """What the kernel then tells comes as an error that is no OSError."""
    master, slave = os.openpty()
    act = getattr(termios, last_act)

    def unplug_and_act(*arguments: Any) -> None:
        monkeypatch.undo()
        os.close(master)
        act(*arguments)

    monkeypatch.setattr(termios, last_act, unplug_and_act)
    port = SerialSettings(device=os.ttyname(slave))
    client = ModbusClient(partial(open_port, port), Framing.RTU, PATIENT)
    with pytest.raises(DisconnectedError, match="Input/output error"):
        await client.read(1, HOLDING, 0, 1)
    os.close(slave)


class Hanging(serial.Serial):
    """A port whose adapter does not take what it was given: the kernel waits before it closes it."""

    def __init__(self, *args, **settings) -> None:
        self.hangs, self.goes_on, self.was_let_go = threading.Event(), threading.Event(), False
        super().__init__(*args, **settings)

    def close(self) -> None:
        if self.is_open:
            self.hangs.set()
            self.was_let_go = self.goes_on.wait(10)
        super().close()


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_port_that_hangs_when_it_is_closed_keeps_nothing_else_from_working(nursery, is_cancelled):
    master, slave = os.openpty()
    port = Hanging(os.ttyname(slave), timeout=0, exclusive=True)
    line = SerialStream(port)
    nursery.start_soon(trio.aclose_forcefully if is_cancelled else SerialStream.aclose, line)
    # Whoever lets the port go works in the loop of Trio: while that hangs, nobody does.
    await trio.to_thread.run_sync(port.hangs.wait)
    port.goes_on.set()
    again: SerialStream | None = None
    with trio.fail_after(10):
        while again is None:
            with suppress(OSError):
                again = await open_port(SerialSettings(device=os.ttyname(slave)))
            await trio.sleep(0.05)
    assert port.was_let_go
    await again.aclose()
    os.close(master)
    os.close(slave)


async def test_a_closed_port_tells_whoever_waits(on_a_line, nursery):
    line = await open_port(SerialSettings(device=str(on_a_line.link)))

    async def close() -> None:
        await line.aclose()

    nursery.start_soon(close)
    with pytest.raises(trio.ClosedResourceError):
        await line.receive_some()


SOAK_VALUES = int(os.environ.get("STATECHARGE_MODBUS_SOAK_VALUES", "50"))


async def test_no_wrong_value_is_ever_read_from_a_slow_and_faulty_device(on_a_line):
    """Replies in 0 to 55 ms against a time-out of 50 ms, 5 % lost, 5 % spoilt, 30 % of the readings cancelled."""
    chance = random.Random(3)
    on_a_line.chaos = random.Random(4)
    on_a_line.delay_s = 0.055
    results: list[bool] = []
    client = client_of(on_a_line, HASTY)

    async def read(base: int) -> None:
        number = 0
        while len(results) < SOAK_VALUES:
            number += 1
            address = base + number % 500
            patience = chance.uniform(0, 0.1) if chance.random() < 0.3 else 5
            with trio.move_on_after(patience):
                with suppress(ModbusError):
                    results.append(await client.read(1, HOLDING, address, 1) == (address,))

    async with trio.open_nursery() as readers:
        for base in (1000, 2000, 3000):
            readers.start_soon(read, base)
    await client.aclose()
    sys.stdout.write(f"{len(results)} values, {results.count(False)} of them wrong\n")
    assert all(results)
