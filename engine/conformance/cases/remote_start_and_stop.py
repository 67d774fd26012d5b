"""RemoteStartTransaction and RemoteStopTransaction: OCPP 1.6, 5.11 and 5.12."""

from engine.conformance.bed import Bed
from engine.conformance.case import case, cases
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import PlugIn, Swipe, Unplug
from machines.vocabulary.ocpp import RemoteStartTransaction, RemoteStopTransaction
from machines.vocabulary.wire import ErrorCode

PROFILE = "Core"
BOTH = {"authorizes": "true", "starts-at-once": "false"}
"""AuthorizeRemoteTxRequests."""
UNPLUGGED_S = 10
TIME_OUT_S = 15


async def start(bed: Bed, authorizes: str) -> None:
    """Start remotely; Authorize follows if AuthorizeRemoteTxRequests says so."""
    await bed.configure(AuthorizeRemoteTxRequests=authorizes)
    found = (await bed.value_of("AuthorizeRemoteTxRequests")).casefold()
    bed.check(found, authorizes, "AuthorizeRemoteTxRequests")
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="REMOTE"), "Accepted")
    if authorizes == "true":
        await bed.expect(message("Authorize", idTag="REMOTE"))


@cases("010", PROFILE, BOTH, needs=(PlugIn,))
async def cable_first(bed: Bed, authorizes: str) -> None:
    """Remote Start Charging Session - Cable Plugged in First.

    Authorize only if AuthorizeRemoteTxRequests is true; StartTransaction and Charging.
    """
    await bed.plug_in()
    await bed.expect(status("Preparing"))
    await start(bed, authorizes)
    await bed.begin("REMOTE")


@cases("011_1", PROFILE, BOTH, needs=(PlugIn,))
async def remote_start_first(bed: Bed, authorizes: str) -> None:
    """Remote Start Charging Session - Remote Start First.

    Preparing after the request; StartTransaction and Charging with the cable.
    """
    await start(bed, authorizes)
    await bed.expect(status("Preparing"))
    await bed.plug_in()
    await bed.begin("REMOTE")


@cases("011_2", PROFILE, BOTH, keys={"ConnectionTimeOut": str(TIME_OUT_S)}, lasts_s=20)
async def time_out(bed: Bed, authorizes: str) -> None:
    """Remote Start Charging Session - Time Out.

    Without a cable Available again exactly ConnectionTimeOut after Preparing.
    """
    await start(bed, authorizes)
    (preparing,) = await bed.expect(status("Preparing"))
    (available,) = await bed.expect(status("Available"), within_s=2 * TIME_OUT_S)
    bed.check_gap(preparing, available, TIME_OUT_S)


async def stop_remotely(bed: Bed, connector: int) -> None:
    """Charge, stop, unplug."""
    transaction_id = await bed.charge(connector=connector)
    await bed.ask(RemoteStopTransaction(transaction_id=transaction_id), "Accepted")
    stop = message("StopTransaction", transactionId=transaction_id, reason="Remote")
    await bed.expect(stop, status("Finishing", connector))
    await bed.quiet(1)
    await bed.unplug(connector)
    await bed.expect(status("Available", connector))


@case("012", PROFILE, needs=(PlugIn, Swipe, Unplug))
async def remote_stop(bed: Bed) -> None:
    """Remote Stop Charging Session.

    StopTransaction with reason Remote, then Finishing; unplugged, Available.
    """
    await stop_remotely(bed, 1)


@case("012", PROFILE, variant="tethered", needs=(PlugIn, Swipe, Unplug))
async def remote_stop_tethered(bed: Bed) -> None:
    """Remote Stop Charging Session.

    The same with a fixed cable.
    """
    await stop_remotely(bed, bed.tethered())


@case("026", PROFILE, needs=(PlugIn, Swipe), keys={"LocalPreAuthorize": "false"}, lasts_s=25)
async def rejected(bed: Bed) -> None:
    """Remote Start Charging Session - Rejected.

    On a connector whose transaction runs: Rejected, and the transaction goes on.
    """
    await bed.charge()
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="REMOTE"), "Rejected")
    await bed.quiet(15)


@case("027", PROFILE, needs=(PlugIn,), lasts_s=20)
async def connector_0(bed: Bed) -> None:
    """Remote Start Transaction - ConnectorId 0.

    Rejected, or a CALLERROR; nothing starts.
    """
    await bed.plug_in()
    await bed.expect(status("Preparing"))
    await bed.ask(RemoteStartTransaction(connector_id=0, id_tag="REMOTE"), "Rejected", *ErrorCode)
    await bed.quiet(15)


@case("028", PROFILE, needs=(PlugIn, Swipe), lasts_s=25)
async def unknown_transaction(bed: Bed) -> None:
    """Remote Stop Transaction - Rejected.

    Of an unknown transactionId; the one that runs goes on.
    """
    transaction_id = await bed.charge()
    await bed.ask(RemoteStopTransaction(transaction_id=transaction_id + 1), "Rejected")
    await bed.quiet(15)
