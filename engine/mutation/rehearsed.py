"""The tours as checks: each is rehearsed with the machines as they are then, and must show what it expects.

The tours are those of the machines without a fault. They are rehearsed and not played on the engine: a tour takes
milliseconds. What is not on the wire is held against the invariants of the exploration.
"""

from collections.abc import Iterable, Iterator

import msgspec

from engine.conformance.board import OutOfOrderError
from engine.conformance.central_system import members_of
from engine.conformance.enactment import RestlessError, Snapshot
from engine.conformance.matching import Reading, fits
from engine.conformance.moves import QUIET_S
from engine.conformance.prepared import station_of
from engine.conformance.reference import Rehearsal
from engine.conformance.script import Answers, AnyStep, Asks, Expects, Header, Script, Wait
from engine.conformance.stimuli import Stimulus
from engine.conformance.world import Seen
from engine.mutation.checks import Check
from machines.charge_point import RoutesDivergeError
from machines.machine import TransitionMissing
from machines.model import invariants
from machines.vocabulary.effects import Instant
from machines.vocabulary.wire import CallError

SUITE = "tours"


class UnexpectedError(Exception):
    """The rehearsal shows other than the tour expects; the text is one line."""


def checks_of(scripts: Iterable[Script]) -> Iterator[Check]:
    """A check for each tour. The rehearsals are made now, the machines in them are those of the time when they run."""
    stages: dict[bytes, tuple[Rehearsal, Snapshot]] = {}
    for script in scripts:
        station = _station(script.header)
        if station not in stages:
            rehearsal = Rehearsal(station_of(script.header), edge_s=0)
            stages[station] = rehearsal, rehearsal.snapshot()
        yield _check(script, *stages[station])


def _station(header: Header) -> bytes:
    """What two tours have in common that are about the same station."""
    return msgspec.json.encode([header.station, sorted(header.keys.items()), header.declares])


def _check(script: Script, rehearsal: Rehearsal, fresh: Snapshot) -> Check:
    def run(_following: Check | None) -> str:
        rehearsal.restore(fresh)
        return deviation(script, rehearsal)

    return Check(SUITE, f"tour {script.header.script}", run)


def deviation(script: Script, rehearsal: Rehearsal) -> str:
    """What ``rehearsal`` shows other than ``script`` expects, in one line; empty if nothing."""
    performance = _Performance(script, rehearsal)
    try:
        performance.play()
    except UnexpectedError as error:
        return f"step {performance.step}: {error}"
    except (OutOfOrderError, RestlessError, TransitionMissing, RoutesDivergeError, AssertionError) as error:
        said = " ".join(str(error).split())
        return f"step {performance.step}: {type(error).__name__} {said}"
    return ""


class _Performance:
    """One tour in a rehearsal."""

    def __init__(self, script: Script, rehearsal: Rehearsal) -> None:
        self.step = 0
        self._script = script
        self._rehearsal = rehearsal
        self._numbers = [connector.number for connector in rehearsal.station.settings.connectors]
        self._seen: list[Seen] | None = None
        """What came of a step that is not yet compared."""

    def play(self) -> None:
        """Go through all steps.

        Raises:
            UnexpectedError: It is not as expected.
        """
        is_on = False
        steps = self._script.steps
        for number, step in enumerate(steps):
            self.step = number + 1
            quiet_s = self._quiet_s(steps[number + 1] if number + 1 < len(steps) else None)
            if isinstance(step, Answers):
                self._rehearsal.set_policy(step)
                continue
            if not is_on:
                self._rehearsal.power_on(self._quiet_s(step))
                self._seen, is_on = self._rehearsal.seen, True
            self._take(step, quiet_s)
            self._check_states()

    def _quiet_s(self, step: AnyStep | None) -> float:
        """How long the station is left alone in the step that ``step`` compares."""
        match step:
            case Expects(quiet_s=quiet_s) if quiet_s is not None:
                return quiet_s
            case Wait(wait=wait_s):
                return wait_s
            case _:
                return self._script.header.quiet_s or QUIET_S

    def _take(self, step: AnyStep, quiet_s: float) -> None:
        match step:
            case Stimulus():
                self._rehearsal.do(step, quiet_s)
                self._seen = self._rehearsal.seen
            case Asks():
                self._rehearsal.ask(step, quiet_s)
                self._seen = self._rehearsal.seen
                self._judge(step)
            case Wait(wait=wait_s, optional=optional):
                if self._seen is None:
                    self._rehearsal.wait(wait_s)
                    self._seen = self._rehearsal.seen
                self._compare(Reading((), optional))
            case Expects(expect=expected, optional=optional):
                if self._seen is None:
                    self._rehearsal.settle(self._quiet_s(step))
                    self._seen = self._rehearsal.seen
                self._compare(Reading(expected, optional))
            case _:
                raise AssertionError(step)

    def _compare(self, reading: Reading) -> None:
        for seen in self._seen or ():
            action, payload = type(seen.request).__name__, members_of(seen.request)
            if not reading.take(action, payload):
                raise UnexpectedError(f"{action} {payload} came; expected is {reading.wanted()}")
        if reading.missing:
            raise UnexpectedError(f"nothing came; expected is {reading.wanted()}")
        self._seen = None

    def _judge(self, asked: Asks) -> None:
        answer = self._rehearsal.answer
        if answer is None:
            is_expected = asked.nothing
        elif isinstance(answer, CallError):
            is_expected = answer.code == asked.error
        else:
            is_expected = (
                not asked.nothing and asked.error is None and fits(asked.expect or {}, members_of(answer))
            )
        if not is_expected:
            raise UnexpectedError(
                f"{asked.request} was answered {answer}; expected is {asked.error or asked.expect}"
            )

    def _check_states(self) -> None:
        world = self._rehearsal.world
        now = Instant(world.boot, world.now - world.began)
        broken = list(invariants.broken_by_states(self._rehearsal.charge_point, self._numbers, now))
        if broken:
            raise UnexpectedError(broken[0])
