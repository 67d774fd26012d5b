"""What an idle station on real lines costs: CPU of one core, memory, and what it imported.

``python -m benchmarks.idle_hardware [SECONDS]`` in the project's directory. A controller and a meter, played by
pymodbus' server on pseudo-terminals, and a card reader on pyserial-asyncio; the station is a process of its own, with a
Central System that it has booted at. Counted is the time of the processor of the station's process only.
"""

import os
import struct
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import trio

from tests.peers.drivers import central_system
from tests.peers.fake_reader import FakeReader
from tests.peers.modbus_devices import PymodbusDevices
from tests.peers.processes import program

SETTLED_S = 3.0
BUDGET = 1.0
"""% of one core."""
TICKS = os.sysconf("SC_CLK_TCK")
EXTRAS = ("pymodbus", "serial", "gpiod", "serial_asyncio", "trio_asyncio", "httpx", "starlette", "hypercorn")
STATION = """
extends = "ac-smart"

[[connectors]]
number = 1
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "modbus"

[connectors.parameters.evse]
map = "phoenix-ev-cc-basic"
device = "{folder}/evse"
unit = 5
stays_on_when_silent = true

[connectors.parameters.meter]
map = "eastron-sdm630"
device = "{folder}/meter"

[[readers]]
driver = "twn4"
connectors = [1]

[readers.parameters]
device = "{folder}/reader"
byte_order = "as_read"
"""
START = """
import sys
from engine.cli import main
sys.argv[0] = "statecharge"
try:
    main()
finally:
    print("imported", *(name for name in {extras!r} if name in sys.modules), file=sys.stderr, flush=True)
"""


def spent_s(pid: int) -> float:
    """Time of the processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, name: str) -> float:
    """``VmRSS`` or ``VmHWM`` of a process."""
    return int(Path(f"/proc/{pid}/status").read_text().partition(f"{name}:")[2].split()[0]) / 1024


async def measure(folder: Path, seconds: float) -> bool:
    """Print what it costs; whether that is within the budget."""
    with ExitStack() as lines:
        evse = lines.enter_context(PymodbusDevices([5], folder / "evse"))
        evse.set(5, "holding", 24000, [int.from_bytes(b"A1", "big"), 0])
        meter = lines.enter_context(PymodbusDevices([1], folder / "meter"))
        for address, value in ((0x46, 50.0), (0x48, 100.0)):
            meter.set(1, "input", address, struct.unpack(">2H", struct.pack(">f", value)))
        reader = lines.enter_context(FakeReader(folder / "reader", pushes=False))
        file = folder / "station.toml"
        file.write_text(STATION.format(folder=folder))
        start = folder / "start.py"
        start.write_text(START.format(extras=EXTRAS))
        async with central_system() as csms:
            command = [start, "run", file, "--csms", csms.url, "--state-dir", folder / "state"]
            async with program(*command, "--log", "json") as running:
                await csms.until_available()
                await trio.sleep(SETTLED_S)
                asked, used = reader.questions, spent_s(running.pid)
                await trio.sleep(seconds)
                share = (spent_s(running.pid) - used) / seconds * 100
                print(f"idle for {seconds:g} s: {share:.2f} % of one core (budget {BUDGET:g} %)")
                print(f"the reader was asked {(reader.questions - asked) / seconds:.1f} times a second")
                print(
                    f"memory {memory_mb(running.pid, 'VmRSS'):.1f} MB, at most {memory_mb(running.pid, 'VmHWM'):.1f} MB"
                )
                os.kill(running.pid, 15)
                await running.ended()
                print(next(line for line in running.err.all if line.startswith("imported")))
    return share < BUDGET


def main() -> None:
    """Measure once."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as folder:
        is_within = trio.run(measure, Path(folder), seconds)
    sys.exit(0 if is_within else 1)


if __name__ == "__main__":
    main()
