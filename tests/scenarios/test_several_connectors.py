"""One, two and eight connectors on a station, one reader for all or one each: independent, but for connector 0."""

from datetime import timedelta

import pytest
import trio

from machines.vocabulary.ocpp import (
    AvailabilityType,
    ChangeAvailability,
    MessageTrigger,
    RemoteStartTransaction,
    RemoteStopTransaction,
    ReserveNow,
    TriggerMessage,
    UnlockConnector,
)
from tests.lab import Lab

CONNECTOR = """
[[connectors]]
number = {number}
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "simulated"
"""
READER = """
[[readers]]
driver = "simulated"
connectors = {connectors}
"""


def lab_of(directory, count, *, readers):
    """A station like ``full`` with ``count`` connectors; ``readers`` are the connectors that each of them serves."""
    text = 'extends = "full"\nkeys.ConnectorPhaseRotation.default = []\n'
    text += "".join(CONNECTOR.format(number=number + 1) for number in range(count))
    text += "".join(READER.format(connectors=list(served)) for served in readers)
    file = directory / "station.toml"
    file.write_text(text)
    return Lab(directory, str(file))


def numbers(count):
    return range(1, count + 1)


@pytest.fixture
async def eight(tmp_path):
    """Eight connectors, one reader for all."""
    return lab_of(tmp_path, 8, readers=[numbers(8)])


@pytest.fixture
async def pair(tmp_path):
    """Two connectors, each with its reader."""
    return lab_of(tmp_path, 2, readers=[[1], [2]])


async def ask(lab, request):
    return (await lab.csms.call(request)).status


async def start(lab, number):
    """Charge at connector ``number`` with a card of its own, shown at the reader that serves it."""
    lab.connector(number).plug_in()
    await lab.until_status("Preparing", number)
    show(lab, number)
    await lab.until_status("Charging", number)


def show(lab, number):
    """The card that belongs to connector ``number``, at the reader that serves it."""
    (reader,) = (
        r for r, d in zip(lab.devices.readers, lab.station.readers, strict=True) if number in d.connectors
    )
    reader.swipe(f"CARD{number}")


# Independent sessions


@pytest.mark.parametrize("has_reader_each", [False, True], ids=["one reader", "a reader each"])
@pytest.mark.parametrize("count", [1, 2, 8])
async def test_sessions_in_parallel(tmp_path, autojump_clock, count, has_reader_each):
    """Other cards, begun one after the other, ended in another order: every connector has its own."""
    each = [[number] for number in numbers(count)]
    lab = lab_of(tmp_path, count, readers=each if has_reader_each else [numbers(count)])
    order = [*numbers(count)][1::2] + [*numbers(count)][0::2]
    async with lab.powered():
        for number in numbers(count):
            await start(lab, number)
            await trio.sleep(60)
        for number in order:
            show(lab, number)
            await lab.until_status("Finishing", number)
            lab.connector(number).unplug()
            await lab.until_status("Available", number)
            await trio.sleep(60)

    session = ["Available", "Preparing", "Charging", "Finishing", "Available"]
    assert [lab.statuses(number) for number in numbers(count)] == [session] * count
    begun = [(one["connectorId"], one["idTag"]) for one in lab.calls("StartTransaction")]
    assert begun == [(number, f"CARD{number}") for number in numbers(count)]
    ended = [(one["transactionId"], one["idTag"], one["reason"]) for one in lab.calls("StopTransaction")]
    assert ended == [(number, f"CARD{number}", "Local") for number in order]
    for number, transaction in lab.csms.ledger.items():
        assert transaction.energy_wh == pytest.approx(lab.connector(number).register_wh, abs=1)
        assert transaction.energy_wh > 0


