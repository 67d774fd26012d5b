"""One connector's transaction, from an accepted idTag to the recorded stop.

OCPP 1.6 edition 2: 4.8 Start Transaction, 4.10 Stop Transaction, 5.11 and 5.12 remote start and stop, 3.7 for what
happens offline. A transaction starts when an idTag is accepted and a vehicle is connected, in either order, and once the cable is held if there is a lock. Its first and its last register value are
read from the meter for the purpose: ``starting`` and ``stopping`` wait for the reading, the contactor open in both.

What the machine remembers of a transaction is durable. After a power cut the transaction ends, or goes on, as the
station declares (``recovery``).
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.fault import SAFETY
from machines.machine import Machine, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Instant, ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, PowerFailing, StopPressed
from machines.vocabulary.notices import (
    AllowanceUsed,
    AuthorizationDropped,
    Authorized,
    BecameFaulted,
    CableHeld,
    CableRemoved,
    Deauthorized,
    IntentBegan,
    IntentDropped,
    PreparationEnded,
    RestartGranted,
    StartSettled,
    StopRequested,
    TransactionEnded,
    TransactionMessageQueued,
    TransactionStarted,
    UnlockGranted,
    VehicleConnected,
    VehicleDisconnected,
)
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Reason,
    RemoteStartStopStatus,
    RemoteStopTransaction,
    RemoteStopTransactionConf,
    ResetType,
)
from machines.vocabulary.settings import Recovery
from machines.vocabulary.transactions import Began, Ended

START_TICKET = 1
STOP_TICKET = 2
"""What a meter reading was asked for (effect ReadMeter); samples are metering.py's."""


RECOVERY = "recovery"


class RecoveryTimedOut(Struct, frozen=True):
    """No vehicle was found after a restart in the time it takes to find one."""


class TransactionData(Struct, frozen=True):
    """The transaction, as far as it has come. Register values in Wh."""

    local_id: int = 0
    """Counted by the station over its life; 0 before the start."""
    id_tag: str = ""
    parent_id_tag: str | None = None
    transaction_id: int | None = None
    """From StartTransaction.conf; None until then."""
    is_deauthorized: bool = False
    """The Central System did not accept the idTag, and the transaction stays open without energy."""
    started_at: Instant | None = None
    meter_start: int = 0
    meter_last: int = 0
    """The latest register value on record."""
    interruption: Reason = Reason.POWER_LOSS
    """Why the station was away, if it was."""
    stop_reason: Reason | None = None
    stop_id_tag: str | None = None
    stopped_at: Instant | None = None


