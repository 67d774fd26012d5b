"""The alternative: a charge point written on the ``ocpp`` package, as its documentation shows it.

asyncio, ``websockets``, the package's own validation of every payload in both directions, in its default way. It
keeps nothing: what is not answered is lost.

``python -m benchmarks.peer URL IDENTITY [--sample-s S] [--log LEVEL]`` connects and boots, then obeys one JSON line on
stdin after the other, as :mod:`benchmarks.station` does: ``{"do": "sessions", "times": N}``, ``{"do": "charge"}``,
``{"do": "plug"}``.
"""

import argparse
import asyncio
import json
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

SAMPLES = 10
PHASES = ("L1", "L2", "L3")
KEYS = (
    ("ConnectionTimeOut", False, "60"),
    ("HeartbeatInterval", False, "300"),
    ("MeterValueSampleInterval", False, "60"),
    ("NumberOfConnectors", True, "1"),
    ("TransactionMessageAttempts", False, "3"),
    ("TransactionMessageRetryInterval", False, "60"),
    ("ConnectorMaximumCurrent", False, "32"),
    ("WebSocketPingInterval", False, "30"),
    ("GetConfigurationMaxKeys", True, "30"),
    ("ConnectorSwitch3to1PhaseSupported", True, "false"),
    ("ChargeProfileMaxStackLevel", True, "10"),
    ("ChargingScheduleMaxPeriods", True, "24"),
    ("MaxChargingProfilesInstalled", True, "20"),
    (
        "MeterValuesSampledData",
        True,
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
    ),
    ("ConnectorPhaseRotation", True, "NotApplicable"),
    ("ChargeScheduleAllowedChargingRateUnit", True, "Current,Power"),
    ("StopTxnSampledData", True, "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"),
)
"""The same that our station shows."""


class Peer(ChargePoint):  # type: ignore[misc]  # the package has no types
    """One connector."""

    def __init__(self, identity: str, connection: Any) -> None:
        super().__init__(identity, connection)
        self._energy_wh = 0
        self._transaction_id = 0
        self._data: list[dict[str, Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def boot(self) -> None:
        """BootNotification and the first status of each connector."""
        boot = call.BootNotification(
            charge_point_model="AC SMART ADVANCED",
            charge_point_vendor="Weidmueller",
            charge_point_serial_number="WM-0000001",
            firmware_version="0.1.0",
            meter_type="MID",
            meter_serial_number="0000001",
        )
        await self.call(boot)
        await self._status("Available", 0)
        await self._status("Available")

    async def session(self, sample_s: float) -> None:
        """One charging session."""
        await self._status("Preparing")
        await self.call(call.Authorize(id_tag="CARD"))
        await self.start_transaction("CARD")
        await self._status("Charging")
        for _ in range(SAMPLES):
            await asyncio.sleep(sample_s)
            await self.sample()
        await self.stop_transaction("Local", "CARD")
        await self._status("Finishing")
        await self._status("Available")

    async def charge(self, sample_s: float) -> None:
        """Begin a session and go on sampling."""
        await self._status("Preparing")
        await self.call(call.Authorize(id_tag="CARD"))
        await self.start_transaction("CARD")
        await self._status("Charging")
        while True:
            await asyncio.sleep(sample_s)
            await self.sample()

    async def start_transaction(self, id_tag: str) -> None:
        """Begin."""
        self._data = [self._values("Transaction.Begin")]
        started = call.StartTransaction(
            connector_id=1, id_tag=id_tag, meter_start=self._energy_wh, timestamp=_now()
        )
        self._transaction_id = (await self.call(started)).transaction_id

    async def sample(self) -> None:
        """Send what the meter shows, and remember it for the end."""
        self._energy_wh += 2
        self._data.append(self._values("Sample.Periodic"))
        await self.call(
            call.MeterValues(
                connector_id=1, transaction_id=self._transaction_id, meter_value=[self._data[-1]]
            )
        )

    async def stop_transaction(self, reason: str, id_tag: str | None) -> None:
        """End."""
        self._data.append(self._values("Transaction.End"))
        stopped = call.StopTransaction(
            meter_stop=self._energy_wh,
            timestamp=_now(),
            transaction_id=self._transaction_id,
            reason=reason,
            id_tag=id_tag,
            transaction_data=self._data,
        )
        await self.call(stopped)

    def _values(self, context: str) -> dict[str, Any]:
        def value(measurand: str, value: str, unit: str, phase: str | None = None) -> dict[str, Any]:
            sampled = {"value": value, "context": context, "measurand": measurand, "unit": unit}
            return sampled if phase is None else {**sampled, "phase": phase}

        return {
            "timestamp": _now(),
            "sampled_value": [
                value("Energy.Active.Import.Register", str(self._energy_wh), "Wh"),
                value("Power.Active.Import", "11040", "W"),
                *(value("Current.Import", "16", "A", phase) for phase in PHASES),
                *(value("Voltage", "230", "V", f"{phase}-N") for phase in PHASES),
            ],
        }

    async def _status(self, status: str, connector: int = 1) -> None:
        told = call.StatusNotification(
            connector_id=connector, error_code="NoError", status=status, timestamp=_now()
        )
        await self.call(told)

    # Asked by the Central System

    @on("GetConfiguration")
    def on_get_configuration(self, key: list[str] | None = None) -> Any:
        """Show the keys."""
        shown = [
            {"key": name, "readonly": is_read_only, "value": value}
            for name, is_read_only, value in KEYS
            if key is None or name in key
        ]
        return call_result.GetConfiguration(configuration_key=shown)

    @on("RemoteStartTransaction")
    def on_remote_start_transaction(self, id_tag: str, **_: Any) -> Any:
        """Begin a session."""
        self._soon(self._remote_start(id_tag))
        return call_result.RemoteStartTransaction(status="Accepted")

    @on("RemoteStopTransaction")
    def on_remote_stop_transaction(self, transaction_id: int) -> Any:
        """End the session; the vehicle leaves, and the next one comes."""
        is_known = transaction_id == self._transaction_id
        if is_known:
            self._soon(self._remote_stop())
        return call_result.RemoteStopTransaction(status="Accepted" if is_known else "Rejected")

    async def _remote_start(self, id_tag: str) -> None:
        await self.start_transaction(id_tag)
        await self._status("Charging")

    async def _remote_stop(self) -> None:
        await self.stop_transaction("Remote", None)
        for status in ("Finishing", "Available", "Preparing"):
            await self._status(status)

    def _soon(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def obey(self, command: dict[str, Any], sample_s: float) -> None:
        """Do what a line on stdin asks for."""
        match command:
            case {"do": "sessions", "times": times}:
                for _ in range(times):
                    await self.session(sample_s)
            case {"do": "charge"}:
                self._soon(self.charge(sample_s))
            case {"do": "plug"}:
                await self._status("Preparing")
            case _:
                raise ValueError(command)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def run(url: str, identity: str, sample_s: float) -> None:
    """Connect, boot, obey until stdin ends."""
    async with connect(f"{url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")]) as connection:
        peer = Peer(identity, connection)
        serving = asyncio.create_task(peer.start())
        await peer.boot()
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        async for line in lines:
            await peer.obey(json.loads(line), sample_s)
            print("{}", flush=True)
        serving.cancel()
        with suppress(asyncio.CancelledError, ConnectionClosed):
            await serving


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("identity")
    parser.add_argument("--sample-s", type=float, default=10)
    parser.add_argument("--log", default="warning")
    arguments = parser.parse_args()
    logging.basicConfig(level=arguments.log.upper())
    asyncio.run(run(arguments.url, arguments.identity, arguments.sample_s))
