"""Stopping by an idTag: OCPP 1.6, 3.5 and 4.10."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import ABSENT, message, status
from engine.conformance.stimuli import PlugIn, Swipe

PROFILE = "Core"


@case("068", PROFILE, needs=(PlugIn, Swipe), cards=("CARD", "FOREIGN"), lasts_s=20)
async def same_tag(bed: Bed) -> None:
    """Stop Transaction - IdTag Same as Start.

    A foreign idTag neither causes Authorize nor stops; that of the start stops, without Authorize.
    """
    transaction_id = await bed.charge()
    await bed.swipe("FOREIGN")
    await bed.quiet(10)
    await bed.swipe()
    await bed.expect(
        message("StopTransaction", transactionId=transaction_id, idTag="CARD", reason={"Local", ABSENT}),
        status("Finishing"),
    )


@case("069", PROFILE, needs=(PlugIn, Swipe), cards=("CARD", "MEMBER"))
async def parent_tag(bed: Bed) -> None:
    """Stop Transaction - ParentIdTag Same as Start.

    Another idTag of the group is asked for with Authorize, and stops; it is the one in StopTransaction.
    """
    bed.know("CARD", parent="GROUP")
    bed.know("MEMBER", parent="GROUP")
    transaction_id = await bed.charge()
    await bed.swipe("MEMBER")
    await bed.expect(message("Authorize", idTag="MEMBER"))
    await bed.expect(
        message("StopTransaction", transactionId=transaction_id, idTag="MEMBER", reason={"Local", ABSENT}),
        status("Finishing"),
    )
