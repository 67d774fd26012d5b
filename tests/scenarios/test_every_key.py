"""Every standard key of Core, LocalAuthListManagement, Reservation and RemoteTrigger (facts section 11) in ``full``.

The table is written by hand from the specification: type and access, and of a number the values beyond its range.
"""

import pytest

from engine.station_file import load
from machines.vocabulary.ocpp import ChangeConfiguration, GetConfiguration
from machines.vocabulary.wire import RequestReceived
from tests.scenarios.test_gate import charge_point_in

KEYS = {
    "AllowOfflineTxForUnknownId": ("bool", "RW"),
    "AuthorizationCacheEnabled": ("bool", "RW"),
    "AuthorizeRemoteTxRequests": ("bool", "RW"),
    "BlinkRepeat": ("int", "RW", "-1"),
    "ClockAlignedDataInterval": ("int", "RW", "-1", "86401"),
    "ConnectionTimeOut": ("int", "RW", "-1"),
    "ConnectorPhaseRotation": ("list", "RW", "1.RST,1.XYZ", "9.RST"),
    "ConnectorPhaseRotationMaxLength": ("int", "R"),
    "GetConfigurationMaxKeys": ("int", "R"),
    "HeartbeatInterval": ("int", "RW", "-1"),
    "LightIntensity": ("int", "RW", "-1", "101"),
    "LocalAuthorizeOffline": ("bool", "RW"),
    "LocalPreAuthorize": ("bool", "RW"),
    "MaxEnergyOnInvalidId": ("int", "RW", "-1"),
    "MessageTimeout": ("int", "RW", "-1", "0"),
    "MeterValuesAlignedData": ("list", "RW", "Gossip", "Voltage,Gossip"),
    "MeterValuesAlignedDataMaxLength": ("int", "R"),
    "MeterValuesSampledData": ("list", "RW", "Gossip", "Voltage,Gossip"),
    "MeterValuesSampledDataMaxLength": ("int", "R"),
    "MeterValueSampleInterval": ("int", "RW", "-1"),
    "MinimumStatusDuration": ("int", "RW", "-1"),
    "NumberOfConnectors": ("int", "R"),
    "ResetRetries": ("int", "RW", "-1"),
    "StopTransactionMaxMeterValues": ("int", "R"),
    "StopTransactionOnEVSideDisconnect": ("bool", "RW"),
    "StopTransactionOnInvalidId": ("bool", "RW"),
    "StopTxnAlignedData": ("list", "RW", "Gossip", "Voltage,Gossip"),
    "StopTxnAlignedDataMaxLength": ("int", "R"),
    "StopTxnSampledData": ("list", "RW", "Gossip", "Voltage,Gossip"),
    "StopTxnSampledDataMaxLength": ("int", "R"),
    "SupportedFeatureProfiles": ("list", "R"),
    "SupportedFeatureProfilesMaxLength": ("int", "R"),
    "TransactionMessageAttempts": ("int", "RW", "-1", "0"),
    "TransactionMessageRetryInterval": ("int", "RW", "-1"),
    "UnlockConnectorOnEVSideDisconnect": ("bool", "RW"),
    "WebSocketPingInterval": ("int", "RW", "-1"),
    "LocalAuthListEnabled": ("bool", "RW"),
    "LocalAuthListMaxLength": ("int", "R"),
    "SendLocalListMaxLength": ("int", "R"),
    "ReserveConnectorZeroSupported": ("bool", "R"),
}
WRONG = {
    "bool": ("1", "yes", "", "Accepted"),
    "int": ("soon", "", "1.0", " 7", "0x10", "99999999999"),
    "list": ("Nonsense", ",", "SoC,SoC"),
}
"""What no value of a type may look like."""


def answer(take, request):
    """What the charge point answers."""
    step = take(RequestReceived("1", request))
    (conf,) = [one.effect.answer for one in step.effects if type(one.effect).__name__ == "Answer"]
    return conf


def shown(take, key):
    (one,) = answer(take, GetConfiguration(key=(key,))).configuration_key
    return one


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_the_type_and_the_access_of_the_standard(key):
    kind, access, *_ = KEYS[key]
    rule = load("full").keys.find(key)
    assert (rule.name, rule.type.value, rule.access.value) == (key, kind, access)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_takes_nothing_that_is_not_of_its_type_or_range(key):
    """5.3 Rejected, and nothing is changed; one that is read-only takes not even its own value."""
    take = charge_point_in("accepted")
    kind, access, *beyond = KEYS[key]
    before = shown(take, key)
    refused = (*WRONG[kind], *beyond, *([before.value] if access == "R" else []))
    for value in refused:
        assert answer(take, ChangeConfiguration(key=key, value=value)).status == "Rejected", value
        assert shown(take, key) == before
    assert before.readonly is (access == "R")


@pytest.mark.parametrize("key", [key for key, (_, access, *_) in KEYS.items() if access == "RW"])
def test_a_key_that_may_be_written_takes_its_own_value_under_any_spelling(key):
    """5.3 Accepted, CiString."""
    take = charge_point_in("accepted")
    value = shown(take, key).value
    assert answer(take, ChangeConfiguration(key=key.swapcase(), value=value)).status == "Accepted"
    assert shown(take, key).value == value
