"""The station as a whole: power, registration, reset, configuration, charging profiles."""

from engine.conformance.grounds.words import (
    CARD,
    CHARGING,
    DUE,
    GROUND_FAILURE,
    HOT,
    ON,
    OTHER,
    OUTSIDER,
    PLUG,
    REMOTE_START,
    REMOTE_STOP,
    RESUMED,
    SESSION,
    SWIPE,
    TAKE_VEHICLE,
    UNLOCK,
    UNPLUG,
    Ground,
    acts,
    ask,
    availability,
    boot,
    change,
    fails,
    fault,
    in_phases,
    info,
    late,
    led,
    profile,
    reserve,
    silent,
    start,
    start_with_profile,
    triggers,
    under,
)
from engine.conformance.moves import Pass
from engine.conformance.stimuli import (
    CutLink,
    CutPower,
    FailPower,
    Pause,
    PlugIn,
    PressStop,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Swipe,
    Unplug,
)

RECOVERING = (
    *SESSION,
    *acts(
        CutPower(10), FailPower(1), Pause(1), Resume(1), TAKE_VEHICLE, DUE, PressStop(1), REMOTE_STOP, UNLOCK
    ),
    *acts(CutLink(), RestoreLink(), OUTSIDER, REMOTE_START, ask("Reset", type="Hard"), SilenceMeter(True, 1)),
    *acts(SilenceMeter(False, 1), reserve(1, OTHER), ask("CancelReservation", reservationId=1)),
    *fault(GROUND_FAILURE),
    *fault(HOT),
    *availability(1),
    under(SWIPE, info("StartTransaction", "Invalid")),
    under(SWIPE, silent("StartTransaction")),
    under(UNPLUG, silent("StopTransaction")),
)
"""What a power cut may interrupt."""

