"""What a run of the conformance command is to do, from options, and from a run that was interrupted."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from engine import options
from engine.conformance import cases as programme
from engine.conformance.cards import SPOKEN, CardError
from engine.conformance.case import Case, NotApplicable
from engine.conformance.command import conformance
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


# Which cards


def cards(*pairs, **members):
    return prepare(Wishes(cards=tuple(pair.split("=") for pair in pairs), **members)).cards


def test_a_card_has_the_id_tag_that_is_named_for_it():
    pairs = ["CARD=04A1", "REMOTE=CARD", "CARD-3=04A3", "GROUP=GROUP"]
    assert cards(*pairs) == dict(pair.split("=") for pair in pairs)
    assert cards() == {}


def test_two_cards_may_change_names():
    assert cards("CARD=OTHER", "OTHER=card") == {"CARD": "OTHER", "OTHER": "card"}


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        (
            ["card=04A1"],
            "no case names card; allowed: CARD, CARD-N .N is a connector., FOREIGN, GROUP, HOLDER",
        ),
        (["CARD-N=04A1"], "no case names CARD-N"),
        (["CARD-0=04A1"], "no case names CARD-0"),
        (["CARD=04A1", "CARD=04A2"], "--card CARD=04A2: CARD is 04A1 already"),
        (["CARD=04A1", "OTHER=04a1"], "--card OTHER=04a1: CARD has that idTag"),
        (["CARD=other"], "--card CARD=other: OTHER has that idTag; each name needs one of its own"),
        (["CARD=card-2"], "card-2 has that idTag"),
    ],
)
def test_cards_that_are_not_those_of_the_cases_are_told_in_a_line(pairs, why):
    with pytest.raises(CardError, match=why) as raised:
        cards(*pairs)
    assert "\n" not in str(raised.value)


def test_scripts_name_cards_too(tmp_path):
    steps = (
        '{"do": "swipe", "idTag": "BLUE"}',
        '{"request": "ReserveNow", "payload": {"idTag": "RED", "parentIdTag": "TEAM"}}',
        '{"expect": [{"action": "Authorize", "payload": {"idTag": "BLUE"}}]}',
        '{"answers": "Authorize", "with": {"idTagInfo": {"status": "Accepted", "parentIdTag": "CLUB"}}}',
    )
    (tmp_path / "a.jsonl").write_text(SCRIPT + "\n".join(steps))
    pairs = ["BLUE=04A1", "RED=04A2", "TEAM=04A3", "CLUB=04A4"]
    plan = prepare(Wishes(scripts=tmp_path, select="tours", cards=tuple(pair.split("=") for pair in pairs)))
    assert [(each.cards, each.id_tags) for each in plan.cases] == [(("BLUE",), ("CLUB", "RED", "TEAM"))]
    with pytest.raises(CardError, match="RED has that idTag"):
        cards("BLUE=red", scripts=tmp_path)


@pytest.mark.parametrize("value", ["CARD", "CARD=", "=04A1", "CARD=" + "0" * 21, "CARD= 04A1", "CARD=04Ä1"])
def test_what_is_no_card_is_told_with_what_is(value):
    with pytest.raises(click.BadParameter, match=r"; allowed: .*\.$"):
        options.cards(None, None, (value,))


def test_a_card_may_have_every_id_tag():
    assert options.cards(None, None, ("CARD=a=b c", "OTHER=" + "0" * 20)) == (
        ("CARD", "a=b c"),
        ("OTHER", "0" * 20),
    )


def test_help_names_the_cards_of_all_cases():
    (option,) = (each for each in conformance.params if each.name == "cards")
    names = {name.replace("-N", "-1") for case in programme.CASES for name in case.cards}
    assert all(re.search(rf"\b{name}\b", option.help) for name in {*names, *SPOKEN})


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
        declared=Declared(keys={}, cards={"CARD": "04A1", "OTHER": "04A2"}),
        cases=("012-tethered", "012"),
    )
    Journal.begin(tmp_path, header)
    return tmp_path


def test_a_run_goes_on_as_it_began(before):
    plan = prepare(Wishes(resume=True, out=before))
    assert [each.name for each in plan.cases] == ["012-tethered", "012"]
    assert (plan.identity, plan.listen, plan.rig) == ("CP-1", ("127.0.0.1", 9123), "bench:http://127.0.0.1:1")
    assert (plan.speed, plan.tolerance_s, plan.seed) == (3, 2.5, 5)
    assert plan.cards == {"CARD": "04A1", "OTHER": "04A2"}
    assert cards("OTHER=04A2", "CARD=04A1", resume=True, out=before) == plan.cards


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
        {"cards": (("CARD", "04A2"),)},
    ],
)
def test_a_run_does_not_go_on_as_another(before, wishes):
    with pytest.raises(PlanError, match="leave it out"):
        prepare(Wishes(resume=True, out=before, **wishes))
