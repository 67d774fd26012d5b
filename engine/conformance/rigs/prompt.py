"""The rig of a person at the terminal, who is told what to do and presses Enter when it is done.

An answer of ``s`` says that this cannot be done here: cases that need it are not applicable, from then on. Any other
text says that it went wrong and why, and the case is inconclusive.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from engine.conformance.rig import CannotError, RigError, energy_wh
from engine.conformance.stimuli import (
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PlugIn,
    PressStop,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Stimulus,
    Swipe,
    Unplug,
    kind_name,
)
from engine.id_tags import NO_NAMES, IdTagNames

CANNOT = "s"
LINE_MAX = 4096
"""Bytes of a line that is typed."""
ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": None}


class PromptRig:
    """Implements ``engine.conformance.rig.Rig``.

    Args:
        read_line: Waits for a line that is typed; None when there will be no more. Default: stdin.
        write: Shows a text to the person. Default: stderr.
        names: What the person calls the cards. Default: by their idTags.
    """

    def __init__(
        self,
        read_line: Callable[[], Awaitable[str | None]] | None = None,
        write: Callable[[str], None] | None = None,
        names: IdTagNames = NO_NAMES,
    ) -> None:
        self._read_line = read_line or _Typed(sys.stdin.fileno()).line
        self._write = write or _show
        self._names = names
        self._cannot: set[type[Stimulus]] = set()

    def can(self, kind: type[Stimulus]) -> bool:
        """Everything that the person has not declined."""
        return kind not in self._cannot

    async def do(self, stimulus: Stimulus) -> None:
        """Ask for it, and wait until it is done."""
        asked = f"{sentence(stimulus, self._names)}, then press Enter ({CANNOT}: cannot be done here)"
        answer = (await self._ask(asked)).lower()
        if answer == CANNOT:
            self._cannot.add(type(stimulus))
            raise CannotError(f"the tester cannot give {kind_name(type(stimulus))}")
        if answer:
            raise RigError(f"{kind_name(type(stimulus))}: the tester says {answer[:100]!r}")

    async def is_locked(self, connector: int) -> bool | None:
        """What the person sees."""
        return await self._look(f"Is the cable at connector {connector} locked in the socket outlet?")

    async def has_energy(self, connector: int) -> bool | None:
        """What the person sees."""
        return await self._look(f"Does connector {connector} supply energy?")

    async def register_wh(self, connector: int) -> float | None:
        """What the person reads."""
        while True:
            answer = await self._ask(
                f"What does the meter of connector {connector} show, in Wh? Enter if you cannot tell"
            )
            try:
                return energy_wh(answer)
            except ValueError:
                pass  # It is asked again.

    async def _look(self, question: str) -> bool | None:
        while True:
            answer = (await self._ask(f"{question} y, n, or Enter if you cannot tell")).lower()
            if answer in ANSWERS:
                return ANSWERS[answer]

    async def _ask(self, text: str) -> str:
        self._write(f"{text}\n> ")
        line = await self._read_line()
        if line is None:
            raise RigError("nobody answers: the input has ended")
        return line.strip()


def sentence(stimulus: Stimulus, names: IdTagNames = NO_NAMES) -> str:
    """What a person is told to do; ``names`` are those of the cards."""
    match stimulus:
        case PlugIn(connector=number):
            return f"Plug in the cable at connector {number}, with a vehicle that asks for energy"
        case Unplug(connector=number, side="both"):
            return f"Take the cable of connector {number} out at both ends"
        case Unplug(connector=number, side="vehicle"):
            return f"Take the cable of connector {number} out at the vehicle, and leave it in the station"
        case Unplug(connector=number):
            return f"Take the cable of connector {number} out at the station"
        case Pause(connector=number):
            return f"Let the vehicle at connector {number} stop asking for energy"
        case Resume(connector=number):
            return f"Let the vehicle at connector {number} ask for energy again"
        case Swipe(id_tag=id_tag, connector=None):
            return f"Show the card {_card(id_tag, names)}"
        case Swipe(id_tag=id_tag, connector=number):
            return f"Show the card {_card(id_tag, names)} for connector {number}"
        case PressStop(connector=number, emergency=True):
            return f"Press the emergency stop of connector {number}"
        case PressStop(connector=number):
            return f"Press the stop button of connector {number}"
        case RaiseFault(connector=number, error_code=code):
            return f"Cause the fault {code.value} of {_place(number)}"
        case ClearFault(connector=number, error_code=code):
            return f"Remove the cause of the fault {code.value} of {_place(number)}"
        case JamLock(connector=number):
            return f"Keep the lock of connector {number} from moving"
        case FreeLock(connector=number):
            return f"Let the lock of connector {number} move again"
        case FailPilot(connector=number):
            return f"Short the control pilot of connector {number}"
        case RepairPilot(connector=number):
            return f"Let the control pilot of connector {number} be read again"
        case SilenceMeter(connector=number, silent=True):
            return f"Disconnect the meter of connector {number}"
        case SilenceMeter(connector=number):
            return f"Connect the meter of connector {number} again"
        case FailPower():
            return "Let the supply fail, with what is left in the buffer"
        case CutPower(seconds=seconds):
            return f"Switch the station off, and on again after {seconds:g} s"
        case CutLink():
            return "Cut the station off from the network"
        case RestoreLink():
            return "Connect the station to the network again"
        case SendData(vendor_id=vendor, message_id=message, data=data):
            return f"Have the station send DataTransfer with vendorId {vendor!r}, messageId {message!r}, data {data!r}"
        case _:
            raise CannotError(f"there are no words for {kind_name(type(stimulus))}")


def _card(id_tag: str, names: IdTagNames) -> str:
    """What is written on a card, or noted beside it, and what the reader finds."""
    name = names.name(id_tag)
    return name if name == id_tag else f"{name} ({id_tag})"


def _place(connector: int) -> str:
    return f"connector {connector}" if connector else "the station"


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


class _Typed:
    """The lines of a terminal or a pipe. No thread waits for them, which would keep the process from ending."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun = b""

    async def line(self) -> str | None:
        """The next line; None at the end."""
        while b"\n" not in self._begun:
            with suppress(OSError):  # of a file, which is always readable and cannot be waited for
                await trio.lowlevel.wait_readable(self._descriptor)
            chunk = os.read(self._descriptor, LINE_MAX)
            if not chunk:
                return None
            self._begun += chunk
        line, _, self._begun = self._begun.partition(b"\n")
        return line.decode(errors="replace")
