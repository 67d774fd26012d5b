"""The database: all or nothing, private, one station at a time."""

import itertools
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from drivers.interfaces import MeterRecord
from engine.batch import Batch, Boot, KeptMeter, merged
from engine.store import FILE, Store, StoreError
from machines.charge_point import Memory
from machines.delivery import DeliveryData
from machines.transaction import TransactionData
from machines.vocabulary.effects import Collect, Forget, Instant, Keep, Settle
from machines.vocabulary.ocpp import ReadingContext, Reason, SampledValue
from machines.vocabulary.transactions import Began, Collected, Ended, Metered, TransactionMessage

AT = Instant(1, 2.5)
BEGAN = TransactionMessage(1, 7, AT, Began(connector_id=1, id_tag="CARD", meter_start=100))
SAMPLE = TransactionMessage(2, 7, AT, Metered(connector_id=1, values=()))
ENDED = TransactionMessage(3, 7, AT, Ended(meter_stop=300, reason=Reason.LOCAL, id_tag="CARD"))


def of(*effects, memories=(), boot=None):
    return Batch({m.address: m for m in memories}, list(effects), boot)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


def test_what_machines_remember_comes_back(store, tmp_path):
    memories = (
        Memory("transaction/1", "running", TransactionData(local_id=7, meter_start=5, stopped_at=AT)),
        Memory("delivery", "idle", DeliveryData(head=4, tail=9)),
    )
    store.write(of(memories=memories))
    store.close()
    again = Store(tmp_path)

    assert set(again.memories()) == set(memories)
    again.close()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ('data = \'{"local_id": "seven"}\'', "transaction/1 cannot be read by this version"),
        ("state = 'dreaming'", "transaction/1 is 'dreaming', which this version does not know"),
    ],
)
def test_what_a_later_version_left_is_refused(store, spoil, complaint):
    store.write(of(memories=(Memory("transaction/1", "running", TransactionData(local_id=7)),)))
    store._database.execute(f"UPDATE machine SET {spoil}")
    with pytest.raises(StoreError, match=complaint):
        store.memories()


def test_a_message_comes_back_with_the_transaction_id_once_that_is_known(store):
    store.write(of(Keep(BEGAN), Keep(SAMPLE)))
    assert store.message(2) == (SAMPLE, None)
    store.write(of(Settle(7, -3), Forget(1)))

    assert store.message(2) == (SAMPLE, -3)
    with pytest.raises(KeyError):
        store.message(1)


def test_a_transaction_id_is_settled_once(store):
    """The answer to a later message of the same transaction changes nothing."""
    store.write(of(Keep(BEGAN), Keep(SAMPLE), Settle(7, 42), Settle(7, -1)))

    assert store.message(2)[1] == 42


def test_the_ledger_has_a_row_for_each_transaction(store):
    store.write(of(Keep(BEGAN), Keep(SAMPLE), Keep(ENDED), Settle(7, 42), Forget(1), Forget(2), Forget(3)))
    (charging,) = store.ledger()

    assert (charging.meter_start, charging.meter_stop, charging.reason) == (100, 300, "Local")
    assert (charging.transaction_id, charging.is_delivered) == (42, True)


def test_the_ledger_is_bounded(tmp_path):
    store = Store(tmp_path, ledger_max=3)
    for local_id in range(1, 11):
        began = TransactionMessage(2 * local_id, local_id, AT, BEGAN.body)
        ended = TransactionMessage(2 * local_id + 1, local_id, AT, ENDED.body)
        store.write(of(Keep(began), Keep(ended), Forget(began.number), Forget(ended.number)))

    assert [charging.local_id for charging in store.ledger()] == [8, 9, 10]
    store.close()


def collect(number, context=ReadingContext.SAMPLE_PERIODIC, local_id=7, room=100):
    return Collect(local_id, AT, (SampledValue(value=str(number), context=context),), room)


def numbers(store, local_id=7):
    return [int(one.values[0].value) for one in store.collected(local_id)]


def test_what_was_collected_comes_back_in_order_by_transaction(store, tmp_path):
    store.write(of(*(collect(number) for number in range(12)), collect(99, local_id=8)))
    store.close()
    again = Store(tmp_path)

    assert again.collected(8) == [Collected(AT, collect(99).values)]
    assert numbers(again) == list(range(12))
    again.close()


def test_what_was_collected_goes_with_the_settled_stop(store):
    store.write(of(Keep(BEGAN), collect(1), collect(2, local_id=8), Keep(ENDED), Forget(1)))
    assert numbers(store) == [1]
    store.write(of(Forget(3)))

    assert numbers(store) == []
    assert numbers(store, 8) == [2]


def test_a_power_cut_leaves_what_was_collected_and_what_was_queued_together(store):
    """One write holds both, or neither."""
    store.write(of(Keep(BEGAN)))
    with pytest.raises(sqlite3.IntegrityError):
        store.write(of(collect(1), Keep(BEGAN)))

    assert numbers(store) == []


