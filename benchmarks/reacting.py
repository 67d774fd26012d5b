"""Figures 5 and 6: how fast the station reacts, whatever goes on; and how it gets rid of a long queue."""

import shutil
from time import monotonic, sleep

from benchmarks.contenders import Stage
from benchmarks.measure import Program, memory
from benchmarks.report import Figure, times

MESSAGES = 12
"""Transaction messages of a session."""
SLOW_COMMIT_S = 0.1
FILLING_SPEED = 1000
PAUSE_S = 0.002
LOOK_S = 0.05


def reacting(
    stage: Stage, reactions: int, calls: int, cycles: int, offline_sessions: int
) -> tuple[Figure, Figure]:
    """From event to setpoint and from CALL to CALLRESULT, in peace and otherwise; then the queue is delivered."""
    rows = [["ms", "ours, median", "ours, p99", "peer, median", "peer, p99"]]
    ours, peer = stage.name("OURS"), stage.name("PEER")
    station, other = stage.ours(ours, speed=1, sample_s=3600), stage.peer(peer)
    stage.booted(ours, peer)
    rows.append(["event to setpoint", *_reactions(station, reactions), "", ""])
    rows.append(["event to setpoint, the disk hangs", *_reactions(station, reactions, stall=True), "", ""])
    rows.append(["GetConfiguration", *_calls(stage, ours, calls), *_calls(stage, peer, calls)])
    for program in (station, other):
        program.ask("plug")
    for identity in (ours, peer):
        stage.csms.ask("wait", identity=identity, action="StatusNotification", count=3)
    found = [times(stage.csms.ask("cycles", identity=name, times=cycles)["took_ns"]) for name in (ours, peer)]
    rows.append(["RemoteStartTransaction", *found[0], *found[1]])
    station.ask("stall", each_s=SLOW_COMMIT_S)
    row = f"GetConfiguration, every commit takes {SLOW_COMMIT_S * 1000:.0f} ms longer"
    rows.append([row, *_calls(stage, ours, calls), "", ""])
    found = [times(stage.csms.ask("cycles", identity=ours, times=max(3, cycles // 5))["took_ns"])]
    row = f"RemoteStartTransaction, every commit takes {SLOW_COMMIT_S * 1000:.0f} ms longer"
    rows.append([row, *found[0], "", ""])
    station.kill()
    other.kill()
    sixth = _queue(stage, rows, reactions, calls, cycles, offline_sessions)
    fifth = Figure(
        5,
        "Reaction",
        "event to setpoint unaffected by disk and queue",
        rows,
        "Event to setpoint: from the moment a driver reports a fault while a vehicle charges to the moment it is told"
        " to open the contactor, within the process. CALL to CALLRESULT is measured at the Central System.",
    )
    return fifth, sixth


def _reactions(station: Program, number: int, *, stall: bool = False, offline: bool = False) -> list[str]:
    return times(station.ask("react", times=number, stall=stall, offline=offline)["took_ns"])


def _calls(stage: Stage, identity: str, number: int) -> list[str]:
    asked = stage.csms.ask(
        "call", identity=identity, action="GetConfiguration", payload={}, times=number, pause_s=PAUSE_S
    )
    assert len(asked["answer"]["configurationKey"]) >= 16, asked["answer"]
    return times(asked["took_ns"])


def _starts(stage: Stage, station: Program, identity: str, number: int) -> list[str]:
    """Remote starts of vehicles that leave as soon as they charge."""
    took_ns = []
    start = {"connectorId": 1, "idTag": "REMOTE"}
    for _ in range(number):
        station.ask("arrive")
        asked = stage.csms.ask(
            "call", identity=identity, action="RemoteStartTransaction", payload=start, times=1, pause_s=0
        )
        assert asked["answer"] == {"status": "Accepted"}, asked["answer"]
        took_ns += asked["took_ns"]
        station.ask("leave")
    return times(took_ns)


def _queue(
    stage: Stage, rows: list[list[str]], reactions: int, calls: int, cycles: int, sessions: int
) -> Figure:
    """Fill a queue without a network; react with it; deliver it, once alone and once with CALLs meanwhile."""
    first, second = stage.name("OURS"), stage.name("OURS")
    filling = stage.ours(first, speed=FILLING_SPEED)
    stage.booted(first)
    at_boot = memory(filling.pid)
    stage.csms.ask("network", up=False)
    filling.ask("sessions", times=sessions, offline=True)
    queued = filling.ask("queued")["queued"]
    filled = memory(filling.pid)
    filling.end()
    shutil.copytree(stage.folder / first, stage.folder / second)
    station = stage.ours(second, speed=1, sample_s=3600)
    row = f"event to setpoint, {queued:,} messages queued, no network"
    rows.append([row, *_reactions(station, reactions, offline=True), "", ""])
    station.end()
    stage.csms.ask("network", up=True)
    station = stage.ours(second, speed=1, sample_s=3600)
    stage.csms.ask("wait", identity=second, action="MeterValues", count=1)
    row = f"GetConfiguration, {queued:,} messages queued and being delivered"
    rows.append([row, *_calls(stage, second, calls), "", ""])
    found = _starts(stage, station, second, cycles)
    left = station.ask("queued")["queued"]
    row = f"RemoteStartTransaction, {queued:,} messages queued, {left:,} of them still afterwards"
    rows.append([row, *found, "", ""])
    station.kill()
    alone = stage.ours(first, speed=1, sample_s=3600)
    most = 0.0
    stage.csms.ask("wait", identity=first, action="StartTransaction", count=1)
    before, began = alone.cpu_s(), monotonic()
    while alone.ask("queued")["queued"]:
        most = max(most, memory(alone.pid).rss)
        sleep(LOOK_S)
    cpu_s, took_s = alone.cpu_s() - before, monotonic() - began
    after = memory(alone.pid)
    alone.kill()
    delivered = [
        ["", "ours"],
        ["messages delivered", f"{queued:,}"],
        ["messages per CPU second", f"{queued / cpu_s:,.0f}"],
        ["messages per second", f"{queued / took_s:,.0f}"],
        ["RSS at boot, MB", f"{at_boot.rss:.1f}"],
        ["RSS when all are queued, MB", f"{filled.rss:.1f}"],
        ["RSS while they are delivered, at most, MB", f"{most:.1f}"],
        ["RSS afterwards, MB", f"{after.rss:.1f}"],
    ]
    return Figure(
        6,
        "Offline queue",
        "bounded memory",
        delivered,
        "Sessions without a network, then it is back. The peer keeps nothing: there is nobody to compare with.",
    )
