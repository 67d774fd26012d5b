"""What comes while something else is still being read, told or waited for."""

from engine.conformance.grounds.haste import SLOWLY
from engine.conformance.grounds.words import (
    CARD,
    CHARGING,
    DUE,
    HEARD,
    HOT,
    ON,
    OTHER,
    OUTSIDER,
    PLUG,
    REMOTE_START,
    REMOTE_STOP,
    SILENCE,
    SLOW_S,
    SWIPE,
    TAKE_VEHICLE,
    UNLOCK,
    UNPLUG,
    VALUES,
    Ground,
    acts,
    ask,
    availability,
    change,
    fault,
    hasty,
    in_phases,
    info,
    lasting,
    late,
    led,
    profile,
    reserve,
    triggers,
    under,
)
from engine.conformance.moves import Near, Pass, Rest
from engine.conformance.reference import EDGE_S
from engine.conformance.script import Answers
from engine.conformance.stimuli import (
    CutLink,
    CutPower,
    PlugIn,
    PressStop,
    RestoreLink,
    SilenceMeter,
    Swipe,
    Unplug,
)

HEARTBEAT = triggers("Heartbeat")[0].act

REFUSED_SLOWLY = lasting(
    "a slow refusal",
    Answers("StartTransaction", with_={"idTagInfo": {"status": "Invalid"}}, after_s=SLOW_S),
    Answers("Authorize", usual=True, after_s=SLOW_S),
)
ASKED_SLOWLY = lasting(
    "Authorize is refused slowly",
    Answers("Authorize", with_={"idTagInfo": {"status": "Invalid"}}, after_s=SLOW_S),
)
ASKED_IN_VAIN = lasting("Authorize fails slowly", Answers("Authorize", error="InternalError", after_s=SLOW_S))
SLOW_VALUES = lasting("slow answers to values", Answers("MeterValues", usual=True, after_s=SLOW_S))
VALUES_IN_VAIN = lasting("values fail slowly", Answers("MeterValues", error="InternalError", after_s=SLOW_S))
STATUSES_IN_VAIN = lasting(
    "statuses fail slowly", Answers("StatusNotification", error="InternalError", after_s=SLOW_S)
)

ALLOWANCE = {"MaxEnergyOnInvalidId": "100", "AuthorizationCacheEnabled": "false"}
OPEN = {"StopTransactionOnInvalidId": "false", "StopTransactionOnEVSideDisconnect": "false"}

