"""Stopping by an idTag: facts 5.2."""

from tests.conformance.sequence import ABSENT, message, status

PROFILE = "Core"


async def test_tc_068_same_tag(bed, autojump_clock):
    """Stop Transaction - IdTag Same as Start.

    A foreign idTag neither causes Authorize nor stops; that of the start stops, without Authorize.
    """
    async with bed.powered():
        transaction_id = await bed.charge()
        bed.swipe("FOREIGN")
        await bed.quiet(30)
        bed.swipe()
        await bed.expect(
            message("StopTransaction", transactionId=transaction_id, idTag="CARD", reason={"Local", ABSENT}),
            status("Finishing"),
        )


async def test_tc_069_parent_tag(bed, autojump_clock):
    """Stop Transaction - ParentIdTag Same as Start.

    Another idTag of the group is asked for with Authorize, and stops; it is the one in StopTransaction.
    """
    bed.know("CARD", parent="GROUP")
    bed.know("MEMBER", parent="GROUP")
    async with bed.powered():
        transaction_id = await bed.charge()
        bed.swipe("MEMBER")
        await bed.expect(message("Authorize", idTag="MEMBER"))
        await bed.expect(
            message(
                "StopTransaction", transactionId=transaction_id, idTag="MEMBER", reason={"Local", ABSENT}
            ),
            status("Finishing"),
        )
