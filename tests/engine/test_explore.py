"""``statecharge explore``: what it prints, and what it returns."""

import io
import subprocess
import sys

import pytest
from click.testing import CliRunner

from engine import cli
from engine.diagrams.sequence import Arrow, Remark, mermaid, plain
from engine.exploration import run, story, work
from machines.connector import Connector
from machines.model.explore import Explorer

CONNECTED = (
    *("the station starts", "connected", "BootNotification Accepted"),
    *("cable in 1", "lock of 1 open", "pilot of 1 C"),
)
"""To a vehicle that asks for energy."""

SMALL = ("sessions", "remote", "diagnostics")


def wish(*names, station="full", connectors=1, states=300, walks=1):
    return work.wish_for(
        station, connectors=connectors, names=names, states=states, depth=None, walks=walks, seed=1
    )


def found(outcomes):
    """What was found, less how long it took."""
    return [
        (
            one.alphabet,
            [(place.name, place.found) for place in one.places],
            one.walked,
            one.rows,
            one.violation,
        )
        for one in outcomes
    ]


def explored(*names, **wanted):
    return list(work.explored(wish(*names, **wanted), 1, lambda _what: None))


@pytest.fixture
def broken(monkeypatch):
    """A connector that never leaves Finishing when the cable is taken out."""
    explored("diagnostics", states=1)  # so that it is compiled
    key = ("Finishing", next(one for one in Connector.messages if one.__name__ == "CableRemoved"))
    monkeypatch.setattr(Connector, "_table", {**Connector._table, key: ()})


def test_two_processes_find_what_one_finds():
    one = found(explored(*SMALL))
    two = found(work.explored(wish(*SMALL), 2, lambda _what: None))

    assert two == one
    assert [name for name, *_ in two] == list(SMALL)


def test_a_walk_is_the_same_for_the_same_seed():
    assert found(explored("everything", states=10)) == found(explored("everything", states=10))


def test_an_exploration_that_does_not_come_to_its_end_goes_on_from_other_places():
    (outcome,) = explored("sessions")

    assert [place.name for place in outcome.places] == ["off", "connected", "charging"]
    assert not outcome.is_complete


def test_one_that_does_needs_no_other_place():
    (outcome,) = explored("diagnostics", states=5000)

    assert [place.name for place in outcome.places] == ["off"]
    assert outcome.is_complete


def test_a_run_without_a_violation_says_so(tmp_path):
    console = io.StringIO()
    code = run.conduct(wish("diagnostics", states=5000), 1, tmp_path, console)

    assert code == 0
    assert console.getvalue().endswith("no violation\n")
    assert "complete" in console.getvalue()
    assert not list(tmp_path.iterdir())


def test_a_violation_is_told_and_drawn_and_returned(broken, tmp_path):
    console = io.StringIO()
    code = run.conduct(wish("sessions", states=5000), 1, tmp_path / "out", console)
    text = console.getvalue()

    assert code == 1
    assert "sessions, from off: TransitionMissing: Connector in 'Finishing' takes no CableRemoved()" in text
    assert "  6. cable out of 1" in text
    assert "BROKEN" in text
    drawn = (tmp_path / "out" / "sessions-off.mmd").read_text()
    assert drawn.startswith("sequenceDiagram\n")
    assert "6. cable out of 1" in drawn
    assert "6. cable out of 1" in (tmp_path / "out" / "sessions-off.txt").read_text()


def test_the_trace_tells_what_the_station_did():
    (outcome,) = explored("sessions", states=1)
    explorer, _, _ = work._prepared(wish("sessions"), "sessions")
    lines = list(story.told(explorer.tell((*CONNECTED, "card A", "Authorize Accepted"))))

    assert outcome.violation is None
    assert "       registration: BootNotification.req" in lines
    assert "       status_report/1: StatusNotification.req (connectorId 1, status Preparing)" in lines
    assert "       authorization/1: Authorize.req (idTag A)" in lines
    assert "       connector 1 is Preparing" in lines
    assert "       transaction/1: read meter of 1 (start)" in lines
    assert any(
        line.startswith("       connector 1 is set to contactor open, no offer, locked") for line in lines
    )


def test_the_diagram_shows_who_told_whom():
    explorer, _, _ = work._prepared(wish("remote"), "remote")
    items = list(story.drawn(explorer.tell((*CONNECTED, "RemoteStartTransaction A at 1"))))

    asked = next(index for index, item in enumerate(items) if "RemoteStartTransaction A" in item.text)
    assert isinstance(items[asked], Arrow)
    assert items[asked].source == "Central System"
    assert items[asked + 1] == Arrow(
        "Charge point", "Central System", "RemoteStartTransaction.conf (status Accepted)", is_answer=True
    )


