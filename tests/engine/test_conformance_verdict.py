"""What is said of a case, and of a station that does not come to rest. Nobody is connected: the time is virtual."""

from datetime import UTC, datetime, timedelta

import pytest
import trio
from msgspec.structs import replace

from engine.conformance.cards import NO_CARDS
from engine.conformance.case import Case, Deviation, NotApplicable
from engine.conformance.declared import Declared, Key
from engine.conformance.plan import Wishes, prepare
from engine.conformance.results import Header, Journal
from engine.conformance.rig import CannotError, RigError
from engine.conformance.runner import Run
from engine.conformance.stimuli import ClearFault, CutPower, FreeLock, Swipe, Unplug
from engine.conformance.trace import NotedRig, Notes
from engine.conformance.verdict import Stage, judge, settle
from engine.csms import Csms
from engine.csms_book import RECEIVED, Entry
from engine.id_tags import IdTagNames
from engine.ocpp import frames
from machines.vocabulary.ocpp import ChargePointErrorCode

HOT = ChargePointErrorCode.HIGH_TEMPERATURE
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
DECLARED = Declared(keys={"SupportedFeatureProfiles": Key("Core", is_readonly=True)})


class Robot:
    """A rig that writes down what it is told."""

    def __init__(self, *, has_switch=True):
        self.done = []
        self._has_switch = has_switch

    def can(self, kind):
        return kind is not CutPower or self._has_switch

    async def do(self, stimulus):
        await trio.lowlevel.checkpoint()
        self.done.append(stimulus)

    async def is_locked(self, connector):
        await trio.lowlevel.checkpoint()

    has_energy = register_wh = is_locked


def now():
    return BEGAN + timedelta(seconds=trio.current_time())


def stage_of(robot, cards=NO_CARDS):
    csms = Csms(now, names=IdTagNames(cards))
    notes = Notes(now, lambda: len(csms.transcript))
    return Stage(csms, NotedRig(robot, notes), notes, replace(DECLARED, cards=cards), 1, 1.5)


async def passes(bed):
    await bed.swipe("CARD")


async def deviates(_bed):
    raise Deviation("the answer is Accepted; expected is Rejected\n12:00:00 a frame")


async def does_not_apply(_bed):
    raise NotApplicable("there is no lock")


async def cannot(_bed):
    raise CannotError("the rig has no switch")


async def breaks(_bed):
    raise RigError("the cable is torn")


def case(run, **members):
    return Case(id="003", title="A title", profile="Core", run=run, **members)


@pytest.mark.parametrize(
    ("run", "verdict", "reason"),
    [
        (passes, "passed", ""),
        (deviates, "failed", "the answer is Accepted; expected is Rejected"),
        (does_not_apply, "not applicable", "there is no lock"),
        (cannot, "not applicable", "the rig has no switch"),
        (breaks, "inconclusive", "the rig failed: the cable is torn"),
    ],
)
async def test_a_case_gets_its_verdict(autojump_clock, run, verdict, reason):
    stage = stage_of(Robot())
    result = await judge(stage, case(run), stage.bed())
    assert (result.verdict, result.reason.partition("\n")[0]) == (verdict, reason)


async def test_a_case_is_not_played_without_what_it_needs(autojump_clock):
    stage = stage_of(Robot(has_switch=False))
    result = await judge(stage, case(passes, needs=(CutPower,)), stage.bed())
    assert (result.verdict, result.trace) == ("not applicable", ())


async def test_the_trace_tells_what_the_rig_did(autojump_clock):
    stage = stage_of(Robot())
    result = await judge(stage, case(passes), stage.bed())
    assert [str(line)[13:] for line in result.trace] == ["* swipe idTag=CARD connector=1"]


CARDS = {"CARD": "04A1B2C3D4", "CARD-1": "04A1B2C3D5"}


async def test_the_trace_tells_which_id_tag_was_shown(autojump_clock):
    robot = Robot()
    stage = stage_of(robot, CARDS)
    result = await judge(stage, case(passes, cards=("CARD", "CARD-N")), stage.bed())
    assert [str(line)[13:] for line in result.trace] == ["* swipe idTag=04A1B2C3D4 connector=1"]
    assert robot.done == [Swipe("04A1B2C3D4", 1)]


