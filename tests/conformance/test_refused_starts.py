"""Starts that must not be: facts 5.1."""

import pytest

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import AuthorizationStatus, RemoteStartTransaction
from tests.conformance.sequence import message, status

PROFILE = "Core"


async def refuse(bed):
    """Let the Central System refuse the card."""
    bed.know("CARD", AuthorizationStatus.INVALID)
    await bed.configure(
        MinimumStatusDuration="10", LocalPreAuthorize="true", AuthorizeRemoteTxRequests="true"
    )


async def plug_in_for_nothing(bed):
    """The cable shows Preparing, and no transaction starts."""
    bed.connector().plug_in()
    await bed.expect(status("Preparing"))
    await bed.quiet(45)


async def test_tc_023_4_refused_here(bed, autojump_clock):
    """Start Charging Session - Authorize Invalid - Local.

    Authorize answered Invalid; the cable shows Preparing, no StartTransaction.
    """
    async with bed.powered():
        await refuse(bed)
        bed.swipe()
        await bed.expect(message("Authorize", idTag="CARD"))
        await plug_in_for_nothing(bed)


async def test_tc_023_5_refused_remotely(bed, autojump_clock):
    """Start Charging Session - Authorize Invalid - Remote.

    As 023_4, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    async with bed.powered():
        await refuse(bed)
        assert await bed.status_of(RemoteStartTransaction(connector_id=1, id_tag="CARD")) == "Accepted"
        await bed.expect(message("Authorize", idTag="CARD"))
        await plug_in_for_nothing(bed)


async def test_tc_024_lock_failure(bed, autojump_clock):
    """Start Charging Session - Lock Failure.

    The cable cannot be locked: Faulted with ConnectorLockFailure, no transaction.
    """
    async with bed.powered():
        assert await bed.status_of(RemoteStartTransaction(connector_id=1, id_tag="CARD")) == "Accepted"
        await bed.expect(status("Preparing"))
        bed.connector().lock_failure()
        bed.connector().plug_in()
        await bed.expect(status("Faulted", error_code="ConnectorLockFailure"))
        # Once the lock says that it is open, the connector waits for another attempt with this cable.
        await bed.quiet(30, [status("Preparing")])
        assert not bed.connector().state().contactor


@pytest.mark.parametrize(
    ("fault", "error_code"),
    [
        (HardwareFault.OVER_VOLTAGE, "OverVoltage"),
        (HardwareFault.TEMPERATURE, "HighTemperature"),
        (HardwareFault.GROUND, "GroundFailure"),
    ],
)
async def test_tc_041_fault_behavior(bed, autojump_clock, fault, error_code):
    """Fault Behavior.

    Faulted with its error code; neither an idTag nor RemoteStartTransaction starts a transaction.
    """
    async with bed.powered():
        bed.connector().raise_fault(fault)
        await bed.expect(status("Faulted", error_code=error_code))
        bed.swipe()
        bed.connector().plug_in()
        await bed.quiet(10)
        bed.swipe()
        await bed.quiet(10)
        assert await bed.status_of(RemoteStartTransaction(connector_id=1, id_tag="CARD")) == "Rejected"
        await bed.quiet(10)
