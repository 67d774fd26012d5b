"""A damaged database: what can be read is kept and fits together, and the station goes on by itself."""

import sqlite3

import pytest
import trio

from engine.batch import Batch
from engine.salvage import salvage
from engine.store import FILE, SCHEMA, Store
from machines.charge_point import Memory
from machines.delivery import DeliveryData
from machines.transaction import TransactionData
from machines.vocabulary.effects import Collect, Instant, Keep, Settle
from machines.vocabulary.ocpp import (
    ReadingContext,
    Reason,
    SampledValue,
)
from machines.vocabulary.transactions import Began, Ended, Metered, TransactionMessage
from tests.lab import Lab

PAGE_SIZE = 4096
SECTOR_SIZE = 512


def begun(number, local_id=7, meter_start=100):
    body = Began(connector_id=1, id_tag="CARD", meter_start=meter_start)
    return TransactionMessage(number, local_id, Instant(1, number), body)


def metered(number, register, local_id=7):
    body = Metered(connector_id=1, values=(SampledValue(value=str(register)),))
    return TransactionMessage(number, local_id, Instant(1, number), body)


def ended(number, local_id=7, meter_stop=900):
    body = Ended(meter_stop=meter_stop, reason=Reason.LOCAL)
    return TransactionMessage(number, local_id, Instant(1, number), body)


def running(local_id=7, transaction_id=None):
    data = TransactionData(
        local_id=local_id,
        id_tag="CARD",
        transaction_id=transaction_id,
        started_at=Instant(1, 2),
        meter_start=100,
    )
    return Memory("transaction/1", "running", data)


def left_with(directory, *effects, memories=(), spoil=""):
    """What a store of these finds after ``spoil`` was done to the database, and the database was salvaged."""
    store = Store(directory)
    store.write(Batch({memory.address: memory for memory in memories}, list(effects)))
    store.close()
    with sqlite3.connect(directory / FILE) as database:
        database.executescript(spoil)
    database.close()
    salvage(directory / FILE, SCHEMA)
    return Store(directory)


def queue(store):
    """The messages in the queue, as the delivery machine will ask for them."""
    (delivery,) = [memory.data for memory in store.memories() if memory.address == "delivery"]
    messages = [store.message(number)[0] for number in range(delivery.head, delivery.tail)]
    assert store.counts()["message"] == len(messages)
    return messages, delivery


def test_a_message_that_is_lost_leaves_no_gap(tmp_path):
    delivery = Memory("delivery", "held", DeliveryData(head=4, tail=7, next_local_id=8))
    effects = [Keep(begun(4)), Keep(metered(5, 500)), Keep(ended(6))]
    store = left_with(tmp_path, *effects, memories=[delivery], spoil="DELETE FROM message WHERE number = 5")
    messages, _ = queue(store)
    store.close()

    assert [message.body for message in messages] == [begun(4).body, ended(6).body]


def test_what_is_not_understood_is_left_out(tmp_path):
    spoil = """
        UPDATE message SET content = x'00ff' WHERE number = 2;
        UPDATE machine SET data = '{' WHERE address = 'reset';
    """
    memories = [Memory("reset", "running", None)]
    store = left_with(
        tmp_path, Keep(begun(1)), Keep(metered(2, 5)), memories=[*memories, running()], spoil=spoil
    )
    messages, _ = queue(store)
    addresses = {memory.address for memory in store.memories()}
    store.close()

    assert [message.body for message in messages] == [begun(1).body]
    assert addresses == {"delivery", "transaction/1"}


def test_a_start_that_is_lost_is_queued_again_from_the_ledger(tmp_path):
    store = left_with(
        tmp_path,
        Keep(begun(1)),
        Keep(metered(2, 5)),
        memories=[running()],
        spoil="DELETE FROM message WHERE number = 1",
    )
    messages, _ = queue(store)
    store.close()

    assert [message.body for message in messages] == [begun(1).body, metered(2, 5).body]
    assert messages[0].at == Instant(1, 1)


def test_a_start_that_is_settled_is_not_sent_again(tmp_path):
    store = left_with(
        tmp_path, Keep(begun(1)), Settle(7, 42), memories=[running()], spoil="DELETE FROM message"
    )
    messages, _ = queue(store)
    store.close()

    assert messages == []


