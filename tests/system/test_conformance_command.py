"""``statecharge conformance`` as a process, against charge points that are processes of their own.

The time of both runs SPEED times as fast. What takes longer is played by ``make conformance``.
"""

import json
import os
import re
import signal
import socket
import sys
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from xml.etree import ElementTree as ET

import httpx
import pytest
import trio
import trustme

from engine.conformance.cases import CASES
from engine.conformance.grounds import GROUNDS
from engine.conformance.results import Journal
from engine.conformance.script import Asks, Wait, encode, read
from engine.conformance.tours import Planner
from engine.conformance.transitions import Catalogue
from tests.peers.drivers import station_command
from tests.peers.processes import ROOT, program

SPEED = 30
FULL = os.environ.get("STATECHARGE_CONFORMANCE") == "full"
"""Every case instead of some."""
TOUR_SPEED = float(os.environ.get("STATECHARGE_SPEED", "6" if FULL else "15"))
"""What is late in real time is that much later for the station, and tours tell times apart."""
JOBS = int(os.environ.get("STATECHARGE_JOBS", "10" if FULL else "1"))
"""Stations that play tours side by side: what they do is mostly waiting."""
TOURS_WITHIN_S = 7200 if FULL else 60
"""Longer than the tours of one station take."""
SOME = "003,012-tethered,014,032_2,041-OverVoltage,046_2,048_4"

RESULT = re.compile(r" *(\d+)/(\d+) ")
"""A line about a case that was played."""
RIG = f"command:{sys.executable} -I tests/peers/small_rig.py"
SMALL = "003,004_2,005_2,011_2*,012,021,028,040_1"
"""What the planted faults are about, and as much that they are not about."""


def free_port():
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Command:
    """The conformance command.

    Args:
        running: The process.
        out: Where its reports are.
    """

    def __init__(self, running, out):
        self.program = running
        self._out = out

    async def until_results(self, count=None):
        """Wait until so many cases have been played; all of them if it is None."""
        number, done = -1, 0
        while done != count:
            number = await self.program.out.until(lambda line: RESULT.match(line) is not None, number + 1)
            done, total = map(int, RESULT.match(self.program.out.all[number]).groups())
            count = count or total

    async def ended(self):
        """Wait for every verdict and for the end; return the exit code."""
        await self.until_results()
        code = await self.program.ended()
        assert "Traceback" not in "\n".join(self.program.err.all), self.program.err.all
        return code

    @property
    def results(self):
        """By the name of the case."""
        return {result.name: result for result in Journal.resume(self._out).results}

    def named(self, verdict):
        """The cases with that verdict."""
        return {name for name, result in self.results.items() if result.verdict == verdict}

    @property
    def left(self):
        """The cases that were not played."""
        journal = Journal.resume(self._out)
        return set(journal.header.cases) - {result.name for result in journal.results}

    def reasons(self):
        """Of every case that has one: for a test that fails."""
        return {name: result.reason for name, result in self.results.items() if result.reason}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@asynccontextmanager
async def conformance(out, port, *arguments):
    """The command, for a charge point that lives SPEED times as fast."""
    command = ["-m", "engine.cli", "conformance", "--listen", f"127.0.0.1:{port}", "--out", out]
    async with program(*command, *arguments) as running:
        yield Command(running, out)


@asynccontextmanager
async def our_own(directory, port, speed=SPEED, file="full"):
    """The station with every key, or one that extends it, and the URL of its bench."""
    command = station_command(f"ws://127.0.0.1:{port}", directory / "state", file)
    async with program(*command, "--speed", str(speed), "--csms-speed", str(speed)) as running:
        number = await running.err.until(lambda line: '"bench listening"' in line)
        yield json.loads(running.err.all[number])["url"]
        assert "Traceback" not in "\n".join(running.err.all)


@asynccontextmanager
async def small_wallbox(port, *arguments, scheme="ws"):
    """The charge point on the ``ocpp`` package, and the port of its rig."""
    command = ["-m", "tests.peers.faulty_charge_point", "--csms", f"{scheme}://localhost:{port}"]
    async with program(*command, "--speed", str(SPEED), *arguments) as running:
        number = await running.out.until(lambda line: line.startswith("rig "))
        yield int(running.out.all[number].split()[1])


