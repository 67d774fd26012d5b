"""The power cut before or after every single write of an update, or of an upload of diagnostics: facts 10.1.

Each cut is a run of its own: the same up to that write, then the power comes back until all is quiet.
"""

import itertools
from contextlib import suppress
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from drivers.simulated import SimulationError
from engine.batch import Batch
from engine.csms import NotConnectedError
from engine.store import Store
from machines.vocabulary.ocpp import GetDiagnostics, UpdateFirmware
from tests.lab import Lab

LOCATION = "ftp://files.example/firmware-2.bin"
INSTALLED = ["Downloading", "Downloaded", "Installing", "Installed"]
FAILED = ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
STARTS_MAX = 6
"""A station that has not come to rest by then never does."""


class PowerCut(BaseException):
    """The power is gone."""


class CutStore(Store):
    """A database whose power is cut at one of its writes. What it does to the disk is tested elsewhere."""

    cut_at = 0
    is_after = False
    writes = 0

    def __init__(self, directory, **options):
        super().__init__(directory, **options)
        self._database.execute("PRAGMA synchronous=OFF")

    def write(self, batch: Batch) -> None:
        type(self).writes += 1
        is_cut = self.writes == self.cut_at
        if is_cut and not self.is_after:
            raise PowerCut
        super().write(batch)
        if is_cut:
            raise PowerCut


async def power(lab, work):
    """Power until the cut, a restart of the station itself, or the end of ``work``; the states of machines then."""
    states = {}
    try:
        async with lab.powered() as running, trio.open_nursery() as nursery:

            async def watch():
                await running.wait_ended()
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            await work()
            states = lab.states()
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        _, rest = group.split(PowerCut)
        assert rest is None
    return states


async def rest():
    """Long enough for everything that is still to come."""
    await trio.sleep(120)


async def cut_run(directory, ask, cut_at, is_after, **works):
    """Ask for a transfer while somebody charges, up to the cut; then start again until nothing is left to be done."""
    CutStore.cut_at, CutStore.is_after, CutStore.writes = 0, is_after, 0
    lab = Lab(directory, "full")
    lab.store_type = CutStore
    lab.works.files[LOCATION] = b"new firmware"
    for name, value in works.items():
        setattr(lab.works, name, value)
    is_accepted = False

    async def day():
        nonlocal is_accepted
        await lab.charge()
        CutStore.cut_at, CutStore.writes = cut_at, 0
        try:
            await ask(lab)
        except NotConnectedError:
            return  # The power went before the answer.
        is_accepted = True
        await trio.sleep(15)
        lab.swipe()
        lab.connector(1).unplug("both")
        await rest()

    await power(lab, day)
    writes, CutStore.cut_at = CutStore.writes, 0
    with suppress(SimulationError):  # It is out already, or goes as soon as the lock lets it.
        lab.connector(1).unplug("both")
    for _ in range(STARTS_MAX):
        boots = len(lab.calls("BootNotification"))
        states = await power(lab, rest)
        assert len(lab.calls("BootNotification")) == boots + 1
        if states.get("firmware_update") == states.get("diagnostics_upload") == "idle":
            return lab, writes, is_accepted
    raise AssertionError("it never comes to rest")


def every_cut(tmp_path, ask, check, **works):
    """Cut at each write in turn, until the run is over before the cut."""

    async def run(number, is_after):
        lab, writes, is_accepted = await cut_run(
            tmp_path / f"{number}{is_after}", ask, number, is_after, **works
        )
        check(lab, is_accepted, f"cut {'after' if is_after else 'before'} write {number}")
        return writes

    for number in itertools.count(1):
        for is_after in (False, True):
            writes = trio.run(run, number, is_after, clock=MockClock(autojump_threshold=0))
        if writes < number:
            return number
    raise AssertionError


def once(told):
    """``told``, but one that came twice in a row: its answer was lost with the power (decision FU7)."""
    repeats = [one for one, after in itertools.pairwise(told) if one == after]
    assert len(repeats) <= 1, told
    return [name for name, _ in itertools.groupby(told)]


async def update(lab):
    when = lab.now() - timedelta(seconds=1)
    await lab.csms.call(UpdateFirmware(location=LOCATION, retrieve_date=when, retries=1, retry_interval=10))


async def upload(lab):
    await lab.csms.call(GetDiagnostics(location="ftp://files.example/in", retries=1, retry_interval=10))


def ends_in(action, expected):
    """What must hold once all is over: told once and in order, connectors back, the session billed, no file left."""

    def check(lab, is_accepted, where):
        told = once([payload["status"] for payload in lab.calls(action)])
        assert told == expected or not (told or is_accepted), where
        assert lab.statuses(1)[-1] == lab.statuses(2)[-1] == "Available", where
        stops = {(stop["transactionId"], stop["meterStop"]) for stop in lab.calls("StopTransaction")}
        assert len(stops) == len(lab.csms.ledger) == 1, where
        assert not [*(lab.directory / "transfers").glob("*")], where

    return check


@pytest.mark.parametrize(
    ("works", "expected"),
    [
        pytest.param({}, INSTALLED, id="installed"),
        pytest.param({"runs_old": True}, FAILED, id="the old one runs after it"),
        pytest.param({"restarts_itself": True}, INSTALLED, id="the installer restarts the box"),
        pytest.param({"is_reachable": False}, ["Downloading", "DownloadFailed"], id="not there"),
    ],
)
def test_an_update_ends_whenever_the_power_goes(tmp_path, works, expected):
    """Each status told once, connectors back in service."""
    cuts = every_cut(tmp_path, update, ends_in("FirmwareStatusNotification", expected), **works)
    assert cuts > len(expected)


@pytest.mark.parametrize("last", ["Uploaded", "UploadFailed"])
def test_an_upload_ends_whenever_the_power_goes(tmp_path, last):
    works = {"takes_uploads": last == "Uploaded"}
    cuts = every_cut(tmp_path, upload, ends_in("DiagnosticsStatusNotification", ["Uploading", last]), **works)
    assert cuts > 2
