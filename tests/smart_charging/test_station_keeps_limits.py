"""At every second, and in every step, of random days the station keeps to every limit: against the oracle.

The real engine on virtual time; profiles, sessions, cables, the connection and the operator's key change at random. The
seed is in the name of the test.
"""

from contextlib import suppress
from fractions import Fraction
from random import Random

import pytest
import trio
from msgspec.structs import replace

from drivers.simulated import SimulationError
from engine.csms import NotConnectedError
from machines.vocabulary.ocpp import ChangeConfiguration, ClearChargingProfile
from machines.vocabulary.settings import Installation
from tests.lab import Lab
from tests.smart_charging import oracle
from tests.smart_charging.generated import Generator
from tests.smart_charging.payloads import decoded

ACTIONS = 350
OFFLINE_S = 60.0
HOLD_S, TURN_S = 5, 60
CABLES_A = (13.0, 13.0, 20.0, 32.0)


class Watched:
    """A station with two connectors, and what is compared with the oracle."""

    def __init__(self, lab, random, installation_a, offline_a):
        self.lab = lab
        self.random = random
        self.installation_a = installation_a
        self.offline_a = offline_a
        self.offers = {1: (0.0, 0, -99.0), 2: (0.0, 0, -99.0)}
        self.phases = {}
        self.opened = {1: -99.0, 2: -99.0}
        self.sums = 0
        self.rises = 0
        self.reductions = 0
        self.taken_over = 0
        self.cut_at = None
        self.switched = False
        self.switchings = 0
        self.by_cable = 0
        self.safe = 0

    # What must hold

    def watch(self, step):
        """In every step, whatever it is about."""
        if step.setpoints:
            self.watch_offers(step.setpoints)
            self.watch_phases(step.setpoints)
            self.watch_sum()

    def watch_offers(self, setpoints):
        """An offer to the same transaction rises no sooner than 5 s after it changed, and is never below 6 A."""
        before = dict(self.offers)
        for number, setpoint in setpoints.items():
            before_a, transaction, changed_at = before[number]
            if setpoint.offered_a == before_a:
                continue
            assert setpoint.offered_a == 0 or setpoint.offered_a >= 6
            standing = self.lab.running.charge_point.standings[f"current_offer/{number}"]
            now, local_id = trio.current_time(), standing.data.local_id
            if setpoint.offered_a > before_a and transaction == local_id:
                assert now - changed_at >= HOLD_S - 0.01, (
                    f"connector {number} rose after {now - changed_at} s"
                )
                self.rises += 1
            self.reductions += 0 < setpoint.offered_a < before_a
            self.offers[number] = (setpoint.offered_a, local_id, now)
        fell = [number for number in setpoints if self.offers[number][0] == 0 < before[number][0]]
        rose = [number for number in setpoints if self.offers[number][0] > 0 == before[number][0]]
        self.taken_over += bool(fell and rose)

    def watch_phases(self, setpoints):
        """No phase comes or goes while current flows, nor for a while after the contactor opened in a transaction."""
        limits = self.lab.station.settings.limits
        for number, setpoint in setpoints.items():
            now = trio.current_time()
            if setpoint.contactor:
                self.opened[number] = None
            elif self.opened[number] is None:
                self.opened[number] = now
            if setpoint.phases != self.phases.get(number, setpoint.phases):
                assert self.opened[number] is not None
                assert setpoint.offered_a == 0 or self.offers[number][2] == now
                if self.lab.running.charge_point.standings[f"phase_switch/{number}"].state == "settling":
                    assert now - self.opened[number] >= limits.phase_switch_wait_s - 0.01
                    self.switchings += 1
            self.phases[number] = setpoint.phases

    def watch_sum(self):
        """All connectors together draw no more than the station may, on any phase, not even for an instant.

        At a boundary, to the millisecond, what was allowed before it still counts.
        """
        offers = [setpoint.offered_a for setpoint in self.lab.running.charge_point.setpoints.values()]
        utc = self.lab.running.clock.now().utc
        if utc is None or sum(offers) == 0:
            return
        held = self.held()
        pools = [
            oracle.station_limit(self.case(at_s), held, at_s)[0] for at_s in {int(utc), int(utc - 0.001)}
        ]
        assert sum(Fraction(str(offer)) for offer in offers) <= max(pools), f"{offers} A of {pools}"
        self.sums += min(offers) > 0

    def held(self):
        """What is installed."""
        return [
            oracle.Held(
                connector=one.connector, profile=one.profile, at_s=one.received_s, local_id=one.local_id
            )
            for one in self.lab.running.charge_point.standings["charging_profiles"].data.book
            if not one.is_waiting
        ]

    def case(self, at_s):
        """The station as it is, for the oracle."""
        standings = self.lab.running.charge_point.standings
        return oracle.Case(
            outlets=tuple(
                oracle.Outlet(
                    phases=connector.phases,
                    volts=connector.voltage_v,
                    ceiling_a=min(
                        connector.current_max_a,
                        standings["configuration"].data.keys.connector_maximum_current,
                        self.lab.connector(connector.number).settings.cable_rating_a,
                    ),
                    least_a=connector.current_min_a,
                )
                for connector in self.lab.station.settings.connectors
            ),
            can_switch=True,
            stack_level_max=10,
            periods_max=24,
            installed_max=10,
            units=("A", "W"),
            running=tuple(
                oracle.Transaction(
                    connector=number,
                    local_id=data.local_id,
                    transaction_id=data.transaction_id,
                    started_s=int(data.started_at.utc),
                )
                for number in (1, 2)
                for state, data in [standings[f"transaction/{number}"]]
                if state in {"running", "deauthorized"}
            ),
            installation_a=self.safe_a(),
            events=(),
            now_s=at_s,
            connector=1,
            duration_s=1,
            unit="A",
            turn_s=TURN_S,
        )

    def check(self):
        """No connector offers more than the oracle allows at this second."""
        at_s = int(self.lab.running.clock.now().utc)
        case, held = self.case(at_s), self.held()
        for number in (1, 2):
            offered_a = self.lab.connector(number).state().offered_a
            limit_a, phases = oracle.limit_at(case, held, number, at_s)
            self.by_cable += number == 1 and offered_a == self.lab.connector(1).settings.cable_rating_a < 32
            self.safe += offered_a > 0 and self.safe_a() < self.installation_a
            within = Fraction(str(offered_a)) <= limit_a
            assert within, f"connector {number} offers {offered_a} A of {float(limit_a)} A"
            connected = self.lab.running.charge_point.setpoints[number].phases
            assert offered_a == 0 or connected <= phases, (
                f"connector {number} offers on {connected} of {phases}"
            )
            self.switched |= number == 1 and offered_a > 0 and connected == 1

    def safe_a(self):
        """What all may draw: less once the connection has been gone for long."""
        is_safe = self.cut_at is not None and trio.current_time() - self.cut_at > OFFLINE_S + 1
        return self.offline_a if is_safe else self.installation_a

    # What happens

    async def act(self):
        number = self.random.choice((1, 2))
        await self.random.choice(
            [self.profile] * 8
            + [self.begin] * 4
            + [self.clear] * 5
            + [self.key, self.move, self.card, self.link]
        )(number)

    async def call(self, request):
        try:
            return await self.lab.csms.call(request)
        except NotConnectedError:
            return None

    async def profile(self, number):
        generator = Generator(self.random)
        generator.mistakes, generator.units = 0.02, ("A", "W")
        generator.now_s = int(self.lab.now().timestamp())
        generator.running = tuple(
            oracle.Transaction(connector=n, local_id=1, transaction_id=None, started_s=0)
            for n in (1, 2)
            if self.lab.running.charge_point.standings[f"transaction/{n}"].state == "running"
        )
        event = generator.event(2)
        if event["action"] == "SetChargingProfile":
            schedule = event["csChargingProfiles"]["chargingSchedule"]
            for period in schedule["chargingSchedulePeriod"]:
                if self.random.random() < 0.8:  # else it pauses most of the time
                    least = 8 if schedule["chargingRateUnit"] == "A" else 5520
                    period["limit"] = max(period["limit"], least)
            await self.call(decoded({key: event[key] for key in ("connectorId", "csChargingProfiles")}))

    async def clear(self, _number):
        await self.call(ClearChargingProfile(id=self.random.randrange(1, 13)))

    async def key(self, _number):
        value = str(self.random.choice((6, 10, 16, 32, 32, 32)))
        await self.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value=value))

    async def begin(self, number):
        """Somebody charges where nobody does; mostly another, who has a cable of his own where none is fixed."""
        if self.lab.running.charge_point.standings[f"transaction/{number}"].state == "idle":
            connector = self.lab.connector(number)
            if self.random.random() < 0.7:
                with suppress(SimulationError):
                    connector.unplug()
                await trio.sleep(1)
                if number == 1 and connector.state().pilot == "A":
                    rating_a = self.random.choice(CABLES_A)
                    connector.settings = replace(connector.settings, cable_rating_a=rating_a)
            with suppress(SimulationError):
                connector.plug_in()
            await trio.sleep(1)
            self.lab.swipe(f"CARD{number}", (number,))

    async def move(self, number):
        connector = self.lab.connector(number)
        moves = [connector.pause, connector.resume, connector.resume, connector.unplug]
        with suppress(SimulationError):  # such as that there is nothing to unplug
            self.random.choice(moves)()

    async def card(self, number):
        self.lab.swipe(f"CARD{number}", (number,))

    async def link(self, _number):
        if self.cut_at is None:
            self.lab.cut_link()
            self.cut_at = trio.current_time()
        else:
            self.lab.restore_link()
            self.cut_at = None


