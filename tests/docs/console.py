"""The ``console`` blocks of a page, carried out as a reader would: what a page shows must be what comes.

A comment before a block says what is special about it::

    <!-- terminal: station, runs on -->     it belongs to this terminal, and its last command does not end
    <!-- exit: 2 -->                        its last command ends with this code
    <!-- again: it takes a second -->       its last command is given again until it shows this
    <!-- file: mine.toml -->                it is no command, but a file that the reader writes
    <!-- not here: it takes a person -->    it is not carried out, and why

A block without a command waits for what its terminal says next. Of the lines shown, ``…`` stands for anything; alone on
a line, for any lines.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self

import trio

from tests.peers.processes import GUARD_S, ROOT, Lines

BLOCK = re.compile(
    r"(?:^<!-- (?P<what>terminal|exit|again|file|not here): (?P<note>.*?) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PROMPT = "$ "
DONE = "::done "
"""Printed after each command that ends, with its exit code."""
AGAIN_S = 0.2


class Command(NamedTuple):
    """A command, and what it shows. Without a command: what its terminal shows next."""

    terminal: str
    command: str
    shown: tuple[str, ...]
    runs_on: bool = False
    code: int = 0
    is_repeated: bool = False


class File(NamedTuple):
    """A file that the reader writes."""

    name: str
    text: str


def things_to_do(page: str) -> Iterator[Command | File]:
    """Everything in ``page`` that a reader does, in order."""
    for block in BLOCK.finditer(page):
        if block["what"] == "file":
            yield File(block["note"], block["text"])
        elif block["language"] == "console" and block["what"] != "not here":
            yield from _commands(block)


def _commands(block: re.Match[str]) -> Iterator[Command]:
    terminal, _, rest = block["note"].partition(", ") if block["what"] == "terminal" else ("main", "", "")
    assert rest in ("", "runs on"), rest
    parts: list[tuple[str, list[str]]] = []
    for line in block["text"].splitlines():
        if line.startswith(PROMPT):
            parts.append((line.removeprefix(PROMPT), []))
        else:
            if not parts:
                parts.append(("", []))
            parts[-1][1].append(line)
    for command, shown in parts[:-1]:
        yield Command(terminal, command, tuple(shown))
    command, shown = parts[-1]
    code = int(block["note"]) if block["what"] == "exit" else 0
    yield Command(terminal, command, tuple(shown), rest == "runs on", code, block["what"] == "again")


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
        count = 0
        for each in things_to_do(page.read_text(encoding="utf-8")):
            if isinstance(each, File):
                (self._directory / each.name).write_text(each.text, encoding="utf-8")
            else:
                await self._carry_out(each)
                count += bool(each.command)
        return count

    async def _carry_out(self, each: Command) -> None:
        terminal = await self._terminal(each.terminal)
        command, shown = self._here(each.command), tuple(map(self._here, each.shown))
        if not command or each.runs_on:
            if command:
                await terminal.type(command)
            await terminal.until_shown(shown)
            return
        with trio.fail_after(GUARD_S):
            while True:
                await terminal.type(f"{command}; echo '{DONE}'$?")
                code, printed = await terminal.until_done()
                is_so = code == each.code and (not shown or find(shown, printed, is_whole=True) is not None)
                if is_so or not each.is_repeated:
                    break
                await trio.sleep(AGAIN_S)
        assert is_so, f"{command}: shown {shown}, came {printed[-40:]}, exit code {code}"

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


def environment() -> dict[str, str]:
    """That of a reader: the commands are there, and no ``make`` is above, as it is where ``make test`` runs this."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return kept | {"PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"}


@asynccontextmanager
async def shell(directory: Path):
    """A shell in ``directory``; with all that it started, it is gone in the end."""
    process = await trio.lowlevel.open_process(
        ["bash", "--noprofile", "--norc"],
        stdin=-1,
        stdout=-1,
        stderr=-2,
        cwd=directory,
        env=environment(),
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
