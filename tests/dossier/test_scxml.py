"""Machines as SCXML and PlantUML, read back by programs that are not ours."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
from statemachine.io.loader import load
from statemachine.io.scxml.reader import parse_scxml

from engine.diagrams import DiagramError, export, names
from engine.diagrams.files import drawing
from engine.diagrams.picture import picture
from engine.diagrams.scxml import OURS, SCXML, scxml
from machines import routes
from machines.machine import rows

every_kind = pytest.mark.parametrize("kind", routes.KINDS)


def text_of(kind):
    return scxml(kind, routes.KINDS[kind])


def condition(row):
    return (
        " && ".join(f"{name} == {'true' if expected else 'false'}" for name, expected in row.guards) or None
    )


@every_kind
def test_python_statemachine_reads_the_same_states_and_transitions(kind):
    """Its own reader, which shares nothing with how our machines are declared."""
    read = parse_scxml(text_of(kind))
    machine = routes.KINDS[kind]
    assert list(read.states) == [state.value for state in machine.states]
    assert list(read.initial_states) == [machine.initial_state.value]
    found = [
        (source, each.event, each.cond, each.target)
        for source, state in read.states.items()
        for each in state.transitions
    ]
    assert [(s, e, c, t if isinstance(t, str) else " ".join(t)) for s, e, c, t in found] == [
        (row.source, row.message.__name__, condition(row), row.target) for row in rows(machine)
    ]


@every_kind
def test_python_statemachine_makes_a_machine_of_it(kind):
    machine = load(text_of(kind), format="scxml")
    assert sum(len(state.transitions) for state in machine.states) == len(rows(routes.KINDS[kind]))


@every_kind
def test_qt_reads_the_same_states_and_takes_the_same_transitions(kind, tmp_path):
    """Qt's interpreter, in C++: put in each state, with the guards as a row wants them, it goes where the row goes."""
    core = pytest.importorskip("PySide6.QtCore", reason="PySide6-Addons is not installed")
    qt = pytest.importorskip("PySide6.QtScxml", reason="PySide6-Addons is not installed")
    application = core.QCoreApplication.instance() or core.QCoreApplication([])
    machine = routes.KINDS[kind]
    table = rows(machine)
    text = text_of(kind)
    wrong = []
    for row in table:
        truth = dict(row.guards)
        document = re.sub(r' initial="[^"]*">', f' initial="{row.source}">', text, count=1)
        for name, value in truth.items():
            document = document.replace(
                f'<data id="{name}" expr="false"/>', f'<data id="{name}" expr="{str(value).lower()}"/>'
            )
        file = tmp_path / "machine.scxml"
        file.write_text(document)
        read = qt.QScxmlStateMachine.fromFile(str(file))
        assert [error.toString() for error in read.parseErrors()] == []
        assert sorted(read.stateNames(False)) == sorted(state.value for state in machine.states)
        read.start()
        application.processEvents()
        read.submitEvent(row.message.__name__)
        application.processEvents()
        first = next(
            other
            for other in table
            if (other.source, other.message) == (row.source, row.message)
            and all(truth.get(name, False) is expected for name, expected in other.guards)
        )
        if list(read.activeStateNames()) != [first.target]:
            wrong.append((row, read.activeStateNames()))
    assert wrong == []


@every_kind
def test_what_scxml_has_no_place_for_stands_beside_it(kind):
    root = ET.fromstring(text_of(kind))
    found = [
        (each.get(f"{{{OURS}}}id"), each.get(f"{{{OURS}}}clause"), each.get(f"{{{OURS}}}action", ""))
        for each in root.iter(f"{{{SCXML}}}transition")
    ]
    assert found == [
        (f"{kind}-{number}", row.clause, row.action)
        for number, row in enumerate(rows(routes.KINDS[kind]), start=1)
    ]


def test_the_overview_is_no_state_machine(tmp_path):
    with pytest.raises(DiagramError, match=r"^no format 'scxml' for the overview"):
        export(["overview"], "scxml", tmp_path)
    assert {path.stem for path in export([], "scxml", tmp_path)} == set(routes.KINDS)


@pytest.mark.parametrize("name", names())
def test_plantuml_is_written_of_every_picture(name):
    text = drawing(name, "plantuml").decode()
    assert text.startswith("@startuml\n")
    assert text.endswith("@enduml\n")
    if name in routes.KINDS:
        moves = picture(name, routes.KINDS[name]).moves
        assert len(re.findall(r"^\w+ -\[", text, re.MULTILINE)) == len(moves)


def test_plantuml_reads_all_of_them():
    program = shutil.which("plantuml")
    if program is None:
        pytest.skip("plantuml (a Debian package) is not installed")
    text = b"".join(drawing(name, "plantuml") for name in names())
    done = subprocess.run([program, "-syntax"], input=text, capture_output=True, timeout=120, check=False)
    kinds = re.findall(r"^(STATE|DESCRIPTION|ERROR)$", done.stdout.decode(), re.MULTILINE)
    assert kinds == ["STATE"] * len(routes.KINDS) + ["DESCRIPTION"]
