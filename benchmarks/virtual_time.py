"""Figure 8: hours of charging in virtual time, as tests play them. Prints ``{"hours": H, "cpu_s": C, "wall_s": W}``."""

import json
import sys
import tempfile
import time
from pathlib import Path

import trio
from trio.testing import MockClock

from tests.lab import Lab


async def charge(directory: Path, hours: float) -> dict[str, float]:
    """One session of so many hours with a sample a minute, the whole station over the real websocket code."""
    lab = Lab(directory)
    async with lab.powered():
        await lab.charge()
        cpu, wall = time.process_time(), time.perf_counter()
        await trio.sleep(hours * 3600)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert len(lab.calls("MeterValues")) >= hours * 60 - 1
    return {"hours": hours, "cpu_s": cpu, "wall_s": wall}


def main() -> None:
    """Play."""
    with tempfile.TemporaryDirectory() as directory:
        played = trio.run(charge, Path(directory), float(sys.argv[1]), clock=MockClock(autojump_threshold=0))
    print(json.dumps(played))


if __name__ == "__main__":
    main()
