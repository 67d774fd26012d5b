"""The simulated board and vehicle as built."""

import math
from collections.abc import Collection

from msgspec import Struct

CABLES = ("tethered", "socket")
CABLE_RATINGS_A = (13.0, 20.0, 32.0, 63.0)
"""What a cable's resistor can code (IEC 61851-1, table B.2)."""

OFFER_MIN_A = 6.0
"""Least current that can be offered by PWM (IEC 61851-1, annex A)."""
OFFER_MAX_A = 80.0


def _one_of(name: str, value: object, allowed: Collection[object]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}")


def _within(name: str, value: float, least: float, most: float) -> None:
    # Written so that NaN is refused too.
    if not (math.isfinite(value) and least <= value <= most):
        raise ValueError(f"{name} is {value!r}; allowed: {least:g} to {most:g}")


class SimulatedVehicleSettings(Struct, frozen=True, kw_only=True):
    """The vehicle that every plugging in brings.

    Raises:
        ValueError: A value is out of bounds; the text names it and what is allowed.
    """

    battery_capacity_wh: float = 60_000.0
    """More than 0."""
    soc_percent: float = 20.0
    """State of charge on arrival, 0..100."""
    current_max_a: float = 16.0
    """What its charger takes per phase, 6..80."""
    phases: int = 3
    """Phases that its charger uses, 1..3."""
    response_s: float = 1.0
    """From an offer to pilot C, 0 or more."""

    def __post_init__(self) -> None:
        _within("battery_capacity_wh", self.battery_capacity_wh, 1e-3, 1e9)
        _within("soc_percent", self.soc_percent, 0.0, 100.0)
        _within("current_max_a", self.current_max_a, OFFER_MIN_A, OFFER_MAX_A)
        _one_of("phases", self.phases, (1, 2, 3))
        _within("response_s", self.response_s, 0.0, 86_400.0)


class SimulatedConnectorSettings(Struct, frozen=True, kw_only=True):
    """One connector of the simulated board.

    Raises:
        ValueError: A value is out of bounds; the text names it and what is allowed.
    """

    cable: str
    """``tethered`` or ``socket``."""
    has_lock: bool
    """Only with a socket."""
    phases: int
    """Phases wired, 1 or 3."""
    voltage_v: float
    """Of a phase against neutral, constant."""
    current_max_a: float
    """Rating of the board in A per phase, 6..80. Offering more is a defect of the station."""
    cable_rating_a: float = 32.0
    """What the cable carries: 13, 20, 32 or 63 A. The vehicle keeps to it, with a fixed cable too."""
    meter_start_wh: float = 0.0
    """Register of the meter when it was built in, 0 or more."""
    meter_timeout_s: float = 1.0
    """How long a reading waits for a silent meter."""
    vehicle: SimulatedVehicleSettings = SimulatedVehicleSettings()

    def __post_init__(self) -> None:
        _one_of("cable", self.cable, CABLES)
        _one_of("phases", self.phases, (1, 3))
        _within("voltage_v", self.voltage_v, 1.0, 1000.0)
        _within("current_max_a", self.current_max_a, OFFER_MIN_A, OFFER_MAX_A)
        _one_of("cable_rating_a", self.cable_rating_a, CABLE_RATINGS_A)
        _within("meter_start_wh", self.meter_start_wh, 0.0, 1e12)
        _within("meter_timeout_s", self.meter_timeout_s, 0.0, 3600.0)
        if self.has_lock and self.cable != "socket":
            raise ValueError("has_lock is true with a tethered cable; only a socket has a lock")
