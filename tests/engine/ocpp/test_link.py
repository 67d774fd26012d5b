"""A conversation over the link: our CALLs, their CALLs, pings, and every way in which it can end."""

import contextlib
import json

import pytest
import trio
import trio.testing
import trio_websocket
from msgspec.structs import replace
from trio_websocket import wrap_server_stream

from machines.vocabulary.ocpp import (
    Authorize,
    AuthorizeConf,
    ClearCache,
    ClearCacheConf,
    ClearCacheStatus,
    DataTransfer,
    Heartbeat,
    IdTagInfo,
    StartTransaction,
    StatusNotification,
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

TIME = '{"currentTime":"2030-01-01T00:00:00Z"}'
STATUS = StatusNotification(connector_id=1, error_code="NoError", status="Available")
START = StartTransaction(connector_id=1, id_tag="A", meter_start=0, timestamp="2030-01-01T00:00:00Z")


async def receive(socket) -> list:
    """The next frame the station sends; a test that waits in vain fails."""
    with trio.fail_after(100):
        return json.loads(await socket.get_message())


async def answer(socket, payload: str) -> None:
    """Answer the next CALL of the station."""
    call = await receive(socket)
    await socket.send_message(f'[3,"{call[1]}",{payload}]')


class Slow(trio.abc.ReceiveStream):
    """A stream that is read a byte at a time, and on only while it may go on."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self.goes_on = trio.Event()
        self.goes_on.set()

    async def receive_some(self, _max_bytes: int | None = None) -> bytes:
        byte = await self._stream.receive_some(1)
        await self.goes_on.wait()
        return byte

    async def aclose(self) -> None:
        await self._stream.aclose()


# Opening and closing


async def test_dialling_ends_in_an_open_connection(bench, settings, csms, autojump_clock):
    bench.start(settings).dial()

    assert await bench.next() == ConnectionOpened()


async def test_dialling_twice_opens_one_connection(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    link.dial()
    link.dial()
    await bench.next()
    link.dial()
    await trio.sleep(60)

    assert len(bench.server_streams) == 1


async def test_hanging_up_closes_with_a_closing_handshake(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.hang_up("the password was changed")

        assert await bench.next() == ConnectionClosed("the password was changed")
        assert socket.closed.code == 1000


async def test_a_peer_that_does_not_take_part_in_closing_is_left(bench, settings, autojump_clock):
    bench.serve = deaf_after_the_handshake
    link = bench.start(settings)
    link.dial()
    await bench.next()
    link.hang_up("enough")

    assert await bench.next() == ConnectionClosed("enough")
    assert trio.current_time() <= settings.pong_timeout_s


async def test_a_connection_can_be_opened_again_after_hanging_up(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    link.dial()
    await bench.next()
    link.hang_up("again")
    link.dial()

    assert [await bench.next(), await bench.next()] == [ConnectionClosed("again"), ConnectionOpened()]


async def test_a_close_by_the_central_system_is_reported(bench, raw, autojump_clock):
    async with raw() as (_, socket):
        await bench.next()
        await socket.aclose(1001, "maintenance")

        assert await bench.next() == ConnectionClosed("closed with code 1001: maintenance")


async def test_a_lost_connection_is_reported(bench, settings, csms, autojump_clock):
    bench.start(settings).dial()
    await bench.next()
    await trio.aclose_forcefully(bench.server_streams[0])

    assert isinstance(await bench.next(), ConnectionClosed)


async def test_a_cut_link_closes_without_a_closing_frame(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.make_unreachable(True)

        assert await bench.next() == ConnectionClosed("the link was cut")
        await trio.testing.wait_all_tasks_blocked()
        assert socket.closed.code == 1006


async def test_a_cut_link_refuses_to_dial_until_it_is_put_back(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    link.make_unreachable(True)
    link.dial()
    assert await bench.next() == ConnectionFailed("the link is cut")
    link.make_unreachable(False)
    link.dial()

    assert await bench.next() == ConnectionOpened()


async def test_an_answer_given_before_hanging_up_is_still_sent(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        await socket.send_message('[2,"7","ClearCache",{}]')
        await bench.next()
        link.answer("7", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))
        link.hang_up("restart")

        assert await receive(socket) == [3, "7", {"status": "Accepted"}]
        assert await bench.next() == ConnectionClosed("restart")


async def test_dialling_that_is_dropped_before_it_began_fails_once(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    await trio.testing.wait_all_tasks_blocked()
    link.dial()
    link.hang_up("enough")
    await trio.sleep(100)

    assert bench.events == [ConnectionFailed("enough")]
    assert link.connections == 0


async def test_the_closing_can_be_waited_for(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.hang_up("restart")
        with trio.fail_after(10):
            await link.wait_closed()

        assert socket.closed.code == 1000


async def test_waiting_for_the_closing_ends_when_the_link_is_cut(bench, raw, autojump_clock):
    async with raw() as (link, _):
        await bench.next()
        bench.nursery.start_soon(cut_later, link)
        with trio.fail_after(10):
            await link.wait_closed()

        assert trio.current_time() == 1


async def cut_later(link):
    await trio.sleep(1)
    link.make_unreachable(True)


async def test_without_a_connection_there_is_nothing_to_wait_for(bench, settings, autojump_clock):
    link = bench.start(settings)
    with trio.fail_after(1):
        await link.wait_closed()


async def test_connections_are_counted(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    counts = [link.connections]
    for _ in range(2):
        link.dial()
        await bench.next()
        counts.append(link.connections)
        link.hang_up("again")
        await bench.next()

    assert counts == [0, 1, 2]


# Our CALLs


async def test_a_call_is_sent_and_its_answer_reported(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        assert await bench.next() == ConnectionOpened()
        link.call("authorization", Authorize(id_tag="A"))
        call = await receive(socket)
        await socket.send_message(f'[3,"{call[1]}",{{"idTagInfo":{{"status":"Accepted"}}}}]')

        assert (call[0], call[2], call[3]) == (2, "Authorize", {"idTag": "A"})
        conf = AuthorizeConf(id_tag_info=IdTagInfo(status="Accepted"))
        assert await bench.next() == CallAnswered("authorization", conf)


async def test_message_ids_are_short_enough_and_all_different(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        ids = []
        for _ in range(3):
            link.call("x", Heartbeat())
            ids.append((await receive(socket))[1])
            await socket.send_message(f'[3,"{ids[-1]}",{TIME}]')
            await bench.next()

        assert len(set(ids)) == 3
        assert max(map(len, ids)) <= 36


async def test_one_call_is_in_flight_at_a_time(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("first", Heartbeat())
        link.call("second", Heartbeat())
        first = await receive(socket)
        with trio.move_on_after(10) as waited:
            await socket.get_message()
        assert waited.cancelled_caught
        await socket.send_message(f'[3,"{first[1]}",{TIME}]')

        assert (await receive(socket))[2] == "Heartbeat"


async def test_calls_go_before_a_transaction_message(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Heartbeat())
        link.call_transaction("delivery", START)
        link.call("x", STATUS)
        actions = []
        for _ in range(3):
            call = await receive(socket)
            actions.append(call[2])
            await socket.send_message(f'[4,"{call[1]}","GenericError","",{{}}]')

        assert actions == ["Heartbeat", "StatusNotification", "StartTransaction"]


async def test_a_call_error_is_a_failure(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call_transaction("delivery", START)
        call = await receive(socket)
        await socket.send_message(f'[4,"{call[1]}","InternalError","database down",{{}}]')

        assert await bench.next() == CallFailed(
            "delivery", "StartTransaction", Failure.CALL_ERROR, "InternalError: database down"
        )


async def test_an_answer_that_is_not_valid_is_a_failure(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("clock", Heartbeat())
        await answer(socket, '{"currentTime":"now"}')
        failed = await bench.next()

        assert (failed.owner, failed.failure) == ("clock", Failure.CALL_ERROR)


async def test_an_answer_with_surplus_fields_is_used_and_logged(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Authorize(id_tag="A"))
        await answer(socket, '{"idTagInfo":{"status":"NoCredit"},"x":1}')

        assert (await bench.next()).conf.id_tag_info.status == "Invalid"
        assert bench.log_lines[-1][0] == "forgiven"


async def test_a_call_without_answer_times_out_and_the_next_one_is_sent(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("first", Heartbeat())
        link.call("second", STATUS)
        await socket.get_message()

        assert await bench.next() == CallFailed(
            "first", "Heartbeat", Failure.TIMED_OUT, "no answer within 30 s"
        )
        assert trio.current_time() == 30
        assert (await receive(socket))[2] == "StatusNotification"


async def test_an_answer_at_the_last_moment_costs_the_next_call_nothing(bench, raw, autojump_clock):
    """The time of a CALL is over when it has just been answered, and before the next one is sent."""
    report = bench.report

    async def slow(event):
        if isinstance(event, CallAnswered):
            autojump_clock.jump(30)
        await report(event)

    bench.report = slow
    async with raw() as (link, socket):
        await bench.next()
        link.call("first", Heartbeat())
        link.call("second", STATUS)
        await answer(socket, TIME)

        assert (await receive(socket))[2] == "StatusNotification"
        assert [type(event) for event in bench.events] == [ConnectionOpened, CallAnswered]


async def test_the_time_of_an_answered_call_does_not_end_the_sending_of_the_next(
    bench, settings, autojump_clock
):
    """The peer reads slowly just when the time of the CALL before would be over."""
    ours, theirs = trio.testing.lockstep_stream_pair()
    slow = Slow(theirs.receive_stream)
    opened, sockets = trio.open_memory_channel(0)

    async def serve():
        async with trio.open_nursery() as nursery:
            stream = trio.StapledStream(theirs.send_stream, slow)
            request = await wrap_server_stream(nursery, stream, message_queue_size=100)
            await opened.send(await request.accept(subprotocol="ocpp1.6"))

    async def open_stream(_url):
        bench.nursery.start_soon(serve)
        return ours

    link = bench.start(settings, open_stream)
    link.dial()
    socket = await sockets.receive()
    await bench.next()
    link.call("first", Heartbeat())
    await answer(socket, TIME)
    await trio.sleep(settings.call_timeout_s - 1)
    slow.goes_on = trio.Event()
    link.call("second", Heartbeat())
    await trio.sleep(2)
    slow.goes_on.set()
    await answer(socket, TIME)

    assert [(event.owner, event.late) for event in [await bench.next(), await bench.next()]] == [
        ("first", False),
        ("second", False),
    ]


async def test_a_late_answer_is_reported_as_late(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call_transaction("delivery", START)
        call = await receive(socket)
        await bench.next()
        await socket.send_message(
            f'[3,"{call[1]}",{{"idTagInfo":{{"status":"Accepted"}},"transactionId":7}}]'
        )
        late = await bench.next()

        assert (late.owner, late.late, late.conf.transaction_id) == ("delivery", True, 7)


async def test_a_late_answer_does_not_end_the_call_in_flight(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("first", Heartbeat())
        first = await receive(socket)
        await bench.next()
        link.call("second", Heartbeat())
        second = await receive(socket)
        await socket.send_message(f'[3,"{first[1]}",{TIME}]')
        await socket.send_message(f'[3,"{second[1]}",{TIME}]')

        assert [(event.owner, event.late) for event in [await bench.next(), await bench.next()]] == [
            ("first", True),
            ("second", False),
        ]


async def test_a_late_error_is_ignored(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Heartbeat())
        call = await receive(socket)
        await bench.next()
        await socket.send_message(f'[4,"{call[1]}","GenericError","",{{}}]')
        await trio.sleep(1)

        assert len(bench.events) == 2
        assert "late" in bench.logged("ignored")[0]


async def test_only_the_last_sixteen_late_answers_are_recognised(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        ids = []
        for _ in range(17):
            link.call("x", Heartbeat())
            ids.append((await receive(socket))[1])
            await bench.next()
        for call_id in ids[:2]:
            await socket.send_message(f'[3,"{call_id}",{TIME}]')

        assert (await bench.next()).late
        assert bench.logged("ignored") == ["an answer to no CALL of ours"]


@pytest.mark.parametrize(
    "frame", ['[3,"{}",{{"currentTime":"2030-01-01T00:00:00Z"}}]', '[4,"{}","GenericError","",{{}}]']
)
async def test_a_second_answer_is_ignored(bench, raw, frame, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Heartbeat())
        call = await receive(socket)
        await socket.send_message(f'[3,"{call[1]}",{TIME}]')
        await socket.send_message(frame.format(call[1]))
        await trio.sleep(1)

        assert [type(event) for event in bench.events] == [ConnectionOpened, CallAnswered]


@pytest.mark.parametrize("frame", [f'[3,"foreign",{TIME}]', '[4,"foreign","GenericError","",{}]'])
async def test_an_answer_to_no_call_is_ignored(bench, raw, frame, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Heartbeat())
        call = await receive(socket)
        await socket.send_message(frame)
        await socket.send_message(f'[3,"{call[1]}",{TIME}]')

        assert isinstance(await bench.next(), CallAnswered)
        assert bench.logged("ignored") == ["an answer to no CALL of ours"]


async def test_a_call_without_connection_fails_at_once(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    link.call("x", Heartbeat())
    link.call_transaction("delivery", START)

    assert [await bench.next(), await bench.next()] == [
        CallFailed("x", "Heartbeat", Failure.DISCONNECTED, "not connected"),
        CallFailed("delivery", "StartTransaction", Failure.DISCONNECTED, "not connected"),
    ]


async def test_a_call_beyond_the_outbox_fails_at_once(bench, raw, autojump_clock):
    """As timed out, for the connection is still there: no ConnectionClosed follows."""
    async with raw(outbox_size_max=2) as (link, socket):
        await bench.next()
        link.call("in flight", Heartbeat())
        await socket.get_message()
        for owner in ("waits", "waits too", "too many"):
            link.call(owner, Heartbeat())

        assert await bench.next() == CallFailed(
            "too many", "Heartbeat", Failure.TIMED_OUT, "the outbox is full"
        )
        assert trio.current_time() == 0


async def test_every_call_fails_before_the_closing_is_told(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("in flight", Heartbeat())
        await socket.get_message()
        link.call("waits", STATUS)
        link.call_transaction("delivery", START)
        link.make_unreachable(True)
        why = "the link was cut"

        assert [await bench.next() for _ in range(4)] == [
            CallFailed("in flight", "Heartbeat", Failure.DISCONNECTED, why),
            CallFailed("waits", "StatusNotification", Failure.DISCONNECTED, why),
            CallFailed("delivery", "StartTransaction", Failure.DISCONNECTED, why),
            ConnectionClosed(why),
        ]


async def test_a_charge_point_may_call_again_from_within_the_report_of_a_failure(
    bench, settings, autojump_clock
):
    """The step that takes an event asks for what follows from it: that must not wait for itself."""
    tries = []

    async def report(event):
        tries.append(event)
        if len(tries) < 3:
            bench.link.call("x", Heartbeat())

    bench.report = report
    link = bench.start(settings)
    link.call("x", Heartbeat())
    await trio.sleep(1)

    assert len(tries) == 3


# CALLs of the Central System


async def test_a_call_of_the_central_system_is_reported_and_answered(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        await socket.send_message('[2,"7","ClearCache",{}]')
        assert await bench.next() == RequestReceived("7", ClearCache())
        link.answer("7", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))

        assert await receive(socket) == [3, "7", {"status": "Accepted"}]


async def test_a_call_is_answered_while_our_own_waits_for_its_answer(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Heartbeat())
        assert (await receive(socket))[0] == 2
        await socket.send_message('[2,"7","ClearCache",{}]')
        await bench.next()
        link.answer("7", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))

        assert await receive(socket) == [3, "7", {"status": "Accepted"}]
        assert trio.current_time() == 0


async def test_a_call_may_be_answered_with_an_error(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        await socket.send_message('[2,"7","ClearCache",{}]')
        await bench.next()
        link.answer("7", CallError(ErrorCode.INTERNAL_ERROR, "no"))

        assert await receive(socket) == [4, "7", "InternalError", "no", {}]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('[2,"7","MakeCoffee",{}]', "NotImplemented"),
        ('[2,"7","clearCache",{}]', "NotImplemented"),
        ('[2,"7","MakeCoffee",{"x":1}]', "NotImplemented"),
        ('[2,"7","Heartbeat",{}]', "NotSupported"),
        ('[2,"7","GetLocalListVersion",{}]', "NotSupported"),
        ('[2,"7","Reset",{}]', "OccurenceConstraintViolation"),
        ('[2,"7","Reset",{"type":1}]', "TypeConstraintViolation"),
        ('[2,"7","Reset",{"type":"Warm"}]', "PropertyConstraintViolation"),
        ('[2,"7","Reset",{"type":"Hard","x":1}]', "FormationViolation"),
        ('[2,"7","Reset",[]]', "FormationViolation"),
        ('[2,"7","Reset"]', "FormationViolation"),
        ('[2,"7",5,{}]', "FormationViolation"),
    ],
)
async def test_a_bad_call_is_answered_with_an_error_and_not_reported(
    bench, raw, settings, frame, code, autojump_clock
):
    async with raw(receives=settings.receives - {"GetLocalListVersion"}) as (_, socket):
        await bench.next()
        await socket.send_message(frame)
        error = await receive(socket)

        assert error[:3] == [4, "7", code]
        assert bench.events == [ConnectionOpened()]


async def test_an_action_of_the_charge_point_is_not_supported_even_if_it_is_declared(
    bench, raw, settings, autojump_clock
):
    async with raw(receives=settings.receives | {"Heartbeat"}) as (_, socket):
        await bench.next()
        await socket.send_message('[2,"7","Heartbeat",{}]')

        assert (await receive(socket))[:3] == [4, "7", "NotSupported"]


async def test_frames_are_read_only_as_fast_as_the_charge_point_takes_them(bench, raw, autojump_clock):
    async def stuck(event):
        if isinstance(event, RequestReceived):
            await trio.sleep_forever()

    bench.report = stuck
    async with raw() as (_, socket):
        for call_id in ("1", "2", "3"):
            await socket.send_message(f'[2,"{call_id}","ClearCache",{{}}]')
        await trio.sleep(10)

        assert len(bench.logged("received")) == 1


async def test_a_call_with_too_long_an_id_is_answered_with_it(bench, raw, autojump_clock):
    async with raw() as (_, socket):
        await bench.next()
        await socket.send_message(f'[2,"{"7" * 37}","ClearCache",{{}}]')

        assert (await receive(socket))[:3] == [4, "7" * 37, "FormationViolation"]


async def test_a_call_with_the_id_of_one_in_progress_is_refused(bench, raw, autojump_clock):
    async with raw() as (_, socket):
        await bench.next()
        await socket.send_message('[2,"7","ClearCache",{}]')
        await socket.send_message('[2,"7","ClearCache",{}]')

        assert (await receive(socket))[:3] == [4, "7", "ProtocolError"]
        assert bench.events == [ConnectionOpened(), RequestReceived("7", ClearCache())]


async def test_an_id_may_be_used_again_once_it_is_answered(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        for _ in range(2):
            await socket.send_message('[2,"7","ClearCache",{}]')
            assert await bench.next() == RequestReceived("7", ClearCache())
            link.answer("7", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))
            assert (await receive(socket))[0] == 3


async def test_a_call_that_is_left_unanswered_makes_room_for_another(bench, raw, autojump_clock):
    async with raw(outbox_size_max=1) as (link, socket):
        await bench.next()
        for call_id in ("1", "2"):
            await socket.send_message(f'[2,"{call_id}","ClearCache",{{}}]')
            assert await bench.next() == RequestReceived(call_id, ClearCache())
            link.leave_unanswered(call_id)

        assert bench.logged("sent") == []


async def test_calls_beyond_the_limit_are_refused(bench, raw, autojump_clock):
    async with raw(outbox_size_max=2) as (_, socket):
        await bench.next()
        for call_id in ("1", "2", "3"):
            await socket.send_message(f'[2,"{call_id}","ClearCache",{{}}]')

        assert (await receive(socket))[:3] == [4, "3", "InternalError"]


async def test_an_answer_to_a_call_of_an_earlier_connection_is_dropped(bench, settings, csms, autojump_clock):
    link = bench.start(settings)
    link.answer("7", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))
    link.dial()
    await bench.next()
    link.answer("7", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))
    await trio.sleep(1)

    assert csms.transcript == []
    assert len(bench.logged("answer dropped")) == 2


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "",
        "{}",
        "[]",
        "[2]",
        '[2,7,"ClearCache",{}]',
        '[5,"7","ClearCache",{}]',
        '["2","7","X",{}]',
        b"\x02",
    ],
)
async def test_what_cannot_be_answered_is_ignored_and_logged(bench, raw, frame, autojump_clock):
    async with raw() as (_, socket):
        await bench.next()
        await socket.send_message(frame)
        await socket.send_message('[2,"7","ClearCache",{}]')

        assert await bench.next() == RequestReceived("7", ClearCache())
        assert len(bench.logged("ignored")) == 1


async def test_a_frame_of_ten_megabytes_ends_the_connection_and_not_the_station(
    bench, raw, settings, nursery, autojump_clock
):
    async with raw() as (link, socket):
        await bench.next()
        nursery.start_soon(send_quietly, socket, "x" * 10_000_000)
        closed = await bench.next()
        assert isinstance(closed, ConnectionClosed)
        assert "1009" in closed.why
        link.dial()

        assert await bench.next() == ConnectionOpened()


async def send_quietly(socket, text):
    """Send, whatever becomes of the connection meanwhile."""
    with contextlib.suppress(trio_websocket.ConnectionClosed):
        await socket.send_message(text)


async def test_a_breach_of_the_websocket_protocol_ends_the_connection(bench, settings, autojump_clock):
    async def serve(stream):
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream)
            await request.accept(subprotocol="ocpp1.6")
            await stream.send_all(b"\xff\xff\xff\xff" * 10)
            await trio.sleep_forever()

    bench.serve = serve
    bench.start(settings).dial()
    await bench.next()

    assert isinstance(await bench.next(), ConnectionClosed)


async def test_text_that_is_not_utf8_ends_the_connection(bench, settings, autojump_clock):
    async def serve(stream):
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream)
            await request.accept(subprotocol="ocpp1.6")
            await stream.send_all(b"\x81\x02\xff\xff")
            await trio.sleep_forever()

    bench.serve = serve
    bench.start(settings).dial()
    await bench.next()

    assert isinstance(await bench.next(), ConnectionClosed)


async def test_everything_sent_and_received_is_logged_in_order(bench, raw, autojump_clock):
    async with raw() as (link, socket):
        await bench.next()
        link.call("x", Heartbeat())
        call = await receive(socket)
        await socket.send_message(f'[3,"{call[1]}",{TIME}]')
        await bench.next()

        assert [line for line in bench.log_lines if line[0] in ("sent", "received")] == [
            ("sent", {"text": f'[2,"{call[1]}","Heartbeat",{{}}]'}),
            ("received", {"text": f'[3,"{call[1]}",{TIME}]'}),
        ]


async def test_a_new_password_is_not_logged(bench, raw, autojump_clock):
    async with raw() as (_, socket):
        await bench.next()
        frame = '[2,"7","ChangeConfiguration",{"key":"AuthorizationKey","value":"0011223344"}]'
        await socket.send_message(frame)
        await bench.next()

        assert "0011223344" not in str(bench.log_lines)


# Pings


async def deaf_after_the_handshake(stream):
    """A server that opens the WebSocket and then neither reads nor writes."""
    async with trio.open_nursery() as nursery:
        request = await wrap_server_stream(nursery, stream)
        await request.accept(subprotocol="ocpp1.6")
        nursery.cancel_scope.cancel()
    await trio.sleep_forever()


async def test_a_peer_without_pong_is_dead(bench, settings, autojump_clock):
    bench.serve = deaf_after_the_handshake
    link = bench.start(replace(settings, ping_interval_s=60))
    link.dial()
    await bench.next()

    assert await bench.next() == ConnectionClosed("no pong within 5 s")
    assert trio.current_time() == 65


async def test_a_peer_with_pongs_is_alive(bench, raw, autojump_clock):
    async with raw(ping_interval_s=60):
        await bench.next()
        await trio.sleep(3600)

        assert bench.events == [ConnectionOpened()]


async def test_without_interval_there_are_no_pings(bench, settings, autojump_clock):
    bench.serve = deaf_after_the_handshake
    bench.start(settings).dial()
    await trio.sleep(3600)

    assert bench.events == [ConnectionOpened()]


async def test_a_changed_interval_holds_for_the_live_connection(bench, settings, autojump_clock):
    bench.serve = deaf_after_the_handshake
    link = bench.start(settings)
    link.dial()
    await trio.sleep(100)
    link.set_ping_interval(10)
    await bench.next()
    await bench.next()

    assert trio.current_time() == 115


async def test_pings_can_be_turned_off_on_the_live_connection(bench, settings, autojump_clock):
    bench.serve = deaf_after_the_handshake
    link = bench.start(replace(settings, ping_interval_s=60))
    link.dial()
    await trio.sleep(59)
    link.set_ping_interval(0)
    await trio.sleep(3600)

    assert bench.events == [ConnectionOpened()]


async def test_a_ping_of_the_central_system_is_answered(bench, raw, autojump_clock):
    async with raw() as (_, socket):
        with trio.fail_after(1):
            await socket.ping()


async def test_a_peer_that_reads_nothing_does_not_hold_up_the_link(bench, settings, autojump_clock):
    """The pipe to it is full: a send that waits for ever must not keep the connection."""

    async def open_stream(url):
        ours, theirs = trio.testing.lockstep_stream_pair()
        bench.nursery.start_soon(deaf_after_the_handshake, theirs)
        return ours

    link = bench.start(settings, open_stream)
    link.dial()
    await bench.next()
    link.call("x", Heartbeat())
    failed, closed = await bench.next(), await bench.next()

    assert (failed.failure, type(closed)) == (Failure.DISCONNECTED, ConnectionClosed)
    assert trio.current_time() == settings.pong_timeout_s


class Narrow:
    """A stream that takes two thousand bytes a second."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    async def receive_some(self, max_bytes=None):
        await trio.sleep(1)
        return await self._stream.receive_some(2000)


async def test_a_peer_that_reads_slowly_is_waited_for(bench, settings, autojump_clock):
    """A frame takes longer than the peer may be silent, and a ping its turn behind it: nobody refuses to read."""
    messages = []

    async def serve(stream):
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, Narrow(stream))
            socket = await request.accept(subprotocol="ocpp1.6")
            with contextlib.suppress(trio_websocket.ConnectionClosed):
                while True:
                    messages.append(await socket.get_message())

    async def open_stream(url):
        ours, theirs = trio.testing.lockstep_stream_pair()
        bench.nursery.start_soon(serve, theirs)
        return ours

    link = bench.start(replace(settings, ping_interval_s=10, call_timeout_s=1e9), open_stream)
    link.dial()
    await bench.next()
    link.call("x", DataTransfer(vendor_id="x", data="x" * 60_000))
    await trio.sleep(100)

    assert [len(message) > 60_000 for message in messages] == [True]
    assert bench.events == [ConnectionOpened()]


