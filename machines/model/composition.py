"""The composed machines on a board: one move made, everything that must hold looked at.

The charge point is the one that runs on a wallbox, only that it keeps what it remembers in the cells of the board.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from machines.charge_point import (
    Arrival,
    ChargePoint,
    Memories,
    Memory,
    PoweredUp,
    RoutesDivergeError,
    Run,
)
from machines.machine import Row, Standing, TransitionMissing
from machines.model import environment as outside
from machines.model import invariants
from machines.model.alphabet import EPOCH, NOW, Move, PowerOn
from machines.model.cells import Board, Column, Layout
from machines.model.counts import counting
from machines.model.environment import DELIVERING, IS_OVER, IS_TRIGGERED, KNOWS_TIME, LINK, OWING, QUEUE
from machines.survey import Survey
from machines.view import PENDING
from machines.vocabulary.effects import Answer, Call, Deliver, Forget, Instant, Keep, LeaveUnanswered
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.ocpp import ChargePointStatus, StatusNotification
from machines.vocabulary.settings import Settings
from machines.vocabulary.transactions import TransactionMessage
from machines.vocabulary.wire import RequestReceived

DEFECTS = (
    *(TransitionMissing, RoutesDivergeError, AssertionError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
"""What a machine or the composition raises where it does not know on."""


class Made(NamedTuple):
    """What came of one arrival."""

    arrival: Arrival
    run: Run
    statuses: dict[int, list[ChargePointStatus]]
    """That each connector took, in their order; of those that took any."""
    broken: tuple[str, ...]


class _Before(Mapping[str, Any]):
    """Where the machines stood before an arrival."""

    def __init__(self) -> None:
        self.read: Any = None

    def __getitem__(self, name: str) -> Any:
        return self.read(name)

    def __iter__(self) -> Any:
        raise TypeError("it is asked for one machine at a time")

    def __len__(self) -> int:
        raise TypeError("it is asked for one machine at a time")


class Composition:
    """The charge point of a station, laid out on a board.

    Args:
        settings: The station.
        key_set: Its configuration keys.
        defaults: Their values.
    """

    def __init__(self, settings: Settings, key_set: KeySet, defaults: Keys) -> None:
        self.numbers = tuple(connector.number for connector in settings.connectors)
        self.charge_point = ChargePoint(settings, key_set, defaults)
        self.addresses = tuple(self.charge_point.machines)
        self.counting = counting(self.charge_point.standings)
        self._fresh = self._remembered(self.charge_point.memories)
        first = outside.at_first(self.addresses, self.numbers)
        self.layout = Layout([*self._fresh, *first], len(self.numbers))
        self.start = self.layout.cells({**self._fresh, **first})
        self._before = _Before()
        self._survey_before = Survey(self._before, settings, key_set)

    def _remembered(self, memories: Memories) -> dict[str, Any]:
        columns = self._columns()
        return {
            columns[field][key]: value
            for field, column in memories._asdict().items()
            for key, value in column.items()
        }

    def _columns(self) -> dict[str, dict[Any, str]]:
        """The cells of what a charge point remembers: names by key, for each field of ``Memories``."""
        return {
            "standings": {address: address for address in self.addresses},
            "statuses": {number: f"status/{number}" for number in (0, *self.numbers)},
            "supplied": {number: f"supplied/{number}" for number in self.numbers},
            "setpoints": {number: f"setpoint/{number}" for number in self.numbers},
        }

    def lie_on(self, board: Board) -> None:
        """Keep everything that is remembered on ``board`` from now on."""
        columns = self._columns()
        self.charge_point.lie_in(Memories(*(Column(board, columns[field]) for field in Memories._fields)))

    # One move

    def make(self, board: Board, move: Move) -> Made:
        """Let ``move`` happen, less what :meth:`settle` does."""
        for cell, value in move.changes:
            board[cell] = value
        remembered = None
        arrival = move.arrival
        if isinstance(arrival, PowerOn):
            remembered = {number: board[f"transaction/{number}"] for number in self.numbers}
            arrival = self._power_on(board, arrival)
        now = _moment(board, move.after_s)
        self._before.read = board.before()
        self._survey_before.begin(now)
        try:
            run = self.charge_point.run(arrival, now)
        except DEFECTS as error:
            return Made(arrival, Run([], [], {}), {}, (f"{type(error).__name__}: {error}",))
        broken = [*self._broken_by_answers(board, arrival, run)]
        broken += self._carry_out(board, arrival, run)
        statuses = {}
        for number in self.numbers:
            if taken := invariants.statuses_in(run.taken, number):
                statuses[number] = taken
                broken += invariants.broken_by_statuses([board[outside.shown(number)], *taken])
                board[outside.shown(number)] = taken[-1]
            if remembered is not None or f"transaction/{number}" in run.touched:
                broken += self._broken_by_transaction(board, number, run, remembered, now)
        for address in self.addresses:
            timers = outside.timers(address)
            if address in run.touched or board.has_written(timers):
                running = ((address, timer.message) for timer in board[timers])
                broken += invariants.broken_by_timers(self.charge_point, running)
        broken += self._broken_by_records(board, run)
        return Made(arrival, run, statuses, tuple(dict.fromkeys(broken)))

    def _broken_by_transaction(
        self, board: Board, number: int, run: Run, remembered: Mapping[int, Standing] | None, now: Instant
    ) -> Iterator[str]:
        """What must not become of the transaction of a connector; ``remembered`` from before a power cut."""
        address = f"transaction/{number}"
        if remembered is not None:
            yield from invariants.broken_by_recovery(number, remembered[number], board[address])
            return
        views = self._survey_before.view(number), self.charge_point.view(number, now)
        yield from invariants.broken_by_admission(*views)
        yield from invariants.broken_by_ledger(number, self._before[address], board[address], _kept(run))

    def _broken_by_records(self, board: Board, run: Run) -> Iterator[str]:
        """What was recorded of transactions that nothing became of."""
        kept = _kept(run)
        if not kept:
            return
        moved = [f"transaction/{number}" for number in self.numbers if f"transaction/{number}" in run.touched]
        before = {invariants.open_transaction(self._before[address]) for address in moved}
        after = {invariants.open_transaction(board[address]) for address in moved}
        yield from invariants.broken_by_records(after - before, before - after, kept)

    def _broken_by_answers(self, board: Board, arrival: Arrival, run: Run) -> Iterator[str]:
        """What is wrong with the answers of a step; who has taken a request and not answered it yet, owes it."""
        before: tuple[str, ...] = board[OWING]
        owing, others = list(before), []
        for emitted in run.effects:
            if isinstance(emitted.effect, Answer) and emitted.effect.call_id and emitted.by in owing:
                owing.remove(emitted.by)
            else:
                others.append(emitted)
        yield from invariants.broken_by_answers(arrival, others)
        yield from invariants.broken_by_late_answers(arrival, others)
        is_answered = any(isinstance(one.effect, Answer | LeaveUnanswered) for one in others)
        if isinstance(arrival, RequestReceived) and not is_answered:
            owing += [taken.address for taken in run.taken if taken.message is arrival.request]
        if tuple(owing) != before:
            board[OWING] = tuple(owing)

    def _power_on(self, board: Board, power_on: PowerOn) -> PoweredUp:
        memories = []
        for address, machine in self.charge_point.machines.items():
            if machine.memory is not None:
                standing = board[address]
                memories.append(Memory(address, standing.state, machine.restore(standing).remember()))
        for cell, value in self._fresh.items():
            board[cell] = value
        outside.power_down(board, self.addresses, self.numbers)
        return PoweredUp(tuple(memories), power_on.was_powered)

    def _carry_out(self, board: Board, arrival: Arrival, run: Run) -> list[str]:
        """Do what the machines asked for, and find what must not be sent as it is, in the order in which it is."""
        broken: list[str] = []
        registration = board["registration"].state
        for emitted in run.effects:
            match emitted.effect:
                case Call(request=request) if board[LINK] == outside.OPEN:
                    is_triggered = registration in PENDING and board[IS_TRIGGERED]
                    broken += invariants.broken_by_call(registration, request, is_triggered=is_triggered)
                    if isinstance(request, StatusNotification) and request.connector_id > 0:
                        # Before acceptance only what was asked for is told, whatever came in between.
                        # And with MinimumStatusDuration what lasts shorter is not told at all (9.1).
                        is_whole = registration == "accepted" and not self._has_minimum(board)
                        told = board[outside.told(request.connector_id)] if is_whole else None
                        broken += invariants.broken_by_statuses([told, request.status])
                case Deliver(number=number) if board[LINK] == outside.OPEN:
                    broken += invariants.broken_by_delivery(registration, number, board[QUEUE])
                    broken += invariants.broken_by_second_sending(number, board[DELIVERING])
                case Forget(number=number):
                    broken += invariants.broken_by_forgetting(arrival, number, board[QUEUE])
            outside.carry_out(board, emitted)
        if registration != "accepted":
            for number in self.numbers:
                board[outside.told(number)] = None
        return broken

    def _has_minimum(self, board: Board) -> bool:
        return bool(board["configuration"].data.keys.minimum_status_duration)

    # What follows

    def settle(self, board: Board, number: int) -> tuple[str, ...]:
        """Set connector ``number`` to what the states say by now, and find what does not hold there."""
        del board
        self.charge_point.begin(NOW)
        before = self.charge_point.setpoints[number]
        self.charge_point.set(number)
        after = self.charge_point.setpoints[number]
        return (
            *invariants.broken_by_states(self.charge_point, (number,), NOW),
            *invariants.broken_by_phases(before, after, number),
        )

    def rest(self, board: Board) -> tuple[str, ...]:
        """What is left undone when everybody has been told."""
        broken = [
            f"{owner} owes an answer for ever" for owner in board[OWING] if not board[outside.timers(owner)]
        ]
        if board[LINK] == outside.OPEN and board["registration"].state == "accepted" and not board[IS_OVER]:
            is_waiting = bool(board[outside.timers("delivery")])
            broken += invariants.broken_by_rest(board[QUEUE], board[DELIVERING], is_waiting=is_waiting)
        return tuple(broken)

    def is_free(self, board: Board) -> bool:
        """Whether everybody could charge: every connector is Available, and no transaction is under way."""
        return all(
            board[f"connector/{number}"].state == "Available"
            and board[f"transaction/{number}"].state == "idle"
            for number in self.numbers
        )


def _kept(run: Run) -> list[TransactionMessage]:
    """The transaction messages that were recorded."""
    kept = [emitted.effect.message for emitted in run.effects if isinstance(emitted.effect, Keep)]
    return [message for message in kept if isinstance(message, TransactionMessage)]


def _moment(board: Board, after_s: float) -> Instant:
    """So much later than now, as the station knows it."""
    if not after_s and board[KNOWS_TIME]:
        return NOW
    return Instant(NOW.boot, after_s, EPOCH.timestamp() + after_s if board[KNOWS_TIME] else None)


def rows_of(made: Made) -> list[tuple[str, Row]]:
    """The rows that were taken, each with its kind of machine."""
    return [(taken.address.partition("/")[0], taken.row) for taken in made.run.taken]
