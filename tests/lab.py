"""A whole station in virtual time: the real engine, real websocket code on memory streams, a Central System."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trio
from msgspec.structs import replace

from engine.conformance.virtual import VirtualStation
from engine.csms import Csms
from engine.run import RunningStation
from engine.station_file import load
from machines.vocabulary.settings import Recovery

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WAIT_MAX_S = 10 * 86_400
"""How long a test waits for a message of the station: one that never comes fails it, instead of letting it run on."""


class Lab(VirtualStation):
    """A station, its hardware, its Central System and the network between them.

    The station is run by :meth:`powered`; hardware, database and Central System outlive it.
    """

    def __init__(self, directory: Path, station: str = "station.toml") -> None:
        super().__init__(load(station), directory, self._serve)
        self._began = trio.current_time()
        self.csms = Csms(self.now, interval_s=3600)
        self._seen = 0

    async def _serve(self, stream: trio.abc.Stream) -> None:
        await self.csms.serve_stream(stream)

    def now(self) -> datetime:
        """The time of day."""
        return EPOCH + timedelta(seconds=trio.current_time() - self._began)

    def shift(self, seconds: float) -> None:
        """Put the clock of the Central System forward, or back."""
        self._began -= seconds

    def recover(self, recovery: Recovery) -> None:
        """Declare what becomes of interrupted transactions."""
        self.station = replace(self.station, settings=replace(self.station.settings, recovery=recovery))

    def declare(self, **keys: Any) -> None:
        """Declare other defaults of configuration keys."""
        self.station = replace(self.station, defaults=replace(self.station.defaults, **keys))

    def give_away(self, id_tag: str) -> None:
        """Declare that every vehicle charges at once, with ``id_tag``."""
        self.station = replace(self.station, settings=replace(self.station.settings, free_id_tag=id_tag))

    def limit(self, **limits: float) -> None:
        """Declare other limits."""
        settings = self.station.settings
        limited = replace(settings, limits=replace(settings.limits, **limits))
        self.station = replace(self.station, settings=limited)

    @asynccontextmanager
    async def powered(self, *, until_accepted: bool = True) -> AsyncIterator[RunningStation]:
        """Power for the station; without it, it is gone from one moment to the next."""
        start = self._seen = len(self.csms.transcript)
        async with super().powered() as running:
            if until_accepted:
                for number in range(len(self.station.settings.connectors) + 1):
                    await self.csms.wait_for_request("StatusNotification", start=start, connectorId=number)
                await trio.sleep(1)
            yield running

    def cut_link(self) -> None:
        """No network from now on."""
        assert self.running is not None
        self.set_link(up=False)

    def restore_link(self) -> None:
        """The network is back."""
        assert self.running is not None
        self.set_link(up=True)

    def swipe(self, card: str = "CARD", connectors: tuple[int, ...] | None = None) -> None:
        """Show a card, for any connector of the reader or for some of them."""
        self.reader.swipe(card, connectors)

    # What the Central System saw

    async def until(self, action: str, **members: object) -> dict[str, Any]:
        """Wait for a CALL of the station, after the one waited for last; return its payload."""
        with trio.fail_after(WAIT_MAX_S):
            entry = await self.csms.wait_for_request(action, start=self._seen, **members)
        self._seen = self.csms.transcript.index(entry) + 1
        return entry.payload

    async def until_status(self, status: str, connector: int = 1) -> dict[str, Any]:
        """Wait for a status report."""
        return await self.until("StatusNotification", connectorId=connector, status=status)

    def calls(self, action: str, start: int = 0) -> list[dict[str, Any]]:
        """The payloads of every CALL of the station with ``action``, in order."""
        return [
            entry.payload
            for entry in self.csms.transcript[start:]
            if entry.direction == "received" and entry.kind == 2 and entry.action == action
        ]

    def statuses(self, connector: int = 1) -> list[str]:
        """Every status reported of a connector, in order."""
        return [
            payload["status"]
            for payload in self.calls("StatusNotification")
            if payload["connectorId"] == connector
        ]

    async def charge(self, card: str = "CARD") -> int:
        """Plug in, show a card and wait until energy flows; return the transactionId."""
        self.connector().plug_in()
        await self.until_status("Preparing")
        self.swipe(card)
        await self.until_status("Charging")
        await trio.sleep(1)
        return max(self.csms.ledger, default=0)

    def states(self) -> dict[str, str]:
        """The state of every machine."""
        assert self.running is not None
        return {name: machine.state for name, machine in self.running.charge_point.machines.items()}
