"""The charging profiles that are installed, and what the Central System asks of them.

OCPP 1.6 edition 2: 3.13 Smart Charging, 5.5 Clear Charging Profile, 5.7 Get Composite Schedule, 5.16 Set Charging
Profile, 5.11 for the profile of a RemoteStartTransaction. The rules stand in machines/smart_charging/. Profiles are
durable; a TxProfile ends with its transaction, and one that waits for a transaction is forgotten if none begins.
"""

import math
from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.smart_charging.answers import clear_answer, schedule_answer, set_answer
from machines.smart_charging.moment import Charging, running, situation
from machines.smart_charging.prepare import Plan, plan_of
from machines.smart_charging.profiles import (
    UNITS,
    Book,
    Refusal,
    begin_transaction,
    bounds_of,
    clear,
    drop_awaiting,
    end_transaction,
    install,
    install_awaiting,
)
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import (
    IntentDropped,
    LimitsChanged,
    ProfileBrought,
    TransactionEnded,
    TransactionStarted,
)
from machines.vocabulary.ocpp import (
    ClearChargingProfile,
    GetCompositeSchedule,
    GetCompositeScheduleConf,
    GetCompositeScheduleStatus,
    SetChargingProfile,
)


class InstalledProfiles(Struct, frozen=True):
    """What is kept over a restart."""

    book: Book = ()


class ChargingProfilesData(Struct, frozen=True):
    """What is installed, and the same made ready to be asked."""

    plan: Plan
    book: Book = ()


