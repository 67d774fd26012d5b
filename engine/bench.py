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
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NoReturn, Protocol, TypeVar

import msgspec
import trio
from msgspec import Meta, Struct

from drivers.simulated import SimulatedConnector, SimulatedReader, SimulationError
from engine.speed import of_real_time
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.wire import DataTransferAsked

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

LOGGER = logging.getLogger(__name__)

BODY_SIZE_MAX = 64 * 1024
"""Bytes of a request body; a longer one is answered 413."""
BODY_DRAIN_MAX = 1024 * 1024
"""Bytes of a body too long that are still read, so that the sender gets to see the answer."""

FAULTS: Mapping[str, HardwareFault] = {
    "ConnectorLockFailure": HardwareFault.LOCK,
    "EVCommunicationError": HardwareFault.PILOT,
    "GroundFailure": HardwareFault.GROUND,
    "HighTemperature": HardwareFault.TEMPERATURE,
    "InternalError": HardwareFault.INTERNAL,
    "OtherError": HardwareFault.OTHER,
    "OverCurrentFailure": HardwareFault.OVER_CURRENT,
    "OverVoltage": HardwareFault.OVER_VOLTAGE,
    "PowerMeterFailure": HardwareFault.METER,
    "PowerSwitchFailure": HardwareFault.CONTACTOR,
    "ReaderFailure": HardwareFault.READER,
    "ResetFailure": HardwareFault.RESET,
    "UnderVoltage": HardwareFault.UNDER_VOLTAGE,
    "WeakSignal": HardwareFault.SIGNAL,
}
"""The faults that a board can have, by ChargePointErrorCode (OCPP 1.6, 7.6)."""


class BenchError(Exception):
    """The bench cannot be served; the text is one line for the user."""


class BenchStation(Protocol):
    """What the bench needs of a running station. What is awaited waits while the inbox is full."""

    @property
    def connectors(self) -> Mapping[int, SimulatedConnector]:
        """The simulated connectors, by number from 1."""

    @property
    def reader(self) -> SimulatedReader:
        """The simulated card reader."""

    def snapshot(self) -> Struct:
        """The state of the station, for people; anything that msgspec encodes."""

    def set_link(self, up: bool) -> None:
        """Cut the network to the Central System, or restore it. Setting it as it is changes nothing."""

    async def send_data(self, asked: DataTransferAsked) -> None:
        """Have DataTransfer sent; what is answered shows in the snapshot."""

    async def raise_fault(self, fault: HardwareFault, info: str) -> None:
        """Let a fault of the station itself, connector 0, appear."""

    async def clear_fault(self, fault: HardwareFault) -> None:
        """Let it go. Raises SimulationError if it does not stand."""

    def go_dark(self, seconds: float) -> None:
        """Take the power away for so long; what is plugged in stays. Raises SimulationError if there is none."""

    def power_cut(self) -> None:
        """End at once as by a power cut; see ``kill_this_process``."""


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
        guarded: Any = _guard(application, {host.lower(), bound_host}, ipaddress.ip_address(bound_host))
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


# Bodies


class _Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No field at all; the body may also be empty."""


class _Stop(Struct, frozen=True, forbid_unknown_fields=True):
    emergency: bool = False


class _Unplug(Struct, frozen=True, forbid_unknown_fields=True):
    side: Literal["both", "vehicle", "station"] = "both"


class _Fault(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    error_code: str
    info: Annotated[str, Meta(max_length=50)] = ""


class _FaultCode(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    error_code: str


class _Silence(Struct, frozen=True, forbid_unknown_fields=True):
    silent: bool


class _Swipe(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    id_tag: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[ -~]+\Z")]
    connectors: Annotated[tuple[int, ...], Meta(min_length=1, max_length=100)] | None = None


class _PowerCut(Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    """Without it the process is killed; somebody has to start it again."""


class _DataTransfer(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    vendor_id: Annotated[str, Meta(min_length=1, max_length=255)]
    message_id: Annotated[str, Meta(max_length=50)] | None = None
    data: Annotated[str, Meta(max_length=50_000)] | None = None


class _Refused(Exception):  # noqa: N818 - the name of the fact
    """The request is answered with this status and text, and nothing was changed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def _fault(code: str) -> HardwareFault:
    if code not in FAULTS:
        raise _Refused(422, f"errorCode {code!r}: must be one of {', '.join(FAULTS)}")
    return FAULTS[code]


