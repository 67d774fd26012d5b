"""The rigs of the conformance command: a bench over HTTP, a program, a person."""

import json
import os
import sys

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from engine import bench
from engine.conformance.rig import CannotError, RigError
from engine.conformance.rigs import rig_of
from engine.conformance.rigs.bench import open_bench, request_of
from engine.conformance.rigs.command import arguments_of, open_command
from engine.conformance.rigs.prompt import PromptRig, _Typed, sentence
from engine.conformance.stimuli import (
    KINDS,
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PlugIn,
    PressStop,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Swipe,
    Unplug,
)
from engine.id_tags import IdTagNames
from engine.process import StationProcess
from machines.vocabulary.ocpp import ChargePointErrorCode
from tests.lab import Lab

HOT = ChargePointErrorCode.HIGH_TEMPERATURE
ONE_OF_EACH = (
    PlugIn(1),
    Unplug(1, "vehicle"),
    Pause(1),
    Resume(1),
    Swipe("CARD", 1),
    Swipe("CARD"),
    PressStop(1),
    RaiseFault(HOT, 0),
    ClearFault(HOT, 0),
    JamLock(1),
    FreeLock(1),
    FailPilot(1),
    RepairPilot(1),
    SilenceMeter(silent=True),
    FailPower(1),
    CutPower(5),
    CutLink(),
    RestoreLink(),
    SendData("org.example", "Ping"),
)


def test_there_is_one_of_each():
    assert {type(each) for each in ONE_OF_EACH} == set(KINDS)


# Which rig


@pytest.mark.parametrize(
    "text", ["", "bench", "bench:", "bench:nowhere", "bench:ftp://x", "command:", "prompt:x", "x"]
)
def test_what_names_no_rig_is_told_in_a_line(text):
    with pytest.raises(RigError) as raised:
        rig_of(text)
    assert "must be" in str(raised.value)


# The bench


@pytest.fixture
async def process(tmp_path, nursery):
    """A station that is not run, on a bench."""
    lab = Lab(tmp_path, "full")
    store = lab.store_type(tmp_path)
    yield StationProcess(lab.station, lab.devices, store)
    store.close()


@pytest.fixture
async def at_the_bench(process, nursery):
    url = await nursery.start(bench.serve, process, "127.0.0.1", 0)
    async with open_bench(url) as rig:
        yield rig


async def test_the_bench_does_what_it_is_told(at_the_bench, process):
    await at_the_bench.do(PlugIn(1))
    await at_the_bench.do(RaiseFault(HOT, 1, "hot"))
    state = process.connectors[1].state()
    assert (state.plugged, list(state.faults.values())) == (True, ["hot"])


async def test_the_bench_shows_what_only_the_hardware_knows(at_the_bench, process):
    seen = [
        await at_the_bench.is_locked(1),
        await at_the_bench.is_locked(2),
        await at_the_bench.has_energy(1),
    ]
    assert seen == [False, None, False]
    assert await at_the_bench.register_wh(1) == process.connectors[1].register_wh


async def test_what_the_bench_refuses_is_an_error(at_the_bench):
    with pytest.raises(RigError, match="nothing is plugged in"):
        await at_the_bench.do(Unplug(1))


async def test_a_connector_that_the_bench_does_not_have_cannot_be_moved(at_the_bench):
    with pytest.raises(CannotError, match="connector 9"):
        await at_the_bench.do(PlugIn(9))


async def refusal(rig, stimulus):
    """Why ``stimulus`` is not given; None if it is."""
    try:
        await rig.do(stimulus)
    except RigError as error:
        return error
    return None


async def test_the_bench_knows_every_stimulus(at_the_bench):
    """What does not fit the state of the hardware is refused, which is no ignorance."""
    refusals = [await refusal(at_the_bench, stimulus) for stimulus in ONE_OF_EACH]
    assert not [why for why in refusals if isinstance(why, CannotError) or "must be" in str(why)]


def test_a_card_for_any_connector_names_none():
    assert request_of(Swipe("CARD")) == ("/swipe", {"idTag": "CARD"})


async def test_a_bench_that_is_away_is_waited_for(process, nursery):
    async with trio.open_nursery() as first:
        url = await first.start(bench.serve, process, "127.0.0.1", 0)
        first.cancel_scope.cancel()
    done = trio.Event()

    async def plug_in():
        async with open_bench(url) as rig:
            await rig.do(PlugIn(1))
        done.set()

    nursery.start_soon(plug_in)
    await wait_all_tasks_blocked()
    await nursery.start(bench.serve, process, "127.0.0.1", int(url.rpartition(":")[2]))
    await done.wait()
    assert process.connectors[1].state().plugged


# A program

PROGRAM = """
import json, sys
words = sys.argv[1:]
if words == ["capabilities"]:
    print("plug-in swipe\\nunplug is-locked register pause")
    sys.exit()
with open({seen!r}, "a") as file:
    file.write(json.dumps([words, sys.stdin.read()]) + "\\n")
match words[0]:
    case "is-locked": print({{"1": "yes", "2": "no", "3": "", "4": "perhaps"}}[words[2]])
    case "register": print({{"1": "1234.5", "2": "nan", "3": "inf", "4": "12 Wh", "5": ""}}[words[2]])
    case "unplug": sys.exit("it is\\nstuck")
    case "pause": sys.exit(3)
"""


@pytest.fixture
def program(tmp_path):
    """A program that writes down what it is told."""
    file = tmp_path / "my rig.py"
    file.write_text(PROGRAM.format(seen=str(tmp_path / "seen")))
    return f"{sys.executable} -I '{file}'"


