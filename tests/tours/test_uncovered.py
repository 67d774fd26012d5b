"""Why something is in no tour: each reason is about something, and about nothing that a tour shows."""

import pytest

from engine.conformance import uncovered
from engine.conformance.grounds import GROUNDS
from engine.conformance.terrain import Terrain
from engine.conformance.transitions import Catalogue
from engine.conformance.unshown import ENTRIES
from engine.station_file import load
from machines.model import explained

CATALOGUE = Catalogue()
CONNECTORS = load("full").settings.connectors


@pytest.mark.parametrize(
    "entry", ENTRIES, ids=lambda entry: f"{entry.kind} {entry.states[0]} {entry.message}"
)
def test_every_reason_is_about_some_transition(entry):
    assert explained.rows_of([entry])


def test_the_reason_of_a_pair_is_that_of_its_transitions_or_what_keeps_them_apart():
    all_but = set(range(len(CATALOGUE.transitions)))
    (never,) = [
        CATALOGUE.numbers[row]
        for row in explained.reasons(CONNECTORS)
        if row[0] == "delivery" and row[1].source == "waiting"
    ]
    first, second, *_ = [pair for pair in CATALOGUE.pairs if never not in CATALOGUE.parts(pair)]
    third = next(pair for pair in CATALOGUE.pairs if never in CATALOGUE.parts(pair))
    found = uncovered.reasons(CATALOGUE, all_but - {never}, {first}, CONNECTORS)
    assert found[never].startswith(uncovered.NEVER)
    assert (found[first], found[second], found[third]) == (
        uncovered.IN_VAIN,
        uncovered.NOT_FOLLOWED,
        found[never],
    )


def test_what_was_not_looked_for_long_enough_is_not_explained_away():
    found = uncovered.reasons(CATALOGUE, {0}, connectors=CONNECTORS)
    kind = CATALOGUE.transitions[0][0]
    plain = [
        number
        for number, each in enumerate(CATALOGUE.transitions)
        if number and each[0] == kind and each not in uncovered.known(CONNECTORS)
    ]
    assert {found[number] for number in plain} == {uncovered.NOT_FOUND}


@pytest.mark.parametrize("ground", GROUNDS, ids=lambda ground: ground.name)
def test_a_ground_begins_in_all_the_ways_that_it_names(ground):
    assert len(Terrain(ground, CATALOGUE).go_on(0)) == len(ground.starts)
