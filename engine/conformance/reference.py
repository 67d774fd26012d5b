"""A rehearsal: the whole station on a test bench, without anything that waits, from the machines alone.

It is the model that tours are generated from and that the engine is compared with: the composition, and around it
values for what the engine, simulated hardware and a Central System do with it. Time is a number that is moved from
one deadline to the next; what happens at one instant has an order: hardware first, then what was read from a meter,
then the connection. Where it stands can be kept and gone back to.
"""

import msgspec
from msgspec import Raw

from engine.conformance.board import OutOfOrderError
from engine.conformance.enactment import Enactment, RestlessError
from engine.conformance.giving import give
from engine.conformance.script import Answers, Asks, at
from engine.conformance.stimuli import CutPower, Stimulus
from engine.conformance.world import Timer
from engine.declaration.station import Station
from engine.ocpp import payloads
from machines.vocabulary.effects import TimerFired
from machines.vocabulary.ocpp import ACTIONS, Request
from machines.vocabulary.wire import CallError, ErrorCode, RequestReceived

SILENCE_S = 2.0
"""How long a Central System waits for an answer that must not come."""
EDGE_S = 0.02
"""What happens so close to the end of a step may be seen in it or in the next one, where nothing is late."""
SETTLING_MAX_S = 120.0
STEPS_MAX = 10_000
"""Things at one instant; more are a loop."""


