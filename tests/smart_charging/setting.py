"""A station in a few words: three phases, 230 V, 32 A, unless a test says otherwise."""

from collections.abc import Mapping
from typing import Any

from machines.smart_charging.prepare import plan_of
from machines.smart_charging.profiles import Book, Bounds, Refusal, Running, install
from machines.smart_charging.schedule import Composite, Offer, Situation, composite, offer
from machines.smart_charging.site import Site, site_from
from machines.vocabulary.ocpp import ChargingRateUnitType
from tests.smart_charging.payloads import decoded

NOW_S = 1_800_000_000
DAY_S = 86_400
TAG = "CARD"
A, W = ChargingRateUnitType.A, ChargingRateUnitType.W
TURN_S = 900
BOUNDS = Bounds(stack_level_max=9, periods_max=24, installed_max=10, units=frozenset((A, W)))

Request = Mapping[str, Any]


def site(*phases: int, volts: float = 230, can_switch: bool = False) -> Site:
    """A connector for each of ``phases``."""
    return site_from(
        tuple((count, round(volts * 1000), 6.0) for count in phases or (3,)),
        can_switch=can_switch,
        turn_s=TURN_S,
    )


def running(connector: int = 1, *, began_s: int = NOW_S, transaction_id: int | None = 7) -> Running:
    """A transaction."""
    return Running(
        connector=connector, local_id=connector + 40, transaction_id=transaction_id, started_s=began_s
    )


def tried(
    book: Book,
    request: Request,
    *,
    bounds: Bounds = BOUNDS,
    connectors: int = 1,
    transactions: tuple[Running, ...] = (),
    now_s: int = NOW_S,
) -> Book | Refusal:
    """What comes of ``request``."""
    return install(
        book, decoded(request), bounds=bounds, connectors=connectors, running=transactions, now_s=now_s
    )


def booked(
    *requests: Request,
    connectors: int = 3,
    transactions: tuple[Running, ...] = (),
    now_s: int = NOW_S,
) -> Book:
    """All of ``requests`` installed, one after the other."""
    book: Book = ()
    for request in requests:
        outcome = tried(book, request, connectors=connectors, transactions=transactions, now_s=now_s)
        assert not isinstance(outcome, Refusal), outcome.why
        book = outcome
    return book


def asked(
    book: Book,
    duration_s: int,
    *,
    at: Site | None = None,
    connector: int = 1,
    unit: ChargingRateUnitType = A,
    now_s: int = NOW_S,
    transactions: tuple[Running, ...] = (),
    ceilings_a: tuple[float, ...] = (),
    installation_a: float | None = None,
) -> Composite:
    """The composite schedule of a connector."""
    outlets = at or site()
    situation = Situation(
        now_s=now_s,
        running=transactions,
        ceilings_a=ceilings_a or (32.0,) * len(outlets.outlets),
        installation_a=installation_a,
    )
    return composite(plan_of(book, outlets), situation, connector, duration_s, unit)


def limits(*requests: Request, duration_s: int = 400, transactions: tuple[Running, ...] = (), **more: Any):
    """Limits by second of the composite schedule that ``requests`` make, installed just now."""
    book = booked(*requests, transactions=transactions)
    return by_second(asked(book, duration_s, transactions=transactions, **more))


def by_second(found: Composite) -> dict[int, float]:
    """The limits of ``found`` by second."""
    return {period.start: period.tenths / 10 for period in found.periods}


def offered(
    book: Book,
    *,
    at: Site | None = None,
    connector: int = 1,
    now_s: int = NOW_S,
    transactions: tuple[Running, ...] = (),
    ceilings_a: tuple[float, ...] = (),
    installation_a: float | None = None,
) -> Offer:
    """What is offered on a connector."""
    outlets = at or site()
    situation = Situation(
        now_s=now_s,
        running=transactions,
        ceilings_a=ceilings_a or (32.0,) * len(outlets.outlets),
        installation_a=installation_a,
    )
    return offer(plan_of(book, outlets), situation, connector)
