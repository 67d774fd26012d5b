"""The small wallbox of faulty_charge_point.py, but for its connection: what it is, and what happens at it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ocpp.v16 import call  # type: ignore[import-untyped]
from websockets.exceptions import ConnectionClosed

FAULTS = {
    "stops-what-it-does-not-know": "RemoteStopTransaction is Accepted whatever the transactionId",
    "waits-for-ever": "ConnectionTimeOut is ignored",
    "tells-no-reason": "StopTransaction has no reason, whyever it stopped",
    "counts-wrong": "meterStop is less than meterStart",
    "charges-twice": "StatusNotification Charging is sent twice",
}

POWER_W = 7400.0

KEYS = {
    "AuthorizeRemoteTxRequests": (True, "false"),
    "ClockAlignedDataInterval": (False, "0"),
    "ConnectionTimeOut": (False, "60"),
    "ConnectorPhaseRotation": (False, "1.RST"),
    "GetConfigurationMaxKeys": (True, "50"),
    "HeartbeatInterval": (False, "86400"),
    "LocalAuthorizeOffline": (False, "false"),
    "LocalPreAuthorize": (False, "false"),
    "MeterValuesAlignedData": (False, ""),
    "MeterValuesSampledData": (False, "Energy.Active.Import.Register"),
    "MeterValueSampleInterval": (False, "0"),
    "NumberOfConnectors": (True, "1"),
    "ResetRetries": (False, "1"),
    "StopTransactionOnEVSideDisconnect": (True, "true"),
    "StopTransactionOnInvalidId": (False, "true"),
    "StopTxnAlignedData": (False, ""),
    "StopTxnSampledData": (False, ""),
    "SupportedFeatureProfiles": (True, "Core"),
    "TransactionMessageAttempts": (False, "3"),
    "TransactionMessageRetryInterval": (False, "10"),
    "UnlockConnectorOnEVSideDisconnect": (True, "false"),
}
"""Whether a key is read-only, and its first value."""

Job = Callable[[], Awaitable[None]]


class Speaks(Protocol):
    """A connection to the Central System."""

    async def call(self, request: Any) -> Any:
        """Send a CALL; return what is answered."""


class Wallbox:
    """What outlives a connection. Everything it does is a job; jobs are done one after the other."""

    def __init__(self, speed: float, faults: set[str]) -> None:
        self.speed = speed
        self.faults = faults
        self.keys = {name: value for name, (_, value) in KEYS.items()}
        self._connection: Speaks | None = None
        self._call: asyncio.Future[Any] | None = None
        """The one that waits for its answer."""
        self.out_of_service: set[int] = set()
        """The connector, or 0 for all of the station."""
        self.is_scheduled = False
        """Out of service when the transaction ends."""
        self.is_plugged = False
        self.is_paused = False
        self.id_tag = ""
        """Who may charge, or does."""
        self.group = ""
        """Of whom."""
        self.transaction: int | None = None
        self.meter_start = 0
        self.has_booted = False
        self.status = "Available"
        self.restarting = asyncio.Event()
        self._told = (asyncio.get_running_loop().time(), datetime.now(UTC))
        """The time of day, as it was told last, and when that was."""
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._register = (0.0, self.now())
        self._deadline: asyncio.TimerHandle | None = None
        self._sampling: asyncio.TimerHandle | None = None
        self._beating: asyncio.TimerHandle | None = None

    # Time

    def now(self) -> datetime:
        """The time of day, if it were as fast."""
        told_s, told = self._told
        return told + timedelta(seconds=(asyncio.get_running_loop().time() - told_s) * self.speed)

    def stamp(self) -> str:
        """The same as OCPP has it."""
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def sleep(self, seconds: float) -> None:
        """Wait on the wallbox's own clock."""
        await asyncio.sleep(seconds / self.speed)

    def later(self, seconds: float, job: Job) -> asyncio.TimerHandle:
        """Do ``job`` then."""
        return asyncio.get_running_loop().call_later(seconds / self.speed, self.do, job)

    # Jobs

    def do(self, job: Job) -> None:
        """Do ``job`` in turn."""
        self._jobs.put_nowait(job)

    async def work(self) -> None:
        """Do the jobs, until cancelled. What cannot be said because the connection is gone is lost."""
        while True:
            job = await self._jobs.get()
            with suppress(ConnectionClosed):
                await job()

    async def say(self, request: Any) -> Any:
        """Send a CALL; return what is answered, or None: a CALL dies with its connection."""
        if self._connection is None:
            return None
        self._beat_later()
        self._call = asyncio.ensure_future(self._connection.call(request))
        await asyncio.wait([self._call])
        call_made, self._call = self._call, None
        return None if call_made.cancelled() else call_made.result()

    def connected(self, connection: Speaks | None) -> None:
        """There is another connection to the Central System, or none."""
        self._connection = connection
        if self._call is not None:
            self._call.cancel()

    async def show(self, status: str, *, again: bool = False) -> None:
        """Tell the status of the connector if it is another one."""
        if status != self.status or again:
            self.status = status
            await self.say_status(1, status)

    async def say_status(self, connector: int, status: str) -> None:
        """Tell a status."""
        await self.say(
            call.StatusNotification(
                connector_id=connector, error_code="NoError", status=status, timestamp=self.stamp()
            )
        )

    # The meter

    @property
    def has_energy(self) -> bool:
        """Whether the contactor is closed."""
        return self.transaction is not None and self.is_plugged

    def register(self) -> float:
        """The register of the meter in Wh."""
        count, since = self._register
        if self.has_energy and not self.is_paused:
            count += POWER_W * (self.now() - since).total_seconds() / 3600
        self._register = (count, self.now())
        return count

    # What happens at the wallbox

    async def plug_in(self) -> None:
        """A vehicle that asks for energy."""
        self.register()
        self.is_plugged, self.is_paused = True, False
        if self.id_tag:
            await self.start()
        elif self.is_operative:
            await self.show("Preparing")

    async def unplug(self) -> None:
        """The cable is fixed, so it is out at both ends."""
        self.register()
        self.is_plugged = False
        if self.transaction is not None:
            await self.stop("EVDisconnected")
        await self.rest()

    async def rest(self) -> None:
        """Nobody is there any more."""
        self.id_tag = ""
        self._cancel(self._deadline)
        if self.is_scheduled:
            self.is_scheduled = False
            self.out_of_service.add(1)
        await self.show("Available" if self.is_operative else "Unavailable")

    async def pause(self, *, is_paused: bool) -> None:
        """The vehicle asks for no energy, or for some again."""
        self.register()
        self.is_paused = is_paused
        if self.transaction is not None:
            await self.show("SuspendedEV" if is_paused else "Charging")

    async def swipe(self, id_tag: str) -> None:
        """A card."""
        if self.transaction is not None and id_tag == self.id_tag:
            await self.stop("Local", id_tag)
            await self.show("Finishing")
            return
        if not self.is_operative or (self.transaction is not None and not self.group):
            return
        answer = await self.say(call.Authorize(id_tag=id_tag))
        if answer is None or answer.id_tag_info["status"] != "Accepted":
            return
        group = answer.id_tag_info.get("parent_id_tag", "")
        if self.transaction is None:
            self.group = group
            await self.admit(id_tag)
        elif group and group == self.group:
            await self.stop("Local", id_tag)
            await self.show("Finishing")

    async def admit(self, id_tag: str) -> None:
        """``id_tag`` may charge."""
        self.id_tag = id_tag
        if self.is_plugged:
            await self.start()
            return
        await self.show("Preparing")
        self._cancel(self._deadline)
        if "waits-for-ever" not in self.faults:
            self._deadline = self.later(int(self.keys["ConnectionTimeOut"]), self.give_up)

    async def give_up(self) -> None:
        """Nobody plugged in."""
        if not self.is_plugged and self.transaction is None:
            await self.rest()

    # Transactions

    async def start(self) -> None:
        """Begin to charge."""
        self._cancel(self._deadline)
        self.meter_start = int(self.register())
        answer = await self.say(
            call.StartTransaction(
                connector_id=1, id_tag=self.id_tag, meter_start=self.meter_start, timestamp=self.stamp()
            )
        )
        if answer is None:
            return
        self.transaction = answer.transaction_id
        if answer.id_tag_info["status"] != "Accepted":
            await self.stop("DeAuthorized")
            await self.show("Finishing")
            return
        await self.show("Charging")
        if "charges-twice" in self.faults:
            await self.show("Charging", again=True)
        self.sample_later()

    async def stop(self, reason: str, id_tag: str | None = None) -> None:
        """End the transaction."""
        self._cancel(self._sampling)
        meter_stop = int(self.register())
        if "counts-wrong" in self.faults:
            meter_stop = self.meter_start - 1
        transaction, self.transaction, self.id_tag = self.transaction, None, ""
        await self.say(
            call.StopTransaction(
                meter_stop=meter_stop,
                timestamp=self.stamp(),
                transaction_id=transaction,
                reason=None if "tells-no-reason" in self.faults else reason,
                id_tag=id_tag,
            )
        )

    def sample_later(self) -> None:
        """Wait for the next meter value."""
        self._cancel(self._sampling)
        if (interval := int(self.keys["MeterValueSampleInterval"])) and self.transaction is not None:
            self._sampling = self.later(interval, self.sample)

    async def sample(self) -> None:
        """Tell the register."""
        if self.transaction is None:
            return
        self.sample_later()
        value = {"value": str(int(self.register())), "context": "Sample.Periodic", "unit": "Wh"}
        await self.say(
            call.MeterValues(
                connector_id=1,
                transaction_id=self.transaction,
                meter_value=[{"timestamp": self.stamp(), "sampledValue": [value]}],
            )
        )

    # What the Central System asks for

    @property
    def is_operative(self) -> bool:
        """Whether the connector is in service."""
        return not self.out_of_service

    async def set_operative(self, connector: int, *, is_operative: bool) -> None:
        """In service, or out of it; the station with all that belongs to it."""
        before = set(self.out_of_service)
        if not is_operative:
            self.out_of_service.add(connector)
        else:
            self.out_of_service -= {0, 1} if connector == 0 else {1}
        if (0 in before) != (0 in self.out_of_service):
            await self.say_status(0, "Available" if is_operative else "Unavailable")
        if self.transaction is None:
            await self.show(self._idle_status)

    async def restart(self, reason: str) -> None:
        """End what is under way, then go dark."""
        if self.transaction is not None:
            await self.stop(reason)
            await self.show("Finishing")
        self.go_dark()

    def go_dark(self) -> None:
        """No power from now on, for a moment."""
        for timer in (self._deadline, self._sampling, self._beating):
            self._cancel(timer)
        self.has_booted = False
        self.restarting.set()

    async def boot(self) -> None:
        """Register; then tell what was cut off, and every status."""
        while not self.has_booted:
            answer = await self.say(
                call.BootNotification(charge_point_model="Small", charge_point_vendor="Example")
            )
            self.has_booted = answer is not None and answer.status == "Accepted"
            if not self.has_booted:
                await self.sleep(answer.interval if answer else 10)
        if answer is not None:
            self.keys["HeartbeatInterval"] = str(answer.interval)
            self._told = (asyncio.get_running_loop().time(), datetime.fromisoformat(answer.current_time))
            self._register = (self._register[0], self.now())
        self._beat_later()
        if self.transaction is not None:
            await self.stop("PowerLoss")
        self.id_tag = ""
        await self.say_status(0, "Unavailable" if 0 in self.out_of_service else "Available")
        await self.show(self._idle_status, again=True)

    @property
    def _idle_status(self) -> str:
        """What the connector is without a transaction."""
        if not self.is_operative:
            return "Unavailable"
        return "Preparing" if self.is_plugged or self.id_tag else "Available"

    def _beat_later(self) -> None:
        self._cancel(self._beating)
        if self.has_booted and int(self.keys["HeartbeatInterval"]):
            self._beating = self.later(int(self.keys["HeartbeatInterval"]), self._beat)

    async def _beat(self) -> None:
        if self.has_booted:
            await self.say(call.Heartbeat())

    def _cancel(self, timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