GROUNDS = (
    Ground(
        name="hasty-readings",
        title="A meter that is slow to fail, when a transaction begins and ends",
        moves=(
            *hasty(REMOTE_START, UNPLUG, SILENCE, HEARD, VALUES, PressStop(1), REMOTE_STOP, SWIPE),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        starts=(led(ON, *acts(PLUG, SILENCE)), led(ON, *CHARGING, *acts(SILENCE))),
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="hasty-refusal",
        title="A meter that is slow to fail, when some energy is allowed",
        moves=(
            *hasty(REMOTE_START, SILENCE, HEARD, VALUES, UNPLUG, TAKE_VEHICLE, PLUG, OUTSIDER),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        starts=(led(REFUSED_SLOWLY, *acts(PLUG)), led(REFUSED_SLOWLY, *acts(PLUG, SWIPE))),
        keys=ALLOWANCE,
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="hasty-refusal-open",
        title="A meter that is slow to fail, when some energy is allowed and the transaction stays open",
        moves=(
            *hasty(REMOTE_START, SILENCE, HEARD, VALUES, UNPLUG, TAKE_VEHICLE, PLUG, OUTSIDER),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        starts=(led(REFUSED_SLOWLY, *acts(PLUG)), led(REFUSED_SLOWLY, *acts(PLUG, SWIPE))),
        keys=ALLOWANCE | OPEN,
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="free-of-charge-asked",
        title="A vehicle that comes while Authorize is pending, where every vehicle charges at once",
        moves=(
            *hasty(PLUG, UNPLUG, SWIPE, CutLink(), RestoreLink()),
            *acts(Rest(), DUE),
        ),
        starts=(ASKED_SLOWLY, ASKED_IN_VAIN),
        keys={"AuthorizationCacheEnabled": "false", "AllowOfflineTxForUnknownId": "false"},
        declares='[transactions]\nfree_id_tag = "FREE"\n',
        edge_s=EDGE_S,
        share=2,
    ),
    Ground(
        name="hasty-users",
        title="Somebody else shows a card while a transaction begins",
        moves=(
            *hasty(OUTSIDER, PLUG, REMOTE_START, UNPLUG, PressStop(1), SILENCE, HEARD),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        starts=(
            led(SLOWLY, *acts(SWIPE)),
            led(SLOWLY, *acts(SWIPE, SILENCE)),
            led(REFUSED_SLOWLY, *acts(PLUG)),
            led(
                ON,
                *acts(SWIPE),
                under(OUTSIDER, late("Authorize", 12)),
                *acts(PLUG, SILENCE, Near(0.7)),
                *hasty(PressStop(1)),
                *acts(DUE),
            ),
        ),
        keys={"StopTransactionOnInvalidId": "false", "AuthorizationCacheEnabled": "false"},
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="near-the-grid",
        title="A meter that is slow to fail, when values on the clock are due",
        moves=(
            *acts(Near(0.5), Near(1.1), Rest(), DUE),
            *hasty(DUE),
            *hasty(SILENCE, HEARD, VALUES, change("HeartbeatInterval", "900"), CutLink(), RestoreLink()),
            *hasty(*(change("ClockAlignedDataInterval", value) for value in ("0", "1", "60"))),
        ),
        starts=(led(ON, *acts(SILENCE, SilenceMeter(True, 2))),),
        keys={"ClockAlignedDataInterval": "60"},
        edge_s=EDGE_S,
        share=2,
    ),
    Ground(
        name="hasty-values",
        title="Values on demand while others are on their way",
        moves=(*hasty(VALUES, SILENCE, HEARD, CutLink(), RestoreLink()), *acts(Rest(), DUE), *hasty(DUE)),
        starts=(SLOW_VALUES, VALUES_IN_VAIN),
        edge_s=EDGE_S,
    ),
    Ground(
        name="hasty-statuses",
        title="Statuses that fail late, with MinimumStatusDuration",
        moves=(
            *hasty(PLUG, UNPLUG, SWIPE),
            *acts(Rest(), DUE),
            *hasty(DUE),
            *triggers("StatusNotification", connectors=(1,)),
        ),
        starts=(STATUSES_IN_VAIN,),
        keys={"MinimumStatusDuration": "10"},
        edge_s=EDGE_S,
    ),
    Ground(
        name="hasty-phases",
        title="Phases that change while they are switched",
        moves=(
            *hasty(in_phases(1, 1), in_phases(1, 3), ask("ClearChargingProfile"), SWIPE, PLUG, UNPLUG),
            *hasty(*(each.act for each in fault(HOT))),
            *acts(Rest(), DUE, Pass(2)),
            *hasty(DUE),
        ),
        starts=(led(ON, *CHARGING), led(ON, *acts(in_phases(1, 1), PLUG))),
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="hasty-sharing",
        title="Two connectors share what may be drawn, and change their minds",
        moves=(
            *hasty(SWIPE, Swipe(OTHER, 2), UNPLUG, Unplug(2), PLUG, PlugIn(2), HEARTBEAT),
            *hasty(profile(0, "ChargePointMaxProfile", 2, 14), ask("ClearChargingProfile")),
            *hasty(*(profile(1, "TxDefaultProfile", 1, limit) for limit in (8, 12))),
            *hasty(change("ConnectorMaximumCurrent", "10"), change("HeartbeatInterval", "900")),
            *hasty(*(each.act for each in fault(HOT))),
            *acts(Rest(), DUE, Pass(2)),
            *hasty(DUE),
        ),
        starts=(
            led(ON, *CHARGING, *acts(PlugIn(2))),
            led(ON, *CHARGING, *acts(PlugIn(2), Swipe(OTHER, 2))),
            led(ON, *CHARGING, *acts(profile(1, "TxDefaultProfile", 4, 12, lasts_s=120))),
        ),
        declares="[installation]\ncurrent_max_a = 20\n",
        edge_s=EDGE_S,
        share=3,
    ),
    Ground(
        name="hasty-requests",
        title="Requests right after each other",
        moves=(
            *hasty(change("AuthorizationKey", "00112233445566778899aabbccddeeff"), CutLink(), RestoreLink()),
            *hasty(change("WebSocketPingInterval", "30"), UNLOCK, PLUG, SWIPE, UNPLUG),
            *hasty(reserve(1, CARD), reserve(1, OTHER, 2), ask("CancelReservation", reservationId=1)),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        starts=(SLOWLY, led(SLOWLY, *acts(PLUG))),
        edge_s=EDGE_S,
    ),
    Ground(
        name="hasty-reserved",
        title="A reservation that comes while its holder is at the connector",
        moves=(
            *hasty(
                SWIPE, PLUG, UNPLUG, TAKE_VEHICLE, reserve(1, CARD), ask("CancelReservation", reservationId=1)
            ),
            *hasty(*(each.act for each in availability(0)), CutPower(10)),
            *acts(Rest(), DUE),
        ),
        starts=(SLOWLY, led(SLOWLY, *hasty(SWIPE, reserve(1, CARD)), *acts(Rest()))),
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="hasty-reset",
        title="A reset while transaction messages are on their way",
        moves=(
            *hasty(REMOTE_START, SILENCE, HEARD, UNPLUG, PressStop(1)),
            *hasty(ask("Reset", type="Soft"), ask("Reset", type="Hard")),
            *acts(Rest(), DUE),
        ),
        starts=(led(SLOWLY, *acts(PLUG)), led(SLOWLY, *CHARGING)),
        edge_s=EDGE_S,
        share=1.5,
    ),
    Ground(
        name="refusal-while-two-charge",
        title="Messages of one transaction while another one stays open without energy",
        moves=(
            *acts(PLUG, SWIPE, UNPLUG, PlugIn(2), Swipe(OTHER, 2), Unplug(2), DUE),
            *acts(CutLink(), RestoreLink(), VALUES),
        ),
        starts=(led(lasting("a refusal", info("StartTransaction", "Invalid")), *CHARGING, *acts(PlugIn(2))),),
        keys={"StopTransactionOnInvalidId": "false", "AuthorizationCacheEnabled": "false"},
    ),
)
