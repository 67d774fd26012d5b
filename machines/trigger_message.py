"""TriggerMessage: the Central System asks for a message now, and gets it after the answer.

OCPP 1.6 edition 2: 5.17 Trigger Message; facts 6. Served while Accepted and while Pending: what was asked for may be
sent although the charge point is not accepted yet (4.2.1). The machine that usually sends the message sends it.
"""

from typing import ClassVar

from machines.facts import Facts
from machines.machine import Machine, NoData, State, when
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import (
    BootNotificationTriggered,
    DiagnosticsStatusTriggered,
    FirmwareStatusTriggered,
    HeartbeatTriggered,
    MeterValuesTriggered,
    StatusTriggered,
)
from machines.vocabulary.ocpp import (
    MessageTrigger,
    TriggerMessageConf,
    TriggerMessageStatus,
    TriggerUnknownMessage,
)
from machines.vocabulary.ocpp import TriggerMessage as TriggerRequest


class TriggerMessage(Machine[NoData, Facts]):
    """Messages on demand."""

    messages = (TriggerRequest, TriggerUnknownMessage)

    ready = State("Ready", value="ready", initial=True)

    # fmt: off
    ready.to(ready, event=when(TriggerUnknownMessage, "decision TM1: NotImplemented, no such message"),                                                                 on="refuse_unknown")
    ready.to(ready, event=when(TriggerRequest,        "5.17 NotImplemented: not offered"),        unless="is_offered",                                                 on="refuse_unknown")
    ready.to(ready, event=when(TriggerRequest,        "5.17 Rejected: no such connector"),        cond="is_offered", unless=["is_boot", "is_in_range"],                on="reject")
    ready.to(ready, event=when(TriggerRequest,        "decision TM2: Rejected, accepted already"), cond=["is_offered", "is_boot"], unless="is_pending",                 on="reject")
    ready.to(ready, event=when(TriggerRequest,        "4.2.1 the retry comes at once"),           cond=["is_offered", "is_boot", "is_pending"],                        on="boot")
    ready.to(ready, event=when(TriggerRequest,        "5.17 Heartbeat"),                          cond=["is_offered", "is_in_range", "is_heartbeat"],                  on="beat")
    ready.to(ready, event=when(TriggerRequest,        "5.17 StatusNotification"),                 cond=["is_offered", "is_in_range", "is_status"],                     on="report_status")
    ready.to(ready, event=when(TriggerRequest,        "5.17 MeterValues"),                        cond=["is_offered", "is_in_range", "is_meter_values"],               on="report_values")
    ready.to(ready, event=when(TriggerRequest,        "5.17 DiagnosticsStatusNotification"),      cond=["is_offered", "is_in_range", "is_diagnostics"],                on="report_diagnostics")
    ready.to(ready, event=when(TriggerRequest,        "5.17 FirmwareStatusNotification"),         cond=["is_offered", "is_in_range", "is_firmware"],                   on="report_firmware")
    # fmt: on

    exclusive = (
        ("is_boot", "is_heartbeat", "is_status", "is_meter_values", "is_diagnostics", "is_firmware"),
    )
    impossible: ClassVar = {}

    # Guards

    def is_offered(self, request: TriggerRequest) -> bool:
        return request.requested_message.value in self.facts.settings.sends

    def is_pending(self) -> bool:
        return self.facts.is_pending

    def is_in_range(self, request: TriggerRequest) -> bool:
        # Where a connector means nothing it is ignored (5.17). There is no meter but those of the connectors.
        first = {MessageTrigger.STATUS_NOTIFICATION: 0, MessageTrigger.METER_VALUES: 1}
        number = request.connector_id
        if number is None or request.requested_message not in first:
            return True
        return first[request.requested_message] <= number <= len(self.facts.settings.connectors)

    def is_boot(self, request: TriggerRequest) -> bool:
        return request.requested_message is MessageTrigger.BOOT_NOTIFICATION

    def is_heartbeat(self, request: TriggerRequest) -> bool:
        return request.requested_message is MessageTrigger.HEARTBEAT

    def is_status(self, request: TriggerRequest) -> bool:
        return request.requested_message is MessageTrigger.STATUS_NOTIFICATION

    def is_meter_values(self, request: TriggerRequest) -> bool:
        return request.requested_message is MessageTrigger.METER_VALUES

    def is_diagnostics(self, request: TriggerRequest) -> bool:
        return request.requested_message is MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION

    def is_firmware(self, request: TriggerRequest) -> bool:
        return request.requested_message is MessageTrigger.FIRMWARE_STATUS_NOTIFICATION

    # Actions

    def refuse_unknown(self) -> None:
        self._answer(TriggerMessageStatus.NOT_IMPLEMENTED)

    def reject(self) -> None:
        self._answer(TriggerMessageStatus.REJECTED)

    def boot(self) -> None:
        self._answer(TriggerMessageStatus.ACCEPTED)
        self.emit(BootNotificationTriggered())

    def beat(self) -> None:
        self._answer(TriggerMessageStatus.ACCEPTED)
        self.emit(HeartbeatTriggered())

    def report_status(self, request: TriggerRequest) -> None:
        self._answer(TriggerMessageStatus.ACCEPTED)
        self.emit(StatusTriggered(request.connector_id))

    def report_values(self, request: TriggerRequest) -> None:
        self._answer(TriggerMessageStatus.ACCEPTED)
        self.emit(MeterValuesTriggered(request.connector_id))

    def report_diagnostics(self) -> None:
        self._answer(TriggerMessageStatus.ACCEPTED)
        self.emit(DiagnosticsStatusTriggered())

    def report_firmware(self) -> None:
        self._answer(TriggerMessageStatus.ACCEPTED)
        self.emit(FirmwareStatusTriggered())

    def _answer(self, status: TriggerMessageStatus) -> None:
        self.emit(Answer(TriggerMessageConf(status=status)))
