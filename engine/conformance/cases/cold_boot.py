"""Booting: OCPP 1.6, 4.2."""

import itertools

from engine.conformance.bed import Bed
from engine.conformance.case import case
from engine.conformance.sequence import message
from engine.csms_book import Entry
from machines.vocabulary.ocpp import (
    BootNotification,
    BootNotificationConf,
    ChangeConfiguration,
    RegistrationStatus,
)

PROFILE = "Core"
BOOT = message("BootNotification")
INTERVAL_S = 15
BEATS = 3


async def boot_to_be_answered(bed: Bed, answer: RegistrationStatus) -> Entry:
    """Let the station boot; answer the first BootNotification with ``answer``, and later ones with Accepted."""
    answers = iter([answer])

    def answer_of(_: BootNotification) -> BootNotificationConf:
        registration = next(answers, RegistrationStatus.ACCEPTED)
        return BootNotificationConf(status=registration, current_time=bed.now(), interval=INTERVAL_S)

    bed.csms.override("BootNotification", answer_of)
    await bed.restart()
    (first,) = await bed.expect(BOOT, within_s=180)
    return first


async def accepted_after(bed: Bed, first: Entry) -> None:
    """What follows when the second BootNotification is due: it, every status, and heartbeats."""
    second, *statuses = await bed.boot()
    bed.check_gap(first, second, INTERVAL_S)
    beats = [(await bed.expect(message("Heartbeat"), within_s=2 * INTERVAL_S))[0] for _ in range(BEATS)]
    for one, other in itertools.pairwise(beats):
        bed.check_gap(one, other, INTERVAL_S)
    # The first one is due an interval after the acceptance, or after the last CALL.
    last = max(entry.time for entry in statuses)
    due = (beats[0].time - second.time).total_seconds() >= INTERVAL_S - bed.tolerance_s
    bed.check(due, True, "whether the first Heartbeat waits for the interval")
    late = (beats[0].time - last).total_seconds() > INTERVAL_S + bed.tolerance_s
    bed.check(late, False, "whether the first Heartbeat is late")


@case("001", PROFILE, lasts_s=75)
async def cold_boot(bed: Bed) -> None:
    """Cold Boot Charge Point.

    Rejected once: BootNotification again after the interval, every status, then a Heartbeat each interval.
    """
    first = await boot_to_be_answered(bed, RegistrationStatus.REJECTED)
    await accepted_after(bed, first)


@case("002", PROFILE, lasts_s=75)
async def cold_boot_pending(bed: Bed) -> None:
    """Cold Boot Charge Point - Pending.

    While Pending the configuration can be read and changed; after the interval it registers as in 001.
    """
    first = await boot_to_be_answered(bed, RegistrationStatus.PENDING)
    before = await bed.value_of("MeterValueSampleInterval")
    other = "77" if before != "77" else "78"
    await bed.ask(ChangeConfiguration(key="MeterValueSampleInterval", value=other), "Accepted")
    bed.check(await bed.value_of("MeterValueSampleInterval"), other, "MeterValueSampleInterval")
    await accepted_after(bed, first)