def test_a_transaction_that_nothing_continues_is_ended_with_the_latest_register(tmp_path):
    store = left_with(tmp_path, Keep(begun(1)), Keep(metered(2, 640)), Keep(metered(3, 720)), Settle(7, 42))
    messages, _ = queue(store)
    (charging,) = store.ledger()
    store.close()

    assert messages[-1].body == Ended(meter_stop=720, reason=Reason.OTHER)
    assert messages[-1].at == Instant(1, 3)
    assert (charging.meter_stop, charging.reason, charging.transaction_id) == (720, "Other", 42)


def test_an_end_that_is_lost_is_queued_again_from_the_ledger(tmp_path):
    """Decision DL9: the last register on record is that of the stop itself."""
    store = left_with(
        tmp_path,
        Keep(begun(1)),
        Keep(metered(2, 720)),
        Keep(ended(3, meter_stop=900)),
        Settle(7, 42),
        spoil="DELETE FROM message WHERE number = 3",
    )
    messages, _ = queue(store)
    (charging,) = store.ledger()
    store.close()

    assert messages[-1].body == ended(3, meter_stop=900).body
    assert messages[-1].at == Instant(1, 3)
    assert (charging.meter_stop, charging.reason) == (900, "Local")


def test_the_latest_register_may_be_one_that_was_collected(tmp_path):
    """Decision DL9: samples that were delivered are in the queue no more, but on record for transactionData."""

    def collected(seconds, register):
        value = SampledValue(value=str(register), context=ReadingContext.SAMPLE_PERIODIC)
        return Collect(7, Instant(1, seconds), (value,), 10)

    store = left_with(
        tmp_path,
        Keep(begun(1)),
        Settle(7, 42),
        collected(5, 640),
        collected(6, 720),
        spoil="DELETE FROM message",
    )
    messages, _ = queue(store)
    store.close()

    assert [message.body for message in messages] == [Ended(meter_stop=720, reason=Reason.OTHER)]
    assert messages[0].at == Instant(1, 6)


def test_a_transaction_that_a_machine_continues_stays_open_and_in_the_ledger(tmp_path):
    store = left_with(
        tmp_path,
        Keep(begun(1)),
        memories=[running(transaction_id=42)],
        spoil="DELETE FROM message; DELETE FROM charging",
    )
    messages, delivery = queue(store)
    (charging,) = store.ledger()
    store.close()

    assert messages == []
    assert (charging.local_id, charging.transaction_id, charging.meter_start) == (7, 42, 100)
    assert delivery.next_local_id == 8


def test_the_next_transaction_gets_a_number_of_its_own(tmp_path):
    store = left_with(tmp_path, Keep(begun(1, local_id=30)), spoil="DELETE FROM machine")
    _, delivery = queue(store)
    store.close()

    assert delivery.next_local_id == 31


def test_a_power_cut_while_it_is_put_in_place(tmp_path, monkeypatch):
    """It happens at the last moment; the next start goes on from there, and plays no log of the old database."""
    left_with(tmp_path, Keep(begun(1))).close()
    file = tmp_path / FILE
    file.rename(tmp_path / f"{FILE}.salvaged")
    file.write_bytes(b"rubbish")
    (tmp_path / f"{FILE}-wal").write_bytes(b"rubbish")
    store = Store(tmp_path)

    assert len(store.ledger()) == 1
    assert store.damage == ""
    store.close()


def test_a_file_that_is_no_database_is_set_aside(tmp_path):
    (tmp_path / FILE).write_bytes(b"rubbish" * 1000)
    store = Store(tmp_path)
    store.close()

    assert store.damage == "database damaged, 0 known rows lost"
    assert (tmp_path / f"{FILE}.damaged").read_bytes() == b"rubbish" * 1000
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / f"{FILE}.damaged").stat().st_mode & 0o777 == 0o600


def test_a_database_that_is_sound_is_not_touched(tmp_path):
    Store(tmp_path).close()
    store = Store(tmp_path)
    store.close()

    assert store.damage == ""
    assert {path.name for path in tmp_path.iterdir()} == {FILE}


async def full(directory, charges_s=600):
    """A database with a whole transaction in the queue."""
    lab = Lab(directory)
    lab.declare(allow_offline_tx_for_unknown_id=True)
    async with lab.powered():
        lab.cut_link()
        await trio.sleep(1)
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(charges_s)
        lab.swipe()
        await trio.sleep(1)
    return (directory / FILE).read_bytes()


