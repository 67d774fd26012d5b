"""A small Central System on the ``ocpp`` package, as an example of something to be tested.

``Csms`` serves stations on an asyncio event loop. It knows cards, prices energy, and can start a session from afar.
By itself, ``python csms.py [PORT]`` serves them on port 9000 and tells what it bills.
"""

import asyncio
import sys
from datetime import UTC, datetime

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

CARDS = {"ALICE", "BOB"}
CENTS_PER_KWH = 40


class Station(ChargePoint):
    """A connected station."""

    def __init__(self, identity: str, connection: ServerConnection, csms: "Csms") -> None:
        super().__init__(identity, connection)
        self.csms = csms

    @on("BootNotification")
    def on_boot_notification(self, **_: object) -> call_result.BootNotification:
        return call_result.BootNotification(now(), 300, RegistrationStatus.accepted)

    @on("Heartbeat")
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(now())

    @on("StatusNotification")
    def on_status_notification(self, **_: object) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on("MeterValues")
    def on_meter_values(self, **_: object) -> call_result.MeterValues:
        return call_result.MeterValues()

    @on("Authorize")
    def on_authorize(self, id_tag: str) -> call_result.Authorize:
        return call_result.Authorize(info(id_tag))

    @on("StartTransaction")
    def on_start_transaction(
        self, id_tag: str, meter_start: int, **_: object
    ) -> call_result.StartTransaction:
        transaction_id = len(self.csms.meter_starts) + 1
        self.csms.meter_starts[transaction_id] = meter_start
        return call_result.StartTransaction(transaction_id, info(id_tag))

    @on("StopTransaction")
    def on_stop_transaction(
        self, transaction_id: int, meter_stop: int, **_: object
    ) -> call_result.StopTransaction:
        energy_wh = meter_stop - self.csms.meter_starts[transaction_id]
        cents = self.csms.bills[transaction_id] = energy_wh * CENTS_PER_KWH // 1000
        print(f"transaction {transaction_id}: {energy_wh} Wh, {cents} cents", flush=True)
        return call_result.StopTransaction()


class Csms:
    """The Central System."""

    def __init__(self, port: int = 0) -> None:
        self.stations: dict[str, Station] = {}
        self.meter_starts: dict[int, int] = {}
        self.bills: dict[int, int] = {}
        """Cents, by transaction."""
        self.port = port

    async def run(self, listening: asyncio.Event) -> None:
        """Serve until cancelled; port 0 is any that is free."""
        async with serve(self._serve, "127.0.0.1", self.port, subprotocols=["ocpp1.6"]) as server:
            self.port = server.sockets[0].getsockname()[1]
            listening.set()
            await server.wait_closed()

    async def start_from_afar(self, identity: str, card: str) -> str:
        """Have a session started on connector 1; return what the station says to it."""
        request = call.RemoteStartTransaction(id_tag=card, connector_id=1)
        return (await self.stations[identity].call(request)).status

    async def _serve(self, connection: ServerConnection) -> None:
        identity = connection.request.path.rpartition("/")[2]
        print(f"{identity} is here", flush=True)
        self.stations[identity] = Station(identity, connection, self)
        try:
            await self.stations[identity].start()
        except ConnectionClosed:
            del self.stations[identity]


async def main(port: int) -> None:
    """Serve until interrupted."""
    listening = asyncio.Event()
    csms = Csms(port)
    serving = asyncio.create_task(csms.run(listening))
    await asyncio.wait([serving, asyncio.create_task(listening.wait())], return_when=asyncio.FIRST_COMPLETED)
    if listening.is_set():
        print(f"listening at ws://127.0.0.1:{csms.port}; cards: {', '.join(sorted(CARDS))}", flush=True)
    await serving


def info(id_tag: str) -> IdTagInfo:
    known = id_tag in CARDS
    return IdTagInfo(AuthorizationStatus.accepted if known else AuthorizationStatus.invalid)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 9000))
    except KeyboardInterrupt:
        pass
    except OSError as error:  # such as a port in use
        sys.exit(str(error))
