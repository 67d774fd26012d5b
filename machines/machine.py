"""The base of every machine, the notation of its transition table, and its compiled step.

A machine is declared in the notation of python-statemachine: states, then one row per transition. Two interpreters run
that one table:

* :meth:`Machine.handle` runs a step compiled from it: from (state, message type) to the rows of guards, action and
  target. It takes about a microsecond.
* :mod:`machines.chart` makes a class of python-statemachine of it, which the library validates, draws and runs. It is
  the reference; a test shows that both agree on every machine. A station that runs has no use for it, so it is made
  when somebody asks, and no start waits for the library and thirty of its classes.

A machine's memory is two values, ``state`` (the value of a declared state) and ``data`` (a frozen struct), so
that a snapshot is two references and a restored machine cannot be told from the original.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from msgspec import Struct

Data = TypeVar("Data", bound=Struct)
Facts = TypeVar("Facts")

Step = Callable[[Any, Any], Any]


class Effect(Struct, frozen=True):
    """Something the engine must do because of a transition. Plain data."""


class Notice(Struct, frozen=True):
    """What a machine tells others, in the past tense. Routes decide who hears of it; no I/O follows."""


class NoData(Struct, frozen=True):
    """The data of a machine that remembers nothing beside its state."""


class On(NamedTuple):
    """What fires a transition."""

    message: type
    clause: str
    """Of the specification, a row of docs/decisions.md, or why nothing happens."""


class Row(NamedTuple):
    """One transition."""

    source: str
    message: type
    clause: str
    guards: tuple[tuple[str, bool], ...]
    action: str
    target: str


class State:
    """A state of a machine, and the transitions that leave it.

    Args:
        name: For people.
        value: For the database, and for tools; unique in the machine.
        initial: Whether the machine begins here; one state does.
    """

    def __init__(self, name: str, *, value: str, initial: bool = False) -> None:
        self.name = name
        self.value = value
        self.initial = initial
        self.id = ""
        """What the machine calls it."""
        self.rows: list[Row] = []
        """In the order in which they are tried."""

    def __set_name__(self, machine: type, name: str) -> None:
        self.id = name

    def __repr__(self) -> str:
        return f"State({self.name!r}, value={self.value!r}, initial={self.initial})"

    def to(
        self,
        target: "State",
        *,
        event: On,
        cond: str | list[str] = "",
        unless: str | list[str] = "",
        on: str = "",
    ) -> None:
        """Declare a transition to ``target``.

        Args:
            target: Where it leads; this state for one that stays.
            event: What fires it: ``when(...)``.
            cond: Names of guards that must hold.
            unless: Names of guards that must not.
            on: The name of the action.
        """
        guards = (*((name, True) for name in _names(cond)), *((name, False) for name in _names(unless)))
        self.rows.append(Row(self.value, event.message, event.clause, guards, on, target.value))


def _names(names: str | list[str]) -> list[str]:
    if isinstance(names, str):
        return [names] if names else []
    return names


def when(message: type, clause: str) -> On:
    """Fire a transition on ``message``, as ``clause`` of the specification asks.

    The clause becomes part of the label in every diagram and table.
    """
    return On(message, clause)


def stays(message: type, reason: str, *states: State) -> None:
    """Declare that ``message`` changes nothing in ``states``, and why. One row per state."""
    for state in states:
        state.to(state, event=when(message, reason))


class Standing(NamedTuple):
    """Where a machine stands: everything that it remembers."""

    state: str
    data: Any


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
    return tuple(row for state in machine.states for row in state.rows)


def _bind(machine: "type[Machine[Any, Any]]", name: str) -> Step:
    """The function ``name`` of ``machine``, made to take the message whether or not it wants it."""
    function = getattr(machine, name)
    if function.__code__.co_argcount == 1:
        return lambda self, _message: function(self)
    assert function.__code__.co_argcount == 2, f"{name} takes more than the message"
    return function  # type: ignore[no-any-return]


def _compile(machine: "type[Machine[Any, Any]]") -> Table:
    table: dict[tuple[str, type], list[_Compiled]] = {}
    named = rows(machine)
    names = {name for row in named for name in (row.action, *(guard for guard, _ in row.guards)) if name}
    bound = {name: _bind(machine, name) for name in names}
    for row in named:
        guards = tuple([(bound[name], expected) for name, expected in row.guards])
        action = bound[row.action] if row.action else None
        table.setdefault((row.source, row.message), []).append(_Compiled(guards, action, row.target, row))
    return {key: tuple(compiled) for key, compiled in table.items()}


class Machine(Generic[Data, Facts]):
    """A state machine that turns one message into effects and notices.

    Subclasses declare states, then transitions, then guards (``is_...``, ``has_...``, ``may_...``), then actions
    (verbs). A guard or action takes the message, or nothing, and reads ``self.data`` and ``self.facts``; an
    action assigns ``self.data`` and emits. Guards and actions are bound by name with ``cond``, ``unless`` and
    ``on``; the naming conventions of the library (``on_<event>``) are not used, because a misspelt one is silently
    never called.
    """

    states: ClassVar[tuple[State, ...]] = ()
    """In the order of declaration."""

    initial_state: ClassVar[State]

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

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        states = tuple(member for member in vars(cls).values() if isinstance(member, State))
        if states:
            cls.states = states
            (cls.initial_state,) = (state for state in states if state.initial)

    def __init__(self, data: Data) -> None:
        cls = type(self)
        if "_table" not in cls.__dict__:
            cls._table = _compile(cls)
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
