"""Cases over all features, from a seed: stations, what they are told, what they are asked.

Most windows are short and lie where something happens, so that each second of them can be asked about. In some cases
the Central System makes mistakes, in the others it makes none.
"""

from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from tests.smart_charging.oracle import Case, Outlet, Transaction

NOW_S = 1_800_000_000
DAY_S = 86_400
MAX, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"

Json = dict[str, Any]


class Generator:
    """Makes one case."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.mistakes = random.choice((0.0, 0.0, 0.0, 0.15))
        self.now_s = NOW_S + random.randrange(DAY_S)

    def happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def is_wrong(self) -> bool:
        return self.happens(self.mistakes)

    def case(self) -> Case:
        random = self.random
        count = random.choice((1, 1, 1, 2, 2, 3))
        volts = random.choice((230, 230, 230, 220.5, 110, 0))
        self.units = random.choice((("A", "W"), ("A", "W"), ("A",), ("W",)))
        self.running = tuple(
            Transaction(
                connector=number,
                local_id=number + 10,
                transaction_id=random.choice((None, number + 100, number + 100)),
                started_s=self.now_s - random.choice((0, 10, 55, 100, 100, 4000, 100_000)),
            )
            for number in range(1, count + 1)
            if self.happens(0.75)
        )
        is_long = self.happens(0.02)
        events = [self.event(count) for _ in range(random.choice((0, 1, 2, 3, 4, 5, 6, 8, 12)))]
        return Case(
            outlets=tuple(
                Outlet(
                    phases=random.choice((1, 3, 3)),
                    volts=volts or random.choice((230, 231.1, 120)),
                    ceiling_a=random.choice((10, 16, 32, 32, 63, 80, 15.5)),
                    least_a=random.choice((6, 6, 6, 8)),
                )
                for _ in range(count)
            ),
            can_switch=self.happens(0.4),
            stack_level_max=3 if self.is_wrong() else 9,
            periods_max=2 if self.is_wrong() else 24,
            installed_max=2 if self.is_wrong() else 10,
            units=random.choice((("A",), ("W",))) if self.is_wrong() else self.units,
            running=self.running,
            installation_a=random.choice((None, None, None, None, 16, 24.5, 40, 63, 5)),
            events=tuple(sorted(events, key=lambda event: event["at_s"])),
            now_s=self.now_s,
            connector=random.choice((0, *range(1, count + 1), *range(1, count + 1))),
            duration_s=random.randrange(DAY_S, 9 * DAY_S) if is_long else random.choice((0, 30, 60, 90, 150)),
            unit=random.choice(("A", "W")),
            turn_s=900 if is_long else random.choice((7, 60, 900)),
        )

    # Requests

    def event(self, count: int) -> Json:
        at_s = self.now_s - self.random.randrange(300)
        if self.happens(0.06):
            return {"action": "ClearChargingProfile", **self.what_to_clear(count), "at_s": at_s}
        profile = self.profile()
        purpose = profile["chargingProfilePurpose"]
        running = [one for one in self.running if one.connector == 1] or list(self.running)
        if purpose == MAX:
            number = int(self.is_wrong())
        elif purpose == DEFAULT:
            number = (
                self.random.choice((-1, count + 1)) if self.is_wrong() else self.random.randrange(count + 1)
            )
        elif running and not self.is_wrong():
            transaction = self.random.choice([*running, *self.running])
            number = transaction.connector
            if transaction.transaction_id is not None and self.happens(0.5):
                profile["transactionId"] = transaction.transaction_id
        else:
            number = self.random.randrange(count + 1)
        if self.is_wrong():
            profile["transactionId"] = self.random.choice((999, 101))
        return {
            "action": "SetChargingProfile",
            "connectorId": number,
            "csChargingProfiles": profile,
            "at_s": at_s,
        }

    def what_to_clear(self, count: int) -> Json:
        fields: Json = {}
        if self.happens(0.3):
            fields["id"] = self.random.randrange(1, 13)
        if self.happens(0.4):
            fields["connectorId"] = self.random.randrange(count + 1)
        if self.happens(0.4):
            fields["chargingProfilePurpose"] = self.random.choice((MAX, DEFAULT, TX))
        if self.happens(0.4):
            fields["stackLevel"] = self.random.randrange(4)
        return fields

    def profile(self) -> Json:
        random = self.random
        purpose = random.choice((MAX, DEFAULT, DEFAULT, TX if self.running or self.mistakes else DEFAULT))
        kind = random.choice(("Absolute", "Absolute", "Recurring", "Relative"))
        if purpose == MAX and kind == "Relative" and not self.is_wrong():
            kind = "Absolute"
        profile: Json = {
            "chargingProfileId": random.randrange(1, 13),
            "stackLevel": random.choice((0, 0, 1, 1, 2, 3, 9)),
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": kind,
            "chargingSchedule": self.schedule(kind),
        }
        if (kind == "Recurring") is not self.is_wrong():
            profile["recurrencyKind"] = random.choice(("Daily", "Daily", "Weekly"))
        if self.happens(0.12):
            profile["validFrom"] = self.wire_time(self.now_s + random.randrange(-90, 90))
        if self.happens(0.12):
            after = random.choice((1, 20, 60, 120, 3 * DAY_S))
            profile["validTo"] = self.wire_time(self.now_s - 400 if self.is_wrong() else self.now_s + after)
        return profile

    def schedule(self, kind: str) -> Json:
        random = self.random
        unit = random.choice(self.units)
        length = random.choice((30, 80, 200))
        starts = sorted(random.sample(range(1, length), random.choice((0, 2, 3, 5, 9))))
        if self.happens(0.05):
            starts = [start * random.choice((400, 900)) for start in starts]
        periods = [self.period(start, unit) for start in sorted({0, *starts})]
        if self.is_wrong():
            periods = random.choice((periods[::-1], periods[1:] or periods, periods + periods[-1:]))
        schedule: Json = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
        if self.happens(0.45):
            schedule["duration"] = random.choice((1, 20, 45, 80, 100, 150, 300, DAY_S, 10 * DAY_S, 2**31 - 1))
        elif self.is_wrong():
            schedule["duration"] = 0
        # Real ones send it for relative profiles too, and leave it out where it would be needed.
        if self.happens(0.3 if kind == "Relative" else 0.9 if kind == "Absolute" else 1 - self.mistakes):
            near = self.now_s + random.choice((-60, -30, 0, 15)) + random.randrange(-40, 40)
            days = random.choice((0, -1, -7, -30, 1)) if kind == "Recurring" else random.choice((0, 0, 0, -1))
            schedule["startSchedule"] = self.wire_time(near + days * DAY_S)
        if self.happens(0.15):
            rates = (0, 6, 10, 13.5) if unit == "A" else (0, 4140.5, 6900, 11_000)
            schedule["minChargingRate"] = -1 if self.is_wrong() else random.choice(rates)
        return schedule

    def period(self, start: int, unit: str) -> Json:
        random = self.random
        if unit == "A":
            limit = random.choice((0, 5.9, 6, 7.3, 8, 10, 12.5, 16, 20, 32, 40, random.randrange(400) / 10))
        else:
            limit = random.choice((0, 1380, 3680, 4140, 6900, 11000, 22080, random.randrange(150_000) / 10))
        if self.is_wrong():
            limit = random.choice((-1, -0.1, 1e300))
        period = {"startPeriod": start, "limit": limit}
        if self.happens(0.3):
            period["numberPhases"] = (
                random.choice((0, 4, -1)) if self.is_wrong() else random.choice((1, 1, 2, 3))
            )
        return period

    def wire_time(self, at_s: int) -> str:
        """``at_s`` as some back end would write it."""
        random = self.random
        moment = datetime.fromtimestamp(at_s, UTC) + timedelta(
            milliseconds=random.choice((0, 0, 0, 1, 500, 999))
        )
        match random.randrange(4):
            case 0:
                return moment.isoformat()
            case 1:
                return moment.astimezone(timezone(timedelta(hours=2, minutes=30))).isoformat()
            case _:
                return moment.isoformat().replace("+00:00", "Z")


def case_of(random: Random) -> Case:
    """One case."""
    return Generator(random).case()