def _connector(station: BenchStation, number: str) -> SimulatedConnector:
    # Compared as text, since a path may hold more digits than Python converts.
    for known, connector in station.connectors.items():
        if str(known) == number:
            return connector
    numbers = ", ".join(map(str, station.connectors))
    raise _Refused(404, f"connector {number[:20]}: the station has {numbers}")


def _swipe(station: BenchStation, body: _Swipe) -> None:
    for number in body.connectors or ():
        _connector(station, str(number))
    station.reader.swipe(body.id_tag, body.connectors)


class _Stimulus(NamedTuple):
    """What a path under ``/connectors/{number}`` does, and the body it takes."""

    body: type[Struct]
    act: Callable[[SimulatedConnector, Any], None]


_STIMULI: Mapping[str, _Stimulus] = {
    "plug-in": _Stimulus(_Nothing, lambda connector, _: connector.plug_in()),
    "unplug": _Stimulus(_Unplug, lambda connector, body: connector.unplug(body.side)),
    "pause": _Stimulus(_Nothing, lambda connector, _: connector.pause()),
    "resume": _Stimulus(_Nothing, lambda connector, _: connector.resume()),
    "fault": _Stimulus(
        _Fault, lambda connector, body: connector.raise_fault(_fault(body.error_code), body.info)
    ),
    "clear-fault": _Stimulus(
        _FaultCode, lambda connector, body: connector.clear_fault(_fault(body.error_code))
    ),
    "lock-failure": _Stimulus(_Nothing, lambda connector, _: connector.lock_failure()),
    "fail-power": _Stimulus(_Nothing, lambda connector, _: connector.fail_power()),
    "stop": _Stimulus(_Stop, lambda connector, body: connector.press_stop(is_emergency=body.emergency)),
    "lock-repair": _Stimulus(_Nothing, lambda connector, _: connector.lock_repair()),
    "pilot-failure": _Stimulus(_Nothing, lambda connector, _: connector.pilot_failure()),
    "pilot-repair": _Stimulus(_Nothing, lambda connector, _: connector.pilot_repair()),
    "meter-silence": _Stimulus(_Silence, lambda connector, body: connector.meter_silence(body.silent)),
}

PATHS: Mapping[str, type[Struct]] = {
    "/connectors/0/fault": _Fault,
    "/connectors/0/clear-fault": _FaultCode,
    **{f"/connectors/{{number}}/{name}": stimulus.body for name, stimulus in _STIMULI.items()},
    "/swipe": _Swipe,
    "/data-transfer": _DataTransfer,
    "/link/up": _Nothing,
    "/link/down": _Nothing,
    "/power-cut": _PowerCut,
}
"""What can be asked for with POST, and the body that each takes. GET is for ``/health`` and ``/state``."""

_Body = TypeVar("_Body", bound=Struct)


