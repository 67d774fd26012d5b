"""What smart charging has to go by at a moment: the transactions and connectors as they are, and the time, if known.

Profiles are kept in time of day. Until the Central System has told it since the start, nobody knows where in a
schedule the present lies, and the least limit that any applicable profile ever has is kept to (decision SC12).
"""

import math

from msgspec import Struct

from machines.smart_charging.prepare import Plan, Prepared
from machines.smart_charging.profiles import Book, Running
from machines.smart_charging.schedule import Offer, Situation, offer, offered
from machines.smart_charging.site import UNLIMITED
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
    """When a transaction began, in POSIX seconds; now if that cannot be known any more. ``now.utc`` is known."""
    assert now.utc is not None
    if started_at is None:
        return math.floor(now.utc)
    if started_at.utc is not None:
        return math.floor(started_at.utc)
    if started_at.boot != now.boot:
        return math.floor(now.utc)
    return math.floor(now.utc - (now.seconds - started_at.seconds))


def running(charging: Charging, now: Instant) -> tuple[Running, ...]:
    """The transactions that energy may flow in. ``now.utc`` is known."""
    return tuple(
        Running(
            connector=one.connector,
            local_id=one.local_id,
            transaction_id=one.transaction_id,
            started_s=started_s(one.started_at, now),
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


def offer_at(charging: Charging, number: int, now: Instant) -> Offer:
    """What may be offered on connector ``number`` at ``now``."""
    if now.utc is not None:
        return offer(charging.plan, situation(charging, now), number)
    outlet = charging.plan.site.outlet(number)
    local_ids = {one.local_id for one in charging.transactions if one.connector == number}
    own = [one for one in charging.plan.transaction[number - 1] if one.local_id in local_ids]
    active = max(1, sum(not one.is_ending for one in charging.transactions))
    pool = _least(charging.plan.station)
    if charging.installation_a is not None:
        pool = min(pool, outlet.parts_of_a(charging.installation_a))
    parts = min(
        _least(own),
        _least(charging.plan.default[number - 1]),
        # Shared by as many as there are, since nobody knows who may have how much.
        pool // active,
        outlet.parts_of_a(charging.ceilings_a[number - 1]),
    )
    limit_a = offered(outlet, parts)
    return Offer(limit_a=limit_a, lasting_a=limit_a, phases=outlet.phases, until_s=None)


def _least(stack: "tuple[Prepared, ...] | list[Prepared]") -> int:
    return min((one.least for one in stack), default=UNLIMITED)
