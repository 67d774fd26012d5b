# ruff: noqa: S603 - a script, run by hand
"""What a download of 200 MB costs a station that charges meanwhile: memory, and the longest stall of its event loop.

``python -m benchmarks.download [MEGABYTES [http|ftp|ftps|sftp]]`` in the project's directory; without a protocol each
in turn, in a process of its own. The server is a process too.
"""

import hashlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import trio
import trustme
from msgspec.structs import replace
from trio.testing import memory_stream_pair

from engine.csms import Csms
from engine.declaration.station import Station
from engine.devices import devices_of
from engine.run import RunningStation
from engine.station_file import load
from engine.store import Store
from machines.vocabulary.ocpp import UpdateFirmware
from tests.peers.file_servers import PASSWORD, USER, ftp_files, sftp_files

PROTOCOLS = ("http", "ftp", "ftps", "sftp")
MEGABYTE = 1024**2
LOOK_S = 0.001
REST_S = 5.0


class Stalls:
    """How late a task that sleeps for a millisecond is woken."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            began = perf_counter()
            await trio.sleep(LOOK_S)
            self.longest_s = max(self.longest_s, perf_counter() - began - LOOK_S)


def peak_mb() -> float:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def declared(protocol: str, folder: Path) -> Station:
    """The station ``full``, with a sample every second, for files that come by ``protocol``."""
    station = load("full")
    return replace(
        station,
        defaults=replace(
            station.defaults,
            meter_value_sample_interval=1,
            supported_file_transfer_protocols=(protocol.upper(),),
        ),
        transfers=replace(
            station.transfers,
            ca_file=folder / "ca.pem" if protocol == "ftps" else None,
            known_hosts_file=folder / "known_hosts" if protocol == "sftp" else None,
        ),
    )


async def run(folder: Path, url: str, wanted: str) -> None:
    """Charge, download, and say what it cost."""
    station = declared(url.partition(":")[0], folder)
    devices, store = devices_of(station), Store(folder / "state")
    csms, stalls = Csms(lambda: datetime.now(UTC), interval_s=3600), Stalls()
    async with trio.open_nursery() as nursery:

        async def open_stream(_url: str) -> trio.abc.Stream:
            ours, theirs = memory_stream_pair()
            nursery.start_soon(csms.serve_stream, theirs)
            return ours

        running = RunningStation(station, devices, store, open_stream=open_stream)
        nursery.start_soon(running.run)
        await csms.wait_for_request("StatusNotification", connectorId=2)
        devices.connectors[1].plug_in()  # type: ignore[attr-defined]
        devices.readers[0].swipe("CARD")  # type: ignore[attr-defined]
        await csms.wait_for_request("StatusNotification", status="Charging")
        nursery.start_soon(stalls.watch)
        await trio.sleep(REST_S)
        print(
            f"charging only:    longest stall {stalls.longest_s * 1000:5.1f} ms, peak memory {peak_mb():.0f} MB"
        )
        stalls.longest_s, samples, began = 0.0, len(calls(csms, "MeterValues")), perf_counter()
        await csms.call(UpdateFirmware(location=url, retrieve_date=datetime.now(UTC) - timedelta(seconds=1)))
        await csms.wait_for_request("FirmwareStatusNotification", status="Downloaded")
        took_s = perf_counter() - began
        print(
            f"while downloading: longest stall {stalls.longest_s * 1000:5.1f} ms, peak memory {peak_mb():.0f} MB"
        )
        new = len(calls(csms, "MeterValues")) - samples
        print(f"took {took_s:.1f} s; {new} samples of the session meanwhile, one a second")
        (file,) = (folder / "state" / "transfers").glob("firmware-*")
        found = await trio.to_thread.run_sync(digest, file)
        print("the file is right" if found == wanted else "THE FILE IS WRONG")
        nursery.cancel_scope.cancel()
    store.close()


def calls(csms: Csms, action: str) -> list[object]:
    """Of the station, so far."""
    return [entry for entry in csms.transcript if entry.kind == 2 and entry.action == action]


def digest(file: Path) -> str:
    """SHA-256."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def served(protocol: str, folder: Path) -> Iterator[str]:
    """A server of what is in ``folder``'s folder ``served``, in a process of its own; tells where that is."""
    files = folder / "served"
    with ExitStack() as stack:
        match protocol:
            case "http":
                yield f"http://{stack.enter_context(http_server(files))}"
            case "ftp":
                yield f"ftp://{USER}:{PASSWORD}@{stack.enter_context(ftp_files(files))}"
            case "ftps":
                authority = trustme.CA()
                authority.cert_pem.write_to_path(str(folder / "ca.pem"))
                pem = folder / "server.pem"
                authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
                yield f"ftps://{USER}:{PASSWORD}@{stack.enter_context(ftp_files(files, pem))}"
            case "sftp":
                server = stack.enter_context(sftp_files(files))
                server.known_as(folder / "known_hosts")
                yield f"sftp://{USER}:{PASSWORD}@127.0.0.1:{server.port}"
            case _:
                sys.exit(f"found protocol {protocol!r}, allowed is one of {', '.join(PROTOCOLS)}")


@contextmanager
def http_server(files: Path) -> Iterator[str]:
    """Python's own; tells host and port."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "0",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(files),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"127.0.0.1:{server.stdout.readline().split('port ')[1].split(' ')[0]}"
        finally:
            server.kill()


def measure(megabytes: int, protocol: str) -> None:
    """Serve a file of so many megabytes, and download it."""
    print(f"{megabytes} MB by {protocol}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "served").mkdir()
        source = folder / "served" / "fw.bin"
        with source.open("wb") as file:
            for number in range(megabytes):
                file.write(number.to_bytes(4, "big") * (MEGABYTE // 4))
        with served(protocol, folder) as base:
            trio.run(run, folder, f"{base}/fw.bin", digest(source))


def main() -> None:
    """Measure one protocol, or each of them."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    if len(sys.argv) > 2:
        measure(megabytes, sys.argv[2])
        return
    for protocol in PROTOCOLS:
        # The most memory that a process ever had is that of one download only if there was one.
        subprocess.run([sys.executable, "-m", "benchmarks.download", str(megabytes), protocol], check=True)


if __name__ == "__main__":
    main()
