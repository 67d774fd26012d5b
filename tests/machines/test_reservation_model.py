"""Reservations of a station with two connectors, against a model of 5.13 written without the machines' states.

The whole charge point is told what happens; the model knows who holds what, who charges where, and what is broken.
"""

from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.station_file import load
from machines.charge_point import ChargePoint, PoweredUp
from machines.vocabulary.effects import (
    Answer,
    Dial,
    Instant,
    Keep,
    ReadMeter,
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
    MeterRead,
    MeterReading,
    PilotChanged,
    PilotState,
)
from machines.vocabulary.ocpp import (
    AvailabilityType,
    BootNotificationConf,
    CancelReservation,
    ChangeAvailability,
    HeartbeatConf,
    RegistrationStatus,
    RemoteStartTransaction,
    ReserveNow,
)
from machines.vocabulary.transactions import Began
from machines.vocabulary.wire import CallAnswered, ConnectionOpened, RequestReceived

STATION = load("full")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
CONNECTORS = (1, 2)
NUMBERS = st.sampled_from(CONNECTORS)
PLACES = st.sampled_from((0, 1, 1, 2, 2))
IDS = st.sampled_from((1, 2, 3))
TAGS = st.sampled_from("ABC")


def moment(utc):
    return datetime.fromtimestamp(utc, UTC)


