"""Smart charging: OCPP 1.6, 3.13, 5.5, 5.7, 5.16, and 5.11 for a profile that comes with a remote start."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.conformance.bed import Bed
from engine.conformance.case import NotApplicable, case, cases
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import PlugIn, Swipe
from machines.vocabulary.ocpp import (
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearChargingProfile,
    GetCompositeSchedule,
    GetCompositeScheduleConf,
    RemoteStartTransaction,
    SetChargingProfile,
)
from machines.vocabulary.wire import ErrorCode

PROFILE = "SmartCharging"
MAX = ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE
DEFAULT = ChargingProfilePurposeType.TX_DEFAULT_PROFILE
TX = ChargingProfilePurposeType.TX_PROFILE
CONSTRAINT = ErrorCode.PROPERTY_CONSTRAINT_VIOLATION

UNITS = ("ChargingScheduleAllowedChargingRateUnit", "ChargeScheduleAllowedChargingRateUnit")
"""The key, and another spelling that is met in the field."""
WATTS_FOR_AN_AMPERE = 1000
"""By what the limits of the cases are multiplied where a station takes no amperes."""

SIMPLE = {0: 6, 100: 10, 200: 8}
SIMPLE_S = 300

Limits = Mapping[int, float]
"""By the second at which each begins."""


class Times:
    """The profiles of one case: all begin at one moment, in the unit that the station takes."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.begins = bed.now().replace(microsecond=0)
        known = (bed.declared.key(name) for name in UNITS)
        units = next((key.value for key in known if key and key.value), "Current")
        self.is_current = "Current" in units

    @property
    def unit(self) -> ChargingRateUnitType:
        """The unit of the limits."""
        return ChargingRateUnitType.A if self.is_current else ChargingRateUnitType.W

    def limit(self, amperes: float) -> float:
        """A limit of the case, as it is sent."""
        return float(amperes if self.is_current else amperes * WATTS_FOR_AN_AMPERE)

    def profile(
        self,
        number: int,
        purpose: ChargingProfilePurposeType,
        limits: Limits,
        duration_s: int,
        *,
        level: int = 0,
        transaction_id: int | None = None,
    ) -> ChargingProfile:
        """An absolute profile."""
        return ChargingProfile(
            charging_profile_id=number,
            transaction_id=transaction_id,
            stack_level=level,
            charging_profile_purpose=purpose,
            charging_profile_kind=ChargingProfileKindType.ABSOLUTE,
            valid_from=self.begins,
            valid_to=self.begins + timedelta(days=1),
            charging_schedule=ChargingSchedule(
                charging_rate_unit=self.unit,
                duration=duration_s,
                start_schedule=self.begins,
                charging_schedule_period=tuple(
                    ChargingSchedulePeriod(start_period=start, limit=self.limit(limit), number_phases=3)
                    for start, limit in limits.items()
                ),
            ),
        )

    async def install(self, profile: ChargingProfile, connector: int = 1) -> None:
        """SetChargingProfile, which must be Accepted."""
        request = SetChargingProfile(connector_id=connector, cs_charging_profiles=profile)
        await self.bed.ask(request, "Accepted")

    async def check(self, limits: Limits, ends_s: int, duration_s: int, connector: int = 1) -> None:
        """Ask for a composite schedule: it must have ``limits``, from when the profiles begin until ``ends_s`` later.

        Near a boundary nothing is compared: clocks differ, and whole seconds are told.
        """
        bed = self.bed
        request = GetCompositeSchedule(
            connector_id=connector, duration=duration_s, charging_rate_unit=self.unit
        )
        conf = await bed.request(request)
        if not isinstance(conf, GetCompositeScheduleConf):
            raise bed.sequence.deviation(f"GetCompositeSchedule is answered {conf}", "Accepted")
        bed.check(conf.status.value, "Accepted", "the answer to GetCompositeSchedule")
        bed.check(conf.connector_id, connector, "connectorId in GetCompositeSchedule.conf")
        schedule, start = conf.charging_schedule, conf.schedule_start
        if schedule is None or start is None:
            raise bed.sequence.deviation("there is no chargingSchedule or no scheduleStart", "both")
        # It is told in whole seconds.
        bed.check_near(max(0.0, abs((start - bed.now()).total_seconds()) - 1), 0, "scheduleStart, from now")
        bed.check(schedule.duration, duration_s, "duration in GetCompositeSchedule.conf")
        bed.check(schedule.charging_rate_unit.value, self.unit.value, "chargingRateUnit")
        told = {period.start_period: period.limit for period in schedule.charging_schedule_period}
        bed.check(min(told, default=-1), 0, "the first startPeriod")
        self._compare(told, start, limits, min(ends_s, duration_s))

    def _compare(self, told: Limits, start: datetime, limits: Limits, ends_s: int) -> None:
        passed_s = round((start - self.begins).total_seconds())
        margin = max(1, round(self.bed.tolerance_s))
        for second in range(passed_s, ends_s):
            if any(abs(second - boundary) <= margin for boundary in (*limits, ends_s)):
                continue
            wanted = self.limit(_at(limits, second))
            found = _at(told, second - passed_s)
            self.bed.check(found, wanted, f"the limit {second} s after the profiles begin")


