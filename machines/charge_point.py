"""All machines composed: one message in, run to completion, effects and setpoints out.

Synchronous and without I/O, like the machines. No other message comes in between, so what several machines must agree
on is never seen half done. What follows from the states alone is computed here: what is offered to each vehicle, the
status that is reported, and the setpoint of each connector.
"""

from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, NamedTuple

from msgspec import Struct

from machines import addressing, gate, routes
from machines.allowance import AllowanceData
from machines.authorization import AuthorizationData, IdTagPresented
from machines.authorization_cache import AuthorizationCacheData
from machines.charging_profiles import ChargingProfilesData
from machines.clock_aligned import ClockAlignedData
from machines.configuration import ConfigurationData
from machines.connection import ConnectionData
from machines.connector import ConnectorData
from machines.connector_lock import ConnectorLockData
from machines.control_pilot import ControlPilotData
from machines.current_offer import CurrentOfferData
from machines.data_transfer import DataTransferData
from machines.delivery import DeliveryData
from machines.diagnostics_upload import DiagnosticsUploadData
from machines.facts import Facts
from machines.fault import FaultData
from machines.firmware_update import FirmwareUpdateData
from machines.local_list import LocalListData
from machines.machine import AnyMachine, Effect, NoData, Notice, Row, Standing
from machines.metering import MeteringData
from machines.phase_switch import PhaseSwitchData
from machines.registration import RegistrationData
from machines.reservation import ReservationData
from machines.reset import ResetData
from machines.resumed import Resumed
from machines.routes import To
from machines.smart_charging.prepare import plan_of
from machines.smart_charging.site import site_of
from machines.status_report import Status, StatusChanged, StatusReportData
from machines.supply import setpoint_of
from machines.survey import Survey
from machines.transaction import TransactionData
from machines.transfer_report import TransferReportData
from machines.vocabulary.effects import Answer, Call, Instant, LeaveUnanswered, TimerFired
from machines.vocabulary.hardware import HardwareReported, Setpoint, TokenRead
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.notices import Started, SupplyAllowed, SupplyWithheld
from machines.vocabulary.settings import Settings
from machines.vocabulary.transfers import TransferEnded
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    DataTransferAsked,
    Failure,
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
    was_powered: bool = False
    """The power stayed on since the run before."""


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


SHOWING = frozenset({"availability", "connector", "fault"})
"""Kinds of machines whose states are in the reported status."""

SUPPLYING = frozenset(
    {"allowance", "configuration", "control_pilot", "current_offer", "fault", "phase_switch", "transaction"}
)
"""Kinds of machines whose states say whether energy is offered."""

SETTING = SUPPLYING | {"connector", "connector_lock"}
"""Kinds of machines whose states are in the setpoint of a connector."""


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
    | TransferEnded
)
"""What may come from outside."""


class Run(NamedTuple):
    """What machines did because of one message; as in :class:`Step`."""

    effects: list[Emitted]
    taken: list[Taken]
    touched: dict[str, None]
    """Whose state changed, in order."""