@pytest.mark.parametrize("room", [2, 3, 7, 10])
@pytest.mark.parametrize("count", [1, 10, 11, 64, 1000])
def test_what_is_collected_is_bounded_and_thinned_evenly(store, room, count):
    """The first and the latest always stay; between them is every second, fourth, eighth ..."""
    store.write(of(*(collect(number, room=room) for number in range(count))))
    kept = numbers(store)
    gaps = {after - before for before, after in itertools.pairwise(kept[:-1])}

    assert min(count, room // 2) <= len(kept) <= room
    assert (kept[0], kept[-1]) == (0, count - 1)
    assert len(gaps) <= 1


def test_each_context_has_its_own_room(store):
    contexts = (ReadingContext.SAMPLE_PERIODIC, ReadingContext.SAMPLE_CLOCK)
    store.write(of(*(collect(number, contexts[number % 2], room=10) for number in range(40))))
    kept = numbers(store)

    assert len([number for number in kept if number % 2]) > 4
    assert len([number for number in kept if not number % 2]) > 4


def test_a_batch_that_fails_leaves_nothing(store):
    """All of it or nothing: the second message has the number of the first."""
    with pytest.raises(sqlite3.IntegrityError):
        store.write(of(Keep(BEGAN), Keep(BEGAN), boot=Boot(1, 0.0, is_set=True)))

    assert store.ledger() == []
    assert store.boots() == {}


def test_what_fails_for_another_reason_than_the_disk_is_a_defect(store):
    store._database.execute("DROP TABLE message")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        store.write(of(Keep(BEGAN)))


def test_batches_merge_in_order():
    one = of(Keep(BEGAN), memories=[Memory("a", "x", None)])
    two = of(Forget(1), memories=[Memory("a", "y", None)], boot=Boot(2, 1.0, is_set=False))

    assert merged([one, two]) == of(
        Keep(BEGAN), Forget(1), memories=[Memory("a", "y", None)], boot=Boot(2, 1.0, is_set=False)
    )


def test_files_are_private(store, tmp_path):
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_second_station_on_one_database_is_refused(store, tmp_path):
    with pytest.raises(StoreError, match="in use by another process"):
        Store(tmp_path)


def test_a_database_of_other_software_is_refused(tmp_path):
    database = sqlite3.connect(tmp_path / FILE)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path)


def test_no_run_begins_before_the_latest_time_on_record(store):
    """What an unset clock said counts only as long as something that it stamped is to be delivered."""
    assert store.latest_utc() == 0
    store.write(of(boot=Boot(1, 9000.0, is_set=False)))
    assert store.latest_utc() == 0
    store.write(of(boot=Boot(2, 7000.0, is_set=True)))
    assert store.latest_utc() == 7000
    store.write(of(boot=Boot(2, 5000.0, is_set=True)))  # it was told another time in the same run
    assert store.latest_utc() == 5000
    began = replace(BEGAN, at=Instant(2, 30.0, 5030.0))
    store.write(of(Keep(began)))
    store.write(of(Forget(1)))
    assert store.latest_utc() == 5030
    store.write(of(Keep(replace(ENDED, at=Instant(1, 40.0)))))
    assert store.latest_utc() == 9040
    store.write(of(Forget(3)))
    assert store.latest_utc() == 5000


def test_what_the_energy_of_a_meter_rests_on_comes_back(store, tmp_path):
    kept = KeptMeter(MeterRecord(serial_number="4711", read_wh=30.5, offset_wh=5000.0), at=100.0)
    store.write(Batch({}, [], meters={1: kept}))
    store.write(Batch({}, [], meters={2: kept}))
    store.close()
    again = Store(tmp_path)
    assert again.meters() == {1: kept, 2: kept}
    again.close()


def test_a_database_without_meters_gets_a_place_for_them(store, tmp_path):
    store.close()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("DROP TABLE meter")
    database.close()
    again = Store(tmp_path)
    assert again.meters() == {}
    again.close()


# Whether the power stayed on


@pytest.mark.parametrize(
    ("before", "now", "was_powered"),
    [("one", "one", True), ("one", "two", False), ("", "", False), ("one", "", False), ("", "one", False)],
)
def test_a_run_that_did_not_end_in_order_was_cut_unless_the_operating_system_went_on(
    tmp_path, before, now, was_powered
):
    for number, kernel in enumerate(("earlier", before), start=1):
        with closing(Store(tmp_path, kernel=kernel)) as store:
            store.write(of(boot=Boot(number, 0.0, is_set=False)))
    with closing(Store(tmp_path, kernel=now)) as store:
        assert store.was_powered() is was_powered


def test_a_run_that_ended_in_order_was_not_cut(tmp_path):
    for number, (is_ended, was_powered) in enumerate([(True, False), (False, True), (False, False)], start=1):
        with closing(Store(tmp_path)) as store:
            assert store.was_powered() is was_powered
            store.write(of(boot=Boot(number, 0.0, is_set=False)))
            if is_ended:
                store.mark_clean()


def test_a_database_of_before_says_nothing_of_the_operating_system(store, tmp_path):
    store.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("DROP TABLE kernel")
    with closing(Store(tmp_path, kernel="one")) as again:
        assert not again.was_powered()
