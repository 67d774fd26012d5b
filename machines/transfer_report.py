"""What the Central System is told of firmware and diagnostics: each status once, in order, whatever the network does.

OCPP 1.6 edition 2: 4.4 Diagnostics Status Notification, 4.5 Firmware Status Notification. A status that was not
answered is sent again after the next registration or connection; it is written down until then, since an update may
restart the station between a status and its report.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Call
from machines.vocabulary.notices import DiagnosticsStatusChanged, FirmwareStatusChanged, RegistrationAccepted
from machines.vocabulary.ocpp import (
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    DiagnosticsStatusNotificationConf,
    FirmwareStatus,
    FirmwareStatusNotification,
    FirmwareStatusNotificationConf,
)
from machines.vocabulary.wire import CallFailed, ConnectionClosed, ConnectionOpened

REPORTS_MAX = 32
"""More than that means that nobody listened for days: the oldest go."""


class Report(Struct, frozen=True):
    """A status of a firmware update or of an upload of diagnostics; the other one is None."""

    firmware: FirmwareStatus | None = None
    diagnostics: DiagnosticsStatus | None = None


class TransferReportData(Struct, frozen=True):
    """What is to be told."""

    reports: tuple[Report, ...] = ()
    """The oldest first."""


class TransferReport(Machine[TransferReportData, Facts]):
    """Reports of transfers."""

    memory = TransferReportData
    messages = (
        FirmwareStatusChanged,
        DiagnosticsStatusChanged,
        RegistrationAccepted,
        ConnectionOpened,
        ConnectionClosed,
        FirmwareStatusNotificationConf,
        DiagnosticsStatusNotificationConf,
        CallFailed,
        Resumed,
    )

    held = State("Held", value="held", initial=True)
    ready = State("Ready", value="ready")
    telling = State("Telling", value="telling")

    # fmt: off
    held.to(held,       event=when(FirmwareStatusChanged,    "4.5 told when online"),           cond="is_offered",                   on="note")
    held.to(held,       event=when(FirmwareStatusChanged,    "not declared in sends"),          unless="is_offered")
    held.to(held,       event=when(DiagnosticsStatusChanged, "4.4 told when online"),           cond="is_offered",                   on="note")
    held.to(held,       event=when(DiagnosticsStatusChanged, "not declared in sends"),          unless="is_offered")
    ready.to(telling,   event=when(FirmwareStatusChanged,    "4.5 told at once"),               cond="is_offered",                   on="note_and_tell")
    ready.to(ready,     event=when(FirmwareStatusChanged,    "not declared in sends"),          unless="is_offered")
    ready.to(telling,   event=when(DiagnosticsStatusChanged, "4.4 told at once"),               cond="is_offered",                   on="note_and_tell")
    ready.to(ready,     event=when(DiagnosticsStatusChanged, "not declared in sends"),          unless="is_offered")
    telling.to(telling, event=when(FirmwareStatusChanged,    "4.5 one after the other"),        cond="is_offered",                   on="note")
    telling.to(telling, event=when(FirmwareStatusChanged,    "not declared in sends"),          unless="is_offered")
    telling.to(telling, event=when(DiagnosticsStatusChanged, "4.4 one after the other"),        cond="is_offered",                   on="note")
    telling.to(telling, event=when(DiagnosticsStatusChanged, "not declared in sends"),          unless="is_offered")
    # The way to the Central System
    held.to(telling,    event=when(RegistrationAccepted,     "4.2 what is still to be told"),   cond="has_reports",                  on="tell")
    held.to(ready,      event=when(RegistrationAccepted,     "4.2 nothing to tell"),            unless="has_reports")
    held.to(telling,    event=when(ConnectionOpened,         "4.5 told after the outage"),      cond=["is_accepted", "has_reports"], on="tell")
    held.to(ready,      event=when(ConnectionOpened,         "4.5 nothing to tell"),            cond="is_accepted", unless="has_reports")
    held.to(held,       event=when(ConnectionOpened,         "4.2 nothing before registration"), unless="is_accepted")
    ready.to(held,      event=when(ConnectionClosed,         "4.5 offline"))
    telling.to(held,    event=when(ConnectionClosed,         "4.5 offline, told again"))
    # The end of a CALL
    telling.to(telling, event=when(FirmwareStatusNotificationConf,    "4.5 the next one"),      cond="has_more",                     on="tell_next")
    telling.to(ready,   event=when(FirmwareStatusNotificationConf,    "4.5 all is told"),       unless="has_more",                   on="drop")
    telling.to(telling, event=when(DiagnosticsStatusNotificationConf, "4.4 the next one"),      cond="has_more",                     on="tell_next")
    telling.to(ready,   event=when(DiagnosticsStatusNotificationConf, "4.4 all is told"),       unless="has_more",                   on="drop")
    telling.to(telling, event=when(CallFailed,               "decision FU4: not repeated, the next one"), cond="has_more",            on="tell_next")
    telling.to(ready,   event=when(CallFailed,               "decision FU4: not repeated"),      unless="has_more",                   on="drop")
    # After a restart
    held.to(held,       event=when(Resumed,                  "4.5 what is still to be told"),                                        on="recall")
    # fmt: on

    stays(ConnectionClosed, "4.5 offline already", held)
    impossible: ClassVar = {
        **{
            (state, message): "registered and connected already"
            for state in ("ready", "telling")
            for message in (RegistrationAccepted, ConnectionOpened)
        },
        **{
            (state, message): "nothing was sent, or it died with the connection"
            for state in ("held", "ready")
            for message in (FirmwareStatusNotificationConf, DiagnosticsStatusNotificationConf, CallFailed)
        },
        ("ready", Resumed): "told first",
        ("telling", Resumed): "told first",
    }

    # Guards

    def is_offered(self, changed: FirmwareStatusChanged | DiagnosticsStatusChanged) -> bool:
        is_firmware = isinstance(changed, FirmwareStatusChanged)
        request = FirmwareStatusNotification if is_firmware else DiagnosticsStatusNotification
        return request.__name__ in self.facts.settings.sends

    def is_accepted(self) -> bool:
        return self.facts.is_accepted

    def has_reports(self) -> bool:
        return bool(self.data.reports)

    def has_more(self) -> bool:
        return len(self.data.reports) > 1

    # Actions

    def note(self, changed: FirmwareStatusChanged | DiagnosticsStatusChanged) -> None:
        if isinstance(changed, FirmwareStatusChanged):
            report = Report(firmware=changed.status)
        else:
            report = Report(diagnostics=changed.status)
        # The first one may be on its way.
        first, *rest = (*self.data.reports, report)
        self.data = TransferReportData((first, *rest[1 - REPORTS_MAX :]))

    def note_and_tell(self, changed: FirmwareStatusChanged | DiagnosticsStatusChanged) -> None:
        self.note(changed)
        self.tell()

    def tell(self) -> None:
        report = self.data.reports[0]
        if report.firmware is not None:
            self.emit(Call(FirmwareStatusNotification(status=report.firmware)))
        else:
            assert report.diagnostics is not None
            self.emit(Call(DiagnosticsStatusNotification(status=report.diagnostics)))

    def drop(self) -> None:
        self.data = TransferReportData(self.data.reports[1:])

    def tell_next(self) -> None:
        self.drop()
        self.tell()

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data