def _at(limits: Limits, second: int) -> float:
    return limits[max(begin for begin in limits if begin <= second)]


def _at_least(bed: Bed, key: str, least: int) -> None:
    """Raise NotApplicable where the station says that it does not hold that much."""
    known = bed.declared.key(key)
    if known and known.value and known.value.isdecimal() and int(known.value) < least:
        raise NotApplicable(f"{key} is {known.value}, the case needs {least}")


@case("056", PROFILE, needs=(PlugIn, Swipe))
async def default_profile(bed: Bed) -> None:
    """Central Smart Charging - TxDefaultProfile.

    A TxDefaultProfile is Accepted; the composite schedule of a transaction that begins then follows it.
    """
    times = Times(bed)
    await times.install(times.profile(1, DEFAULT, SIMPLE, SIMPLE_S))
    await bed.charge()
    await times.check(SIMPLE, SIMPLE_S, 300)


@case("057", PROFILE, needs=(PlugIn, Swipe))
async def transaction_profile(bed: Bed) -> None:
    """Central Smart Charging - TxProfile.

    A TxProfile with the transactionId is Accepted; the composite schedule follows it.
    """
    transaction_id = await bed.charge()
    times = Times(bed)
    await times.install(times.profile(1, TX, SIMPLE, SIMPLE_S, transaction_id=transaction_id))
    await times.check(SIMPLE, SIMPLE_S, 300)


@case("058_1", PROFILE)
async def no_transaction(bed: Bed) -> None:
    """Central Smart Charging - No Ongoing Transaction.

    A TxProfile without a transaction is Rejected, or a CALLERROR.
    """
    profile = Times(bed).profile(1, TX, SIMPLE, SIMPLE_S)
    request = SetChargingProfile(connector_id=1, cs_charging_profiles=profile)
    await bed.ask(request, "Rejected", CONSTRAINT)


@case("058_2", PROFILE, needs=(PlugIn, Swipe))
async def wrong_transaction(bed: Bed) -> None:
    """Central Smart Charging - Wrong TransactionId.

    A TxProfile for a transaction that does not run is Rejected.
    """
    transaction_id = await bed.charge()
    profile = Times(bed).profile(1, TX, SIMPLE, SIMPLE_S, transaction_id=transaction_id + 1)
    await bed.ask(SetChargingProfile(connector_id=1, cs_charging_profiles=profile), "Rejected")


async def start_with(bed: Bed, profile: ChargingProfile, *expected: str) -> None:
    """Plug in, and RemoteStartTransaction with ``profile``."""
    await bed.plug_in()
    await bed.expect(status("Preparing"))
    request = RemoteStartTransaction(connector_id=1, id_tag="REMOTE", charging_profile=profile)
    await bed.ask(request, *expected)


@case("059", PROFILE, needs=(PlugIn,))
async def remote_start(bed: Bed) -> None:
    """Remote Start Transaction with Charging Profile.

    The TxProfile that comes with the remote start holds for its transaction.
    """
    times = Times(bed)
    await start_with(bed, times.profile(1, TX, SIMPLE, SIMPLE_S), "Accepted")
    wanted = message("StartTransaction", connectorId=1, idTag="REMOTE")
    authorize = message("Authorize", idTag="REMOTE")
    await bed.expect(wanted, status("Charging"), optional=[authorize])
    await times.check(SIMPLE, SIMPLE_S, 300)


