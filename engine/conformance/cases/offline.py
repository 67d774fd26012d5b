"""Connection loss and what happens meanwhile: OCPP 1.6, 3.5.1, 3.7 and 4.8."""

import itertools
from typing import Literal

from msgspec import Struct

from engine.conformance.bed import BACK_S, Bed, seconds_between_stamps, stamp
from engine.conformance.case import case, cases
from engine.conformance.sequence import ABSENT, Message, message, status
from engine.conformance.stimuli import CutLink, PlugIn, Swipe, Unplug
from engine.csms_book import Entry
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    IdTagInfo,
    SendLocalList,
    UpdateType,
)

PROFILE = "Core"
NEEDS = (PlugIn, Swipe, CutLink)
INTERVAL_S = 5
SAMPLES_LOST = 4
NOTICE_S = 3
"""How long a station may take to notice that the connection is gone."""
START_S = 3
"""How long a station may take from a card to the beginning or the end of a transaction."""
ENERGY_S = 10
ACCEPTED = IdTagInfo(status=AuthorizationStatus.ACCEPTED)

Book = Literal["list", "cache", "nobody"]
"""Where the station finds the card when it is offline."""
BOOKS: dict[str, Book] = {"list": "list", "cache": "cache", "unknown": "nobody"}

CONFLICT = message("StatusNotification", connectorId=0, errorCode="LocalListConflict")
"""What is told when the Central System refuses a card that is on the list (7.6)."""
CHANGED = {"Available", "Preparing", "Charging", "Finishing"}
MEANWHILE = 4 * [status(CHANGED)]
"""What may be told of the outage."""


class Moment(Struct, frozen=True):
    """When something happened that nobody told: as POSIX seconds, not before and not after."""

    earliest: float
    latest: float


async def prepare(bed: Bed, book: Book, **keys: str) -> None:
    """Everything that lets a transaction start offline; the card on the list, in the cache, or unknown."""
    is_unknown = {"AllowOfflineTxForUnknownId": "true" if book == "nobody" else "false"}
    await bed.configure(LocalAuthorizeOffline="true", **keys)
    await bed.prefer(LocalAuthListEnabled="true", AuthorizationCacheEnabled="true", MaxEnergyOnInvalidId="0")
    match book:
        case "list":
            await bed.configure(LocalAuthListEnabled="true")
            await bed.prefer(**is_unknown)
            entries = (AuthorizationData(id_tag="CARD", id_tag_info=ACCEPTED),)
            update = SendLocalList(
                list_version=1, update_type=UpdateType.FULL, local_authorization_list=entries
            )
            await bed.ask(update, "Accepted")
        case "cache":
            await bed.configure(AuthorizationCacheEnabled="true")
            await bed.prefer(**is_unknown)
            await bed.authorize()
            await bed.swipe()
            await bed.expect(status("Available"), within_s=bed.connection_time_out_s + 30)
        case "nobody":
            await bed.configure(**is_unknown)


async def swipe_unheard(bed: Bed) -> Moment:
    """Show the card offline; return when what it brings about happened."""
    earliest = bed.now().timestamp() - bed.tolerance_s
    await bed.swipe()
    latest = bed.now().timestamp() + START_S + bed.tolerance_s
    await bed.quiet(START_S)
    return Moment(earliest, latest)


def check_moment(bed: Bed, entry: Entry, moment: Moment) -> None:
    """The timestamp is that of the deed, not of the sending."""
    is_then = moment.earliest <= stamp(entry).timestamp() <= moment.latest
    bed.check(is_then, True, f"whether {entry.action} has the time at which it happened, {stamp(entry)},")


async def start_offline(bed: Bed) -> Moment:
    """A transaction that nobody hears of yet; return when it began."""
    await bed.cut_link()
    await bed.quiet(NOTICE_S)
    await bed.plug_in()
    await bed.quiet(NOTICE_S)
    began = await swipe_unheard(bed)
    await bed.quiet(ENERGY_S)
    await bed.check_energy(1, has_energy=True)
    await bed.restore_link()
    return began


def conflict_of(book: Book) -> list[Message]:
    """The report that comes with a refusal, by where the card was known."""
    return [CONFLICT] if book == "list" else []


@case("036", PROFILE, needs=NEEDS, lasts_s=60)
async def connection_loss_during_transaction(bed: Bed) -> None:
    """Connection Loss During Transaction.

    All MeterValues of the outage come in order, before new ones, an interval apart.
    """
    await bed.configure(MeterValueSampleInterval=str(INTERVAL_S))
    transaction_id = await bed.charge()
    values = message("MeterValues", connectorId=1, transactionId=transaction_id)
    entries = [(await bed.expect(values))[0] for _ in range(2)]
    await bed.quiet(1)  # its answer is known
    await bed.cut_link()
    await bed.quiet(SAMPLES_LOST * INTERVAL_S)
    await bed.restore_link()
    back = bed.now()
    while stamp(entries[-1]) < back or is_late(bed, entries[-1]):
        entries += await bed.expect(values, within_s=BACK_S)
    await bed.configure(MeterValueSampleInterval="0")

    for one, other in itertools.pairwise(entries):
        bed.check_near(seconds_between_stamps(one, other), INTERVAL_S, "the time between two samples")
    for entry in entries:
        for one in entry.payload["meterValue"][0]["sampledValue"]:
            bed.check(one.get("context", "Sample.Periodic"), "Sample.Periodic", "the context")
            bed.check(one.get("format", "Raw"), "Raw", "the format")