# Our own station


async def test_our_own_station_passes_what_applies(tmp_path, out):
    out = ROOT / "out" / "conformance" if FULL else out
    port = free_port()
    speed = 50 if FULL else SPEED
    async with our_own(tmp_path, port, speed) as bench:
        selection = [] if FULL else ["--select", SOME]
        rig = ["--rig", f"bench:{bench}", "--speed", str(speed), "--tethered", "2"]
        async with conformance(out, port, *rig, *selection) as tester:
            code = await tester.ended()

    assert (code, tester.named("failed"), tester.named("inconclusive")) == (0, set(), set()), tester.reasons()
    # These are for a station that is declared otherwise, or need a server of files, and none was named.
    declared = {case.name for case in CASES if case.declares}
    others = {tester.results[name].reason for name in tester.named("not applicable") - declared}
    assert others <= {"no server of files is known: name its folder with --files"}, tester.reasons()
    assert {"003", "046_2"} <= tester.named("passed")


async def test_our_own_station_follows_the_tours_over_a_real_network(tmp_path, out, capsys):
    """Planned by the model, played on processes: also those in which they restart, or lose their connection."""
    scripts = ROOT / "out" / "tours" if FULL else tmp_path / "tours"
    if not FULL:
        scripts.mkdir()
        for script in few_tours():
            (scripts / f"{script.header.script}.jsonl").write_text(encode(script))
    testers = await play_tours(scripts, ROOT / "out" / "toured" if FULL else out, tmp_path)

    counts = Counter(result.verdict.value for tester in testers for result in tester.results.values())
    with capsys.disabled():
        sys.stdout.write(f"\nover a real network, on {len(testers)} stations: {dict(counts)}\n")
    for tester in testers:
        named = tester.named("failed"), tester.named("inconclusive"), tester.left
        assert named == (set(), set(), set()), tester.reasons()
        # Some count from midnight, tell times apart that a network does not, or are for a station in the same process.
        reasons = [tester.results[name].reason for name in tester.named("not applicable")]
        skipped = {" ".join(reason.split()[:3]) for reason in reasons}
        assert skipped <= {"the script counts", "the script goes", "the script is", "the script tells"}
    assert counts["passed"]


async def test_cards_have_other_id_tags_than_their_names(tmp_path, out):
    """With the bench of our own station, over the network. A card that is not named is not at hand."""
    port = free_port()
    async with our_own(tmp_path, port) as bench:
        rig = ["--rig", f"bench:{bench}", "--speed", str(SPEED), "--select", "068,069"]
        cards = ["--card", "CARD=04a1b2c3d4", "--card", "FOREIGN=04A1B2C3D5"]
        async with conformance(out, port, *rig, *cards) as tester:
            assert await tester.ended() == 0, tester.reasons()
    assert (tester.named("passed"), tester.named("not applicable")) == ({"068"}, {"069"})
    assert (
        tester.results["069"].reason
        == "no card is known to be MEMBER: name its idTag with --card MEMBER=IDTAG"
    )
    assert id_tags(tester.results["068"]) == {"04a1b2c3d4", "04A1B2C3D5"}
    properties = {
        each.get("name"): each.get("value") for each in ET.parse(out / "junit.xml").iter("property")
    }
    assert properties["cards"] == "CARD=04a1b2c3d4, FOREIGN=04A1B2C3D5"


