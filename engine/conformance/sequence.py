"""Reading what the station sends as a certification tool does: each CALL is either expected, or a deviation."""

from collections.abc import Iterable, Mapping
from typing import Any

import trio
from msgspec import Struct

from engine.conformance.case import Deviation
from engine.conformance.well_formed import problem_of
from engine.csms import Csms
from engine.csms_book import RECEIVED, Entry
from engine.ocpp import frames

ABSENT = None
"""Stands for a field that is left out."""

OF_THE_VENDOR = frozenset({"DataTransfer", "SecurityEventNotification"})
"""What a station may send at any time, for no test case is about it."""

FRAMES_SHOWN = 20


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

    def __str__(self) -> str:
        """For people: the action and what must be in it."""
        return f"{self.action} {{{', '.join(f'{n}: {_shown(v)}' for n, v in self.members.items())}}}"


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
    """The CALLs of the station, read one after the other from the transcript of the Central System.

    Args:
        csms: The Central System. What it heard until now is not read.
    """

    def __init__(self, csms: Csms) -> None:
        self._csms = csms
        self.start = len(csms.transcript)
        """The first entry of the transcript that it is about."""
        self.ignored = set(OF_THE_VENDOR)
        """Actions that may come at any time."""
        self._next = self.start
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
            Deviation: Another CALL came, or one of them did not come.
        """
        missing, may_come = dict(enumerate(wanted)), list(optional)
        found: dict[int, Entry] = {}
        with trio.move_on_after(within_s):
            while missing:
                entry = await self._next_call()
                place = next((place for place, each in missing.items() if each.fits(entry)), None)
                if place is not None:
                    del missing[place]
                    found[place] = entry
                else:
                    self._take(entry, may_come, _all_shown(missing.values()))
        if missing:
            raise self.deviation(f"nothing came for {within_s:g} s", _all_shown(missing.values()))
        return [found[place] for place in range(len(wanted))]

    async def one_of(self, *wanted: Message, optional: Iterable[Message] = (), within_s: float = 30) -> Entry:
        """Read the next CALL, which must be one of ``wanted``.

        Args:
            wanted: Any of them.
            optional: Each of them at most once, before it.
            within_s: How long it may take.

        Raises:
            Deviation: Another CALL came, or none.
        """
        may_come = list(optional)
        with trio.move_on_after(within_s):
            while True:
                entry = await self._next_call()
                if any(each.fits(entry) for each in wanted):
                    return entry
                self._take(entry, may_come, " or ".join(map(str, wanted)))
        raise self.deviation(f"nothing came for {within_s:g} s", " or ".join(map(str, wanted)))

    async def quiet(self, seconds: float, optional: Iterable[Message] = ()) -> None:
        """The station sends no CALL for so long but those that are ``optional``, each at most once.

        Raises:
            Deviation: It does.
        """
        may_come = list(optional)
        with trio.move_on_after(seconds):
            while True:
                self._take(await self._next_call(), may_come, "nothing")
        self.read_before(len(self._csms.transcript), may_come)

    def nothing_left(self) -> None:
        """Every CALL until now was expected.

        Raises:
            Deviation: One was not.
        """
        self.read_before(len(self._csms.transcript))

    def read_before(self, end: int, optional: Iterable[Message] = ()) -> None:
        """Read the CALLs before entry ``end`` of the transcript.

        Raises:
            Deviation: One of them is not one of ``optional``.
        """
        may_come = list(optional)
        for entry in self._csms.transcript[self._next : end]:
            if _is_call(entry):
                self._take(entry, may_come, "nothing")
        self._next = max(end, self._next)

    def pass_over(self) -> None:
        """Take every CALL until now for expected."""
        self._next = len(self._csms.transcript)

    def deviation(self, found: str, expected: str) -> Deviation:
        """What to raise."""
        return Deviation(f"{found}; expected is {expected}\n{self}")

    async def _next_call(self) -> Entry:
        entry = await self._csms.wait_for(_is_call, start=self._next)
        self._next = self._csms.transcript.index(entry, self._next) + 1
        problem = problem_of(entry)
        if problem is not None:
            raise self.deviation(problem, "what the specification says")
        return entry

    def check_form(self) -> None:
        """Raise Deviation if anything that the station sent is not as the specification says, answers included."""
        for entry in self._csms.transcript[self.start :]:
            problem = problem_of(entry)
            if problem is not None:
                raise self.deviation(problem, "what the specification says")

    def _take(self, entry: Entry, may_come: list[Message], expected: str) -> None:
        for each in may_come:
            if each.fits(entry):
                may_come.remove(each)
                return
        if entry.action not in self.ignored:
            raise self.deviation(f"{entry.action} {_shown(entry.payload)} came", expected)

    def __str__(self) -> str:
        """The latest frames, for people."""
        lines = [
            f"{e.time:%H:%M:%S.%f} {'>' if e.direction == RECEIVED else '<'} {e.action} {_shown(e.payload)}"
            for e in self._csms.transcript[self.start :][-FRAMES_SHOWN:]
        ]
        return "\n".join(lines)


def _fits(wanted: Any, found: Any) -> bool:
    return found in wanted if isinstance(wanted, set) else bool(found == wanted)


def _is_call(entry: Entry) -> bool:
    return entry.direction == RECEIVED and entry.kind == frames.CALL


def _all_shown(messages: Iterable[Message]) -> str:
    return " and ".join(map(str, messages))


def _shown(value: Any) -> str:
    """A value of a payload, for people."""
    match value:
        case set():
            return " or ".join(sorted(map(_shown, value)))
        case None:
            return "absent"
        case dict():
            return f"{{{', '.join(f'{name}: {_shown(each)}' for name, each in value.items())}}}"
        case _:
            return str(value)
