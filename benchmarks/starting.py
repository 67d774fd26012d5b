"""Figures 1 and 7: how long until a station speaks, and what one more of them costs."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable

from benchmarks.contenders import Stage
from benchmarks.measure import PYTHON, ROOT, Program, environment, memory
from benchmarks.report import Figure, compared

SHOWN_MIN_MS = 2.0
"""Packages that take less are not worth a row."""
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")


def cold_start(stage: Stage, runs: int) -> Figure:
    """From the start of the process to the BootNotification at the Central System."""
    state = stage.folder / "cold"
    starts: dict[str, Callable[[str], Program]] = {
        "ours": lambda identity: stage.command(identity, state=state),
        "peer": stage.peer,
        "floor": stage.floor,
    }
    took: dict[str, list[float]] = {who: [] for who in starts}
    for run in range(runs + 1):
        for who, start in starts.items():
            identity = stage.name(who.upper())
            found = _start(stage, start(identity), identity)
            if run:  # The first run warms the caches of the disk, and makes the database.
                took[who].append(found)
    imports = {"ours": _imports("engine.cli", "engine.process", "engine.station_file", "drivers.simulated")}
    imports["peer"] = _imports("benchmarks.peer")
    rows = [
        ["", "ours", "peer", "ratio", "floor", "its ratio"],
        ["process start to BootNotification, ms", *compared(took, 0)],
    ]
    packages = sorted(imports["ours"] | imports["peer"], key=lambda name: -imports["ours"][name])
    rows += [
        [f"of it importing {package}, ms", *(f"{each[package]:.0f}" for each in imports.values()), "", "", ""]
        for package in packages
        if max(each[package] for each in imports.values()) >= SHOWN_MIN_MS
    ]
    return Figure(
        1,
        "Cold start",
        "not slower than the peer",
        rows,
        "`statecharge run` with its database there, bytecode compiled. The lines below the first come from a run with"
        " `-X importtime` of its own, which makes everything slower: they are for comparison among themselves.",
    )


def _start(stage: Stage, program: Program, identity: str) -> float:
    at_ns = stage.csms.ask("wait", identity=identity, action="BootNotification", count=1)["at_ns"]
    program.kill()
    return float(at_ns - program.started_ns) / 1e6


def _imports(*modules: str) -> Counter[str]:
    """What loading takes, in ms by package."""
    run = subprocess.run(  # noqa: S603 - our own program
        [PYTHON, "-X", "importtime", "-c", f"import {', '.join(modules)}"],
        cwd=ROOT,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    found: Counter[str] = Counter()
    for self_us, name in IMPORT.findall(run.stderr):
        found[name.partition(".")[0]] += int(self_us) / 1000
    ours = {"engine", "machines", "drivers", "benchmarks"}
    others = {
        "trio",
        "trio_websocket",
        "wsproto",
        "h11",
        "statemachine",
        "msgspec",
        "click",
        "asyncio",
        "ssl",
    }
    others |= {"ocpp", "websockets", "jsonschema", "referencing", "email", "attr", "sqlite3", "tomli"}
    grouped: Counter[str] = Counter()
    for name, taken in found.items():
        grouped[name if name in ours | others else "the rest"] += taken
    return grouped


def many(stage: Stage, counts: tuple[int, ...]) -> Figure:
    """``statecharge run --stations N``."""
    rows = [
        [
            "stations",
            "until all have told their status, s",
            "CPU, s",
            "RSS, MB",
            "USS, MB",
            "USS each further, MB",
        ]
    ]
    first = None
    for number in counts:
        identity = stage.name("FLEET")
        program = stage.command(identity, "--stations", str(number))
        digits = len(str(number))
        last_ns = 0
        for each in range(1, number + 1):
            name = f"{identity}-{each:0{digits}d}"
            answer = stage.csms.ask("wait", identity=name, action="StatusNotification", count=2)
            last_ns = max(last_ns, answer["at_ns"])
        found, took_s = memory(program.pid), (last_ns - program.started_ns) / 1e9
        first = first or (number, found)
        each_mb = (found.uss - first[1].uss) / (number - first[0]) if number > first[0] else None
        rows.append(
            [
                str(number),
                f"{took_s:.2f}",
                f"{program.cpu_s():.2f}",
                f"{found.rss:.1f}",
                f"{found.uss:.1f}",
                "" if each_mb is None else f"{each_mb:.2f}",
            ]
        )
        program.kill()
    return Figure(7, "Stations in one process", "none; what one more station costs", rows)
