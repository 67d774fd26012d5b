"""Delivery of transaction messages: one at a time, in order, for as long as it takes.

OCPP 1.6 edition 2: 3.7 Transactions and the queue, 9.1 TransactionMessageAttempts and
TransactionMessageRetryInterval; errata v4 to 3.7 for transactionId -1. The messages lie in the store, numbered in
the order in which they happened; this machine holds only the first and the next number. Only a failure of the Central
System to process a message counts as an attempt. An outage, a time-out or a lost socket never does.
"""

from math import inf
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Deliver, Forget, Keep, Settle, StartTimer, StopTimer
from machines.vocabulary.notices import (
    IdTagLearnt,
    QueueEmptied,
    RegistrationAccepted,
    StartSettled,
    TransactionMessageQueued,
)
from machines.vocabulary.ocpp import MeterValuesConf, StartTransactionConf
from machines.vocabulary.transactions import UNSETTLED, Began, Metered, TransactionMessage
from machines.vocabulary.wire import ConnectionClosed, ConnectionOpened, Failure

RETRY = "retry"


class MessageDelivered(Struct, frozen=True):
    """The Central System answered the transaction message ``number``."""

    number: int
    local_id: int
    id_tag: str
    """Of a start or a stop; empty if there is none."""
    conf: object


class MessageFailed(Struct, frozen=True):
    """The transaction message ``number`` got no result."""

    number: int
    local_id: int
    failure: Failure


class RetryDue(Struct, frozen=True):
    """The wait before the next transmission is over."""


class DeliveryData(Struct, frozen=True):
    """Where the queue begins and ends."""

    head: int = 1
    """Number of the oldest message that is not settled."""
    tail: int = 1
    """Number that the next message will get; the queue is empty when it equals ``head``."""
    failures: int = 0
    """CALLERRORs to the message at the head."""
    next_local_id: int = 1
    """Of the next transaction."""
    left_out: int = 0
    """Samples left out in a row because the queue fills up."""

    @property
    def size(self) -> int:
        """Messages that wait."""
        return self.tail - self.head


def thinning(size: int, size_max: int) -> float:
    """How many samples are left out between two that are kept, when ``size`` of ``size_max`` messages wait.

    None while less than half of the room is taken; then every second one is kept until half of the rest is taken,
    every fourth one in half of what is left then, and so on. With no room left, none is.
    """
    room, level = size_max, 0
    while size >= room - room // 2:
        size -= room - room // 2
        room //= 2
        level += 1
        if room == 0:
            return inf
    return float(2**level - 1)


