"""Meter readings as SampledValues, by the measurands that are configured.

OCPP 1.6 edition 2: 7.31 Measurand, 7.43 SampledValue; facts 5.7. A plain measurand reports every phase that the
meter measures, one SampledValue each; one with a phase suffix (``Voltage.L1-N``) reports that phase alone. What the
meter does not measure is left out. An empty list means the register (decision M1).
"""

from machines.vocabulary.hardware import MeterReading
from machines.vocabulary.ocpp import Measurand, Phase, ReadingContext, SampledValue, UnitOfMeasure

PHASE_FIELDS: dict[Measurand, tuple[tuple[Phase | None, str], ...]] = {
    Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: ((None, "energy_import_wh"),),
    Measurand.POWER_ACTIVE_IMPORT: ((None, "power_w"),),
    Measurand.CURRENT_IMPORT: (
        (Phase.L1, "current_l1_a"),
        (Phase.L2, "current_l2_a"),
        (Phase.L3, "current_l3_a"),
    ),
    Measurand.VOLTAGE: (
        (Phase.L1_N, "voltage_l1_v"),
        (Phase.L2_N, "voltage_l2_v"),
        (Phase.L3_N, "voltage_l3_v"),
    ),
    Measurand.FREQUENCY: ((None, "frequency_hz"),),
    Measurand.POWER_FACTOR: ((None, "power_factor"),),
    Measurand.TEMPERATURE: ((None, "temperature_c"),),
    Measurand.SOC: ((None, "soc_percent"),),
}
"""Which field of a reading holds a measurand, by phase."""

SUFFIX_FIELDS: dict[tuple[Measurand, Phase], str] = {
    (Measurand.POWER_ACTIVE_IMPORT, Phase.L1): "power_l1_w",
    (Measurand.POWER_ACTIVE_IMPORT, Phase.L2): "power_l2_w",
    (Measurand.POWER_ACTIVE_IMPORT, Phase.L3): "power_l3_w",
}
"""Fields that only an item with a phase suffix reports."""

UNITS = {
    Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: UnitOfMeasure.WH,
    Measurand.POWER_ACTIVE_IMPORT: UnitOfMeasure.W,
    Measurand.CURRENT_IMPORT: UnitOfMeasure.A,
    Measurand.CURRENT_OFFERED: UnitOfMeasure.A,
    Measurand.VOLTAGE: UnitOfMeasure.V,
    Measurand.TEMPERATURE: UnitOfMeasure.CELCIUS,
    Measurand.SOC: UnitOfMeasure.PERCENT,
}
"""Frequency and power factor have no unit on the wire (facts 1.6)."""

DECIMALS = {"energy_import_wh": 0, "power_w": 0, "power_l1_w": 0, "power_l2_w": 0, "power_l3_w": 0}
"""Digits behind the point, by field; any other field has one, the power factor two."""


_NAMES = frozenset(measurand.value for measurand in Measurand)


def split_item(item: str) -> tuple[Measurand, Phase | None]:
    """An item of a MeterValues key as measurand and phase.

    Raises:
        ValueError: It is neither a measurand nor one with a phase suffix.
    """
    if item in _NAMES:
        return Measurand(item), None
    measurand, _, phase = item.rpartition(".")
    return Measurand(measurand), Phase(phase)


def sampled_values(
    reading: MeterReading, items: tuple[str, ...], context: ReadingContext, offered_a: float
) -> tuple[SampledValue, ...]:
    """The values of ``reading`` for the configured ``items``; ``offered_a`` is what the station offers now."""
    values: list[SampledValue] = []
    for item in items or (Measurand.ENERGY_ACTIVE_IMPORT_REGISTER.value,):
        measurand, phase = split_item(item)
        if measurand is Measurand.CURRENT_OFFERED and phase is None:
            values.append(_sampled(measurand, None, f"{offered_a:.1f}", context))
            continue
        for field_phase, field in _fields(measurand, phase):
            number: float | None = getattr(reading, field)
            if number is not None:
                text = f"{number:.{2 if field == 'power_factor' else DECIMALS.get(field, 1)}f}"
                values.append(_sampled(measurand, field_phase, text, context))
    return tuple(values)


def _fields(measurand: Measurand, phase: Phase | None) -> tuple[tuple[Phase | None, str], ...]:
    fields = PHASE_FIELDS.get(measurand, ())
    if phase is None:
        return fields
    suffix = SUFFIX_FIELDS.get((measurand, phase))
    if suffix is not None:
        return ((phase, suffix),)
    return tuple((of, field) for of, field in fields if of is phase)


def _sampled(measurand: Measurand, phase: Phase | None, value: str, context: ReadingContext) -> SampledValue:
    return SampledValue(
        value=value, context=context, measurand=measurand, phase=phase, unit=UNITS.get(measurand)
    )
