"""Ways to read Modbus registers, which benchmarks/serial_backends.py compares."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import trio

from drivers.modbus.client import ClientSettings, ModbusClient, silence_of
from drivers.modbus.frames import Framing, Function
from drivers.serial_port import SerialSettings, open_port

Read = Callable[[int], Awaitable[int]]
"""Reads the register at an address; an exception when there is no result."""

BAUDRATE = 115_200
BITS = 10
"""Of a character."""


@contextlib.asynccontextmanager
async def own(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """Our client on our stream: what ships."""
    port = SerialSettings(device=where, baudrate=BAUDRATE)
    async with _client(partial(open_port, port), timeout_s) as read:
        yield read


@contextlib.asynccontextmanager
async def own_on_asyncio(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """Our client on pyserial-asyncio: ``backend = "asyncio"``."""
    from drivers.asyncio_serial import AsyncioPorts

    ports, port = AsyncioPorts(), SerialSettings(device=where, baudrate=BAUDRATE)
    async with ports.running():
        connect = partial(ports.open_port, port)
        async with _client(connect, timeout_s) as read:
            yield read


@contextlib.asynccontextmanager
async def own_tcp(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """Our client over TCP."""
    host, _, port = where.partition(":")
    connect = partial(trio.open_tcp_stream, host, int(port))
    async with _client(connect, timeout_s, Framing.TCP) as read:
        yield read


@contextlib.asynccontextmanager
async def _client(
    connect: Callable[[], Awaitable[trio.abc.Stream]], timeout_s: float, framing: Framing = Framing.RTU
) -> AsyncIterator[Read]:
    settings = ClientSettings(
        timeout_s=timeout_s, retries=0, late_window_s=0.3, silence_s=silence_of(BAUDRATE, BITS)
    )
    client = ModbusClient(connect, framing, settings)

    async def read(address: int) -> int:
        return (await client.read(1, Function.READ_HOLDING_REGISTERS, address, 2))[0]

    yield read
    await client.aclose()


@contextlib.asynccontextmanager
async def pymodbus_trio_asyncio(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """The asynchronous client of pymodbus, by trio-asyncio."""
    import trio_asyncio

    async with trio_asyncio.open_loop():
        client = await trio_asyncio.aio_as_trio(_pymodbus)(where, timeout_s)

        async def read(address: int) -> int:
            ask = trio_asyncio.aio_as_trio(client.read_holding_registers)
            return _value(await ask(address, count=2, device_id=1))

        yield read
        client.close()


@contextlib.asynccontextmanager
async def pymodbus_asyncio(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """The same on asyncio alone, without Trio."""
    client = await _pymodbus(where, timeout_s)

    async def read(address: int) -> int:
        return _value(await client.read_holding_registers(address, count=2, device_id=1))

    yield read
    client.close()


async def _pymodbus(where: str, timeout_s: float) -> Any:
    from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

    host, _, port = where.partition(":")
    if port:
        client: Any = AsyncModbusTcpClient(host, port=int(port), timeout=timeout_s, retries=0)
    else:
        client = AsyncModbusSerialClient(where, baudrate=BAUDRATE, timeout=timeout_s, retries=0)
    await client.connect()
    return client


@contextlib.asynccontextmanager
async def pymodbus_in_thread(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """The synchronous client of pymodbus, in a thread for each request."""
    from pymodbus.client import ModbusSerialClient, ModbusTcpClient

    host, _, port = where.partition(":")
    if port:
        client: Any = ModbusTcpClient(host, port=int(port), timeout=timeout_s, retries=0)
    else:
        client = ModbusSerialClient(where, baudrate=BAUDRATE, timeout=timeout_s, retries=0)
    await trio.to_thread.run_sync(client.connect)
    lock = trio.Lock()

    async def read(address: int) -> int:
        async with lock:
            ask = partial(client.read_holding_registers, address, count=2, device_id=1)
            return _value(await trio.to_thread.run_sync(ask))

    yield read
    client.close()


def _value(reply: Any) -> int:
    if reply.isError():
        raise ValueError(str(reply))
    return int(reply.registers[0])


@contextlib.asynccontextmanager
async def pyserial_in_thread(where: str, timeout_s: float) -> AsyncIterator[Read]:
    """Pyserial as it is, blocking, in a thread for each request: what is left in its buffer is dropped before."""
    import serial
    from pymodbus.framer import FramerRTU

    port = await trio.to_thread.run_sync(
        partial(serial.Serial, where, baudrate=BAUDRATE, timeout=timeout_s, exclusive=True)
    )
    lock = trio.Lock()

    def ask(address: int) -> int:
        request = bytes([1, 3, *address.to_bytes(2, "big"), 0, 2])
        port.reset_input_buffer()
        port.write(request + FramerRTU.compute_CRC(request).to_bytes(2, "big"))
        reply = port.read(9)
        if len(reply) < 9 or FramerRTU.compute_CRC(reply[:-2]) != int.from_bytes(reply[-2:], "big"):
            raise ValueError("no reply, or a spoilt one")
        return int.from_bytes(reply[3:5], "big")

    async def read(address: int) -> int:
        async with lock:
            return await trio.to_thread.run_sync(ask, address)

    yield read
    port.close()


class Way(msgspec.Struct, frozen=True):
    """How registers are read."""

    open: Callable[[str, float], contextlib.AbstractAsyncContextManager[Read]]
    """With a path, or HOST:PORT, and how long to wait for a reply, in s."""
    imports: str
    is_tcp: bool = False
    on_asyncio: bool = False
    """Without Trio."""


WAYS = {
    "own stream, own client": Way(own, "drivers.modbus.client, drivers.serial_port"),
    "pyserial-asyncio, own client": Way(own_on_asyncio, "drivers.modbus.client, drivers.asyncio_serial"),
    "pymodbus, trio-asyncio": Way(pymodbus_trio_asyncio, "trio_asyncio, pymodbus.client"),
    "pymodbus, asyncio alone": Way(pymodbus_asyncio, "pymodbus.client", on_asyncio=True),
    "pymodbus, thread": Way(pymodbus_in_thread, "pymodbus.client"),
    "pyserial, thread": Way(pyserial_in_thread, "serial"),
    "TCP: own client": Way(own_tcp, "drivers.modbus.client", is_tcp=True),
    "TCP: pymodbus, trio-asyncio": Way(pymodbus_trio_asyncio, "trio_asyncio, pymodbus.client", is_tcp=True),
    "TCP: pymodbus, asyncio alone": Way(pymodbus_asyncio, "pymodbus.client", is_tcp=True, on_asyncio=True),
    "TCP: pymodbus, thread": Way(pymodbus_in_thread, "pymodbus.client", is_tcp=True),
}
