"""The shipped declarations say what they must, and a station file becomes a station."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import tomli
from msgspec import structs

from engine.declaration.layers import SHIPPED, read_layers
from engine.station_file import Station, check, describe, load
from machines.vocabulary.keys import Access, Keys, KeyType, attribute_of
from machines.vocabulary.ocpp import ACTIONS
from machines.vocabulary.settings import ConnectorSettings, Recovery

WriteFile = Callable[..., Path]

# From the maker's document, by hand.
AC_SMART_SENDS = {
    "Authorize",
    "BootNotification",
    "Heartbeat",
    "MeterValues",
    "StartTransaction",
    "StopTransaction",
    "StatusNotification",
}
AC_SMART_RECEIVES = {
    "CancelReservation",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearChargingProfile",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SetChargingProfile",
    "UnlockConnector",
    "UpdateFirmware",
}
AC_SMART_KEYS = {
    "ConnectionTimeOut": "RW",
    "HeartbeatInterval": "RW",
    "MeterValueSampleInterval": "RW",
    "NumberOfConnectors": "R",
    "TransactionMessageAttempts": "RW",
    "TransactionMessageRetryInterval": "RW",
    "ConnectorMaximumCurrent": "RW",
    "WebSocketPingInterval": "RW",
    "GetConfigurationMaxKeys": "R",
    "MeterValuesSampledData": "R",
    "ConnectorPhaseRotation": "R",
    "ChargeProfileMaxStackLevel": "R",
    "ChargeScheduleAllowedChargingRateUnit": "R",
    "ChargingScheduleMaxPeriods": "R",
    "ConnectorSwitch3to1PhaseSupported": "R",
    "MaxChargingProfilesInstalled": "R",
}


@pytest.fixture
def ac_smart() -> Station:
    return load("ac-smart")


@pytest.fixture
def full() -> Station:
    return load("full")


def toml(value: object) -> str:
    """``value`` as TOML, tables inline."""
    if isinstance(value, dict):
        # Quoted, for a vendorId may have a dot in it.
        return "{" + ", ".join(f'"{name}" = {toml(inner)}' for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return msgspec.json.encode(value).decode()


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(text: str, name: str = "station.toml") -> Path:
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


# The first product


def test_the_ac_smart_sends_exactly_the_documented_messages(ac_smart: Station) -> None:
    assert ac_smart.settings.sends == AC_SMART_SENDS
    assert len(AC_SMART_SENDS) == 7


def test_the_ac_smart_receives_exactly_the_documented_messages(ac_smart: Station) -> None:
    assert ac_smart.settings.receives == AC_SMART_RECEIVES
    assert len(AC_SMART_RECEIVES) == 14


def test_the_ac_smart_declares_exactly_the_documented_keys_with_their_access(ac_smart: Station) -> None:
    assert {rule.name: rule.access.value for rule in ac_smart.keys.rules} == AC_SMART_KEYS
    assert len(AC_SMART_KEYS) == 16


def test_the_ac_smart_reads_as_a_whole(ac_smart: Station) -> None:
    """The product's file states type and access of every key, and every limit, though it could inherit."""
    stated = tomli.loads(ac_smart.path.read_text())
    assert all({"type", "access", "default"} <= set(key) for key in stated["keys"].values())
    assert set(stated["limits"]) == set(type(ac_smart.settings.limits).__struct_fields__)


def test_the_ac_smart_is_a_32_a_socket_on_three_phases(ac_smart: Station) -> None:
    assert ac_smart.settings.connectors == (
        ConnectorSettings(
            number=1,
            cable="socket",
            has_lock=True,
            current_max_a=32,
            current_min_a=6,
            phases=3,
            voltage_v=230,
        ),
    )
    assert [device.driver for device in ac_smart.drivers] == ["simulated"]


def test_the_ac_smart_says_who_it_is(ac_smart: Station) -> None:
    assert ac_smart.settings.identity.vendor == "Weidmueller"
    assert ac_smart.settings.identity.model == "AC SMART ADVANCED"


