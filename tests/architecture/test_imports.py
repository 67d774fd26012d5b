"""Who may import whom. The tables below are the architecture.

``engine`` knows ``machines`` and ``drivers``; ``drivers`` knows the vocabulary; ``machines`` is pure and knows nobody.
Within ``machines`` no behaviour knows another: they are composed in three files.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PURE = {
    *("__future__", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "functools"),
    "itertools",
    *("math", "re", "typing", "msgspec", "array"),
}
"""What decides: values and functions of them. No clock, no chance, no input or output."""

ALLOWED = {
    "machines": PURE | {"machines"},
    "drivers": (set(sys.stdlib_module_names) | {"trio", "msgspec", "drivers", "machines"}),
    "engine": set(sys.stdlib_module_names)
    | {"trio", "trio_websocket", "wsproto", "h11", "msgspec", "tomli", "click"}
    | {"engine", "drivers", "machines"},
}
"""What a package may import. Of the standard library not what stands in NEVER."""

BESIDES = {
    "drivers/asyncio_serial.py": {"asyncio", "serial_asyncio", "trio_asyncio"},
    "drivers/gpio.py": {"gpiod"},
    "drivers/modbus/frames.py": {"pymodbus"},
    "drivers/serial_port.py": {"serial"},
    "drivers/strict_toml.py": {"tomli"},
    "engine/installers/rauc.py": {"jeepney"},
    # A machine is a class of the library for whoever asks: tools and tests.
    "machines/chart.py": {"statemachine"},
    "engine/transfers/http.py": {"httpx"},
    "engine/bench.py": {"starlette", "hypercorn"},
    # For the types alone.
    "engine/bench_guard.py": {"starlette"},
    "engine/bench_stimuli.py": {"starlette"},
    "engine/conformance/report_html.py": {"jinja2"},
    "engine/conformance/rigs/bench.py": {"httpx"},
    "engine/conformance/terminal.py": {"rich"},
    "engine/conformance/terrain.py": {"networkx"},
    "engine/conformance/walker.py": {"networkx"},
    # An exploration computes for minutes and waits for nothing: it may use all cores, and runs beside no station.
    "engine/exploration/work.py": {"multiprocessing"},
    # So may what plays cases in virtual time.
    "engine/dossier/evidence.py": {"multiprocessing"},
    "engine/dossier/build.py": {"reportlab"},
    "engine/dossier/drawn.py": {"reportlab"},
    "engine/dossier/paper.py": {"reportlab"},
    "engine/dossier/recorder.py": {"pytest"},
    "engine/progress.py": {"rich"},
    "engine/mutation/suites.py": {"pytest", "hypothesis"},
    "engine/pytest_plugin.py": {"pytest"},
    "engine/diagrams/mermaid.py": {"statemachine"},
    "engine/diagrams/render.py": {"pygraphviz"},
}
"""What single files may import too."""

NEVER = {
    "machines": {"asyncio", "threading", "time", "random", "secrets", "os", "socket", "logging"},
    "drivers": {"asyncio", "threading", "time", "random", "secrets"},
    "engine": {"asyncio", "threading", "multiprocessing", "concurrent"},
}
"""Trio waits, and its clock is the only one; what decides has no clock at all."""

LAZY = {
    "httpx",
    "hypercorn",
    "hypothesis",
    "jeepney",
    "jinja2",
    "networkx",
    "pygraphviz",
    "rich",
    "starlette",
}
"""Of the extras: imported by functions, never when a module is loaded."""

OF_DRIVERS = {"pymodbus", "serial", "gpiod", "serial_asyncio", "trio_asyncio"}
"""Of the extras: imported by the modules of declared drivers, which nobody else imports."""

COMPOSED = {
    "machines.routes",
    "machines.charge_point",
    "machines.addressing",
    "machines.keeping",
    "machines.survey",
    "machines.view",
}
"""The only modules that know several machines, beside what explores the composition (machines/model/)."""

KNOWN_TO_ALL = {
    *("machines.facts", "machines.machine", "machines.resumed"),
    *("machines.admission", "machines.measurands", "machines.places"),
    *(
        f"machines.smart_charging.{module}"
        for module in ("answers", "moment", "prepare", "profiles", "schedule", "sharing", "site")
    ),
}
"""What every machine is built on, and rules that several of them share: no machine among it."""

EDGES = {
    ("machines.transaction", "machines.fault"): {"SAFETY"},
    ("machines.metering", "machines.transaction"): {"START_TICKET", "STOP_TICKET"},
}
"""Rules and constants, no machines, that a module takes from a single other one."""

# Reading imports


def modules(package: str) -> list[tuple[str, Path]]:
    paths = sorted((ROOT / package).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [(name.removesuffix(".__init__"), path) for name, path in zip(names, paths, strict=True)]


def of_each(found: list[tuple[str, Path]]) -> pytest.MarkDecorator:
    """A test for each module of ``found``."""
    return pytest.mark.parametrize(("name", "path"), found, ids=[name for name, _ in found])


def imported(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Modules that ``path`` imports anywhere, and the names it takes from each."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module
            for alias in node.names:
                inner = ROOT / Path(*node.module.split("."), alias.name)
                if inner.is_dir() or inner.with_suffix(".py").exists():
                    yield f"{node.module}.{alias.name}", set()
                else:
                    yield node.module, {alias.name}


def top(name: str) -> str:
    return name.partition(".")[0]


every_module = of_each([found for package in ALLOWED for found in modules(package)])


@every_module
def test_a_module_imports_only_what_its_package_may(name, path):
    besides = BESIDES.get(path.relative_to(ROOT).as_posix(), set())
    foreign = {top(found) for found, _ in imported(path)} - ALLOWED[top(name)] - besides
    assert not foreign


@every_module
def test_a_module_imports_nothing_that_is_banned(name, path):
    besides = BESIDES.get(path.relative_to(ROOT).as_posix(), set())
    assert not {top(found) for found, _ in imported(path)} & NEVER[top(name)] - besides


@every_module
def test_an_extra_is_imported_by_functions_only(name, path):
    """What stands under ``if TYPE_CHECKING`` is not imported at all."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.Import):
            assert not {top(alias.name) for alias in node.names} & LAZY
        elif isinstance(node, ast.ImportFrom):
            assert top(node.module or "") not in LAZY


