"""Who may start or stop at one connector: a presented idTag, or a RemoteStartTransaction.

OCPP 1.6 edition 2: 3.4 and 3.5 local authorisation and offline behaviour, 4.1 Authorize, 4.9 B1, 5.11 Remote Start
Transaction. What is decided on the spot is :func:`decide`, one rule a line; what only the Central System knows is
asked with Authorize, one question at a time.
"""

from enum import Enum
from typing import ClassVar

from msgspec import Struct
from statemachine import State

from machines.facts import Facts
from machines.machine import Machine, when
from machines.vocabulary.effects import Answer, Call
from machines.vocabulary.notices import AuthorizationDropped, Authorized, StopRequested
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    ChargePointStatus,
    ChargingProfilePurposeType,
    Reason,
    RemoteStartStopStatus,
    RemoteStartTransaction,
    RemoteStartTransactionConf,
)
from machines.vocabulary.wire import CallFailed, ConnectionClosed


class IdTagPresented(Struct, frozen=True):
    """A card was shown for this connector."""

    id_tag: str


class Decision(Enum):
    """What follows from a presented idTag, before anybody is asked."""

    STOP = "stop"
    DROP = "drop"
    ASK_TO_STOP = "ask to stop"
    ASK_TO_START = "ask to start"
    START = "start"
    REFUSE = "refuse"


FREE = {ChargePointStatus.AVAILABLE, ChargePointStatus.PREPARING, ChargePointStatus.FINISHING}


def is_same(one: str, other: str) -> bool:
    """Whether two idTags are the same: they are case-insensitive (7.28 CiString)."""
    return one.casefold() == other.casefold()


def decide(facts: Facts, id_tag: str) -> Decision:
    """Decide on ``id_tag`` as facts 5.1 and 5.2 order it. The first line that applies holds."""
    runs = facts.transaction in {"running", "deauthorized"}
    if runs and is_same(id_tag, facts.id_tag):
        return Decision.STOP  # 4.10: no Authorize for the idTag that started it
    if runs and facts.parent_id_tag is not None and facts.is_online:
        return Decision.ASK_TO_STOP  # 4.10: one of the same group may stop it
    if facts.transaction == "authorized" and is_same(id_tag, facts.id_tag):
        return Decision.DROP  # 4.9 B1: shown a second time
    if facts.transaction not in {"idle", "authorized"}:
        return Decision.REFUSE  # somebody else's transaction
    if not may_begin(facts):
        return Decision.REFUSE  # 5.1 step 1
    if facts.is_online:
        return Decision.ASK_TO_START  # 5.1 step 3
    return decide_offline(facts)


def decide_offline(facts: Facts) -> Decision:
    """Decide without the Central System (facts 5.1, steps 5 and 7)."""
    if facts.keys.allow_offline_tx_for_unknown_id and facts.was_accepted:
        return Decision.START
    return Decision.REFUSE


def may_begin(facts: Facts) -> bool:
    """Whether anybody may start here now (facts 5.1 step 1)."""
    return facts.is_operative and not facts.is_faulted and not facts.is_restarting and facts.status in FREE


class AuthorizationData(Struct, frozen=True):
    """The question that was asked."""

    id_tag: str = ""
    stops: int = 0
    """The transaction (local id) that the answer may stop; 0 if the question is about a start."""


