"""The small Central System: its answers, its ledger, its transcript. The station is the real link."""

import math
from datetime import UTC, datetime, timedelta

import pytest
import trio
import trio.testing
from trio_websocket import wrap_client_stream

from engine.csms import Csms, NotConnectedError
from engine.ocpp.link import Link, LinkSettings
from machines.vocabulary.ocpp import (
    Authorize,
    BootNotification,
    BootNotificationConf,
    ClearCache,
    ClearCacheConf,
    ClearCacheStatus,
    DataTransfer,
    DataTransferStatus,
    Heartbeat,
    HeartbeatConf,
    MeterValue,
    MeterValues,
    MeterValuesConf,
    Reason,
    RegistrationStatus,
    SampledValue,
    StartTransaction,
    StatusNotification,
    StatusNotificationConf,
    StopTransaction,
)
from machines.vocabulary.wire import (
    CallAnswered,
    CallError,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    ErrorCode,
    Failure,
    RequestReceived,
)

MIDNIGHT = datetime(2030, 1, 1, tzinfo=UTC)
START = StartTransaction(connector_id=1, id_tag="A", meter_start=1000, timestamp=MIDNIGHT)
STOP = StopTransaction(transaction_id=1, meter_stop=4500, timestamp=MIDNIGHT, reason=Reason.REMOTE)


def now() -> datetime:
    return MIDNIGHT + timedelta(seconds=trio.current_time())


class Station:
    """A link that is dialled into a Central System over memory streams, and what it reported."""

    def __init__(self, nursery: trio.Nursery, csms: Csms, identity: str) -> None:
        settings = LinkSettings(
            url="ws://central.example",
            identity=identity,
            password=b"secret",
            ca_file=None,
            connect_timeout_s=10,
            call_timeout_s=20,
            ping_interval_s=0,
            pong_timeout_s=5,
            frame_size_max=65536,
            outbox_size_max=10,
            receives=frozenset({"ClearCache"}),
        )
        reported, self._events = trio.open_memory_channel(math.inf)

        async def open_stream(url):
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(csms.serve_stream, theirs)
            return ours

        self.link = Link(settings, reported.send, lambda event, /, **fields: None, open_stream)
        nursery.start_soon(self.link.run)

    async def next(self):
        """The next event; a test that waits in vain fails."""
        with trio.fail_after(2000):
            return await self._events.receive()

    async def ask(self, request):
        """What the Central System answers; the failure if it does not."""
        self.link.call("test", request)
        event = await self.next()
        return event.conf if isinstance(event, CallAnswered) else event


@pytest.fixture
def connect(nursery):
    async def connect(csms: Csms, identity: str = "WB-1") -> Station:
        station = Station(nursery, csms, identity)
        station.link.dial()
        assert await station.next() == ConnectionOpened()
        return station

    return connect


async def test_a_station_is_accepted_and_told_the_time_and_the_interval(connect, autojump_clock):
    station = await connect(Csms(now, interval_s=600))

    assert await station.ask(
        BootNotification(charge_point_vendor="V", charge_point_model="M")
    ) == BootNotificationConf(status=RegistrationStatus.ACCEPTED, current_time=MIDNIGHT, interval=600)


async def test_the_time_is_that_of_the_clock(connect, autojump_clock):
    station = await connect(Csms(now))
    await trio.sleep(90)

    assert await station.ask(Heartbeat()) == HeartbeatConf(current_time=MIDNIGHT + timedelta(seconds=90))


@pytest.mark.parametrize(("id_tag", "status"), [("GOOD", "Accepted"), ("BAD", "Invalid"), ("bad", "Invalid")])
async def test_tags_are_accepted_unless_they_are_refused(connect, id_tag, status, autojump_clock):
    station = await connect(Csms(now, refused_tags=["BAD"]))

    assert (await station.ask(Authorize(id_tag=id_tag))).id_tag_info.status == status


async def test_reports_are_answered_empty(connect, autojump_clock):
    station = await connect(Csms(now))
    value = MeterValue(timestamp=MIDNIGHT, sampled_value=(SampledValue(value="1"),))

    assert await station.ask(MeterValues(connector_id=1, meter_value=(value,))) == MeterValuesConf()
    assert (
        await station.ask(StatusNotification(connector_id=0, error_code="NoError", status="Available"))
        == StatusNotificationConf()
    )


