"""The two processes that talk to each other, as a test sees them."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.peers.processes import Program, program


class CentralSystem:
    """tests/peers/central_system.py as a process. What it finds wrong fails the test that waits, at once.

    Args:
        running: The process.
        port: Where it listens.
    """

    def __init__(self, running: Program, port: int) -> None:
        self.program = running
        self.port = port
        self._start = 0
        self._seen: dict[tuple[str, str], int] = {}
        """How far each kind of event has been waited for: a status may come before or after a StopTransaction."""

    @property
    def url(self) -> str:
        """For the station, without its identity."""
        return f"ws://127.0.0.1:{self.port}/ocpp"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything so far."""
        return [json.loads(line) for line in self.program.out.all]

    @property
    def violations(self) -> list[dict[str, Any]]:
        """What was against a schema or the format of the frames."""
        return [event for event in self.events if event["event"] == "violation"]

    def calls(self, action: str) -> list[dict[str, Any]]:
        """The payloads of every CALL of the station with ``action``, in order."""
        return [e["payload"] for e in self.events if e["event"] == "call" and e["action"] == action]

    async def _find(self, start: int, event: str, members: dict[str, Any]) -> int:
        def matches(line: str) -> bool:
            found = json.loads(line)
            assert found["event"] != "violation", found["what"]
            return found["event"] == event and all(
                found.get(name) == value for name, value in members.items()
            )

        return await self.program.out.until(matches, start)

    def forget(self) -> None:
        """From now on wait only for what is still to come."""
        self._start = len(self.program.out.all)
        self._seen.clear()

    async def until(self, event: str, **members: Any) -> dict[str, Any]:
        """Wait for an event after the last of its kind that was waited for."""
        kind = (event, members.get("action", ""))
        number = await self._find(self._seen.get(kind, self._start), event, members)
        self._seen[kind] = number + 1
        return self.events[number]

    async def until_call(self, action: str, **members: Any) -> dict[str, Any]:
        """Wait for a CALL of the station, after the last one with ``action`` waited for; return its payload."""
        while True:
            payload: dict[str, Any] = (await self.until("call", action=action))["payload"]
            if all(payload.get(name) == value for name, value in members.items()):
                return payload

    async def until_status(self, status: str, connector: int = 1) -> None:
        """Wait for a status report."""
        await self.until_call("StatusNotification", connectorId=connector, status=status)

    async def until_available(self) -> None:
        """Wait until the station has booted and told how its only connector is."""
        await self.until("connected")
        await self.until_call("BootNotification")
        await self.until_status("Available")

    async def _command(self, **command: Any) -> None:
        await self.program.send_line(json.dumps(command))

    async def call(self, action: str, **payload: Any) -> dict[str, Any]:
        """Send a CALL; wait for the answer. What the station sends meanwhile may still be waited for."""
        call_id, start = str(uuid4()), len(self.program.out.all)
        await self._command(call=action, payload=payload, id=call_id)
        number = await self._find(start, "answer", {"id": call_id})
        answer: dict[str, Any] = self.events[number]["payload"]
        return answer

    async def answer(self, action: str, payload: dict[str, Any] | None) -> None:
        """Have CALLs with ``action`` answered so from now on; None is no answer at all."""
        await self._command(answer={"action": action, "payload": payload})

    async def drop(self) -> None:
        """Close the connection."""
        await self._command(drop=True)

    async def send_text(self, text: str) -> None:
        """Send a text frame, whatever is in it."""
        await self._command(send_text=text)

    async def send_bytes(self, content: bytes) -> None:
        """Send a binary frame."""
        await self._command(send_bytes_hex=content.hex())

    async def send_spaces(self, size: int) -> None:
        """Send a text frame of ``size`` bytes."""
        await self._command(send_spaces=size)


@asynccontextmanager
async def central_system(port: int = 0) -> AsyncIterator[CentralSystem]:
    """A Central System that can be dialled at once; at the end it must have found nothing wrong."""
    # Made here, so that a station may start while the Central System still does.
    with socket.create_server(("127.0.0.1", port)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        main = Path(__file__).with_name("central_system.py")
        async with program(main, "--fd", str(fd), pass_fds=(fd,)) as running:
            listener.close()
            served = CentralSystem(running, port)
            yield served
            assert not served.violations, served.violations
            assert not running.err.all, "\n".join(running.err.all)


class Station:
    """A station as a process, with its bench."""

    def __init__(self, running: Program, bench: httpx.AsyncClient) -> None:
        self.program = running
        self._bench = bench

    async def post(self, path: str, **body: Any) -> Any:
        """Do something to the hardware."""
        answered = await self._bench.post(path, json=body)
        assert answered.status_code == 200, answered.text
        return answered.json()

    async def plug_in(self) -> None:
        """Connect a vehicle."""
        await self.post("/connectors/1/plug-in")

    async def unplug(self) -> None:
        """Take the cable out at both ends."""
        await self.post("/connectors/1/unplug")

    async def swipe(self, card: str = "CARD") -> None:
        """Show a card."""
        await self.post("/swipe", idTag=card)

    async def state(self) -> dict[str, Any]:
        """The state of the station."""
        state: dict[str, Any] = (await self._bench.get("/state")).json()
        return state

    async def until_transition(self, machine: str, source: str, target: str, start: int = 0) -> None:
        """Wait until the log tells, from line ``start`` on, that a machine went from one state to another."""

        def matches(line: str) -> bool:
            if not line.startswith("{"):
                return False
            noted = json.loads(line)
            found = (noted.get("machine"), noted.get("from"), noted.get("to"))
            return found == (machine, source, target)

        await self.program.err.until(matches, start)

    async def until_delivered(self, action: str) -> None:
        """Wait until a CALL was sent and answered, and no transaction message is left."""
        sent = await self.program.err.until(lambda line: f'\\"{action}\\"' in line)
        await self.until_transition("delivery", "sending", "idle", sent)

    async def begin_charging(self, csms: CentralSystem, card: str = "CARD") -> int:
        """Plug in, show a card, wait until energy flows; return the transactionId."""
        await self.plug_in()
        await csms.until_status("Preparing")
        await self.swipe(card)
        await csms.until_status("Charging")
        number = await self.program.err.until(lambda line: '"message":"StartSettled"' in line)
        assert "transaction/1" in self.program.err.all[number]
        state = await self.state()
        transaction_id: int = state["machines"]["transaction/1"]["data"]["transaction_id"]
        return transaction_id


def station_command(url: str, state: Path, file: str | Path) -> list[str | Path]:
    """The arguments for a station with its bench on a free port."""
    return [
        *("-m", "engine.cli", "run", file, "--csms", url, "--state-dir", state),
        *("--bench", "127.0.0.1:0", "--log", "json"),
    ]


@asynccontextmanager
async def station(url: str, state: Path, file: str | Path) -> AsyncIterator[Station]:
    """A running station with its bench, killed at the end."""
    async with program(*station_command(url, state, file)) as running:
        number = await running.err.until(lambda line: '"bench listening"' in line)
        url = json.loads(running.err.all[number])["url"]
        async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as bench:
            yield Station(running, bench)
        printed = "\n".join(running.err.all)
        assert "Traceback" not in printed, printed
