"""Sampled and clock-aligned meter values: facts 5.7."""

import itertools

import pytest

from tests.conformance.bed import stamp
from tests.conformance.sequence import message

PROFILE = "Core"
REGISTER = "Energy.Active.Import.Register"
WANTED = ["Energy.Active.Import.Register,Power.Active.Import,Voltage,SoC", ""]


def check(entries, context, wanted):
    """Every value has the context, is raw, and is of a measurand that was asked for; none of those is missing."""
    for entry in entries:
        (value,) = entry.payload["meterValue"]
        sampled = value["sampledValue"]
        assert {one.get("context", "Sample.Periodic") for one in sampled} == {context}
        assert {one.get("format", "Raw") for one in sampled} == {"Raw"}
        assert {one.get("measurand", REGISTER) for one in sampled} == set((wanted or REGISTER).split(","))
        assert {one.get("measurand") for one in sampled if one.get("location") == "EV"} <= {"SoC"}


@pytest.mark.parametrize("wanted", WANTED, ids=["four measurands", "none named"])
async def test_tc_070_sampled_meter_values(bed, autojump_clock, wanted):
    """Sampled Meter Values.

    Exactly an interval apart, context Sample.Periodic, the configured measurands, of the transaction.
    """
    async with bed.powered():
        await bed.configure(
            MeterValueSampleInterval="15", ClockAlignedDataInterval="0", MeterValuesSampledData=wanted
        )
        transaction_id = await bed.charge()
        values = message("MeterValues", connectorId=1, transactionId=transaction_id)
        entries = [(await bed.expect(values))[0] for _ in range(4)]
        await bed.configure(MeterValueSampleInterval="0")

    gaps = [(stamp(b) - stamp(a)).total_seconds() for a, b in itertools.pairwise(entries)]
    assert gaps == [15, 15, 15]
    check(entries, "Sample.Periodic", wanted)


@pytest.mark.parametrize("wanted", WANTED[:1])
async def test_tc_071_clock_aligned_meter_values(bed, autojump_clock, wanted):
    """Clock-aligned Meter Values.

    On the grid of the interval, counted from midnight; context Sample.Clock, the configured measurands.
    """
    others = [message("MeterValues", connectorId=n) for n in (0, 2)]
    async with bed.powered():
        await bed.configure(
            MeterValueSampleInterval="0", ClockAlignedDataInterval="60", MeterValuesAlignedData=wanted
        )
        transaction_id = await bed.charge()
        values = message("MeterValues", connectorId=1, transactionId=transaction_id)
        entries = [(await bed.expect(values, optional=2 * others, within_s=70))[0] for _ in range(4)]
        await bed.quiet(1, others)
        await bed.configure(ClockAlignedDataInterval="0")

    seconds = [stamp(entry).timestamp() for entry in entries]
    assert {each % 60 for each in seconds} == {0}
    assert {b - a for a, b in itertools.pairwise(seconds)} == {60}
    check(entries, "Sample.Clock", wanted)
