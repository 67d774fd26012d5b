"""A station in virtual time, connected and at rest, with the rig and the Central System that cases are played with."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import trio
from msgspec import Struct

from engine.conformance.bed import HEARTBEAT_S, Bed
from engine.conformance.cards import NO_CARDS, CardRig, Cards
from engine.conformance.declared import Declared, read_declared
from engine.conformance.rig import Rig
from engine.conformance.virtual import VirtualRig, VirtualStation
from engine.conformance.world import EPOCH
from engine.csms import Csms
from engine.declaration.station import Station
from engine.id_tags import IdTagNames
from engine.store import Store
from machines.charge_point import Step

TOLERANCE_S = 0.001
FILES = "ftp://files.example/folder"


class Laboratory(Struct, frozen=True):
    """Everything around one station."""

    csms: Csms
    station: VirtualStation
    rig: Rig
    declared: Declared
    now: Callable[[], datetime]
    """The time of day."""

    def bed(self, rig: Rig | None = None) -> Bed:
        """A fresh bed for a case."""
        return Bed(
            self.csms,
            CardRig(rig or self.rig, self.declared.cards),
            connectors=self.declared.connectors,
            tolerance_s=TOLERANCE_S,
            declared=self.declared,
        )


@asynccontextmanager
async def laboratory(
    station: Station,
    directory: Path,
    *,
    cards: Cards = NO_CARDS,
    store_type: Callable[[Path], Store] = Store,
    watch: Callable[[datetime, Step], None] = lambda _time, _step: None,
) -> AsyncIterator[Laboratory]:
    """``station``, whose hardware is simulated, booted and accepted.

    Args:
        station: As declared.
        directory: For its database.
        cards: The idTags of cards by the names that cases have for them. Default: the names themselves.
        store_type: Of its database.
        watch: Told of every step, and when it was.
    """
    began = trio.current_time()

    def now() -> datetime:
        return EPOCH + timedelta(seconds=trio.current_time() - began)

    csms = Csms(now, interval_s=HEARTBEAT_S, names=IdTagNames(cards))
    virtual = VirtualStation(
        station,
        directory,
        csms.serve_stream,
        store_type=store_type,
        watch=lambda step: watch(now(), step),
    )
    virtual.works.files |= {f"{FILES}/firmware.bin": b"firmware", f"{FILES}/broken.bin": b"BROKEN"}
    connectors = station.settings.connectors
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(virtual.run)
            for number in (0, *(each.number for each in connectors)):
                await csms.wait_for_request("StatusNotification", connectorId=number)
            await trio.sleep(1)
            declared = await read_declared(
                csms,
                sockets=tuple(each.number for each in connectors if each.has_lock),
                tethered=tuple(each.number for each in connectors if each.cable == "tethered"),
                files=FILES,
                cards=cards,
            )
            yield Laboratory(csms, virtual, VirtualRig(virtual), declared, now)
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _only(group) from None


def _only(error: BaseException) -> BaseException:
    """What a group of one is about: a case that fails says why, without its nurseries."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
