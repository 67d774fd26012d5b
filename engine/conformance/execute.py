"""Runs a script: gives the stimuli, plays the Central System, and judges what the station does."""

from collections.abc import Awaitable, Callable, Iterable
from itertools import pairwise
from typing import Any

import msgspec
import trio

from engine.conformance.case import Deviation
from engine.conformance.central_system import by_policy, members_of
from engine.conformance.dialogue import becomes
from engine.conformance.matching import Reading, fits
from engine.conformance.rig import Rig
from engine.conformance.script import Answers, Asks, Call, Expects, Script, Wait, at
from engine.conformance.stimuli import CutPower, Stimulus
from engine.csms import Answer, Behaviour, Csms, NotConnectedError
from engine.csms_book import RECEIVED, Entry
from engine.ocpp import frames
from machines.vocabulary.ocpp import ACTIONS, Request
from machines.vocabulary.wire import CallError

FRAMES_SHOWN = 20
CONNECTED_S = 90
"""How long after the time of the script a station may take to connect."""


class UnplayableError(Exception):
    """The script has a step for the other direction, where the Central System is under test. One line, for the user."""


class Execution:
    """One script on one station, from before the station has power.

    Args:
        script: What is done and expected.
        csms: The Central System that the station connects to. Nobody else tells it what to answer, and its ledger is
            empty.
        rig: Moves the hardware.
        tolerance_s: How much later or earlier than the script says things may come.
    """

    def __init__(self, script: Script, csms: Csms, rig: Rig, *, tolerance_s: float = 0.0) -> None:
        self.script = script
        self.step = 0
        """How many steps are done."""
        self._csms = csms
        self._rig = rig
        self._tolerance_s = tolerance_s
        self._late_s = 0.0
        """How much longer the steps took until now than they would if all that is expected came at once."""
        self._start = self._next = len(csms.transcript)

    async def run(self, power_on: Callable[[], Awaitable[None]]) -> None:
        """Run it to its end.

        Args:
            power_on: Gives power to the station, or starts it anew; called once, when the Central System knows what
                to answer.

        Raises:
            Deviation: The station did other than the script says.
            RigError: A stimulus could not be given.
            UnplayableError: The script is for a Central System under test.
        """
        is_on = False
        for step, following in pairwise((*self.script.steps, None)):
            if not is_on and not isinstance(step, Answers):
                await power_on()
                is_on = True
            began = trio.current_time()
            await self._take(step, following)
            self._late_s += max(0.0, trio.current_time() - began - self._planned_s(step))
            self.step += 1
        self._check(self._new(), ())

    def _planned_s(self, step: Any) -> float:
        """How long a step takes if whatever is expected comes at once."""
        match step:
            case Wait(wait=seconds) | CutPower(seconds=seconds):
                return seconds
            case Expects(expect=(_, *_)):
                return self._quiet_s(step)
            case _:
                return 0.0

    async def _take(self, step: Any, following: Any) -> None:
        match step:
            case Answers():
                self._follow(step)
            case Stimulus():
                await self._rig.do(step)
            case Wait(wait=seconds, optional=optional, connected=connected):
                slack_s = self._slack_s(following)
                await self._quiet(max(0.0, seconds - slack_s), optional)
                await trio.sleep(min(seconds, slack_s))
                if connected and not await becomes(lambda: bool(self._csms.identities), CONNECTED_S):
                    raise self._deviation(f"{CONNECTED_S} s more passed", "a connection")
            case Expects():
                await self._expect(step)
            case Asks():
                await self._ask(step)
            case _:
                raise UnplayableError(
                    f"{self.script.header.script}: {type(step).__name__} is for a Central System"
                )

    def _slack_s(self, following: Any) -> float:
        """How much too early something may come that a wait is for.

        What the station was told to do at a certain time comes as much earlier as the steps before took longer.
        """
        is_late = self._tolerance_s > 0 and isinstance(following, Expects)
        return self._tolerance_s + (self._late_s if is_late else 0.0)

    # The Central System

    def _follow(self, policy: Answers) -> None:
        if policy.usual and not policy.after_s:
            self._csms.override(policy.answers, None)
        else:
            self._csms.override(policy.answers, self._behaviour(policy))

    def _behaviour(self, policy: Answers) -> Behaviour:
        async def answer(request: Request) -> Answer:
            if policy.nothing:
                return None
            # An answer that is none opens no transaction.
            usual = None if policy.error is not None else self._usual(request)
            await trio.sleep(policy.after_s)
            if usual is None:
                return by_policy(policy, ACTIONS["Heartbeat"].conf(current_time=self._csms.now()))
            return by_policy(policy, usual)

        return answer

    def _usual(self, request: Request) -> Any:
        return self._csms.usual_answer(request, next(iter(self._csms.identities), ""))

    async def _ask(self, asked: Asks) -> None:
        payload = msgspec.json.encode(at(asked.payload, self._csms.now()))
        found: Answer = None
        try:
            with trio.move_on_after(asked.within_s + self._tolerance_s):
                found = await self._csms.call_with(asked.request, payload)
        except NotConnectedError as error:
            raise self._deviation(f"{asked.request} met no station, or it left", "an answer") from error
        except trio.TooSlowError:
            pass
        self._judge(asked, found)

    def _judge(self, asked: Asks, found: Answer) -> None:
        if found is None:
            if not asked.nothing:
                raise self._deviation(f"{asked.request} was not answered", "an answer")
        elif asked.nothing:
            raise self._deviation(f"{asked.request} was answered {found}", "no answer")
        elif isinstance(found, CallError):
            if asked.error != found.code and (asked.error is not None or asked.expect is not None):
                raise self._deviation(f"{asked.request} was answered {found.code}", _wanted(asked))
        elif asked.error is not None or not fits(asked.expect or {}, members_of(found)):
            raise self._deviation(f"{asked.request} was answered {members_of(found)}", _wanted(asked))

    # What the station sends

    async def _expect(self, step: Expects) -> None:
        reading = Reading(step.expect, step.optional)
        with trio.move_on_after(step.within_s + self._tolerance_s):
            while reading.missing or not step.expect:
                entry = await self._csms.wait_for(_is_call, start=self._next)
                self._next = self._csms.transcript.index(entry, self._next) + 1
                if not reading.take(entry.action, entry.payload):
                    raise self._deviation(f"{entry.action} {entry.payload} came", reading.wanted())
        if reading.missing:
            raise self._deviation(f"{step.within_s:g} s passed", reading.wanted())
        if step.expect and (quiet_s := self._quiet_s(step)):
            await self._quiet(quiet_s, step.optional)

    def _quiet_s(self, step: Expects) -> float:
        return self.script.header.quiet_s if step.quiet_s is None else step.quiet_s

    async def _quiet(self, seconds: float, optional: Iterable[Call]) -> None:
        await trio.sleep(seconds)
        self._check(self._new(), tuple(optional))

    def _new(self) -> list[Entry]:
        """The CALLs that were not read yet."""
        entries = [entry for entry in self._csms.transcript[self._next :] if _is_call(entry)]
        self._next = len(self._csms.transcript)
        return entries

    def _check(self, entries: list[Entry], optional: tuple[Call, ...]) -> None:
        reading = Reading((), optional)
        for entry in entries:
            if not reading.take(entry.action, entry.payload):
                raise self._deviation(f"{entry.action} {entry.payload} came", "nothing")

    def _deviation(self, found: str, expected: str) -> Deviation:
        script = self.script.header.script
        lines = [
            f"{e.time:%H:%M:%S.%f} {'>' if e.direction == RECEIVED else '<'} {e.action} {e.payload}"
            for e in self._csms.transcript[self._start :][-FRAMES_SHOWN:]
        ]
        trace = "\n".join(lines)
        return Deviation(f"{script}, step {self.step + 1}: {found}; expected is {expected}\n{trace}")


def _wanted(asked: Asks) -> str:
    return str(asked.error if asked.error is not None else asked.expect)


def _is_call(entry: Entry) -> bool:
    return entry.direction == RECEIVED and entry.kind == frames.CALL