class Rehearsal(Enactment):
    """A station on a test bench. It begins without power, and at rest after every method.

    Args:
        station: As declared; its waiting times may not be random.
        edge_s: What happens so close to the end of a step may be seen in it or in the next one, and two things so
            close to each other have no order.
    """

    def __init__(self, station: Station, edge_s: float = EDGE_S) -> None:
        super().__init__(station)
        self._edge_s = edge_s

    # Steps

    def set_policy(self, policy: Answers) -> None:
        """Let the Central System answer so from now on."""
        self.world.ledger = self.world.ledger.told(policy)

    def power_on(self, quiet_s: float) -> None:
        """Give power to the station for the first time, and see what comes until it is at rest."""
        self._begin()
        self.power_up()
        self._settle(quiet_s)

    def do(self, stimulus: Stimulus, quiet_s: float) -> None:
        """Give a stimulus, and see what comes until the station is at rest.

        Raises:
            OutOfOrderError: The hardware is in no state for it.
            RestlessError: There is no end, or none that is clear.
        """
        self._begin()
        give(self, stimulus)
        while isinstance(stimulus, CutPower) and not self.world.is_powered:
            self._go_on(self.world.next_time)
        self._settle(quiet_s)

    def ask(self, asked: Asks, quiet_s: float) -> None:
        """Let the Central System ask; :attr:`answer` is None if there is none.

        Raises:
            OutOfOrderError: There is no connection.
            RestlessError: There is no end, or none that is clear.
        """
        self._begin()
        if not self.world.is_open:
            raise OutOfOrderError
        self.is_unanswered = True
        request = self._read(asked)
        if isinstance(request, CallError):
            self.answered(request)
        else:
            self.take(RequestReceived("asked", request))
        self._instant()
        end = self.world.now + asked.within_s
        while self.is_unanswered:
            if self.world.next_time > end:
                raise RestlessError("an answer is owed for too long")
            self._go_on(self.world.next_time)
        if self.answer is None:
            self._pass(SILENCE_S)
        self._settle(quiet_s)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._begin()
        self._pass(seconds)

    def await_news(self, quiet_s: float, seconds_max: float) -> float:
        """Let time pass until the station sends something, and see what comes until it is at rest.

        Returns:
            After how many seconds the first of it came.

        Raises:
            OutOfOrderError: Nothing comes for ``seconds_max``.
            RestlessError: There is no end, or none that is clear.
        """
        self._begin()
        began = self.world.now
        while not any(seen.is_sure for seen in self.seen):
            if self.world.next_time > began + seconds_max:
                raise OutOfOrderError
            self._go_on(self.world.next_time)
        after_s = self.world.now - began
        self._settle(quiet_s)
        return after_s

    def settle(self, quiet_s: float) -> None:
        """See what comes until the station is at rest."""
        self._begin()
        self._settle(quiet_s)

    def _read(self, asked: Asks) -> Request | CallError:
        """The request as the link of the station reads it."""
        if asked.request not in self.station.settings.receives:
            return CallError(ErrorCode.NOT_SUPPORTED)
        payload = Raw(msgspec.json.encode(at(asked.payload, self.world.day_time)))
        return payloads.decode_request(ACTIONS[asked.request], payload)

    # Time

    def _begin(self) -> None:
        self.seen, self.taken, self.answer, self.is_unanswered = [], [], None, False

    def _pass(self, seconds: float) -> None:
        end = self.world.now + seconds
        while (time := self.world.next_time) <= end + self._edge_s:
            if time > end - self._edge_s:
                raise RestlessError(f"something happens at {time}")
            self._go_on(time)
        self.world.now = end

    def _settle(self, quiet_s: float) -> None:
        """Go on until ``quiet_s`` have passed since the latest CALL, or if there was none since now.

        A station that restarts is waited for: how long it takes is its own affair.
        """
        self._instant()
        begun = since = self.world.now
        while True:
            sure = [seen.time for seen in self.seen if seen.is_sure]
            end = max([since, *sure]) + quiet_s
            time = self.world.next_time
            is_on = self.world.is_powered
            if is_on and time > end + self._edge_s:
                break
            if (is_on and time > end - self._edge_s) or time > begun + SETTLING_MAX_S:
                raise RestlessError(f"something happens at {time}")
            self._go_on(time)
            if not is_on:
                since = self.world.now
        self.world.now = end

    def _go_on(self, time: float) -> None:
        """Let happen what is due at ``time``, the next one.

        Raises:
            RestlessError: Several things are due that have no order.
        """
        world = self.world
        kinds = world.kinds_due(time + self._edge_s)
        if len(kinds) > 1:
            raise RestlessError(f"several things happen at {time}: {', '.join(sorted(kinds))}")
        world.now = max(time, world.now)
        if world.powers_up_at <= time:
            self.power_up()
        due = [(end, report) for end, report in world.readings if end <= time]
        world.readings = tuple(each for each in world.readings if each not in due)
        self.local.extend(report for _, report in due)
        ended = [doing for doing in world.works if doing.time <= time]
        world.works = tuple(doing for doing in world.works if doing not in ended)
        for doing in ended:
            self.end_work(doing.asked, doing.ending)
        for number, board in enumerate(world.boards, start=1):
            while board.next_instant <= time:
                self.report(number, board.happen(world.now))
        for key, timer in sorted(world.timers.items(), key=lambda item: item[1]):
            # What an earlier one stopped or started anew does not fire.
            if timer.deadline <= time and world.timers.get(key) is timer:
                self._fire(key, timer)
                self._instant()
        if world.sent is not None and world.sent.times_out_at <= time:
            self.take(world.time_out())
        self._instant()

    def _fire(self, key: tuple[str, str], timer: Timer) -> None:
        world, every_s = self.world, timer.timer.every_s
        timers = {each: running for each, running in world.timers.items() if each != key}
        if every_s is not None:
            world.generations += 1
            timers[key] = Timer(timer.deadline + every_s, world.generations, timer.timer)
        world.timers = timers
        self.take(TimerFired(*key, timer.timer.message))

    def _instant(self) -> None:
        """Let happen all that follows at this instant."""
        world = self.world
        for _ in range(STEPS_MAX):
            coming = min(world.coming, default=None)
            if self.local:
                self.take(self.local.popleft())
            elif self.read_now:
                self.take(self.read_now.popleft())
            elif self.wire:
                self.take(self.wire.popleft())
            elif world.may_send:
                self.seen.append(world.send(self.call_timeout_s))
            elif coming is not None and coming.time <= world.now:
                answered = world.receive(coming)
                if answered is not None:
                    self.take(answered)
            else:
                return
        raise RestlessError("the same instant goes on for ever")
