"""The log of a station in another process, read back: its frames, and what became of its connections.

Nothing but the standard library is needed, so that tests of others load nothing of the station.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_KINDS = {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"}
_EVENTS = frozenset({"station started", "connection opened", "connection closed", "dialling failed"})
"""What a transcript has beside frames."""


_ENDS = frozenset({"station started", "connection closed"})
"""Those after which no answer comes: a CALL dies with its connection."""


class Frame(NamedTuple):
    """One OCPP frame, or what became of the connection."""

    time: str
    """When, ISO 8601, real time."""
    direction: str
    """``sent`` by the station or ``received`` from the Central System; empty for what is no frame."""
    kind: str
    """``CALL``, ``CALLRESULT`` or ``CALLERROR``; ``event`` for what is no frame, ``invalid`` for what should be one."""
    call_id: str
    action: str
    """For an answer that of its CALL, if that is known; for an event its name, such as ``connection opened``."""
    payload: dict[str, Any]
    """For a CALLERROR ``code`` and ``description``; for an event its particulars; for an invalid frame ``text``."""

    def __str__(self) -> str:
        """One line."""
        arrow = {"sent": "-->", "received": "<--"}.get(self.direction, "   ")
        suffix = {"CALLRESULT": ".conf", "CALLERROR": " CALLERROR"}.get(self.kind, "")
        return f"{self.time[11:23]} {arrow} {self.action}{suffix} {json.dumps(self.payload)}"


class Call(NamedTuple):
    """A CALL, and what was answered."""

    action: str
    direction: str
    """``sent`` by the station or ``received`` from the Central System."""
    payload: dict[str, Any]
    answer: dict[str, Any] | None
    """The payload of the CALLRESULT; None if there is none, or none yet."""
    error: dict[str, Any] | None
    """``code`` and ``description`` of the CALLERROR; None if there is none."""


class StationLog:
    """The log in a file that grows (``statecharge run --log json``, with frames)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # Nothing is ever changed in place: looks from several threads do not disturb each other.
        self._read: tuple[int, tuple[Frame, ...]] = 0, ()

    def frames(self) -> tuple[Frame, ...]:
        """All frames so far, and what became of connections."""
        begin, frames = self._read
        if not self._file.exists():
            return frames
        with self._file.open("rb") as log:
            log.seek(begin)
            complete, newline, _ = log.read().rpartition(b"\n")
        if newline:
            actions = {frame.call_id: frame.action for frame in frames if frame.kind == "CALL"}
            frames += tuple(_frames(complete.splitlines(), actions))
            self._read = begin + len(complete) + 1, frames
        return frames

    def calls(self, action: str) -> list[Frame]:
        """The CALLs with ``action`` so far, in both directions."""
        return [frame for frame in self.frames() if frame.kind == "CALL" and frame.action == action]

    def answered(self, call: Frame) -> Call:
        """``call`` with what was answered so far."""
        direction = "received" if call.direction == "sent" else "sent"
        answers = {
            frame.kind: frame.payload
            for frame in self.frames()
            if (frame.call_id, frame.direction) == (call.call_id, direction) and frame.kind != "CALL"
        }
        return Call(
            call.action, call.direction, call.payload, answers.get("CALLRESULT"), answers.get("CALLERROR")
        )

    def is_over(self, call: Frame) -> bool:
        """Whether nobody waits any more for the answer to ``call``: its connection ended, or another CALL followed."""
        frames = self.frames()
        later = frames[frames.index(call) + 1 :]
        return any(
            frame.action in _ENDS
            if frame.kind == "event"
            else (frame.kind, frame.direction) == ("CALL", call.direction)
            for frame in later
        )

    def size(self) -> int:
        """Bytes so far."""
        return self._file.stat().st_size if self._file.exists() else 0

    def bench_url(self, begin: int) -> str | None:
        """Where the bench listens, as told after byte ``begin``; None if that is not told yet."""
        for line in self._file.read_bytes()[begin:].splitlines(keepends=True):
            if b'"event":"bench listening"' in line and line.endswith(b"\n"):
                url: str = json.loads(line)["url"]
                return url
        return None

    def last_words(self, begin: int) -> str:
        """What the station printed last, after byte ``begin``, that is not its log."""
        lines = self._file.read_bytes()[begin:].decode(errors="replace").splitlines()
        return (
            "\n".join([line for line in lines if not line.startswith('{"time"')][-20:]) or "it said nothing"
        )


def _frames(lines: list[bytes], actions: dict[str, str]) -> Iterator[Frame]:
    """The frames in the lines of a log; ``actions`` of CALLs by their ids, which grow."""
    for line in lines:
        if (
            b'"event":"transition"' in line
            or b'"event":"setpoint"' in line
            or not line.startswith(b'{"time"')
        ):
            continue
        noted = json.loads(line)
        if noted["event"] in {"sent", "received"}:
            yield _frame(noted["time"], noted["event"], noted["text"], actions)
        elif noted["event"] in _EVENTS:
            known = {"time", "level", "event", "station"}
            fields = {name: value for name, value in noted.items() if name not in known}
            yield Frame(noted["time"], "", "event", "", noted["event"], fields)


def _frame(at: str, direction: str, text: str, actions: dict[str, str]) -> Frame:
    try:
        frame = json.loads(text)
    except ValueError:
        frame = None
    match frame:
        case [2, str(call_id), str(action), dict(payload)]:
            actions[call_id] = action
            return Frame(at, direction, _KINDS[2], call_id, action, payload)
        case [3, str(call_id), dict(payload)]:
            return Frame(at, direction, _KINDS[3], call_id, actions.get(call_id, ""), payload)
        case [4, str(call_id), code, description, *_]:
            error = {"code": code, "description": description}
            return Frame(at, direction, _KINDS[4], call_id, actions.get(call_id, ""), error)
    return Frame(at, direction, "invalid", "", "", {"text": text})
