"""The faults of a connector, or with number 0 of the charge point, beside its status.

OCPP 1.6 edition 2: 4.9, column 9 and row I; 7.6 ChargePointErrorCode. While a fault that prevents charging stands, the
reported status is Faulted, whatever the connector's own machine does meanwhile. When the last one is gone the
connector shows where it is by then. A fault that does not prevent charging is a warning: the status stays, the
errorCode says it. Trouble with the pilot (EVCommunicationError) is no Faulted either: nothing is offered while it stands,
so that a transaction shows SuspendedEVSE.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault
from machines.vocabulary.notices import BecameFaulted, FaultsEnded, ResetFailed
from machines.vocabulary.ocpp import ChargePointErrorCode, ChargePointStatus

ERROR_CODES = {
    HardwareFault.LOCK: ChargePointErrorCode.CONNECTOR_LOCK_FAILURE,
    HardwareFault.NOT_LOCKED: ChargePointErrorCode.CONNECTOR_LOCK_FAILURE,
    HardwareFault.PILOT: ChargePointErrorCode.EV_COMMUNICATION_ERROR,
    HardwareFault.GROUND: ChargePointErrorCode.GROUND_FAILURE,
    HardwareFault.TEMPERATURE: ChargePointErrorCode.HIGH_TEMPERATURE,
    HardwareFault.INTERNAL: ChargePointErrorCode.INTERNAL_ERROR,
    HardwareFault.OVER_CURRENT: ChargePointErrorCode.OVER_CURRENT_FAILURE,
    HardwareFault.OVER_VOLTAGE: ChargePointErrorCode.OVER_VOLTAGE,
    HardwareFault.UNDER_VOLTAGE: ChargePointErrorCode.UNDER_VOLTAGE,
    HardwareFault.METER: ChargePointErrorCode.POWER_METER_FAILURE,
    HardwareFault.CONTACTOR: ChargePointErrorCode.POWER_SWITCH_FAILURE,
    HardwareFault.READER: ChargePointErrorCode.READER_FAILURE,
    HardwareFault.RESET: ChargePointErrorCode.RESET_FAILURE,
    HardwareFault.SIGNAL: ChargePointErrorCode.WEAK_SIGNAL,
    HardwareFault.STORAGE: ChargePointErrorCode.OTHER_ERROR,
    HardwareFault.OTHER: ChargePointErrorCode.OTHER_ERROR,
}
"""7.6: what each fault is called on the wire."""

WARNINGS = frozenset(
    {
        HardwareFault.PILOT,
        HardwareFault.READER,
        HardwareFault.RESET,
        HardwareFault.SIGNAL,
        HardwareFault.STORAGE,
    }
)
"""Faults that do not show as Faulted. All but PILOT leave the connector able to charge."""

WITH_VEHICLE = frozenset(
    {
        ChargePointStatus.PREPARING,
        ChargePointStatus.SUSPENDED_EV,
        ChargePointStatus.SUSPENDED_EVSE,
        ChargePointStatus.FINISHING,
    }
)
"""4.9: the statuses with which EVCommunicationError may be told."""

SAFETY = frozenset({HardwareFault.GROUND, HardwareFault.OVER_CURRENT, HardwareFault.CONTACTOR})
"""Faults that end a transaction (decision T1); with any other it waits without energy."""


class FaultData(Struct, frozen=True):
    """The faults that stand, oldest first, each with what its driver says of it."""

    faults: tuple[tuple[HardwareFault, str], ...] = ()

    def without(self, fault: HardwareFault) -> tuple[tuple[HardwareFault, str], ...]:
        """The faults that stand when ``fault`` is gone."""
        return tuple(entry for entry in self.faults if entry[0] is not fault)

    def shown_with(self, status: ChargePointStatus) -> tuple[tuple[HardwareFault, str], ...]:
        """The faults that may be told beside ``status``."""
        return self.faults if status in WITH_VEHICLE else self.without(HardwareFault.PILOT)

    @property
    def trusts_pilot(self) -> bool:
        """Whether the vehicle may be supplied as far as its pilot goes: one that cannot be trusted asks for nothing."""
        return not any(fault is HardwareFault.PILOT for fault, _ in self.faults)


class Fault(Machine[FaultData, Facts]):
    """The set of faults."""

    messages = (FaultRaised, FaultCleared, ResetFailed)

    clear = State("Clear", value="clear", initial=True)
    warned = State("Warned", value="warned")
    faulted = State("Faulted", value="faulted")

    # fmt: off
    clear.to(faulted,   event=when(FaultRaised,  "4.9 A9 B9 C9 D9 E9 F9 G9 H9"), cond="prevents_charging",   on="begin")
    clear.to(warned,    event=when(FaultRaised,  "4.9 a warning, no status"),    unless="prevents_charging", on="add")
    warned.to(faulted,  event=when(FaultRaised,  "4.9 A9 B9 C9 D9 E9 F9 G9 H9"), cond="prevents_charging",   on="begin")
    warned.to(warned,   event=when(FaultRaised,  "4.9 one more warning"),        unless="prevents_charging", on="add")
    faulted.to(faulted, event=when(FaultRaised,  "4.9 one more"),                cond="prevents_charging",   on="begin")
    faulted.to(faulted, event=when(FaultRaised,  "4.9 a warning beside it"),     unless="prevents_charging", on="add")
    clear.to(warned,    event=when(ResetFailed,  "7.6 ResetFailure, a warning"),                             on="add_reset")
    warned.to(warned,   event=when(ResetFailed,  "7.6 ResetFailure, a warning"),                             on="add_reset")
    faulted.to(faulted, event=when(ResetFailed,  "7.6 ResetFailure, beside the fault"),                      on="add_reset")
    clear.to(clear,     event=when(FaultCleared, "none stands"))
    warned.to(warned,   event=when(FaultCleared, "4.9 a warning is left"),       cond="leaves_any",          on="remove")
    warned.to(clear,    event=when(FaultCleared, "4.9 the last warning"),        unless="leaves_any",        on="remove")
    faulted.to(faulted, event=when(FaultCleared, "4.9 a fault is left"),         cond="leaves_fault",        on="remove")
    faulted.to(warned,  event=when(FaultCleared, "4.9 I1 I2 I3 I4 I5 I6 I7 I8, a warning is left"), cond="leaves_any", unless="leaves_fault", on="end")
    faulted.to(clear,   event=when(FaultCleared, "4.9 I1 I2 I3 I4 I5 I6 I7 I8"), unless=["leaves_any", "leaves_fault"],           on="end")
    # fmt: on

    impossible: ClassVar = {}

    # Guards

    def prevents_charging(self, raised: FaultRaised) -> bool:
        return raised.fault not in WARNINGS

    def leaves_any(self, cleared: FaultCleared) -> bool:
        return bool(self.data.without(cleared.fault))

    def leaves_fault(self, cleared: FaultCleared) -> bool:
        return any(fault not in WARNINGS for fault, _ in self.data.without(cleared.fault))

    # Actions

    def add(self, raised: FaultRaised) -> None:
        self.data = FaultData((*self.data.without(raised.fault), (raised.fault, raised.info)))

    def add_reset(self, failed: ResetFailed) -> None:
        # It goes with the restart that comes about after all: faults are not kept.
        self.add(FaultRaised(HardwareFault.RESET, failed.why))

    def begin(self, raised: FaultRaised) -> None:
        self.add(raised)
        self.emit(BecameFaulted(raised.fault))

    def remove(self, cleared: FaultCleared) -> None:
        self.data = FaultData(self.data.without(cleared.fault))

    def end(self, cleared: FaultCleared) -> None:
        self.remove(cleared)
        self.emit(FaultsEnded())