async def play_tours(scripts, out, directory):
    """Play the scripts on stations that are declared as they say, some stations at once; what came of each station."""
    grounds = defaultdict(set)
    for path in sorted(scripts.glob("*.jsonl")):
        header = read(path).header
        if "receives" in header.declares and "GetConfiguration" not in header.declares:
            continue  # Nobody can ask such a station what it is.
        grounds[header.declares].add(f"{header.script.rpartition('-')[0]}-[0-9]*")
    # What all but a few are for is divided among several stations.
    parts = [
        (declares, f"{part}/{JOBS}") for declares in grounds for part in range(1, JOBS + 1) if not declares
    ]
    parts += [(declares, "1/1") for declares in grounds if declares]
    testers, limit = [], trio.CapacityLimiter(JOBS)

    async def play(number, declares, part):
        async with limit:
            place = directory / str(number)
            place.mkdir()
            # Waiting times of a script are not random.
            steady, file = place / "steady.toml", place / "station.toml"
            steady.write_text('extends = "full"\n[limits]\nback_off_jitter = 0\nboot_retry_jitter = 0\n')
            file.write_text(f'extends = "steady.toml"\n{declares}')
            (place / "declares.toml").write_text(declares)
            port = free_port()
            async with our_own(place, port, TOUR_SPEED, file) as bench:
                rig = ["--rig", f"bench:{bench}", "--speed", str(TOUR_SPEED), "--tethered", "2"]
                which = [
                    "--scripts",
                    scripts,
                    "--select",
                    ",".join(sorted(grounds[declares])),
                    "--part",
                    part,
                ]
                which += ["--declares", place / "declares.toml"]
                async with conformance(out / str(number), port, *rig, *which) as tester:
                    await tester.program.ended(TOURS_WITHIN_S)
            testers.append(tester)

    async with trio.open_nursery() as nursery:
        for number, (declares, part) in enumerate(parts):
            nursery.start_soon(play, number, declares, part)
    return testers


def few_tours():
    """The shortest tours with a restart and with a cut of the link, and the shortest of all."""
    planner = Planner(Catalogue(), effort=40)
    grounds = [ground for ground in GROUNDS if ground.name in ("lock", "data-transfer")]
    tours = sorted((tour for ground in grounds for tour in planner.plan(ground)), key=lambda t: len(t.steps))
    wanted = (
        lambda step: isinstance(step, Asks) and step.request == "Reset",
        lambda step: isinstance(step, Wait) and step.connected,
        lambda _step: True,
    )
    found = [next(tour for tour in tours if any(map(holds, tour.steps))) for holds in wanted]
    return {tour.header.script: tour for tour in found}.values()


# Somebody else's


PLANTED = {
    "stops-what-it-does-not-know": {"028"},
    "waits-for-ever": {"004_2", "011_2-starts-at-once"},
    "tells-no-reason": {"005_2-tethered", "012", "012-tethered"},
}
"""The cases that are about a fault."""


async def small_run(out, *faults):
    """Every case of SMALL, against a small wallbox with these faults."""
    port = free_port()
    planted = [word for fault in faults for word in ("--fault", fault)]
    async with small_wallbox(port, *planted) as rig_port:
        rig = ["--rig", f"{RIG} {rig_port}", "--speed", str(SPEED), "--tethered", "1"]
        async with conformance(out, port, *rig, "--select", SMALL) as tester:
            return await tester.ended(), tester


async def test_a_charge_point_of_another_make_passes(out):
    code, tester = await small_run(out)
    assert (code, tester.named("failed"), tester.named("inconclusive")) == (0, set(), set()), tester.reasons()
    assert tester.named("passed") >= {"003", "040_1"}.union(*PLANTED.values())


async def test_exactly_the_planted_faults_are_found(out):
    code, tester = await small_run(out, *PLANTED)
    expected = set().union(*PLANTED.values())
    assert (code, tester.named("failed"), tester.named("inconclusive")) == (1, expected, set()), (
        tester.reasons()
    )
    assert (
        "the answer to RemoteStopTransaction is Accepted; expected is Rejected"
        in tester.results["028"].reason
    )
    assert (
        "expected is StatusNotification {connectorId: 1, status: Available" in tester.results["004_2"].reason
    )
    assert "reason: EVDisconnected" in tester.results["005_2-tethered"].reason
    assert "reason: Remote" in tester.results["012"].reason


