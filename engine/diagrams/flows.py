"""Who tells whom, read from the routes and from the code of the machines.

Which notices a machine emits stands nowhere but in its actions, so the classes that its functions make are looked up:
a machine that makes a notice or an effect emits it. One that only asks of what class a message is does not.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import NamedTuple

from machines import charge_point, routes
from machines.authorization import IdTagPresented
from machines.delivery import MessageDelivered, MessageFailed
from machines.machine import AnyMachine, Effect, Machine, Notice
from machines.vocabulary.effects import Call
from machines.vocabulary.ocpp.types import Conf, Request

HARDWARE = "Hardware"
READER = "Card reader"
CENTRAL_SYSTEM = "Central System"
LINK = "Link"
TRANSFER = "Transfers"
"""What carries out the long work that machines ask for."""
STATES = "Composition"
"""What is computed from the states of all machines, in machines/charge_point.py."""

SENDERS = (HARDWARE, READER, LINK, CENTRAL_SYSTEM, TRANSFER, STATES)
"""Who tells machines something without being one."""


class Flow(NamedTuple):
    """Messages that go the same way."""

    sender: str
    """A kind of machine, or one of :data:`SENDERS`."""
    hearers: tuple[str, ...]
    """As the routes write them: ``connector``, ``status_report/*``."""
    messages: tuple[type, ...]


@cache
def _calls(function: FunctionType) -> tuple[ast.Call, ...]:
    """The calls in the code of ``function``, in the order in which they stand there."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return tuple(sorted(found, key=lambda call: (call.lineno, call.col_offset)))


def _made(function: FunctionType) -> Iterator[type]:
    """The classes that ``function`` makes something of."""
    for call in _calls(function):
        value = function.__globals__.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if isinstance(value, type):
            yield value


def _called(machine: type[AnyMachine], function: FunctionType) -> Iterator[FunctionType]:
    """The methods of ``machine``, and the functions under ``machines``, that ``function`` calls."""
    for call in _calls(function):
        match call.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                called = getattr(machine, name, None)
            case ast.Name(id=name):
                called = function.__globals__.get(name)
            case _:
                continue
        if isinstance(called, FunctionType) and called.__module__.startswith("machines."):
            yield called


def made_by(machine: type[AnyMachine]) -> tuple[type, ...]:
    """The classes that the functions of ``machine`` make, in the order in which they appear."""
    functions = [
        member
        for cls in machine.__mro__
        if issubclass(cls, Machine) and cls is not Machine
        for member in vars(cls).values()
        if isinstance(member, FunctionType)
    ]
    return tuple(dict.fromkeys(found for function in functions for found in _made(function)))


def notices_of(machine: type[AnyMachine]) -> tuple[type[Notice], ...]:
    """The notices that ``machine`` emits."""
    return tuple(cls for cls in made_by(machine) if issubclass(cls, Notice) and cls is not Notice)


def effects_of(machine: type[AnyMachine]) -> tuple[type[Effect], ...]:
    """The effects that ``machine`` emits."""
    return tuple(cls for cls in made_by(machine) if issubclass(cls, Effect) and cls is not Effect)


def emitted_by(machine: type[AnyMachine], action: str) -> tuple[str, ...]:
    """What the action of that name emits, itself or by what it calls: ``StartTimer``, ``Answer ClearCache.conf``."""
    found: dict[type, None] = {}
    todo, done = [getattr(machine, action)] if action else [], set()
    while todo:
        function = todo.pop()
        if function in done:
            continue
        done.add(function)
        found |= dict.fromkeys(_made(function))
        todo += _called(machine, function)
    told = [cls.__name__ for cls in found if issubclass(cls, Effect | Notice) and cls not in (Effect, Notice)]
    sent = [cls.__name__ for cls in found if issubclass(cls, Request) and Call in found]
    sent += [
        f"{cls.__name__.removesuffix('Conf')}.conf"
        for cls in found
        if issubclass(cls, Conf) and cls is not Conf
    ]
    return tuple(sorted({*told, *sent}))


def notices_of_states() -> tuple[type[Notice], ...]:
    """The notices that the composition derives from the states of all machines."""
    functions = [
        member for member in vars(charge_point.ChargePoint).values() if isinstance(member, FunctionType)
    ]
    made = dict.fromkeys(found for function in functions for found in _made(function))
    return tuple(cls for cls in made if issubclass(cls, Notice) and cls is not Notice)


def takers(message: type) -> tuple[str, ...]:
    """The kinds of machines that take ``message``."""
    return tuple(kind for kind, machine in routes.KINDS.items() if message in machine.messages)


def flows() -> tuple[Flow, ...]:
    """Every way that messages go, those that go the same way together."""
    ways: dict[tuple[str, tuple[str, ...]], list[type]] = {}

    def add(sender: str, hearers: tuple[str, ...], message: type) -> None:
        if hearers:
            ways.setdefault((sender, hearers), []).append(message)

    for message, hearers in routes.HARDWARE.items():
        add(HARDWARE, hearers, message)
    add(READER, takers(IdTagPresented), IdTagPresented)
    for message, hearers in routes.WIRE.items():
        add(LINK, hearers, message)
    for message, hearers in routes.TRANSFERS.items():
        add(TRANSFER, hearers, message)
    for message in (MessageDelivered, MessageFailed):
        add(LINK, takers(message), message)
    for request, kind in routes.REQUESTS.items():
        add(CENTRAL_SYSTEM, (kind,), request)
    for notice in notices_of_states():
        add(STATES, routes.HEARS.get(notice, takers(notice)), notice)
    for kind, machine in routes.KINDS.items():
        for notice in notices_of(machine):
            add(kind, routes.HEARS[notice], notice)
    return tuple(Flow(sender, hearers, tuple(messages)) for (sender, hearers), messages in ways.items())


def kind_of(hearer: str) -> str:
    """The kind of machine that a route means by ``hearer``."""
    return hearer.partition("/")[0]
