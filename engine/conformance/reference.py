"""A rehearsal: the whole station on a test bench, without anything that waits, from the machines alone.

It is the model that tours are generated from and that the engine is compared with: the composition, and around it
values for what the engine, simulated hardware and a Central System do with it. Time is a number that is moved from
one deadline to the next; what happens at one instant has an order: hardware first, then what was read from a meter,
then the connection. Where it stands can be kept and gone back to.
"""

import math
from collections import deque
from typing import Any

import msgspec
from msgspec import Raw

from engine.bench import FAULTS
from engine.conformance import stimuli
from engine.conformance.board import Board, OutOfOrderError, board_of
from engine.conformance.files import outcome
from engine.conformance.script import Answers, Asks, at
from engine.conformance.stimuli import Stimulus
from engine.conformance.world import Doing, Seen, Timer, Waiting, World
from engine.declaration.station import Station
from engine.installers.simulated import DURATION_S
from engine.ocpp import payloads
from machines.charge_point import Arrival, ChargePoint, Emitted, Memories, PoweredUp, Taken
from machines.machine import Standing
from machines.routes import delivery_owner
from machines.vocabulary import effects
from machines.vocabulary.effects import StartTimer, TimerFired
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
from machines.vocabulary.transfers import (
    ConfirmFirmware,
    FetchFirmware,
    FirmwareConfirmed,
    FirmwareCorrupt,
    FirmwareFetched,
    GiveUpTransfer,
    InstallFailed,
    InstallFirmware,
    TransferEffect,
    TransferEnded,
)
from machines.vocabulary.wire import (
    CallError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionOpened,
    DataTransferAsked,
    ErrorCode,
    RequestReceived,
)

RESTART_S = 10.0
"""From the end of a run until a supervisor has started the next one."""
METER_TIMEOUT_S = 1.4
"""How long the simulated meter is waited for before its driver gives up: nothing else takes as long."""
SILENCE_S = 2.0
"""How long a Central System waits for an answer that must not come."""
EDGE_S = 0.02
"""What happens so close to the end of a step may be seen in it or in the next one, where nothing is late."""
SETTLING_MAX_S = 120.0
STEPS_MAX = 10_000
"""Things at one instant; more are a loop."""


