"""A Central System that shares no code with the station: the ``ocpp`` and ``websockets`` packages, on asyncio.

It runs as its own process, ``python tests/peers/central_system.py --port 0``, and validates every payload in both
directions against the JSON schemas of the ``ocpp`` package. Events leave as JSON lines on stdout:

    {"event": "listening", "port": 43117}
    {"event": "connected", "identity": "AC-SMART-0000001", "subprotocol": "ocpp1.6"}
    {"event": "call", "id": "…", "action": "Authorize", "payload": {…}}         a CALL of the station
    {"event": "answer", "id": "…", "action": "Reset", "payload": {…}}           the station's answer to a CALL
    {"event": "error", "id": "…", "code": "NotSupported", "description": "…"}   its CALLERROR
    {"event": "violation", "what": "…"}                                         against a schema or the frame format
    {"event": "disconnected", "code": 1000, "reason": "…"}

Commands arrive as JSON lines on stdin:

    {"call": "Reset", "payload": {"type": "Soft"}, "id": "…"}     send a CALL
    {"answer": {"action": "Authorize", "payload": {…}}}           answer so from now on; null is no answer at all
    {"drop": true}                                                close the connection
    {"send_text": "…"}, {"send_bytes_hex": "…"}                   send a raw frame
    {"send_spaces": 10000000}                                     send a text frame of so many bytes
"""

import argparse
import asyncio
import json
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ocpp.charge_point import camel_to_snake_case  # type: ignore[import-untyped]
from ocpp.exceptions import OCPPError  # type: ignore[import-untyped]
from ocpp.messages import unpack  # type: ignore[import-untyped]
from ocpp.routing import on as _on  # type: ignore[import-untyped]
from ocpp.v16 import ChargePoint, call, call_result  # type: ignore[import-untyped]
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

INTERVAL_S = 300
CALL_TIMEOUT_S = 30

Handler = Callable[..., Any]


def on(action: str) -> Callable[[Handler], Handler]:
    """Make a method the handler of ``action``."""
    decorator: Callable[[Handler], Handler] = _on(action)
    return decorator


def tell(event: str, **members: Any) -> None:
    """Print an event."""
    sys.stdout.write(json.dumps({"event": event, **members}) + "\n")
    sys.stdout.flush()


