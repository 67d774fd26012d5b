"""The base of every machine, the notation of its transition table, and its compiled step.

A machine is declared with python-statemachine: states, then one row per transition. The class is what is
validated, drawn and exported. Two interpreters run it:

* :meth:`Machine.handle` runs a step compiled from the same class: a table from (state, message type) to the
  rows of guards, action and target. It takes about a microsecond.
* :func:`interpreted` gives a machine that the library itself runs. It is the reference; a test shows that
  both agree on every machine.

A machine's memory is two values, ``state`` (the value of a declared state) and ``data`` (a frozen struct), so
that a snapshot is two references and a restored machine cannot be told from the original.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from msgspec import Struct
from statemachine import Event, State, StateChart
from statemachine.model import Model

Data = TypeVar("Data", bound=Struct)
Facts = TypeVar("Facts")

Step = Callable[[Any, Any], Any]


class Effect(Struct, frozen=True):
    """Something the engine must do because of a transition. Plain data."""


class Notice(Struct, frozen=True):
    """What a machine tells others, in the past tense. Routes decide who hears of it; no I/O follows."""


class NoData(Struct, frozen=True):
    """The data of a machine that remembers nothing beside its state."""


def when(message: type, clause: str) -> Event:
    """Fire a transition on ``message``, as ``clause`` of the specification asks.

    The clause becomes part of the label in every diagram and table. An ``Event`` per transition is what keeps
    those labels apart: the library draws two transitions with the same source, target and label as one.
    """
    return Event(id=message.__name__, name=f"{message.__name__} ({clause})")


def stays(message: type, reason: str, *states: State) -> None:
    """Declare that ``message`` changes nothing in ``states``, and why. One row per state."""
    for state in states:
        state.to(state, event=when(message, reason))


class Standing(NamedTuple):
    """Where a machine stands: everything that it remembers."""

    state: str
    data: Any


class Row(NamedTuple):
    """One compiled transition."""

    source: str
    message: type
    clause: str
    guards: tuple[tuple[str, bool], ...]
    action: str
    target: str


class TransitionMissing(Exception):  # noqa: N818 - the name of the fact
    """No transition is declared for a message in a state: a defect that ends the process."""


class _Compiled(NamedTuple):
    """A row, bound to the functions of its class."""

    guards: tuple[tuple[Step, bool], ...]
    action: Step | None
    target: str
    row: Row


Table = dict[tuple[str, type], tuple[_Compiled, ...]]


def rows(machine: "type[Machine[Any, Any]]") -> tuple[Row, ...]:
    """Every transition of ``machine``, in the order of declaration by state."""
    types = {message.__name__: message for message in machine.messages}
    found = []
    for state in machine.states:
        for transition in state.transitions:
            (event,) = transition.events
            clause = str(event.name).removeprefix(f"{event} (").removesuffix(")")
            actions = [str(spec.attr_name) for spec in transition.on if not spec.is_convention]
            assert len(actions) <= 1, f"{transition}: one action a row"
            guards = tuple((str(spec.attr_name), bool(spec.expected_value)) for spec in transition.cond)
            assert transition.target is not None
            action = actions[0] if actions else ""
            found.append(Row(state.value, types[str(event)], clause, guards, action, transition.target.value))
    return tuple(found)


def _bind(machine: "type[Machine[Any, Any]]", name: str) -> Step:
    """The function ``name`` of ``machine``, made to take the message whether or not it wants it."""
    function = getattr(machine, name)
    if function.__code__.co_argcount == 1:
        return lambda self, _message: function(self)
    assert function.__code__.co_argcount == 2, f"{name} takes more than the message"
    return function  # type: ignore[no-any-return]


def _compile(machine: "type[Machine[Any, Any]]") -> Table:
    table: dict[tuple[str, type], list[_Compiled]] = {}
    for row in rows(machine):
        guards = tuple((_bind(machine, name), expected) for name, expected in row.guards)
        action = _bind(machine, row.action) if row.action else None
        table.setdefault((row.source, row.message), []).append(_Compiled(guards, action, row.target, row))
    return {key: tuple(compiled) for key, compiled in table.items()}


class Machine(StateChart[Model], Generic[Data, Facts]):
    """A state machine that turns one message into effects and notices.

    Subclasses declare states, then transitions, then guards (``is_...``, ``has_...``, ``may_...``), then actions
    (verbs). A guard or action takes the message, or nothing, and reads ``self.data`` and ``self.facts``; an
    action assigns ``self.data`` and emits. Guards and actions are bound by name with ``cond``, ``unless`` and
    ``on``; the library's ``on_<event>`` naming conventions are not used, because a misspelt one is silently
    never called.
    """

    # The library's defaults follow SCXML: unknown events vanish and exceptions become events. Here both are
    # defects, and defects stop the process.
    allow_event_without_transition: bool = False
    catch_errors_as_events: bool = False
    atomic_configuration_update: bool = True
    enable_self_transition_entries: bool = False

    messages: ClassVar[tuple[type, ...]] = ()
    """Every message type the machine takes, in every state."""

    impossible: ClassVar[dict[tuple[str, type], str]] = {}
    """Pairs of state and message that cannot meet, and why. Meeting anyway is a defect."""

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of guards of which exactly one holds for any message they can be asked about."""

    memory: ClassVar[type[Struct] | None] = None
    """Type of what is kept over a restart beside the state; None if nothing is. Such a machine takes ``Resumed``."""

    _table: ClassVar[Table]

    data: Data
    facts: Facts

    # The library watches assignments for names that it knows; ours are fixed, and made at every step.
    __setattr__ = object.__setattr__

    def __init__(self, data: Data) -> None:
        # The library's constructor builds an interpreter, which the compiled step has no use for.
        cls = type(self)
        if "_table" not in cls.__dict__:
            cls._table = _compile(cls)
        assert cls.initial_state is not None
        self.state: str = cls.initial_state.value
        self.data = data
        self.last: Row | None = None
        """The row that the latest message took."""
        self._emitted: list[Effect | Notice] = []

    def handle(self, message: object, facts: Facts) -> list[Effect | Notice]:
        """Take ``message`` to completion; return what follows, in the order in which it was emitted.

        ``facts`` is what the guards may know of other machines. It is valid for this message only.

        Raises:
            TransitionMissing: No transition is declared for ``message`` in this state.
        """
        self.facts = facts
        for guards, action, target, row in self._table.get((self.state, type(message)), ()):
            for guard, expected in guards:
                if bool(guard(self, message)) is not expected:
                    break
            else:
                if action is not None:
                    action(self, message)
                self.state = target
                self.last = row
                emitted, self._emitted = self._emitted, []
                return emitted
        raise TransitionMissing(f"{type(self).__name__} in {self.state!r} takes no {message!r}")

    def emit(self, *emitted: Effect | Notice) -> None:
        """Ask the engine for effects, or tell other machines. Called by actions only."""
        self._emitted.extend(emitted)

    def snapshot(self) -> Standing:
        """Everything the machine remembers."""
        return Standing(self.state, self.data)

    def remember(self) -> Struct:
        """What is kept over a restart, of type ``memory``. Fields added to it later need defaults."""
        return self.data

    def restore(self, snapshot: tuple[str, Data]) -> Self:
        """Put the machine back to where it was when ``snapshot`` was taken."""
        self.state, self.data = snapshot
        return self


AnyMachine = Machine[Any, Any]


def interpreted(machine: AnyMachine) -> Callable[[object, object], list[Effect | Notice]]:
    """Let python-statemachine run a copy of ``machine`` from where it is; return that copy's ``handle``.

    The copy is the bound ``__self__`` of nothing: read its state with the returned function's ``machine``
    attribute. For tests and documentation; some hundred times slower than the compiled step.
    """
    chart = type(machine).__new__(type(machine))
    chart.data, chart._emitted = machine.data, []  # noqa: SLF001 - one class, two interpreters
    StateChart.__init__(chart, start_value=machine.state)
    chart.state = machine.state

    def handle(message: object, facts: object) -> list[Effect | Notice]:
        chart.facts = facts
        chart.send(type(message).__name__, message)
        (value,) = chart.configuration_values
        chart.state = str(value)
        emitted, chart._emitted = chart._emitted, []  # noqa: SLF001
        return emitted

    handle.machine = chart  # type: ignore[attr-defined]
    return handle
