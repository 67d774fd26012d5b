"""Meter readings as SampledValues, by the measurands that are configured.

OCPP 1.6 edition 2: 7.31 Measurand, 7.43 SampledValue; facts 5.7. A plain measurand reports the value for all phases
together and every phase that the meter measures, one SampledValue each (decision M4); one with a phase suffix
(``Voltage.L1-N``) reports that phase alone. What the meter does not measure is left out. An empty list means the
register (decision M1).
"""

from collections.abc import Iterator

from msgspec import Struct

from machines.facts import Facts
from machines.vocabulary.hardware import MeterReading
from machines.vocabulary.ocpp import Location, Measurand, Phase, ReadingContext, SampledValue, UnitOfMeasure

REGISTERS: dict[Measurand, str] = {
    Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: "energy_import_wh",
    Measurand.ENERGY_ACTIVE_EXPORT_REGISTER: "energy_export_wh",
    Measurand.ENERGY_REACTIVE_IMPORT_REGISTER: "energy_reactive_import_varh",
    Measurand.ENERGY_REACTIVE_EXPORT_REGISTER: "energy_reactive_export_varh",
}
"""Which field of a reading holds a register."""

INTERVALS: dict[Measurand, str] = {
    Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL: "energy_import_wh",
    Measurand.ENERGY_ACTIVE_EXPORT_INTERVAL: "energy_export_wh",
    Measurand.ENERGY_REACTIVE_IMPORT_INTERVAL: "energy_reactive_import_varh",
    Measurand.ENERGY_REACTIVE_EXPORT_INTERVAL: "energy_reactive_export_varh",
}
"""Which register an energy per interval is the difference of."""

FIELDS: dict[Measurand, tuple[tuple[Phase | None, str], ...]] = {
    Measurand.POWER_ACTIVE_IMPORT: (
        (None, "power_w"),
        (Phase.L1, "power_l1_w"),
        (Phase.L2, "power_l2_w"),
        (Phase.L3, "power_l3_w"),
    ),
    Measurand.POWER_ACTIVE_EXPORT: ((None, "power_export_w"),),
    Measurand.POWER_REACTIVE_IMPORT: ((None, "power_reactive_import_var"),),
    Measurand.POWER_REACTIVE_EXPORT: ((None, "power_reactive_export_var"),),
    Measurand.CURRENT_IMPORT: (
        (Phase.L1, "current_l1_a"),
        (Phase.L2, "current_l2_a"),
        (Phase.L3, "current_l3_a"),
        (Phase.N, "current_n_a"),
    ),
    Measurand.VOLTAGE: (
        (Phase.L1_N, "voltage_l1_v"),
        (Phase.L2_N, "voltage_l2_v"),
        (Phase.L3_N, "voltage_l3_v"),
        (Phase.L1_L2, "voltage_l1_l2_v"),
        (Phase.L2_L3, "voltage_l2_l3_v"),
        (Phase.L3_L1, "voltage_l3_l1_v"),
    ),
    Measurand.FREQUENCY: ((None, "frequency_hz"),),
    Measurand.POWER_FACTOR: ((None, "power_factor"),),
    Measurand.TEMPERATURE: ((None, "temperature_c"),),
    Measurand.SOC: ((None, "soc_percent"),),
}
"""Which field of a reading holds any other measurand, by phase."""

LINES = (Phase.L1, Phase.L2, Phase.L3)

UNITS = {
    Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: UnitOfMeasure.WH,
    Measurand.ENERGY_ACTIVE_EXPORT_REGISTER: UnitOfMeasure.WH,
    Measurand.ENERGY_REACTIVE_IMPORT_REGISTER: UnitOfMeasure.VARH,
    Measurand.ENERGY_REACTIVE_EXPORT_REGISTER: UnitOfMeasure.VARH,
    Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL: UnitOfMeasure.WH,
    Measurand.ENERGY_ACTIVE_EXPORT_INTERVAL: UnitOfMeasure.WH,
    Measurand.ENERGY_REACTIVE_IMPORT_INTERVAL: UnitOfMeasure.VARH,
    Measurand.ENERGY_REACTIVE_EXPORT_INTERVAL: UnitOfMeasure.VARH,
    Measurand.POWER_ACTIVE_IMPORT: UnitOfMeasure.W,
    Measurand.POWER_ACTIVE_EXPORT: UnitOfMeasure.W,
    Measurand.POWER_REACTIVE_IMPORT: UnitOfMeasure.VAR,
    Measurand.POWER_REACTIVE_EXPORT: UnitOfMeasure.VAR,
    Measurand.POWER_OFFERED: UnitOfMeasure.W,
    Measurand.CURRENT_IMPORT: UnitOfMeasure.A,
    Measurand.CURRENT_OFFERED: UnitOfMeasure.A,
    Measurand.VOLTAGE: UnitOfMeasure.V,
    Measurand.TEMPERATURE: UnitOfMeasure.CELCIUS,
    Measurand.SOC: UnitOfMeasure.PERCENT,
}
"""Frequency and power factor have no unit on the wire (facts 1.6)."""