class Memories(NamedTuple):
    """All that a charge point remembers from one message to the next."""

    standings: MutableMapping[str, Standing]
    """Where each machine stands, by address."""
    statuses: MutableMapping[int, Status | None]
    """The status of each connector and of the station (0) that was news last."""
    supplied: MutableMapping[int, bool]
    """Whether energy is offered, as the machine of each connector was told last."""
    setpoints: MutableMapping[int, Setpoint]


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
            "firmware_update": FirmwareUpdateData(),
            "diagnostics_upload": DiagnosticsUploadData(),
            "transfer_report": TransferReportData(),
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
            "charging_profiles": ChargingProfilesData(plan_of((), site_of(settings, defaults))),
            "fail_safe": NoData(),
            "current_offer": CurrentOfferData(),
            "phase_switch": PhaseSwitchData(),
            "connector": ConnectorData(),
        }
        self.machines: dict[str, AnyMachine] = {
            name: routes.KINDS[kind](initial[kind]) for name, (kind, _) in self._places.items()
        }
        self._hearers = routes.all_hearers(len(self._connectors))
        self._key_set = key_set
        self.lie_in(
            Memories(
                {name: machine.snapshot() for name, machine in self.machines.items()},
                dict.fromkeys((0, *self._connectors)),
                dict.fromkeys(self._connectors, False),
                dict.fromkeys(self._connectors, Setpoint()),
            )
        )

    # One message

    def handle(self, message: Arrival, now: Instant) -> Step:
        """Take ``message`` and all that follows from it.

        Raises:
            TransitionMissing: A machine has no transition for what it was told: a defect.
            RoutesDivergeError: More than ``deliveries_max`` deliveries for each connector follow: a defect.
        """
        effects, taken, touched = self.run(message, now)
        numbers = self._connectors if isinstance(message, PoweredUp) else self._set_by(touched)
        setpoints = {number: self.setpoints[number] for number in numbers if self.set(number)}
        return Step(effects, setpoints, self._memories(touched), taken)

    def _set_by(self, touched: dict[str, None]) -> Iterable[int]:
        """The connectors whose setpoint may be another one now that machines have moved."""
        places = [self._places[name] for name in touched]
        numbers = {number for kind, number in places if kind in SETTING}
        return self._connectors if 0 in numbers else sorted(numbers)

    def run(self, message: Arrival, now: Instant) -> Run:
        """The same, less what follows from the states when everybody has been told.

        Raises:
            TransitionMissing: As :meth:`handle`.
            RoutesDivergeError: As :meth:`handle`.
        """
        call_id = message.call_id if isinstance(message, RequestReceived) else ""
        self._survey.begin(now, call_id)
        effects: list[Emitted] = []
        taken: list[Taken] = []
        touched: dict[str, None] = {}
        standings, machines, places = self.standings, self.machines, self._places
        pending = deque(self._arrivals(message, effects))
        if isinstance(message, PoweredUp):
            for number in (0, *self._connectors):
                pending.extend(self._news_of_status(number, now))
                pending.extend(self._news_of_supply(number))
        left = self._settings.limits.deliveries_max * len(self._connectors) + len(pending)
        while pending:
            if not left:
                raise RoutesDivergeError(message)
            left -= 1
            name, told = pending.popleft()
            kind, number = places[name]
            machine = machines[name]
            state, data = machine.state, machine.data = standings[name]
            emitted = machine.handle(told, self._survey.view(number))
            assert machine.last is not None
            taken.append(Taken(name, machine.last, told))
            is_moved = machine.state != state or (machine.data is not data and machine.data != data)
            if is_moved:
                touched[name] = None
                standings[name] = machine.snapshot()
            for one in emitted:
                if isinstance(one, Notice):
                    hearers = self._hearers[number, routes.HEARS[type(one)]]
                    pending.extend([To(hearer, one) for hearer in hearers])
                elif not isinstance(one, Call) or type(one.request).__name__ in self._settings.sends:
                    effects.append(Emitted(name, one))
                else:
                    # What is not declared is not sent: whoever would wait for the answer shall not.
                    action = type(one.request).__name__
                    pending.append(To(name, CallFailed(name, action, Failure.DISCONNECTED, "not declared")))
            if is_moved and kind in SHOWING:
                pending.extend(self._news_of_status(number, now))
            if is_moved and kind in SUPPLYING:
                pending.extend(self._news_of_supply(number))
        return Run(effects, taken, touched)

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
                number = addressing.for_card(token, {n: self._survey.view(n) for n in served})
                yield To(routes.address("authorization", number), IdTagPresented(token))
            case RequestReceived():
                yield from self._request(message, effects)
            case CallAnswered():
                yield from routes.answered(message)
            case CallFailed():
                yield from routes.failed(message)
            case PoweredUp(memories=memories, was_powered=was_powered):
                remembered = {memory.address: memory for memory in memories}
                for name in self._places:
                    if name in remembered:
                        yield To(name, Resumed(remembered[name].state, remembered[name].data, was_powered))
                yield To("connection", Started())
                yield To("fail_safe", Started())
            case _:
                hearers = routes.WIRE.get(type(message)) or routes.TRANSFERS[type(message)]
                for name in self._hearers[0, hearers]:
                    yield To(name, message)

    def _request(self, message: RequestReceived, effects: list[Emitted]) -> Iterator[To]:
        """Who serves a request of the Central System, if it may be served now."""
        request = message.request
        match gate.gate(self.standings["registration"].state, type(request)):
            case gate.Gate.REFUSE:
                effects.append(Emitted("gate", Answer(gate.refusal(type(request)))))
            case gate.Gate.SERVE:
                kind = routes.REQUESTS.get(type(request))
                if kind is None:
                    effects.append(Emitted("gate", Answer(gate.without_behaviour(type(request)))))
                else:
                    known = {n: self._survey.view(n) for n in self._connectors}
                    yield To(routes.address(kind, addressing.for_request(request, known)), request)
            case gate.Gate.IGNORE:
                effects.append(Emitted("gate", LeaveUnanswered()))

    # What follows from the states

    def facts(self, number: int, now: Instant, call_id: str = "") -> Facts:
        """What the machines of connector ``number`` (0: of the station) may know of the others at ``now``."""
        self._survey.begin(now, call_id)
        return self._survey.facts(number)

    def view(self, number: int, now: Instant) -> Facts:
        """The same, each fact looked up when it is asked for: true until the next message, and cheap."""
        self.begin(now)
        return self._survey.view(number)

    def begin(self, now: Instant) -> None:
        """It is ``now``, for whatever is asked next."""
        self._survey.begin(now)

    def status(self, number: int) -> Status:
        """The status that is reported of connector ``number``, or with 0 of the charge point."""
        return self._survey.status(number)

    def _news_of_status(self, number: int, now: Instant) -> list[To]:
        """The status of connector ``number``, or of the station, told where it is news."""
        status = self._survey.status(number)
        if status == self._statuses[number]:
            return []
        self._statuses[number] = status
        return [To(f"status_report/{number}", StatusChanged(status, now))]

    def _news_of_supply(self, number: int) -> list[To]:
        """Whether energy is offered at connector ``number`` (0: at any), told where it is news."""
        news = []
        for n in (number,) if number else self._connectors:
            is_supplied = self._survey.view(n).is_supplied
            if is_supplied is not self._supplied[n]:
                self._supplied[n] = is_supplied
                told = SupplyAllowed() if is_supplied else SupplyWithheld()
                news += [To(name, told) for name in self._hearers[n, routes.HEARS[type(told)]]]
        return news

    def set(self, number: int) -> bool:
        """Make the setpoint of connector ``number`` what the states say by now; whether it is another one."""
        is_unlocking = self.standings[f"connector_lock/{number}"].state == "unlocking"
        facts, status = self._survey.view(number), self._survey.status(number).status
        setpoint = setpoint_of(facts, status, is_unlocking=is_unlocking)
        if setpoint == self.setpoints[number]:
            return False
        self.setpoints[number] = setpoint
        return True

    def _memories(self, touched: dict[str, None]) -> list[Memory]:
        return [
            Memory(name, self.machines[name].state, self.machines[name].remember())
            for name in touched
            if self.machines[name].memory is not None
        ]

    # For exploration

    def lie_in(self, memories: Memories) -> None:
        """Keep everything that is remembered from one message to the next in ``memories``."""
        self.memories = memories
        self.standings, self._statuses, self._supplied, self.setpoints = memories
        self._survey = Survey(self.standings, self._settings, self._key_set)
