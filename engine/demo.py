"""Three charging sessions with an embedded Central System on loopback, on a virtual clock.

The station is the declared one with its simulated hardware, the network is real sockets, and the clock jumps ahead
whenever nothing is to be done, so that hours take seconds. At the end three ledgers must agree: what the Central
System was told, what the station has on record, and what went through the meter.
"""

import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import trio
from trio.testing import MockClock

from drivers.simulated import SimulatedConnector, SimulatedReader
from engine.csms import Csms
from engine.csms_book import Entry
from engine.declaration.station import Station
from engine.devices import devices_of
from engine.diagrams import DiagramError, export
from engine.process import StationProcess, at
from engine.run import RunningStation
from engine.store import Store

BEGIN = datetime(2026, 1, 1, 8, tzinfo=UTC)
JUMP_AFTER_S = 0.02
"""Real time without anything to do after which the clock jumps: many times what loopback takes."""
CARD = "04A1B2C3D4E5F6"
CALL = 2
"""Kind of frame."""


def play(station: Station, out: Path, text: TextIO) -> int:
    """Play the sessions, tell them on ``text``, draw the machines into ``out``; return the exit code.

    Raises:
        DeviceError, DiagramError: The demonstration cannot be played with this declaration.
    """
    clock = MockClock(autojump_threshold=JUMP_AFTER_S)
    balanced: bool = trio.run(_play, station, text, clock=clock)
    drawn = export((), "mermaid", out) + export((), "md", out)
    try:
        drawn += export((), "svg", out)
    except DiagramError as error:
        print(f"No SVG: {error}", file=text)
    print(f"\n{len(drawn)} diagrams and tables in {out}/", file=text)
    return 0 if balanced else 1


class _Stage:
    """What the sessions are played on, and the one who tells of it."""

    def __init__(self, csms: Csms, process: StationProcess, text: TextIO, began: float) -> None:
        self.csms = csms
        self.process = process
        self.connector: SimulatedConnector = process.connectors[1]
        self.reader: SimulatedReader = process.reader
        self._text = text
        self._began = began
        self._seen = 0
        self._told = 0

    def act(self, what: str, action: Callable[[], object]) -> None:
        """Do something to the hardware, and tell it in its place."""
        self.tell()
        now = BEGIN + timedelta(seconds=trio.current_time() - self._began)
        print(f"{now:%H:%M:%S}  * {what}", file=self._text)
        action()

    def tell(self) -> None:
        """Print what has not been printed yet."""
        self._told = _tell(self.csms.transcript, self._told, self._text)

    async def until(self, action: str, **members: object) -> Entry:
        """Wait for a CALL of the station after the one waited for last."""
        entry = await self.csms.wait_for_request(action, start=self._seen, **members)
        self._seen = self.csms.transcript.index(entry) + 1
        return entry

    async def until_status(self, status: str) -> None:
        """Wait for connector 1 to be reported so."""
        await self.until("StatusNotification", connectorId=1, status=status)

    def swipe(self) -> None:
        """Show the card."""
        self.act(f"card {CARD} is shown", lambda: self.reader.swipe(CARD))

    def cut(self, *, is_cut: bool) -> None:
        """Cut the link, or restore it."""
        what = "the link is cut" if is_cut else "the link is restored"
        self.act(what, lambda: self.process.set_link(not is_cut))


async def _plug_first(stage: _Stage) -> None:
    stage.act("a vehicle is plugged in", stage.connector.plug_in)
    await stage.until_status("Preparing")
    await trio.sleep(8)
    stage.swipe()
    await stage.until_status("Charging")
    await trio.sleep(20 * 60)
    stage.swipe()
    await stage.until("StopTransaction")
    await trio.sleep(5)
    stage.act("it is unplugged", stage.connector.unplug)
    await stage.until_status("Available")


async def _card_first(stage: _Stage) -> None:
    await trio.sleep(30)
    stage.swipe()
    await stage.until_status("Preparing")
    await trio.sleep(12)
    stage.act("a vehicle is plugged in", stage.connector.plug_in)
    await stage.until_status("Charging")
    await trio.sleep(4 * 60)
    stage.act("it pauses", stage.connector.pause)
    await stage.until_status("SuspendedEV")
    await trio.sleep(2 * 60)
    stage.act("it goes on", stage.connector.resume)
    await stage.until_status("Charging")
    await trio.sleep(4 * 60)
    stage.act("it is unplugged", stage.connector.unplug)
    await stage.until_status("Available")


async def _link_cut(stage: _Stage) -> None:
    await trio.sleep(30)
    stage.act("a vehicle is plugged in", stage.connector.plug_in)
    await stage.until_status("Preparing")
    stage.swipe()
    await stage.until_status("Charging")
    await trio.sleep(5 * 60)
    stage.cut(is_cut=True)
    await trio.sleep(10 * 60)
    stage.swipe()
    await trio.sleep(10)
    stage.act("it is unplugged", stage.connector.unplug)
    await trio.sleep(5 * 60)
    stage.cut(is_cut=False)
    await stage.until("StopTransaction")


