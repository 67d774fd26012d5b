"""Diagnostics: GetDiagnostics.req is answered with the name of a file, and the file is uploaded.

OCPP 1.6 edition 2: 6.9 Get Diagnostics, 4.4 Diagnostics Status Notification; facts 10.1. One upload at a time; it goes
on after a restart, with the same name.
"""

from datetime import datetime
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Call, StartTimer
from machines.vocabulary.notices import DiagnosticsStatusChanged, DiagnosticsStatusTriggered
from machines.vocabulary.ocpp import (
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    DiagnosticsStatusNotificationConf,
    GetDiagnostics,
    GetDiagnosticsConf,
)
from machines.vocabulary.posix import utc_of
from machines.vocabulary.transfers import DeliverDiagnostics, DeliveryFailed, DiagnosticsDelivered
from machines.vocabulary.wire import CallFailed

RETRY = "retry"
RETRIES_MAX = 100
"""More than that nobody means."""


class UploadDue(Struct, frozen=True):
    """The next attempt to upload."""


class DiagnosticsUploadData(Struct, frozen=True):
    """The upload that was asked for last."""

    ticket: int = 0
    location: str = ""
    file_name: str = ""
    start: datetime | None = None
    stop: datetime | None = None
    retries: int = 0
    """Attempts that are left after this one."""
    retry_interval_s: float = 0.0
    told: DiagnosticsStatus | None = None
    """The latest status of this upload; each is told once."""


class DiagnosticsUpload(Machine[DiagnosticsUploadData, Facts]):
    """An upload of diagnostics."""

    memory = DiagnosticsUploadData
    messages = (
        GetDiagnostics,
        DiagnosticsDelivered,
        DeliveryFailed,
        UploadDue,
        DiagnosticsStatusTriggered,
        DiagnosticsStatusNotificationConf,
        CallFailed,
        Resumed,
    )

    idle = State("Idle", value="idle", initial=True)
    uploading = State("Uploading", value="uploading")
    retrying = State("Retrying", value="retrying")

    # fmt: off
    idle.to(uploading,      event=when(GetDiagnostics,             "6.9 fileName"),                                  on="accept")
    uploading.to(uploading, event=when(GetDiagnostics,             "decision FU3: one at a time, no fileName"),       on="refuse")
    retrying.to(retrying,   event=when(GetDiagnostics,             "decision FU3: one at a time, no fileName"),       on="refuse")
    uploading.to(idle,      event=when(DiagnosticsDelivered,       "4.4 Uploaded"),                                  on="succeed")
    uploading.to(retrying,  event=when(DeliveryFailed,             "6.9 retries"),             cond="may_retry",     on="wait_to_retry")
    uploading.to(idle,      event=when(DeliveryFailed,             "4.4 UploadFailed"),        unless="may_retry",   on="fail")
    retrying.to(uploading,  event=when(UploadDue,                   "6.9 retryInterval"),                             on="deliver")
    # TriggerMessage
    idle.to(idle,           event=when(DiagnosticsStatusTriggered, "5.17 Idle, nothing runs"),                       on="tell_idle")
    uploading.to(uploading, event=when(DiagnosticsStatusTriggered, "5.17 the present status"),                       on="tell_again")
    retrying.to(retrying,   event=when(DiagnosticsStatusTriggered, "5.17 the present status"),                       on="tell_again")
    # After a restart
    idle.to(idle,           event=when(Resumed,                    "6.9 nothing was under way"), cond="was_idle",    on="recall")
    idle.to(uploading,      event=when(Resumed,                    "6.9 the upload begins again"), unless="was_idle", on="recall_and_deliver")
    # fmt: on

    stays(DiagnosticsStatusNotificationConf, "5.17 it arrived", idle, uploading, retrying)
    stays(CallFailed, "5.17 it may be asked for again", idle, uploading, retrying)
    impossible: ClassVar = {
        **{
            (state, message): "an attempt ends once"
            for state in ("idle", "retrying")
            for message in (DiagnosticsDelivered, DeliveryFailed)
        },
        ("idle", UploadDue): "its timer runs only while retrying",
        ("uploading", UploadDue): "its timer runs only while retrying",
        ("uploading", Resumed): "told first",
        ("retrying", Resumed): "told first",
    }

    # Guards

    def may_retry(self, failed: DeliveryFailed) -> bool:
        return self.data.retries > 0 and not failed.is_final

    def was_idle(self, resumed: Resumed) -> bool:
        return resumed.state == "idle"

    # Actions

    def accept(self, request: GetDiagnostics) -> None:
        limits = self.facts.settings.limits
        retries, interval = request.retries, request.retry_interval
        ticket = self.data.ticket + 1
        self.data = DiagnosticsUploadData(
            ticket=ticket,
            location=request.location,
            file_name=self._name(ticket),
            start=request.start_time,
            stop=request.stop_time,
            retries=limits.transfer_retries if retries is None else min(max(retries, 0), RETRIES_MAX),
            retry_interval_s=limits.transfer_retry_interval_s if interval is None else max(interval, 0),
        )
        self.emit(Answer(GetDiagnosticsConf(file_name=self.data.file_name)))
        self.deliver()

    def refuse(self) -> None:
        self.emit(Answer(GetDiagnosticsConf()))

    def deliver(self) -> None:
        data = self.data
        self.emit(DeliverDiagnostics(data.ticket, data.location, data.file_name, data.start, data.stop))
        self._tell(DiagnosticsStatus.UPLOADING)

    def wait_to_retry(self) -> None:
        self.data = replace(self.data, retries=self.data.retries - 1)
        self.emit(StartTimer(RETRY, self.data.retry_interval_s, UploadDue()))

    def succeed(self) -> None:
        self._tell(DiagnosticsStatus.UPLOADED)

    def fail(self) -> None:
        self._tell(DiagnosticsStatus.UPLOAD_FAILED)

    def tell_idle(self) -> None:
        self.emit(Call(DiagnosticsStatusNotification(status=DiagnosticsStatus.IDLE)))

    def tell_again(self) -> None:
        self.emit(Call(DiagnosticsStatusNotification(status=DiagnosticsStatus.UPLOADING)))

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data

    def recall_and_deliver(self, resumed: Resumed) -> None:
        self.recall(resumed)
        self.deliver()

    def _tell(self, status: DiagnosticsStatus) -> None:
        if status is not self.data.told:
            self.data = replace(self.data, told=status)
            self.emit(DiagnosticsStatusChanged(status))

    def _name(self, ticket: int) -> str:
        """Of no other upload of this station; times are UTC."""
        utc = self.facts.now.utc
        time = f"{utc_of(utc):%Y%m%dT%H%M%SZ}" if utc is not None else "notime"
        return f"diagnostics-{time}-{ticket}.zip"
