"""Random walks over the composition: no message is ever without a transition, and the invariants hold.

What a step must not break is in ``World.check`` and around it: contactor, ordering, registration gate, ledger. A
failure prints the seed; the walk is the same every time.
"""

import pytest
from msgspec.structs import replace

from engine.station_file import load
from machines.machine import rows
from machines.routes import KINDS
from machines.vocabulary.settings import Recovery
from tests.machines.walker import World

WALKS = 30
STEPS = 400

VARIANTS = {
    "as declared": {},
    "resuming": {"recovery": Recovery.RESUME},
    "minimum status": {"minimum_status_duration": 5},
    "offline starts": {"allow_offline_tx_for_unknown_id": True, "authorize_remote_tx_requests": True},
    "open without energy": {"stop_transaction_on_invalid_id": False, "recovery": Recovery.RESUME},
    "left connected": {"stop_transaction_on_ev_side_disconnect": False},
    "small queue": {"queue_size_max": 6, "transaction_message_attempts": 1},
}


def station_of(variant):
    station = load("full")
    for name, value in VARIANTS[variant].items():
        settings = station.settings
        if name == "recovery":
            station = replace(station, settings=replace(settings, recovery=value))
        elif name == "queue_size_max":
            limits = replace(settings.limits, queue_size_max=value)
            station = replace(station, settings=replace(settings, limits=limits))
        else:
            station = replace(station, defaults=replace(station.defaults, **{name: value}))
    return station


@pytest.mark.parametrize("variant", VARIANTS)
def test_walks_meet_no_missing_transition_and_break_no_invariant(variant):
    station = station_of(variant)
    for seed in range(WALKS):
        world = None
        try:
            world = World(station, seed)
            for _ in range(STEPS):
                world.step()
        except Exception as error:
            last = "\n".join(map(repr, world.trace[-12:])) if world else ""
            raise AssertionError(f"seed {seed} of {variant!r}, after\n{last}") from error


def test_the_walks_take_most_rows():
    """A walk that goes nowhere proves nothing: what they take together is most of all rows."""
    taken = set()
    for variant in VARIANTS:
        station = station_of(variant)
        for seed in range(WALKS):
            world = World(station, seed)
            world.on_step = lambda step: taken.update(
                (one.address.partition("/")[0], one.row) for one in step.taken
            )
            for _ in range(STEPS):
                world.step()
    everything = {(kind, row) for kind, machine in KINDS.items() for row in rows(machine)}
    missing = everything - taken

    assert len(missing) < 0.2 * len(everything), sorted(
        f"{kind}: {row.source} {row.message.__name__} ({row.clause})" for kind, row in missing
    )
