"""Figures 2, 3 and 4: memory, idle and charging CPU, and sessions per CPU second."""

from time import sleep
from typing import Any

from benchmarks.contenders import SPEED, Stage
from benchmarks.measure import Memory, Program, memory, wake_ups
from benchmarks.report import Figure, compared, ratio, shown

PER_SESSION = {
    "Authorize": 1,
    "StatusNotification": 4,
    "StartTransaction": 1,
    "MeterValues": 10,
    "StopTransaction": 1,
}
VALUES = {"MeterValues": 80, "StopTransaction": 96}
LATE_MAX = 0.05
"""Part of the samples that may be too many."""
SETTLE_S = 3.0
CHARGING_SAMPLE_S = 10


def sessions(stage: Stage, rounds: int, each: int, each_logged: int) -> tuple[Figure, Figure]:
    """Charging sessions in turns; the memory before and after."""
    names = {who: stage.name(who.upper()) for who in ("ours", "peer", "floor", "diskless", "bare")}
    programs = {
        "ours": stage.ours(names["ours"]),
        "peer": stage.peer(names["peer"]),
        "floor": stage.floor(names["floor"]),
        "diskless": stage.floor(names["diskless"], keeps=False),
        "bare": stage.floor(names["bare"], keeps=False, is_bare=True),
    }
    stage.booted(*names.values())
    held: dict[str, list[Memory]] = {who: [] for who in programs}
    per_cpu_s: dict[str, list[float]] = {who: [] for who in programs}
    in_threads_ms: dict[str, list[float]] = {who: [] for who in programs}
    for who, program in programs.items():
        held[who].append(memory(program.pid))
    for _ in range(rounds):
        for who, program in programs.items():
            before = stage.sent(names[who])
            cpu_s, loop_s = _played(program, each)
            per_cpu_s[who].append(each / cpu_s)
            in_threads_ms[who].append((cpu_s - loop_s) * 1000 / each)
            _check(before, stage.sent(names[who]), each)
            held[who].append(memory(program.pid))
    profile = programs["ours"].ask("profile", times=each_logged)
    for program in programs.values():
        program.end()
    rows = [
        ["", "ours", "peer", "ratio", "floor", "its ratio"],
        [f"sessions per CPU second, log of warnings ({rounds} x {each})", *compared(per_cpu_s)],
        [
            "CPU time of a session, ms",
            *(shown([1000 / one for one in per_cpu_s[who]]) for who in ("ours", "peer")),
            "",
            shown([1000 / one for one in per_cpu_s["floor"]]),
            "",
        ],
        [
            "of it the threads that write, ms",
            *(shown(in_threads_ms["ours"]), "", "", shown(in_threads_ms["floor"]), ""),
        ],
        *(
            [row, "", "", "", shown(per_cpu_s[who]), ratio(per_cpu_s[who], per_cpu_s["peer"])]
            for row, who in (
                ("sessions per CPU second of a floor that keeps nothing", "diskless"),
                ("of one that keeps nothing and does without trio-websocket (wsproto alone)", "bare"),
            )
        ),
        _logged(stage, min(rounds, 3), each_logged),
    ]
    note = (
        "Authorize, 4 StatusNotifications, StartTransaction, 10 MeterValues of 8 values, StopTransaction with 12 x 8"
        f" values of transactionData; a sample every {1000 / SPEED:g} ms for both."
        " That both send this is checked (samples: 5 % more at most)."
    )
    fourth = Figure(
        4, "Charging sessions", "at least 4 times the peer's", rows, f"{note}\n\n{_profile(profile)}"
    )
    return _memory(held, rounds, each), fourth


def _profile(parts: dict[str, tuple[float, float]]) -> str:
    lines = [
        "Where the CPU time of ours goes (cProfile, the thread that does all but write the database):",
        "",
        "| part | % | calls a session |",
        "|---|---:|---:|",
        *(f"| {part} | {share:.0f} | {calls:,.0f} |" for part, (share, calls) in parts.items()),
    ]
    return "\n".join(lines)


