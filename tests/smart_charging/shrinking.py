"""A failing case made small: whatever can be left out without mending it is left out."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tests.smart_charging.oracle import Case


def smaller(case: Case) -> Iterator[Case]:
    """Cases that are a little simpler than ``case``."""
    for index in range(len(case.events)):
        yield replace(case, events=case.events[:index] + case.events[index + 1 :])
    for index in range(len(case.running)):
        yield replace(case, running=case.running[:index] + case.running[index + 1 :])
    last = len(case.outlets)
    if last > 1 and case.connector < last and all(one.connector < last for one in case.running):
        yield replace(case, outlets=case.outlets[:-1])
    if case.installation_a is not None:
        yield replace(case, installation_a=None)
    if case.can_switch:
        yield replace(case, can_switch=False)
    for duration_s in (1, 30, case.duration_s // 2):
        if duration_s < case.duration_s:
            yield replace(case, duration_s=duration_s)
    for index, event in enumerate(case.events):
        for simpler in smaller_events(event):
            yield replace(case, events=(*case.events[:index], simpler, *case.events[index + 1 :]))


def smaller_events(event: dict) -> Iterator[dict]:
    profile = event.get("csChargingProfiles")
    if profile is None:
        return
    schedule = profile["chargingSchedule"]
    periods = schedule["chargingSchedulePeriod"]
    for name in ("validFrom", "validTo", "transactionId"):
        if name in profile:
            yield {**event, "csChargingProfiles": {k: v for k, v in profile.items() if k != name}}

    def with_schedule(changed: dict) -> dict:
        return {**event, "csChargingProfiles": {**profile, "chargingSchedule": changed}}

    for name in ("duration", "minChargingRate"):
        if name in schedule:
            yield with_schedule({k: v for k, v in schedule.items() if k != name})
    for index in range(len(periods)):
        if len(periods) > 1:
            left = periods[:index] + periods[index + 1 :]
            yield with_schedule({**schedule, "chargingSchedulePeriod": left})
        if "numberPhases" in periods[index]:
            plain = {k: v for k, v in periods[index].items() if k != "numberPhases"}
            left = [*periods[:index], plain, *periods[index + 1 :]]
            yield with_schedule({**schedule, "chargingSchedulePeriod": left})


def shrunk(case: Case, is_failing: Callable[[Case], bool]) -> Case:
    """The smallest case that still fails, as far as leaving out one thing at a time finds it."""
    while True:
        for candidate in smaller(case):
            if is_failing(candidate):
                case = candidate
                break
        else:
            return case
