"""Charging sessions begun and ended at the station: OCPP 1.6, 4.8 to 4.10."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import ABSENT, message, status
from engine.conformance.stimuli import PlugIn, Swipe, Unplug
from machines.vocabulary.ocpp import RemoteStopTransaction, UnlockConnector

PROFILE = "Core"
TIME_OUT_S = 15
STOPS = {"StopTransactionOnEVSideDisconnect": "true"}
GOES_ON = {"StopTransactionOnEVSideDisconnect": "false", "UnlockConnectorOnEVSideDisconnect": "false"}
UNLOCKS = {**STOPS, "UnlockConnectorOnEVSideDisconnect": "true"}
STAYS_LOCKED = {**STOPS, "UnlockConnectorOnEVSideDisconnect": "false"}
NEEDS = (PlugIn, Swipe, Unplug)


@case("003", PROFILE, needs=(PlugIn, Swipe))
async def plug_in_first(bed: Bed) -> None:
    """Regular Charging Session - Plugin First.

    Preparing with the cable, Authorize with the idTag, then StartTransaction and Charging in either order.
    """
    await bed.plug_in()
    await bed.expect(status("Preparing"))
    await bed.swipe()
    await bed.expect(message("Authorize", idTag="CARD"))
    await bed.begin(reservationId=ABSENT)


@case("004_1", PROFILE, needs=(PlugIn, Swipe), keys={"MeterValueSampleInterval": "3600"}, lasts_s=20)
async def identification_first(bed: Bed) -> None:
    """Regular Charging Session - Identification First.

    Authorize and Preparing with the idTag; StartTransaction and Charging only with the cable.
    """
    await bed.authorize()
    await bed.quiet(10)
    await bed.plug_in()
    await bed.begin(reservationId=ABSENT)


@case("004_2", PROFILE, needs=(Swipe,), keys={"ConnectionTimeOut": str(TIME_OUT_S)}, lasts_s=20)
async def connection_time_out(bed: Bed) -> None:
    """Regular Charging Session - Identification First - ConnectionTimeOut.

    Available again exactly ConnectionTimeOut after Preparing.
    """
    await bed.swipe()
    await bed.expect(message("Authorize"))
    (preparing,) = await bed.expect(status("Preparing"))
    (available,) = await bed.expect(status("Available"), within_s=2 * TIME_OUT_S)
    bed.check_gap(preparing, available, TIME_OUT_S)


async def disconnect_at_the_vehicle(bed: Bed, connector: int, *, is_tethered: bool = False) -> None:
    """Take the plug out of the vehicle; the transaction ends."""
    transaction_id = await bed.charge(connector=connector)
    await bed.unplug(connector, "vehicle")
    await bed.expect(
        message("StopTransaction", transactionId=transaction_id, reason="EVDisconnected", idTag=ABSENT),
        status({"Finishing", "Available"} if is_tethered else "Finishing", connector),
    )


@case("005_1", PROFILE, needs=NEEDS, keys=UNLOCKS)
async def stops_and_unlocks(bed: Bed) -> None:
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = true.

    StopTransaction with EVDisconnected and Finishing in either order; the cable can be taken, then Available.
    """
    connector = await bed.socket()
    await bed.prefer(MinimumStatusDuration="0")
    await disconnect_at_the_vehicle(bed, connector)
    await bed.quiet(1)
    await bed.check_locked(connector, is_locked=False)
    await bed.unplug(connector, "station")
    await bed.expect(status("Available", connector))


@case("005_2", PROFILE, variant="detachable", needs=NEEDS, keys=STAYS_LOCKED, lasts_s=20)
async def stops_and_stays_locked(bed: Bed) -> None:
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = false.

    As 005_1, but the cable stays locked until UnlockConnector.
    """
    connector = await bed.socket()
    await bed.prefer(MinimumStatusDuration="0")
    await disconnect_at_the_vehicle(bed, connector)
    await bed.quiet(10)
    await bed.check_locked(connector, is_locked=True)
    await bed.ask(UnlockConnector(connector_id=connector), "Unlocked")
    await bed.unplug(connector, "station")
    await bed.expect(status("Available", connector))


@case("005_2", PROFILE, variant="tethered", needs=NEEDS, keys=STOPS, lasts_s=15)
async def stops_tethered(bed: Bed) -> None:
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = true - UnlockConnectorOnEVSideDisconnect = false.

    A fixed cable: UnlockConnector is answered NotSupported.
    """
    connector = bed.tethered()
    await bed.prefer(MinimumStatusDuration="0", UnlockConnectorOnEVSideDisconnect="false")
    await disconnect_at_the_vehicle(bed, connector, is_tethered=True)
    await bed.quiet(10, [status("Available", connector)])
    await bed.ask(UnlockConnector(connector_id=connector), "NotSupported")


@case("005_3", PROFILE, needs=NEEDS, keys=GOES_ON, lasts_s=20)
async def goes_on(bed: Bed) -> None:
    """EV Side Disconnected - StopTransactionOnEVSideDisconnect = false - UnlockConnectorOnEVSideDisconnect = false.

    SuspendedEV, the transaction open, until RemoteStopTransaction ends it with reason Remote.
    """
    await bed.prefer(MinimumStatusDuration="0")
    transaction_id = await bed.charge()
    await bed.unplug(1, "vehicle")
    await bed.expect(status("SuspendedEV"))
    await bed.quiet(10)
    await bed.check_locked(1, is_locked=True)
    await bed.ask(RemoteStopTransaction(transaction_id=transaction_id), "Accepted")
    stop = message("StopTransaction", transactionId=transaction_id, reason="Remote")
    await bed.expect(stop, status("Finishing"))