# Sequence diagrams


ITEMS = (
    Arrow("A", "B", "hello; there"),
    Arrow("B", "A", "hello", is_answer=True),
    Arrow("B", "B", "thinks"),
    Remark("C", "asleep"),
)


def test_a_sequence_diagram_as_mermaid():
    assert mermaid("ABC", ITEMS).splitlines() == [
        "sequenceDiagram",
        "    participant p0 as A",
        "    participant p1 as B",
        "    participant p2 as C",
        "    p0->>p1: hello, there",
        "    p1-->>p0: hello",
        "    p1->>p1: thinks",
        "    Note over p2: asleep",
    ]


def test_a_sequence_diagram_as_text():
    assert plain("ABC", ITEMS).splitlines() == [
        "A                   B    C",
        "|                   |    |",
        "|-- hello; there -->|    |",
        "|<...... hello .....|    |",
        "|                   |> thinks",
        "|                   |    * asleep",
        "|                   |    |",
    ]


# The command line


def test_an_alphabet_that_there_is_not_is_refused_in_one_line():
    answer = CliRunner().invoke(cli.command, ["explore", "full", "--alphabet", "greek"])

    assert answer.exit_code == 2
    assert answer.output.startswith("statecharge: --alphabet 'greek'; allowed: sessions, ")


def test_more_connectors_than_declared_are_refused():
    answer = CliRunner().invoke(cli.command, ["explore", "full", "--connectors", "3"])

    assert answer.exit_code == 2
    assert answer.output == "statecharge: --connectors 3; allowed: 1 to 2, as declared by full\n"


def test_the_command_explores(tmp_path):
    command = [
        sys.executable,
        "-m",
        "engine.cli",
        "explore",
        "full",
        "--alphabet",
        "diagnostics",
        "--depth",
        "4",
    ]
    ended = subprocess.run(
        [*command, "--walks", "0", "--out", tmp_path], capture_output=True, text=True, check=True
    )

    assert ended.stdout.startswith("full, 2 connectors: up to 20,000 states and 4 moves from each place\n")
    assert ended.stdout.endswith("no violation\n")
    assert not ended.stderr


def test_an_exploration_reports_how_far_it_is():
    notes = []
    explorer, _, _ = work._prepared(wish("diagnostics"), "diagnostics")
    assert isinstance(explorer, Explorer)
    explorer.explore(5000, note=lambda known, done: notes.append((known, done)))

    assert notes[0] == (1, 0)


# A fault on purpose

FAULT = "connector.Charging.CableRemoved:target=Reserved"


def test_a_machine_that_is_broken_on_purpose_is_told_with_the_shortest_way(tmp_path):
    """In a process of its own: nobody mends the machine again."""
    command = [sys.executable, "-m", "engine.cli", "explore", "full", "--connectors", "1"]
    options = ["--alphabet", "sessions", "--fault", FAULT, "--jobs", "2", "--out", tmp_path]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"with a fault: {FAULT}\n" in ended.stdout
    told = ended.stdout[ended.stdout.index("sessions, from off: ") :].splitlines()
    assert "Reserved after Charging is not in the status table" in told[0]
    assert [line for line in told if line.lstrip()[:1].isdigit()][-1].endswith(" cable out of 1")
    assert "cable out of 1" in (tmp_path / "sessions-off.mmd").read_text()


def test_a_fault_that_there_is_not_is_refused():
    with pytest.raises(work.ExplorationError, match=r"--fault 'connector\.Nowhere'; allowed: "):
        work.wish_for(
            "full",
            connectors=1,
            names=(),
            states=1,
            depth=None,
            walks=0,
            seed=1,
            fault="connector.Nowhere",
        )


def test_of_an_exploration_that_is_cut_the_ways_back_are_counted(tmp_path):
    console = io.StringIO()
    run.conduct(wish("diagnostics", "sessions", states=3000, walks=0), 1, tmp_path, console)
    (line,) = [line for line in console.getvalue().splitlines() if "Available again" in line]
    (sessions, _) = explored("sessions", "diagnostics", states=3000, walks=0)
    cut = [place.found for place in sessions.places]

    assert "from every state of 1 complete exploration;" in line
    assert f"from {sum(f.freeable for f in cut):,} of {sum(f.states for f in cut):,} states" in line
    assert all(0.5 < found.freeable / found.states < 1 for found in cut)
