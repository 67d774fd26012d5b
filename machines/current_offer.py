"""The current that one connector offers: as much as all limits allow, and no more often another than a vehicle follows.

OCPP 1.6 edition 2: 3.13.2 to 3.13.4, 4.9 C5 D5 for what the status shows; IEC 61851-1 table A.6: a vehicle may take 5 s
to follow, so the offer rises no sooner than that after its latest change, and falls at once to what it can then keep
for so long. Only a limit that nobody knew of beforehand makes it fall again within that time (decision SC11).

Time brings changes by a timer, at the next boundary of the schedule: every connector looks then, so that what one gives
up and another gets changes hands in one step. What each limit is stands in machines/smart_charging/; the reasons why a
connector offers nothing at all are looked at elsewhere (machines/view.py).
"""

from typing import ClassVar, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.smart_charging.moment import clock_s, offer_at
from machines.smart_charging.schedule import HOLD_S
from machines.vocabulary.effects import Instant, StartTimer, StopTimer
from machines.vocabulary.notices import (
    KeyChanged,
    LimitsChanged,
    OfferBegan,
    OfferEnded,
    PhasesWanted,
    SupplyAllowed,
    TimeLearnt,
    TransactionEnded,
    TransactionStarted,
)

BOUNDARY = "boundary"
RISE = "rise"
WAIT_MIN_S = 0.001
"""A timer that rounding let fire too early is started once more."""


class BoundaryDue(Struct, frozen=True):
    """The schedule says something else from now on."""


class RiseDue(Struct, frozen=True):
    """The offer has stood long enough to rise."""


class CurrentOfferData(Struct, frozen=True):
    """What is offered to the transaction."""

    local_id: int = 0
    offered_a: float = 0.0
    """Per phase; 0 is a pause."""
    phases: int = 0
    """That it may be offered on."""
    changed_s: float = -HOLD_S
    """When it changed last for the vehicle, monotonic."""


class Decision(NamedTuple):
    """What comes of the limits as they are."""

    offered_a: float
    phases: int
    is_waiting: bool
    """More is allowed, and offered once the present offer has stood long enough."""
    boundary_s: float | None
    """After how many seconds to look again."""


Looked = LimitsChanged | KeyChanged | TimeLearnt | TransactionStarted | TransactionEnded | RiseDue


