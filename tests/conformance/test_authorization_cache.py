"""The authorization cache: facts 5.1 and 5.3."""

from machines.vocabulary.ocpp import ClearCache, RemoteStartTransaction
from tests.conformance.sequence import message, status

PROFILE = "Core"


async def remember(bed):
    """Let the station learn of the card, which is then shown a second time: nobody starts."""
    await bed.configure(
        AuthorizationCacheEnabled="true", LocalPreAuthorize="true", AuthorizeRemoteTxRequests="true"
    )
    await bed.authorize()
    bed.swipe()
    await bed.expect(status("Available"))


async def start_remotely(bed):
    """RemoteStartTransaction for connector 1."""
    assert await bed.status_of(RemoteStartTransaction(connector_id=1, id_tag="CARD")) == "Accepted"


async def test_tc_007_1_start_with_cached_id(bed, autojump_clock):
    """Regular Charging Session - Cached Id - Local.

    No Authorize: Preparing with the idTag, StartTransaction and Charging with the cable.
    """
    async with bed.powered():
        await remember(bed)
        bed.swipe()
        await bed.expect(status("Preparing"))
        bed.connector().plug_in()
        await bed.begin()


async def test_tc_007_2_remote_start_with_cached_id(bed, autojump_clock):
    """Regular Charging Session - Cached Id - Remote.

    As 007_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    async with bed.powered():
        await remember(bed)
        await start_remotely(bed)
        await bed.expect(status("Preparing"))
        bed.connector().plug_in()
        await bed.begin()


async def test_tc_061_1_clear_cache(bed, autojump_clock):
    """Clear Authorization Data in Authorization Cache - Local.

    Accepted; the same idTag is then asked for with Authorize.
    """
    async with bed.powered():
        await remember(bed)
        assert await bed.status_of(ClearCache()) == "Accepted"
        bed.swipe()
        await bed.expect(message("Authorize", idTag="CARD"))
        await bed.expect(status("Preparing"))


async def test_tc_061_2_clear_cache_remote(bed, autojump_clock):
    """Clear Authorization Data in Authorization Cache - Remote.

    As 061_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    async with bed.powered():
        await remember(bed)
        assert await bed.status_of(ClearCache()) == "Accepted"
        await start_remotely(bed)
        await bed.expect(message("Authorize", idTag="CARD"))
        await bed.expect(status("Preparing"))
