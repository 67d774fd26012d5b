"""Meter values of one connector at the same times of day everywhere: every ClockAlignedDataInterval from midnight UTC.

OCPP 1.6 edition 2: 3.16.2 and 4.7 Meter Values, 9.1 ClockAlignedDataInterval; facts 5.7. With a transaction or without
one, once the Central System has told the time of day. What is reported is stamped with the point of the grid at which
the meter was asked (decision M5). How long it is until the next point is reckoned anew each time, so that a clock that
is set shifts nothing; a point that has passed unseen is left out.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.measurands import PreviousReading, has_interval, sampled_values
from machines.resumed import Resumed
from machines.vocabulary.effects import Collect, ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, MeterReading
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted, TransactionMessageQueued
from machines.vocabulary.ocpp import ReadingContext
from machines.vocabulary.transactions import Metered

GRID = "grid"
CLOCK_TICKET = 5
"""Tells the readings asked for here from others (effect ReadMeter)."""

DAY_S = 86_400
LATE_S = 10.0
"""How long after a point of the grid its reading may still be asked for: more than any delay of a busy station."""
EARLY_S = 0.01
"""By how much a timer may fire too early: more than the rounding of any clock."""
LOOK_S = 3600.0
"""The clock is looked at this often, so that one that was set in between does not cost the next point."""


class GridDue(Struct, frozen=True):
    """A point of the grid was reached, if nobody has set the clock since."""


class ClockAlignedData(Struct, frozen=True):
    """Points of the grid, and what was read last."""

    point: float = 0.0
    """The latest point of the grid at which the meter was asked, POSIX s."""
    next: float = 0.0
    """The one that is waited for."""
    previous: MeterReading | None = None
    """The reading before, if an energy per interval is configured."""


def point_at(utc: float, interval_s: int) -> float:
    """The latest point of the grid at ``utc`` (POSIX s). The grid begins anew at every midnight UTC."""
    midnight = utc // DAY_S * DAY_S
    return midnight + (utc - midnight) // interval_s * interval_s


def point_after(point: float, interval_s: int) -> float:
    """The point of the grid after ``point``."""
    return min(point + interval_s, point // DAY_S * DAY_S + DAY_S)


class ClockAligned(Machine[ClockAlignedData, Facts]):
    """Clock-aligned meter values."""

    memory = PreviousReading
    messages = (RegistrationAccepted, GridDue, MeterRead, MeterReadFailed, KeyChanged, Resumed)

    silent = State("Silent", value="silent", initial=True)
    waiting = State("Waiting", value="waiting")
    reading = State("Reading", value="reading")

    # fmt: off
    silent.to(waiting,  event=when(RegistrationAccepted, "4.2 the time of day is known"),               on="look")
    waiting.to(reading, event=when(GridDue,              "3.16.2 a point of the grid"),  cond="is_at_point",   on="read")
    waiting.to(waiting, event=when(GridDue,              "3.16.2 not there, or off"),    unless="is_at_point", on="wait")
    reading.to(reading, event=when(GridDue,              "3.16.2 the meter is still being read"),       on="wait")
    reading.to(waiting, event=when(MeterRead,            "4.7, 9.1 StopTxnAlignedData"), cond="is_mine",       on="take")
    reading.to(reading, event=when(MeterRead,            "of another reading"),          unless="is_mine")
    reading.to(waiting, event=when(MeterReadFailed,      "4.7 left out"),                cond="is_mine")
    reading.to(reading, event=when(MeterReadFailed,      "of another reading"),          unless="is_mine")
    waiting.to(waiting, event=when(KeyChanged,           "9.1 ClockAlignedDataInterval at once"), cond="is_interval", on="wait")
    waiting.to(waiting, event=when(KeyChanged,           "another key"),                 unless="is_interval")
    reading.to(reading, event=when(KeyChanged,           "9.1 ClockAlignedDataInterval at once"), cond="is_interval", on="wait")
    reading.to(reading, event=when(KeyChanged,           "another key"),                 unless="is_interval")
    silent.to(silent,   event=when(Resumed,              "5.8 energy per interval goes on"),            on="recall")
    # fmt: on

    stays(MeterRead, "of another reading", silent, waiting)
    stays(MeterReadFailed, "of another reading", silent, waiting)
    stays(KeyChanged, "3.16.2 not before the time of day is known", silent)
    impossible: ClassVar = {
        ("silent", GridDue): "its timer runs only once the time of day is known",
        ("waiting", RegistrationAccepted): "registered once in a run",
        ("reading", RegistrationAccepted): "registered once in a run",
        ("waiting", Resumed): "told first",
        ("reading", Resumed): "told first",
    }

    def remember(self) -> PreviousReading:
        """Only the reading: the grid is known from the clock."""
        return PreviousReading(self.data.previous)

    # Guards

    def is_at_point(self) -> bool:
        utc, interval_s = self.facts.now.utc, self.facts.keys.clock_aligned_data_interval
        if utc is None or interval_s == 0:
            return False
        point = point_at(utc + EARLY_S, interval_s)
        return point == self.data.next and utc - point <= LATE_S

    def is_mine(self, read: MeterRead | MeterReadFailed) -> bool:
        return read.ticket == CLOCK_TICKET

    def is_interval(self, changed: KeyChanged) -> bool:
        return changed.attribute == "clock_aligned_data_interval"

    # Actions

    def look(self) -> None:
        # The clock is set by what else follows from this message: look at it right after.
        self.emit(StartTimer(GRID, 0, GridDue()))

    def wait(self) -> None:
        utc, interval_s = self.facts.now.utc, self.facts.keys.clock_aligned_data_interval
        if utc is None or interval_s == 0:
            self.emit(StopTimer(GRID))
        else:
            point = point_after(point_at(utc + EARLY_S, interval_s), interval_s)
            if point == self.data.point:
                # The clock was set back to before a point that is done.
                point = point_after(point, interval_s)
            self.data = replace(self.data, next=point)
            self.emit(StartTimer(GRID, min(point - utc, LOOK_S), GridDue()))

    def read(self) -> None:
        self.data = replace(self.data, point=self.data.next)
        self.emit(ReadMeter(self.facts.number, CLOCK_TICKET))
        self.wait()

    def take(self, read: MeterRead) -> None:
        facts, keys, previous = self.facts, self.facts.keys, self.data.previous
        context = ReadingContext.SAMPLE_CLOCK
        at = replace(facts.now, utc=self.data.point)
        items = keys.meter_values_aligned_data
        if items and "MeterValues" in facts.settings.sends:
            values = sampled_values(read.reading, items, context, facts, previous)
            if values:
                metered = Metered(connector_id=facts.number, values=values)
                self.emit(TransactionMessageQueued(facts.local_id, at, metered))
        items = keys.stop_txn_aligned_data
        if items and facts.local_id:
            values = sampled_values(read.reading, items, context, facts, previous)
            if values:
                self.emit(Collect(facts.local_id, at, values, facts.settings.limits.collected_max))
        is_needed = has_interval(keys.meter_values_aligned_data, keys.stop_txn_aligned_data)
        self.data = replace(self.data, previous=read.reading if is_needed else None)

    def recall(self, resumed: Resumed) -> None:
        self.data = ClockAlignedData(previous=resumed.data.reading)
