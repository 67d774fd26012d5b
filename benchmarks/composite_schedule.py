# ruff: noqa: S311 - a script, run by hand
"""How long a composite schedule takes, how that grows, and whether every sample is right.

``python -m benchmarks.composite_schedule`` in the project's directory. Every schedule that is timed is compared with
the oracle of the tests at each of its boundaries and one second before, and at as many seconds at random.
"""

import math
import platform
import statistics
import sys
from collections.abc import Callable
from random import Random
from time import perf_counter
from typing import Any

from machines.smart_charging.answers import charging_schedule
from machines.smart_charging.prepare import plan_of
from machines.smart_charging.profiles import Book, Bounds, Refusal, Running, install
from machines.smart_charging.schedule import Composite, Situation, composite, offer
from machines.smart_charging.site import site_from
from machines.vocabulary.ocpp import ChargingRateUnitType
from tests.smart_charging import oracle
from tests.smart_charging.payloads import decoded, payload

MIDNIGHT_S = 1_799_971_200
DAY_S = 86_400
ROUNDS = 300
COUNTS = (6, 12, 24, 48, 96, 192, 384)

WATTS = ChargingRateUnitType.W
BOUNDS = Bounds(stack_level_max=10, periods_max=1000, installed_max=20, units=frozenset(ChargingRateUnitType))
RUNNING = Running(connector=1, local_id=1, transaction_id=1, started_s=MIDNIGHT_S)
SITE = site_from(((3, 230_000, 6.0),), can_switch=False, turn_s=900)
SITUATION = Situation(now_s=MIDNIGHT_S, running=(RUNNING,), ceilings_a=(80.0,))


def requests(count: int) -> list[dict[str, Any]]:
    """Three purposes, three stack levels of each, ``count`` periods in each: 3 x ``count`` + 1 of them show on a day.

    The limit of the station changes all day long; the TxProfiles hold for the first half of the day, then the
    TxDefaultProfiles take over. Limits fall all the time, so that every change shows.
    """
    step, half = DAY_S // count, DAY_S // 2
    begins = {"max": 0, "tx": step // 8, "default": half + step // 4}
    made = []
    for purpose, begin in begins.items():
        apart = step if purpose == "max" else step // 2
        for level in range(3):
            limits = {
                n * apart: 55_000 - (begin + n * apart) * 20_000 / DAY_S - 10 * level for n in range(count)
            }
            made.append(
                payload(
                    purpose,
                    {start: round(limit, 1) for start, limit in limits.items()},
                    id_=len(made) + 1,
                    connector=0 if purpose == "max" else 1,
                    level=level,
                    unit="W",
                    start_s=MIDNIGHT_S + begin,
                    duration=half - step // 4 if purpose == "tx" else None,
                )
            )
    return made


def booked(made: list[dict[str, Any]]) -> Book:
    """All of ``made`` installed."""
    book: Book = ()
    for request in made:
        outcome = install(
            book,
            decoded(request),
            bounds=BOUNDS,
            connectors=1,
            running=(RUNNING,),
            now_s=MIDNIGHT_S,
        )
        assert not isinstance(outcome, Refusal), outcome
        book = outcome
    return book


def median_ms(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median time of ``action``."""
    times = []
    for _ in range(rounds):
        begin = perf_counter()
        action()
        times.append(perf_counter() - begin)
    return statistics.median(times) * 1000


def wrong_seconds(made: list[dict[str, Any]], found: Composite) -> tuple[int, int]:
    """How many seconds of ``found`` the oracle was asked about, and for how many it says something else."""
    case = oracle.Case(
        outlets=(oracle.Outlet(phases=3, volts=230, ceiling_a=80, least_a=6),),
        can_switch=False,
        stack_level_max=10,
        periods_max=1000,
        installed_max=20,
        units=("A", "W"),
        running=(oracle.Transaction(connector=1, local_id=1, transaction_id=1, started_s=MIDNIGHT_S),),
        installation_a=None,
        events=(),
        now_s=MIDNIGHT_S,
        connector=1,
        duration_s=DAY_S,
        unit="W",
    )
    held, _ = oracle.installed(
        case, [oracle.Event(at_s=MIDNIGHT_S, request=decoded(request)) for request in made]
    )
    random = Random(1)
    starts = [period.start for period in found.periods]
    asked = {*starts, *(start - 1 for start in starts[1:]), DAY_S - 1}
    asked |= {random.randrange(DAY_S) for _ in starts}
    wrong, at = 0, 0
    for second in sorted(asked):
        while at + 1 < len(starts) and starts[at + 1] <= second:
            at += 1
        wrong += oracle.told_at(case, held, MIDNIGHT_S + second) != found.periods[at][1:]
    return len(asked), wrong


def main() -> int:
    """Print the table; 1 if a sample was wrong."""
    print(f"{platform.python_implementation()} {platform.python_version()}, medians of {ROUNDS} runs in ms")
    print("nine profiles: 3 purposes x 3 stack levels; composite schedule of 24 h for a connector")
    print()
    print(
        "periods each  resulting  preparing  composite  us/period  with payload  offer now  seconds asked  wrong"
    )
    total_wrong = 0
    curve: list[tuple[int, float]] = []
    for count in COUNTS:
        made = requests(count)
        book = booked(made)
        plan = plan_of(book, SITE)
        found = composite(plan, SITUATION, 1, DAY_S, WATTS)

        def answered() -> object:
            again = composite(plan, SITUATION, 1, DAY_S, WATTS)  # noqa: B023 - called within this turn
            return charging_schedule(again, DAY_S, 10_000)

        preparing = median_ms(lambda: plan_of(book, SITE))  # noqa: B023
        computing = median_ms(lambda: composite(plan, SITUATION, 1, DAY_S, WATTS))  # noqa: B023
        answering = median_ms(answered)
        offering = median_ms(lambda: offer(plan, SITUATION, 1))  # noqa: B023
        asked, wrong = wrong_seconds(made, found)
        total_wrong += wrong
        resulting = len(found.periods)
        curve.append((resulting, computing))
        print(
            f"{count:12d}  {resulting:9d}  {preparing:9.3f}  {computing:9.3f}  "
            f"{computing / resulting * 1000:9.2f}  {answering:12.3f}  {offering:9.3f}  {asked:13d}  {wrong:5d}"
        )
    print()
    show(curve)
    return 1 if total_wrong else 0


def show(curve: list[tuple[int, float]]) -> None:
    """Draw how the time grows, and say with which power of the number of periods."""
    longest = max(taken for _, taken in curve)
    for resulting, taken in curve:
        print(f"{resulting:6d} periods {taken:7.3f} ms  {'#' * max(1, round(60 * taken / longest))}")
    slope, _ = statistics.linear_regression(
        [math.log(resulting) for resulting, _ in curve], [math.log(taken) for _, taken in curve]
    )
    print(f"time grows with the number of periods to the power of {slope:.2f}; 1 is linear")


if __name__ == "__main__":
    sys.exit(main())
