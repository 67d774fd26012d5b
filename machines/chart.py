"""A machine as a class of python-statemachine: what validates it, draws it, and runs it as the reference.

Made of the same rows that the compiled step is made of, when somebody asks: tools and tests do, a running station does
not.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from statemachine import Event, State, StateChart

from machines.machine import AnyMachine, Effect, Notice, Row, rows

FLAGS = {
    # The library's defaults follow SCXML: unknown events vanish and exceptions become events. Here both are defects,
    # and defects stop the process.
    "allow_event_without_transition": False,
    "catch_errors_as_events": False,
    "atomic_configuration_update": True,
    "enable_self_transition_entries": False,
    # The library watches assignments for names that it knows; those of a machine are fixed, and made at every step.
    "__setattr__": object.__setattr__,
}


def _event(row: Row) -> Event:
    """An event of its own for each transition: the library draws two with the same ends and the same label as one."""
    name = row.message.__name__
    return Event(id=name, name=f"{name} ({row.clause})")


def chart_of(machine: type[AnyMachine]) -> type[StateChart[Any]]:
    """The class of python-statemachine that has the states and transitions of ``machine``, and its methods.

    Raises:
        statemachine.exceptions.InvalidDefinition: The library finds that it is no machine.
    """
    return _made(machine, rows(machine))  # type: ignore[arg-type]  # a class has a hash


@cache
def _made(machine: type[AnyMachine], table: tuple[Row, ...]) -> type[StateChart[Any]]:
    states = {
        state.value: State(state.name, value=state.value, initial=state.initial) for state in machine.states
    }
    for row in table:
        states[row.source].to(
            states[row.target],
            event=_event(row),
            cond=[name for name, expected in row.guards if expected],
            unless=[name for name, expected in row.guards if not expected],
            on=row.action or None,
        )
    members = {state.id: states[state.value] for state in machine.states}
    # The library takes what a base calls ``states`` for its own kind.
    methods = type(machine.__name__, (machine,), {"states": ()})
    metaclass: Any = type(StateChart)
    made = metaclass(
        machine.__name__,
        (methods, StateChart),
        {**FLAGS, **members, "__module__": machine.__module__, "__doc__": machine.__doc__},
    )
    return cast("type[StateChart[Any]]", made)


def interpreted(machine: AnyMachine) -> Callable[[object, object], list[Effect | Notice]]:
    """Let python-statemachine run a copy of ``machine`` from where it is; return that copy's ``handle``.

    The copy is the bound ``__self__`` of nothing: read its state with the returned function's ``machine``
    attribute. For tests and documentation; some hundred times slower than the compiled step.
    """
    chart: Any = chart_of(type(machine))
    copy = chart.__new__(chart)
    copy.data, copy._emitted = machine.data, []  # noqa: SLF001 - one machine, two interpreters
    StateChart.__init__(copy, start_value=machine.state)
    copy.state = machine.state

    def handle(message: object, facts: object) -> list[Effect | Notice]:
        copy.facts = facts
        copy.send(type(message).__name__, message)
        (value,) = copy.configuration_values
        copy.state = str(value)
        emitted, copy._emitted = copy._emitted, []  # noqa: SLF001
        return cast("list[Effect | Notice]", emitted)

    handle.machine = copy  # type: ignore[attr-defined]
    return handle
