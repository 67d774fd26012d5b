"""Meter values of one connector's transaction, every MeterValueSampleInterval.

OCPP 1.6 edition 2: 3.16 and 4.7 Meter Values. A sample is read for the purpose when it is due; what the reading
holds is turned into SampledValues by :func:`machines.measurands.sampled_values`. A reading that fails is left out:
the next one is due anyway.
"""

from typing import ClassVar

from msgspec import Struct
from statemachine import State

from machines.facts import Facts
from machines.machine import Machine, stays, when
from machines.measurands import sampled_values
from machines.vocabulary.effects import ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed
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


class Metering(Machine[MeteringData, Facts]):
    """Sampled meter values."""

    messages = (TransactionStarted, TransactionEnded, SampleDue, MeterRead, MeterReadFailed, KeyChanged)

    silent = State("Silent", value="silent", initial=True)
    sampling = State("Sampling", value="sampling")

    # fmt: off
    silent.to(sampling,   event=when(TransactionStarted, "3.16.1 from the start of the transaction"), on="begin")
    sampling.to(silent,   event=when(TransactionEnded,   "3.16.1 to its end"),                        on="end")
    sampling.to(sampling, event=when(SampleDue,          "9.1 MeterValueSampleInterval"),             on="read")
    sampling.to(sampling, event=when(MeterRead,          "4.7"),                     cond=["is_sample", "has_values"],    on="queue")
    sampling.to(sampling, event=when(MeterRead,          "4.7 nothing measurable is configured"), cond="is_sample", unless="has_values")
    sampling.to(sampling, event=when(MeterRead,          "of the transaction"),      unless="is_sample")
    sampling.to(sampling, event=when(KeyChanged,         "9.1 MeterValueSampleInterval at once"), cond="is_interval",     on="restart")
    sampling.to(sampling, event=when(KeyChanged,         "another key"),             unless="is_interval")
    # fmt: on

    stays(MeterReadFailed, "4.7 the next sample is due anyway", silent, sampling)
    stays(MeterRead, "no transaction", silent)
    stays(KeyChanged, "no transaction", silent)
    stays(TransactionEnded, "5.8 ended after a restart", silent)
    impossible: ClassVar = {
        ("silent", SampleDue): "the timer runs only while sampling",
        ("sampling", TransactionStarted): "a connector has one transaction at a time",
    }

    # Guards

    def is_sample(self, read: MeterRead) -> bool:
        return read.ticket == SAMPLE_TICKET

    def has_values(self, read: MeterRead) -> bool:
        return bool(self._values(read))

    def is_interval(self, changed: KeyChanged) -> bool:
        return changed.attribute == "meter_value_sample_interval"

    # Actions

    def begin(self, started: TransactionStarted) -> None:
        self.data = MeteringData(started.local_id)
        self.restart()

    def restart(self) -> None:
        interval_s = self.facts.keys.meter_value_sample_interval
        if interval_s > 0:
            self.emit(StartTimer(SAMPLE, interval_s, SampleDue(), every_s=interval_s))
        else:
            self.emit(StopTimer(SAMPLE))

    def read(self) -> None:
        self.emit(ReadMeter(self.facts.number, SAMPLE_TICKET))

    def queue(self, read: MeterRead) -> None:
        metered = Metered(connector_id=self.facts.number, values=self._values(read))
        self.emit(TransactionMessageQueued(self.data.local_id, self.facts.now, metered))

    def _values(self, read: MeterRead) -> tuple[SampledValue, ...]:
        facts = self.facts
        return sampled_values(
            read.reading,
            facts.keys.meter_values_sampled_data,
            ReadingContext.SAMPLE_PERIODIC,
            facts.offered_a,
        )

    def end(self) -> None:
        self.data = MeteringData()
        self.emit(StopTimer(SAMPLE))
