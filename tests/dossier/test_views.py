"""Pictures for paper: legible on A4, focused where a machine grew, and marked where a station stands."""

import pytest

from engine.conformance.cases import CASES
from engine.conformance.selection import select
from engine.diagrams import overview
from engine.diagrams.dot import HERE, dot
from engine.diagrams.picture import condensed, focused, picture, standing
from engine.diagrams.render import render
from engine.dossier.drawn import Drawing
from engine.dossier.errors import DossierError
from engine.dossier.evidence import play_all
from engine.dossier.sheet import best_fit
from engine.dossier.standing import Standing, read_standing
from engine.dossier.views import LEGIBLE_PT, VIEWS, drawn, printed_size
from engine.store import Store
from machines import routes
from machines.machine import rows
from tests.lab import Lab

MESSAGE_PT = 11
"""Size of a message in the overview."""
OVERVIEW_PT = 4.5
"""The least that it may have on paper: there is more of it than of any machine."""
LARGE = ("connector", "transaction", "firmware_update")


@pytest.fixture(scope="module")
def runs():
    cases = ",".join(case for view in VIEWS for case in view.cases[:2])
    return play_all("full", select(CASES, cases), 1)


@pytest.mark.parametrize("kind", routes.KINDS)
def test_every_picture_can_be_read_on_a4(kind, runs):
    for each in drawn(kind, routes.KINDS[kind], runs, Standing()):
        assert printed_size(each.svg) >= LEGIBLE_PT, each.name


def test_who_tells_whom_can_be_read_on_a4():
    drawing = Drawing(render(overview.dot(), "svg").decode())
    assert best_fit(drawing.size)[1] * MESSAGE_PT >= OVERVIEW_PT


@pytest.mark.parametrize("kind", LARGE)
def test_a_machine_that_grew_has_focused_views(kind, runs):
    found = list(drawn(kind, routes.KINDS[kind], runs, Standing()))
    assert found[0].is_condensed
    assert len(found) > 1
    assert all(each.title for each in found[1:])


def test_a_small_machine_has_one_picture_with_everything_beside_the_ways(runs):
    (only,) = drawn("heartbeat", routes.KINDS["heartbeat"], runs, Standing())
    assert not only.is_condensed


def test_the_messages_and_cases_of_views_are_there():
    messages = {message.__name__ for machine in routes.KINDS.values() for message in machine.messages}
    ids = {case.id for case in CASES}
    for view in VIEWS:
        assert set(view.messages) <= messages
        assert set(view.cases) <= ids


def test_a_view_has_what_was_taken_and_nothing_else():
    table = rows(routes.KINDS["connector"])
    numbers = {number for number, row in enumerate(table, start=1) if row.target == "Charging"}
    shown = focused(picture("connector", routes.KINDS["connector"]), numbers, "to charging")
    assert {move.target for move in shown.moves} == {"Charging"}
    drawn_numbers = {line.number for move in shown.moves for line in move.lines}
    assert drawn_numbers == {n for n in numbers if table[n - 1].source != "Charging"}
    assert "Finishing" not in {box.value for box in shown.boxes}
    assert '"Finishing"' not in dot(shown)


def test_a_condensed_picture_has_every_way_and_the_number_of_every_transition():
    whole = picture("transaction", routes.KINDS["transaction"])
    small = condensed(whole)
    assert [(m.source, m.target) for m in small.moves] == [(m.source, m.target) for m in whole.moves]
    for before, after in zip(whole.moves, small.moves, strict=True):
        numbers = [number for line in after.lines for number in (line.number, *line.others)]
        assert sorted(numbers) == [line.number for line in before.lines]


# Where a station stands


def test_the_state_that_a_machine_is_in_is_marked():
    shown = standing(picture("connector", routes.KINDS["connector"]), {"Charging": ("connector 1",)})
    text = dot(shown)
    marked = [line for line in text.splitlines() if HERE in line]
    assert len(marked) == 1
    assert marked[0].startswith('  "Charging"')
    assert "connector 1" in marked[0]


@pytest.mark.parametrize("name", ["BOX", "WALL%2FBOX"])
async def test_a_station_without_power_tells_what_it_remembers(tmp_path, autojump_clock, name):
    directory = tmp_path / name  # as an identity with a slash has it
    lab = Lab(directory, "full")
    async with lab.powered():
        lab.connector().plug_in()
        lab.swipe("CARD", (1,))
        await lab.until_status("Charging")
        assert read_standing(directory).of("transaction") == {}  # it runs, and its database is its own
    assert read_standing(directory).of("transaction") == {"running": ["connector 1"]}


def test_a_folder_without_a_station_is_refused_in_one_line(tmp_path):
    with pytest.raises(
        DossierError, match=r"^[^\n]*: found no station\.sqlite3; allowed is the state directory"
    ):
        read_standing(tmp_path)


def test_reading_a_station_changes_nothing(tmp_path):
    Store(tmp_path).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    read_standing(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
