"""The composition explored breadth-first: what must hard hold holds in every state that an alphabet leads to.

Most alphabets are small enough to be gone through to the end, where it is also shown that from every state somebody
can get back to a free connector. The suite stops at a bound; ``STATECHARGE_STATES=60000`` goes to the end of all but
"everything" (half an hour). A violation is reported with one of the shortest ways to it.
"""

import os
import sys

import pytest

from engine.station_file import load
from machines.model import alphabets
from machines.model.alphabets import ALPHABETS, CONNECTED, FREE_OF_CHARGE, REGISTERED, WAYS
from machines.model.explore import Explorer, NoSuchMoveError
from machines.model.moves import Alphabet

STATES_MAX = int(os.environ.get("STATECHARGE_STATES", "400"))

TO_THE_END = {"remote": 4000, "power cuts": 6000}
"""Gone through to the end in every run: the number of states is below this."""

WAY = {FREE_OF_CHARGE: "free"}
"""How a vehicle comes to charge, where it is not by a card."""


def explorer_of(name, station_name="full"):
    station = load(station_name)
    free = "FREE" if name == FREE_OF_CHARGE else ""
    settings = alphabets.one_connector(station.settings, free_id_tag=free)
    keys = alphabets.without_repetition(station.defaults)
    return Explorer(settings, station.keys, keys, ALPHABETS[name], queue_max=2)


@pytest.mark.parametrize("name", [*TO_THE_END, "registration", "everything"])
def test_what_must_hold_holds_in_every_state(name):
    check(name, explorer_of(name).explore(max(STATES_MAX, TO_THE_END.get(name, 0))))


@pytest.mark.parametrize("name", [name for name in ALPHABETS if name not in {*TO_THE_END, "registration"}])
@pytest.mark.parametrize("place", ["connected", "charging"])
def test_what_must_hold_holds_from_here_on(name, place):
    """Where an exploration from the start of the station does not get in the time that a test has."""
    way = CONNECTED if place == "connected" else WAYS[WAY.get(name, "card")]
    check(name, explorer_of(name).explore(STATES_MAX, way))


def check(name, found):
    tell(name, found)
    assert not found.broken, "\n".join([*found.trace, *found.broken])
    assert not found.stranded, "\n".join(["nobody gets away from here any more:", *found.trace])
    assert found.is_complete or name not in TO_THE_END


def tell(name, found):
    end = ", complete" if found.is_complete else ""
    sys.stdout.write(f"{name}: {found.states} states, {found.transitions} moves, {found.depth} deep{end}\n")


@pytest.mark.parametrize("way", WAYS)
def test_the_ways_lead_to_a_vehicle_that_charges(way):
    """What the tests from there on rely on."""
    name = {"card": "sessions", "remote": "remote", "free": FREE_OF_CHARGE}[way]
    assert explorer_of(name).at(WAYS[way]).setpoints[1].contactor


def test_a_way_that_does_not_exist_is_refused():
    with pytest.raises(NoSuchMoveError, match="'card A' cannot happen after"):
        explorer_of("remote").explore(1, (*REGISTERED, "card A"))


def test_an_exploration_is_the_same_every_time():
    assert explorer_of("sessions").explore(300) == explorer_of("sessions").explore(300)


def test_a_violation_is_reported_with_a_shortest_way_to_it(monkeypatch):
    """A rule that does not hold: the contactor never closes."""

    def never_closes(charge_point, connectors, now):
        return (f"{number} closed" for number in connectors if charge_point.setpoints[number].contactor)

    monkeypatch.setattr("machines.model.invariants.broken_by_states", never_closes)
    found = explorer_of("sessions").explore(5000)

    assert found.broken == ("1 closed",)
    assert found.trace[-3:] == ("card A", "Authorize Accepted", "meter 1 read")
    assert "pilot of 1 C" in found.trace
    assert len(found.trace) == 9


def test_a_state_without_a_way_back_is_reported():
    """A cable that is in when the station starts, and nobody who ever takes it out."""
    station = load("full")
    settings = alphabets.one_connector(station.settings)
    keys = alphabets.without_repetition(station.defaults)
    found = Explorer(settings, station.keys, keys, Alphabet()).explore(1000)

    assert found.is_complete
    assert found.stranded
    assert found.trace[-1] == "cable in 1"
