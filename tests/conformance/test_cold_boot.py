"""Booting: facts 4."""

import itertools

from machines.vocabulary.ocpp import BootNotificationConf, RegistrationStatus
from tests.conformance.bed import seconds_between
from tests.conformance.sequence import message

PROFILE = "Core"
BOOT = message("BootNotification")
INTERVAL_S = 60


def answering(bed, first):
    """Answer the first BootNotification with ``first``, and later ones with Accepted."""
    answers = iter([first])

    def answer(_):
        registration = next(answers, RegistrationStatus.ACCEPTED)
        return BootNotificationConf(status=registration, current_time=bed.now(), interval=INTERVAL_S)

    bed.csms.override("BootNotification", answer)


async def accepted_after(bed, first):
    """What follows when the second BootNotification is due: it, every status, and heartbeats."""
    second, *statuses = await bed.boot()
    assert seconds_between(first, second) == INTERVAL_S
    beats = [(await bed.expect(message("Heartbeat"), within_s=2 * INTERVAL_S))[0] for _ in range(4)]
    assert [seconds_between(*pair) for pair in itertools.pairwise(beats)] == [INTERVAL_S] * 3
    assert seconds_between(statuses[-1], beats[0]) == INTERVAL_S


async def test_tc_001_cold_boot(bed, autojump_clock):
    """Cold Boot Charge Point.

    Rejected once: BootNotification again after the interval, every status, then a Heartbeat each interval.
    """
    answering(bed, RegistrationStatus.REJECTED)
    async with bed.powered(until_accepted=False):
        (first,) = await bed.expect(BOOT)
        await accepted_after(bed, first)


async def test_tc_002_cold_boot_pending(bed, autojump_clock):
    """Cold Boot Charge Point - Pending.

    While Pending the configuration can be read and changed; after the interval it registers as in 001.
    """
    answering(bed, RegistrationStatus.PENDING)
    async with bed.powered(until_accepted=False):
        (first,) = await bed.expect(BOOT)
        assert await bed.value_of("MeterValueSampleInterval") == "0"
        await bed.configure(MeterValueSampleInterval="77")
        assert await bed.value_of("MeterValueSampleInterval") == "77"
        await accepted_after(bed, first)
