"""An energy register that never runs backwards, whatever becomes of the meter behind it. Pure.

A register that jumps, down or up by more than can have flowed, is *doubted*: once is taken for an error of reading
and not used. Twice in a row means another meter, or one that was reset: it is counted on from the last good value,
with what the new register has counted since it was first seen. What flowed in between nobody knows, and nobody pays.
A meter that tells another serial number than before is another meter, whatever it reads; one that tells the same number
after a restart has counted what it has counted, however long that took.

A register that begins again at 0 where its map says so (``energy_modulus_wh``) loses nothing: it is counted on, and
told once all the same, for whoever compares the meter's display with a bill.
"""

import math

from msgspec import Struct

SECONDS_PER_HOUR = 3600.0
STEP_MAX_WH = 200.0
"""More than the coarsest step of a meter (100 Wh), with rounding."""
DECIMALS = 6


class Verdict(Struct, frozen=True, kw_only=True):
    """What to make of one reading."""

    energy_wh: int | None
    """Whole Wh, rounded down; None: the reading must not be used."""
    note: str = ""
    """What is wrong with the meter, if anything is."""


class EnergyRegister:
    """Counts on.

    Args:
        power_max_w: More can never flow.
        modulus_wh: After which the register begins again at 0; None: never.
    """

    def __init__(self, power_max_w: float, modulus_wh: int | None = None) -> None:
        self._power_max_w = power_max_w
        self._modulus_wh = modulus_wh
        self._offset_wh = 0.0
        """Of what is shown over what the meter reads."""
        self._good: tuple[float, float] | None = None
        """The last reading that was used, and when."""
        self._doubted: tuple[float, float] | None = None
        self._is_resumed = False
        """No reading was used since the restart."""

    @property
    def base(self) -> tuple[float, float] | None:
        """The last reading that was used, and what is shown over it; None before the first."""
        return None if self._good is None else (self._good[0], self._offset_wh)

    def resume(self, read_wh: float, offset_wh: float, at: float) -> None:
        """Go on from what :attr:`base` was at the instant ``at``."""
        assert self._good is None, "it was read already"
        self._good = (read_wh, at)
        self._offset_wh = offset_wh
        self._is_resumed = True

    def take(self, read_wh: float, now: float, *, is_other: bool = False, is_same: bool = False) -> Verdict:
        """Judge what the meter reads at the instant ``now``, in s.

        Args:
            read_wh: What it reads.
            now: When.
            is_other: Whether it is known to be another meter than before.
            is_same: Whether it is known to be the one of before.
        """
        if self._good is not None and is_other:
            last_wh = self._good[0]
            self._offset_wh += last_wh - read_wh
            return self._accept(
                read_wh, now, f"register went from {last_wh:.10g} to {read_wh:.10g} Wh: replaced"
            )
        has_counted = self._is_resumed and is_same and self._good is not None and read_wh >= self._good[0]
        if self._good is None or has_counted or self._follows(self._good, read_wh, now):
            return self._accept(read_wh, now)
        last_wh = self._good[0]
        modulus_wh = self._modulus_wh
        if modulus_wh is not None and self._follows(self._good, read_wh + modulus_wh, now):
            self._offset_wh += modulus_wh
            return self._accept(read_wh, now, f"register went over from {last_wh:.10g} to {read_wh:.10g} Wh")
        note = f"register went from {last_wh:.10g} to {read_wh:.10g} Wh"
        if self._doubted is not None and self._follows(self._doubted, read_wh, now):
            self._offset_wh += last_wh - self._doubted[0]
            return self._accept(read_wh, now, f"{note}: {'reset' if is_same else 'replaced or reset'}")
        self._doubted = (read_wh, now)
        return Verdict(energy_wh=None, note=note)

    def _follows(self, earlier: tuple[float, float], read_wh: float, now: float) -> bool:
        """Whether a meter that read ``earlier`` can read ``read_wh`` now."""
        passed_wh = read_wh - earlier[0]
        most_wh = self._power_max_w * max(now - earlier[1], 0.0) / SECONDS_PER_HOUR + STEP_MAX_WH
        return 0.0 <= passed_wh <= most_wh

    def _accept(self, read_wh: float, now: float, note: str = "") -> Verdict:
        self._good = (read_wh, now)
        self._doubted = None
        self._is_resumed = False
        shown_wh = math.floor(round(read_wh + self._offset_wh, DECIMALS))
        return Verdict(energy_wh=shown_wh, note=note)
