"""The machine by itself. What must hold of every machine is asked of it as of those of the product."""

import pytest

from engine.diagrams.picture import picture
from examples.machine.overstay import GRACE_S, OVERSTAY, Overstay, OverstayDue
from machines.machine import NoData
from machines.vocabulary.effects import Call, StartTimer, StopTimer
from machines.vocabulary.notices import TransactionEnded, TransactionStarted, VehicleDisconnected
from machines.vocabulary.ocpp import DataTransfer, Reason
from tests.machines import alone, test_every_machine

NOTHING = NoData()
ENDED = TransactionEnded(1, Reason.LOCAL)
STARTED = TransactionStarted(2)
GONE = VehicleDisconnected()


def told(state, message, **known):
    return alone.told(Overstay, state, NOTHING, message, number=2, **known)


def test_when_a_transaction_ends_the_vehicle_has_time_to_leave():
    assert told("away", ENDED, is_connected=True) == (
        "leaving",
        [StartTimer(OVERSTAY, GRACE_S, OverstayDue())],
        NOTHING,
    )
    assert told("away", ENDED, is_connected=False) == ("away", [], NOTHING)


@pytest.mark.parametrize("message", [GONE, STARTED])
def test_who_leaves_or_charges_again_in_time_is_not_told_of(message):
    assert told("leaving", message) == ("away", [StopTimer(OVERSTAY)], NOTHING)


def test_who_stays_is_told_of_once():
    call = Call(DataTransfer(vendor_id="org.example", message_id="Overstay", data="2"))

    assert told("leaving", OverstayDue()) == ("overstaying", [call], NOTHING)
    assert told("overstaying", GONE) == ("away", [], NOTHING)


@pytest.mark.parametrize(
    "check",
    [
        test_every_machine.test_every_state_takes_every_message_in_exactly_one_way,
        test_every_machine.test_every_row_cites_a_clause_or_a_reason,
        test_every_machine.test_guards_and_actions_take_the_message_of_their_row,
        test_every_machine.test_guards_answer_and_actions_do_not,
        test_every_machine.test_it_uses_no_feature_that_waits_or_hides,
    ],
)
def test_it_is_a_machine_as_every_other(check):
    check(Overstay)


def test_it_is_drawn():
    drawn = picture("overstay", Overstay)

    assert [box.name for box in drawn.boxes] == ["Away", "Leaving", "Overstaying"]
