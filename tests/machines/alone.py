"""One machine by itself: where it stands, what it is told, what it knows of others, and what comes of it."""

from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from engine.station_file import load
from machines.facts import Facts
from machines.vocabulary.effects import Instant

STATION = load("full")
LIMITS = STATION.settings.limits
NOW = Instant(1, 50.0, 1_767_268_800.0)
"""Noon of 2026-01-01, in the first run."""


class Outcome(NamedTuple):
    """What came of a message."""

    state: str
    emitted: list[object]
    data: Any


def facts(*, number=1, keys=None, settings=None, **known):
    """What a machine of connector ``number`` knows: by default of a registered station where nothing goes on.

    ``keys`` and ``settings`` are members that differ from the declaration, ``known`` are members of Facts.
    """
    connectors = STATION.settings.connectors
    members = {
        "now": NOW,
        "is_open": True,
        "is_accepted": True,
        "was_accepted": True,
        "key_set": STATION.keys,
        "connector": connectors[number - 1] if number else None,
    }
    return Facts(
        number=number,
        settings=replace(STATION.settings, **(settings or {})),
        keys=replace(STATION.defaults, **(keys or {})),
        **(members | known),
    )


def told(machine, state, data, message, **known):
    """What ``machine`` makes of ``message`` when it is in ``state`` and remembers ``data``."""
    one = machine(data).restore((state, data))
    emitted = one.handle(message, facts(**known))
    return Outcome(one.state, emitted, one.data)


def unmoved(state, data):
    """Nothing came of it."""
    return Outcome(state, [], data)


def quiet(machine, matters):
    """Every state and message of ``machine`` that meet and do not matter to each other.

    ``matters`` names for each state the messages that may change something there, whatever the guards.
    """
    assert set(matters) == {state.value for state in machine.states}
    for state, messages in matters.items():
        assert set(messages) <= set(machine.messages), state
    return [
        pytest.param(state, message, id=f"{state}-{message.__name__}")
        for state, messages in matters.items()
        for message in machine.messages
        if message not in messages and (state, message) not in machine.impossible
    ]


def some(message):
    """Any value of type ``message``: nobody looks into it where it does not matter."""
    required = [field.name for field in msgspec.structs.fields(message) if field.required]
    return message(**dict.fromkeys(required))
