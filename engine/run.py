"""A running station: everything wired together, in one nursery.

What ends one of its tasks unexpectedly ends the station, with its state intact; a supervisor starts it again.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import trio
from msgspec import Struct
from msgspec.structs import replace

from engine import diagnostics, past, speed
from engine.clock import Clock
from engine.declaration.station import Station
from engine.devices import Devices
from engine.diagnostics import Diagnostics
from engine.hardware import Hardware
from engine.history import History
from engine.jobs import FOLDER, Jobs, UnderWay, Watch, Works
from engine.log import EventLog
from engine.ocpp.link import Link, LinkSettings
from engine.ocpp.websocket import OpenStream
from engine.owner import Owner
from engine.past import HistoryError, Logged
from engine.store import Store
from engine.timers import Timers
from engine.transaction_data import transaction_data
from engine.transfers.address import shown
from machines import routes
from machines.charge_point import Arrival, ChargePoint, Emitted, PoweredUp, Step
from machines.machine import Effect
from machines.vocabulary.effects import (
    Answer,
    Call,
    Deliver,
    Dial,
    HangUp,
    LeaveUnanswered,
    ReadMeter,
    Restart,
)
from machines.vocabulary.hardware import Setpoint
from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import MeterValue, MeterValues, Request, StatusNotification
from machines.vocabulary.posix import utc_of
from machines.vocabulary.transactions import UNSETTLED, Ended, TransactionMessage, to_request
from machines.vocabulary.transfers import DeliverDiagnostics, TransferEffect
from machines.vocabulary.wire import CallFailed, Failure, RestartFailed, WireEvent

HEADER_SIZE_MAX = 1024
"""Bytes of a StopTransaction frame beside its transactionData: more than they ever are."""


class RestartRequested(Struct, frozen=True):
    """The station ended itself to start anew (Reset.req)."""

    is_hard: bool


class MachineView(Struct, frozen=True):
    """A machine, for people."""

    state: str
    data: Any


class StationView(Struct, frozen=True):
    """The state of the station, for people and the bench."""

    identity: str
    time: datetime
    machines: dict[str, MachineView]
    setpoints: dict[str, Setpoint]
    hardware: dict[str, Any]
    pending_messages: int
    """Transaction messages that wait for delivery."""
    works: dict[str, UnderWay]
    """Transfers and installations, by the machine that asked for them."""


class RunningStation:
    """One run of a station, from power-up to its end.

    Args:
        station: As declared.
        devices: Its hardware; outlives the run.
        store: Its database; outlives the run.
        open_stream: How the transport to the Central System is opened; default TCP or TLS.
        commit_in_thread: See Owner.
        system_utc: The operating system's time of day, now.
        seed: Of the random parts of waiting times; None draws one.
        works: What files, servers and installers are; default the real ones.
        restart_refusal: Asked before a restart, with whether it is a hard one: why it cannot be, or "".
        watch: Told of every step, for tools that count transitions.
        watch_works: Told how far transfers and installations are.
    """

    def __init__(
        self,
        station: Station,
        devices: Devices,
        store: Store,
        *,
        open_stream: OpenStream | None = None,
        commit_in_thread: bool = True,
        system_utc: float | None = None,
        seed: int | None = None,
        works: Works | None = None,
        restart_refusal: Callable[[bool], str] = lambda _is_hard: "",
        watch: Callable[[Step], None] | None = None,
        watch_works: Watch = lambda _by, _how_far: None,
    ) -> None:
        limits = station.settings.limits
        self.station = station
        self.devices = devices
        boots = store.boots()
        system_utc = speed.system_utc() if system_utc is None else system_utc
        # The clock of the operating system may begin anew with every start.
        system_utc = max(system_utc, store.latest_utc())
        follows = speed.is_time_shared()
        self.clock = Clock(max(boots, default=0) + 1, system_utc, boots, follows=follows)
        self._log = EventLog(
            station.csms.identity,
            frames=station.log.frames,
            watch=watch,
            keep=lambda event, fields: self._history.log(self.clock.now(), event, fields),
        )
        # Under a virtual clock nothing waits for a thread.
        self._history = History(
            store.directory / past.FILE if commit_in_thread else None,
            limits.history_max,
            self.clock.resolve,
            limits.log_max,
        )
        self._store = store
        self._was_powered = store.was_powered()
        self.charge_point = ChargePoint(station.settings, station.keys, station.defaults)
        self._owner = Owner(
            self.charge_point,
            self,
            self.clock,
            Timers(random.Random(seed)),  # noqa: S311 - waiting times, no secrets
            store,
            self._log,
            self._history,
            inbox_size_max=limits.inbox_size_max,
            uncommitted_max=limits.uncommitted_max,
            disk_retry_s=limits.disk_retry_s,
            commit_in_thread=commit_in_thread,
        )
        self._hardware = Hardware(
            devices.connectors,
            devices.readers,
            self._owner.deliver,
            self._owner.keep_meter,
            limits.meter_timeout_s,
            limits.meter_start_s,
        )
        for number, kept in store.meters().items():
            if number in devices.connectors:
                passed_s = max(0.0, self.clock.resolve(self.clock.now()) - kept.at)
                devices.connectors[number].resume_meter(kept.record, passed_s)
        self._link = Link(
            LinkSettings(
                url=station.csms.url,
                identity=station.csms.identity,
                password=_password(station.defaults),
                ca_file=station.csms.ca_file,
                connect_timeout_s=speed.of_the_central_system(limits.connect_timeout_s),
                call_timeout_s=self._call_timeout_s(station.defaults),
                ping_interval_s=station.defaults.web_socket_ping_interval,
                pong_timeout_s=speed.of_the_central_system(limits.pong_timeout_s),
                frame_size_max=limits.frame_size_max,
                outbox_size_max=limits.outbox_size_max,
                receives=station.settings.receives,
            ),
            self._report,
            self._log,
            open_stream,
        )
        self._jobs = Jobs(
            works or self._real_works(), store.directory / FOLDER, self._owner.deliver, self._log, watch_works
        )
        self._keys = station.defaults
        """The configuration keys that the link knows of."""
        self._commit_in_thread = commit_in_thread
        self._restart_refusal = restart_refusal
        self._restart_asked = trio.Event()
        self._ended = trio.Event()
        self._restart = RestartRequested(is_hard=False)

    async def run(self) -> RestartRequested:
        """Run until Reset asks for a restart, or until cancelled."""
        self._log.event(
            "station started", boot=self.clock.boot, file=str(self.station.path), hash=self.station.hash[:12]
        )
        try:
            await self._run()
        finally:
            self._history.close()
        self.write_postponed()
        self._log.event("station ended", hard=self._restart.is_hard)
        return self._restart

    async def _run(self) -> None:
        async with self.devices.running(), trio.open_nursery() as nursery:
            nursery.start_soon(self._link.run)
            nursery.start_soon(self._hardware.run)
            nursery.start_soon(self._jobs.run)
            if self._commit_in_thread:
                nursery.start_soon(self._history.run)
            nursery.start_soon(self._owner.run_timers)
            nursery.start_soon(self._owner.run_commits)
            nursery.start_soon(self._owner.run, PoweredUp(self._store.memories(), self._was_powered))
            await self._wait_restart()
            self._ended.set()
            timeout_s = speed.of_the_central_system(self.station.settings.limits.pong_timeout_s)
            with trio.move_on_after(timeout_s):
                self._link.hang_up("restarting")
                await self._link.wait_closed()
            nursery.cancel_scope.cancel()

    async def collect(self, wanted: DeliverDiagnostics, file: Path) -> None:
        """Write what there is to tell of the station, as it is now, into ``file``.

        Raises:
            OSError: The disk.
        """
        await self._history.flush()
        start, stop = (None if one is None else one.timestamp() for one in (wanted.start, wanted.stop))
        view, keys = self.view(), self.charge_point.machines["configuration"].data.keys

        def write() -> None:
            diagnostics.write(self._diagnostics(view, keys, start, stop), file)

        if self._commit_in_thread:
            await trio.to_thread.run_sync(write)
        else:
            write()

    def _real_works(self) -> Works:
        from engine.works import RealWorks

        station = self.station
        protocols = station.defaults.supported_file_transfer_protocols
        works = RealWorks(station.transfers, station.firmware, protocols, self._store.directory, self.collect)
        if works.missing:
            self._log.event(
                "protocols missing", protocols=works.missing, needed="httpx for HTTP; curl or sftp for SFTP"
            )
        return works

    async def _wait_restart(self) -> None:
        """Wait for a restart that is asked for and not refused."""
        while True:
            await self._restart_asked.wait()
            why = self._restart_refusal(self._restart.is_hard)
            if not why:
                return
            self._log.event("restart failed", why=why)
            self._restart_asked = trio.Event()
            await self._owner.deliver(RestartFailed(why))

    def write_postponed(self) -> None:
        """Write what waits for a write of something else, after the end of an orderly run."""
        self._owner.write_postponed()

    async def wait_ended(self) -> None:
        """Wait until the station has decided to restart."""
        await self._ended.wait()

    async def until_moved(self) -> None:
        """Wait until everything that is in the inbox now has been handled, and every driver has gone round once."""
        await self._owner.until_moved()
        await self._hardware.until_moved()

    def status(self) -> str:
        """What the station does, in a few words."""
        charging = sum(setpoint.contactor for setpoint in self.charge_point.setpoints.values())
        link = self.charge_point.machines["connection"].state
        return f"{self.station.csms.identity}: {link}, {charging} charging"

    async def deliver(self, arrival: Arrival) -> None:
        """Put a message from outside into the inbox."""
        await self._owner.deliver(arrival)

    def set_link(self, up: bool) -> None:
        """Cut the way to the Central System, or restore it."""
        self._link.make_unreachable(not up)

    async def _report(self, event: WireEvent) -> None:
        # What dies with a connection is told once, by ConnectionClosed.
        if isinstance(event, CallFailed) and event.failure is Failure.DISCONNECTED:
            return
        await self._owner.deliver(event)

    # Effects (engine.owner.Perform)

    def apply(self, connector: int, setpoint: Setpoint) -> None:
        """Make the hardware so."""
        self._log.event("setpoint", connector=connector, **_fields(setpoint))
        self._hardware.apply(connector, setpoint)

    def at_once(self, effect: Effect) -> None:
        """Carry out what nobody outside can see."""
        match effect:
            case Dial():
                self._follow_keys()
                self._link.dial()
            case ReadMeter():
                self._hardware.read(effect)
            case _:
                raise AssertionError(effect)

    async def visible(self, emitted: Emitted, call_id: str, connection: int) -> None:
        """Carry out what somebody outside can see."""
        match emitted.effect:
            case Answer(answer=answer, call_id=later) if later or connection == self._link.connections:
                self._link.answer(later or call_id, answer)
            case LeaveUnanswered() if connection == self._link.connections:
                self._link.leave_unanswered(call_id)
            case Call(request=request, at=at) if connection == self._link.connections:
                if at is not None:
                    request = stamped(request, utc_of(self.clock.resolve(at)))
                self._link.call(emitted.by, request)
            case Deliver(number=number) if number != self.charge_point.machines["delivery"].data.head:
                pass  # Settled by a late answer while this step waited for the disk.
            case Deliver(number=number) if connection == self._link.connections:
                message, transaction_id = self._store.message(number)
                owner = routes.delivery_owner(message)
                utc = self.clock.resolve(message.at)
                known = UNSETTLED if transaction_id is None else transaction_id
                values = self._values_for(message)
                self._link.call_transaction(owner, to_request(message, known, utc, values))
            case Answer() | LeaveUnanswered() | Call() | Deliver():
                pass  # Meant for a connection that is gone: it died with it.
            case TransferEffect() as effect:
                self._jobs.ask(emitted.by, effect)
            case HangUp(why=why):
                self._follow_keys()
                self._link.hang_up(why)
            case Restart(hard=is_hard):
                self._restart = RestartRequested(is_hard)
                self._restart_asked.set()
            case _:
                raise AssertionError(emitted)
        self._follow_keys()

    def _values_for(self, message: TransactionMessage) -> tuple[MeterValue, ...]:
        """The transactionData that goes with ``message``."""
        keys: Keys = self.charge_point.machines["configuration"].data.keys
        is_wanted = keys.stop_txn_sampled_data or keys.stop_txn_aligned_data
        if not isinstance(message.body, Ended) or not is_wanted:
            return ()
        return transaction_data(
            self._store.collected(message.local_id),
            keys.stop_transaction_max_meter_values,
            self.station.settings.limits.frame_size_max - HEADER_SIZE_MAX,
            self.clock.resolve,
        )

    def _follow_keys(self) -> None:
        """Tell the link of the keys that are about it, if they changed."""
        before, self._keys = self._keys, self.charge_point.machines["configuration"].data.keys
        if self._keys is before:
            return
        if self._keys.web_socket_ping_interval != before.web_socket_ping_interval:
            self._link.set_ping_interval(self._keys.web_socket_ping_interval)
        if self._keys.authorization_key != before.authorization_key:
            self._link.set_password(_password(self._keys))
        self._link.set_call_timeout(self._call_timeout_s(self._keys))

    def _call_timeout_s(self, keys: Keys) -> float:
        """MessageTimeout where the station declares it."""
        is_declared = self.station.keys.find("MessageTimeout") is not None
        declared = keys.message_timeout if is_declared else self.station.settings.limits.call_timeout_s
        return speed.of_the_central_system(declared)

    # For people

    def _diagnostics(
        self, view: StationView, keys: Keys, start: float | None, stop: float | None
    ) -> Diagnostics:
        """What the station tells of itself, from ``start`` to ``stop`` (POSIX seconds; None is no bound)."""
        rules = self.station.keys.rules
        try:
            logged, happened = self._history.events(start, stop), self._history.recent(start, stop)
        except HistoryError as error:
            logged, happened = [Logged(view.time.timestamp(), "no history", {"why": str(error)})], []
        return Diagnostics(
            time=view.time,
            log=logged,
            history=happened,
            configuration={
                rule.name: getattr(keys, rule.attribute) if rule.is_readable else "***" for rule in rules
            },
            database=self._store.counts(),
            station={
                "identity": view.identity,
                "time": view.time,
                "boot": self.clock.boot,
                "pending_messages": view.pending_messages,
                "file": self.station.path.name,
                "hash": self.station.hash,
            },
            machines={name: machine.state for name, machine in view.machines.items()},
        )

    def view(self) -> StationView:
        """Everything there is to see now; secrets are left out."""
        charge_point = self.charge_point
        return StationView(
            identity=self.station.csms.identity,
            time=utc_of(self.clock.resolve(self.clock.now())),
            machines={
                name: MachineView(machine.state, None if name == "configuration" else _public(machine.data))
                for name, machine in charge_point.machines.items()
            },
            setpoints={str(number): setpoint for number, setpoint in charge_point.setpoints.items()},
            hardware={str(number): _seen(driver) for number, driver in self.devices.connectors.items()},
            pending_messages=charge_point.machines["delivery"].data.size,
            works=dict(self._jobs.under_way),
        )


def stamped(request: Request, timestamp: datetime) -> Request:
    """``request`` with the time of what it reports, where it has a place for one."""
    match request:
        case StatusNotification():
            return replace(request, timestamp=timestamp)
        case MeterValues(meter_value=values):
            return replace(request, meter_value=tuple(replace(one, timestamp=timestamp) for one in values))
        case _:
            return request


def _public(data: Any) -> Any:
    """``data`` of a machine without the credentials that the location of a file may carry."""
    location = getattr(data, "location", "")
    return replace(data, location=shown(location)) if location else data


def _password(keys: Keys) -> bytes | None:
    """For Basic authentication: the bytes that AuthorizationKey denotes."""
    return bytes.fromhex(keys.authorization_key) if keys.authorization_key else None


def _fields(setpoint: Setpoint) -> Mapping[str, object]:
    return {name: getattr(setpoint, name) for name in setpoint.__struct_fields__}


def _seen(driver: object) -> object:
    state = getattr(driver, "state", None)
    return state() if callable(state) else None
