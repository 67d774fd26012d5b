"""Which cases are run, and in which order."""

import random
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from engine.conformance.case import Case
from engine.conformance.results import OF_THE_PROGRAMME

TOURS = "tours"
"""Selects every script."""


class SelectionError(Exception):
    """What was asked for is not there. One line, for the user."""


def select(cases: Sequence[Case], patterns: str) -> list[Case]:
    """Those of ``cases`` that fit one of ``patterns``, in their order.

    Args:
        cases: Every case there is, scripts among them.
        patterns: Separated by commas: ids with or without ``TC_`` and ``_CS``, names, profiles, or ``tours``, upper
            or lower case, with ``*``, ``?`` and ``[...]``. Nothing selects everything.

    Raises:
        SelectionError: A pattern fits nothing.
    """
    wanted = [pattern.strip() for pattern in patterns.split(",") if pattern.strip()]
    chosen: set[str] = set()
    for pattern in wanted:
        fitting = {case.name for case in cases if _fits(case, pattern.casefold())}
        if not fitting:
            raise SelectionError(f"--select {pattern}: none of {len(cases)} cases fits; --list shows them")
        chosen |= fitting
    return [case for case in cases if case.name in chosen] if wanted else list(cases)


def _fits(case: Case, pattern: str) -> bool:
    if pattern == TOURS:
        return OF_THE_PROGRAMME.fullmatch(case.id) is None
    bare = pattern.removeprefix("tc_").removesuffix("_cs")
    found = (case.id, case.name, case.profile)
    return any(fnmatchcase(each.casefold(), form) for each in found for form in (pattern, bare))


def part_of(cases: Sequence[Case], part: tuple[int, int] | None) -> list[Case]:
    """Every ``part[1]``-th of ``cases``, from number ``part[0]`` on; all of them without a part.

    Raises:
        SelectionError: Nothing is left.
    """
    if part is None:
        return list(cases)
    number, count = part
    chosen = list(cases[number - 1 :: count])
    if not chosen:
        raise SelectionError(f"--part {number}/{count}: there are {len(cases)} cases")
    return chosen


def in_order(cases: Iterable[Case], seed: int | None) -> list[Case]:
    """As listed, or shuffled by ``seed``: the same seed gives the same order of the same cases."""
    ordered = list(cases)
    if seed is not None:
        random.Random(seed).shuffle(ordered)  # noqa: S311 - an order, no secret
    return ordered
