"""A station in virtual time, connected and at rest, with the rig and the Central System of the conformance cases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio
from msgspec import Struct

from engine.conformance.bed import HEARTBEAT_S, Bed
from engine.conformance.declared import Declared, read_declared
from engine.conformance.rig import Rig
from engine.conformance.virtual import VirtualRig, VirtualStation
from engine.csms import Csms
from engine.station_file import load
from tests.conformance.schemas import problems

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD = "00112233445566778899AABBCCDDEEFF00112233"
TOLERANCE_S = 0.001
FILES = "ftp://files.example/folder"


class Laboratory(Struct, frozen=True):
    """Everything around one station."""

    csms: Csms
    station: VirtualStation
    rig: Rig
    declared: Declared

    def bed(self, rig: Rig | None = None) -> Bed:
        """A fresh bed for a case."""
        return Bed(
            self.csms,
            rig or self.rig,
            connectors=self.declared.connectors,
            tolerance_s=TOLERANCE_S,
            declared=self.declared,
        )


@asynccontextmanager
async def laboratory(directory: Path, declares: str = "") -> AsyncIterator[Laboratory]:
    """The station ``full``, booted.

    Args:
        directory: For its file and its database.
        declares: What it declares otherwise.

    Raises:
        AssertionError: At the end: a payload does not fit the JSON schema of its message.
    """
    password = directory / "password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD)
    file = directory / "station.toml"
    file.write_text(f'extends = "full"\n{declares}')
    began = trio.current_time()
    csms = Csms(lambda: EPOCH + timedelta(seconds=trio.current_time() - began), interval_s=HEARTBEAT_S)
    station = VirtualStation(load(file), directory, csms.serve_stream)
    station.works.files |= {f"{FILES}/firmware.bin": b"firmware", f"{FILES}/broken.bin": b"BROKEN"}
    connectors = station.station.settings.connectors
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(station.run)
            for number in (0, *(each.number for each in connectors)):
                await csms.wait_for_request("StatusNotification", connectorId=number)
            await trio.sleep(1)
            declared = await read_declared(
                csms,
                sockets=tuple(each.number for each in connectors if each.has_lock),
                tethered=tuple(each.number for each in connectors if each.cable == "tethered"),
                files=FILES,
            )
            yield Laboratory(csms, station, VirtualRig(station), declared)
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _only(group) from None
    found = [problem for entry in csms.transcript for problem in problems(entry)]
    assert not found, found


def _only(error: BaseException) -> BaseException:
    """What a group of one is about: a case that fails says why, without its nurseries."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
