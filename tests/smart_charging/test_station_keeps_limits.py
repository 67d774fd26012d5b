"""At every second of random days the station keeps to every limit, whatever happens: against the oracle.

The real engine on virtual time; profiles, sessions, the connection and the operator's key change at random. The seed is
in the name of the test.
"""

from contextlib import suppress
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

ACTIONS = 250
OFFLINE_A, OFFLINE_S = 12.0, 60.0
INSTALLATION_A = 40.0
HOLD_S = 5


class Watched:
    """A station with two connectors, and what is compared with the oracle."""

    def __init__(self, lab, random):
        self.lab = lab
        self.random = random
        self.offers = {1: (0.0, 0, -99.0), 2: (0.0, 0, -99.0)}
        self.rises = 0
        self.reductions = 0
        self.cut_at = None
        self.switched = False

    # What must hold

    def watch(self, step):
        """An offer to the same transaction rises no sooner than 5 s after it changed."""
        for number, setpoint in step.setpoints.items():
            before_a, transaction, changed_at = self.offers[number]
            if setpoint.offered_a == before_a:
                continue
            standing = self.lab.running.charge_point.standings[f"current_offer/{number}"]
            now, local_id = trio.current_time(), standing.data.local_id
            if setpoint.offered_a > before_a > 0 and transaction == local_id:
                assert now - changed_at >= HOLD_S - 0.01, (
                    f"connector {number} rose after {now - changed_at} s"
                )
                self.rises += 1
            self.reductions += 0 < setpoint.offered_a < before_a
            self.offers[number] = (setpoint.offered_a, local_id, now)

    def check(self):
        """No connector offers more than the oracle allows at this second."""
        charge_point, now = self.lab.running.charge_point, self.lab.running.clock.now()
        standings = charge_point.standings
        at_s = int(now.utc)
        held = [
            oracle.Held(
                connector=one.connector, profile=one.profile, at_s=one.received_s, local_id=one.local_id
            )
            for one in standings["charging_profiles"].data.book
            if not one.id_tag
        ]
        case = oracle.Case(
            outlets=tuple(
                oracle.Outlet(
                    phases=connector.phases,
                    volts=connector.voltage_v,
                    ceiling_a=min(
                        connector.current_max_a,
                        standings["configuration"].data.keys.connector_maximum_current,
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
        )
        for number in (1, 2):
            offered_a = self.lab.connector(number).state().offered_a
            limit_a, phases = oracle.limit_at(case, held, number, at_s)
            assert offered_a <= limit_a, f"connector {number} offers {offered_a} A of {float(limit_a)} A"
            assert offered_a == 0 or offered_a >= 6
            connected = self.lab.running.charge_point.setpoints[number].phases
            assert offered_a == 0 or connected <= phases, (
                f"connector {number} offers on {connected} of {phases}"
            )
            self.switched |= number == 1 and offered_a > 0 and connected == 1

    def safe_a(self):
        """What all may draw: less once the connection has been gone for long."""
        is_safe = self.cut_at is not None and trio.current_time() - self.cut_at > OFFLINE_S + 1
        return min(INSTALLATION_A, OFFLINE_A) if is_safe else INSTALLATION_A

    # What happens

    async def act(self):
        number = self.random.choice((1, 2))
        await self.random.choice(
            [self.profile] * 8
            + [self.begin] * 6
            + [self.clear] * 3
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
            await self.call(decoded({key: event[key] for key in ("connectorId", "csChargingProfiles")}))

    async def clear(self, _number):
        await self.call(ClearChargingProfile(id=self.random.randrange(1, 13)))

    async def key(self, _number):
        value = str(self.random.choice((6, 10, 16, 32)))
        await self.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value=value))

    async def begin(self, number):
        """Somebody charges again where nobody does."""
        if self.lab.running.charge_point.standings[f"transaction/{number}"].state == "idle":
            connector = self.lab.connector(number)
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
        if self.cut_at is None and self.random.random() < 0.4:
            self.lab.cut_link()
            self.cut_at = trio.current_time()
        elif self.cut_at is not None:
            self.lab.restore_link()
            self.cut_at = None


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_limit_is_ever_exceeded(tmp_path, autojump_clock, seed):
    random = Random(seed)
    lab = Lab(tmp_path, "full")
    installation = Installation(
        current_max_a=INSTALLATION_A, offline_current_max_a=OFFLINE_A, offline_after_s=OFFLINE_S
    )
    lab.station = replace(lab.station, settings=replace(lab.station.settings, installation=installation))
    watched = Watched(lab, random)
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
        assert watched.reductions > 3
        assert watched.switched
