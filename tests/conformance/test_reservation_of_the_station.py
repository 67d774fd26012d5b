"""Reservations of the whole charge point: facts 7, connectorId 0."""

from datetime import timedelta

import pytest

from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability, ReserveNow
from tests.conformance.bed import Bed
from tests.conformance.sequence import message, status

PROFILE = "Reservation"
RESERVED = 7
"""The reservationId."""

ONE_CONNECTOR = """
extends = "full"
[[connectors]]
number = 1
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "simulated"
[[readers]]
driver = "simulated"
connectors = [1]
[keys]
ConnectorPhaseRotation = { default = ["0.RST", "1.RST"] }
"""


def reserve_now(bed):
    """A request to keep a connector, any, for HOLDER."""
    expiry = bed.now() + timedelta(hours=1)
    return ReserveNow(connector_id=0, expiry_date=expiry, id_tag="HOLDER", reservation_id=RESERVED)


async def test_tc_049_transaction(tmp_path, autojump_clock):
    """Reservation of a Charge Point - Transaction.

    With one connector that shows Reserved; only the reserved idTag charges, with the reservationId.
    """
    file = tmp_path / "one.toml"
    file.write_text(ONE_CONNECTOR)
    bed = Bed(tmp_path, str(file))
    async with bed.powered():
        assert await bed.value_of("ReserveConnectorZeroSupported") == "true"
        assert await bed.status_of(reserve_now(bed)) == "Accepted"
        await bed.expect(status("Reserved"))
        bed.swipe("FOREIGN")
        await bed.quiet(10)
        bed.swipe("HOLDER")
        await bed.expect(status("Preparing"), optional=[message("Authorize", idTag="HOLDER")])
        bed.connector().plug_in()
        await bed.begin("HOLDER", reservationId=RESERVED)


async def test_tc_050_1_faulted(bed, autojump_clock):
    """Reservation of a Charge Point - Faulted.

    No connector but faulted ones: Faulted.
    """
    async with bed.powered():
        for number in (1, 2):
            bed.connector(number).raise_fault(HardwareFault.OVER_VOLTAGE)
            await bed.expect(status("Faulted", number, "OverVoltage"))
        assert await bed.status_of(reserve_now(bed)) == "Faulted"


@pytest.mark.parametrize("use", ["Preparing", "Charging"])
async def test_tc_050_2_occupied(bed, autojump_clock, use):
    """Reservation of a Charge Point - Occupied.

    No connector but those in use: Occupied.
    """
    async with bed.powered():
        for number in (1, 2):
            if use == "Charging":
                await bed.charge(f"CARD-{number}", number)
            else:
                bed.connector(number).plug_in()
                await bed.expect(status("Preparing", number))
        assert await bed.status_of(reserve_now(bed)) == "Occupied"


async def test_tc_050_3_unavailable(bed, autojump_clock):
    """Reservation of a Charge Point - Unavailable.

    The charge point is out of service: Unavailable.
    """
    async with bed.powered():
        request = ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE)
        assert await bed.status_of(request) == "Accepted"
        await bed.expect(*(status("Unavailable", n) for n in range(3)))
        assert await bed.status_of(reserve_now(bed)) == "Unavailable"


async def test_tc_050_4_rejected(bed, autojump_clock):
    """Reservation of a Charge Point - Rejected.

    ReserveConnectorZeroSupported is false: Rejected.
    """
    bed.declare(reserve_connector_zero_supported=False)
    async with bed.powered():
        assert await bed.value_of("ReserveConnectorZeroSupported") == "false"
        assert await bed.status_of(reserve_now(bed)) == "Rejected"
