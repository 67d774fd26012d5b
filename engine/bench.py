"""The bench: an HTTP interface to a simulated station, for tests, demonstrations and virtual stations.

It moves the simulated hardware and shows the station's state; it decides nothing, and it answers at once,
whatever the Central System does. It needs the extra ``bench`` (Starlette, Hypercorn), which is imported when
it is served.

It is meant for the machine it runs on and has no accounts. Pages in a browser on that machine must not reach
it: a request with a foreign Host (DNS rebinding) or a foreign Origin is refused with 403.
"""

import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import trio
from msgspec import Struct

from drivers.simulated import SimulationError
from engine.bench_guard import guard
from engine.bench_stimuli import (
    STIMULI,
    BenchStation,
    DataTransfer,
    FaultBody,
    FaultCode,
    Nothing,
    PowerCut,
    Refused,
    Stimulus,
    Swipe,
    connector_of,
    decode,
    fault_of,
    read_body,
    swipe_card,
)
from engine.speed import of_real_time
from machines.vocabulary.wire import DataTransferAsked

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

LOGGER = logging.getLogger(__name__)


class BenchError(Exception):
    """The bench cannot be served; the text is one line for the user."""


def kill_this_process() -> NoReturn:
    """Have the kernel end this process: nothing is flushed, closed or told to anyone."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL cannot be outlived")


async def serve(
    station: BenchStation,
    host: str = "127.0.0.1",
    port: int = 8080,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the bench until cancelled; report its URL when it listens.

    Args:
        station: The station on the bench.
        host: ``localhost`` or an IP address. Other than loopback means that anyone on the network may use it.
        port: 0 lets the kernel choose.
        task_status: Of ``nursery.start``.

    Raises:
        BenchError: The extra is not installed, or nothing can listen at ``host`` and ``port``.
    """
    try:
        from hypercorn.config import Config
        from hypercorn.trio import serve as serve_hypercorn

        application, ends = _application(station)
    except ModuleNotFoundError as error:
        raise BenchError(f"the bench needs {error.name}: install statecharge[bench]") from error
    listener = _listen(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    if not ipaddress.ip_address(bound_host).is_loopback:
        LOGGER.warning("the bench listens on %s: everyone who reaches it controls the station", bound_host)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = None
    config.errorlog = LOGGER
    # Who asks lives in real time, however fast the station does.
    config.graceful_timeout = of_real_time(0.2)
    config.shutdown_timeout = of_real_time(0.2)
    config.startup_timeout = of_real_time(config.startup_timeout)
    config.keep_alive_timeout = of_real_time(config.keep_alive_timeout)
    url = f"http://[{bound_host}]:{bound_port}" if ":" in bound_host else f"http://{bound_host}:{bound_port}"
    async with trio.open_nursery() as nursery:
        guarded: Any = guard(application, {host.lower(), bound_host}, ipaddress.ip_address(bound_host))
        await nursery.start(serve_hypercorn, guarded, config)
        task_status.started(url)
        # Hypercorn would log a defect of ours and go on; raised here, it ends the process.
        async for end in ends:
            if end is not None:
                raise end
            station.power_cut()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket."""
    try:
        address = "127.0.0.1" if host.lower() == "localhost" else str(ipaddress.ip_address(host))
    except ValueError as error:
        raise BenchError(f"bench host {host!r}: must be localhost or an IP address") from error
    if not 0 <= port <= 65535:
        raise BenchError(f"bench port {port}: must be 0 to 65535")
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise BenchError(f"bench: cannot listen on {address} port {port}: {error.strerror}") from error
    return listener


PATHS: Mapping[str, type[Struct]] = {
    "/connectors/0/fault": FaultBody,
    "/connectors/0/clear-fault": FaultCode,
    **{f"/connectors/{{number}}/{name}": stimulus.body for name, stimulus in STIMULI.items()},
    "/swipe": Swipe,
    "/data-transfer": DataTransfer,
    "/link/up": Nothing,
    "/link/down": Nothing,
    "/power-cut": PowerCut,
}
"""What can be asked for with POST, and the body that each takes. GET is for ``/health`` and ``/state``."""


# Starlette


def _application(station: BenchStation) -> "tuple[Starlette, trio.MemoryReceiveChannel[Exception | None]]":
    """The routes of the bench; and what ends it: a defect found by using them, or None for a power cut."""
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.responses import Response
    from starlette.routing import Route

    send_end, receive_end = trio.open_memory_channel[Exception | None](0)

    def answer(status: int, content: object) -> Response:
        return Response(msgspec.json.encode(content), status, media_type="application/json")

    async def health(_: "Request") -> Response:
        return answer(200, {"status": "ok"})

    async def state(_: "Request") -> Response:
        return answer(200, station.snapshot())

    def stimulate(stimulus: Stimulus) -> Callable[["Request"], Awaitable[Response]]:
        async def handler(request: "Request") -> Response:
            body = await read_body(request)
            connector = connector_of(station, request.path_params["number"])
            stimulus.act(connector, decode(body, stimulus.body))
            return answer(200, connector.state())

        return handler

    async def swipe(request: "Request") -> Response:
        swipe_card(station, decode(await read_body(request), Swipe))
        return answer(200, {"status": "ok"})

    async def station_fault(request: "Request") -> Response:
        body = decode(await read_body(request), FaultBody)
        await station.raise_fault(fault_of(body.error_code), body.info)
        return answer(200, {"status": "ok"})

    async def clear_station_fault(request: "Request") -> Response:
        body = decode(await read_body(request), FaultCode)
        await station.clear_fault(fault_of(body.error_code))
        return answer(200, {"status": "ok"})

    async def data_transfer(request: "Request") -> Response:
        body = decode(await read_body(request), DataTransfer)
        await station.send_data(DataTransferAsked(body.vendor_id, body.message_id, body.data))
        return answer(200, {"status": "ok"})

    def link(up: bool) -> Callable[["Request"], Awaitable[Response]]:
        async def handler(request: "Request") -> Response:
            decode(await read_body(request), Nothing)
            station.set_link(up)
            return answer(200, {"status": "ok"})

        return handler

    def ending(response: Response, end: Exception | None) -> Response:
        # A background task runs when the response has been sent.
        response.background = BackgroundTask(send_end.send, end)
        return response

    async def power_cut(request: "Request") -> Response:
        body = decode(await read_body(request), PowerCut)
        if body.seconds is not None:
            station.go_dark(body.seconds)
            return answer(200, {"status": "ok"})
        return ending(answer(200, {"status": "ok"}), None)

    async def on_refused(_: "Request", error: Exception) -> Response:
        assert isinstance(error, Refused)
        return answer(error.status, {"error": error.text})

    async def on_simulation_error(_: "Request", error: Exception) -> Response:
        return answer(409, {"error": str(error)})

    async def on_http(request: "Request", error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = answer(
            error.status_code, {"error": f"{request.method} {request.scope['path']}: {error.detail}"}
        )
        response.headers.update(error.headers or {})
        return response

    async def on_disconnect(_: "Request", _error: Exception) -> Response:
        return answer(400, {"error": "the client went away"})

    async def on_defect(_: "Request", error: Exception) -> Response:
        return ending(answer(500, {"error": "a defect of the station; it ends"}), error)

    routes = [
        Route("/health", health, methods=["GET"]),
        Route("/state", state, methods=["GET"]),
        Route("/connectors/0/fault", station_fault, methods=["POST"]),
        Route("/connectors/0/clear-fault", clear_station_fault, methods=["POST"]),
        *(
            Route(f"/connectors/{{number}}/{name}", stimulate(stimulus), methods=["POST"])
            for name, stimulus in STIMULI.items()
        ),
        Route("/swipe", swipe, methods=["POST"]),
        Route("/data-transfer", data_transfer, methods=["POST"]),
        Route("/link/up", link(up=True), methods=["POST"]),
        Route("/link/down", link(up=False), methods=["POST"]),
        Route("/power-cut", power_cut, methods=["POST"]),
    ]
    handlers: Any = {
        Refused: on_refused,
        SimulationError: on_simulation_error,
        HTTPException: on_http,
        ClientDisconnect: on_disconnect,
        Exception: on_defect,
    }
    return Starlette(routes=routes, exception_handlers=handlers), receive_end