class RestlessError(Exception):
    """A step has no end, or one that is not clear: something happens just then. No script can be made of it."""


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

    # Time

    def _begin(self) -> None:
        self.seen, self.taken, self.answer, self._is_unanswered = [], [], None, False

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
            self._power_up()
        due = [(end, report) for end, report in world.readings if end <= time]
        world.readings = tuple(each for each in world.readings if each not in due)
        self._local.extend(report for _, report in due)
        ended = [doing for doing in world.works if doing.time <= time]
        world.works = tuple(doing for doing in world.works if doing not in ended)
        for doing in ended:
            self._end(doing.asked, doing.ending)
        for number, board in enumerate(world.boards, start=1):
            while board.next_instant <= time:
                self._report(number, board.happen(world.now))
        for key, timer in sorted(world.timers.items(), key=lambda item: item[1]):
            # What an earlier one stopped or started anew does not fire.
            if timer.deadline <= time and world.timers.get(key) is timer:
                self._fire(key, timer)
                self._instant()
        if world.sent is not None and world.sent.times_out_at <= time:
            self._take(world.time_out())
        self._instant()

    def _fire(self, key: tuple[str, str], timer: Timer) -> None:
        world, every_s = self.world, timer.timer.every_s
        timers = {each: running for each, running in world.timers.items() if each != key}
        if every_s is not None:
            world.generations += 1
            timers[key] = Timer(timer.deadline + every_s, world.generations, timer.timer)
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
            elif world.may_send:
                self.seen.append(world.send(self._call_timeout_s))
            elif coming is not None and coming.time <= world.now:
                answered = world.receive(coming)
                if answered is not None:
                    self._take(answered)
            else:
                return
        raise RestlessError("the same instant goes on for ever")

    # The machines

    def _take(self, arrival: Arrival) -> None:
        """Let the charge point take ``arrival``, and do what follows."""
        step = self.charge_point.handle(arrival, self.world.instant)
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
                running = Timer(world.now + after_s, world.generations, timer)
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
                world.calls = (*world.calls, Waiting(by, request))
            case effects.Deliver(number=number) if world.is_open:
                (message,) = (each for each in world.messages if each.number == number)
                known = world.settled.get(message.local_id, UNSETTLED)
                request = to_request(message, known, world.resolve(message.at))
                world.transaction = Waiting(delivery_owner(message), request)
            case effects.Answer(answer=answer):
                self._answered(answer)
            case effects.Restart():
                if any(board.is_leaving for board in world.boards):
                    raise RestlessError("how long the restart takes decides whether the cable is still in")
                self._disconnect()
                self._power_down(RESTART_S)
            case effects.LeaveUnanswered():
                self._is_unanswered = False
            case GiveUpTransfer():
                world.works = tuple(doing for doing in world.works if doing.by != by)
                world.file = None
            case TransferEffect() as asked:
                self._work(by, asked)
            case effects.Call() | effects.Deliver() | effects.HangUp():
                pass  # Meant for a connection that is gone.
            case other:
                raise AssertionError(other)

    def _read_meter(self, asked: effects.ReadMeter) -> None:
        world = self.world
        board = world.boards[asked.connector - 1]
        if board.is_silent:
            failed = HardwareReported(asked.connector, MeterReadFailed(asked.ticket, "silent"))
            world.readings = (*world.readings, (world.now + METER_TIMEOUT_S, failed))
        else:
            read = MeterRead(asked.ticket, board.reading(world.now))
            self._read_now.append(HardwareReported(asked.connector, read))

    # Files

    def _work(self, by: str, asked: TransferEffect) -> None:
        """Begin a transfer or an installation; what takes no time is over at once."""
        world = self.world
        after_s, ending = outcome(asked, world.file, is_installed=world.is_installed)
        if isinstance(asked, InstallFirmware):
            world.installed_at = world.now + DURATION_S
        if isinstance(asked, FetchFirmware) and after_s:
            world.file = None
        if after_s:
            others = tuple(doing for doing in world.works if doing.by != by)
            world.works = (*others, Doing(world.now + after_s, by, ending, asked))
        else:
            self._end(asked, ending)

    def _end(self, asked: TransferEffect, ending: TransferEnded) -> None:
        world = self.world
        if isinstance(ending, FirmwareFetched):
            world.file = ending.ticket, self.standing("firmware_update").data.location
        is_cut = isinstance(asked, ConfirmFirmware) and asked.is_cut
        is_of_no_use = isinstance(ending, InstallFailed | FirmwareCorrupt) and not is_cut
        if isinstance(ending, FirmwareConfirmed) or is_of_no_use:
            world.file = None
        self._local.append(ending)

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
        world.timers, world.readings, world.works, world.is_powered = {}, (), (), False
        world.is_installed, world.installed_at = world.installed_at <= world.now, math.inf
        world.powers_up_at = world.now + seconds
        for board in world.boards:
            board.power_down(world.now)

    # The connection

    @property
    def _call_timeout_s(self) -> float:
        """MessageTimeout where the station declares it."""
        keys: Keys = self.standing("configuration").data.keys
        is_declared = self.station.keys.find("MessageTimeout") is not None
        return keys.message_timeout if is_declared else self._limits.call_timeout_s

    def _disconnect(self) -> None:
        self.seen += self.world.disconnect()
        self._wire.clear()

    def _read(self, asked: Asks) -> Request | CallError:
        """The request as the link of the station reads it."""
        if asked.request not in self.station.settings.receives:
            return CallError(ErrorCode.NOT_SUPPORTED)
        payload = Raw(msgspec.json.encode(at(asked.payload, self.world.day_time)))
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
            case stimuli.FailPilot(connector=number):
                self._report(number, self._board(number).short(now, is_shorted=True))
            case stimuli.RepairPilot(connector=number):
                self._report(number, self._board(number).short(now, is_shorted=False))
            case stimuli.RaiseFault(error_code=code, connector=number, info=info):
                self._report(number, self._board(number).raise_fault(FAULTS[code], info))
            case stimuli.ClearFault(error_code=code, connector=number):
                self._report(number, self._board(number).clear_fault(FAULTS[code]))
            case stimuli.SilenceMeter(silent=silent, connector=number):
                self._board(number).is_silent = silent
            case stimuli.PressStop(connector=number, emergency=is_emergency):
                self._refuse_unknown(number)
                self._report(number, [StopPressed(is_emergency)])
            case stimuli.FailPower(connector=number):
                self._refuse_unknown(number)
                self._report(number, [PowerFailing()])
            case _:
                self._give_to_station(stimulus)
        if not world.is_powered:
            self._local.clear()

    def _give_to_station(self, stimulus: Stimulus) -> None:
        world = self.world
        match stimulus:
            case stimuli.Swipe(id_tag=id_tag, connector=number):
                every = self.station.readers[0].connectors if self.station.readers else ()
                _refuse(not every or number not in (None, *every))
                served = tuple(every) if number is None else (number,)
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
                    self._go_on(self.world.next_time)
            case other:
                raise AssertionError(other)

    def _board(self, number: int) -> Board:
        self._refuse_unknown(number)
        boards: tuple[Board, ...] = self.world.boards
        return boards[number - 1]

    def _refuse_unknown(self, number: int) -> None:
        _refuse(not 1 <= number <= len(self.world.boards))


def _refuse(is_out_of_order: bool) -> None:
    if is_out_of_order:
        raise OutOfOrderError
