"""Scripts played against a Central System that does right or wrong, in virtual time over real websocket code."""

import io
from datetime import UTC, datetime, timedelta

import pytest
import trio
from msgspec.structs import replace
from trio.testing import memory_stream_pair

from engine.csms import Csms
from engine.play.actor import Actor
from engine.play.draw import draw
from engine.play.stage import perform, shipped, station_for
from engine.play.transcript import Transcript
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    AuthorizeConf,
    IdTagInfo,
    RemoteStartTransaction,
    RemoteStopTransaction,
)
from machines.vocabulary.wire import CallError, ErrorCode

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

BOOTED = """{"script": "test"}
{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 2}}], "withinS": 60}
"""


class Theatre:
    """A Central System, and a stage for stations that dial it."""

    def __init__(self, directory, nursery):
        self._directory = directory
        self._nursery = nursery
        self.csms = Csms(lambda: EPOCH + timedelta(seconds=trio.current_time()), interval_s=3600)
        self.is_there = True
        self.told = io.StringIO()

    async def open_stream(self, _url):
        if not self.is_there:
            raise OSError("nobody listens")
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.csms.serve_stream, theirs)
        return ours

    async def play(self, text, seed=0):
        drawn = draw(text, "file", seed)
        station = station_for(drawn.header, None)
        actor = Actor(station, self._directory, seed, open_stream=self.open_stream, commit_in_thread=False)
        transcript = Transcript()
        with transcript.of(station.csms.identity, lambda _entry: None):
            return await perform(drawn, seed, actor, transcript, self.told)


@pytest.fixture
async def theatre(tmp_path):
    async with trio.open_nursery() as nursery:
        yield Theatre(tmp_path, nursery)
        nursery.cancel_scope.cancel()


def failed(verdict):
    """The one failure of ``verdict``."""
    assert not verdict.is_passed
    (failure,) = verdict.failures
    return failure


async def remote_control(csms):
    """What somebody does at the Central System: start what was plugged in, and stop it after a while."""
    await csms.wait_for_request("StatusNotification", connectorId=1, status="Preparing")
    await csms.call(RemoteStartTransaction(id_tag="APP", connector_id=1))
    await csms.wait_for_request("StatusNotification", connectorId=1, status="Charging")
    await trio.sleep(60)
    await csms.call(RemoteStopTransaction(transaction_id=1))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", shipped())
async def test_every_shipped_script_passes_with_a_central_system_that_does_right(
    autojump_clock, theatre, name, seed
):
    async with trio.open_nursery() as nursery:
        if name == "remote-start-and-stop":
            nursery.start_soon(remote_control, theatre.csms)
        verdict = await theatre.play(shipped()[name].read_text(), seed)

    assert verdict.failures == ()
    assert verdict.remarks == ()
    assert verdict.is_passed


async def test_an_answer_that_the_script_does_not_allow_is_named(autojump_clock, theatre):
    refused = AuthorizeConf(id_tag_info=IdTagInfo(status=AuthorizationStatus.BLOCKED))
    theatre.csms.override("Authorize", lambda _: refused)
    verdict = await theatre.play(
        BOOTED
        + '{"do": "swipe", "idTag": "CARD"}\n'
        + '{"answered": "Authorize", "payload": {"idTagInfo": {"status": "Accepted"}}}'
    )

    assert failed(verdict).startswith("file:4: expected Authorize.conf")
    assert "Blocked" in failed(verdict)


async def test_an_answer_that_never_comes_is_missed(autojump_clock, theatre):
    theatre.csms.override("Authorize", lambda _: None)
    verdict = await theatre.play(
        BOOTED + '{"do": "swipe", "idTag": "CARD"}\n{"answered": "Authorize", "withinS": 20}'
    )

    assert "file:4: expected Authorize.conf {} within 20 s, found no answer" in failed(verdict)


