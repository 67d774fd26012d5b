"""The simulated electric vehicle: a battery, and the switch S2 by which it asks for energy (pilot B or C)."""

import math

from drivers.simulated.settings import OFFER_MIN_A, SimulatedVehicleSettings

RELEASE_S = 1.0
"""From the end of the offer to pilot B; IEC 61851-1 allows the vehicle 3 s (table A.6, sequence 10)."""


class Vehicle:
    """What is plugged in, from its arrival to its leaving. Times are those of the caller's clock, in s."""

    def __init__(self, settings: SimulatedVehicleSettings) -> None:
        self.settings = settings
        self.paused = False
        """The vehicle itself wants no energy for now."""
        self.asks = False
        """S2 is closed: pilot C."""
        self.decides_at = math.inf
        """When it will open or close S2."""
        self.missing_ws = settings.battery_capacity_wh * 36.0 * (100.0 - settings.soc_percent)
        """What the battery still takes, in W·s. Exactly 0 when it is full."""

    @property
    def soc_percent(self) -> float:
        """State of charge of the battery, 0..100."""
        return 100.0 - self.missing_ws / (self.settings.battery_capacity_wh * 36.0)

    def consider(self, offered_a: float, now: float) -> None:
        """Take notice of the offer and of its own wishes; both may have changed or not.

        It closes S2 a while after there is an offer, opens it a while after the offer ended, and opens it at
        once when it wants no more.
        """
        content = self.paused or self.missing_ws == 0.0
        asked = offered_a >= OFFER_MIN_A and not content
        if asked == self.asks:
            self.decides_at = math.inf
        elif content:
            self.asks = False
            self.decides_at = math.inf
        elif self.decides_at == math.inf:
            self.decides_at = now + (self.settings.response_s if asked else RELEASE_S)

    def decide(self) -> None:
        """Do what was due at ``decides_at``."""
        self.asks = not self.asks
        self.decides_at = math.inf

    def draws_a(self, offered_a: float, cable_rating_a: float) -> float:
        """Current per phase with the contactor closed."""
        if not self.asks or offered_a < OFFER_MIN_A:
            return 0.0
        return min(offered_a, self.settings.current_max_a, cable_rating_a)
