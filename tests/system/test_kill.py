"""kill -9 in the middle of it all: nothing is lost, and nothing is settled twice.

The simulated hardware of a new process has no vehicle and its meter begins anew, so a transaction always ends.
"""

from collections import Counter

import pytest

from tests.peers.drivers import central_system, station, station_command
from tests.peers.meter_values import register, timestamp
from tests.peers.processes import program

NOWHERE = "ws://127.0.0.1:9/ocpp"


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


async def cut_power(box):
    await box.post("/power-cut")
    assert await box.program.ended() == -9


async def kill(box):
    await box.program.kill()


def once_each(csms, starts, stops):
    """Every transaction was started and stopped once."""
    started = csms.calls("StartTransaction")
    assert len(started) == starts
    assert len({call["timestamp"] for call in started}) == starts
    assert Counter(call["transactionId"] for call in csms.calls("StopTransaction")) == dict.fromkeys(stops, 1)


@pytest.mark.parametrize(("recovery", "end"), [("quick", cut_power), ("quick_resuming", kill)])
async def test_a_session_that_was_cut_ends_once_with_all_its_energy(csms, state, recovery, end, request):
    file = request.getfixturevalue(recovery)
    async with station(csms.url, state, file) as box:
        await csms.until_available()
        assert await box.begin_charging(csms) == 1
        await csms.until_call("MeterValues")
        await csms.until_call("MeterValues")
        await end(box)
    samples = csms.calls("MeterValues")

    async with station(csms.url, state, file) as box:
        stopped = await csms.until_call("StopTransaction")
        await box.until_delivered("StopTransaction")
    once_each(csms, starts=1, stops=[1])

    assert (stopped["transactionId"], stopped["reason"]) == (1, "PowerLoss")
    assert stopped["meterStop"] >= max(map(register, samples)) > 0
    assert stopped["timestamp"] > timestamp(samples[-1])


async def test_a_session_that_was_cut_offline_is_settled_when_the_central_system_is_back(state, quick):
    async with central_system() as csms, station(csms.url, state, quick) as box:
        await csms.until_available()
        await box.begin_charging(csms)
        await csms.until_call("MeterValues")
        await csms.program.kill()
        await box.program.kill()
        once_each(csms, starts=1, stops=[])
        last = register(csms.calls("MeterValues")[-1])

    async with station(csms.url, state, quick) as box:
        await box.until_transition("transaction/1", "stopping", "idle")
        async with central_system(csms.port) as csms:
            stopped = await csms.until_call("StopTransaction")
            await box.until_delivered("StopTransaction")
            once_each(csms, starts=0, stops=[1])

    assert next(event for event in csms.events if event["event"] == "call")["action"] == "BootNotification"
    assert (stopped["reason"], stopped["meterStop"] >= last) == ("PowerLoss", True)


async def test_a_start_that_was_cut_before_its_answer_is_told_again(csms, state, quick):
    await csms.answer("StartTransaction", None)
    async with station(csms.url, state, quick) as box:
        await csms.until_available()
        await box.plug_in()
        await csms.until_status("Preparing")
        await box.swipe()
        first = await csms.until_call("StartTransaction")
        await box.program.kill()

    await csms.answer("StartTransaction", {"transactionId": 7, "idTagInfo": {"status": "Accepted"}})
    async with station(csms.url, state, quick) as box:
        assert await csms.until_call("StartTransaction") == first
        stopped = await csms.until_call("StopTransaction")
        await box.until_delivered("StopTransaction")

    assert (stopped["transactionId"], stopped["reason"]) == (7, "PowerLoss")
    assert len(csms.calls("StartTransaction")) == 2


async def test_a_stop_that_was_cut_before_its_answer_is_told_again(csms, state, quick):
    await csms.answer("StopTransaction", None)
    async with station(csms.url, state, quick) as box:
        await csms.until_available()
        await box.begin_charging(csms)
        await box.swipe()
        first = await csms.until_call("StopTransaction")
        await box.program.kill()

    await csms.answer("StopTransaction", {})
    async with station(csms.url, state, quick) as box:
        assert await csms.until_call("StopTransaction") == first
        await box.until_delivered("StopTransaction")

    assert len(csms.calls("StopTransaction")) == 2


async def test_what_the_central_system_set_survives(csms, state, quick):
    """Killed as soon as it was answered: what is told is written."""
    async with station(csms.url, state, quick) as box:
        await csms.until_available()
        await csms.call("ChangeConfiguration", key="MeterValueSampleInterval", value="17")
        await csms.call("ChangeAvailability", connectorId=1, type="Inoperative")
        await box.program.kill()

    await csms.until("disconnected")
    csms.forget()
    async with station(csms.url, state, quick):
        await csms.until_call("BootNotification")
        await csms.until_status("Unavailable")
        shown = await csms.call("GetConfiguration", key=["MeterValueSampleInterval"])

    assert shown["configurationKey"][0]["value"] == "17"


async def test_a_second_station_on_a_state_directory_is_refused(state, quick):
    async with station(NOWHERE, state, quick) as box:
        async with program(*station_command(NOWHERE, state, quick)) as second:
            assert await second.ended() == 1  # the first one may be gone when it is tried again
            (line,) = second.err.all
            assert str(state) in line
            assert "in use by another process" in line
        assert (await box.state())["machines"]["registration"]["state"] == "unregistered"
