"""The rig of programs: one run of a program for each stimulus, in whatever language.

The program is started with the stimulus as arguments, and gets the same as one JSON object on stdin::

    ./rig.sh plug-in --connector 1                       {"do":"plug-in","connector":1}
    ./rig.sh swipe --id-tag CARD --connector 1           {"do":"swipe","idTag":"CARD","connector":1}
    ./rig.sh meter-silence --silent true --connector 1   {"do":"meter-silence","silent":true,"connector":1}
    ./rig.sh power-cut --seconds 10                      {"do":"power-cut","seconds":10.0}

What a stimulus does not say is left out. The program ends when the stimulus has been given: exit code 0, or 3 if it
has no way to give that one (the case is not applicable), or any other if it failed (the case is inconclusive; the last
line on stderr says why).

    ./rig.sh capabilities

prints the stimuli that it knows, by their names, separated by white space; and ``is-locked``, ``has-energy`` and
``register`` if it can look. These are asked with ``--connector N``. The first two print ``yes`` or ``no``, the third
what the meter shows, in Wh; each prints nothing if it cannot tell.
"""

import shlex
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import msgspec
import trio

from engine.conformance.rig import CannotError, RigError, energy_wh
from engine.conformance.stimuli import KINDS, Stimulus, kind_name
from engine.speed import of_real_time

CANNOT = 3
"""The exit code of a program that has no way to give a stimulus."""
PATIENCE_S = 120
"""How long a program may take, in real seconds; ``power-cut`` so much longer as the power is to be gone."""

CAPABILITIES = "capabilities"
IS_LOCKED = "is-locked"
HAS_ENERGY = "has-energy"
REGISTER = "register"
QUESTIONS = frozenset({IS_LOCKED, HAS_ENERGY, REGISTER})
ANSWERS = {"yes": True, "no": False, "": None}


@asynccontextmanager
async def open_command(command: str) -> AsyncIterator["CommandRig"]:
    """The rig of a program, which is asked for its capabilities.

    Args:
        command: The program and arguments that come first, as in a shell.

    Raises:
        RigError: The program cannot be run, or names what is no stimulus.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise RigError(f"command {command!r}: {error}") from error
    if not words:
        raise RigError(f"command {command!r}: must name a program")
    program = _Program(words)
    named = (await program.run([CAPABILITIES])).split()
    known = {kind_name(kind) for kind in KINDS} | QUESTIONS
    if unknown := sorted(set(named) - known):
        raise RigError(
            f"{command} {CAPABILITIES}: {unknown[0]!r} is no stimulus; there are {', '.join(sorted(known))}"
        )
    yield CommandRig(program, named)


class CommandRig:
    """Implements ``engine.conformance.rig.Rig``; opened by :func:`open_command`.

    Args:
        program: Run for each stimulus.
        capabilities: What it knows.
    """

    def __init__(self, program: "_Program", capabilities: Collection[str]) -> None:
        self._program = program
        self._capabilities = frozenset(capabilities)

    def can(self, kind: type[Stimulus]) -> bool:
        """What the program named."""
        return kind_name(kind) in self._capabilities

    async def do(self, stimulus: Stimulus) -> None:
        """Run the program."""
        if not self.can(type(stimulus)):
            raise CannotError(f"the rig does not name {kind_name(type(stimulus))}")
        longer = getattr(stimulus, "seconds", 0.0)
        await self._program.run(arguments_of(stimulus), msgspec.json.encode(stimulus), longer)

    async def is_locked(self, connector: int) -> bool | None:
        """What the program says."""
        return await self._is(IS_LOCKED, connector)

    async def has_energy(self, connector: int) -> bool | None:
        """What the program says."""
        return await self._is(HAS_ENERGY, connector)

    async def register_wh(self, connector: int) -> float | None:
        """What the program says."""
        printed = await self._look(REGISTER, connector)
        try:
            return energy_wh(printed)
        except ValueError:
            raise RigError(
                f"{REGISTER} printed {printed[:40]!r}: must be a number of Wh, or nothing"
            ) from None

    async def _is(self, question: str, connector: int) -> bool | None:
        printed = await self._look(question, connector)
        if printed not in ANSWERS:
            raise RigError(f"{question} printed {printed[:40]!r}: must be yes, no or nothing")
        return ANSWERS[printed]

    async def _look(self, question: str, connector: int) -> str:
        if question not in self._capabilities:
            return ""
        printed = await self._program.run([question, "--connector", str(connector)])
        return printed.strip().lower()


def arguments_of(stimulus: Stimulus) -> list[str]:
    """The arguments that tell a program of ``stimulus``."""
    arguments = [kind_name(type(stimulus))]
    for name, key in zip(stimulus.__struct_fields__, stimulus.__struct_encode_fields__, strict=True):
        value = getattr(stimulus, name)
        if value is not None and value != "":
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            arguments += [f"--{_dashed(key)}", text]
    return arguments


def _dashed(key: str) -> str:
    """``idTag`` as ``id-tag``."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in key)


class _Program:
    """A program, and how it is run."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    async def run(self, arguments: list[str], given: bytes = b"", longer_s: float = 0) -> str:
        """Run it to its end; return what it printed."""
        said = f"{self._words[0]} {arguments[0]}"
        with trio.move_on_after(of_real_time(PATIENCE_S) + longer_s) as scope:
            try:
                ended = await trio.run_process(
                    [*self._words, *arguments],
                    stdin=given,
                    capture_stdout=True,
                    capture_stderr=True,
                    check=False,
                )
            except OSError as error:
                raise RigError(f"{self._words[0]}: {error.strerror or error}") from error
        if scope.cancelled_caught:
            raise RigError(f"{said} did not end in {PATIENCE_S} s")
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        why = lines[-1][:200] if lines else "nothing on stderr"
        if ended.returncode == CANNOT:
            raise CannotError(f"{said}: {why}" if lines else f"{said}: the rig cannot")
        if ended.returncode != 0:
            raise RigError(f"{said}: exit code {ended.returncode}: {why}")
        return ended.stdout.decode(errors="replace")
