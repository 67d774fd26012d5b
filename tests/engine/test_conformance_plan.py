"""What a run of the conformance command is to do, from options, and from a run that was interrupted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.conformance.case import Case, NotApplicable
from engine.conformance.declared import Declared
from engine.conformance.plan import PlanError, Wishes, prepare
from engine.conformance.results import Header, Journal, JournalError
from engine.conformance.rig import RigError
from engine.conformance.script import ScriptError, decode
from engine.conformance.scripted import case_of
from engine.conformance.selection import SelectionError, in_order, part_of, select
from engine.speed import SpeedError

SCRIPT = '{"script": "first", "title": "A script"}\n'


async def nothing(_bed):
    """Never played here."""


def case(case_id, profile="Core", variant=""):
    return Case(id=case_id, title="A title", profile=profile, run=nothing, variant=variant)


CASES = [
    case("003"),
    case("012"),
    case("012", variant="tethered"),
    case("046_1", "Reservation"),
    case("tour-1"),
]


# Which cases


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ("", ["003", "012", "012-tethered", "046_1", "tour-1"]),
        ("003", ["003"]),
        ("TC_012_CS", ["012", "012-tethered"]),
        ("012-*", ["012-tethered"]),
        ("reservation,003", ["003", "046_1"]),
        ("tc_0[01]*", ["003", "012", "012-tethered"]),
        ("tours", ["tour-1"]),
        ("TOUR-?", ["tour-1"]),
    ],
)
def test_a_pattern_selects(patterns, names):
    assert [each.name for each in select(CASES, patterns)] == names


def test_a_pattern_that_fits_nothing_is_told():
    with pytest.raises(SelectionError, match="099: none of 5 cases fits"):
        select(CASES, "003,099")


def test_a_seed_gives_an_order_and_no_seed_leaves_it():
    first, again, other = (in_order(CASES, seed) for seed in (1, 1, 2))
    assert (first == again, first == other, in_order(CASES, None)) == (True, False, CASES)


def test_parts_are_all_there_is_and_nothing_twice(tmp_path):
    names = [[each.name for each in part_of(CASES, (part, 3))] for part in (1, 2, 3)]
    assert names == [["003", "046_1"], ["012", "tour-1"], ["012-tethered"]]
    plan = prepare(Wishes(select="003,040_1", part=(2, 2)))
    assert ([each.name for each in plan.cases], plan.part) == (["040_1"], "2/2")


def test_a_part_that_is_empty_is_told():
    with pytest.raises(SelectionError, match="--part 7/9: there are 5 cases"):
        part_of(CASES, (7, 9))


async def test_a_script_is_for_the_station_that_declares_what_it_says(tmp_path):
    script = decode('{"script": "a", "declares": "[transactions]\\nrecovery = \\"resume\\"\\n"}')
    for declares in ("", "[limits]\n"):
        with pytest.raises(NotApplicable, match=r"declares \[transactions\] recovery = "):
            await case_of(script, declares).run(None)
    with pytest.raises(NotApplicable, match="declares nothing else"):
        await case_of(decode('{"script": "a"}'), "[limits]\n").run(None)
    # Nothing is in the way of the one that is declared so, and it goes on to the bed.
    with pytest.raises(AttributeError, match="NoneType"):
        await case_of(script, script.header.declares).run(None)


# What is wrong


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        (Wishes(select="nothing"), SelectionError),
        (Wishes(rig="broom"), RigError),
        (Wishes(speed=0.01), SpeedError),
        (Wishes(speed=0), SpeedError),
        (Wishes(tls=(Path("cert.pem"), None)), PlanError),
        (Wishes(resume=True, out=Path("nowhere")), JournalError),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(wishes, error):
    with pytest.raises(error) as raised:
        prepare(wishes)
    assert "\n" not in str(raised.value)


def test_a_directory_without_scripts_is_told(tmp_path):
    with pytest.raises(ScriptError, match=r"no \.jsonl file"):
        prepare(Wishes(scripts=tmp_path))


def test_two_scripts_of_one_name_are_told(tmp_path):
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(SCRIPT)
    with pytest.raises(ScriptError, match="there is another script 'first'"):
        prepare(Wishes(scripts=tmp_path))


def test_scripts_are_cases(tmp_path):
    (tmp_path / "a.jsonl").write_text(SCRIPT)
    plan = prepare(Wishes(scripts=tmp_path, select="tours"))
    assert [(each.name, each.title) for each in plan.cases] == [("first", "A script")]


# What goes on


@pytest.fixture
def before(tmp_path):
    header = Header(
        version="1",
        began=datetime(2026, 1, 1, tzinfo=UTC),
        identity="CP-1",
        url="ws://127.0.0.1:9123",
        rig="bench:http://127.0.0.1:1",
        seed=5,
        select="012*",
        speed=3,
        tolerance_s=2.5,
        declared=Declared(keys={}),
        cases=("012-tethered", "012"),
    )
    Journal.begin(tmp_path, header)
    return tmp_path


def test_a_run_goes_on_as_it_began(before):
    plan = prepare(Wishes(resume=True, out=before))
    assert [each.name for each in plan.cases] == ["012-tethered", "012"]
    assert (plan.identity, plan.listen, plan.rig) == ("CP-1", ("127.0.0.1", 9123), "bench:http://127.0.0.1:1")
    assert (plan.speed, plan.tolerance_s, plan.seed) == (3, 2.5, 5)


def test_a_run_may_go_on_elsewhere(before):
    plan = prepare(Wishes(resume=True, out=before, listen=("127.0.0.1", 1), rig="prompt", seed=5))
    assert (plan.listen, plan.rig) == (("127.0.0.1", 1), "prompt")


@pytest.mark.parametrize(
    "wishes",
    [
        {"seed": 6},
        {"select": "003"},
        {"speed": 4},
        {"identity": "CP-2"},
        {"scripts": Path("x")},
        {"part": (1, 2)},
    ],
)
def test_a_run_does_not_go_on_as_another(before, wishes):
    with pytest.raises(PlanError, match="leave it out"):
        prepare(Wishes(resume=True, out=before, **wishes))
