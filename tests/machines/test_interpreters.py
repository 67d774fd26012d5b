"""The compiled step and python-statemachine's own interpreter agree on every machine.

First on the table: every state, message and outcome of the guards, with guards and actions replaced, so that it is seen
which row was taken. Then on life: what machines are told in random walks of a whole charge point is told once more to
the library's interpreter.
"""

import itertools
from collections import Counter
from types import FunctionType

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed

from machines import routes
from machines.chart import interpreted
from machines.machine import Machine, NoData, Notice, TransitionMissing, _compile, rows
from tests.machines.stations import station_of
from tests.machines.walker import World

KINDS = list(routes.KINDS.items())
STATIONS = {name: station_of(name) for name in ("as declared", "ac-smart", "lenient")}


class Acted(Notice, frozen=True):
    """An action was called."""

    name: str


def guard(name, truth):
    return lambda self: truth[name]


def action(name):
    return lambda self: self.emit(Acted(name))


@pytest.fixture
def truth(monkeypatch, machine):
    """The outcome of each guard of ``machine``, to be set; its actions tell that they were called."""
    outcome = {}
    for row in rows(machine):
        for name, _ in row.guards:
            monkeypatch.setattr(machine, name, guard(name, outcome))
        if row.action:
            monkeypatch.setattr(machine, row.action, action(row.action))
    monkeypatch.setattr(machine, "_table", _compile(machine), raising=False)
    return outcome


def at(machine, state):
    return machine(NoData()).restore((state, NoData()))


def compiled_outcome(machine, state, message):
    """State and emitted values after the compiled step, or None if it refuses."""
    one = at(machine, state)
    try:
        emitted = one.handle(message, None)
    except TransitionMissing:
        return None
    return one.state, emitted


def interpreted_outcome(machine, state, message):
    """State and emitted values after the library's step, or None if it refuses."""
    handle = interpreted(at(machine, state))
    try:
        emitted = handle(message, None)
    except TransitionNotAllowed:
        return None
    return handle.machine.state, emitted


def some(message):
    """Any value of type ``message``; nobody looks into it."""
    fields = [field.name for field in msgspec.structs.fields(message) if field.required]
    return message(**dict.fromkeys(fields, 0))


@pytest.mark.parametrize(("kind", "machine"), KINDS, ids=[kind for kind, _ in KINDS])
def test_they_agree_on_every_state_message_and_outcome_of_the_guards(kind, machine, truth):
    table = rows(machine)
    for state, message in itertools.product([state.value for state in machine.states], machine.messages):
        here = [row for row in table if row.source == state and row.message is message]
        names = sorted({name for row in here for name, _ in row.guards})
        for values in itertools.product([True, False], repeat=len(names)):
            truth.update(zip(names, values, strict=True))
            enabled = [row for row in here if all(truth[name] is expected for name, expected in row.guards)]
            expected = None
            if enabled:
                first = enabled[0]
                expected = first.target, [Acted(first.action)] if first.action else []
            assert compiled_outcome(machine, state, some(message)) == expected, (state, message, dict(truth))
            assert interpreted_outcome(machine, state, some(message)) == expected, (
                state,
                message,
                dict(truth),
            )


@pytest.fixture
def told(monkeypatch):
    """What every machine was told, in order: class, snapshot before, message, facts, snapshot after, emitted."""
    deliveries = []
    handle = Machine.handle

    def overheard(self, message, facts):
        before, known = self.snapshot(), facts.frozen()  # what is known changes with the next message
        emitted = handle(self, message, facts)
        deliveries.append((type(self), before, message, known, self.snapshot(), emitted))
        return emitted

    assert isinstance(handle, FunctionType)
    monkeypatch.setattr(Machine, "handle", overheard)
    return deliveries


def replayed(told):
    """What the library's interpreter makes of what a machine was told, and what it should."""
    machine, before, message, facts, after, emitted = told
    handle = interpreted(machine(before[1]).restore(before))
    return (handle(message, facts), handle.machine.snapshot()), (emitted, after)


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    variant=st.sampled_from(list(STATIONS)),
    chance=st.randoms(use_true_random=False),
    steps=st.integers(0, 60),
)
def test_they_agree_on_what_happens_to_a_charge_point(told, variant, chance, steps):
    told.clear()
    World(STATIONS[variant], chance).walk(steps)
    for one in told:
        by_library, by_table = replayed(one)
        assert by_library == by_table, one


@pytest.mark.parametrize("variant", STATIONS)
def test_they_agree_on_long_walks(told, variant):
    """Walks that come far, each row a few times."""
    seen = Counter()
    for seed in range(8):
        told.clear()
        World(STATIONS[variant], seed).walk(400)
        for one in told:
            row = (one[0], one[1][0], type(one[2]), one[4][0], len(one[5]))
            seen[row] += 1
            if seen[row] <= 3:
                by_library, by_table = replayed(one)
                assert by_library == by_table, one
    assert len(seen) > 150