GROUNDS = (
    Ground(
        name="power",
        title="Power cuts: what was going on ends",
        moves=RECOVERING,
        starts=(ON, led(ON, *CHARGING)),
        share=2,
    ),
    Ground(
        name="power-resume",
        title="Power cuts: what was going on goes on",
        moves=RECOVERING,
        starts=(ON, led(ON, *CHARGING), led(ON, *CHARGING, *acts(CutLink()))),
        declares=RESUMED,
        keys={"StopTransactionOnInvalidId": "false"},
        share=2,
    ),
    Ground(
        name="reset",
        title="Reset",
        moves=(
            *SESSION,
            *acts(
                ask("Reset", type="Soft"), ask("Reset", type="Hard"), DUE, CutLink(), RestoreLink(), UNPLUG
            ),
            *acts(
                REMOTE_START,
                PlugIn(2),
                Swipe(OTHER, 2),
                Unplug(2),
                SilenceMeter(True, 1),
                SilenceMeter(False, 1),
            ),
            *(
                under(ask("Reset", type="Soft"), policy("StopTransaction"))
                for policy in (fails, silent, lambda action: late(action, 5))
            ),
            under(SWIPE, silent("StartTransaction")),
            *acts(ask("ChangeAvailability", connectorId=1, type="Inoperative"), Pass(8)),
        ),
    ),
    Ground(
        name="registration",
        title="From power to registration",
        moves=(
            *acts(DUE, PLUG, SWIPE, UNPLUG, CutLink(), RestoreLink(), CutPower(10), REMOTE_START),
            *acts(ask("GetConfiguration", key=["HeartbeatInterval"]), ask("Reset", type="Soft")),
            *acts(ask("ClearCache"), SendData("org.example", "Ping")),
            *triggers("BootNotification", "Heartbeat", "MeterValues"),
            *triggers("StatusNotification", connectors=(None, 1)),
            *acts(change("HeartbeatInterval", "600")),
            *(
                under(ask("TriggerMessage", requestedMessage=action), fails(action))
                for action in ("Heartbeat", "StatusNotification")
            ),
            *(under(DUE, boot(status, 20)) for status in ("Pending", "Rejected", "Accepted")),
            under(DUE, boot("Rejected", 0)),
            under(DUE, fails("BootNotification")),
            under(DUE, silent("BootNotification")),
            under(RestoreLink(), silent("BootNotification")),
            under(ask("TriggerMessage", requestedMessage="BootNotification"), boot("Pending", 30)),
        ),
        starts=(
            start("accepted"),
            start("pending", boot("Pending", 20)),
            start("rejected", boot("Rejected", 20)),
            led(start("pending for long", boot("Pending", 200)), *acts(CutLink())),
            led(start("rejected for long", boot("Rejected", 200)), *acts(CutLink())),
            start("pending without an interval", boot("Pending", 0)),
            start("processed wrongly", fails("BootNotification")),
            start("not answered", silent("BootNotification")),
        ),
        share=2,
    ),
    Ground(
        name="heartbeat",
        title="Heartbeat",
        moves=(
            *acts(DUE, CutLink(), RestoreLink(), PLUG, UNPLUG, *(each.act for each in triggers("Heartbeat"))),
            *acts(change("HeartbeatInterval", "100"), change("ConnectionTimeOut", "30"), Pass(95)),
            *(under(DUE, policy("Heartbeat")) for policy in (fails, silent, late)),
        ),
        starts=(start("every minute", boot("Accepted", 60)), start("as declared", boot("Accepted", 0))),
        keys={"HeartbeatInterval": "90"},
    ),
    Ground(
        name="configuration",
        title="Configuration keys",
        moves=(
            *acts(
                change("HeartbeatInterval", "600"), change("Nonsense", "1"), change("NumberOfConnectors", "3")
            ),
            *acts(change("MeterValueSampleInterval", "-1"), change("ConnectionTimeOut", "30")),
            *acts(change("SupportedFeatureProfiles", "Core"), change("WebSocketPingInterval", "0")),
            *acts(change("AuthorizationKey", "00112233445566778899aabbccddeeff"), ask("GetConfiguration")),
            *acts(
                ask("GetConfiguration", key=["Nonsense"]),
                CutLink(),
                RestoreLink(),
                DUE,
                CutPower(10),
                PLUG,
                UNPLUG,
            ),
        ),
    ),
    Ground(
        name="not-declared",
        title="What is not offered",
        moves=(
            *SESSION,
            *triggers("FirmwareStatusNotification", "DiagnosticsStatusNotification", "Heartbeat"),
            *acts(SendData("org.example"), ask("UnlockConnector", connectorId=1), ask("Reset", type="Soft")),
            *acts(change("HeartbeatInterval", "600"), reserve(1, CARD), DUE),
        ),
        declares=(
            "[messages]\n"
            'sends = ["Authorize", "BootNotification", "Heartbeat", "StartTransaction", "StatusNotification", '
            '"StopTransaction"]\n'
            'receives = ["ChangeConfiguration", "Reset", "TriggerMessage", "UnlockConnector"]\n'
            "[keys]\nHeartbeatInterval = { reboot = true }\n"
        ),
    ),
    Ground(
        name="phases",
        title="From three phases to one and back",
        moves=(
            *acts(SWIPE, PLUG, DUE, Pause(1), Resume(1), CutPower(10), TAKE_VEHICLE),
            *acts(in_phases(1, 1), in_phases(1, 3), in_phases(1, 2), ask("ClearChargingProfile"), Pass(55)),
            *fault(HOT),
        ),
        starts=(led(ON, *CHARGING), led(ON, *CHARGING, *acts(in_phases(1, 1)))),
        share=1.5,
    ),
    Ground(
        name="installation",
        title="What all connectors may draw, with and without a connection",
        moves=(
            *SESSION,
            *acts(
                PlugIn(2), Unplug(2), Swipe(OTHER, 2), CutLink(), RestoreLink(), DUE, CutPower(10), Pass(45)
            ),
            *acts(profile(0, "ChargePointMaxProfile", 2, 10), ask("ClearChargingProfile")),
        ),
        starts=(ON, led(ON, *CHARGING, *acts(CutLink()))),
        declares="[installation]\ncurrent_max_a = 32\noffline_current_max_a = 6\noffline_after_s = 40\n",
    ),
    Ground(
        name="smart-charging",
        title="Charging profiles",
        moves=(
            *SESSION,
            *acts(
                DUE,
                CutPower(10),
                ask("GetCompositeSchedule", connectorId=1, duration=600),
                PlugIn(2),
                Unplug(2),
            ),
            *acts(
                Swipe(OTHER, 2),
                CutLink(),
                RestoreLink(),
                TAKE_VEHICLE,
                change("ConnectorMaximumCurrent", "10"),
            ),
            *acts(*(profile(1, "TxDefaultProfile", 1, limit) for limit in (0, 8, 20))),
            *acts(profile(0, "ChargePointMaxProfile", 2, 10), profile(1, "TxProfile", 3, 7)),
            *acts(profile(1, "TxDefaultProfile", 4, 12, lasts_s=120), profile(9, "TxDefaultProfile", 1, 9)),
            *acts(
                ask("ClearChargingProfile"),
                ask("ClearChargingProfile", id=1),
                ask("ClearChargingProfile", id=77),
            ),
            *acts(change("ConnectionTimeOut", "30"), start_with_profile(), REMOTE_STOP),
        ),
        starts=(
            ON,
            led(ON, *CHARGING),
            led(ON, *CHARGING, *acts(profile(1, "TxDefaultProfile", 4, 12, lasts_s=120))),
        ),
        share=2,
    ),
)
