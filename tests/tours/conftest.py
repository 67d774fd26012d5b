import os
import random

import pytest

from engine.conformance.grounds import GROUNDS
from engine.conformance.tours import Planner
from engine.conformance.transitions import Catalogue

EFFORT = 60
"""Enough to find most of what there is; the command finds the rest."""
SEED = int(os.environ.get("STATECHARGE_SEED", "1"))
SOME = random.Random(SEED).sample(GROUNDS, len(GROUNDS) // 2)
"""Half of the grounds, others with another seed; `make tours` plays all."""


@pytest.fixture(scope="session")
def planner():
    """Who planned the tours of the test session."""
    return Planner(Catalogue(), effort=EFFORT)


@pytest.fixture(scope="session")
def scripts(planner):
    """The tours of some grounds."""
    return [script for ground in SOME for script in planner.plan(ground)]
