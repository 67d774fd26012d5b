"""Where the CPU time of a charging session goes, by part of the program: cProfile, in the thread of the event loop."""

import cProfile
import pstats
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

PARTS = {
    "/machines/": "machines: what is decided",
    "/engine/ocpp/": "engine/ocpp: frames and payloads",
    "/engine/": "engine: owner, timers, log, history",
    "/benchmarks/": "the benchmark's hardware",
    "/drivers/": "the benchmark's hardware",
    "/trio/": "Trio: tasks, channels, deadlines",
    "/outcome/": "Trio: tasks, channels, deadlines",
    "outcome._impl": "Trio: tasks, channels, deadlines",
    "trio._core": "Trio: tasks, channels, deadlines",
    "/wsproto/": "wsproto: WebSocket frames",
    "_socket.socket": "the kernel: sockets",
    "select.epoll": "the kernel: waiting for events",
    "_thread.lock": "the kernel: handing a commit to its thread",
    "sqlite3": "SQLite: reading a message to send",
    "msgspec": "msgspec: JSON",
}
"""By what is in the name of a file or a built-in function; the first counts."""
REST = "Python's own functions, and the rest"


async def profiled(times: int, session: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Play ``times`` sessions; for each part its share of the CPU time, and its calls a session."""
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    for _ in range(times):
        await session()
    profile.disable()
    spent: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for (file, _, name), (_, count, own_s, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        place = f"{file} {name}"
        part = next((part for text, part in PARTS.items() if text in place), REST)
        spent[part] += own_s
        calls[part] += count
    total = sum(spent.values())
    return {part: [share / total * 100, calls[part] / times] for part, share in spent.most_common()}