def test_phase_rotation_of_the_ac_smart_is_reported_as_not_applicable(ac_smart: Station) -> None:
    assert ac_smart.defaults.connector_phase_rotation == ("NotApplicable",)


def test_the_makers_spelling_stands_for_the_standard_key_which_stays_unknown(ac_smart: Station) -> None:
    rule = ac_smart.keys.find("ChargeScheduleAllowedChargingRateUnit")
    assert rule is not None
    assert rule.attribute == "charging_schedule_allowed_charging_rate_unit"
    assert ac_smart.keys.find("ChargingScheduleAllowedChargingRateUnit") is None


def test_a_key_that_is_not_declared_has_the_default_of_the_catalogue(ac_smart: Station) -> None:
    assert ac_smart.keys.find("LocalAuthorizeOffline") is None
    assert ac_smart.defaults.local_authorize_offline is True
    assert ac_smart.defaults.authorization_cache_enabled is False


def test_an_interrupted_transaction_of_the_ac_smart_is_ended(ac_smart: Station) -> None:
    assert ac_smart.settings.recovery is Recovery.END


# The station that offers all


def test_full_offers_every_action_in_every_direction_it_has(full: Station) -> None:
    assert full.settings.sends == {action.name for action in ACTIONS.values() if action.from_charge_point}
    assert full.settings.receives == {
        action.name for action in ACTIONS.values() if action.from_central_system
    }


def test_full_declares_every_key_of_the_catalogue(full: Station) -> None:
    catalogue = tomli.loads((SHIPPED / "catalogue.toml").read_text())["catalogue"]
    assert {rule.name for rule in full.keys.rules} == set(catalogue)


def test_full_announces_every_profile_that_it_has_messages_of(full: Station) -> None:
    assert set(full.defaults.supported_feature_profiles) == {action.profile for action in ACTIONS.values()}


def test_full_has_two_connectors(full: Station) -> None:
    assert [connector.number for connector in full.settings.connectors] == [1, 2]
    assert full.defaults.number_of_connectors == 2
    assert full.defaults.connector_phase_rotation_max_length == 3


def test_a_measurand_may_be_asked_for_by_phase(full: Station) -> None:
    rule = full.keys.find("MeterValuesSampledData")
    assert rule is not None
    assert rule.items is not None
    assert {"Voltage", "Voltage.L1-N", "Current.Import.L1", "Power.Active.Import.L3"} <= set(rule.items)
    assert not {"Voltage.L1", "RPM", "Current.Import.L1-N"} & set(rule.items)


def test_phase_rotation_has_an_item_for_each_connector_and_the_main_meter(full: Station) -> None:
    rule = full.keys.find("ConnectorPhaseRotation")
    assert rule is not None
    assert rule.items is not None
    assert {"0.RST", "1.TSR", "2.NotApplicable"} <= set(rule.items)
    assert not {"3.RST", "1.XYZ", "RST"} & set(rule.items)


def test_a_list_has_at_most_as_many_items_as_its_max_length_key_says(full: Station) -> None:
    rule = full.keys.find("StopTxnSampledData")
    assert rule is not None
    assert rule.items_max == full.defaults.stop_txn_sampled_data_max_length == 20


# The catalogue and the values


def test_the_catalogue_and_the_values_agree() -> None:
    catalogue = tomli.loads((SHIPPED / "catalogue.toml").read_text())["catalogue"]
    assert sorted(attribute_of(name) for name in catalogue) == sorted(Keys.__struct_fields__)


def test_the_catalogue_has_the_types_of_the_values() -> None:
    catalogue = tomli.loads((SHIPPED / "catalogue.toml").read_text())["catalogue"]
    types = {KeyType.BOOL: bool, KeyType.INT: int, KeyType.LIST: tuple[str, ...], KeyType.STRING: str}
    assert Keys.__annotations__ == {
        attribute_of(name): types[KeyType(entry["type"])] for name, entry in sorted(catalogue.items())
    }


