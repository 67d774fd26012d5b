"""Delivery of transaction messages, whatever the network and the Central System do: facts 5.9."""

import itertools

import pytest
import trio

from engine.batch import Batch
from engine.owner import POSTPONED_MAX
from engine.store import Store
from machines.vocabulary.effects import Forget, Keep
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import IdTagInfo, StartTransactionConf
from machines.vocabulary.wire import CallError, ErrorCode


def queue_of(lab):
    return lab.running.charge_point.machines["delivery"].data.size


async def test_a_session_that_ends_offline_is_delivered_in_order(lab, autojump_clock):
    """TC_036, TC_038: no sample is missing, oldest first, with the time stamps of then."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(5 * 60)
        lab.cut_link()
        await trio.sleep(20 * 60)
        lab.swipe()
        await trio.sleep(60)
        assert queue_of(lab) > 15
        lab.restore_link()
        await lab.until("StopTransaction")
        await trio.sleep(1)
        assert queue_of(lab) == 0

    stamps = [payload["meterValue"][0]["timestamp"] for payload in lab.calls("MeterValues")]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == len(stamps) == 25
    (transaction,) = lab.csms.ledger.values()
    assert transaction.energy_wh == int(lab.connector().register_wh)


class CountingStore(Store):
    """A database that notes what is written together."""

    def __init__(self, directory, **options):
        super().__init__(directory, **options)
        self.written = []

    def write(self, batch: Batch) -> None:
        self.written.append([type(effect) for effect in batch.effects])
        super().write(batch)


async def test_an_answered_sample_costs_no_write_of_its_own(lab, autojump_clock):
    """Decision DL10: it goes with the next sample; what a start or a stop was answered is written at once."""
    lab.store_type = CountingStore
    async with lab.powered() as running:
        await lab.charge()
        await trio.sleep(30)
        assert queue_of(lab) == 0
        before = len(running._store.written)
        await trio.sleep(5 * 60)
        written = running._store.written[before:]
        assert queue_of(lab) == 0
        assert all(Keep in batch for batch in written)
        assert [batch.count(Forget) for batch in written] == [0, 1, 1, 1, 1]
        lab.swipe()
        await lab.until("StopTransaction")
        await trio.sleep(5)
        assert Forget in running._store.written[-1]
        assert running._store.counts()["message"] == 0


async def test_answers_of_a_long_queue_are_written_together(lab, autojump_clock):
    lab.store_type = CountingStore
    async with lab.powered() as running:
        await lab.charge()
        lab.cut_link()
        await trio.sleep(100 * 60)
        before = len(running._store.written)
        lab.restore_link()
        await trio.sleep(170)  # as long as it may take until the next attempt to connect
        assert queue_of(lab) == 0
        written = running._store.written[before:]
        assert max(batch.count(Forget) for batch in written) == POSTPONED_MAX
        assert len(written) < 10


async def test_samples_answered_before_a_power_cut_are_sent_again_and_nothing_else(lab, autojump_clock):
    """Decision DL10: the very same ones; the transaction stays one."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(5 * 60 + 30)
        assert queue_of(lab) == 0
    samples = lab.calls("MeterValues")
    async with lab.powered():
        await trio.sleep(60)

    again = lab.calls("MeterValues")[len(samples) :]
    assert again
    assert all(payload in samples[-POSTPONED_MAX:] for payload in again)
    assert [one.repeats for one in lab.csms.ledger.values()] == [0]
    assert len(lab.calls("StopTransaction")) == 1


async def test_a_session_before_the_time_of_day_is_known(lab, autojump_clock):
    """After a power cut and without a network, from its beginning to its end."""
    lab.declare(allow_offline_tx_for_unknown_id=True)
    async with lab.powered():
        pass
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(10)
        await offline_session(lab)
        assert queue_of(lab) > 2
        lab.restore_link()
        await lab.until("StopTransaction")

    (transaction,) = lab.csms.ledger.values()
    assert transaction.energy_wh > 0


async def test_days_without_a_connection(lab, autojump_clock):
    """3.7: three sessions in three days, each with its samples, over a power cut too; nothing is lost or doubled."""
    lab.declare(meter_value_sample_interval=900, allow_offline_tx_for_unknown_id=True)
    async with lab.powered():
        await lab.charge()
        lab.swipe()
        await trio.sleep(5)
        lab.cut_link()
        lab.connector().unplug()
        for _ in range(2):
            await offline_session(lab)
    async with lab.powered(until_accepted=False):
        await trio.sleep(60)
        await offline_session(lab)
        lab.restore_link()
        for _ in range(3):
            await lab.until("StopTransaction")
        await trio.sleep(1)
        assert queue_of(lab) == 0

    assert [one.repeats for one in lab.csms.ledger.values()] == [0] * 4
    total = sum(one.energy_wh for one in lab.csms.ledger.values())
    assert total == pytest.approx(lab.connector().register_wh, abs=1)
    samples = [one["transactionId"] for one in lab.calls("MeterValues")]
    assert samples == [2] * 95 + [3] * 95 + [4] * 95


