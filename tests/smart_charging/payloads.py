"""Requests as a back end sends them, in short."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from machines.vocabulary.ocpp import SetChargingProfile

PURPOSES = {"max": "ChargePointMaxProfile", "default": "TxDefaultProfile", "tx": "TxProfile"}


def stamp(at_s: float) -> str:
    """POSIX seconds as OCPP writes them."""
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")


def payload(
    purpose: str,
    periods: Mapping[int, float],
    *,
    id_: int = 1,
    connector: int = 0,
    level: int = 0,
    kind: str = "Absolute",
    start_s: float | None = None,
    duration: int | None = None,
    unit: str = "A",
    phases: int | None = None,
    schedule: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """SetChargingProfile.req: ``periods`` are limits by startPeriod; ``more`` and ``schedule`` are further members."""
    about_phases = {} if phases is None else {"numberPhases": phases}
    made = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": start, "limit": limit, **about_phases} for start, limit in periods.items()
        ],
        "startSchedule": None if start_s is None else stamp(start_s),
        "duration": duration,
        **(schedule or {}),
    }
    profile = {
        "chargingProfileId": id_,
        "stackLevel": level,
        "chargingProfilePurpose": PURPOSES.get(purpose, purpose),
        "chargingProfileKind": kind,
        "chargingSchedule": {name: member for name, member in made.items() if member is not None},
        **more,
    }
    return {"connectorId": connector, "csChargingProfiles": profile}


def decoded(request: Mapping[str, Any]) -> SetChargingProfile:
    """``request`` as the link would decode it."""
    return msgspec.json.decode(msgspec.json.encode(request), type=SetChargingProfile)