PURPOSES: dict[str, ChargingProfilePurposeType] = {"max": MAX, "default": DEFAULT}


@cases("060", PROFILE, PURPOSES, needs=(PlugIn,), lasts_s=20)
async def remote_start_rejected(bed: Bed, purpose: ChargingProfilePurposeType) -> None:
    """Remote Start Transaction with Charging Profile - Rejected.

    With a profile of another purpose: Rejected, or a CALLERROR; nothing starts.
    """
    profile = Times(bed).profile(1, purpose, SIMPLE, SIMPLE_S)
    await start_with(bed, profile, "Rejected", CONSTRAINT)
    await bed.quiet(15)


THREE: dict[str, tuple[ChargingProfilePurposeType, Limits, int]] = {
    "max": (MAX, {0: 10}, 86_400),
    "default": (DEFAULT, {0: 6, 60: 10, 120: 8, 180: 25, 260: 8}, 300),
    "tx": (TX, {0: 8, 50: 11, 140: 16, 200: 6, 240: 12}, 260),
}
TOGETHER = {0: 8, 50: 10, 200: 6, 240: 10, 260: 8, 300: 10}


@case("066", PROFILE, needs=(PlugIn, Swipe))
async def composite_schedule(bed: Bed) -> None:
    """Get Composite Schedule.

    Of three profiles of three purposes: at every moment the least of what the station and what the transaction may.
    """
    _at_least(bed, "MaxChargingProfilesInstalled", 3)
    _at_least(bed, "ChargingScheduleMaxPeriods", 5)
    transaction_id = await bed.charge()
    times = Times(bed)
    for number, (purpose, limits, duration_s) in enumerate(THREE.values(), 1):
        its_id = transaction_id if purpose is TX else None
        profile = times.profile(number, purpose, limits, duration_s, transaction_id=its_id)
        await times.install(profile, 0 if purpose is MAX else 1)
    await times.check(TOGETHER, 400, 400)


@case("067", PROFILE, needs=(PlugIn, Swipe))
async def clear_profiles(bed: Bed) -> None:
    """Clear Charging Profile.

    By id, by what they are, and all of them: after each the composite schedule is that of what is left.
    """
    _at_least(bed, "MaxChargingProfilesInstalled", 3)
    transaction_id = await bed.charge()
    times = Times(bed)
    await times.install(times.profile(1, MAX, {0: 10}, 600), 0)
    await times.install(times.profile(2, DEFAULT, {0: 8}, 600))
    await times.install(times.profile(3, TX, {0: 6}, 600, transaction_id=transaction_id))
    await times.check({0: 6}, 300, 300)
    await bed.ask(ClearChargingProfile(id=3), "Accepted")
    await times.check({0: 8}, 300, 300)
    by_what_it_is: dict[str, Any] = {"charging_profile_purpose": DEFAULT, "stack_level": 0, "connector_id": 1}
    await bed.ask(ClearChargingProfile(**by_what_it_is), "Accepted")
    await times.check({0: 10}, 300, 300)
    await bed.ask(ClearChargingProfile(), "Accepted")
    await bed.ask(ClearChargingProfile(id=1), "Unknown")


@case("072", PROFILE, needs=(PlugIn, Swipe))
async def stacking(bed: Bed) -> None:
    """Stacking Charging Profiles.

    Of two TxDefaultProfiles the one of the higher stackLevel counts; when it is over, the other one.
    """
    _at_least(bed, "ChargeProfileMaxStackLevel", 1)
    times = Times(bed)
    await times.install(times.profile(1, DEFAULT, {0: 6, 100: 8, 200: 10}, 400))
    await times.install(times.profile(2, DEFAULT, {0: 7, 100: 9}, 150, level=1))
    await bed.charge()
    await times.check({0: 7, 100: 9, 150: 8, 200: 10}, 350, 350)


@case("082", PROFILE, needs=(PlugIn, Swipe))
async def default_during_transaction(bed: Bed) -> None:
    """Central Smart Charging - TxDefaultProfile during a Transaction.

    The transaction that runs follows a TxDefaultProfile that is installed then.
    """
    await bed.charge()
    times = Times(bed)
    await times.install(times.profile(1, DEFAULT, SIMPLE, SIMPLE_S))
    await times.check(SIMPLE, SIMPLE_S, 300)