async def offline_session(lab):
    """A day of charging that nobody hears of."""
    lab.connector().plug_in()
    await trio.sleep(1)
    lab.swipe()
    await trio.sleep(24 * 3600 - 60)
    lab.swipe()
    await trio.sleep(30)
    lab.connector().unplug()
    await trio.sleep(29)


async def test_after_a_reconnect_what_was_in_flight_is_sent_at_once_and_counts_nothing(lab, autojump_clock):
    """Decision DL7: as often as the connection is lost, though one attempt is all that there is."""
    lab.declare(transaction_message_attempts=1)
    lab.csms.override("StartTransaction", lambda _: None)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await lab.until("StartTransaction")
        for _ in range(5):
            await lab.csms.disconnect()
            await trio.sleep(1)
            while lab.states()["connection"] != "online":
                await trio.sleep(0.1)
            back = trio.current_time()
            await lab.until("StartTransaction")
            assert trio.current_time() - back < 1
        lab.csms.override("StartTransaction", None)
        await lab.csms.disconnect()
        await trio.sleep(200)
        assert queue_of(lab) == 0

    assert len(lab.csms.ledger) == 1
    assert len(lab.calls("BootNotification")) == 1


async def test_only_one_call_is_in_flight(lab, autojump_clock):
    """J 4.1.1: no CALL before the one before it was answered, in both kinds of traffic."""
    async with lab.powered():
        await lab.charge()
        await trio.sleep(10 * 60)
        lab.cut_link()
        await trio.sleep(20 * 60)
        lab.restore_link()
        await trio.sleep(60)
    open_calls = set()
    for entry in lab.csms.transcript:
        if entry.kind == 2 and entry.direction == "received":
            assert not open_calls, entry
            open_calls.add(entry.call_id)
        elif entry.direction == "sent":
            open_calls.discard(entry.call_id)


async def test_nothing_of_a_transaction_goes_out_before_its_start_is_settled(lab, autojump_clock):
    """3.7: samples and the stop wait for the transactionId."""

    async def slow(_):
        await trio.sleep(25)
        return StartTransactionConf(transaction_id=4711, id_tag_info=IdTagInfo(status="Accepted"))

    lab.declare(meter_value_sample_interval=5)
    lab.csms.override("StartTransaction", slow)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await lab.until("StartTransaction")
        await trio.sleep(24)
        assert not lab.calls("MeterValues")
        await trio.sleep(10)

    assert {payload["transactionId"] for payload in lab.calls("MeterValues")} == {4711}


async def test_a_time_out_counts_nothing(lab, autojump_clock):
    """Decision DL1: whatever TransactionMessageAttempts says, silence is waited out."""
    lab.declare(transaction_message_attempts=2, transaction_message_retry_interval=10)
    lab.csms.override("StartTransaction", lambda _: None)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(600)
        assert len(lab.calls("StartTransaction")) > 10
        lab.csms.override("StartTransaction", None)
        await trio.sleep(60)
        assert len(lab.csms.ledger) == 1
        assert queue_of(lab) == 0


