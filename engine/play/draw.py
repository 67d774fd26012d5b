"""From a script for the virtual station and a seed to the steps that are played.

A script is JSON Lines, as in ``engine/conformance/script.py``: a header, then steps. Of those these are played::

    {"do": "plug-in", "connector": 1}                                   any stimulus
    {"wait": 60}                                                        seconds, on the clock of the station
    {"charge": 1500, "connector": 1}                                    Wh
    {"expect": [{"action": "StartTransaction"}], "withinS": 10}         CALLs of the station
    {"answered": "Authorize", "payload": {"idTagInfo": {"status": "Accepted"}}}
    {"asked": "RemoteStartTransaction", "payload": {"connectorId": 1}, "withinS": 60}

And these are for the seed; what is drawn is put in their place before anything is played::

    {"wait": [1, 10]}, {"charge": [500, 3000]}                          between the two
    {"choose": {"card": ["CARD-1", "CARD-2"], "pause": {"from": 1, "to": 9}, "other": {"hex": 8}}}
    {"do": "swipe", "idTag": "$card"}                                   what was chosen last under that name
    {"repeat": 3}, ..., {"end": "repeat"}                               the steps between, drawn anew each time
"""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from engine.conformance.script import (
    Answered,
    Asked,
    Charge,
    Expects,
    Header,
    ScriptError,
    Wait,
    convert,
    numbered,
    read_object,
    step_of,
)
from engine.conformance.stimuli import AnyStimulus

PlayedStep = AnyStimulus | Wait | Charge | Expects | Answered | Asked

STEPS_MAX = 100_000
HEX_DIGITS_MAX = 36
NAME = re.compile(r"\$([A-Za-z][A-Za-z0-9_]*)")
"""A text that stands for what was chosen."""

_KINDS: Mapping[str, Any] = {
    "do": AnyStimulus,
    "wait": Wait,
    "charge": Charge,
    "asked": Asked,
    "answered": Answered,
    "expect": Expects,
}


class Played(Struct, frozen=True):
    """A step, and the line of the script that it comes from."""

    where: str
    step: PlayedStep


class Drawn(Struct, frozen=True):
    """A script in which nothing is left to chance."""

    header: Header
    steps: tuple[Played, ...]
    text: str
    """The same as a script, which plays so with any seed."""


_Line = tuple[str, dict[str, Any]]
"""Where it is, and what."""


def draw(text: str, file: str, seed: int) -> Drawn:
    """The steps of the script ``text``; ``file`` is for what is said of errors.

    Raises:
        ScriptError: It is no script that can be played.
    """
    lines = [(f"{file}:{number}", line) for number, line in numbered(text)]
    if not lines:
        raise ScriptError(f'{file}: found nothing, wanted is a header such as {{"script": "name"}}')
    (where, first), *rest = ((where, read_object(line, where)) for where, line in lines)
    header: Header = convert(first, Header, where)
    drawing = _Drawing(random.Random(seed))  # noqa: S311 - a game, no secrets
    drawing.play(rest)
    steps = tuple(Played(where, step_of(members, where, _KINDS)) for where, members in drawing.drawn)
    concrete = [first, *(members for _, members in drawing.drawn)]
    return Drawn(header, steps, "".join(msgspec.json.encode(each).decode() + "\n" for each in concrete))


class _Drawing:
    """Draws lines; what was chosen is remembered by name."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._chosen: dict[str, Any] = {}
        self.drawn: list[_Line] = []

    def play(self, lines: Sequence[_Line]) -> None:
        """Draw all of ``lines``."""
        number = 0
        while number < len(lines):
            where, members = lines[number]
            if "repeat" in members:
                end = _end(lines, number)
                for _ in range(self._times(members, where)):
                    self.play(lines[number + 1 : end])
                number = end
            elif "end" in members:
                raise ScriptError(f"{where}: found 'end' without a 'repeat' before it")
            elif "choose" in members:
                self._choose(members, where)
            else:
                self.drawn.append((where, self._concrete(members, where)))
                if len(self.drawn) > STEPS_MAX:
                    raise ScriptError(f"{where}: more than {STEPS_MAX} steps")
            number += 1

    def _times(self, members: dict[str, Any], where: str) -> int:
        times = self._filled(members["repeat"], where)
        if _is_range(times):
            times = self._chance.randint(int(times[0]), int(times[1]))
        if type(times) is not int or not 0 <= times <= STEPS_MAX or len(members) > 1:
            raise ScriptError(
                f"{where}: found {_shown(members)}, allowed is a number of times, or the least and most"
            )
        return times

    def _choose(self, members: dict[str, Any], where: str) -> None:
        choices = members["choose"]
        if not isinstance(choices, dict) or len(members) > 1:
            raise ScriptError(f'{where}: found {_shown(members)}, allowed is {{"choose": {{NAME: ...}}}}')
        for name, choice in choices.items():
            if not NAME.fullmatch(f"${name}"):
                raise ScriptError(f"{where}: found name {name!r}, allowed are letters, digits and _")
            self._chosen[name] = self._one_of(choice, where)

    def _one_of(self, choice: Any, where: str) -> Any:
        match choice:
            case [_, *_]:
                return self._chance.choice(choice)
            case {"from": int(least), "to": int(most), **rest} if not rest and least <= most:
                return self._chance.randint(least, most)
            case {"from": int() | float() as least, "to": int() | float() as most, **rest} if (
                not rest and least <= most
            ):
                return round(self._chance.uniform(least, most), 3)
            case {"hex": int(size), **rest} if not rest and 1 <= size <= HEX_DIGITS_MAX:
                return "".join(self._chance.choices("0123456789ABCDEF", k=size))
        allowed = '[one, or another], {"from": 1, "to": 9} or {"hex": 8}'
        raise ScriptError(f"{where}: found choice {_shown(choice)}, allowed is {allowed}")

    def _concrete(self, members: dict[str, Any], where: str) -> dict[str, Any]:
        """A step with everything drawn that it leaves to chance."""
        concrete: dict[str, Any] = self._filled(members, where)
        for name in ("wait", "charge"):
            if _is_range(concrete.get(name)):
                least, most = concrete[name]
                concrete[name] = round(self._chance.uniform(least, most), 1)
        return concrete

    def _filled(self, value: Any, where: str) -> Any:
        """``value`` with what was chosen in the place of the names."""
        match value:
            case dict():
                return {name: self._filled(member, where) for name, member in value.items()}
            case list():
                return [self._filled(member, where) for member in value]
            case str() if (found := NAME.fullmatch(value)) is not None:
                if found[1] not in self._chosen:
                    there_are = ", ".join(f"${name}" for name in self._chosen) or "none yet"
                    raise ScriptError(f"{where}: found {value!r}, chosen are {there_are}")
                return self._chosen[found[1]]
            case _:
                return value


def _end(lines: Sequence[_Line], begin: int) -> int:
    """Where the block ends that begins at ``begin``."""
    depth = 0
    for number in range(begin, len(lines)):
        members = lines[number][1]
        depth += ("repeat" in members) - (members == {"end": "repeat"})
        if depth == 0:
            return number
    raise ScriptError(f'{lines[begin][0]}: found \'repeat\' without {{"end": "repeat"}} after it')


def _is_range(value: Any) -> bool:
    match value:
        case [int() | float() as least, int() | float() as most]:
            return least <= most
    return False


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()[:60]