async def _read(request: "Request") -> bytes:
    """The body of the request."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= BODY_SIZE_MAX:
            body += chunk
        elif size > BODY_DRAIN_MAX:
            break
    if size > BODY_SIZE_MAX:
        raise _Refused(413, f"body: must be at most {BODY_SIZE_MAX} bytes")
    return bytes(body)


def _decode(body: bytes, body_type: type[_Body]) -> _Body:
    """The body as a struct, strictly; an empty one as one without fields."""
    try:
        return msgspec.json.decode(body or b"{}", type=body_type)
    except msgspec.ValidationError as error:
        raise _Refused(422, f"body: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Refused(400, f"body: {error}") from error


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

    def stimulate(stimulus: _Stimulus) -> Callable[["Request"], Awaitable[Response]]:
        async def handler(request: "Request") -> Response:
            body = await _read(request)
            connector = _connector(station, request.path_params["number"])
            stimulus.act(connector, _decode(body, stimulus.body))
            return answer(200, connector.state())

        return handler

    async def swipe(request: "Request") -> Response:
        _swipe(station, _decode(await _read(request), _Swipe))
        return answer(200, {"status": "ok"})

    async def station_fault(request: "Request") -> Response:
        body = _decode(await _read(request), _Fault)
        await station.raise_fault(_fault(body.error_code), body.info)
        return answer(200, {"status": "ok"})

    async def clear_station_fault(request: "Request") -> Response:
        body = _decode(await _read(request), _FaultCode)
        await station.clear_fault(_fault(body.error_code))
        return answer(200, {"status": "ok"})

    async def data_transfer(request: "Request") -> Response:
        body = _decode(await _read(request), _DataTransfer)
        await station.send_data(DataTransferAsked(body.vendor_id, body.message_id, body.data))
        return answer(200, {"status": "ok"})

    def link(up: bool) -> Callable[["Request"], Awaitable[Response]]:
        async def handler(request: "Request") -> Response:
            _decode(await _read(request), _Nothing)
            station.set_link(up)
            return answer(200, {"status": "ok"})

        return handler

    def ending(response: Response, end: Exception | None) -> Response:
        # A background task runs when the response has been sent.
        response.background = BackgroundTask(send_end.send, end)
        return response

    async def power_cut(request: "Request") -> Response:
        body = _decode(await _read(request), _PowerCut)
        if body.seconds is not None:
            station.go_dark(body.seconds)
            return answer(200, {"status": "ok"})
        return ending(answer(200, {"status": "ok"}), None)

    async def on_refused(_: "Request", error: Exception) -> Response:
        assert isinstance(error, _Refused)
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
            for name, stimulus in _STIMULI.items()
        ),
        Route("/swipe", swipe, methods=["POST"]),
        Route("/data-transfer", data_transfer, methods=["POST"]),
        Route("/link/up", link(up=True), methods=["POST"]),
        Route("/link/down", link(up=False), methods=["POST"]),
        Route("/power-cut", power_cut, methods=["POST"]),
    ]
    handlers: Any = {
        _Refused: on_refused,
        SimulationError: on_simulation_error,
        HTTPException: on_http,
        ClientDisconnect: on_disconnect,
        Exception: on_defect,
    }
    return Starlette(routes=routes, exception_handlers=handlers), receive_end


# Who may ask


def _guard(
    application: "ASGIApp",
    hosts: set[str],
    bound: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> "ASGIApp":
    """``application`` for requests that were really meant for this server."""

    async def guarded(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http" and (why := _why_foreign(scope["headers"], hosts, bound)):
            content = msgspec.json.encode({"error": why})
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": content})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await application(scope, receive, send)

    return guarded


def _why_foreign(
    headers: list[tuple[bytes, bytes]],
    hosts: set[str],
    bound: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> str:
    """Why a request with these headers is refused; empty if it is not."""
    host = b"".join(value for name, value in headers if name == b"host").decode("latin-1").lower()
    origins = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
    if not _is_ours(host, hosts, bound):
        return f"Host {host!r}: must be loopback or the address of the bench"
    if any(origin != f"http://{host}" for origin in origins):
        return f"Origin {origins[0]!r}: must be that of the bench"
    return ""


def _is_ours(host: str, hosts: set[str], bound: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether a Host header names this server.

    A name can be made to point anywhere, an address cannot: a server on all addresses takes any address.
    """
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost" or name in hosts:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or bound.is_unspecified
