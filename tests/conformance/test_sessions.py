"""Charging sessions begun and ended at the station: facts 5.4 and 5.5."""

import pytest

from machines.vocabulary.ocpp import RemoteStopTransaction, UnlockConnector
from tests.conformance.bed import seconds_between
from tests.conformance.sequence import ABSENT, message, status

PROFILE = "Core"


async def test_tc_003_plug_in_first(bed, autojump_clock):
    """Regular Charging Session - Plugin First.

    Preparing with the cable, Authorize with the idTag, then StartTransaction and Charging in either order.
    """
    async with bed.powered():
        bed.connector().plug_in()
        await bed.expect(status("Preparing"))
        bed.swipe()
        await bed.expect(message("Authorize", idTag="CARD"))
        await bed.begin(reservationId=ABSENT)


async def test_tc_004_1_identification_first(bed, autojump_clock):
    """Regular Charging Session - Identification First.

    Authorize and Preparing with the idTag; StartTransaction and Charging only with the cable.
    """
    async with bed.powered():
        await bed.configure(MeterValueSampleInterval="3600")
        await bed.authorize()
        await bed.quiet(30)
        bed.connector().plug_in()
        await bed.begin(reservationId=ABSENT)


async def test_tc_004_2_connection_time_out(bed, autojump_clock):
    """Regular Charging Session - Identification First - ConnectionTimeOut.

    Available again exactly ConnectionTimeOut after Preparing.
    """
    async with bed.powered():
        await bed.configure(ConnectionTimeOut="30")
        bed.swipe()
        await bed.expect(message("Authorize"))
        (preparing,) = await bed.expect(status("Preparing"))
        (available,) = await bed.expect(status("Available"), within_s=40)
        assert seconds_between(preparing, available) == 30


async def disconnect_at_the_vehicle(bed, connector=1):
    """Take the plug out of the vehicle; the transaction ends."""
    transaction_id = await bed.charge(connector=connector)
    bed.connector(connector).unplug("vehicle")
    await bed.expect(
        message("StopTransaction", transactionId=transaction_id, reason="EVDisconnected", idTag=ABSENT),
        status("Finishing" if connector == 1 else {"Finishing", "Available"}, connector),
    )


async def test_tc_005_1_stops_and_unlocks(bed, autojump_clock):
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = true.

    StopTransaction with EVDisconnected and Finishing in either order; the cable can be taken, then Available.
    """
    async with bed.powered():
        await bed.configure(
            MinimumStatusDuration="0",
            StopTransactionOnEVSideDisconnect="true",
            UnlockConnectorOnEVSideDisconnect="true",
        )
        await disconnect_at_the_vehicle(bed)
        await bed.quiet(1)
        bed.connector().unplug("station")
        await bed.expect(status("Available"))


@pytest.mark.parametrize("connector", [1, 2], ids=["detachable", "tethered"])
async def test_tc_005_2_stops_and_stays_locked(bed, autojump_clock, connector):
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = false.

    As 005_1, but a detachable cable stays locked until UnlockConnector; a fixed one answers NotSupported.
    """
    async with bed.powered():
        await bed.configure(
            MinimumStatusDuration="0",
            StopTransactionOnEVSideDisconnect="true",
            UnlockConnectorOnEVSideDisconnect="false",
        )
        await disconnect_at_the_vehicle(bed, connector)
        await bed.quiet(10)
        unlock = UnlockConnector(connector_id=connector)
        if connector == 2:
            assert await bed.status_of(unlock) == "NotSupported"
            return
        assert bed.connector().state().locked
        assert await bed.status_of(unlock) == "Unlocked"
        bed.connector().unplug("station")
        await bed.expect(status("Available"))


async def test_tc_005_3_goes_on(bed, autojump_clock):
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = false - UnlockConnectorOnEVSideDisconnect = false.

    SuspendedEV, the transaction open, until RemoteStopTransaction ends it with reason Remote.
    """
    async with bed.powered():
        await bed.configure(
            MinimumStatusDuration="0",
            StopTransactionOnEVSideDisconnect="false",
            UnlockConnectorOnEVSideDisconnect="false",
        )
        transaction_id = await bed.charge()
        bed.connector().unplug("vehicle")
        await bed.expect(status("SuspendedEV"))
        await bed.quiet(10)
        assert bed.connector().state().locked
        assert await bed.status_of(RemoteStopTransaction(transaction_id=transaction_id)) == "Accepted"
        await bed.expect(
            message("StopTransaction", transactionId=transaction_id, reason="Remote"), status("Finishing")
        )
