"""Reservations of one connector: OCPP 1.6, 3.11, 5.1 and 5.13."""

from datetime import timedelta
from typing import Literal

from engine.conformance.bed import Bed
from engine.conformance.case import case, cases
from engine.conformance.sequence import ABSENT, message, status
from engine.conformance.stimuli import PlugIn, RaiseFault, Swipe
from machines.vocabulary.ocpp import (
    CancelReservation,
    ChargePointErrorCode,
    RemoteStartTransaction,
    RemoteStopTransaction,
    ReserveNow,
)

PROFILE = "Reservation"
RESERVED, OTHER = RESERVATIONS = (7, 8)
"""The reservationIds of the cases."""
OVER_VOLTAGE = ChargePointErrorCode.OVER_VOLTAGE
EXPIRES_S = 30
WITHOUT_PROFILE = '[keys]\nSupportedFeatureProfiles = { default = ["Core"] }\n'

Use = Literal["Preparing", "Charging", "Finishing", "Reserved"]
USES: dict[str, Use] = {
    "preparing": "Preparing",
    "charging": "Charging",
    "finishing": "Finishing",
    "reserved": "Reserved",
}


def reserve_now(
    bed: Bed, seconds: float = 600, parent: str | None = None, reservation_id: int = RESERVED
) -> ReserveNow:
    """A request to keep connector 1 for HOLDER."""
    return ReserveNow(
        connector_id=1,
        expiry_date=bed.now() + timedelta(seconds=seconds),
        id_tag="HOLDER",
        reservation_id=reservation_id,
        parent_id_tag=parent,
    )


async def reserve(bed: Bed, seconds: float = 600, parent: str | None = None) -> None:
    """Keep connector 1 for HOLDER; the others are out of service."""
    for connector in bed.every[1:]:
        await bed.withdraw(connector)
    await bed.ask(reserve_now(bed, seconds, parent), "Accepted")
    await bed.expect(status("Reserved"))


@case("046_1", PROFILE, needs=(PlugIn, Swipe), cards=("FOREIGN", "HOLDER"), lasts_s=20)
async def local_start(bed: Bed) -> None:
    """Reservation of a Connector - Local Start Transaction.

    A foreign idTag does not even cause Authorize; the reserved one starts, with the reservationId.
    """
    await reserve(bed)
    await bed.swipe("FOREIGN")
    await bed.quiet(10)
    await bed.swipe("HOLDER")
    await bed.expect(status("Preparing"), optional=[message("Authorize", idTag="HOLDER")])
    await bed.plug_in()
    await bed.begin("HOLDER", reservationId=RESERVED)


@case("046_2", PROFILE, needs=(PlugIn,))
async def remote_start(bed: Bed) -> None:
    """Reservation of a Connector - Remote Start Transaction.

    A remote start of a foreign idTag is Rejected; that of the reserved one starts, with the reservationId.
    """
    await reserve(bed)
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="FOREIGN"), "Rejected")
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="HOLDER"), "Accepted")
    await bed.expect(status("Preparing"), optional=[message("Authorize", idTag="HOLDER")])
    await bed.plug_in()
    await bed.begin("HOLDER", reservationId=RESERVED)


@case("047", PROFILE, needs=(PlugIn, Swipe), cards=("OTHER",), lasts_s=40)
async def expires(bed: Bed) -> None:
    """Reservation of a Connector - Expire.

    Available at the expiry date; then another idTag charges, without reservationId.
    """
    expiry = bed.now() + timedelta(seconds=EXPIRES_S)
    await reserve(bed, seconds=EXPIRES_S)
    (available,) = await bed.expect(status("Available"), within_s=2 * EXPIRES_S)
    late_s = (available.time - expiry).total_seconds()
    bed.check(
        -bed.tolerance_s <= late_s < 1 + bed.tolerance_s, True, f"whether it expired in time ({late_s} s),"
    )
    await bed.authorize("OTHER")
    await bed.plug_in()
    await bed.begin("OTHER", reservationId=ABSENT)