def test_the_catalogue_has_every_standard_key_that_the_profiles_ask_for() -> None:
    """Sections 9.1 to 9.4, the keys marked as required."""
    catalogue = tomli.loads((SHIPPED / "catalogue.toml").read_text())["catalogue"]
    assert {name for name, entry in catalogue.items() if entry["required"]} == {
        "AuthorizeRemoteTxRequests",
        "ClockAlignedDataInterval",
        "ConnectionTimeOut",
        "ConnectorPhaseRotation",
        "GetConfigurationMaxKeys",
        "HeartbeatInterval",
        "LocalAuthorizeOffline",
        "LocalPreAuthorize",
        "MeterValuesAlignedData",
        "MeterValuesSampledData",
        "MeterValueSampleInterval",
        "NumberOfConnectors",
        "ResetRetries",
        "StopTransactionOnEVSideDisconnect",
        "StopTransactionOnInvalidId",
        "StopTxnAlignedData",
        "StopTxnSampledData",
        "SupportedFeatureProfiles",
        "TransactionMessageAttempts",
        "TransactionMessageRetryInterval",
        "UnlockConnectorOnEVSideDisconnect",
        "LocalAuthListEnabled",
        "LocalAuthListMaxLength",
        "SendLocalListMaxLength",
        "ChargeProfileMaxStackLevel",
        "ChargingScheduleAllowedChargingRateUnit",
        "ChargingScheduleMaxPeriods",
        "MaxChargingProfilesInstalled",
    }


def test_a_key_that_is_written_only_is_the_authorization_key(full: Station) -> None:
    assert [rule.name for rule in full.keys.rules if rule.access is Access.WRITE] == ["AuthorizationKey"]
    assert full.defaults.authorization_key == ""


# Loading


@pytest.mark.parametrize("name", ["ac-smart", "full"])
def test_a_merged_declaration_written_out_is_the_same_station(name: str, write_file: WriteFile) -> None:
    station = load(name)
    merged = read_layers(name).merged()
    again = load(write_file("\n".join(f"{entry} = {toml(value)}" for entry, value in merged.items())))
    assert structs.replace(again, path=station.path) == station


def test_keys_keep_the_order_of_declaration(write_file: WriteFile) -> None:
    file = write_file('extends = "ac-smart"\n[keys]\nLightIntensity = {}\nBlinkRepeat = {}')
    names = [rule.name for rule in load(file).keys.rules]
    assert names[0] == "ConnectionTimeOut"
    assert names[-2:] == ["LightIntensity", "BlinkRepeat"]


def test_the_hash_changes_with_an_entry_and_not_with_the_file(write_file: WriteFile) -> None:
    same = load(write_file('extends = "ac-smart"', "same.toml"))
    other = load(write_file('extends = "ac-smart"\n[limits]\nstop_flush_s = 11', "other.toml"))
    assert same.hash == load("ac-smart").hash
    assert other.hash != same.hash
    assert re.fullmatch(r"[0-9a-f]{64}", same.hash)


def test_a_key_can_be_taken_back_from_what_a_file_extends(write_file: WriteFile) -> None:
    file = write_file('extends = "full"\n[keys]\nLocalPreAuthorize = { declared = false, default = true }')
    station = load(file)
    assert station.keys.find("LocalPreAuthorize") is None
    assert station.defaults.local_pre_authorize is True


def test_both_spellings_of_a_key_may_be_declared(write_file: WriteFile) -> None:
    station = load(write_file('extends = "ac-smart"\n[keys]\nChargingScheduleAllowedChargingRateUnit = {}'))
    makers = station.keys.find("ChargeScheduleAllowedChargingRateUnit")
    standard = station.keys.find("ChargingScheduleAllowedChargingRateUnit")
    assert makers is not None
    assert standard is not None
    assert makers.attribute == standard.attribute


def test_the_default_of_another_spelling_is_the_value_of_the_key(write_file: WriteFile) -> None:
    file = write_file(
        'extends = "ac-smart"\n[keys.ChargeScheduleAllowedChargingRateUnit]\ndefault = ["Current"]'
    )
    assert load(file).defaults.charging_schedule_allowed_charging_rate_unit == ("Current",)


