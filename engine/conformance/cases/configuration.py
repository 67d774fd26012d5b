"""GetConfiguration and ChangeConfiguration: OCPP 1.6, 5.3, 5.8 and 9."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import message
from engine.conformance.stimuli import PlugIn, Swipe
from machines.vocabulary.ocpp import (
    ChangeConfiguration,
    GetConfiguration,
    GetConfigurationConf,
    Request,
)

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

ASKED_MAX = 8


async def shown(bed: Bed, request: Request) -> tuple[dict[str, bool], tuple[str, ...]]:
    """What GetConfiguration shows: each key with whether it is read-only, and the unknown ones."""
    answer = await bed.request(request)
    if not isinstance(answer, GetConfigurationConf):
        raise bed.sequence.deviation(f"GetConfiguration is answered {answer}", "keys")
    found = answer.configuration_key or ()
    bed.check(len({each.key for each in found}), len(found), "the number of different keys")
    return {each.key: each.readonly for each in found}, answer.unknown_key or ()


@case("019", PROFILE, lasts_s=5)
async def retrieve_configuration(bed: Bed) -> None:
    """Retrieve Configuration.

    SupportedFeatureProfiles contains Core; every required key of the announced profiles has its access; those keys
    that are asked for are told, and no others.
    """
    profiles = [each.strip() for each in (await bed.value_of("SupportedFeatureProfiles")).split(",")]
    access, unknown = await shown(bed, GetConfiguration())
    count_max = await bed.number_in("GetConfigurationMaxKeys")
    some = tuple(access)[: min(count_max, ASKED_MAX)]
    picked, unknown_of_some = await shown(bed, GetConfiguration(key=some))

    bed.check("Core" in profiles, True, "whether Core is announced")
    bed.check((unknown, unknown_of_some), ((), ()), "what is unknown")
    spelt = {key.casefold(): readonly for key, readonly in access.items()}
    for profile in profiles:
        for key, allowed in REQUIRED.get(profile, {}).items():
            bed.check(spelt.get(key.casefold()), allowed, f"readonly of {key}, which {profile} requires,")
    bed.check(sorted(picked), sorted(some), "what was told of some keys")


@case("021", PROFILE, lasts_s=5)
async def change_configuration(bed: Bed) -> None:
    """Change Configuration.

    Accepted, and GetConfiguration returns the new value.
    """
    before = await bed.value_of("MeterValueSampleInterval")
    other = "90" if before != "90" else "60"
    await bed.ask(ChangeConfiguration(key="MeterValueSampleInterval", value=other), "Accepted")
    bed.check(await bed.value_of("MeterValueSampleInterval"), other, "MeterValueSampleInterval")


@case("021", PROFILE, variant="counts", needs=(PlugIn, Swipe), lasts_s=40)
async def a_changed_interval_counts(bed: Bed) -> None:
    """Change Configuration.

    What was set is what the station then does: meter values come, and come no more.
    """
    await bed.configure(MeterValueSampleInterval="10")
    await bed.charge()
    await bed.expect(message("MeterValues"))
    await bed.configure(MeterValueSampleInterval="0")
    await bed.quiet(25)


@case("040_1", PROFILE, lasts_s=5)
async def unknown_key(bed: Bed) -> None:
    """Configuration Keys - NotSupported.

    A key that the station does not have.
    """
    await bed.ask(ChangeConfiguration(key="Testing", value="true"), "NotSupported")


@case("040_2", PROFILE, lasts_s=5)
async def invalid_value(bed: Bed) -> None:
    """Configuration Keys - Incorrect Value.

    MeterValueSampleInterval -1 is Rejected, and the old value holds.
    """
    before = await bed.value_of("MeterValueSampleInterval")
    await bed.ask(ChangeConfiguration(key="MeterValueSampleInterval", value="-1"), "Rejected")
    bed.check(await bed.value_of("MeterValueSampleInterval"), before, "MeterValueSampleInterval")
