"""The world around a charge point, as far as it can act on it: for random walks over the composition."""

import random
from datetime import UTC, datetime, timedelta

from machines.charge_point import ChargePoint, Memory, PoweredUp, Step
from machines.routes import delivery_owner
from machines.vocabulary.effects import (
    Answer,
    Call,
    Collect,
    Deliver,
    Dial,
    Forget,
    HangUp,
    Instant,
    Keep,
    LearnTime,
    LeaveUnanswered,
    ReadMeter,
    Restart,
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
from machines.vocabulary.ocpp import (
    ACTIONS,
    AuthorizationData,
    AuthorizationStatus,
    AuthorizeConf,
    AvailabilityType,
    BootNotificationConf,
    CancelReservation,
    ChangeAvailability,
    ChangeConfiguration,
    ClearCache,
    DataTransfer,
    DataTransferConf,
    DataTransferStatus,
    GetConfiguration,
    GetLocalListVersion,
    HeartbeatConf,
    IdTagInfo,
    MessageTrigger,
    MeterValuesConf,
    RegistrationStatus,
    RemoteStartTransaction,
    RemoteStopTransaction,
    ReserveNow,
    Reset,
    ResetType,
    SendLocalList,
    StartTransactionConf,
    StatusNotificationConf,
    StopTransactionConf,
    TriggerMessage,
    TriggerUnknownMessage,
    UnlockConnector,
    UpdateType,
)
from machines.vocabulary.transactions import Began, Ended
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

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """Everything outside of the charge point, choosing at random among what could happen next."""

    def __init__(self, station, seed):
        self.station = station
        self.chance = random.Random(seed)
        self.seconds = 0.0
        self.boot = 0
        self.memories: dict[str, Memory] = {}
        self.messages: dict[int, object] = {}
        self.pilots = {c.number: PilotState.A for c in station.settings.connectors}
        self.cables = {c.number: c.cable == "tethered" for c in station.settings.connectors}
        self.register = 0
        self.statuses: dict[int, list[str]] = {}
        self.transaction_ids: dict[int, int] = {}
        self.trace: list[object] = []
        self.accepted = False
        self.on_step = lambda step: None
        self.power_up()

    # One step

    def power_up(self):
        self.boot += 1
        self.charge_point = ChargePoint(self.station.settings, self.station.keys, self.station.defaults)
        self.timers: dict[tuple[str, str], StartTimer] = {}
        self.calls: list[tuple[str, object]] = []
        self.delivering: int | None = None
        self.late: list[tuple[str, object]] = []
        self.readings: list[ReadMeter] = []
        self.link = "down"
        self.open_requests: set[str] = set()
        self.is_over = False
        self.accepted = False
        self.triggered: set[str] = set()
        self.take(PoweredUp(tuple(self.memories.values())))
        # The drivers report what there is, in their order, while other things happen.
        self.initial = []
        for number, pilot in self.pilots.items():
            if self.settings_of(number).cable == "socket":
                self.initial.append(HardwareReported(number, CableChanged(self.cables[number], 32.0)))
                self.initial.append(HardwareReported(number, LockChanged(False)))
            self.initial.append(HardwareReported(number, PilotChanged(pilot)))

    def settings_of(self, number):
        return self.station.settings.connectors[number - 1]

    def take(self, arrival) -> Step:
        self.trace.append(arrival)
        self.seconds += 1
        step = self.charge_point.handle(arrival, Instant(self.boot, self.seconds, self.seconds))
        for memory in step.memories:
            self.memories[memory.address] = memory
        for emitted in step.effects:
            self.carry_out(emitted, arrival)
        self.check()
        self.on_step(step)
        return step

    def carry_out(self, emitted, arrival):
        by, effect = emitted
        match effect:
            case StartTimer():
                self.timers[by, effect.name] = effect
            case StopTimer():
                self.timers.pop((by, effect.name), None)
            case Call():
                if self.link == "up":
                    self.check_gate(effect.request)
                    self.calls.append((by, effect.request))
            case Deliver(number=number):
                if self.link == "up":
                    assert self.accepted, "a transaction message before registration"
                    assert self.delivering is None
                    self.delivering = number
                    assert number in self.messages
            case Dial():
                assert self.link == "down"
                self.link = "dialling"
            case HangUp():
                assert self.link == "up"
                self.link = "closing"
            case Keep(message=message):
                assert message.number not in self.messages
                self.messages[message.number] = message
                self.keep_ledger(message)
            case Collect(local_id=local_id, values=values):
                assert local_id, "nothing is collected without a transaction"
                assert values
            case Forget(number=number):
                del self.messages[number]
            case Settle(local_id=local_id, transaction_id=transaction_id):
                self.transaction_ids.setdefault(local_id, transaction_id)
            case ReadMeter():
                self.readings.append(effect)
            case Answer(call_id=call_id):
                call_id = call_id or getattr(arrival, "call_id", None)
                assert call_id is not None
                self.open_requests.discard(call_id)
            case LeaveUnanswered():
                self.open_requests.discard(arrival.call_id)
            case Restart():
                self.is_over = True
            case LearnTime():
                pass
            case _:
                raise AssertionError(effect)

    # What could happen

    def step(self):
        runs = any(self.charge_point.machines[f"transaction/{n}"].state == "running" for n in self.pilots)
        if self.is_over and self.chance.random() < 0.5:
            self.happen_engine()
            return
        if self.is_over or self.chance.random() < (0.02 if runs else 0.003):
            self.power_up()
            return
        if self.initial:
            if self.chance.random() < 0.4:
                self.take(self.initial.pop(0))
                return
            kinds = [self.happen_request, self.happen_card]
        else:
            kinds = [self.happen_hardware] * 9 + [self.happen_request] * 6 + [self.happen_card] * 4
            kinds += [self.happen_engine]
        if self.link != "down" or self.link == "dialling":
            kinds += [self.happen_link]
        if self.timers:
            kinds += [self.happen_timer]
        kinds += [self.happen_answer] * 4 if self.calls or self.delivering else []
        kinds += [self.happen_lock] * 4 if self.moving_locks() else []
        kinds += [self.happen_reading] * 4 if self.readings else []
        self.chance.choice(kinds)()

    def happen_link(self):
        if self.link == "dialling":
            if self.chance.random() < 0.8:
                self.link = "up"
                self.take(ConnectionOpened())
            else:
                self.link = "down"
                self.take(ConnectionFailed("no"))
        elif self.link == "closing" or self.chance.random() < 0.1:
            self.link = "down"
            self.calls.clear()
            self.late.clear()
            self.delivering = None
            self.open_requests.clear()
            self.take(ConnectionClosed("gone"))

    def happen_engine(self):
        """Somebody sends vendor data; or the restart that was asked for does not come about."""
        if self.is_over:
            self.is_over = False
            self.take(RestartFailed("no"))
        else:
            self.take(DataTransferAsked("org.example", data="x"))

    def happen_timer(self):
        key = self.chance.choice(list(self.timers))
        timer = self.timers[key]
        if timer.every_s is None:
            del self.timers[key]
        self.take(TimerFired(key[0], key[1], timer.message))

    def happen_card(self):
        token = self.chance.choice("AAABC")
        numbers = [c.number for c in self.station.settings.connectors]
        served = tuple(sorted(self.chance.sample(numbers, self.chance.randint(1, len(numbers)))))
        self.take(TokenRead(token, served))

    def happen_reading(self):
        asked = self.readings.pop(self.chance.randrange(len(self.readings)))
        self.register += self.chance.randint(0, 50)
        event = (
            MeterReadFailed(asked.ticket)
            if self.chance.random() < 0.1
            else MeterRead(asked.ticket, MeterReading(energy_import_wh=self.register, power_w=1.0))
        )
        self.take(HardwareReported(asked.connector, event))

    def happen_hardware(self):
        number = self.chance.choice(list(self.pilots))
        is_socket = self.settings_of(number).cable == "socket"
        match self.chance.choice([0, 0, 0, 0, 0, 0, 3, 3, 5, 6, 6]):
            case 0:
                if self.cables[number]:
                    self.pilots[number] = PilotState(self.chance.choice("ABBBCCCCCDEF"))
                    self.take(HardwareReported(number, PilotChanged(self.pilots[number])))
            case 3 if is_socket:
                self.cables[number] = not self.cables[number]
                if not self.cables[number] and self.chance.random() < 0.7:
                    self.pilots[number] = PilotState.A
                    self.take(HardwareReported(number, PilotChanged(PilotState.A)))
                self.take(HardwareReported(number, CableChanged(self.cables[number], 32.0)))
                if not self.cables[number]:
                    self.pilots[number] = PilotState.A
                    self.take(HardwareReported(number, PilotChanged(PilotState.A)))
            case 5:
                fault = self.chance.choice(list(HardwareFault))
                where = self.chance.choice([0, number, number])
                self.take(HardwareReported(where, FaultRaised(fault, "info")))
            case 6:
                for fault in HardwareFault:
                    self.take(HardwareReported(self.chance.choice([0, number]), FaultCleared(fault)))
            case _:
                pass

    def moving_locks(self):
        """Connectors whose lock is not where it shall be."""
        machines = self.charge_point.machines
        return [
            number
            for number, setpoint in self.charge_point.setpoints.items()
            if self.settings_of(number).has_lock
            and setpoint.locked != (machines[f"connector_lock/{number}"].state != "unlocked")
        ]

    def happen_lock(self):
        number = self.chance.choice(self.moving_locks())
        wanted = self.charge_point.setpoints[number].locked
        event = LockFailed(wanted) if self.chance.random() < 0.1 else LockChanged(wanted)
        self.take(HardwareReported(number, event))

    def happen_request(self):
        if self.link != "up":
            return
        numbers = [0, *self.pilots, 9]
        positive = [*self.pilots, 9]
        ids = [*self.transaction_ids.values(), 12345]
        request = self.chance.choice(
            [
                lambda: ChangeAvailability(
                    connector_id=self.chance.choice(numbers), type=self.chance.choice(list(AvailabilityType))
                ),
                lambda: ChangeConfiguration(
                    key=self.chance.choice(
                        [
                            "HeartbeatInterval",
                            "ConnectorMaximumCurrent",
                            "MeterValueSampleInterval",
                            "Nonsense",
                        ]
                    ),
                    value=self.chance.choice(["0", "6", "10", "-1", "x"]),
                ),
                lambda: ChangeConfiguration(
                    key=self.chance.choice(
                        ["StopTransactionOnInvalidId", "StopTransactionOnEVSideDisconnect"]
                    ),
                    value=self.chance.choice(["true", "false"]),
                ),
                lambda: ChangeConfiguration(
                    key=self.chance.choice(["ClockAlignedDataInterval", "MeterValueSampleInterval"]),
                    value=self.chance.choice(["0", "10", "10"]),
                ),
                lambda: ChangeConfiguration(
                    key=self.chance.choice(
                        ["MeterValuesSampledData", "StopTxnSampledData", "StopTxnAlignedData"]
                    ),
                    value=self.chance.choice(["", "Energy.Active.Import.Interval", "Temperature"]),
                ),
                lambda: ChangeConfiguration(
                    key=self.chance.choice(["LocalAuthListEnabled", "AuthorizationCacheEnabled"]),
                    value=self.chance.choice(["true", "true", "false"]),
                ),
                lambda: self.a_local_list(),
                lambda: self.chance.choice([GetLocalListVersion(), ClearCache()]),
                lambda: GetConfiguration(),
                lambda: RemoteStartTransaction(
                    connector_id=self.chance.choice([None, *positive]), id_tag=self.chance.choice("AB")
                ),
                lambda: RemoteStopTransaction(transaction_id=self.chance.choice(ids)),
                lambda: (
                    Reset(type=self.chance.choice(list(ResetType)))
                    if self.chance.random() < 0.2
                    else GetConfiguration()
                ),
                lambda: UnlockConnector(connector_id=self.chance.choice(positive)),
                lambda: self.an_errand(numbers),
                *[lambda: self.reserve(numbers)] * 4,
                lambda: CancelReservation(reservation_id=self.chance.choice([1, 2, 3])),
            ]
        )()
        if isinstance(request, TriggerMessage):
            self.triggered.add(request.requested_message.value)
        call_id = f"c{len(self.trace)}"
        self.open_requests.add(call_id)
        self.take(RequestReceived(call_id, request))
        if not isinstance(request, UnlockConnector):
            assert call_id not in self.open_requests, f"{request} got no answer"

    def an_errand(self, numbers):
        """What has little to do with charging."""
        trigger = TriggerMessage(
            requested_message=self.chance.choice(list(MessageTrigger)),
            connector_id=self.chance.choice([None, *numbers]),
        )
        vendor, message = (
            self.chance.choice(["org.example", "nobody"]),
            self.chance.choice([None, "PING", "x"]),
        )
        others = [
            TriggerUnknownMessage(requested_message="Rumour"),
            DataTransfer(vendor_id=vendor, message_id=message),
            ChangeConfiguration(key="AuthorizationKey", value="00" * 16),
        ]
        return self.chance.choice([trigger, trigger, trigger, *others])

    def a_local_list(self):
        """A SendLocalList that may fit or not: old and new versions, an idTag twice, one without its status."""
        return SendLocalList(
            list_version=self.chance.randint(0, 9),
            update_type=self.chance.choice(list(UpdateType)),
            local_authorization_list=tuple(
                AuthorizationData(
                    id_tag=self.chance.choice("ABCabc"),
                    id_tag_info=self.chance.choice(
                        [None, *(IdTagInfo(status=s, parent_id_tag="P") for s in AuthorizationStatus)]
                    ),
                )
                for _ in range(self.chance.randint(0, 3))
            ),
        )

    def reserve(self, numbers):
        soon = datetime.fromtimestamp(self.seconds, UTC) + timedelta(seconds=self.chance.choice([-5, 0, 100]))
        return ReserveNow(
            connector_id=self.chance.choice(numbers),
            expiry_date=self.chance.choice([soon, NOW, *[NOW + timedelta(days=1)] * 6]),
            id_tag=self.chance.choice("ABa"),
            parent_id_tag=self.chance.choice([None, "P"]),
            reservation_id=self.chance.choice([1, 2, 3]),
        )

    def happen_answer(self):
        if self.calls and (self.delivering is None or self.chance.random() < 0.7):
            owner, request = self.calls.pop(0)
        elif self.delivering is not None:
            message = self.messages[self.delivering]
            owner, request = delivery_owner(message), message.body
            self.delivering = None
        else:
            return
        luck = self.chance.random()
        action = type(request).__name__
        if luck < 0.08:
            self.take(CallFailed(owner, action, Failure.CALL_ERROR))
        elif luck < 0.16:
            if owner.startswith("delivery"):
                self.late.append((owner, request))
            self.take(CallFailed(owner, action, Failure.TIMED_OUT))
        else:
            self.answer(owner, request, late=False)
        if self.late and self.chance.random() < 0.3:
            owner, request = self.late.pop(0)
            if self.delivering is None:
                self.answer(owner, request, late=True)

    def answer(self, owner, request, *, late):
        info = IdTagInfo(
            status=self.chance.choice([*[AuthorizationStatus.ACCEPTED] * 4, AuthorizationStatus.INVALID]),
            parent_id_tag=self.chance.choice([None, "P", "Q"]),
        )
        match type(request).__name__:
            case "BootNotification":
                status = self.chance.choice([*[RegistrationStatus.ACCEPTED] * 4, *RegistrationStatus])
                self.accepted = self.accepted or status is RegistrationStatus.ACCEPTED
                conf = BootNotificationConf(
                    status=status, current_time=NOW, interval=self.chance.choice([0, 60])
                )
            case "DiagnosticsStatusNotification" | "FirmwareStatusNotification" | "MeterValues" as name:
                conf = ACTIONS[name].conf()
            case "DataTransfer":
                conf = DataTransferConf(status=self.chance.choice(list(DataTransferStatus)))
            case "Heartbeat":
                conf = HeartbeatConf(current_time=NOW)
            case "Authorize":
                conf = AuthorizeConf(id_tag_info=info)
            case "StatusNotification":
                self.statuses.setdefault(request.connector_id, []).append(request.status)
                conf = StatusNotificationConf()
            case "Began":
                conf = StartTransactionConf(transaction_id=self.chance.randint(-5, 10**6), id_tag_info=info)
            case "Metered":
                conf = MeterValuesConf()
            case "Ended":
                conf = StopTransactionConf()
            case name:
                raise AssertionError(name)
        self.take(CallAnswered(owner, conf, late))

    # What must hold

    def check_gate(self, request):
        registration = self.charge_point.machines["registration"].state
        name = type(request).__name__
        if registration != "accepted" and name != "BootNotification":
            assert registration == "pending", f"{request} while {registration}"
            assert name in self.triggered, f"{request} while {registration}, and nobody asked for it"

    def keep_ledger(self, message):
        match message.body:
            case Began():
                began = getattr(self, "began", {})
                assert message.local_id not in began, "a transaction started twice"
                self.began = {**began, message.local_id: message.body.meter_start}
                self.ended = getattr(self, "ended", set())
            case Ended(meter_stop=stop):
                assert message.local_id in self.began, "a stop without a start"
                assert message.local_id not in self.ended, "a transaction stopped twice"
                assert stop >= self.began[message.local_id], "energy ran backwards"
                self.ended.add(message.local_id)
            case _ if message.local_id == 0:
                pass  # a clock-aligned value outside of any transaction
            case _:
                assert message.local_id in self.began, "a sample without a start"
                assert message.local_id not in self.ended, "a sample after the stop"

    def check(self):
        machines = self.charge_point.machines
        for number, setpoint in self.charge_point.setpoints.items():
            if setpoint.contactor or setpoint.offered_a:
                assert machines[f"transaction/{number}"].state == "running"
                assert machines[f"fault/{number}"].state != "faulted"
                assert machines["fault/0"].state != "faulted"
                assert machines[f"control_pilot/{number}"].state in {"connected", "requesting", "unreadable"}
            if setpoint.contactor:
                assert machines[f"control_pilot/{number}"].state == "requesting"
                is_locked = machines[f"connector_lock/{number}"].state == "locked"
                assert is_locked or not self.settings_of(number).has_lock, (
                    "energy through a cable that is loose"
                )
            if setpoint.offered_a:
                assert 6 <= setpoint.offered_a <= self.settings_of(number).current_max_a
        for number in self.pilots:
            is_reserved = machines[f"reservation/{number}"].state == "held"
            if is_reserved:
                assert machines[f"connector/{number}"].state not in {"Available", "Unavailable"}
                assert machines[f"fault/{number}"].state != "faulted"
                assert (f"reservation/{number}", "expiry") in self.timers
            assert is_reserved or machines[f"connector/{number}"].state != "Reserved"
        ids = [
            m.data.reservation_id
            for name, m in machines.items()
            if "reservation/" in name and m.state == "held"
        ]
        assert len(ids) == len(set(ids)), "one reservation in two places"
        size = machines["delivery"].data.size
        assert size == len(self.messages)
