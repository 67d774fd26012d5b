"""What smart charging has to go by at a moment: the transactions and connectors as they are, and the time, if known.

Profiles are kept in time of day. Until the Central System has told it since the start, nobody knows where in a
schedule the present lies, and the least limit that any applicable profile ever has is kept to (decision SC12).
"""

import math

from msgspec import Struct

from machines.smart_charging.prepare import Plan, Stack
from machines.smart_charging.profiles import Book, Running
from machines.smart_charging.schedule import Offer, Situation, offer, offered
from machines.smart_charging.sharing import is_short, shares
from machines.smart_charging.site import UNLIMITED, Outlet
from machines.vocabulary.effects import Instant


class Begun(Struct, frozen=True, kw_only=True):
    """A transaction that has begun and not ended."""

    connector: int
    local_id: int
    transaction_id: int | None
    id_tag: str
    started_at: Instant | None
    is_ending: bool
    """No energy flows any more."""
    draws: bool = True
    """It may have energy, as far as limits allow: not if its idTag was not accepted."""


class Charging(Struct, frozen=True, kw_only=True):
    """The station as smart charging sees it, whatever the time is."""

    plan: Plan
    book: Book
    transactions: tuple[Begun, ...]
    intents: frozenset[int]
    """Connectors where an idTag waits for its transaction."""
    ceilings_a: tuple[float, ...]
    """Of each connector, connector 1 first: what its hardware, its cable and its configuration carry, per phase."""
    installation_a: float | None
    """What all connectors together may draw, per phase."""


def started_s(started_at: Instant | None, now: Instant) -> int:
    """When a transaction began, in POSIX seconds by the clock as it is set now. ``now.utc`` is known.

    The clock may have been put forward or back since: what has passed in this run is known without it, and what began
    in an earlier run began before this one. Nobody can tell by how much if the time was not known then: from the start
    of this run.
    """
    assert now.utc is not None
    start_of_run_s = now.utc - now.seconds
    if started_at is None:
        began_s = start_of_run_s
    elif started_at.boot == now.boot:
        began_s = start_of_run_s + started_at.seconds
    else:
        began_s = start_of_run_s if started_at.utc is None else min(started_at.utc, start_of_run_s)
    # Sums of large and small numbers differ in their last digits, and must not by a second.
    return math.floor(round(began_s, 3))


def running(charging: Charging, now: Instant) -> tuple[Running, ...]:
    """The transactions that are open. ``now.utc`` is known."""
    return tuple(
        Running(
            connector=one.connector,
            local_id=one.local_id,
            transaction_id=one.transaction_id,
            started_s=started_s(one.started_at, now),
            draws=one.draws,
        )
        for one in charging.transactions
        if not one.is_ending
    )


def situation(charging: Charging, now: Instant) -> Situation:
    """What the plan is asked in, at ``now``, whose time of day is known."""
    assert now.utc is not None
    return Situation(
        now_s=math.floor(now.utc),
        running=running(charging, now),
        ceilings_a=charging.ceilings_a,
        installation_a=charging.installation_a,
    )


def clock_s(now: Instant) -> float:
    """What :func:`offer_at` goes by: the time of day, or until that is known the time since the start of the run."""
    return now.seconds if now.utc is None else now.utc


def offer_at(charging: Charging, number: int, now: Instant) -> Offer:
    """What may be offered on connector ``number``, where a transaction runs, at ``now``."""
    if now.utc is not None:
        return offer(charging.plan, situation(charging, now), number)
    plan, seconds = charging.plan, math.floor(now.seconds)
    active = sorted(
        (
            one
            for one in charging.transactions
            if (one.draws and not one.is_ending) or one.connector == number
        ),
        key=lambda one: one.local_id,
    )
    outlets = [plan.site.outlet(one.connector) for one in active]
    stacks = [
        (
            *(own for own in plan.transaction[one.connector - 1] if own.local_id == one.local_id),
            *plan.default[one.connector - 1],
        )
        for one in active
    ]
    wants = [
        min(_least(stack), outlet.parts_of_a(charging.ceilings_a[outlet.number - 1]))
        for stack, outlet in zip(stacks, outlets, strict=True)
    ]
    pool = _least(plan.station)
    if charging.installation_a is not None:
        pool = min(pool, plan.site.station.parts_of_a(charging.installation_a))
    least = [outlet.parts_of_a(outlet.current_min_a) for outlet in outlets]
    place = [one.connector for one in active].index(number)
    turn, turn_s = seconds // plan.site.turn_s, plan.site.turn_s
    limit_a = offered(outlets[place], shares(pool, wants, least, turn)[place])
    return Offer(
        limit_a=limit_a,
        lasting_a=limit_a,
        phases=_fewest((*stacks[place], *plan.station), outlets[place]),
        until_s=(turn + 1) * turn_s if is_short(pool, wants, least) else None,
    )


def _least(stack: Stack) -> int:
    """Parts of the least limit that any of ``stack`` ever has."""
    return min((one.least for one in stack), default=UNLIMITED)


def _fewest(stack: Stack, outlet: Outlet) -> int:
    """The fewest phases that any of ``stack`` ever allows, as ``outlet`` can connect them."""
    fewest = min((one.fewest for one in stack), default=outlet.phases)
    return min(fewest, outlet.phases) if outlet.can_switch else outlet.phases