WHOLE = frozenset({UnitOfMeasure.WH, UnitOfMeasure.VARH, UnitOfMeasure.W, UnitOfMeasure.VAR})
"""Units whose values have no digits behind the point. Others have one, the power factor two."""

_MEASURANDS = {measurand.value: measurand for measurand in Measurand}

Number = tuple[Phase | None, float | None]


class PreviousReading(Struct, frozen=True):
    """The reading that the next energy per interval is counted from: kept over a restart."""

    reading: MeterReading | None = None


def split_item(item: str) -> tuple[Measurand, Phase | None]:
    """An item of a MeterValues key as measurand and phase.

    Raises:
        ValueError: It is neither a measurand nor one with a phase suffix.
    """
    plain = _MEASURANDS.get(item)
    if plain is not None:
        return plain, None
    measurand, _, phase = item.rpartition(".")
    return Measurand(measurand), Phase(phase)


def has_interval(*lists: tuple[str, ...]) -> bool:
    """Whether any item of ``lists`` is an energy per interval, which needs the reading before."""
    return any(".Interval" in item for items in lists for item in items)


def sampled_values(
    reading: MeterReading,
    items: tuple[str, ...],
    context: ReadingContext,
    facts: Facts,
    previous: MeterReading | None = None,
) -> tuple[SampledValue, ...]:
    """The values of ``reading`` for the configured ``items``, each once.

    ``facts`` are those of the connector: what is offered now is a value too. ``previous`` is the reading before in the
    same series; without it there is no energy per interval.
    """
    values: dict[tuple[Measurand, Phase | None], SampledValue] = {}
    for item in items or (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER.value,):
        measurand, wanted = split_item(item)
        for phase, number in _numbers(measurand, wanted, reading, facts, previous):
            if number is not None and wanted in {None, phase}:
                values[measurand, phase] = _sampled(measurand, phase, number, context)
    return tuple(values.values())


def _numbers(
    measurand: Measurand,
    wanted: Phase | None,
    reading: MeterReading,
    facts: Facts,
    previous: MeterReading | None,
) -> Iterator[Number]:
    """What is known of ``measurand``, by phase."""
    if measurand in REGISTERS:
        yield None, getattr(reading, REGISTERS[measurand])
    elif measurand in INTERVALS:
        if previous is not None:
            yield None, _difference(reading, previous, INTERVALS[measurand])
    elif measurand in {Measurand.CURRENT_OFFERED, Measurand.POWER_OFFERED}:
        yield _offered(measurand, wanted, facts)
    else:
        for phase, field in FIELDS.get(measurand, ()):
            yield phase, getattr(reading, field)


def _offered(measurand: Measurand, wanted: Phase | None, facts: Facts) -> Number:
    """What the station offers. All phases are offered the same: one value says it, unless one phase is asked for.

    A phase that is not connected just now, where one of three is, is offered nothing.
    """
    connector = facts.connector
    assert connector is not None
    if wanted is not None and wanted not in LINES[: connector.phases]:
        return wanted, None
    offered_a = facts.offered_a if wanted is None or wanted in LINES[: facts.phases] else 0.0
    if measurand is Measurand.CURRENT_OFFERED:
        return wanted, offered_a
    return wanted, offered_a * connector.voltage_v * (facts.phases if wanted is None else 1)


def _difference(reading: MeterReading, previous: MeterReading, field: str) -> float | None:
    now: float | None = getattr(reading, field)
    before: float | None = getattr(previous, field)
    if now is None or before is None:
        return None
    # Of the registers as they are told, or parts of a Wh would be lost with each interval (decision M9). One that runs
    # backwards is the meter's trouble: no energy is ever negative.
    return max(0, round(now) - round(before))


def _sampled(
    measurand: Measurand, phase: Phase | None, number: float, context: ReadingContext
) -> SampledValue:
    unit = UNITS.get(measurand)
    digits = 0 if unit in WHOLE else 2 if measurand is Measurand.POWER_FACTOR else 1
    return SampledValue(
        value=f"{number:.{digits}f}",
        context=context,
        measurand=measurand,
        phase=phase,
        # Anything else is measured at the outlet, which is what no location means.
        location=Location.EV if measurand is Measurand.SOC else None,
        unit=unit,
    )
