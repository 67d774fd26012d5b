"""Downloads and uploads over HTTP and HTTPS, from servers that fail in every way they can."""

import os

import pytest
import trio
import trustme

from engine.transfers import NoRoomError, TransferError, TransferLimits, deliver, fetch, parse
from tests.peers.file_servers import http_files

CONTENT = bytes(range(256)) * 4000
LIMITS = TransferLimits(connect_timeout_s=2, stall_timeout_s=0.3)

httpx_leaves_generators = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Its own, where a body is given up in the middle; Trio closes them."""


async def test_a_file_is_fetched(tmp_path):
    seen = []
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        address = parse(server.base + "/fw.bin")
        size = await fetch(address, tmp_path / "fw", LIMITS, lambda *told: seen.append(told))
    assert (tmp_path / "fw").read_bytes() == CONTENT
    assert (size, size) == seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["fw"]


async def test_what_arrived_before_a_cut_is_not_fetched_again(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        server.break_after = 300_000
        with pytest.raises(TransferError, match=r"fw\.bin"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        assert not (tmp_path / "fw").exists()
        await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        assert server.requests[1][2]["range"].startswith("bytes=2")
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_a_file_that_changed_meanwhile_is_fetched_from_its_begin(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"] = b"old" * 100_000
        server.break_after = 150_000
        with pytest.raises(TransferError):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        server.files["/fw.bin"], server.etag = CONTENT, '"2"'
        await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_a_part_that_is_shorter_than_asked_for_is_not_the_whole_file(tmp_path):
    """RFC 9110, 14.2: a server may send less than the range that is asked for."""
    async with http_files() as server:
        server.files["/fw.bin"], server.part_max = CONTENT, 400_000
        server.break_after = 300_000
        with pytest.raises(TransferError):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        with pytest.raises(TransferError, match=f"662144 bytes of {len(CONTENT)}"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        assert not (tmp_path / "fw").exists()
        await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        assert [request[2].get("range") for request in server.requests] == [
            None,
            "bytes=262144-",
            "bytes=662144-",
        ]
    assert (tmp_path / "fw").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "told",
    [
        b"bytes \xb2-5/10",  # a digit, and no number
        b"bytes " + b"9" * 5000 + b"-5/10",  # more than Python reads
        b"bytes 0-4/\xb9",
        b"bytes */10",
        b"lines 0-4/5",
        b"\xff",
    ],
)
async def test_a_part_that_nobody_can_make_out_is_refused(tmp_path, told):
    """It ends the transfer, and not the station."""
    async with http_files() as server:
        server.files["/fw.bin"], server.content_range = CONTENT[:5], told
        with pytest.raises(TransferError, match="another part"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
    assert not (tmp_path / "fw").exists()


async def test_a_silent_server_is_left(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        server.stall_after = 1000
        with pytest.raises(TransferError, match="ReadTimeout"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)


async def test_a_truncated_file_is_no_file(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"], server.lies_about_size = CONTENT, True
        with pytest.raises(TransferError):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
    assert not (tmp_path / "fw").exists()


async def test_a_slash_within_a_name_is_asked_for_as_such(tmp_path):
    async with http_files() as server:
        server.files["/o/firmware%2Fv1+2.bin"] = CONTENT
        await fetch(parse(server.base + "/o/firmware%2Fv1+2.bin?alt=media"), tmp_path / "fw", LIMITS)
        assert server.requests[0][1] == "/o/firmware%2Fv1+2.bin?alt=media"


async def test_a_missing_file_is_told(tmp_path):
    async with http_files() as server:
        with pytest.raises(TransferError, match="HTTP 404"):
            await fetch(parse(server.base + "/nothing"), tmp_path / "fw", LIMITS)


async def test_a_server_that_is_not_there(tmp_path):
    async with http_files() as server:
        base = server.base
    with pytest.raises(TransferError, match="ConnectError"):
        await fetch(parse(base + "/fw.bin"), tmp_path / "fw", LIMITS)


async def test_redirects_are_followed_and_keep_the_password_home(tmp_path):
    async with http_files() as other, http_files() as server:
        other.files["/fw.bin"] = CONTENT
        server.redirects["/old"] = other.base + "/fw.bin"
        with_password = server.base.replace("//", "//maker:s3cret@")
        await fetch(parse(with_password + "/old"), tmp_path / "fw", LIMITS)
        assert server.requests[0][2]["authorization"].startswith("Basic ")
        assert "authorization" not in other.requests[0][2]
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_redirects_in_a_circle_end(tmp_path):
    async with http_files() as server:
        server.redirects["/a"] = "/a"
        with pytest.raises(TransferError, match="more than 5 redirects"):
            await fetch(parse(server.base + "/a"), tmp_path / "fw", LIMITS)
        assert len(server.requests) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
async def test_redirects_to_other_schemes_are_refused(tmp_path, target):
    async with http_files() as server:
        server.redirects["/a"] = target
        with pytest.raises(TransferError, match="not allowed"):
            await fetch(parse(server.base + "/a"), tmp_path / "fw", LIMITS)


async def test_a_file_that_is_too_large_is_refused_before_it_comes(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        with pytest.raises(TransferError, match="larger than 1000 bytes"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", TransferLimits(size_max=1000))


async def test_the_whole_has_a_limit_of_time(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"], server.stall_after = CONTENT, 1000
        limits = TransferLimits(stall_timeout_s=60, duration_max_s=0.2)
        with pytest.raises(TransferError, match=r"not done in 0\.2 s"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", limits)


async def test_a_connection_that_is_reset_is_told_and_made_again(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        server.break_after, server.resets = 300_000, True
        with pytest.raises(TransferError, match="ReadError"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_a_server_that_is_slow_and_never_silent_is_waited_for(tmp_path):
    """Longer in all than it may be silent."""
    limits = TransferLimits(stall_timeout_s=1)
    async with http_files() as server:
        server.files["/fw.bin"], server.pause_s = CONTENT[:50_000], 0.03
        began = trio.current_time()
        await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", limits)
        assert trio.current_time() - began > limits.stall_timeout_s
    assert (tmp_path / "fw").read_bytes() == CONTENT[:50_000]


async def test_a_disk_without_room_is_told_before_anything_comes(tmp_path):
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        for least in (free + 2**30, 2**60):
            with pytest.raises(NoRoomError, match="no room for it on the disk"):
                await fetch(
                    parse(server.base + "/fw.bin"), tmp_path / "fw", TransferLimits(disk_free_min=least)
                )
        assert server.requests == []
    assert not [*tmp_path.iterdir()]


async def test_a_file_that_would_fill_the_disk_is_refused_at_its_announcement(tmp_path, monkeypatch):
    """What the server announces is more than may be used; nothing of it is written."""
    disk_is(monkeypatch, lambda: len(CONTENT) - 1)
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        with pytest.raises(NoRoomError):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
        assert len(server.requests) == 1
    assert not [*tmp_path.iterdir()]


@httpx_leaves_generators
async def test_a_disk_that_others_fill_meanwhile_ends_a_download_and_gets_its_room_back(
    tmp_path, monkeypatch
):
    part = tmp_path / "fw.part"
    disk_is(monkeypatch, lambda: 0 if part.exists() and part.stat().st_size > 300_000 else 2**30)
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        with pytest.raises(NoRoomError):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", LIMITS)
    assert not [*tmp_path.iterdir()]


def disk_is(monkeypatch, free):
    """Let the operating system say so many bytes are free."""

    class Disk:
        f_frsize = 1

        @property
        def f_bavail(self):
            return free()

    monkeypatch.setattr("os.statvfs", lambda _: Disk())


async def test_a_cancelled_download_keeps_its_part(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"], server.stall_after = CONTENT, 600_000
        with trio.CancelScope() as scope:
            source, target = parse(server.base + "/fw.bin"), tmp_path / "fw"
            await fetch(source, target, TransferLimits(), lambda *_: scope.cancel())
        assert scope.cancelled_caught
    assert (tmp_path / "fw.part").stat().st_size > 0


async def test_a_folder_that_cannot_be_written(tmp_path):
    async with http_files() as server:
        server.files["/fw.bin"] = CONTENT
        with pytest.raises(TransferError, match="No such file"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "missing" / "fw", LIMITS)


async def test_a_file_is_delivered(tmp_path):
    (tmp_path / "log.zip").write_bytes(CONTENT)
    async with http_files() as server:
        with_password = server.base.replace("//", "//maker:s3cret@")
        await deliver(parse(with_password + "/in/log.zip"), tmp_path / "log.zip", LIMITS)
        assert server.files["/in/log.zip"] == CONTENT
        assert server.requests[0][2]["authorization"].startswith("Basic ")


async def test_a_server_that_takes_an_upload_slowly_is_waited_for(tmp_path):
    """Longer for a quarter of a megabyte than it may be silent."""
    limits = TransferLimits(stall_timeout_s=0.6)
    (tmp_path / "log.zip").write_bytes(CONTENT[:500_000])
    async with http_files() as server:
        server.pause_s = 0.02
        await deliver(parse(server.base + "/in/log.zip"), tmp_path / "log.zip", limits)
        assert server.files["/in/log.zip"] == CONTENT[:500_000]


async def test_an_answer_without_end_to_an_upload_is_not_read(tmp_path):
    """It would fill the memory of the station."""
    (tmp_path / "log.zip").write_bytes(CONTENT)
    async with http_files() as server:
        server.talks_on = True
        await deliver(
            parse(server.base + "/in/log.zip"), tmp_path / "log.zip", TransferLimits(duration_max_s=5)
        )
        assert server.files["/in/log.zip"] == CONTENT


@httpx_leaves_generators
async def test_an_upload_that_is_refused_or_not_answered_is_told(tmp_path):
    (tmp_path / "log.zip").write_bytes(CONTENT)
    async with http_files() as server:
        server.stall_after = 1000
        with pytest.raises(TransferError, match="Timeout"):
            await deliver(parse(server.base + "/in/log.zip"), tmp_path / "log.zip", LIMITS)
        server.redirects["/old"] = "/in"
        with pytest.raises(TransferError, match="HTTP 302"):
            await deliver(parse(server.base + "/old"), tmp_path / "log.zip", LIMITS)
    with pytest.raises(TransferError, match="ConnectError"):
        await deliver(parse(server.base + "/in/log.zip"), tmp_path / "log.zip", LIMITS)
    assert server.files == {}


async def test_a_known_certificate_is_trusted(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with http_files(authority) as server:
        server.files["/fw.bin"] = CONTENT
        limits = TransferLimits(ca_file=tmp_path / "ca.pem")
        await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", limits)
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_an_unknown_certificate_is_refused(tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    async with http_files(trustme.CA()) as server:
        server.files["/fw.bin"] = CONTENT
        limits = TransferLimits(ca_file=tmp_path / "other.pem")
        with pytest.raises(TransferError, match="ConnectError"):
            await fetch(parse(server.base + "/fw.bin"), tmp_path / "fw", limits)