async def test_eight_sessions_offline(eight, autojump_clock):
    """Begun and ended without a connection: delivered in their order, every one with its connector."""
    eight.declare(allow_offline_tx_for_unknown_id=True)
    async with eight.powered():
        eight.cut_link()
        await trio.sleep(1)
        for number in numbers(8):
            eight.connector(number).plug_in()
            await trio.sleep(1)
            show(eight, number)
            await trio.sleep(60)
        for number in reversed(numbers(8)):
            show(eight, number)
            await trio.sleep(60)
        eight.restore_link()
        for _ in numbers(8):
            await eight.until("StopTransaction")

    assert [one["connectorId"] for one in eight.calls("StartTransaction")] == [*numbers(8)]
    assert [one["transactionId"] for one in eight.calls("StopTransaction")] == [*reversed(numbers(8))]


async def test_unlocking_one_leaves_the_others(eight, autojump_clock):
    """5.18: connector 3 of three that charge."""
    async with eight.powered():
        for number in (2, 3, 4):
            await start(eight, number)
        assert await ask(eight, UnlockConnector(connector_id=3)) == "Unlocked"
        await eight.until_status("Finishing", 3)
        await trio.sleep(60)
        assert [eight.connector(number).state().contactor for number in (2, 3, 4)] == [True, False, True]


async def test_remote_start_and_stop_name_their_connector(eight, autojump_clock):
    """5.11, 5.12."""
    async with eight.powered():
        for number in (5, 6):
            assert (
                await ask(eight, RemoteStartTransaction(connector_id=number, id_tag=f"CARD{number}"))
                == "Accepted"
            )
            eight.connector(number).plug_in()
            await eight.until_status("Charging", number)
            await trio.sleep(1)
        (five,) = (i for i, one in eight.csms.ledger.items() if one.started.connector_id == 5)
        assert await ask(eight, RemoteStopTransaction(transaction_id=five)) == "Accepted"
        await eight.until_status("Finishing", 5)
        assert await ask(eight, RemoteStartTransaction(connector_id=9, id_tag="CARD")) == "Rejected"
        assert eight.connector(6).state().contactor


# Readers


async def test_a_card_means_the_connector_of_its_reader(pair, autojump_clock):
    """A vehicle waits at connector 1; the card shown at the other reader is for connector 2."""
    async with pair.powered():
        pair.connector(1).plug_in()
        await pair.until_status("Preparing", 1)
        pair.devices.readers[1].swipe("CARD")
        await pair.until_status("Preparing", 2)
        await trio.sleep(10)
        assert not pair.calls("StartTransaction")


async def test_a_card_that_charges_stops_at_its_own_reader_only(pair, autojump_clock):
    """Shown at the reader of connector 2, the card of connector 1 asks for a second session there."""
    async with pair.powered():
        await start(pair, 1)
        pair.devices.readers[1].swipe("CARD1")
        await pair.until_status("Preparing", 2)
        await trio.sleep(10)
        assert not pair.calls("StopTransaction")
        pair.devices.readers[0].swipe("CARD1")
        await pair.until("StopTransaction", idTag="CARD1")


async def test_two_cards_at_once_at_two_readers(pair, autojump_clock):
    """Authorize is asked for each, one CALL at a time, and both charge."""
    async with pair.powered():
        for number in (1, 2):
            pair.connector(number).plug_in()
        await trio.sleep(1)
        for number in (1, 2):
            show(pair, number)
        await pair.until_status("Charging", 1)
        await pair.csms.wait_for_request("StatusNotification", connectorId=2, status="Charging")

    begun = [(one["connectorId"], one["idTag"]) for one in pair.calls("StartTransaction")]
    assert sorted(begun) == [(1, "CARD1"), (2, "CARD2")]


async def test_one_reader_goes_on_to_the_next_free_connector(eight, autojump_clock):
    """Cards first: each gets the next connector; when all charge the ninth card gets none."""
    async with eight.powered():
        for number in numbers(8):
            eight.swipe(f"CARD{number}")
            await eight.until_status("Preparing", number)
        for number in numbers(8):
            eight.connector(number).plug_in()
            await eight.until_status("Charging", number)
        eight.swipe("NINTH")
        await trio.sleep(60)

    assert [one["idTag"] for one in eight.calls("StartTransaction")] == [f"CARD{n}" for n in numbers(8)]
    assert not eight.calls("StopTransaction")


# Connector 0


