"""The Central System of the benchmarks, in a process of its own, the same for every contender.

It is to be cheap, so that it limits nobody: plain ``websockets`` without compression, and answers that are ready
but for the call id. It checks nothing; that the contenders send the same is checked from its counts.

``python -m benchmarks.csms`` prints ``{"port": N}``, then obeys one JSON line on stdin after the other and answers each
with one on stdout:

* ``{"do": "wait", "identity": I, "action": A, "count": N}``: until a station has sent so many CALLs ``A``; answers with
  the time of the last one, in ns of the system's monotonic clock
* ``{"do": "sent", "identity": I}``: what a station has sent: messages by action, bytes, sampled values by action
* ``{"do": "call", "identity": I, "action": A, "payload": P, "times": N, "pause_s": S}``: CALLs, one after the other;
  answers with how long each took, in ns, and the last answer
* ``{"do": "cycles", "identity": I, "times": N}``: RemoteStartTransaction and RemoteStopTransaction, N times
* ``{"do": "network", "up": false}``: drop every connection and take no new one, or take them again
"""

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

HEARTBEAT_S = 86_400
"""So that no contender sends Heartbeats while something else is measured."""
WAIT_S = 60


class Station:
    """What is known of one station, over all its connections."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.bytes = 0
        self.samples: Counter[str] = Counter()
        self.last_ns: dict[str, int] = {}
        self.grown = asyncio.Event()
        self.connection: ServerConnection | None = None
        self.answers: dict[str, asyncio.Future[tuple[int, Any]]] = {}

    async def until(self, action: str, times: int) -> int:
        """Wait for so many CALLs; the time of the last."""
        async with asyncio.timeout(WAIT_S):
            while self.sent[action] < times:
                self.grown.clear()
                await self.grown.wait()
        return self.last_ns[action]

    async def call(self, action: str, payload: Any) -> tuple[int, Any]:
        """Send a CALL; how long it took in ns, and the answer."""
        assert self.connection is not None
        call_id = f"c{time.monotonic_ns()}"
        answered = self.answers[call_id] = asyncio.get_running_loop().create_future()
        text = json.dumps([2, call_id, action, payload])
        begin = time.monotonic_ns()
        await self.connection.send(text)
        async with asyncio.timeout(WAIT_S):
            end, answer = await answered
        return end - begin, answer


class CentralSystem:
    """The process."""

    def __init__(self) -> None:
        self._stations: dict[str, Station] = {}
        self._transaction_id = 0
        """Of the latest transaction."""
        self._is_up = True

    async def run(self) -> None:
        """Serve until stdin ends."""
        async with serve(
            self._serve,
            "127.0.0.1",
            0,
            subprotocols=[Subprotocol("ocpp1.6")],
            process_request=self._admit,
            compression=None,
            ping_interval=None,
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            print(json.dumps({"port": port}), flush=True)
            lines = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
            )
            async for line in lines:
                print(json.dumps(await self._obey(json.loads(line))), flush=True)

    def _of(self, identity: str) -> Station:
        return self._stations.setdefault(identity, Station())

    async def _admit(self, connection: ServerConnection, _request: Request) -> Response | None:
        if self._is_up:
            return None
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "the network is down\n")

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        station = self._of(connection.request.path.rpartition("/")[2])
        station.connection = connection
        with suppress(ConnectionClosed):
            async for text in connection:
                now = time.monotonic_ns()
                frame = msgspec.json.decode(text)
                if frame[0] == 2:
                    await connection.send(self._answer(frame))
                    self._note(station, frame, len(text), now)
                else:
                    station.answers.pop(frame[1]).set_result((now, frame[2]))

    def _answer(self, frame: list[Any]) -> str:
        match frame[2]:
            case "BootNotification":
                payload = f'{{"status":"Accepted","currentTime":"{_now()}","interval":{HEARTBEAT_S}}}'
            case "Heartbeat":
                payload = f'{{"currentTime":"{_now()}"}}'
            case "Authorize":
                payload = '{"idTagInfo":{"status":"Accepted"}}'
            case "StartTransaction":
                self._transaction_id += 1
                payload = f'{{"transactionId":{self._transaction_id},"idTagInfo":{{"status":"Accepted"}}}}'
            case _:
                payload = "{}"
        return f'[3,"{frame[1]}",{payload}]'

    def _note(self, station: Station, frame: list[Any], size: int, now: int) -> None:
        action, payload = frame[2], frame[3]
        station.sent[action] += 1
        station.bytes += size
        station.last_ns[action] = now
        for values in payload.get("meterValue", ()) or payload.get("transactionData", ()):
            station.samples[action] += len(values["sampledValue"])
        station.grown.set()

    async def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        station = self._of(command.get("identity", ""))
        match command:
            case {"do": "wait", "action": action, "count": times}:
                return {"at_ns": await station.until(action, times)}
            case {"do": "sent"}:
                return {"sent": station.sent, "bytes": station.bytes, "samples": station.samples}
            case {"do": "call", "action": action, "payload": payload, "times": times, "pause_s": pause_s}:
                took = []
                for _ in range(times):
                    took_ns, answer = await station.call(action, payload)
                    took.append(took_ns)
                    await asyncio.sleep(pause_s)
                return {"took_ns": took, "answer": answer}
            case {"do": "cycles", "times": times}:
                return {"took_ns": await self._cycles(station, times)}
            case {"do": "network", "up": up}:
                self._is_up = up
                if not up:
                    for each in self._stations.values():
                        if each.connection is not None:
                            each.connection.transport.abort()
                return {}
            case _:
                raise ValueError(command)

    async def _cycles(self, station: Station, times: int) -> list[int]:
        """Remote starts, each followed by a remote stop once the connector charges and by its becoming available."""
        took = []
        for _ in range(times):
            starts, stops = station.sent["StartTransaction"], station.sent["StopTransaction"]
            statuses = station.sent["StatusNotification"]
            took_ns, answer = await station.call(
                "RemoteStartTransaction", {"connectorId": 1, "idTag": "REMOTE"}
            )
            assert answer == {"status": "Accepted"}, answer
            took.append(took_ns)
            await station.until("StartTransaction", starts + 1)
            await station.until("StatusNotification", statuses + 1)
            stop = {"transactionId": self._transaction_id}
            _, answer = await station.call("RemoteStopTransaction", stop)
            assert answer == {"status": "Accepted"}, answer
            await station.until("StopTransaction", stops + 1)
            # Charging, Finishing, Available, Preparing
            await station.until("StatusNotification", statuses + 4)
        return took


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    asyncio.run(CentralSystem().run())
