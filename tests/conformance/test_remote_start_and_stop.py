"""RemoteStartTransaction and RemoteStopTransaction: facts 6."""

import pytest

from machines.vocabulary.ocpp import RemoteStartTransaction, RemoteStopTransaction
from tests.conformance.bed import seconds_between
from tests.conformance.sequence import message, status

PROFILE = "Core"

both = pytest.mark.parametrize("authorizes", ["true", "false"], ids=["authorizes", "starts at once"])


async def start(bed, authorizes, connector=1):
    """Start remotely; Authorize follows if AuthorizeRemoteTxRequests says so."""
    await bed.configure(AuthorizeRemoteTxRequests=authorizes)
    assert await bed.value_of("AuthorizeRemoteTxRequests") == authorizes
    if connector == 1:
        request = RemoteStartTransaction(connector_id=1, id_tag="REMOTE")
        assert await bed.status_of(request) == "Accepted"
    if authorizes == "true":
        await bed.expect(message("Authorize", idTag="REMOTE"))


@both
async def test_tc_010_cable_first(bed, autojump_clock, authorizes):
    """Remote Start Charging Session - Cable Plugged in First.

    Authorize only if AuthorizeRemoteTxRequests is true; StartTransaction and Charging.
    """
    async with bed.powered():
        bed.connector().plug_in()
        await bed.expect(status("Preparing"))
        await start(bed, authorizes)
        await bed.begin("REMOTE")


@both
async def test_tc_011_1_remote_start_first(bed, autojump_clock, authorizes):
    """Remote Start Charging Session - Remote Start First.

    Preparing after the request; StartTransaction and Charging with the cable.
    """
    async with bed.powered():
        await start(bed, authorizes)
        await bed.expect(status("Preparing"))
        bed.connector().plug_in()
        await bed.begin("REMOTE")


@both
async def test_tc_011_2_time_out(bed, autojump_clock, authorizes):
    """Remote Start Charging Session - Time Out.

    Without a cable Available again exactly ConnectionTimeOut after Preparing.
    """
    async with bed.powered():
        await bed.configure(ConnectionTimeOut="25")
        await start(bed, authorizes)
        (preparing,) = await bed.expect(status("Preparing"))
        (available,) = await bed.expect(status("Available"))
        assert seconds_between(preparing, available) == 25


@pytest.mark.parametrize("connector", [1, 2], ids=["detachable", "tethered"])
async def test_tc_012_remote_stop(bed, autojump_clock, connector):
    """Remote Stop Charging Session.

    StopTransaction with reason Remote, then Finishing; unplugged, Available.
    """
    async with bed.powered():
        transaction_id = await bed.charge(connector=connector)
        assert await bed.status_of(RemoteStopTransaction(transaction_id=transaction_id)) == "Accepted"
        stop = message("StopTransaction", transactionId=transaction_id, reason="Remote")
        await bed.expect(stop, status("Finishing", connector))
        await bed.quiet(1)
        bed.connector(connector).unplug()
        await bed.expect(status("Available", connector))


async def test_tc_026_rejected(bed, autojump_clock):
    """Remote Start Charging Session - Rejected.

    On a connector whose transaction runs: Rejected, and the transaction goes on.
    """
    async with bed.powered():
        await bed.configure(LocalPreAuthorize="false")
        await bed.charge()
        request = RemoteStartTransaction(connector_id=1, id_tag="REMOTE")
        assert await bed.status_of(request) == "Rejected"
        await bed.quiet(30)


async def test_tc_027_connector_0(bed, autojump_clock):
    """Remote Start Transaction - ConnectorId 0.

    Rejected, or a CALLERROR; nothing starts.
    """
    async with bed.powered():
        bed.connector().plug_in()
        await bed.expect(status("Preparing"))
        request = RemoteStartTransaction(connector_id=0, id_tag="REMOTE")
        assert await bed.status_of(request) in {"Rejected", "PropertyConstraintViolation"}
        await bed.quiet(30)


async def test_tc_028_unknown_transaction(bed, autojump_clock):
    """Remote Stop Transaction - Rejected.

    Of an unknown transactionId; the one that runs goes on.
    """
    async with bed.powered():
        transaction_id = await bed.charge()
        assert await bed.status_of(RemoteStopTransaction(transaction_id=transaction_id + 1)) == "Rejected"
        await bed.quiet(30)
