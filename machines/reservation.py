"""One connector's reservation, or with number 0 that of any one connector, from ReserveNow to its end.

OCPP 1.6 edition 2: 3.11 Reservations, 5.13 Reserve Now, 5.1 Cancel Reservation, rows A7, G1 and G8 of the status table
in 4.9. A reservation ends in one of four ways: a transaction of its holder starts, expiryDate is reached, it is
cancelled, or the connector is Faulted (unless the station declares that it outlasts faults) or Unavailable. Until then the connector is kept, whatever its status: a use of
the holder that comes to nothing leaves it Reserved again.

Reserving connector 0 of a station with several connectors guarantees one of them (:class:`machines.places.Places`). On a
station with one connector it means that one, so that this is served by its own machine and shows Reserved.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, StartTimer, StopTimer
from machines.vocabulary.notices import (
    BecameFaulted,
    BecameInoperative,
    ReservationEnded,
    ReservationMoved,
    Reserved,
    TimeLearnt,
    TransactionStarted,
    UseEnded,
)
from machines.vocabulary.ocpp import (
    CancelReservation,
    CancelReservationConf,
    CancelReservationStatus,
    ChargePointStatus,
    ReservationStatus,
    ReserveNow,
    ReserveNowConf,
)
from machines.vocabulary.tags import is_group, is_same

EXPIRY = "expiry"


class ExpiryDue(Struct, frozen=True):
    """The expiryDate of the reservation is now."""


class ReservationData(Struct, frozen=True):
    """The reservation that is held."""

    reservation_id: int = 0
    id_tag: str = ""
    parent_id_tag: str | None = None
    expires: float = 0.0
    """POSIX s."""
    length_s: float = 0.0
    """From ReserveNow to its end: how long it lasts at most while nobody tells the time of day."""

    def is_held_by(self, id_tag: str, parent_id_tag: str | None) -> bool:
        """Whether the idTag may use it: its holder, or one of the same group (5.13)."""
        return is_same(id_tag, self.id_tag) or is_group(parent_id_tag, self.parent_id_tag)


def _offers_reservation(facts: Facts) -> bool:
    """Whether the profile is on: where SupportedFeatureProfiles is declared it says so, else ReserveNow itself."""
    is_silent = facts.key_set.find("SupportedFeatureProfiles") is None
    return is_silent or "Reservation" in facts.keys.supported_feature_profiles


def answer_to(request: ReserveNow, facts: Facts, held: ReservationData | None) -> ReservationStatus:
    """Decide on ``request`` in the order of facts 7; ``held`` is the reservation that this machine holds."""
    utc, places, wanted = facts.now.utc, facts.places, request.reservation_id
    if not _offers_reservation(facts):
        return ReservationStatus.REJECTED
    if request.connector_id == 0 and not facts.keys.reserve_connector_zero_supported:
        return ReservationStatus.REJECTED
    if request.connector_id > places.count or utc is None or request.expiry_date.timestamp() <= utc:
        return ReservationStatus.REJECTED
    is_same_use = facts.transaction == "idle" or (held is not None and is_same(request.id_tag, held.id_tag))
    if held is not None and held.reservation_id == wanted and is_same_use:
        return ReservationStatus.ACCEPTED
    if facts.number == 0:
        if facts.is_faulted or len(places.faulted) == places.count:
            return ReservationStatus.FAULTED
        if not facts.is_operative or not places.is_usable:
            return ReservationStatus.UNAVAILABLE
        has_room = held is None and bool(places.free_for(wanted))
    else:
        if facts.is_faulted:
            return ReservationStatus.FAULTED
        if facts.status is ChargePointStatus.UNAVAILABLE:
            return ReservationStatus.UNAVAILABLE
        has_room = facts.number in places.free_for(wanted) and places.leaves_one(facts.number, wanted)
    return ReservationStatus.ACCEPTED if has_room else ReservationStatus.OCCUPIED


class Reservation(Machine[ReservationData, Facts]):
    """A reservation."""

    memory = ReservationData
    messages = (
        ReserveNow,
        CancelReservation,
        TransactionStarted,
        ReservationMoved,
        ExpiryDue,
        TimeLearnt,
        BecameFaulted,
        BecameInoperative,
        UseEnded,
        Resumed,
    )

    free = State("Free", value="free", initial=True)
    held = State("Held", value="held")

    # fmt: off
    # ReserveNow.req
    free.to(free, event=when(ReserveNow,         "5.13 Rejected, decision RV1"),      cond="is_rejected",               on="refuse")
    free.to(free, event=when(ReserveNow,         "5.13 Faulted"),                     cond="is_faulted",                on="refuse")
    free.to(free, event=when(ReserveNow,         "5.13 Unavailable"),                 cond="is_unavailable",            on="refuse")
    free.to(free, event=when(ReserveNow,         "5.13 Occupied"),                    cond="is_occupied",               on="refuse")
    free.to(held, event=when(ReserveNow,         "5.13 Accepted, 4.9 A7"),            cond="is_accepted",               on="begin")
    held.to(held, event=when(ReserveNow,         "5.13 Rejected, decision RV1"),      cond="is_rejected",               on="refuse")
    held.to(held, event=when(ReserveNow,         "5.13 Faulted"),                     cond="is_faulted",                on="refuse")
    held.to(held, event=when(ReserveNow,         "5.13 Unavailable"),                 cond="is_unavailable",            on="refuse")
    held.to(held, event=when(ReserveNow,         "5.13 Occupied"),                    cond="is_occupied",               on="refuse")
    held.to(held, event=when(ReserveNow,         "5.13 the same reservationId: replaced"), cond="is_accepted",          on="replace")
    # CancelReservation.req
    free.to(free, event=when(CancelReservation,  "5.1 no such reservation"),                                            on="refuse_cancelling")
    held.to(held, event=when(CancelReservation,  "5.1 no such reservation"),          unless="is_this",                 on="refuse_cancelling")
    held.to(free, event=when(CancelReservation,  "5.1 Accepted, 4.9 G1"),             cond="is_this",                   on="cancel")
    # A transaction
    held.to(free, event=when(TransactionStarted, "5.13 used by its holder"),          cond="uses_reservation",          on="use")
    held.to(held, event=when(TransactionStarted, "5.13 not for this reservation"),    unless="uses_reservation")
    free.to(free, event=when(TransactionStarted, "5.13 the holder of connector 0"),   cond="uses_reservation",          on="use_that_of_station")
    free.to(free, event=when(TransactionStarted, "5.13 no reservation"),              unless="uses_reservation")
    # Its holder got it, or keeps it, elsewhere
    held.to(free, event=when(ReservationMoved,   "5.13 replaced or used elsewhere"),  cond=["is_this", "is_elsewhere"], on="end")
    held.to(held, event=when(ReservationMoved,   "5.13 this one"),                    cond="is_this", unless="is_elsewhere")
    held.to(held, event=when(ReservationMoved,   "5.13 another reservation"),         unless="is_this")
    # expiryDate
    held.to(free, event=when(ExpiryDue,          "5.13 expiryDate, 4.9 G1"),                                            on="end")
    held.to(free, event=when(TimeLearnt,         "5.13 expiryDate has passed, decision RV4"), cond="is_over",           on="end")
    held.to(held, event=when(TimeLearnt,         "5.13 expiryDate by the new time, decision RV4"), unless="is_over",    on="await_expiry")
    # The connector
    held.to(free, event=when(BecameFaulted,      "5.13 Faulted"),                     cond="is_lost",                   on="end")
    held.to(held, event=when(BecameFaulted,      "5.13 a fault elsewhere, or decision RV8"), unless="is_lost")
    held.to(free, event=when(BecameInoperative,  "5.13 Unavailable, 4.9 G8"),         cond="is_lost",                   on="end")
    held.to(held, event=when(BecameInoperative,  "5.13 another connector is in service"), unless="is_lost")
    held.to(held, event=when(UseEnded,           "4.9 A7, decision RV3"),             cond="is_free_again",             on="keep")
    held.to(held, event=when(UseEnded,           "5.13 out of service"),              unless="is_free_again")
    # After a restart
    free.to(free, event=when(Resumed,            "nothing was held"),                 unless="was_held")
    free.to(held, event=when(Resumed,            "decision RV4"),                     cond="was_held",                   on="recall")
    # fmt: on

    stays(ReservationMoved, "nothing is held", free)
    stays(TimeLearnt, "nothing is held", free)
    stays(BecameFaulted, "nothing is held", free)
    stays(BecameInoperative, "nothing is held", free)
    stays(UseEnded, "nothing is held", free)

    exclusive = (("is_rejected", "is_faulted", "is_unavailable", "is_occupied", "is_accepted"),)
    impossible: ClassVar = {
        ("free", ExpiryDue): "its timer runs only while a reservation is held",
        ("held", Resumed): "told first",
    }

    # Guards: ReserveNow

    def is_rejected(self, request: ReserveNow) -> bool:
        return self._answer_to(request) is ReservationStatus.REJECTED

    def is_faulted(self, request: ReserveNow) -> bool:
        return self._answer_to(request) is ReservationStatus.FAULTED

    def is_unavailable(self, request: ReserveNow) -> bool:
        return self._answer_to(request) is ReservationStatus.UNAVAILABLE

    def is_occupied(self, request: ReserveNow) -> bool:
        return self._answer_to(request) is ReservationStatus.OCCUPIED

    def is_accepted(self, request: ReserveNow) -> bool:
        return self._answer_to(request) is ReservationStatus.ACCEPTED

    def _answer_to(self, request: ReserveNow) -> ReservationStatus:
        return answer_to(request, self.facts, self.data if self.state == "held" else None)

    # Guards: the rest

    def is_this(self, named: CancelReservation | ReservationMoved) -> bool:
        return named.reservation_id == self.data.reservation_id

    def is_elsewhere(self, moved: ReservationMoved) -> bool:
        return moved.number != self.facts.number

    def uses_reservation(self, started: TransactionStarted) -> bool:
        # One that goes on after a power cut began before any reservation that stands now.
        return not started.resumed and self.facts.reservation_id is not None

    def is_over(self, learnt: TimeLearnt) -> bool:
        return learnt.utc >= self.data.expires

    def is_lost(self) -> bool:
        facts = self.facts
        if not facts.is_operative and not facts.is_scheduled:
            return True
        places, outlasts = facts.places, facts.settings.reservations_outlast_faults
        if facts.number:
            return facts.is_faulted and not outlasts
        is_any_left = len(places.unavailable) < places.count if outlasts else places.is_usable
        return not is_any_left or (facts.is_faulted and not outlasts)

    def is_free_again(self) -> bool:
        return self.facts.status is ChargePointStatus.AVAILABLE and not self.is_lost()

    def was_held(self, resumed: Resumed) -> bool:
        return resumed.state == "held"

    # Actions: ReserveNow

    def refuse(self, request: ReserveNow) -> None:
        self.emit(Answer(ReserveNowConf(status=self._answer_to(request))))

    def begin(self, request: ReserveNow) -> None:
        self.replace(request)
        self.emit(ReservationMoved(request.reservation_id, self.facts.number), Reserved())

    def replace(self, request: ReserveNow) -> None:
        utc, expires = self.facts.now.utc, request.expiry_date.timestamp()
        assert utc is not None, "Rejected"
        self.data = ReservationData(
            request.reservation_id, request.id_tag, request.parent_id_tag, expires, expires - utc
        )
        self.emit(
            Answer(ReserveNowConf(status=ReservationStatus.ACCEPTED)),
            StartTimer(EXPIRY, expires - utc, ExpiryDue()),
        )

    # Actions: the end

    def refuse_cancelling(self) -> None:
        self.emit(Answer(CancelReservationConf(status=CancelReservationStatus.REJECTED)))

    def cancel(self) -> None:
        self.emit(Answer(CancelReservationConf(status=CancelReservationStatus.ACCEPTED)))
        self.end()

    def use(self) -> None:
        self.data = ReservationData()
        self.emit(StopTimer(EXPIRY))

    def use_that_of_station(self) -> None:
        used = self.facts.reservation_id
        assert used is not None
        self.emit(ReservationMoved(used, self.facts.number))

    def end(self) -> None:
        ended = self.data.reservation_id
        self.use()
        self.emit(ReservationEnded(ended))

    # Actions: while it is held

    def await_expiry(self, learnt: TimeLearnt) -> None:
        self.emit(StartTimer(EXPIRY, self.data.expires - learnt.utc, ExpiryDue()))

    def keep(self) -> None:
        self.emit(Reserved())

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data
        # Nobody has told the time of day yet; once somebody does, expiryDate counts.
        self.emit(StartTimer(EXPIRY, self.data.length_s, ExpiryDue()), Reserved())
