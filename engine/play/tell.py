"""A play as it is told to people: one line for each thing that happens."""

from typing import Any

import msgspec

from engine.conformance.script import Call
from engine.conformance.stimuli import Stimulus
from engine.ocpp import frames
from engine.play.transcript import Entry, Event, Frame

TEXT_SIZE_MAX = 100
"""Characters of a payload that are shown."""
UNTOLD = frozenset({"clock set", "ignored", "forgiven"})
"""Events that are shown otherwise, or to nobody."""


def line(entry: Entry) -> str:
    """``entry`` as a line; empty for what says nothing, such as an empty answer."""
    if isinstance(entry, Event):
        if entry.what in UNTOLD:
            return ""
        why = entry.fields.get("why") or entry.fields.get("url") or ""
        return f"{entry.time:%H:%M:%S}  {entry.what}{f': {why}' if why else ''}"
    if entry.kind == frames.CALL_RESULT and not entry.payload:
        return ""
    arrow = "station --> CSMS" if entry.is_sent else "station <-- CSMS"
    match entry.kind:
        case frames.CALL:
            name = entry.action
        case frames.CALL_RESULT:
            name = f"  {entry.action}.conf"
        case frames.CALL_ERROR:
            name = f"  CALLERROR to {entry.action or 'nothing'}"
        case _:
            name = "(no frame)"
    return f"{entry.time:%H:%M:%S}  {arrow}  {name:24} {_brief(entry)}".rstrip()


def act(stimulus: Stimulus) -> str:
    """``stimulus`` as a text."""
    kind, *members = msgspec.to_builtins(stimulus).items()
    return " ".join(["*", str(kind[1]), *(f"{name}={value}" for name, value in members if value is not None)])


def named(what: Frame | Call) -> str:
    """An action with its payload, for what is said of failures."""
    name = what.action
    if isinstance(what, Frame) and what.kind == frames.CALL_RESULT:
        name += ".conf"
    elif isinstance(what, Frame) and what.kind == frames.CALL_ERROR:
        name = f"CALLERROR to {name}"
    payload = msgspec.json.encode(what.payload).decode()
    return f"{name} {payload[: 3 * TEXT_SIZE_MAX]}"


def _brief(frame: Frame) -> str:
    """A payload in a few words."""
    if frame.action == "MeterValues" and frame.kind == frames.CALL and frame.is_sent:
        return _samples(frame.payload)
    parts = []
    for name, value in frame.payload.items():
        if name in {"timestamp", "currentTime"} or value == "NoError":
            continue
        parts.append(f"{name}={value['status'] if isinstance(value, dict) and 'status' in value else value}")
    text = " ".join(parts)
    return text if len(text) <= TEXT_SIZE_MAX else f"{text[: TEXT_SIZE_MAX - 3]}..."


def _samples(payload: dict[str, Any]) -> str:
    values = payload["meterValue"][-1]["sampledValue"]
    shown = ", ".join(f"{one['value']} {one.get('unit', '')}".strip() for one in values[:3])
    transaction = f" transactionId={payload['transactionId']}" if "transactionId" in payload else ""
    return f"connectorId={payload['connectorId']}{transaction} {shown}"
