"""Several virtual stations in one process, from one declaration: for those who test Central Systems with many.

The identity of each is that of the declaration with a number behind it; each has a state directory of its own, and
with a bench a port of its own.
"""

import resource
from pathlib import Path
from urllib.parse import quote

from msgspec.structs import replace

from engine.declaration.schema import IDENTITY_SIZE_MAX
from engine.declaration.station import Station
from engine.process import Placed

STATIONS_MAX = 1000
FILES_EACH = 16
"""File descriptors of a station at most: two databases with their logs, the connection, the bench and who uses it."""
FILES_BESIDES = 64
"""Those of the process, and room."""
PORT_MAX = 65_535


class FleetError(Exception):
    """There cannot be so many of these stations. One line, for the user."""


def fleet(
    station: Station, count: int, state: Path | None, bench: tuple[str, int] | None
) -> tuple[Placed, ...]:
    """``count`` stations as ``station`` declares it, numbered from 1, with as many digits as the last one has.

    Args:
        station: As declared, simulated hardware only.
        count: 1 to STATIONS_MAX.
        state: The directory for their state directories. Default: ``state``.
        bench: Where the bench of the first one is served; the others have the ports after it. Port 0: any.

    Raises:
        FleetError: Hardware is real, a number does not fit into the identity or the ports, or the process may not
            open so many files.
    """
    if not 1 <= count <= STATIONS_MAX:
        raise FleetError(f"{count} stations: must be 1 to {STATIONS_MAX}")
    if station.real_hardware:
        raise FleetError(f"{count} stations: {station.real_hardware}, and there is one of it")
    digits = len(str(count))
    identity = station.csms.identity
    if len(identity) + 1 + digits > IDENTITY_SIZE_MAX:
        raise FleetError(
            f"identity {identity!r}: with a number of {digits} digits it has more than {IDENTITY_SIZE_MAX} characters"
        )
    host, port = bench or ("", 0)
    if port + count - 1 > PORT_MAX:
        raise FleetError(f"{count} stations: there are no {count} ports from {port} on")
    _allow_files(count * FILES_EACH + FILES_BESIDES, count)
    placed = []
    for number in range(1, count + 1):
        name = f"{identity}-{number:0{digits}d}"
        one = replace(
            station,
            csms=replace(station.csms, identity=name),
            # One of them must not end the others.
            process=replace(station.process, reset="in place"),
        )
        bench_here = None if bench is None else (host, port + number - 1 if port else 0)
        placed.append(Placed(one, (state or Path("state")) / quote(name, safe=" "), bench_here))
    return tuple(placed)


def _allow_files(needed: int, count: int) -> None:
    """Let the process have ``needed`` files open.

    Raises:
        FleetError: The system forbids it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise FleetError(f"{count} stations: need {needed} open files, and the limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
