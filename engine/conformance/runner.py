"""Plays the cases against the station that connects: verdict after verdict, whatever the station does."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Protocol

import trio

from engine.conformance.bed import HEARTBEAT_S
from engine.conformance.case import Case
from engine.conformance.declared import Declared, read_declared
from engine.conformance.plan import PROMPT, Plan, PlanError
from engine.conformance.reception import Reception, listen
from engine.conformance.results import Header, Journal, Result, Verdict
from engine.conformance.trace import NotedRig, Notes
from engine.conformance.verdict import Stage, judge, leave, settle, unplayed
from engine.csms import Csms, NotConnectedError
from engine.csms_book import RECEIVED
from engine.id_tags import IdTagNames
from engine.ocpp import frames
from engine.ocpp.websocket import connection_url
from engine.speed import of_real_time, system_utc

FIRST_BOOT_S = 20
"""How long a station that has connected may take to send BootNotification; one that does not has booted before."""
FIRST_BOOT_REAL_S = 1
"""And at least so much real time."""
CALL_TIMEOUT_REAL_S = 10
"""The Central System waits so long for an answer, and never less than 30 s on the clock of the station."""
CALL_TIMEOUT_S = 30
ATTEMPTS = 3
"""How often a station is asked for its keys that leaves before it has answered."""


class Listener(Protocol):
    """Hears how a run goes, to tell the user."""

    def waiting(self, url: str) -> None:
        """The station may connect now."""

    def met(self, header: Header, done: int) -> None:
        """The station is known; ``done`` of the cases have been played before."""

    def begins(self, case: Case) -> None:
        """A case is about to be played."""

    def ended(self, result: Result) -> None:
        """A case is over."""

    def gave_up(self, why: str) -> None:
        """No further case can be played."""


class Run:
    """One run of the conformance command.

    Args:
        plan: What is to be done.
        listener: Hears how it goes.
    """

    def __init__(self, plan: Plan, listener: Listener) -> None:
        self.plan = plan
        self.journal: Journal | None = plan.journal
        """What came of it so far; None until the station is known."""
        self._unplayed: list[Result] = []
        """The cases that could not be played any more."""
        self._listener = listener

    @property
    def results(self) -> list[Result]:
        """The latest of each case that was played, in the order of the plan; then those that could not be."""
        latest = {result.name: result for result in self.journal.results} if self.journal else {}
        played = [latest[case.name] for case in self.plan.cases if case.name in latest]
        return [*played, *(result for result in self._unplayed if result.name not in latest)]

    @property
    def is_good(self) -> bool:
        """Whether all cases were played, and each passed or is not applicable."""
        results = self.results
        return len(results) == len(self.plan.cases) and all(
            _is_said(result) and _is_fine(result) for result in results
        )

    async def play(self) -> None:
        """Wait for the station, and play every case that has no verdict yet; inconclusive is none.

        Raises:
            PlanError: The address or the certificate is no good, or no station came.
            RigError: The rig cannot be reached.
            JournalError: The journal cannot be written.
        """
        plan, began, began_utc = self.plan, trio.current_time(), system_utc()

        def now() -> datetime:
            return datetime.fromtimestamp(began_utc + trio.current_time() - began, UTC)

        notes = Notes(now, lambda: len(csms.transcript))
        reception = Reception(notes, plan.identity, plan.wishes.password)
        timeout_s = max(CALL_TIMEOUT_S, of_real_time(CALL_TIMEOUT_REAL_S))
        csms = Csms(
            now,
            interval_s=HEARTBEAT_S,
            admit=reception.admit,
            call_timeout_s=timeout_s,
            names=IdTagNames(plan.cards),
        )
        reception.csms = csms
        door, port = await listen(*plan.listen, plan.wishes.tls)
        host = f"[{plan.listen[0]}]" if ":" in plan.listen[0] else plan.listen[0]
        url = f"{'ws' if plan.wishes.tls is None else 'wss'}://{host}:{port}"
        async with trio.open_nursery() as nursery:
            await nursery.start(reception.serve, door)
            self._listener.waiting(connection_url(url, plan.identity) if plan.identity else f"{url}/IDENTITY")
            async with plan.open_rig() as rig:
                header = await self._meet(csms, reception, url)
                stage = Stage(
                    csms,
                    NotedRig(rig, notes),
                    notes,
                    header.declared,
                    plan.wishes.connectors or header.declared.connectors,
                    plan.tolerance_s,
                )
                await self.play_on(stage)
            nursery.cancel_scope.cancel()

    # The station

    async def _meet(self, csms: Csms, reception: Reception, url: str) -> Header:
        """Wait for the station and learn what it is; open the journal."""
        plan = self.plan
        with trio.move_on_after(of_real_time(plan.wishes.patience_s)) as waiting:
            await reception.arrived.wait()
        if waiting.cancelled_caught:
            refused = f" ({reception.refused})" if reception.refused else ""
            raise PlanError(
                f"no charge point connected to {url} within {plan.wishes.patience_s:g} s{refused}"
            )
        with trio.move_on_after(max(FIRST_BOOT_S, of_real_time(FIRST_BOOT_REAL_S))):
            await csms.wait_for_request("BootNotification")
        if self.journal is None:
            assert reception.identity is not None
            header = Header(
                version=version("statecharge"),
                began=csms.now(),
                identity=reception.identity,
                url=url,
                rig=plan.rig,
                seed=plan.seed,
                select=plan.select,
                scripts=plan.scripts,
                declares=plan.declares,
                part=plan.part,
                speed=plan.speed,
                tolerance_s=plan.tolerance_s,
                declared=await self._read_declared(csms),
                boot=_boot_of(csms),
                cases=tuple(case.name for case in plan.cases),
            )
            self.journal = Journal.begin(plan.wishes.out, header)
        self._listener.met(self.journal.header, len(self._done()))
        return self.journal.header

    async def _read_declared(self, csms: Csms) -> Declared:
        wishes, why = self.plan.wishes, ""
        for _ in range(ATTEMPTS):
            try:
                return await read_declared(
                    csms,
                    sockets=wishes.sockets,
                    tethered=wishes.tethered,
                    files=wishes.files,
                    cards=self.plan.cards,
                )
            except NotConnectedError:
                why = "it left before it answered GetConfiguration"
                await trio.sleep(FIRST_BOOT_S)
            except trio.TooSlowError:
                why = "it does not answer GetConfiguration"
            except ValueError as error:
                why = str(error)
                break
        raise PlanError(f"the charge point cannot be tested: {why}")

    # The cases

    def _done(self) -> set[str]:
        assert self.journal is not None
        latest = {result.name: result for result in self.journal.results}
        return {name for name, result in latest.items() if _is_said(result)}

    async def play_on(self, stage: Stage) -> None:
        """Play every case that has no verdict yet against the station on ``stage``, until it does not come to rest.

        Raises:
            JournalError: The journal cannot be written.
        """
        assert self.journal is not None
        done = self._done()
        left = [case for case in self.plan.cases if case.name not in done]
        why = await settle(stage, stage.bed(), is_unknown=self.plan.journal is not None) if left else ""
        for case in left:
            if why:
                break
            self._listener.begins(case)
            bed = stage.bed()
            try:
                result = await judge(stage, case, bed)
            except trio.Cancelled:
                if self.plan.rig != PROMPT:
                    await leave(bed)
                raise
            self.journal.add(result)
            self._listener.ended(result)
            why = await settle(stage, bed)
        if why:
            played = {result.name for result in self.journal.results}
            reason, now = f"not played: {why}", stage.csms.now()
            self._unplayed = [
                unplayed(case, Verdict.INCONCLUSIVE, reason, now) for case in left if case.name not in played
            ]
            self._listener.gave_up(why)


def _is_said(result: Result) -> bool:
    """Whether the verdict says something of the station."""
    return result.verdict is not Verdict.INCONCLUSIVE


def _is_fine(result: Result) -> bool:
    return result.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE)


def _boot_of(csms: Csms) -> dict[str, str]:
    """What the latest BootNotification says."""
    for entry in reversed(csms.transcript):
        if (entry.direction, entry.kind, entry.action) == (RECEIVED, frames.CALL, "BootNotification"):
            return {name: value for name, value in entry.payload.items() if isinstance(value, str)}
    return {}
