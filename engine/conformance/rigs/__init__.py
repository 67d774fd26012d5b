"""The rigs there are: the bench of a simulated station, a program for each stimulus, or a person at the terminal."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from engine.conformance.rig import Rig, RigError
from engine.id_tags import NO_NAMES, IdTagNames

FORMS = "bench:URL, command:PROGRAM or prompt"
"""What ``--rig`` takes, for people."""

Opener = Callable[[], AbstractAsyncContextManager[Rig]]


def rig_of(text: str, names: IdTagNames = NO_NAMES) -> Opener:
    """What opens the rig that ``--rig`` names; nothing is opened or tried yet.

    Args:
        text: ``bench:URL``, ``command:PROGRAM ARGUMENTS`` or ``prompt``.
        names: Of idTags, for a person: the rig itself is told idTags.

    Raises:
        RigError: No rig is named so. Opening it raises it too, if the rig cannot be reached.
    """
    kind, colon, rest = text.partition(":")
    match kind, bool(colon), bool(rest.strip()):
        case "bench", True, True:
            from engine.conformance.rigs.bench import check_url, open_bench

            check_url(rest)
            return lambda: open_bench(rest)
        case "command", True, True:
            from engine.conformance.rigs.command import open_command

            return lambda: open_command(rest)
        case "prompt", False, _:
            from engine.conformance.rigs.prompt import PromptRig

            return lambda: _ready(PromptRig(names=names))
    raise RigError(f"rig {text!r}: must be {FORMS}")


@asynccontextmanager
async def _ready(rig: Rig) -> AsyncIterator[Rig]:
    """A rig that needs no opening."""
    yield rig
