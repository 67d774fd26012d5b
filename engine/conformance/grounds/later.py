"""What only shows after a while or after much: energy that is used up, long queues, transactions recovered."""

from engine.conformance.grounds.words import (
    CARD,
    CHARGING,
    DUE,
    GROUND_FAILURE,
    HEARD,
    ON,
    OTHER,
    OUTSIDER,
    PLUG,
    REFUSED,
    REMOTE_START,
    REMOTE_STOP,
    RESUMED,
    SESSION,
    SILENCE,
    SWIPE,
    TAKE_VEHICLE,
    UNPLUG,
    VALUES,
    Ground,
    acts,
    ask,
    availability,
    boot,
    fails,
    fault,
    info,
    lasting,
    late,
    led,
    profile,
    reserve,
    silent,
    start,
    start_with_profile,
    under,
)
from engine.conformance.moves import News, Pass
from engine.conformance.stimuli import CutLink, CutPower, PlugIn, RestoreLink, SilenceMeter, Swipe, Unplug

SOME_ENERGY = {"MaxEnergyOnInvalidId": "500", "AuthorizationCacheEnabled": "false"}
INVALID = lasting("a refusal", info("StartTransaction", "Invalid"))
BOTH_CHARGE = acts(PLUG, SWIPE, PlugIn(2), Swipe(OTHER, 2))
LONG_QUEUE = {"MeterValueSampleInterval": "10", "TransactionMessageAttempts": "3"}

