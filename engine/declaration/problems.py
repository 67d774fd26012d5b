"""What can be wrong with a station file, told so that it can be put right without reading code."""

from pathlib import Path

import msgspec
from msgspec import Struct

FOUND_SIZE_MAX = 60
"""Characters of a wrong value that are repeated."""

EntryPath = tuple[str | int, ...]
"""Where an entry stands: names of tables and entries, and numbers of list items from 0."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    file: Path
    line: int | None
    """From 1; None when the file could not be read at all."""
    path: str
    """The entry, such as ``connectors[0].current_max_a``; empty for the file as a whole."""
    found: str
    allowed: str
    hint: str = ""

    def __str__(self) -> str:
        """One line: where, what was found, what is allowed."""
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        entry = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {entry}found {self.found}, allowed: {self.allowed}{hint}"


class StationFileError(Exception):
    """A station file is wrong. Every problem is told at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        assert problems
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def show_path(path: EntryPath) -> str:
    """``path`` as people write it: ``connectors[0].current_max_a``."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            name = part if part.isprintable() else _show(part)
            shown += f".{name}" if shown else name
    return shown


def show_value(value: object) -> str:
    """``value`` about as TOML writes it, on one line and not too long."""
    shown = _show(value)
    return shown if len(shown) <= FOUND_SIZE_MAX else f"{shown[: FOUND_SIZE_MAX - 3]}..."


def _show(value: object) -> str:
    match value:
        case str():
            return msgspec.json.encode(value).decode()
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(_show(item) for item in value)}]"
        case dict():
            return "a table"
    return str(value)


def show_names(names: tuple[str, ...] | list[str] | frozenset[str]) -> str:
    """A list of names for people."""
    return ", ".join(sorted(names)) if isinstance(names, frozenset) else ", ".join(names)


def nearest(name: str, known: tuple[str, ...] | list[str] | frozenset[str]) -> str:
    """A hint at the known name that ``name`` may have meant; empty when none is near."""
    from difflib import get_close_matches

    by_lower_case = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower_case, n=1)
    return f"did you mean {by_lower_case[close[0]]}?" if close else ""