# Between the packages


def in_machines(name: str) -> bool:
    return top(name) == "machines"


def in_vocabulary(name: str) -> bool:
    return name.startswith("machines.vocabulary")


@of_each(modules("drivers"))
def test_a_driver_knows_the_vocabulary_of_hardware_and_no_word_of_ocpp(name, path):
    known = {found for found, _ in imported(path) if in_machines(found)}
    assert all(in_vocabulary(found) and not found.startswith("machines.vocabulary.ocpp") for found in known)


@of_each(modules("engine/ocpp"))
def test_the_protocol_knows_the_vocabulary_and_no_machine(name, path):
    assert all(in_vocabulary(found) for found, _ in imported(path) if in_machines(found))
    assert not [found for found, _ in imported(path) if top(found) == "drivers"]


# Within machines

MACHINES = modules("machines")


@of_each(MACHINES)
def test_the_vocabulary_knows_only_the_base_of_machines(name, path):
    if in_vocabulary(name):
        for found, _ in imported(path):
            assert not in_machines(found) or in_vocabulary(found) or found == "machines.machine", found


@of_each(MACHINES)
def test_a_machine_knows_no_other(name, path):
    """Beside the vocabulary and the base: named constants and rules of one other module, and nothing more."""
    if in_vocabulary(name) or name in COMPOSED or name.startswith("machines.model"):
        return
    for found, names in imported(path):
        if not in_machines(found) or in_vocabulary(found) or found in KNOWN_TO_ALL:
            continue
        assert names, f"{found} as a whole"
        assert names <= EDGES.get((name, found), set()), found


def test_no_edge_is_listed_that_nobody_uses():
    used: dict[tuple[str, str], set[str]] = {}
    for name, path in MACHINES:
        for found, names in imported(path):
            used.setdefault((name, found), set()).update(names)
    assert {edge: used.get(edge) for edge in EDGES} == EDGES


def test_no_file_is_listed_that_does_not_need_it():
    for file, besides in BESIDES.items():
        assert besides <= {top(found) for found, _ in imported(ROOT / file)}, file


# When it is loaded


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that are loaded after ``statement`` in a new interpreter."""
    code = f"{statement}\nimport sys\nprint(*sorted(set(name.partition('.')[0] for name in sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module", ["engine.cli", "engine.diagrams", "engine.bench", "engine.run", "engine.conformance.terminal"]
)
def test_loading_it_loads_no_extra(module):
    assert not loaded_by(f"import {module}") & (LAZY | OF_DRIVERS)


@pytest.mark.parametrize("module", ["machines.charge_point", "machines.routes"])
def test_the_machines_load_neither_engine_nor_trio(module):
    assert not loaded_by(f"import {module}") & {"engine", "drivers", "trio", "pygraphviz"}


def test_the_command_line_is_there_before_the_machines_are_loaded():
    """So that a wrong option is told at once."""
    assert "machines" not in loaded_by("import engine.cli")


def test_a_station_that_runs_needs_no_class_of_the_library():
    """What python-statemachine makes of a machine is for tools and tests (machines/chart.py)."""
    assert "statemachine" not in loaded_by(
        "import engine.cli, engine.process, engine.station_file, engine.run"
    )


# Time


ON_A_DESK = {"engine.conformance", "engine.dossier", "engine.play", "engine.schedule"}
"""What no wallbox runs."""


@of_each(
    [
        (name, path)
        for name, path in [*modules("machines"), *modules("drivers"), *modules("engine")]
        if ".".join(name.split(".")[:2]) not in ON_A_DESK
    ]
)
def test_no_time_of_day_is_asked_of_a_system_that_may_not_know_it(name, path):
    """Where ``time_t`` has 32 bits, as on 32-bit ARM, that ends in 2038: machines/vocabulary/posix.py."""
    asked = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not asked & {"fromtimestamp", "utcfromtimestamp", "gmtime", "localtime", "mktime"}
