"""DataTransfer to the station: facts 6."""

from machines.vocabulary.ocpp import DataTransfer
from tests.conformance.sequence import ABSENT

PROFILE = "Core"


async def test_tc_062_data_transfer(bed, autojump_clock):
    """Data Transfer to a Charge Point.

    Of a vendor that nobody knows: UnknownVendorId, without data.
    """
    async with bed.powered():
        request = DataTransfer(vendor_id="org.example.nobody", message_id="1", data="x")
        answer = await bed.request(request)
        assert (answer.status, answer.data) == ("UnknownVendorId", ABSENT)