class Books:
    """What outlives a connection."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        """What is answered instead of the usual, by action; None is nothing."""
        self._transactions: dict[str, int] = {}

    def transaction_id(self, **started: Any) -> int:
        """The id of a transaction; the same StartTransaction once more gets the id of the first."""
        key = json.dumps(started, sort_keys=True)
        return self._transactions.setdefault(key, len(self._transactions) + 1)


class Station(ChargePoint):  # type: ignore[misc]  # the package has no types
    """A connected station."""

    def __init__(self, identity: str, connection: ServerConnection, books: Books) -> None:
        super().__init__(identity, connection, response_timeout=CALL_TIMEOUT_S)
        self._books = books
        self._asked: dict[str, str] = {}
        """Actions of our CALLs, by id."""

    async def route_message(self, raw_msg: str | bytes) -> None:
        """Tell of a frame, then let the package handle it."""
        try:
            frame = unpack(raw_msg)
        except OCPPError as error:
            tell("violation", what=f"{error!r}: {raw_msg!r}")
            return
        match json.loads(raw_msg):
            case [2, str(call_id), action, payload]:
                tell("call", id=call_id, action=action, payload=payload)
                if len(call_id) > 36:
                    tell("violation", what=f"an id of {len(call_id)} characters")
                if self._books.answers.get(action, {}) is None:
                    return
            case [3, call_id, payload]:
                tell("answer", id=call_id, action=self._asked.pop(call_id, ""), payload=payload)
            case [4, call_id, code, description, {}]:
                tell("error", id=call_id, code=code, description=description)
            case _:
                tell("violation", what=f"{frame!r} is not one of the three frames")
        # The station may close before it is answered; what it sent before that is still to be read.
        with suppress(ConnectionClosed):
            await super().route_message(raw_msg)

    async def _handle_call(self, msg: Any) -> Any:
        try:
            return await super()._handle_call(msg)
        except OCPPError as error:
            tell("violation", what=f"{msg.action}: {error!r}")
            raise

    def _answer(self, action: str, usual: Any) -> Any:
        payload = self._books.answers.get(action)
        return usual if payload is None else type(usual)(**camel_to_snake_case(payload))

    # The behaviour of a Central System

    @on("Authorize")
    def on_authorize(self, **_: Any) -> Any:
        return self._answer("Authorize", call_result.Authorize(id_tag_info={"status": "Accepted"}))

    @on("BootNotification")
    def on_boot_notification(self, **_: Any) -> Any:
        usual = call_result.BootNotification(current_time=_now(), interval=INTERVAL_S, status="Accepted")
        return self._answer("BootNotification", usual)

    @on("DiagnosticsStatusNotification")
    def on_diagnostics_status_notification(self, **_: Any) -> Any:
        return self._answer("DiagnosticsStatusNotification", call_result.DiagnosticsStatusNotification())

    @on("FirmwareStatusNotification")
    def on_firmware_status_notification(self, **_: Any) -> Any:
        return self._answer("FirmwareStatusNotification", call_result.FirmwareStatusNotification())

    @on("Heartbeat")
    def on_heartbeat(self, **_: Any) -> Any:
        return self._answer("Heartbeat", call_result.Heartbeat(current_time=_now()))

    @on("MeterValues")
    def on_meter_values(self, **_: Any) -> Any:
        return self._answer("MeterValues", call_result.MeterValues())

    @on("StartTransaction")
    def on_start_transaction(self, **started: Any) -> Any:
        usual = call_result.StartTransaction(
            transaction_id=self._books.transaction_id(**started), id_tag_info={"status": "Accepted"}
        )
        return self._answer("StartTransaction", usual)

    @on("StatusNotification")
    def on_status_notification(self, **_: Any) -> Any:
        return self._answer("StatusNotification", call_result.StatusNotification())

    @on("StopTransaction")
    def on_stop_transaction(self, **_: Any) -> Any:
        return self._answer("StopTransaction", call_result.StopTransaction())

    # CALLs to the station

    async def ask(self, action: str, payload: dict[str, Any], call_id: str) -> None:
        """Send a CALL and have the package check it and its answer."""
        self._asked[call_id] = action
        request = getattr(call, action)(**camel_to_snake_case(payload))
        try:
            with suppress(ConnectionClosed):
                await self.call(request, unique_id=call_id)
        except (OCPPError, TimeoutError, TypeError) as error:
            tell("violation", what=f"{action} answered: {error!r}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class CentralSystem:
    """The process."""

    def __init__(self) -> None:
        self._books = Books()
        self._station: Station | None = None
        self._connection: ServerConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, listener: socket.socket) -> None:
        """Serve until stdin ends."""
        async with serve(
            self._serve,
            sock=listener,
            subprotocols=[Subprotocol("ocpp1.6")],
            ping_interval=None,
            max_size=2**20,
        ):
            tell("listening", port=listener.getsockname()[1])
            commands = asyncio.StreamReader(limit=2**25)
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
            )
            async for line in commands:
                with suppress(ConnectionClosed):  # told as such
                    await self._obey(json.loads(line))

    async def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        self._connection = connection
        self._station = Station(request.path.rpartition("/")[2], connection, self._books)
        tell("connected", identity=self._station.id, subprotocol=connection.subprotocol)
        try:
            await self._station.start()
        except ConnectionClosed:
            tell("disconnected", code=connection.close_code, reason=connection.close_reason)

    async def _obey(self, command: dict[str, Any]) -> None:
        match command:
            case {"answer": {"action": action, "payload": payload}}:
                self._books.answers[action] = payload
                return
        station, connection = self._station, self._connection
        assert station is not None, "no station is connected"
        assert connection is not None
        match command:
            case {"call": action, "payload": payload, "id": call_id}:
                # Its answer is received elsewhere, so it is not waited for here.
                task = asyncio.create_task(station.ask(action, payload, call_id))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case {"drop": True}:
                await connection.close()
            case {"send_text": text}:
                await connection.send(text)
            case {"send_bytes_hex": digits}:
                await connection.send(bytes.fromhex(digits))
            case {"send_spaces": size}:
                await connection.send(" " * size)
            case _:
                raise AssertionError(command)


def main() -> None:
    """Run the Central System."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0, help="0 lets the kernel choose")
    parser.add_argument("--fd", type=int, help="a socket that listens already, instead")
    options = parser.parse_args()
    if options.fd is None:
        listener = socket.create_server(("127.0.0.1", options.port))
    else:
        listener = socket.socket(fileno=options.fd)
    logging.basicConfig(level=logging.ERROR)
    # A peer that closes in the middle of a frame is an event here, not an error.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    asyncio.run(CentralSystem().run(listener))


if __name__ == "__main__":
    main()
