"""The connectors of a station as smart charging sees them, and the units of limits.

OCPP 1.6 edition 2: 7.8, 7.12; facts 9.1. A limit in A counts for each phase, one in W for all phases together:
A per phase = W / (nominal voltage of a phase x numberPhases). All arithmetic is in *parts*: whole numbers, so small
that every limit with one decimal, in A or in W, over one, two or three phases of any connector, is one exactly.
Nothing is rounded until a limit is told, and then down.
"""

import math

from msgspec import Struct

from machines.vocabulary.keys import Keys
from machines.vocabulary.settings import Settings

UNLIMITED = 1 << 2048
"""Parts of no limit: more than the largest number that JSON can hold means."""


def tenths(value: float) -> int:
    """``value``, not negative and finite, in tenths; what is beyond one decimal is cut off."""
    # Large numbers have no decimals, and ten times the largest would be infinite.
    return int(value) * 10 if value >= 1e12 else math.floor(round(value * 10, 6))


class Outlet(Struct, frozen=True, kw_only=True):
    """A connector, or with number 0 all of them together."""

    number: int
    phases: int
    """Connected when nothing is switched: 1 or 3."""
    can_switch: bool
    """Whether it can charge on one phase instead of three."""
    voltage_mv: int
    """Nominal, of a phase."""
    current_min_a: float
    """Less than this is a pause."""
    parts_per_tenth_a: int
    parts_per_tenth_w: int
    """On one phase; a multiple of 6."""

    def used(self, number_phases: int) -> int:
        """The phases that are connected where ``number_phases`` may be."""
        return 1 if self.can_switch and number_phases < self.phases else self.phases

    def parts_of_a(self, limit: float) -> int:
        """``limit`` in A per phase; what is beyond one decimal is cut off."""
        return tenths(limit) * self.parts_per_tenth_a

    def parts_of_w(self, limit: float, number_phases: int) -> int:
        """``limit`` in W over ``number_phases``, as it counts for each phase that is connected.

        Where more phases are connected than the limit speaks of, it is shared among all of them; where fewer are,
        it stays what it is for each (facts 9.1).
        """
        shared_by = max(number_phases, self.used(number_phases))
        return tenths(limit) * self.parts_per_tenth_w // shared_by

    def tenths_of_a(self, parts: int) -> int:
        """``parts`` in 0.1 A per phase, rounded down."""
        return parts // self.parts_per_tenth_a

    def tenths_of_w(self, parts: int, phases: int) -> int:
        """``parts`` on each of ``phases`` in 0.1 W together, rounded down."""
        return parts * phases // self.parts_per_tenth_w


class Site(Struct, frozen=True):
    """All outlets of a station."""

    station: Outlet
    """What a limit for connector 0 means."""
    outlets: tuple[Outlet, ...]
    """Connector 1 first."""
    turn_s: int
    """How long those that come first are served where there is too little for all."""

    def outlet(self, number: int) -> Outlet:
        """Connector ``number``; 0 is the station."""
        return self.outlets[number - 1] if number else self.station


def site_of(settings: Settings, keys: Keys) -> Site:
    """The outlets that ``settings`` declare."""
    wiring = tuple(
        (connector.phases, round(connector.voltage_v * 1000), connector.current_min_a)
        for connector in settings.connectors
    )
    return site_from(
        wiring,
        can_switch=keys.connector_switch3to1_phase_supported,
        turn_s=settings.limits.sharing_turn_s,
    )


def site_from(wiring: tuple[tuple[int, int, float], ...], *, can_switch: bool, turn_s: int) -> Site:
    """The outlets of connectors with these phases, voltages in mV, and least currents in A."""
    voltages = [voltage_mv for _, voltage_mv, _ in wiring]
    multiple = math.lcm(*voltages)

    def outlet(number: int, phases: int, voltage_mv: int, current_min_a: float, *, switches: bool) -> Outlet:
        return Outlet(
            number=number,
            phases=phases,
            can_switch=switches,
            voltage_mv=voltage_mv,
            current_min_a=current_min_a,
            parts_per_tenth_a=6 * multiple,
            # 0.1 W at 1 V is 0.1 A, and there are 1000 mV in a volt.
            parts_per_tenth_w=6000 * (multiple // voltage_mv),
        )

    outlets = tuple(
        outlet(number, phases, voltage_mv, least_a, switches=can_switch and phases > 1)
        for number, (phases, voltage_mv, least_a) in enumerate(wiring, 1)
    )
    # A power limit of the station becomes a current at the highest voltage, which makes it the smallest; it is for
    # as many phases as any connector uses.
    most_phases = max(one.phases for one in outlets)
    station = outlet(
        0,
        most_phases,
        max(voltages),
        min(least_a for _, _, least_a in wiring),
        switches=can_switch and most_phases > 1,
    )
    return Site(station, outlets, turn_s)
