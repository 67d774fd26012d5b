"""A case given to the implementation and to the oracle, and what differs."""

from datetime import UTC, datetime
from random import Random

import msgspec

from machines.smart_charging.answers import clear_answer, schedule_answer, set_answer
from machines.smart_charging.prepare import plan_of
from machines.smart_charging.profiles import Bounds, Refusal, Running, clear, install
from machines.smart_charging.schedule import Situation, composite, offer
from machines.smart_charging.site import Site, site_from
from machines.vocabulary.ocpp import (
    ChargingRateUnitType,
    ClearChargingProfile,
    GetCompositeSchedule,
    SetChargingProfile,
)
from machines.vocabulary.wire import CallError
from tests.smart_charging import oracle
from tests.smart_charging.oracle import Case, Event

SECONDS_MAX = 400
"""Beyond so many seconds a window is asked about at boundaries and at random."""


def site(case: Case) -> Site:
    return site_from(
        tuple((o.phases, round(o.volts * 1000), o.least_a) for o in case.outlets),
        can_switch=case.can_switch,
        turn_s=case.turn_s,
    )


def events_of(case: Case) -> list[Event]:
    """The requests of ``case``, as the link would decode them."""
    events = []
    for event in case.events:
        payload = {name: member for name, member in event.items() if name not in ("action", "at_s")}
        kind = {"SetChargingProfile": SetChargingProfile, "ClearChargingProfile": ClearChargingProfile}
        request = msgspec.json.decode(msgspec.json.encode(payload), type=kind[event["action"]])
        events.append(Event(at_s=event["at_s"], request=request))
    return events


def complaint(case: Case) -> str:
    """What is wrong with the answers of the implementation; empty if nothing is."""
    events = events_of(case)
    held, effects = oracle.installed(case, events)
    bounds = Bounds(
        stack_level_max=case.stack_level_max,
        periods_max=case.periods_max,
        installed_max=case.installed_max,
        units=frozenset(ChargingRateUnitType(unit) for unit in case.units),
    )
    running = tuple(
        Running(
            connector=one.connector,
            local_id=one.local_id,
            transaction_id=one.transaction_id,
            started_s=one.started_s,
        )
        for one in case.running
    )
    book = ()
    for number, (event, had_effect) in enumerate(zip(events, effects, strict=True)):
        request = event.request
        if isinstance(request, ClearChargingProfile):
            after = clear(book, request)
            status = clear_answer(book, after, request).status.value
            expected = "Accepted" if had_effect else "Unknown"
            book = after
        else:
            outcome = install(
                book,
                request,
                bounds=bounds,
                connectors=len(case.outlets),
                running=running,
                now_s=event.at_s,
            )
            answer = set_answer(outcome)
            is_there = 0 <= request.connector_id <= len(case.outlets)
            status = "CallError" if isinstance(answer, CallError) else answer.status.value
            expected = "Accepted" if had_effect else "Rejected" if is_there else "CallError"
            book = book if isinstance(outcome, Refusal) else outcome
        if status != expected:
            return f"event {number}: {status}, the oracle says {expected}"
    have = sorted((one.connector, one.profile.charging_profile_id, one.local_id) for one in book)
    want = sorted((one.connector, one.profile.charging_profile_id, one.local_id) for one in held)
    if have != want:
        return f"installed: {have}, the oracle says {want}"
    plan = plan_of(book, site(case))
    situation = Situation(
        now_s=case.now_s,
        running=running,
        ceilings_a=tuple(outlet.ceiling_a for outlet in case.outlets),
        installation_a=case.installation_a,
    )
    return _schedule_complaint(case, held, plan, situation) or _offer_complaint(case, held, plan, situation)


def _asked(case: Case, boundaries: list[int]) -> list[int]:
    """The seconds of the window that the oracle is asked about."""
    length = max(1, case.duration_s)
    if length <= SECONDS_MAX:
        return list(range(length))
    random = Random(case.now_s)
    asked = {random.randrange(length) for _ in range(100)}
    for boundary in boundaries[:150]:
        asked |= {boundary - 1, boundary, boundary + 1}
    return sorted(second for second in asked if 0 <= second < length)


def _schedule_complaint(case, held, plan, situation) -> str:
    found = composite(plan, situation, case.connector, case.duration_s, ChargingRateUnitType(case.unit))
    starts = [period.start for period in found.periods]
    if starts[0] != 0 or sorted(set(starts)) != starts or starts[-1] >= max(1, case.duration_s):
        return f"starts {starts}"
    for before, after in zip(found.periods, found.periods[1:], strict=False):
        if before[1:] == after[1:]:
            return f"{before} and {after} could be one"
    request = GetCompositeSchedule(
        connector_id=case.connector,
        duration=case.duration_s,
        charging_rate_unit=ChargingRateUnitType(case.unit),
    )
    answer = schedule_answer(
        plan,
        situation,
        request,
        preferred=ChargingRateUnitType.A,
        duration_max_s=10**9,
        periods_max=10**9,
    )
    told = [
        (period.start_period, round(period.limit * 10), period.number_phases)
        for period in answer.charging_schedule.charging_schedule_period
    ]
    if told != [tuple(period) for period in found.periods]:
        return f"{told} is told of {found.periods}"
    if answer.schedule_start != datetime.fromtimestamp(case.now_s, UTC):
        return f"scheduleStart {answer.schedule_start}"
    for second in _asked(case, starts):
        period = [period for period in found.periods if period.start <= second][-1]
        expected = oracle.told_at(case, held, case.now_s + second)
        if (period.tenths, period.phases) != expected:
            return f"at {second}: {period}, the oracle says {expected}"
    return ""


def _offer_complaint(case, held, plan, situation) -> str:
    if case.connector == 0:
        return ""
    found = offer(plan, situation, case.connector)
    now = oracle.offered_at(case, held, case.now_s)
    if (round(found.limit_a * 10), found.phases) != (now[0] * 10, now[1]):
        return f"offered: {found}, the oracle says {now}"
    until = found.until_s - case.now_s if found.until_s is not None else 10**12
    for second in range(1, min(case.duration_s, SECONDS_MAX)):
        is_same = oracle.offered_at(case, held, case.now_s + second) == now
        if second < until and not is_same:
            return f"offered: {found}, but there is a change at {second}"
        if second == until and is_same:
            return f"offered: {found}, but at {second} there is no change"
        if second >= until:
            break
    return ""
