"""Readings as SampledValues: which values an item gives, with phase, unit, location and digits."""

import itertools

import pytest
from msgspec.structs import fields, replace

from engine.station_file import load
from machines.facts import Facts
from machines.measurands import sampled_values, split_item
from machines.vocabulary.effects import Instant
from machines.vocabulary.hardware import MeterReading
from machines.vocabulary.ocpp import Location, Measurand, Phase, ReadingContext

FULL = load("full")
ALL = tuple(FULL.keys.find("MeterValuesSampledData").items)

READING = MeterReading(
    energy_import_wh=12345,
    energy_export_wh=67.0,
    energy_reactive_import_varh=89.0,
    energy_reactive_export_varh=10.0,
    power_w=6900.4,
    power_l1_w=2300.0,
    power_l2_w=2301.0,
    power_l3_w=2299.4,
    power_export_w=1.0,
    power_reactive_import_var=50.0,
    power_reactive_export_var=2.0,
    current_l1_a=10.04,
    current_l2_a=10.06,
    current_l3_a=10.0,
    current_n_a=0.3,
    voltage_l1_v=229.96,
    voltage_l2_v=230.0,
    voltage_l3_v=231.0,
    voltage_l1_l2_v=400.0,
    voltage_l2_l3_v=401.0,
    voltage_l3_l1_v=399.0,
    frequency_hz=49.98,
    power_factor=0.987,
    temperature_c=31.5,
    soc_percent=42.0,
)

UNITS = {
    "Energy.Active": {"Wh", "kWh"},
    "Energy.Reactive": {"varh", "kvarh"},
    "Power.Active": {"W", "kW"},
    "Power.Offered": {"W", "kW"},
    "Power.Reactive": {"var", "kvar"},
    "Power.Factor": {None},
    "Current": {"A"},
    "Voltage": {"V"},
    "Frequency": {None},
    "Temperature": {"Celcius", "Celsius", "Fahrenheit", "K"},
    "SoC": {"Percent"},
}
"""Facts 5.7, by the beginning of the measurand."""


def facts(connector=1, offered_a=16.0, phases=None):
    settings = FULL.settings
    return Facts(
        now=Instant(1, 5.0),
        settings=settings,
        keys=FULL.defaults,
        key_set=FULL.keys,
        number=connector,
        is_open=True,
        is_accepted=True,
        was_accepted=True,
        connector=settings.connectors[connector - 1],
        offered_a=offered_a,
        phases=phases or settings.connectors[connector - 1].phases,
    )


def values(*items, reading=READING, previous=None, **known):
    return sampled_values(reading, items, ReadingContext.SAMPLE_PERIODIC, facts(**known), previous)


def texts(*items, **known):
    return [(value.phase, value.value) for value in values(*items, **known)]


@pytest.mark.parametrize("item", ALL)
def test_every_item_that_full_declares_has_a_value_with_a_unit_of_its_group(item):
    given = values(item, previous=READING)
    measurand, phase = split_item(item)
    (units,) = [units for group, units in UNITS.items() if measurand.startswith(group)]

    assert given
    for value in given:
        assert value.measurand is measurand
        assert value.context is ReadingContext.SAMPLE_PERIODIC
        assert value.unit in units
        assert phase in {None, value.phase}
        float(value.value)


def test_an_item_for_every_field_that_a_meter_may_have():
    """A field that no item reports would be measured for nobody."""
    everything = [*Measurand, "Current.Import.N"]
    for field in fields(MeterReading):
        if field.name == "energy_import_wh":
            continue
        alone = MeterReading(energy_import_wh=0, **{field.name: 7.0})
        assert [v for v in values(*everything, reading=alone) if v.value.startswith("7")], field.name


def test_what_the_meter_does_not_measure_is_left_out():
    bare = MeterReading(energy_import_wh=5)
    measured = tuple(item for item in ALL if not item.endswith("Register") and "Offered" not in item)

    assert values(*measured, reading=bare, previous=None) == ()
    assert values("RPM", "Current.Export") == ()


def test_a_plain_measurand_reports_the_whole_and_every_phase():
    """Facts 5.7, decision M4."""
    assert texts("Power.Active.Import") == [
        (None, "6900"),
        (Phase.L1, "2300"),
        (Phase.L2, "2301"),
        (Phase.L3, "2299"),
    ]
    assert [phase for phase, _ in texts("Current.Import")] == [Phase.L1, Phase.L2, Phase.L3, Phase.N]
    assert [phase for phase, _ in texts("Voltage")] == [
        *(Phase.L1_N, Phase.L2_N, Phase.L3_N),
        *(Phase.L1_L2, Phase.L2_L3, Phase.L3_L1),
    ]