@pytest.mark.parametrize("declared", [("OTHER",), ()], ids=["known before", "found out"])
async def test_a_case_does_not_apply_without_its_cards(autojump_clock, declared):
    async def shows(bed):
        await bed.swipe("OTHER")

    robot = Robot()
    stage = stage_of(robot, CARDS)
    result = await judge(stage, case(shows, cards=declared), stage.bed())
    assert (result.verdict, robot.done) == ("not applicable", [])
    assert result.reason == "no card is known to be OTHER: name its idTag with --card OTHER=IDTAG"


async def test_each_connector_has_a_card_of_its_own(autojump_clock):
    stage = replace(stage_of(Robot(), CARDS), connectors=2)
    result = await judge(stage, case(passes, cards=("CARD-N",)), stage.bed())
    assert result.reason.startswith("no card is known to be CARD-2")


async def test_the_line_that_deviates_is_found_whatever_the_card_is_called(autojump_clock):
    stage = stage_of(Robot(), CARDS)

    async def hears(_bed):
        for id_tag, name in (("04B2", "04B2"), ("04a1b2c3d4", "CARD")):
            said, wire = {"idTag": name}, {"idTag": id_tag}
            entry = Entry(now(), RECEIVED, "CP-1", frames.CALL, id_tag, "Authorize", said, wire)
            stage.csms.transcript.append(entry)
        raise Deviation("Authorize {idTag: CARD} came; expected is nothing")

    result = await judge(stage, case(hears), stage.bed())
    assert [line.detail["idTag"] for line in result.trace] == ["04B2", "04a1b2c3d4"]
    assert result.deviates_at == 1


async def test_a_station_that_is_gone_does_not_come_to_rest(autojump_clock):
    stage = stage_of(Robot())
    assert (await settle(stage, stage.bed())).startswith("the station does not come to rest: ")


async def test_cables_are_taken_out_then_the_power_is_cut(autojump_clock):
    robot = Robot()
    stage = stage_of(robot)
    await settle(stage, stage.bed())
    assert [each for each in robot.done if isinstance(each, Unplug | CutPower)] == [Unplug(1), CutPower(10)]


class Clumsy(Robot):
    """One that fails to free a lock, once."""

    has_failed = False

    async def do(self, stimulus):
        if isinstance(stimulus, FreeLock) and not self.has_failed:
            self.has_failed = True
            raise RigError("the tester says 'wait'")
        await super().do(stimulus)


async def test_what_could_not_be_undone_is_undone_with_force(autojump_clock):
    """Nothing is forgotten for it: not the lock, and not the fault whose turn did not come."""
    robot = Clumsy()
    stage = stage_of(robot)
    bed = stage.bed()
    await bed.jam_lock()
    await bed.raise_fault(HOT)
    await settle(stage, bed)
    assert [each for each in robot.done if isinstance(each, FreeLock | ClearFault)] == [
        FreeLock(1),
        ClearFault(HOT, 1),
    ]


async def test_what_cannot_be_undone_is_tried_once_with_force(autojump_clock):
    """A fault that is gone by itself cannot be cleared, and keeps no station from coming to rest."""

    class Gone(Robot):
        async def do(self, stimulus):
            await super().do(stimulus)
            if isinstance(stimulus, ClearFault):
                raise RigError("the fault does not stand")

    robot = Gone()
    stage = stage_of(robot)
    bed = stage.bed()
    await bed.raise_fault(HOT)
    await settle(stage, bed)
    assert robot.done.count(ClearFault(HOT, 1)) == 2


async def test_the_power_is_not_cut_where_nobody_can(autojump_clock):
    robot = Robot(has_switch=False)
    stage = stage_of(robot)
    assert "does not come to rest" in await settle(stage, stage.bed())
    assert CutPower(10) not in robot.done


class Silent:
    """Hears how a run goes."""

    def begins(self, case):
        pass

    def ended(self, result):
        pass

    def gave_up(self, why):
        self.why = why


async def test_what_cannot_be_played_any_more_is_inconclusive(tmp_path, autojump_clock):
    wishes = Wishes(select="003,004_1", rig="prompt", out=tmp_path)
    run, stage = Run(prepare(wishes), Silent()), stage_of(Robot())
    run.journal = Journal.begin(
        tmp_path,
        Header(
            version="1",
            began=BEGAN,
            identity="CP-1",
            url="ws://localhost",
            rig="prompt",
            seed=None,
            tolerance_s=1.5,
            declared=DECLARED,
            cases=("003", "004_1"),
        ),
    )
    await run.play_on(stage)
    assert [(result.name, result.verdict) for result in run.results] == [
        ("003", "inconclusive"),
        ("004_1", "inconclusive"),
    ]
    assert not run.is_good
    assert not run.journal.results
