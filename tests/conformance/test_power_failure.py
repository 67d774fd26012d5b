"""Power failures: facts 5.8."""

import trio

from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability
from machines.vocabulary.settings import Recovery
from tests.conformance.sequence import ABSENT, message, status

PROFILE = "Core"


async def test_tc_032_1_buffered(bed, autojump_clock):
    """Power Failure Going Down - Buffered.

    StopTransaction with PowerLoss before the buffer is empty; after the boot Finishing or Preparing.
    """
    async with bed.powered():
        transaction_id = await bed.charge()
        await bed.quiet(600)
        bed.connector().fail_power()
        await bed.expect(
            message("StopTransaction", transactionId=transaction_id, reason="PowerLoss"), status("Finishing")
        )
    await trio.sleep(600)
    async with bed.powered(until_accepted=False):
        await bed.boot(connector_1={"Finishing", "Preparing"})


async def test_tc_032_2_not_buffered(bed, autojump_clock):
    """Power Failure Going Down - Not Buffered.

    After the boot StopTransaction with PowerLoss; Finishing or Preparing where the vehicle is.
    """
    async with bed.powered():
        transaction_id = await bed.charge()
        await bed.quiet(600)
    await trio.sleep(600)
    async with bed.powered(until_accepted=False):
        stop = message("StopTransaction", transactionId=transaction_id, reason="PowerLoss")
        *_, stopped = await bed.boot(stop, connector_1={"Finishing", "Preparing"})
    assert stopped.payload["meterStop"] == int(bed.connector().register_wh) > 0


async def test_tc_032_2_not_buffered_and_resumed(bed, autojump_clock):
    """Power Failure Going Down - Not Buffered.

    Where the transaction goes on: Charging after the boot, until the card stops it.
    """
    bed.recover(Recovery.RESUME)
    async with bed.powered():
        transaction_id = await bed.charge()
        await bed.quiet(600)
    async with bed.powered(until_accepted=False):
        await bed.boot(connector_1="Charging")
        bed.swipe()
        await bed.expect(
            message("StopTransaction", transactionId=transaction_id, reason={"Local", ABSENT}),
            status("Finishing"),
        )


async def test_tc_034_while_unavailable(bed, autojump_clock):
    """Power Failure with Unavailable Status.

    Unavailable is told for connector 0 and each connector, and again after the power came back.
    """
    async with bed.powered():
        request = ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE)
        assert await bed.status_of(request) == "Accepted"
        await bed.expect(*(status("Unavailable", n) for n in range(3)))
    await trio.sleep(60)
    async with bed.powered(until_accepted=False):
        await bed.boot(connector_0="Unavailable", connector_1="Unavailable", connector_2="Unavailable")