async def test_over_tls_with_a_password(tmp_path, out):
    """The certificate is one that the charge point can check; the password is the one that is asked for."""
    port, authority = free_port(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = authority.issue_cert("localhost")
    server.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    tls = ["--tls-cert", tmp_path / "server.pem", "--tls-key", tmp_path / "server.pem"]
    secret = ["--identity", "SMALL-1", "--password", "secret"]
    async with small_wallbox(
        port, "--ca-file", tmp_path / "ca.pem", "--password", "secret", scheme="wss"
    ) as rig_port:
        rig = ["--rig", f"{RIG} {rig_port}", "--speed", str(SPEED), "--select", "021,040_1"]
        async with conformance(out, port, *rig, *tls, *secret) as tester:
            assert await tester.ended() == 0
            assert f"wss://127.0.0.1:{port}/SMALL-1" in tester.program.out.all[0]
    assert tester.named("passed") == {"021", "021-counts", "040_1"}, tester.reasons()


async def test_a_charge_point_with_another_password_stays_outside(out):
    port = free_port()
    async with small_wallbox(port, "--password", "guess"):
        arguments = ["--rig", "prompt", "--password", "secret", "--patience", "1"]
        async with conformance(out, port, *arguments) as tester:
            assert await tester.program.ended() == 2
    (line,) = tester.program.err.all
    assert line.endswith("within 1 s (SMALL-1 was refused: the password is another one)")


# Interrupted


async def test_an_interrupted_run_goes_on(out):
    """It is interrupted in the middle of a case, with a vehicle charging; that case is played again."""
    port = free_port()
    async with small_wallbox(port) as rig_port:
        arguments = ["--rig", f"{RIG} {rig_port}", "--speed", str(SPEED), "--seed", "3"]
        async with conformance(out, port, *arguments, "--select", "003,004_1,021-counts,040*") as tester:
            await tester.until_results(2)
            os.kill(tester.program.pid, signal.SIGINT)
            assert await tester.program.ended() == 130
            first = list(tester.results)
            page = (out / "report.html").read_text()
        async with conformance(out, port, "--resume") as tester:
            assert await tester.ended() == 0, tester.reasons()
    names = [result.name for result in Journal.resume(out).results]

    assert len(first) < 5
    assert f"The run is not finished: {len(first)} of 5 cases" in page
    assert names[: len(first)] == first
    assert sorted(names) == ["003", "004_1", "021-counts", "040_1", "040_2"]
    assert ET.parse(out / "junit.xml").getroot().get("tests") == "5"


async def test_a_run_that_was_killed_with_a_vehicle_charging_goes_on(out):
    """Nobody was left to take the cable out."""
    port = free_port()
    async with small_wallbox(port) as rig_port:
        arguments = ["--rig", f"{RIG} {rig_port}", "--speed", str(SPEED), "--select", "021-counts"]
        async with conformance(out, port, *arguments) as tester:
            await until_charging(rig_port)
            await tester.program.kill()
        async with conformance(out, port, "--resume") as tester:
            assert await tester.ended() == 0, tester.reasons()


async def until_charging(rig_port):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig_port}", trust_env=False) as client:
        with trio.fail_after(30):
            while not (await client.get("/state")).json()["hardware"]["1"]["contactor"]:
                await trio.lowlevel.checkpoint()


async def test_what_the_rig_spoilt_is_played_again(out):
    """First the rig asks where nobody listens."""
    port = free_port()
    async with small_wallbox(port) as rig_port:
        arguments = ["--rig", f"{RIG} {free_port()}", "--speed", str(SPEED), "--select", "003"]
        async with conformance(out, port, *arguments) as tester:
            assert (await tester.ended(), tester.named("inconclusive")) == (1, {"003"})
        async with conformance(out, port, "--resume", "--rig", f"{RIG} {rig_port}") as tester:
            assert (await tester.ended(), tester.named("passed")) == (0, {"003"}), tester.reasons()


async def test_a_run_of_another_seed_is_not_resumed(out):
    port = free_port()
    async with small_wallbox(port) as rig_port:
        arguments = ["--rig", f"{RIG} {rig_port}", "--speed", str(SPEED), "--select", "040_1"]
        async with conformance(out, port, *arguments) as tester:
            assert await tester.ended() == 0
    async with conformance(out, port, "--resume", "--seed", "4") as tester:
        assert await tester.program.ended() == 2
    assert tester.program.err.all == [
        "statecharge: --seed 4: the run that is to be resumed has None; leave it out"
    ]


