"""Reset: facts 6."""

import pytest

from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability, Reset, ResetType
from tests.conformance.sequence import message, status

PROFILE = "Core"


async def reset_without_transaction(bed, kind):
    """A connector that is Unavailable is so after the reset, too."""
    async with bed.powered():
        await bed.withdraw(1)
        assert await bed.status_of(Reset(type=kind)) == "Accepted"
        await bed.boot(connector_1="Unavailable")
        back = ChangeAvailability(connector_id=1, type=AvailabilityType.OPERATIVE)
        assert await bed.status_of(back) == "Accepted"
        await bed.expect(status("Available"))


async def reset_with_transaction(bed, kind, connector):
    """The transaction ends with the reason of the reset; the vehicle is still there after it."""
    async with bed.powered():
        transaction_id = await bed.charge(connector=connector)
        assert await bed.status_of(Reset(type=kind)) == "Accepted"
        stop = message("StopTransaction", transactionId=transaction_id, reason=f"{kind.value}Reset")
        await bed.expect(stop, status("Finishing", connector))
        await bed.boot(**{f"connector_{connector}": {"Finishing", "Preparing"}})


async def test_tc_013_hard_reset_without_transaction(bed, autojump_clock):
    """Hard Reset without Transaction.

    Boot and every status; the connector that was Unavailable is so, and can be taken into service.
    """
    await reset_without_transaction(bed, ResetType.HARD)


async def test_tc_014_soft_reset_without_transaction(bed, autojump_clock):
    """Soft Reset without Transaction.

    As 013.
    """
    await reset_without_transaction(bed, ResetType.SOFT)


@pytest.mark.parametrize("connector", [1, 2])
async def test_tc_015_hard_reset_with_transaction(bed, autojump_clock, connector):
    """Hard Reset with Transaction.

    StopTransaction with HardReset, Boot, every status: Finishing or Preparing where the vehicle is.
    """
    await reset_with_transaction(bed, ResetType.HARD, connector)


@pytest.mark.parametrize("connector", [1, 2])
async def test_tc_016_soft_reset_with_transaction(bed, autojump_clock, connector):
    """Soft Reset with Transaction.

    As 015, with reason SoftReset, before the boot.
    """
    await reset_with_transaction(bed, ResetType.SOFT, connector)
