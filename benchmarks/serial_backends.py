# ruff: noqa: S603, S311, BLE001 - a script, run by hand
"""Ways to read Modbus registers, compared: what they cost, whether what they read is what stands there, and unplugging.

``python -m benchmarks.serial_backends [--requests N] [--soak S] [--only NAME]`` in the project's directory; about five
minutes. Each way (benchmarks/serial_ways.py) is a process of its own; the device (benchmarks/serial_device.py) is
another one, on a pseudo-terminal, without line time, or over TCP. Our client keeps the pause of 1.75 ms between two
messages that Modbus over serial lines demands; the others do not.

The soak: a slow and faulty device against a time-out of 50 ms, 30 % of the readings cancelled. Unplugging: the device
goes with its line, and comes back; "told" is when a reading fails, "back" when one is right again without the way being
opened anew by hand, both counted from the event, at most 10 s.
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import trio

from benchmarks.serial_device import Device, device, play
from benchmarks.serial_ways import WAYS, Read

WARM_UP = 50
HASTY_S, PATIENT_S, UNPLUGGED_S = 0.05, 2.0, 0.5
WAIT_MAX_S = 10.0


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
    told_ms: float | None = None
    """After the device was unplugged; None: not within ``WAIT_MAX_S``."""
    back_ms: float | None = None
    """After it was back; None: not within ``WAIT_MAX_S``."""


class Loop(msgspec.Struct, frozen=True):
    """What a way runs on."""

    run: Callable[..., None]
    within: Callable[[float], contextlib.AbstractAsyncContextManager[None]]
    """Gives up after so many s."""
    sleep: Callable[[float], Any]


@contextlib.asynccontextmanager
async def _within_trio(seconds: float) -> AsyncIterator[None]:
    with trio.move_on_after(seconds):
        yield


@contextlib.asynccontextmanager
async def _within_asyncio(seconds: float) -> AsyncIterator[None]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            yield


ON_TRIO = Loop(trio.run, _within_trio, trio.sleep)
ON_ASYNCIO = Loop(lambda measured, *given: asyncio.run(measured(*given)), _within_asyncio, asyncio.sleep)


async def measure(name: str, played: Device, requests: int, found: Found) -> None:
    """Latency, time of the processor, memory."""
    async with WAYS[name].open(played.where, PATIENT_S) as read:
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


async def soak(name: str, played: Device, seconds: float, found: Found, loop: Loop) -> None:
    """Read from a device that is slow and faulty, and give up every third time."""
    chance = random.Random(2)
    async with WAYS[name].open(played.where, HASTY_S) as read:
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            number += 1
            address, patience_s = 1000 + number % 5000, 5.0
            if chance.random() < 0.3:
                patience_s = chance.uniform(0, 0.1)
            found.asked += 1
            async with loop.within(patience_s):
                try:
                    value = await read(address)
                except Exception:
                    await loop.sleep(0.001)
                    continue
                found.right += value == address
                found.wrong += value != address


async def unplug(name: str, played: Device, found: Found, loop: Loop) -> None:
    """Take the device away and bring it back."""
    async with WAYS[name].open(played.where, UNPLUGGED_S) as read:
        assert await read(100) == 100
        played.unplug()
        found.told_ms = await _until(read, loop, is_right=False)
        await loop.sleep(1.0)
        played.plug_in()
        found.back_ms = await _until(read, loop, is_right=True)


async def _until(read: Read, loop: Loop, *, is_right: bool) -> float | None:
    """How long it takes until a reading is right, or fails, in ms."""
    began = time.perf_counter()
    while (taken_s := time.perf_counter() - began) < WAIT_MAX_S:
        is_read = False
        async with loop.within(WAIT_MAX_S - taken_s):
            try:
                is_read = await read(100) == 100
            except Exception:
                if not is_right:
                    return (time.perf_counter() - began) * 1000
        if is_read and is_right:
            return (time.perf_counter() - began) * 1000
        await loop.sleep(0.01)
    return None


def examine(name: str, requests: int, soak_s: float) -> Found:
    """Measure one way in this process."""
    import logging

    logging.disable(logging.CRITICAL)
    way, found = WAYS[name], Found()
    loop = ON_ASYNCIO if way.on_asyncio else ON_TRIO
    code = f"import time, trio; began = time.perf_counter(); import {way.imports}; print(time.perf_counter() - began)"
    spent = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    found.import_ms = min(spent) * 1000
    with device(is_tcp=way.is_tcp, is_faulty=False) as played:
        loop.run(measure, name, played, requests, found)
    with device(is_tcp=way.is_tcp, is_faulty=True) as played:
        loop.run(soak, name, played, soak_s, found, loop)
    with device(is_tcp=way.is_tcp, is_faulty=False) as played:
        loop.run(unplug, name, played, found, loop)
    return found


def main() -> None:
    """Measure every way, each in a process, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--soak", type=float, default=20.0, help="seconds for each way")
    parser.add_argument("--only", choices=WAYS)
    parser.add_argument("--play", help=argparse.SUPPRESS)
    parser.add_argument("--faulty", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--examine", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.play:
        play(told.play, is_faulty=told.faulty)
        return
    if told.examine:
        print(msgspec.json.encode(examine(told.examine, told.requests, told.soak)).decode())
        return
    head = (
        "import ms",
        "median us",
        "p99 us",
        "CPU us",
        "MB",
        "asked",
        "right",
        "WRONG",
        "told ms",
        "back ms",
    )
    print(f"{'':30}" + "".join(f"{name:>10}" for name in head))
    for name in [told.only] if told.only else WAYS:
        command = [sys.executable, "-m", "benchmarks.serial_backends", "--examine", name]
        command += ["--requests", str(told.requests), "--soak", str(told.soak)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = msgspec.json.decode(run.stdout, type=Found)
        numbers = [
            *(f"{number:.0f}" for number in (found.import_ms, found.median_us, found.worst_us, found.cpu_us)),
            f"{found.memory_mb:.1f}",
            *(str(number) for number in (found.asked, found.right, found.wrong)),
            *("never" if ms is None else f"{ms:.0f}" for ms in (found.told_ms, found.back_ms)),
        ]
        print(f"{name:30}" + "".join(f"{number:>10}" for number in numbers), flush=True)


if __name__ == "__main__":
    main()
