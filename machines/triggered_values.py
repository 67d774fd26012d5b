"""MeterValues of one connector because TriggerMessage asked for them.

OCPP 1.6 edition 2: 5.17 Trigger Message, 3.16; facts 5.7. A fresh reading, with or without a transaction, of every
measurand in MeterValuesSampledData, context Trigger. It belongs to no transaction's record: it is sent once, not queued.
"""

from typing import ClassVar

from machines.facts import Facts
from machines.machine import Machine, NoData, State, stays, when
from machines.measurands import sampled_values
from machines.vocabulary.effects import Call, ReadMeter
from machines.vocabulary.hardware import MeterRead, MeterReadFailed
from machines.vocabulary.notices import MeterValuesTriggered
from machines.vocabulary.ocpp import MeterValue, MeterValues, MeterValuesConf, ReadingContext, SampledValue
from machines.vocabulary.posix import EPOCH
from machines.vocabulary.wire import CallFailed

TRIGGER_TICKET = 9
"""Tells the readings asked for here from those of others."""

UNTIL_SENT = EPOCH
"""Stands for the time of the reading until the engine fills it in."""


class TriggeredValues(Machine[NoData, Facts]):
    """Meter values on demand."""

    messages = (MeterValuesTriggered, MeterRead, MeterReadFailed, MeterValuesConf, CallFailed)

    idle = State("Idle", value="idle", initial=True)
    reading = State("Reading", value="reading")

    # fmt: off
    idle.to(reading,    event=when(MeterValuesTriggered, "5.17 a fresh reading"),             cond="is_meant",                            on="read")
    idle.to(idle,       event=when(MeterValuesTriggered, "5.17 another connector"),           unless="is_meant")
    reading.to(reading, event=when(MeterValuesTriggered, "5.17 the one under way will do"))
    reading.to(idle,    event=when(MeterRead,            "5.17 context Trigger"),             cond=["is_mine", "may_send", "has_values"], on="tell")
    reading.to(idle,    event=when(MeterRead,            "5.17 nothing measurable is configured"), cond=["is_mine", "may_send"], unless="has_values")
    reading.to(idle,    event=when(MeterRead,            "5.17 nobody to tell any more"),     cond="is_mine", unless="may_send")
    reading.to(reading, event=when(MeterRead,            "asked for by another machine"),     unless="is_mine")
    reading.to(idle,    event=when(MeterReadFailed,      "5.17 the meter is silent"),         cond="is_mine")
    reading.to(reading, event=when(MeterReadFailed,      "asked for by another machine"),     unless="is_mine")
    # fmt: on

    stays(MeterRead, "asked for by another machine", idle)
    stays(MeterReadFailed, "asked for by another machine", idle)
    stays(MeterValuesConf, "5.17 it arrived", idle, reading)
    stays(CallFailed, "5.17 it may be asked for again", idle, reading)
    impossible: ClassVar = {}

    # Guards

    def is_meant(self, triggered: MeterValuesTriggered) -> bool:
        return triggered.connector_id in {None, self.facts.number}

    def is_mine(self, read: MeterRead | MeterReadFailed) -> bool:
        return read.ticket == TRIGGER_TICKET

    def may_send(self) -> bool:
        return self.facts.is_open and (self.facts.is_accepted or self.facts.is_pending)

    def has_values(self, read: MeterRead) -> bool:
        return bool(self._values(read))

    # Actions

    def read(self) -> None:
        self.emit(ReadMeter(self.facts.number, TRIGGER_TICKET))

    def tell(self, read: MeterRead) -> None:
        request = MeterValues(
            connector_id=self.facts.number,
            transaction_id=self.facts.transaction_id,
            meter_value=(MeterValue(timestamp=UNTIL_SENT, sampled_value=self._values(read)),),
        )
        self.emit(Call(request, at=self.facts.now))

    def _values(self, read: MeterRead) -> tuple[SampledValue, ...]:
        facts = self.facts
        items = facts.keys.meter_values_sampled_data
        return sampled_values(read.reading, items, ReadingContext.TRIGGER, facts)