class Delivery(Machine[DeliveryData, Facts]):
    """The queue of transaction messages."""

    memory = DeliveryData
    messages = (
        TransactionMessageQueued,
        RegistrationAccepted,
        ConnectionOpened,
        ConnectionClosed,
        MessageDelivered,
        MessageFailed,
        RetryDue,
        Resumed,
    )

    held = State("Held", value="held", initial=True)
    idle = State("Idle", value="idle")
    sending = State("Sending", value="sending")
    waiting = State("Waiting", value="waiting")

    # fmt: off
    # A new message
    held.to(held,       event=when(TransactionMessageQueued, "3.7 queued while offline"),          unless="is_left_out",  on="keep")
    idle.to(sending,    event=when(TransactionMessageQueued, "3.7 an empty queue has room"),                              on="keep_and_send")
    sending.to(sending, event=when(TransactionMessageQueued, "3.7 behind the ones before it"),     unless="is_left_out",  on="keep")
    waiting.to(waiting, event=when(TransactionMessageQueued, "3.7 behind the ones before it"),     unless="is_left_out",  on="keep")
    held.to(held,       event=when(TransactionMessageQueued, "decision DL2: samples thin out"),     cond="is_left_out",    on="leave_out")
    sending.to(sending, event=when(TransactionMessageQueued, "decision DL2: samples thin out"),     cond="is_left_out",    on="leave_out")
    waiting.to(waiting, event=when(TransactionMessageQueued, "decision DL2: samples thin out"),     cond="is_left_out",    on="leave_out")
    # The way to the Central System
    held.to(sending,    event=when(RegistrationAccepted,     "4.2 the queue after registration"),  cond="has_messages", on="send_head")
    held.to(idle,       event=when(RegistrationAccepted,     "4.2 nothing queued"),                unless="has_messages")
    held.to(sending,    event=when(ConnectionOpened,         "3.7 reconnected"),                   cond=["is_accepted", "has_messages"],         on="send_head")
    held.to(idle,       event=when(ConnectionOpened,         "3.7 reconnected, nothing queued"),   cond="is_accepted", unless="has_messages")
    held.to(held,       event=when(ConnectionOpened,         "4.2 nothing before registration"),   unless="is_accepted")
    held.to(held,       event=when(ConnectionClosed,         "3.7 still offline"))
    idle.to(held,       event=when(ConnectionClosed,         "3.7 offline"))
    sending.to(held,    event=when(ConnectionClosed,         "3.7 offline: the CALL died with its connection"))
    waiting.to(held,    event=when(ConnectionClosed,         "3.7 offline"),                                            on="stop_waiting")
    # The answer
    sending.to(sending, event=when(MessageDelivered,         "3.7 the next one"),                  cond=["is_head", "has_more"],                 on="settle_and_send")
    sending.to(idle,    event=when(MessageDelivered,         "3.7 all delivered"),                 cond="is_head", unless="has_more",            on="settle_last")
    sending.to(sending, event=when(MessageDelivered,         "late: settled before"),              unless="is_head")
    waiting.to(sending, event=when(MessageDelivered,         "late, and still counts"),            cond=["is_head", "has_more"],                 on="settle_late_and_send")
    waiting.to(idle,    event=when(MessageDelivered,         "late, and still counts"),            cond="is_head", unless="has_more",            on="settle_late")
    waiting.to(waiting, event=when(MessageDelivered,         "late: settled before"),              unless="is_head")
    stays(MessageDelivered, "late: settled before", idle)
    # No answer
    sending.to(waiting, event=when(MessageFailed,            "3.7.1 failed to process"),           cond=["is_head", "is_call_error", "has_attempts"],                       on="count")
    sending.to(sending, event=when(MessageFailed,            "3.7.1 given up, the next one"),      cond=["is_head", "is_call_error", "has_more"], unless="has_attempts",    on="give_up_and_send")
    sending.to(idle,    event=when(MessageFailed,            "3.7.1 given up, it was the last"),   cond=["is_head", "is_call_error"], unless=["has_attempts", "has_more"],  on="give_up")
    sending.to(waiting, event=when(MessageFailed,            "decision DL1: a time-out counts nothing"), cond="is_head", unless="is_call_error",                             on="wait")
    sending.to(sending, event=when(MessageFailed,            "a second transmission, settled by a late answer"), unless="is_head")
    stays(MessageFailed, "a second transmission, settled by a late answer", idle, waiting)
    waiting.to(sending, event=when(RetryDue,                 "3.7.1 once more"),                                        on="send_head")
    # After a restart
    held.to(held,       event=when(Resumed,                  "3.7 the queue is kept"),                                  on="recall")
    # fmt: on

    impossible: ClassVar = {
        ("held", MessageDelivered): "an answer dies with its connection",
        ("held", MessageFailed): "nothing is in flight",
        ("held", RetryDue): "its timer runs only while waiting",
        ("idle", RegistrationAccepted): "registered already",
        ("idle", ConnectionOpened): "connected already",
        ("idle", RetryDue): "its timer runs only while waiting",
        ("idle", Resumed): "told first",
        ("sending", RegistrationAccepted): "registered already",
        ("sending", ConnectionOpened): "connected already",
        ("sending", RetryDue): "its timer runs only while waiting",
        ("sending", Resumed): "told first",
        ("waiting", RegistrationAccepted): "registered already",
        ("waiting", ConnectionOpened): "connected already",
        ("waiting", Resumed): "told first",
    }

    # Guards

    def is_left_out(self, queued: TransactionMessageQueued) -> bool:
        # The start and the stop of a transaction always find room.
        if not isinstance(queued.body, Metered):
            return False
        return self.data.left_out < thinning(self.data.size, self.facts.settings.limits.queue_size_max)

    def has_messages(self) -> bool:
        return self.data.size > 0

    def has_more(self) -> bool:
        return self.data.size > 1

    def is_accepted(self) -> bool:
        return self.facts.is_accepted

    def is_head(self, ended: MessageDelivered | MessageFailed) -> bool:
        return ended.number == self.data.head

    def is_call_error(self, failed: MessageFailed) -> bool:
        return failed.failure is Failure.CALL_ERROR

    def has_attempts(self) -> bool:
        return self.data.failures + 1 < self.facts.keys.transaction_message_attempts

    # Actions

    def keep(self, queued: TransactionMessageQueued) -> None:
        data = self.data
        message = TransactionMessage(data.tail, queued.local_id, queued.at, queued.body)
        next_local_id = data.next_local_id
        if isinstance(queued.body, Began):
            next_local_id = queued.local_id + 1
        self.data = replace(data, tail=data.tail + 1, next_local_id=next_local_id, left_out=0)
        self.emit(Keep(message))

    def leave_out(self) -> None:
        self.data = replace(self.data, left_out=self.data.left_out + 1)

    def keep_and_send(self, queued: TransactionMessageQueued) -> None:
        self.keep(queued)
        self.send_head()

    def send_head(self) -> None:
        self.emit(Deliver(self.data.head))

    def settle_last(self, delivered: MessageDelivered) -> None:
        info = getattr(delivered.conf, "id_tag_info", None)
        if info is not None and delivered.id_tag:
            self.emit(IdTagLearnt(delivered.id_tag, info))
        if isinstance(delivered.conf, StartTransactionConf):
            conf = delivered.conf
            self.emit(
                Settle(delivered.local_id, conf.transaction_id),
                StartSettled(delivered.local_id, conf.transaction_id, conf.id_tag_info),
            )
        # decision DL10: half of what is written while a vehicle charges would be that a sample was answered.
        self._go_on(may_wait=isinstance(delivered.conf, MeterValuesConf))

    def settle_and_send(self, delivered: MessageDelivered) -> None:
        self.settle_last(delivered)
        self.send_head()

    def settle_late(self, delivered: MessageDelivered) -> None:
        self.emit(StopTimer(RETRY))
        self.settle_last(delivered)

    def settle_late_and_send(self, delivered: MessageDelivered) -> None:
        self.emit(StopTimer(RETRY))
        self.settle_and_send(delivered)

    def give_up(self, failed: MessageFailed) -> None:
        # Harmless for any message but StartTransaction, whose successors then go out under -1.
        self.emit(Settle(failed.local_id, UNSETTLED))
        self._go_on()

    def give_up_and_send(self, failed: MessageFailed) -> None:
        self.give_up(failed)
        self.send_head()

    def count(self) -> None:
        self.data = replace(self.data, failures=self.data.failures + 1)
        self.wait()

    def wait(self) -> None:
        wait_s = self.facts.keys.transaction_message_retry_interval * max(1, self.data.failures)
        self.emit(StartTimer(RETRY, wait_s, RetryDue()))

    def stop_waiting(self) -> None:
        self.emit(StopTimer(RETRY))

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data

    def _go_on(self, *, may_wait: bool = False) -> None:
        self.emit(Forget(self.data.head, may_wait))
        self.data = replace(self.data, head=self.data.head + 1, failures=0)
        if self.data.size == 0:
            self.emit(QueueEmptied())
