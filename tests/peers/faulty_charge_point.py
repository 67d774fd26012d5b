"""A small wallbox that shares no code with Statecharge: the ``ocpp`` and ``websockets`` packages, on asyncio.

One connector with a fixed cable, the profile Core only, nothing that outlasts an outage. It runs as its own process:

    python -m tests.peers.faulty_charge_point --csms ws://127.0.0.1:9000 --rig-port 0 --speed 20 --fault NAME

It does what it offers as it should, unless faults are planted with ``--fault``: see FAULTS in small_wallbox.py. Its
hardware is moved over HTTP: /swipe, /power-cut, /connectors/1/plug-in and so on, /state. It prints ``rig PORT`` when
that listens.
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from ocpp.routing import after as _after  # type: ignore[import-untyped]
from ocpp.routing import on as _on  # type: ignore[import-untyped]
from ocpp.v16 import ChargePoint, call_result  # type: ignore[import-untyped]
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.peers.small_wallbox import FAULTS, KEYS, Job, Wallbox

IDENTITY = "SMALL-1"
DARK_S = 2
"""How long it takes to start after a power cut or a reset."""
DIAL_AGAIN_S = 1

Handler = Callable[..., Any]


def on(action: str) -> Callable[[Handler], Handler]:
    """Make a method the handler of ``action``."""
    decorator: Callable[[Handler], Handler] = _on(action)
    return decorator


def after(action: str) -> Callable[[Handler], Handler]:
    """Make a method follow the answer to ``action``."""
    decorator: Callable[[Handler], Handler] = _after(action)
    return decorator


ONLY = {
    "ClockAlignedDataInterval": {"0"},
    "MeterValuesSampledData": {"", "Energy.Active.Import.Register"},
}
"""All that some keys take."""


class Connection(ChargePoint):  # type: ignore[misc]  # the package has no types
    """What the Central System may ask."""

    def __init__(self, socket: Any, box: Wallbox) -> None:
        super().__init__(IDENTITY, socket)
        self._box = box

    @on("GetConfiguration")
    def on_get_configuration(self, key: list[str] | None = None, **_: Any) -> Any:
        known = {name.casefold(): name for name in KEYS}
        wanted = (
            list(KEYS) if not key else [known[each.casefold()] for each in key if each.casefold() in known]
        )
        unknown = [each for each in key or [] if each.casefold() not in known]
        shown = [{"key": name, "readonly": KEYS[name][0], "value": self._box.keys[name]} for name in wanted]
        return call_result.GetConfiguration(configuration_key=shown, unknown_key=unknown or None)

    @on("ChangeConfiguration")
    def on_change_configuration(self, key: str, value: str) -> Any:
        if key not in KEYS:
            return call_result.ChangeConfiguration(status="NotSupported")
        is_number = KEYS[key][1].isdecimal()
        only = ONLY.get(key)
        if KEYS[key][0] or (is_number and not value.isdecimal()) or (only and value not in only):
            return call_result.ChangeConfiguration(status="Rejected")
        self._box.keys[key] = value
        if key == "MeterValueSampleInterval":
            self._box.sample_later()
        return call_result.ChangeConfiguration(status="Accepted")

    @on("ClearCache")
    def on_clear_cache(self) -> Any:
        return call_result.ClearCache(status="Accepted")

    @on("UnlockConnector")
    def on_unlock_connector(self, **_: Any) -> Any:
        return call_result.UnlockConnector(status="NotSupported")

    @on("DataTransfer")
    def on_data_transfer(self, **_: Any) -> Any:
        return call_result.DataTransfer(status="UnknownVendorId")

    @on("RemoteStartTransaction")
    def on_remote_start(self, connector_id: int = 1, **_: Any) -> Any:
        box = self._box
        is_free = (
            box.transaction is None and not box.id_tag and box.is_operative and box.status != "Finishing"
        )
        status = "Accepted" if is_free and connector_id == 1 else "Rejected"
        return call_result.RemoteStartTransaction(status=status)

    @after("RemoteStartTransaction")
    def after_remote_start(self, id_tag: str, **asked: Any) -> None:
        if self.on_remote_start(**asked).status == "Accepted":
            self._box.do(lambda: self._box.admit(id_tag))

    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id: int) -> Any:
        is_known = self._box.transaction == transaction_id
        accepts = is_known or "stops-what-it-does-not-know" in self._box.faults
        return call_result.RemoteStopTransaction(status="Accepted" if accepts else "Rejected")

    @after("RemoteStopTransaction")
    def after_remote_stop(self, transaction_id: int) -> None:
        async def stop() -> None:
            if self._box.transaction == transaction_id:
                await self._box.stop("Remote")
                await self._box.show("Finishing")

        self._box.do(stop)

    @on("ChangeAvailability")
    def on_change_availability(self, connector_id: int, type: str) -> Any:  # noqa: A002 - the name in OCPP
        if connector_id > 1:
            return call_result.ChangeAvailability(status="Rejected")
        is_busy = type == "Inoperative" and self._box.transaction is not None
        self._box.is_scheduled = is_busy
        return call_result.ChangeAvailability(status="Scheduled" if is_busy else "Accepted")

    @after("ChangeAvailability")
    def after_change_availability(self, connector_id: int, type: str) -> None:  # noqa: A002
        if connector_id <= 1 and not self._box.is_scheduled:
            is_operative = type == "Operative"
            self._box.do(lambda: self._box.set_operative(connector_id, is_operative=is_operative))

    @on("Reset")
    def on_reset(self, **_: Any) -> Any:
        return call_result.Reset(status="Accepted")

    @after("Reset")
    def after_reset(self, type: str) -> None:  # noqa: A002
        self._box.do(lambda: self._box.restart(f"{type}Reset"))


async def stay_connected(box: Wallbox, url: str, ca_file: str | None, password: str | None) -> None:
    """Dial, boot, and serve, for ever."""
    context = None if ca_file is None else ssl.create_default_context(cafile=ca_file)
    if password is not None:
        url = url.replace("://", f"://{IDENTITY}:{password}@")
    while True:
        try:
            socket = await connect(
                f"{url}/{IDENTITY}", subprotocols=[Subprotocol("ocpp1.6")], ssl=context, ping_interval=None
            )
        except (OSError, InvalidHandshake, TimeoutError):
            await box.sleep(DIAL_AGAIN_S)
            continue
        connection = Connection(socket, box)
        box.connected(connection)
        box.restarting.clear()
        if not box.has_booted:
            box.do(box.boot)
        serving = asyncio.ensure_future(connection.start())
        going_dark = asyncio.ensure_future(box.restarting.wait())
        await asyncio.wait([serving, going_dark], return_when=asyncio.FIRST_COMPLETED)
        is_dark = going_dark.done()
        box.connected(None)
        going_dark.cancel()
        if is_dark:
            socket.transport.abort()
            await box.sleep(DARK_S)
        with suppress(ConnectionClosed):
            await serving


# The rig


async def answer(box: Wallbox, method: str, path: str, body: dict[str, Any]) -> tuple[HTTPStatus, Any]:
    """Do what the rig asks for."""
    jobs: dict[str, Job] = {
        "/connectors/1/plug-in": box.plug_in,
        "/connectors/1/unplug": box.unplug,
        "/connectors/1/pause": lambda: box.pause(is_paused=True),
        "/connectors/1/resume": lambda: box.pause(is_paused=False),
        "/swipe": lambda: box.swipe(body["idTag"]),
    }
    match method, path:
        case "GET", "/state":
            seen = {"locked": None, "contactor": box.has_energy, "register_wh": box.register()}
            return HTTPStatus.OK, {"hardware": {"1": seen}}
        case "POST", "/power-cut":
            box.go_dark()
            return HTTPStatus.OK, {}
        case "POST", "/connectors/1/plug-in" if box.is_plugged:
            return HTTPStatus.CONFLICT, {"error": "a vehicle is plugged in already"}
        case "POST", "/connectors/1/unplug" if not box.is_plugged:
            return HTTPStatus.CONFLICT, {"error": "nothing is plugged in"}
        case "POST", known if known in jobs:
            box.do(jobs[known])
            return HTTPStatus.OK, {}
    return HTTPStatus.NOT_FOUND, {"error": f"{method} {path}: the small wallbox has no such thing"}


async def serve_rig(box: Wallbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request of the rig."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        status, answered = await answer(box, method, path, json.loads(content or b"{}"))
        text = json.dumps(answered).encode()
        writer.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
            + text
        )
        await writer.drain()
    writer.close()


async def run(options: argparse.Namespace) -> None:
    """Run until killed."""
    box = Wallbox(options.speed, set(options.fault))
    rig = await asyncio.start_server(lambda r, w: serve_rig(box, r, w), "127.0.0.1", options.rig_port)
    sys.stdout.write(f"rig {rig.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.gather(box.work(), stay_connected(box, options.csms, options.ca_file, options.password))


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--csms", required=True, help="URL, without the identity")
    parser.add_argument("--password", help="for Basic authentication")
    parser.add_argument("--ca-file", help="who may vouch for the Central System")
    parser.add_argument("--rig-port", type=int, default=0, help="0 lets the kernel choose")
    parser.add_argument("--speed", type=float, default=1)
    parser.add_argument("--fault", action="append", default=[], choices=sorted(FAULTS))
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
