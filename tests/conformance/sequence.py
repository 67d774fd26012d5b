"""Reading what the station sends as a certification tool does: each CALL is either expected, or a failure."""

from collections.abc import Iterable, Mapping
from typing import Any

import trio
from msgspec import Struct

from engine.csms import RECEIVED, Csms, Entry
from engine.ocpp import frames

ABSENT = None
"""Stands for a field that is left out."""


class Message(Struct, frozen=True):
    """A CALL of the station, as far as a test case says what is in it."""

    action: str
    members: Mapping[str, Any]
    """A field's value; a set of the values that it may have, :data:`ABSENT` among them or not."""

    def fits(self, entry: Entry) -> bool:
        """Whether ``entry`` is such a CALL."""
        return entry.action == self.action and all(
            _fits(wanted, entry.payload.get(name)) for name, wanted in self.members.items()
        )


def message(action: str, **members: Any) -> Message:
    """A CALL with these fields."""
    return Message(action, members)


def status(value: str | set[str], connector: int = 1, error_code: str = "NoError", **members: Any) -> Message:
    """A StatusNotification."""
    return Message(
        "StatusNotification",
        {"connectorId": connector, "status": value, "errorCode": error_code, **members},
    )


class Sequence:
    """The CALLs of the station, read one after the other from the transcript of the Central System."""

    def __init__(self, csms: Csms) -> None:
        self._csms = csms
        self._next = 0
        """The first entry of the transcript that was not read yet."""

    async def expect(
        self, *wanted: Message, optional: Iterable[Message] = (), within_s: float = 30
    ) -> list[Entry]:
        """Read the next CALLs until all that are ``wanted`` were there, in whatever order.

        Args:
            wanted: Each of them once.
            optional: Each of them at most once, before the last one that is wanted.
            within_s: How long it may take.

        Returns:
            Those that were wanted, in the order in which they are named.

        Raises:
            AssertionError: Another CALL came, or one of them did not come.
        """
        missing, may_come = dict(enumerate(wanted)), list(optional)
        found: dict[int, Entry] = {}
        with trio.move_on_after(within_s):
            while missing:
                entry = await self._csms.wait_for(_is_call, start=self._next)
                place = next((place for place, each in missing.items() if each.fits(entry)), None)
                if place is not None:
                    del missing[place]
                    found[place] = entry
                else:
                    self._take(entry, may_come, "expected is " + " / ".join(map(str, missing.values())))
                self._next = self._csms.transcript.index(entry) + 1
        assert not missing, f"{within_s} s passed without {list(missing.values())}\n{self}"
        return [found[place] for place in range(len(wanted))]

    async def quiet(self, seconds: float, optional: Iterable[Message] = ()) -> None:
        """The station sends no CALL for so long but those that are ``optional``."""
        await trio.sleep(seconds)
        self.read_before(len(self._csms.transcript), optional)

    def nothing_left(self) -> None:
        """Every CALL until now was expected."""
        self.read_before(len(self._csms.transcript))

    def read_before(self, end: int, optional: Iterable[Message] = ()) -> None:
        """Read the CALLs before entry ``end`` of the transcript; each must be one of ``optional``."""
        may_come = list(optional)
        for entry in self._csms.transcript[self._next : end]:
            if _is_call(entry):
                self._take(entry, may_come, "expected is nothing now")
        self._next = max(end, self._next)

    def _take(self, entry: Entry, may_come: list[Message], expected: str) -> None:
        for each in may_come:
            if each.fits(entry):
                may_come.remove(each)
                return
        raise AssertionError(f"{entry.action} {entry.payload} came, {expected}\n{self}")

    def __str__(self) -> str:
        """The latest frames, for people."""
        latest = self._csms.transcript[-20:]
        lines = [
            f"{e.time:%H:%M:%S.%f} {'>' if e.direction == RECEIVED else '<'} {e.action} {e.payload}"
            for e in latest
        ]
        return "\n".join(lines)


def _fits(wanted: Any, found: Any) -> bool:
    return found in wanted if isinstance(wanted, set) else bool(found == wanted)


def _is_call(entry: Entry) -> bool:
    return entry.direction == RECEIVED and entry.kind == frames.CALL
