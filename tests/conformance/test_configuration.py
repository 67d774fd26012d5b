"""GetConfiguration and ChangeConfiguration: facts 6 and 11."""

from machines.vocabulary.ocpp import ChangeConfiguration, GetConfiguration
from tests.conformance.sequence import message

PROFILE = "Core"

READ, WRITE, EITHER = {True}, {False}, {True, False}
"""What ``readonly`` may say."""

REQUIRED = {
    "Core": {
        "AuthorizeRemoteTxRequests": EITHER,
        "ClockAlignedDataInterval": WRITE,
        "ConnectionTimeOut": WRITE,
        "ConnectorPhaseRotation": WRITE,
        "GetConfigurationMaxKeys": READ,
        "HeartbeatInterval": WRITE,
        "LocalAuthorizeOffline": WRITE,
        "LocalPreAuthorize": WRITE,
        "MeterValuesAlignedData": WRITE,
        "MeterValuesSampledData": WRITE,
        "MeterValueSampleInterval": WRITE,
        "NumberOfConnectors": READ,
        "ResetRetries": WRITE,
        "StopTransactionOnEVSideDisconnect": EITHER,
        "StopTransactionOnInvalidId": WRITE,
        "StopTxnAlignedData": WRITE,
        "StopTxnSampledData": WRITE,
        "SupportedFeatureProfiles": READ,
        "TransactionMessageAttempts": WRITE,
        "TransactionMessageRetryInterval": WRITE,
        "UnlockConnectorOnEVSideDisconnect": EITHER,
    },
    "FirmwareManagement": {},
    "LocalAuthListManagement": {
        "LocalAuthListEnabled": WRITE,
        "LocalAuthListMaxLength": READ,
        "SendLocalListMaxLength": READ,
    },
    "Reservation": {},
    "SmartCharging": {
        "ChargeProfileMaxStackLevel": READ,
        "ChargingScheduleAllowedChargingRateUnit": READ,
        "ChargingScheduleMaxPeriods": READ,
        "MaxChargingProfilesInstalled": READ,
    },
    "RemoteTrigger": {},
}
"""The keys that an announced profile must have (9.1 to 9.4 with the errata)."""


async def test_tc_019_retrieve_configuration(bed, autojump_clock):
    """Retrieve Configuration.

    SupportedFeatureProfiles contains Core; every required key of the announced profiles has its access; those keys
    that are asked for are told, and no others.
    """
    async with bed.powered():
        profiles = (await bed.value_of("SupportedFeatureProfiles")).split(",")
        shown = await bed.request(GetConfiguration())
        access = {each.key: each.readonly for each in shown.configuration_key}
        count_max = int(await bed.value_of("GetConfigurationMaxKeys"))
        some = tuple(access)[: min(count_max, 8)]
        picked = await bed.request(GetConfiguration(key=some))

    assert "Core" in profiles
    assert len(access) == len(shown.configuration_key), "each key once"
    assert not shown.unknown_key
    for profile in profiles:
        for key, allowed in REQUIRED[profile].items():
            assert access.get(key) in allowed, (key, profile)
    assert sorted(each.key for each in picked.configuration_key) == sorted(some)
    assert not picked.unknown_key


async def test_tc_021_change_configuration(bed, autojump_clock):
    """Change Configuration.

    Accepted, and GetConfiguration returns the new value.
    """
    async with bed.powered():
        assert await bed.value_of("MeterValueSampleInterval") != "90"
        await bed.configure(MeterValueSampleInterval="90")
        assert await bed.value_of("MeterValueSampleInterval") == "90"


async def test_tc_040_1_unknown_key(bed, autojump_clock):
    """Configuration Keys - NotSupported.

    A key that the station does not have.
    """
    async with bed.powered():
        assert await bed.status_of(ChangeConfiguration(key="Testing", value="true")) == "NotSupported"


async def test_tc_040_2_invalid_value(bed, autojump_clock):
    """Configuration Keys - Incorrect Value.

    MeterValueSampleInterval -1 is Rejected, and the old value holds.
    """
    async with bed.powered():
        before = await bed.value_of("MeterValueSampleInterval")
        request = ChangeConfiguration(key="MeterValueSampleInterval", value="-1")
        assert await bed.status_of(request) == "Rejected"
        assert await bed.value_of("MeterValueSampleInterval") == before


async def test_tc_021_a_changed_interval_counts(bed, autojump_clock):
    """Change Configuration.

    What was set is what the station then does.
    """
    async with bed.powered():
        await bed.configure(MeterValueSampleInterval="10")
        await bed.charge()
        await bed.expect(message("MeterValues"))
        await bed.configure(MeterValueSampleInterval="0")
        await bed.quiet(60)
