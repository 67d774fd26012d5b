"""What a bed says of a station that does other than a case wants."""

import msgspec
import pytest
import trio

from engine.conformance.case import Case, Deviation, NotApplicable
from engine.conformance.rig import CannotError
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import CutPower, JamLock, PlugIn
from engine.conformance.trial import attempt
from engine.conformance.well_formed import problem_of
from engine.csms_book import RECEIVED, SENT, Entry
from engine.ocpp import frames
from machines.vocabulary.ocpp import ChangeAvailability, ClearCache, StopTransaction
from tests.conformance.laboratory import EPOCH, laboratory


@pytest.fixture
async def lab(tmp_path, autojump_clock):
    async with laboratory(tmp_path) as lab:
        yield lab


def case_of(run, **members):
    return Case(id="999", title="A case", profile=members.pop("profile", "Core"), run=run, **members)


# What the station sends


async def test_a_call_that_is_not_expected_is_told_with_what_is(lab, autojump_clock):
    bed = lab.bed()
    await bed.plug_in()
    with pytest.raises(Deviation, match=r"^StatusNotification .*Preparing.* came; expected is Heartbeat"):
        await bed.expect(message("Heartbeat"))


async def test_the_latest_frames_follow(lab, autojump_clock):
    bed = lab.bed()
    await bed.plug_in()
    await trio.sleep(1)  # Until the station has its answer, too.
    with pytest.raises(Deviation) as raised:
        await bed.quiet(10)
    first, *frames_told = str(raised.value).splitlines()
    assert first.endswith("expected is nothing")
    assert [line.split()[1:3] for line in frames_told] == [
        [">", "StatusNotification"],
        ["<", "StatusNotification"],
    ]


async def test_what_does_not_come_is_told(lab, autojump_clock):
    with pytest.raises(Deviation, match=r"^nothing came for 7 s; expected is Heartbeat"):
        await lab.bed().expect(message("Heartbeat"), within_s=7)


async def test_a_call_before_the_answer_is_none_of_its_effects(lab, autojump_clock):
    bed = lab.bed()
    await bed.plug_in()
    await bed.csms.wait_for_request("StatusNotification", status="Preparing")
    with pytest.raises(Deviation, match="expected is nothing"):
        await bed.request(ClearCache())


async def test_what_is_optional_may_come_once(lab, autojump_clock):
    bed = lab.bed()
    await bed.plug_in()
    await bed.quiet(5, [status("Preparing")])
    await bed.unplug()
    await bed.plug_in()
    with pytest.raises(Deviation, match=r"^StatusNotification"):
        await bed.quiet(5, [status("Available")])


async def test_another_answer_is_told(lab, autojump_clock):
    with pytest.raises(Deviation, match=r"^the answer to ClearCache is Accepted; expected is Rejected"):
        await lab.bed().ask(ClearCache(), "Rejected")


async def test_a_station_that_is_gone_is_a_deviation(lab, autojump_clock):
    bed = lab.bed()
    await bed.cut_link()
    with pytest.raises(Deviation, match=r"^ClearCache met no station"):
        await bed.request(ClearCache())


async def test_a_gap_may_be_off_by_the_tolerance_only(lab, autojump_clock):
    bed = lab.bed()
    bed.check_near(30.0009, 30, "the time")
    with pytest.raises(Deviation, match=r"^the time is 30\.0011 s; expected is 30 s"):
        bed.check_near(30.0011, 30, "the time")


@pytest.mark.parametrize(
    ("kind", "action", "payload", "found"),
    [
        (
            frames.CALL,
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError"},
            "OccurenceConstraint",
        ),
        (frames.CALL, "Authorize", {"idTag": 7}, "TypeConstraintViolation"),
        (frames.CALL, "Heartbeat", {"now": 1}, "FormationViolation"),
        (frames.CALL_RESULT, "ClearCache", {}, "status"),
        (frames.CALL_RESULT, "ClearCache", {"status": "Accepted", "why": "x"}, "unknown field why"),
        (0, "", {"description": "not an array"}, "not an array"),
    ],
)
def test_what_is_not_well_formed_is_found(kind, action, payload, found):
    entry = Entry(EPOCH, RECEIVED, "CP", kind, "1", action, payload)
    assert found in problem_of(entry)


@pytest.mark.parametrize(
    ("direction", "kind", "action", "payload"),
    [
        (RECEIVED, frames.CALL, "Heartbeat", {}),
        (RECEIVED, frames.CALL_RESULT, "ClearCache", {"status": "Accepted"}),
        (RECEIVED, frames.CALL_ERROR, "ClearCache", {"code": "NotSupported", "description": ""}),
        (RECEIVED, frames.CALL, "SecurityEventNotification", {"type": "x"}),
        (SENT, frames.CALL_RESULT, "ClearCache", {}),
    ],
)
def test_what_is_well_formed_or_unknown_is_let_be(direction, kind, action, payload):
    assert problem_of(Entry(EPOCH, direction, "CP", kind, "1", action, payload)) is None


