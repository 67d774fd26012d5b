"""BootNotification until the Central System accepts the charge point.

OCPP 1.6 edition 2: 4.2 Boot Notification. A restart of the station starts here; a mere reconnect does not send
BootNotification again. What may be sent and answered in each state is the gate in machines/gate.py: a station that
was told Pending stays so until it is told something else, also while it asks again.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Call, LearnTime, StartTimer, StopTimer, told_utc
from machines.vocabulary.notices import BootNotificationTriggered, RegistrationAccepted, TimeLearnt
from machines.vocabulary.ocpp import BootNotification, BootNotificationConf, RegistrationStatus
from machines.vocabulary.wire import CallFailed, ConnectionClosed, ConnectionOpened

BOOT = "boot"


class BootDue(Struct, frozen=True):
    """The wait before the next BootNotification is over."""


class RegistrationData(Struct, frozen=True):
    """What outlives a restart."""

    was_accepted: bool = False
    """The Central System accepted this station at least once."""


class Registration(Machine[RegistrationData, Facts]):
    """Registration with the Central System."""

    memory = RegistrationData
    messages = (
        ConnectionOpened,
        ConnectionClosed,
        BootNotificationConf,
        CallFailed,
        BootDue,
        BootNotificationTriggered,
        Resumed,
    )

    unregistered = State("Unregistered", value="unregistered", initial=True)
    booting = State("Booting", value="booting")
    accepted = State("Accepted", value="accepted")
    pending = State("Pending", value="pending")
    asking_again = State("Asking again", value="asking_again")
    rejected = State("Rejected", value="rejected")

    # fmt: off
    # BootNotification.req
    unregistered.to(booting,      event=when(ConnectionOpened,     "4.2 first message"),            on="notify")
    unregistered.to(booting,      event=when(BootDue,              "4.2 once more"),                cond="is_open",   on="notify")
    unregistered.to(unregistered, event=when(BootDue,              "4.2 sent when connected"),      unless="is_open")
    pending.to(asking_again,      event=when(BootDue,              "4.2 interval over"),            cond="is_open",   on="notify")
    pending.to(unregistered,      event=when(BootDue,              "4.2 interval over, offline"),   unless="is_open")
    rejected.to(booting,          event=when(BootDue,              "4.2 interval over"),            cond="is_open",   on="notify")
    rejected.to(unregistered,     event=when(BootDue,              "4.2 interval over, offline"),   unless="is_open")
    pending.to(asking_again,      event=when(BootNotificationTriggered, "4.2.1, 5.17 the retry comes at once"),         on="notify")
    stays(BootNotificationTriggered, "5.17 the one under way will do", asking_again)
    # BootNotification.conf
    booting.to(accepted,          event=when(BootNotificationConf, "4.2 Accepted"),                 cond="is_accepted", on="accept")
    booting.to(pending,           event=when(BootNotificationConf, "4.2.1 Pending"),                cond="is_pending",  on="wait_as_told")
    booting.to(rejected,          event=when(BootNotificationConf, "4.2 Rejected"),                 cond="is_rejected", on="wait_as_told")
    booting.to(unregistered,      event=when(CallFailed,           "decision BN1: retry after a wait"),                 on="wait")
    booting.to(unregistered,      event=when(ConnectionClosed,     "J 4.1.3 the CALL died with its connection"))
    asking_again.to(accepted,     event=when(BootNotificationConf, "4.2 Accepted"),                 cond="is_accepted", on="accept")
    asking_again.to(pending,      event=when(BootNotificationConf, "4.2.1 Pending, as before"),     cond="is_pending",  on="wait_as_told")
    asking_again.to(rejected,     event=when(BootNotificationConf, "4.2 Rejected"),                 cond="is_rejected", on="wait_as_told")
    asking_again.to(pending,      event=when(CallFailed,           "decision BN1: retry after a wait"),                 on="wait")
    asking_again.to(pending,      event=when(ConnectionClosed,     "J 4.1.3 the CALL died with its connection"),        on="wait")
    # The connection
    unregistered.to(unregistered, event=when(ConnectionClosed,     "4.2 sent when connected"),      on="stop_waiting")
    stays(ConnectionOpened, "J 5.3 no BootNotification on a mere reconnect", accepted)
    stays(ConnectionClosed, "J 5.3 registration outlives the connection", accepted)
    stays(ConnectionOpened, "4.2 the interval holds over a reconnect", pending, rejected)
    stays(ConnectionClosed, "4.2 either side may close meanwhile", pending, rejected)
    # After a restart
    unregistered.to(unregistered, event=when(Resumed,              "4.2 after every boot"),         on="recall")
    # fmt: on

    exclusive = (("is_accepted", "is_pending", "is_rejected"),)
    impossible: ClassVar = {
        ("unregistered", BootNotificationTriggered): "TriggerMessage gets no answer",
        ("booting", BootNotificationTriggered): "TriggerMessage gets no answer",
        ("accepted", BootNotificationTriggered): "TriggerMessage is rejected",
        ("rejected", BootNotificationTriggered): "TriggerMessage gets no answer",
        ("unregistered", BootNotificationConf): "no BootNotification is in flight",
        ("unregistered", CallFailed): "no BootNotification is in flight",
        ("booting", ConnectionOpened): "the one before was told closed",
        ("booting", BootDue): "its timer runs only between attempts",
        ("booting", Resumed): "told first",
        ("asking_again", ConnectionOpened): "the one before was told closed",
        ("asking_again", BootDue): "its timer runs only between attempts",
        ("asking_again", Resumed): "told first",
        ("accepted", BootNotificationConf): "no BootNotification is in flight",
        ("accepted", CallFailed): "no BootNotification is in flight",
        ("accepted", BootDue): "its timer runs only between attempts",
        ("accepted", Resumed): "told first",
        ("pending", BootNotificationConf): "no BootNotification is in flight",
        ("pending", CallFailed): "no BootNotification is in flight",
        ("pending", Resumed): "told first",
        ("rejected", BootNotificationConf): "no BootNotification is in flight",
        ("rejected", CallFailed): "no BootNotification is in flight",
        ("rejected", Resumed): "told first",
    }

    # Guards

    def is_open(self) -> bool:
        return self.facts.is_open

    def is_accepted(self, conf: BootNotificationConf) -> bool:
        return conf.status is RegistrationStatus.ACCEPTED

    def is_pending(self, conf: BootNotificationConf) -> bool:
        return conf.status is RegistrationStatus.PENDING

    def is_rejected(self, conf: BootNotificationConf) -> bool:
        return conf.status is RegistrationStatus.REJECTED

    # Actions

    def notify(self) -> None:
        identity = self.facts.settings.identity
        self.emit(
            StopTimer(BOOT),
            Call(
                BootNotification(
                    charge_point_vendor=identity.vendor,
                    charge_point_model=identity.model,
                    charge_point_serial_number=identity.serial_number,
                    charge_box_serial_number=identity.box_serial_number,
                    firmware_version=identity.firmware_version,
                    iccid=identity.iccid,
                    imsi=identity.imsi,
                    meter_type=identity.meter_type,
                    meter_serial_number=identity.meter_serial_number,
                )
            ),
        )

    def accept(self, conf: BootNotificationConf) -> None:
        self.data = RegistrationData(was_accepted=True)
        utc = told_utc(conf.current_time)
        self.emit(LearnTime(utc), TimeLearnt(utc), RegistrationAccepted(max(0, conf.interval)))

    def wait_as_told(self, conf: BootNotificationConf) -> None:
        # An interval of 0 leaves the wait to us (4.2): no flood.
        wait_s = conf.interval if conf.interval > 0 else self.facts.settings.limits.boot_retry_s
        utc = told_utc(conf.current_time)
        self.emit(LearnTime(utc), TimeLearnt(utc), StartTimer(BOOT, wait_s, BootDue()))

    def wait(self) -> None:
        limits = self.facts.settings.limits
        self.emit(StartTimer(BOOT, limits.boot_retry_s, BootDue(), jitter=limits.boot_retry_jitter))

    def stop_waiting(self) -> None:
        self.emit(StopTimer(BOOT))

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data
