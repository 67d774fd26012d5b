"""What must come at the right moment: while something is still waited for, or has only just changed."""

from engine.conformance.grounds.words import (
    CARD,
    CHARGING,
    DUE,
    HEARD,
    ON,
    OTHER,
    PLUG,
    RESUMED,
    SILENCE,
    SWIPE,
    TAKE_VEHICLE,
    UNPLUG,
    VALUES,
    Ground,
    acts,
    hasty,
    in_phases,
    lasting,
    led,
    profile,
)
from engine.conformance.moves import Near, Rest
from engine.conformance.reference import EDGE_S
from engine.conformance.script import Answers
from engine.conformance.stimuli import CutPower, PlugIn, Swipe, Unplug

REFUSED_LATE = lasting(
    "a late refusal", Answers("StartTransaction", with_={"idTagInfo": {"status": "Invalid"}}, after_s=8)
)
"""Leaves time to let the meter fall silent before."""

CONNECTOR = """[[connectors]]
number = {}
cable = "{}"
has_lock = {}
current_max_a = 16
current_min_a = 6
phases = 1
voltage_v = 230
driver = "simulated"
"""
THREE = "".join(
    (
        "[limits]\nsharing_turn_s = 60\n[installation]\ncurrent_max_a = 10\n",
        CONNECTOR.format(1, "socket", "true"),
        CONNECTOR.format(2, "tethered", "false"),
        CONNECTOR.format(3, "tethered", "false"),
        '[[readers]]\ndriver = "simulated"\nconnectors = [1, 2, 3]\n',
    )
)
"""Three connectors, of which one may be used at a time."""
TWO_OF_THREE = acts(PLUG, SWIPE, PlugIn(2), Swipe(OTHER, 2), PlugIn(3))

GROUNDS = (
    Ground(
        name="cable-alone-after-a-cut",
        title="A cable that is alone after a power cut, while a silent meter is read",
        moves=acts(PLUG, SWIPE, UNPLUG, TAKE_VEHICLE, SILENCE, HEARD, CutPower(10), Rest()),
        starts=(led(ON, *CHARGING, *acts(TAKE_VEHICLE, SILENCE, CutPower(10))),),
        keys={"StopTransactionOnEVSideDisconnect": "false", "ConnectionTimeOut": "1"},
        edge_s=EDGE_S,
        share=0.5,
    ),
    Ground(
        name="cable-alone-resumed",
        title="A cable that is alone after a power cut, while its transaction waits for the vehicle",
        moves=(
            *acts(PLUG, SWIPE, UNPLUG, TAKE_VEHICLE, SILENCE, HEARD, Rest()),
            *hasty(CutPower(10), PLUG, VALUES, DUE),
        ),
        starts=(
            led(ON, *CHARGING, *acts(TAKE_VEHICLE, SILENCE), *hasty(CutPower(10), VALUES), *acts(Rest())),
        ),
        declares=RESUMED,
        keys={"StopTransactionOnEVSideDisconnect": "false", "ConnectionTimeOut": "2"},
        edge_s=EDGE_S,
        share=0.5,
    ),
    Ground(
        name="refused-by-a-silent-meter",
        title="Some energy is allowed, and a silent meter is to say where that begins",
        moves=(*hasty(VALUES, HEARD, SILENCE, UNPLUG, DUE, Rest()), *acts(Rest())),
        starts=(
            led(
                REFUSED_LATE,
                *acts(PLUG, SWIPE, SILENCE, Near(0.7)),
                *hasty(VALUES, DUE, HEARD, VALUES, Rest(), Rest(), Rest(), VALUES, UNPLUG, Rest()),
                *acts(Rest()),
            ),
            led(REFUSED_LATE, *acts(PLUG, SWIPE, SILENCE, Near(0.7)), *hasty(VALUES, DUE)),
        ),
        keys={"MaxEnergyOnInvalidId": "100", "AuthorizationCacheEnabled": "false"},
        edge_s=EDGE_S,
        share=0.5,
    ),
    Ground(
        name="hasty-offers",
        title="More is allowed before a vehicle had the time to follow",
        moves=(
            *hasty(profile(1, "TxDefaultProfile", 1, 8), profile(1, "TxDefaultProfile", 4, 24, lasts_s=6)),
            *hasty(in_phases(1, 1), in_phases(1, 1, 12), in_phases(1, 3)),
            *acts(Rest(), DUE, Near(3.2), UNPLUG),
            *hasty(DUE),
        ),
        starts=(
            led(
                ON,
                *CHARGING,
                *hasty(
                    profile(1, "TxDefaultProfile", 1, 8), profile(1, "TxDefaultProfile", 4, 24, lasts_s=6)
                ),
                *acts(Rest()),
            ),
            led(ON, *CHARGING, *acts(in_phases(1, 1), Near(3.2), in_phases(1, 1, 8), in_phases(1, 1, 12))),
            led(
                ON,
                *CHARGING,
                *acts(in_phases(1, 1), DUE, in_phases(1, 3), DUE),
                *hasty(DUE, in_phases(1, 1)),
                *acts(Rest()),
            ),
        ),
        edge_s=EDGE_S,
    ),
    Ground(
        name="three-take-turns",
        title="Three connectors take turns, and the third vehicle comes when a turn has just begun",
        moves=acts(DUE, Swipe(CARD, 3), Unplug(3), Unplug(2)),
        starts=tuple(
            led(ON, *TWO_OF_THREE, *acts(*turns, Swipe("THIRD", 3))) for turns in ([DUE] * 4, [DUE] * 5)
        ),
        declares=THREE,
        edge_s=EDGE_S,
        share=0.5,
    ),
)