# What a case needs


async def nothing(_bed):
    """A case that does nothing."""


class Poor:
    """A rig that has no stimuli but some."""

    def __init__(self, rig, *kinds):
        self.rig = rig
        self.kinds = kinds
        self.do = rig.do
        self.is_locked = rig.is_locked
        self.has_energy = rig.has_energy
        self.register_wh = rig.register_wh

    def can(self, kind):
        return kind in self.kinds


async def test_without_a_stimulus_that_it_needs_a_case_is_not_applicable(lab, autojump_clock):
    with pytest.raises(NotApplicable, match="the rig has no stimulus lock-failure"):
        await attempt(case_of(nothing, needs=(PlugIn, JamLock)), lab.bed(Poor(lab.rig, PlugIn)))


async def test_a_stimulus_that_turns_out_to_be_missing_makes_it_not_applicable(lab, autojump_clock):
    async def run(_bed):
        raise CannotError("no finger")

    with pytest.raises(NotApplicable, match="no finger"):
        await attempt(case_of(run), lab.bed())


async def test_a_profile_that_is_not_announced_makes_it_not_applicable(lab, autojump_clock):
    with pytest.raises(NotApplicable, match="the station does not announce the profile Billing"):
        await attempt(case_of(nothing, profile="Billing"), lab.bed())


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"Testing": "1"}, "the station has no key Testing"),
        ({"NumberOfConnectors": "9"}, "NumberOfConnectors is read-only: 2, not 9"),
        ({"MeterValueSampleInterval": "-1"}, "MeterValueSampleInterval = '-1' is answered Rejected"),
    ],
)
async def test_a_key_that_cannot_be_set_makes_it_not_applicable(lab, autojump_clock, keys, why):
    with pytest.raises(NotApplicable) as raised:
        await attempt(case_of(nothing, keys=keys), lab.bed())
    assert str(raised.value) == why


async def test_a_read_only_key_with_the_value_that_is_wanted_is_fine(lab, autojump_clock):
    await attempt(case_of(nothing, keys={"NumberOfConnectors": "2"}), lab.bed())


async def test_what_comes_after_the_end_of_a_case_is_a_deviation(lab, autojump_clock):
    with pytest.raises(Deviation, match="expected is nothing"):
        await attempt(case_of(lambda bed: bed.plug_in()), lab.bed())


async def test_a_meter_that_runs_backwards_is_a_deviation(lab, autojump_clock):
    def less(request):
        assert isinstance(request, StopTransaction)
        stop = msgspec.structs.replace(request, meter_stop=-1)
        return lab.csms.usual_answer(stop)

    async def run(bed):
        lab.csms.override("StopTransaction", less)
        await bed.charge()
        await bed.swipe()
        await bed.expect(message("StopTransaction"), status("Finishing"))

    with pytest.raises(Deviation, match="whether meterStop of transaction 1"):
        await attempt(case_of(run), lab.bed())


# What a station does unasked


async def test_a_station_that_cannot_be_kept_from_heartbeats_may_send_them(lab, autojump_clock):
    async def run(bed):
        await bed.quiet(1000)

    keys = {
        **lab.declared.keys,
        "HeartbeatInterval": msgspec.structs.replace(
            lab.declared.keys["HeartbeatInterval"], is_readonly=True, value="100"
        ),
    }
    await lab.bed().configure(HeartbeatInterval="100")
    bed = lab.bed()
    bed.declared = msgspec.structs.replace(lab.declared, keys=keys)
    await attempt(case_of(run), bed)
    assert [entry.action for entry in lab.csms.transcript[bed.start :]].count("Heartbeat") > 2


async def test_one_that_can_may_not(lab, autojump_clock):
    async def run(bed):
        await bed.configure(HeartbeatInterval="100")
        await bed.quiet(1000)

    with pytest.raises(Deviation, match=r"^Heartbeat .* came"):
        await attempt(case_of(run), lab.bed())


# Other rigs


async def test_without_a_way_to_cut_power_a_station_is_restarted_by_reset(lab, autojump_clock):
    bed = lab.bed(Poor(lab.rig, PlugIn))
    await bed.restart()
    await bed.boot()
    assert "Reset" in [entry.action for entry in lab.csms.transcript[bed.start :]]


async def test_with_one_it_is_not(lab, autojump_clock):
    bed = lab.bed(Poor(lab.rig, CutPower))
    await bed.restart()
    await bed.boot()
    assert "Reset" not in [entry.action for entry in lab.csms.transcript[bed.start :]]


async def test_without_a_way_to_cut_the_network_the_central_system_is_silent(lab, autojump_clock):
    bed = lab.bed(Poor(lab.rig, PlugIn))
    await bed.cut_link()
    assert lab.station.is_linked
    await bed.quiet(60)
    assert not lab.csms.identities
    await bed.restore_link()
    await bed.until(lambda: bool(lab.csms.identities), "a connection", 200)
    await bed.ask(ChangeAvailability(connector_id=1, type="Operative"), "Accepted")
