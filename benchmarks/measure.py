"""Processes, and what can be known of them from outside; medians and how far runs lie apart."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

PYTHON = sys.executable
ROOT = Path(__file__).parents[1]


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, all threads, in s; the kernel counts it in ns."""
    clock = (~pid << 3) | 2  # clock_getcpuclockid(3)
    return time.clock_gettime(clock)


class Memory(NamedTuple):
    """Of a process, MB (10^6 bytes)."""

    rss: float
    uss: float
    """What would be free if the process were gone."""


def memory(pid: int) -> Memory:
    """What the process holds now."""
    sizes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, _, rest = line.partition(":")
        sizes[name] = int(rest.split()[0]) * 1024
    uss = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Memory(sizes["Rss"] / 1e6, uss / 1e6)


def wake_ups(pid: int) -> int:
    """How often the main thread of the process went to sleep so far; threads for the disk come and go."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    raise AssertionError(pid)


class Program:
    """A process that answers a JSON line with a JSON line.

    Args:
        arguments: Of Python.
        log: Where its standard error goes.
    """

    def __init__(self, *arguments: str, log: IO[bytes] | int = subprocess.DEVNULL) -> None:
        self.started_ns = time.monotonic_ns()
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [PYTHON, *arguments],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def read(self) -> Any:
        """The next line that it prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)

    def ask(self, do: str, **members: Any) -> Any:
        """Have it do something; what it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **members}) + "\n")
        self._process.stdin.flush()
        return self.read()

    def cpu_s(self) -> float:
        """CPU time so far."""
        return cpu_s(self.pid)

    def end(self) -> None:
        """End it by ending its input; if that does not help, kill it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self.end()


def environment() -> dict[str, str]:
    """Of every process that is measured: bytecode is used, and no tool of ours gets in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


class Spread(NamedTuple):
    """Several runs of one figure."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """The median, and the range."""
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], per_cent: float) -> float:
    """The value that so many per cent of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(per_cent / 100 * (len(ordered) - 1)))]