async def test_what_the_station_does_not_send_is_missed_with_what_it_sent_instead(autojump_clock, theatre):
    verdict = await theatre.play(
        BOOTED
        + '{"do": "plug-in"}\n'
        + '{"expect": [{"action": "StatusNotification", "payload": {"status": "Charging"}}], "withinS": 9}'
    )

    assert failed(verdict).startswith('file:4: expected StatusNotification {"status":"Charging"} within 9 s')
    assert "Preparing" in failed(verdict)


async def test_a_status_that_was_told_before_a_stimulus_is_not_what_follows_it(autojump_clock, theatre):
    verdict = await theatre.play(
        BOOTED
        + '{"do": "plug-in"}\n'
        + '{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Available"}}]}'
    )

    assert failed(verdict).startswith("file:4: ")


async def stop_nothing(csms):
    """Send a CALL that changes nothing."""
    await csms.wait_for_request("StatusNotification", connectorId=2)
    await trio.sleep(5)
    await csms.call(RemoteStopTransaction(transaction_id=99))


async def test_a_status_that_was_told_before_a_call_is_not_what_follows_it(autojump_clock, theatre):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_nothing, theatre.csms)
        verdict = await theatre.play(
            BOOTED
            + '{"asked": "RemoteStopTransaction"}\n'
            + '{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1}}]}'
        )

    assert failed(verdict).startswith("file:4: ")


async def test_a_call_of_the_central_system_is_waited_for_once(autojump_clock, theatre):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_nothing, theatre.csms)
        verdict = await theatre.play(BOOTED + '{"asked": "RemoteStopTransaction"}\n' * 2)

    assert failed(verdict).startswith("file:4: expected RemoteStopTransaction")


async def test_of_several_answers_the_latest_is_meant(autojump_clock, theatre):
    answers = iter([theatre.csms.usual_answer] * 2)
    theatre.csms.override(
        "Heartbeat",
        lambda request: next(answers, lambda _: CallError(ErrorCode.GENERIC_ERROR))(request),
    )
    theatre.csms.override(
        "BootNotification", lambda request: replace(theatre.csms.usual_answer(request), interval=10)
    )
    verdict = await theatre.play(BOOTED + '{"wait": 35}\n{"answered": "Heartbeat", "error": "GenericError"}')

    assert verdict.is_passed


async def test_the_answer_to_the_last_call_is_waited_for_and_judged(autojump_clock, theatre):
    async def late(_):
        await trio.sleep(1)
        return CallError(ErrorCode.GENERIC_ERROR)

    theatre.csms.override("Authorize", late)
    verdict = await theatre.play(
        BOOTED + '{"do": "swipe", "idTag": "CARD"}\n{"expect": [{"action": "Authorize"}]}'
    )

    assert failed(verdict).endswith("Authorize was answered with GenericError")


async def test_a_last_call_that_is_never_answered_is_a_failure(autojump_clock, theatre):
    theatre.csms.override("StopTransaction", lambda _: None)
    plug, card = '{"do": "plug-in"}\n', '{"do": "swipe", "idTag": "CARD", "connector": 1}\n'
    charging = '{"expect": [{"action": "StatusNotification", "payload": {"status": "Charging"}}]}\n'
    verdict = await theatre.play(
        BOOTED + plug + card + charging + card + '{"expect": [{"action": "StopTransaction"}]}'
    )

    assert failed(verdict).endswith("StopTransaction was not answered")


async def test_an_answer_to_the_last_call_may_take_as_long_as_the_station_waits(autojump_clock, theatre):
    async def late(request):
        await trio.sleep(25)
        return theatre.csms.usual_answer(request)

    theatre.csms.override("Authorize", late)
    verdict = await theatre.play(
        BOOTED + '{"do": "swipe", "idTag": "CARD"}\n{"expect": [{"action": "Authorize"}]}'
    )

    assert verdict.is_passed


async def test_calls_of_one_kind_come_in_the_order_in_which_they_are_listed(autojump_clock, theatre):
    plug, card = '{"do": "plug-in"}\n', '{"do": "swipe", "idTag": "CARD", "connector": 1}\n'
    status = '{{"action": "StatusNotification", "payload": {{"connectorId": 1, "status": "{}"}}}}'
    both = [status.format(name) for name in ("Charging", "Preparing")]
    verdict = await theatre.play(f'{BOOTED}{plug}{card}{{"expect": [{", ".join(both)}], "withinS": 30}}')

    assert "file:5: expected StatusNotification" in failed(verdict)


