"""Test scripts as cases of the conformance command: played on a station that is not ours to declare."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.conformance.bed import OVERRIDDEN, Bed
from engine.conformance.case import Case, NotApplicable
from engine.conformance.execute import Execution, UnplayableError
from engine.conformance.rig import Rig
from engine.conformance.script import Answered, Asks, Expects, Script, ScriptError, Wait, read
from engine.conformance.stimuli import (
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FreeLock,
    JamLock,
    PlugIn,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    SilenceMeter,
    Stimulus,
    Swipe,
    Unplug,
)
from engine.conformance.trial import QUIET_KEYS
from engine.id_tags import mapped
from machines.vocabulary.ocpp import ACTIONS

SUFFIX = ".jsonl"
ON_THE_CLOCK = "ClockAlignedDataInterval"
FINEST = 0.1
"""What goes on sooner than within this part of the tolerance is for a station in the same process."""
TRANSFERS = ("UpdateFirmware", "GetDiagnostics")
"""Requests of scripts whose files only our own station in memory has."""
PROFILE = "Core"
"""Which every station announces; what else a script needs shows when it is played."""


def cases_of(path: Path, declares: str = "") -> list[Case]:
    """The scripts in a file, or in the files ``*.jsonl`` of a directory and those in it, by name.

    Args:
        path: The file or directory.
        declares: What the station declares beside the file that the scripts are for.

    Raises:
        ScriptError: There is none, one cannot be read, or two have the same name.
    """
    files = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not files:
        raise ScriptError(f"{path}: found no {SUFFIX} file")
    cases: dict[str, Case] = {}
    for file in files:
        script = read(file)
        name = script.header.script
        if name in cases:
            raise ScriptError(f"{file}: there is another script {name!r}")
        cases[name] = case_of(script, declares)
    return list(cases.values())


def case_of(script: Script, declares: str = "") -> Case:
    """A script as a case: the station is at rest, gets the keys of the script, and starts anew."""
    header = script.header
    shown = {step.id_tag for step in script.steps if isinstance(step, Swipe)}

    async def run(bed: Bed) -> None:
        if header.declares != declares:
            wanted = " ".join(header.declares.split()) or "nothing else"
            raise NotApplicable(f"the script is for a station that declares {wanted}")
        await _play(script, bed)

    return Case(
        id=header.script,
        title=header.title,
        profile=PROFILE,
        run=run,
        cards=tuple(sorted(shown)),
        id_tags=tuple(sorted(_id_tags(script) - shown)),
        needs=tuple(sorted(script.stimuli - {CutLink, RestoreLink}, key=lambda kind: kind.__name__)),
        text=f"Shows {', '.join(header.covers)}." if header.covers else "",
    )


def _id_tags(script: Script) -> set[str]:
    """What the payloads of a script name for idTags."""
    found: set[str] = set()

    def note(id_tag: str) -> str:
        found.add(id_tag)
        return id_tag

    mapped(msgspec.to_builtins(script.steps), note)
    return found


def _pauses_s(script: Script) -> Iterator[float]:
    """How long nothing may come, wherever the script waits."""
    for step in script.steps:
        match step:
            case Wait(wait=wait_s):
                yield wait_s
            case Expects(quiet_s=quiet_s) if quiet_s:
                yield quiet_s


def _may_take_turns(script: Script) -> bool:
    """Whether several vehicles share a limit: if it is less than each needs they take turns, by the time of day."""
    vehicles = {step.connector for step in script.steps if isinstance(step, PlugIn)}
    limits = (
        step
        for step in script.steps
        if isinstance(step, Asks) and step.request == "SetChargingProfile" and not step.payload["connectorId"]
    )
    return len(vehicles) > 1 and ("[installation]" in script.header.declares or any(limits))


async def _play(script: Script, bed: Bed) -> None:
    header = script.header
    if header.keys.get(ON_THE_CLOCK, "0") != "0":
        raise NotApplicable(f"the script counts from midnight, for {ON_THE_CLOCK}")
    if _may_take_turns(script):
        raise NotApplicable("the script counts from midnight, for connectors that may take turns")
    shortest_s = min(_pauses_s(script), default=bed.tolerance_s)
    if shortest_s < bed.tolerance_s * FINEST:
        raise NotApplicable(
            f"the script goes on after {shortest_s:g} s; times may be off by {bed.tolerance_s:g} s"
        )
    if 0 < header.edge_s < bed.tolerance_s * FINEST:
        raise NotApplicable(
            f"the script tells {header.edge_s:g} s apart; times may be off by {bed.tolerance_s:g} s"
        )
    if any(isinstance(step, Asks) and step.request in TRANSFERS for step in script.steps):
        raise NotApplicable("the script is for a station in the same process, with files in memory")
    if any(isinstance(step, Answered) for step in script.steps):
        raise NotApplicable("the script is for a Central System under test")
    for key in QUIET_KEYS:
        known = bed.declared.key(key)
        if known is not None and not known.is_readonly and known.value is not None:
            await bed.configure(**{key: known.value})
    await bed.configure(**header.keys)
    for action in OVERRIDDEN:
        bed.csms.override(action, None)
    bed.csms.ledger.clear()  # transactions are numbered from 1
    execution = Execution(script, bed.csms, _Hands(bed), tolerance_s=bed.tolerance_s)
    try:
        await execution.run(bed.restart)
    except UnplayableError as error:
        raise NotApplicable(str(error)) from error
    finally:
        for action in {step.answers for step in script.steps if hasattr(step, "answers")}:
            bed.csms.override(action, None)
    # The execution has read what came, and what comes after a script is none of its business.
    bed.sequence.pass_over()
    bed.sequence.ignored.update(ACTIONS)


class _Hands(Rig):
    """The rig of a bed, which remembers what must be undone."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed

    def can(self, kind: type[Stimulus]) -> bool:
        return self._bed.can(kind)

    async def do(self, stimulus: Stimulus) -> None:
        bed = self._bed
        match stimulus:
            case PlugIn(connector=number):
                await bed.plug_in(number)
            case Unplug(connector=number, side=side):
                await bed.unplug(number, side)
            case RaiseFault(connector=number, error_code=code):
                await bed.rig.do(stimulus)
                bed.faults.add((number, code))
            case ClearFault(connector=number, error_code=code):
                await bed.clear_fault(code, number)
            case JamLock(connector=number):
                await bed.jam_lock(number)
            case FreeLock(connector=number):
                await bed.free_lock(number)
            case FailPilot(connector=number):
                await bed.fail_pilot(number)
            case RepairPilot(connector=number):
                await bed.repair_pilot(number)
            case SilenceMeter(connector=number, silent=True):
                await bed.silence_meter(number)
            case SilenceMeter(connector=number):
                await bed.revive_meter(number)
            case CutLink():
                await bed.cut_link()
            case RestoreLink():
                await bed.restore_link()
            case CutPower(seconds=seconds):
                await bed.cut_power(seconds)
            case _:
                await bed.rig.do(stimulus)

    async def is_locked(self, connector: int) -> bool | None:
        return await self._bed.rig.is_locked(connector)

    async def has_energy(self, connector: int) -> bool | None:
        return await self._bed.rig.has_energy(connector)

    async def register_wh(self, connector: int) -> float | None:
        return await self._bed.rig.register_wh(connector)
