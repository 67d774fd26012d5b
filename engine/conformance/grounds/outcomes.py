"""How transfers and installations end: well, late, otherwise, or cut off. Their servers are in the station's memory."""

from msgspec.structs import replace

from engine.conformance.files import CONFIRM_S, NOBODY, SERVER
from engine.conformance.grounds.files import (
    DIAGNOSTICS,
    EDGE_S,
    FIRMWARE,
    LATER,
    RESETS,
    TWICE,
    update,
    upload,
)
from engine.conformance.grounds.words import (
    CHARGING,
    DUE,
    ON,
    PLUG,
    RESUMED,
    SESSION,
    SLOW_S,
    SWIPE,
    UNPLUG,
    Ground,
    acts,
    ask,
    fails,
    hasty,
    lasting,
    led,
    silent,
    triggers,
    under,
)
from engine.conformance.moves import Pass, Rest
from engine.conformance.reference import EDGE_S as NO_EDGE_S
from engine.conformance.script import Answers
from engine.conformance.stimuli import CutLink, CutPower, Pause, RestoreLink

REPORTS = (FIRMWARE, DIAGNOSTICS)
TOLD_SLOWLY = lasting(
    "reports are answered slowly", *(Answers(report, usual=True, after_s=SLOW_S) for report in REPORTS)
)
TOLD_IN_VAIN = lasting(
    "reports fail slowly", *(Answers(report, error="InternalError", after_s=SLOW_S) for report in REPORTS)
)

TOLD_AGAIN_IN_VAIN = replace(
    under(triggers(FIRMWARE)[0].act, Answers(FIRMWARE, error="InternalError", after_s=3)), is_hasty=True
)
"""A report that fails when the transfer that it is about has."""

HASTE = (
    *hasty(update("firmware.bin"), update("missing.bin", **TWICE), update("firmware.bin", "now+300s")),
    *hasty(*(each.act for each in triggers(FIRMWARE, "Heartbeat"))),
    *acts(Rest(), DUE),
    *hasty(DUE),
)


def sends(*reports: str) -> str:
    """A station that sends none but these reports of transfers."""
    messages = (
        *("Authorize", "BootNotification", "DataTransfer", "Heartbeat", "MeterValues", "StartTransaction"),
        *("StatusNotification", "StopTransaction", *reports),
    )
    return f"[messages]\nsends = [{', '.join(f'{message!r}' for message in messages)}]\n".replace("'", '"')


