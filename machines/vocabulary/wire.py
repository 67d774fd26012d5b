"""What the link to the Central System reports, and how a CALL of ours ends."""

from enum import StrEnum

from msgspec import Struct

from machines.vocabulary.ocpp import Conf, Request


class ConnectionOpened(Struct, frozen=True):
    """The WebSocket is open and speaks ocpp1.6."""


class ConnectionFailed(Struct, frozen=True):
    """Dialling failed."""

    why: str


class ConnectionClosed(Struct, frozen=True):
    """The WebSocket that was open is gone. Every CALL in flight died before this is told."""

    why: str


class RequestReceived(Struct, frozen=True):
    """A CALL of the Central System, decoded and valid."""

    call_id: str
    request: Request


class Failure(StrEnum):
    """Why a CALL of ours got no result."""

    CALL_ERROR = "CallError"
    """The Central System answered CALLERROR, or a CALLRESULT that is not valid: it failed to process."""
    TIMED_OUT = "TimedOut"
    """No answer in time, the connection still open."""
    DISCONNECTED = "Disconnected"
    """The connection was lost, or never there."""


class CallAnswered(Struct, frozen=True):
    """The CALLRESULT to a CALL that ``owner`` asked for."""

    owner: str
    conf: Conf
    late: bool = False
    """Came after the CALL had been reported as timed out."""


class CallFailed(Struct, frozen=True):
    """A CALL that ``owner`` asked for got no result."""

    owner: str
    action: str
    failure: Failure
    why: str = ""
    """For a CALLERROR ``code: description``; for people, not for decisions."""


class ErrorCode(StrEnum):
    """Codes of a CALLERROR, with the spelling of OCPP-J 1.6 4.2.3."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"


class CallError(Struct, frozen=True):
    """Our answer to a CALL that cannot be served."""

    code: ErrorCode
    description: str = ""
    """At most 255 characters."""


class DataTransferAsked(Struct, frozen=True):
    """Somebody at the station wants vendor data sent to the Central System."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


class RestartFailed(Struct, frozen=True):
    """The restart that Reset.req asked for did not come about; the station runs on."""

    why: str


WireEvent = (
    ConnectionOpened | ConnectionFailed | ConnectionClosed | RequestReceived | CallAnswered | CallFailed
)
