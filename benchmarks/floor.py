"""What is left without behaviour: the libraries of our station, and its durability, with nothing decided in between.

Trio, trio-websocket, msgspec and SQLite as the station uses them. Every transaction message is committed
(``synchronous=FULL``, in a thread) before it is sent, and taken away with the next commit once it is answered; what is
sent is what :mod:`benchmarks.peer` sends. There are no machines, timers, keys, history or log, and of nothing that goes
wrong anybody hears. It is what a station on these libraries that keeps what it sends has to do at the least.

``python -m benchmarks.floor URL IDENTITY FOLDER [--sample-s S] [--forget] [--bare]`` obeys lines on stdin as
:mod:`benchmarks.peer` and answers with the CPU time of the thread of the event loop. With ``--forget`` nothing is kept;
with ``--bare`` it does without trio-websocket: wsproto on the bare stream, and nobody who looks after the connection.
"""

import argparse
import json
import sqlite3
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import trio
from trio_websocket import open_websocket_url
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

SUBPROTOCOL = "ocpp1.6"
SAMPLES = 10
PHASES = ("L1", "L2", "L3")
CALL_TIMEOUT_S = 30

Json = dict[str, Any]


class Kept:
    """The database: messages that are not answered."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._database = sqlite3.connect(
            folder / "floor.sqlite3", isolation_level=None, check_same_thread=False
        )
        for name, value in (
            ("locking_mode", "EXCLUSIVE"),
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("cache_size", "-256"),
        ):
            self._database.execute(f"PRAGMA {name} = {value}")
        self._database.execute("CREATE TABLE message (number INTEGER PRIMARY KEY, content BLOB NOT NULL)")
        self._answered = 0

    def keep(self, number: int, content: bytes) -> None:
        """Write a message, and take away those that are answered."""
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT INTO message VALUES (?, ?)", (number, content))
        self._database.execute("DELETE FROM message WHERE number <= ?", (self._answered,))
        self._database.execute("COMMIT")

    def answered(self, number: int) -> None:
        """This message need not be kept any longer."""
        self._answered = number


class Socket(Protocol):
    """A WebSocket that is open."""

    async def send_message(self, text: str, /) -> None:
        """Send a text."""

    async def get_message(self) -> str | bytes:
        """Wait for the next one."""


class BareSocket:
    """wsproto on a stream."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)

    async def shake_hands(self, host: str, target: str) -> None:
        """Open it."""
        request = Request(host=host, target=target, subprotocols=[SUBPROTOCOL])
        await self._stream.send_all(self._protocol.send(request))
        self._protocol.receive_data(await self._stream.receive_some())
        (accepted,) = self._protocol.events()
        assert isinstance(accepted, AcceptConnection)

    async def send_message(self, text: str, /) -> None:
        """Send a text."""
        await self._stream.send_all(self._protocol.send(TextMessage(text)))

    async def get_message(self) -> str:
        """Wait for the next one."""
        while True:
            for event in self._protocol.events():
                if isinstance(event, TextMessage):
                    return event.data
            self._protocol.receive_data(await self._stream.receive_some())


