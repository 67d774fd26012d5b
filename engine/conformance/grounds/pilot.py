"""A control pilot that cannot be read, and power cuts that are shorter than a vehicle notices."""

from engine.conformance.grounds.haste import SLOWLY
from engine.conformance.grounds.words import (
    CARD,
    CHARGING,
    DUE,
    ON,
    OTHER,
    PLUG,
    REMOTE_STOP,
    RESUMED,
    SESSION,
    SWIPE,
    TAKE_VEHICLE,
    UNPLUG,
    Ground,
    acts,
    ask,
    availability,
    hasty,
    led,
    profile,
    reserve,
)
from engine.conformance.moves import Rest
from engine.conformance.reference import EDGE_S
from engine.conformance.stimuli import (
    CutPower,
    FailPilot,
    Pause,
    PlugIn,
    PressStop,
    RepairPilot,
    Resume,
    SilenceMeter,
    Swipe,
    Unplug,
)

BLINK = CutPower(0.4)
"""Is over before a vehicle stops asking for energy."""

SHORT, WHOLE = FailPilot(1), RepairPilot(1)

GROUNDS = (
    Ground(
        name="pilot",
        title="A control pilot that cannot be read",
        moves=(
            *SESSION,
            *acts(SHORT, WHOLE, TAKE_VEHICLE, Unplug(1, "station"), DUE, Pause(1), CutPower(10)),
        ),
        starts=(ON, led(ON, *acts(SHORT)), led(ON, *CHARGING), led(ON, *CHARGING, *acts(SHORT))),
    ),
    Ground(
        name="pilot-left-connected",
        title="A control pilot that cannot be read in a transaction which stays open",
        moves=(*SESSION, *acts(SHORT, WHOLE, TAKE_VEHICLE, DUE, Pause(1), Resume(1))),
        starts=(led(ON, *CHARGING), led(ON, *CHARGING, *acts(SHORT))),
        keys={"StopTransactionOnEVSideDisconnect": "false"},
    ),
    Ground(
        name="pilot-fixed-cable",
        title="A control pilot that cannot be read, with a fixed cable",
        moves=acts(PlugIn(2), Unplug(2), Swipe(CARD, 2), FailPilot(2), RepairPilot(2), DUE),
    ),
    Ground(
        name="hasty-pilot",
        title="A control pilot that cannot be read for a moment",
        moves=(
            *hasty(PLUG, SWIPE, UNPLUG, TAKE_VEHICLE, SHORT, WHOLE, PressStop(1)),
            *hasty(SilenceMeter(True, 1), SilenceMeter(False, 1)),
            *acts(Rest(), DUE),
        ),
        starts=(SLOWLY, led(SLOWLY, *CHARGING)),
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="blinks",
        title="Power cuts shorter than a vehicle notices: what was going on ends",
        moves=(
            *SESSION,
            *hasty(BLINK, TAKE_VEHICLE, PLUG, SHORT, WHOLE),
            *acts(BLINK, DUE, Rest(), PressStop(1), REMOTE_STOP, reserve(1, CARD), reserve(1, OTHER)),
            *acts(ask("CancelReservation", reservationId=1), *(each.act for each in availability(0, 1))),
        ),
        starts=(ON, led(ON, *CHARGING), led(ON, *CHARGING, *hasty(BLINK))),
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="blinks-resumed",
        title="Power cuts shorter than a vehicle notices: what was going on goes on",
        moves=(
            *SESSION,
            *hasty(BLINK, TAKE_VEHICLE, PLUG, SWIPE),
            *acts(BLINK, DUE, Rest(), PressStop(1), *(each.act for each in availability(1))),
        ),
        starts=(led(ON, *CHARGING), led(ON, *CHARGING, *hasty(BLINK))),
        declares=RESUMED,
        edge_s=EDGE_S,
    ),
    Ground(
        name="blinks-free-of-charge",
        title="Power cuts shorter than a vehicle notices, where every vehicle charges at once",
        moves=(
            *hasty(BLINK, TAKE_VEHICLE, PLUG, UNPLUG, *(each.act for each in availability(0, 1))),
            *acts(BLINK, DUE, Rest(), PLUG, UNPLUG, reserve(1, OTHER), PressStop(1)),
        ),
        starts=(ON, led(ON, *acts(PLUG)), led(ON, *acts(PLUG), *hasty(BLINK))),
        declares='[transactions]\nfree_id_tag = "FREE"\n',
        edge_s=EDGE_S,
    ),
    Ground(
        name="blinks-free-of-charge-resumed",
        title="Power cuts shorter than a vehicle notices, where every vehicle charges at once, and goes on",
        moves=(
            *hasty(BLINK, TAKE_VEHICLE, PLUG, UNPLUG),
            *acts(BLINK, DUE, Rest(), PLUG, UNPLUG, PressStop(1), profile(1, "TxDefaultProfile", 1, 0)),
        ),
        starts=(ON, led(ON, *acts(PLUG), *hasty(BLINK))),
        declares='[transactions]\nfree_id_tag = "FREE"\nrecovery = "resume"\n',
        edge_s=EDGE_S,
        share=0.5,
    ),
)
