"""The current that one connector offers, by itself: it falls at once and rises once it has stood for 5 s."""

import pytest
from msgspec.structs import replace

from machines.current_offer import BOUNDARY, RISE, BoundaryDue, CurrentOffer, CurrentOfferData, RiseDue
from machines.smart_charging.moment import Begun, Charging
from machines.smart_charging.prepare import plan_of
from machines.smart_charging.schedule import HOLD_S, LOOK_AHEADS_S
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
from tests.machines import alone
from tests.machines.alone import NOW, quiet, some, unmoved
from tests.smart_charging.payloads import payload
from tests.smart_charging.setting import booked, site

NOW_S = int(NOW.utc)
MINE = Begun(connector=1, local_id=4, transaction_id=7, id_tag="CARD", started_at=NOW, is_ending=False)
IDLE = CurrentOfferData()
STOOD_S = 2.0
TEN = CurrentOfferData(local_id=4, offered_a=10.0, phases=3, changed_s=NOW.seconds - STOOD_S)
"""10 A, since 2 s."""
LONG = replace(TEN, changed_s=NOW.seconds - HOLD_S)
"""10 A, for long enough to rise."""
WAIT = StartTimer(RISE, HOLD_S - STOOD_S, RiseDue())
NO_BOUNDARY, NO_RISE = StopTimer(BOUNDARY), StopTimer(RISE)
SOME_TIME = StartTimer(BOUNDARY, float(LOOK_AHEADS_S[-1]), BoundaryDue())
"""A profile is there, and nothing changes as far as it is looked ahead."""

LOOKS = [
    LimitsChanged(),
    TransactionStarted(5),
    TransactionEnded(5),
    KeyChanged("connector_maximum_current"),
    TimeLearnt(NOW.utc),
]
"""What makes it look at the limits again."""

EVERY_LOOK = pytest.mark.parametrize("message", LOOKS, ids=lambda message: type(message).__name__)
IN_USE = pytest.mark.parametrize("state", ["steady", "waiting"])


def told(state, message, data=TEN, ceiling_a=16.0, profiles=(), *, can_switch=False, local_id=4):
    book = booked(*profiles, now_s=NOW_S)
    charging = Charging(
        plan=plan_of(book, site(3, 3, can_switch=can_switch)),
        book=book,
        transactions=(MINE,),
        intents=frozenset(),
        ceilings_a=(ceiling_a, 16.0),
        installation_a=None,
    )
    return alone.told(CurrentOffer, state, data, message, charging=charging, local_id=local_id)


def offering(amperes, phases=3):
    """So much, since now."""
    return CurrentOfferData(local_id=4, offered_a=amperes, phases=phases, changed_s=NOW.seconds)


IN_OFFER = {
    *(BoundaryDue, KeyChanged, LimitsChanged, SupplyAllowed),
    *(TimeLearnt, TransactionEnded, TransactionStarted),
}
MATTERS = {"idle": {TransactionStarted}, "steady": IN_OFFER, "waiting": IN_OFFER | {RiseDue}}


@pytest.mark.parametrize(("state", "message"), quiet(CurrentOffer, MATTERS))
def test_what_does_not_matter_changes_nothing(state, message):
    assert told(state, some(message), IDLE) == unmoved(state, IDLE)


def test_a_transaction_is_offered_what_is_allowed_at_once():
    begun = ("steady", [OfferBegan(3), NO_BOUNDARY, NO_RISE], offering(16.0))
    assert told("idle", TransactionStarted(4), IDLE) == begun


def test_a_transaction_is_offered_what_its_schedule_says_until_that_says_otherwise():
    schedule = payload("default", {0: 8, 60: 10}, start_s=NOW_S)
    looks_again = StartTimer(BOUNDARY, 60.0, BoundaryDue())
    begun = ("steady", [OfferBegan(3), looks_again, NO_RISE], offering(8.0))
    assert told("idle", TransactionStarted(4), IDLE, profiles=(schedule,)) == begun


def test_the_transaction_of_another_connector_is_offered_nothing_here():
    assert told("idle", TransactionStarted(5), IDLE) == unmoved("idle", IDLE)


@IN_USE
@EVERY_LOOK
def test_a_lower_limit_holds_at_once(state, message):
    assert told(state, message, ceiling_a=8.0) == ("steady", [NO_BOUNDARY, NO_RISE], offering(8.0))


@IN_USE
@EVERY_LOOK
def test_a_higher_limit_waits_until_the_offer_has_stood_for_5_s(state, message):
    assert told(state, message) == ("waiting", [NO_BOUNDARY, WAIT], TEN)
    assert told(state, message, LONG) == ("steady", [NO_BOUNDARY, NO_RISE], offering(16.0))


