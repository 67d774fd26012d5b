"""The stage of the benchmarks: one Central System, and the contenders that talk to it."""

import sys
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.measure import Program

SPEED = 200
"""How many times as fast our station lives in sessions: a sample of each second comes every 5 ms."""

DECLARATION = """
extends = "ac-smart"
limits.vehicle_response_s = 600  # a vehicle that is late on a busy machine is not told of
[log]
frames = true
[keys]
HeartbeatInterval = { default = 86400 }
MeterValueSampleInterval = { default = %(sample_s)d }
WebSocketPingInterval = { default = %(ping_s)d }
AllowOfflineTxForUnknownId = { type = "bool", access = "RW", default = true }
[keys.StopTxnSampledData]
type = "list"
access = "R"
default = ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage"]
"""
"""The AC SMART, with what the sessions need: transactionData, and no Heartbeats meanwhile."""


class Stage:
    """A directory, a Central System, and whoever is started."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="statecharge-bench-")
        self.folder = Path(self._folder.name)
        self._numbers = count(1)
        self._programs: list[Program] = []
        self.csms = Program("-m", "benchmarks.csms")
        self.url = f"ws://127.0.0.1:{self.csms.read()['port']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            for log in self.folder.glob("program-*.log"):
                last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
                print(f"--- {log.name}", *last, sep="\n", file=sys.stderr)
        for program in self._programs:
            program.kill()
        self.csms.end()
        self._folder.cleanup()

    def name(self, contender: str) -> str:
        """An identity that nobody had."""
        return f"{contender}-{next(self._numbers)}"

    def declaration(self, sample_s: int = 1, ping_s: int = 0) -> Path:
        """A station file."""
        file = self.folder / f"station-{sample_s}-{ping_s}.toml"
        file.write_text(DECLARATION % {"sample_s": sample_s, "ping_s": ping_s}, encoding="utf-8")
        return file

    def command(self, identity: str, *options: str, state: Path | None = None) -> Program:
        """``statecharge run`` as it is installed on a wallbox."""
        return self._started(
            *("-m", "engine.cli", "run", str(self.declaration(60, 30)), "--csms", self.url),
            *("--identity", identity, "--state-dir", str(state or self.folder / identity)),
            *("--log-level", "warning", *options),
        )

    def ours(
        self, identity: str, *, speed: float = SPEED, sample_s: int = 1, log: str = "warning", ping_s: int = 0
    ) -> Program:
        """Our station with hardware that can be moved; its state is where it was under this identity."""
        return self._started(
            *("-m", "benchmarks.station", str(self.declaration(sample_s, ping_s)), self.url, identity),
            *(str(self.folder / identity), "--speed", str(speed), "--log", log),
        )

    def peer(self, identity: str, *, sample_s: float = 1 / SPEED, log: str = "warning") -> Program:
        """The alternative."""
        return self._started(
            *("-m", "benchmarks.peer", self.url, identity),
            *("--sample-s", str(sample_s), "--log", log),
        )

    def floor(
        self, identity: str, *, sample_s: float = 1 / SPEED, keeps: bool = True, is_bare: bool = False
    ) -> Program:
        """What is left of our station without behaviour; if asked for, also without a disk or trio-websocket."""
        less = (*(() if keeps else ("--forget",)), *(("--bare",) if is_bare else ()))
        return self._started(
            *("-m", "benchmarks.floor", self.url, identity, str(self.folder / identity)),
            *("--sample-s", str(sample_s), *less),
        )

    def _started(self, *arguments: str) -> Program:
        number = len(self._programs)
        with (self.folder / f"program-{number}.log").open("wb") as log:
            program = Program(*arguments, log=log)
        self._programs.append(program)
        return program

    def booted(self, *identities: str) -> None:
        """Wait until these have told the status of their connector."""
        for identity in identities:
            self.csms.ask("wait", identity=identity, action="StatusNotification", count=2)

    def sent(self, identity: str) -> Any:
        """What a station has sent so far."""
        return self.csms.ask("sent", identity=identity)