async def test_pongs_count_while_the_charge_point_takes_its_time(bench, raw, autojump_clock):
    """The inbox is full for ten minutes: that is no fault of the peer."""
    taken = trio.Event()
    report = bench.report

    async def slow(event):
        await report(event)
        if isinstance(event, RequestReceived):
            await taken.wait()

    bench.report = slow
    async with raw(ping_interval_s=60, outbox_size_max=100) as (_, socket):
        for call_id in range(40):
            bench.nursery.start_soon(send_quietly, socket, f'[2,"{call_id}","ClearCache",{{}}]')
        await trio.sleep(600)
        taken.set()
        await trio.sleep(100)

        assert [type(event) for event in bench.events] == [ConnectionOpened] + 40 * [RequestReceived]


@pytest.mark.parametrize("turns", range(12))
async def test_a_call_that_is_asked_for_with_an_answer_comes_after_it(turns, bench, raw, autojump_clock):
    """At whatever moment after a CALL of our own was settled, when the sender looks for the next one."""
    async with raw() as (link, socket):
        await bench.next()
        await socket.send_message('[2,"1","ClearCache",{}]')
        assert await bench.next() == RequestReceived("1", ClearCache())
        link.call("heartbeat", Heartbeat())
        first = await receive(socket)
        await socket.send_message(f'[3,"{first[1]}",{TIME}]')
        for _ in range(turns):
            await trio.lowlevel.checkpoint()
        link.call("status", STATUS)
        link.answer("1", ClearCacheConf(status=ClearCacheStatus.ACCEPTED))

        assert [(await receive(socket))[0], (await receive(socket))[0]] == [3, 2]
