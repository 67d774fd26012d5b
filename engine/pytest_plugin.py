"""A simulated OCPP 1.6 station for the tests of a Central System, as the pytest fixture ``statecharge_station``.

The fixture is a factory::

    def test_a_known_card_starts_a_transaction(my_csms, statecharge_station):
        station = statecharge_station("ws://127.0.0.1:9000/ocpp", identity="BOX-1", speed=60)
        station.wait_for("BootNotification")
        station.plug_in()
        station.swipe("CARD-1")
        started = station.wait_for("StartTransaction", idTag="CARD-1")
        assert started.answer["idTagInfo"]["status"] == "Accepted"

Each station is a process of its own (``statecharge run``, some 0.7 s until it dials) which ends with the test, so a
test needs no event loop and gets along with any. Every method blocks until it is done. What moves the hardware takes
milliseconds and may be called from asyncio as it is; what waits for the Central System may not, if that lives in the
same event loop: ``await asyncio.to_thread(station.wait_for, "StartTransaction")``.

When a test fails, the frames of its stations are added to its report. It needs the extra ``bench``.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.station_log import Call, Frame
from engine.virtual_station import NothingCame, StationError, VirtualStation

__all__ = ["Call", "Frame", "NothingCame", "StationError", "VirtualStation", "statecharge_station"]

_MADE = pytest.StashKey[list[VirtualStation]]()

Factory = Callable[..., VirtualStation]
"""``statecharge_station(csms_url, station="full", **options)``, with the options of :class:`VirtualStation`."""


@pytest.fixture
def statecharge_station(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Factory]:
    """Make simulated stations that dial a Central System: ``statecharge_station(csms_url, station="full", ...)``.

    The arguments are those of ``engine.virtual_station.VirtualStation``, without the directory. The stations end with
    the test, which fails if one of them ended by itself.
    """
    made: list[VirtualStation] = []
    request.node.stash[_MADE] = made

    def make(csms_url: str, station: str | Path = "full", **options: Any) -> VirtualStation:
        directory = tmp_path_factory.mktemp("statecharge")
        made.append(VirtualStation(csms_url, directory, station=station, **options))
        return made[-1]

    yield make
    errors = []
    for station in made:
        try:
            station.stop()
        except StationError as error:
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the frames of its stations to the report of a test that failed."""
    report = yield
    if report.when == "call" and report.failed:
        for station in item.stash.get(_MADE, []):
            report.sections.append((f"statecharge station {station.identity}", station.shown()))
    return report
