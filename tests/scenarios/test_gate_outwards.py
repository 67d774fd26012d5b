"""The table report x registration state (facts section 4): what a station sends of its own, whatever happens to it."""

import pytest
import trio

from machines.registration import Registration
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import BootNotificationConf, RegistrationStatus
from machines.vocabulary.wire import CallError, DataTransferAsked, ErrorCode
from tests.lab import Lab

REPORTS = (
    "Authorize",
    "BootNotification",
    "DataTransfer",
    "Heartbeat",
    "MeterValues",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
)
"""All that there is to report, but for the progress of transfers, which TriggerMessage asks for."""

WAIT_S = 300
"""How long the station is watched: less than the interval that Pending and Rejected come with."""


def answer_in(lab, state):
    """How BootNotification is answered, so that the registration stays in ``state``."""
    match state:
        case "booting":
            return lambda _: None
        case "unregistered":
            return lambda _: CallError(ErrorCode.INTERNAL_ERROR)
        case "asking_again":
            answers = [BootNotificationConf(status="Pending", current_time=lab.now(), interval=1)]
            return lambda _: answers.pop() if answers else None
    status = RegistrationStatus(state.capitalize())
    interval = 60 if state == "accepted" else 2 * WAIT_S
    return lambda _: BootNotificationConf(status=status, current_time=lab.now(), interval=interval)


async def fill_queue(lab):
    """Leave a station without power that has a whole transaction to deliver, and one that the cut interrupted."""
    async with lab.powered():
        await lab.charge("FIRST")
        lab.cut_link()
        await trio.sleep(100)
        lab.swipe("FIRST")
        await trio.sleep(5)
        lab.connector().unplug()
        await trio.sleep(5)
        lab.connector().plug_in()
        lab.swipe("FIRST")
        await trio.sleep(100)
    lab.is_linked = True


@pytest.mark.parametrize("state", [state.value for state in Registration.states])
async def test_what_is_sent_in_each_registration_state(tmp_path, autojump_clock, state):
    """4.2: BootNotification alone until it is accepted, then everything."""
    lab = Lab(tmp_path, "full")
    lab.limit(call_timeout_s=2 * WAIT_S, boot_retry_s=2 * WAIT_S)
    lab.declare(clock_aligned_data_interval=60, message_timeout=2 * WAIT_S)
    await fill_queue(lab)
    lab.csms.override("BootNotification", answer_in(lab, state))
    since = len(lab.csms.transcript)
    async with lab.powered(until_accepted=False) as running:
        await lab.csms.wait_for_request("BootNotification", start=since)
        await trio.sleep(2)
        assert lab.states()["registration"] == state
        lab.connector(2).plug_in()
        await trio.sleep(1)
        lab.swipe("SECOND", (2,))
        await running.deliver(DataTransferAsked("org.example", data="x"))
        lab.connector(2).raise_fault(HardwareFault.SIGNAL)
        await trio.sleep(WAIT_S)
        assert lab.states()["registration"] == state
        sent = {report: bool(lab.calls(report, since)) for report in REPORTS}

    assert sent == {report: state == "accepted" or report == "BootNotification" for report in REPORTS}
