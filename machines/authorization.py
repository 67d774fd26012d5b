"""Who may start or stop at one connector: a presented idTag, or a RemoteStartTransaction.

OCPP 1.6 edition 2: 3.4 and 3.5 local authorisation and offline behaviour, 4.1 Authorize, 4.9 B1, 5.11 Remote Start
Transaction. What is decided on the spot stands in machines/admission.py, one rule a line; what only the Central
System knows is asked with Authorize, one question at a time.
"""

import math
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.admission import (
    Admission,
    Decision,
    admission,
    decide,
    decide_offline,
    is_valid,
    known,
    may_begin,
    starts_free,
)
from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.smart_charging.profiles import Refusal, bounds_of, install_awaiting
from machines.vocabulary.effects import Answer, Call
from machines.vocabulary.notices import (
    AuthorizationDropped,
    Authorized,
    BecameOperative,
    CableReleased,
    FaultsEnded,
    IdTagLearnt,
    ProfileBrought,
    ReservationEnded,
    StopRequested,
    TransactionEnded,
    VehicleConnected,
)
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    ChargePointStatus,
    ChargingProfile,
    Reason,
    RemoteStartStopStatus,
    RemoteStartTransaction,
    RemoteStartTransactionConf,
)
from machines.vocabulary.tags import is_group, is_same
from machines.vocabulary.wire import CallFailed, ConnectionClosed


class IdTagPresented(Struct, frozen=True):
    """A card was shown for this connector."""

    id_tag: str


UNUSED = frozenset({ChargePointStatus.AVAILABLE, ChargePointStatus.UNAVAILABLE})
"""Statuses of which a transaction that ends has shown nothing since a restart."""


class AuthorizationData(Struct, frozen=True):
    """The question that was asked."""

    id_tag: str = ""
    profile: ChargingProfile | None = None
    """That a remote start brought for its transaction."""
    stops: int = 0
    """The transaction (local id) that the answer may stop; 0 if the question is about a start."""
    is_awaited: bool = False
    """Free of charge, and a vehicle that could have started meanwhile waits for the answer."""


