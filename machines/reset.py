"""Reset: transactions end, what they left is delivered if possible, and the station starts anew.

OCPP 1.6 edition 2: 5.14 Reset. Both kinds end transactions in order: a hard reset need not, but a charge point that
can should. What is not delivered within ``stop_flush_s`` is delivered after the restart. New firmware
restarts the station in the same way.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.vocabulary.effects import Answer, Restart, StartTimer, StopTimer
from machines.vocabulary.notices import (
    QueueEmptied,
    ResetFailed,
    RestartGranted,
    RestartNeeded,
    TransactionEnded,
)
from machines.vocabulary.ocpp import Reset as ResetRequest
from machines.vocabulary.ocpp import ResetConf, ResetStatus, ResetType
from machines.vocabulary.wire import RestartFailed

FLUSH = "flush"


class FlushTimedOut(Struct, frozen=True):
    """The restart has waited long enough for the Central System."""


class ResetData(Struct, frozen=True):
    """What was asked for."""

    is_hard: bool = False
    failures: int = 0
    """Restarts in a row that did not come about."""


class Reset(Machine[ResetData, Facts]):
    """A reset."""

    messages = (ResetRequest, RestartNeeded, TransactionEnded, QueueEmptied, FlushTimedOut, RestartFailed)

    running = State("Running", value="running", initial=True)
    stopping = State("Stopping", value="stopping")
    restarting = State("Restarting", value="restarting")

    # fmt: off
    running.to(stopping,    event=when(ResetRequest,     "5.14 ends transactions first"), cond="has_work",   on="accept_and_stop")
    running.to(restarting,  event=when(ResetRequest,     "5.14 Accepted"),                unless="has_work", on="accept")
    running.to(stopping,    event=when(RestartNeeded,    "6.19 ends transactions first"), cond="has_work",   on="stop_for_firmware")
    running.to(restarting,  event=when(RestartNeeded,    "6.19 the new firmware runs"),   unless="has_work", on="restart_for_firmware")
    stopping.to(stopping,   event=when(ResetRequest,     "5.14 already at it, as hard as either"), on="accept_harder")
    stopping.to(stopping,   event=when(RestartNeeded,    "6.19 already at it, with all that the new firmware needs"), on="note_firmware")
    stopping.to(stopping,   event=when(TransactionEnded, "5.14 its StopTransaction is still to be delivered"))
    stopping.to(restarting, event=when(QueueEmptied,     "5.14 all is delivered"),        unless="has_transactions", on="restart")
    stopping.to(stopping,   event=when(QueueEmptied,     "5.14 another transaction ends"), cond="has_transactions")
    stopping.to(restarting, event=when(FlushTimedOut,    "5.14 delivered after the restart"),                on="restart")
    restarting.to(restarting, event=when(ResetRequest,   "5.14 already at it"),           on="accept_again")
    restarting.to(restarting, event=when(RestartFailed,  "9.1 ResetRetries"),             cond="has_retries",   on="try_again")
    restarting.to(running,    event=when(RestartFailed,  "decision R2: given up, ResetFailure"), unless="has_retries", on="give_up")
    # fmt: on

    stays(RestartNeeded, "5.14 already at it", restarting)
    stays(TransactionEnded, "no reset", running)
    stays(QueueEmptied, "no reset", running)
    stays(TransactionEnded, "5.14 on the way down", restarting)
    stays(QueueEmptied, "5.14 on the way down", restarting)
    impossible: ClassVar = {
        ("running", FlushTimedOut): "its timer runs only while stopping",
        ("running", RestartFailed): "no restart was asked for",
        ("stopping", RestartFailed): "no restart was asked for yet",
        ("restarting", FlushTimedOut): "its timer stops with the restart",
    }

    # Guards

    def has_transactions(self) -> bool:
        return self.facts.running > 0

    def has_work(self) -> bool:
        return self.facts.running > 0 or self.facts.queued > 0

    def has_retries(self) -> bool:
        return self.data.failures < self.facts.keys.reset_retries

    # Actions

    def accept(self, request: ResetRequest) -> None:
        self.data = ResetData(is_hard=request.type is ResetType.HARD)
        self.accept_again()
        self.emit(RestartGranted(request.type))
        self.restart()

    def accept_and_stop(self, request: ResetRequest) -> None:
        self.data = ResetData(is_hard=request.type is ResetType.HARD)
        self.accept_again()
        self._stop(request.type)

    def stop_for_firmware(self) -> None:
        self.data = ResetData(is_hard=self.facts.settings.reboots_for_firmware)
        self._stop(ResetType.HARD)

    def restart_for_firmware(self) -> None:
        self.data = ResetData(is_hard=self.facts.settings.reboots_for_firmware)
        self.emit(RestartGranted(ResetType.HARD))
        self.restart()

    def note_firmware(self) -> None:
        self.data = ResetData(is_hard=self.data.is_hard or self.facts.settings.reboots_for_firmware)

    def accept_harder(self, request: ResetRequest) -> None:
        self.data = ResetData(is_hard=self.data.is_hard or request.type is ResetType.HARD)
        self.accept_again()

    def accept_again(self) -> None:
        self.emit(Answer(ResetConf(status=ResetStatus.ACCEPTED)))

    def restart(self) -> None:
        self.emit(StopTimer(FLUSH), Restart(self.data.is_hard))

    def try_again(self) -> None:
        self.data = ResetData(self.data.is_hard, self.data.failures + 1)
        self.emit(Restart(self.data.is_hard))

    def give_up(self, failed: RestartFailed) -> None:
        self.data = ResetData()
        self.emit(ResetFailed(failed.why))

    def _stop(self, kind: ResetType) -> None:
        wait_s = self.facts.settings.limits.stop_flush_s
        self.emit(StartTimer(FLUSH, wait_s, FlushTimedOut()), RestartGranted(kind))
