"""The authorization cache: OCPP 1.6, 3.5.1 and 5.4."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import PlugIn, Swipe
from machines.vocabulary.ocpp import ClearCache, RemoteStartTransaction

PROFILE = "Core"
KEYS = {"AuthorizationCacheEnabled": "true", "LocalPreAuthorize": "true"}
REMOTE_KEYS = {**KEYS, "AuthorizeRemoteTxRequests": "true"}
FORGOTTEN = {"ConnectionTimeOut": "15"}
"""The case ends with an authorization that nobody uses: so long until the station is at rest."""


async def remember(bed: Bed) -> None:
    """Let the station learn of the card, which is then shown a second time: nobody starts."""
    await bed.authorize()
    await bed.swipe()
    await bed.expect(status("Available"), within_s=bed.connection_time_out_s + 30)


async def start_remotely(bed: Bed) -> None:
    """RemoteStartTransaction for connector 1."""
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="CARD"), "Accepted")


@case("007_1", PROFILE, needs=(PlugIn, Swipe), keys=KEYS)
async def start_with_cached_id(bed: Bed) -> None:
    """Regular Charging Session - Cached Id - Local.

    No Authorize: Preparing with the idTag, StartTransaction and Charging with the cable.
    """
    await remember(bed)
    await bed.swipe()
    await bed.expect(status("Preparing"))
    await bed.plug_in()
    await bed.begin()


@case("007_2", PROFILE, needs=(PlugIn, Swipe), keys=REMOTE_KEYS)
async def remote_start_with_cached_id(bed: Bed) -> None:
    """Regular Charging Session - Cached Id - Remote.

    As 007_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    await remember(bed)
    await start_remotely(bed)
    await bed.expect(status("Preparing"))
    await bed.plug_in()
    await bed.begin()


@case("061_1", PROFILE, needs=(Swipe,), keys={**KEYS, **FORGOTTEN}, lasts_s=5)
async def clear_cache(bed: Bed) -> None:
    """Clear Authorization Data in Authorization Cache - Local.

    Accepted; the same idTag is then asked for with Authorize.
    """
    await remember(bed)
    await bed.ask(ClearCache(), "Accepted")
    await bed.swipe()
    await bed.expect(message("Authorize", idTag="CARD"))
    await bed.expect(status("Preparing"))


@case("061_2", PROFILE, needs=(Swipe,), keys={**REMOTE_KEYS, **FORGOTTEN}, lasts_s=5)
async def clear_cache_remote(bed: Bed) -> None:
    """Clear Authorization Data in Authorization Cache - Remote.

    As 061_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    await remember(bed)
    await bed.ask(ClearCache(), "Accepted")
    await start_remotely(bed)
    await bed.expect(message("Authorize", idTag="CARD"))
    await bed.expect(status("Preparing"))