@case("048_1", PROFILE, needs=(RaiseFault,), lasts_s=5)
async def faulted(bed: Bed) -> None:
    """Reservation of a Connector - Faulted.

    ReserveNow is answered Faulted.
    """
    await bed.raise_fault(OVER_VOLTAGE)
    await bed.expect(status("Faulted", error_code="OverVoltage"))
    await bed.ask(reserve_now(bed), "Faulted")


@cases("048_2", PROFILE, USES, needs=(PlugIn, Swipe))
async def occupied(bed: Bed, use: Use) -> None:
    """Reservation of a Connector - Occupied.

    ReserveNow is answered Occupied, whatever the use is.
    """
    match use:
        case "Reserved":
            await bed.ask(reserve_now(bed), "Accepted")
            await bed.expect(status("Reserved"))
        case "Preparing":
            await bed.plug_in()
            await bed.expect(status("Preparing"))
        case "Charging" | "Finishing":
            transaction_id = await bed.charge()
    if use == "Finishing":
        await bed.ask(RemoteStopTransaction(transaction_id=transaction_id), "Accepted")
        await bed.expect(message("StopTransaction", reason="Remote"), status("Finishing"))
    await bed.ask(reserve_now(bed, reservation_id=OTHER), "Occupied")


@case("048_3", PROFILE, lasts_s=5)
async def unavailable(bed: Bed) -> None:
    """Reservation of a Connector - Unavailable.

    ReserveNow is answered Unavailable.
    """
    await bed.withdraw(1)
    await bed.ask(reserve_now(bed), "Unavailable")


@case("048_4", PROFILE, is_announced=False, declares=WITHOUT_PROFILE, lasts_s=5)
async def rejected(bed: Bed) -> None:
    """Reservation of a Connector - Rejected.

    A station that does not announce the profile Reservation answers Rejected.
    """
    await bed.ask(reserve_now(bed), "Rejected")


@case("051", PROFILE, needs=(PlugIn, Swipe), cards=("OTHER",))
async def cancel(bed: Bed) -> None:
    """Cancel Reservation.

    Accepted, and Available; then another idTag charges, without reservationId.
    """
    await reserve(bed)
    await bed.ask(CancelReservation(reservation_id=RESERVED), "Accepted")
    await bed.expect(status("Available"))
    await bed.authorize("OTHER")
    await bed.plug_in()
    await bed.begin("OTHER", reservationId=ABSENT)


@case("052", PROFILE, lasts_s=15)
async def cancel_unknown(bed: Bed) -> None:
    """Cancel Reservation - Rejected.

    An unknown reservationId is Rejected, and the reservation stands.
    """
    await reserve(bed)
    await bed.ask(CancelReservation(reservation_id=OTHER), "Rejected")
    await bed.quiet(10)


@case("053_1", PROFILE, needs=(PlugIn, Swipe), cards=("MEMBER",))
async def parent_local(bed: Bed) -> None:
    """Use a Reserved Connector with ParentIdTag - Local.

    Another idTag of the group is asked for with Authorize, and starts with the reservationId.
    """
    bed.know("MEMBER", parent="GROUP")
    await reserve(bed, parent="GROUP")
    await bed.authorize("MEMBER")
    await bed.plug_in()
    await bed.begin("MEMBER", reservationId=RESERVED)


@case("053_2", PROFILE, needs=(PlugIn,), keys={"AuthorizeRemoteTxRequests": "true"})
async def parent_remote(bed: Bed) -> None:
    """Use a Reserved Connector with ParentIdTag - Remote.

    As 053_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    bed.know("MEMBER", parent="GROUP")
    await reserve(bed, parent="GROUP")
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="MEMBER"), "Accepted")
    await bed.expect(message("Authorize", idTag="MEMBER"))
    await bed.expect(status("Preparing"))
    await bed.plug_in()
    await bed.begin("MEMBER", reservationId=RESERVED)
