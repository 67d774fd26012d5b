"""What a station file says of smart charging."""

import pytest

from engine.station_file import StationFileError, load
from machines.smart_charging.profiles import bounds_of
from machines.smart_charging.site import site_of
from machines.vocabulary.ocpp import ChargingRateUnitType


@pytest.fixture
def declared(tmp_path):
    """The AC SMART with something declared otherwise."""

    def declare(text, base="ac-smart"):
        file = tmp_path / "mine.toml"
        file.write_text(f'extends = "{base}"\n{text}')
        return load(file)

    return declare


def test_nothing_is_known_of_the_installation_unless_it_is_declared(declared):
    installation = declared("").settings.installation
    assert (installation.current_max_a, installation.offline_current_max_a) == (None, None)


def test_the_installation_is_declared(declared):
    text = "[installation]\ncurrent_max_a = 63\noffline_current_max_a = 8\noffline_after_s = 600"
    installation = declared(text).settings.installation
    assert installation.current_max_a == 63
    assert (installation.offline_current_max_a, installation.offline_after_s) == (8, 600)


@pytest.mark.parametrize("line", ["offline_current_max_a = 8", "offline_after_s = 600"])
def test_a_current_without_connection_needs_a_time_and_a_time_a_current(declared, line):
    with pytest.raises(StationFileError) as caught:
        declared(f"[installation]\n{line}")
    (problem,) = caught.value.problems
    assert "found it alone" in str(problem)
    assert "mine.toml:3" in str(problem)


def test_the_makers_spelling_of_the_unit_key_counts(declared):
    text = '[keys.ChargeScheduleAllowedChargingRateUnit]\ndefault = ["Power"]'
    assert bounds_of(declared(text).defaults).units == {ChargingRateUnitType.W}


def test_the_keys_are_the_bounds_of_a_profile(declared):
    bounds = bounds_of(declared("").defaults)
    assert (bounds.stack_level_max, bounds.periods_max, bounds.installed_max) == (10, 24, 20)


def test_phases_are_switched_only_where_it_is_declared(declared):
    text = "[keys]\nConnectorSwitch3to1PhaseSupported = { default = %s }"
    for value, expected in (("true", True), ("false", False)):
        station = declared(text % value)
        assert site_of(station.settings, station.defaults).outlet(1).can_switch is expected


def test_a_connector_on_one_phase_has_nothing_to_switch(declared):
    station = declared("", base="full")
    site = site_of(station.settings, station.defaults)
    assert [outlet.can_switch for outlet in site.outlets] == [True, False]
