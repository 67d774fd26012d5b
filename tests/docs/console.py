"""The ``console`` blocks of a page, carried out as a reader would: what a page shows must be what comes.

A block belongs to a terminal, named by a comment before it::

    <!-- terminal: station, runs on -->

``runs on`` means that its last command does not end: the next block has what it says later. A block without a command
waits for lines of that terminal. Of the lines shown, ``…`` stands for anything; alone on a line, for any lines.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self

import trio

from tests.peers.processes import ROOT, Lines

BLOCK = re.compile(
    r"(?:<!-- terminal: (?P<terminal>\w+)(?P<runs_on>, runs on)? -->\n)?^```console\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PROMPT = "$ "
DONE = "::done "
"""Printed after each command that ends, with its exit code."""


class Command(NamedTuple):
    """A command, and what it shows. Without a command: what its terminal shows next."""

    terminal: str
    command: str
    shown: tuple[str, ...]
    runs_on: bool


def commands(page: str) -> Iterator[Command]:
    """Every command of ``page``, in order."""
    for block in BLOCK.finditer(page):
        terminal = block["terminal"] or "main"
        parts: list[tuple[str, list[str]]] = []
        for line in block["text"].splitlines():
            if line.startswith(PROMPT):
                parts.append((line.removeprefix(PROMPT), []))
            else:
                if not parts:
                    parts.append(("", []))
                parts[-1][1].append(line)
        for number, (command, shown) in enumerate(parts, start=1):
            runs_on = block["runs_on"] is not None and number == len(parts)
            yield Command(terminal, command, tuple(shown), runs_on)


def matches(shown: str, line: str) -> bool:
    """Whether ``line`` is what was shown."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), line) is not None


def find(shown: tuple[str, ...], lines: list[str], *, is_whole: bool) -> int | None:
    """Where ``lines`` go on after what was shown, if all of it is there; ``is_whole``: and nothing else is."""
    if not shown:
        return None if is_whole and lines else 0
    first, rest = shown[0], shown[1:]
    if first == "…":
        starts = range(len(lines) + 1) if rest else [len(lines)]
        found = ((start, find(rest, lines[start:], is_whole=is_whole)) for start in starts)
        return next((start + end for start, end in found if end is not None), None)
    if not lines or not matches(first, lines[0]):
        return None
    end = find(rest, lines[1:], is_whole=is_whole)
    return None if end is None else end + 1


class Terminal:
    """A shell, and what it has shown."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self.lines = Lines()
        self._seen = 0

    async def type(self, command: str) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(f"{command}\n".encode())

    async def until_done(self) -> tuple[int, list[str]]:
        """Wait for the end of the last command; return its exit code and what it printed."""
        number = await self.lines.until(lambda line: DONE in line, self._seen)
        printed = self.lines.all[self._seen : number]
        self._seen = number + 1
        begun, _, code = self.lines.all[number].partition(DONE)
        return int(code), [*printed, begun] if begun else printed

    async def until_shown(self, shown: tuple[str, ...]) -> None:
        """Wait until everything of ``shown`` has come, in its order."""
        for number, line in enumerate(shown):
            if line != "…":
                follows = number > 0 and shown[number - 1] != "…"
                expected = self._seen
                found = await self.lines.until(lambda got, line=line: matches(line, got), expected)
                assert not follows or found == expected, f"before {line!r}: {self.lines.all[expected:found]}"
                self._seen = found + 1


class Desk:
    """The terminals of a reader."""

    def __init__(self, directory: Path, ports: Mapping[str, int]) -> None:
        self._directory = directory
        self._ports = ports
        self._terminals: dict[str, Terminal] = {}
        self._stack = AsyncExitStack()

    def _here(self, text: str) -> str:
        """``text`` with ports that are free here."""
        for port, here in self._ports.items():
            text = re.sub(rf"\b{port}\b", str(here), text)
        return text

    async def follow(self, page: Path) -> int:
        """Carry out all of a page; return how many commands that were."""
        to_do = list(commands(page.read_text(encoding="utf-8")))
        for each in to_do:
            terminal = await self._terminal(each.terminal)
            shown = tuple(self._here(line) for line in each.shown)
            if each.command and not each.runs_on:
                await terminal.type(f"{self._here(each.command)}; echo '{DONE}'$?")
                code, printed = await terminal.until_done()
                assert code == 0, f"{each.command}: exit code {code}: {printed[-20:]}"
                assert not shown or find(shown, printed, is_whole=True) is not None, (
                    f"{each.command}: shown {shown}, came {printed[-40:]}"
                )
            else:
                if each.command:
                    await terminal.type(self._here(each.command))
                await terminal.until_shown(shown)
        return sum(bool(each.command) for each in to_do)

    async def _terminal(self, name: str) -> Terminal:
        if name not in self._terminals:
            process = await self._stack.enter_async_context(shell(self._directory))
            self._terminals[name] = process
        return self._terminals[name]

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.__aexit__(*error)


@asynccontextmanager
async def shell(directory: Path):
    """A shell in ``directory``; with all that it started, it is gone in the end."""
    process = await trio.lowlevel.open_process(
        ["bash", "--noprofile", "--norc"],
        stdin=-1,
        stdout=-1,
        stderr=-2,
        cwd=directory,
        env={**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"},
        start_new_session=True,
    )
    terminal = Terminal(process)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(terminal.lines.read, process.stdout)
            yield terminal
            nursery.cancel_scope.cancel()
    finally:
        os.killpg(process.pid, 9)
        with trio.CancelScope(shield=True):
            await process.wait()


def lay_out(directory: Path) -> Path:
    """The folder of the project, as far as pages use it, where what commands write does no harm.

    Its .venv counts as new: ``make`` must not set up anew the one that this very test runs in.
    """
    files = ("Makefile", "pyproject.toml", "constraints.txt", "station.toml")
    for name in (*files, "engine", "machines", "drivers", "examples", "docs", "tests", "deploy"):
        (directory / name).symlink_to(ROOT / name)
    environment = directory / ".venv"
    environment.mkdir()
    for name in ("bin", "include", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(ROOT / ".venv" / name)
    (environment / "ready").touch()
    return directory
