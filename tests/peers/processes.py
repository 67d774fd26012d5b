"""Programs as processes of their own, and what they print.

Tests wait for lines, not for time: a time-out here only keeps a broken test from hanging.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio

ROOT = Path(__file__).parents[2]
GUARD_S = 30
"""Longer than anything here takes."""


class Lines:
    """The lines of a stream, from the first on."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.has_ended = False
        self._news = trio.Event()

    async def read(self, stream: trio.abc.ReceiveStream) -> None:
        """Take lines until the stream ends."""
        begun = b""
        try:
            async for chunk in stream:
                *complete, begun = (begun + chunk).split(b"\n")
                if complete:
                    self.all.extend(line.decode() for line in complete)
                    self._tell()
        finally:
            self.has_ended = True
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def until(self, matches: Callable[[str], bool], start: int = 0) -> int:
        """Wait for a line that ``matches``, of those from number ``start`` on; return its number."""
        with trio.move_on_after(GUARD_S):
            while True:
                for number in range(start, len(self.all)):
                    if matches(self.all[number]):
                        return number
                start = len(self.all)
                if self.has_ended:
                    break
                await self._news.wait()
        raise AssertionError("the line did not come; the last ones:\n" + "\n".join(self.all[-30:]))

    async def until_ended(self) -> None:
        """Wait for the end of the stream."""
        while not self.has_ended:
            await self._news.wait()


class Program:
    """A running process."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self.out = Lines()
        self.err = Lines()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def send_line(self, line: str) -> None:
        """Give the process a line on stdin."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(line.encode() + b"\n")

    async def end_input(self) -> None:
        """Give the process no more lines."""
        assert self._process.stdin is not None
        await self._process.stdin.aclose()

    async def ended(self, guard_s: float = GUARD_S) -> int:
        """Wait for the end of the process, and of what it prints; return its exit code."""
        with trio.fail_after(guard_s):
            code = await self._process.wait()
            await self.out.until_ended()
            await self.err.until_ended()
        return code

    async def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.pid, signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def terminate(self) -> int:
        """Ask it to end; return its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return await self.ended()


@asynccontextmanager
async def program(
    *arguments: str | Path,
    directory: Path = ROOT,
    python_path: Path = ROOT,
    pass_fds: tuple[int, ...] = (),
) -> AsyncIterator[Program]:
    """Python with ``arguments``, in ``directory``, with the packages in ``python_path``; killed in the end."""
    process = await trio.lowlevel.open_process(
        [sys.executable, *map(str, arguments)],
        stdin=-1,
        stdout=-1,
        stderr=-1,
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(python_path)},
        pass_fds=pass_fds,
    )
    running = Program(process)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(running.out.read, process.stdout)
            nursery.start_soon(running.err.read, process.stderr)
            yield running
            nursery.cancel_scope.cancel()
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