@pytest.mark.parametrize(
    ("item", "phase", "text"),
    [
        ("Voltage.L1-N", Phase.L1_N, "230.0"),
        ("Voltage.L2-L3", Phase.L2_L3, "401.0"),
        ("Current.Import.L2", Phase.L2, "10.1"),
        ("Current.Import.N", Phase.N, "0.3"),
        ("Power.Active.Import.L3", Phase.L3, "2299"),
    ],
)
def test_an_item_with_a_phase_reports_that_phase_alone(item, phase, text):
    assert texts(item) == [(phase, text)]


def test_only_the_state_of_charge_is_measured_in_the_vehicle():
    """TC_070: location EV if and only if the measurand is SoC."""
    for value in values(*ALL, previous=READING):
        assert (value.location is Location.EV) == (value.measurand is Measurand.SOC)
        assert value.location in {None, Location.EV}


def test_energy_per_interval_is_the_difference_of_two_readings():
    before = replace(READING, energy_import_wh=12000, energy_export_wh=60.0)

    assert texts("Energy.Active.Import.Interval", previous=before) == [(None, "345")]
    assert texts("Energy.Active.Export.Interval", previous=before) == [(None, "7")]


def test_there_is_no_energy_per_interval_without_a_reading_before():
    assert values("Energy.Active.Import.Interval") == ()


def test_energy_per_interval_is_never_negative():
    after = replace(READING, energy_import_wh=99999)

    assert texts("Energy.Active.Import.Interval", previous=after) == [(None, "0")]


@pytest.mark.parametrize(
    ("direction", "field"),
    [
        ("Active.Export", "energy_export_wh"),
        ("Reactive.Import", "energy_reactive_import_varh"),
        ("Reactive.Export", "energy_reactive_export_varh"),
    ],
)
def test_energies_per_interval_are_together_what_the_register_went_on_by(direction, field):
    """Decision M9: a third of a varh a minute is twenty in an hour, and not none sixty times."""
    readings = [replace(READING, **{field: 100 + minute / 3}) for minute in range(61)]

    energies = [
        int(text)
        for before, after in itertools.pairwise(readings)
        for _, text in texts(f"Energy.{direction}.Interval", reading=after, previous=before)
    ]

    assert len(energies) == 60
    assert sum(energies) == 20


def test_what_is_offered_is_a_value_too():
    """Per phase in A, together in W: the connector has three phases of 230 V."""
    assert texts("Current.Offered", "Power.Offered", offered_a=13.5) == [(None, "13.5"), (None, "9315")]
    assert texts("Current.Offered.L3", "Power.Offered.L2", offered_a=10.0) == [
        (Phase.L3, "10.0"),
        (Phase.L2, "2300"),
    ]


def test_a_phase_that_the_connector_does_not_have_is_offered_nothing():
    assert texts("Current.Offered.L1", "Current.Offered.L2", "Current.Offered.N", connector=2) == [
        (Phase.L1, "16.0")
    ]
    assert texts("Power.Offered", connector=2) == [(None, "3680")]


def test_a_phase_that_is_not_connected_is_offered_nothing():
    """9.4 ConnectorSwitch3to1PhaseSupported: 16 A on one phase are a third of what they are on three."""
    assert texts("Current.Offered", "Power.Offered", phases=1) == [(None, "16.0"), (None, "3680")]
    assert texts(
        "Current.Offered.L1", "Current.Offered.L2", "Power.Offered.L1", "Power.Offered.L3", phases=1
    ) == [
        (Phase.L1, "16.0"),
        (Phase.L2, "0.0"),
        (Phase.L1, "3680"),
        (Phase.L3, "0"),
    ]


def test_an_empty_list_means_the_register():
    """TC_070, decision M1."""
    (value,) = values()

    assert (value.measurand, value.value) == (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, "12345")


def test_a_value_that_two_items_name_is_reported_once():
    assert len(values("Voltage", "Voltage.L1-N", "Voltage")) == 6


def test_digits_behind_the_point():
    assert texts("Power.Factor", "Frequency", "Temperature", "Energy.Active.Import.Register") == [
        (None, "0.99"),
        (None, "50.0"),
        (None, "31.5"),
        (None, "12345"),
    ]


@pytest.mark.parametrize("item", ["Voltage.L4", "Nonsense", "Voltage.", ".L1"])
def test_what_is_no_item_is_an_error(item):
    with pytest.raises(ValueError, match="is not a valid"):
        split_item(item)