@pytest.fixture
async def by_command(program):
    async with open_command(program) as rig:
        yield rig


async def test_a_program_is_told_in_arguments_and_on_stdin(by_command, tmp_path):
    await by_command.do(Swipe("CARD 1", 2))
    words, given = json.loads((tmp_path / "seen").read_text())
    assert words == ["swipe", "--id-tag", "CARD 1", "--connector", "2"]
    assert json.loads(given) == {"do": "swipe", "idTag": "CARD 1", "connector": 2}


async def test_a_program_can_what_it_names(by_command):
    assert {kind for kind in KINDS if by_command.can(kind)} == {PlugIn, Swipe, Unplug, Pause}


async def test_a_program_that_fails_says_why_in_its_last_line(by_command):
    with pytest.raises(RigError, match=r"unplug: exit code 1: stuck$"):
        await by_command.do(Unplug(1))


@pytest.mark.parametrize("stimulus", [Pause(1), CutLink()], ids=["exit code 3", "not named"])
async def test_a_program_may_be_unable(by_command, stimulus):
    with pytest.raises(CannotError):
        await by_command.do(stimulus)


async def test_a_program_looks(by_command):
    assert [await by_command.is_locked(number) for number in (1, 2, 3)] == [True, False, None]
    assert (await by_command.register_wh(1), await by_command.has_energy(1)) == (1234.5, None)


async def test_an_answer_that_is_none_is_an_error(by_command):
    with pytest.raises(RigError, match="'perhaps': must be yes, no or nothing"):
        await by_command.is_locked(4)


@pytest.mark.parametrize("connector", [2, 3, 4])
async def test_a_register_that_is_no_number_is_an_error(by_command, connector):
    """What is not a number differs from nothing, so it would pass whatever a station tells."""
    with pytest.raises(RigError, match="must be a number of Wh, or nothing"):
        await by_command.register_wh(connector)
    assert await by_command.register_wh(5) is None


@pytest.mark.parametrize("command", ["/nowhere/rig.sh", "''", "'open", "echo juggle"])
async def test_what_is_no_rig_is_told_in_a_line(command):
    with pytest.raises(RigError) as raised:
        async with open_command(command):
            pass
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("stimulus", ONE_OF_EACH, ids=lambda each: type(each).__name__)
def test_arguments_are_pairs_after_the_name(stimulus):
    _, *pairs = arguments_of(stimulus)
    assert all(word.startswith("--") for word in pairs[::2])
    assert len(pairs) % 2 == 0


def test_a_text_is_an_argument_as_it_is():
    data = '{"a": "b\\n"}'
    assert arguments_of(SendData("org.example", "Ping", data))[-2:] == ["--data", data]
    assert arguments_of(RaiseFault(HOT, 1, 'too "hot"')) == [
        *("fault", "--error-code", "HighTemperature", "--connector", "1", "--info", 'too "hot"')
    ]


# A person


class Person:
    """Answers what is prepared, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def line(self):
        await trio.lowlevel.checkpoint()
        return self.answers.pop(0) if self.answers else None

    @property
    def rig(self):
        return PromptRig(self.line, self.asked.append)


async def test_enter_is_done():
    person = Person("\n")
    await person.rig.do(PlugIn(2))
    assert person.asked[0].startswith("Plug in the cable at connector 2")


async def test_a_person_is_told_what_a_card_is_called_and_what_is_on_it():
    names = IdTagNames({"CARD": "04A1B2C3D4"})
    assert sentence(Swipe("04A1B2C3D4"), names) == "Show the card CARD (04A1B2C3D4)"
    assert sentence(Swipe("04A1B2C3D4", 2), names) == "Show the card CARD (04A1B2C3D4) for connector 2"
    assert sentence(Swipe("OTHER", 2), names) == "Show the card OTHER for connector 2"


async def test_what_a_person_cannot_do_is_not_asked_again():
    rig = Person("s").rig
    with pytest.raises(CannotError):
        await rig.do(JamLock(1))
    assert (rig.can(JamLock), rig.can(FreeLock)) == (False, True)


async def test_what_goes_wrong_is_said():
    with pytest.raises(RigError, match="the plug is bent"):
        await Person("the plug is bent").rig.do(PlugIn(1))


async def test_nobody_is_there():
    with pytest.raises(RigError, match="ended"):
        await Person().rig.do(PlugIn(1))


async def test_a_person_looks_and_is_asked_again_if_need_be():
    rig = Person("maybe", "Y", "no", "", "some", "nan", "12.5", "").rig
    assert [await rig.is_locked(1), await rig.is_locked(1), await rig.has_energy(1)] == [True, False, None]
    assert [await rig.register_wh(1), await rig.register_wh(1)] == [12.5, None]


@pytest.mark.parametrize("stimulus", ONE_OF_EACH, ids=lambda each: type(each).__name__)
def test_there_are_words_for_every_stimulus(stimulus):
    assert len(sentence(stimulus)) > 10


async def test_lines_are_read_from_a_terminal():
    ours, theirs = os.openpty()
    try:
        typed = _Typed(theirs)
        os.write(ours, b"one\ntw")
        assert await typed.line() == "one"
        os.write(ours, b"o\n")
        assert await typed.line() == "two"
    finally:
        os.close(ours)
        os.close(theirs)


async def test_lines_are_read_from_a_file_to_its_end(tmp_path):
    (tmp_path / "answers").write_text("one\n")
    with (tmp_path / "answers").open() as file:
        typed = _Typed(file.fileno())
        assert [await typed.line(), await typed.line()] == ["one", None]
