"""One limit, several connectors: who gets how much of it, and whose turn it is where it is too little for all.

OCPP 1.6 edition 2: 3.13.1 (ChargePointMaxProfile is the limit of all connectors together); facts 9.1. Every
connector is counted on every phase, whatever it is wired to, so no phase can carry more than the limit.
"""

from collections.abc import Sequence


def shares(pool: int, wants: Sequence[int], least: Sequence[int], turn: int) -> list[int]:
    """What each of several connectors may have of ``pool``; all in parts.

    Those that want as much as the least that they can use are served, as long as the pool has the least of each: the
    first ones first, but each turn begins with the next one (decision SC9), so that in as many turns as there are of
    them each comes first once. Beyond the least they have the same, as far as each wants it. Of the others each uses
    nothing: one that wants less than that is told what it wants, one for which too little is left gets 0. Where
    nobody can be served, each is told what it wants or the pool, whichever is less.

    Args:
        pool: What there is.
        wants: What each may have for itself.
        least: Less than this is of no use to it.
        turn: How many turns there were.
    """
    able = _able(pool, wants, least)
    if not able:
        return [min(want, pool) for want in wants]
    first = turn % len(able)
    served: list[int] = []
    left = pool
    for index in able[first:] + able[:first]:
        if least[index] <= left:
            served.append(index)
            left -= least[index]
    # The level rises from the smallest of the least to where the pool is used up, or everybody has what it wants.
    marks = sorted({mark for index in served for mark in (least[index], wants[index])})
    level = marks[0]
    for mark in marks[1:]:
        rising = sum(least[index] <= level < wants[index] for index in served)
        if rising * (mark - level) > left:
            level += left // rising
            break
        left -= rising * (mark - level)
        level = mark
    given = [0 if want >= least[index] else min(want, pool) for index, want in enumerate(wants)]
    for index in served:
        given[index] = max(least[index], min(level, wants[index]))
    return given


def is_short(pool: int, wants: Sequence[int], least: Sequence[int]) -> bool:
    """Whether ``pool`` is too little for all that could be served, so that they take turns."""
    return sum(least[index] for index in _able(pool, wants, least)) > pool


def _able(pool: int, wants: Sequence[int], least: Sequence[int]) -> list[int]:
    """Those that could be served if they were alone, in their order."""
    return [index for index, want in enumerate(wants) if least[index] <= want and least[index] <= pool]