@pytest.mark.parametrize("rest", [b"\0", b"\xff"])
async def test_whatever_sector_is_lost_what_is_left_can_be_read(tmp_path, rest, autojump_clock):
    """SQLite sees nothing wrong with most of them: its pages still hang together."""
    worn = await full(tmp_path / "before")
    damaged = 0
    for at in range(0, len(worn), SECTOR_SIZE):
        directory = tmp_path / str(at)
        directory.mkdir()
        (directory / FILE).write_bytes(worn[:at] + rest * SECTOR_SIZE + worn[at + SECTOR_SIZE :])
        store = Store(directory)
        for message in queue(store)[0] if store.counts()["machine"] else ():
            store.collected(message.local_id)
        assert store.latest_utc() >= 0
        assert store.meters() is not None
        store.ledger()
        damaged += bool(store.damage)
        store.close()
    assert damaged > 20


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE message SET content = x'7b2200' WHERE number = (SELECT min(number) FROM message)",
        "UPDATE message SET content = x'7b2200' WHERE number = (SELECT max(number) FROM message)",
        "UPDATE machine SET data = x'7b2200' WHERE address = 'configuration'",
        "UPDATE machine SET state = x'72756e00' WHERE address = 'delivery'",
        "UPDATE machine SET address = CAST(x'ff6c6976657279' AS TEXT) WHERE address = 'delivery'",
        "UPDATE charging SET began = x'7b2200'",
    ],
)
async def test_a_row_that_says_nothing_is_damage(tmp_path, spoil, autojump_clock):
    """It is lost, and nothing else: the transaction before it is told once, and so is the next one."""
    await full(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute(spoil).rowcount
    database.close()
    lab = Lab(tmp_path)
    async with lab.powered():
        await lab.charge()
        lab.swipe()
        await lab.until("StopTransaction")
        while lab.running.charge_point.machines["delivery"].data.size:
            await trio.sleep(60)
    assert len(lab.calls("StartTransaction")) == 2
    assert [call["transactionId"] for call in lab.calls("StopTransaction")] == [1, 2]


@pytest.mark.parametrize(
    ("whole", "worn"),
    [
        (b"CREATE TABLE charging", b"CREATE TABLE charginh"),
        (b"is_delivered INTEGER", b"is_delivere\xff INTEGER"),
        (b"number INTEGER PRIMARY KEY, zero", b"number INTEGES PRIMARY KEY, zero"),
        (b"CREATE TABLE message", b"CREATE \xffABLE message"),
    ],
)
async def test_a_damaged_schema_is_damage(tmp_path, whole, worn, autojump_clock):
    """Of a table that cannot be named any more nothing is known; the rest goes on."""
    sound = await full(tmp_path)
    assert sound.count(whole) == 1
    (tmp_path / FILE).write_bytes(sound.replace(whole, worn))
    store = Store(tmp_path)
    assert store.damage
    queue(store)
    store.close()


async def test_whatever_page_is_lost_the_station_serves_again(tmp_path, autojump_clock):
    """Every page in turn is overwritten while the power is off, with a whole transaction in the queue."""
    worn = await full(tmp_path / "before", charges_s=1800)
    told = {}
    for page in range(len(worn) // PAGE_SIZE):
        lab = Lab(tmp_path / str(page))
        lab.directory.mkdir()
        at = page * PAGE_SIZE
        (lab.directory / FILE).write_bytes(worn[:at] + bytes([0xA5]) * PAGE_SIZE + worn[at + PAGE_SIZE :])
        async with lab.powered():
            await lab.charge()
            lab.swipe()
            await lab.until("StopTransaction")
            while lab.running.charge_point.machines["delivery"].data.size:
                await trio.sleep(60)
        starts = [call["timestamp"] for call in lab.calls("StartTransaction")]
        stops = [call["transactionId"] for call in lab.calls("StopTransaction")]
        assert len(set(starts)) == len(starts)
        assert stops == list(range(1, len(starts) + 1))
        told[page] = len(stops)
    # Nothing can be read without the first page. From any other, both transactions are known.
    assert told == {page: 1 if page == 0 else 2 for page in range(len(worn) // PAGE_SIZE)}
    assert len(told) > 10
