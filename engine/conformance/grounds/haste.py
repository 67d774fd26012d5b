"""One thing right after the other, while hardware and Central System are still on their way."""

from engine.conformance.grounds.words import (
    CARD,
    CHARGING,
    DUE,
    GROUND_FAILURE,
    HOT,
    OTHER,
    OUTSIDER,
    PLUG,
    REMOTE_START,
    REMOTE_STOP,
    RESUMED,
    SILENCE,
    SLOW_S,
    SWIPE,
    TAKE_VEHICLE,
    UNLOCK,
    UNPLUG,
    Ground,
    acts,
    ask,
    availability,
    change,
    hasty,
    info,
    led,
    reserve,
    triggers,
    under,
)
from engine.conformance.moves import Move, Rest, Start
from engine.conformance.reference import EDGE_S
from engine.conformance.script import Answers
from engine.conformance.stimuli import (
    ClearFault,
    CutLink,
    CutPower,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PressStop,
    RaiseFault,
    RestoreLink,
    Resume,
    SilenceMeter,
    Unplug,
)

SLOWLY = Move(
    "a slow Central System",
    Start(),
    tuple(
        Answers(action, usual=True, after_s=SLOW_S)
        for action in ("Authorize", "StartTransaction", "StopTransaction")
    ),
    is_lasting=True,
)
"""Leaves time to do something before the answer."""

SLOW_STARTS = (SLOWLY, led(SLOWLY, *CHARGING), led(SLOWLY, *CHARGING, *acts(SILENCE)))

HASTE = (
    *hasty(
        PLUG,
        SWIPE,
        UNPLUG,
        TAKE_VEHICLE,
        Unplug(1, "station"),
        PressStop(1),
        FailPower(1),
        Pause(1),
        Resume(1),
    ),
    *hasty(UNLOCK, REMOTE_START, REMOTE_STOP, OUTSIDER, ask("Reset", type="Soft")),
    *hasty(
        SilenceMeter(True, 1), SilenceMeter(False, 1), RaiseFault(GROUND_FAILURE), ClearFault(GROUND_FAILURE)
    ),
    *acts(Rest()),
)
"""What somebody does who waits for nothing."""

GROUNDS = (
    Ground(
        name="hasty",
        edge_s=EDGE_S,
        title="One thing right after the other",
        moves=(*HASTE, *hasty(CutLink(), RestoreLink(), RaiseFault(HOT), ClearFault(HOT)), *acts(DUE)),
        starts=SLOW_STARTS,
        share=2,
    ),
    Ground(
        name="hasty-lock",
        edge_s=EDGE_S,
        title="One thing right after the other, with a lock that jams",
        moves=(
            *HASTE,
            *hasty(JamLock(1), FreeLock(1), ask("ChangeAvailability", connectorId=1, type="Inoperative")),
        ),
        starts=SLOW_STARTS,
        keys={"UnlockConnectorOnEVSideDisconnect": "false"},
        share=2,
    ),
    Ground(
        name="hasty-open",
        edge_s=EDGE_S,
        title="One thing right after the other, with transactions that stay open",
        moves=(
            *HASTE,
            *hasty(CutPower(10), RaiseFault(HOT), ClearFault(HOT)),
            under(SWIPE, info("StartTransaction", "Invalid")),
            *acts(DUE),
        ),
        starts=SLOW_STARTS,
        keys={
            "StopTransactionOnInvalidId": "false",
            "StopTransactionOnEVSideDisconnect": "false",
            "MaxEnergyOnInvalidId": "100",
        },
        declares=RESUMED,
        share=2,
    ),
    Ground(
        name="hasty-free-of-charge",
        edge_s=EDGE_S,
        title="One thing right after the other, where every vehicle charges at once",
        moves=(
            *HASTE,
            *hasty(
                *(each.act for each in availability(1)),
                reserve(1, CARD),
                ask("CancelReservation", reservationId=1),
            ),
            *hasty(change("ConnectorMaximumCurrent", "0"), change("ConnectorMaximumCurrent", "16")),
            *hasty(RaiseFault(HOT), ClearFault(HOT), JamLock(1), FreeLock(1)),
        ),
        starts=(SLOWLY, led(SLOWLY, *acts(PLUG)), led(SLOWLY, *acts(PLUG, SILENCE))),
        declares='[transactions]\nfree_id_tag = "FREE"\n',
        share=2,
    ),
    Ground(
        name="hasty-meter",
        edge_s=EDGE_S,
        title="A meter that is slow to fail",
        moves=(
            *hasty(
                PLUG, SWIPE, UNPLUG, SilenceMeter(True, 1), SilenceMeter(False, 1), CutLink(), RestoreLink()
            ),
            *hasty(*(each.act for each in triggers("MeterValues", connectors=(1,)))),
            *hasty(change("ClockAlignedDataInterval", "30"), change("ClockAlignedDataInterval", "0")),
            *hasty(change("ConnectionTimeOut", "30")),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        keys={"ClockAlignedDataInterval": "60", "MeterValueSampleInterval": "40"},
        share=2,
    ),
    Ground(
        name="hasty-recovery",
        edge_s=EDGE_S,
        title="One thing right after the other, after a power cut",
        moves=(
            *HASTE,
            *hasty(CutLink(), RestoreLink(), RaiseFault(HOT), ClearFault(HOT), CutPower(10)),
            *hasty(ask("ChangeAvailability", connectorId=1, type="Inoperative"), reserve(1, OTHER)),
            *acts(DUE),
        ),
        starts=(
            led(SLOWLY, *CHARGING, *hasty(CutPower(10))),
            led(SLOWLY, *CHARGING, *acts(SILENCE), *hasty(SWIPE, CutPower(10))),
            led(SLOWLY, *CHARGING, *acts(CutLink(), TAKE_VEHICLE), *hasty(CutPower(10))),
        ),
        declares=RESUMED,
        keys={"StopTransactionOnEVSideDisconnect": "false"},
        share=2,
    ),
)
