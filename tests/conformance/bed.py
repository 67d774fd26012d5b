"""The test bed of the conformance cases: a station of two connectors, and a Central System that is told what to say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import trio
from msgspec.structs import replace

from engine.csms import RECEIVED, Csms, Entry
from engine.ocpp import frames
from engine.run import RunningStation
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    ChangeAvailability,
    ChangeConfiguration,
    Conf,
    GetConfiguration,
    IdTagInfo,
    Request,
    StartTransaction,
    StartTransactionConf,
)
from machines.vocabulary.wire import CallError
from tests.conformance.schemas import problems
from tests.conformance.sequence import Message, Sequence, message, status
from tests.lab import Lab

HEARTBEAT_S = 24 * 3600
"""No case lasts so long, so none that is not about heartbeats meets one."""
RESTART_S = 10
"""How long a station that ended itself takes to start again."""
SETTLING_S = 5
"""How long after the end of a case nothing unexpected may come either."""


class Bed(Lab):
    """A station under test.

    It is the one declared as ``full``, without periodic meter values unless a case asks for them: connector 1 is a
    socket outlet with a lock, connector 2 has a fixed cable. Every CALL of the station must be expected.
    """

    def __init__(self, directory: Path, station: str = "full") -> None:
        super().__init__(directory, station)
        self.upgrades: list[tuple[str, bytes | None]] = []
        """Identity and Authorization header of every connection that was asked for."""
        self.csms = Csms(self.now, interval_s=HEARTBEAT_S, admit=self._admit)
        self.sequence = Sequence(self.csms)
        self.expect = self.sequence.expect
        self.quiet = self.sequence.quiet
        self._tags: dict[str, IdTagInfo] = {}
        self.csms.override("Authorize", self._authorize)
        self.csms.override("StartTransaction", self._start)
        self.declare(meter_value_sample_interval=0, clock_aligned_data_interval=0)

    def _admit(self, identity: str, authorization: bytes | None) -> bool:
        self.upgrades.append((identity, authorization))
        return True

    # What the Central System thinks of idTags

    def know(
        self,
        id_tag: str,
        answer: AuthorizationStatus = AuthorizationStatus.ACCEPTED,
        parent: str | None = None,
    ) -> None:
        """Let the Central System answer so for ``id_tag``; without, it accepts any."""
        self._tags[id_tag] = IdTagInfo(status=answer, parent_id_tag=parent)

    def _info(self, id_tag: str) -> IdTagInfo:
        return self._tags.get(id_tag, IdTagInfo(status=AuthorizationStatus.ACCEPTED))

    def _authorize(self, request: Authorize) -> AuthorizeConf:
        return AuthorizeConf(id_tag_info=self._info(request.id_tag))

    def _start(self, request: StartTransaction) -> StartTransactionConf:
        usual = self.csms.usual_answer(request)
        assert isinstance(usual, StartTransactionConf)
        return replace(usual, id_tag_info=self._info(request.id_tag))

    # Power

    @asynccontextmanager
    async def powered(self, *, until_accepted: bool = True) -> AsyncIterator[RunningStation]:
        """Power for the station, and somebody who starts it again when it ends itself.

        Args:
            until_accepted: Go on when it booted as a free station does.

        Raises:
            AssertionError: At the end: something came that was not expected, or does not fit its schema.
        """
        try:
            async with trio.open_nursery() as nursery:
                running: RunningStation = await nursery.start(self._run)
                if until_accepted:
                    await self.boot()
                yield running
                await self.quiet(SETTLING_S)
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise _only(group) from None
        found = [problem for entry in self.csms.transcript for problem in problems(entry)]
        assert not found, found

    async def _run(self, task_status: trio.TaskStatus[RunningStation]) -> None:
        told = False
        while True:
            async with Lab.powered(self, until_accepted=False) as running:
                running.set_link(up=self.is_linked)
                if not told:
                    task_status.started(running)
                    told = True
                await running.wait_ended()
                await trio.sleep(RESTART_S)

    async def boot(self, *also: Message, **others: str | set[str]) -> list[Entry]:
        """BootNotification, then the status of connector 0 and of each connector in whatever order.

        Args:
            also: CALLs that come meanwhile.
            others: Statuses that are not Available: ``connector_1="Unavailable"``.

        Returns:
            What was read: BootNotification, the statuses by number, and ``also``.
        """
        (booted,) = await self.expect(message("BootNotification"), within_s=90)
        count = len(self.station.settings.connectors)
        statuses = [status(others.get(f"connector_{n}", "Available"), n) for n in range(count + 1)]
        return [booted, *await self.expect(*statuses, *also)]

    # The two sides

    def swipe(self, card: str = "CARD", connectors: tuple[int, ...] | None = (1,)) -> None:
        """Show a card for a connector, though one reader serves both."""
        super().swipe(card, connectors)

    async def request(self, request: Request, *, is_first: bool = True) -> Conf | CallError:
        """Send a CALL to the station; return its answer.

        Args:
            request: The CALL.
            is_first: What it brings about is told after the answer. If not, the CALLs that came before are still
                to be read.
        """
        self.sequence.nothing_left()
        answer = await self.csms.call(request)
        if is_first:
            self.sequence.read_before(self._latest_answer())
        return answer

    def _latest_answer(self) -> int:
        transcript = self.csms.transcript
        return max(
            place
            for place, entry in enumerate(transcript)
            if entry.direction == RECEIVED and entry.kind != frames.CALL
        )

    async def status_of(self, request: Request, *, is_first: bool = True) -> str:
        """Send a CALL to the station; return the status in its answer, or the code of its CALLERROR."""
        answer: Any = await self.request(request, is_first=is_first)
        return str(answer.code if isinstance(answer, CallError) else answer.status)

    async def configure(self, **keys: str) -> None:
        """Set configuration keys over OCPP."""
        for key, value in keys.items():
            assert await self.status_of(ChangeConfiguration(key=key, value=value)) == "Accepted", key

    async def value_of(self, key: str) -> str | None:
        """Read a configuration key over OCPP."""
        answer: Any = await self.request(GetConfiguration(key=(key,)))
        assert not answer.unknown_key, key
        ((found),) = answer.configuration_key
        return found.value  # type: ignore[no-any-return]

    async def withdraw(self, connector: int) -> None:
        """Take a connector out of service."""
        request = ChangeAvailability(connector_id=connector, type="Inoperative")  # type: ignore[arg-type]
        assert await self.status_of(request) == "Accepted"
        await self.expect(status("Unavailable", connector))

    # The reusable states of the test cases

    async def authorize(self, card: str = "CARD", connector: int = 1) -> None:
        """Authorized: an idTag was shown and accepted, nothing is plugged in."""
        self.swipe(card, (connector,))
        await self.expect(message("Authorize", idTag=card))
        await self.expect(status("Preparing", connector))

    async def charge(self, card: str = "CARD", connector: int = 1) -> int:
        """Charging; return the transactionId."""
        self.connector(connector).plug_in()
        await self.expect(status("Preparing", connector))
        self.swipe(card, (connector,))
        await self.expect(message("Authorize", idTag=card))
        return await self.begin(card, connector)

    async def begin(self, card: str = "CARD", connector: int = 1, **members: Any) -> int:
        """StartTransaction and Charging, in either order; return the transactionId."""
        started = message("StartTransaction", connectorId=connector, idTag=card, **members)
        await self.expect(started, status("Charging", connector))
        await trio.sleep(1)
        return max(self.csms.ledger)


def seconds_between(one: Entry, other: Entry) -> float:
    """From the arrival of one CALL to that of another, to the millisecond."""
    return round((other.time - one.time).total_seconds(), 3)


def stamp(entry: Entry) -> datetime:
    """The timestamp in a CALL; of MeterValues that of its only meter value."""
    payload = entry.payload
    if entry.action == "MeterValues":
        (payload,) = payload["meterValue"]
    return datetime.fromisoformat(payload["timestamp"])


def _only(error: BaseException) -> BaseException:
    """What a group of one is about: a case that fails says why, without its nurseries."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
