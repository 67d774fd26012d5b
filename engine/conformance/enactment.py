"""The charge point in a world of values: it takes what happens, and what it asks for is carried out at once.

Nothing here moves time; :mod:`engine.conformance.reference` does.
"""

import math
from collections import deque
from typing import Any

from engine.conformance.board import board_of
from engine.conformance.files import outcome
from engine.conformance.world import Doing, Seen, Timer, Waiting, World
from engine.declaration.station import Station
from engine.installers.simulated import DURATION_S
from machines.charge_point import Arrival, ChargePoint, Emitted, Memories, PoweredUp, Taken
from machines.machine import Standing
from machines.routes import delivery_owner
from machines.vocabulary import effects
from machines.vocabulary.effects import StartTimer
from machines.vocabulary.hardware import (
    HardwareEvent,
    HardwareReported,
    MeterRead,
    MeterReadFailed,
    Setpoint,
)
from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import Conf
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
)

RESTART_S = 10.0
"""From the end of a run until a supervisor has started the next one."""
METER_TIMEOUT_S = 1.4
"""How long the simulated meter is waited for before its driver gives up: nothing else takes as long."""


class RestlessError(Exception):
    """A step has no end, or one that is not clear: something happens just then. No script can be made of it."""


Kept = tuple[dict[Any, Any], ...]
"""What the charge point remembers."""

Snapshot = tuple[Kept, World]


class Enactment:
    """A station and what is around it, at one instant. It begins without power.

    Args:
        station: As declared; its waiting times may not be random.
    """

    def __init__(self, station: Station) -> None:
        limits = station.settings.limits
        assert limits.back_off_jitter == limits.boot_retry_jitter == 0, "a rehearsal knows no chance"
        self.station = station
        self._limits = limits
        self.charge_point = ChargePoint(station.settings, station.keys, station.defaults)
        numbers = tuple(connector.number for connector in station.settings.connectors)
        self._memories = Memories(
            {address: machine.snapshot() for address, machine in self.charge_point.machines.items()},
            dict.fromkeys((0, *numbers)),
            dict.fromkeys(numbers, False),
            dict.fromkeys(numbers, Setpoint()),
        )
        self.charge_point.lie_in(self._memories)
        self._fresh = self.kept()
        self.world = World(boards=tuple(board_of(connector) for connector in station.settings.connectors))
        self.seen: list[Seen] = []
        """The CALLs of the latest step."""
        self.answer: Conf | CallError | None = None
        """What the station answered in the latest step."""
        self.taken: list[list[Taken]] = []
        """The transitions of the latest step of the script, by message that the charge point took."""
        # Of the present instant; empty whenever the station is at rest.
        self.local: deque[Arrival] = deque()
        self.read_now: deque[Arrival] = deque()
        self.wire: deque[Arrival] = deque()
        self.is_unanswered = False

    # Where it stands

    def snapshot(self) -> Snapshot:
        """Everything."""
        return self.kept(), self.world.copied()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where ``snapshot`` was taken."""
        self.lie_in(snapshot[0])
        self.world = snapshot[1].copied()

    def standing(self, address: str) -> Standing:
        """Where a machine stands."""
        return self.charge_point.standings[address]

    def kept(self) -> Kept:
        """What the charge point remembers now."""
        return tuple(dict(member) for member in self._memories)

    def lie_in(self, kept: Kept) -> None:
        """Remember that instead."""
        self._memories = Memories(*(dict(member) for member in kept))
        self.charge_point.lie_in(self._memories)

    # The machines

    def take(self, arrival: Arrival) -> None:
        """Let the charge point take ``arrival``, and do what follows."""
        step = self.charge_point.handle(arrival, self.world.instant)
        self.taken.append(step.taken)
        if step.memories:
            kept = {memory.address: memory for memory in step.memories}
            self.world.memories = {**self.world.memories, **kept}
        for number, setpoint in step.setpoints.items():
            self.report(number, self.world.boards[number - 1].apply(setpoint, self.world.now))
        for emitted in step.effects:
            self._carry_out(emitted)

    def report(self, number: int, events: list[HardwareEvent]) -> None:
        """Let connector ``number`` report ``events``, in order."""
        self.local.extend(HardwareReported(number, event) for event in events)

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
                self.wire.append(ConnectionOpened() if world.is_reachable else ConnectionFailed("no network"))
                world.is_open = world.is_reachable
            case effects.HangUp(why=why) if world.is_open:
                self.disconnect()
                self.wire.append(ConnectionClosed(why))
            case effects.Call(request=request) if world.is_open:
                world.calls = (*world.calls, Waiting(by, request))
            case effects.Deliver(number=number) if world.is_open:
                (message,) = (each for each in world.messages if each.number == number)
                known = world.settled.get(message.local_id, UNSETTLED)
                request = to_request(message, known, world.resolve(message.at))
                world.transaction = Waiting(delivery_owner(message), request)
            case effects.Answer(answer=answer):
                self.answered(answer)
            case effects.Restart():
                if any(board.is_leaving for board in world.boards):
                    raise RestlessError("how long the restart takes decides whether the cable is still in")
                self.disconnect()
                self.power_down(RESTART_S)
            case effects.LeaveUnanswered():
                self.is_unanswered = False
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
            self.read_now.append(HardwareReported(asked.connector, read))

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
            self.end_work(asked, ending)

    def end_work(self, asked: TransferEffect, ending: TransferEnded) -> None:
        """Let a transfer or an installation end so."""
        world = self.world
        if isinstance(ending, FirmwareFetched):
            world.file = ending.ticket, self.standing("firmware_update").data.location
        is_cut = isinstance(asked, ConfirmFirmware) and asked.is_cut
        is_of_no_use = isinstance(ending, InstallFailed | FirmwareCorrupt) and not is_cut
        if isinstance(ending, FirmwareConfirmed) or is_of_no_use:
            world.file = None
        self.local.append(ending)

    # Power

    def power_up(self) -> None:
        """Begin a run with what was kept."""
        world = self.world
        world.boot += 1
        world.began, world.powers_up_at, world.is_set, world.is_powered = world.now, math.inf, False, True
        world.zeros = {**world.zeros, world.boot: 0.0}
        self.lie_in(self._fresh)
        for board in world.boards:
            board.apply(Setpoint(), world.now)  # whatever the run before left behind
        self.take(PoweredUp(tuple(world.memories.values())))
        for number, board in enumerate(world.boards, start=1):
            self.report(number, board.power_up(world.now))

    def power_down(self, seconds: float) -> None:
        """End the run; the next one begins after ``seconds``."""
        world = self.world
        for queue in (self.local, self.read_now, self.wire):
            queue.clear()
        world.timers, world.readings, world.works, world.is_powered = {}, (), (), False
        world.is_installed, world.installed_at = world.installed_at <= world.now, math.inf
        world.powers_up_at = world.now + seconds
        for board in world.boards:
            board.power_down(world.now)

    # The connection

    @property
    def call_timeout_s(self) -> float:
        """MessageTimeout where the station declares it."""
        keys: Keys = self.standing("configuration").data.keys
        is_declared = self.station.keys.find("MessageTimeout") is not None
        return keys.message_timeout if is_declared else self._limits.call_timeout_s

    def disconnect(self) -> None:
        """End the connection, if there is one, and what was on its way."""
        self.seen += self.world.disconnect()
        self.wire.clear()

    def answered(self, answer: Conf | CallError) -> None:
        """Note what the station answers."""
        self.answer, self.is_unanswered = answer, False