def is_late(bed: Bed, entry: Entry) -> bool:
    """It waited for the reconnect, so others may do so, too."""
    return (entry.time - stamp(entry)).total_seconds() > 1 + bed.tolerance_s


@cases("037_1", PROFILE, BOOKS, needs=NEEDS, lasts_s=50)
async def offline_start_valid(bed: Bed, book: Book) -> None:
    """Offline Start Transaction - Valid IdTag.

    After the reconnect StartTransaction, with the time of the start, and Charging.
    """
    await prepare(bed, book)
    began = await start_offline(bed)
    started, _ = await bed.expect(
        message("StartTransaction", idTag="CARD"),
        status("Charging"),
        optional=[status("Preparing")],
        within_s=BACK_S,
    )
    check_moment(bed, started, began)


@cases("037_2", PROFILE, BOOKS, needs=NEEDS, lasts_s=55)
async def offline_start_invalid_stays_open(bed: Bed, book: Book) -> None:
    """Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = false.

    StartTransaction is answered Invalid: SuspendedEVSE, no energy, no StopTransaction.
    """
    await prepare(bed, book, StopTransactionOnInvalidId="false")
    bed.know("CARD", AuthorizationStatus.INVALID)
    await start_offline(bed)
    await bed.expect(
        message("StartTransaction", idTag="CARD"),
        status("SuspendedEVSE"),
        *conflict_of(book),
        optional=[status("Preparing"), status("Charging")],
        within_s=BACK_S,
    )
    await bed.quiet(5)
    await bed.check_energy(1, has_energy=False)


@cases("037_3", PROFILE, BOOKS, needs=NEEDS, lasts_s=55)
async def offline_start_invalid_stops(bed: Bed, book: Book) -> None:
    """Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = true.

    StartTransaction is answered Invalid: StopTransaction with DeAuthorized, Finishing.
    """
    await prepare(bed, book, StopTransactionOnInvalidId="true")
    bed.know("CARD", AuthorizationStatus.INVALID)
    await start_offline(bed)
    told = [status("Preparing"), status("Charging")]
    await bed.expect(message("StartTransaction", idTag="CARD"), optional=told, within_s=BACK_S)
    await bed.expect(
        message("StopTransaction", reason="DeAuthorized"),
        status("Finishing"),
        *conflict_of(book),
        optional=told,
    )
    await bed.quiet(5)
    await bed.check_energy(1, has_energy=False)


@case("038", PROFILE, needs=NEEDS, lasts_s=25)
async def offline_stop(bed: Bed) -> None:
    """Offline Stop Transaction.

    After the reconnect StopTransaction, with the time of the stop, and Finishing in either order.
    """
    transaction_id = await bed.charge()
    await bed.quiet(1)  # its answer is known
    await bed.cut_link()
    await bed.quiet(NOTICE_S)
    ended = await swipe_unheard(bed)
    await bed.quiet(START_S + 2 * bed.tolerance_s)
    await bed.restore_link()
    stopped, _ = await bed.expect(
        message("StopTransaction", transactionId=transaction_id, idTag="CARD", reason={"Local", ABSENT}),
        status("Finishing"),
        within_s=BACK_S,
    )
    check_moment(bed, stopped, ended)


@cases("039", PROFILE, BOOKS, needs=(*NEEDS, Unplug), lasts_s=50)
async def offline_transaction(bed: Bed, book: Book) -> None:
    """Offline Transaction.

    Started, stopped and unplugged offline: StartTransaction, then StopTransaction, each with its time.
    """
    await prepare(bed, book)
    await bed.cut_link()
    await bed.quiet(NOTICE_S)
    await bed.plug_in()
    await bed.quiet(NOTICE_S)
    began = await swipe_unheard(bed)
    await bed.quiet(ENERGY_S)
    await bed.check_energy(1, has_energy=True)
    ended = await swipe_unheard(bed)
    await bed.unplug()
    await bed.quiet(NOTICE_S)
    await bed.restore_link()
    start = message("StartTransaction", idTag="CARD")
    (started,) = await bed.expect(start, optional=MEANWHILE, within_s=BACK_S)
    transaction_id = await bed.transaction_id(started)
    stop = message("StopTransaction", transactionId=transaction_id, reason={"Local", ABSENT})
    (stopped,) = await bed.expect(stop, optional=MEANWHILE)
    await bed.quiet(1, MEANWHILE)

    check_moment(bed, started, began)
    check_moment(bed, stopped, ended)
    energy_wh = stopped.payload["meterStop"] - started.payload["meterStart"]
    bed.check(energy_wh >= 0, True, "whether the energy is no less than nothing")
    await bed.check_register(1, stopped.payload["meterStop"])
