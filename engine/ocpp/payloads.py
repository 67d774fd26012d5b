"""Payloads of OCPP 1.6 as JSON: strict on requests, open on answers (OCPP-J 1.6, 4.2).

A request that is not exactly what the specification says is refused with the error code for what is wrong
with it. An answer that we receive may hold fields and status texts we do not know: a newer or sloppy Central
System must not stop the charging.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from machines.vocabulary.ocpp import (
    Action,
    AuthorizationStatus,
    Conf,
    DataTransferStatus,
    IdTagInfo,
    MessageTrigger,
    RegistrationStatus,
    Request,
    TriggerMessage,
    TriggerUnknownMessage,
)
from machines.vocabulary.ocpp.types import ConnectorIdOrZero, String50
from machines.vocabulary.wire import CallError, ErrorCode

Kind = TypeVar("Kind", bound=Struct)

DESCRIPTION_SIZE_MAX = 255
"""Characters in the description of a CALLERROR (OCPP-J 1.6, 4.2.3)."""

_UNKNOWN_TEXTS = {
    AuthorizationStatus: AuthorizationStatus.INVALID,
    RegistrationStatus: RegistrationStatus.REJECTED,
    DataTransferStatus: DataTransferStatus.REJECTED,
}
"""What an unknown status text in an answer is taken for: the cautious one."""

_MOMENTS = (
    *(b"currentTime", b"expiryDate", b"retrieveDate", b"scheduleStart", b"startSchedule", b"startTime"),
    *(b"stopTime", b"timestamp", b"validFrom", b"validTo"),
)
"""Fields that hold a moment."""
# Begins with what is rare in a payload, and looks back: a search for the names is some times as slow.
_MICROSECONDS = re.compile(
    rb'000(?=Z")(?:%s)' % b"|".join(rb'(?<="%s":"[-:T\d]{19}\.\d{3}000)' % name for name in _MOMENTS)
)
"""What goes beyond the milliseconds of a moment: nothing, as Stamped cuts it. Within a text of somebody a quote has a
backslash."""
_END_OF_CALENDAR = re.compile(rb"(9999-12-31T23:59:59\.\d{6})\d+")
_WRONG_TYPE = re.compile(r"Expected `[^`]*`, got `")


class Accepted(Struct, frozen=True):
    """An answer that can be used."""

    conf: Conf
    forgiven: tuple[str, ...] = ()
    """What was wrong with it, for the log."""


class _LooseTrigger(Request, frozen=True, kw_only=True):
    """TriggerMessage.req with any message."""

    requested_message: String50
    connector_id: ConnectorIdOrZero | None = None


class Unusable(Struct, frozen=True):
    """An answer that says less than it must."""

    why: str


def encode(payload: Request | Conf) -> bytes:
    """``payload`` as JSON: absent fields left out, timestamps in UTC with ``Z`` and at most milliseconds."""
    return _MICROSECONDS.sub(b"", msgspec.json.encode(payload))


def decode_request(action: Action, payload: Raw) -> Request | CallError:
    """The request in ``payload``, or the CALLERROR that says what is wrong with it.

    TriggerMessage for a message that does not exist is a proper request (facts 6): TriggerUnknownMessage.
    """
    try:
        return _decode(payload, action.request)
    except (msgspec.DecodeError, RecursionError) as error:
        unknown = _unknown_trigger(payload) if action.request is TriggerMessage else None
        return unknown or refusal(error)


def _unknown_trigger(payload: Raw) -> TriggerUnknownMessage | None:
    """The request in ``payload`` if all that is wrong with it is a message that nobody knows."""
    try:
        loose = _decode(payload, _LooseTrigger)
    except (msgspec.DecodeError, RecursionError):
        return None
    is_known = loose.requested_message in set(MessageTrigger)
    return None if is_known else TriggerUnknownMessage(requested_message=loose.requested_message)


def decode_conf(action: Action, payload: Raw) -> Accepted | Unusable:
    """The answer in ``payload``. Unknown fields and unknown status texts are forgiven, and named."""
    try:
        return Accepted(_decode(payload, action.conf))
    except (msgspec.DecodeError, RecursionError):
        pass  # Strictly it is wrong; what can be forgiven is looked for below.
    try:
        members = msgspec.json.decode(_read(payload))
        if not isinstance(members, dict):
            return Unusable("the payload is not an object")
        forgiven: list[str] = []
        known = _forgive(members, action.conf, forgiven)
        return Accepted(msgspec.convert(known, action.conf), tuple(forgiven))
    except (msgspec.DecodeError, RecursionError) as error:
        return Unusable(printable(str(error)))


def _decode(payload: Raw, kind: type[Kind]) -> Kind:
    """Decode ``payload``, where null stands for an empty object.

    Raises:
        msgspec.DecodeError: It is not JSON, or not of this kind.
        RecursionError: It is nested too deeply.
    """
    return msgspec.json.decode(_read(payload), type=kind)


def _read(payload: Raw) -> bytes:
    """The JSON text of ``payload``, where null stands for an empty object.

    The last second of the calendar is cut to microseconds: platforms that count in 100 ns send it for
    "never", and rounding it up would leave the calendar.
    """
    text = bytes(payload)
    if text == b"null":
        return b"{}"
    if b"9999-12-31T23:59:59." in text:
        return _END_OF_CALENDAR.sub(rb"\1", text)
    return text


def _forgive(members: Mapping[str, Any], kind: type[Struct], forgiven: list[str]) -> dict[str, Any]:
    """Those of ``members`` that ``kind`` has, with known status texts. Changes are noted in ``forgiven``."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    known: dict[str, Any] = {}
    for name, member in members.items():
        if name not in fields:
            forgiven.append(f"unknown field {printable(name)}")
            continue
        types = getattr(fields[name].type, "__args__", (fields[name].type,))
        if isinstance(member, dict) and IdTagInfo in types:
            member = _forgive(member, IdTagInfo, forgiven)
        for enumeration, cautious in _UNKNOWN_TEXTS.items():
            if enumeration in types and isinstance(member, str) and member not in list(enumeration):
                forgiven.append(f"unknown {enumeration.__name__} {printable(member)}")
                member = cautious.value
        known[name] = member
    return known


def refusal(error: Exception) -> CallError:
    """The CALLERROR for a payload that msgspec refused with ``error`` (OCPP-J 1.6, 4.2.3)."""
    return CallError(_violation(error), printable(str(error)))


def _violation(error: Exception) -> ErrorCode:
    """The error code for what msgspec found wrong, as its text begins. Any other finding is about a value."""
    text = str(error)
    if not isinstance(error, msgspec.ValidationError) or text.startswith("Object contains unknown field"):
        return ErrorCode.FORMATION_VIOLATION
    if text.startswith(("Object missing required field", "Expected `array` of length >=")):
        return ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION
    if _WRONG_TYPE.match(text):
        return ErrorCode.TYPE_CONSTRAINT_VIOLATION
    return ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


def printable(text: str) -> str:
    """A peer's ``text`` as printable ASCII that fits a description."""
    return ascii(text)[1:-1][:DESCRIPTION_SIZE_MAX]
