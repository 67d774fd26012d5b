import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pygraphviz
import pytest
from click.testing import CliRunner

from engine.diagrams import DiagramError, export, names, page
from engine.diagrams.files import drawing
from engine.diagrams.flows import effects_of, emitted_by, flows, kind_of, notices_of
from engine.diagrams.hints import HINTS
from engine.diagrams.pages import main, stale, write
from engine.diagrams.picture import guard_of, labels_of, picture
from machines import routes
from machines.charging_profiles import ChargingProfiles
from machines.current_offer import CurrentOffer
from machines.delivery import Delivery
from machines.fault import Fault
from machines.machine import Machine, rows
from machines.registration import Registration
from machines.transfer_report import TransferReport
from machines.vocabulary.effects import Call, LearnTime, StartTimer, StopTimer
from machines.vocabulary.notices import (
    BecameFaulted,
    FaultsEnded,
    LimitsChanged,
    OfferBegan,
    OfferEnded,
    PhasesWanted,
)
from tests.machines.stations import station_of
from tests.machines.walker import World

ROOT = Path(__file__).parents[2]
KINDS = list(routes.KINDS)

A4_IN = (7.5, 10.9)
"""Printable width and height of a page, in inches."""
TYPE_PT, LEGIBLE_PT = 10, 4.5
"""Size of a message in a picture, and the least that can be read on paper."""

every_kind = pytest.mark.parametrize("kind", KINDS)
every_drawing = pytest.mark.parametrize("name", names())


def drawn_lines(kind):
    """Every line of a picture: beside an arrow, or inside a state."""
    shown = picture(kind, routes.KINDS[kind])
    beside = [line for move in shown.moves for line in move.lines]
    return beside + [line for box in shown.boxes for line in box.inside]


def boxes(name):
    """Position and size of everything in a picture, in inches: name to left, bottom, right, top."""
    graph = pygraphviz.AGraph(string=drawing(name, "dot").decode())
    plain = graph.draw(format="plain", prog="dot").decode()
    page_size = re.match(r"graph \S+ (\S+) (\S+)", plain)
    found = {}
    for line in re.findall(r'^node ("[^"]*"|\S+) (\S+) (\S+) (\S+) (\S+) ', plain, re.MULTILINE):
        x, y, width, height = map(float, line[1:])
        found[line[0]] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    assert page_size
    assert len(found) == graph.number_of_nodes()
    return (float(page_size[1]), float(page_size[2])), found


# What is drawn


@every_kind
def test_every_move_is_drawn_once_with_its_number(kind):
    table = rows(routes.KINDS[kind])
    moves = [number for number, row in enumerate(table, start=1) if row.source != row.target]
    shown = picture(kind, routes.KINDS[kind])
    assert sorted(line.number for move in shown.moves for line in move.lines) == moves
    assert len({(move.source, move.target) for move in shown.moves}) == len(shown.moves)


@every_kind
def test_a_line_says_what_its_row_says(kind):
    table = rows(routes.KINDS[kind])
    for line in drawn_lines(kind):
        row = table[line.number - 1]
        assert (line.message, line.guard) == (row.message.__name__, guard_of(row))
        assert line.clause in row.clause


@every_kind
def test_what_is_done_within_a_state_is_listed_or_counted(kind):
    shown = picture(kind, routes.KINDS[kind])
    for box in shown.boxes:
        here = [row for row in rows(routes.KINDS[kind]) if row.source == row.target == box.value]
        assert len(box.inside) + box.more == sum(bool(row.action) for row in here)


@pytest.mark.parametrize(
    ("clause", "labels"),
    [
        ("4.9 A2", ("A2",)),
        ("4.9 B1 cable out", ("B1",)),
        ("4.9 I1 I2, a warning is left", ("I1", "I2")),
        ("4.9 B3 or B4, as the vehicle responds", ()),
        ("4.9 offline", ()),
        ("5.14", ()),
    ],
)
def test_a_label_of_the_status_table_is_told_from_the_rest_of_a_clause(clause, labels):
    assert labels_of(clause) == labels


@every_kind
def test_every_state_has_a_colour(kind):
    assert set(HINTS[kind].colors) == {state.value for state in routes.KINDS[kind].states}


@every_kind
def test_a_spine_names_every_state_once(kind):
    spine = [state for states in HINTS[kind].spine for state in states]
    assert not spine or sorted(spine) == sorted(state.value for state in routes.KINDS[kind].states)


def test_a_machine_without_hints_is_drawn_all_the_same(monkeypatch):
    monkeypatch.setattr("engine.diagrams.hints.HINTS", {})
    assert b"Faulted" in drawing("fault", "svg")


# How it looks


