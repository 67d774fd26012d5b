"""A rehearsal: the whole station on a test bench, without anything that waits, from the machines alone.

It is the model that tours are generated from and that the engine is compared with: the composition, and around it
values for what the engine, simulated hardware and a Central System do with it. Time is a number that is moved from
one deadline to the next; what happens at one instant has an order: hardware first,
then what was read from a meter, then the connection. Where it
stands can be kept and gone back to.
"""

import math
from collections import deque
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from engine.bench import FAULTS
from engine.conformance import stimuli
from engine.conformance.board import Board, OutOfOrderError, board_of
from engine.conformance.central_system import Answer, Ledger
from engine.conformance.script import Answers, Asks, at
from engine.conformance.stimuli import Stimulus
from engine.declaration.station import Station
from engine.ocpp import payloads
from machines.charge_point import Arrival, ChargePoint, Emitted, Memories, Memory, PoweredUp, Taken
from machines.machine import Standing
from machines.routes import delivery_owner
from machines.vocabulary import effects
from machines.vocabulary.effects import Instant, StartTimer, TimerFired
from machines.vocabulary.hardware import (
    HardwareEvent,
    HardwareReported,
    MeterRead,
    MeterReadFailed,
    PowerFailing,
    Setpoint,
    StopPressed,
    TokenRead,
)
from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import ACTIONS, Conf, Request
from machines.vocabulary.transactions import UNSETTLED, TransactionMessage, to_request
from machines.vocabulary.transfers import TransferEffect
from machines.vocabulary.wire import (
    CallAnswered,
    CallError,
    CallFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    DataTransferAsked,
    ErrorCode,
    Failure,
    RequestReceived,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of day when a rehearsal begins; the station itself believes 1970 until it is told."""
RESTART_S = 10.0
"""From the end of a run until a supervisor has started the next one."""
METER_TIMEOUT_S = 1.4
"""How long the simulated meter is waited for before its driver gives up: nothing else takes as long."""
SILENCE_S = 2.0
"""How long a Central System waits for an answer that must not come."""
EDGE_S = 0.05
"""What happens so close to the end of a step may be seen in it or in the next one, where nothing is late."""
SETTLING_MAX_S = 120.0
STEPS_MAX = 10_000
"""Things at one instant; more are a loop."""


class RestlessError(Exception):
    """A step has no end, or one that is not clear: something happens just then. No script can be made of it."""


class Seen(NamedTuple):
    """A CALL of the station."""

    time: float
    request: Request
    is_sure: bool
    """Whether it comes in any case: what is on its way when a connection is closed may come or not."""


class _Waiting(NamedTuple):
    """A CALL of the station that was asked for."""

    owner: str
    request: Request


class _Sent(NamedTuple):
    """The CALL in flight."""

    number: int
    waiting: _Waiting
    times_out_at: float


class _Coming(NamedTuple):
    """An answer of the Central System on its way."""

    time: float
    number: int
    answer: Conf | CallError


class _Timer(NamedTuple):
    deadline: float
    generation: int
    timer: StartTimer


class World(Struct):
    """Everything outside of the machines. Its members are not changed in place but for the boards."""

    boards: tuple[Board, ...]
    ledger: Ledger = Ledger()
    now: float = 0.0
    powers_up_at: float = math.inf
    boot: int = 0
    began: float = 0.0
    """When the run began."""
    zeros: dict[int, float] = {}
    """For each run, the time of day when it began, as far as the station knows."""
    is_set: bool = False
    """The Central System told the time of day in this run."""
    is_powered: bool = False
    memories: dict[str, Memory] = {}
    """On record, by address."""
    is_open: bool = False
    is_reachable: bool = True
    timers: dict[tuple[str, str], _Timer] = {}
    generations: int = 0
    readings: tuple[tuple[float, HardwareReported], ...] = ()
    """Of a silent meter: when the driver gives up."""
    calls: tuple[_Waiting, ...] = ()
    transaction: _Waiting | None = None
    sent: _Sent | None = None
    late: tuple[_Sent, ...] = ()
    coming: tuple[_Coming, ...] = ()
    count: int = 0
    """CALLs that were sent."""
    messages: tuple[TransactionMessage, ...] = ()
    settled: dict[int, int] = {}
    """transactionIds by local id."""

    def copied(self) -> "World":
        """A snapshot."""
        world = copy(self)
        world.boards = tuple(board.copy() for board in self.boards)
        return world


Kept = tuple[dict[Any, Any], ...]
"""What the charge point remembers."""

Snapshot = tuple[Kept, World]


class Rehearsal:
    """A station on a test bench. It begins without power, and at rest after every method.

    Args:
        station: As declared; its waiting times may not be random.
        edge_s: What happens so close to the end of a step may be seen in it or in the next one, and two things so
            close to each other have no order.
    """

    def __init__(self, station: Station, edge_s: float = EDGE_S) -> None:
        limits = station.settings.limits
        assert limits.back_off_jitter == limits.boot_retry_jitter == 0, "a rehearsal knows no chance"
        self.station = station
        self._limits = limits
        self._edge_s = edge_s
        self.charge_point = ChargePoint(station.settings, station.keys, station.defaults)
        numbers = tuple(connector.number for connector in station.settings.connectors)
        self._memories = Memories(
            {address: machine.snapshot() for address, machine in self.charge_point.machines.items()},
            dict.fromkeys((0, *numbers)),
            dict.fromkeys(numbers, False),
            dict.fromkeys(numbers, Setpoint()),
        )
        self.charge_point.lie_in(self._memories)
        self._fresh = self._kept()
        self.world = World(boards=tuple(board_of(connector) for connector in station.settings.connectors))
        self.seen: list[Seen] = []
        """The CALLs of the latest step."""
        self.answer: Conf | CallError | None = None
        """What the station answered in the latest step."""
        self.taken: list[list[Taken]] = []
        """The transitions of the latest step of the script, by message that the charge point took."""
        # Of the present instant; empty whenever the station is at rest.
        self._local: deque[Arrival] = deque()
        self._read_now: deque[Arrival] = deque()
        self._wire: deque[Arrival] = deque()
        self._is_unanswered = False

    # Where it stands

    def snapshot(self) -> Snapshot:
        """Everything."""
        return self._kept(), self.world.copied()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where ``snapshot`` was taken."""
        self._lie_in(snapshot[0])
        self.world = snapshot[1].copied()

    def standing(self, address: str) -> Standing:
        """Where a machine stands."""
        return self.charge_point.standings[address]

    def _kept(self) -> Kept:
        return tuple(dict(member) for member in self._memories)

    def _lie_in(self, kept: Kept) -> None:
        self._memories = Memories(*(dict(member) for member in kept))
        self.charge_point.lie_in(self._memories)

    def day_time(self) -> datetime:
        """The time of day by the clock of the Central System."""
        return EPOCH + timedelta(seconds=self.world.now)

    def deadlines(self) -> list[tuple[float, str]]:
        """What is due after the present step, each with its name, the earliest first."""
        world = self.world
        found = [(timer.deadline, f"{owner} {name}") for (owner, name), timer in world.timers.items()]
        found += [(coming.time, "an answer") for coming in world.coming]
        found += [(world.sent.times_out_at, "a time-out")] if world.sent is not None else []
        found += [(world.powers_up_at, "power")] if world.powers_up_at < math.inf else []
        return sorted(found)

    # Steps

    def set_policy(self, policy: Answers) -> None:
        """Let the Central System answer so from now on."""
        self.world.ledger = self.world.ledger.told(policy)

    def power_on(self, quiet_s: float) -> None:
        """Give power to the station for the first time, and see what comes until it is at rest."""
        self._begin()
        self._power_up()
        self._settle(quiet_s)

    def do(self, stimulus: Stimulus, quiet_s: float) -> None:
        """Give a stimulus, and see what comes until the station is at rest.

        Raises:
            OutOfOrderError: The hardware is in no state for it.
            RestlessError: There is no end, or none that is clear.
        """
        self._begin()
        self._give(stimulus)
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
        self._is_unanswered = True
        request = self._read(asked)
        if isinstance(request, CallError):
            self._answered(request)
        else:
            self._take(RequestReceived("asked", request))
        self._instant()
        end = self.world.now + asked.within_s
        while self._is_unanswered:
            if self._next_time() > end:
                raise RestlessError("an answer is owed for too long")
            self._go_on(self._next_time())
        if self.answer is None:
            self._pass(SILENCE_S)
        self._settle(quiet_s)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._begin()
        self._pass(seconds)

    def settle(self, quiet_s: float) -> None:
        """See what comes until the station is at rest."""
        self._begin()
        self._settle(quiet_s)

    # Time

    def _begin(self) -> None:
        self.seen, self.taken, self.answer, self._is_unanswered = [], [], None, False

    def _pass(self, seconds: float) -> None:
        end = self.world.now + seconds
        while (time := self._next_time()) <= end + self._edge_s:
            if time > end - self._edge_s:
                raise RestlessError(f"something happens at {time}")
            self._go_on(time)
        self.world.now = end

    def _settle(self, quiet_s: float) -> None:
        """Go on until ``quiet_s`` have passed since the latest CALL, or if there was none since now."""
        self._instant()
        begun = self.world.now
        while True:
            sure = [seen.time for seen in self.seen if seen.is_sure]
            end = max([begun, *sure]) + quiet_s
            time = self._next_time()
            if time > end + self._edge_s:
                break
            if time > end - self._edge_s or time > begun + SETTLING_MAX_S:
                raise RestlessError(f"something happens at {time}")
            self._go_on(time)
        self.world.now = end

    def _next_time(self) -> float:
        """When something happens next."""
        world = self.world
        times = [world.powers_up_at, *(timer.deadline for timer in world.timers.values())]
        times += [board.next_instant for board in world.boards]
        times += [time for time, _ in world.readings]
        times += [coming.time for coming in world.coming]
        times += [world.sent.times_out_at] if world.sent is not None else []
        return min(times)

    def _go_on(self, time: float) -> None:
        """Let happen what is due at ``time``, the next one.

        Raises:
            RestlessError: Several things are due that have no order.
        """
        world = self.world
        if len(self._kinds_due(time + self._edge_s)) > 1:
            raise RestlessError(f"several things happen at {time}")
        world.now = max(time, world.now)
        if world.powers_up_at <= time:
            self._power_up()
        due = [(end, report) for end, report in world.readings if end <= time]
        world.readings = tuple(each for each in world.readings if each not in due)
        self._local.extend(report for _, report in due)
        for number, board in enumerate(world.boards, start=1):
            while board.next_instant <= time:
                self._report(number, board.happen(world.now))
        for key, timer in sorted(world.timers.items(), key=lambda item: item[1]):
            # What an earlier one stopped or started anew does not fire.
            if timer.deadline <= time and world.timers.get(key) is timer:
                self._fire(key, timer)
                self._instant()
        if world.sent is not None and world.sent.times_out_at <= time:
            self._time_out(world.sent)
        self._instant()

    def _kinds_due(self, time: float) -> set[str]:
        """What is due until ``time``; the same for several connectors is one kind."""
        world = self.world
        found = {
            f"{owner.partition('/')[0]} {name}"
            for (owner, name), timer in world.timers.items()
            if timer.deadline <= time
        }
        found |= {"hardware" for board in world.boards if board.next_instant <= time}
        found |= {"a reading" for end, _ in world.readings if end <= time}
        found |= {"an answer" for coming in world.coming if coming.time <= time}
        found |= {"a time-out"} if world.sent is not None and world.sent.times_out_at <= time else set()
        return found | ({"power"} if world.powers_up_at <= time else set())

    def _fire(self, key: tuple[str, str], timer: _Timer) -> None:
        world, every_s = self.world, timer.timer.every_s
        timers = {each: running for each, running in world.timers.items() if each != key}
        if every_s is not None:
            world.generations += 1
            timers[key] = _Timer(timer.deadline + every_s, world.generations, timer.timer)
        world.timers = timers
        self._take(TimerFired(*key, timer.timer.message))

    def _instant(self) -> None:
        """Let happen all that follows at this instant."""
        world = self.world
        for _ in range(STEPS_MAX):
            coming = min(world.coming, default=None)
            if self._local:
                self._take(self._local.popleft())
            elif self._read_now:
                self._take(self._read_now.popleft())
            elif self._wire:
                self._take(self._wire.popleft())
            elif world.is_open and world.sent is None and (world.calls or world.transaction):
                self._send()
            elif coming is not None and coming.time <= world.now:
                self._come(coming)
            else:
                return
        raise RestlessError("the same instant goes on for ever")

    # The machines

    def _instant_now(self) -> Instant:
        world = self.world
        seconds = world.now - world.began
        return Instant(world.boot, seconds, world.zeros[world.boot] + seconds if world.is_set else None)

    def _take(self, arrival: Arrival) -> None:
        """Let the charge point take ``arrival``, and do what follows."""
        step = self.charge_point.handle(arrival, self._instant_now())
        self.taken.append(step.taken)
        if step.memories:
            kept = {memory.address: memory for memory in step.memories}
            self.world.memories = {**self.world.memories, **kept}
        for number, setpoint in step.setpoints.items():
            self._report(number, self.world.boards[number - 1].apply(setpoint, self.world.now))
        for emitted in step.effects:
            self._carry_out(emitted)

    def _report(self, number: int, events: list[HardwareEvent]) -> None:
        self._local.extend(HardwareReported(number, event) for event in events)

    def _carry_out(self, emitted: Emitted) -> None:
        world, by = self.world, emitted.by
        match emitted.effect:
            case StartTimer(name=name, after_s=after_s) as timer:
                world.generations += 1
                running = _Timer(world.now + after_s, world.generations, timer)
                world.timers = {**world.timers, (by, name): running}
            case effects.StopTimer(name=name):
                world.timers = {key: timer for key, timer in world.timers.items() if key != (by, name)}
            case effects.LearnTime(utc=utc):
                # On the wire, the time of day has milliseconds.
                world.zeros = {**world.zeros, world.boot: utc - (world.now - world.began)}
                world.is_set = True
            case effects.Keep(message=TransactionMessage() as message):
                world.messages = (*world.messages, message)
            case effects.Forget(number=number):
                world.messages = tuple(each for each in world.messages if each.number != number)
            case effects.Settle(local_id=local_id, transaction_id=transaction_id):
                world.settled = {local_id: transaction_id, **world.settled}
            case effects.Collect():
                pass  # It shows in transactionData alone.
            case effects.ReadMeter() as asked:
                self._read_meter(asked)
            case effects.Dial():
                self._wire.append(
                    ConnectionOpened() if world.is_reachable else ConnectionFailed("no network")
                )
                world.is_open = world.is_reachable
            case effects.HangUp(why=why) if world.is_open:
                self._disconnect()
                self._wire.append(ConnectionClosed(why))
            case effects.Call(request=request) if world.is_open:
                world.calls = (*world.calls, _Waiting(by, request))
            case effects.Deliver(number=number) if world.is_open:
                (message,) = (each for each in world.messages if each.number == number)
                known = world.settled.get(message.local_id, UNSETTLED)
                request = to_request(message, known, self._resolve(message.at))
                world.transaction = _Waiting(delivery_owner(message), request)
            case effects.Answer(answer=answer):
                self._answered(answer)
            case effects.Restart():
                self._disconnect()
                self._power_down(RESTART_S)
            case effects.LeaveUnanswered():
                self._is_unanswered = False
            case TransferEffect():
                pass  # A rehearsal has no servers: what is transferred is never done.
            case effects.Call() | effects.Deliver() | effects.HangUp():
                pass  # Meant for a connection that is gone.
            case other:
                raise AssertionError(other)

    def _resolve(self, instant: Instant) -> float:
        if instant.utc is not None:
            return instant.utc
        return self.world.zeros[instant.boot] + instant.seconds

    def _read_meter(self, asked: effects.ReadMeter) -> None:
        world = self.world
        board = world.boards[asked.connector - 1]
        if board.is_silent:
            failed = HardwareReported(asked.connector, MeterReadFailed(asked.ticket, "silent"))
            world.readings = (*world.readings, (world.now + METER_TIMEOUT_S, failed))
        else:
            read = MeterRead(asked.ticket, board.reading(world.now))
            self._read_now.append(HardwareReported(asked.connector, read))

    # Power

    def _power_up(self) -> None:
        world = self.world
        world.boot += 1
        world.began, world.powers_up_at, world.is_set, world.is_powered = world.now, math.inf, False, True
        world.zeros = {**world.zeros, world.boot: 0.0}
        self._lie_in(self._fresh)
        for board in world.boards:
            board.apply(Setpoint(), world.now)  # whatever the run before left behind
        self._take(PoweredUp(tuple(world.memories.values())))
        for number, board in enumerate(world.boards, start=1):
            self._report(number, board.power_up(world.now))

    def _power_down(self, seconds: float) -> None:
        world = self.world
        for queue in (self._local, self._read_now, self._wire):
            queue.clear()
        world.timers, world.readings, world.is_powered = {}, (), False
        world.powers_up_at = world.now + seconds
        for board in world.boards:
            board.power_down(world.now)

    # The connection

    def _disconnect(self) -> None:
        """The connection is gone, and what was in flight with it. What was about to be sent may have been."""
        world = self.world
        waiting = [*world.calls, *([world.transaction] if world.transaction else [])]
        self.seen += [Seen(world.now, each.request, is_sure=False) for each in waiting]
        world.is_open, world.calls, world.transaction, world.sent = False, (), None, None
        world.late, world.coming = (), ()
        self._wire.clear()

    def _send(self) -> None:
        """Send the next CALL: the normal ones before a transaction message."""
        world = self.world
        if world.calls:
            waiting, *rest = world.calls
            world.calls = tuple(rest)
        else:
            assert world.transaction is not None
            waiting, world.transaction = world.transaction, None
        world.count += 1
        keys: Keys = self.standing("configuration").data.keys
        is_declared = self.station.keys.find("MessageTimeout") is not None
        timeout_s = keys.message_timeout if is_declared else self._limits.call_timeout_s
        world.sent = _Sent(world.count, waiting, world.now + timeout_s)
        self.seen.append(Seen(world.now, waiting.request, is_sure=True))
        world.ledger, answer, after_s = world.ledger.answer(waiting.request, self.day_time())
        self._promise(answer, after_s)

    def _promise(self, answer: Answer, after_s: float) -> None:
        world = self.world
        if answer is not None:
            coming = _Coming(world.now + after_s, world.count, answer)
            world.coming = (*world.coming, coming)

    def _come(self, coming: _Coming) -> None:
        """An answer of the Central System arrives."""
        world = self.world
        world.coming = tuple(each for each in world.coming if each is not coming)
        is_late = world.sent is None or world.sent.number != coming.number
        if is_late:
            (sent,) = (each for each in world.late if each.number == coming.number)
            world.late = tuple(each for each in world.late if each is not sent)
            if world.transaction is not None and world.transaction.owner == sent.waiting.owner:
                world.transaction = None  # it waits to be sent once more
        else:
            assert world.sent is not None
            sent, world.sent = world.sent, None
        owner, request = sent.waiting
        if not isinstance(coming.answer, CallError):
            self._take(CallAnswered(owner, coming.answer, is_late))
        elif not is_late:
            self._take(CallFailed(owner, type(request).__name__, Failure.CALL_ERROR))

    def _time_out(self, sent: _Sent) -> None:
        world = self.world
        world.sent, world.late = None, (*world.late, sent)
        self._take(CallFailed(sent.waiting.owner, type(sent.waiting.request).__name__, Failure.TIMED_OUT))

    def _read(self, asked: Asks) -> Request | CallError:
        """The request as the link of the station reads it."""
        if asked.request not in self.station.settings.receives:
            return CallError(ErrorCode.NOT_SUPPORTED)
        payload = Raw(msgspec.json.encode(at(asked.payload, self.day_time())))
        return payloads.decode_request(ACTIONS[asked.request], payload)

    def _answered(self, answer: Conf | CallError) -> None:
        self.answer, self._is_unanswered = answer, False

    # Stimuli

    def _give(self, stimulus: Stimulus) -> None:
        world, now = self.world, self.world.now
        match stimulus:
            case stimuli.PlugIn(connector=number):
                self._report(number, self._board(number).plug_in(now))
            case stimuli.Unplug(connector=number, side=side):
                self._report(number, self._board(number).unplug(side, now))
            case stimuli.Pause(connector=number):
                self._report(number, self._board(number).pause(now, is_paused=True))
            case stimuli.Resume(connector=number):
                self._report(number, self._board(number).pause(now, is_paused=False))
            case stimuli.JamLock(connector=number):
                self._report(number, self._board(number).jam(now, is_jammed=True))
            case stimuli.FreeLock(connector=number):
                self._report(number, self._board(number).jam(now, is_jammed=False))
            case stimuli.RaiseFault(error_code=code, connector=number, info=info):
                self._report(number, self._board(number).raise_fault(FAULTS[code], info))
            case stimuli.ClearFault(error_code=code, connector=number):
                self._report(number, self._board(number).clear_fault(FAULTS[code]))
            case stimuli.SilenceMeter(silent=silent, connector=number):
                self._board(number).is_silent = silent
            case stimuli.PressStop(connector=number, emergency=is_emergency):
                self._report(number, [StopPressed(is_emergency)])
            case stimuli.FailPower(connector=number):
                self._report(number, [PowerFailing()])
            case _:
                self._give_to_station(stimulus)
        if not world.is_powered:
            self._local.clear()

    def _give_to_station(self, stimulus: Stimulus) -> None:
        world = self.world
        match stimulus:
            case stimuli.Swipe(id_tag=id_tag, connector=number):
                (reader,) = self.station.readers
                served = tuple(reader.connectors) if number is None else (number,)
                self._local.append(TokenRead(id_tag, served))
            case stimuli.SendData(vendor_id=vendor_id, message_id=message_id, data=data):
                _refuse(not world.is_powered)
                self._local.append(DataTransferAsked(vendor_id, message_id, data))
            case stimuli.CutLink():
                _refuse(not world.is_reachable)
                world.is_reachable = False
                if world.is_open:
                    self._disconnect()
                    self._wire.append(ConnectionClosed("the link was cut"))
            case stimuli.RestoreLink():
                _refuse(world.is_reachable)
                world.is_reachable = True
            case stimuli.CutPower(seconds=seconds):
                _refuse(not world.is_powered)
                self._disconnect()
                self._power_down(seconds)
                while not world.is_powered:
                    self._go_on(self._next_time())
            case other:
                raise AssertionError(other)

    def _board(self, number: int) -> Board:
        return self.world.boards[number - 1]


def _refuse(is_out_of_order: bool) -> None:
    if is_out_of_order:
        raise OutOfOrderError
