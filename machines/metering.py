"""Meter values of one connector's transaction: every MeterValueSampleInterval, at its begin and at its end.

OCPP 1.6 edition 2: 3.16 and 4.7 Meter Values, 4.10 transactionData; facts 5.7. A sample is read for the purpose when it
is due, and reported in MeterValues, collected for StopTransaction, or both, as is configured. The values of begin and
end are those that the transaction itself was billed by. A reading that fails is left out: the next one is due anyway.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.measurands import PreviousReading, has_interval, sampled_values
from machines.resumed import Resumed
from machines.transaction import START_TICKET, STOP_TICKET
from machines.vocabulary.effects import Collect, ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, MeterReading
from machines.vocabulary.notices import (
    KeyChanged,
    TransactionEnded,
    TransactionMessageQueued,
    TransactionStarted,
)
from machines.vocabulary.ocpp import ReadingContext, SampledValue
from machines.vocabulary.transactions import Metered

SAMPLE = "sample"
SAMPLE_TICKET = 3
"""Tells the readings asked for here from those of the transaction."""


class SampleDue(Struct, frozen=True):
    """MeterValueSampleInterval passed."""


class MeteringData(Struct, frozen=True):
    """The transaction that is metered."""

    local_id: int = 0
    edge: MeterReading | None = None
    """The latest reading of a transaction's begin or end."""
    previous: MeterReading | None = None
    """The sample before, if an energy per interval is configured."""


class Metering(Machine[MeteringData, Facts]):
    """Sampled meter values."""

    memory = PreviousReading
    messages = (
        TransactionStarted,
        TransactionEnded,
        SampleDue,
        MeterRead,
        MeterReadFailed,
        KeyChanged,
        Resumed,
    )

    silent = State("Silent", value="silent", initial=True)
    sampling = State("Sampling", value="sampling")

    # fmt: off
    silent.to(silent,     event=when(MeterRead,          "4.8, 4.10 at its begin or end"),   cond="is_edge",                        on="note")
    silent.to(silent,     event=when(MeterRead,          "of no sample"),                    unless="is_edge")
    silent.to(sampling,   event=when(TransactionStarted, "3.16.1 from the start of the transaction"), unless="is_resumed",          on="begin")
    silent.to(sampling,   event=when(TransactionStarted, "5.8 on after a restart"),          cond="is_resumed",                     on="go_on")
    sampling.to(silent,   event=when(TransactionEnded,   "3.16.1 to its end"),                                                      on="end")
    silent.to(silent,     event=when(TransactionEnded,   "5.8 ended after a restart"),                                              on="end")
    sampling.to(sampling, event=when(SampleDue,          "9.1 MeterValueSampleInterval"),                                           on="read")
    sampling.to(sampling, event=when(MeterRead,          "4.7, 9.1 StopTxnSampledData"),     cond="is_sample",                      on="take")
    sampling.to(sampling, event=when(MeterRead,          "4.10 at its end"),                 cond="is_edge", unless="is_sample",    on="note")
    sampling.to(sampling, event=when(MeterRead,          "of no sample"),                    unless=["is_sample", "is_edge"])
    sampling.to(sampling, event=when(KeyChanged,         "9.1 MeterValueSampleInterval at once"), cond="is_interval",               on="restart")
    sampling.to(sampling, event=when(KeyChanged,         "another key"),                     unless="is_interval")
    silent.to(silent,     event=when(Resumed,            "5.8 energy per interval goes on"),                                        on="recall")
    # fmt: on

    stays(MeterReadFailed, "4.7 the next sample is due anyway", silent, sampling)
    stays(KeyChanged, "no transaction", silent)
    impossible: ClassVar = {
        ("silent", SampleDue): "the timer runs only while sampling",
        ("sampling", TransactionStarted): "a connector has one transaction at a time",
        ("sampling", Resumed): "told first",
    }

    def remember(self) -> PreviousReading:
        """Only what the transaction does not remember itself."""
        return PreviousReading(self.data.previous)

    # Guards

    def is_sample(self, read: MeterRead) -> bool:
        return read.ticket == SAMPLE_TICKET

    def is_edge(self, read: MeterRead) -> bool:
        return read.ticket in {START_TICKET, STOP_TICKET}

    def is_resumed(self, started: TransactionStarted) -> bool:
        return started.resumed

    def is_interval(self, changed: KeyChanged) -> bool:
        return changed.attribute == "meter_value_sample_interval"

    # Actions

    def note(self, read: MeterRead) -> None:
        self.data = replace(self.data, edge=read.reading)

    def begin(self, started: TransactionStarted) -> None:
        begin = self.data.edge
        self.data = MeteringData(started.local_id)
        if begin is not None:
            self._collect_edge(started.local_id, begin, ReadingContext.TRANSACTION_BEGIN)
            self._remember(begin)
        self.restart()

    def go_on(self, started: TransactionStarted) -> None:
        self.data = MeteringData(started.local_id, previous=self.data.previous)
        self.restart()

    def restart(self) -> None:
        interval_s = self.facts.keys.meter_value_sample_interval
        if interval_s > 0:
            self.emit(StartTimer(SAMPLE, interval_s, SampleDue(), every_s=interval_s))
        else:
            self.emit(StopTimer(SAMPLE))

    def read(self) -> None:
        self.emit(ReadMeter(self.facts.number, SAMPLE_TICKET))

    def take(self, read: MeterRead) -> None:
        facts, local_id, context = self.facts, self.data.local_id, ReadingContext.SAMPLE_PERIODIC
        reported, collected = facts.keys.meter_values_sampled_data, facts.keys.stop_txn_sampled_data
        values = sampled_values(read.reading, reported, context, facts, self.data.previous)
        if values and "MeterValues" in facts.settings.sends:
            metered = Metered(connector_id=facts.number, values=values)
            self.emit(TransactionMessageQueued(local_id, facts.now, metered))
        if collected != reported:
            self._collect(local_id, read.reading, collected, context)
        elif collected and values:  # often both are the same
            self._emit_collect(local_id, values)
        self._remember(read.reading)

    def end(self, ended: TransactionEnded) -> None:
        if self.data.edge is not None:
            self._collect_edge(ended.local_id, self.data.edge, ReadingContext.TRANSACTION_END)
        self.data = MeteringData()
        self.emit(StopTimer(SAMPLE))

    def recall(self, resumed: Resumed) -> None:
        self.data = MeteringData(previous=resumed.data.reading)

    def _collect_edge(self, local_id: int, reading: MeterReading, context: ReadingContext) -> None:
        keys = self.facts.keys
        self._collect(local_id, reading, keys.stop_txn_sampled_data + keys.stop_txn_aligned_data, context)

    def _collect(
        self, local_id: int, reading: MeterReading, items: tuple[str, ...], context: ReadingContext
    ) -> None:
        if items and (values := sampled_values(reading, items, context, self.facts, self.data.previous)):
            self._emit_collect(local_id, values)

    def _emit_collect(self, local_id: int, values: tuple[SampledValue, ...]) -> None:
        self.emit(Collect(local_id, self.facts.now, values, self.facts.settings.limits.collected_max))

    def _remember(self, reading: MeterReading) -> None:
        keys = self.facts.keys
        is_needed = has_interval(
            keys.meter_values_sampled_data, keys.stop_txn_sampled_data, keys.stop_txn_aligned_data
        )
        self.data = replace(self.data, previous=reading if is_needed else None)
