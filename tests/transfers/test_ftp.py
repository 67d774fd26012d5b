"""Downloads and uploads over FTP and FTPS."""

import os
import socket
import struct
from contextlib import suppress

import pytest
import trio
import trustme

from engine.transfers import NoRoomError, TransferError, TransferLimits, deliver, fetch, parse
from tests.peers.file_servers import PASSWORD, USER, ftp_files

CONTENT = bytes(range(256)) * 4000
LIMITS = TransferLimits(connect_timeout_s=2, stall_timeout_s=2)


@pytest.fixture
def folder(tmp_path):
    """What the server serves."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "fw.bin").write_bytes(CONTENT)
    return folder


async def test_a_file_is_fetched(folder, tmp_path):
    with ftp_files(folder) as server:
        await fetch(parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"), tmp_path / "fw", LIMITS)
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def cut_short(folder, tmp_path):
    """Begin a download and leave it when something of it has arrived."""
    arrived = trio.Event()
    with ftp_files(folder, speed=200_000) as server:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                fetch,
                parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"),
                tmp_path / "fw",
                LIMITS,
                lambda *_: arrived.set(),
            )
            await arrived.wait()
            nursery.cancel_scope.cancel()


async def test_what_arrived_before_a_cut_is_not_fetched_again(folder, tmp_path):
    await cut_short(folder, tmp_path)
    have = (tmp_path / "fw.part").stat().st_size
    seen = []
    with ftp_files(folder) as server:
        await fetch(
            parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"),
            tmp_path / "fw",
            LIMITS,
            lambda *told: seen.append(told),
        )
    assert 0 < have < seen[0][0]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert (tmp_path / "fw").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[::-1], b"short"], ids=["of the same size", "shorter"])
async def test_a_file_that_changed_meanwhile_is_fetched_from_its_begin(folder, tmp_path, content):
    await cut_short(folder, tmp_path)
    (folder / "fw.bin").write_bytes(content)
    os.utime(folder / "fw.bin", (0, 0))
    with ftp_files(folder) as server:
        await fetch(parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"), tmp_path / "fw", LIMITS)
    assert (tmp_path / "fw").read_bytes() == content


async def test_what_a_power_cut_left_of_the_version_is_that_of_no_file(folder, tmp_path):
    (tmp_path / "fw.part").write_bytes(b"old")
    (tmp_path / "fw.part.version").write_bytes(b"\xff\xfe\x80")
    with ftp_files(folder) as server:
        await fetch(parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"), tmp_path / "fw", LIMITS)
    assert (tmp_path / "fw").read_bytes() == CONTENT


async def test_a_file_is_delivered(folder, tmp_path):
    (tmp_path / "log.zip").write_bytes(CONTENT)
    with ftp_files(folder) as server:
        await deliver(parse(f"ftp://{USER}:{PASSWORD}@{server}/log.zip"), tmp_path / "log.zip", LIMITS)
    assert (folder / "log.zip").read_bytes() == CONTENT


async def test_a_wrong_password_is_told_without_it(folder, tmp_path):
    with ftp_files(folder) as server, pytest.raises(TransferError, match="530") as caught:
        await fetch(parse(f"ftp://{USER}:wrong-one@{server}/fw.bin"), tmp_path / "fw", LIMITS)
    assert "wrong-one" not in str(caught.value)


async def test_a_missing_file_is_told(folder, tmp_path):
    with ftp_files(folder) as server, pytest.raises(TransferError, match="550"):
        await fetch(parse(f"ftp://{USER}:{PASSWORD}@{server}/nothing"), tmp_path / "fw", LIMITS)


async def test_a_file_that_is_too_large_is_refused(folder, tmp_path):
    with ftp_files(folder) as server, pytest.raises(TransferError, match="larger than 10 bytes"):
        await fetch(
            parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"), tmp_path / "fw", TransferLimits(size_max=10)
        )


class Faults:
    """FTP that goes wrong: the file ``fw.bin`` is announced with the size of CONTENT, and ``send`` sends it."""

    def __init__(self, send):
        self._send = send
        self.asked = []

    async def serve(self, control):
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # Tests go away in the middle.
            await self._serve(control)

    async def _serve(self, control):
        data = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = data[0].socket.getsockname()[1]
        await control.send_all(b"220 ready\r\n")
        buffer = b""
        answers = {
            b"USER": b"331 password",
            b"PASS": b"230 in",
            b"TYPE": b"200 binary",
            b"SIZE": b"213 %d" % len(CONTENT),
            b"MDTM": b"213 20260101000000",
            b"EPSV": b"229 (|||%d|)" % port,
            b"PASV": b"227 (127,0,0,1,%d,%d)" % divmod(port, 256),
            b"REST": b"350 on",
            b"QUIT": b"221 bye",
        }
        async with data[0]:
            while more := await control.receive_some():
                buffer += more
                *lines, buffer = buffer.split(b"\r\n")
                for line in lines:
                    self.asked.append(line.decode())
                    if line.startswith(b"RETR"):
                        await control.send_all(b"150 it comes\r\n")
                        async with await data[0].accept() as stream:
                            await self._send(stream)
                        await control.send_all(b"226 done\r\n")
                    else:
                        await control.send_all(answers[line[:4]] + b"\r\n")


async def fetch_from(send, tmp_path, limits=LIMITS):
    """How a download fails."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, Faults(send).serve, 0)
        port = listeners[0].socket.getsockname()[1]
        with pytest.raises(TransferError) as caught:
            await fetch(parse(f"ftp://127.0.0.1:{port}/fw.bin"), tmp_path / "fw", limits)
        nursery.cancel_scope.cancel()
    assert not (tmp_path / "fw").exists()
    return str(caught.value)