async def test_a_failure_to_process_counts_and_ends(lab, autojump_clock):
    """3.7.1, errata v4: attempts transmissions, waits of interval x k, then -1 for what follows."""
    lab.declare(
        transaction_message_attempts=3, transaction_message_retry_interval=60, meter_value_sample_interval=0
    )
    lab.csms.override("StartTransaction", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(600)
        lab.swipe()
        stop = await lab.until("StopTransaction")
    sent = [
        entry.time
        for entry in lab.csms.transcript
        if entry.action == "StartTransaction" and entry.direction == "received"
    ]

    assert [round((b - a).total_seconds()) for a, b in itertools.pairwise(sent)] == [60, 120]
    assert stop["transactionId"] == -1


async def test_a_late_answer_still_counts(lab, autojump_clock):
    """The answer to a StartTransaction that had timed out settles it: it is not sent again."""

    async def late(_):
        await trio.sleep(45)  # call_timeout_s is 30, the retry after 60
        return StartTransactionConf(transaction_id=9, id_tag_info=IdTagInfo(status="Accepted"))

    lab.csms.override("StartTransaction", late)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(300)
        assert lab.running.charge_point.machines["transaction/1"].data.transaction_id == 9

    assert len(lab.calls("StartTransaction")) == 1


async def test_samples_find_no_room_in_a_full_queue_and_the_stop_does(lab, autojump_clock):
    """Decision DL2: the bound is ``queue_size_max``; start and stop are never left out."""
    lab.limit(queue_size_max=5)
    async with lab.powered():
        await lab.charge()
        lab.cut_link()
        await trio.sleep(3600)
        assert queue_of(lab) == 5
        lab.swipe()
        await trio.sleep(1)
        assert queue_of(lab) == 6
        lab.restore_link()
        stop = await lab.until("StopTransaction")

    assert stop["meterStop"] == int(lab.connector().register_wh)


@pytest.mark.parametrize("seconds", [0, 0.05, 1, 29])
async def test_authorize_may_be_fast_or_slow(lab, autojump_clock, seconds):
    """The contactor closes only after the answer."""

    async def answer(request):
        await trio.sleep(seconds)
        return lab.csms.usual_answer(request)

    lab.csms.override("Authorize", answer)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        lab.swipe()
        await trio.sleep(seconds / 2)
        assert not lab.connector().state().contactor
        await lab.until_status("Charging")

    assert len(lab.calls("Authorize")) == 1


async def test_a_late_answer_while_it_is_sent_once_more(lab, autojump_clock):
    """The second transmission is answered, or not, to no effect: the queue has moved on."""
    asked = []

    async def late(_):
        asked.append(trio.current_time())
        await trio.sleep(65 if len(asked) == 1 else 100)  # the retry comes after 30 + 10
        return StartTransactionConf(transaction_id=9, id_tag_info=IdTagInfo(status="Accepted"))

    lab.declare(transaction_message_retry_interval=10)
    lab.csms.override("StartTransaction", late)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(600)
        assert lab.running.charge_point.machines["transaction/1"].data.transaction_id == 9
        assert lab.states()["delivery"] == "idle"
        lab.swipe()
        await lab.until("StopTransaction")

    assert len(asked) == 2


async def test_a_late_error_while_it_waits_to_be_sent_once_more(lab, autojump_clock):
    """3.7: an answer that settles nothing takes nothing off the queue, or the queue would stand still for ever."""
    asked = []

    async def late(request):
        asked.append(trio.current_time())
        if len(asked) == 1:
            await trio.sleep(45)  # call_timeout_s is 30, the retry is due after 10 more
            return CallError(ErrorCode.INTERNAL_ERROR)
        return lab.csms.usual_answer(request)

    async def slow(request):
        await trio.sleep(20)
        return lab.csms.usual_answer(request)

    lab.declare(transaction_message_retry_interval=10)
    lab.csms.override("StartTransaction", late)
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe()
        await lab.until("StartTransaction")
        await trio.sleep(38)
        # Its StatusNotification is in flight when the retry is due, and when the late error comes.
        lab.csms.override("StatusNotification", slow)
        lab.connector().raise_fault(HardwareFault.SIGNAL)
        await trio.sleep(60)
        assert lab.states()["delivery"] == "idle"

    assert len(asked) == 2
    assert len(lab.csms.ledger) == 1


async def test_an_answer_at_the_very_moment_of_the_retry(lab, autojump_clock):
    """Decision DL3: on its way through the inbox when the retry is handed to the link, it counts all the same."""
    lab.declare(transaction_message_retry_interval=0, meter_value_sample_interval=20)

    async def at_the_time_out(request):
        await trio.sleep(30)
        return lab.csms.usual_answer(request)

    lab.csms.override("StartTransaction", at_the_time_out)
    async with lab.powered():
        for _ in range(20):
            lab.connector().plug_in()
            lab.swipe()
            await lab.until("StartTransaction")
            await trio.sleep(25)
            # Its StatusNotification is in flight when the retry is due.
            lab.csms.override("StatusNotification", at_the_time_out)
            lab.connector().raise_fault(HardwareFault.SIGNAL)
            await trio.sleep(60)
            lab.csms.override("StatusNotification", None)
            lab.connector().clear_fault(HardwareFault.SIGNAL)
            await trio.sleep(60)
            lab.swipe()
            await lab.until("StopTransaction")
            lab.connector().unplug()
            await lab.until_status("Available")
        await trio.sleep(60)
        assert lab.states()["delivery"] == "idle"

    assert [one.repeats for one in lab.csms.ledger.values()] == [0] * 20
    assert all(one.stopped for one in lab.csms.ledger.values())
