"""Bad settings are refused by name, with what is allowed."""

import msgspec
import pytest

from drivers.simulated import SimulatedConnectorSettings, SimulatedVehicleSettings

GOOD = {"cable": "socket", "has_lock": True, "phases": 3, "voltage_v": 230.0, "current_max_a": 32.0}


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"cable": "rope"}, "cable is 'rope'; allowed: tethered, socket"),
        ({"cable": "tethered"}, "only a socket has a lock"),
        ({"phases": 2}, "phases is 2; allowed: 1, 3"),
        ({"voltage_v": 0.0}, "voltage_v is 0.0; allowed: 1 to 1000"),
        ({"current_max_a": 5.0}, "current_max_a is 5.0; allowed: 6 to 80"),
        ({"cable_rating_a": 16.0}, "cable_rating_a is 16.0; allowed: 13.0, 20.0, 32.0, 63.0"),
        ({"meter_start_wh": -1.0}, "meter_start_wh is -1.0"),
    ],
)
def test_a_bad_connector_setting_is_refused(bad, text):
    with pytest.raises(ValueError, match=text):
        SimulatedConnectorSettings(**(GOOD | bad))


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"battery_capacity_wh": 0.0}, "battery_capacity_wh is 0.0"),
        ({"soc_percent": 101.0}, "soc_percent is 101.0; allowed: 0 to 100"),
        ({"current_max_a": float("nan")}, "current_max_a is nan"),
        ({"phases": 0}, "phases is 0; allowed: 1, 2, 3"),
        ({"response_s": -1.0}, "response_s is -1.0"),
    ],
)
def test_a_bad_vehicle_setting_is_refused(bad, text):
    with pytest.raises(ValueError, match=text):
        SimulatedVehicleSettings(**bad)


def test_a_bad_setting_in_a_declaration_is_refused_with_its_place():
    declared = GOOD | {"vehicle": {"soc_percent": 200.0}}
    with pytest.raises(msgspec.ValidationError, match=r"soc_percent is 200.0.*\$.vehicle"):
        msgspec.convert(declared, SimulatedConnectorSettings)
