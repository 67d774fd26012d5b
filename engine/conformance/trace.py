"""What happened during a case, line by line: frames, stimuli and connections, on one time line."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from engine.conformance.rig import Rig
from engine.conformance.stimuli import Stimulus, kind_name
from engine.csms_book import SENT, Entry
from engine.ocpp import frames


class Kind(StrEnum):
    """What a line of a trace is."""

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    NO_FRAME = "no frame"
    """The station sent what is no frame of OCPP-J."""
    STIMULUS = "stimulus"
    """What the rig did, or was asked."""
    CONNECTION = "connection"


FRAME_KINDS = {
    frames.CALL: Kind.CALL,
    frames.CALL_RESULT: Kind.RESULT,
    frames.CALL_ERROR: Kind.ERROR,
    0: Kind.NO_FRAME,
}


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a trace."""

    time: datetime
    kind: Kind
    from_csms: bool = False
    """Of a frame: who sent it."""
    name: str
    """The action, the stimulus, or what became of the connection."""
    detail: dict[str, Any] = {}

    def __str__(self) -> str:
        """For people: time, direction, name and particulars."""
        arrow = {Kind.STIMULUS: "*", Kind.CONNECTION: "-"}.get(self.kind, "<" if self.from_csms else ">")
        suffix = {Kind.RESULT: ".conf", Kind.ERROR: " CALLERROR"}.get(self.kind, "")
        return f"{self.time:%H:%M:%S.%f}"[:12] + f" {arrow} {self.name}{suffix} {brief(self.detail)}".rstrip()


def brief(detail: dict[str, Any]) -> str:
    """Members of a payload in a few words."""
    return " ".join(f"{name}={_value(value)}" for name, value in detail.items())


def _value(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else msgspec.json.encode(value).decode()


def line_of(entry: Entry) -> Line:
    """A frame of the transcript of the Central System."""
    return Line(
        time=entry.time,
        kind=FRAME_KINDS[entry.kind],
        from_csms=entry.direction == SENT,
        name=entry.action or "?",
        detail=entry.wire,
    )


class Note(NamedTuple):
    """A line that is no frame, and where among the frames it stands."""

    frames: int
    """How many there had been."""
    line: Line


class Notes:
    """What happens beside the frames, noted as it happens.

    Args:
        now: Tells the time of day, as for the frames.
        count: Tells how many frames there have been.
    """

    def __init__(self, now: Callable[[], datetime], count: Callable[[], int]) -> None:
        self.all: list[Note] = []
        self._now = now
        self._count = count

    def stimulus(self, name: str, detail: dict[str, Any]) -> None:
        """The rig does something, or looks at something."""
        self._note(Line(time=self._now(), kind=Kind.STIMULUS, name=name, detail=detail))

    def connection(self, what: str, **detail: Any) -> None:
        """The station connects, is refused, or leaves."""
        self._note(Line(time=self._now(), kind=Kind.CONNECTION, name=what, detail=detail))

    def _note(self, line: Line) -> None:
        self.all.append(Note(self._count(), line))


def merged(frames: Sequence[Entry], start: int, notes: Sequence[Note]) -> tuple[Line, ...]:
    """One line of the frames from ``start`` on and of notes, as they came: in virtual time many have the same time."""
    line = [*((note.frames, 0, note.line) for note in notes)]
    line += [(number, 1, line_of(frames[number])) for number in range(start, len(frames))]
    return tuple(each for _, _, each in sorted(line, key=lambda placed: placed[:2]))


class NotedRig:
    """A rig whose stimuli are noted. Implements ``engine.conformance.rig.Rig``.

    Args:
        rig: What gives the stimuli.
        notes: Where they go.
    """

    def __init__(self, rig: Rig, notes: Notes) -> None:
        self._rig = rig
        self._notes = notes

    def can(self, kind: type[Stimulus]) -> bool:
        """As the rig can."""
        return self._rig.can(kind)

    async def do(self, stimulus: Stimulus) -> None:
        """Note it, then give it."""
        detail = msgspec.to_builtins(stimulus)
        del detail["do"]
        self._notes.stimulus(
            kind_name(type(stimulus)), {name: v for name, v in detail.items() if v is not None}
        )
        await self._rig.do(stimulus)

    async def is_locked(self, connector: int) -> bool | None:
        """What the rig sees, noted."""
        seen = await self._rig.is_locked(connector)
        self._notes.stimulus("is locked", {"connector": connector, "seen": seen})
        return seen

    async def has_energy(self, connector: int) -> bool | None:
        """What the rig sees, noted."""
        seen = await self._rig.has_energy(connector)
        self._notes.stimulus("has energy", {"connector": connector, "seen": seen})
        return seen

    async def register_wh(self, connector: int) -> float | None:
        """What the rig sees, noted."""
        seen = await self._rig.register_wh(connector)
        self._notes.stimulus("register in Wh", {"connector": connector, "seen": seen})
        return seen