class ReservationModel(RuleBasedStateMachine):
    """The model: per place (0, 1, 2) an optional reservation; per connector who charges; what is out of order."""

    def __init__(self):
        super().__init__()
        self.boot = 0
        self.seconds = 0.0
        self.zero = EPOCH
        """The time of day at 0 s, as the charge point believes."""
        self.memories = {}
        self.register = 0
        self.held = {}
        """Place to reservationId, idTag and expiry in POSIX s."""
        self.busy = {}
        self.faulted = set()
        self.out_of_service = set()
        self.power_up()

    # Telling the charge point

    def power_up(self):
        self.boot += 1
        self.timers = {}
        self.is_set = False
        self.charge_point = ChargePoint(STATION.settings, STATION.keys, STATION.defaults)
        self.tell(PoweredUp(tuple(self.memories.values())))
        self.tell(ConnectionOpened())
        self.learn(
            CallAnswered(
                "registration",
                BootNotificationConf(
                    status=RegistrationStatus.ACCEPTED, current_time=moment(self.utc), interval=3600
                ),
            )
        )

    @property
    def utc(self):
        return self.zero + self.seconds

    def learn(self, answer):
        self.tell(answer)
        self.is_set = True

    def tell(self, message):
        """Let the charge point take ``message``; return its answer, the meter readings it wants and what it records."""
        now = Instant(self.boot, self.seconds, self.utc if self.is_set else None)
        step = self.charge_point.handle(message, now)
        self.memories |= {memory.address: memory for memory in step.memories}
        answers, readings, records = [], [], []
        for by, effect in step.effects:
            match effect:
                case StartTimer(name=name, after_s=after_s):
                    self.timers[by, name] = (self.seconds + after_s, effect.message)
                case StopTimer(name=name):
                    self.timers.pop((by, name), None)
                case Answer(answer=conf):
                    answers.append(getattr(conf, "status", None))
                case ReadMeter():
                    readings.append(effect)
                case Keep(message=message):
                    records.append(message.body)
                case Dial() | _:
                    pass
        for asked in readings:
            self.register += 1
            reading = MeterReading(energy_import_wh=self.register, power_w=0.0)
            records += self.tell(HardwareReported(asked.connector, MeterRead(asked.ticket, reading)))[1]
        return (answers[0] if answers else None), records

    def ask(self, request):
        return self.tell(RequestReceived("call", request))[0]

    def fire(self, key):
        _, message = self.timers.pop(key)
        self.tell(TimerFired(*key, message))

    def report(self, number, *events):
        records = []
        for event in events:
            records += self.tell(HardwareReported(number, event))[1]
        return records

    # What the model thinks

    def lost(self, number):
        return number in self.faulted or number in self.out_of_service

    def free(self, reservation_id=None):
        """Connectors that are nobody's, or would be without the reservation ``reservation_id``."""
        return {
            n
            for n in CONNECTORS
            if not self.lost(n)
            and n not in self.busy
            and self.held.get(n, (reservation_id,))[0] == reservation_id
        }

    def verdict(self, place, reservation_id, expires):
        if expires <= self.utc:
            return "Rejected"
        if place in self.held and self.held[place][0] == reservation_id:
            return "Accepted"
        places = [place] if place else list(CONNECTORS)
        if all(n in self.faulted for n in places):
            return "Faulted"
        if all(self.lost(n) for n in places):
            return "Unavailable"
        free = self.free(reservation_id)
        if place == 0:
            return "Accepted" if free and 0 not in self.held else "Occupied"
        is_guaranteed = 0 in self.held and self.held[0][0] != reservation_id
        return "Accepted" if place in free and (free - {place} or not is_guaranteed) else "Occupied"

    def holder(self, number):
        """Whom connector ``number`` is kept for."""
        if number in self.held:
            return self.held[number][1]
        return self.held[0][1] if 0 in self.held and not self.free() - {number} else None

    def drop_the_lost(self):
        for number in CONNECTORS:
            if self.lost(number):
                self.held.pop(number, None)
        if all(self.lost(n) for n in CONNECTORS):
            self.held.pop(0, None)

    # What may happen

    @rule(
        place=PLACES,
        reservation_id=IDS,
        tag=TAGS,
        length_s=st.sampled_from((-1, 0, 50, 500, 5000, 5000, 5000)),
    )
    def reserve(self, place, reservation_id, tag, length_s):
        expires = self.utc + length_s
        expected = self.verdict(place, reservation_id, expires)
        request = ReserveNow(
            connector_id=place, expiry_date=moment(expires), id_tag=tag, reservation_id=reservation_id
        )
        assert self.ask(request) == expected
        if expected == "Accepted":
            self.held = {at: one for at, one in self.held.items() if one[0] != reservation_id}
            self.held[place] = (reservation_id, tag, expires)

    @rule(reservation_id=IDS)
    def cancel(self, reservation_id):
        places = [place for place, one in self.held.items() if one[0] == reservation_id]
        assert self.ask(CancelReservation(reservation_id=reservation_id)) == (
            "Accepted" if places else "Rejected"
        )
        for place in places:
            del self.held[place]

    @rule(by_s=st.sampled_from((1, 49, 50, 450)))
    def wait(self, by_s):
        until = self.seconds + by_s
        while True:
            due = [
                key for key, (deadline, _) in self.timers.items() if key[1] == "expiry" and deadline <= until
            ]
            if not due:
                break
            key = min(due, key=lambda key: self.timers[key][0])
            self.seconds = self.timers[key][0]
            self.fire(key)
        self.seconds = until
        self.held = {place: one for place, one in self.held.items() if one[2] > self.utc}

    @rule(by_s=st.sampled_from((-400, -50, 50, 400)))
    def correct_the_clock(self, by_s):
        self.learn(CallAnswered("heartbeat", HeartbeatConf(current_time=moment(self.utc + by_s))))
        self.zero += by_s
        self.held = {place: one for place, one in self.held.items() if one[2] > self.utc}

    @rule(number=NUMBERS, tag=TAGS, comes=st.booleans())
    def anybody_starts(self, number, tag, comes):
        self.start(number, tag, comes)

    def start(self, number, tag, comes):
        """A remote start; then the vehicle comes, or it does not in time."""
        may_start = number not in self.busy and not self.lost(number) and self.holder(number) in {None, tag}
        request = RemoteStartTransaction(connector_id=number, id_tag=tag)
        assert self.ask(request) == ("Accepted" if may_start else "Rejected")
        if not may_start:
            return
        if not comes:
            self.fire((f"connector/{number}", "preparation"))
            return
        events = [CableChanged(True, 20.0), PilotChanged(PilotState.B), LockChanged(True)]
        records = self.report(number, *(events if number == 1 else events[1:2]))
        used = next((p for p in (number, 0) if p in self.held and self.held[p][1] == tag), None)
        (began,) = [record for record in records if isinstance(record, Began)]
        assert began.reservation_id == (None if used is None else self.held[used][0])
        self.busy[number] = tag
        self.held.pop(used, None)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), number=NUMBERS, comes=st.booleans())
    def holder_starts(self, data, number, comes):
        """Who holds a reservation uses it, or tries at another connector if it is that of connector 0."""
        place = data.draw(st.sampled_from(sorted(self.held)))
        self.start(place or number, self.held[place][1], comes)

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def stop(self, data):
        """The vehicle leaves."""
        number = data.draw(st.sampled_from(sorted(self.busy)))
        events = [PilotChanged(PilotState.A), LockChanged(False), CableChanged(False)]
        self.report(number, *(events if number == 1 else events[:1]))
        del self.busy[number]

    @rule(number=NUMBERS)
    def break_down(self, number):
        self.report(number, FaultRaised(HardwareFault.METER))
        self.faulted.add(number)
        self.drop_the_lost()

    @rule(number=NUMBERS)
    def repair(self, number):
        self.report(number, FaultCleared(HardwareFault.METER))
        self.faulted.discard(number)

    @rule(number=NUMBERS, kind=st.sampled_from(AvailabilityType))
    def change_availability(self, number, kind):
        if number in self.busy:
            return
        assert self.ask(ChangeAvailability(connector_id=number, type=kind)) == "Accepted"
        (self.out_of_service.discard if kind is AvailabilityType.OPERATIVE else self.out_of_service.add)(
            number
        )
        self.drop_the_lost()

    @precondition(lambda self: not self.busy)
    @rule()
    def cut_the_power(self):
        """Faults are found again when they stand; here they are gone."""
        self.faulted.clear()
        self.power_up()

    # What must hold

    @invariant()
    def the_charge_point_holds_what_the_model_holds(self):
        machines = self.charge_point.machines
        found = {}
        for place in (0, *CONNECTORS):
            machine = machines[f"reservation/{place}"]
            if machine.state == "held":
                found[place] = (machine.data.reservation_id, machine.data.id_tag, machine.data.expires)
        assert found == self.held

    @invariant()
    def a_connector_shows_reserved_when_it_is(self):
        for number in CONNECTORS:
            assert (self.charge_point.status(number).status == "Reserved") == (number in self.held)

    @invariant()
    def its_timer_runs_until_the_expiry(self):
        deadlines = {
            int(by.partition("/")[2]): deadline + self.zero
            for (by, name), (deadline, _) in self.timers.items()
            if name == "expiry"
        }
        assert deadlines.keys() == self.held.keys()
        assert all(abs(deadlines[place] - one[2]) < 0.001 for place, one in self.held.items())

    @invariant()
    def a_connector_is_kept_for_its_holder(self):
        for number in CONNECTORS:
            known = self.charge_point.facts(number, Instant(self.boot, self.seconds, self.utc))
            assert (known.reserved_for or None) == self.holder(number)


TestReservations = ReservationModel.TestCase
TestReservations.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
