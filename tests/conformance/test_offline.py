"""Connection loss and what happens meanwhile: facts 5.1, 5.4, 5.9."""

import itertools

import pytest
import trio

from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    IdTagInfo,
    SendLocalList,
    UpdateType,
)
from tests.conformance.bed import stamp
from tests.conformance.sequence import ABSENT, message, status

PROFILE = "Core"
BACK_S = 200
"""How long the station may take to dial again."""
INTERVAL_S = 10
ACCEPTED = IdTagInfo(status=AuthorizationStatus.ACCEPTED)

CONFLICT = status("Available", 0, "LocalListConflict")
"""What is told when the Central System refuses a card that is on the list (facts 5.4)."""

known_by = pytest.mark.parametrize("book", ["list", "cache", "nobody"])
"""Where the station finds the card when it is offline."""


async def prepare(bed, book, **keys):
    """Everything that lets a transaction start offline; the card on the list, in the cache, or unknown."""
    await bed.configure(
        LocalAuthorizeOffline="true",
        LocalAuthListEnabled="true",
        AuthorizationCacheEnabled="true",
        AllowOfflineTxForUnknownId="true" if book == "nobody" else "false",
        **keys,
    )
    if book == "list":
        entries = (AuthorizationData(id_tag="CARD", id_tag_info=ACCEPTED),)
        update = SendLocalList(list_version=1, update_type=UpdateType.FULL, local_authorization_list=entries)
        assert await bed.status_of(update) == "Accepted"
    elif book == "cache":
        await bed.authorize()
        bed.swipe()
        await bed.expect(status("Available"))


async def start_offline(bed):
    """A transaction that nobody hears of yet; return when it began."""
    bed.cut_link()
    bed.connector().plug_in()
    await bed.quiet(10)
    began = bed.now()
    bed.swipe()
    await bed.quiet(120)
    assert bed.connector().state().contactor
    bed.restore_link()
    return began


def conflict_of(book):
    """The report that comes with a refusal, by where the card was known."""
    return [CONFLICT] if book == "list" else []


def assert_of_then(entry, began):
    """The timestamp is that of the start, not of the sending."""
    assert 0 <= (stamp(entry) - began).total_seconds() < 1


async def test_tc_036_connection_loss_during_transaction(bed, autojump_clock):
    """Connection Loss During Transaction.

    All MeterValues of the outage come in order, before new ones, an interval apart.
    """
    async with bed.powered():
        await bed.configure(MeterValueSampleInterval=str(INTERVAL_S))
        transaction_id = await bed.charge()
        values = message("MeterValues", connectorId=1, transactionId=transaction_id)
        entries = [(await bed.expect(values))[0] for _ in range(2)]
        await bed.quiet(1)  # its answer is known
        bed.cut_link()
        await bed.quiet(6 * INTERVAL_S)
        bed.restore_link()
        back = bed.now()
        while stamp(entries[-1]) < back or is_late(entries[-1]):
            entries += await bed.expect(values, within_s=BACK_S)
        gaps = {(stamp(b) - stamp(a)).total_seconds() for a, b in itertools.pairwise(entries)}
        sampled = [one for e in entries for one in e.payload["meterValue"][0]["sampledValue"]]
        await bed.configure(MeterValueSampleInterval="0")

    assert gaps == {INTERVAL_S}
    assert {one.get("context", "Sample.Periodic") for one in sampled} == {"Sample.Periodic"}
    assert {one.get("format", "Raw") for one in sampled} == {"Raw"}


def is_late(entry):
    """It waited for the reconnect, so others may do so, too."""
    return (entry.time - stamp(entry)).total_seconds() > 1


@known_by
async def test_tc_037_1_offline_start_valid(bed, autojump_clock, book):
    """Offline Start Transaction - Valid IdTag.

    After the reconnect StartTransaction, with the time of the start, and Charging.
    """
    async with bed.powered():
        await prepare(bed, book)
        began = await start_offline(bed)
        started, _ = await bed.expect(
            message("StartTransaction", idTag="CARD"), status("Charging"), within_s=BACK_S
        )
        assert_of_then(started, began)


@known_by
async def test_tc_037_2_offline_start_invalid_stays_open(bed, autojump_clock, book):
    """Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = false.

    StartTransaction is answered Invalid: SuspendedEVSE, no energy, no StopTransaction.
    """
    async with bed.powered():
        await prepare(bed, book, StopTransactionOnInvalidId="false", MaxEnergyOnInvalidId="0")
        bed.know("CARD", AuthorizationStatus.INVALID)
        await start_offline(bed)
        await bed.expect(
            message("StartTransaction", idTag="CARD"),
            status("SuspendedEVSE"),
            *conflict_of(book),
            optional=[status("Charging")],
            within_s=BACK_S,
        )
        await bed.quiet(30)
        assert not bed.connector().state().contactor


@known_by
async def test_tc_037_3_offline_start_invalid_stops(bed, autojump_clock, book):
    """Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = true.

    StartTransaction is answered Invalid: StopTransaction with DeAuthorized, Finishing.
    """
    async with bed.powered():
        await prepare(bed, book, StopTransactionOnInvalidId="true", MaxEnergyOnInvalidId="0")
        bed.know("CARD", AuthorizationStatus.INVALID)
        await start_offline(bed)
        told = status("Charging")
        await bed.expect(message("StartTransaction", idTag="CARD"), optional=[told], within_s=BACK_S)
        await bed.expect(
            message("StopTransaction", reason="DeAuthorized"),
            status("Finishing"),
            *conflict_of(book),
            optional=[told],
        )
        assert not bed.connector().state().contactor


async def test_tc_038_offline_stop(bed, autojump_clock):
    """Offline Stop Transaction.

    After the reconnect StopTransaction, with the time of the stop, and Finishing in either order.
    """
    async with bed.powered():
        transaction_id = await bed.charge()
        bed.cut_link()
        await bed.quiet(60)
        ended = bed.now()
        bed.swipe()
        await bed.quiet(60)
        bed.restore_link()
        stopped, _ = await bed.expect(
            message("StopTransaction", transactionId=transaction_id, idTag="CARD", reason={"Local", ABSENT}),
            status("Finishing"),
            within_s=BACK_S,
        )
        assert_of_then(stopped, ended)


@known_by
async def test_tc_039_offline_transaction(bed, autojump_clock, book):
    """Offline Transaction.

    Started, stopped and unplugged offline: StartTransaction, then StopTransaction; the status is as before.
    """
    async with bed.powered():
        await prepare(bed, book)
        bed.cut_link()
        bed.connector().plug_in()
        bed.swipe()
        await bed.quiet(600)
        assert bed.connector().state().contactor
        bed.swipe()
        await bed.quiet(10)
        bed.connector().unplug()
        await trio.sleep(10)
        bed.restore_link()
        told = status("Available")  # it changed meanwhile, and changed back
        start = message("StartTransaction", idTag="CARD")
        (started,) = await bed.expect(start, optional=[told], within_s=BACK_S)
        stop = message("StopTransaction", transactionId=1, reason={"Local", ABSENT})
        (stopped,) = await bed.expect(stop, optional=[told])
    register = int(bed.connector().register_wh)
    assert stopped.payload["meterStop"] - started.payload["meterStart"] == register > 0
    assert (stamp(stopped) - stamp(started)).total_seconds() == pytest.approx(600, abs=2)
