"""The three frames of OCPP-J 1.6, 4.2: CALL, CALLRESULT and CALLERROR, without I/O.

Whatever arrives has a defined outcome, and it is a value. What cannot be used is :class:`Refused`: with a
call id it is to be answered with CALLERROR, without one it is to be ignored.
"""

import re
from contextlib import suppress

import msgspec
from msgspec import Raw, Struct

from engine.ocpp import payloads
from machines.vocabulary.ocpp import Conf, Request
from machines.vocabulary.wire import CallError, ErrorCode

CALL = 2
CALL_RESULT = 3
CALL_ERROR = 4

CALL_ID_SIZE_MAX = 36
"""Characters of a message id."""


class Call(Struct, frozen=True):
    """A CALL whose frame is right; its action and payload are not yet looked at."""

    call_id: str
    action: str
    payload: Raw


class Result(Struct, frozen=True):
    """A CALLRESULT. Elements that are missing count as an empty payload, surplus ones are overlooked."""

    call_id: str
    payload: Raw


class Error(Struct, frozen=True):
    """A CALLERROR. Any code is taken, for versions differ in spelling; missing elements are empty."""

    call_id: str
    code: str
    description: str


class Refused(Struct, frozen=True):
    """A frame that cannot be used."""

    call_id: str | None
    """The id to answer, or None if there is nothing that could be answered."""
    error: CallError


Frame = Call | Result | Error | Refused

_EMPTY = Raw(b"{}")
_NO_NUMBER = re.compile(rb"(?<=[\s:\[,])-?(?:NaN|Infinity)(?=[\s,\]}])")
"""What some encoders of JSON write for a float that is none."""


def decode(received: str | bytes, size_max: int) -> Frame:
    """Read one frame of at most ``size_max`` bytes."""
    try:
        text = received.encode() if isinstance(received, str) else received.decode().encode()
    except UnicodeError:
        return _ignored("the frame is not UTF-8")
    if len(text) > size_max:
        return _ignored(f"the frame has {len(text)} bytes, allowed are {size_max}")
    try:
        elements = msgspec.json.decode(text, type=list[Raw])
    except (msgspec.DecodeError, RecursionError):
        return _not_json(text)
    call_id = _string(elements, 1)
    if call_id is None:
        return _ignored("the frame has no message id")
    match bytes(elements[0]):
        case b"2":
            return _call(call_id, elements)
        case b"3":
            return Result(call_id, elements[2] if len(elements) > 2 else _EMPTY)
        case b"4":
            return Error(call_id, _string(elements, 2) or "", _string(elements, 3) or "")
        case _:
            return _ignored("the message type is not 2, 3 or 4")


def _not_json(text: bytes) -> Refused:
    """What is no JSON is ignored, but for a CALL whose only fault are numbers that are none: it has an id to answer."""
    repaired = _NO_NUMBER.sub(b"0", text)
    if repaired != text:
        with suppress(msgspec.DecodeError, RecursionError):
            elements = msgspec.json.decode(repaired, type=list[Raw])
            call_id = _string(elements, 1)
            if call_id is not None and bytes(elements[0]) == b"2":
                return _malformed(call_id, "NaN and Infinity are no numbers of JSON")
    return _ignored("the frame is not a JSON array")


def _call(call_id: str, elements: list[Raw]) -> Call | Refused:
    """A CALL, if all of its elements are there and of the right type."""
    if len(call_id) > CALL_ID_SIZE_MAX:
        return _malformed(call_id, f"the message id has more than {CALL_ID_SIZE_MAX} characters")
    if len(elements) != 4:
        return _malformed(call_id, f"a CALL has 4 elements, not {len(elements)}")
    action = _string(elements, 2)
    if action is None:
        return _malformed(call_id, "the action is not a string")
    if bytes(elements[3]) != b"null" and bytes(elements[3])[:1] != b"{":
        return _malformed(call_id, "the payload is not an object")
    return Call(call_id, action, elements[3])


def _string(elements: list[Raw], index: int) -> str | None:
    """The element, if it is there and a string."""
    if index >= len(elements):
        return None
    try:
        return msgspec.json.decode(elements[index], type=str)
    except msgspec.DecodeError:
        return None


def _ignored(why: str) -> Refused:
    return Refused(None, CallError(ErrorCode.FORMATION_VIOLATION, why))


def _malformed(call_id: str, why: str) -> Refused:
    return Refused(call_id, CallError(ErrorCode.FORMATION_VIOLATION, why))


def encode_call(call_id: str, request: Request) -> str:
    """A CALL with ``request``, whose type names the action."""
    return encode_any_call(call_id, type(request).__name__, payloads.encode(request))


def encode_any_call(call_id: str, action: str, payload: bytes) -> str:
    """A CALL with any JSON as its payload, for tests."""
    return _encode(CALL, call_id, action, Raw(payload))


def encode_result(call_id: str, conf: Conf) -> str:
    """The CALLRESULT to the CALL ``call_id``."""
    return _encode(CALL_RESULT, call_id, Raw(payloads.encode(conf)))


def encode_error(call_id: str, error: CallError) -> str:
    """The CALLERROR to the CALL ``call_id``."""
    description = error.description[: payloads.DESCRIPTION_SIZE_MAX]
    return _encode(CALL_ERROR, call_id, error.code.value, description, {})


def _encode(*elements: object) -> str:
    return msgspec.json.encode(elements).decode()
