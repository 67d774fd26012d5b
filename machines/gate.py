"""What may be answered in which state of registration: the table of facts section 4.

OCPP 1.6 edition 2: 4.2, 4.2.1. Rows are states of the registration machine; the answer to a request that may not be
served is decided here, before any machine hears of it.
"""

from enum import Enum

from machines.vocabulary.ocpp import (
    Conf,
    RemoteStartStopStatus,
    RemoteStartTransaction,
    RemoteStartTransactionConf,
    RemoteStopTransaction,
    RemoteStopTransactionConf,
    Request,
)
from machines.vocabulary.wire import CallError, ErrorCode


class Gate(Enum):
    """What becomes of a request."""

    SERVE = "serve"
    REFUSE = "refuse"
    IGNORE = "ignore"


_NOT_WHILE_PENDING: dict[type[Request], Conf] = {
    RemoteStartTransaction: RemoteStartTransactionConf(status=RemoteStartStopStatus.REJECTED),
    RemoteStopTransaction: RemoteStopTransactionConf(status=RemoteStartStopStatus.REJECTED),
}


def gate(registration: str, request: type[Request]) -> Gate:
    """Whether ``request`` is served in a state of the registration machine (facts section 4)."""
    match registration:
        case "accepted":
            return Gate.SERVE
        case "pending" | "asking_again":
            return Gate.REFUSE if request in _NOT_WHILE_PENDING else Gate.SERVE
        case _:
            # Nothing was answered yet, or it was rejected: the charge point does not answer (4.2).
            return Gate.IGNORE


def refusal(request: type[Request]) -> Conf:
    """The answer to a request that the gate refuses."""
    return _NOT_WHILE_PENDING[request]


def without_behaviour(request: type[Request]) -> CallError:
    """The answer to a request for which there is no machine."""
    return CallError(ErrorCode.NOT_SUPPORTED, f"{request.__name__} is not supported")