class ChargingProfiles(Machine[ChargingProfilesData, Facts]):
    """The charging profiles of the station."""

    memory = InstalledProfiles
    messages = (
        SetChargingProfile,
        ClearChargingProfile,
        GetCompositeSchedule,
        ProfileBrought,
        TransactionStarted,
        TransactionEnded,
        IntentDropped,
        Resumed,
    )

    empty = State("Empty", value="empty", initial=True)
    holding = State("Holding", value="holding")

    # fmt: off
    # SetChargingProfile.req
    empty.to(holding,   event=when(SetChargingProfile,   "5.16 Accepted"),               cond="is_taken",      on="install")
    empty.to(empty,     event=when(SetChargingProfile,   "5.16 Rejected, facts 9.2"),    unless="is_taken",    on="refuse")
    holding.to(holding, event=when(SetChargingProfile,   "5.16 Accepted"),               cond="is_taken",      on="install")
    holding.to(holding, event=when(SetChargingProfile,   "5.16 Rejected, facts 9.2"),    unless="is_taken",    on="refuse")
    # ClearChargingProfile.req
    empty.to(empty,     event=when(ClearChargingProfile, "5.5 nothing is installed"),                          on="find_none")
    holding.to(empty,   event=when(ClearChargingProfile, "5.5 Accepted, all of them"),   cond="clears_all",    on="clear")
    holding.to(holding, event=when(ClearChargingProfile, "5.5 Accepted, some of them"),  cond="clears_some",   on="clear")
    holding.to(holding, event=when(ClearChargingProfile, "5.5 Unknown"),                 cond="clears_none",   on="find_none")
    # GetCompositeSchedule.req
    empty.to(empty,     event=when(GetCompositeSchedule, "5.7"),                                               on="tell")
    holding.to(holding, event=when(GetCompositeSchedule, "5.7"),                                               on="tell")
    # The profile of a remote start
    empty.to(holding,   event=when(ProfileBrought,       "5.11 for the transaction to come"), cond="is_awaited", on="hold")
    empty.to(empty,     event=when(ProfileBrought,       "5.11 no transaction comes"),   unless="is_awaited")
    holding.to(holding, event=when(ProfileBrought,       "5.11 for the transaction to come"), cond="is_awaited", on="hold")
    holding.to(holding, event=when(ProfileBrought,       "5.11 no transaction comes"),   unless="is_awaited")
    holding.to(holding, event=when(TransactionStarted,   "5.11 the one it waited for"),  cond="holds_more",    on="begin")
    holding.to(empty,   event=when(TransactionStarted,   "5.11 it waited for another"),  unless="holds_more",  on="begin")
    # The end of a transaction
    holding.to(holding, event=when(TransactionEnded,     "3.13.1 TxProfiles end with it"), cond="holds_others", on="end")
    holding.to(empty,   event=when(TransactionEnded,     "3.13.1 TxProfiles end with it"), unless="holds_others", on="end")
    holding.to(holding, event=when(IntentDropped,        "5.11 no transaction comes"),   cond="holds_awaited", on="drop")
    holding.to(empty,   event=when(IntentDropped,        "5.11 no transaction comes"),   unless="holds_awaited", on="drop")
    # After a restart
    empty.to(holding,   event=when(Resumed,              "3.13 profiles are kept"),      cond="was_holding",   on="recall")
    empty.to(empty,     event=when(Resumed,              "nothing was installed"),       unless="was_holding")
    # fmt: on

    stays(TransactionStarted, "nothing is installed", empty)
    stays(TransactionEnded, "nothing is installed", empty)
    stays(IntentDropped, "nothing is installed", empty)

    exclusive = (("clears_all", "clears_some", "clears_none"),)
    impossible: ClassVar = {("holding", Resumed): "told first"}

    @property
    def _charging(self) -> Charging:
        charging = self.facts.charging
        assert charging is not None
        return charging

    # Guards

    def is_taken(self, request: SetChargingProfile) -> bool:
        return not isinstance(self._outcome(request), Refusal)

    def _outcome(self, request: SetChargingProfile) -> Book | Refusal:
        now, charging = self.facts.now, self._charging
        if now.utc is None:
            return Refusal("the time of day is not known")
        return install(
            self.data.book,
            request,
            bounds=bounds_of(self.facts.keys),
            connectors=len(charging.ceilings_a),
            running=running(charging, now),
            now_s=math.floor(now.utc),
        )

    def clears_all(self, request: ClearChargingProfile) -> bool:
        return not clear(self.data.book, request)

    def clears_some(self, request: ClearChargingProfile) -> bool:
        return 0 < len(clear(self.data.book, request)) < len(self.data.book)

    def clears_none(self, request: ClearChargingProfile) -> bool:
        return len(clear(self.data.book, request)) == len(self.data.book)

    def is_awaited(self, brought: ProfileBrought) -> bool:
        return brought.number in self._charging.intents and not isinstance(self._awaiting(brought), Refusal)

    def _awaiting(self, brought: ProfileBrought) -> Book | Refusal:
        utc = self.facts.now.utc
        return install_awaiting(
            self.data.book,
            brought.number,
            brought.id_tag,
            brought.profile,
            bounds=bounds_of(self.facts.keys),
            now_s=0 if utc is None else math.floor(utc),
        )

    def holds_more(self, started: TransactionStarted) -> bool:
        return bool(self._begun(started))

    def _begun(self, started: TransactionStarted) -> Book:
        (begun,) = (one for one in self._charging.transactions if one.local_id == started.local_id)
        return begin_transaction(self.data.book, begun.connector, begun.local_id, begun.id_tag)

    def holds_others(self, ended: TransactionEnded) -> bool:
        return bool(end_transaction(self.data.book, ended.local_id))

    def holds_awaited(self) -> bool:
        return bool(self._still_awaited())

    def _still_awaited(self) -> Book:
        book = self.data.book
        for number in {one.connector for one in book} - self._charging.intents:
            book = drop_awaiting(book, number)
        return book

    def was_holding(self, resumed: Resumed) -> bool:
        return bool(self._recalled(resumed))

    def _recalled(self, resumed: Resumed) -> Book:
        """What was kept, less the TxProfiles of transactions that are not there any more."""
        open_ = {0, *(one.local_id for one in self._charging.transactions)}
        return tuple(one for one in resumed.data.book if one.local_id in open_)

    # Actions

    def _hold(self, book: Book) -> None:
        if book != self.data.book:
            self.data = ChargingProfilesData(plan_of(book, self.data.plan.site), book)
            self.emit(LimitsChanged())

    def install(self, request: SetChargingProfile) -> None:
        outcome = self._outcome(request)
        assert not isinstance(outcome, Refusal)
        self.emit(Answer(set_answer(outcome)))
        self._hold(outcome)

    def refuse(self, request: SetChargingProfile) -> None:
        self.emit(Answer(set_answer(self._outcome(request))))

    def clear(self, request: ClearChargingProfile) -> None:
        left = clear(self.data.book, request)
        self.emit(Answer(clear_answer(self.data.book, left, request)))
        self._hold(left)

    def find_none(self, request: ClearChargingProfile) -> None:
        self.emit(Answer(clear_answer(self.data.book, self.data.book, request)))

    def tell(self, request: GetCompositeSchedule) -> None:
        now, keys, limits = self.facts.now, self.facts.keys, self.facts.settings.limits
        if now.utc is None:
            self.emit(Answer(GetCompositeScheduleConf(status=GetCompositeScheduleStatus.REJECTED)))
            return
        allowed = keys.charging_schedule_allowed_charging_rate_unit
        conf = schedule_answer(
            self.data.plan,
            situation(self._charging, now),
            request,
            preferred=UNITS[allowed[0] if allowed else "Current"],
            duration_max_s=limits.schedule_duration_max_s,
            periods_max=limits.schedule_periods_max,
        )
        self.emit(Answer(conf))

    def hold(self, brought: ProfileBrought) -> None:
        outcome = self._awaiting(brought)
        assert not isinstance(outcome, Refusal)
        self._hold(outcome)

    def begin(self, started: TransactionStarted) -> None:
        self._hold(self._begun(started))

    def end(self, ended: TransactionEnded) -> None:
        self._hold(end_transaction(self.data.book, ended.local_id))

    def drop(self) -> None:
        self._hold(self._still_awaited())

    def recall(self, resumed: Resumed) -> None:
        self._hold(self._recalled(resumed))

    def remember(self) -> InstalledProfiles:
        """All but what waits for a transaction: an idTag that waits is not kept either."""
        return InstalledProfiles(tuple(one for one in self.data.book if not one.is_waiting))
