"""Why some mutants are not caught: explained.toml, held against what was made and what survived."""

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import msgspec
import tomli
from msgspec import Struct

from engine.mutation.checks import MutationError

FILE = "explained.toml"


class Explanation(Struct, frozen=True, forbid_unknown_fields=True):
    """A reason, and the mutants that it is about."""

    mutants: tuple[str, ...]
    """Their names; ``*`` stands for anything."""
    reason: str

    def names(self, mutant: str) -> bool:
        """Whether it is about ``mutant``."""
        return any(
            re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), mutant) is not None
            for pattern in self.mutants
        )


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    explained: tuple[Explanation, ...] = ()


def explanations(path: Path | None = None) -> tuple[Explanation, ...]:
    """The explanations in ``path``, or those that ship with the tool.

    Raises:
        MutationError: It cannot be opened, or is wrong.
    """
    try:
        text = (
            path.read_text(encoding="utf-8")
            if path is not None
            else resources.files("engine.mutation").joinpath(FILE).read_text(encoding="utf-8")
        )
        return msgspec.convert(tomli.loads(text), _File).explained
    except OSError as error:
        raise MutationError(f"{path or FILE}: {error.strerror}") from error
    except (tomli.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise MutationError(f"{path or FILE}: {error}") from error


def reason_of(mutant: str, explained: Iterable[Explanation]) -> str:
    """Why ``mutant`` is not caught; nothing if nobody knows."""
    return next((one.reason for one in explained if one.names(mutant)), "")


def stale(explained: Iterable[Explanation], mutants: Iterable[str]) -> list[str]:
    """The names, or patterns, that are about none of ``mutants``."""
    known = list(mutants)
    return [
        pattern
        for one in explained
        for pattern in one.mutants
        if not any(Explanation((pattern,), one.reason).names(mutant) for mutant in known)
    ]
