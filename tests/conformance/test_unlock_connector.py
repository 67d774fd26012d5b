"""UnlockConnector: facts 6."""

from machines.vocabulary.ocpp import RemoteStopTransaction, UnlockConnector
from tests.conformance.sequence import message, status

PROFILE = "Core"
SOCKET, FIXED_CABLE, UNKNOWN = 1, 2, 3


async def unlock(bed, connector, **how):
    """What UnlockConnector is answered."""
    return await bed.status_of(UnlockConnector(connector_id=connector), **how)


async def test_tc_017_1_no_session_detachable(bed, autojump_clock):
    """Unlock Connector - No Charging Session Running - Detachable Cable.

    Unlocked.
    """
    async with bed.powered():
        assert await unlock(bed, SOCKET) == "Unlocked"


async def test_tc_017_2_no_session_tethered(bed, autojump_clock):
    """Unlock Connector - No Charging Session Running - Fixed Cable.

    NotSupported.
    """
    async with bed.powered():
        assert await unlock(bed, FIXED_CABLE) == "NotSupported"


async def test_tc_018_1_session_detachable(bed, autojump_clock):
    """Unlock Connector - with Charging Session - Detachable Cable.

    Unlocked; StopTransaction with UnlockCommand, Finishing; unplugged, Available.
    """
    async with bed.powered():
        transaction_id = await bed.charge(connector=SOCKET)
        stop = message("StopTransaction", transactionId=transaction_id, reason="UnlockCommand")
        # The transaction ends first (5.18), so its CALLs may come before the answer.
        assert await unlock(bed, SOCKET, is_first=False) == "Unlocked"
        await bed.expect(stop, status("Finishing"))
        assert not bed.connector(SOCKET).state().locked
        bed.connector(SOCKET).unplug()
        await bed.expect(status("Available"))


async def test_tc_018_2_session_tethered(bed, autojump_clock):
    """Unlock Connector - with Charging Session - Fixed Cable.

    NotSupported, and the transaction goes on until RemoteStopTransaction.
    """
    async with bed.powered():
        transaction_id = await bed.charge(connector=FIXED_CABLE)
        assert await unlock(bed, FIXED_CABLE) == "NotSupported"
        await bed.quiet(30)
        assert await bed.status_of(RemoteStopTransaction(transaction_id=transaction_id)) == "Accepted"
        stop = message("StopTransaction", transactionId=transaction_id, reason="Remote")
        await bed.expect(stop, status("Finishing", FIXED_CABLE))
        bed.connector(FIXED_CABLE).unplug()
        await bed.expect(status("Available", FIXED_CABLE))


async def test_tc_030_unlock_failure(bed, autojump_clock):
    """Unlock Connector - Unlock Failure.

    The lock does not move: UnlockFailed; the transaction has ended, for that comes first.
    """
    async with bed.powered():
        await bed.charge(connector=SOCKET)
        bed.connector(SOCKET).lock_failure()
        assert await unlock(bed, SOCKET, is_first=False) == "UnlockFailed"
        await bed.expect(message("StopTransaction", reason="UnlockCommand"), status("Finishing"))
        await bed.quiet(30, [status("Faulted", error_code="ConnectorLockFailure")])


async def test_tc_031_unknown_connector(bed, autojump_clock):
    """Unlock Connector - Unknown Connector.

    NotSupported.
    """
    async with bed.powered():
        assert await unlock(bed, UNKNOWN) == "NotSupported"
