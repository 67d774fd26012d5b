"""TriggerMessage: OCPP 1.6, 5.17."""

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import message, status
from machines.vocabulary.ocpp import MessageTrigger, TriggerMessage
from machines.vocabulary.wire import ErrorCode

PROFILE = "RemoteTrigger"
OF_FIRMWARE = {
    MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION: "DiagnosticsStatusNotification",
    MessageTrigger.FIRMWARE_STATUS_NOTIFICATION: "FirmwareStatusNotification",
}


async def trigger(
    bed: Bed, requested: MessageTrigger, connector: int | None = None, answer: str = "Accepted"
) -> None:
    """Ask for a message."""
    await bed.ask(TriggerMessage(requested_message=requested, connector_id=connector), answer)


@case("054", PROFILE, lasts_s=5)
async def trigger_message(bed: Bed) -> None:
    """Trigger Message.

    Each is Accepted, then sent: MeterValues with context Trigger, the two of the firmware profile Idle, or
    NotImplemented where that profile is not announced.
    """
    measurands = [each.strip() for each in (await bed.value_of("MeterValuesSampledData")).split(",")]
    await trigger(bed, MessageTrigger.METER_VALUES, 1)
    (values,) = await bed.expect(message("MeterValues", connectorId=1))
    await trigger(bed, MessageTrigger.HEARTBEAT)
    await bed.expect(message("Heartbeat"))
    await trigger(bed, MessageTrigger.STATUS_NOTIFICATION, 1)
    await bed.expect(status("Available"))
    for requested, action in OF_FIRMWARE.items():
        if "FirmwareManagement" in bed.declared.profiles:
            await trigger(bed, requested)
            await bed.expect(message(action, status="Idle"))
        else:
            await trigger(bed, requested, answer="NotImplemented")

    sampled = values.payload["meterValue"][0]["sampledValue"]
    bed.check({one.get("context") for one in sampled} == {"Trigger"}, True, "whether the context is Trigger")
    found = sorted({one.get("measurand", "Energy.Active.Import.Register") for one in sampled})
    bed.check(
        found, sorted(filter(None, measurands)) or ["Energy.Active.Import.Register"], "what is measured"
    )
    bed.check("transactionId" in values.payload, False, "whether there is a transactionId")


@case("054", PROFILE, variant="every-connector", lasts_s=5)
async def trigger_every_connector(bed: Bed) -> None:
    """Trigger Message.

    Without connectorId a status for connector 0 and each connector, and meter values for each.
    """
    await trigger(bed, MessageTrigger.STATUS_NOTIFICATION)
    await bed.expect(*(status("Available", connector) for connector in (0, *bed.every)))
    await trigger(bed, MessageTrigger.METER_VALUES)
    await bed.expect(
        *(message("MeterValues", connectorId=connector) for connector in bed.every),
        optional=[message("MeterValues", connectorId=0)],
    )
    await bed.quiet(1, [message("MeterValues", connectorId=0)])


@case("055", PROFILE, lasts_s=15)
async def rejected(bed: Bed) -> None:
    """Trigger Message - Rejected.

    Of a connector that is not there: Rejected or a CALLERROR, and nothing is sent.
    """
    request = TriggerMessage(requested_message=MessageTrigger.METER_VALUES, connector_id=bed.connectors + 1)
    await bed.ask(request, "Rejected", *ErrorCode)
    await bed.quiet(10)
