"""Sampled and clock-aligned meter values: OCPP 1.6, 3.16 and 4.7."""

import itertools
from collections.abc import Iterable

from engine.conformance.bed import Bed, seconds_between_stamps, stamp
from engine.conformance.case import cases
from engine.conformance.sequence import message
from engine.conformance.stimuli import PlugIn, Swipe
from engine.csms_book import Entry

PROFILE = "Core"
REGISTER = "Energy.Active.Import.Register"
SEVERAL = (
    "Energy.Active.Import.Register,Power.Active.Import,Voltage,SoC",
    "Energy.Active.Import.Register,Power.Active.Import,Voltage",
    "Energy.Active.Import.Register,Power.Active.Import",
    "Energy.Active.Import.Register,Voltage",
    "Energy.Active.Import.Register,Current.Import",
)
"""Of these the first that the station takes."""
NONE_NAMED = ("",)
SAMPLES = 4
DAY_S = 24 * 3600


def check_values(bed: Bed, entries: Iterable[Entry], context: str, wanted: str) -> None:
    """Every value has the context, is raw, and is of a measurand that was asked for; none of those is missing."""
    for entry in entries:
        bed.check(len(entry.payload["meterValue"]), 1, "the number of meter values in a message")
        sampled = entry.payload["meterValue"][0]["sampledValue"]
        bed.check(
            {one.get("context", "Sample.Periodic") for one in sampled} == {context}, True, "the context"
        )
        bed.check({one.get("format", "Raw") for one in sampled} == {"Raw"}, True, "the format Raw")
        measurands = sorted({one.get("measurand", REGISTER) for one in sampled})
        bed.check(measurands, sorted((wanted or REGISTER).split(",")), "what is measured")
        of_the_vehicle = {one.get("measurand") for one in sampled if one.get("location") == "EV"}
        bed.check(of_the_vehicle <= {"SoC"}, True, "whether only SoC has the location EV")


@cases(
    "070",
    PROFILE,
    {"several-measurands": SEVERAL, "none-named": NONE_NAMED},
    needs=(PlugIn, Swipe),
    keys={"ClockAlignedDataInterval": "0"},
    lasts_s=25,
)
async def sampled_meter_values(bed: Bed, choice: tuple[str, ...]) -> None:
    """Sampled Meter Values.

    Exactly an interval apart, context Sample.Periodic, the configured measurands, of the transaction.
    """
    wanted = await bed.configure_one("MeterValuesSampledData", *choice)
    interval_s = int(await bed.configure_one("MeterValueSampleInterval", "5", "15", "60"))
    transaction_id = await bed.charge()
    values = message("MeterValues", connectorId=1, transactionId=transaction_id)
    within_s = 2 * interval_s + 10
    entries = [(await bed.expect(values, within_s=within_s))[0] for _ in range(SAMPLES)]
    await bed.configure(MeterValueSampleInterval="0")

    for one, other in itertools.pairwise(entries):
        bed.check_near(seconds_between_stamps(one, other), interval_s, "the time between two samples")
    check_values(bed, entries, "Sample.Periodic", wanted)


@cases(
    "071",
    PROFILE,
    {"several-measurands": SEVERAL},
    needs=(PlugIn, Swipe),
    keys={"MeterValueSampleInterval": "0"},
    lasts_s=65,
)
async def clock_aligned_meter_values(bed: Bed, choice: tuple[str, ...]) -> None:
    """Clock-aligned Meter Values.

    On the grid of the interval, counted from midnight; context Sample.Clock, the configured measurands.
    """
    others = [message("MeterValues", connectorId=each) for each in (0, *bed.every) if each != 1]
    wanted = await bed.configure_one("MeterValuesAlignedData", *choice)
    transaction_id = await bed.charge()
    interval_s = int(await bed.configure_one("ClockAlignedDataInterval", "15", "60", "900"))
    values = message("MeterValues", connectorId=1, transactionId=transaction_id)
    within_s = interval_s + 10
    entries = [(await bed.expect(values, optional=2 * others, within_s=within_s))[0] for _ in range(SAMPLES)]
    await bed.quiet(1, others)
    await bed.configure(ClockAlignedDataInterval="0")

    for entry in entries:
        beyond_s = stamp(entry).timestamp() % DAY_S % interval_s
        bed.check_near(min(beyond_s, interval_s - beyond_s), 0, "the distance from the grid")
    for one, other in itertools.pairwise(entries):
        bed.check_near(seconds_between_stamps(one, other), interval_s, "the time between two samples")
    check_values(bed, entries, "Sample.Clock", wanted)