GROUNDS = (
    Ground(
        name="energy-used-up",
        title="Some energy is allowed, until it is used up",
        moves=(*SESSION, *acts(News(), DUE, SILENCE, HEARD, TAKE_VEHICLE, VALUES)),
        starts=(led(ON, *REFUSED), led(ON, *REFUSED, *acts(SILENCE))),
        keys=SOME_ENERGY,
    ),
    Ground(
        name="energy-used-up-then-open",
        title="Some energy is allowed, until it is used up, and the transaction stays open",
        moves=(*SESSION, *acts(News(), DUE, SILENCE, HEARD, TAKE_VEHICLE, VALUES, OUTSIDER)),
        starts=(led(ON, *REFUSED), led(ON, *REFUSED, *acts(SILENCE))),
        keys=SOME_ENERGY
        | {"StopTransactionOnInvalidId": "false", "StopTransactionOnEVSideDisconnect": "false"},
    ),
    Ground(
        name="recovered",
        title="A transaction that waits for its vehicle after a power cut",
        moves=(
            *acts(PLUG, SWIPE, UNPLUG, TAKE_VEHICLE, DUE, News(), CutPower(10), CutLink(), RestoreLink()),
            *acts(VALUES, SILENCE, HEARD, PlugIn(2), Swipe(OTHER, 2), Unplug(2)),
            *availability(1),
        ),
        starts=(
            led(ON, *CHARGING, *acts(CutLink(), TAKE_VEHICLE, CutPower(10))),
            led(ON, *CHARGING, *acts(TAKE_VEHICLE, CutPower(10))),
            led(ON, *acts(CutLink(), Pass(1.1), PLUG, SWIPE, TAKE_VEHICLE, CutPower(10))),
        ),
        edge_s=0.1,
        declares=RESUMED,
        keys={
            "StopTransactionOnEVSideDisconnect": "false",
            "AllowOfflineTxForUnknownId": "true",
            "ConnectionTimeOut": "30",
        },
        share=1.5,
    ),
    Ground(
        name="recovered-without-energy",
        title="A transaction whose idTag was refused waits for its vehicle after a power cut",
        moves=(*acts(PLUG, SWIPE, UNPLUG, TAKE_VEHICLE, DUE, CutPower(10)), *availability(1)),
        starts=(
            led(INVALID, *CHARGING, *acts(TAKE_VEHICLE, CutPower(10))),
            led(
                INVALID,
                *CHARGING,
                *acts(ask("ChangeConfiguration", key="StopTransactionOnInvalidId", value="true")),
            ),
            led(
                INVALID,
                *CHARGING,
                *acts(ask("ChangeConfiguration", key="StopTransactionOnInvalidId", value="true")),
                *acts(TAKE_VEHICLE, CutPower(10)),
            ),
        ),
        edge_s=0.1,
        declares=RESUMED,
        keys={
            "StopTransactionOnInvalidId": "false",
            "StopTransactionOnEVSideDisconnect": "false",
            "AuthorizationCacheEnabled": "false",
        },
    ),
    Ground(
        name="long-queue",
        title="Transaction messages that wait until samples among them are left out",
        moves=(
            *SESSION,
            *acts(CutLink(), RestoreLink(), Pass(595), DUE),
            under(SWIPE, fails("StartTransaction")),
            under(SWIPE, silent("StartTransaction")),
        ),
        starts=(ON, led(ON, *CHARGING, *acts(CutLink()))),
        declares="[limits]\nqueue_size_max = 100\n",
        keys=LONG_QUEUE | {"TransactionMessageRetryInterval": "900", "MessageTimeout": "600"},
        edge_s=0.1,
        share=0.5,
    ),
    Ground(
        name="profile-brought",
        title="Charging profiles that a remote start brings",
        moves=(
            *acts(start_with_profile(), PLUG, SWIPE, UNPLUG, OUTSIDER, DUE, REMOTE_START, REMOTE_STOP),
            under(start_with_profile(), info("Authorize", "Blocked")),
            under(start_with_profile(), late("Authorize", 8)),
            under(start_with_profile(), silent("Authorize")),
            *availability(1),
            *fault(GROUND_FAILURE),
            *acts(reserve(1, OTHER), ask("CancelReservation", reservationId=1), CutLink(), RestoreLink()),
            *acts(profile(1, "TxDefaultProfile", 4, 12), ask("ClearChargingProfile")),
        ),
        keys={"AuthorizeRemoteTxRequests": "true", "AuthorizationCacheEnabled": "false"},
        share=1.5,
    ),
    Ground(
        name="profile-brought-in-vain",
        title="Charging profiles that a remote start brings to a connector which goes out of service meanwhile",
        moves=(
            *availability(1),
            *acts(DUE, PLUG, UNPLUG, ask("ClearChargingProfile"), start_with_profile()),
        ),
        starts=tuple(
            led(
                ON,
                *acts(*held),
                under(start_with_profile(), late("Authorize", 8)),
                *availability(1)[1:],
                *acts(DUE),
            )
            for held in ((), (profile(1, "TxDefaultProfile", 4, 12),))
        ),
        keys={"AuthorizeRemoteTxRequests": "true", "AuthorizationCacheEnabled": "false"},
        share=0.5,
    ),
    Ground(
        name="both-in-use",
        title="Both connectors are in use",
        moves=(
            *acts(SWIPE, Swipe(OTHER, 2), UNPLUG, Unplug(2), DUE, ask("Reset", type="Soft")),
            *acts(SILENCE, SilenceMeter(True, 2), SilenceMeter(False, 2), CutLink(), RestoreLink()),
            *availability(0, 1, 2),
        ),
        starts=(
            led(ON, *BOTH_CHARGE),
            led(ON, *BOTH_CHARGE, *acts(SilenceMeter(True, 2))),
            led(ON, *BOTH_CHARGE, *acts(CutLink())),
        ),
        share=1.5,
    ),
    Ground(
        name="registration-outages",
        title="The connection goes while the registration is not accepted",
        moves=(
            *acts(DUE, CutLink(), RestoreLink(), Pass(12), Pass(40), News()),
            *(under(DUE, boot(status, 30)) for status in ("Pending", "Rejected")),
        ),
        starts=tuple(
            led(start(f"{status} for {interval}", boot(status, interval)), *acts(CutLink()))
            for status in ("Pending", "Rejected")
            for interval in (45, 200)
        ),
        edge_s=0.1,
    ),
    Ground(
        name="second-transmission",
        title="A transaction message is sent again, and then both are answered",
        moves=(
            *acts(DUE, News(), UNPLUG, PLUG, SWIPE, Pass(20)),
            *(under(SWIPE, late("StartTransaction", after_s)) for after_s in (32, 40, 55)),
            *(under(UNPLUG, late("StopTransaction", after_s)) for after_s in (32, 40, 55)),
            under(DUE, fails("StartTransaction")),
            under(DUE, silent("StartTransaction")),
        ),
        starts=(
            led(ON, *acts(PLUG)),
            led(
                ON,
                *acts(PLUG),
                under(SWIPE, late("StartTransaction", 40)),
                *acts(DUE),
                under(DUE, silent("StartTransaction")),
                *acts(DUE, DUE),
            ),
        ),
        keys={"TransactionMessageAttempts": "3", "TransactionMessageRetryInterval": "5"},
        edge_s=0.1,
    ),
    Ground(
        name="list-conflict",
        title="The Central System contradicts the local list, and does not hear of it",
        moves=(
            *SESSION,
            under(SWIPE, info("StartTransaction", "Invalid"), fails("StatusNotification")),
            under(SWIPE, info("StartTransaction", "Invalid"), late("StatusNotification", 8)),
            under(SWIPE, info("StartTransaction", "Invalid"), silent("StatusNotification")),
            *acts(DUE, Swipe(CARD, 2), PlugIn(2), Unplug(2)),
        ),
        starts=(
            led(
                ON,
                *acts(
                    ask(
                        "SendLocalList",
                        listVersion=1,
                        updateType="Full",
                        localAuthorizationList=[{"idTag": CARD, "idTagInfo": {"status": "Accepted"}}],
                    )
                ),
            ),
        ),
        keys={"LocalAuthListEnabled": "true", "LocalPreAuthorize": "true"},
    ),
)
