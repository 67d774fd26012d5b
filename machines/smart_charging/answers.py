"""The requests of smart charging, answered from values.

OCPP 1.6 edition 2: 5.5, 5.7, 5.16; facts 9.2 to 9.4.
"""

from datetime import UTC, datetime, timedelta

from machines.smart_charging.prepare import Plan
from machines.smart_charging.profiles import Book, Refusal
from machines.smart_charging.schedule import Composite, Situation, composite
from machines.vocabulary.ocpp import (
    ChargingProfileStatus,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearChargingProfile,
    ClearChargingProfileConf,
    ClearChargingProfileStatus,
    GetCompositeSchedule,
    GetCompositeScheduleConf,
    GetCompositeScheduleStatus,
    SetChargingProfileConf,
)
from machines.vocabulary.wire import CallError, ErrorCode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def set_answer(outcome: Book | Refusal) -> SetChargingProfileConf | CallError:
    """The answer to SetChargingProfile.req that came to ``outcome``."""
    if not isinstance(outcome, Refusal):
        return SetChargingProfileConf(status=ChargingProfileStatus.ACCEPTED)
    if outcome.is_no_connector:
        return CallError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, outcome.why)
    return SetChargingProfileConf(status=ChargingProfileStatus.REJECTED)


def clear_answer(before: Book, after: Book, request: ClearChargingProfile) -> ClearChargingProfileConf:
    """The answer to ``request``. To clear everything succeeds even if nothing is installed (decision SC6)."""
    is_everything = request == ClearChargingProfile()
    status = ClearChargingProfileStatus
    if is_everything or len(after) < len(before):
        return ClearChargingProfileConf(status=status.ACCEPTED)
    return ClearChargingProfileConf(status=status.UNKNOWN)


def schedule_answer(
    plan: Plan,
    situation: Situation,
    request: GetCompositeSchedule,
    *,
    preferred: ChargingRateUnitType,
    duration_max_s: int,
    periods_max: int,
) -> GetCompositeScheduleConf:
    """The answer to ``request``.

    Args:
        plan: What is installed.
        situation: When it is asked.
        request: GetCompositeSchedule.req.
        preferred: The unit if the request names none.
        duration_max_s: The answer tells of no more than this.
        periods_max: Nor of more periods; the duration ends with the last one.
    """
    number = request.connector_id
    if not 0 <= number <= len(plan.site.outlets):
        return GetCompositeScheduleConf(status=GetCompositeScheduleStatus.REJECTED)
    duration_s = min(request.duration, duration_max_s)
    found = composite(plan, situation, number, duration_s, request.charging_rate_unit or preferred)
    if len(found.periods) > periods_max:
        duration_s = found.periods[periods_max].start
    return GetCompositeScheduleConf(
        status=GetCompositeScheduleStatus.ACCEPTED,
        connector_id=number,
        schedule_start=_EPOCH + timedelta(seconds=found.start_s),
        charging_schedule=charging_schedule(found, duration_s, periods_max),
    )


def charging_schedule(found: Composite, duration_s: int, periods_max: int) -> ChargingSchedule:
    """``found`` as OCPP tells it, its first ``periods_max`` periods. startSchedule is left out (errata v4 to 6.22)."""
    return ChargingSchedule(
        duration=duration_s,
        charging_rate_unit=found.unit,
        charging_schedule_period=tuple(
            ChargingSchedulePeriod(start_period=start, limit=limit / 10, number_phases=phases)
            for start, limit, phases in found.periods[:periods_max]
        ),
    )