def _logged(stage: Stage, rounds: int, each: int) -> list[str]:
    names = {"ours": stage.name("OURS"), "peer": stage.name("PEER")}
    programs = {
        "ours": stage.ours(names["ours"], log="info"),
        "peer": stage.peer(names["peer"], log="info"),
    }
    stage.booted(*names.values())
    found: dict[str, list[float]] = {who: [] for who in programs}
    for _ in range(rounds):
        for who, program in programs.items():
            found[who].append(each / _played(program, each)[0])
    for program in programs.values():
        program.end()
    return [
        f"with every frame logged, ours with every transition too ({rounds} x {each})",
        shown(found["ours"]),
        shown(found["peer"]),
        *(ratio(found["ours"], found["peer"]), "", ""),
    ]


def _played(program: Program, times: int) -> tuple[float, float]:
    """Play sessions; the CPU time of the process, and of its event loop if it tells, in s."""
    before = program.cpu_s()
    told = program.ask("sessions", times=times, offline=False)
    return program.cpu_s() - before, told.get("loop_s", 0.0)


def _check(before: Any, after: Any, times: int) -> None:
    """That so many sessions sent what they are to; on a busy machine a card comes a sample too late now and then."""
    for kind, each in (("sent", PER_SESSION), ("samples", VALUES)):
        for action, wanted in each.items():
            found = after[kind].get(action, 0) - before[kind].get(action, 0)
            late = (
                LATE_MAX * wanted * times + wanted / 10 if kind == "samples" or action == "MeterValues" else 0
            )
            assert wanted * times <= found <= wanted * times + late, (
                f"{found} {action} ({kind}) of {times} sessions"
            )


def _memory(held: dict[str, list[Memory]], rounds: int, each: int) -> Figure:
    rows = [["MB", "ours", "peer", "ratio"]]
    moments = [("after boot", 0), (f"after {each} sessions", 1), (f"after {rounds * each} sessions", rounds)]
    for name, at in moments:
        for kind in ("rss", "uss"):
            ours, peers = (getattr(held[who][at], kind) for who in ("ours", "peer"))
            rows.append([f"{kind.upper()} {name}", f"{ours:.1f}", f"{peers:.1f}", f"{ours / peers:.2f}"])
    return Figure(2, "Memory", "within 1.3 times the peer's, no growth", rows)


def idle(stage: Stage, seconds: float) -> Figure:
    """CPU and wake-ups with nothing to do, and with a sample every 10 s."""
    names = {
        each: stage.name(each.upper().replace(" ", "-"))
        for each in ("ours idle", "peer idle", "ours charging", "peer charging")
    }
    programs = {
        "ours idle": stage.command(names["ours idle"]),
        "peer idle": stage.peer(names["peer idle"]),
        "ours charging": stage.ours(names["ours charging"], speed=1, sample_s=CHARGING_SAMPLE_S, ping_s=30),
        "peer charging": stage.peer(names["peer charging"], sample_s=CHARGING_SAMPLE_S),
    }
    stage.booted(*names.values())
    for who in ("ours charging", "peer charging"):
        programs[who].ask("charge")
    sleep(min(SETTLE_S, seconds))
    before = {who: (program.cpu_s(), wake_ups(program.pid)) for who, program in programs.items()}
    sleep(seconds)
    rows = [["", "CPU, ms per s", "wake-ups of the main thread per minute"]]
    for who, program in programs.items():
        cpu_ms = (program.cpu_s() - before[who][0]) * 1000 / seconds
        wakes = (wake_ups(program.pid) - before[who][1]) * 60 / seconds
        rows.append([who, f"{cpu_ms:.3f}", f"{wakes:.0f}"])
        program.kill()
    return Figure(
        3,
        f"CPU when idle, and while charging, for {seconds:.0f} s",
        "idle not above 1 ms per s, and no wake-ups but of the declared intervals",
        rows,
        "Idle, ours pings every 30 s and the peer every 20 s (its default), and nobody else wakes: each ping is a few"
        " wake-ups. Charging, both send 8 values every 10 s.",
    )
