"""UnlockConnector: OCPP 1.6, 5.18."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import JamLock, PlugIn, Swipe, Unplug
from machines.vocabulary.ocpp import RemoteStopTransaction, UnlockConnector

PROFILE = "Core"


@case("017_1", PROFILE, lasts_s=5)
async def no_session_detachable(bed: Bed) -> None:
    """Unlock Connector - No Charging Session Running - Detachable Cable.

    Unlocked.
    """
    await bed.ask(UnlockConnector(connector_id=await bed.socket()), "Unlocked")


@case("017_2", PROFILE, lasts_s=5)
async def no_session_tethered(bed: Bed) -> None:
    """Unlock Connector - No Charging Session Running - Fixed Cable.

    NotSupported.
    """
    await bed.ask(UnlockConnector(connector_id=bed.tethered()), "NotSupported")


@case("018_1", PROFILE, needs=(PlugIn, Swipe, Unplug))
async def session_detachable(bed: Bed) -> None:
    """Unlock Connector - with Charging Session - Detachable Cable.

    Unlocked; StopTransaction with UnlockCommand, Finishing; unplugged, Available.
    """
    connector = await bed.socket()
    transaction_id = await bed.charge(connector=connector)
    stop = message("StopTransaction", transactionId=transaction_id, reason="UnlockCommand")
    # The transaction ends first, so its CALLs may come before the answer.
    await bed.ask(UnlockConnector(connector_id=connector), "Unlocked", is_first=False)
    await bed.expect(stop, status("Finishing", connector))
    await bed.check_locked(connector, is_locked=False)
    await bed.unplug(connector)
    await bed.expect(status("Available", connector))


@case("018_2", PROFILE, needs=(PlugIn, Swipe, Unplug), lasts_s=20)
async def session_tethered(bed: Bed) -> None:
    """Unlock Connector - with Charging Session - Fixed Cable.

    NotSupported, and the transaction goes on until RemoteStopTransaction.
    """
    connector = bed.tethered()
    transaction_id = await bed.charge(connector=connector)
    await bed.ask(UnlockConnector(connector_id=connector), "NotSupported")
    await bed.quiet(15)
    await bed.ask(RemoteStopTransaction(transaction_id=transaction_id), "Accepted")
    stop = message("StopTransaction", transactionId=transaction_id, reason="Remote")
    await bed.expect(stop, status("Finishing", connector))
    await bed.unplug(connector)
    await bed.expect(status("Available", connector))


@case("030", PROFILE, needs=(PlugIn, Swipe, JamLock), lasts_s=25)
async def unlock_failure(bed: Bed) -> None:
    """Unlock Connector - Unlock Failure.

    The lock does not move: UnlockFailed; the transaction has ended, for that comes first.
    """
    connector = await bed.socket()
    await bed.charge(connector=connector)
    await bed.jam_lock(connector)
    await bed.ask(UnlockConnector(connector_id=connector), "UnlockFailed", is_first=False)
    await bed.expect(message("StopTransaction", reason="UnlockCommand"), status("Finishing", connector))
    await bed.quiet(15, [status("Faulted", connector, "ConnectorLockFailure")])


@case("031", PROFILE, lasts_s=5)
async def unknown_connector(bed: Bed) -> None:
    """Unlock Connector - Unknown Connector.

    NotSupported.
    """
    await bed.ask(UnlockConnector(connector_id=bed.connectors + 1), "NotSupported")