class CurrentOffer(Machine[CurrentOfferData, Facts]):
    """The offer of a connector to its transaction."""

    messages = (
        TransactionStarted,
        TransactionEnded,
        LimitsChanged,
        KeyChanged,
        TimeLearnt,
        SupplyAllowed,
        BoundaryDue,
        RiseDue,
    )

    idle = State("Idle", value="idle", initial=True)
    steady = State("Steady", value="steady")
    waiting = State("Waiting", value="waiting")

    # fmt: off
    idle.to(steady,     event=when(TransactionStarted, "3.13.2"),                              cond="is_mine",                                   on="begin")
    idle.to(idle,       event=when(TransactionStarted, "of another connector"),                unless="is_mine")
    # As much as the limits allow
    steady.to(waiting,  event=when(LimitsChanged,      "3.13.2 more, but not yet"),            cond="must_wait",                                 on="follow")
    steady.to(steady,   event=when(LimitsChanged,      "3.13.2"),                              unless="must_wait",                               on="follow")
    steady.to(waiting,  event=when(TransactionStarted, "3.13.1 more, but not yet"),            cond="must_wait",                                 on="follow")
    steady.to(steady,   event=when(TransactionStarted, "3.13.1 another shares the limit"),     unless="must_wait",                               on="follow")
    steady.to(waiting,  event=when(TransactionEnded,   "3.13.1 more, but not yet"),            cond="must_wait", unless="is_over",               on="follow")
    steady.to(steady,   event=when(TransactionEnded,   "3.13.1 one shares the limit no more"), unless=["must_wait", "is_over"],                  on="follow")
    steady.to(waiting,  event=when(KeyChanged,         "9.1 more, but not yet"),               cond=["is_of_current", "must_wait"],              on="follow")
    steady.to(steady,   event=when(KeyChanged,         "9.1 ConnectorMaximumCurrent"),         cond="is_of_current", unless="must_wait",         on="follow")
    steady.to(waiting,  event=when(TimeLearnt,         "3.13.2 more, but not yet"),            cond="must_wait",                                 on="follow")
    steady.to(steady,   event=when(TimeLearnt,         "3.13.2 where the schedule is"),        unless="must_wait",                               on="follow")
    steady.to(steady,   event=when(BoundaryDue,        "3.13.2 the next period, or turn"),                                                       on="tell")
    # More than is offered, once that has stood for 5 s
    waiting.to(steady,  event=when(RiseDue,            "IEC 61851-1 A.6"),                                                                       on="rise")
    waiting.to(waiting, event=when(LimitsChanged,      "3.13.2 more, but not yet"),            cond="must_wait",                                 on="follow")
    waiting.to(steady,  event=when(LimitsChanged,      "3.13.2"),                              unless="must_wait",                               on="follow")
    waiting.to(waiting, event=when(TransactionStarted, "3.13.1 more, but not yet"),            cond="must_wait",                                 on="follow")
    waiting.to(steady,  event=when(TransactionStarted, "3.13.1 another shares the limit"),     unless="must_wait",                               on="follow")
    waiting.to(waiting, event=when(TransactionEnded,   "3.13.1 more, but not yet"),            cond="must_wait", unless="is_over",               on="follow")
    waiting.to(steady,  event=when(TransactionEnded,   "3.13.1 one shares the limit no more"), unless=["must_wait", "is_over"],                  on="follow")
    waiting.to(waiting, event=when(KeyChanged,         "9.1 more, but not yet"),               cond=["is_of_current", "must_wait"],              on="follow")
    waiting.to(steady,  event=when(KeyChanged,         "9.1 ConnectorMaximumCurrent"),         cond="is_of_current", unless="must_wait",         on="follow")
    waiting.to(waiting, event=when(TimeLearnt,         "3.13.2 more, but not yet"),            cond="must_wait",                                 on="follow")
    waiting.to(steady,  event=when(TimeLearnt,         "3.13.2 where the schedule is"),        unless="must_wait",                               on="follow")
    waiting.to(waiting, event=when(BoundaryDue,        "3.13.2 the next period, or turn"),                                                       on="tell")
    # What was withheld for another reason stands again: for the vehicle that is a change
    steady.to(steady,   event=when(SupplyAllowed,      "IEC 61851-1 A.6"),                                                                       on="note")
    waiting.to(waiting, event=when(SupplyAllowed,      "IEC 61851-1 A.6"),                                                                       on="wait_anew")
    # The end
    steady.to(idle,     event=when(TransactionEnded,   "3.13.1"),                              cond="is_over",                                   on="end")
    waiting.to(idle,    event=when(TransactionEnded,   "3.13.1"),                              cond="is_over",                                   on="end")
    steady.to(steady,   event=when(KeyChanged,         "another key"),                         unless="is_of_current")
    waiting.to(waiting, event=when(KeyChanged,         "another key"),                         unless="is_of_current")
    # fmt: on

    stays(TransactionEnded, "no transaction runs here", idle)
    stays(LimitsChanged, "no transaction runs here", idle)
    stays(KeyChanged, "no transaction runs here", idle)
    stays(TimeLearnt, "no transaction runs here", idle)
    stays(SupplyAllowed, "no transaction runs here", idle)

    impossible: ClassVar = {
        ("idle", BoundaryDue): "its timer ends with the transaction",
        ("idle", RiseDue): "its timer ends with the transaction",
        ("steady", RiseDue): "its timer runs only while waiting",
    }

    # Guards

    def is_mine(self, started: TransactionStarted) -> bool:
        return started.local_id == self.facts.local_id

    def is_over(self, ended: TransactionEnded) -> bool:
        return ended.local_id == self.data.local_id

    def is_of_current(self, changed: KeyChanged) -> bool:
        return changed.attribute == "connector_maximum_current"

    def must_wait(self, looked: Looked) -> bool:
        # When its own transaction is over, there is nothing left to decide about.
        is_end = isinstance(looked, TransactionEnded) and self.is_over(looked)
        return not is_end and self._decide(looked).is_waiting

    # The decision

    def _decide(self, looked: Looked) -> Decision:
        now, charging, offered_a = self.facts.now, self.facts.charging, self.data.offered_a
        assert charging is not None
        if isinstance(looked, TimeLearnt):
            now = Instant(now.boot, now.seconds, looked.utc)
        found = offer_at(charging, self.facts.number, now)
        boundary_s = None
        if found.until_s is not None:
            boundary_s = max(WAIT_MIN_S, found.until_s - clock_s(now))
        if found.limit_a < offered_a:
            return Decision(found.lasting_a, found.phases, False, boundary_s)
        if found.lasting_a <= offered_a:
            return Decision(offered_a, found.phases, False, boundary_s)
        # The timer says so better than two clocks that are compared.
        is_waiting = self._stands_s() < HOLD_S and not isinstance(looked, RiseDue)
        return Decision(offered_a if is_waiting else found.lasting_a, found.phases, is_waiting, boundary_s)

    def _stands_s(self) -> float:
        """For how long the offer has been what it is."""
        return self.facts.now.seconds - self.data.changed_s

    # Actions

    def begin(self, started: TransactionStarted) -> None:
        phases = self._decide(started).phases
        changed_s = self.facts.now.seconds - HOLD_S
        self.data = CurrentOfferData(local_id=started.local_id, phases=phases, changed_s=changed_s)
        self.emit(OfferBegan(phases))
        self.follow(started)

    def follow(self, looked: Looked) -> None:
        decision = self._decide(looked)
        if decision.boundary_s is None:
            self.emit(StopTimer(BOUNDARY))
        else:
            self.emit(StartTimer(BOUNDARY, decision.boundary_s, BoundaryDue()))
        if decision.is_waiting:
            self.emit(StartTimer(RISE, max(WAIT_MIN_S, HOLD_S - self._stands_s()), RiseDue()))
        else:
            self.emit(StopTimer(RISE))
        if decision.phases != self.data.phases:
            self.data = replace(self.data, phases=decision.phases)
            self.emit(PhasesWanted(decision.phases))
        if decision.offered_a != self.data.offered_a:
            self.data = replace(self.data, offered_a=decision.offered_a, changed_s=self.facts.now.seconds)

    def note(self) -> None:
        self.data = replace(self.data, changed_s=self.facts.now.seconds)

    def wait_anew(self) -> None:
        self.note()
        self.emit(StartTimer(RISE, HOLD_S, RiseDue()))

    def rise(self, due: RiseDue) -> None:
        self.follow(due)
        self.tell()

    def tell(self) -> None:
        """Let every connector look, this one too: together they may draw no more than they share at any instant."""
        self.emit(LimitsChanged())

    def end(self) -> None:
        self.data = CurrentOfferData()
        self.emit(StopTimer(BOUNDARY), StopTimer(RISE), OfferEnded())
