"""The queue of transaction messages by itself: what is kept, sent, settled and given up."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from machines.delivery import Delivery, DeliveryData, MessageDelivered, MessageFailed, RetryDue
from machines.resumed import Resumed
from machines.vocabulary.effects import Deliver, Forget, Keep, Settle, StartTimer, StopTimer
from machines.vocabulary.notices import (
    IdTagLearnt,
    QueueEmptied,
    RegistrationAccepted,
    StartSettled,
    TransactionMessageQueued,
)
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    IdTagInfo,
    MeterValuesConf,
    Reason,
    StartTransactionConf,
    StopTransactionConf,
)
from machines.vocabulary.transactions import UNSETTLED, Began, Ended, Metered, TransactionMessage
from machines.vocabulary.wire import ConnectionClosed, ConnectionOpened, Failure
from tests.machines import alone
from tests.machines.alone import LIMITS, NOW, unmoved

KEYS = {"transaction_message_attempts": 3, "transaction_message_retry_interval": 60}
EMPTY = DeliveryData(head=5, tail=5, next_local_id=3)
ONE, TWO = replace(EMPTY, tail=6), replace(EMPTY, tail=7)
FULL = replace(EMPTY, tail=5 + LIMITS.queue_size_max)
"""No room for samples."""
INFO = IdTagInfo(status=AuthorizationStatus.ACCEPTED, expiry_date=datetime(2026, 2, 1, tzinfo=UTC))
START = Began(connector_id=1, id_tag="CARD", meter_start=10)
STOP = Ended(meter_stop=20, reason=Reason.LOCAL)
SAMPLE = Metered(1, ())
STARTED = StartTransactionConf(id_tag_info=INFO, transaction_id=77)


def told(state, message, data, **known):
    return alone.told(Delivery, state, data, message, number=0, keys=KEYS, **known)


def queued(body, local_id=3):
    return TransactionMessageQueued(local_id, NOW, body)


def kept(body, number, local_id=3):
    return Keep(TransactionMessage(number, local_id, NOW, body))


def failed(failure, number=5):
    return MessageFailed(number, 2, failure)


def delivered(conf, number=5, id_tag="CARD"):
    return MessageDelivered(number, 2, id_tag, conf)


SETTLED = [IdTagLearnt("CARD", INFO), Settle(2, 77), StartSettled(2, 77, INFO), Forget(5)]
"""What follows from StartTransaction.conf."""
NEXT, LAST = replace(TWO, head=6), replace(ONE, head=6)


# A new message


@pytest.mark.parametrize("state", ["held", "sending", "waiting"])
@pytest.mark.parametrize(("body", "next_local_id"), [(START, 4), (STOP, 3), (SAMPLE, 3)])
def test_a_message_goes_behind_those_that_wait(state, body, next_local_id):
    data = replace(TWO, next_local_id=next_local_id)
    assert told(state, queued(body), ONE) == (state, [kept(body, 6)], data)


def test_a_message_that_finds_nobody_before_it_is_sent_at_once():
    data = replace(ONE, next_local_id=4)
    assert told("idle", queued(START), EMPTY) == ("sending", [kept(START, 5), Deliver(5)], data)


@pytest.mark.parametrize("state", ["held", "sending", "waiting"])
def test_a_sample_that_finds_no_room_is_left_out_and_counted(state):
    assert told(state, queued(SAMPLE), FULL) == (state, [], replace(FULL, left_out=1))


@pytest.mark.parametrize("state", ["held", "sending", "waiting"])
def test_a_stop_always_finds_room(state):
    assert told(state, queued(STOP), FULL).emitted == [kept(STOP, FULL.tail)]


def test_a_message_that_is_kept_ends_the_row_of_those_left_out():
    assert told("held", queued(STOP), replace(ONE, left_out=4)).data == TWO


# The way to the Central System


@pytest.mark.parametrize("message", [RegistrationAccepted(60), ConnectionOpened()])
def test_what_waited_is_sent_when_the_way_is_free(message):
    assert told("held", message, TWO) == ("sending", [Deliver(5)], TWO)
    assert told("held", message, EMPTY) == unmoved("idle", EMPTY)


def test_before_registration_nothing_is_sent():
    assert told("held", ConnectionOpened(), TWO, is_accepted=False) == unmoved("held", TWO)


@pytest.mark.parametrize("state", ["held", "idle", "sending"])
def test_without_a_connection_everything_is_held(state):
    assert told(state, ConnectionClosed("gone"), TWO) == unmoved("held", TWO)


def test_without_a_connection_no_retry_is_waited_for():
    assert told("waiting", ConnectionClosed("gone"), TWO) == ("held", [StopTimer("retry")], TWO)


# The answer


def test_a_start_is_settled_and_the_next_message_sent():
    assert told("sending", delivered(STARTED), TWO) == ("sending", [*SETTLED, Deliver(6)], NEXT)


def test_the_last_message_leaves_the_queue_empty():
    assert told("sending", delivered(STARTED), ONE) == ("idle", [*SETTLED, QueueEmptied()], LAST)


def test_a_late_answer_settles_as_well_and_ends_the_wait():
    stopped = StopTimer("retry")
    assert told("waiting", delivered(STARTED), TWO) == ("sending", [stopped, *SETTLED, Deliver(6)], NEXT)
    assert told("waiting", delivered(STARTED), ONE) == ("idle", [stopped, *SETTLED, QueueEmptied()], LAST)


def test_an_answer_starts_the_count_of_attempts_anew():
    assert told("sending", delivered(STARTED), replace(TWO, failures=2)).data == NEXT


def test_a_stop_says_what_became_of_the_id_tag():
    conf = StopTransactionConf(id_tag_info=INFO)
    assert told("sending", delivered(conf), ONE).emitted == [
        IdTagLearnt("CARD", INFO),
        Forget(5),
        QueueEmptied(),
    ]


def test_nothing_is_learnt_where_nothing_is_said():
    assert told("sending", delivered(StopTransactionConf()), ONE).emitted == [Forget(5), QueueEmptied()]


def test_that_a_sample_was_answered_may_be_written_later():
    """Decision DL10."""
    assert told("sending", delivered(MeterValuesConf(), id_tag=""), ONE).emitted == [
        Forget(5, may_wait=True),
        QueueEmptied(),
    ]


@pytest.mark.parametrize("state", ["idle", "sending", "waiting"])
@pytest.mark.parametrize(
    "message", [delivered(STARTED, 4), failed(Failure.CALL_ERROR, 4), failed(Failure.TIMED_OUT, 4)]
)
def test_what_becomes_of_a_message_that_is_settled_changes_nothing(state, message):
    assert told(state, message, TWO) == unmoved(state, TWO)


# No answer


def test_a_call_error_counts_and_each_wait_is_longer():
    for failures in (0, 1):
        assert told("sending", failed(Failure.CALL_ERROR), replace(TWO, failures=failures)) == (
            "waiting",
            [StartTimer("retry", 60 * (failures + 1), RetryDue())],
            replace(TWO, failures=failures + 1),
        )


@pytest.mark.parametrize("failures", [0, 2])
def test_a_time_out_counts_nothing(failures):
    data = replace(TWO, failures=failures)
    wait = StartTimer("retry", 60 * max(1, failures), RetryDue())
    assert told("sending", failed(Failure.TIMED_OUT), data) == ("waiting", [wait], data)


def test_after_the_wait_it_is_sent_once_more():
    assert told("waiting", RetryDue(), TWO) == ("sending", [Deliver(5)], TWO)


def test_after_the_last_attempt_it_is_given_up_and_the_next_one_sent():
    tried = replace(TWO, failures=2)
    given_up = [Settle(2, UNSETTLED), Forget(5)]
    assert told("sending", failed(Failure.CALL_ERROR), tried) == ("sending", [*given_up, Deliver(6)], NEXT)
    assert told("sending", failed(Failure.CALL_ERROR), replace(tried, tail=6)) == (
        "idle",
        [*given_up, QueueEmptied()],
        LAST,
    )


# After a restart


def test_the_queue_outlives_a_restart():
    assert told("held", Resumed("sending", TWO), DeliveryData()) == unmoved("held", TWO)