def test_the_maximum_current_is_by_default_that_of_the_strongest_connector(full: Station) -> None:
    rule = full.keys.find("ConnectorMaximumCurrent")
    assert rule is not None
    assert (full.defaults.connector_maximum_current, rule.max) == (32, 32)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_the_authorization_key_comes_from_a_file_of_its_own(
    mode: int, tmp_path: Path, write_file: WriteFile
) -> None:
    secret = tmp_path / "authorization.key"
    secret.write_text("00112233445566778899AABBCCDDEEFF00112233\n")
    secret.chmod(mode)
    station = load(write_file('extends = "ac-smart"\n[csms]\nauthorization_key_file = "authorization.key"'))
    assert station.defaults.authorization_key == "00112233445566778899AABBCCDDEEFF00112233"
    assert "001122" not in repr(station) + describe(station)


def test_the_authorization_key_may_stand_in_the_declaration(write_file: WriteFile) -> None:
    stated = load(write_file('extends = "ac-smart"\n[csms]\nauthorization_key = "' + "c0ffee" * 6 + '"'))
    assert stated.defaults.authorization_key == "c0ffee" * 6
    assert "c0ffee" not in repr(stated) + describe(stated)
    assert stated.hash == load("ac-smart").hash


def test_certificates_are_named_relative_to_the_file_that_names_them(
    tmp_path: Path, write_file: WriteFile
) -> None:
    (tmp_path / "ca.pem").write_text("")
    station = load(
        write_file('extends = "ac-smart"\n[csms]\nurl = "wss://central.example/ocpp/"\nca_file = "ca.pem"')
    )
    assert station.csms.ca_file == tmp_path / "ca.pem"
    assert station.csms.is_encrypted
    assert station.csms.url == "wss://central.example/ocpp"


def test_parameters_of_a_driver_are_kept_for_it(ac_smart: Station) -> None:
    assert ac_smart.drivers[0].parameters["cable_rating_a"] == 32


def test_readers_name_the_connectors_they_serve(full: Station) -> None:
    assert [(reader.device.driver, reader.connectors) for reader in full.readers] == [("simulated", (1, 2))]


def test_the_bench_is_off_unless_declared(ac_smart: Station, write_file: WriteFile) -> None:
    assert not ac_smart.bench.enabled
    assert load(write_file('extends = "ac-smart"\nbench.enabled = true')).bench.enabled


# The command


def test_checking_a_good_file_describes_it() -> None:
    out, err = io.StringIO(), io.StringIO()
    assert check("ac-smart", out, err) == 0
    assert err.getvalue() == ""
    assert out.getvalue().splitlines()[1:] == [
        "connector 1: socket with lock, 32 A, 3 phases, driver simulated",
        "7 messages sent, 14 received, 16 configuration keys",
    ]
    assert "Weidmueller AC SMART ADVANCED, AC-SMART-0000001 at ws://localhost:9000/ocpp" in out.getvalue()


def test_checking_a_wrong_file_tells_every_problem_on_a_line(write_file: WriteFile) -> None:
    out, err = io.StringIO(), io.StringIO()
    file = write_file('extends = "ac-smart"\n[limits]\ninbox_size_max = 0\ndeliveries_max = "many"')
    assert check(file, out, err) == 2
    assert out.getvalue() == ""
    assert err.getvalue().splitlines() == [
        f"{file}:3: limits.inbox_size_max: found 0, allowed: a whole number, 1..65536",
        f'{file}:4: limits.deliveries_max: found "many", allowed: a whole number, 32..4096',
    ]


def test_bounds_are_told_in_all_their_digits(write_file: WriteFile) -> None:
    out, err = io.StringIO(), io.StringIO()
    file = write_file('extends = "ac-smart"\nkeys.HeartbeatInterval.min = "soon"')
    assert check(file, out, err) == 2
    assert err.getvalue().splitlines() == [
        f'{file}:2: keys.HeartbeatInterval.min: found "soon", allowed: a whole number, -2147483648..2147483648',
    ]