async def send_half(stream):
    await stream.send_all(CONTENT[: len(CONTENT) // 2])


async def test_a_truncated_file_is_no_file_and_the_rest_is_fetched_later(folder, tmp_path):
    """The server says that it is done, and it is not."""
    told = await fetch_from(send_half, tmp_path)
    assert "512000 bytes of 1024000, then the connection ended" in told
    assert (tmp_path / "fw.part").read_bytes() == CONTENT[: len(CONTENT) // 2]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/fw.bin", "fw.bin"),
        ("/in/fw%201.bin", "in/fw 1.bin"),
        ("//srv/fw.bin", "/srv/fw.bin"),
        ("/%2Fsrv/fw.bin", "/srv/fw.bin"),
    ],
)
async def test_a_path_begins_where_who_logs_in_is(tmp_path, path, asked):
    """RFC 1738, 3.2.2. On a server that locks nobody into a folder, the root is another place."""

    async def send(stream):
        await stream.send_all(CONTENT)

    server = Faults(send)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, server.serve, 0)
        port = listeners[0].socket.getsockname()[1]
        await fetch(parse(f"ftp://127.0.0.1:{port}{path}"), tmp_path / "fw", LIMITS)
        nursery.cancel_scope.cancel()
    assert [line for line in server.asked if asked in line] == [
        f"{command} {asked}" for command in ("SIZE", "MDTM", "RETR")
    ]


async def test_data_that_is_reset_is_told(tmp_path):
    async def reset(stream):
        await stream.send_all(CONTENT[:1000])
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert "reset" in await fetch_from(reset, tmp_path)


async def test_data_that_stops_in_the_middle_is_waited_for_no_longer_than_declared(tmp_path):
    async def stall(stream):
        await send_half(stream)
        await trio.sleep_forever()

    limits = TransferLimits(connect_timeout_s=2, stall_timeout_s=0.3)
    assert "timed out" in await fetch_from(stall, tmp_path, limits)
    assert (tmp_path / "fw.part").stat().st_size == len(CONTENT) // 2


async def test_the_whole_has_a_limit_of_time(tmp_path):
    async def drip(stream):
        while True:
            await stream.send_all(b"x")
            await trio.sleep(0.05)

    limits = TransferLimits(stall_timeout_s=60, duration_max_s=0.3)
    assert "not done in 0.3 s" in await fetch_from(drip, tmp_path, limits)


async def test_a_disk_without_room_is_told_and_nothing_stays(folder, tmp_path):
    with ftp_files(folder) as server, pytest.raises(NoRoomError, match="no room for it on the disk"):
        await fetch(
            parse(f"ftp://{USER}:{PASSWORD}@{server}/fw.bin"),
            tmp_path / "fw",
            TransferLimits(disk_free_min=2**60),
        )
    assert not [*tmp_path.glob("fw*")]


async def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(TransferError, match="refused"):
        await fetch(parse("ftp://127.0.0.1:9/fw.bin"), tmp_path / "fw", LIMITS)


async def test_a_cancelled_transfer_ends_its_thread(tmp_path):
    """The server says nothing at all, and the thread waits in a socket."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    with trio.move_on_after(0.1) as scope:
        await fetch(
            parse(f"ftp://127.0.0.1:{port}/fw.bin"), tmp_path / "fw", TransferLimits(stall_timeout_s=600)
        )
    assert scope.cancelled_caught
    await listeners[0].aclose()


async def test_a_server_that_says_nothing_is_left(tmp_path):
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    limits = TransferLimits(connect_timeout_s=0.2, stall_timeout_s=0.2)
    with pytest.raises(TransferError, match="timed out"):
        await fetch(parse(f"ftp://127.0.0.1:{port}/fw.bin"), tmp_path / "fw", limits)
    await listeners[0].aclose()


async def test_a_server_that_never_ends_its_answer_is_left(tmp_path):
    """It would fill the memory of the station."""

    async def talk(stream):
        with suppress(trio.BrokenResourceError):
            await stream.send_all(b"220-ready\r\n")
            while True:
                await stream.send_all(b"220-and more\r\n" * 1000)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, talk, 0)
        port = listeners[0].socket.getsockname()[1]
        limits = TransferLimits(duration_max_s=5)
        with pytest.raises(TransferError, match="answered too much"):
            await fetch(parse(f"ftp://127.0.0.1:{port}/fw.bin"), tmp_path / "fw", limits)
        nursery.cancel_scope.cancel()


async def test_a_file_is_fetched_and_delivered_over_tls(folder, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "server.pem")
    )
    limits = TransferLimits(ca_file=tmp_path / "ca.pem", connect_timeout_s=2, stall_timeout_s=2)
    with ftp_files(folder, tmp_path / "server.pem") as server:
        base = f"ftps://{USER}:{PASSWORD}@{server}"
        await fetch(parse(f"{base}/fw.bin"), tmp_path / "fw", limits)
        await deliver(parse(f"{base}/copy.bin"), tmp_path / "fw", limits)
    assert (folder / "copy.bin").read_bytes() == CONTENT


async def test_an_unknown_certificate_is_refused(folder, tmp_path):
    authority = trustme.CA()
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "server.pem")
    )
    limits = TransferLimits(ca_file=tmp_path / "other.pem", connect_timeout_s=2, stall_timeout_s=2)
    with ftp_files(folder, tmp_path / "server.pem") as server, pytest.raises(TransferError):
        await fetch(parse(f"ftps://{USER}:{PASSWORD}@{server}/fw.bin"), tmp_path / "fw", limits)
