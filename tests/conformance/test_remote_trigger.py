"""TriggerMessage: facts 6."""

from machines.vocabulary.ocpp import MessageTrigger, TriggerMessage
from tests.conformance.sequence import message, status

PROFILE = "RemoteTrigger"


async def trigger(bed, requested, connector=None):
    """What TriggerMessage is answered."""
    return await bed.status_of(TriggerMessage(requested_message=requested, connector_id=connector))


async def test_tc_054_trigger_message(bed, autojump_clock):
    """Trigger Message.

    Each is Accepted, then sent: MeterValues with context Trigger, the two of the firmware profile Idle.
    """
    async with bed.powered():
        measurands = (await bed.value_of("MeterValuesSampledData")).split(",")
        assert await trigger(bed, MessageTrigger.METER_VALUES, 1) == "Accepted"
        (values,) = await bed.expect(message("MeterValues", connectorId=1))
        assert await trigger(bed, MessageTrigger.HEARTBEAT) == "Accepted"
        await bed.expect(message("Heartbeat"))
        assert await trigger(bed, MessageTrigger.STATUS_NOTIFICATION, 1) == "Accepted"
        await bed.expect(status("Available"))
        assert await trigger(bed, MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION) == "Accepted"
        await bed.expect(message("DiagnosticsStatusNotification", status="Idle"))
        assert await trigger(bed, MessageTrigger.FIRMWARE_STATUS_NOTIFICATION) == "Accepted"
        await bed.expect(message("FirmwareStatusNotification", status="Idle"))

    (value,) = values.payload["meterValue"]
    assert {one["context"] for one in value["sampledValue"]} == {"Trigger"}
    assert {one["measurand"] for one in value["sampledValue"]} == set(measurands)
    assert "transactionId" not in values.payload


async def test_tc_054_trigger_every_connector(bed, autojump_clock):
    """Trigger Message.

    Without connectorId a status for connector 0 and each connector, and meter values for each.
    """
    async with bed.powered():
        assert await trigger(bed, MessageTrigger.STATUS_NOTIFICATION) == "Accepted"
        await bed.expect(*(status("Available", n) for n in range(3)))
        assert await trigger(bed, MessageTrigger.METER_VALUES) == "Accepted"
        await bed.expect(
            message("MeterValues", connectorId=1),
            message("MeterValues", connectorId=2),
            optional=[message("MeterValues", connectorId=0)],
        )


async def test_tc_055_rejected(bed, autojump_clock):
    """Trigger Message - Rejected.

    Of a connector that is not there: Rejected, and nothing is sent.
    """
    async with bed.powered():
        beyond = int(await bed.value_of("NumberOfConnectors")) + 1
        answer = await trigger(bed, MessageTrigger.METER_VALUES, beyond)
        assert answer in {"Rejected", "PropertyConstraintViolation"}
        await bed.quiet(30)
