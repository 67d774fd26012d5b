"""Plays the steps of a script, and sees that the Central System does what they say."""

from collections.abc import Callable
from typing import Any

import trio

from engine import speed
from engine.conformance.matching import fits
from engine.conformance.rig import RigError
from engine.conformance.script import Answered, Asked, Call, Charge, Expects, Payload, Wait
from engine.conformance.stimuli import Stimulus
from engine.ocpp import frames
from engine.play.actor import Actor
from engine.play.draw import Played, PlayedStep
from engine.play.tell import named
from engine.play.transcript import Event, Frame, Transcript

SETTLE_S = 30.0
"""How long the last answers may take, on the clock of the Central System: so long stations usually wait."""


class StepFailed(Exception):  # noqa: N818 - the name of the fact
    """A step did not come out as the script says. One line, for the tester: where, what, what was expected."""


class Player:
    """Plays one script.

    Args:
        station: Is running.
        transcript: Of that station.
        act: Told of every stimulus before it is given.
    """

    def __init__(self, station: Actor, transcript: Transcript, act: Callable[[Stimulus], None]) -> None:
        self._station = station
        self._transcript = transcript
        self._act = act
        self._since = 0
        """Where in the transcript the latest stimulus, or CALL that was waited for, stands."""
        self._taken: set[int] = set()
        """CALLs of the Central System that a step was about."""
        self._latest: dict[tuple[str, Any], int] = {}
        """The last CALL of the station of each kind that a step was about: they are expected in their order."""
        self.excused: set[str] = set()
        """Ids of CALLs whose CALLERROR was expected."""

    async def play(self, played: Played) -> None:
        """Play one step to its end.

        Raises:
            StepFailed: The Central System, or the station, did otherwise.
        """
        try:
            await self._play(played.step)
        except (StepFailed, RigError) as error:
            raise StepFailed(f"{played.where}: {error}") from error

    async def settle(self) -> Frame | None:
        """Give the last answers a while to come; return the CALL that got none."""
        with trio.move_on_after(_patience(SETTLE_S)):
            while self._owed() is not None:
                await self._transcript.wait_grown()
        return self._owed()

    async def _play(self, step: PlayedStep) -> None:
        match step:
            case Wait(wait=seconds):
                await trio.sleep(seconds)
            case Charge():
                await self._charge(step)
            case Expects():
                await self._expect(step)
            case Asked():
                await self._wait_asked(step)
            case Answered():
                await self._wait_answered(step)
            case _:
                self._since = len(self._transcript.entries)
                self._act(step)
                await self._station.do(step)

    # The meter

    async def _charge(self, step: Charge) -> None:
        begin_wh = await self._station.register_wh(step.connector)
        assert begin_wh is not None
        with trio.move_on_after(step.within_s):
            while True:
                register_wh = await self._station.register_wh(step.connector)
                assert register_wh is not None
                missing_wh = begin_wh + step.charge - register_wh
                if missing_wh <= 0:
                    return
                power_w = self._station.power_w(step.connector)
                # The power may change meanwhile, so a long way is gone in parts.
                await trio.sleep(min(missing_wh * 3600 / power_w + 0.001, 60) if power_w else 1)
        raise StepFailed(
            f"connector {step.connector} did not charge {step.charge:g} Wh in {step.within_s:g} s"
        )

    # CALLs of the station

    async def _expect(self, step: Expects) -> None:
        missing = Call("any CALL")
        with trio.move_on_after(_patience(step.within_s)):
            while (found := self._take(step.expect)) is not None:
                missing = found
                await self._transcript.wait_grown()
            return
        came = [entry for entry in self._transcript.entries[self._since :] if _is_call(entry, is_sent=True)]
        alike = [
            named(entry) for entry in came if isinstance(entry, Frame) and entry.action == missing.action
        ]
        shown = ", ".join(alike[-3:]) or f"no {missing.action}"
        raise StepFailed(
            f"expected {_shown(missing)} within {step.within_s:g} s, found {shown}{self._why_offline()}"
        )

    def _take(self, calls: tuple[Call, ...]) -> Call | None:
        """Take all of ``calls``, or none; return one that is missing."""
        latest = dict(self._latest)
        for call in calls:
            for number in range(self._since, len(self._transcript.entries)):
                entry = self._transcript.entries[number]
                if not isinstance(entry, Frame):
                    continue
                if number > latest.get(_kind(entry), -1) and _fits(
                    entry, call.action, call.payload, is_sent=True
                ):
                    latest[_kind(entry)] = number
                    break
            else:
                return call
        self._latest = latest
        return None

    # What the Central System does

    async def _wait_asked(self, step: Asked) -> None:
        with trio.move_on_after(_patience(step.within_s)):
            while True:
                for number, entry in enumerate(self._transcript.entries):
                    if number not in self._taken and _fits(entry, step.asked, step.payload, is_sent=False):
                        self._taken.add(number)
                        self._since = max(self._since, number)
                        return
                await self._transcript.wait_grown()
        wanted = _shown(Call(step.asked, step.payload))
        came = [
            named(entry)
            for number, entry in enumerate(self._transcript.entries)
            if number not in self._taken and isinstance(entry, Frame) and _is_call(entry, is_sent=False)
        ]
        shown = ", ".join(came[-3:]) or "no CALL"
        raise StepFailed(
            f"expected {wanted} of the Central System within {step.within_s:g} s, found {shown}"
            f"{self._why_offline()}"
        )

    async def _wait_answered(self, step: Answered) -> None:
        answer = None
        with trio.move_on_after(_patience(step.within_s)):
            while (answer := self._latest_answer(step.answered)) is None:
                await self._transcript.wait_grown()
        wanted = step.error or _shown(Call(f"{step.answered}.conf", step.payload))
        if answer is None:
            raise StepFailed(
                f"expected {wanted} within {step.within_s:g} s, found no answer{self._why_offline()}"
            )
        if step.error is not None:
            self.excused.add(answer.call_id)
            is_right = answer.kind == frames.CALL_ERROR and answer.payload["code"] == step.error
        else:
            is_right = answer.kind == frames.CALL_RESULT and fits(step.payload, answer.payload)
        if not is_right:
            raise StepFailed(f"expected {wanted}, found {named(answer)}")

    def _latest_answer(self, action: str) -> Frame | None:
        """The answer to the latest CALL with ``action`` since the latest stimulus; None if there is none yet."""
        entries = self._transcript.entries[self._since :]
        calls = [
            entry.call_id
            for entry in entries
            if isinstance(entry, Frame) and _fits(entry, action, {}, is_sent=True)
        ]
        for entry in entries:
            if isinstance(entry, Frame) and not entry.is_sent and calls and entry.call_id == calls[-1]:
                return entry
        return None

    def _owed(self) -> Frame | None:
        """The last CALL of the station, if it waits for its answer."""
        owed: Frame | None = None
        for entry in self._transcript.entries:
            match entry:
                case Event(what="connection closed" | "station started"):
                    owed = None
                case Frame(is_sent=True, kind=frames.CALL) as owed:
                    pass
                case Frame(is_sent=False, call_id=call_id) if owed is not None and call_id == owed.call_id:
                    owed = None
        return owed

    def _why_offline(self) -> str:
        """What to say of the connection, if there is none."""
        for entry in reversed(self._transcript.entries):
            match entry:
                case Event(what="dialling failed" | "connection closed", fields=fields):
                    return f" (not connected: {fields['why']})"
                case Event(what="connection opened"):
                    return ""
        return " (never connected)"


def _fits(entry: object, action: str, payload: Payload, *, is_sent: bool) -> bool:
    if not isinstance(entry, Frame) or not _is_call(entry, is_sent=is_sent):
        return False
    return entry.action == action and fits(payload, entry.payload)


def _is_call(entry: object, *, is_sent: bool) -> bool:
    return isinstance(entry, Frame) and entry.kind == frames.CALL and entry.is_sent is is_sent


def _kind(entry: Frame) -> tuple[str, Any]:
    """CALLs of one kind come in the order in which they are listed."""
    return entry.action, entry.payload.get("connectorId") if entry.action == "StatusNotification" else None


def _shown(call: Call) -> str:
    return named(call)


def _patience(seconds: float) -> float:
    """How long to wait for something that goes over the network, on our clock: never less than ``seconds``."""
    return max(seconds, speed.of_the_central_system(seconds))
