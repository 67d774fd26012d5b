"""An installer that is a program, such as swupdate-client, with its arguments as declared."""

import os
import re
import subprocess
from functools import partial
from pathlib import Path

import trio

from engine.installers import InstallError, OnProgress
from engine.speed import of_real_time

FILE = "{file}"
"""Stands for the path of the downloaded file in an argument."""
TOLD_MAX = 200
"""Characters of what the program says that are told on."""
PERCENT = re.compile(rb"(?<![\d.,])(\d{1,3}) ?%")
"""How far a program says it is: ``40%``, ``[====  ] 40 %``, ``step 2 of 3 40%``."""
OUTPUT_MAX = 64 * 1024
"""Bytes of its output that are kept: the last ones."""


class CommandInstaller:
    """Runs ``install`` with the file, and ``confirm`` after the restart.

    The file is the argument that holds ``{file}``, and STATECHARGE_FIRMWARE in the environment. A whole number before a
    ``%`` in its output tells how far it is. Exit code 0 is success.

    Args:
        install: Program and arguments.
        confirm: Program and arguments that tell by exit code 0 that the new firmware runs; empty: whatever runs is it.
        environment: Added to that of the station.
        timeout_s: A program that takes longer is ended.
        afterwards_s: How long it is waited, after a program has ended, for what it left running to say its last.
    """

    def __init__(
        self,
        install: tuple[str, ...],
        confirm: tuple[str, ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
        timeout_s: float = 1800,
        afterwards_s: float = 30,
    ) -> None:
        self._install = install
        self._confirm = confirm
        self._environment = dict(environment)
        self._timeout_s = timeout_s
        self._afterwards_s = afterwards_s

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.installers.Installer`."""
        command = [argument.replace(FILE, str(file)) for argument in self._install]
        await self._run(command, {"STATECHARGE_FIRMWARE": str(file)}, on_progress)

    async def confirm(self, *, is_cut: bool) -> None:
        """See :class:`engine.installers.Installer`."""
        if self._confirm:
            await self._run(list(self._confirm), {}, lambda _: None)
        elif is_cut:
            raise InstallError(
                f"{self._install[0]}: cut off, and no program is declared that tells what runs"
            )

    async def _run(self, command: list[str], extra: dict[str, str], on_progress: OnProgress) -> None:
        kept = bytearray()

        async def follow(stream: trio.abc.ReceiveStream) -> None:
            async with stream:
                async for chunk in stream:
                    kept.extend(chunk)
                    del kept[:-OUTPUT_MAX]
                    percent = _percent(bytes(kept))
                    if percent is not None:
                        on_progress(percent)

        environment = {**os.environ, **self._environment, **extra}
        try:
            with trio.move_on_after(of_real_time(self._timeout_s)) as scope:
                async with trio.open_nursery() as nursery:
                    run = partial(
                        trio.run_process,
                        command,
                        stdin=b"",
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        env=environment,
                        check=False,
                    )
                    process: trio.Process = await nursery.start(run)
                    assert process.stdout is not None
                    nursery.start_soon(follow, process.stdout)
                    await process.wait()
                    nursery.cancel_scope.deadline = trio.current_time() + of_real_time(self._afterwards_s)
        except* OSError as group:
            raise InstallError(f"{command[0]}: {_why(group)}") from group
        if scope.cancelled_caught:
            raise InstallError(f"{command[0]}: not done in {self._timeout_s:g} s")
        if process.returncode:
            lines = kept.decode(errors="replace").strip().splitlines()
            told = f": {lines[-1][:TOLD_MAX]}" if lines else ""
            raise InstallError(f"{command[0]}: exit code {process.returncode}{told}")


def _why(group: BaseExceptionGroup[BaseException]) -> str:
    error = group.exceptions[0]
    return (
        _why(error) if isinstance(error, BaseExceptionGroup) else getattr(error, "strerror", "") or str(error)
    )


def _percent(output: bytes) -> int | None:
    """What the output says last of how far it is, up to 100 %; nothing of a number that may still grow."""
    found = [int(number) for number in PERCENT.findall(output)]
    return next((number for number in reversed(found) if number <= 100), None)
