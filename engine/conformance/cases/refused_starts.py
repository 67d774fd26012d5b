"""Starts that must not be: OCPP 1.6, 3.5 and 4.9."""

from engine.conformance.bed import Bed
from engine.conformance.case import case, cases
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import JamLock, PlugIn, RaiseFault, Swipe
from machines.vocabulary.ocpp import AuthorizationStatus, ChargePointErrorCode, RemoteStartTransaction

PROFILE = "Core"
KEYS = {"LocalPreAuthorize": "true"}
FAULTS = {
    code.value: code
    for code in (
        ChargePointErrorCode.OVER_VOLTAGE,
        ChargePointErrorCode.HIGH_TEMPERATURE,
        ChargePointErrorCode.GROUND_FAILURE,
    )
}


async def refuse(bed: Bed) -> None:
    """Let the Central System refuse the card."""
    bed.know("CARD", AuthorizationStatus.INVALID)
    await bed.prefer(MinimumStatusDuration="10")


async def plug_in_for_nothing(bed: Bed) -> None:
    """The cable shows Preparing, and no transaction starts."""
    await bed.plug_in()
    await bed.expect(status("Preparing"))
    await bed.quiet(20)


@case("023_4", PROFILE, needs=(PlugIn, Swipe), keys=KEYS, lasts_s=35)
async def refused_here(bed: Bed) -> None:
    """Start Charging Session - Authorize Invalid - Local.

    Authorize answered Invalid; the cable shows Preparing, no StartTransaction.
    """
    await refuse(bed)
    await bed.swipe()
    await bed.expect(message("Authorize", idTag="CARD"))
    await plug_in_for_nothing(bed)


@case("023_5", PROFILE, needs=(PlugIn,), keys={**KEYS, "AuthorizeRemoteTxRequests": "true"}, lasts_s=35)
async def refused_remotely(bed: Bed) -> None:
    """Start Charging Session - Authorize Invalid - Remote.

    As 023_4, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    await refuse(bed)
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="CARD"), "Accepted")
    await bed.expect(message("Authorize", idTag="CARD"))
    await plug_in_for_nothing(bed)


@case("024", PROFILE, needs=(PlugIn, JamLock), lasts_s=20)
async def lock_failure(bed: Bed) -> None:
    """Start Charging Session - Lock Failure.

    The cable cannot be locked: Faulted with ConnectorLockFailure, no transaction.
    """
    connector = await bed.socket()
    await bed.ask(RemoteStartTransaction(connector_id=connector, id_tag="CARD"), "Accepted")
    await bed.expect(status("Preparing", connector), optional=[message("Authorize", idTag="CARD")])
    await bed.jam_lock(connector)
    await bed.plug_in(connector)
    await bed.expect(status("Faulted", connector, "ConnectorLockFailure"))
    # Once the lock says that it is open, the connector waits for another attempt with this cable.
    await bed.quiet(15, [status("Preparing", connector)])
    await bed.check_energy(connector, has_energy=False)


@cases("041", PROFILE, FAULTS, needs=(RaiseFault, PlugIn, Swipe), lasts_s=20)
async def fault_behavior(bed: Bed, error_code: ChargePointErrorCode) -> None:
    """Fault Behavior.

    Faulted with its error code; neither an idTag nor RemoteStartTransaction starts a transaction.
    """
    await bed.raise_fault(error_code)
    await bed.expect(status("Faulted", error_code=error_code.value))
    await bed.swipe()
    await bed.plug_in()
    await bed.quiet(5)
    await bed.swipe()
    await bed.quiet(5)
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="CARD"), "Rejected")
    await bed.quiet(5)
