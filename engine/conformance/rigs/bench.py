"""The rig of a simulated station: its bench (``engine/bench.py``), over HTTP.

A power cut lasts as long as it should, and what is plugged in stays. While nobody listens at the bench, a stimulus
waits for :data:`BACK_S`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import trio

from engine.conformance.rig import CannotError, RigError
from engine.conformance.stimuli import (
    KINDS,
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PlugIn,
    PressStop,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Stimulus,
    Swipe,
    Unplug,
    kind_name,
)
from engine.speed import of_real_time

if TYPE_CHECKING:
    import httpx

BACK_S = 60
"""How long a station that has no power may take to be there again, in real seconds."""
ANSWER_S = 20
"""How long the bench may take to answer, in real seconds."""
LOOK_S = 0.02
"""Between two looks whether the bench is there, in real seconds."""

Request = tuple[str, dict[str, Any]]
"""Path and body of a POST."""


def check_url(url: str) -> None:
    """Raise RigError unless ``url`` is the URL of a bench, such as ``http://127.0.0.1:8080``."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise RigError(f"bench {url!r}: must be a URL such as http://127.0.0.1:8080")


@asynccontextmanager
async def open_bench(url: str) -> AsyncIterator["BenchRig"]:
    """The bench at ``url``, once it answers.

    Raises:
        RigError: It does not, within :data:`BACK_S`; or httpx is not installed.
    """
    try:
        import httpx
    except ModuleNotFoundError as error:
        raise RigError(f"the bench needs {error.name}: install statecharge[conformance]") from error
    # A connection that is kept would be that of a process which a power cut has killed.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=url.rstrip("/"), timeout=of_real_time(ANSWER_S), trust_env=False, limits=limits
    ) as client:
        rig = BenchRig(client)
        await rig.wait_there()
        yield rig


class BenchRig:
    """Implements ``engine.conformance.rig.Rig``; opened by :func:`open_bench`.

    Args:
        client: With the URL of the bench.
    """

    def __init__(self, client: "httpx.AsyncClient") -> None:
        self._client = client

    def can(self, kind: type[Stimulus]) -> bool:
        """Everything there is."""
        return kind in KINDS

    async def do(self, stimulus: Stimulus) -> None:
        """POST it; of a power cut, return when the power is back."""
        path, body = request_of(stimulus)
        await self._send("POST", path, body)
        if isinstance(stimulus, CutPower):
            await trio.sleep(stimulus.seconds)

    async def is_locked(self, connector: int) -> bool | None:
        """The position of the simulated lock."""
        locked: bool | None = await self._look(connector, "locked")
        return locked

    async def has_energy(self, connector: int) -> bool | None:
        """The feedback of the simulated contactor."""
        closed: bool | None = await self._look(connector, "contactor")
        return closed

    async def register_wh(self, connector: int) -> float | None:
        """The register of the simulated meter."""
        register: float | None = await self._look(connector, "register_wh")
        return register

    async def wait_there(self) -> None:
        """Wait until the bench answers.

        Raises:
            RigError: It does not, within :data:`BACK_S`.
        """
        import httpx

        with trio.move_on_after(of_real_time(BACK_S)):
            while True:
                try:
                    await self._client.get("/health")
                except httpx.TransportError:
                    await trio.sleep(of_real_time(LOOK_S))
                else:
                    return
        raise RigError(f"the bench at {self._client.base_url} does not answer ({BACK_S} s)")

    async def _look(self, connector: int, member: str) -> Any:
        """What ``/state`` says of the hardware; None if it does not."""
        state = await self._send("GET", "/state")
        try:
            return state["hardware"][str(connector)][member]
        except (KeyError, TypeError):
            return None

    async def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request, as soon as somebody listens; return what is answered."""
        import httpx

        try:
            try:
                response = await self._client.request(method, path, json=body)
            except httpx.ConnectError:
                await self.wait_there()
                response = await self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise RigError(f"{path} of the bench: {str(error) or type(error).__name__}") from error
        try:
            answered = msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise RigError(f"{path} of the bench: status {response.status_code} and no JSON") from error
        if response.status_code in (404, 501):
            raise CannotError(f"{path}: {_error(answered)}")
        if response.status_code != 200:
            raise RigError(f"{path}: {_error(answered)}")
        return answered


def _error(answered: Any) -> str:
    return str(answered.get("error", answered)) if isinstance(answered, dict) else str(answered)


def request_of(stimulus: Stimulus) -> Request:
    """The request of the bench that gives ``stimulus``."""
    match stimulus:
        case PlugIn() | Pause() | Resume() | JamLock() | FreeLock() | FailPilot() | RepairPilot():
            return _at(stimulus.connector, stimulus), {}
        case Unplug(connector=number, side=side):
            return _at(number, stimulus), {"side": side}
        case PressStop(connector=number, emergency=is_emergency):
            return _at(number, stimulus), {"emergency": is_emergency}
        case RaiseFault(connector=number, error_code=code, info=info):
            return _at(number, stimulus), {"errorCode": code.value, "info": info}
        case ClearFault(connector=number, error_code=code):
            return _at(number, stimulus), {"errorCode": code.value}
        case SilenceMeter(connector=number, silent=is_silent):
            return _at(number, stimulus), {"silent": is_silent}
        case FailPower():
            return _at(1, stimulus), {}
        case Swipe(id_tag=id_tag, connector=number):
            connectors = {} if number is None else {"connectors": [number]}
            return "/swipe", {"idTag": id_tag, **connectors}
        case SendData(vendor_id=vendor, message_id=message, data=data):
            members = {"vendorId": vendor, "messageId": message, "data": data}
            return "/data-transfer", {name: value for name, value in members.items() if value is not None}
        case CutLink():
            return "/link/down", {}
        case RestoreLink():
            return "/link/up", {}
        case CutPower(seconds=seconds):
            return "/power-cut", {"seconds": seconds}
        case _:
            raise CannotError(f"the bench knows no {kind_name(type(stimulus))}")


def _at(connector: int, stimulus: Stimulus) -> str:
    return f"/connectors/{connector}/{kind_name(type(stimulus))}"