class Authorization(Machine[AuthorizationData, Facts]):
    """Authorisation at one connector."""

    messages = (
        IdTagPresented,
        RemoteStartTransaction,
        AuthorizeConf,
        CallFailed,
        ConnectionClosed,
        VehicleConnected,
        BecameOperative,
        FaultsEnded,
        ReservationEnded,
        TransactionEnded,
    )

    idle = State("Idle", value="idle", initial=True)
    asking = State("Asking", value="asking")

    # fmt: off
    # A card
    idle.to(idle,   event=when(IdTagPresented,         "4.10 the idTag that started it"),  cond="stops",         on="stop")
    idle.to(asking, event=when(IdTagPresented,         "4.10, 4.1 same group?"),           cond="asks_to_stop",  on="ask_to_stop")
    idle.to(idle,   event=when(IdTagPresented,         "4.9 B1 shown a second time"),      cond="drops",         on="drop")
    idle.to(asking, event=when(IdTagPresented,         "4.1"),                             cond="asks_to_start", on="ask_to_start")
    idle.to(idle,   event=when(IdTagPresented,         "3.5.4 AllowOfflineTxForUnknownId"), cond="starts",       on="start")
    idle.to(idle,   event=when(IdTagPresented,         "4.1 refused"),                     cond="refuses")
    asking.to(asking, event=when(IdTagPresented,       "4.1 one question at a time"))
    idle.to(idle,   event=when(IdTagPresented,         "4.8 the cable that was kept"),     cond="releases",      on="release")
    # No card at all
    idle.to(idle,   event=when(VehicleConnected,       "4.9 A3 A4 A5 free of charge"),     cond="is_free",                                            on="start_free")
    idle.to(idle,   event=when(VehicleConnected,       "4.1 a card or a vehicle is needed"), unless="is_free")
    idle.to(idle,   event=when(BecameOperative,        "4.9 H3 H4 H5 free of charge"),     cond="is_free",                                            on="start_free")
    idle.to(idle,   event=when(BecameOperative,        "4.1 a card or a vehicle is needed"), unless="is_free")
    idle.to(idle,   event=when(FaultsEnded,            "4.9 I1 free of charge"),           cond="is_free",                                            on="start_free")
    idle.to(idle,   event=when(FaultsEnded,            "4.1 a card or a vehicle is needed"), unless="is_free")
    idle.to(idle,   event=when(ReservationEnded,       "4.9 G1 free of charge"),           cond="is_free",                                            on="start_free")
    idle.to(idle,   event=when(ReservationEnded,       "4.1 a card or a vehicle is needed"), unless="is_free")
    idle.to(idle,   event=when(TransactionEnded,       "4.9 A3 A4 A5 F2 H3 H4 H5 free of charge"), cond=["is_free", "is_not_of_vehicle"], on="start_free")
    idle.to(idle,   event=when(TransactionEnded,       "4.1 a card or a vehicle is needed"), cond="is_not_of_vehicle", unless="is_free")
    idle.to(idle,   event=when(TransactionEnded,       "4.9 B6 C6 D6 E6 the vehicle has been served"), unless="is_not_of_vehicle")
    # RemoteStartTransaction.req
    idle.to(idle,   event=when(RemoteStartTransaction, "5.11 Rejected"),                   unless="may_start_remotely",                               on="reject")
    idle.to(asking, event=when(RemoteStartTransaction, "5.11.1 AuthorizeRemoteTxRequests"), cond=["may_start_remotely", "must_be_asked"],             on="accept_and_ask")
    idle.to(idle,   event=when(RemoteStartTransaction, "5.11"),                            cond="may_start_remotely", unless="must_be_asked",         on="accept")
    asking.to(asking, event=when(RemoteStartTransaction, "5.11 another start is pending"), on="reject")
    # Authorize.conf
    asking.to(idle, event=when(AuthorizeConf,          "4.1 Accepted"),                             cond="grants_start",                    on="grant")
    asking.to(idle, event=when(AuthorizeConf,          "4.10 same parentIdTag"),                    cond="grants_stop",                     on="stop_by_group")
    asking.to(idle, event=when(AuthorizeConf,          "4.1 not Accepted, or not for here"),        cond="denies", unless="leaves_a_vehicle",on="learn")
    asking.to(idle, event=when(AuthorizeConf,          "4.9 A3 A4 A5 free of charge"),              cond=["denies", "leaves_a_vehicle"],    on="learn_and_start_free")
    asking.to(idle, event=when(CallFailed,             "3.5.4 AllowOfflineTxForUnknownId"), cond="starts_unanswered",   on="start_unanswered")
    asking.to(idle, event=when(CallFailed,             "3.5 nobody answered"),             unless=["starts_unanswered", "leaves_a_vehicle"])
    asking.to(idle, event=when(CallFailed,             "4.9 A3 A4 A5 free of charge"),     cond="leaves_a_vehicle", unless="starts_unanswered", on="start_free")
    asking.to(idle, event=when(ConnectionClosed,       "3.5.4 AllowOfflineTxForUnknownId"), cond="starts_unanswered",   on="start_unanswered")
    asking.to(idle, event=when(ConnectionClosed,       "3.5 nobody can answer"),           unless=["starts_unanswered", "leaves_a_vehicle"])
    asking.to(idle, event=when(ConnectionClosed,       "4.9 A3 A4 A5 free of charge"),     cond="leaves_a_vehicle", unless="starts_unanswered", on="start_free")
    idle.to(idle,   event=when(ConnectionClosed,       "nothing was asked"))
    # What may start free of charge waits for the answer
    asking.to(asking, event=when(VehicleConnected,     "4.1 the answer decides"),          on="note_vehicle")
    asking.to(asking, event=when(BecameOperative,      "4.1 the answer decides"),          on="note_vehicle")
    asking.to(asking, event=when(FaultsEnded,          "4.1 the answer decides"),          on="note_vehicle")
    asking.to(asking, event=when(ReservationEnded,     "4.1 the answer decides"),          on="note_vehicle")
    asking.to(asking, event=when(TransactionEnded,     "4.1 the answer decides"))
    # fmt: on

    exclusive = (
        ("stops", "releases", "asks_to_stop", "drops", "asks_to_start", "starts", "refuses"),
        ("grants_start", "grants_stop", "denies"),
    )
    impossible: ClassVar = {
        ("idle", AuthorizeConf): "nothing was asked",
        ("idle", CallFailed): "nothing was asked",
    }

    # Guards: a card

    def stops(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.STOP

    def releases(self, shown: IdTagPresented) -> bool:
        return decide(self.facts, shown.id_tag) is Decision.RELEASE

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

    # Guards: no card

    def is_free(self) -> bool:
        return starts_free(self.facts) and self.facts.transaction == "idle"

    def is_not_of_vehicle(self, ended: TransactionEnded) -> bool:
        """The vehicle that is connected came, or was found after a restart, while the transaction was ending."""
        return self.facts.status in UNUSED or ended.reason is Reason.EV_DISCONNECTED

    # Guards: a remote start

    def may_start_remotely(self, request: RemoteStartTransaction) -> bool:
        facts, profile = self.facts, request.charging_profile
        admitted = admission(facts, request.id_tag)
        return (
            request.connector_id in {None, facts.number}
            and facts.transaction == "idle"
            and not facts.kept_for
            and may_begin(facts)
            and facts.status is not ChargePointStatus.FINISHING
            and (
                admitted is Admission.YES
                or (admitted is Admission.UNKNOWN and facts.keys.authorize_remote_tx_requests)
            )
            and (profile is None or self._takes(request.id_tag, profile))
        )

    def _takes(self, id_tag: str, profile: ChargingProfile) -> bool:
        """Whether the profile of a remote start can be installed; a station without smart charging ignores it."""
        facts, utc = self.facts, self.facts.now.utc
        if "SetChargingProfile" not in facts.settings.receives:
            return True
        assert facts.charging is not None
        outcome = install_awaiting(
            facts.charging.book,
            facts.number,
            id_tag,
            profile,
            bounds=bounds_of(facts.keys),
            now_s=0 if utc is None else math.floor(utc),
        )
        return not isinstance(outcome, Refusal)

    def must_be_asked(self, request: RemoteStartTransaction) -> bool:
        """As if the idTag were presented (5.11.1): not where the station may decide by itself."""
        facts = self.facts
        knows = facts.keys.local_pre_authorize and is_valid(facts, known(facts, request.id_tag))
        is_admitted = admission(facts, request.id_tag) is Admission.YES
        return facts.keys.authorize_remote_tx_requests and not (knows and is_admitted)

    # Guards: the answer

    def grants_start(self, conf: AuthorizeConf) -> bool:
        facts, info = self.facts, conf.id_tag_info
        is_admitted = (
            not facts.reserved_for
            or is_same(self.data.id_tag, facts.reserved_for)
            or is_group(info.parent_id_tag, facts.reserved_parent)
        )
        is_accepted = info.status is AuthorizationStatus.ACCEPTED
        return is_accepted and not self.data.stops and is_admitted and self._still_takes()

    def _still_takes(self) -> bool:
        """Whether what the remote start brought can still be installed: others may have come meanwhile."""
        profile = self.data.profile
        return profile is None or self._takes(self.data.id_tag, profile)

    def grants_stop(self, conf: AuthorizeConf) -> bool:
        facts, parent = self.facts, conf.id_tag_info.parent_id_tag
        return (
            conf.id_tag_info.status is AuthorizationStatus.ACCEPTED
            and facts.local_id == self.data.stops != 0
            and facts.transaction in {"running", "deauthorized"}
            and is_group(parent, facts.parent_id_tag)
        )

    def denies(self, conf: AuthorizeConf) -> bool:
        return not self.grants_start(conf) and not self.grants_stop(conf)

    def leaves_a_vehicle(self) -> bool:
        """Whether a vehicle waited for the answer, and may start free of charge once it starts nobody else."""
        return self.data.is_awaited and self.is_free()

    def starts_unanswered(self) -> bool:
        if self.data.stops or not may_begin(self.facts) or not self._still_takes():
            return False
        return decide_offline(self.facts, self.data.id_tag) is Decision.START

    # Actions

    def stop(self, shown: IdTagPresented) -> None:
        self.emit(StopRequested(Reason.LOCAL, shown.id_tag))

    def drop(self) -> None:
        self.emit(AuthorizationDropped())

    def release(self) -> None:
        self.emit(CableReleased())

    def start(self, shown: IdTagPresented) -> None:
        self._authorize(shown.id_tag)

    def start_free(self) -> None:
        facts = self.facts
        if facts.kept_for and facts.is_operative and not facts.is_faulted and not facts.is_restarting:
            # Nobody has a card to ask for the cable with (decision T9): who plugs in again takes it up.
            self.emit(CableReleased())
        self.emit(Authorized(facts.settings.free_id_tag))

    def _authorize(self, id_tag: str) -> None:
        entry = known(self.facts, id_tag)
        self.emit(Authorized(id_tag, None if entry is None else entry.parent_id_tag))

    def ask_to_start(self, shown: IdTagPresented) -> None:
        self._ask(shown.id_tag, 0)

    def ask_to_stop(self, shown: IdTagPresented) -> None:
        self._ask(shown.id_tag, self.facts.local_id)

    def _ask(self, id_tag: str, stops: int, profile: ChargingProfile | None = None) -> None:
        self.data = AuthorizationData(id_tag, profile, stops)
        self.emit(Call(Authorize(id_tag=id_tag)))

    def accept(self, request: RemoteStartTransaction) -> None:
        self.emit(
            Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus.ACCEPTED)),
        )
        self._authorize(request.id_tag)
        self._bring(request.id_tag, request.charging_profile)

    def _bring(self, id_tag: str, profile: ChargingProfile | None) -> None:
        # After it was told that the idTag may charge: the profile is for what comes of that.
        if profile is not None and "SetChargingProfile" in self.facts.settings.receives:
            self.emit(ProfileBrought(self.facts.number, id_tag, profile))

    def accept_and_ask(self, request: RemoteStartTransaction) -> None:
        self.emit(Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus.ACCEPTED)))
        self._ask(request.id_tag, 0, request.charging_profile)

    def reject(self) -> None:
        self.emit(Answer(RemoteStartTransactionConf(status=RemoteStartStopStatus.REJECTED)))

    def note_vehicle(self) -> None:
        if self.is_free():
            self.data = replace(self.data, is_awaited=True)

    def learn(self, conf: AuthorizeConf) -> None:
        self.emit(IdTagLearnt(self.data.id_tag, conf.id_tag_info))

    def learn_and_start_free(self, conf: AuthorizeConf) -> None:
        self.learn(conf)
        self.start_free()

    def grant(self, conf: AuthorizeConf) -> None:
        self.learn(conf)
        self.emit(Authorized(self.data.id_tag, conf.id_tag_info.parent_id_tag))
        self._bring(self.data.id_tag, self.data.profile)

    def stop_by_group(self, conf: AuthorizeConf) -> None:
        self.learn(conf)
        self.emit(StopRequested(Reason.LOCAL, self.data.id_tag))

    def start_unanswered(self) -> None:
        self._authorize(self.data.id_tag)
        self._bring(self.data.id_tag, self.data.profile)
