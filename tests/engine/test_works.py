"""The real side of long work: what is declared, and what a disk or an installer may do to it."""

import stat
import sys

import pytest
import trio
import trio.testing

from engine.installers import InstallError
from engine.installers.command import CommandInstaller
from engine.installers.rauc import RaucInstaller
from engine.installers.simulated import SimulatedInstaller
from engine.jobs import Jobs
from engine.log import EventLog
from engine.station_file import StationFileError, load
from engine.transfers.address import parse
from engine.transfers.limits import TransferError
from engine.works import RealWorks, clear, installer_of
from machines.vocabulary.transfers import (
    ConfirmFirmware,
    DeliverDiagnostics,
    DeliveryFailed,
    FetchFailed,
    FetchFirmware,
    FirmwareConfirmed,
    FirmwareFetched,
    FirmwareVerified,
    GiveUpTransfer,
    InstallFailed,
    InstallFirmware,
    VerifyFirmware,
)
from tests.peers.file_servers import http_files


def declared(tmp_path, text=""):
    file = tmp_path / "station.toml"
    file.write_text(f'extends = "full"\n{text}')
    return load(file)


def works(tmp_path, text="", protocols=("HTTP", "FTP")):
    station = declared(tmp_path, text)

    async def collect(_wanted, file):
        file.write_bytes(b"diagnostics")

    return RealWorks(station.transfers, station.firmware, protocols, tmp_path, collect)


class Desk:
    """Somebody who asks for work, and hears how it ends."""

    def __init__(self, carried_out, directory):
        self._send, self.heard = trio.open_memory_channel(10)
        self.jobs = Jobs(carried_out, directory / "transfers", self._send.send, EventLog("X", frames=False))

    async def ask(self, effect):
        self.jobs.ask("somebody", effect)
        with trio.fail_after(20):
            return await self.heard.receive()


@pytest.fixture
async def desk(tmp_path, nursery):
    desk = Desk(works(tmp_path), tmp_path)
    nursery.start_soon(desk.jobs.run)
    return desk


async def test_firmware_is_fetched_checked_installed_and_thrown_away(desk, tmp_path):
    async with http_files() as server:
        server.files["/fw"] = b"firmware"
        assert await desk.ask(FetchFirmware(1, f"{server.base}/fw")) == FirmwareFetched(1)
        file = tmp_path / "transfers" / "firmware-1"
        assert file.read_bytes() == b"firmware"
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700, "nobody else gets in"
        assert await desk.ask(VerifyFirmware(1, f"{server.base}/fw")) == FirmwareVerified(1)
        assert await desk.ask(ConfirmFirmware(1)) == FirmwareConfirmed(1)
    assert not [*file.parent.iterdir()]


async def test_a_file_that_is_complete_is_not_fetched_again(desk):
    async with http_files() as server:
        server.files["/fw"] = b"firmware"
        for _ in range(2):
            assert await desk.ask(FetchFirmware(1, f"{server.base}/fw")) == FirmwareFetched(1)
        assert len(server.requests) == 1


async def test_what_an_earlier_update_left_is_removed(desk, tmp_path):
    (tmp_path / "transfers").mkdir()
    for name in ("firmware-1", "firmware-1.part", "firmware-2.part", "firmware-20"):
        (tmp_path / "transfers" / name).touch()
    assert isinstance(await desk.ask(FetchFirmware(2, "http://127.0.0.1:9/fw")), FetchFailed)
    assert sorted(file.name for file in (tmp_path / "transfers").iterdir()) == ["firmware-2.part"]


@pytest.mark.parametrize("location", ["https://127.0.0.1/fw", "nothing", "sftp://127.0.0.1/fw"])
async def test_a_protocol_that_is_not_declared_is_final(desk, location):
    ended = await desk.ask(FetchFirmware(1, location))
    assert ended.is_final
    assert "must be one of http, ftp" in ended.why


async def test_a_server_that_is_not_there_is_not_final(desk):
    assert not (await desk.ask(FetchFirmware(1, "http://127.0.0.1:9/fw"))).is_final


@pytest.mark.parametrize("scheme", ["http", "ftp"])
@pytest.mark.parametrize(
    "host", ["ho st", "a" * 70, "a..b", "[::1", "xn--\u20ac", "1.2.3.4.5", "*", "h:99999"]
)
async def test_a_host_that_is_none_is_an_ending(desk, scheme, host):
    ended = await desk.ask(FetchFirmware(1, f"{scheme}://{host}/fw"))
    assert isinstance(ended, FetchFailed)


async def test_a_redirect_to_nowhere_is_an_ending(desk):
    async with http_files() as server:
        server.redirects["/fw"] = "http://[/"
        assert isinstance(await desk.ask(FetchFirmware(1, f"{server.base}/fw")), FetchFailed)


