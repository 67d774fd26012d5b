"""DataTransfer to the station: OCPP 1.6, 5.6."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import ABSENT
from machines.vocabulary.ocpp import DataTransfer, DataTransferConf

PROFILE = "Core"


@case("062", PROFILE, lasts_s=5)
async def data_transfer(bed: Bed) -> None:
    """Data Transfer to a Charge Point.

    Of a vendor that nobody knows: Rejected, UnknownVendorId or UnknownMessageId, without data.
    """
    answer = await bed.request(DataTransfer(vendor_id="org.example.nobody", message_id="1", data="x"))
    if not isinstance(answer, DataTransferConf):
        raise bed.sequence.deviation(f"DataTransfer is answered {answer}", "a status")
    bed.check(str(answer.status), {"Rejected", "UnknownVendorId", "UnknownMessageId"}, "the status")
    bed.check(answer.data, ABSENT, "the data")
