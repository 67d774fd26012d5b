# ruff: noqa: S603, S311, BLE001 - a script, run by hand
"""Ways to read Modbus registers from Trio, compared: what they cost, and whether what they read is what stands there.

``python -m benchmarks.serial_backends [--requests N] [--soak S] [--only NAME]`` in the project's directory; about two
minutes. Each way is a process of its own; the device is another one, on a pseudo-terminal, without line time. A
register of it holds its own address, so that a wrong value shows. Our client keeps the pause of 1.75 ms between two
messages that Modbus over serial lines demands; pymodbus does not.

The soak: replies in 0 to 55 ms against a time-out of 50 ms, 5 % lost, 5 % spoilt, 30 % of the readings cancelled.
"""

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import trio

from drivers.modbus.client import ClientSettings, ModbusClient, silence_of
from drivers.modbus.frames import Framing, Function
from drivers.serial_port import SerialSettings, open_port

Read = Callable[[int], Awaitable[int]]
"""Reads the register at an address; an exception when there is no result."""

BAUDRATE = 115_200
WARM_UP = 50
HASTY_S, PATIENT_S = 0.05, 2.0
SLOWEST_S = 0.055


class Found(msgspec.Struct, kw_only=True):
    """What one way was found to do."""

    import_ms: float = 0.0
    median_us: float = 0.0
    worst_us: float = 0.0
    """The 99th of a hundred."""
    cpu_us: float = 0.0
    memory_mb: float = 0.0
    asked: int = 0
    right: int = 0
    wrong: int = 0


# The ways


@contextlib.asynccontextmanager
async def own(link: Path, timeout_s: float) -> AsyncIterator[Read]:
    """Our client on our stream: what ships."""
    port = SerialSettings(device=str(link), baudrate=BAUDRATE)
    async with _client(partial(open_port, port), timeout_s, silence_of(BAUDRATE, port.bits)) as read:
        yield read


@contextlib.asynccontextmanager
async def own_on_asyncio(link: Path, timeout_s: float) -> AsyncIterator[Read]:
    """Our client on pyserial-asyncio: ``backend = "asyncio"``."""
    from drivers.asyncio_serial import AsyncioPorts

    ports, port = AsyncioPorts(), SerialSettings(device=str(link), baudrate=BAUDRATE)
    async with ports.running():
        connect = partial(ports.open_port, port)
        async with _client(connect, timeout_s, silence_of(BAUDRATE, port.bits)) as read:
            yield read


@contextlib.asynccontextmanager
async def _client(
    connect: Callable[[], Awaitable[trio.abc.Stream]], timeout_s: float, silence_s: float
) -> AsyncIterator[Read]:
    settings = ClientSettings(timeout_s=timeout_s, retries=0, late_window_s=0.3, silence_s=silence_s)
    client = ModbusClient(connect, Framing.RTU, settings)

    async def read(address: int) -> int:
        return (await client.read(1, Function.READ_HOLDING_REGISTERS, address, 2))[0]

    yield read
    await client.aclose()


@contextlib.asynccontextmanager
async def pymodbus_on_asyncio(link: Path, timeout_s: float) -> AsyncIterator[Read]:
    """The asynchronous client of pymodbus, by trio-asyncio."""
    import trio_asyncio
    from pymodbus.client import AsyncModbusSerialClient

    async with trio_asyncio.open_loop():

        async def connect() -> AsyncModbusSerialClient:
            client = AsyncModbusSerialClient(str(link), baudrate=BAUDRATE, timeout=timeout_s, retries=0)
            await client.connect()
            return client

        client = await trio_asyncio.aio_as_trio(connect)()

        async def read(address: int) -> int:
            ask = trio_asyncio.aio_as_trio(client.read_holding_registers)
            reply = await ask(address, count=2, device_id=1)
            if reply.isError():
                raise ValueError(str(reply))
            return int(reply.registers[0])

        yield read
        client.close()


@contextlib.asynccontextmanager
async def pymodbus_in_thread(link: Path, timeout_s: float) -> AsyncIterator[Read]:
    """The synchronous client of pymodbus, in a thread for each request."""
    from pymodbus.client import ModbusSerialClient

    client = ModbusSerialClient(str(link), baudrate=BAUDRATE, timeout=timeout_s, retries=0)
    await trio.to_thread.run_sync(client.connect)
    lock = trio.Lock()

    async def read(address: int) -> int:
        async with lock:
            ask = partial(client.read_holding_registers, address, count=2, device_id=1)
            reply = await trio.to_thread.run_sync(ask)
        if reply.isError():
            raise ValueError(str(reply))
        return int(reply.registers[0])

    yield read
    client.close()


