"""A link under test, and the two kinds of server it meets: Csms, and a raw WebSocket that says anything."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trio
import trio.testing
from msgspec.structs import replace
from trio_websocket import WebSocketConnection, wrap_server_stream

from engine.csms import Csms
from engine.ocpp.link import Link, LinkSettings
from machines.vocabulary.ocpp import ACTIONS

PATIENCE_S = 100

SETTINGS = LinkSettings(
    url="ws://central.example/ocpp",
    identity="WB-0042",
    password=None,
    ca_file=None,
    connect_timeout_s=10,
    call_timeout_s=30,
    ping_interval_s=0,
    pong_timeout_s=5,
    frame_size_max=64 * 1024,
    outbox_size_max=4,
    receives=frozenset(action.name for action in ACTIONS.values() if action.from_central_system),
)


class Bench:
    """A running link; what it reported and logged, in order."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.reported, self._events = trio.open_memory_channel(math.inf)
        self.events = []
        self.log_lines = []
        self.server_streams = []
        self.serve = self._nobody
        self.link = None

    async def _nobody(self, stream):
        raise AssertionError("no server was set")

    async def open_stream(self, url: str) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        self.server_streams.append(theirs)
        self.nursery.start_soon(self.serve, theirs)
        return ours

    def log(self, event: str, /, **fields: object) -> None:
        self.log_lines.append((event, fields))

    def logged(self, event: str) -> list[str]:
        """The texts or reasons of the log lines named ``event``."""
        return [str(f.get("text", f.get("why", f))) for e, f in self.log_lines if e == event]

    async def report(self, event) -> None:
        self.events.append(event)
        await self.reported.send(event)

    async def next(self):
        """The next event that nobody has looked at; a test that waits in vain fails."""
        with trio.fail_after(PATIENCE_S):
            return await self._events.receive()

    def start(self, settings: LinkSettings, open_stream=None) -> Link:
        self.link = Link(settings, self.report, self.log, open_stream or self.open_stream)
        self.nursery.start_soon(self.link.run)
        return self.link


@pytest.fixture
def settings() -> LinkSettings:
    return SETTINGS


@pytest.fixture
def bench(nursery: trio.Nursery) -> Bench:
    return Bench(nursery)


@pytest.fixture
def now() -> Callable[[], datetime]:
    """The virtual clock as time of day."""
    return lambda: datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=trio.current_time() % 1e9)


@pytest.fixture
def csms(bench: Bench, now) -> Csms:
    """A Central System that every dialling of the bench reaches."""
    csms = Csms(now)
    bench.serve = csms.serve_stream
    return csms


@pytest.fixture
def raw(bench: Bench):
    """Dial a server that does only what the test does with its socket; yields link and socket."""

    @asynccontextmanager
    async def dial(**changes) -> AsyncIterator[tuple[Link, WebSocketConnection]]:
        send, receive = trio.open_memory_channel(0)

        async def serve(stream):
            async with trio.open_nursery() as nursery:
                request = await wrap_server_stream(nursery, stream, message_queue_size=100)
                await send.send(await request.accept(subprotocol="ocpp1.6"))

        bench.serve = serve
        link = bench.start(replace(SETTINGS, **changes))
        link.dial()
        with trio.fail_after(PATIENCE_S):
            socket = await receive.receive()
        yield link, socket

    return dial
