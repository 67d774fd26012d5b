"""What a Central System of a test answers: the usual, or what a script says."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from engine.conformance.script import Answers, Payload
from engine.ocpp import payloads
from machines.vocabulary.ocpp import (
    ACTIONS,
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    BootNotification,
    BootNotificationConf,
    Conf,
    DataTransfer,
    DataTransferConf,
    DataTransferStatus,
    Heartbeat,
    HeartbeatConf,
    IdTagInfo,
    RegistrationStatus,
    Request,
    StartTransaction,
    StartTransactionConf,
    StopTransaction,
    StopTransactionConf,
    action_of,
)
from machines.vocabulary.wire import CallError, ErrorCode

INTERVAL_S = 86_400
"""Heartbeat interval, unless a script says otherwise: longer than scripts take."""
ACCEPTED = IdTagInfo(status=AuthorizationStatus.ACCEPTED)

Answer = Conf | CallError | None


def by_policy(policy: Answers, usual: Conf) -> Answer:
    """What ``policy`` makes of the usual answer. One that is no answer of OCPP is a CALLERROR to the station."""
    if policy.nothing:
        return None
    if policy.error is not None:
        return CallError(ErrorCode(policy.error))
    if policy.with_ is None:
        return usual
    members: dict[str, Any] = msgspec.json.decode(payloads.encode(usual)) | policy.with_
    present = {name: value for name, value in members.items() if value is not None}
    result = payloads.decode_conf(action_of(usual), Raw(msgspec.json.encode(present)))
    if isinstance(result, payloads.Unusable):
        return CallError(ErrorCode.FORMATION_VIOLATION, result.why)
    return result.conf


class Ledger(Struct, frozen=True):
    """The Central System of a rehearsal: the transactions that it was told, and what it answers."""

    policies: dict[str, Answers] = {}
    started: tuple[StartTransaction, ...] = ()
    """Transaction n is the n-th."""

    def told(self, policy: Answers) -> "Ledger":
        """It answers by ``policy`` from now on."""
        others = {action: each for action, each in self.policies.items() if action != policy.answers}
        if policy.usual and not policy.after_s:
            return Ledger(others, self.started)
        return Ledger({**others, policy.answers: policy}, self.started)

    def answer(self, request: Request, now: datetime) -> tuple["Ledger", Answer, float]:
        """What it knows after ``request``, its answer, and how many s that takes.

        Like any Central System that answers by policy, it opens a transaction only if it gets to answer usually.
        """
        policy = self.policies.get(type(request).__name__)
        if policy is not None and (policy.nothing or policy.error is not None):
            return self, by_policy(policy, ACTIONS["Heartbeat"].conf(current_time=now)), policy.after_s
        after, usual = self._usual(request, now)
        if policy is None:
            return after, usual, 0.0
        return after, by_policy(policy, usual), policy.after_s

    def _usual(self, request: Request, now: datetime) -> tuple["Ledger", Conf]:
        match request:
            case BootNotification():
                accepted = RegistrationStatus.ACCEPTED
                return self, BootNotificationConf(status=accepted, current_time=now, interval=INTERVAL_S)
            case Heartbeat():
                return self, HeartbeatConf(current_time=now)
            case Authorize():
                return self, AuthorizeConf(id_tag_info=ACCEPTED)
            case StartTransaction():
                is_new = request not in self.started
                after = Ledger(self.policies, (*self.started, request)) if is_new else self
                number = after.started.index(request) + 1
                return after, StartTransactionConf(id_tag_info=ACCEPTED, transaction_id=number)
            case StopTransaction():
                return self, StopTransactionConf(id_tag_info=ACCEPTED if request.id_tag else None)
            case DataTransfer():
                return self, DataTransferConf(status=DataTransferStatus.UNKNOWN_VENDOR_ID)
            case _:
                return self, ACTIONS[type(request).__name__].conf()


def members_of(payload: Request | Conf) -> Payload:
    """A payload as on the wire."""
    members: Payload = msgspec.json.decode(payloads.encode(payload))
    return members
