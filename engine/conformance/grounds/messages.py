"""Messages: transactions on their way, statuses, meter values, what is asked for."""

from engine.conformance.grounds.words import (
    DUE,
    GROUND_FAILURE,
    HOT,
    OUTSIDER,
    PLUG,
    REMOTE_STOP,
    SESSION,
    SWIPE,
    TAKE_VEHICLE,
    UNPLUG,
    Ground,
    acts,
    ask,
    change,
    fails,
    fault,
    info,
    late,
    silent,
    triggers,
    under,
)
from engine.conformance.script import Answers
from engine.conformance.stimuli import CutLink, CutPower, Pause, RestoreLink, Resume, SendData, SilenceMeter

GROUNDS = (
    Ground(
        name="delivery",
        title="Transaction messages that the Central System does not process",
        moves=(
            *SESSION,
            *acts(DUE, CutLink(), RestoreLink(), REMOTE_STOP),
            under(SWIPE, late("StartTransaction", 65)),
            under(DUE, late("StartTransaction", 65)),
            under(UNPLUG, late("StopTransaction", 65)),
            *(under(SWIPE, policy("StartTransaction")) for policy in (fails, silent, late)),
            *(under(UNPLUG, policy("StopTransaction")) for policy in (fails, silent, late)),
            *(under(DUE, policy("StartTransaction")) for policy in (fails, silent, late)),
            *(under(DUE, policy("StopTransaction")) for policy in (fails, silent, late)),
            under(DUE, info("StartTransaction", "Invalid")),
        ),
        keys={"TransactionMessageAttempts": "2", "TransactionMessageRetryInterval": "20"},
        share=2,
    ),
    Ground(
        name="delivery-once",
        title="Transaction messages that are given up at once",
        moves=(
            *SESSION,
            *acts(DUE, CutLink(), RestoreLink(), REMOTE_STOP, OUTSIDER),
            *(under(SWIPE, policy("StartTransaction")) for policy in (fails, silent, late)),
            *(under(UNPLUG, policy("StopTransaction")) for policy in (fails, silent)),
            *(under(DUE, policy("StartTransaction")) for policy in (fails, late)),
        ),
        keys={"TransactionMessageAttempts": "1", "TransactionMessageRetryInterval": "20"},
    ),
    Ground(
        name="statuses",
        title="MinimumStatusDuration",
        moves=(
            *SESSION,
            *acts(Pause(1), Resume(1), DUE, CutLink(), RestoreLink(), TAKE_VEHICLE),
            *triggers("StatusNotification", connectors=(None, 1, 2)),
            *fault(HOT),
            under(PLUG, fails("StatusNotification")),
            under(UNPLUG, silent("StatusNotification")),
            under(DUE, fails("StatusNotification")),
            under(DUE, silent("StatusNotification")),
            under(DUE, late("StatusNotification", 8)),
        ),
        keys={"MinimumStatusDuration": "10"},
    ),
    Ground(
        name="statuses-at-once",
        title="Statuses that do not arrive",
        moves=(
            *SESSION,
            *acts(DUE, CutLink(), RestoreLink()),
            *triggers("StatusNotification", connectors=(None, 1, 2)),
            *fault(HOT),
            *(under(act, silent("StatusNotification")) for act in (PLUG, SWIPE)),
            *(under(act, fails("StatusNotification")) for act in (PLUG, UNPLUG, SWIPE)),
            *(under(act, late("StatusNotification", 8)) for act in (PLUG, UNPLUG, RestoreLink())),
        ),
    ),
    Ground(
        name="samples",
        title="Sampled meter values",
        moves=(
            *SESSION,
            *acts(
                DUE,
                Pause(1),
                Resume(1),
                SilenceMeter(True, 1),
                SilenceMeter(False, 1),
                CutLink(),
                RestoreLink(),
            ),
            *acts(change("MeterValueSampleInterval", "0"), change("MeterValueSampleInterval", "30")),
            *acts(
                change("MeterValuesSampledData", ""),
                change("MeterValuesSampledData", "Energy.Active.Import.Interval"),
            ),
            *acts(change("StopTxnSampledData", "Voltage"), change("ConnectionTimeOut", "30"), CutPower(10)),
            under(DUE, fails("MeterValues")),
            under(DUE, silent("MeterValues")),
            *triggers("MeterValues"),
        ),
        keys={"MeterValueSampleInterval": "60"},
    ),
    Ground(
        name="clock-aligned",
        title="Clock-aligned meter values",
        moves=(
            *SESSION,
            *acts(DUE, SilenceMeter(True, 1), SilenceMeter(False, 1), CutLink(), RestoreLink(), CutPower(10)),
            *acts(change("ClockAlignedDataInterval", "0"), change("ClockAlignedDataInterval", "300")),
            *acts(change("MeterValuesAlignedData", ""), change("ConnectionTimeOut", "30")),
            *acts(change("StopTxnAlignedData", "Voltage"), SilenceMeter(True, 2)),
        ),
        keys={"ClockAlignedDataInterval": "900", "MeterValuesAlignedData": "Energy.Active.Import.Interval"},
    ),
    Ground(
        name="triggers",
        title="Messages on demand",
        moves=(
            *SESSION,
            *triggers(
                "BootNotification", "Heartbeat", "DiagnosticsStatusNotification", "FirmwareStatusNotification"
            ),
            *triggers("StatusNotification", "MeterValues", connectors=(None, 0, 1, 2, 9)),
            *triggers("Nonsense"),
            *acts(SilenceMeter(True, 1), SilenceMeter(False, 1), CutLink(), RestoreLink(), DUE),
            *acts(change("MeterValuesSampledData", ""), change("MeterValuesSampledData", "Voltage")),
            *fault(GROUND_FAILURE),
            under(ask("TriggerMessage", requestedMessage="MeterValues", connectorId=1), fails("MeterValues")),
            *(
                under(
                    ask("TriggerMessage", requestedMessage=f"{what}StatusNotification"),
                    fails(f"{what}StatusNotification"),
                )
                for what in ("Firmware", "Diagnostics")
            ),
        ),
    ),
    Ground(
        name="data-transfer",
        title="Vendor data in both directions",
        moves=(
            *acts(SendData("org.example", "Ping", "x"), ask("DataTransfer", vendorId="nobody")),
            *acts(
                ask("DataTransfer", vendorId="org.example", messageId="Ping"), CutLink(), RestoreLink(), DUE
            ),
            *acts(ask("DataTransfer", vendorId="org.example", messageId="Pong")),
            under(SendData("org.example"), Answers("DataTransfer", with_={"status": "Accepted"})),
            under(SendData("org.example"), fails("DataTransfer")),
            under(SendData("org.example"), silent("DataTransfer")),
        ),
    ),
)