class Authorization(Machine[AuthorizationData, Facts]):
    """Authorisation at one connector."""

    messages = (IdTagPresented, RemoteStartTransaction, AuthorizeConf, CallFailed, ConnectionClosed)

    idle = State("Idle", value="idle", initial=True)
    asking = State("Asking", value="asking")

    # fmt: off
    # A card
    idle.to(idle,   event=when(IdTagPresented,         "4.10 the idTag that started it"),  cond="stops",         on="stop")
    idle.to(asking, event=when(IdTagPresented,         "4.10, 4.1 same group?"),           cond="asks_to_stop",  on="ask_to_stop")
    idle.to(idle,   event=when(IdTagPresented,         "4.9 B1 shown a second time"),      cond="drops",         on="drop")
    idle.to(asking, event=when(IdTagPresented,         "4.1"),                             cond="asks_to_start", on="ask_to_start")
    idle.to(idle,   event=when(IdTagPresented,         "3.5.1 AllowOfflineTxForUnknownId"), cond="starts",       on="start")
    idle.to(idle,   event=when(IdTagPresented,         "4.1 refused"),                     cond="refuses")
    asking.to(asking, event=when(IdTagPresented,       "4.1 one question at a time"))
    # RemoteStartTransaction.req
    idle.to(idle,   event=when(RemoteStartTransaction, "5.11 Rejected"),                   unless="may_start_remotely",                               on="reject")
    idle.to(asking, event=when(RemoteStartTransaction, "5.11.1 AuthorizeRemoteTxRequests"), cond=["may_start_remotely", "authorizes_remote"],         on="accept_and_ask")
    idle.to(idle,   event=when(RemoteStartTransaction, "5.11"),                            cond="may_start_remotely", unless="authorizes_remote",     on="accept")
    asking.to(asking, event=when(RemoteStartTransaction, "5.11 another start is pending"), on="reject")
    # Authorize.conf
    asking.to(idle, event=when(AuthorizeConf,          "4.1 Accepted"),                    cond="grants_start",  on="grant")
    asking.to(idle, event=when(AuthorizeConf,          "4.10 same parentIdTag"),           cond="grants_stop",   on="stop_by_group")
    asking.to(idle, event=when(AuthorizeConf,          "4.1 not Accepted"),                cond="denies")
    asking.to(idle, event=when(CallFailed,             "3.5.1 AllowOfflineTxForUnknownId"), cond="starts_unanswered",   on="start_unanswered")
    asking.to(idle, event=when(CallFailed,             "3.5 nobody answered"),             unless="starts_unanswered")
    asking.to(idle, event=when(ConnectionClosed,       "3.5.1 AllowOfflineTxForUnknownId"), cond="starts_unanswered",   on="start_unanswered")
    asking.to(idle, event=when(ConnectionClosed,       "3.5 nobody can answer"),           unless="starts_unanswered")
    idle.to(idle,   event=when(ConnectionClosed,       "nothing was asked"))
    # fmt: on

    exclusive = (
        ("stops", "asks_to_stop", "drops", "asks_to_start", "starts", "refuses"),
        ("grants_start", "grants_stop", "denies"),
    )
    impossible: ClassVar = {
        ("idle", AuthorizeConf): "nothing was asked",
        ("idle", CallFailed): "nothing was asked",
    }

    # Guards: a card

    def stops(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.STOP

    def asks_to_stop(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.ASK_TO_STOP

    def drops(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.DROP

    def asks_to_start(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.ASK_TO_START

    def starts(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.START

    def refuses(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.REFUSE

    # Guards: a remote start

    def may_start_remotely(self, request: RemoteStartTransaction) -> bool:
        facts, profile = self.facts, request.charging_profile
        return (
            request.connector_id in {None, facts.number}
            and facts.transaction == "idle"
            and may_begin(facts)
            and facts.status is not ChargePointStatus.FINISHING
            and (
                profile is None
                or (
                    profile.charging_profile_purpose is ChargingProfilePurposeType.TX_PROFILE
                    and profile.transaction_id is None
                )
            )
        )

    def authorizes_remote(self) -> bool:
        return self.facts.keys.authorize_remote_tx_requests

    # Guards: the answer

    def grants_start(self, conf: AuthorizeConf) -> bool:
        return conf.id_tag_info.status is AuthorizationStatus.ACCEPTED and not self.data.stops

    def grants_stop(self, conf: AuthorizeConf) -> bool:
        facts, parent = self.facts, conf.id_tag_info.parent_id_tag
        return (
            conf.id_tag_info.status is AuthorizationStatus.ACCEPTED
            and facts.local_id == self.data.stops != 0
            and facts.transaction in {"running", "deauthorized"}
            and parent is not None
            and is_same(parent, facts.parent_id_tag or "")
        )

    def denies(self, conf: AuthorizeConf) -> bool:
        return not self.grants_start(conf) and not self.grants_stop(conf)

    def starts_unanswered(self) -> bool:
        return not self.data.stops and may_begin(self.facts) and decide_offline(self.facts) is Decision.START

    # Actions

    def stop(self, shown: IdTagPresented) -> None:
        self.emit(StopRequested(Reason.LOCAL, shown.id_tag))

    def drop(self) -> None:
        self.emit(AuthorizationDropped())

    def start(self, shown: IdTagPresented) -> None:
        self.emit(Authorized(shown.id_tag))

    def ask_to_start(self, shown: IdTagPresented) -> None:
        self._ask(shown.id_tag, 0)

    def ask_to_stop(self, shown: IdTagPresented) -> None:
        self._ask(shown.id_tag, self.facts.local_id)

    def _ask(self, id_tag: str, stops: int) -> None:
        self.data = AuthorizationData(id_tag, stops)
        self.emit(Call(Authorize(id_tag=id_tag)))

    def accept(self, request: RemoteStartTransaction) -> None:
        self.emit(
            Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus.ACCEPTED)),
            Authorized(request.id_tag),
        )

    def accept_and_ask(self, request: RemoteStartTransaction) -> None:
        self.emit(Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus.ACCEPTED)))
        self._ask(request.id_tag, 0)

    def reject(self) -> None:
        self.emit(Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus.REJECTED)))

    def grant(self, conf: AuthorizeConf) -> None:
        self.emit(Authorized(self.data.id_tag, conf.id_tag_info.parent_id_tag))

    def stop_by_group(self) -> None:
        self.emit(StopRequested(Reason.LOCAL, self.data.id_tag))

    def start_unanswered(self) -> None:
        self.emit(Authorized(self.data.id_tag))
