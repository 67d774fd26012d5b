"""What must hold of every machine, read from its own transition table and from the routes."""

import inspect
import itertools
import pkgutil
import re
import sys
import typing
from types import FunctionType

import pytest
from msgspec import Struct
from statemachine.contrib.diagram import formatter

import machines
from engine.diagrams.flows import made_by, notices_of, notices_of_states
from machines import routes
from machines.authorization import IdTagPresented
from machines.chart import chart_of
from machines.delivery import MessageDelivered, MessageFailed
from machines.machine import Machine, Notice, rows
from machines.resumed import Resumed
from machines.vocabulary import notices, ocpp
from machines.vocabulary.effects import Call, StartTimer
from machines.vocabulary.wire import CallFailed

KINDS = list(routes.KINDS.items())
NOT_HEARD = {}
"""Notices that concern nobody yet, and why they are told all the same."""

TOLD_BY_THE_COMPOSITION = {IdTagPresented, MessageDelivered, MessageFailed}
"""Messages that are made from others before a machine hears them (machines/charge_point.py, machines/routes.py)."""


def every_machine(test):
    return pytest.mark.parametrize("machine", [m for _, m in KINDS], ids=[kind for kind, _ in KINDS])(test)


def methods_of(machine):
    """The functions that a machine adds to the base."""
    return {name: member for name, member in vars(machine).items() if isinstance(member, FunctionType)}


def truths(machine, names):
    """Every truth of the guards ``names``; of an exclusive group exactly one holds, of a part of one at most one."""
    for values in itertools.product([True, False], repeat=len(names)):
        truth = dict(zip(names, values, strict=True))
        for group in machine.exclusive:
            holding = [truth[name] for name in group if name in truth]
            if sum(holding) > 1 or (len(holding) == len(group) and not any(holding)):
                break
        else:
            yield truth


@every_machine
def test_every_state_takes_every_message_in_exactly_one_way(machine):
    """For any truth of the guards one row is enabled, or none at all where that is declared impossible."""
    table = rows(machine)
    for state, message in itertools.product(machine.states, machine.messages):
        here = [row for row in table if row.source == state.value and row.message is message]
        if (state.value, message) in machine.impossible:
            assert not here, f"{state.value} takes {message.__name__}, which is declared impossible"
            continue
        names = sorted({name for row in here for name, _ in row.guards})
        for truth in truths(machine, names):
            enabled = [row for row in here if all(truth[name] is expected for name, expected in row.guards)]
            assert len(enabled) == 1, (state.value, message.__name__, truth)


@every_machine
def test_every_row_names_a_message_of_the_machine(machine):
    assert {row.message for row in rows(machine)} <= set(machine.messages)


@every_machine
def test_every_row_cites_a_clause_or_a_reason(machine):
    for row in rows(machine):
        assert re.fullmatch(r"[\w-].*[\w\)?-]", row.clause), row


@every_machine
def test_what_is_impossible_names_a_state_and_a_message_and_why(machine):
    states = {state.value for state in machine.states}
    for (state, message), reason in machine.impossible.items():
        assert state in states, state
        assert message in machine.messages, message
        assert reason


@every_machine
def test_guards_and_actions_take_the_message_of_their_row(machine):
    """The wiring that no type checker sees: annotation against declared message."""
    for row in rows(machine):
        for name in [*(name for name, _ in row.guards), *([row.action] if row.action else [])]:
            hints = typing.get_type_hints(getattr(machine, name))
            hints.pop("return")
            assert len(hints) <= 1, name
            for hint in hints.values():
                assert row.message in (typing.get_args(hint) or (hint,)), (row, name)


@every_machine
def test_guards_answer_and_actions_do_not(machine):
    for row in rows(machine):
        for name, _ in row.guards:
            assert typing.get_type_hints(getattr(machine, name))["return"] is bool, name
        if row.action:
            assert typing.get_type_hints(getattr(machine, row.action))["return"] is type(None), row.action


@every_machine
def test_it_uses_no_feature_that_waits_or_hides(machine):
    """No eventless transition, delay, invocation, entry or exit action, naming convention, or coroutine."""
    assert issubclass(machine, Machine)
    for state in chart_of(machine).states:
        assert not state.final, "a final state takes no message"
        for group in (state.enter, state.exit, state.invoke):
            assert not [spec for spec in group if not spec.is_convention], (state.id, group)
        for transition in state.transitions:
            assert not transition.is_eventless
            assert not transition.internal, "the exported table leaves internal transitions out"
            assert not any(event.delay or event.internal for event in transition.events)
    for name, function in methods_of(machine).items():
        assert not inspect.iscoroutinefunction(function), name
        assert not re.match(r"(on|before|after|prepare|validate)_", name), name


@every_machine
def test_the_library_has_the_states_and_rows_of_the_table(machine):
    chart = chart_of(machine)
    assert [(state.id, state.name, state.value) for state in chart.states] == [
        (state.id, state.name, state.value) for state in machine.states
    ]
    assert chart.initial_state.value == machine.initial_state.value
    found = [
        (
            state.value,
            str(event),
            str(event.name),
            tuple((spec.attr_name, spec.expected_value) for spec in transition.cond),
            "".join(spec.attr_name for spec in transition.on if not spec.is_convention),
            transition.target.value,
        )
        for state in chart.states
        for transition in state.transitions
        for event in transition.events
    ]
    assert found == [
        (
            row.source,
            row.message.__name__,
            f"{row.message.__name__} ({row.clause})",
            row.guards,
            row.action,
            row.target,
        )
        for row in rows(machine)
    ]