@pytest.mark.parametrize(
    ("seed", "installation_a", "offline_a"), [(1, 40.0, 12.0), (2, 16.0, 7.0), (3, 9.5, 6.0)]
)
async def test_no_limit_is_ever_exceeded(tmp_path, autojump_clock, seed, installation_a, offline_a):
    random = Random(seed)
    lab = Lab(tmp_path, "full")
    installation = Installation(
        current_max_a=installation_a, offline_current_max_a=offline_a, offline_after_s=OFFLINE_S
    )
    lab.station = replace(lab.station, settings=replace(lab.station.settings, installation=installation))
    lab.limit(sharing_turn_s=TURN_S, phase_switch_dwell_s=60, back_off_first_s=1, back_off_max_s=3)
    watched = Watched(lab, random, installation_a, offline_a)
    lab._watch = watched.watch
    async with lab.powered():
        for number in (1, 2):
            lab.connector(number).plug_in()
            lab.swipe(f"CARD{number}", (number,))
        await trio.sleep(0.5)  # a look at the very moment of a change could come before it or after
        for _ in range(ACTIONS):
            await watched.act()
            for _ in range(random.choice((1, 2, 3, 8, 20))):
                await trio.sleep(1)
                watched.check()
        assert watched.rises > 3
        assert watched.safe
        assert watched.switched
        assert watched.switchings

        if installation_a < 2 * 6:
            assert watched.taken_over > 3
        else:
            assert watched.reductions > 3
            assert watched.sums > 3