# A person at the terminal


async def test_a_person_moves_the_hardware(out):
    """What the person is told to do is done over HTTP, and Enter is pressed. On the card is not what cases call it."""
    port = free_port()
    async with small_wallbox(port) as rig_port:
        arguments = ["--speed", str(SPEED), "--select", "003,034", "--card", "CARD=04A1B2C3D4"]
        async with (
            conformance(out, port, "--rig", "prompt", *arguments) as tester,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig_port}", trust_env=False) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(be_the_person, tester.program, client)
            code = await tester.ended()
            nursery.cancel_scope.cancel()

    assert (code, tester.named("passed"), tester.named("not applicable")) == (0, {"003"}, {"034"}), (
        tester.reasons()
    )
    assert tester.results["034"].reason == "the tester cannot give power-cut"
    assert any("Show the card CARD (04A1B2C3D4) for connector 1" in line for line in tester.program.err.all)
    assert id_tags(tester.results["003"]) == {"04A1B2C3D4"}
    assert "CARD=04A1B2C3D4" in (out / "report.html").read_text()


def id_tags(result):
    """All that the trace of a case tells of."""
    return {line.detail["idTag"] for line in result.trace if "idTag" in line.detail}


async def be_the_person(terminal, client):
    """Do as the lines on the terminal say; what is not understood cannot be done."""
    number = -1
    while True:
        try:
            number = await terminal.err.until(lambda line: "Enter" in line, number + 1)
        except AssertionError:
            return  # The command has ended.
        line = terminal.err.all[number]
        if "Plug in the cable at connector 1" in line:
            await client.post("/connectors/1/plug-in")
        elif "Take the cable of connector 1" in line:
            await client.post("/connectors/1/unplug")
        elif card := re.search(r"Show the card \S+ \((\S+)\)", line):
            await client.post("/swipe", json={"idTag": card[1]})
        elif "?" not in line:
            await terminal.send_line("s")
            continue
        await terminal.send_line("")


# Scripts

SCRIPT = """\
{"script": "remote", "title": "A remote start and stop", "keys": {"ConnectionTimeOut": "77"}}
{"expect": [{"action": "BootNotification"}], "withinS": 90}
{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 0}}, {"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Available"}}], "withinS": 20}
{"request": "GetConfiguration", "payload": {"key": ["ConnectionTimeOut"]}, "expect": {"configurationKey": [{"key": "ConnectionTimeOut", "readonly": false, "value": "77"}]}}
{"request": "RemoteStartTransaction", "payload": {"idTag": "APP", "connectorId": 1}, "expect": {"status": "Accepted"}}
{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Preparing"}}], "withinS": 20}
{"do": "plug-in"}
{"expect": [{"action": "StartTransaction", "payload": {"idTag": "APP"}}, {"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Charging"}}], "withinS": 20}
{"request": "RemoteStopTransaction", "payload": {"transactionId": 1}, "expect": {"status": "Accepted"}}
"""  # noqa: E501 - a step is one line
STOPPED = '{"expect": [{"action": "StopTransaction", "payload": {"reason": "Remote"}}, {"action": "StatusNotification", "payload": {"status": "Finishing"}}], "withinS": 20}\n'  # noqa: E501


async def test_scripts_are_played(tmp_path, out):
    """The second one expects what a charge point does not do."""
    scripts, port = tmp_path / "scripts", free_port()
    scripts.mkdir()
    (scripts / "right.jsonl").write_text(SCRIPT + STOPPED)
    (scripts / "wrong.jsonl").write_text(
        (SCRIPT + STOPPED.replace("Remote", "Local")).replace('"remote"', '"wrong"')
    )
    async with small_wallbox(port) as rig_port:
        rig = ["--rig", f"{RIG} {rig_port}", "--speed", str(SPEED), "--scripts", scripts, "--select", "tours"]
        async with conformance(out, port, *rig) as tester:
            code = await tester.ended()

    assert (code, tester.named("passed"), tester.named("failed")) == (1, {"remote"}, {"wrong"}), (
        tester.reasons()
    )
    assert "wrong, step 9: StopTransaction" in tester.results["wrong"].reason