@every_machine
def test_the_library_draws_every_row(machine):
    """Its Mermaid export drops a transition whose label repeats between two states."""
    drawn = [line for line in formatter.render(chart_of(machine), "mermaid").splitlines() if " : " in line]
    assert len(drawn) == len(rows(machine))


@every_machine
def test_every_method_is_used(machine):
    """A guard or action by a row, anything else by another method."""
    used = {name for row in rows(machine) for name in [row.action, *(guard for guard, _ in row.guards)]}
    methods = methods_of(machine)
    called = {name for function in methods.values() for name in function.__code__.co_names}
    for name in methods:
        assert name in used or (name in called and name.startswith("_")) or hasattr(Machine, name), name


@every_machine
def test_every_state_is_entered_and_left(machine):
    """Or there is only one."""
    moves = [row for row in rows(machine) if row.source != row.target]
    entered = {row.target for row in moves} | {machine.initial_state.value}
    assert entered == {state.value for state in machine.states}


@every_machine
def test_what_it_remembers_is_what_it_says_it_remembers(machine):
    """A machine takes Resumed if and only if something is kept for it."""
    assert (Resumed in machine.messages) == (machine.memory is not None)


def test_every_machine_of_the_project_has_a_kind():
    for module in pkgutil.iter_modules(machines.__path__, "machines."):
        __import__(module.name)
    declared = {machine for machine in Machine.__subclasses__() if machine.__module__.startswith("machines.")}
    assert declared == set(routes.KINDS.values())


def test_no_two_messages_have_the_same_name():
    """A row knows its message by name."""
    names = {}
    for machine in routes.KINDS.values():
        assert len(set(machine.messages)) == len(machine.messages)
        for message in machine.messages:
            assert names.setdefault(message.__name__, message) is message


# Who tells whom


def told():
    """Every notice that anybody emits."""
    return {notice for machine in routes.KINDS.values() for notice in notices_of(machine)} | {
        *notices_of_states()
    }


def declared_notices():
    return [
        cls
        for cls in vars(notices).values()
        if isinstance(cls, type) and issubclass(cls, Notice) and cls.__module__ == notices.__name__
    ]


@pytest.mark.parametrize("notice", declared_notices(), ids=lambda notice: notice.__name__)
def test_every_notice_is_told_by_somebody(notice):
    assert notice in told()


@pytest.mark.parametrize("notice", declared_notices(), ids=lambda notice: notice.__name__)
def test_every_notice_is_heard_by_somebody(notice):
    """Or stands in NOT_HEARD with a reason."""
    hearers = routes.HEARS.get(notice, ())
    takers = [machine for machine in routes.KINDS.values() if notice in machine.messages]
    assert bool(takers) != (notice in NOT_HEARD)
    assert bool(hearers) == bool(takers) or notice in notices_of_states()


def test_every_notice_that_is_told_by_a_machine_has_a_route():
    for machine in routes.KINDS.values():
        assert set(notices_of(machine)) <= set(routes.HEARS), machine


@pytest.mark.parametrize("table", ["HEARS", "HARDWARE", "WIRE", "TRANSFERS", "REQUESTS"])
def test_who_is_told_takes_it(table):
    for message, kinds in getattr(routes, table).items():
        for kind in (kinds,) if isinstance(kinds, str) else kinds:
            assert message in routes.KINDS[kind.partition("/")[0]].messages, (message, kind)


def senders(kind, machine, message):
    """Who sends ``message`` to ``machine``; a word for each."""
    made = made_by(machine)
    routed = {
        "a notice": routes.HEARS.get(message, ()) if message in told() else (),
        "hardware": routes.HARDWARE.get(message, ()),
        "the link": routes.WIRE.get(message, ()),
        "the engine": routes.TRANSFERS.get(message, ()),
        "the Central System": (routes.REQUESTS[message],) if message in routes.REQUESTS else (),
    }
    found = [sender for sender, kinds in routed.items() if kind in {one.partition("/")[0] for one in kinds}]
    asked = [cls for cls in made if issubclass(cls, ocpp.Request) and Call in made]
    if asked and message in {CallFailed, *(ocpp.ACTIONS[cls.__name__].conf for cls in asked)}:
        found.append("the answer to a CALL")
    if message in made and StartTimer in made and message.__module__ == machine.__module__:
        found.append("a timer")
    if message in TOLD_BY_THE_COMPOSITION or (message in notices_of_states() and message not in routes.HEARS):
        found.append("the composition")
    if message is Resumed and machine.memory is not None:
        found.append("the store")
    return found


@pytest.mark.parametrize(("kind", "machine"), KINDS, ids=[kind for kind, _ in KINDS])
def test_every_message_has_a_sender(kind, machine):
    for message in machine.messages:
        assert senders(kind, machine, message), message.__name__


@pytest.mark.parametrize(("kind", "machine"), KINDS, ids=[kind for kind, _ in KINDS])
def test_every_timer_message_and_answer_is_taken(kind, machine):
    """What comes back for a timer or a CALL goes to the machine that asked."""
    made = made_by(machine)
    module = sys.modules[machine.__module__]
    if StartTimer in made:
        carried = [cls for cls in made if cls.__module__ == module.__name__ and is_message(cls)]
        assert carried
        assert set(carried) <= set(machine.messages)
    if Call in made:
        asked = [cls for cls in made if issubclass(cls, ocpp.Request)]
        assert asked
        assert {CallFailed, *(ocpp.ACTIONS[cls.__name__].conf for cls in asked)} <= set(machine.messages)


def is_message(cls):
    """Not the machine's data, and not what it tells."""
    return issubclass(cls, Struct) and not issubclass(cls, Notice) and not cls.__name__.endswith("Data")
