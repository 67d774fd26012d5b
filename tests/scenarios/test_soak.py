"""Thousands of sessions on two connectors, with everything going wrong at times, all of it from a seed.

``STATECHARGE_SOAK`` says how many sessions, ``STATECHARGE_SEED`` which. They are played in parts of equal size, each a
station of its own with a seed of its own. A failure prints the command that plays it again.
"""

import os
import random
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock

from drivers.simulated.errors import SimulationError
from engine.csms import NotConnectedError
from engine.store import BOOTS_MAX, Store
from machines.vocabulary import ocpp
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import AuthorizationStatus, AvailabilityType, IdTagInfo
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import Lab

PARTS = 4
SESSIONS = int(os.environ.get("STATECHARGE_SOAK", "1000")) // PARTS
SEED = int(os.environ.get("STATECHARGE_SEED", "1"))
AGAIN = f"STATECHARGE_SOAK={SESSIONS * PARTS} STATECHARGE_SEED={SEED} python -m pytest tests/scenarios/test_soak.py"

DAY = 100
"""Sessions until everybody goes home and everything is counted."""
DAYS = 5
"""Between two power cuts."""
LEDGER_MAX = 20


class SmallStore(Store):
    """A database that forgets early, so that a bound is reached; what it does to the disk is tested elsewhere."""

    def __init__(self, directory):
        super().__init__(directory, ledger_max=LEDGER_MAX)
        self._database.execute("PRAGMA synchronous=OFF")
        SmallStore.opened = self

    def rows(self):
        """How many there are in each table."""
        names = [
            name for (name,) in self._database.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        ]
        return {name: self._database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


class People:
    """Users, operators, vandals and the weather: what they do next is drawn from a seed."""

    def __init__(self, lab, chance):
        self.lab = lab
        self.chance = chance
        self.sessions = 0
        self.transactions = {}
        self.faults = set()
        lab.csms.override("Authorize", self.authorize)
        lab.csms.override("StartTransaction", self.start)
        lab.csms.override("StopTransaction", self.stop)

    # The Central System, in its moods

    def authorize(self, _request):
        if self.chance.random() < 0.05:
            return CallError(ErrorCode.INTERNAL_ERROR)
        return ocpp.AuthorizeConf(id_tag_info=self.info())

    def info(self):
        status = self.chance.choice([*[AuthorizationStatus.ACCEPTED] * 9, AuthorizationStatus.BLOCKED])
        return IdTagInfo(status=status, parent_id_tag=self.chance.choice([None, "P"]))

    def start(self, request):
        luck = self.chance.random()
        if luck < 0.06:
            return CallError(ErrorCode.INTERNAL_ERROR) if luck < 0.04 else None
        for number, known in self.transactions.items():
            if known == request:
                return ocpp.StartTransactionConf(transaction_id=number, id_tag_info=self.info())
        number = max(self.transactions, default=0) + 1
        self.transactions[number] = request
        self.transactions.pop(number - 20, None)
        return ocpp.StartTransactionConf(transaction_id=number, id_tag_info=self.info())

    def stop(self, _request):
        return (
            CallError(ErrorCode.INTERNAL_ERROR) if self.chance.random() < 0.04 else ocpp.StopTransactionConf()
        )

    # What happens

    async def act(self):
        """Let somebody do something, and some time pass."""
        number = self.chance.choice([1, 2])
        what = self.chance.choices(
            [
                self.arrive,
                self.swipe,
                self.leave,
                self.pause,
                self.ask,
                self.break_it,
                self.repair,
                self.network,
            ],
            [6, 6, 5, 2, 2, 0.4, 2, 0.7],
        )[0]
        with suppress(SimulationError):  # What a person cannot do: plug in twice, pull what is locked.
            await what(number, self.lab.connector(number))
        await trio.sleep(self.chance.choice([0, 0.1, 1, 5, 20, 60, 400]))

    async def arrive(self, _number, connector):
        if not connector.state().plugged:
            connector.plug_in()
            self.sessions += 1

    async def swipe(self, number, _connector):
        self.lab.devices.readers[0].swipe(self.chance.choice(["ANNA", "anna", "BERT", "CARL"]), [number])

    async def leave(self, number, connector):
        if connector.state().plugged and self.chance.random() < 0.5:
            await self.swipe(number, connector)
        connector.unplug(self.chance.choice(["both", "both", "both", "vehicle"]))

    async def pause(self, _number, connector):
        if connector.state().plugged:
            (connector.resume if connector.state().paused else connector.pause)()
        elif self.chance.random() < 0.1:
            connector.press_stop(is_emergency=self.chance.random() < 0.5)

    async def break_it(self, number, connector):
        fault = self.chance.choice(list(HardwareFault))
        self.faults.add((number, fault))
        connector.raise_fault(fault)

    async def repair(self, _number, _connector):
        for number, fault in sorted(self.faults):
            self.lab.connector(number).clear_fault(fault)
        self.faults.clear()

    async def network(self, _number, _connector):
        (self.lab.cut_link if self.lab.is_linked else self.lab.restore_link)()

    async def ask(self, number, _connector):
        """Something that the Central System wants."""
        chance, latest = self.chance, max(self.transactions, default=0)
        request = chance.choice(
            [
                ocpp.RemoteStartTransaction(connector_id=number, id_tag="ANNA"),
                ocpp.RemoteStopTransaction(transaction_id=latest),
                ocpp.ChangeAvailability(connector_id=number, type=AvailabilityType.INOPERATIVE),
                *[ocpp.ChangeAvailability(connector_id=0, type=AvailabilityType.OPERATIVE)] * 3,
                *[ocpp.ChangeAvailability(connector_id=number, type=AvailabilityType.OPERATIVE)] * 3,
                ocpp.UnlockConnector(connector_id=number),
                ocpp.ReserveNow(
                    connector_id=number,
                    expiry_date=self.lab.now(),
                    id_tag="ANNA",
                    reservation_id=chance.randint(1, 3),
                ),
                ocpp.ClearCache(),
                ocpp.TriggerMessage(requested_message=ocpp.MessageTrigger.METER_VALUES),
                ocpp.ChangeConfiguration(
                    key="ConnectorMaximumCurrent", value=chance.choice(["0", "32", "32"])
                ),
                ocpp.ChangeConfiguration(key="MeterValueSampleInterval", value=chance.choice(["0", "60"])),
            ]
        )
        with suppress(NotConnectedError, trio.TooSlowError):  # Nobody there, or not registered yet.
            await self.lab.csms.call(request)

    async def go_home(self):
        """Everything repaired, in service, and taken out."""
        if not self.lab.is_linked:
            self.lab.restore_link()
        await trio.sleep(400)
        await self.repair(0, None)
        for number in (0, 1, 2):
            answer = await self.lab.csms.call(
                ocpp.ChangeAvailability(connector_id=number, type=AvailabilityType.OPERATIVE)
            )
            assert answer.status == "Accepted"
        for number in (1, 2):
            connector = self.lab.connector(number)
            if connector.state().plugged:
                connector.unplug()
            await trio.sleep(100)
            if number == 1 and connector.state().cable and not connector.state().locked:
                connector.unplug()
            await trio.sleep(1)
            await self.lab.csms.call(ocpp.UnlockConnector(connector_id=number))
            await trio.sleep(100)
        await trio.sleep(1000)


def sizes(root):
    """The length of every collection that can be reached from ``root`` through what is ours, by where it is."""
    found, seen, waiting = {}, set(), deque([("station", root)])
    while waiting:
        where, one = waiting.popleft()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            found[where] = len(one)
            waiting.extend((f"{where}[{key!r}]"[:200], value) for key, value in one.items())
        elif isinstance(one, deque) and one.maxlen is not None:
            pass  # bounded by itself: the log and the history of transitions
        elif isinstance(one, list | tuple | set | frozenset | deque):
            found[where] = len(one)
            waiting.extend((f"{where}[]", value) for value in one)
        elif type(one).__module__.partition(".")[0] in {"engine", "machines", "drivers"}:
            names = [*getattr(one, "__dict__", ()), *getattr(one, "__struct_fields__", ())]
            waiting.extend((f"{where}.{name}", getattr(one, name)) for name in names)
    return found


async def play(directory, seed):
    """Play one part; return what was counted at the end of each day, run by run: rows and sizes in memory."""
    lab = Lab(directory, "full")
    lab.store_type = SmallStore
    lab.declare(transaction_message_retry_interval=5)
    people = People(lab, random.Random(seed))
    runs = []
    while people.sessions < SESSIONS:
        runs.append([])
        async with lab.powered() as running:
            for _ in range(DAYS):
                until = min(people.sessions + DAY, SESSIONS)
                while people.sessions < until:
                    await people.act()
                await people.go_home()
                check_all_home(lab)
                runs[-1].append((SmallStore.opened.rows(), sizes(running)))
                lab.csms.transcript.clear()
            lab.connector(1).plug_in()  # the power goes while somebody charges
            lab.swipe("ANNA")
            await trio.sleep(people.chance.random() * 20)
        lab.connector(1).unplug()
    return runs


def check_all_home(lab):
    states = lab.states()
    resting = {
        name: state for name, state in states.items() if name.startswith(("connector/", "transaction/"))
    }
    assert set(resting.values()) == {"Available", "idle"}, resting
    assert states["delivery"] == "idle"


@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_gets_home_and_nothing_grows(tmp_path, part):
    try:
        runs = trio.run(play, tmp_path, SEED * PARTS + part, clock=MockClock(autojump_threshold=0))
        for run in runs:
            for rows, _ in run:
                assert rows["message"] == rows["collected"] == 0
                assert rows["charging"] <= LEDGER_MAX + 2
                assert rows["machine"] <= 60
                assert rows["boot"] <= BOOTS_MAX + 1
            early, late = run[0][1], run[-1][1]
            grown = {where: size for where, size in late.items() if size > early.get(where, 0) + 20}
            assert not grown
    except BaseException:
        sys.stderr.write(f"\nTo play it again: {AGAIN} -k '[{part}]'\n")
        raise


def test_the_sizes_of_what_grows_are_seen():
    """What the other test relies on."""

    class Keeper:
        __module__ = "engine.keeper"

        def __init__(self):
            self.kept = {"all": [1, 2, 3]}

    assert sizes(Keeper()) == {"station.kept": 1, "station.kept['all']": 3}
