"""What a Central System keeps in mind: the messages that went over the wire, and a ledger of transactions."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from engine.ocpp import frames
from machines.vocabulary.ocpp import (
    Reason,
    StartTransaction,
    StopTransaction,
)

RECEIVED = "received"
SENT = "sent"


class Entry(Struct, frozen=True, omit_defaults=True):
    """One frame of the transcript."""

    time: datetime
    direction: str
    """``received`` from the station, or ``sent`` to it."""
    identity: str
    kind: int
    """2 CALL, 3 CALLRESULT, 4 CALLERROR; 0 for what is no frame."""
    call_id: str
    action: str
    """For an answer that of its CALL, if that is known."""
    payload: dict[str, Any]
    """As on the wire, but for idTags that have a name here. For a CALLERROR ``code`` and ``description``."""
    differs: dict[str, Any] | None = None
    """The payload as on the wire, where an idTag has a name."""

    @property
    def wire(self) -> dict[str, Any]:
        """The payload as on the wire."""
        return self.payload if self.differs is None else self.differs


class Transaction(Struct, frozen=True, kw_only=True):
    """One line of the ledger. Energies in Wh."""

    transaction_id: int
    identity: str
    started: StartTransaction
    stopped: StopTransaction | None = None
    repeats: int = 0
    """How often the same StartTransaction came again."""

    @property
    def energy_wh(self) -> int | None:
        """What was charged, once it is known."""
        return None if self.stopped is None else self.stopped.meter_stop - self.started.meter_start

    @property
    def reason(self) -> Reason | None:
        """Why it stopped; Local if the station does not say."""
        return None if self.stopped is None else self.stopped.reason or Reason.LOCAL


def seen(frame: frames.Frame, action: str) -> tuple[int, str, dict[str, Any]]:
    """Kind, action and payload for the transcript; ``action`` is that of an answer."""
    match frame:
        case frames.Call(_, asked, payload):
            return frames.CALL, asked, _members(payload)
        case frames.Result(_, payload):
            return frames.CALL_RESULT, action, _members(payload)
        case frames.Error(_, code, description):
            return frames.CALL_ERROR, action, {"code": code, "description": description}
        case frames.Refused(_, refusal):
            return 0, "", {"description": refusal.description}


def _members(payload: Raw) -> dict[str, Any]:
    """The payload for the transcript."""
    try:
        members = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}
