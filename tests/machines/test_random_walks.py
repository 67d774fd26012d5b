"""Random walks over the composition: no message is ever without a transition, and the invariants hold.

What a step must not break is in checks.py: contactor, ordering, registration gate, status table, timers, reservations,
ledger. A failure prints the seed; the walk is the same every time.
"""

import pytest

from machines.machine import rows
from machines.routes import KINDS
from tests.machines.stations import VARIANTS, station_of
from tests.machines.walker import World

WALKS = 20
STEPS = 500

TAKEN = set()
"""Every row that the walks of this run took."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_walks_meet_no_missing_transition_and_break_no_invariant(variant):
    walk(variant)


def walk(variant):
    station = station_of(variant)
    for seed in range(WALKS):
        world = World(station, seed)
        world.on_step = lambda step: TAKEN.update(
            (one.address.partition("/")[0], one.row) for one in step.taken
        )
        try:
            world.walk(STEPS)
        except Exception as error:
            last = "\n".join(map(repr, world.trace[-12:]))
            raise AssertionError(f"seed {seed} of {variant!r}, after\n{last}") from error


def test_the_walks_take_most_rows():
    """A walk that goes nowhere proves nothing: what they take together is most of all rows."""
    if not TAKEN:  # run by itself
        for variant in VARIANTS:
            walk(variant)
    everything = {(kind, row) for kind, machine in KINDS.items() for row in rows(machine)}
    missing = everything - TAKEN

    assert len(missing) < 0.2 * len(everything), sorted(
        f"{kind}: {row.source} {row.message.__name__} ({row.clause})" for kind, row in missing
    )
