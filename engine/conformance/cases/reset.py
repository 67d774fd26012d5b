"""Reset: OCPP 1.6, 5.14."""

from collections.abc import Mapping

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import PlugIn, Swipe
from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability, Reset, ResetType

PROFILE = "Core"
STOPPED = {"Finishing", "Preparing"}


async def reset_without_transaction(bed: Bed, kind: ResetType) -> None:
    """A connector that is Unavailable is so after the reset, too."""
    await bed.withdraw(1)
    await bed.ask(Reset(type=kind), "Accepted")
    await bed.boot({1: "Unavailable"})
    await bed.ask(ChangeAvailability(connector_id=1, type=AvailabilityType.OPERATIVE), "Accepted")
    await bed.expect(status("Available"))


async def reset_with_transaction(bed: Bed, kind: ResetType, connector: int) -> None:
    """The transaction ends with the reason of the reset; the vehicle is still there after it."""
    transaction_id = await bed.charge(connector=connector)
    await bed.ask(Reset(type=kind), "Accepted")
    stop = message("StopTransaction", transactionId=transaction_id, reason=f"{kind.value}Reset")
    finishing = status("Finishing", connector)
    where: Mapping[int, str | set[str]] = {connector: STOPPED}
    if kind is ResetType.SOFT:
        await bed.expect(stop, finishing)
        await bed.boot(where)
        return
    # A hard reset needs not be graceful: the transaction may be told before or after.
    await bed.boot(where, before=[stop, finishing], after=[stop])
    if bed.told_stop(transaction_id) is None:
        await bed.expect(stop, optional=bed.not_yet(finishing))
    await bed.quiet(1, bed.not_yet(finishing))


@case("013", PROFILE, lasts_s=15)
async def hard_reset_without_transaction(bed: Bed) -> None:
    """Hard Reset without Transaction.

    Boot and every status; the connector that was Unavailable is so, and can be taken into service.
    """
    await reset_without_transaction(bed, ResetType.HARD)


@case("014", PROFILE, lasts_s=15)
async def soft_reset_without_transaction(bed: Bed) -> None:
    """Soft Reset without Transaction.

    As 013.
    """
    await reset_without_transaction(bed, ResetType.SOFT)


@case("015", PROFILE, needs=(PlugIn, Swipe), lasts_s=20)
async def hard_reset_with_transaction(bed: Bed) -> None:
    """Hard Reset with Transaction.

    StopTransaction with HardReset, Boot, every status: Finishing or Preparing where the vehicle is.
    """
    await reset_with_transaction(bed, ResetType.HARD, 1)


@case("015", PROFILE, variant="tethered", needs=(PlugIn, Swipe), lasts_s=15)
async def hard_reset_with_transaction_tethered(bed: Bed) -> None:
    """Hard Reset with Transaction.

    The same with a fixed cable.
    """
    await reset_with_transaction(bed, ResetType.HARD, bed.tethered())


@case("016", PROFILE, needs=(PlugIn, Swipe), lasts_s=20)
async def soft_reset_with_transaction(bed: Bed) -> None:
    """Soft Reset with Transaction.

    As 015, with reason SoftReset, before the boot.
    """
    await reset_with_transaction(bed, ResetType.SOFT, 1)


@case("016", PROFILE, variant="tethered", needs=(PlugIn, Swipe), lasts_s=15)
async def soft_reset_with_transaction_tethered(bed: Bed) -> None:
    """Soft Reset with Transaction.

    The same with a fixed cable.
    """
    await reset_with_transaction(bed, ResetType.SOFT, bed.tethered())