async def test_every_connector_and_connector_0_is_told_at_boot(eight, autojump_clock):
    """4.2, facts 3.3."""
    async with eight.powered():
        pass
    assert [one["connectorId"] for one in eight.calls("StatusNotification")] == [0, *numbers(8)]


async def test_out_of_service_as_a_whole_while_some_charge(eight, autojump_clock):
    """5.2: Scheduled; the idle ones at once, the others as they end, connector 0 with the last. And back."""
    async with eight.powered():
        await start(eight, 2)
        await start(eight, 7)
        asked = ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE)
        assert await ask(eight, asked) == "Scheduled"
        await trio.sleep(10)
        assert [eight.statuses(number)[-1] for number in (0, 1, 2, 3, 7, 8)] == [
            "Available",
            "Unavailable",
            "Charging",
            "Unavailable",
            "Charging",
            "Unavailable",
        ]
        for number in (2, 7):
            show(eight, number)
            await eight.until_status("Finishing", number)
            eight.connector(number).unplug()
            await eight.until_status("Unavailable", number)
        await trio.sleep(1)
        assert [eight.statuses(number)[-1] for number in range(9)] == ["Unavailable"] * 9
        assert (
            await ask(eight, ChangeAvailability(connector_id=0, type=AvailabilityType.OPERATIVE))
            == "Accepted"
        )
        await trio.sleep(1)
        assert [eight.statuses(number)[-1] for number in range(9)] == ["Available"] * 9


async def test_out_of_service_as_a_whole_once_the_last_one_is_taken_out_while_finishing(pair, autojump_clock):
    """5.2, 4.9 F8: connector 0 follows at once. It used to stay Available, all of its connectors Unavailable."""
    async with pair.powered():
        await start(pair, 1)
        assert await ask(pair, availability(0, AvailabilityType.INOPERATIVE)) == "Scheduled"
        assert await ask(pair, availability(1, AvailabilityType.OPERATIVE)) == "Accepted"
        show(pair, 1)
        await pair.until_status("Finishing", 1)
        assert await ask(pair, availability(1, AvailabilityType.INOPERATIVE)) == "Accepted"
        await trio.sleep(1)
        assert [pair.statuses(number)[-1] for number in range(3)] == ["Unavailable"] * 3


def availability(number, wanted):
    return ChangeAvailability(connector_id=number, type=wanted)


async def leave(lab, number):
    """Charge at connector ``number`` and end it, and leave the vehicle there."""
    await start(lab, number)
    show(lab, number)
    await lab.until_status("Finishing", number)


async def test_a_card_is_for_the_vehicle_that_waits_and_not_for_one_that_was_left(eight, autojump_clock):
    """Decision AU5. There used to be a card that charged the vehicle of the user before."""
    async with eight.powered():
        await leave(eight, 1)
        await start(eight, 2)
        await trio.sleep(1)

    assert [(one["connectorId"], one["idTag"]) for one in eight.calls("StartTransaction")] == [
        (1, "CARD1"),
        (2, "CARD2"),
    ]


async def test_a_card_is_for_a_free_connector_before_a_vehicle_that_was_left(eight, autojump_clock):
    """Decision AU5: the card comes first, then the vehicle. With nothing else free it charges what is there (F2)."""
    async with eight.powered():
        await leave(eight, 1)
        show(eight, 8)
        await eight.until_status("Preparing", 2)
        eight.connector(2).plug_in()
        await eight.until_status("Charging", 2)
        for number in range(3, 9):
            request = ChangeAvailability(connector_id=number, type=AvailabilityType.INOPERATIVE)
            assert await ask(eight, request) == "Accepted"
        show(eight, 1)
        await eight.until_status("Charging", 1)


async def test_a_card_shown_again_while_the_answer_is_awaited_is_for_the_same_connector(
    eight, autojump_clock
):
    """Decision AU5. There used to be a second transaction, for the vehicle that somebody plugged in meanwhile."""

    async def slow(request):
        await trio.sleep(10)
        return eight.csms.usual_answer(request)

    eight.csms.override("Authorize", slow)
    async with eight.powered():
        eight.connector(2).plug_in()
        await eight.until_status("Preparing", 2)
        show(eight, 2)
        await trio.sleep(3)
        eight.connector(1).plug_in()
        await trio.sleep(3)
        show(eight, 2)
        await trio.sleep(30)

    assert [(one["connectorId"], one["idTag"]) for one in eight.calls("StartTransaction")] == [(2, "CARD2")]
    assert len(eight.calls("Authorize")) == 1