class Floor:
    """One connector."""

    def __init__(self, socket: Socket, kept: Kept | None, sample_s: float) -> None:
        self._socket = socket
        self._kept = kept
        self._sample_s = sample_s
        self._number = 0
        self._energy_wh = 0
        self._answer: Json = {}
        self._answered = trio.Event()

    async def run(self) -> None:
        """Boot, then obey until stdin ends."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._receive)
            await self._call("BootNotification", {"chargePointModel": "M", "chargePointVendor": "V"})
            await self._status("Available", 0)
            await self._status("Available")
            async with trio.lowlevel.FdStream(0) as stdin:
                begun = b""
                async for chunk in stdin:
                    *lines, begun = (begun + chunk).split(b"\n")
                    for line in lines:
                        began_s = time.thread_time()
                        for _ in range(json.loads(line)["times"]):
                            await self._session()
                        print(json.dumps({"loop_s": time.thread_time() - began_s}), flush=True)
            nursery.cancel_scope.cancel()

    async def _session(self) -> None:
        """One charging session."""
        await self._status("Preparing")
        await self._call("Authorize", {"idTag": "CARD"})
        data = [self._values("Transaction.Begin")]
        started = {"connectorId": 1, "idTag": "CARD", "meterStart": self._energy_wh, "timestamp": _now()}
        answer = await self._deliver("StartTransaction", started)
        transaction_id = answer["transactionId"]
        await self._status("Charging")
        for _ in range(SAMPLES):
            await trio.sleep(self._sample_s)
            self._energy_wh += 2
            values = self._values("Sample.Periodic")
            data.append(values)
            sample = {"connectorId": 1, "transactionId": transaction_id, "meterValue": [values]}
            await self._deliver("MeterValues", sample)
        data.append(self._values("Transaction.End"))
        stopped = {
            "meterStop": self._energy_wh,
            "timestamp": _now(),
            "transactionId": transaction_id,
            "reason": "Local",
            "idTag": "CARD",
            "transactionData": data,
        }
        await self._deliver("StopTransaction", stopped)
        await self._status("Finishing")
        await self._status("Available")

    def _values(self, context: str) -> Json:
        def value(measurand: str, value: str, unit: str, phase: str | None = None) -> Json:
            sampled = {"value": value, "context": context, "measurand": measurand, "unit": unit}
            return sampled if phase is None else {**sampled, "phase": phase}

        return {
            "timestamp": _now(),
            "sampledValue": [
                value("Energy.Active.Import.Register", str(self._energy_wh), "Wh"),
                value("Power.Active.Import", "11040", "W"),
                *(value("Current.Import", "16", "A", phase) for phase in PHASES),
                *(value("Voltage", "230", "V", f"{phase}-N") for phase in PHASES),
            ],
        }

    async def _status(self, status: str, connector: int = 1) -> None:
        told = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": _now()}
        await self._call("StatusNotification", told)

    async def _deliver(self, action: str, payload: Json) -> Json:
        """Keep a transaction message, send it, and wait for its answer."""
        if self._kept is None:
            return await self._call(action, payload)
        self._number += 1
        await trio.to_thread.run_sync(self._kept.keep, self._number, msgspec.json.encode(payload))
        answer = await self._call(action, payload)
        self._kept.answered(self._number)
        return answer

    async def _call(self, action: str, payload: Json) -> Json:
        self._answered = trio.Event()
        text = msgspec.json.encode([2, str(time.monotonic_ns()), action, payload]).decode()
        await self._socket.send_message(text)
        with trio.fail_after(CALL_TIMEOUT_S):
            await self._answered.wait()
        return self._answer

    async def _receive(self) -> None:
        while True:
            self._answer = msgspec.json.decode(await self._socket.get_message())[2]
            self._answered.set()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def run(url: str, identity: str, folder: Path, sample_s: float, *, keeps: bool, is_bare: bool) -> None:
    """Connect, boot, obey until stdin ends."""
    kept = Kept(folder) if keeps else None
    if is_bare:
        parts = urlsplit(url)
        async with await trio.open_tcp_stream(str(parts.hostname), parts.port or 80) as stream:
            bare = BareSocket(stream)
            await bare.shake_hands(parts.netloc, f"/{identity}")
            await Floor(bare, kept, sample_s).run()
        return
    async with open_websocket_url(f"{url}/{identity}", subprotocols=[SUBPROTOCOL]) as socket:
        await Floor(socket, kept, sample_s).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("identity")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample-s", type=float, default=10)
    parser.add_argument("--forget", action="store_true")
    parser.add_argument("--bare", action="store_true")
    arguments = parser.parse_args()
    connect = (arguments.url, arguments.identity, arguments.folder, arguments.sample_s)
    trio.run(partial(run, *connect, keeps=not arguments.forget, is_bare=arguments.bare))
