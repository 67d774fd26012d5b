import pytest

from engine.conformance.grounds import GROUNDS
from engine.conformance.tours import Planner
from engine.conformance.transitions import Catalogue

EFFORT = 60
"""Enough to find most of what there is; the command finds the rest."""


@pytest.fixture(scope="session")
def planner():
    """Who planned the tours of the test session."""
    return Planner(Catalogue(), effort=EFFORT)


@pytest.fixture(scope="session")
def scripts(planner):
    """The tours of every ground."""
    return [script for ground in GROUNDS for script in planner.plan(ground)]
