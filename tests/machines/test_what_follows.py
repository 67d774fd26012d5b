"""What follows from the states is computed anew when one of the machines that it is made of has moved, and only then.

Which machines these are stands in three tables of machines/charge_point.py. Walks show that nothing else is ever looked
at, and that what was not computed anew would have been the same.
"""

from collections import UserDict

import pytest

from machines.charge_point import SETTING, SHOWING, SUPPLYING
from tests.machines.stations import VARIANTS, station_of
from tests.machines.walker import World

WALKS = 3
STEPS = 300


READ = {"status": set(), "supply": set(), "setpoint": set()}
"""The kinds of machines that were looked at, in all walks."""


class Noting(UserDict):
    """Standings, and which were looked at."""

    def __init__(self, standings):
        self.data, self.seen = standings, set()

    def __getitem__(self, name):
        self.seen.add(name)
        return self.data[name]


def walked(variant):
    station = station_of(variant)
    read = {what: set() for what in READ}

    def look(charge_point):
        kept = charge_point.memories
        noting = Noting(kept.standings)
        charge_point.lie_in(kept._replace(standings=noting))
        charge_point.begin(world.now())
        for number in (0, *world.numbers):
            noting.seen.clear()
            assert charge_point._news_of_status(number, world.now()) == []
            read["status"] |= places(noting.seen, number)
        for number in world.numbers:
            noting.seen.clear()
            assert charge_point._news_of_supply(number) == []
            read["supply"] |= places(noting.seen, number)
            noting.seen.clear()
            assert not charge_point.set(number)
            read["setpoint"] |= places(noting.seen, number)
        charge_point.lie_in(kept)

    def places(seen, number):
        """The kinds of what was seen, all of it at connector ``number`` or of the station."""
        found = {station_place(name) for name in seen}
        assert {n for _, n in found} <= {0, number}
        return {kind for kind, _ in found}

    def station_place(name):
        kind, _, number = name.partition("/")
        return kind, int(number or 0)

    for seed in range(WALKS):
        world = World(station, seed)
        look(world.charge_point)
        world.on_step = lambda step: look(world.charge_point)  # noqa: B023 - the world of this round
        world.walk(STEPS)
    for what, kinds in read.items():
        READ[what] |= kinds
    return read


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_up_to_date_and_looks_at_no_other_machine(variant):
    read = walked(variant)
    assert read["status"] <= SHOWING
    assert read["supply"] <= SUPPLYING
    assert read["setpoint"] <= SETTING


def test_no_machine_is_listed_that_nobody_looks_at():
    for variant in VARIANTS if not READ["status"] else ():  # run by itself
        walked(variant)
    assert {"status": SHOWING, "supply": SUPPLYING, "setpoint": SETTING} == READ