async def test_what_the_central_system_does_not_ask_is_missed(autojump_clock, theatre):
    verdict = await theatre.play(BOOTED + '{"asked": "RemoteStartTransaction", "withinS": 30}')

    assert failed(verdict) == (
        "file:3: expected RemoteStartTransaction {} of the Central System within 30 s, found no CALL"
    )


async def test_without_a_central_system_the_failure_says_so(autojump_clock, theatre):
    theatre.is_there = False
    verdict = await theatre.play(BOOTED)

    assert "not connected: nobody listens" in failed(verdict)


async def test_a_stimulus_that_cannot_be_is_a_failure_of_its_line(autojump_clock, theatre):
    verdict = await theatre.play(BOOTED + '{"do": "plug-in"}\n{"do": "plug-in"}')

    assert failed(verdict) == "file:4: a vehicle is plugged in already"


async def test_a_call_error_is_a_failure_that_no_script_has_to_look_for(autojump_clock, theatre):
    theatre.csms.override("Authorize", lambda _: CallError(ErrorCode.INTERNAL_ERROR, "no database"))
    verdict = await theatre.play(
        BOOTED + '{"do": "swipe", "idTag": "CARD"}\n{"expect": [{"action": "Authorize"}]}\n{"wait": 60}'
    )

    assert failed(verdict).endswith("Authorize was answered with InternalError: no database")


async def test_a_call_error_that_is_expected_is_none(autojump_clock, theatre):
    theatre.csms.override("Authorize", lambda _: CallError(ErrorCode.INTERNAL_ERROR, "no database"))
    verdict = await theatre.play(
        BOOTED + '{"do": "swipe", "idTag": "CARD"}\n{"answered": "Authorize", "error": "InternalError"}'
    )

    assert verdict.is_passed


async def test_charging_ends_when_the_meter_has_moved_on_by_so_much(autojump_clock, theatre):
    verdict = await theatre.play(
        BOOTED
        + '{"do": "plug-in"}\n{"do": "swipe", "idTag": "CARD", "connector": 1}\n{"charge": 5000}\n'
        + '{"do": "swipe", "idTag": "CARD", "connector": 1}\n{"expect": [{"action": "StopTransaction"}]}\n{"wait": 1}'
    )

    assert verdict.is_passed
    assert theatre.csms.ledger[1].energy_wh == pytest.approx(5000, abs=10)


async def test_energy_that_does_not_flow_is_missed(autojump_clock, theatre):
    verdict = await theatre.play(BOOTED + '{"charge": 1, "withinS": 60}')

    assert failed(verdict) == "file:3: connector 1 did not charge 1 Wh in 60 s"


async def test_a_power_cut_lasts_as_long_as_it_says_and_nothing_is_forgotten(autojump_clock, theatre):
    verdict = await theatre.play(
        BOOTED
        + '{"do": "plug-in"}\n{"do": "swipe", "idTag": "CARD", "connector": 1}\n{"charge": 100}\n'
        + '{"do": "power-cut", "seconds": 500}\n'
        + '{"expect": [{"action": "StopTransaction"}], "withinS": 600}\n{"wait": 1}'
    )

    assert verdict.is_passed
    assert theatre.csms.ledger[1].reason == "PowerLoss"
    boots = [entry.time for entry in theatre.csms.transcript if entry.action == "BootNotification"]
    assert timedelta(seconds=500) <= boots[-1] - boots[0] <= timedelta(seconds=600)


async def test_keys_and_declarations_of_the_header_hold(autojump_clock, theatre):
    header = (
        '{"script": "test", "keys": {"MeterValueSampleInterval": "7"}, "declares": "limits.boot_retry_s = 31",'
        ' "station": "full"}'
    )
    station = station_for(draw(header, "file", 0).header, None)

    assert station.defaults.meter_value_sample_interval == 7
    assert station.settings.limits.boot_retry_s == 31
