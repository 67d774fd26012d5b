"""All machines composed: one message in, run to completion, effects and setpoints out.

Synchronous and without I/O, like the machines. No other message comes in between, so what several machines must agree
on is never seen half done. What follows from the states alone is computed here: what is offered to each vehicle, the
status that is reported, and the setpoint of each connector.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from msgspec import Struct

from machines import addressing, gate, routes
from machines.allowance import AllowanceData
from machines.authorization import AuthorizationData, IdTagPresented
from machines.authorization_cache import AuthorizationCacheData
from machines.clock_aligned import ClockAlignedData
from machines.configuration import ConfigurationData
from machines.connection import ConnectionData
from machines.connector import ConnectorData
from machines.connector_lock import ConnectorLockData
from machines.control_pilot import ControlPilotData
from machines.data_transfer import DataTransferData
from machines.delivery import DeliveryData
from machines.facts import Facts
from machines.fault import ERROR_CODES, WARNINGS, FaultData
from machines.keeping import NOT_KEPT, is_any_held, keeping_of, places_of
from machines.local_list import LocalListData
from machines.machine import AnyMachine, Effect, NoData, Notice, Row
from machines.metering import MeteringData
from machines.places import Places
from machines.registration import RegistrationData
from machines.reservation import ReservationData
from machines.reset import ResetData
from machines.resumed import Resumed
from machines.routes import To
from machines.status_report import Status, StatusChanged, StatusReportData
from machines.supply import offer, setpoint_of
from machines.transaction import TransactionData
from machines.vocabulary.effects import Answer, Call, Instant, LeaveUnanswered, TimerFired
from machines.vocabulary.hardware import HardwareReported, Setpoint, TokenRead
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.notices import Started, SupplyAllowed, SupplyWithheld
from machines.vocabulary.ocpp import ChargePointErrorCode, ChargePointStatus
from machines.vocabulary.settings import Settings
from machines.vocabulary.tags import TagBook
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    DataTransferAsked,
    RequestReceived,
    RestartFailed,
)

BEGUN = frozenset({"running", "deauthorized", "recovering", "stopping"})
"""States of the transaction machine in which a transaction has begun and not ended."""

IN_USE = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"})
"""States of the connector machine that ChangeAvailability waits for."""

STATUSES = {status.value: status for status in ChargePointStatus}


class Memory(Struct, frozen=True):
    """What a machine keeps over a restart."""

    address: str
    state: str
    data: Any


class PoweredUp(Struct, frozen=True):
    """The station starts, with what it remembers. The first message of every run."""

    memories: tuple[Memory, ...]
    was_clean: bool = False
    """The run before ended in order."""


class Emitted(NamedTuple):
    """An effect, and the machine that asked for it."""

    by: str
    effect: Effect


class Taken(NamedTuple):
    """A transition that was taken."""

    address: str
    row: Row
    message: object


class Step(NamedTuple):
    """All that follows from one message."""

    effects: list[Emitted]
    """In the order in which they were asked for."""
    setpoints: dict[int, Setpoint]
    """Of the connectors whose setpoint changed."""
    memories: list[Memory]
    """What changed of what is kept over a restart."""
    taken: list[Taken]
    """The history of the step."""


class RoutesDivergeError(Exception):
    """Machines kept sending each other messages. A defect in the routes."""


Arrival = (
    PoweredUp
    | HardwareReported
    | TokenRead
    | TimerFired
    | ConnectionOpened
    | ConnectionFailed
    | ConnectionClosed
    | RequestReceived
    | CallAnswered
    | CallFailed
    | DataTransferAsked
    | RestartFailed
)
"""What may come from outside."""

Snapshot = tuple[Any, ...]


class ChargePoint:
    """The charge point, less its hardware, its network, its store and its clock."""

    def __init__(self, settings: Settings, key_set: KeySet, defaults: Keys) -> None:
        self._settings = settings
        self._key_set = key_set
        self._connectors = {connector.number: connector for connector in settings.connectors}
        self._places = routes.addresses(len(self._connectors))
        initial: dict[str, Struct] = {
            "connection": ConnectionData(),
            "registration": RegistrationData(),
            "configuration": ConfigurationData(defaults),
            "heartbeat": NoData(),
            "delivery": DeliveryData(),
            "reset": ResetData(),
            "trigger_message": NoData(),
            "data_transfer": DataTransferData(),
            "local_list": LocalListData(),
            "authorization_cache": AuthorizationCacheData(),
            "availability": NoData(),
            "fault": FaultData(),
            "status_report": StatusReportData(),
            "reservation": ReservationData(),
            "control_pilot": ControlPilotData(),
            "connector_lock": ConnectorLockData(),
            "authorization": AuthorizationData(),
            "transaction": TransactionData(),
            "metering": MeteringData(),
            "clock_aligned": ClockAlignedData(),
            "triggered_values": NoData(),
            "allowance": AllowanceData(),
            "connector": ConnectorData(),
        }
        self.machines: dict[str, AnyMachine] = {
            name: routes.KINDS[kind](initial[kind]) for name, (kind, _) in self._places.items()
        }
        self._hearers = {
            (number, kinds): routes.hearers(self._places, number, kinds)
            for number in (0, *self._connectors)
            for table in (routes.HEARS, routes.HARDWARE, routes.WIRE)
            for kinds in table.values()
        }
        declared = {rule.attribute for rule in key_set.rules}
        self._declares_list = "local_auth_list_enabled" in declared
        self._declares_cache = "authorization_cache_enabled" in declared
        self._statuses: dict[int, Status] = {}
        self._supplied = dict.fromkeys(self._connectors, False)
        self.setpoints = dict.fromkeys(self._connectors, Setpoint())

    # One message

    def handle(self, message: Arrival, now: Instant) -> Step:
        """Take ``message`` and all that follows from it.

        Raises:
            TransitionMissing: A machine has no transition for what it was told: a defect.
            RoutesDivergeError: More than ``deliveries_max`` deliveries follow: a defect.
        """
        call_id = message.call_id if isinstance(message, RequestReceived) else ""
        effects: list[Emitted] = []
        taken: list[Taken] = []
        touched: dict[str, None] = {}
        pending = deque(self._arrivals(message, now, effects))
        if isinstance(message, PoweredUp):
            for number in (0, *self._connectors):
                pending.extend(self._derived(number, now))
        for _ in range(self._settings.limits.deliveries_max + len(pending)):
            if not pending:
                break
            name, told = pending.popleft()
            number = self._places[name][1]
            machine = self.machines[name]
            before = machine.snapshot()
            emitted = machine.handle(told, self.facts(number, now, call_id))
            assert machine.last is not None
            taken.append(Taken(name, machine.last, told))
            if machine.snapshot() != before:
                touched[name] = None
            for one in emitted:
                if isinstance(one, Notice):
                    hearers = self._hearers[number, routes.HEARS[type(one)]]
                    pending.extend([To(hearer, one) for hearer in hearers])
                elif not isinstance(one, Call) or type(one.request).__name__ in self._settings.sends:
                    effects.append(Emitted(name, one))
            pending.extend(self._derived(number, now))
        if pending:
            raise RoutesDivergeError(message)
        return Step(effects, self._changed_setpoints(now), self._memories(touched), taken)

    def _arrivals(self, message: Arrival, now: Instant, effects: list[Emitted]) -> Iterator[To]:
        """Who hears of ``message`` first."""
        match message:
            case HardwareReported(connector=number, event=event):
                for name in self._hearers[number, routes.HARDWARE[type(event)]]:
                    yield To(name, event)
                fault = routes.lock_fault(event)
                if fault is not None:
                    yield To(routes.address("fault", number), fault)
            case TimerFired(owner=owner, message=due):
                yield To(owner, due)
            case TokenRead(token=token, connectors=served):
                number = addressing.for_card(token, {n: self.facts(n, now) for n in served})
                yield To(routes.address("authorization", number), IdTagPresented(token))
            case RequestReceived():
                yield from self._request(message, now, effects)
            case CallAnswered():
                yield from routes.answered(message)
            case CallFailed():
                yield from routes.failed(message)
            case PoweredUp(memories=memories, was_clean=was_clean):
                remembered = {memory.address: memory for memory in memories}
                for name in self._places:
                    if name in remembered:
                        yield To(name, Resumed(remembered[name].state, remembered[name].data, was_clean))
                yield To("connection", Started())
            case _:
                for name in self._hearers[0, routes.WIRE[type(message)]]:
                    yield To(name, message)

    def _request(self, message: RequestReceived, now: Instant, effects: list[Emitted]) -> Iterator[To]:
        """Who serves a request of the Central System, if it may be served now."""
        request = message.request
        match gate.gate(self.machines["registration"].state, type(request)):
            case gate.Gate.REFUSE:
                effects.append(Emitted("gate", Answer(gate.refusal(type(request)))))
            case gate.Gate.SERVE:
                kind = routes.REQUESTS.get(type(request))
                if kind is None:
                    effects.append(Emitted("gate", Answer(gate.without_behaviour(type(request)))))
                else:
                    known = {n: self.facts(n, now) for n in self._connectors}
                    yield To(routes.address(kind, addressing.for_request(request, known)), request)
            case gate.Gate.IGNORE:
                effects.append(Emitted("gate", LeaveUnanswered()))

    # What follows from the states

    def facts(self, number: int, now: Instant, call_id: str = "") -> Facts:
        """What the machines of connector ``number`` (0: of the station) may know of the others, now."""
        machines = self.machines
        registration, delivery = machines["registration"], machines["delivery"]
        keys: Keys = machines["configuration"].data.keys
        is_open = machines["connection"].state == "online"
        has_local_list = self._declares_list and keys.local_auth_list_enabled
        local_list = machines["local_list"].data.book if has_local_list else TagBook()
        has_cache = self._declares_cache and keys.authorization_cache_enabled
        cache = machines["authorization_cache"].data.book if has_cache else TagBook()
        is_kept = is_any_held(machines, self._connectors)
        # Reservations only need to know the others when there is one, or one is asked for.
        places = places_of(machines, self._connectors) if is_kept or call_id else Places()
        running = 0
        for n in self._connectors:
            running += machines[f"transaction/{n}"].state in BEGUN
        if number == 0:
            return Facts(
                places=places,
                now=now,
                settings=self._settings,
                keys=keys,
                key_set=self._key_set,
                number=0,
                call_id=call_id,
                is_open=is_open,
                is_accepted=registration.state == "accepted",
                is_pending=registration.state == "pending",
                was_accepted=registration.data.was_accepted,
                is_restarting=machines["reset"].state != "running",
                is_faulted=machines["fault/0"].state == "faulted",
                is_operative=machines["availability/0"].state == "operative",
                is_scheduled=machines["availability/0"].state == "scheduled",
                has_use=any(machines[f"connector/{n}"].state in IN_USE for n in self._connectors),
                next_local_id=delivery.data.next_local_id,
                running=running,
                queued=delivery.data.size,
                has_local_list=has_local_list,
                local_list=local_list,
                has_cache=has_cache,
                cache=cache,
            )
        connector = self._connectors[number]
        pilot, transaction = machines[f"control_pilot/{number}"], machines[f"transaction/{number}"]
        status, availability = machines[f"connector/{number}"].state, machines[f"availability/{number}"].state
        held: TransactionData = transaction.data
        lock = machines[f"connector_lock/{number}"]
        keeping = keeping_of(number, machines, places, (local_list, cache)) if is_kept else NOT_KEPT
        may_draw = transaction.state == "running" or (
            transaction.state == "deauthorized" and machines[f"allowance/{number}"].state != "nothing"
        )
        offered_a = offer(connector, keys, pilot.data.rating_a, may_draw=may_draw)
        return Facts(
            now=now,
            settings=self._settings,
            keys=keys,
            key_set=self._key_set,
            number=number,
            call_id=call_id,
            is_open=is_open,
            is_accepted=registration.state == "accepted",
            is_pending=registration.state == "pending",
            was_accepted=registration.data.was_accepted,
            is_restarting=machines["reset"].state != "running",
            connector=connector,
            status=STATUSES[status],
            has_cable=pilot.state in {"cable_only", "connected", "requesting"}
            or (pilot.state == "unreadable" and (pilot.data.had_vehicle or pilot.data.has_cable)),
            is_held=not connector.has_lock or lock.state == "locked",
            is_connected=pilot.state in {"connected", "requesting"}
            or (pilot.state == "unreadable" and pilot.data.had_vehicle),
            is_requesting=pilot.state == "requesting",
            is_faulted="faulted" in {machines[f"fault/{number}"].state, machines["fault/0"].state},
            is_operative=availability == "operative" and machines["availability/0"].state == "operative",
            is_scheduled=availability == "scheduled",
            has_use=status in IN_USE,
            is_supplied=offered_a > 0,
            offered_a=offered_a,
            transaction=transaction.state,
            local_id=held.local_id,
            transaction_id=held.transaction_id,
            id_tag=held.id_tag,
            parent_id_tag=held.parent_id_tag,
            kept_for=lock.data.kept_for if lock.state == "kept" else "",
            kept_parent=lock.data.kept_parent,
            reserved_for=keeping.reserved_for,
            reserved_parent=keeping.reserved_parent,
            reservation_id=keeping.reservation_id,
            own_reservation_id=keeping.own_reservation_id,
            places=places,
            next_local_id=delivery.data.next_local_id,
            running=running,
            queued=delivery.data.size,
            has_local_list=has_local_list,
            local_list=local_list,
            has_cache=has_cache,
            cache=cache,
        )

    def status(self, number: int) -> Status:
        """The status that is reported of connector ``number``, or with 0 of the charge point."""
        faults: FaultData = self.machines[f"fault/{number}"].data
        # The first fault that prevents charging is the news; a warning only if there is none.
        ordered = sorted(faults.faults, key=lambda entry: entry[0] in WARNINGS)
        code, info = (ERROR_CODES[ordered[0][0]], ordered[0][1]) if ordered else (None, "")
        if self.machines[f"fault/{number}"].state == "faulted":
            status = ChargePointStatus.FAULTED
        elif number:
            status = STATUSES[self.machines[f"connector/{number}"].state]
        elif self.machines["availability/0"].state == "inoperative":
            status = ChargePointStatus.UNAVAILABLE
        else:
            status = ChargePointStatus.AVAILABLE
        return Status(status, code or ChargePointErrorCode.NO_ERROR, info[:50])

    def _derived(self, number: int, now: Instant) -> Iterator[To]:
        """What the states of connector ``number`` mean by now, told where it is news."""
        status = self.status(number)
        if status != self._statuses.get(number):
            self._statuses[number] = status
            yield To(f"status_report/{number}", StatusChanged(status, now))
        for n in (number,) if number else self._connectors:
            is_supplied = self.facts(n, now).is_supplied
            if is_supplied is not self._supplied[n]:
                self._supplied[n] = is_supplied
                yield To(f"connector/{n}", SupplyAllowed() if is_supplied else SupplyWithheld())

    def _changed_setpoints(self, now: Instant) -> dict[int, Setpoint]:
        changed = {}
        for number in self._connectors:
            is_unlocking = self.machines[f"connector_lock/{number}"].state == "unlocking"
            facts = self.facts(number, now)
            setpoint = setpoint_of(facts, self.status(number).status, is_unlocking=is_unlocking)
            if setpoint != self.setpoints[number]:
                self.setpoints[number] = changed[number] = setpoint
        return changed

    def _memories(self, touched: dict[str, None]) -> list[Memory]:
        return [
            Memory(name, self.machines[name].state, self.machines[name].remember())
            for name in touched
            if self.machines[name].memory is not None
        ]

    # For exploration

    def snapshot(self) -> Snapshot:
        """The whole state as one hashable value, unless a configuration key's is not."""
        return (
            tuple(machine.snapshot() for machine in self.machines.values()),
            tuple(self._statuses.items()),
            tuple(self._supplied.items()),
            tuple(self.setpoints.items()),
        )

    def restore(self, snapshot: Snapshot) -> Self:
        """Go back to where ``snapshot`` was taken."""
        machines, statuses, supplied, setpoints = snapshot
        for machine, one in zip(self.machines.values(), machines, strict=True):
            machine.restore(one)
        self._statuses, self._supplied, self.setpoints = dict(statuses), dict(supplied), dict(setpoints)
        return self
