"""What an exploration makes of a machine that was broken on purpose: each rule finds what it is about.

The faults are those of ``statecharge mutate``; ``statecharge explore --fault NAME`` shows the same with its trace.
"""

import pytest

from engine.exploration.work import faults
from engine.mutation.mutants import install
from engine.station_file import load
from machines import machine as base
from machines.delivery import Delivery
from machines.model.alphabet import NOW
from machines.model.alphabets import alphabets
from machines.model.explore import Explorer
from machines.model.places import station_for, ways
from machines.vocabulary.effects import Forget, Keep
from machines.vocabulary.ocpp import Reason, StopTransactionConf
from machines.vocabulary.transactions import Ended, TransactionMessage

STATION = load("full")
STATES = 2_500

FOUND = [
    pytest.param(
        "connector.Finishing.CableRemoved[!is_scheduled]:drop",
        "sessions",
        "TransitionMissing: Connector in 'Finishing' takes no CableRemoved()",
        6,
        id="a message without a transition",
    ),
    pytest.param(
        "connector.Preparing.EnergyRequested[has_transaction,is_supplied]:lose=StopTimer",
        "sessions",
        "connector/1 in 'Charging' still has a timer with VehicleResponseDue()",
        10,
        id="a timer without an owner",
    ),
    pytest.param(
        "connector.Charging.CableRemoved:target=Reserved",
        "sessions",
        "Reserved after Charging is not in the status table",
        10,
        id="a status that may not follow",
    ),
    pytest.param(
        "status_report.held.ConnectionOpened[is_accepted,differs]:flip=is_accepted",
        "registration",
        "StatusNotification sent while booting",
        2,
        id="a message before the registration",
    ),
    pytest.param(
        "delivery.sending.MessageDelivered:stuck=has_more=true",
        "delivery",
        "message 2 sent before those that come first",
        10,
        id="transaction messages out of order",
    ),
    pytest.param(
        "transaction.stopping.MeterRead[is_for_stop]:lose=TransactionMessageQueued",
        "sessions",
        "connector 1: transaction 1 is over, 0 times recorded",
        11,
        id="a transaction that is not on record",
    ),
    pytest.param(
        "transaction.idle.Resumed[was_open,!was_stopping,!may_resume]:target=starting",
        "power cuts",
        "connector 1: transaction 1 is lost, or another one came",
        10,
        id="a transaction that a power cut loses",
    ),
    pytest.param(
        "fault.clear.FaultRaised[prevents_charging]:action",
        "faults",
        "connector 1: a transaction started in a fault",
        13,
        id="a start in a fault",
    ),
    pytest.param(
        "delivery.sending.MessageFailed[is_head,is_call_error,!has_attempts,!has_more]/[is_head,!is_call_error]:swap",
        "delivery",
        "message 1 forgotten, and not settled",
        10,
        id="a transaction message that is given up after a time-out",
    ),
    pytest.param(
        "delivery.sending.MessageFailed[is_head,!is_call_error]:action",
        "delivery",
        "message 1 waits, and nobody sends it",
        10,
        id="a transaction message that is not sent any more",
    ),
    pytest.param(
        "connector_lock.unlocking.LockChanged[!is_locked]:lose=Answer",
        "remote",
        "connector_lock/1 owes an answer for ever",
        8,
        id="a CALL that is never answered",
    ),
    pytest.param(
        "connector_lock.unlocking.LockFailed:target=unlocking",
        "remote",
        "connector_lock/1 answers a CALL that waits for no answer",
        9,
        id="a CALL that is answered twice",
    ),
]
"""A fault, the alphabet that finds it, what is said, and the length of the shortest way there."""


@pytest.mark.parametrize(("fault", "alphabet", "said", "length"), FOUND)
def test_each_rule_finds_what_it_is_about(fault, alphabet, said, length, monkeypatch):
    machine, mutant = faults()[fault]
    monkeypatch.setattr(base, "rows", base.rows)
    monkeypatch.setattr(machine, "_table", base._compile(machine), raising=False)
    install(machine, mutant, {"": base})
    found = explored(alphabet)

    assert said in found.broken
    assert len(found.trace) == length


def test_a_message_that_is_sent_while_it_is_in_flight_is_found_out(monkeypatch):
    def send_again(self, queued):
        keep(self, queued)
        if self.state == "sending":
            self.send_head()

    keep = Delivery.keep
    replace_action(monkeypatch, Delivery, "keep", send_again)

    assert "message 1 sent while it is in flight" in explored("delivery").broken


def test_a_transaction_message_that_is_dropped_because_nobody_is_there_is_found_out(monkeypatch):
    def drop(self):
        stop_waiting(self)
        self.emit(Forget(self.data.head))

    stop_waiting = Delivery.stop_waiting
    replace_action(monkeypatch, Delivery, "stop_waiting", drop)

    assert "message 1 forgotten, and not settled" in explored("samples").broken


def test_an_end_that_is_recorded_again_later_is_found_out(monkeypatch):
    def end_again(self, delivered):
        settle(self, delivered)
        if isinstance(delivered.conf, StopTransactionConf):
            again = Ended(meter_stop=0, reason=Reason.LOCAL)
            self.emit(Keep(TransactionMessage(self.data.tail, delivered.local_id, NOW, again)))

    settle = Delivery.settle_last
    replace_action(monkeypatch, Delivery, "settle_last", end_again)

    assert "transaction 1 recorded as ended, which it did not" in explored("sessions").broken


def replace_action(monkeypatch, machine, name, action):
    """Let an action of ``machine`` be another one, also in its compiled table."""
    monkeypatch.setattr(machine, name, action)
    monkeypatch.setattr(machine, "_table", base._compile(machine), raising=False)


def explored(name):
    alphabet = alphabets((1,))[name]
    settings, keys = station_for(alphabet, STATION.settings, STATION.defaults, 1)
    explorer = Explorer(settings, STATION.keys, keys, alphabet, queue_max=alphabet.queue_max)
    for way in ways(alphabet, settings).values():
        found = explorer.explore(STATES, way)
        if found.broken:
            break
    return found
