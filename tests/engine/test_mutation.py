"""Mutants: what is made of a small machine, how they are judged, and what is said of them.

The whole run is ``make mutate``. Here a few dozen mutants of two machines are judged by their own tests, in a process
of its own as always, since judging forks.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import Struct
from msgspec.structs import replace

from engine.cli import command
from engine.conformance.script import decode
from engine.mutation.checks import Check, Measured, MutationError, Verdict
from engine.mutation.explained import Explanation, explanations, reason_of, stale
from engine.mutation.forks import Forks
from engine.mutation.journal import About, Journal
from engine.mutation.judge import Judge
from engine.mutation.mutants import (
    Operator,
    does,
    install,
    is_name,
    mutants_of,
    mutated,
)
from engine.mutation.rehearsed import checks_of
from engine.mutation.report import report, unexplained
from engine.mutation.suites import EXCLUDED, SUITES, suite_of
from machines import machine as base
from machines.machine import Machine, Notice, State, rows, stays, when
from machines.routes import KINDS
from machines.vocabulary.effects import StartTimer, StopTimer

ROOT = Path(__file__).parents[2]


class Pushed(Struct, frozen=True):
    """Somebody pushes the door."""


class Bolted(Struct, frozen=True):
    """Somebody bolts it, or unbolts it."""


class Opened(Notice, frozen=True):
    """It is open now."""


class DoorData(Struct, frozen=True):
    """How often it was opened."""

    count: int = 0


class Door(Machine[DoorData, SimpleNamespace]):
    """A door that falls shut."""

    messages = (Pushed, Bolted)

    shut = State("Shut", value="shut", initial=True)
    ajar = State("Open", value="open")

    # fmt: off
    shut.to(ajar, event=when(Pushed, "it opens"),       cond="may_open",   on="swing")
    shut.to(shut, event=when(Pushed, "it is bolted"),   unless="may_open", on="knock")
    ajar.to(shut, event=when(Pushed, "it falls shut"),                     on="fall")
    # fmt: on
    stays(Bolted, "somebody else's", shut)
    impossible: ClassVar = {("open", Bolted): "the bolt meets nothing"}

    def may_open(self):
        return self.facts.may_open

    def swing(self):
        self._count()
        self.emit(Opened())

    def fall(self):
        self.emit(StopTimer("shut"))

    def knock(self):
        self.emit(StartTimer("shut", 1, Pushed()))

    def _count(self):
        self.data = replace(self.data, count=self.data.count + 1)


OPEN = SimpleNamespace(may_open=True)
BOLTED = SimpleNamespace(may_open=False)


def made(operator):
    return [
        mutant.name.partition(":")[0] for mutant in mutants_of("door", Door) if mutant.operator == operator
    ]


def details(operator):
    return [mutant.detail for mutant in mutants_of("door", Door) if mutant.operator == operator]


def mutant_of(operator, detail=""):
    return next(m for m in mutants_of("door", Door) if m.operator == operator and m.detail == detail)


@pytest.fixture
def installed(monkeypatch):
    """Let the door be a mutant until the end of the test; return what it does with a push when it is shut."""
    monkeypatch.setattr(Door, "_table", None, raising=False)
    monkeypatch.setattr(base, "rows", rows)

    def after(mutant, facts=OPEN):
        install(Door, mutant, {"machines.machine": base})
        door = Door(DoorData())
        return door.handle(Pushed(), facts), door.state, door.data.count

    return after


# What is made


def test_every_row_is_dropped_once():
    assert made("drop") == [
        "door.shut.Pushed[may_open]",
        "door.shut.Pushed[!may_open]",
        "door.shut.Bolted",
        "door.open.Pushed",
    ]


def test_a_row_that_moves_and_acts_is_ignored():
    assert made("ignore") == ["door.shut.Pushed[may_open]", "door.open.Pushed"]


def test_every_guard_of_a_row_is_flipped():
    assert made("flip") == ["door.shut.Pushed[may_open]", "door.shut.Pushed[!may_open]"]


def test_every_guard_of_a_state_and_a_message_is_stuck_both_ways():
    assert made("stuck") == ["door.shut.Pushed"] * 2
    assert details("stuck") == ["may_open=true", "may_open=false"]


def test_every_row_leads_to_every_other_state():
    assert details("target") == ["shut", "open", "open", "open"]


def test_rows_of_a_state_and_a_message_change_places():
    assert made("swap") == made("actions") == ["door.shut.Pushed[may_open]/[!may_open]"]


def test_every_action_is_dropped():
    assert made("action") == ["door.shut.Pushed[may_open]", "door.shut.Pushed[!may_open]", "door.open.Pushed"]


def test_an_action_that_does_two_things_does_one_of_them():
    """One that does one thing only does nothing then, which is another mutant."""
    assert (details("lose"), made("forget")) == (["Opened"], ["door.shut.Pushed[may_open]"])


def test_what_an_action_does_is_found_in_what_it_calls():
    assert does(Door, "swing") == ((Opened,), True)
    assert does(Door, "fall") == ((StopTimer,), False)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_mutants_of_a_machine_have_the_same_name(kind):
    names = [mutant.name for mutant in mutants_of(kind, KINDS[kind])]
    assert len(set(names)) == len(names)
    assert all(map(is_name, names))


@pytest.mark.parametrize("kind", KINDS)
def test_every_operator_makes_mutants_of_every_machine_or_finds_nothing_to_change(kind):
    """Machines that come later take part without a change here: a machine without any mutant would be an oversight."""
    table = rows(KINDS[kind])
    operators = {mutant.operator for mutant in mutants_of(kind, KINDS[kind])}
    assert Operator.DROP in operators
    assert (Operator.FLIP in operators) == any(row.guards for row in table)
    assert (Operator.ACTION in operators) == any(row.action for row in table)
    assert (Operator.TARGET in operators) == (len(list(KINDS[kind].states)) > 1)


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_is_the_machine(kind):
    sound = rows(KINDS[kind])
    for mutant in mutants_of(kind, KINDS[kind]):
        if mutant.operator not in {Operator.LOSE, Operator.FORGET}:
            assert mutated(KINDS[kind], mutant) != sound, mutant.name


# What a mutant does


def test_the_sound_door_opens_and_counts():
    door = Door(DoorData())
    assert (door.handle(Pushed(), OPEN), door.state, door.data.count) == ([Opened()], "open", 1)


@pytest.mark.parametrize(
    ("operator", "detail", "expected"),
    [
        ("ignore", "", ([], "shut", 0)),
        ("flip", "may_open", None),
        ("stuck", "may_open=false", ([StartTimer("shut", 1, Pushed())], "shut", 0)),
        ("target", "shut", ([Opened()], "shut", 1)),
        ("swap", "1", ([StartTimer("shut", 1, Pushed())], "shut", 0)),
        ("action", "", ([], "open", 0)),
        ("actions", "1", ([StartTimer("shut", 1, Pushed())], "open", 0)),
        ("lose", "Opened", ([], "open", 1)),
        ("forget", "", ([Opened()], "open", 0)),
        ("drop", "", None),
    ],
)
def test_a_mutant_does_its_fault_and_nothing_else(installed, operator, detail, expected):
    mutant = mutant_of(operator, detail)
    if expected is None:
        with pytest.raises(Exception, match="takes no Pushed"):
            installed(mutant)
    else:
        assert installed(mutant) == expected


def test_a_guard_that_is_stuck_lets_everybody_through(installed):
    assert installed(mutant_of("stuck", "may_open=true"), BOLTED) == ([Opened()], "open", 1)


def test_whoever_reads_the_rows_reads_those_of_the_mutant(monkeypatch):
    monkeypatch.setattr(Door, "_table", None, raising=False)
    reader = SimpleNamespace(rows=rows)
    install(Door, mutant_of("drop"), {"reader": reader})

    assert len(reader.rows(Door)) == len(rows(Door)) - 1
    assert reader.rows(KINDS["connector"]) == rows(KINDS["connector"])


# Processes


def test_what_a_process_tells_arrives_with_its_end():
    forks = Forks(1)
    forks.start("a", lambda tell: [tell(1), tell("two")], silence_s=10)
    assert forks.is_full
    ended = forks.wait()
    assert (ended.key, ended.told, ended.status) == ("a", [1, "two"], 0)
    assert forks.is_idle


def test_a_process_that_is_ended_says_by_what():
    forks = Forks(1)
    forks.start("a", lambda tell: os.kill(os.getpid(), signal.SIGPROF), silence_s=10)
    assert forks.wait().status == -signal.SIGPROF


def test_a_defect_in_a_process_ends_it_and_not_this_one():
    forks = Forks(1)
    forks.start("a", lambda tell: 1 / 0, silence_s=10)
    assert forks.wait().status == 1


# The suites


@pytest.mark.parametrize(
    ("path", "suite"),
    [
        ("tests/machines/test_reservation.py", "machines"),
        ("tests/machines/test_every_machine.py", "table"),
        ("tests/machines/test_random_walks.py", "walks"),
        ("tests/scenarios/test_gate.py", "scenarios"),
        ("tests/elsewhere/test_new.py", "tests"),
    ],
)
def test_a_test_belongs_to_the_suite_that_names_most_of_its_path(path, suite):
    assert suite_of(path) == suite


@pytest.mark.parametrize("path", [*(path for paths in SUITES.values() for path in paths), *EXCLUDED])
def test_what_the_suites_name_is_there(path):
    file, _, name = path.partition("::")
    assert (ROOT / file).exists()
    assert not name or f"def {name}(" in (ROOT / file).read_text()


# What is known of survivors

SURVIVOR = Verdict(
    mutant="door.shut.Pushed:action", kind="door", operator="action", row="shut -> open", takers=3
)
CAUGHT = Verdict(
    mutant="door.shut.Pushed:drop", kind="door", operator="drop", row="shut -> open", suite="table", check="t"
)
REASON = Explanation(("door.shut.*:action",), "nobody can tell")


def test_a_survivor_is_explained_by_name_or_pattern():
    assert reason_of(SURVIVOR.mutant, [REASON]) == "nobody can tell"
    assert not reason_of(CAUGHT.mutant, [REASON])
    assert unexplained([SURVIVOR, CAUGHT], []) == [SURVIVOR]
    assert not unexplained([SURVIVOR, CAUGHT], [REASON])


def test_brackets_in_a_pattern_are_brackets():
    assert Explanation(("a.b.C[!d]:drop",), "r").names("a.b.C[!d]:drop")
    assert not Explanation(("a.b.C[!d]:drop",), "r").names("a.b.Cd:drop")


def test_an_explanation_of_nothing_is_found():
    gone = Explanation(("door.ajar.*",), "it was once")
    assert stale([REASON, gone], [SURVIVOR.mutant]) == ["door.ajar.*"]


def test_every_shipped_explanation_is_about_a_mutant_that_is_there():
    names = [mutant.name for kind, machine in KINDS.items() for mutant in mutants_of(kind, machine)]
    assert not stale(explanations(), names)


def test_every_shipped_explanation_says_why():
    assert all(len(one.reason.split()) > 3 for one in explanations())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("[[explained]]\nmutants = 1\nreason = ''", "explained[0].mutants"), ("x", "x.toml"), ("a = 1", "`a`")],
)
def test_a_wrong_file_of_explanations_is_refused(tmp_path, text, complaint):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(MutationError, match=re.escape(complaint)):
        explanations(path)


def test_the_report_counts_by_operator_and_machine_and_lists_survivors():
    lines = list(report([SURVIVOR, CAUGHT], [], tuple(SUITES)))

    assert lines[0].split() == ["operator", "made", "table", "explained", "not", "caught"]
    assert [line.split() for line in lines[1:4]] == [
        ["action", "1", "0", "0", "1"],
        ["drop", "1", "1", "0", "0"],
        ["all", "2", "1", "0", "1"],
    ]
    assert "  door.shut.Pushed:action" in lines
    assert "    3 tests take it" in lines


def test_the_report_says_why_where_somebody_knows():
    lines = list(report([SURVIVOR], [REASON], tuple(SUITES)))
    assert "    nobody can tell" in lines
    assert not any(line.startswith("Not caught:") for line in lines)


def test_the_report_names_what_is_explained_without_need():
    caught = replace(SURVIVOR, suite="walks", check="a walk")
    assert "  door.shut.Pushed:action by a walk" in list(report([caught], [REASON], tuple(SUITES)))


# The journal

NOW = About("code", "tests", ("tests",))
FOUND = Measured("t", ("door/1",), (), ("door",), 0.5)


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "deep" / "mutants.jsonl"
    with Journal(path, NOW) as journal:
        for found in (FOUND, SURVIVOR, CAUGHT):
            journal.keep(found)
    return path


def held(path, now):
    with Journal(path, now) as journal:
        return set(journal.verdicts.values()), set(journal.measured.values())


def test_a_journal_that_is_opened_again_has_everything(journal):
    assert held(journal, NOW) == held(journal, NOW) == ({SURVIVOR, CAUGHT}, {FOUND})


def test_other_tests_may_catch_what_survived(journal):
    assert held(journal, About("code", "other", ("tests",))) == ({CAUGHT}, set())


def test_a_run_with_fewer_tests_judges_survivors_anew(journal):
    assert held(journal, About("code", "tests", ("tests/machines",))) == ({CAUGHT}, {FOUND})


def test_other_code_is_judged_anew(journal):
    assert held(journal, About("other", "tests", ("tests",))) == (set(), set())


def test_half_a_line_at_the_end_is_left_behind(journal):
    journal.write_bytes(journal.read_bytes()[:-5])
    assert held(journal, NOW) == ({SURVIVOR}, {FOUND})


def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "letter"
    path.write_text("Dear Sir,\n")
    with pytest.raises(MutationError, match="found something else than findings"):
        Journal(path, NOW)
    assert path.read_text() == "Dear Sir,\n"


# Tours

TOUR = """
{"script": "little", "keys": {"MeterValueSampleInterval": "0", "ClockAlignedDataInterval": "0"}, "quietS": 2.37}
{"expect": [{"action": "BootNotification"}], "optional": [{"action": "StatusNotification"}], "withinS": 90}
{"do": "plug-in", "connector": 1}
{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Preparing"}}]}
{"request": "UnlockConnector", "payload": {"connectorId": 1}, "expect": {"status": "Unlocked"}}
{"wait": 2.37}
{"wait": 54.5}
{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Finishing"}}], "withinS": 20}
"""


def rehearsed(old="", new=""):
    (check,) = checks_of([decode(TOUR.replace(old, new))])
    assert (check.suite, check.name) == ("tours", "tour little")
    return check.run(None), check.run(None)


def test_a_tour_is_rehearsed_as_often_as_one_likes():
    assert rehearsed() == ("", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Preparing", "Charging", "step 3: StatusNotification {"),
        ("Unlocked", "UnlockFailed", "step 4: UnlockConnector was answered "),
        ('{"wait": 54.5}', '{"wait": 60}', "step 6: StatusNotification {"),
        ('{"wait": 54.5}', '{"wait": 50}', "step 7: nothing came; expected is StatusNotification {"),
        ('{"action": "BootNotification"}', "", "step 1: BootNotification {"),
        ('"plug-in"', '"unplug"', "step 2: OutOfOrderError"),
    ],
)
def test_what_a_tour_does_not_expect_is_found(old, new, said):
    assert rehearsed(old, new)[0].startswith(said)


# The command, on two machines

STATIC = "tests/machines/test_every_machine.py"
JUDGED = ("authorization_cache", "fault")


def mutate(*arguments):
    """The command in a process of its own, since it forks."""
    command = [sys.executable, "-m", "engine.cli", "mutate", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


def verdicts_in(path):
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    return {line["verdict"]["mutant"]: line["verdict"] for line in lines if line["line"] == "verdict"}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Every mutant of two machines, judged by their own tests and by those of every machine; and once more."""
    out = tmp_path_factory.mktemp("mutants") / "mutants.jsonl"
    tests = [STATIC, *(f"tests/machines/test_{kind}.py" for kind in JUDGED)]
    asked = [
        *JUDGED,
        *(f"--tests={path}" for path in tests),
        f"--out={out}",
        f"--tours={out.parent / 'tours'}",
    ]
    return [mutate(*asked) for _ in range(2)], verdicts_in(out)


def of(verdicts, operator):
    found = [verdict for verdict in verdicts.values() if verdict["operator"] == operator]
    assert found
    return found


def test_every_mutant_of_two_machines_is_caught_by_their_tests(judged):
    (run, _), verdicts = judged
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert set(verdicts) == {mutant.name for kind in JUDGED for mutant in mutants_of(kind, KINDS[kind])}
    assert all(verdict["check"] for verdict in verdicts.values())


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_is_among_them(judged, operator):
    assert of(judged[1], operator)


def test_a_row_that_is_gone_is_caught_by_the_static_checks(judged):
    assert {verdict["suite"] for verdict in of(judged[1], Operator.DROP)} == {"table"}


def test_a_fault_that_the_table_does_not_show_is_caught_by_a_test_of_the_machine(judged):
    assert {verdict["suite"] for verdict in of(judged[1], Operator.FORGET)} == {"machines"}


def test_a_run_that_is_repeated_finds_everything_in_its_journal(judged):
    (first, second), _ = judged
    assert second.stdout == first.stdout
    assert second.returncode == 0


def test_an_interruption_while_tests_are_collected_is_one(tmp_path):
    """It was told as tests that cannot be collected, with the exit code of a mistake."""
    file = tmp_path / "test_it.py"
    file.write_text("import os, signal\n\nos.kill(os.getpid(), signal.SIGINT)\n")
    run = mutate("fault", f"--tests={file}", f"--tours={tmp_path}", f"--out={tmp_path / 'mutants.jsonl'}")

    assert (run.returncode, run.stderr.strip()) == (130, "")


def test_what_was_measured_before_an_interruption_is_not_measured_again(tmp_path):
    """But a file of checks is measured as a whole: they may share what is costly to make."""
    checks = [Check("machines", name, lambda _following: "") for name in ("a::one", "a::two", "b::one")]
    judge = Judge({}, checks, tuple(SUITES), 1, tmp_path)

    assert [one.check for one in judge.measure({"a::one", "a::two"})] == ["b::one"]
    assert [one.check for one in judge.measure({"a::one", "b::one"})] == ["a::one", "a::two"]


def test_a_mutant_that_no_test_looks_at_is_reported(tmp_path):
    """The static checks cannot see what an action does; nothing else is asked here."""
    name = "heartbeat.beating.HeartbeatTriggered:action"
    # Nor are tours that lie in the checkout.
    asked = (name, f"--tests={STATIC}", f"--tours={tmp_path / 'none'}", f"--out={tmp_path / 'mutants.jsonl'}")
    run = mutate(*asked)
    assert run.returncode == 1
    assert "Not caught: 1" in run.stdout
    assert "    no tests take it" in run.stdout

    explained = tmp_path / "explained.toml"
    explained.write_text(f'[[explained]]\nmutants = ["{name}"]\nreason = "for the sake of this test"\n')
    run = mutate(*asked, f"--explained={explained}")
    assert run.returncode == 0
    assert "    for the sake of this test" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["clock"], "found machine 'clock', allowed is one of connection, registration,"),
        (
            ["fault.clear.FaultRaised:melt"],
            "found machine 'fault.clear.FaultRaised:melt', allowed is a mutant of",
        ),
        (["--suite", "unit"], "found suite 'unit', allowed is one of table, machines,"),
        (["--tests", "tests/nowhere.py"], "found no tests/nowhere.py in "),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(ROOT)
    run = CliRunner().invoke(command, ["mutate", *arguments, f"--out={tmp_path / 'mutants.jsonl'}"])
    assert run.exit_code == 2
    assert run.stderr.startswith(f"statecharge: {complaint}")
    assert run.stderr.count("\n") == 1


def test_an_explanation_of_a_mutant_that_is_gone_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    explained = tmp_path / "explained.toml"
    explained.write_text('[[explained]]\nmutants = ["door.shut.*"]\nreason = "it was once"\n')
    run = CliRunner().invoke(command, ["mutate", f"--explained={explained}", f"--out={tmp_path / 'm.jsonl'}"])
    assert run.exit_code == 2
    assert "no such mutant: door.shut.*" in run.stderr
