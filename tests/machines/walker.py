"""The world around a charge point, as far as it can act on it: for random walks over the composition.

It answers what the charge point asks for, in any order and with any outcome that the real ones may have, and never
does what they cannot do: no answer without a CALL, no timer that is not running, no vehicle without a cable. What the
Central System says is in central_system.py, what must hold in checks.py.
"""

import random

from machines.charge_point import ChargePoint, Memory, PoweredUp, Step
from machines.routes import delivery_owner
from machines.survey import Survey
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
    PowerFailing,
    StopPressed,
    TokenRead,
)
from machines.vocabulary.ocpp import TriggerMessage, UnlockConnector
from machines.vocabulary.transactions import UNSETTLED, TransactionMessage, to_request
from machines.vocabulary.transfers import ENDINGS, GiveUpTransfer, TransferEffect
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
from tests.machines import checks
from tests.machines.central_system import NOW, some_answer, some_request


class World:
    """Everything outside of the charge point, choosing at random among what could happen next.

    ``chance`` is the seed of a walk, or who chooses: a :class:`random.Random`, or hypothesis in its place.
    """

    def __init__(self, station, chance):
        self.station = station
        self.chance = random.Random(chance) if isinstance(chance, int) else chance
        self.numbers = [connector.number for connector in station.settings.connectors]
        self.seconds = 0.0
        self.boot = 0
        self.memories: dict[str, Memory] = {}
        self.messages: dict[int, TransactionMessage] = {}
        self.ledger = checks.Ledger()
        self.transaction_ids: dict[int, int] = {}
        self.pilots = dict.fromkeys(self.numbers, PilotState.A)
        self.cables = {number: self.settings_of(number).cable == "tethered" for number in self.numbers}
        self.register = 0
        self.trace: list[object] = []
        self.on_step = lambda step: None
        self.power_up()

    # One step

    def now(self):
        return Instant(self.boot, self.seconds, self.seconds)

    def power_up(self):
        """Power comes back: what is not durable is gone."""
        self.boot += 1
        self.charge_point = ChargePoint(self.station.settings, self.station.keys, self.station.defaults)
        self._stood = dict(self.charge_point.standings)
        self._survey_before = Survey(self._stood, self.station.settings, self.station.keys)
        self.timers: dict[tuple[str, str], StartTimer] = {}
        self.readings: list[ReadMeter] = []
        self.works: list[tuple[str, TransferEffect]] = []
        self.stale: list[tuple[str, TransferEffect]] = []
        self.shown: dict[int, object] = {}
        self.triggered: set[str] = set()
        self.is_over = False
        self.disconnect("down")
        self.take(PoweredUp(tuple(self.memories.values())))
        # The drivers report what there is, in their order, while other things happen.
        self.initial = []
        for number, pilot in self.pilots.items():
            if self.settings_of(number).cable == "socket":
                self.initial.append(HardwareReported(number, CableChanged(self.cables[number], 32.0)))
                self.initial.append(HardwareReported(number, LockChanged(False)))
            self.initial.append(HardwareReported(number, PilotChanged(pilot)))

    def disconnect(self, link):
        """What was in flight died with its connection."""
        self.link = link
        self.calls: list[tuple[str, object]] = []
        self.sent: list[tuple[str, object]] = []
        self.late: list[tuple[str, object]] = []
        self.open_requests: set[str] = set()

    def settings_of(self, number):
        return self.station.settings.connectors[number - 1]

    def take(self, arrival) -> Step:
        """Let the charge point take ``arrival``, carry out what follows, and check what must hold."""
        self.trace.append(arrival)
        self.seconds += 1
        self._stood.update(self.charge_point.standings)
        self._survey_before.begin(self.now())
        before = {number: self._survey_before.view(number) for number in self.numbers}
        step = self.charge_point.handle(arrival, self.now())
        self.memories |= {memory.address: memory for memory in step.memories}
        for emitted in step.effects:
            self.carry_out(emitted, arrival)
        checks.check_step(self, arrival, step, before)
        self.on_step(step)
        return step

    def carry_out(self, emitted, arrival):
        """Do what a machine asked for, or remember that its end is due."""
        by, effect = emitted
        match effect:
            case StartTimer(name=name):
                self.timers[by, name] = effect
            case StopTimer(name=name):
                self.timers.pop((by, name), None)
            case Call(request=request) if self.link == "up":
                checks.check_sending(self, request)
                self.calls.append((by, request))
            case Deliver(number=number) if self.link == "up":
                checks.check_delivery(self, number)
                message = self.messages[number]
                known = self.transaction_ids.get(message.local_id, UNSETTLED)
                self.sent.append((delivery_owner(message), to_request(message, known, NOW.timestamp())))
            case Call() | Deliver():
                pass  # There is nobody to hear it.
            case Dial():
                assert self.link == "down"
                self.link = "dialling"
            case HangUp():
                assert self.link == "up"
                self.link = "closing"
            case Keep(message=message):
                assert message.number not in self.messages
                self.messages[message.number] = message
                self.ledger.keep(message)
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
                self.open_requests.discard(call_id or arrival.call_id)
            case LeaveUnanswered():
                self.open_requests.discard(arrival.call_id)
            case Restart():
                self.is_over = True
            case GiveUpTransfer():
                # One that ends just then is told all the same, before anything that is asked for later.
                self.stale += [work for work in self.works if work[0] == by and self.chance.random() < 0.5]
                self.works = [work for work in self.works if work[0] != by]
            case TransferEffect():
                self.works.append((by, effect))
            case LearnTime():
                pass
            case _:
                raise AssertionError(effect)

    # What could happen

    def walk(self, steps):
        """Let ``steps`` things happen."""
        for _ in range(steps):
            self.step()

    def step(self):
        """Let one thing happen."""
        chance = self.chance
        runs = any(self.charge_point.machines[f"transaction/{n}"].state == "running" for n in self.numbers)
        if self.is_over and chance.random() < 0.5:
            self.happen_engine()
            return
        if self.is_over or chance.random() < (0.012 if runs else 0.002):
            self.power_up()
            return
        if self.initial:
            if chance.random() < 0.4:
                self.take(self.initial.pop(0))
                return
            kinds = [self.happen_request, self.happen_card]
        else:
            kinds = [self.happen_hardware] * 6 + [self.happen_request] * 4 + [self.happen_card] * 3
            kinds += [self.happen_engine] * (chance.random() < 0.2)
        # What was asked for mostly comes before something else happens, or nothing would ever come of anything.
        kinds += [self.happen_link] * (1 if self.link == "up" else 4) if self.link != "down" else []
        kinds += [self.happen_timer] * 2 if self.timers else []
        kinds += [self.happen_answer] * 8 if self.calls or self.sent else []
        kinds += [self.happen_late_answer] if self.late else []
        kinds += [self.happen_lock] * 6 if self.moving_locks() else []
        kinds += [self.happen_reading] * 6 if self.readings else []
        kinds += [self.happen_work] * 3 if self.works or self.stale else []
        chance.choice(kinds)()

    def happen_link(self):
        if self.link == "dialling":
            is_heard = self.chance.random() < 0.8
            self.link = "up" if is_heard else "down"
            self.take(ConnectionOpened() if is_heard else ConnectionFailed("no"))
        elif self.link == "closing" or self.chance.random() < 0.1:
            self.disconnect("down")
            self.take(ConnectionClosed("gone"))

    def happen_engine(self):
        """Somebody sends vendor data; or the restart that was asked for does not come about."""
        if self.is_over:
            self.is_over = False
            self.take(RestartFailed("no"))
        else:
            self.take(DataTransferAsked("org.example", data="x"))

    def happen_timer(self):
        owner, name = key = self.chance.choice(sorted(self.timers))
        timer = self.timers[key]
        if timer.every_s is None:
            del self.timers[key]
        self.take(TimerFired(owner, name, timer.message))

    def happen_card(self):
        served = tuple(sorted(self.chance.sample(self.numbers, self.chance.randint(1, len(self.numbers)))))
        self.take(TokenRead(self.chance.choice("AAABCa"), served))

    def happen_reading(self):
        asked = self.readings.pop(self.chance.randrange(len(self.readings)))
        self.register += self.chance.randint(0, 50)
        reading = MeterReading(energy_import_wh=self.register, power_w=1.0)
        is_silent = self.chance.random() < 0.1
        event = MeterReadFailed(asked.ticket) if is_silent else MeterRead(asked.ticket, reading)
        self.take(HardwareReported(asked.connector, event))

    def happen_work(self):
        """A transfer or an installation ends, well or not."""
        works = self.stale or self.works
        _, effect = works.pop(0 if self.stale else self.chance.randrange(len(works)))
        good, bad = ENDINGS[type(effect)]
        is_good = self.chance.random() < 0.7
        self.take(good(effect.ticket) if is_good else bad(effect.ticket, "no"))

    # The hardware

    def happen_hardware(self):
        number = self.chance.choice(self.numbers)
        is_socket = self.settings_of(number).cable == "socket"
        what = self.chance.choice(
            [self.move_pilot] * 12
            + [self.move_cable if is_socket else self.move_pilot] * 3
            + [self.break_something, self.press_stop, self.repeat]
            + [self.repair] * 4
            + [self.fail_power] * (self.chance.random() < 0.2)
        )
        what(number)

    def move_pilot(self, number):
        if self.cables[number]:
            self.pilots[number] = PilotState(self.chance.choice("ABBBBBCCCCCCCCDEF"))
            self.take(HardwareReported(number, PilotChanged(self.pilots[number])))

    def move_cable(self, number):
        """In, or out: then the vehicle is gone before or after, as the lines happen to fall."""
        self.cables[number] = not self.cables[number]
        is_out, is_first = not self.cables[number], self.chance.random() < 0.7
        if is_out and is_first:
            self.pilots[number] = PilotState.A
            self.take(HardwareReported(number, PilotChanged(PilotState.A)))
        self.take(HardwareReported(number, CableChanged(self.cables[number], 32.0)))
        if is_out and not is_first:
            self.pilots[number] = PilotState.A
            self.take(HardwareReported(number, PilotChanged(PilotState.A)))

    def break_something(self, number):
        where = self.chance.choice([0, number, number])
        self.take(HardwareReported(where, FaultRaised(self.chance.choice(list(HardwareFault)), "info")))

    def repair(self, number):
        """Faults of the connector and of the station, most of them."""
        for where in (0, number):
            for fault, _ in self.charge_point.machines[f"fault/{where}"].data.faults:
                if self.chance.random() < 0.8:
                    self.take(HardwareReported(where, FaultCleared(fault)))
        if self.chance.random() < 0.2:
            self.take(HardwareReported(number, FaultCleared(HardwareFault.GROUND)))

    def press_stop(self, number):
        self.take(HardwareReported(number, StopPressed(is_emergency=self.chance.random() < 0.5)))

    def fail_power(self, _number):
        """The supply says that it will be gone soon, and is, or not."""
        self.take(HardwareReported(0, PowerFailing()))
        if self.chance.random() < 0.5:
            self.power_up()

    def repeat(self, number):
        """A driver says again what it said before, or somebody moves the lock by hand."""
        if self.settings_of(number).cable == "socket":
            again = CableChanged(self.cables[number], 20.0), LockChanged(self.chance.random() < 0.5)
            self.take(HardwareReported(number, self.chance.choice(again)))

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

    # The Central System

    def happen_request(self):
        if self.link != "up":
            return
        request = some_request(self)
        if isinstance(request, TriggerMessage):
            self.triggered.add(request.requested_message.value)
        call_id = f"c{len(self.trace)}"
        self.open_requests.add(call_id)
        self.take(RequestReceived(call_id, request))
        if not isinstance(request, UnlockConnector):
            assert call_id not in self.open_requests, f"{request} got no answer"

    def happen_answer(self):
        """The end of the CALL in flight: an answer, a CALLERROR, or nothing in time."""
        queue = self.calls if self.calls and (not self.sent or self.chance.random() < 0.7) else self.sent
        owner, request = queue.pop(0)
        luck, action = self.chance.random(), type(request).__name__
        if luck < 0.08:
            self.take(CallFailed(owner, action, Failure.CALL_ERROR))
        elif luck < 0.16:
            self.late.append((owner, request))
            self.take(CallFailed(owner, action, Failure.TIMED_OUT))
        else:
            self.take(CallAnswered(owner, some_answer(self, request)))

    def happen_late_answer(self):
        owner, request = self.late.pop(0)
        self.take(CallAnswered(owner, some_answer(self, request), late=True))
