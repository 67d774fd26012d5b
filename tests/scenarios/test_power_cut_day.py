"""A day of twenty sessions, half of them offline, and the power cut at any of its database writes.

Each cut is a day of its own: the same day up to that write, the power gone just before or just after it, the station
started again. By default every n-th write, from a start that ``STATECHARGE_SEED`` chooses; with
``STATECHARGE_EVERY_WRITE=1`` every single one (some minutes).
"""

import itertools
import json
import os
import random
from collections import Counter

import pytest
import trio
from msgspec import Struct
from trio.testing import MockClock

from engine.batch import Batch
from engine.owner import POSTPONED_MAX
from engine.store import Store
from tests.lab import Lab

SESSIONS = 20
SEED = int(os.environ.get("STATECHARGE_SEED", "1"))
WRITES = 8 * SESSIONS
"""There are more in a day."""
STRIDE = 1 if os.environ.get("STATECHARGE_EVERY_WRITE") else 5

RECORDED = ("StartTransaction", "MeterValues", "StopTransaction")


class PowerCut(BaseException):
    """The power is gone."""


class CutStore(Store):
    """A database whose power is cut at one of its writes. What it does to the disk is tested elsewhere."""

    cut_at = 0
    is_after = False
    writes = 0

    def __init__(self, directory, **options):
        super().__init__(directory, **options)
        self._database.execute("PRAGMA synchronous=OFF")

    def write(self, batch: Batch) -> None:
        type(self).writes += 1
        is_cut = self.writes == self.cut_at
        if is_cut and not self.is_after:
            raise PowerCut
        super().write(batch)
        if is_cut:
            raise PowerCut


class Session(Struct):
    """One vehicle, by the hardware's own book."""

    connector: int
    begin: float
    """Seconds since the epoch."""
    register_wh: float
    end: float = 0
    energy_wh: float = 0


async def play(lab, sessions):
    """The day: connectors in turn, every second session without a network, the next one still under way at times."""
    for count in range(SESSIONS):
        number = 1 + count // 2 % 2
        is_offline = bool(count % 2)
        if is_offline:
            lab.cut_link()
        begin(lab, sessions, number)
        await trio.sleep(4)
        lab.swipe(f"CARD-{count // 2 % 3}")
        await trio.sleep(640)
        if count % 4 != 2:
            lab.swipe(f"CARD-{count // 2 % 3}")  # else it is unplugged
            await trio.sleep(5)
        end(lab, sessions)
        await trio.sleep(20)
        if is_offline:
            lab.restore_link()
            await trio.sleep(200)


def begin(lab, sessions, number):
    connector = lab.connector(number)
    sessions.append(Session(number, lab.now().timestamp(), connector.register_wh))
    connector.plug_in()


def end(lab, sessions):
    last = sessions[-1]
    connector = lab.connector(last.connector)
    connector.unplug()
    last.end, last.energy_wh = lab.now().timestamp(), connector.register_wh - last.register_wh


async def cut_day(directory, cut_at, is_after):
    """Play the day up to the cut, start again, serve one more vehicle; return the lab, the sessions, the writes."""
    CutStore.cut_at, CutStore.is_after, CutStore.writes = cut_at, is_after, 0
    lab, sessions = Lab(directory, "full"), []
    lab.declare(meter_value_sample_interval=300)
    lab.store_type = CutStore
    try:
        async with lab.powered():
            await play(lab, sessions)
    except BaseExceptionGroup as group:
        _, rest = group.split(PowerCut)
        assert rest is None
    writes, CutStore.cut_at = CutStore.writes, 0
    if sessions and not sessions[-1].end:
        end(lab, sessions)
    lab.is_linked = True
    async with lab.powered():
        await trio.sleep(300)
        begin(lab, sessions, 1)
        await trio.sleep(4)
        lab.swipe("CARD-0")
        await trio.sleep(640)
        lab.swipe("CARD-0")
        await trio.sleep(5)
        end(lab, sessions)
        await trio.sleep(60)
        states = lab.states()
    assert [states[f"connector/{number}"] for number in (1, 2)] == ["Available", "Available"]
    assert states["delivery"] == "idle"
    return lab, sessions, writes


def check(lab, sessions):
    """Every transaction once, stopped once, and as much energy as went through the meter."""
    assert not lab.csms.strays, "the stop of a transaction that was never started"
    transactions = sorted(lab.csms.ledger.values(), key=lambda one: one.started.timestamp)
    for session in sessions:
        mine = [
            one
            for one in transactions
            if one.started.connector_id == session.connector
            and session.begin <= one.started.timestamp.timestamp() <= session.end
        ]
        assert len(mine) <= 1, "one session is two transactions"
        billed = sum(one.energy_wh for one in mine)
        assert abs(billed - session.energy_wh) <= 1, (session, mine)
        transactions = [one for one in transactions if one not in mine]
    assert not transactions, "a transaction of no session"
    sent = Counter(
        json.dumps([action, payload], sort_keys=True) for action in RECORDED for payload in lab.calls(action)
    )
    stops = {payload["transactionId"] for payload in lab.calls("StopTransaction")}
    different = [key for key in sent if json.loads(key)[0] == "StopTransaction"]
    assert len(different) == len(stops), "a transaction stopped in two ways"
    # A message whose answer was not on record yet is sent again, the very same: at least once is all a wire can give.
    again = Counter(json.loads(key)[0] for key, count in sent.items() for _ in range(count - 1))
    assert again.total() - again["MeterValues"] <= 1, again
    assert again["MeterValues"] <= POSTPONED_MAX, again


def run(directory, cut_at, *, is_after=False):
    return trio.run(cut_day, directory, cut_at, is_after, clock=MockClock(autojump_threshold=0))


def test_a_day_without_a_cut_has_every_session_once(tmp_path):
    """What the cuts are measured by."""
    lab, sessions, writes = run(tmp_path / "whole", 0)
    check(lab, sessions)

    assert len(lab.csms.ledger) == len(sessions) == SESSIONS + 1
    assert all(one.energy_wh > 500 for one in lab.csms.ledger.values())
    assert writes > WRITES


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_power_cut_at_any_write_of_the_day_loses_and_doubles_nothing(tmp_path, is_after):
    first = 1 + random.Random(SEED).randrange(STRIDE)
    for cut_at in itertools.count(first, STRIDE):
        where = f"power cut {'after' if is_after else 'before'} write {cut_at}"
        try:
            lab, sessions, writes = run(tmp_path / str(cut_at), cut_at, is_after=is_after)
            check(lab, sessions)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
        if writes < cut_at:
            assert cut_at > WRITES
            return
