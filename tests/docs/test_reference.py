"""The reference leaves nothing out, and says what the code says."""

import re
from typing import ClassVar

import click
import pytest

from drivers.map_files import SHIPPED, load_map
from drivers.simulated import SimulatedConnector
from engine import bench
from engine.cli import command
from engine.conformance.stimuli import KINDS, kind_name
from engine.declaration.schema import CONNECTOR_DRIVERS, ENTRIES, READER_DRIVERS, Kind, whole
from engine.play import stage
from engine.station_file import load
from engine.virtual_station import VirtualStation
from machines.vocabulary.keys import Keys, attribute_of
from machines.vocabulary.ocpp import ACTIONS
from statecharge_docs.reference import TEXTS, declaration, exit_codes, filled, messages
from tests.peers.processes import ROOT

PAGES = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def texts():
    """Every reference, by name."""
    return {name: write() for name, write in TEXTS.items()}


def rows(text, section=""):
    """The cells of every table in a section of ``text``."""
    part = text.partition(f"## {section}\n")[2].partition("\n## ")[0] if section else text
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in part.splitlines()
        if line[:1] == "|"
    ]


def test_each_reference_has_a_page():
    placed = re.findall(
        r"^```\{reference\} (.*)$", "\n".join(page.read_text() for page in PAGES.glob("*.md")), re.MULTILINE
    )
    assert sorted(placed) == sorted(TEXTS)


def test_a_page_has_the_text_in_its_place():
    page = filled("# Exit codes\n\nBefore.\n\n```{reference} exit-codes\n```\n\nAfter.\n")

    assert page.startswith("# Exit codes\n\nBefore.\n\n| Code |")
    assert page.endswith("\nAfter.\n")


def test_every_key_is_there_once(texts):
    named = re.findall(r"\{#key-(\w+)\}", texts["keys"])

    assert {attribute_of(name) for name in re.findall(r"\[`(\w+)`\]\{#key-", texts["keys"])} == set(
        Keys.__struct_fields__
    )
    assert len(named) == len(set(named))


@pytest.mark.parametrize("station", ["ac-smart", "full"])
def test_the_keys_of_a_station_are_those_that_it_declares_with_their_values(station, texts):
    head, _, *body = rows(texts["keys"], f"The keys of `{station}`")
    loaded = load(station)

    assert [row[0] for row in body] == [f"`{rule.name}`" for rule in loaded.keys.rules]
    assert (
        dict(zip(head, body[[row[0] for row in body].index("`ConnectionTimeOut`")], strict=True))["Value"]
        == "`60`"
    )


def test_every_message_is_there_with_the_machine_that_serves_it(texts):
    found = {re.findall(r"\w+", row[0])[0]: row[2] for row in rows(texts["messages"])[2 : 2 + len(ACTIONS)]}

    assert list(found) == list(ACTIONS)
    assert found["ReserveNow"] == "[reservation](../machines/reservation.md)"
    assert found["StopTransaction"] == "[delivery](../machines/delivery.md)"
    assert all(found.values())


def test_a_message_shows_what_is_required_and_its_bounds():
    told = messages.told(ACTIONS["ReserveNow"])

    assert "| `expiryDate` | time | yes |" in told
    assert "| `idTag` | text, 0..20 characters | yes |" in told
    assert "| `parentIdTag` | text, 0..20 characters |  |" in told
    assert "| `status` | [ReservationStatus](#type-reservationstatus) | yes |" in told


def test_every_entry_of_a_station_file_is_there(texts):
    for entry in ENTRIES:
        name = declaration.table_of(entry)
        if entry.kind is not Kind.TABLES:
            shown = [row[0] for row in rows(texts["declaration"], f"`[{name}]`")]
            assert any(entry.path.endswith(cell.strip("`")) for cell in shown[2:]), entry.path


@pytest.mark.parametrize(("head", "drivers"), [("connector", CONNECTOR_DRIVERS), ("reader", READER_DRIVERS)])
def test_every_parameter_of_a_driver_is_there(head, drivers, texts):
    part = texts["declaration"].partition(f"## Parameters of {head} drivers\n")[2].partition("\n## ")[0]
    for driver, entries in drivers.items():
        told = part.partition(f"### `{driver}`\n")[2].partition("\n### ")[0]
        assert [row[0].strip("`") for row in rows(told)[2:]] == [entry.path for entry in entries]


def test_what_is_said_of_tables_is_said_of_tables_that_there_are():
    assert {declaration.table_of(entry) for entry in ENTRIES} >= declaration.TABLES.keys()


def test_an_entry_is_told_with_its_bounds_its_default_and_what_the_shipped_files_say_of_it(texts):
    assert [
        "`call_timeout_s`",
        "a number, 1..600",
        "`30`",
        "Wait for the answer to a message of ours",
    ] in rows(texts["declaration"], "`[limits]`")


def test_an_entry_that_must_be_stated_says_so():
    (row,) = rows(declaration.rows((whole("limits.novel", 1, 9),), {}, {}, "limits"))[2:]

    assert row == ["`novel`", "a whole number, 1..9", "must be stated"]


def test_every_command_is_there_with_every_option(texts):
    context = click.Context(command)
    for name in command.list_commands(context):
        _, there, after = texts["command-line"].partition(f"## statecharge {name}\n")
        assert there
        shown = " ".join(row[0] for row in rows(after.partition("\n## ")[0]))
        for parameter in command.get_command(context, name).params:
            if isinstance(parameter, click.Option):
                assert all(option in shown for option in parameter.opts), (name, parameter.opts)


def test_commands_that_end_with_1_are_told_of():
    said = dict(exit_codes.by_command())

    assert said["schedule"] == "Ends with 1 if a profile is refused; the others count."
    assert {"conformance", "demo", "devices", "play", "run"} <= said.keys()
    assert said["dossier"].endswith("with --verify it is 1 if something does not match.")


class _Nobody:
    """A station for a bench that is only looked at."""

    connectors: ClassVar[dict[int, SimulatedConnector]] = {}


def test_the_bench_serves_the_paths_that_are_told_of_and_no_others(texts):
    application, _ = bench._application(_Nobody())
    served = {
        f"`{method} {route.path}`" for route in application.routes for method in route.methods - {"HEAD"}
    }

    assert {row[0] for row in rows(texts["bench"].partition("\n## ")[0])[2:]} == served


def test_every_stimulus_and_every_shipped_script_is_there(texts):
    shown = {row[0] for row in rows(texts["scripts"])}

    assert {f"`{kind_name(kind)}`" for kind in KINDS} <= shown
    assert {f"`{name}`" for name in stage.shipped()} <= shown


def test_every_method_of_the_fixture_is_there(texts):
    public = {name for name in vars(VirtualStation) if not name.startswith("_")}
    shown = {re.match(r"`?(\w*)", row[0])[1] for row in rows(texts["fixture"])}

    assert public <= shown


def test_every_shipped_register_map_is_there(texts):
    shipped = [load_map(file) for file in SHIPPED.glob("*.toml")]

    assert shipped
    for device in shipped:
        told = texts["devices"].partition(f"\n### `{device.id}`\n")[2].partition("\n#")[0]
        assert device.name in told
        assert all(f"`{name}`" in told for name in (*device.values, *device.actions))
        assert all(source in told for source in device.sources)


def test_a_controller_without_a_watchdog_is_told_so(texts):
    without = re.findall(r"### `([\w-]+)`(?:(?!###)[^#])*- Watchdog: none", texts["devices"])

    assert without == ["phoenix-ev-cc-basic"]