@every_drawing
def test_nothing_overlaps(name):
    for (one, a), (other, b) in itertools.combinations(boxes(name)[1].items(), 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (one, other)


@every_drawing
def test_a_picture_can_be_read_on_a4(name):
    (width, height), _ = boxes(name)
    scale = max(min(A4_IN[0] / width, A4_IN[1] / height), min(A4_IN[1] / width, A4_IN[0] / height))
    assert TYPE_PT * min(scale, 1) >= LEGIBLE_PT


@every_drawing
def test_a_picture_is_drawn_without_graphviz_on_the_path(name, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert drawing(name, "png").startswith(b"\x89PNG")


@every_kind
def test_an_svg_holds_every_state_and_every_message_drawn(kind):
    texts = {element.text for element in ET.fromstring(drawing(kind, "svg")).iter() if element.text}
    assert {state.name for state in routes.KINDS[kind].states} <= texts
    assert {line.message for line in drawn_lines(kind)} <= texts


# Mermaid


@every_kind
def test_mermaid_has_an_arrow_for_each_pair_of_states(kind):
    text = drawing(kind, "mermaid").decode()
    shown = picture(kind, routes.KINDS[kind])
    arrows = re.findall(r"^    (\w+) --> (\w+) : ", text, re.MULTILINE)
    assert sorted(arrows) == sorted((move.source.lower(), move.target.lower()) for move in shown.moves)


@every_kind
def test_mermaid_text_has_nothing_that_ends_it_early(kind):
    """A colon or a semicolon ends a description."""
    for line in drawing(kind, "mermaid").decode().splitlines():
        _, separator, description = line.partition(" : ")
        if separator:
            assert not re.search(r"[:;\"]", description), line


# The same again


def test_the_text_of_all_pictures_and_pages_is_the_same_in_every_process():
    """Not even the order of a set shows."""
    code = (
        "import hashlib, sys\n"
        "from engine.diagrams.files import drawing, names\n"
        "texts = [drawing(name, form) for name in names() for form in ('dot', 'mermaid', 'md')]\n"
        "print(hashlib.sha256(b''.join(texts)).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


# Pages


@every_kind
def test_a_page_has_every_row_with_its_id(kind):
    text = page(kind)
    for number, row in enumerate(rows(routes.KINDS[kind]), start=1):
        (line,) = [line for line in text.splitlines() if f'<a id="{kind}-{number}"></a>' in line]
        for part in (row.message.__name__, row.action, row.clause):
            assert part in line


@every_kind
def test_a_page_says_what_cannot_happen_and_why(kind):
    text = page(kind)
    for (_, message), reason in routes.KINDS[kind].impossible.items():
        assert re.search(rf"^\| .* \| {message.__name__} \| {re.escape(reason)} \|$", text, re.MULTILINE)


@every_kind
def test_the_matrix_has_a_row_for_each_message_and_leads_to_every_transition(kind):
    machine = routes.KINDS[kind]
    matrix = page(kind).partition("## Messages by state")[2].partition("## What cannot")[0]
    assert re.findall(r"^\| (\w+) \|", matrix, re.MULTILINE)[1:] == [
        message.__name__ for message in machine.messages
    ]
    numbers = {int(number) for number in re.findall(rf"\(#{kind}-(\d+)\)", matrix)}
    assert numbers == set(range(1, len(rows(machine)) + 1))


def test_the_overview_names_every_machine_and_who_hears_of_every_notice():
    text = page("overview")
    assert all(f"({kind}.md)" in text for kind in KINDS)
    for notice, hearers in routes.HEARS.items():
        if hearers:
            (line,) = [
                line for line in text.splitlines() if re.search(rf"\| .*\b{notice.__name__}\b.* \|", line)
            ][:1]
            assert all(f"({kind_of(hearer)}.md)" in line for hearer in hearers)


def test_what_a_machine_emits_is_read_from_its_code():
    assert set(notices_of(Fault)) == {BecameFaulted, FaultsEnded}
    assert set(effects_of(Registration)) == {Call, LearnTime, StartTimer, StopTimer}


def test_a_machine_that_asks_of_what_kind_a_message_is_does_not_tell_it():
    """The current on offer follows what transactions and the clock do; it ends no transaction and sets no clock."""
    assert set(notices_of(CurrentOffer)) == {LimitsChanged, OfferBegan, OfferEnded, PhasesWanted}
    assert not notices_of(TransferReport)


def test_an_action_emits_what_it_makes_and_not_what_it_looks_at():
    """A late answer of the Central System is no message of the charge point."""
    settled = ("Forget", "IdTagLearnt", "QueueEmptied", "Settle", "StartSettled")
    assert emitted_by(Delivery, "settle_last") == settled
    assert emitted_by(ChargingProfiles, "find_none") == ("Answer", "ClearChargingProfile.conf")
    assert emitted_by(ChargingProfiles, "refuse") == ("Answer", "SetChargingProfile.conf")


def test_what_machines_emit_in_a_walk_is_what_is_said_of_their_actions(monkeypatch):
    handle, told = Machine.handle, []

    def overheard(machine, message, facts):
        emitted = handle(machine, message, facts)
        told.extend((type(machine), machine.last.action, type(one).__name__) for one in emitted)
        return emitted

    monkeypatch.setattr(Machine, "handle", overheard)
    for seed in range(10):
        World(station_of("lenient"), seed).walk(300)

    assert len(set(told)) > 100
    assert not [one for one in set(told) if one[2] not in emitted_by(*one[:2])]


def test_every_route_is_in_the_overview():
    shown = {(message, hearer) for flow in flows() for message in flow.messages for hearer in flow.hearers}
    routed = {**routes.HEARS, **routes.HARDWARE, **routes.WIRE}
    assert {(message, hearer) for message, hearers in routed.items() for hearer in hearers} <= shown
    assert set(routes.REQUESTS.items()) <= shown


# Files


@pytest.mark.parametrize(
    ("file_format", "ending"),
    [
        *(("mermaid", "mmd"), ("dot", "dot"), ("svg", "svg"), ("png", "png")),
        *(("plantuml", "puml"), ("scxml", "scxml"), ("md", "md")),
    ],
)
def test_a_machine_is_written_to_a_file_named_after_it(file_format, ending, tmp_path):
    written = export(["fault"], file_format, tmp_path / "new" / "folder")
    assert written == [tmp_path / "new" / "folder" / f"fault.{ending}"]
    assert written[0].stat().st_size > 100


def test_all_machines_and_the_overview_are_written_when_none_is_named(tmp_path):
    written = export([], "mermaid", tmp_path)
    assert {path.stem for path in written} == {*routes.KINDS, "overview"}


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("conector", "connector"), ("Transaction", "transaction"), ("status-report", "status_report")],
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong, near, tmp_path):
    with pytest.raises(DiagramError, match=rf"^no machine '{wrong}': did you mean {near}\?$"):
        export([wrong], "mermaid", tmp_path)


def test_a_name_that_is_like_no_other_is_answered_with_all_names(tmp_path):
    with pytest.raises(DiagramError, match=r"^no machine 'xyz': there are connection, .*, overview$"):
        export(["xyz"], "mermaid", tmp_path)


def test_a_wrong_format_is_answered_with_those_that_there_are(tmp_path):
    with pytest.raises(
        DiagramError, match=r"^no format 'pdf': there are mermaid, dot, svg, png, plantuml, scxml, md$"
    ):
        export(["fault"], "pdf", tmp_path)


def test_nothing_is_written_if_one_name_is_wrong(tmp_path):
    with pytest.raises(DiagramError):
        export(["fault", "xyz"], "mermaid", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file_format", ["svg", "png"])
def test_a_missing_pygraphviz_is_one_line_that_says_what_to_do(file_format, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(DiagramError, match=r"^[^\n]*pip install 'statecharge\[diagrams\]'[^\n]*$"):
        export(["fault"], file_format, tmp_path)


def test_text_needs_no_pygraphviz(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    for file_format in ("mermaid", "dot", "plantuml", "scxml", "md"):
        export(["fault"], file_format, tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DiagramError, match=r"^cannot write to .*file: "):
        export(["fault"], "mermaid", tmp_path / "file")


# The pages of the documentation


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    write(folder)
    return folder


@pytest.fixture
def pages(written, tmp_path):
    """A folder of pages that are as they should be."""
    for path in written.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def check(folder):
    return CliRunner().invoke(main, ["--check", "--out", str(folder)])


def test_pages_just_written_are_not_stale(pages):
    assert not stale(pages)
    assert check(pages).exit_code == 0


@pytest.mark.parametrize("name", ["fault.md", "index.md", "connector.svg"])
def test_a_page_that_is_not_what_the_machine_says_is_named(name, pages):
    path = pages / name
    path.write_text(path.read_text() + "x")
    result = check(pages)
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.output.splitlines()] == [str(path)]


def test_a_missing_page_is_named(pages):
    (pages / "reset.md").unlink()
    assert stale(pages) == [pages / "reset.md"]
    assert check(pages).exit_code == 1


def test_a_page_of_a_machine_that_is_no_more_is_named_and_removed(pages):
    (pages / "gone.md").touch()
    assert check(pages).exit_code == 1
    write(pages)
    assert not (pages / "gone.md").exists()


def test_checking_writes_nothing(tmp_path):
    assert check(tmp_path / "nowhere").exit_code == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_picture_drawn_by_another_graphviz_is_not_stale(pages):
    """Only what it was drawn from counts."""
    path = pages / "fault.svg"
    path.write_text(path.read_text().replace("<svg", "<svg data-other='1'", 1))
    assert not stale(pages)
