"""One case on the stage: its verdict, the station brought to rest after it, the hardware left alone in the end."""

from contextlib import suppress
from datetime import datetime

import trio
from msgspec import Struct

from engine.conformance.bed import BOOT_S, Bed
from engine.conformance.cards import CardRig, Cards
from engine.conformance.case import Case, Deviation, NotApplicable
from engine.conformance.declared import Declared
from engine.conformance.rest import bring_to_rest
from engine.conformance.results import Result, Verdict
from engine.conformance.rig import CannotError, Rig, RigError
from engine.conformance.stimuli import CutPower
from engine.conformance.trace import Kind, Line, Notes, merged
from engine.conformance.trial import attempt
from engine.csms import Csms
from engine.id_tags import IdTagNames
from engine.speed import of_real_time

BOOT_REAL_S = 20
"""How long a station may take from a power cut to BootNotification, at least, in real seconds."""
LEAVE_S = 10
"""How long an interrupted run may take to take its hands off the hardware, in real seconds."""


class Stage(Struct, frozen=True):
    """What every case is played with."""

    csms: Csms
    """With the names of ``declared.cards``."""
    rig: Rig
    """Is told idTags."""
    notes: Notes
    declared: Declared
    connectors: int
    tolerance_s: float

    def bed(self) -> Bed:
        """A fresh one."""
        return Bed(
            self.csms,
            CardRig(self.rig, self.declared.cards),
            connectors=self.connectors,
            tolerance_s=self.tolerance_s,
            declared=self.declared,
        )


async def judge(stage: Stage, case: Case, bed: Bed) -> Result:
    """Play a case; what came of it."""
    noted, began, began_at = len(stage.notes.all), stage.csms.now(), trio.current_time()
    verdict, reason = Verdict.PASSED, ""
    try:
        await attempt(case, bed)
    except NotApplicable as error:
        verdict, reason = Verdict.NOT_APPLICABLE, str(error)
    except Deviation as error:
        verdict, reason = Verdict.FAILED, str(error)
    except RigError as error:
        verdict, reason = Verdict.INCONCLUSIVE, f"the rig failed: {error}"
    trace = merged(stage.csms.transcript, bed.start, stage.notes.all[noted:])
    return Result(
        name=case.name,
        id=case.id,
        title=case.title,
        profile=case.profile,
        text=case.text,
        verdict=verdict,
        reason=reason,
        began=began,
        seconds=trio.current_time() - began_at,
        trace=trace,
        deviates_at=_deviates_at(trace, reason, stage.declared.cards) if verdict is Verdict.FAILED else None,
    )


def _deviates_at(trace: tuple[Line, ...], reason: str, cards: Cards) -> int | None:
    """The place of the CALL of the station that ``reason`` says came, if it does."""
    names = IdTagNames(cards)  # A reason has the words of the case, the trace those of the wire.
    found, came, _ = reason.partition(" came; ")
    for place in reversed(range(len(trace) if came else 0)):
        line = trace[place]
        if line.kind is not Kind.CALL or line.from_csms or f"{line.name} {{" not in found:
            continue
        plain = [value for value in names.heard(line.detail).values() if not isinstance(value, dict | list)]
        if all(str(value) in found for value in plain):
            return place
    return None


async def settle(stage: Stage, bed: Bed, *, is_unknown: bool = False) -> str:
    """Bring the station to rest, with force if need be; why that cannot be done, or nothing.

    Args:
        stage: Where the case was played.
        bed: What the case did is known to it.
        is_unknown: A run before this one may have left anything behind.
    """
    why = ""
    for force in (_take_over if is_unknown else _nothing, _take_over, _cut_power):
        try:
            await force(stage, bed)
            await bring_to_rest(bed)
        except (Deviation, RigError) as error:
            why = why or str(error).partition("\n")[0]
            await bed.undo_what_can_be()
            bed = stage.bed()
        else:
            return ""
    return f"the station does not come to rest: {why}"


async def _nothing(_stage: Stage, _bed: Bed) -> None:
    """The usual way."""
    await trio.lowlevel.checkpoint()


async def _take_over(_stage: Stage, bed: Bed) -> None:
    """The link may be cut, and cables may be in, that this run knows nothing of."""
    with suppress(RigError):  # it may not be cut
        await bed.restore_link()
    for connector in bed.every:
        with suppress(RigError):  # there may be none
            await bed.unplug(connector)


async def _cut_power(stage: Stage, bed: Bed) -> None:
    """A station that starts anew may forget what ails it."""
    if not bed.can(CutPower):
        raise CannotError("the rig cannot cut the power")
    start = len(stage.csms.transcript)
    await bed.cut_power()
    with trio.move_on_after(max(BOOT_S, of_real_time(BOOT_REAL_S))):
        await stage.csms.wait_for_request("BootNotification", start=start)


async def leave(bed: Bed) -> None:
    """The run is interrupted: leave the hardware so that it can go on."""
    with trio.CancelScope(shield=True, deadline=trio.current_time() + of_real_time(LEAVE_S)):
        await bed.undo_what_can_be()
        for connector in tuple(bed.plugged):
            with suppress(RigError):
                await bed.unplug(connector)


def unplayed(case: Case, verdict: Verdict, reason: str, now: datetime) -> Result:
    """What is said of a case that could not be played."""
    return Result(
        name=case.name,
        id=case.id,
        title=case.title,
        profile=case.profile,
        text=case.text,
        verdict=verdict,
        reason=reason,
        began=now,
        seconds=0,
    )
