"""A firmware update: from UpdateFirmware.req over download, check, installation and restart to the last report.

OCPP 1.6 edition 2: 6.19 Update Firmware, 4.5 Firmware Status Notification; facts 10.1. It survives a power cut at any
point: a download goes on where it was, and after the restart the installer is asked what runs. An installation that was
cut may be one that restarted the station by itself, so it is asked then too; it is made again if the old firmware runs.
Nobody begins to charge while firmware waits to be installed; who charges may end.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Call, StartTimer, StopTimer
from machines.vocabulary.notices import (
    FirmwareStatusChanged,
    FirmwareStatusTriggered,
    InstallationAwaited,
    InstallationOver,
    ResetFailed,
    RestartNeeded,
    TimeLearnt,
    TransactionEnded,
)
from machines.vocabulary.ocpp import (
    FirmwareStatus,
    FirmwareStatusNotification,
    FirmwareStatusNotificationConf,
    UpdateFirmware,
    UpdateFirmwareConf,
)
from machines.vocabulary.transfers import (
    ConfirmFirmware,
    FetchFailed,
    FetchFirmware,
    FirmwareConfirmed,
    FirmwareCorrupt,
    FirmwareFetched,
    FirmwareInstalled,
    FirmwareVerified,
    GiveUpTransfer,
    InstallFailed,
    InstallFirmware,
    VerifyFirmware,
)
from machines.vocabulary.wire import CallFailed

RETRIEVE, RETRY, INSTALL = "retrieve", "retry", "install"
RETRIES_MAX = 100
"""More than that nobody means."""
SETTLING_S = 1.0
"""After a restart the transactions that go on are known by then."""


class RetrieveDue(Struct, frozen=True):
    """retrieveDate may have come."""


class DownloadDue(Struct, frozen=True):
    """The next attempt to download."""


class InstallDue(Struct, frozen=True):
    """It can be seen whether anybody charges."""


class FirmwareUpdateData(Struct, frozen=True):
    """The update that was asked for last."""

    ticket: int = 0
    location: str = ""
    retrieve_utc: float = 0.0
    """POSIX seconds."""
    retries: int = 0
    """Attempts to download that are left after this one."""
    retry_interval_s: float = 0.0
    installs: int = 0
    """Installations that were begun."""
    told: FirmwareStatus | None = None
    """The latest status of this update; each is told once."""


STATES = (
    *("idle", "scheduled", "downloading", "retrying", "verifying"),
    *("waiting", "installing", "restarting", "confirming", "checking"),
)


def _only(message: type, why: str, *states: str) -> dict[tuple[str, type], str]:
    """``message`` comes in ``states`` only."""
    return {(state, message): why for state in STATES if state not in states}


class FirmwareUpdate(Machine[FirmwareUpdateData, Facts]):
    """A firmware update."""

    memory = FirmwareUpdateData
    messages = (
        UpdateFirmware,
        RetrieveDue,
        TimeLearnt,
        FirmwareFetched,
        FetchFailed,
        DownloadDue,
        FirmwareVerified,
        FirmwareCorrupt,
        TransactionEnded,
        InstallDue,
        FirmwareInstalled,
        InstallFailed,
        ResetFailed,
        FirmwareConfirmed,
        FirmwareStatusTriggered,
        FirmwareStatusNotificationConf,
        CallFailed,
        Resumed,
    )

    idle = State("Idle", value="idle", initial=True)
    scheduled = State("Scheduled", value="scheduled")
    downloading = State("Downloading", value="downloading")
    retrying = State("Retrying", value="retrying")
    verifying = State("Verifying", value="verifying")
    waiting = State("Waiting", value="waiting")
    installing = State("Installing", value="installing")
    restarting = State("Restarting", value="restarting")
    confirming = State("Confirming", value="confirming")
    checking = State("Checking", value="checking")

    # fmt: off
    # The request; a new one takes the place of one that is not being installed yet
    idle.to(downloading,        event=when(UpdateFirmware,    "6.19 retrieveDate has come"),        cond="is_past",   on="accept_and_fetch")
    idle.to(scheduled,          event=when(UpdateFirmware,    "6.19 retrieveDate is to come"),      unless="is_past", on="accept_and_wait")
    scheduled.to(downloading,   event=when(UpdateFirmware,    "decision FU1: replaces the other"),   cond="is_past",   on="replace_and_fetch")
    scheduled.to(scheduled,     event=when(UpdateFirmware,    "decision FU1: replaces the other"),   unless="is_past", on="accept_and_wait")
    downloading.to(downloading, event=when(UpdateFirmware,    "decision FU1: replaces the other"),   cond="is_past",   on="replace_and_fetch")
    downloading.to(scheduled,   event=when(UpdateFirmware,    "decision FU1: replaces the other"),   unless="is_past", on="replace_and_wait")
    retrying.to(downloading,    event=when(UpdateFirmware,    "decision FU1: replaces the other"),   cond="is_past",   on="replace_and_fetch")
    retrying.to(scheduled,      event=when(UpdateFirmware,    "decision FU1: replaces the other"),   unless="is_past", on="replace_and_wait")
    verifying.to(downloading,   event=when(UpdateFirmware,    "decision FU1: replaces the other"),   cond="is_past",   on="replace_and_fetch")
    verifying.to(scheduled,     event=when(UpdateFirmware,    "decision FU1: replaces the other"),   unless="is_past", on="replace_and_wait")
    waiting.to(downloading,     event=when(UpdateFirmware,    "decision FU1: replaces the other"),   cond="is_past",   on="leave_and_fetch")
    waiting.to(scheduled,       event=when(UpdateFirmware,    "decision FU1: replaces the other"),   unless="is_past", on="leave_and_wait")
    installing.to(installing,   event=when(UpdateFirmware,    "decision FU1: too late for another"),                   on="answer")
    restarting.to(restarting,   event=when(UpdateFirmware,    "decision FU1: too late for another"),                   on="answer")
    confirming.to(confirming,   event=when(UpdateFirmware,    "decision FU1: too late for another"),                   on="answer")
    checking.to(checking,       event=when(UpdateFirmware,    "decision FU1: too late for another"),                   on="answer")
    # The download
    scheduled.to(downloading,   event=when(RetrieveDue,       "6.19 retrieveDate has come"),        cond="is_due",    on="fetch")
    scheduled.to(scheduled,     event=when(RetrieveDue,       "6.19 the clock was set back"),       unless="is_due",  on="wait")
    scheduled.to(scheduled,     event=when(TimeLearnt,        "6.19 the clock may have been set"),                    on="look")
    downloading.to(verifying,   event=when(FirmwareFetched,   "6.19 complete"),                     cond="is_mine",   on="verify")
    downloading.to(downloading, event=when(FirmwareFetched,   "of one that was replaced"),          unless="is_mine")
    downloading.to(retrying,    event=when(FetchFailed,       "6.19 retries"),                      cond=["is_mine", "may_retry"],            on="wait_to_retry")
    downloading.to(idle,        event=when(FetchFailed,       "6.19 DownloadFailed"),               cond="is_mine", unless="may_retry",       on="fail_download")
    downloading.to(downloading, event=when(FetchFailed,       "of one that was replaced"),          unless="is_mine")
    retrying.to(downloading,    event=when(DownloadDue,          "6.19 retryInterval"),                                  on="fetch")
    verifying.to(waiting,       event=when(FirmwareVerified,  "6.19 Downloaded; charging ends first"), cond="has_transactions",  on="hold")
    verifying.to(installing,    event=when(FirmwareVerified,  "6.19 Downloaded"),                   unless="has_transactions", on="hold_and_install")
    verifying.to(retrying,      event=when(FirmwareCorrupt,   "6.19 retries"),                      cond="may_retry",            on="wait_to_retry")
    verifying.to(idle,          event=when(FirmwareCorrupt,   "6.19 DownloadFailed"),               unless="may_retry",       on="fail_download")
    # The installation
    waiting.to(installing,      event=when(TransactionEnded,  "6.19 nobody charges any more"),      unless="has_transactions", on="install")
    waiting.to(waiting,         event=when(TransactionEnded,  "6.19 somebody else charges"),        cond="has_transactions")
    waiting.to(installing,      event=when(InstallDue,        "6.19 nobody charges after the restart"), unless="has_transactions", on="install")
    waiting.to(waiting,         event=when(InstallDue,        "6.19 a transaction went on"),        cond="has_transactions")
    installing.to(restarting,   event=when(FirmwareInstalled, "6.19 it runs after a restart"),      on="restart")
    installing.to(idle,         event=when(InstallFailed,     "6.19 InstallationFailed"),           on="fail_installation")
    restarting.to(restarting,   event=when(ResetFailed,       "decision FU5: the next restart does it"),                on="release")
    confirming.to(idle,         event=when(FirmwareConfirmed, "6.19 Installed"),                    on="succeed")
    confirming.to(idle,         event=when(InstallFailed,     "6.19 InstallationFailed, the old one runs"), on="fail_after_restart")
    checking.to(idle,           event=when(FirmwareConfirmed, "6.19 Installed, and the installer restarted it"),      on="succeed_and_release")
    checking.to(waiting,        event=when(InstallFailed,     "decision FU2: the installation begins again"), cond="may_install", on="settle")
    checking.to(idle,           event=when(InstallFailed,     "decision FU2: InstallationFailed, it never ends"), unless="may_install", on="fail_installation")
    # TriggerMessage
    idle.to(idle,               event=when(FirmwareStatusTriggered, "5.17 Idle, nothing runs"),                       on="tell_idle")
    scheduled.to(scheduled,     event=when(FirmwareStatusTriggered, "5.17 Idle, nothing runs yet"),                   on="tell_idle")
    downloading.to(downloading, event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    retrying.to(retrying,       event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    verifying.to(verifying,     event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    waiting.to(waiting,         event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    installing.to(installing,   event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    restarting.to(restarting,   event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    confirming.to(confirming,   event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    checking.to(checking,       event=when(FirmwareStatusTriggered, "5.17 the present status"),                       on="tell_again")
    # After a restart
    idle.to(idle,               event=when(Resumed,           "6.19 nothing was under way"),        cond="was_idle",       on="recall")
    idle.to(scheduled,          event=when(Resumed,           "6.19 retrieveDate is to come"),      cond="was_scheduled",  on="recall_and_look")
    idle.to(downloading,        event=when(Resumed,           "6.19 the download goes on"),         cond="was_downloading", on="recall_and_fetch")
    idle.to(waiting,            event=when(Resumed,           "6.19 who charges ends first"),       cond="was_waiting",    on="recall_and_hold")
    idle.to(checking,           event=when(Resumed,           "decision FU2: which firmware runs now?"), cond="was_installing", on="recall_and_check")
    idle.to(confirming,         event=when(Resumed,           "6.19 which firmware runs now?"),     cond="was_restarting", on="recall_and_confirm")
    # fmt: on

    stays(
        FirmwareStatusNotificationConf, "5.17 it arrived", idle, scheduled, downloading, retrying, verifying
    )
    stays(
        FirmwareStatusNotificationConf,
        "5.17 it arrived",
        waiting,
        installing,
        restarting,
        confirming,
        checking,
    )
    stays(CallFailed, "5.17 it may be asked for again", idle, scheduled, downloading, retrying, verifying)
    stays(CallFailed, "5.17 it may be asked for again", waiting, installing, restarting, confirming, checking)
    stays(TimeLearnt, "6.19 nothing waits for a date", idle, downloading, retrying, verifying, waiting)
    stays(TimeLearnt, "6.19 nothing waits for a date", installing, restarting, confirming, checking)
    stays(TransactionEnded, "6.19 nothing waits for it", idle, scheduled, downloading, retrying, verifying)
    stays(TransactionEnded, "6.19 nothing waits for it", installing, restarting, confirming, checking)
    stays(FirmwareFetched, "of one that was replaced", scheduled)
    stays(FetchFailed, "of one that was replaced", scheduled)
    stays(FirmwareVerified, "of one that was replaced", scheduled, downloading)
    stays(FirmwareCorrupt, "of one that was replaced", scheduled, downloading)
    stays(ResetFailed, "5.14 not asked for here", idle, scheduled, downloading, retrying, verifying, waiting)
    stays(ResetFailed, "5.14 not asked for here", installing, confirming, checking)
    impossible: ClassVar = {
        **_only(RetrieveDue, "its timer runs only while scheduled", "scheduled"),
        **_only(DownloadDue, "its timer runs only while retrying", "retrying"),
        **_only(InstallDue, "its timer runs only while waiting", "waiting"),
        **_only(FirmwareFetched, "of a later one it would have come later", "scheduled", "downloading"),
        **_only(FetchFailed, "of a later one it would have come later", "scheduled", "downloading"),
        **_only(FirmwareVerified, "asked for once, and not later", "scheduled", "downloading", "verifying"),
        **_only(FirmwareCorrupt, "asked for once, and not later", "scheduled", "downloading", "verifying"),
        **_only(FirmwareInstalled, "what is being installed is not replaced", "installing"),
        **_only(
            InstallFailed, "what is being installed is not replaced", "installing", "confirming", "checking"
        ),
        **_only(FirmwareConfirmed, "asked for only after a restart", "confirming", "checking"),
        **_only(Resumed, "told first", "idle"),
    }
    exclusive = (
        ("was_idle", "was_scheduled", "was_downloading", "was_waiting", "was_installing", "was_restarting"),
    )

    # Guards

    def is_past(self, request: UpdateFirmware) -> bool:
        utc = self.facts.now.utc
        return utc is not None and request.retrieve_date.timestamp() <= utc

    def is_due(self) -> bool:
        utc = self.facts.now.utc
        return utc is not None and self.data.retrieve_utc <= utc

    def is_mine(self, ended: FirmwareFetched | FetchFailed) -> bool:
        return ended.ticket == self.data.ticket

    def may_retry(self, failed: FetchFailed | FirmwareCorrupt) -> bool:
        is_final = isinstance(failed, FetchFailed) and failed.is_final
        return self.data.retries > 0 and not is_final

    def has_transactions(self) -> bool:
        return self.facts.running > 0

    def may_install(self) -> bool:
        return self.data.installs < self.facts.settings.limits.install_attempts_max

    def was_idle(self, resumed: Resumed) -> bool:
        return resumed.state == "idle"

    def was_scheduled(self, resumed: Resumed) -> bool:
        return resumed.state == "scheduled"

    def was_downloading(self, resumed: Resumed) -> bool:
        return resumed.state in {"downloading", "retrying", "verifying"}

    def was_waiting(self, resumed: Resumed) -> bool:
        return resumed.state == "waiting"

    def was_installing(self, resumed: Resumed) -> bool:
        return resumed.state in {"installing", "checking"}

    def was_restarting(self, resumed: Resumed) -> bool:
        return resumed.state in {"restarting", "confirming"}

    # Actions

    def answer(self) -> None:
        self.emit(Answer(UpdateFirmwareConf()))

    def accept_and_fetch(self, request: UpdateFirmware) -> None:
        self._take(request)
        self.fetch()

    def accept_and_wait(self, request: UpdateFirmware) -> None:
        self._take(request)
        self.wait()

    def replace_and_fetch(self, request: UpdateFirmware) -> None:
        self._drop()
        self.accept_and_fetch(request)

    def replace_and_wait(self, request: UpdateFirmware) -> None:
        self._drop()
        self.accept_and_wait(request)

    def leave_and_fetch(self, request: UpdateFirmware) -> None:
        self.emit(InstallationOver())
        self.replace_and_fetch(request)

    def leave_and_wait(self, request: UpdateFirmware) -> None:
        self.emit(InstallationOver())
        self.replace_and_wait(request)

    def look(self) -> None:
        # The clock is set by what else follows from this message: look at it right after.
        self.emit(StartTimer(RETRIEVE, 0, RetrieveDue()))

    def wait(self) -> None:
        utc = self.facts.now.utc
        if utc is None:
            self.emit(StopTimer(RETRIEVE))  # until somebody tells the time
        else:
            self.emit(StartTimer(RETRIEVE, max(self.data.retrieve_utc - utc, 0.0), RetrieveDue()))

    def fetch(self) -> None:
        self.emit(FetchFirmware(self.data.ticket, self.data.location))
        self._tell(FirmwareStatus.DOWNLOADING)

    def wait_to_retry(self) -> None:
        self.data = replace(self.data, retries=self.data.retries - 1)
        self.emit(StartTimer(RETRY, self.data.retry_interval_s, DownloadDue()))

    def fail_download(self) -> None:
        self.emit(GiveUpTransfer())
        self._tell(FirmwareStatus.DOWNLOAD_FAILED)

    def verify(self) -> None:
        self.emit(VerifyFirmware(self.data.ticket, self.data.location))

    def hold(self) -> None:
        self._tell(FirmwareStatus.DOWNLOADED)
        self.emit(InstallationAwaited())

    def hold_and_install(self) -> None:
        self.hold()
        self.install()

    def install(self) -> None:
        self.data = replace(self.data, installs=self.data.installs + 1)
        self.emit(StopTimer(INSTALL), InstallFirmware(self.data.ticket))
        self._tell(FirmwareStatus.INSTALLING)

    def restart(self) -> None:
        self.emit(RestartNeeded())

    def release(self) -> None:
        self.emit(InstallationOver())

    def fail_installation(self) -> None:
        self._tell(FirmwareStatus.INSTALLATION_FAILED)
        self.release()

    def fail_after_restart(self) -> None:
        self._tell(FirmwareStatus.INSTALLATION_FAILED)

    def succeed(self) -> None:
        self._tell(FirmwareStatus.INSTALLED)

    def succeed_and_release(self) -> None:
        self.succeed()
        self.release()

    def tell_idle(self) -> None:
        self.emit(Call(FirmwareStatusNotification(status=FirmwareStatus.IDLE)))

    def tell_again(self) -> None:
        assert self.data.told is not None
        self.emit(Call(FirmwareStatusNotification(status=self.data.told)))

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data

    def recall_and_look(self, resumed: Resumed) -> None:
        self.recall(resumed)
        self.wait()

    def recall_and_fetch(self, resumed: Resumed) -> None:
        self.recall(resumed)
        self.fetch()

    def recall_and_hold(self, resumed: Resumed) -> None:
        self.recall(resumed)
        self.emit(InstallationAwaited())
        self.settle()

    def recall_and_check(self, resumed: Resumed) -> None:
        self.recall(resumed)
        self.emit(InstallationAwaited(), ConfirmFirmware(self.data.ticket, is_cut=True))

    def settle(self) -> None:
        self.emit(StartTimer(INSTALL, SETTLING_S, InstallDue()))

    def recall_and_confirm(self, resumed: Resumed) -> None:
        self.recall(resumed)
        self.emit(ConfirmFirmware(self.data.ticket))

    def _take(self, request: UpdateFirmware) -> None:
        limits = self.facts.settings.limits
        retries, interval = request.retries, request.retry_interval
        self.data = FirmwareUpdateData(
            ticket=self.data.ticket + 1,
            location=request.location,
            retrieve_utc=request.retrieve_date.timestamp(),
            retries=limits.transfer_retries if retries is None else min(max(retries, 0), RETRIES_MAX),
            retry_interval_s=limits.transfer_retry_interval_s if interval is None else max(interval, 0),
        )
        self.answer()

    def _drop(self) -> None:
        self.emit(GiveUpTransfer(), StopTimer(RETRIEVE), StopTimer(RETRY), StopTimer(INSTALL))

    def _tell(self, status: FirmwareStatus) -> None:
        if status is not self.data.told:
            self.data = replace(self.data, told=status)
            self.emit(FirmwareStatusChanged(status))
