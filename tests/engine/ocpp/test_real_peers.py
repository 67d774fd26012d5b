"""The link against the server of another library, over a real socket."""

import contextlib
import json
import threading

import pytest
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed as ServerClosed
from websockets.sync.server import serve

from engine.ocpp.link import Link
from machines.vocabulary.ocpp import ClearCache, Heartbeat
from machines.vocabulary.wire import (
    CallAnswered,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    RequestReceived,
)


@pytest.fixture
def serving():
    """Starts a server of the ``websockets`` package; gives its port."""
    with contextlib.ExitStack() as stack:

        def start(handler, **options) -> int:
            server = stack.enter_context(serve(handler, "127.0.0.1", 0, **options))
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server.socket.getsockname()[1]

        yield start


async def connect(bench, settings, port):
    link = Link(replace(settings, url=f"ws://127.0.0.1:{port}/ocpp"), bench.report, bench.log)
    bench.nursery.start_soon(link.run)
    link.dial()
    return link, await bench.next()


async def test_calls_go_both_ways(bench, settings, serving):
    def handler(socket):
        call = json.loads(socket.recv())
        socket.send(json.dumps([3, call[1], {"currentTime": "2030-01-01T00:00:00.000Z"}]))
        socket.send('[2,"7","ClearCache",{}]')
        socket.recv()

    link, opened = await connect(bench, settings, serving(handler, subprotocols=["ocpp1.6"]))
    link.call("clock", Heartbeat())
    answered, received = await bench.next(), await bench.next()
    link.hang_up("done")

    assert opened == ConnectionOpened()
    assert isinstance(answered, CallAnswered)
    assert received == RequestReceived("7", ClearCache())
    assert await bench.next() == ConnectionClosed("done")


async def test_a_server_with_another_subprotocol_is_left(bench, settings, serving):
    port = serving(lambda socket: None, subprotocols=["ocpp2.0.1"])

    assert isinstance((await connect(bench, settings, port))[1], ConnectionFailed)


async def test_a_huge_frame_is_closed_with_1009(bench, settings, serving):

    def handler(socket):
        with contextlib.suppress(ServerClosed):
            socket.send("x" * 10_000_000)
            socket.recv()

    await connect(bench, settings, serving(handler, subprotocols=["ocpp1.6"]))
    closed = await bench.next()

    assert "1009" in closed.why
