"""The messages of OCPP 1.6: from the vocabulary, the routes, and the shipped declarations."""

from collections.abc import Iterator
from enum import Enum
from itertools import groupby
from typing import get_args, get_type_hints

from engine.station_file import load
from machines import routes
from machines.vocabulary.ocpp import ACTIONS, Action
from machines.vocabulary.transactions import to_request
from statecharge_docs.reference.text import code, linked, mark, summary, table
from statecharge_docs.reference.types import fields, met_in, name_of

DELIVERED: tuple[type, ...] = get_args(get_type_hints(to_request)["return"])
"""What the machine ``delivery`` sends for others."""
SHIPPED = ("ac-smart", "full")


def text() -> str:
    """Every message: who sends it, which machine it is for, which shipped station has it, its members."""
    structs = (struct for action in ACTIONS.values() for struct in (action.request, action.conf))
    inner, enums = met_in(structs)
    parts = [overview()]
    for profile, actions in groupby(ACTIONS.values(), key=lambda action: action.profile):
        parts.append(f"## {profile}")
        parts += [told(action) for action in actions]
    parts.append("## Types\n\nWhat members of several messages are made of.")
    parts += [f"{name_of(kind)}: {summary(kind)}\n\n{fields(kind)}" for kind in inner]
    parts.append("## Enumerations")
    parts.append(table(("Name", "Values"), ((name_of(kind), values(kind)) for kind in enums)))
    return "\n\n".join(parts) + "\n"


def overview() -> str:
    """A table of all messages."""
    stations = [(name, load(name).settings) for name in SHIPPED]
    body = (
        (
            f"[{action.name}](#{anchor(action)})",
            sender(action),
            linked(machines_of(action)),
            *(mark(action.name in settings.sends | settings.receives) for _, settings in stations),
        )
        for action in ACTIONS.values()
    )
    return table(("Message", "Sent by", "Machine", *map(code, SHIPPED)), body)


def told(action: Action) -> str:
    """A message with its members."""
    return (
        f"({anchor(action)})=\n### {action.name}\n\n{summary(action.request)} Sent by the {sender(action)}.\n\n"
        f"Request:\n\n{fields(action.request)}\n\nAnswer:\n\n{fields(action.conf)}"
    )


def anchor(action: Action) -> str:
    """Where a message is told of."""
    return f"message-{action.name.lower()}"


def sender(action: Action) -> str:
    """Who may send it."""
    if action.from_charge_point and action.from_central_system:
        return "station, Central System"
    return "station" if action.from_charge_point else "Central System"


def machines_of(action: Action) -> Iterator[str]:
    """The machines that serve a request, or that send it and hear the answer."""
    found = [kind for kind, machine in routes.KINDS.items() if action.conf in machine.messages]
    if action.request in routes.REQUESTS:
        found.append(routes.REQUESTS[action.request])
    if action.request in DELIVERED:
        found.append("delivery")
    return iter(dict.fromkeys(found))


def values(enum: type) -> str:
    """The values of an enumeration."""
    assert issubclass(enum, Enum)
    return ", ".join(code(str(member.value)) for member in enum)
