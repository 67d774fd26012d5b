"""Everything around a charge point that a walk needs: hardware, network, Central System, timers and store.

It answers what the charge point asks for, in any order and with any outcome that the real ones may have, and never
does what they cannot do: no answer without a CALL, no timer that is not running. What happens next is chosen by the
caller, so that a walk can be random, shrunk, or played again.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from engine.declaration.station import Station
from engine.station_file import load
from machines.charge_point import ChargePoint, Emitted, Memory, PoweredUp, Step
from machines.routes import delivery_owner
from machines.vocabulary import ocpp
from machines.vocabulary.effects import (
    Call,
    Collect,
    Deliver,
    Dial,
    Forget,
    HangUp,
    Instant,
    Keep,
    LearnTime,
    ReadMeter,
    Settle,
    StartTimer,
    StopTimer,
    TimerFired,
)
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareFault,
    HardwareReported,
    LockChanged,
    LockFailed,
    MeterRead,
    MeterReadFailed,
    MeterReading,
    PilotChanged,
    PilotState,
    TokenRead,
)
from machines.vocabulary.settings import Recovery
from machines.vocabulary.transactions import UNSETTLED, TransactionMessage, to_request
from machines.vocabulary.wire import (
    CallAnswered,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    Failure,
    RequestReceived,
    RestartFailed,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TAGS = ("A", "B", "a")


def stations() -> tuple[Station, ...]:
    """Declarations to walk with: two as shipped, and one that is lenient, resumes, and has little room."""
    full, smart = load("full"), load("ac-smart")
    limits = replace(smart.settings.limits, queue_size_max=3)
    settings = replace(smart.settings, recovery=Recovery.RESUME, limits=limits)
    keys = replace(
        smart.defaults,
        stop_transaction_on_invalid_id=False,
        stop_transaction_on_ev_side_disconnect=False,
        allow_offline_tx_for_unknown_id=True,
        minimum_status_duration=2,
    )
    return full, smart, replace(smart, settings=settings, defaults=keys)


class World:
    """A charge point of ``station``, and what is around it. ``choose(n)`` gives a number below ``n``."""

    def __init__(self, station: Station, choose: Callable[[int], int]) -> None:
        self.station = station
        self.choose = choose
        self.numbers = [connector.number for connector in station.settings.connectors]
        self.trace: list[object] = []
        self.memories: dict[str, Memory] = {}
        self.messages: dict[int, TransactionMessage] = {}
        self.transaction_ids: dict[int, int] = {}
        self.register_wh = 0
        self.boot = 0
        self.restarted = False
        self.power_cycle()

    def power_cycle(self) -> None:
        """Cut the power and restore it. What is not durable is gone."""
        self.boot += 1
        self.seconds = 0.0
        self.is_set = False
        self.timers: dict[tuple[str, str], StartTimer] = {}
        self.calls: list[Emitted] = []
        self.late: list[Emitted] = []
        self.reads: list[ReadMeter] = []
        self.link = "closed"
        self.charge_point = ChargePoint(self.station.settings, self.station.keys, self.station.defaults)
        self.tell(PoweredUp(tuple(self.memories.values())))

    # What the charge point hears, and asks for

    def tell(self, message: Any) -> Step:
        """Let the charge point take ``message``, and carry out what follows."""
        self.trace.append(message)
        self.seconds += 1
        utc = NOON.timestamp() + self.seconds if self.is_set else None
        step = self.charge_point.handle(message, Instant(self.boot, self.seconds, utc))
        self.memories |= {memory.address: memory for memory in step.memories}
        for emitted in step.effects:
            self.carry_out(emitted)
        return step

    def carry_out(self, emitted: Emitted) -> None:
        """Do what a machine asked for, or remember that its end is due."""
        match emitted.effect:
            case StartTimer(name=name) as timer:
                self.timers[emitted.by, name] = timer
            case StopTimer(name=name):
                self.timers.pop((emitted.by, name), None)
            case Dial():
                self.link = "dialling"
            case HangUp() if self.link == "open":
                self.link = "closing"
            case Call() if self.link == "open":
                self.calls.append(emitted)
            case Deliver(number=number) if self.link == "open":
                message = self.messages[number]
                known = self.transaction_ids.get(message.local_id, UNSETTLED)
                request = to_request(message, known, NOON.timestamp())
                self.calls.append(Emitted(delivery_owner(message), Call(request)))
            case Keep(message=TransactionMessage() as message):
                self.messages[message.number] = message
            case Collect(local_id=local_id):
                assert local_id, "nothing is collected without a transaction"
            case Forget(number=number):
                del self.messages[number]
            case Settle(local_id=local_id, transaction_id=transaction_id):
                self.transaction_ids[local_id] = transaction_id
            case LearnTime():
                self.is_set = True
            case ReadMeter() as read:
                self.reads.append(read)
            case _:
                pass  # Answers and restarts change nothing here.

    # What may happen next

    def walk(self, steps: int) -> None:
        """Let ``steps`` things happen."""
        for _ in range(steps):
            groups = [group for group in self.groups() if group]
            group = groups[self.choose(len(groups))]
            group[self.choose(len(group))]()

    def groups(self) -> list[list[Callable[[], object]]]:
        """What may happen now, by kind."""
        answers, ends, hardware, users = self.answers(), self.ends(), self.hardware(), self.users()
        often = [answers, ends, hardware] * 4 + [users] * 2
        return [*often, self.network(), self.requests(), self.requests()]

    def say(self, message: Any) -> Callable[[], object]:
        """Tell ``message`` when chosen."""
        return lambda: self.tell(message)

    def ends(self) -> list[Callable[[], object]]:
        """Timers and meter readings that come to their end."""

        def fire(owner: str, timer: StartTimer) -> None:
            if timer.every_s is None:
                del self.timers[owner, timer.name]
            self.tell(TimerFired(owner, timer.name, timer.message))

        def read(asked: ReadMeter, *, fails: bool) -> None:
            self.reads.remove(asked)
            self.register_wh += 100
            reading = MeterReading(energy_import_wh=self.register_wh, power_w=7000.0)
            end = MeterReadFailed(asked.ticket) if fails else MeterRead(asked.ticket, reading)
            self.tell(HardwareReported(asked.connector, end))

        timers = [
            lambda owner=owner, timer=timer: fire(owner, timer) for (owner, _), timer in self.timers.items()
        ]
        good = [lambda asked=asked: read(asked, fails=False) for asked in self.reads] * 3
        return [*timers, *good, *(lambda asked=asked: read(asked, fails=True) for asked in self.reads)]

    def hardware(self) -> list[Callable[[], object]]:
        """What drivers may report at any time."""
        events = []
        for connector in self.station.settings.connectors:
            seen = [PilotChanged(state) for state in PilotState]
            seen += [PilotChanged(state) for state in (PilotState.A, PilotState.B, PilotState.C)] * 2
            if connector.cable == "socket":
                seen += [CableChanged(True, 20.0), CableChanged(False)] * 2
            if connector.has_lock:
                seen += [LockChanged(True), LockChanged(False), LockFailed(True), LockFailed(False)]
            seen += [
                FaultRaised(fault)
                for fault in (HardwareFault.GROUND, HardwareFault.METER, HardwareFault.PILOT)
            ]
            seen += [
                FaultCleared(fault)
                for fault in (HardwareFault.GROUND, HardwareFault.METER, HardwareFault.PILOT)
            ]
            events += [HardwareReported(connector.number, event) for event in seen]
        for event in (FaultRaised(HardwareFault.INTERNAL), FaultCleared(HardwareFault.INTERNAL)):
            events.append(HardwareReported(0, event))
        return [self.say(event) for event in events]

    def users(self) -> list[Callable[[], object]]:
        """Cards, at a reader of one connector or of all."""
        served = [tuple(self.numbers), *((number,) for number in self.numbers)]
        return [self.say(TokenRead(tag, connectors)) for tag in TAGS for connectors in served]

    def network(self) -> list[Callable[[], object]]:
        """The connection, and the power."""

        def becomes(link: str, message: object) -> None:
            self.link = link
            self.calls, self.late = [], []
            self.tell(message)

        opens: Callable[[], object] = lambda: becomes("open", ConnectionOpened())  # noqa: E731
        fails: Callable[[], object] = lambda: becomes("closed", ConnectionFailed("refused"))  # noqa: E731
        closes: Callable[[], object] = lambda: becomes("closed", ConnectionClosed("lost"))  # noqa: E731
        if self.charge_point.machines["reset"].state == "restarting":
            return [self.power_cycle, self.say(RestartFailed("no"))]
        if self.link == "dialling":
            return [opens, opens, opens, fails]
        if self.link == "open":
            return [closes, closes, self.power_cycle]
        return [closes] if self.link == "closing" else [self.power_cycle, lambda: None]

    def answers(self) -> list[Callable[[], object]]:
        """How the oldest CALL may end, and late answers to those that timed out."""

        def answer(call: Emitted, conf: ocpp.Conf, calls: list[Emitted]) -> None:
            calls.remove(call)
            self.tell(CallAnswered(call.by, conf, late=calls is self.late))

        def fail(call: Emitted, failure: Failure) -> None:
            self.calls.remove(call)
            if failure is Failure.TIMED_OUT:
                self.late.append(call)
            assert isinstance(call.effect, Call)
            self.tell(CallFailed(call.by, type(call.effect.request).__name__, failure))

        found: list[Callable[[], object]] = []
        for calls in (self.calls[:1], self.late):
            for call in calls:
                queue = self.late if calls is self.late else self.calls
                found += [
                    lambda call=call, conf=conf, queue=queue: answer(call, conf, queue)
                    for conf in self.confs(call)
                ]
        for call in self.calls[:1]:
            found += [
                lambda call=call, failure=failure: fail(call, failure)
                for failure in (Failure.CALL_ERROR, Failure.TIMED_OUT)
            ]
        return found

    def confs(self, call: Emitted) -> list[ocpp.Conf]:
        """What the Central System may answer; the usual more than once."""
        assert isinstance(call.effect, Call)
        accepted = ocpp.IdTagInfo(status=ocpp.AuthorizationStatus.ACCEPTED, parent_id_tag="G")
        blocked = ocpp.IdTagInfo(status=ocpp.AuthorizationStatus.BLOCKED)
        match call.effect.request:
            case ocpp.BootNotification():
                return [
                    ocpp.BootNotificationConf(status=status, current_time=NOON, interval=interval)
                    for status, interval in (
                        *[(ocpp.RegistrationStatus.ACCEPTED, 60)] * 4,
                        (ocpp.RegistrationStatus.ACCEPTED, 0),
                        (ocpp.RegistrationStatus.PENDING, 10),
                        (ocpp.RegistrationStatus.REJECTED, 0),
                    )
                ]
            case ocpp.Authorize():
                return [ocpp.AuthorizeConf(id_tag_info=info) for info in (accepted, accepted, blocked)]
            case ocpp.StartTransaction():
                number = 100 + len(self.transaction_ids)
                return [
                    ocpp.StartTransactionConf(transaction_id=number, id_tag_info=info)
                    for info in (accepted, accepted, blocked)
                ]
            case ocpp.DataTransfer():
                return [ocpp.DataTransferConf(status=status) for status in ocpp.DataTransferStatus]
            case ocpp.Heartbeat():
                return [ocpp.HeartbeatConf(current_time=NOON)]
            case request:
                return [ocpp.ACTIONS[type(request).__name__].conf()]

    def requests(self) -> list[Callable[[], object]]:
        """What the Central System may ask for."""
        if self.link != "open":
            return []
        everywhere = [0, *self.numbers, 99]
        known = [*self.transaction_ids.values(), 7]
        keys = (("HeartbeatInterval", "30"), ("MeterValueSampleInterval", "0"), ("ConnectionTimeOut", "20"))
        keys += (("StopTransactionOnInvalidId", "false"), ("StopTransactionOnEVSideDisconnect", "false"))
        keys += (("AllowOfflineTxForUnknownId", "true"), ("AuthorizeRemoteTxRequests", "true"))
        keys += (("ConnectorMaximumCurrent", "0"), ("ConnectorMaximumCurrent", "16")) * 2
        keys += (("ClockAlignedDataInterval", "10"), ("ClockAlignedDataInterval", "0"))
        keys += (("StopTxnSampledData", "Energy.Active.Import.Interval"), ("StopTxnAlignedData", "Voltage"))
        keys += (("StopTxnAlignedData", "Energy.Active.Import.Register"), ("StopTxnSampledData", ""))
        keys += (("MinimumStatusDuration", "5"), ("MinimumStatusDuration", "0"), ("Nonsense", "1"))
        requests: list[ocpp.Request] = [
            *(
                ocpp.ChangeAvailability(connector_id=number, type=kind)
                for number in everywhere
                for kind in ocpp.AvailabilityType
            ),
            *(ocpp.ChangeConfiguration(key=key, value=value) for key, value in keys),
            ocpp.GetConfiguration(),
            *(
                ocpp.RemoteStartTransaction(id_tag=tag, connector_id=number)
                for tag in TAGS
                for number in (None, *self.numbers)
            ),
            *(ocpp.RemoteStopTransaction(transaction_id=number) for number in known * 3),
            *(ocpp.Reset(type=kind) for kind in ocpp.ResetType),
            *(ocpp.UnlockConnector(connector_id=number) for number in everywhere),
            ocpp.ClearCache(),
            ocpp.ChangeConfiguration(key="AuthorizationKey", value="00" * 16),
            *(
                ocpp.TriggerMessage(requested_message=message, connector_id=number)
                for message in ocpp.MessageTrigger
                for number in (None, 1)
            ),
            ocpp.TriggerUnknownMessage(requested_message="Rumour"),
            *(ocpp.DataTransfer(vendor_id=vendor) for vendor in ("org.example", "nobody")),
            *(
                ocpp.ReserveNow(
                    connector_id=number,
                    expiry_date=NOON + timedelta(seconds=seconds),
                    id_tag=tag,
                    parent_id_tag=parent,
                    reservation_id=reservation_id,
                )
                for number in everywhere
                for tag, parent in (("A", None), ("B", "G"))
                for reservation_id, seconds in ((1, 1000), (2, 1000), (1, 0))
            ),
            *(ocpp.CancelReservation(reservation_id=reservation_id) for reservation_id in (1, 2, 3)),
            ocpp.GetLocalListVersion(),
            *(
                ocpp.SendLocalList(
                    list_version=version,
                    update_type=kind,
                    local_authorization_list=tuple(
                        ocpp.AuthorizationData(id_tag=tag, id_tag_info=info) for tag in tags
                    ),
                )
                for version in (0, 1, 2)
                for kind in ocpp.UpdateType
                for tags in ((), ("A",), ("A", "a"))
                for info in (None, ocpp.IdTagInfo(status=ocpp.AuthorizationStatus.BLOCKED))
            ),
        ]
        return [self.say(RequestReceived(f"call-{len(self.trace)}", request)) for request in requests]
