"""A simulated station in a process of its own, moved by plain function calls: for tests of Central Systems.

Nothing but the standard library is needed here. The pytest fixture that makes such stations is in
``engine.pytest_plugin``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from engine.station_log import Call, Frame, StationLog

START_S = 30.0
"""How long a station may take until its bench listens."""
STOP_S = 10.0
"""How long it may take to end before it is killed."""
HTTP_S = 20.0
"""How long its bench may take to answer."""
LOOK_S = 0.01
"""Between two looks into its log."""
FRAMES_SHOWN = 60
"""In the report of a test that failed."""

Value = bool | int | str | list[str]
"""Of a configuration key."""


class StationError(Exception):
    """The station could not be started, has ended by itself, or cannot do what it was told. The text says why."""


class NothingCame(AssertionError):  # noqa: N818 - the name of the fact
    """What was waited for did not come in time; the text says what came instead."""


class VirtualStation:
    """A simulated station in a process of its own. Made by the fixture; as a context manager it serves wider scopes.

    Args:
        csms_url: Of the Central System, ``ws://`` or ``wss://``, without the identity.
        directory: Where its database and log lie. Used again, the station remembers.
        station: A station file, or the name of a shipped declaration: ``full`` (two connectors, everything that OCPP
            1.6 has) or ``ac-smart``.
        identity: Of the charge point: the last part of the URL.
        speed: How many times as fast as in real time the station lives, 0.1 to 1000. What it waits for over the
            network it waits for in real time; its clock goes as fast as it lives, from the present time on.
        csms_speed: The same for the Central System.
        keys: Configuration keys with another default than declared.
        declares: What else the station file says otherwise, as TOML.

    Raises:
        StationError: It cannot be started, as with a wrong station file.
    """

    def __init__(
        self,
        csms_url: str,
        directory: Path,
        *,
        station: str | Path = "full",
        identity: str = "TEST",
        speed: float = 1,
        csms_speed: float = 1,
        keys: Mapping[str, Value] | None = None,
        declares: str = "",
    ) -> None:
        self.identity = identity
        self.directory = directory
        self._log = StationLog(directory / "station.log")
        self._arguments = [
            *("--csms", csms_url, "--identity", identity, "--state-dir", str(directory / "state")),
            *("--speed", str(speed), "--csms-speed", str(csms_speed)),
            *("--bench", "127.0.0.1:0", "--log", "json", "--until-eof"),
        ]
        self._file = directory / "station.toml"
        directory.mkdir(parents=True, exist_ok=True)
        self._file.write_text(_declaration(station, keys or {}, declares), encoding="utf-8")
        self._waited_for: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # Power

    def start(self) -> None:
        """Start the station, after :meth:`stop` or :meth:`kill`; returns when its hardware can be moved.

        Raises:
            StationError: It runs already, or does not start.
        """
        if self._process is not None:
            raise StationError(f"{self.identity} runs already")
        begin = self._log.size()
        # Found as this module was found, whatever else is called so in the directory of the tests.
        path = os.pathsep.join(
            [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        with (self.directory / "station.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-m", "engine.cli", "run", str(self._file), *self._arguments],
                stdin=subprocess.PIPE,  # ends with this process, however that ends, and the station with it
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={**os.environ, "PYTHONPATH": path},
            )
        deadline = time.monotonic() + START_S
        while (url := self._log.bench_url(begin)) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise StationError(f"{self.identity} did not start: {self._log.last_words(begin)}")
            time.sleep(LOOK_S)
        self._port = int(url.rpartition(":")[2])

    def stop(self) -> None:
        """End the station as ``systemctl stop`` does. Once it is stopped, nothing happens.

        Raises:
            StationError: It had ended by itself, or did not end well: a defect of the station.
        """
        if self._process is None:
            return
        code = self._process.poll()
        if code is None:
            self._process.terminate()
            try:
                code = self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                code = None
        self.kill()
        if code != 0:
            raise StationError(f"{self.identity} ended with {code}: {self._log.last_words(0)}")

    def kill(self) -> None:
        """End the process as ``kill -9`` does; the station forgets nothing, but the simulated vehicles are gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()

    def power_cut(self, seconds: float = 10) -> None:
        """Take the power away at once, for so many seconds on the clock of the station; what is plugged in stays."""
        self.do("/power-cut", seconds=seconds)

    # Stimuli; connectors count from 1

    def plug_in(self, connector: int = 1) -> None:
        """Connect a vehicle that asks for energy."""
        self.do(f"/connectors/{connector}/plug-in")

    def unplug(self, connector: int = 1, side: str = "both") -> None:
        """Take the cable out: ``both`` ends, or only at the ``vehicle`` or ``station``."""
        self.do(f"/connectors/{connector}/unplug", side=side)

    def pause(self, connector: int = 1) -> None:
        """The vehicle stops asking for energy."""
        self.do(f"/connectors/{connector}/pause")

    def resume(self, connector: int = 1) -> None:
        """The vehicle asks for energy again."""
        self.do(f"/connectors/{connector}/resume")

    def swipe(self, id_tag: str, connector: int | None = None) -> None:
        """Show a card; with ``connector``, for that one."""
        connectors = {} if connector is None else {"connectors": [connector]}
        self.do("/swipe", idTag=id_tag, **connectors)

    def press_stop(self, connector: int = 1, *, emergency: bool = False) -> None:
        """Press the stop button, or the emergency stop."""
        self.do(f"/connectors/{connector}/stop", emergency=emergency)

    def fault(self, error_code: str, connector: int = 1, info: str = "") -> None:
        """Cause a fault that is reported with ``error_code``, a ChargePointErrorCode."""
        self.do(f"/connectors/{connector}/fault", errorCode=error_code, info=info)

    def clear_fault(self, error_code: str, connector: int = 1) -> None:
        """Remove the cause of a fault."""
        self.do(f"/connectors/{connector}/clear-fault", errorCode=error_code)

    def cut_link(self) -> None:
        """No network from now on, without a closing frame."""
        self.do("/link/down")

    def restore_link(self) -> None:
        """The network is back; the station dials when its back-off has passed."""
        self.do("/link/up")

    def send_data(self, vendor_id: str, message_id: str | None = None, data: str | None = None) -> None:
        """Have the station send DataTransfer."""
        members = {"vendorId": vendor_id, "messageId": message_id, "data": data}
        self.do("/data-transfer", **{name: value for name, value in members.items() if value is not None})

    def do(self, path: str, **body: Any) -> Any:
        """POST to the bench, for what has no method here, such as ``/connectors/1/lock-failure``.

        Raises:
            StationError: The station cannot do that now, as plugging in twice; or it does not run.
        """
        return self._ask("POST", path, body)

    # What there is to see

    def state(self) -> dict[str, Any]:
        """Machines, setpoints and hardware, as ``GET /state`` of the bench shows them."""
        state: dict[str, Any] = self._ask("GET", "/state", None)
        return state

    def status(self, connector: int = 1) -> str:
        """The status of ``connector`` that was told last; empty before the first."""
        told = [frame.payload for frame in self._log.calls("StatusNotification") if frame.direction == "sent"]
        return next((each["status"] for each in reversed(told) if each["connectorId"] == connector), "")

    def transcript(self) -> tuple[Frame, ...]:
        """All frames so far, and what became of connections."""
        return self._log.frames()

    def calls(self, action: str) -> list[Call]:
        """Every CALL with ``action`` so far, in both directions, with what was answered."""
        return [self._log.answered(frame) for frame in self._log.calls(action)]

    def wait_for(
        self, action: str, /, *, timeout_s: float = 10, answered: bool = True, **members: Any
    ) -> Call:
        """Wait for a CALL of either side, after the one with this action that was waited for last.

        Args:
            action: Such as ``StartTransaction``, or ``RemoteStartTransaction``.
            timeout_s: How long, in real time.
            answered: Wait until it is answered, too. One that was given up or died with its connection is passed over.
            members: Of its payload, as on the wire: ``idTag="CARD"``. Of an object, those that are named.

        Raises:
            NothingCame: Not in time.
        """
        deadline = time.monotonic() + timeout_s
        found: Frame | None = None
        while True:
            for number, frame in enumerate(self._log.calls(action)):
                if number >= self._waited_for.get(action, 0) and _fits(members, frame.payload):
                    found = frame
                    is_over = self._log.is_over(frame)  # asked first: the log grows
                    call = self._log.answered(frame)
                    if not answered or call.answer is not None or call.error is not None:
                        self._waited_for[action] = number + 1
                        return call
                    if not is_over:
                        break
            if time.monotonic() > deadline or self._process is None or self._process.poll() is not None:
                what = f"{action} {json.dumps(members) if members else ''}".strip()
                why = "was not answered" if found is not None else "did not come"
                raise NothingCame(f"{what} {why} within {timeout_s:g} s; the latest:\n{self.shown(12)}")
            time.sleep(LOOK_S)

    def shown(self, latest: int = FRAMES_SHOWN) -> str:
        """The ``latest`` frames, a line for each."""
        return "\n".join(map(str, self.transcript()[-latest:])) or "nothing"

    # Inside

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        from http.client import HTTPConnection, HTTPException

        if self._process is None or self._process.poll() is not None:
            raise StationError(f"{self.identity} does not run")
        connection = HTTPConnection("127.0.0.1", self._port, timeout=HTTP_S)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, quote(path), content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answered = json.loads(response.read())
        except (OSError, HTTPException) as error:
            raise StationError(f"{self.identity}: {path}: {error!r}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise StationError(f"{self.identity}: {path}: {answered['error']}")
        return answered


def _declaration(station: str | Path, keys: Mapping[str, Value], declares: str) -> str:
    """The station file. JSON texts, numbers and lists of texts are TOML as well."""
    base = str(Path(station).resolve()) if Path(station).exists() else str(station)
    lines = [f"extends = {json.dumps(base)}", "log.frames = true", declares]
    if keys:
        lines += [
            "[keys]",
            *(f"{name} = {{ default = {json.dumps(value)} }}" for name, value in keys.items()),
        ]
    return "\n".join([*lines, ""])


def _fits(wanted: Any, found: Any) -> bool:
    """Whether ``found`` is ``wanted``; of an object, has its members."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(name in found and _fits(member, found[name]) for name, member in wanted.items())
    return bool(wanted == found)
