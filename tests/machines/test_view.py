"""What machines get as facts: each looked up when it is asked for, and the same as the frozen ones."""

import pytest

from engine.station_file import load
from machines.charge_point import ChargePoint, PoweredUp
from machines.facts import Facts
from machines.view import DEFAULTS, ConnectorView, View
from machines.vocabulary.effects import Instant

STATION = load("full")
NOW = Instant(1, 0.0)


@pytest.fixture
def charge_point():
    """As it is after its first start."""
    charge_point = ChargePoint(STATION.settings, STATION.keys, STATION.defaults)
    charge_point.handle(PoweredUp(()), NOW)
    return charge_point


@pytest.mark.parametrize("name", Facts.__struct_fields__)
def test_a_connector_has_every_fact_of_its_own(charge_point, name):
    """None is left at the default that it has for the station."""
    view = charge_point.view(1, NOW)
    assert isinstance(view, ConnectorView)
    assert name in vars(view) or hasattr(ConnectorView, name)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_frozen_facts_are_what_the_view_shows(charge_point, number):
    view, frozen = charge_point.view(number, NOW), charge_point.facts(number, NOW)
    for name in Facts.__struct_fields__:
        assert getattr(view, name) == getattr(frozen, name), name


def test_frozen_facts_stay_as_they_were_and_the_view_does_not(charge_point):
    view, frozen = charge_point.view(0, NOW), charge_point.facts(0, NOW)
    charge_point.standings["registration"] = charge_point.standings["registration"]._replace(state="accepted")

    assert view.is_accepted
    assert not frozen.is_accepted


def test_the_station_has_what_only_a_connector_has_as_facts_have_it_by_default(charge_point):
    view = charge_point.view(0, NOW)
    assert isinstance(view, View)
    assert view.local_id == DEFAULTS["local_id"] == 0


def test_a_fact_that_there_is_not_is_an_error(charge_point):
    with pytest.raises(AttributeError, match="is_purple"):
        _ = charge_point.view(0, NOW).is_purple