class Transaction(Machine[TransactionData, Facts]):
    """A transaction."""

    memory = TransactionData
    messages = (
        Authorized,
        AuthorizationDropped,
        PreparationEnded,
        VehicleConnected,
        VehicleDisconnected,
        CableRemoved,
        MeterRead,
        MeterReadFailed,
        StartSettled,
        StopRequested,
        RemoteStopTransaction,
        BecameFaulted,
        RestartGranted,
        UnlockGranted,
        CableHeld,
        Resumed,
        RecoveryTimedOut,
        AllowanceUsed,
        StopPressed,
        PowerFailing,
    )

    idle = State("Idle", value="idle", initial=True)
    authorized = State("Authorized", value="authorized")
    starting = State("Starting", value="starting")
    running = State("Running", value="running")
    deauthorized = State("Deauthorized", value="deauthorized")
    recovering = State("Recovering", value="recovering")
    stopping = State("Stopping", value="stopping")

    # fmt: off
    # An idTag and a vehicle
    idle.to(starting,         event=when(Authorized,           "4.8 cable first"),           cond=["may_start", "is_connected"],             on="hold_and_read")
    idle.to(authorized,       event=when(Authorized,           "4.8 idTag first"),           cond="may_start", unless="is_connected",        on="hold")
    idle.to(idle,             event=when(Authorized,           "3.3.2 Faulted or Unavailable"), unless="may_start")
    authorized.to(starting,   event=when(VehicleConnected,     "4.8 cable after idTag"),     cond="may_start",                               on="read_start")
    authorized.to(idle,       event=when(VehicleConnected,     "3.3.2 Faulted or Unavailable"), unless="may_start",                          on="drop")
    authorized.to(authorized, event=when(Authorized,           "4.8 the latest idTag holds"),                                                on="hold")
    authorized.to(idle,       event=when(AuthorizationDropped, "4.9 B1 shown a second time"),                                                on="drop")
    authorized.to(idle,       event=when(PreparationEnded,     "4.9 B1 ConnectionTimeOut"),                                                  on="drop")
    authorized.to(idle,       event=when(CableRemoved,         "4.9 B1 the cable left"),                                                     on="drop")
    authorized.to(idle,       event=when(BecameFaulted,        "4.9 B9 no start in a fault"),                                                on="drop")
    authorized.to(idle,       event=when(RestartGranted,       "5.14 no start any more"),                                                    on="drop")
    authorized.to(idle,       event=when(UnlockGranted,        "5.18 no start any more"),                                                    on="drop")
    # The first register value
    starting.to(running,      event=when(MeterRead,            "4.8 meterStart"),            cond=["is_for_start", "is_held"],               on="start")
    starting.to(starting,     event=when(MeterRead,            "5.18 the cable is not held yet"), cond="is_for_start", unless="is_held")
    starting.to(starting,     event=when(CableHeld,            "4.8 meterStart, the cable held"),                                            on="read_start")
    starting.to(starting,     event=when(MeterRead,            "of another reading"),        unless="is_for_start")
    starting.to(idle,         event=when(MeterReadFailed,      "4.8 no start without meterStart"), cond="is_for_start",                      on="drop")
    starting.to(starting,     event=when(MeterReadFailed,      "of another reading"),        unless="is_for_start")
    starting.to(idle,         event=when(VehicleDisconnected,  "4.9 B1 gone before the start"),                                              on="drop")
    starting.to(idle,         event=when(BecameFaulted,        "4.9 B9 no start in a fault"),                                                on="drop")
    starting.to(idle,         event=when(PreparationEnded,     "4.9 B6 ConnectionTimeOut"),                                                  on="drop")
    starting.to(idle,         event=when(RestartGranted,       "5.14 no start any more"),                                                    on="drop")
    starting.to(idle,         event=when(UnlockGranted,        "5.18 no start any more"),                                                    on="drop")
    # The transaction runs
    running.to(stopping,      event=when(StopPressed,          "4.10 button"),                                                               on="stop_pressed")
    deauthorized.to(stopping, event=when(StopPressed,          "4.10 button"),                                                               on="stop_pressed")
    running.to(stopping,      event=when(PowerFailing,         "5.8 buffered supply: PowerLoss"),                                            on="stop_unpowered")
    deauthorized.to(stopping, event=when(PowerFailing,         "5.8 buffered supply: PowerLoss"),                                            on="stop_unpowered")
    recovering.to(stopping,   event=when(PowerFailing,         "5.8 buffered supply: PowerLoss"),                                            on="stop_unpowered")
    authorized.to(idle,       event=when(PowerFailing,         "5.8 no start any more"),                                                     on="drop")
    starting.to(idle,         event=when(PowerFailing,         "5.8 no start any more"),                                                     on="drop")
    authorized.to(idle,       event=when(StopPressed,          "4.9 B1 button"),                                                             on="drop")
    starting.to(idle,         event=when(StopPressed,          "4.9 B1 button"),                                                             on="drop")
    recovering.to(stopping,   event=when(StopPressed,          "4.10 button"),                                                               on="stop_pressed")
    running.to(running,       event=when(StartSettled,         "4.8 Accepted"),              cond=["is_mine", "is_accepted"],                on="settle")
    running.to(stopping,      event=when(StartSettled,         "4.8 not Accepted, 9.1 StopTransactionOnInvalidId"), cond=["is_mine", "stops_at_once"], unless="is_accepted", on="settle_and_stop")
    running.to(deauthorized,  event=when(StartSettled,         "4.8 not Accepted, 9.1 MaxEnergyOnInvalidId"), cond="is_mine", unless=["is_accepted", "stops_at_once"], on="settle_and_tell")
    running.to(running,       event=when(StartSettled,         "of an earlier transaction"), unless="is_mine")
    running.to(running,       event=when(MeterRead,            "4.7 register value on record"),                                              on="note")
    running.to(stopping,      event=when(StopRequested,        "4.10"),                                                                      on="stop_as_asked")
    running.to(stopping,      event=when(RemoteStopTransaction, "5.12 Accepted"),            cond="has_its_id",                              on="stop_remotely")
    running.to(running,       event=when(RemoteStopTransaction, "5.12 no such transaction"), unless="has_its_id",                            on="refuse")
    running.to(stopping,      event=when(VehicleDisconnected,  "4.10, 9.1 StopTransactionOnEVSideDisconnect"), cond="stops_on_disconnect",   on="stop_disconnected")
    running.to(running,       event=when(VehicleDisconnected,  "9.1 StopTransactionOnEVSideDisconnect=false"), unless="stops_on_disconnect")
    running.to(stopping,      event=when(CableRemoved,         "4.10 nothing is connected"),                                                 on="stop_disconnected")
    running.to(stopping,      event=when(BecameFaulted,        "decision T1: a safety fault ends it"), cond="is_safety_fault",               on="stop_in_fault")
    running.to(running,       event=when(BecameFaulted,        "decision T1: it waits for the repair"), unless="is_safety_fault")
    running.to(stopping,      event=when(RestartGranted,       "5.14"),                                                                      on="stop_for_restart")
    running.to(stopping,      event=when(UnlockGranted,        "5.18"),                                                                      on="stop_for_unlock")
    # It is open, but may draw no energy, or no more than is allowed
    deauthorized.to(stopping, event=when(AllowanceUsed,        "9.1 MaxEnergyOnInvalidId, StopTransactionOnInvalidId"), cond="stops_on_invalid", on="stop_invalid")
    deauthorized.to(deauthorized, event=when(AllowanceUsed,    "9.1 MaxEnergyOnInvalidId: open, without energy"), unless="stops_on_invalid")
    deauthorized.to(deauthorized, event=when(MeterRead,        "4.7 register value on record"),                                              on="note")
    deauthorized.to(stopping, event=when(StopRequested,        "4.10"),                                                                      on="stop_as_asked")
    deauthorized.to(stopping, event=when(RemoteStopTransaction, "5.12 Accepted"),            cond="has_its_id",                              on="stop_remotely")
    deauthorized.to(deauthorized, event=when(RemoteStopTransaction, "5.12 no such transaction"), unless="has_its_id",                        on="refuse")
    deauthorized.to(stopping, event=when(VehicleDisconnected,  "4.10, 9.1 StopTransactionOnEVSideDisconnect"), cond="stops_on_disconnect",   on="stop_disconnected")
    deauthorized.to(deauthorized, event=when(VehicleDisconnected, "9.1 StopTransactionOnEVSideDisconnect=false"), unless="stops_on_disconnect")
    deauthorized.to(stopping, event=when(CableRemoved,         "4.10 nothing is connected"),                                                 on="stop_disconnected")
    deauthorized.to(stopping, event=when(BecameFaulted,        "decision T1: a safety fault ends it"), cond="is_safety_fault",               on="stop_in_fault")
    deauthorized.to(deauthorized, event=when(BecameFaulted,    "decision T1: it waits for the repair"), unless="is_safety_fault")
    deauthorized.to(stopping, event=when(RestartGranted,       "5.14"),                                                                      on="stop_for_restart")
    deauthorized.to(stopping, event=when(UnlockGranted,        "5.18"),                                                                      on="stop_for_unlock")
    # The last register value
    stopping.to(idle,         event=when(MeterRead,            "4.10 meterStop"),            cond="is_for_stop",                             on="end")
    stopping.to(stopping,     event=when(MeterRead,            "4.7 register value on record"), unless="is_for_stop",                        on="note")
    stopping.to(idle,         event=when(MeterReadFailed,      "4.10 the latest value on record"), cond="is_for_stop",                       on="end_unread")
    stopping.to(stopping,     event=when(MeterReadFailed,      "of another reading"),        unless="is_for_stop")
    stopping.to(stopping,     event=when(StartSettled,         "4.8 already stopping"),      cond="is_mine",                                 on="settle")
    stopping.to(stopping,     event=when(StartSettled,         "of an earlier transaction"), unless="is_mine")
    # After a restart
    idle.to(idle,             event=when(Resumed,              "nothing was open"),          unless="was_open")
    idle.to(stopping,         event=when(Resumed,              "5.8 it was being stopped"),  cond=["was_open", "was_stopping"],              on="recall_and_read")
    idle.to(stopping,         event=when(Resumed,              "5.8 recovery = end: PowerLoss or Reboot"), cond="was_open", unless=["was_stopping", "may_resume"],  on="recall_and_stop")
    idle.to(recovering,       event=when(Resumed,              "5.8 recovery = resume"),     cond=["was_open", "may_resume"], unless="was_stopping",       on="recall")
    recovering.to(running,    event=when(VehicleConnected,     "5.8 the vehicle is still there"), cond="is_in_service", unless="was_deauthorized",                 on="resume")
    recovering.to(deauthorized, event=when(VehicleConnected,   "5.8 the vehicle is still there, without energy"), cond=["is_in_service", "was_deauthorized"], unless="stops_on_invalid", on="resume")
    recovering.to(stopping,   event=when(VehicleConnected,     "9.1 StopTransactionOnInvalidId"), cond=["is_in_service", "was_deauthorized", "stops_on_invalid"], on="stop_invalid")
    recovering.to(stopping,   event=when(VehicleConnected,     "5.2 out of service since: PowerLoss or Reboot"), unless="is_in_service",                                    on="stop_lost")
    recovering.to(stopping,   event=when(RecoveryTimedOut,     "5.8 the vehicle is gone: PowerLoss or Reboot"),                                        on="stop_lost")
    recovering.to(recovering, event=when(StartSettled,         "4.8 answered meanwhile"),    cond="is_mine",                                 on="settle")
    recovering.to(recovering, event=when(StartSettled,         "of an earlier transaction"), unless="is_mine")
    recovering.to(stopping,   event=when(RestartGranted,       "5.14"),                                                                      on="stop_for_restart")
    recovering.to(stopping,   event=when(UnlockGranted,        "5.18"),                                                                      on="stop_for_unlock")
    recovering.to(stopping,   event=when(BecameFaulted,        "decision T1: a safety fault ends it"), cond="is_safety_fault",               on="stop_in_fault")
    recovering.to(recovering, event=when(BecameFaulted,        "decision T1: it waits for the repair"), unless="is_safety_fault")
    # fmt: on

    stays(Authorized, "4.8 a transaction is under way", starting, running, deauthorized, stopping)
    stays(AllowanceUsed, "4.10 already stopping", stopping)
    stays(PowerFailing, "5.8 no transaction", idle)
    stays(PowerFailing, "4.10 already stopping", stopping)
    stays(StopPressed, "4.10 no transaction", idle)
    stays(StopPressed, "4.10 already stopping", stopping)
    stays(PreparationEnded, "no idTag is held", idle)
    stays(VehicleConnected, "4.8 no idTag yet", idle)
    stays(VehicleConnected, "4.8 connected again", running, deauthorized, stopping)
    stays(VehicleDisconnected, "4.8 no transaction", idle)
    stays(VehicleDisconnected, "4.10 already stopping", stopping)
    stays(CableRemoved, "no transaction", idle)
    stays(CableRemoved, "4.10 already stopping", stopping)
    stays(MeterRead, "of a start given up", idle, authorized)
    stays(MeterReadFailed, "of a start given up", idle, authorized)
    stays(MeterReadFailed, "4.7 the next reading counts", running, deauthorized)
    stays(StartSettled, "of an earlier transaction", idle, authorized, starting, deauthorized)
    stays(BecameFaulted, "4.9 no transaction", idle)
    stays(BecameFaulted, "4.9 already stopping", stopping)
    stays(
        CableHeld, "5.18 no start waits for it", idle, authorized, running, deauthorized, recovering, stopping
    )
    stays(RestartGranted, "5.14 no transaction", idle)
    stays(RestartGranted, "5.14 already stopping", stopping)
    stays(UnlockGranted, "5.18 no transaction", idle)
    stays(UnlockGranted, "5.18 already stopping", stopping)
    stays(CableRemoved, "5.8 no vehicle yet", recovering)
    stays(PreparationEnded, "5.8 the cable alone is back", recovering, stopping)
    stays(MeterRead, "not asked for now", recovering)
    stays(MeterReadFailed, "not asked for now", recovering)
    for each in (idle, authorized, starting, recovering, stopping):
        each.to(each, event=when(RemoteStopTransaction, "5.12 no such transaction runs"), on="refuse")
    del each

    impossible: ClassVar = {
        **{
            (value, AllowanceUsed): "there is an allowance only for what is deauthorized"
            for value in ("idle", "authorized", "starting", "running", "recovering")
        },
        ("idle", AuthorizationDropped): "no idTag is held",
        ("idle", StopRequested): "no transaction runs",
        ("idle", RecoveryTimedOut): "its timer runs only while recovering",
        ("authorized", VehicleDisconnected): "a vehicle that connects starts it, or ends it",
        ("authorized", StopRequested): "no transaction runs",
        ("authorized", Resumed): "told first",
        ("authorized", RecoveryTimedOut): "its timer runs only while recovering",
        ("starting", AuthorizationDropped): "the idTag is in use",
        ("starting", VehicleConnected): "a vehicle is connected",
        ("starting", CableRemoved): "the vehicle is told to have left before its cable",
        ("starting", StopRequested): "no transaction runs",
        ("starting", Resumed): "told first",
        ("starting", RecoveryTimedOut): "its timer runs only while recovering",
        ("running", AuthorizationDropped): "the idTag is in use",
        ("running", PreparationEnded): "its timer stops with the start",
        ("running", Resumed): "told first",
        ("running", RecoveryTimedOut): "its timer stops with the recovery",
        ("deauthorized", AuthorizationDropped): "the idTag is in use",
        ("deauthorized", PreparationEnded): "its timer stops with the start",
        ("deauthorized", Resumed): "told first",
        ("deauthorized", RecoveryTimedOut): "its timer stops with the recovery",
        ("recovering", AuthorizationDropped): "the idTag is in use",
        ("recovering", Authorized): "nobody was asked since the start, and idTags are refused",
        ("recovering", VehicleDisconnected): "a vehicle that connects ends the recovery",
        ("recovering", StopRequested): "idTags are refused until the vehicle is found",
        ("recovering", Resumed): "told first",
        ("stopping", AuthorizationDropped): "the idTag is in use",
        ("stopping", StopRequested): "idTags are refused until the end is on record",
        ("stopping", Resumed): "told first",
        ("stopping", RecoveryTimedOut): "its timer stops with the recovery",
    }

    # Guards

    def may_start(self) -> bool:
        return self.facts.is_operative and not self.facts.is_faulted and not self.facts.is_restarting

    def is_connected(self) -> bool:
        return self.facts.is_connected

    def is_held(self) -> bool:
        return self.facts.is_held

    def is_for_start(self, read: MeterRead | MeterReadFailed) -> bool:
        return read.ticket == START_TICKET

    def is_for_stop(self, read: MeterRead | MeterReadFailed) -> bool:
        return read.ticket == STOP_TICKET

    def is_mine(self, settled: StartSettled) -> bool:
        return settled.local_id == self.data.local_id

    def is_accepted(self, settled: StartSettled) -> bool:
        return settled.id_tag_info.status is AuthorizationStatus.ACCEPTED

    def has_its_id(self, request: RemoteStopTransaction) -> bool:
        return request.transaction_id == self.data.transaction_id

    def stops_at_once(self) -> bool:
        keys = self.facts.keys
        return keys.stop_transaction_on_invalid_id and keys.max_energy_on_invalid_id == 0

    def stops_on_invalid(self) -> bool:
        return self.facts.keys.stop_transaction_on_invalid_id

    def stops_on_disconnect(self) -> bool:
        return self.facts.keys.stop_transaction_on_ev_side_disconnect

    def is_safety_fault(self, became: BecameFaulted) -> bool:
        return became.fault in SAFETY

    def was_open(self, resumed: Resumed) -> bool:
        return resumed.state in {"running", "deauthorized", "recovering", "stopping"}

    def was_stopping(self, resumed: Resumed) -> bool:
        return resumed.state == "stopping"

    def may_resume(self) -> bool:
        return self.facts.settings.recovery is Recovery.RESUME

    def is_in_service(self) -> bool:
        # Firmware that waits to be installed waits for the end of this transaction, too.
        return self.facts.is_operative or (self.facts.is_withheld and self.facts.is_scheduled)

    def was_deauthorized(self) -> bool:
        return self.data.is_deauthorized

    # Actions: before the start

    def hold(self, authorized: Authorized) -> None:
        self.data = TransactionData(id_tag=authorized.id_tag, parent_id_tag=authorized.parent_id_tag)
        self.emit(IntentBegan())

    def hold_and_read(self, authorized: Authorized) -> None:
        self.hold(authorized)
        self.read_start()

    def read_start(self) -> None:
        self.emit(ReadMeter(self.facts.number, START_TICKET))

    def drop(self) -> None:
        self.data = TransactionData()
        self.emit(IntentDropped())

    def start(self, read: MeterRead) -> None:
        local_id, register = self.facts.next_local_id, read.reading.energy_import_wh
        self.data = replace(
            self.data,
            local_id=local_id,
            started_at=self.facts.now,
            meter_start=register,
            meter_last=register,
        )
        began = Began(
            connector_id=self.facts.number,
            id_tag=self.data.id_tag,
            meter_start=register,
            reservation_id=self.facts.reservation_id,
        )
        self.emit(TransactionMessageQueued(local_id, self.facts.now, began), TransactionStarted(local_id))

    # Actions: while it runs

    def settle(self, settled: StartSettled) -> None:
        accepted = settled.id_tag_info.status is AuthorizationStatus.ACCEPTED
        self.data = replace(
            self.data,
            transaction_id=settled.transaction_id,
            parent_id_tag=settled.id_tag_info.parent_id_tag or self.data.parent_id_tag,
            is_deauthorized=not accepted,
        )

    def note(self, read: MeterRead) -> None:
        # A register that runs backwards is the meter's trouble; what is on record never does.
        self.data = replace(self.data, meter_last=max(self.data.meter_last, read.reading.energy_import_wh))

    # Actions: stopping

    def settle_and_stop(self, settled: StartSettled) -> None:
        self.settle(settled)
        self._stop(Reason.DE_AUTHORIZED)

    def settle_and_tell(self, settled: StartSettled) -> None:
        self.settle(settled)
        self.emit(Deauthorized())

    def stop_invalid(self) -> None:
        self._stop(Reason.DE_AUTHORIZED)

    def stop_pressed(self, pressed: StopPressed) -> None:
        self._stop(Reason.EMERGENCY_STOP if pressed.is_emergency else Reason.LOCAL)

    def stop_as_asked(self, asked: StopRequested) -> None:
        self._stop(asked.reason, asked.id_tag)

    def stop_remotely(self) -> None:
        self.emit(Answer(RemoteStopTransactionConf(status=RemoteStartStopStatus.ACCEPTED)))
        self._stop(Reason.REMOTE)

    def stop_disconnected(self) -> None:
        self._stop(Reason.EV_DISCONNECTED)

    def stop_in_fault(self) -> None:
        self._stop(Reason.OTHER)

    def stop_for_restart(self, granted: RestartGranted) -> None:
        self._stop(Reason.HARD_RESET if granted.type is ResetType.HARD else Reason.SOFT_RESET)

    def stop_for_unlock(self) -> None:
        self._stop(Reason.UNLOCK_COMMAND)

    def stop_unpowered(self) -> None:
        # Now, whatever interrupted it before.
        self._stop(Reason.POWER_LOSS)

    def stop_lost(self) -> None:
        self._stop(self.data.interruption)

    def refuse(self) -> None:
        self.emit(Answer(RemoteStopTransactionConf(status=RemoteStartStopStatus.REJECTED)))

    def _stop(self, reason: Reason, id_tag: str | None = None) -> None:
        self.data = replace(self.data, stop_reason=reason, stop_id_tag=id_tag, stopped_at=self.facts.now)
        self.emit(StopTimer(RECOVERY), ReadMeter(self.facts.number, STOP_TICKET))

    def end(self, read: MeterRead) -> None:
        self.note(read)
        self.end_unread()

    def end_unread(self) -> None:
        data = self.data
        assert data.stop_reason is not None
        assert data.stopped_at is not None
        ended = Ended(meter_stop=data.meter_last, reason=data.stop_reason, id_tag=data.stop_id_tag)
        self.data = TransactionData()
        self.emit(
            TransactionMessageQueued(data.local_id, data.stopped_at, ended),
            TransactionEnded(data.local_id, data.stop_reason, data.id_tag, data.parent_id_tag),
        )

    # Actions: after a restart

    def recall(self, resumed: Resumed) -> None:
        self._remember(resumed)
        wait_s = self.facts.settings.limits.vehicle_response_s
        self.emit(StartTimer(RECOVERY, wait_s, RecoveryTimedOut()))

    def recall_and_read(self, resumed: Resumed) -> None:
        self.data = resumed.data
        self.emit(ReadMeter(self.facts.number, STOP_TICKET))

    def recall_and_stop(self, resumed: Resumed) -> None:
        self._remember(resumed)
        self.stop_lost()

    def _remember(self, resumed: Resumed) -> None:
        why = Reason.REBOOT if resumed.was_powered else Reason.POWER_LOSS
        self.data = replace(resumed.data, interruption=why)

    def resume(self) -> None:
        self.emit(StopTimer(RECOVERY), IntentBegan(), TransactionStarted(self.data.local_id, resumed=True))