SESSIONS: tuple[tuple[str, Callable[[_Stage], Awaitable[None]]], ...] = (
    ("Session 1: the cable first", _plug_first),
    ("Session 2: the card first; the vehicle pauses, and is unplugged", _card_first),
    ("Session 3: the link is cut in the middle, and the session ends offline", _link_cut),
)


async def _play(station: Station, text: TextIO) -> bool:
    began = trio.current_time()

    def now() -> datetime:
        return BEGIN + timedelta(seconds=trio.current_time() - began)

    csms = Csms(now)
    with tempfile.TemporaryDirectory() as directory:
        async with trio.open_nursery() as nursery:
            port: int = await nursery.start(csms.serve_tcp, "127.0.0.1", 0)
            here = at(station, f"ws://127.0.0.1:{port}/ocpp", None)
            devices = devices_of(here)
            store = Store(Path(directory))

            def begin(*parts: Any) -> RunningStation:
                return RunningStation(*parts, commit_in_thread=False, system_utc=BEGIN.timestamp(), seed=0)

            process = StationProcess(here, devices, store, begin)
            nursery.start_soon(process.run)
            stage = _Stage(csms, process, text, began)
            print(f"{here.csms.identity} boots and registers", file=text)
            await stage.until_status("Available")
            await trio.sleep(1)
            for title, session in SESSIONS:
                stage.tell()
                print(f"\n{title}", file=text)
                await session(stage)
                await trio.sleep(1)
            stage.tell()
            balanced = _balance(csms, store, stage.connector, text)
            nursery.cancel_scope.cancel()
        store.close()
    return balanced


def _tell(transcript: list[Entry], start: int, text: TextIO) -> int:
    """Print the frames from ``start`` on; return where the next are.

    Samples are counted, and answers that say nothing are left out.
    """
    samples: list[Entry] = []
    for entry in transcript[start:]:
        if entry.action == "MeterValues":
            samples += [entry] if entry.kind == CALL else []
            continue
        if entry.kind != CALL and not entry.payload:
            continue
        _tell_samples(samples, text)
        arrow = "station --> CSMS" if entry.direction == "received" else "station <-- CSMS"
        name = entry.action if entry.kind == CALL else f"  {entry.action}.conf"
        print(f"{entry.time:%H:%M:%S}  {arrow}  {name:24} {_brief(entry.payload)}".rstrip(), file=text)
    _tell_samples(samples, text)
    return len(transcript)


def _tell_samples(samples: list[Entry], text: TextIO) -> None:
    if samples:
        values = samples[-1].payload["meterValue"][0]["sampledValue"]
        last = ", ".join(f"{one['value']} {one.get('unit', '')}".strip() for one in values[:2])
        print(f"          station --> CSMS  MeterValues x {len(samples):<10} the last: {last}", file=text)
        samples.clear()


def _brief(payload: dict[str, Any]) -> str:
    """A payload in a few words."""
    parts = []
    for name, value in payload.items():
        if name in {"timestamp", "currentTime"} or value == "NoError":
            continue
        parts.append(f"{name}={value['status'] if isinstance(value, dict) and 'status' in value else value}")
    return " ".join(parts)


def _balance(csms: Csms, store: Store, connector: SimulatedConnector, text: TextIO) -> bool:
    """Print the energy ledger; return whether its three views agree."""
    print("\nEnergy ledger (Wh)", file=text)
    print("transaction  idTag           start    stop  energy  reason          station", file=text)
    own = {charging.transaction_id: charging for charging in store.ledger()}
    agree = True
    total = 0
    for transaction_id, transaction in csms.ledger.items():
        charging, energy = own.get(transaction_id), transaction.energy_wh
        stopped = transaction.stopped
        same = (
            charging is not None
            and stopped is not None
            and (charging.meter_start, charging.meter_stop)
            == (transaction.started.meter_start, stopped.meter_stop)
        )
        agree = agree and same and transaction.repeats == 0
        total += energy or 0
        print(
            f"{transaction_id:11}  {transaction.started.id_tag:14} {transaction.started.meter_start:6} "
            f"{stopped.meter_stop if stopped else '-':>7} {energy if energy is not None else '-':>7}  "
            f"{transaction.reason or '-':15} {'the same' if same else 'DIFFERS'}",
            file=text,
        )
    metered = connector.register_wh - connector.settings.meter_start_wh
    # Registers are whole Wh, so each transaction may hide less than one.
    agree = agree and abs(metered - total) < len(csms.ledger) and len(own) == len(csms.ledger)
    verdict = "balanced" if agree else "NOT BALANCED"
    print(f"billed {total} Wh, metered {metered:.1f} Wh: {verdict}", file=text)
    return agree
