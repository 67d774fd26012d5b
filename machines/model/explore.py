"""Breadth-first exploration of the composition: every state that an alphabet of moves leads to, up to a bound.

A state is what the machines remember and what the environment is in the middle of. What must hold is checked after
every step; the first thing that does not is reported with one of the shortest ways that lead there.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from machines.charge_point import ChargePoint, PoweredUp, RoutesDivergeError, Step
from machines.machine import TransitionMissing
from machines.model import environment as outside
from machines.model import invariants
from machines.model.environment import Environment, Hardware
from machines.model.moves import EPOCH, Alphabet, Move, moves, quiet
from machines.vocabulary.effects import Call, Deliver, Instant
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.settings import Settings

NOW = Instant(1, 0.0, EPOCH.timestamp())
"""It is always now: how much time passes between two moves makes no difference to what is decided."""

State = tuple[Any, Environment]


class NoSuchMoveError(Exception):
    """A move that was asked for cannot happen there."""


class Exploration(Struct, frozen=True, kw_only=True):
    """What was found."""

    states: int = 0
    transitions: int = 0
    """Moves that were made."""
    depth: int = 0
    """Moves from where the exploration began to the farthest state."""
    is_complete: bool = False
    """Every state was gone on from, except those beyond ``queue_max``."""
    fenced: int = 0
    """States with a longer queue than ``queue_max``, which were not gone on from."""
    stranded: int = 0
    """Of a complete exploration: states from which nobody can get to a free and working connector 1 any more."""
    broken: tuple[str, ...] = ()
    """What does not hold after the last move of ``trace``."""
    trace: tuple[str, ...] = ()
    """The names of the moves to the violation, or to the first stranded state."""


class Explorer:
    """The composition of a station, and what may happen to it.

    Args:
        settings: The station.
        key_set: Its configuration keys.
        defaults: Their values.
        alphabet: What may happen.
        queue_max: Transaction messages that may wait; a state with more of them is not gone on from.
    """

    def __init__(
        self, settings: Settings, key_set: KeySet, defaults: Keys, alphabet: Alphabet, *, queue_max: int = 4
    ) -> None:
        self._settings, self._alphabet, self._queue_max = settings, alphabet, queue_max
        self._numbers = tuple(connector.number for connector in settings.connectors)
        self._charge_point = ChargePoint(settings, key_set, defaults)
        self._fresh = self._charge_point.snapshot()
        self._known: dict[Hashable, Any] = {}

    def explore(self, states_max: int, way: Sequence[str] = ()) -> Exploration:
        """Visit up to ``states_max`` states in the order of their distance from the end of ``way``.

        Args:
            states_max: How many states to visit.
            way: The names of the moves that lead from the station without power to where the exploration begins.

        Raises:
            NoSuchMoveError: A move of ``way`` is not offered where it is to be made.
        """
        start, broken, made = self._walked(way)
        if broken:
            return Exploration(broken=tuple(broken), trace=tuple(made))
        found: dict[State, int] = {start: 0}
        came_from: list[tuple[int, str]] = [(-1, "")]
        edges: list[list[int]] = [[]]  # where a state is come from
        depths = [0]
        waiting = deque([start])
        good = []
        transitions = fenced = 0
        while waiting:
            state = waiting.popleft()
            index = found[state]
            is_fenced = len(state[1].queue) > self._queue_max
            if is_fenced or self._is_good(state):
                good.append(index)
            if is_fenced:
                fenced += 1
                continue
            for move in self._moves(state):
                transitions += 1
                broken, reached = self._made(state, move)
                if broken:
                    return Exploration(
                        states=len(found),
                        transitions=transitions,
                        depth=depths[index] + 1,
                        fenced=fenced,
                        broken=tuple(broken),
                        trace=(*way, *_trace(came_from, index), move.name),
                    )
                known = found.get(reached)
                if known is None:
                    if len(found) >= states_max:
                        continue
                    known = found[reached] = len(found)
                    came_from.append((index, move.name))
                    edges.append([])
                    depths.append(depths[index] + 1)
                    waiting.append(reached)
                edges[known].append(index)
        is_complete = len(found) < states_max
        stranded = _stranded(edges, good) if is_complete else []
        return Exploration(
            states=len(found),
            transitions=transitions,
            depth=max(depths),
            is_complete=is_complete,
            fenced=fenced,
            stranded=len(stranded),
            trace=(*way, *_trace(came_from, stranded[0])) if stranded else (),
        )

    def at(self, way: Sequence[str]) -> ChargePoint:
        """The charge point at the end of ``way``, to be looked at.

        Raises:
            NoSuchMoveError: As :meth:`explore`.
        """
        state, _, _ = self._walked(way)
        return self._charge_point.restore(state[0])

    def _walked(self, way: Sequence[str]) -> tuple[State, list[str], Sequence[str]]:
        """The state at the end of ``way``, or the first thing that does not hold on it, and how far that is."""
        state = self._start()
        for index, name in enumerate(way):
            offered = {move.name: move for move in self._moves(state)}
            if name not in offered:
                raise NoSuchMoveError(f"{name!r} cannot happen after {way[:index]}, but {sorted(offered)}")
            broken, state = self._made(state, offered[name])
            if broken:
                return state, broken, way[: index + 1]
        return state, [], way

    def _start(self) -> State:
        connectors = len(self._settings.connectors)
        nothing = (None,) * connectors
        environment = Environment(
            hardware=(Hardware(),) * connectors, shown=nothing, told=nothing, is_over=True
        )
        return self._interned(self._fresh, environment)

    def _moves(self, state: State) -> list[Move]:
        self._charge_point.restore(state[0])
        return list(moves(self._charge_point, self._settings, self._alphabet, state[1]))

    def _is_good(self, state: State) -> bool:
        self._charge_point.restore(state[0])
        machines = self._charge_point.machines
        return machines["connector/1"].state == "Available" and machines["transaction/1"].state == "idle"

    def _made(self, state: State, move: Move) -> tuple[list[str], State]:
        """What ``move`` breaks, and where it leads. Answers that make no difference follow at once."""
        charge_point = self._charge_point
        broken: list[str] = []
        charge_point.restore(self._fresh if isinstance(move.arrival, PoweredUp) else state[0])
        next_move: Move | None = move
        environment = move.environment
        while next_move is not None and not broken:
            environment, broken = self._taken(next_move)
            next_move = quiet(environment) if environment.link == outside.OPEN else None
        if broken:
            return broken, state
        return [], self._interned(*outside.normal(charge_point, environment))

    def _taken(self, move: Move) -> tuple[Environment, list[str]]:
        charge_point = self._charge_point
        before = {number: charge_point.facts(number, NOW) for number in self._numbers}
        try:
            step = charge_point.handle(move.arrival, NOW)
        except (TransitionMissing, RoutesDivergeError) as error:
            return move.environment, [f"{type(error).__name__}: {error}"]
        broken = list(invariants.broken_by_answers(move.arrival, step))
        broken += self._broken_by_sending(move.environment, step)
        environment = outside.carried_out(move.environment, step.effects)
        shown = list(environment.shown)
        for number in self._numbers:
            statuses = invariants.statuses_in(step, number)
            broken += invariants.broken_by_statuses([shown[number - 1], *statuses])
            shown[number - 1] = statuses[-1] if statuses else shown[number - 1]
            broken += invariants.broken_by_admission(before[number], charge_point.facts(number, NOW))
        environment = replace(environment, shown=tuple(shown))
        if charge_point.machines["registration"].state != "accepted":
            environment = replace(
                environment, told=(None,) * len(environment.told)
            )  # only what was asked for
        broken += invariants.broken_by_states(charge_point, self._numbers, NOW)
        timers = ((timer.owner, timer.message) for timer in environment.timers)
        broken += invariants.broken_by_timers(charge_point, timers)
        return environment, broken

    def _broken_by_sending(self, environment: Environment, step: Step) -> list[str]:
        """What must not be sent as it is, in the order in which it is sent."""
        broken: list[str] = []
        registration = self._charge_point.machines["registration"].state
        now = environment
        for emitted in step.effects:
            told = now.told
            now = outside.carried_out(now, [emitted])
            if registration == "accepted":
                for before, after in zip(told, now.told, strict=True):
                    broken += invariants.broken_by_statuses([before, after])
            match emitted.effect:
                case Call(request=request) if now.link == outside.OPEN:
                    broken += invariants.broken_by_call(registration, request, is_triggered=now.is_triggered)
                case Deliver(number=number) if now.link == outside.OPEN:
                    broken += invariants.broken_by_delivery(registration, number, now.queue)
        return broken

    def _interned(self, snapshot: Any, environment: Environment) -> State:
        """The state, its parts shared with those of others that are the same."""
        known = self._known
        machines, *rest = snapshot
        shared = tuple(known.setdefault(one, one) for one in machines)
        others = (known.setdefault(one, one) for one in rest)
        return (shared, *others), known.setdefault(environment, environment)


def _trace(came_from: list[tuple[int, str]], index: int) -> tuple[str, ...]:
    names = []
    while index > 0:
        index, name = came_from[index]
        names.append(name)
    return tuple(reversed(names))


def _stranded(edges: list[list[int]], good: list[int]) -> list[int]:
    """The states from which no way leads to one of ``good``, the nearest to the start first."""
    can, waiting = set(good), list(good)
    while waiting:
        for source in edges[waiting.pop()]:
            if source not in can:
                can.add(source)
                waiting.append(source)
    return [index for index in range(len(edges)) if index not in can]