async def test_data_of_an_unknown_vendor_is_refused(connect, autojump_clock):
    station = await connect(Csms(now))
    conf = await station.ask(DataTransfer(vendor_id="x"))

    assert conf.status is DataTransferStatus.UNKNOWN_VENDOR_ID


async def test_transactions_are_counted_and_kept_in_the_ledger(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    first = await station.ask(START)
    second = await station.ask(
        StartTransaction(connector_id=2, id_tag="B", meter_start=0, timestamp=MIDNIGHT)
    )
    await station.ask(STOP)

    assert (first.transaction_id, second.transaction_id) == (1, 2)
    closed, running = csms.ledger[1], csms.ledger[2]
    assert (closed.started, closed.stopped, closed.energy_wh, closed.reason) == (
        START,
        STOP,
        3500,
        Reason.REMOTE,
    )
    assert (running.stopped, running.energy_wh, running.reason) == (None, None, None)


async def test_a_transaction_that_is_told_twice_is_one(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(START)

    assert (await station.ask(START)).transaction_id == 1
    assert [transaction.repeats for transaction in csms.ledger.values()] == [1]


async def test_the_same_start_from_another_station_is_another_transaction(connect, autojump_clock):
    csms = Csms(now)
    await (await connect(csms, "WB-1")).ask(START)

    assert (await (await connect(csms, "WB-2")).ask(START)).transaction_id == 2


async def test_a_stop_without_reason_is_local(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(START)
    await station.ask(StopTransaction(transaction_id=1, meter_stop=1000, timestamp=MIDNIGHT))

    assert csms.ledger[1].reason is Reason.LOCAL


async def test_a_stop_of_an_unknown_transaction_is_noted_as_a_stray(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(STOP)

    assert csms.strays == [STOP]


async def test_an_answer_can_be_overridden_and_restored(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    csms.override("Heartbeat", lambda request: CallError(ErrorCode.INTERNAL_ERROR, "busy"))
    failed = await station.ask(Heartbeat())
    csms.override("Heartbeat", None)

    assert failed == CallFailed("test", "Heartbeat", Failure.CALL_ERROR, "InternalError: busy")
    assert isinstance(await station.ask(Heartbeat()), HeartbeatConf)


async def test_an_answer_can_be_withheld_though_the_ledger_has_it(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)

    def lose(request):
        csms.usual_answer(request, "WB-1")

    csms.override("StartTransaction", lose)

    assert (await station.ask(START)).failure is Failure.TIMED_OUT
    assert csms.ledger[1].started == START


async def test_an_answer_can_be_delayed(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)

    async def slow(request):
        await trio.sleep(25)
        return csms.usual_answer(request)

    csms.override("Heartbeat", slow)

    assert (await station.ask(Heartbeat())).failure is Failure.TIMED_OUT
    assert (await station.next()).late
    assert trio.current_time() == 25


async def test_a_call_to_the_station_returns_its_answer(connect, nursery, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)

    async def serve():
        received = await station.next()
        assert isinstance(received, RequestReceived)
        station.link.answer(received.call_id, ClearCacheConf(status=ClearCacheStatus.REJECTED))

    nursery.start_soon(serve)

    assert await csms.call(ClearCache()) == ClearCacheConf(status=ClearCacheStatus.REJECTED)


async def test_a_call_that_is_not_offered_returns_the_error(connect, autojump_clock):
    csms = Csms(now)
    await connect(csms)

    assert (await csms.call(Heartbeat())).code is ErrorCode.NOT_SUPPORTED


async def test_a_call_that_is_not_answered_is_too_slow(connect, autojump_clock):
    csms = Csms(now, call_timeout_s=7)
    await connect(csms)

    with pytest.raises(trio.TooSlowError):
        await csms.call(ClearCache())
    assert trio.current_time() == 7


async def test_a_call_to_a_station_that_leaves_ends(connect, nursery, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)

    async def leave():
        await station.next()
        station.link.make_unreachable(True)

    nursery.start_soon(leave)
    with pytest.raises(NotConnectedError):
        await csms.call(ClearCache())
    assert trio.current_time() == 0


async def test_a_call_to_nobody_is_refused(autojump_clock):
    with pytest.raises(NotConnectedError, match="nobody"):
        await Csms(now).call(ClearCache())


async def test_a_call_goes_to_the_station_that_is_named(connect, autojump_clock):
    csms = Csms(now, call_timeout_s=1)
    await connect(csms, "WB-1")
    second = await connect(csms, "WB 2/x")

    with pytest.raises(trio.TooSlowError):
        await csms.call(ClearCache(), "WB 2/x")
    assert isinstance(await second.next(), RequestReceived)


async def test_disconnecting_closes_with_a_closing_handshake(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await csms.disconnect()

    assert await station.next() == ConnectionClosed("closed with code 1000: NORMAL_CLOSURE")


async def test_out_of_reach_every_connection_is_lost_without_a_word(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    csms.set_reachable(False)

    # 1006 stands for a connection that ended without a close frame (RFC 6455, 7.1.5).
    assert await station.next() == ConnectionClosed("closed with code 1006: ABNORMAL_CLOSURE")
    assert csms.identities == ()


async def test_out_of_reach_no_connection_is_taken_until_it_is_back(connect, nursery, autojump_clock):
    csms = Csms(now)
    csms.set_reachable(False)
    station = Station(nursery, csms, "WB-1")
    station.link.dial()
    assert isinstance(await station.next(), ConnectionFailed)

    csms.set_reachable(True)
    await connect(csms, "WB-1")
    assert csms.identities == ("WB-1",)


async def test_who_asked_for_a_connection_is_noted_with_the_credentials(connect, autojump_clock):
    csms = Csms(now)
    await connect(csms)

    assert csms.upgrades == [("WB-1", b"Basic V0ItMTpzZWNyZXQ=")]


async def test_the_transcript_has_every_frame_in_order(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(Authorize(id_tag="A"))
    with trio.move_on_after(1):
        await csms.call(ClearCache())
    link_id = csms.transcript[0].call_id

    assert [
        (entry.direction, entry.kind, entry.action, entry.payload, entry.identity)
        for entry in csms.transcript
    ] == [
        ("received", 2, "Authorize", {"idTag": "A"}, "WB-1"),
        ("sent", 3, "Authorize", {"idTagInfo": {"status": "Accepted"}}, "WB-1"),
        ("sent", 2, "ClearCache", {}, "WB-1"),
    ]
    assert csms.transcript[1].call_id == link_id


async def test_waiting_finds_what_is_there_already(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(Authorize(id_tag="A"))

    assert (await csms.wait_for_request("Authorize", idTag="A")) is csms.transcript[0]


async def test_waiting_sees_what_comes(connect, nursery, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(Heartbeat())

    async def later():
        await trio.sleep(1000)
        await station.ask(Authorize(id_tag="A"))
        await station.ask(Authorize(id_tag="B"))

    nursery.start_soon(later)
    entry = await csms.wait_for_request("Authorize", start=len(csms.transcript), idTag="B")

    assert (entry.payload, entry.time) == ({"idTag": "B"}, MIDNIGHT + timedelta(seconds=1000))


async def test_waiting_does_not_take_an_answer_for_a_request(connect, autojump_clock):
    csms = Csms(now)
    station = await connect(csms)
    await station.ask(Heartbeat())

    with trio.move_on_after(10) as waited:
        await csms.wait_for_request("Heartbeat", start=1)
    assert waited.cancelled_caught


async def test_who_is_not_admitted_gets_401(nursery, autojump_clock):
    csms = Csms(now, admit=lambda identity, authorization: identity == "WB-2")
    station = Station(nursery, csms, "WB-1")
    station.link.dial()

    assert await station.next() == ConnectionFailed("the server answered HTTP 401")


async def test_a_station_that_says_nothing_is_left(nursery, autojump_clock):
    csms = Csms(now, call_timeout_s=30)
    _silent, theirs = trio.testing.memory_stream_pair()

    await csms.serve_stream(theirs)

    assert trio.current_time() == 30


async def test_rubbish_is_noted_and_answered_if_it_can_be(nursery, autojump_clock):
    csms = Csms(now)
    ours, theirs = trio.testing.memory_stream_pair()
    nursery.start_soon(csms.serve_stream, theirs)
    socket = await wrap_client_stream(nursery, ours, "central.example", "/WB-1", subprotocols=["ocpp1.6"])
    for frame in ("hello", '[2,"7","Heartbeat"]', '[2,"8","Reset",{}]', '[2,"9","Authorize",{}]', "[3,5]"):
        await socket.send_message(frame)
    answers = [await socket.get_message() for _ in range(3)]
    nursery.start_soon(socket.aclose)

    assert sorted(answer[:13] for answer in answers) == ['[4,"7","Forma', '[4,"8","NotIm', '[4,"9","Occur']
    assert csms.transcript[0].kind == 0
