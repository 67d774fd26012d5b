"""Reservations of one connector: facts 7."""

from datetime import timedelta

import pytest

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import CancelReservation, RemoteStartTransaction, ReserveNow
from tests.conformance.bed import Bed
from tests.conformance.sequence import ABSENT, message, status

PROFILE = "Reservation"
RESERVED = 7
"""The reservationId."""


def reserve_now(bed, connector=1, seconds=600, parent=None, id_tag="HOLDER"):
    """A request to keep a connector for HOLDER."""
    return ReserveNow(
        connector_id=connector,
        expiry_date=bed.now() + timedelta(seconds=seconds),
        id_tag=id_tag,
        reservation_id=RESERVED,
        parent_id_tag=parent,
    )


async def reserve(bed, **how):
    """Keep connector 1 for HOLDER; the other one is out of service."""
    await bed.withdraw(2)
    assert await bed.status_of(reserve_now(bed, **how)) == "Accepted"
    await bed.expect(status("Reserved"))


async def test_tc_046_1_local_start(bed, autojump_clock):
    """Reservation of a Connector - Local Start Transaction.

    A foreign idTag does not even cause Authorize; the reserved one starts, with the reservationId.
    """
    async with bed.powered():
        await reserve(bed)
        bed.swipe("FOREIGN")
        await bed.quiet(10)
        bed.swipe("HOLDER")
        await bed.expect(status("Preparing"), optional=[message("Authorize", idTag="HOLDER")])
        bed.connector().plug_in()
        await bed.begin("HOLDER", reservationId=RESERVED)


async def test_tc_046_2_remote_start(bed, autojump_clock):
    """Reservation of a Connector - Remote Start Transaction.

    A remote start of a foreign idTag is Rejected; that of the reserved one starts, with the reservationId.
    """
    async with bed.powered():
        await reserve(bed)
        foreign = RemoteStartTransaction(connector_id=1, id_tag="FOREIGN")
        assert await bed.status_of(foreign) == "Rejected"
        holder = RemoteStartTransaction(connector_id=1, id_tag="HOLDER")
        assert await bed.status_of(holder) == "Accepted"
        await bed.expect(status("Preparing"), optional=[message("Authorize", idTag="HOLDER")])
        bed.connector().plug_in()
        await bed.begin("HOLDER", reservationId=RESERVED)


async def test_tc_047_expires(bed, autojump_clock):
    """Reservation of a Connector - Expire.

    Available at the expiry date; then another idTag charges, without reservationId.
    """
    async with bed.powered():
        expires = bed.now() + timedelta(seconds=120)
        await reserve(bed, seconds=120)
        (available,) = await bed.expect(status("Available"), within_s=130)
        assert 0 <= (available.time - expires).total_seconds() < 1
        await bed.authorize("OTHER")
        bed.connector().plug_in()
        await bed.begin("OTHER", reservationId=ABSENT)


async def test_tc_048_1_faulted(bed, autojump_clock):
    """Reservation of a Connector - Faulted.

    ReserveNow is answered Faulted.
    """
    async with bed.powered():
        bed.connector().raise_fault(HardwareFault.OVER_VOLTAGE)
        await bed.expect(status("Faulted", error_code="OverVoltage"))
        assert await bed.status_of(reserve_now(bed)) == "Faulted"


@pytest.mark.parametrize("use", ["Preparing", "Charging", "Finishing", "Reserved"])
async def test_tc_048_2_occupied(bed, autojump_clock, use):
    """Reservation of a Connector - Occupied.

    ReserveNow is answered Occupied, whatever the use is.
    """
    async with bed.powered():
        if use == "Reserved":
            assert await bed.status_of(reserve_now(bed)) == "Accepted"
            await bed.expect(status("Reserved"))
        elif use == "Charging":
            await bed.charge()
        else:
            bed.connector().plug_in()
            await bed.expect(status("Preparing"))
        if use == "Finishing":
            await bed.expect(status("Finishing"), within_s=70)
        again = ReserveNow(
            connector_id=1, expiry_date=bed.now() + timedelta(hours=1), id_tag="LATER", reservation_id=8
        )
        assert await bed.status_of(again) == "Occupied"


async def test_tc_048_3_unavailable(bed, autojump_clock):
    """Reservation of a Connector - Unavailable.

    ReserveNow is answered Unavailable.
    """
    async with bed.powered():
        await bed.withdraw(1)
        assert await bed.status_of(reserve_now(bed)) == "Unavailable"


async def test_tc_048_4_rejected(tmp_path, autojump_clock):
    """Reservation of a Connector - Rejected.

    A station that does not announce the profile Reservation answers Rejected.
    """
    file = tmp_path / "unreserved.toml"
    file.write_text('extends = "full"\n[keys]\nSupportedFeatureProfiles = { default = ["Core"] }\n')
    bed = Bed(tmp_path, str(file))
    async with bed.powered():
        assert await bed.status_of(reserve_now(bed)) == "Rejected"


async def test_tc_051_cancel(bed, autojump_clock):
    """Cancel Reservation.

    Accepted, and Available; then another idTag charges, without reservationId.
    """
    async with bed.powered():
        await reserve(bed)
        assert await bed.status_of(CancelReservation(reservation_id=RESERVED)) == "Accepted"
        await bed.expect(status("Available"))
        await bed.authorize("OTHER")
        bed.connector().plug_in()
        await bed.begin("OTHER", reservationId=ABSENT)


async def test_tc_052_cancel_unknown(bed, autojump_clock):
    """Cancel Reservation - Rejected.

    An unknown reservationId is Rejected, and the reservation stands.
    """
    async with bed.powered():
        await reserve(bed)
        assert await bed.status_of(CancelReservation(reservation_id=RESERVED + 1)) == "Rejected"
        await bed.quiet(10)


async def test_tc_053_1_parent_local(bed, autojump_clock):
    """Use a Reserved Connector with ParentIdTag - Local.

    Another idTag of the group is asked for with Authorize, and starts with the reservationId.
    """
    bed.know("MEMBER", parent="GROUP")
    async with bed.powered():
        await reserve(bed, parent="GROUP")
        await bed.authorize("MEMBER")
        bed.connector().plug_in()
        await bed.begin("MEMBER", reservationId=RESERVED)


async def test_tc_053_2_parent_remote(bed, autojump_clock):
    """Use a Reserved Connector with ParentIdTag - Remote.

    As 053_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    bed.know("MEMBER", parent="GROUP")
    async with bed.powered():
        await bed.configure(AuthorizeRemoteTxRequests="true")
        await reserve(bed, parent="GROUP")
        member = RemoteStartTransaction(connector_id=1, id_tag="MEMBER")
        assert await bed.status_of(member) == "Accepted"
        await bed.expect(message("Authorize", idTag="MEMBER"))
        await bed.expect(status("Preparing"))
        bed.connector().plug_in()
        await bed.begin("MEMBER", reservationId=RESERVED)
