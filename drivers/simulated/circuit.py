"""The simulated power path: contactor, meter and battery.

Between two instants at which something changes the current is constant, so the register and the instant at
which the battery will be full are computed. Times are those of the caller's clock, in s.
"""

import math

from drivers.simulated.settings import SimulatedConnectorSettings
from drivers.simulated.vehicle import Vehicle

WATT_SECONDS_PER_WH = 3600.0
ROUNDING_WS = 1e-3
"""More than the rounding errors of any register, less than anyone could measure."""


class Circuit:
    """What flows from the station to the vehicle. Whoever sets an input calls ``conclude`` afterwards."""

    def __init__(self, settings: SimulatedConnectorSettings) -> None:
        self.settings = settings

        # Inputs.
        self.vehicle: Vehicle | None = None
        self.contactor = False
        self.offered_a = 0.0
        self.phases_connected = 3

        # Conclusions.
        self.current_a = 0.0
        """Per phase."""
        self.phases = 0
        """Phases on which the vehicle draws, or would draw; 0 without a vehicle."""
        self.full_at = math.inf

        self.settled_at = 0.0
        """Up to when the register holds."""
        self._register_ws = settings.meter_start_wh * WATT_SECONDS_PER_WH

    @property
    def power_w(self) -> float:
        """Power on all phases together."""
        return self.current_a * self.settings.voltage_v * self.phases

    @property
    def register_wh(self) -> float:
        """Register of the meter at ``settled_at``, unrounded."""
        return self._register_ws / WATT_SECONDS_PER_WH

    @property
    def shown_wh(self) -> int:
        """Register of the meter as it is read: whole Wh, rounded down."""
        return math.floor((self._register_ws + ROUNDING_WS) / WATT_SECONDS_PER_WH)

    @property
    def next_instant(self) -> float:
        """When something changes by itself."""
        decides_at = self.vehicle.decides_at if self.vehicle else math.inf
        return min(self.full_at, decides_at)

    def settle(self, instant: float) -> None:
        """Let the present current flow until ``instant``."""
        if self.current_a > 0.0:
            self._transfer(self.power_w * (instant - self.settled_at))
        self.settled_at = instant

    def happen(self) -> None:
        """Do what was due at ``next_instant``, which is settled. The battery comes first."""
        assert self.vehicle is not None
        if self.full_at <= self.settled_at:
            # What is left is rounding error; a full battery is exactly full.
            self._transfer(self.vehicle.missing_ws)
        else:
            self.vehicle.decide()

    def conclude(self) -> None:
        """Draw the conclusions of a change at the instant ``settled_at``."""
        self.current_a, self.phases, self.full_at = 0.0, 0, math.inf
        vehicle = self.vehicle
        if vehicle is None:
            return
        vehicle.consider(self.offered_a, self.settled_at)
        self.phases = min(self.phases_connected, self.settings.phases, vehicle.settings.phases)
        if self.contactor:
            self.current_a = vehicle.draws_a(self.offered_a, self.settings.cable_rating_a)
        if self.current_a > 0.0:
            self.full_at = self.settled_at + vehicle.missing_ws / self.power_w

    def adopt_clock(self, now: float) -> None:
        """Go on by another clock, which reads ``now``. Nothing may flow."""
        assert self.current_a == 0.0
        if self.vehicle is not None:
            self.vehicle.decides_at += now - self.settled_at
        self.settled_at = now

    def _transfer(self, energy_ws: float) -> None:
        """Move energy through the meter into the battery, at most what that takes."""
        assert self.vehicle is not None
        energy_ws = min(energy_ws, self.vehicle.missing_ws)
        self.vehicle.missing_ws -= energy_ws
        self._register_ws += energy_ws
