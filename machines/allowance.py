"""What a transaction may still draw although its idTag was not accepted.

OCPP 1.6 edition 2: 9.1 MaxEnergyOnInvalidId. Counted in Wh from the register as it reads when the Central System has
answered. The meter is read again when the most that can flow would have used the allowance up, so it is exceeded by
no more than a reading takes; a meter that does not answer ends it.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.vocabulary.effects import ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed
from machines.vocabulary.notices import AllowanceUsed, Deauthorized, LimitsChanged, TransactionEnded

ALLOWANCE = "allowance"
ALLOWANCE_TICKET = 4
"""Tells the readings asked for here from others (effect ReadMeter)."""
WAIT_MIN_S = 1.0


class AllowanceDue(Struct, frozen=True):
    """The allowance may be used up by now."""


class AllowanceData(Struct, frozen=True):
    """Register value in Wh at which it is used up."""

    end_wh: int = 0


class Allowance(Machine[AllowanceData, Facts]):
    """The energy allowed after a start that was not accepted."""

    messages = (Deauthorized, MeterRead, MeterReadFailed, AllowanceDue, TransactionEnded)

    nothing = State("Nothing", value="nothing", initial=True)
    measuring = State("Measuring", value="measuring")
    granted = State("Granted", value="granted")

    # fmt: off
    nothing.to(measuring, event=when(Deauthorized,     "9.1 MaxEnergyOnInvalidId"),     cond="has_allowance",                    on="read")
    nothing.to(nothing,   event=when(Deauthorized,     "9.1 none is configured"),       unless="has_allowance",                  on="tell")
    measuring.to(granted, event=when(MeterRead,        "9.1 counted from here"),        cond="is_mine",                          on="grant")
    measuring.to(measuring, event=when(MeterRead,      "of another reading"),           unless="is_mine")
    measuring.to(nothing, event=when(MeterReadFailed,  "9.1 cannot be counted"),        cond="is_mine",                          on="use_up")
    measuring.to(measuring, event=when(MeterReadFailed, "of another reading"),          unless="is_mine")
    granted.to(granted,   event=when(AllowanceDue,     "9.1 used up by now?"),                                                   on="read")
    granted.to(nothing,   event=when(MeterRead,        "9.1 used up"),                  cond=["is_mine", "is_used_up"],          on="use_up")
    granted.to(granted,   event=when(MeterRead,        "9.1 there is some left"),       cond="is_mine", unless="is_used_up",     on="wait")
    granted.to(granted,   event=when(MeterRead,        "of another reading"),           unless="is_mine")
    granted.to(nothing,   event=when(MeterReadFailed,  "9.1 cannot be counted"),        cond="is_mine",                          on="use_up")
    granted.to(granted,   event=when(MeterReadFailed,  "of another reading"),           unless="is_mine")
    measuring.to(nothing, event=when(TransactionEnded, "4.10"),                                                                  on="forget")
    granted.to(nothing,   event=when(TransactionEnded, "4.10"),                                                                  on="forget")
    # fmt: on

    stays(MeterRead, "nothing is allowed", nothing)
    stays(MeterReadFailed, "nothing is allowed", nothing)
    stays(TransactionEnded, "nothing is allowed", nothing)
    impossible: ClassVar = {
        ("nothing", AllowanceDue): "its timer runs only while granted",
        ("measuring", AllowanceDue): "its timer runs only while granted",
        ("measuring", Deauthorized): "told once in a transaction",
        ("granted", Deauthorized): "told once in a transaction",
    }

    # Guards

    def has_allowance(self) -> bool:
        return self.facts.keys.max_energy_on_invalid_id > 0

    def is_mine(self, read: MeterRead | MeterReadFailed) -> bool:
        return read.ticket == ALLOWANCE_TICKET

    def is_used_up(self, read: MeterRead) -> bool:
        return read.reading.energy_import_wh >= self.data.end_wh

    # Actions

    def read(self) -> None:
        self.emit(ReadMeter(self.facts.number, ALLOWANCE_TICKET))

    def grant(self, read: MeterRead) -> None:
        self.data = AllowanceData(read.reading.energy_import_wh + self.facts.keys.max_energy_on_invalid_id)
        self.wait(read)

    def wait(self, read: MeterRead) -> None:
        connector = self.facts.connector
        assert connector is not None
        most_w = connector.current_max_a * connector.voltage_v * connector.phases
        left_wh = self.data.end_wh - read.reading.energy_import_wh
        self.emit(StartTimer(ALLOWANCE, max(WAIT_MIN_S, left_wh * 3600 / most_w), AllowanceDue()))

    def tell(self) -> None:
        """What it has no use for any more the other connectors share (decision SC9)."""
        self.emit(LimitsChanged())

    def use_up(self) -> None:
        self.forget()
        self.tell()
        self.emit(AllowanceUsed())

    def forget(self) -> None:
        self.data = AllowanceData()
        self.emit(StopTimer(ALLOWANCE))
