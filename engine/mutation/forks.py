"""Work in processes forked from this one: each begins with everything loaded, and what it breaks ends with it."""

import gc
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

Tell = Callable[[object], None]
"""Tell the parent something that msgspec makes JSON of."""


class Ended(Struct):
    """A process that ended, and what it told."""

    key: Any
    pid: int
    told: list[Any]
    seconds: float
    status: int
    """As of ``os.waitstatus_to_exitcode``: negative is the signal that ended it."""


class _Process(Struct):
    key: Any
    pid: int
    pipe: int
    silence_s: float
    began: float
    heard: float
    said: bytes = b""


class Forks:
    """Up to ``jobs`` processes at a time.

    Nothing but the thread that asks may run in this process.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, _Process] = {}
        gc.freeze()  # or collecting garbage copies every page into every process

    @property
    def is_full(self) -> bool:
        """No further process may be started now."""
        return len(self._running) >= self._jobs

    @property
    def is_idle(self) -> bool:
        """No process is running."""
        return not self._running

    def start(self, key: Any, work: Callable[[Tell], None], silence_s: float) -> None:
        """Do ``work`` in a process of its own, and end it when it tells nothing for ``silence_s``."""
        reads, writes = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            os.close(reads)
            _work(work, writes)
        os.close(writes)
        now = time.monotonic()
        self._running[reads] = _Process(key, pid, reads, silence_s, now, now)
        self._selector.register(reads, selectors.EVENT_READ)

    def wait(self) -> Ended:
        """Wait for the end of a process, whichever comes first."""
        while True:
            for key, _ in self._selector.select(timeout=1):
                process = self._running[key.fd]
                said = os.read(process.pipe, 1 << 16)
                process.said += said
                process.heard = time.monotonic()
                if not said:
                    return self._reap(process)
            for process in self._running.values():
                if time.monotonic() - process.heard > process.silence_s:
                    os.kill(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End every process that is left."""
        for process in list(self._running.values()):
            os.kill(process.pid, signal.SIGKILL)
            self._reap(process)
        self._selector.close()

    def _reap(self, process: _Process) -> Ended:
        self._selector.unregister(process.pipe)
        os.close(process.pipe)
        del self._running[process.pipe]
        _, status = os.waitpid(process.pid, 0)
        lines = process.said.split(b"\n")[:-1]
        told = [msgspec.json.decode(line) for line in lines]
        seconds = time.monotonic() - process.began
        return Ended(process.key, process.pid, told, seconds, os.waitstatus_to_exitcode(status))


def _work(work: Callable[[Tell], None], pipe: int) -> NoReturn:
    """What the forked process does. It never returns into the code of the parent."""

    def tell(what: object) -> None:
        data = msgspec.json.encode(what) + b"\n"
        while data:
            data = data[os.write(pipe, data) :]

    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        work(tell)
        code = 0
    finally:
        os._exit(code)
