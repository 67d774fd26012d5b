"""What a station in this process said and heard, taken from its log."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import trio
from msgspec import Raw, Struct

from engine import speed
from engine.log import NAME
from engine.ocpp import frames

FRAME_SIZE_MAX = 16 * 1024 * 1024
"""Bytes; the station has its own, smaller bound."""

EVENTS = frozenset(
    {
        *("station started", "station ended", "restart failed", "clock set", "ignored", "forgiven"),
        *("connection opened", "connection closed", "dialling failed"),
    }
)
"""What is kept of the log beside the frames."""


class Frame(Struct, frozen=True, kw_only=True, rename="camel", tag="frame"):
    """An OCPP frame."""

    time: datetime
    is_sent: bool
    """By the station; otherwise by the Central System."""
    kind: int
    """2 CALL, 3 CALLRESULT, 4 CALLERROR; 0 for what is no frame."""
    call_id: str
    action: str
    """For an answer that of its CALL; empty if nobody knows."""
    payload: dict[str, Any]
    """For a CALLERROR ``code`` and ``description``; for what is no frame ``description``."""
    text: str
    """As it was on the wire, less passwords."""


class Event(Struct, frozen=True, kw_only=True, rename="camel", tag="event"):
    """Something else that happened to the station."""

    time: datetime
    what: str
    """One of :data:`EVENTS`."""
    fields: dict[str, Any]


Entry = Frame | Event


class Transcript(logging.Handler):
    """Everything so far, in order. Filled within :meth:`of` by the station whose log it is."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.entries: list[Entry] = []
        self._actions: dict[str, str] = {}
        self._grown = trio.Event()
        self._tell: Callable[[Entry], None] = lambda _entry: None

    @contextmanager
    def of(self, identity: str, tell: Callable[[Entry], None]) -> Iterator[None]:
        """Listen to the station ``identity``; ``tell`` is called with every entry as it is made."""
        logger = logging.getLogger(f"{NAME}.{identity}")
        level, self._tell = logger.level, tell
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Take what is kept of the log."""
        what, fields = getattr(record, "event", ""), getattr(record, "fields", {})
        time = datetime.fromtimestamp(speed.system_utc(), UTC)
        entry: Entry
        if what in {"sent", "received"}:
            entry = self._frame(time, str(fields["text"]), is_sent=what == "sent")
        elif what in EVENTS:
            entry = Event(time=time, what=what, fields=dict(fields))
        else:
            return
        self.entries.append(entry)
        self._tell(entry)
        self._grown.set()
        self._grown = trio.Event()

    async def wait_grown(self) -> None:
        """Wait for another entry."""
        await self._grown.wait()

    def _frame(self, time: datetime, text: str, *, is_sent: bool) -> Frame:
        match frames.decode(text, FRAME_SIZE_MAX):
            case frames.Call(call_id, action, payload):
                self._actions[call_id] = action
                noted = (frames.CALL, call_id, action, _members(payload))
            case frames.Result(call_id, payload):
                noted = (frames.CALL_RESULT, call_id, self._actions.get(call_id, ""), _members(payload))
            case frames.Error(call_id, code, description):
                error = {"code": code, "description": description}
                noted = (frames.CALL_ERROR, call_id, self._actions.get(call_id, ""), error)
            case frames.Refused(call_id, refusal):
                noted = (0, call_id or "", "", {"description": refusal.description})
        kind, known_id, action, members = noted
        return Frame(
            time=time, is_sent=is_sent, kind=kind, call_id=known_id, action=action, payload=members, text=text
        )


def _members(payload: Raw) -> dict[str, Any]:
    try:
        members = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}
