"""Grounds about files: firmware that comes, diagnostics that go. Their servers are in the station's own memory."""

from typing import Any

from engine.conformance.files import NOBODY, SERVER
from engine.conformance.grounds.words import (
    CHARGING,
    DUE,
    ON,
    OTHER,
    PLUG,
    SESSION,
    SWIPE,
    Ground,
    acts,
    ask,
    availability,
    fails,
    hasty,
    led,
    silent,
    triggers,
    under,
)
from engine.conformance.moves import Rest
from engine.conformance.script import Asks
from engine.conformance.stimuli import (
    CutLink,
    CutPower,
    PlugIn,
    RestoreLink,
    SilenceMeter,
    Swipe,
    Unplug,
)

EDGE_S = 0.1
"""These tours are for a station in the same process, which is never late."""


def update(file: str, when: str = "now-1s", **more: object) -> Asks:
    """UpdateFirmware of a file of the server."""
    members: dict[str, Any] = {"location": SERVER + file, "retrieveDate": when, "retries": 0, **more}
    return ask("UpdateFirmware", **members)


def upload(location: str, **more: object) -> Asks:
    """GetDiagnostics into a folder."""
    members: dict[str, Any] = {"location": location, "retries": 0, **more}
    return ask("GetDiagnostics", **members)


RESETS = (ask("Reset", type="Soft"), ask("Reset", type="Hard"))
TWICE: dict[str, Any] = {"retries": 1, "retryInterval": 60}
FIRMWARE, DIAGNOSTICS = "FirmwareStatusNotification", "DiagnosticsStatusNotification"

OTHER_CHARGES = acts(PlugIn(2), Swipe(OTHER, 2))
BOTH_CHARGE = (*acts(PLUG, SWIPE), *OTHER_CHARGES)
INSTALLING = acts(update("firmware.bin"), DUE)
LATER = acts(update("firmware.bin", "now+300s"))

GROUNDS: tuple[Ground, ...] = (
    Ground(
        name="firmware",
        title="Firmware, from the request to the last report",
        moves=(
            *SESSION,
            *acts(DUE, update("firmware.bin"), update("firmware.bin", "now+300s"), update("broken.bin")),
            *acts(update("missing.bin"), update("missing.bin", **TWICE), CutPower(10), *RESETS),
            *availability(0, 1),
            *triggers(FIRMWARE),
        ),
        starts=(ON, led(ON, *INSTALLING), led(ON, *acts(update("broken.bin"), DUE)), led(ON, *LATER)),
        edge_s=EDGE_S,
        share=2,
    ),
    Ground(
        name="firmware-and-others",
        title="Firmware that waits for who charges",
        moves=(
            *SESSION,
            *acts(
                Swipe(OTHER, 2), Unplug(2), DUE, update("firmware.bin"), update("firmware.bin", "now+300s")
            ),
            *acts(update("missing.bin")),
            *availability(1, 2, 9),
            *triggers(FIRMWARE),
        ),
        starts=(
            led(ON, *BOTH_CHARGE, *INSTALLING),
            led(ON, *CHARGING, *INSTALLING),
            led(ON, *OTHER_CHARGES, *acts(SWIPE), *INSTALLING, *acts(DUE)),
            led(
                ON,
                *OTHER_CHARGES,
                *acts(SilenceMeter(True, 2)),
                *INSTALLING,
                *hasty(CutPower(10), Unplug(2)),
                *acts(Rest()),
            ),
        ),
        edge_s=EDGE_S,
    ),
    Ground(
        name="firmware-and-recovery",
        title="Firmware, power cuts, and transactions that outlast them",
        moves=(
            *SESSION,
            *acts(DUE, update("firmware.bin"), CutPower(10), CutPower(400), ask("Reset", type="Soft")),
            *acts(update("nowhere", location="nowhere"), update("firmware.bin", "now+300s")),
            *triggers(FIRMWARE),
        ),
        starts=(ON, led(ON, *INSTALLING), led(ON, *CHARGING, *INSTALLING), led(ON, *LATER)),
        declares='[transactions]\nrecovery = "resume"\n[limits]\ninstall_attempts_max = 2\n',
        edge_s=EDGE_S,
    ),
    Ground(
        name="reports-of-firmware",
        title="Reports of firmware, and a Central System that is away or fails",
        moves=(
            *acts(DUE, update("firmware.bin"), update("missing.bin"), CutLink(), RestoreLink(), CutPower(10)),
            under(update("missing.bin"), fails(FIRMWARE)),
            under(update("missing.bin"), silent(FIRMWARE)),
            under(DUE, fails(FIRMWARE)),
        ),
        starts=(ON, led(ON, *INSTALLING), led(ON, *LATER)),
        edge_s=EDGE_S,
    ),
    Ground(
        name="diagnostics",
        title="Diagnostics, and reports of them",
        moves=(
            *acts(DUE, upload(SERVER), upload(f"ftp://{NOBODY}/", **TWICE), upload("nowhere")),
            *acts(CutLink(), RestoreLink(), CutPower(10)),
            *triggers(DIAGNOSTICS),
            under(upload(SERVER), fails(DIAGNOSTICS)),
            under(upload(SERVER), silent(DIAGNOSTICS)),
            under(DUE, fails(DIAGNOSTICS)),
        ),
        starts=(ON, led(ON, *acts(upload(SERVER)))),
        edge_s=EDGE_S,
    ),
)