GROUNDS: tuple[Ground, ...] = (
    Ground(
        name="firmware-outcomes",
        title="Firmware that is not what it should be, or restarts the station itself",
        moves=(
            *acts(
                update("corrupt.bin"), update("corrupt.bin", **TWICE), update("old.bin"), update("itself.bin")
            ),
            *acts(DUE, Pass(7), CutPower(10), PLUG, UNPLUG),
            *triggers(FIRMWARE),
        ),
        starts=(ON, *(led(ON, *acts(update(f"{name}.bin"), DUE)) for name in ("old", "itself"))),
        edge_s=EDGE_S,
    ),
    Ground(
        name="firmware-confirmed",
        title="Firmware of which it takes a while to see that it runs",
        moves=(
            *acts(DUE, update("slow.bin"), update("firmware.bin"), CutPower(10), Pass(CONFIRM_S / 4)),
            *acts(CutLink(), RestoreLink()),
            *triggers(FIRMWARE, "Heartbeat"),
            *(under(each.act, fails(FIRMWARE)) for each in triggers(FIRMWARE)),
        ),
        starts=(
            led(ON, *acts(update("slow.bin"), DUE, DUE, DUE)),
            led(ON, *acts(update("slow.bin"), DUE, DUE), *acts(CutPower(10))),
        ),
        edge_s=EDGE_S,
    ),
    Ground(
        name="hasty-firmware",
        title="Firmware, one thing right after the other",
        moves=(*HASTE, *hasty(CutLink(), RestoreLink())),
        starts=(
            TOLD_SLOWLY,
            TOLD_IN_VAIN,
            led(TOLD_IN_VAIN, *LATER),
            led(ON, *hasty(update("missing.bin", **TWICE)), TOLD_AGAIN_IN_VAIN, *acts(Rest(), DUE)),
        ),
        edge_s=NO_EDGE_S,
        share=2,
    ),
    Ground(
        name="hasty-firmware-in-use",
        title="Firmware while somebody charges, one thing right after the other",
        moves=(*HASTE, *hasty(PLUG, SWIPE, UNPLUG)),
        starts=(
            led(TOLD_SLOWLY, *CHARGING),
            led(TOLD_IN_VAIN, *CHARGING),
            led(TOLD_IN_VAIN, *CHARGING, *acts(update("firmware.bin"), DUE)),
        ),
        edge_s=NO_EDGE_S,
        share=1.5,
    ),
    Ground(
        name="hasty-firmware-prepared",
        title="Firmware while somebody is about to charge",
        moves=(*HASTE, *hasty(PLUG, SWIPE, UNPLUG)),
        starts=(led(TOLD_SLOWLY, *acts(PLUG)),),
        keys={"ConnectionTimeOut": "8"},
        edge_s=NO_EDGE_S,
    ),
    Ground(
        name="firmware-resumed",
        title="Firmware that waits for a transaction which outlasts the power",
        moves=(*SESSION, *acts(DUE, CutPower(10), update("firmware.bin"), *RESETS), *triggers(FIRMWARE)),
        starts=(led(ON, *CHARGING, *acts(update("firmware.bin"), DUE, Pause(1), CutPower(10))),),
        declares=RESUMED,
        edge_s=NO_EDGE_S,
    ),
    Ground(
        name="firmware-and-queue",
        title="Firmware that must restart while a transaction is still to be told",
        moves=(
            *acts(DUE, update("firmware.bin"), *RESETS, CutLink(), RestoreLink(), PLUG, SWIPE, UNPLUG),
            under(UNPLUG, silent("StopTransaction")),
            under(UNPLUG, fails("StopTransaction")),
            *triggers(FIRMWARE, "Heartbeat"),
            *(under(each.act, fails(FIRMWARE)) for each in triggers(FIRMWARE)),
        ),
        starts=(
            led(ON, *CHARGING, *acts(update("firmware.bin"), DUE), under(UNPLUG, fails("StopTransaction"))),
            led(ON, *CHARGING, *acts(CutLink(), UNPLUG)),
            led(
                ON,
                *CHARGING,
                under(UNPLUG, fails("StopTransaction")),
                *acts(update("firmware.bin"), DUE),
                *hasty(ask("Reset", type="Soft")),
                *acts(DUE),
            ),
        ),
        keys={"TransactionMessageAttempts": "5", "TransactionMessageRetryInterval": "40"},
        edge_s=EDGE_S,
        share=2,
    ),
    *(
        Ground(
            name=f"no-reports-of-{what}",
            title=f"Transfers, where none of {what} is told of",
            moves=(
                *hasty(update("firmware.bin"), update("missing.bin"), upload(SERVER)),
                *hasty(upload(f"ftp://{NOBODY}/", **TWICE), CutLink(), RestoreLink()),
                *acts(Rest(), DUE),
                *hasty(DUE),
            ),
            starts=(TOLD_SLOWLY,),
            declares=sends(told),
            edge_s=NO_EDGE_S,
        )
        for what, told in (("firmware", DIAGNOSTICS), ("diagnostics", FIRMWARE))
    ),
    Ground(
        name="hasty-diagnostics",
        title="Diagnostics, one thing right after the other",
        moves=(
            *hasty(upload(SERVER), upload(f"ftp://{NOBODY}/", **TWICE), update("missing.bin")),
            *hasty(*(each.act for each in triggers(DIAGNOSTICS)), ask("ClearCache")),
            *acts(Rest(), DUE),
            *hasty(DUE),
        ),
        starts=(TOLD_SLOWLY, TOLD_IN_VAIN),
        edge_s=NO_EDGE_S,
    ),
)
