"""Moves that wait: for what comes, and until shortly before it."""

import pytest

from engine.conformance.board import OutOfOrderError
from engine.conformance.grounds.words import Ground, boot, start
from engine.conformance.moves import MARGIN_S, Move, Near, News, made
from engine.conformance.script import Expects, Wait
from engine.conformance.stimuli import CutLink
from engine.conformance.terrain import Terrain
from engine.conformance.transitions import Catalogue

HEARTBEAT_S = 60


@pytest.fixture
def rehearsal():
    """A station that has just booted, and sends a Heartbeat after a minute."""
    ground = Ground(name="any", title="", moves=(), edge_s=0.1)
    rehearsal = Terrain(ground, Catalogue()).rehearsal
    made(rehearsal, start("every minute", boot("Accepted", HEARTBEAT_S)))
    return rehearsal


def test_news_is_waited_for_until_a_little_before_it_comes(rehearsal):
    left_s = HEARTBEAT_S - rehearsal.world.now
    before, heartbeat = made(rehearsal, Move("news", News())).steps
    assert isinstance(before, Wait)
    assert before.wait == pytest.approx(left_s - MARGIN_S)
    assert isinstance(heartbeat, Expects)
    assert [call.action for call in heartbeat.expect] == ["Heartbeat"]


def test_near_ends_so_long_before_what_is_due(rehearsal):
    (step,) = made(rehearsal, Move("near", Near(0.5))).steps
    assert isinstance(step, Wait)
    assert rehearsal.world.now == pytest.approx(HEARTBEAT_S - 0.5)


def test_news_that_never_comes_is_not_waited_for(rehearsal):
    made(rehearsal, Move("cut", CutLink()))
    with pytest.raises(OutOfOrderError):
        made(rehearsal, Move("news", News()))
