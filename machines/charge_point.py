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
from machines.fault import FaultData
from machines.local_list import LocalListData
from machines.machine import AnyMachine, Effect, NoData, Notice, Row
from machines.metering import MeteringData
from machines.registration import RegistrationData
from machines.reservation import ReservationData
from machines.reset import ResetData
from machines.resumed import Resumed
from machines.routes import To
from machines.status_report import Status, StatusChanged, StatusReportData
from machines.supply import setpoint_of
from machines.survey import Survey
from machines.transaction import TransactionData
from machines.vocabulary.effects import Answer, Call, Instant, LeaveUnanswered, TimerFired
from machines.vocabulary.hardware import HardwareReported, Setpoint, TokenRead
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.notices import Started, SupplyAllowed, SupplyWithheld
from machines.vocabulary.settings import Settings
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
        self._survey = Survey(self.machines, settings, key_set)
        self._statuses: dict[int, Status] = {}
        self._supplied = dict.fromkeys(self._connectors, False)
        self.setpoints = dict.fromkeys(self._connectors, Setpoint())

    # One message

    def handle(self, message: Arrival, now: Instant) -> Step:
        """Take ``message`` and all that follows from it.

        Raises:
            TransitionMissing: A machine has no transition for what it was told: a defect.
            RoutesDivergeError: More than ``deliveries_max`` deliveries for each connector follow: a defect.
        """
        call_id = message.call_id if isinstance(message, RequestReceived) else ""
        self._survey.begin(now, call_id)
        effects: list[Emitted] = []
        taken: list[Taken] = []
        touched: dict[str, None] = {}
        pending = deque(self._arrivals(message, effects))
        if isinstance(message, PoweredUp):
            for number in (0, *self._connectors):
                pending.extend(self._derived(number, now))
        for _ in range(self._settings.limits.deliveries_max * len(self._connectors) + len(pending)):
            if not pending:
                break
            name, told = pending.popleft()
            number = self._places[name][1]
            machine = self.machines[name]
            state, data = machine.state, machine.data
            emitted = machine.handle(told, self._survey.facts(number))
            assert machine.last is not None
            taken.append(Taken(name, machine.last, told))
            if machine.state != state or (machine.data is not data and machine.data != data):
                touched[name] = None
                self._survey.forget()
            for one in emitted:
                if isinstance(one, Notice):
                    hearers = self._hearers[number, routes.HEARS[type(one)]]
                    pending.extend([To(hearer, one) for hearer in hearers])
                elif not isinstance(one, Call) or type(one.request).__name__ in self._settings.sends:
                    effects.append(Emitted(name, one))
            if name in touched:
                pending.extend(self._derived(number, now))
        if pending:
            raise RoutesDivergeError(message)
        return Step(effects, self._changed_setpoints(), self._memories(touched), taken)

    def _arrivals(self, message: Arrival, effects: list[Emitted]) -> Iterator[To]:
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
                number = addressing.for_card(token, {n: self._survey.facts(n) for n in served})
                yield To(routes.address("authorization", number), IdTagPresented(token))
            case RequestReceived():
                yield from self._request(message, effects)
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

    def _request(self, message: RequestReceived, effects: list[Emitted]) -> Iterator[To]:
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
                    known = {n: self._survey.facts(n) for n in self._connectors}
                    yield To(routes.address(kind, addressing.for_request(request, known)), request)
            case gate.Gate.IGNORE:
                effects.append(Emitted("gate", LeaveUnanswered()))

    # What follows from the states

    def facts(self, number: int, now: Instant, call_id: str = "") -> Facts:
        """What the machines of connector ``number`` (0: of the station) may know of the others at ``now``."""
        self._survey.begin(now, call_id)
        return self._survey.facts(number)

    def status(self, number: int) -> Status:
        """The status that is reported of connector ``number``, or with 0 of the charge point."""
        return self._survey.status(number)

    def _derived(self, number: int, now: Instant) -> Iterator[To]:
        """What the states of connector ``number`` mean by now, told where it is news."""
        status = self._survey.status(number)
        if status != self._statuses.get(number):
            self._statuses[number] = status
            yield To(f"status_report/{number}", StatusChanged(status, now))
        for n in (number,) if number else self._connectors:
            is_supplied = self._survey.facts(n).is_supplied
            if is_supplied is not self._supplied[n]:
                self._supplied[n] = is_supplied
                yield To(f"connector/{n}", SupplyAllowed() if is_supplied else SupplyWithheld())

    def _changed_setpoints(self) -> dict[int, Setpoint]:
        changed = {}
        for number in self._connectors:
            is_unlocking = self.machines[f"connector_lock/{number}"].state == "unlocking"
            facts, status = self._survey.facts(number), self._survey.status(number).status
            setpoint = setpoint_of(facts, status, is_unlocking=is_unlocking)
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
        self._survey.forget()
        return self
