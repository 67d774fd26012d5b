"""The transitions of 4.9 happen in the composed machines: seen in a walk, by their labels.

The walks go on, one seed after the other, until every label was seen or the bound is reached. What is compared is
the status that would be reported, faults included.
"""

import pytest

from tests.machines.stations import VARIANTS, station_of
from tests.machines.test_status_table import FROM, TABLE, TO
from tests.machines.walker import World
from tests.scenarios import test_status_table as scenarios

SEEDS = 40
STEPS = 400

ELSEWHERE = {
    "D8": "test_d8_out_of_service_when_the_vehicle_that_asked_for_nothing_leaves",
    "E8": "test_e8_out_of_service_when_a_suspended_transaction_ends",
    "H5": "test_h5_free_of_charge_and_nothing_to_offer",
    "I5": "test_i5_back_to_suspended_by_the_evse",
    "I7": "test_i7_reserved_again_once_repaired",
}
"""Too rare for a walk: each has a scenario of its own, in tests/scenarios/test_status_table.py."""


def test_what_is_too_rare_for_a_walk_has_its_scenario():
    assert set(ELSEWHERE.values()) <= set(vars(scenarios))


def label_of(before, after):
    letters = {status: letter for letter, status in FROM.items()}
    digits = {status: digit for digit, status in TO.items()}
    return letters[before] + digits[after]


def seen_in(variant, seed):
    """The labels that one walk shows."""
    world, labels, last = World(station_of(variant), seed), set(), {}

    def look(_step):
        for number in world.charge_point.setpoints:
            status = world.charge_point.status(number).status.value
            before = last.get(number, status)
            if status != before:
                labels.add(label_of(before, status))
            last[number] = status

    world.on_step = look
    for _ in range(STEPS):
        boot = world.boot
        world.walk(1)
        if world.boot != boot:
            last.clear()  # a restart begins anew
    return labels


@pytest.fixture(scope="module")
def seen():
    """For each label the first walk that showed it."""
    found = {}
    for seed in range(SEEDS):
        for variant in VARIANTS:
            for label in seen_in(variant, seed):
                found.setdefault(label, f"{variant}, seed {seed}")
        if set(found) >= TABLE - set(ELSEWHERE):
            break
    return found


@pytest.mark.parametrize("label", sorted(TABLE - set(ELSEWHERE)))
def test_the_transition_happens(seen, label):
    assert label in seen
