"""Random walks over everything that can be done: the model and the real engine tell the Central System the same."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.conformance.board import OutOfOrderError
from engine.conformance.enactment import RestlessError
from engine.conformance.grounds import GROUNDS
from engine.conformance.in_memory import play_all
from engine.conformance.moves import QUIET_S, made
from engine.conformance.prepared import station_of
from engine.conformance.reference import Rehearsal
from engine.conformance.script import Header, Script, encode
from engine.conformance.transitions import Catalogue, Tally

CATALOGUE = Catalogue()

GROUND = {ground.name: ground for ground in GROUNDS}
STARTS = [(ground.name, place) for ground in GROUNDS for place in range(len(ground.starts))]
MOVES = {move.name: move for ground in GROUNDS for move in ground.moves}
"""Whatever is done on any ground, at rest or in haste."""


def walked(ground, start, moves):
    """The script of a walk: moves that cannot be made where they come are left out."""
    header = Header("walk", title=ground.title, keys=ground.keys, declares=ground.declares, quiet_s=QUIET_S)
    rehearsal = Rehearsal(station_of(header))
    steps = []
    for move in (start, *moves):
        before = rehearsal.snapshot()
        try:
            steps += made(rehearsal, move).steps
        except (OutOfOrderError, RestlessError):
            rehearsal.restore(before)
    return Script(header, tuple(steps))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.sampled_from(STARTS), st.lists(st.sampled_from(list(MOVES)), max_size=30))
def test_the_engine_does_what_the_model_does(begin, names):
    name, place = begin
    ground = GROUND[name]
    script = walked(ground, ground.starts[place], [MOVES[each] for each in names])
    (played,) = play_all([script], Tally(CATALOGUE))
    assert not played.deviation, f"{played.deviation}\n{encode(script)}"
