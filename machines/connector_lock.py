"""UnlockConnector, and the lock that it opens.

OCPP 1.6 edition 2: 5.18 Unlock Connector. The lock is a setpoint: the cable is held while a transaction is under way,
and released while this machine is ``unlocking``. No energy flows through a cable that is not held. A connector without a lock (fixed cable) answers NotSupported and leaves
the transaction alone.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.vocabulary.effects import Answer, StartTimer, StopTimer
from machines.vocabulary.hardware import LockChanged, LockFailed
from machines.vocabulary.notices import (
    CableHeld,
    CableReleased,
    CableRemoved,
    TransactionEnded,
    UnlockGranted,
)
from machines.vocabulary.ocpp import Reason, UnlockConnector, UnlockConnectorConf, UnlockStatus

UNLOCKING = "unlocking"


class UnlockTimedOut(Struct, frozen=True):
    """The lock said nothing for ``unlock_timeout_s``."""


class ConnectorLockData(Struct, frozen=True):
    """The request that waits for the lock, or the user that the cable waits for."""

    call_id: str = ""
    kept_for: str = ""
    """The idTag that gets the cable back."""
    kept_parent: str | None = None


class ConnectorLock(Machine[ConnectorLockData, Facts]):
    """The lock of a connector."""

    messages = (
        UnlockConnector,
        LockChanged,
        LockFailed,
        UnlockTimedOut,
        TransactionEnded,
        CableReleased,
        CableRemoved,
    )

    unlocked = State("Unlocked", value="unlocked", initial=True)
    locked = State("Locked", value="locked")
    unlocking = State("Unlocking", value="unlocking")
    kept = State("Kept", value="kept")

    # fmt: off
    unlocked.to(unlocked,   event=when(UnlockConnector, "5.18 NotSupported"),            unless="has_lock",   on="refuse")
    unlocked.to(unlocked,   event=when(UnlockConnector, "5.18 nothing is locked"),       cond="has_lock",     on="answer_unlocked")
    unlocked.to(locked,     event=when(LockChanged,     "5.18 the cable is held"),       cond="is_locked",    on="tell_held")
    unlocked.to(unlocked,   event=when(LockChanged,     "5.18 already so"),              unless="is_locked")
    locked.to(locked,       event=when(UnlockConnector, "5.18 NotSupported"),            unless="has_lock",   on="refuse")
    locked.to(unlocking,    event=when(UnlockConnector, "5.18 the transaction ends, the lock opens"), cond="has_lock", on="unlock")
    locked.to(locked,       event=when(LockChanged,     "5.18 already so"),              cond="is_locked")
    locked.to(unlocked,     event=when(LockChanged,     "5.18 the cable is free"),       unless="is_locked")
    unlocking.to(unlocking, event=when(UnlockConnector, "5.18 no such connector"),       unless="has_lock",   on="refuse")
    unlocking.to(unlocking, event=when(UnlockConnector, "5.18 one at a time"),           cond="has_lock",     on="answer_failed")
    unlocking.to(unlocking, event=when(LockChanged,     "5.18 not yet"),                 cond="is_locked")
    unlocking.to(unlocked,  event=when(LockChanged,     "5.18 Unlocked"),                unless="is_locked",  on="succeed")
    unlocking.to(locked,    event=when(LockFailed,      "5.18 UnlockFailed"),            on="fail")
    unlocking.to(locked,    event=when(UnlockTimedOut,  "5.18 UnlockFailed"),            on="fail")
    # The cable is kept after the end
    locked.to(kept,         event=when(TransactionEnded, "9.1 UnlockConnectorOnEVSideDisconnect=false, 4.8 not Accepted"), cond="keeps_cable", on="keep")
    locked.to(locked,       event=when(TransactionEnded, "4.10 unlocked at the end"),    unless="keeps_cable")
    kept.to(locked,         event=when(CableReleased,    "4.8 the card of its user"),    on="forget")
    kept.to(kept,           event=when(UnlockConnector,  "5.18 no such connector"),      unless="has_lock",   on="refuse")
    kept.to(unlocking,      event=when(UnlockConnector,  "5.18 it opens"),               cond="has_lock",     on="unlock")
    kept.to(unlocked,       event=when(LockChanged,      "5.18 opened by hand"),         unless="is_locked",  on="forget")
    kept.to(kept,           event=when(LockChanged,      "5.18 already so"),             cond="is_locked")
    kept.to(locked,         event=when(CableRemoved,     "4.8 the lock did not hold it: open for the next one"), on="forget")
    # fmt: on

    stays(LockFailed, "4.9 ConnectorLockFailure is the fault machine's", unlocked, locked, kept)
    stays(TransactionEnded, "4.10 nothing is locked", unlocked)
    stays(TransactionEnded, "5.18 it opens anyway", unlocking)
    stays(CableRemoved, "no cable is kept", unlocked, locked, unlocking)
    impossible: ClassVar = {
        ("unlocked", UnlockTimedOut): "its timer runs only while unlocking",
        ("locked", UnlockTimedOut): "its timer runs only while unlocking",
        ("kept", UnlockTimedOut): "its timer runs only while unlocking",
        ("kept", TransactionEnded): "one that ended is why it is kept",
        ("unlocked", CableReleased): "no cable is kept",
        ("locked", CableReleased): "no cable is kept",
        ("unlocking", CableReleased): "no cable is kept any more",
    }

    # Guards

    def has_lock(self, request: UnlockConnector) -> bool:
        connector = self.facts.connector
        assert connector is not None
        return connector.has_lock and request.connector_id == connector.number

    def is_locked(self, changed: LockChanged) -> bool:
        return changed.locked

    def keeps_cable(self, ended: TransactionEnded) -> bool:
        keys = self.facts.keys
        if not self.facts.has_cable:
            return False
        match ended.reason:
            case Reason.EV_DISCONNECTED:
                return not keys.unlock_connector_on_ev_side_disconnect
            case Reason.DE_AUTHORIZED:
                return True
            case _:
                return False

    # Actions

    def keep(self, ended: TransactionEnded) -> None:
        self.data = ConnectorLockData(kept_for=ended.id_tag, kept_parent=ended.parent_id_tag)

    def forget(self) -> None:
        self.data = ConnectorLockData()

    def tell_held(self) -> None:
        self.emit(CableHeld())

    def refuse(self) -> None:
        self._answer(UnlockStatus.NOT_SUPPORTED)

    def answer_unlocked(self) -> None:
        self._answer(UnlockStatus.UNLOCKED)
        self.emit(UnlockGranted())

    def answer_failed(self) -> None:
        self._answer(UnlockStatus.UNLOCK_FAILED)

    def unlock(self) -> None:
        self.data = ConnectorLockData(self.facts.call_id)
        wait_s = self.facts.settings.limits.unlock_timeout_s
        self.emit(StartTimer(UNLOCKING, wait_s, UnlockTimedOut()), UnlockGranted())

    def succeed(self) -> None:
        self._answer_waiting(UnlockStatus.UNLOCKED)

    def fail(self) -> None:
        self._answer_waiting(UnlockStatus.UNLOCK_FAILED)

    def _answer(self, status: UnlockStatus) -> None:
        self.emit(Answer(UnlockConnectorConf(status=status)))

    def _answer_waiting(self, status: UnlockStatus) -> None:
        self.emit(StopTimer(UNLOCKING), Answer(UnlockConnectorConf(status=status), self.data.call_id))
        self.data = ConnectorLockData()
