"""All tours, on the real engine in virtual time."""

import itertools
import sys

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from drivers.simulated import SimulatedConnector
from engine.cli import command
from engine.conformance.grounds import GROUNDS
from engine.conformance.in_memory import UnsyncedStore, play_all
from engine.conformance.script import Asks, Call, Expects, Script, Wait, decode, encode
from engine.conformance.tours import Planner
from engine.conformance.transitions import Catalogue, Tally, summary
from engine.conformance.unshown import ENTRIES
from engine.conformance.walker import STEPS_MAX
from engine.station_file import load
from machines.model import explained
from machines.vocabulary.effects import Settle

FEW = [ground for ground in GROUNDS if ground.name in ("sessions", "delivery")]


@pytest.fixture(scope="module")
def few():
    """The tours of a few grounds, planned with little effort."""
    planner = Planner(Catalogue(), effort=120)
    return [script for ground in FEW for script in planner.plan(ground)]


def test_the_engine_does_what_every_tour_says(scripts, planner, capsys):
    tally = Tally(planner.catalogue)
    deviations = [played.deviation for played in play_all(scripts, tally) if played.deviation]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(scripts)} tours, {sum(len(script.steps) for script in scripts)} steps\n"
            f"  the model shows {summary(planner.catalogue, planner.covered)}\n"
            f"  the engine shows {summary(planner.catalogue, tally.items)}\n"
        )
    assert not deviations, "\n".join(deviations)
    # What comes at the very moment of a restart may be taken by one of the two and not by the other.
    lost = {item for item in planner.covered - tally.items if not planner.catalogue.is_pair(item)}
    assert len(lost) <= 3, [planner.catalogue.name(item) for item in sorted(lost)]


def test_the_tours_show_everything_that_is_known_to_be_reachable(scripts, planner):
    assert scripts
    vain = planner.reachable - planner.covered
    assert len(vain) <= len(planner.reachable) // 100, [planner.catalogue.name(item) for item in sorted(vain)]


def test_no_reason_is_about_what_a_tour_shows(scripts, planner):
    """But for a reason of several rows, some of which a tour may show."""
    assert scripts
    shown = {
        planner.catalogue.transitions[item] for item in planner.covered if not planner.catalogue.is_pair(item)
    }
    whole = [entry for entry in ENTRIES if entry.message and set(explained.rows_of([entry])) <= shown]
    assert not whole
    never = {kind for kind, _ in set(explained.reasons(load("full").settings.connectors)) & shown}
    # No shipped station declares a key that needs a restart; that of a ground does.
    assert never <= {"configuration"}


def test_without_networkx_the_command_says_what_to_install_and_nothing_else(tmp_path, monkeypatch):
    """It said of every ground that it is not for this station."""
    monkeypatch.setitem(sys.modules, "networkx", None)
    run = CliRunner().invoke(command, ["tours", "full", "--out", str(tmp_path)])

    assert run.exit_code == 2
    assert run.output == "statecharge: tours need networkx: install statecharge[tours]\n"


def test_tours_can_be_read(scripts):
    for script in scripts:
        assert decode(encode(script)) == script
    long = [script.header.script for script in scripts if len(script.steps) > 2 * STEPS_MAX]
    assert not long


def test_a_restart_and_a_connection_may_take_their_time(scripts):
    """How long they take is an affair of the station, and no tour goes on without them."""
    steps = [step for script in scripts for step in script.steps]
    restarts = [
        following
        for step, following in itertools.pairwise(steps)
        if isinstance(step, Asks) and step.request == "Reset" and isinstance(following, Expects)
    ]
    boots = [step for step in restarts if Call("BootNotification") in step.expect]
    assert boots
    assert {step.within_s for step in boots} == {90}
    # A connection of which nothing comes, in the tours of a ground that surely has one.
    (ground,) = [ground for ground in GROUNDS if ground.name == "data-transfer"]
    tours = Planner(Catalogue(), effort=60).plan(ground)
    assert any(isinstance(step, Wait) and step.connected for tour in tours for step in tour.steps)


def test_no_two_tours_have_the_same_name(scripts):
    names = [script.header.script for script in scripts]
    assert len(set(names)) == len(names)


def test_the_same_seed_gives_the_same_tours(few):
    planner = Planner(Catalogue(), effort=120)
    assert [script for ground in FEW for script in planner.plan(ground)] == few


def test_another_seed_gives_other_tours_that_the_engine_follows_as_well(few):
    planner = Planner(Catalogue(), effort=120, seed=7)
    others = list(planner.plan(FEW[0]))
    assert others != few[: len(others)]
    assert not [played.deviation for played in play_all(others, Tally(planner.catalogue)) if played.deviation]


# What is not so is found


def deviations(scripts, **station):
    return [
        played.deviation for played in play_all(scripts, Tally(Catalogue()), **station) if played.deviation
    ]


def altered(script: Script, **payload) -> Script:
    """``script``, with the last CALL that is expected altered."""
    steps = list(script.steps)
    place = max(index for index, step in enumerate(steps) if isinstance(step, Expects))
    *calls, last = steps[place].expect
    steps[place] = replace(steps[place], expect=(*calls, replace(last, payload=last.payload | payload)))
    return replace(script, steps=tuple(steps))


def test_a_station_that_does_other_than_expected_is_found(few):
    (deviation,) = deviations([altered(few[0], connectorId=2)])
    assert deviation.startswith("sessions-01, step ")
    assert " came; expected is " in deviation.splitlines()[0]


def test_a_call_too_many_is_found(few):
    steps = list(few[0].steps)
    place = max(index for index, step in enumerate(steps) if isinstance(step, Expects))
    steps[place] = replace(steps[place], expect=steps[place].expect[:-1])
    assert len(deviations([replace(few[0], steps=tuple(steps))])) == 1


class ForgetfulStore(UnsyncedStore):
    """Loses what the Central System calls a transaction."""

    def write(self, batch):
        written = [effect for effect in batch.effects if not isinstance(effect, Settle)]
        super().write(replace(batch, effects=written))


def test_a_store_that_loses_transaction_ids_is_found(few):
    found = deviations(few[:5], store_type=ForgetfulStore)
    assert any("StopTransaction" in deviation for deviation in found)


class DullConnector(SimulatedConnector):
    """Its vehicle never has enough."""

    def pause(self):
        self.resume_due = True

    def resume(self):
        assert self.resume_due


def test_a_vehicle_that_does_other_than_it_should_is_found(few, monkeypatch):
    monkeypatch.setattr("drivers.simulated.SimulatedConnector", DullConnector)
    assert any("SuspendedEV" in deviation for deviation in deviations(few))
