"""Whether what the station sends is well-formed: it is read by the same strict types as what we receive ourselves."""

import msgspec
from msgspec import Raw

from engine.csms_book import RECEIVED, Entry
from engine.ocpp import frames, payloads
from machines.vocabulary.ocpp import ACTIONS
from machines.vocabulary.wire import CallError


def problem_of(entry: Entry) -> str | None:
    """What is wrong with a frame of the station, in one line; None if nothing is, or if nothing is known of it."""
    if entry.direction != RECEIVED:
        return None
    if entry.kind not in (frames.CALL, frames.CALL_RESULT, frames.CALL_ERROR):
        return f"a frame came that is none: {entry.payload.get('description', '')}"
    action = ACTIONS.get(entry.action)
    if action is None:
        return None
    payload = Raw(msgspec.json.encode(entry.payload))
    if entry.kind == frames.CALL:
        request = payloads.decode_request(action, payload)
        if isinstance(request, CallError):
            return f"{entry.action}.req is not well-formed: {request.code}, {request.description}"
    elif entry.kind == frames.CALL_RESULT:
        match payloads.decode_conf(action, payload):
            case payloads.Unusable(why):
                return f"{entry.action}.conf is not well-formed: {why}"
            case payloads.Accepted(_, (_, *_) as forgiven):
                return f"{entry.action}.conf is not well-formed: {', '.join(forgiven)}"
    return None
