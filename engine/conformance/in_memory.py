"""Scripts on our own station, in virtual time: real engine, real WebSocket code, everything else in memory."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import trio
from msgspec import Struct
from trio.testing import MockClock

from engine.conformance.case import Deviation
from engine.conformance.central_system import INTERVAL_S
from engine.conformance.execute import Execution
from engine.conformance.files import FILES
from engine.conformance.prepared import station_of
from engine.conformance.script import Script
from engine.conformance.transitions import Tally
from engine.conformance.virtual import VirtualRig, VirtualStation
from engine.conformance.world import EPOCH
from engine.csms import Csms
from engine.store import Store


class Played(Struct, frozen=True):
    """What came of a script."""

    script: Script
    deviation: str = ""
    """What the station did other than the script says; empty if nothing."""
    seconds: float = 0.0
    """How long it took, in virtual time."""


class UnsyncedStore(Store):
    """A database that waits for no disk: all that a power cut takes away here is the station."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._database.execute("PRAGMA synchronous = OFF")


def play_all(
    scripts: Iterable[Script], tally: Tally, *, store_type: Callable[[Path], Store] = UnsyncedStore
) -> Iterator[Played]:
    """Run one script after the other, each on a station of its own, and count in ``tally`` what they show.

    Raises:
        ScriptError: There is no station for a script.
        RigError: A stimulus could not be given.
    """
    for script in scripts:
        tally.begin()
        with tempfile.TemporaryDirectory() as directory:
            clock = MockClock(autojump_threshold=0)
            yield trio.run(_play, script, Path(directory), tally, store_type, clock=clock)


async def _play(script: Script, directory: Path, tally: Tally, store_type: Callable[[Path], Store]) -> Played:
    began = trio.current_time()
    csms = Csms(lambda: EPOCH + timedelta(seconds=trio.current_time() - began), interval_s=INTERVAL_S)
    station = VirtualStation(
        station_of(script.header),
        directory,
        csms.serve_stream,
        store_type=store_type,
        watch=lambda step: tally.add([step.taken]),
    )
    station.works.files |= FILES
    deviation = ""
    async with trio.open_nursery() as nursery:

        async def power_on() -> None:
            await nursery.start(station.run)

        try:
            await Execution(script, csms, VirtualRig(station)).run(power_on)
        except Deviation as error:
            deviation = str(error)
        nursery.cancel_scope.cancel()
    return Played(script, deviation, trio.current_time() - began)