@IN_USE
@EVERY_LOOK
def test_the_same_limit_ends_the_wait(state, message):
    assert told(state, message, ceiling_a=10.0) == ("steady", [NO_BOUNDARY, NO_RISE], TEN)


@IN_USE
@EVERY_LOOK
def test_it_looks_again_at_the_next_boundary(state, message):
    schedule = payload("default", {0: 10, 60: 12}, start_s=NOW_S)
    looks_again = StartTimer(BOUNDARY, 60.0, BoundaryDue())
    assert told(state, message, profiles=(schedule,)) == ("steady", [looks_again, NO_RISE], TEN)


@IN_USE
@EVERY_LOOK
def test_other_phases_are_wanted_at_once_even_where_the_current_waits(state, message):
    single = payload("default", {0: 12}, start_s=NOW_S, phases=1)
    emitted = [SOME_TIME, WAIT, PhasesWanted(1)]
    after = told(state, message, profiles=(single,), can_switch=True)
    assert after == ("waiting", emitted, replace(TEN, phases=1))
    lower = payload("default", {0: 8}, start_s=NOW_S, phases=1)
    emitted = [SOME_TIME, NO_RISE, PhasesWanted(1)]
    after = told(state, message, profiles=(lower,), can_switch=True)
    assert after == ("steady", emitted, offering(8.0, phases=1))


def test_when_the_wait_is_over_it_rises():
    """The timer says so better than two clocks that are compared."""
    risen = ("steady", [NO_BOUNDARY, NO_RISE, LimitsChanged()], offering(16.0))
    assert told("waiting", RiseDue()) == risen
    schedule = payload("default", {0: 12, 60: 20}, start_s=NOW_S)
    looks_again = StartTimer(BOUNDARY, 60.0, BoundaryDue())
    assert told("waiting", RiseDue(), profiles=(schedule,)) == (
        "steady",
        [looks_again, NO_RISE, LimitsChanged()],
        offering(12.0),
    )
    single = payload("default", {0: 12}, start_s=NOW_S, phases=1)
    emitted = [SOME_TIME, NO_RISE, PhasesWanted(1), LimitsChanged()]
    risen = ("steady", emitted, offering(12.0, phases=1))
    assert told("waiting", RiseDue(), profiles=(single,), can_switch=True) == risen


def test_what_was_withheld_for_another_reason_is_a_change_when_it_stands_again():
    noted = replace(TEN, changed_s=NOW.seconds)
    assert told("steady", SupplyAllowed()) == ("steady", [], noted)
    assert told("waiting", SupplyAllowed()) == ("waiting", [StartTimer(RISE, HOLD_S, RiseDue())], noted)


@IN_USE
def test_at_a_boundary_every_connector_looks(state):
    """This one too: what one gives up and another gets changes hands in one step."""
    assert told(state, BoundaryDue()) == (state, [LimitsChanged()], TEN)


def test_without_the_time_of_day_it_looks_again_when_it_is_the_next_ones_turn():
    timeless = Instant(1, 890.0, None)
    charging = Charging(
        plan=plan_of((), site(3, 3)),
        book=(),
        transactions=(MINE, replace(MINE, connector=2, local_id=5)),
        intents=frozenset(),
        ceilings_a=(16.0, 16.0),
        installation_a=8.0,
    )
    looks_again = StartTimer(BOUNDARY, 10.0, BoundaryDue())
    after = alone.told(
        CurrentOffer, "steady", TEN, LimitsChanged(), charging=charging, local_id=4, now=timeless
    )
    assert after.emitted == [looks_again, NO_RISE]
    assert after.data.offered_a == 8.0


@IN_USE
def test_it_ends_with_its_transaction(state):
    ended = ("idle", [NO_BOUNDARY, NO_RISE, OfferEnded()], IDLE)
    assert told(state, TransactionEnded(4)) == ended
    assert told(state, TransactionEnded(4), LONG) == ended


@IN_USE
def test_another_key_changes_nothing(state):
    assert told(state, KeyChanged("heartbeat_interval")) == unmoved(state, TEN)


def test_the_end_is_told_when_the_transaction_is_gone_also_without_the_time_of_day():
    """The station was never told the time, and by then no transaction is known."""
    charging = Charging(
        plan=plan_of((), site(3, 3)),
        book=(),
        transactions=(),
        intents=frozenset(),
        ceilings_a=(16.0, 16.0),
        installation_a=None,
    )
    now = Instant(NOW.boot, NOW.seconds)
    found = alone.told(CurrentOffer, "steady", TEN, TransactionEnded(4), charging=charging, now=now)
    assert (found.state, found.emitted[-1]) == ("idle", OfferEnded())
