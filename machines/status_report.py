"""What the Central System is told of one connector's status, or with number 0 of the charge point's.

OCPP 1.6 edition 2: 4.9 Status Notification and its sending rules, 9.1 MinimumStatusDuration; facts 3.3. The status is
computed from the states; this machine decides when it is worth a message: every change while online, the present one
after registration, and after an outage the present one if it is not the last that arrived. One that nobody answered is
repeated, or the Central System would believe in an old status until the next change.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, Notice, State, when
from machines.vocabulary.effects import Call, Instant, StartTimer, StopTimer
from machines.vocabulary.notices import RegistrationAccepted, StatusTriggered
from machines.vocabulary.ocpp import (
    ChargePointErrorCode,
    ChargePointStatus,
    StatusNotification,
    StatusNotificationConf,
)
from machines.vocabulary.wire import CallFailed, ConnectionClosed, ConnectionOpened, Failure

SETTLING = "minimum-status"
REPEAT = "repeat-status"
DOUBLINGS_MAX = 6
"""Of the time before a repetition."""


class Status(Struct, frozen=True):
    """What a StatusNotification says."""

    status: ChargePointStatus
    error_code: ChargePointErrorCode = ChargePointErrorCode.NO_ERROR
    info: str = ""


class StatusChanged(Notice, frozen=True):
    """The status, computed from the states, is another one since ``at``."""

    status: Status
    at: Instant


class MinimumStatusPassed(Struct, frozen=True):
    """The status lasted for MinimumStatusDuration."""


class RepetitionDue(Struct, frozen=True):
    """The status that was not answered may be told again."""


class StatusReportData(Struct, frozen=True):
    """What is, and what was told."""

    present: Status | None = None
    since: Instant = Instant(0, 0.0)
    told: Status | None = None
    """The last one sent; None when it is not sure that it arrived."""
    in_flight: int = 0
    """Notifications without an answer yet."""
    unanswered: int = 0
    """Notifications in a row that nobody answered, up to DOUBLINGS_MAX."""


class StatusReport(Machine[StatusReportData, Facts]):
    """The status reports of a connector."""

    messages = (
        StatusChanged,
        MinimumStatusPassed,
        RepetitionDue,
        RegistrationAccepted,
        ConnectionOpened,
        ConnectionClosed,
        StatusTriggered,
        StatusNotificationConf,
        CallFailed,
    )

    held = State("Held", value="held", initial=True)
    settled = State("Settled", value="settled")
    settling = State("Settling", value="settling")
    doubtful = State("Doubtful", value="doubtful")

    # fmt: off
    # The status
    held.to(held,         event=when(StatusChanged,        "3.3 told when online"),                                                            on="note")
    settled.to(settled,   event=when(StatusChanged,        "4.9 told at once"),                   unless="has_minimum",                        on="note_and_tell")
    settled.to(settling,  event=when(StatusChanged,        "9.1 MinimumStatusDuration"),          cond="has_minimum",                          on="note_and_wait")
    settling.to(settling, event=when(StatusChanged,        "9.1 MinimumStatusDuration starts anew"),                                           on="note_and_wait")
    settling.to(settled,  event=when(MinimumStatusPassed,  "4.9 it lasted"),                      cond="differs",                              on="tell")
    settling.to(settled,  event=when(MinimumStatusPassed,  "9.1 back to what was told"),          unless="differs")
    doubtful.to(settled,  event=when(StatusChanged,        "4.9 told at once"),                   unless="has_minimum",                        on="note_and_tell_instead")
    doubtful.to(settling, event=when(StatusChanged,        "9.1 MinimumStatusDuration"),          cond="has_minimum",                          on="note_and_wait_instead")
    doubtful.to(settled,  event=when(RepetitionDue,        "decision S12: told again"),                                                        on="tell")
    # The way to the Central System
    held.to(settled,      event=when(RegistrationAccepted, "4.2 every status after registration"),                                             on="tell")
    held.to(settled,      event=when(ConnectionOpened,     "4.9 changed while offline"),          cond=["is_accepted", "differs"],             on="tell")
    held.to(settled,      event=when(ConnectionOpened,     "4.9 the same as before"),             cond="is_accepted", unless="differs")
    held.to(held,         event=when(ConnectionOpened,     "4.2 nothing before registration"),    unless="is_accepted")
    settled.to(held,      event=when(ConnectionClosed,     "4.9 offline"),                                                                     on="lose")
    settling.to(held,     event=when(ConnectionClosed,     "4.9 offline"),                                                                     on="stop_waiting_and_lose")
    doubtful.to(held,     event=when(ConnectionClosed,     "4.9 offline, told again afterwards"),                                              on="stop_repeating")
    # TriggerMessage
    held.to(held,         event=when(StatusTriggered,      "4.2.1 asked for while Pending"),      cond="is_meant",                             on="tell")
    held.to(held,         event=when(StatusTriggered,      "5.17 another connector"),             unless="is_meant")
    settled.to(settled,   event=when(StatusTriggered,      "5.17 the present status"),            cond="is_meant",                             on="tell")
    settled.to(settled,   event=when(StatusTriggered,      "5.17 another connector"),             unless="is_meant")
    settling.to(settling, event=when(StatusTriggered,      "5.17 the present status, however short it lasted"), cond="is_meant",               on="tell")
    settling.to(settling, event=when(StatusTriggered,      "5.17 another connector"),             unless="is_meant")
    doubtful.to(settled,  event=when(StatusTriggered,      "5.17 the present status"),            cond="is_meant",                             on="tell_instead")
    doubtful.to(doubtful, event=when(StatusTriggered,      "5.17 another connector"),             unless="is_meant")
    # The end of a CALL
    held.to(held,         event=when(StatusNotificationConf, "4.9 it arrived"),                                                                on="confirm")
    held.to(held,         event=when(CallFailed,           "4.9 not sure that it arrived"),                                                    on="doubt")
    held.to(held,         event=when(ConnectionClosed,     "4.9 still offline"),                                                               on="lose")
    settled.to(settled,   event=when(StatusNotificationConf, "4.9 it arrived"),                                                                on="confirm")
    settling.to(settling, event=when(StatusNotificationConf, "4.9 it arrived"),                                                                on="confirm")
    settled.to(settled,   event=when(CallFailed,           "4.9 another one follows"),            unless="is_last",                            on="doubt")
    settled.to(settled,   event=when(CallFailed,           "4.9 it was refused"),                 cond="is_last", unless="is_unanswered",      on="doubt")
    settled.to(doubtful,  event=when(CallFailed,           "decision S12: not sure that it arrived"), cond=["is_last", "is_unanswered"],       on="doubt_and_repeat")
    settling.to(settling, event=when(CallFailed,           "4.9 not sure that it arrived"),                                                    on="doubt")
    # fmt: on

    impossible: ClassVar = {
        ("held", MinimumStatusPassed): "its timer stops with the connection",
        ("settled", MinimumStatusPassed): "its timer runs only while settling",
        ("settled", RegistrationAccepted): "registered already",
        ("settled", ConnectionOpened): "connected already",
        ("settling", RegistrationAccepted): "registered already",
        ("settling", ConnectionOpened): "connected already",
        ("held", RepetitionDue): "its timer stops with the connection",
        ("settled", RepetitionDue): "its timer runs only in doubt",
        ("settling", RepetitionDue): "its timer runs only in doubt",
        ("doubtful", MinimumStatusPassed): "its timer runs only while settling",
        ("doubtful", RegistrationAccepted): "registered already",
        ("doubtful", ConnectionOpened): "connected already",
        ("doubtful", StatusNotificationConf): "no notification is without its answer",
        ("doubtful", CallFailed): "no notification is without its answer",
    }

    # Guards

    def has_minimum(self) -> bool:
        return self.facts.keys.minimum_status_duration > 0

    def is_accepted(self) -> bool:
        return self.facts.is_accepted

    def is_meant(self, triggered: StatusTriggered) -> bool:
        return triggered.connector_id in {None, self.facts.number}

    def is_last(self) -> bool:
        return self.data.in_flight == 1

    def is_unanswered(self, failed: CallFailed) -> bool:
        return failed.failure is Failure.TIMED_OUT

    def differs(self) -> bool:
        return self.data.present != self.data.told

    # Actions

    def note(self, changed: StatusChanged) -> None:
        self.data = replace(self.data, present=changed.status, since=changed.at)

    def note_and_tell(self, changed: StatusChanged) -> None:
        self.note(changed)
        self.tell()

    def note_and_wait(self, changed: StatusChanged) -> None:
        self.note(changed)
        self.emit(StartTimer(SETTLING, self.facts.keys.minimum_status_duration, MinimumStatusPassed()))

    def tell(self) -> None:
        data, status = self.data, self.data.present
        assert status is not None
        info = status.info or None
        self.data = replace(data, told=status, in_flight=data.in_flight + 1)
        self.emit(
            Call(
                StatusNotification(
                    connector_id=self.facts.number,
                    status=status.status,
                    error_code=status.error_code,
                    info=info,
                    # 7.6: what an error without a code of its own is stands here.
                    vendor_error_code=info if status.error_code is ChargePointErrorCode.OTHER_ERROR else None,
                ),
                at=data.since,
            )
        )

    def note_and_tell_instead(self, changed: StatusChanged) -> None:
        self.stop_repeating()
        self.note_and_tell(changed)

    def note_and_wait_instead(self, changed: StatusChanged) -> None:
        self.stop_repeating()
        self.note_and_wait(changed)

    def tell_instead(self) -> None:
        self.stop_repeating()
        self.tell()

    def stop_repeating(self) -> None:
        self.emit(StopTimer(REPEAT))

    def confirm(self) -> None:
        self.data = replace(self.data, in_flight=self.data.in_flight - 1, unanswered=0)

    def doubt(self) -> None:
        # They end in their order: what another one tells is not in doubt yet.
        told = self.data.told if self.data.in_flight > 1 else None
        self.data = replace(self.data, told=told, in_flight=self.data.in_flight - 1)

    def doubt_and_repeat(self) -> None:
        self.doubt()
        repeated = self.data.unanswered
        wait_s = self.facts.settings.limits.status_repeat_s * 2**repeated
        self.data = replace(self.data, unanswered=min(repeated + 1, DOUBLINGS_MAX))
        self.emit(StartTimer(REPEAT, wait_s, RepetitionDue()))

    def lose(self) -> None:
        if self.data.in_flight:
            self.data = replace(self.data, told=None, in_flight=0)

    def stop_waiting_and_lose(self) -> None:
        self.emit(StopTimer(SETTLING))
        self.lose()
