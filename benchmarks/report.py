"""What the figures come to: tables of Markdown, on the terminal and in a file."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import percentile, spread

PACKAGES = (
    *("trio", "wsproto", "trio-websocket", "python-statemachine", "msgspec"),
    *("ocpp", "websockets", "jsonschema"),
)


METHOD = (
    "*Ours* is this station: every transaction message is on the disk before it is sent. *Peer* is a charge"
    " point written on the `ocpp` package (`benchmarks/peer.py`: asyncio, `websockets`, its validation as it"
    " comes), which keeps nothing. *Floor* is what is left of ours without behaviour (`benchmarks/floor.py`):"
    " the same libraries, the same messages, each on the disk before it is sent, and nothing decided in"
    " between: what a station on these libraries has to do at the least. All talk to the same Central System"
    " in a process of its own (`benchmarks/csms.py`). They take turns, run by run; values are medians of the"
    " runs with the least and the most in parentheses, ratios are ratios of medians."
)


class Figure(NamedTuple):
    """One of the figures."""

    number: int
    title: str
    target: str
    rows: list[list[str]]
    """The first one is the head of the table."""
    notes: str = ""


def shown(values: Sequence[float], digits: int = 1) -> str:
    """The median of several runs, and how far they lie apart."""
    median, least, most = spread(values)
    return f"{median:.{digits}f} ({least:.{digits}f}..{most:.{digits}f})"


def ratio(ours: Sequence[float], peers: Sequence[float]) -> str:
    """The ratio of the medians."""
    return f"{spread(ours).median / spread(peers).median:.2f}"


def compared(found: Mapping[str, Sequence[float]], digits: int = 1) -> list[str]:
    """The cells of a row: ours, the peer's and the ratio; the floor's and its ratio to the peer's."""
    ours, peers, floors = (found[who] for who in ("ours", "peer", "floor"))
    return [
        *(shown(ours, digits), shown(peers, digits), ratio(ours, peers)),
        *(shown(floors, digits), ratio(floors, peers)),
    ]


def times(took_ns: Sequence[int]) -> list[str]:
    """Median and p99, in ms."""
    return [f"{percentile(took_ns, per_cent) / 1e6:.2f}" for per_cent in (50, 99)]


def markdown(figure: Figure) -> str:
    """A figure as a section."""
    head, *rows = figure.rows
    lines = [
        f"## {figure.number}. {figure.title}",
        "",
        f"Target: {figure.target}.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" + "---:|" * (len(head) - 1),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join([*lines, *(["", figure.notes] if figure.notes else [])])


def machine() -> str:
    """What it was measured on."""
    cpu = memory = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Hardware")):
            cpu = line.partition(":")[2].strip()
            break
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal"):
            memory = f"{int(line.split()[1]) / 1e6:.1f} GB"
    cores = sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
    version, _, _ = platform.release().partition("-")  # what follows says whose build it is
    return f"{cpu}, {cores} cores, {memory}, {platform.system()} {version}"


def document(figures: Sequence[Figure], load: tuple[float, float], form: str, limits: str) -> str:
    """All of benchmarks/RESULTS.md."""
    now = datetime.now(UTC)
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    written = (
        f"Written by `{form}` on {now:%Y-%m-%d %H:%M} UTC; do not edit. {machine()}; Python"
        f" {platform.python_version()}, {versions}. Load of the machine before and after: {load[0]:.1f} and"
        f" {load[1]:.1f}."
    )
    sections = [markdown(figure) for figure in figures]
    return "\n\n".join(["# Benchmarks", written, METHOD, *sections, limits.strip(), ""])