async def test_firmware_that_is_not_there_cannot_be_installed(desk):
    assert await desk.ask(InstallFirmware(7)) == InstallFailed(7, "firmware-7: No such file or directory")


async def test_a_folder_that_cannot_be_made_is_an_ending(desk, tmp_path):
    (tmp_path / "transfers").touch()
    ended = await desk.ask(FetchFirmware(1, "http://127.0.0.1:9/fw"))
    assert ended == FetchFailed(1, "File exists")
    ended = await desk.ask(DeliverDiagnostics(1, "ftp://127.0.0.1:9/", "diagnostics-1.zip", None, None))
    assert ended == DeliveryFailed(1, "File exists")


async def test_what_was_given_up_is_not_told_any_more(desk):
    async with http_files() as server:
        server.files |= {"/fw": b"firmware" * 100, "/other": b"other"}
        server.stall_after = 10
        desk.jobs.ask("somebody", FetchFirmware(1, f"{server.base}/fw"))
        await trio.testing.wait_all_tasks_blocked(0.05)
        desk.jobs.ask("somebody", GiveUpTransfer())
        server.stall_after = None
        assert await desk.ask(FetchFirmware(2, f"{server.base}/other")) == FirmwareFetched(2)


async def test_nothing_stays_of_what_was_given_up(desk, tmp_path):
    async with http_files() as server:
        server.files["/fw"], server.break_after = b"firmware" * 1000, 100
        assert isinstance(await desk.ask(FetchFirmware(1, f"{server.base}/fw")), FetchFailed)
        assert [*(tmp_path / "transfers").iterdir()], "for the next attempt"
        desk.jobs.ask("somebody", GiveUpTransfer())
        await trio.testing.wait_all_tasks_blocked(0.05)
    assert not [*(tmp_path / "transfers").iterdir()]


async def test_diagnostics_are_put_into_the_folder_and_not_kept(desk, tmp_path):
    async with http_files() as server:
        await desk.ask(DeliverDiagnostics(1, f"{server.base}/in", "diagnostics-1.zip", None, None))
        assert server.files["/in/diagnostics-1.zip"] == b"diagnostics"
    assert not [*(tmp_path / "transfers").iterdir()]


async def test_a_checksum_that_is_declared_and_missing_is_a_failure(tmp_path):
    checked = works(tmp_path, 'firmware.checksum_suffix = ".sha256"')
    (tmp_path / "fw").write_bytes(b"firmware")
    async with http_files() as server:
        with pytest.raises(TransferError, match="404"):
            await checked.verify(parse(f"{server.base}/fw"), tmp_path / "fw")


def test_what_stays_is_the_file_and_its_parts(tmp_path):
    for name in ("a-1", "a-1.part", "a-10", "b-1"):
        (tmp_path / name).touch()
    clear(tmp_path, "a-", "a-1")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a-1", "a-1.part", "b-1"]


def test_protocols_that_this_system_cannot_do_are_told(tmp_path):
    assert works(tmp_path, protocols=("HTTP", "GOPHER")).missing == ("GOPHER",)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", SimulatedInstaller),
        ('firmware.installer = "rauc"', RaucInstaller),
        ('firmware.installer = "command"\nfirmware.command = ["/bin/true", "{file}"]', CommandInstaller),
    ],
)
def test_the_installer_is_the_declared_one(tmp_path, text, kind):
    assert isinstance(installer_of(declared(tmp_path, text).firmware, tmp_path), kind)


async def test_rauc_without_its_extra_fails_to_install_and_the_station_goes_on(tmp_path, monkeypatch):
    """It ended the process, and after the restart, which asks what runs, once more: there was no way out of it."""
    monkeypatch.setitem(sys.modules, "jeepney", None)
    installer = RaucInstaller(tmp_path / "note")

    with pytest.raises(InstallError, match=r"statecharge\[rauc\]"):
        await installer.install(tmp_path / "bundle", lambda percent: None)
    with pytest.raises(InstallError, match=r"statecharge\[rauc\]"):
        await installer.confirm(is_cut=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('firmware.installer = "command"', "firmware.command beside it"),
        ('firmware.command = ["x"]', 'nothing but with installer = "command"'),
        ('firmware.installer = "rauc"\nfirmware.environment = { A = "SECRET" }', "nothing but with"),
        ('transfers.ca_file = "missing.pem"', "a file that exists"),
        ('process.reset = "maybe"', "one of in place, exit"),
        ('firmware.installer = "swupdate"', "one of simulated, command, rauc"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, text, told):
    with pytest.raises(StationFileError) as caught:
        declared(tmp_path, text)
    (problem,) = caught.value.problems
    assert told in str(problem)
    assert "SECRET" not in str(problem)
