"""Downloads and uploads over SFTP, by each program that the system has for it, from a real server."""

import shutil
import subprocess

import pytest
import trio

from engine import transfers
from engine.transfers import NoRoomError, TransferError, TransferLimits, deliver, fetch, parse
from tests.peers.file_servers import PASSWORD, USER, sftp_files

CONTENT = bytes(range(256)) * 4000

needs_sftp = pytest.mark.skipif(
    shutil.which("sftp") is None, reason="Debian package openssh-client is missing"
)
needs_curl = pytest.mark.skipif(not transfers.sftp._curl(), reason="there is no curl that speaks SFTP")


@pytest.fixture(
    params=[pytest.param("sftp", marks=needs_sftp), pytest.param("curl", marks=needs_curl)], autouse=True
)
def program(request, tmp_path, monkeypatch):
    """The only one of the two that this system has, and nobody's settings at home."""
    found = shutil.which(request.param)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / request.param).symlink_to(found)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return request.param


@pytest.fixture
def folder(tmp_path):
    """What the server serves."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "fw 1 [new].bin").write_bytes(CONTENT)
    return folder


def at(server, path="fw 1 [new].bin", password=PASSWORD):
    return parse(f"sftp://{USER}:{password}@127.0.0.1:{server.port}/{path}")


def knowing(server, tmp_path, **limits):
    known = server.known_as(tmp_path / "known_hosts")
    return TransferLimits(known_hosts_file=known, connect_timeout_s=5, **{"stall_timeout_s": 5, **limits})


async def test_a_file_is_fetched(folder, tmp_path):
    seen = []
    with sftp_files(folder) as server:
        size = await fetch(
            at(server), tmp_path / "fw", knowing(server, tmp_path), lambda *told: seen.append(told)
        )
    assert (tmp_path / "fw").read_bytes() == CONTENT
    assert size == seen[-1][0] == len(CONTENT)
    assert sorted(file.name for file in tmp_path.glob("fw*")) == ["fw"]


async def test_a_file_is_delivered(folder, tmp_path):
    (tmp_path / "log.zip").write_bytes(CONTENT)
    with sftp_files(folder) as server:
        await deliver(at(server, "log.zip"), tmp_path / "log.zip", knowing(server, tmp_path))
    assert (folder / "log.zip").read_bytes() == CONTENT


async def test_a_server_that_nobody_declared_is_refused(folder, tmp_path):
    """Not at home, and not in the file."""
    (tmp_path / "empty").touch()
    with sftp_files(folder) as server:
        for known in (None, tmp_path / "empty"):
            with pytest.raises(TransferError, match=r"(?i)host key|remote key"):
                await fetch(at(server), tmp_path / "fw", TransferLimits(known_hosts_file=known))
    assert not [*tmp_path.glob("fw*")]


async def test_a_server_with_another_key_is_refused(folder, tmp_path):
    with sftp_files(folder) as other, sftp_files(folder) as server:
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{server.port} {other.public_key}\n")
        with pytest.raises(TransferError, match=r"(?i)host|remote key"):
            await fetch(at(server), tmp_path / "fw", TransferLimits(known_hosts_file=known))
    assert not [*tmp_path.glob("fw*")]


async def test_a_wrong_password_is_told_without_it(folder, tmp_path):
    with sftp_files(folder) as server, pytest.raises(TransferError) as caught:
        await fetch(at(server, password="wrong-one"), tmp_path / "fw", knowing(server, tmp_path))
    assert "wrong-one" not in str(caught.value)
    assert USER not in str(caught.value)


async def test_a_missing_file_is_told(folder, tmp_path):
    with sftp_files(folder) as server, pytest.raises(TransferError, match=r"nothing"):
        await fetch(at(server, "nothing"), tmp_path / "fw", knowing(server, tmp_path))


async def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(TransferError, match=r"(?i)connect"):
        await fetch(parse("sftp://127.0.0.1:9/fw"), tmp_path / "fw", TransferLimits(connect_timeout_s=2))


async def test_a_server_that_sends_nothing_more_is_left_and_the_rest_is_fetched_later(
    folder, tmp_path, program
):
    limits = {"stall_timeout_s": 1}
    with sftp_files(folder, stall_after=600_000) as server, pytest.raises(TransferError):
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path, **limits))
    have = (tmp_path / "fw.part").stat().st_size
    assert 0 < have < len(CONTENT)
    seen = []
    with sftp_files(folder) as server:
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path), lambda done, _: seen.append(done))
    assert (tmp_path / "fw").read_bytes() == CONTENT
    if program == "sftp":
        assert seen[0] >= have


async def test_a_file_that_changed_meanwhile_is_fetched_from_its_begin(folder, tmp_path):
    with sftp_files(folder, stall_after=600_000) as server, pytest.raises(TransferError):
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path, stall_timeout_s=1))
    (folder / "fw 1 [new].bin").write_bytes(CONTENT[::-1] + b"more")
    with sftp_files(folder) as server:
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path))
    assert (tmp_path / "fw").read_bytes() == CONTENT[::-1] + b"more"


async def test_a_file_that_is_too_large_is_refused(folder, tmp_path):
    with sftp_files(folder) as server, pytest.raises(TransferError, match=r"(?i)larger|exceeded"):
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path, size_max=1000))
    assert not (tmp_path / "fw").exists()


async def test_a_disk_without_room_is_told_and_nothing_stays(folder, tmp_path):
    with sftp_files(folder) as server, pytest.raises(NoRoomError, match="no room"):
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path, disk_free_min=2**60))
    assert not [*tmp_path.glob("fw*")]


async def test_the_whole_has_a_limit_of_time_and_its_program_ends(folder, tmp_path):
    with sftp_files(folder, stall_after=1) as server, pytest.raises(TransferError, match=r"not done in 1 s"):
        await fetch(
            at(server), tmp_path / "fw", knowing(server, tmp_path, duration_max_s=1, stall_timeout_s=60)
        )


@needs_sftp
async def test_a_declared_key_lets_the_station_in(folder, tmp_path, program):
    keygen = shutil.which("ssh-keygen", path="/usr/bin:/usr/local/bin")
    if program != "sftp" or keygen is None:
        pytest.skip("a key is made and used by OpenSSH")
    key = tmp_path / "key"
    await trio.run_process(
        [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], stdin=b"", stdout=subprocess.DEVNULL
    )
    with sftp_files(folder, tmp_path / "key.pub") as server:
        address = parse(f"sftp://{USER}@127.0.0.1:{server.port}/fw 1 [new].bin")
        with pytest.raises(TransferError, match=r"(?i)denied"):
            await fetch(address, tmp_path / "fw", knowing(server, tmp_path))
        await fetch(address, tmp_path / "fw", knowing(server, tmp_path, ssh_key_file=key))
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_no_password_is_an_argument_of_a_program(folder, tmp_path, program, monkeypatch):
    arguments = []
    real = trio.run_process

    async def listed(command, **options):
        arguments.extend(command)
        return await real(command, **options)

    monkeypatch.setattr(trio, "run_process", listed)
    with sftp_files(folder) as server:
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path))
    assert arguments
    assert not [argument for argument in arguments if PASSWORD in argument]


async def test_a_program_that_cannot_be_started_is_told(folder, tmp_path, program):
    """The system may have no room for another process; here the program starts once, and nothing runs it again."""
    found = tmp_path / "bin" / program
    real = found.readlink()
    found.unlink()
    found.write_text(f'#!/bin/sh\nprintf "#!/nowhere\\n" > {found}\nexec {real} "$@"\n')
    found.chmod(0o755)
    with sftp_files(folder) as server, pytest.raises(TransferError, match="No such file"):
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path))


async def test_what_a_power_cut_left_of_the_version_is_that_of_no_file(folder, tmp_path):
    (tmp_path / "fw.part").write_bytes(b"old")
    (tmp_path / "fw.part.version").write_bytes(b"\xff\xfe\x80")
    with sftp_files(folder) as server:
        await fetch(at(server), tmp_path / "fw", knowing(server, tmp_path))
    assert (tmp_path / "fw").read_bytes() == CONTENT