WAYS = {
    "own stream, own client": own,
    "pyserial-asyncio, own client": own_on_asyncio,
    "pymodbus, trio-asyncio": pymodbus_on_asyncio,
    "pymodbus, thread": pymodbus_in_thread,
}
IMPORTS = {
    "own stream, own client": "drivers.modbus.client, drivers.serial_port",
    "pyserial-asyncio, own client": "drivers.modbus.client, drivers.asyncio_serial",
    "pymodbus, trio-asyncio": "trio_asyncio, pymodbus.client",
    "pymodbus, thread": "pymodbus.client",
}


# The device


def play_device(link: Path, *, is_faulty: bool) -> None:
    """Be a device on a pseudo-terminal until killed."""
    from pymodbus.framer import FramerRTU

    chance = random.Random(1)
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    print("ready", flush=True)
    heard = b""
    while True:
        heard += os.read(master, 512)
        while len(heard) >= 8:
            request, heard = heard[:8], heard[8:]
            address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
            body = b"".join((address + place).to_bytes(2, "big") for place in range(count))
            reply = request[:2] + bytes([len(body)]) + body
            reply += FramerRTU.compute_CRC(reply).to_bytes(2, "big")
            if is_faulty:
                time.sleep(chance.uniform(0, SLOWEST_S))
                fault = chance.random()
                if fault < 0.05:
                    continue
                if fault < 0.1:
                    reply = reply[:-1] + bytes([reply[-1] ^ 0xFF])
            os.write(master, reply)


@contextlib.contextmanager
def device(*, is_faulty: bool):  # type: ignore[no-untyped-def]
    """The device as a process; the link to its line."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "line"
        command = [sys.executable, "-m", "benchmarks.serial_backends", "--play", str(link)]
        command += ["--faulty"] if is_faulty else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                yield link
            finally:
                process.kill()


# What is measured, in a process of its own


async def measure(name: str, link: Path, requests: int, found: Found) -> None:
    """Latency, time of the processor, memory."""
    async with WAYS[name](link, PATIENT_S) as read:
        for _ in range(WARM_UP):
            assert await read(100) == 100
        taken: list[float] = []
        cpu = time.process_time()
        for _ in range(requests):
            began = time.perf_counter()
            assert await read(100) == 100
            taken.append(time.perf_counter() - began)
        found.cpu_us = (time.process_time() - cpu) / requests * 1e6
    found.median_us = statistics.median(taken) * 1e6
    found.worst_us = sorted(taken)[int(0.99 * requests)] * 1e6
    found.memory_mb = _memory_mb()


def _memory_mb() -> float:
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


async def soak(name: str, link: Path, seconds: float, found: Found) -> None:
    """Read from a device that is slow and faulty, and give up every third time."""
    chance = random.Random(2)
    async with WAYS[name](link, HASTY_S) as read:
        with trio.move_on_after(seconds):
            number = 0
            while True:
                number += 1
                address, patience_s = 1000 + number % 5000, 5.0
                if chance.random() < 0.3:
                    patience_s = chance.uniform(0, 0.1)
                found.asked += 1
                with trio.move_on_after(patience_s):
                    try:
                        value = await read(address)
                    except Exception:
                        await trio.sleep(0.001)
                        continue
                    found.right += value == address
                    found.wrong += value != address


def examine(name: str, requests: int, soak_s: float) -> Found:
    """Measure one way in this process."""
    import logging

    logging.disable(logging.CRITICAL)
    found = Found()
    code = f"import time, trio; began = time.perf_counter(); import {IMPORTS[name]}; print(time.perf_counter() - began)"
    spent = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    found.import_ms = min(spent) * 1000
    with device(is_faulty=False) as link:
        trio.run(measure, name, link, requests, found)
    with device(is_faulty=True) as link:
        trio.run(soak, name, link, soak_s, found)
    return found


def main() -> None:
    """Measure every way, each in a process, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--soak", type=float, default=20.0, help="seconds for each way")
    parser.add_argument("--only", choices=WAYS)
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--faulty", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--examine", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.play:
        play_device(told.play, is_faulty=told.faulty)
        return
    if told.examine:
        print(msgspec.json.encode(examine(told.examine, told.requests, told.soak)).decode())
        return
    head = ("import ms", "median us", "p99 us", "CPU us", "MB", "asked", "right", "WRONG")
    print(f"{'':30}" + "".join(f"{name:>11}" for name in head))
    for name in [told.only] if told.only else WAYS:
        command = [sys.executable, "-m", "benchmarks.serial_backends", "--examine", name]
        command += ["--requests", str(told.requests), "--soak", str(told.soak)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = msgspec.json.decode(run.stdout, type=Found)
        numbers = [
            *(f"{number:.0f}" for number in (found.import_ms, found.median_us, found.worst_us, found.cpu_us)),
            f"{found.memory_mb:.1f}",
            *(str(number) for number in (found.asked, found.right, found.wrong)),
        ]
        print(f"{name:30}" + "".join(f"{number:>11}" for number in numbers), flush=True)


if __name__ == "__main__":
    main()
