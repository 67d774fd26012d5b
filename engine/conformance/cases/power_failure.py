"""Power failures: OCPP 1.6, 4.2 and 4.10."""

from engine.conformance.bed import Bed
from engine.conformance.case import NotApplicable, case
from engine.conformance.sequence import ABSENT, message, status
from engine.conformance.stimuli import CutPower, FailPower, PlugIn, Swipe
from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability

PROFILE = "Core"
FINISHING = status("Finishing")
STOPPED = {"Finishing", "Preparing"}
GOES_ON = {"Charging", "SuspendedEV", "SuspendedEVSE"}
ENERGY_S = 20
NEEDS = (PlugIn, Swipe, CutPower)


@case("032_1", PROFILE, needs=(*NEEDS, FailPower), lasts_s=40)
async def buffered(bed: Bed) -> None:
    """Power Failure Going Down - Buffered.

    StopTransaction with PowerLoss before the buffer is empty; after the boot Finishing or Preparing.
    """
    transaction_id = await bed.charge()
    await bed.quiet(ENERGY_S)
    await bed.fail_power()
    stop = message("StopTransaction", transactionId=transaction_id, reason="PowerLoss")
    await bed.expect(stop, status("Finishing"))
    await bed.quiet(1)  # its answer is known
    await bed.cut_power()
    await bed.boot({1: STOPPED})


async def charge_through(bed: Bed, *, is_resumed: bool) -> int:
    """Cut the power while connector 1 is charging, and boot; return the transactionId.

    Raises:
        NotApplicable: The station does otherwise with interrupted transactions, as it may.
    """
    transaction_id = await bed.charge()
    await bed.quiet(ENERGY_S)
    await bed.cut_power()
    stop = message("StopTransaction", transactionId=transaction_id, reason="PowerLoss")
    booted = await bed.boot({1: STOPPED | GOES_ON}, after=[stop])
    goes_on = booted[2].payload["status"] in GOES_ON
    if not goes_on and bed.told_stop(transaction_id) is None:
        found = await bed.sequence.one_of(stop, status(GOES_ON), optional=bed.not_yet(FINISHING))
        goes_on = found.action == "StatusNotification"
    if goes_on is not is_resumed:
        raise NotApplicable(f"the station {'goes on with' if goes_on else 'ends'} interrupted transactions")
    return transaction_id


@case("032_2", PROFILE, needs=NEEDS, lasts_s=40)
async def not_buffered(bed: Bed) -> None:
    """Power Failure Going Down - Not Buffered.

    After the boot StopTransaction with PowerLoss; Finishing or Preparing where the vehicle is.
    """
    transaction_id = await charge_through(bed, is_resumed=False)
    stopped = bed.told_stop(transaction_id)
    if stopped is None:
        raise bed.sequence.deviation("no StopTransaction came", "one")
    await bed.check_register(1, stopped.payload["meterStop"])
    await bed.quiet(1, bed.not_yet(FINISHING))


@case(
    "032_2",
    PROFILE,
    variant="resumed",
    needs=NEEDS,
    declares='[transactions]\nrecovery = "resume"\n',
    lasts_s=40,
)
async def not_buffered_and_resumed(bed: Bed) -> None:
    """Power Failure Going Down - Not Buffered.

    Where the transaction goes on: Charging after the boot, until the card stops it.
    """
    transaction_id = await charge_through(bed, is_resumed=True)
    await bed.swipe()
    stop = message("StopTransaction", transactionId=transaction_id, reason={"Local", ABSENT})
    await bed.expect(stop, status("Finishing"))


@case("034", PROFILE, needs=(CutPower,), lasts_s=15)
async def while_unavailable(bed: Bed) -> None:
    """Power Failure with Unavailable Status.

    Unavailable is told for connector 0 and each connector, and again after the power came back.
    """
    unavailable = dict.fromkeys((0, *bed.every), "Unavailable")
    await bed.ask(ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE), "Accepted")
    await bed.expect(*(status(value, connector) for connector, value in unavailable.items()))
    await bed.cut_power()
    await bed.boot({**unavailable})
