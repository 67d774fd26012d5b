"""What is said to the station and asked of it, and what must be so; anything else is a deviation."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import trio

from engine.conformance.case import NotApplicable
from engine.conformance.declared import Declared
from engine.conformance.hands import Hands
from engine.conformance.rig import Rig
from engine.conformance.sequence import Sequence
from engine.csms import Csms, NotConnectedError
from engine.csms_book import RECEIVED, Entry
from engine.ocpp import frames
from machines.vocabulary.ocpp import (
    ChangeConfiguration,
    ChangeConfigurationConf,
    Conf,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationConf,
    Request,
)
from machines.vocabulary.wire import CallError, ErrorCode

LOOK_S = 0.1
"""How long between two looks at what no CALL tells."""


async def becomes(holds: Callable[[], bool], within_s: float) -> bool:
    """Wait for what no CALL tells; return whether it became so."""
    with trio.move_on_after(within_s):
        while True:
            if holds():
                return True
            await trio.sleep(LOOK_S)
    return False


class Dialogue(Hands):
    """The Central System's side of a case.

    Args:
        csms: The Central System that the station is connected to.
        rig: Moves the hardware.
        tolerance_s: How far times may be off.
        declared: What is known of the station.
    """

    def __init__(self, csms: Csms, rig: Rig, *, tolerance_s: float, declared: Declared) -> None:
        super().__init__(rig, csms)
        self.tolerance_s = tolerance_s
        self.declared = declared
        self.sequence = Sequence(csms)
        self.start = self.sequence.start
        """Where the transcript of this case begins."""
        self.expect = self.sequence.expect
        self.quiet = self.sequence.quiet

    def now(self) -> datetime:
        """The time of day, as the Central System tells it."""
        return self.csms.now()

    # Requests

    async def request(self, request: Request, *, is_first: bool = True) -> Conf | CallError:
        """Send a CALL to the station; return its answer.

        Args:
            request: The CALL.
            is_first: What it brings about is told after the answer. If not, the CALLs that came before are still
                to be read.

        Raises:
            Deviation: There is no answer, or something came that was not expected.
        """
        self.sequence.nothing_left()
        name = type(request).__name__
        try:
            answer = await self.csms.call(request)
        except NotConnectedError as error:
            raise self.sequence.deviation(f"{name} met no station, or it left", "an answer") from error
        except trio.TooSlowError as error:
            raise self.sequence.deviation(f"{name} was not answered", "an answer") from error
        if is_first:
            self.sequence.read_before(self._latest_answer())
        return answer

    def _latest_answer(self) -> int:
        transcript = self.csms.transcript
        return max(
            place
            for place, entry in enumerate(transcript)
            if entry.direction == RECEIVED and entry.kind in (frames.CALL_RESULT, frames.CALL_ERROR)
        )

    async def ask(self, request: Request, *expected: str, is_first: bool = True) -> None:
        """Send a CALL that must be answered with one of ``expected``: statuses, or ErrorCodes of a CALLERROR.

        Some words are both, and only what is named is meant: who does not support an action has not answered it.
        """
        answer: Any = await self.request(request, is_first=is_first)
        found = answer.code if isinstance(answer, CallError) else answer.status
        self.check(_told(found), set(map(_told, expected)), f"the answer to {type(request).__name__}")

    # Configuration keys

    async def configure(self, **keys: str) -> None:
        """Set configuration keys over OCPP.

        Raises:
            NotApplicable: The station does not have one of them, or does not take the value.
        """
        for key, value in keys.items():
            why = await self._set(key, value)
            if why is not None:
                raise NotApplicable(why)

    async def prefer(self, **keys: str) -> tuple[str, ...]:
        """Set those configuration keys that the station has and takes; return the others."""
        refused = []
        for key, value in keys.items():
            if await self._set(key, value) is not None:
                refused.append(key)
        return tuple(refused)

    async def configure_one(self, key: str, *values: str) -> str:
        """Set a configuration key to the first of ``values`` that the station takes; return that.

        Raises:
            NotApplicable: It takes none of them.
        """
        for value in values:
            why = await self._set(key, value)
            if why is None:
                return value
        raise NotApplicable(f"{key}: the station takes none of {', '.join(values)}")

    async def _set(self, key: str, value: str) -> str | None:
        """Set a key; return why it cannot be, if so."""
        known = self.declared.key(key)
        if known is None:
            return f"the station has no key {key}"
        if known.is_readonly:
            is_so = (known.value or "").casefold() == value.casefold()
            return None if is_so else f"{key} is read-only: {known.value}, not {value}"
        answer = await self.request(ChangeConfiguration(key=key, value=value))
        match answer:
            case ChangeConfigurationConf(status=ConfigurationStatus.ACCEPTED):
                return None
            case ChangeConfigurationConf(
                status=ConfigurationStatus.REJECTED | ConfigurationStatus.REBOOT_REQUIRED as found
            ):
                return f"{key} = {value!r} is answered {found}"
            case ChangeConfigurationConf(status=found) | CallError(code=found):
                raise self.sequence.deviation(
                    f"a change of {key}, which GetConfiguration shows, is answered {found}", "Accepted"
                )
        raise AssertionError(answer)

    async def number_in(self, key: str) -> int:
        """Read a configuration key that is a number, over OCPP.

        Raises:
            Deviation: The station does not have it, or it is no number.
        """
        value = await self.value_of(key)
        if not (value.isascii() and value.isdecimal()):
            raise self.sequence.deviation(f"{key} is {value!r}", "a number")
        return int(value)

    async def value_of(self, key: str) -> str:
        """Read a configuration key over OCPP; one that is not set is empty.

        Raises:
            Deviation: The station does not have it.
        """
        answer = await self.request(GetConfiguration(key=(key,)))
        match answer:
            case GetConfigurationConf(configuration_key=(found,)) if found.key.casefold() == key.casefold():
                return found.value or ""
        raise self.sequence.deviation(f"GetConfiguration of {key} is answered {answer}", "that key")

    # What must be so

    async def until(self, holds: Callable[[], bool], what: str, within_s: float) -> None:
        """Wait for what no CALL tells.

        Raises:
            Deviation: It does not become so.
        """
        if not await becomes(holds, within_s):
            raise self.sequence.deviation(f"{within_s:g} s passed", what)

    def check(self, found: object, wanted: object, what: str) -> None:
        """Raise Deviation unless ``found`` is ``wanted``, or one of it if that is a set."""
        if not (found in wanted if isinstance(wanted, set) else found == wanted):
            expected = " or ".join(sorted(map(str, wanted))) if isinstance(wanted, set) else str(wanted)
            raise self.sequence.deviation(f"{what} is {found}", expected)

    def check_near(self, found_s: float, wanted_s: float, what: str) -> None:
        """Raise Deviation unless two times, in s, are the same within the tolerance."""
        if abs(found_s - wanted_s) > self.tolerance_s:
            raise self.sequence.deviation(f"{what} is {found_s:g} s", f"{wanted_s:g} s")

    def check_gap(self, one: Entry, other: Entry, wanted_s: float) -> None:
        """Raise Deviation unless one CALL came ``wanted_s`` after the other, within the tolerance."""
        found_s = (other.time - one.time).total_seconds()
        self.check_near(found_s, wanted_s, f"the time from {one.action} to {other.action}")

    async def check_locked(self, connector: int, is_locked: bool) -> None:
        """Raise Deviation unless the cable is held at the station, or is not. Nobody may be able to tell."""
        found = await self.rig.is_locked(connector)
        if found is not None:
            self.check(found, is_locked, f"whether the lock of connector {connector} holds the cable")

    async def check_energy(self, connector: int, has_energy: bool) -> None:
        """Raise Deviation unless the contactor is closed, or is not. Nobody may be able to tell."""
        found = await self.rig.has_energy(connector)
        if found is not None:
            self.check(found, has_energy, f"whether connector {connector} gives energy")

    async def check_register(self, connector: int, found_wh: int) -> None:
        """Raise Deviation unless the meter shows ``found_wh``, give or take a Wh. Nobody may be able to tell."""
        shown_wh = await self.rig.register_wh(connector)
        if shown_wh is not None and abs(shown_wh - found_wh) > 1:
            raise self.sequence.deviation(f"the register told is {found_wh} Wh", f"{shown_wh:.1f} Wh")


def _told(answer: str) -> str:
    """A status, or the code of a CALLERROR, for people."""
    return f"CALLERROR {answer.value}" if isinstance(answer, ErrorCode) else str(answer)
