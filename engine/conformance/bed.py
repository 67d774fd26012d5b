"""The test bed of one conformance case: a charge point, its hardware in somebody's hands, and its Central System."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import trio
from msgspec.structs import replace

from engine.conformance.case import NotApplicable
from engine.conformance.declared import Declared
from engine.conformance.dialogue import Dialogue
from engine.conformance.rig import Rig
from engine.conformance.sequence import Message, message, status
from engine.conformance.stimuli import CutPower
from engine.csms import Csms
from engine.csms_book import RECEIVED, SENT, Entry
from engine.ocpp import frames
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    AvailabilityType,
    ChangeAvailability,
    IdTagInfo,
    Reset,
    ResetType,
    StartTransaction,
    StartTransactionConf,
)

HEARTBEAT_S = 24 * 3600
"""What the Central System should tell in BootNotification.conf: no case lasts so long."""
BOOT_S = 180
"""How long a station may take from a restart to BootNotification."""
BACK_S = 200
"""How long a station may take to dial again when the network is back."""

ANSWER_S = 30
"""How long a CALL of the station may take to be answered."""

OVERRIDDEN = ("Authorize", "BootNotification", "StartTransaction")
"""What the bed and the cases answer otherwise than the Central System usually does."""


class Bed(Dialogue):
    """A station under test, for one case. Every CALL of the station must be expected.

    Args:
        csms: The Central System that the station is connected to, with :data:`HEARTBEAT_S` as its interval.
        rig: Moves the hardware.
        connectors: How many the station has.
        tolerance_s: How far times may be off.
        declared: What is known of the station.
    """

    def __init__(
        self, csms: Csms, rig: Rig, *, connectors: int, tolerance_s: float, declared: Declared
    ) -> None:
        super().__init__(csms, rig, tolerance_s=tolerance_s, declared=declared)
        self.connectors = connectors
        self._tags: dict[str, IdTagInfo] = {}
        csms.override("BootNotification", None)
        csms.override("Authorize", self._authorize)
        csms.override("StartTransaction", self._start)

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
        usual = self.csms.usual_answer(request, next(iter(self.csms.identities), ""))
        assert isinstance(usual, StartTransactionConf)
        return replace(usual, id_tag_info=self._info(request.id_tag))

    # Which connectors there are

    @property
    def every(self) -> range:
        """The numbers of the connectors."""
        return range(1, self.connectors + 1)

    async def socket(self) -> int:
        """A connector whose socket outlet has a lock.

        Raises:
            NotApplicable: None is known.
        """
        for connector in self.declared.sockets:
            return connector
        for connector in self.every:
            if connector not in self.declared.tethered and await self.rig.is_locked(connector) is not None:
                return connector
        raise NotApplicable("no connector is known to have a socket outlet with a lock")

    def tethered(self) -> int:
        """A connector with a fixed cable.

        Raises:
            NotApplicable: None is known.
        """
        for connector in self.declared.tethered:
            return connector
        raise NotApplicable("no connector is known to have a fixed cable")

    # The reusable states of the test cases

    async def restart(self) -> None:
        """Let the station start anew: without power for a moment or, where nobody can do that, by Reset."""
        if self.can(CutPower):
            await self.cut_power()
        else:
            await self.ask(Reset(type=ResetType.HARD), "Accepted")

    async def withdraw(self, connector: int) -> None:
        """Take a connector out of service."""
        request = ChangeAvailability(connector_id=connector, type=AvailabilityType.INOPERATIVE)
        await self.ask(request, "Accepted")
        await self.expect(status("Unavailable", connector))

    async def boot(
        self,
        others: Mapping[int, str | set[str]] | None = None,
        *,
        before: Iterable[Message] = (),
        after: Iterable[Message] = (),
    ) -> list[Entry]:
        """BootNotification, then the status of connector 0 and of each connector in whatever order.

        Args:
            others: Statuses that are not Available, by connector.
            before: CALLs that may come before BootNotification.
            after: CALLs that may come after it.

        Returns:
            BootNotification and the statuses by number.
        """
        (booted,) = await self.expect(message("BootNotification"), optional=before, within_s=BOOT_S)
        found = {0: "Available", **dict.fromkeys(self.every, "Available"), **(others or {})}
        statuses = [status(value, connector) for connector, value in found.items()]
        return [booted, *await self.expect(*statuses, optional=after)]

    async def authorize(self, card: str = "CARD", connector: int = 1) -> None:
        """Authorized: an idTag was shown and accepted, nothing is plugged in."""
        await self.swipe(card, connector)
        await self.expect(message("Authorize", idTag=card))
        await self.expect(status("Preparing", connector))

    async def charge(self, card: str = "CARD", connector: int = 1) -> int:
        """Charging; return the transactionId."""
        await self.plug_in(connector)
        await self.expect(status("Preparing", connector))
        await self.swipe(card, connector)
        await self.expect(message("Authorize", idTag=card))
        return await self.begin(card, connector)

    async def begin(self, card: str = "CARD", connector: int = 1, **members: Any) -> int:
        """StartTransaction and Charging, in either order; return the transactionId."""
        wanted = message("StartTransaction", connectorId=connector, idTag=card, **members)
        started, _ = await self.expect(wanted, status("Charging", connector))
        return await self.transaction_id(started)

    def told(self, wanted: Message) -> Entry | None:
        """The first such CALL of this case, if it came."""
        for entry in self.csms.transcript[self.start :]:
            if (entry.direction, entry.kind) == (RECEIVED, frames.CALL) and wanted.fits(entry):
                return entry
        return None

    def told_stop(self, transaction_id: int) -> Entry | None:
        """The StopTransaction of a transaction, if it came."""
        return self.told(message("StopTransaction", transactionId=transaction_id))

    def not_yet(self, wanted: Message) -> list[Message]:
        """``wanted``, if it has not come in this case: what may come once, sooner or later."""
        return [] if self.told(wanted) else [wanted]

    @property
    def connection_time_out_s(self) -> int:
        """ConnectionTimeOut, as the station has it before the case."""
        key = self.declared.key("ConnectionTimeOut")
        return int(key.value) if key and key.value and key.value.isdecimal() else 60

    async def transaction_id(self, started: Entry) -> int:
        """What a StartTransaction was answered; waits for it."""
        # An id may have been that of another CALL before, on another connection.
        place = self.csms.transcript.index(started, self.start)
        with trio.move_on_after(ANSWER_S):
            answer = await self.csms.wait_for(
                lambda entry: entry.direction == SENT and entry.call_id == started.call_id, start=place
            )
            return int(answer.payload["transactionId"])
        raise self.sequence.deviation(
            "the station left before StartTransaction was answered", "that it stays"
        )


def stamp(entry: Entry) -> datetime:
    """The timestamp in a CALL; of MeterValues that of its first meter value."""
    payload = entry.payload
    if entry.action == "MeterValues":
        payload = payload["meterValue"][0]
    # As it was read when it was found well-formed: that takes more than the standard library does.
    found = msgspec.convert(payload["timestamp"], datetime)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds_between_stamps(one: Entry, other: Entry) -> float:
    """From the timestamp in one CALL to that in another."""
    return (stamp(other) - stamp(one)).total_seconds()