async def test_a_cable_that_is_kept_is_for_its_card_and_in_the_way_of_no_other(eight, autojump_clock):
    """Decisions AU5, T9."""
    eight.declare(unlock_connector_on_ev_side_disconnect=False)
    async with eight.powered():
        for number in (1, 2):
            await start(eight, number)
            eight.connector(number).unplug("vehicle")
            await eight.until_status("Finishing", number)
        await trio.sleep(5)
        show(eight, 2)
        await trio.sleep(5)
        assert [eight.connector(number).state().locked for number in (1, 2)] == [True, False]
        show(eight, 8)
        await eight.until_status("Preparing", 3)
        await trio.sleep(5)
        assert eight.connector(1).state().locked


async def test_one_connector_comes_back_while_the_station_is_out_of_service(eight, autojump_clock):
    """5.2, decision S10: Accepted means that it charges, after a restart too.

    There used to be a connector that showed Available and let nobody charge.
    """
    async with eight.powered():
        await ask(eight, ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE))
        await eight.until_status("Unavailable", 8)
        operative = ChangeAvailability(connector_id=2, type=AvailabilityType.OPERATIVE)
        assert await ask(eight, operative) == "Accepted"
        await eight.until_status("Available", 2)
        await start(eight, 2)
        inoperative = ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE)
        assert await ask(eight, inoperative) == "Scheduled"
        assert await ask(eight, operative) == "Accepted"
        show(eight, 2)
        await eight.until_status("Finishing", 2)
        eight.connector(2).unplug()
        await eight.until_status("Available", 2)
    async with eight.powered():
        await trio.sleep(1)
        assert [eight.statuses(number)[-1] for number in range(4)] == [
            "Unavailable",
            "Unavailable",
            "Available",
            "Unavailable",
        ]
        assert await ask(eight, RemoteStartTransaction(connector_id=1, id_tag="A")) == "Rejected"
        assert await ask(eight, RemoteStartTransaction(connector_id=2, id_tag="A")) == "Accepted"


async def test_connector_0_reserved_leaves_one_of_eight(eight, autojump_clock):
    """5.13: seven others may charge, the eighth connector is the holder's."""
    async with eight.powered():
        expiry_date = eight.now() + timedelta(hours=1)
        reserve = ReserveNow(connector_id=0, expiry_date=expiry_date, id_tag="HOLDER", reservation_id=1)
        assert await ask(eight, reserve) == "Accepted"
        for number in range(1, 8):
            await start(eight, number)
        foreign = RemoteStartTransaction(connector_id=8, id_tag="FOREIGN")
        assert await ask(eight, foreign) == "Rejected"
        assert await ask(eight, RemoteStartTransaction(connector_id=8, id_tag="HOLDER")) == "Accepted"
        eight.connector(8).plug_in()
        await eight.until_status("Charging", 8)
        await trio.sleep(1)

    *others, last = eight.calls("StartTransaction")
    assert [one.get("reservationId") for one in others] == [None] * 7
    assert (last["connectorId"], last["reservationId"]) == (8, 1)


@pytest.mark.parametrize(
    ("message", "told"),
    [(MessageTrigger.STATUS_NOTIFICATION, [*range(9)]), (MessageTrigger.METER_VALUES, [*range(1, 9)])],
)
async def test_a_trigger_without_connector_means_all(eight, autojump_clock, message, told):
    """5.17: status of connector 0 too; no meter values of it, as there is no main meter."""
    async with eight.powered():
        since = len(eight.csms.transcript)
        assert await ask(eight, TriggerMessage(requested_message=message)) == "Accepted"
        await trio.sleep(5)
        calls = eight.calls(message.value, since)

    assert [one["connectorId"] for one in calls] == told
