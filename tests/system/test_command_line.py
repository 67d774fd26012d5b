"""The command line as its users meet it: exit codes, and one line for each of their mistakes."""

import fcntl
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio

from engine.store import Store
from tests.peers.drivers import station, station_command
from tests.peers.processes import ROOT, program

NOWHERE = "ws://127.0.0.1:9/ocpp"


async def statecharge(*arguments, directory=ROOT):
    """Run the command to its end; return exit code, lines of stdout and lines of stderr."""
    async with program("-m", "engine.cli", *arguments, directory=directory) as running:
        return await running.ended(), running.out.all, running.err.all


# check


async def test_a_right_station_file_is_described():
    code, out, err = await statecharge("check", "station.toml")

    assert (code, err) == (0, [])
    assert out[0].startswith("station.toml: Weidmueller AC SMART ADVANCED")


async def test_five_mistakes_are_five_lines(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'extends = "ac-smart"\n'
        'colour = "orange"\n'
        "[csms]\n"
        'url = "http://localhost"\n'
        'identity = "a:b"\n'
        "[limits]\n"
        "call_timeout_s = 0\n"
        'inbox_size_max = "many"\n'
    )
    code, out, err = await statecharge("check", file)

    assert (code, out) == (2, [])
    assert sorted(line.split(": ", 1)[0] for line in err) == [f"{file}:{line}" for line in (2, 4, 5, 7, 8)]


@pytest.mark.parametrize("command", ["check", "run", "demo"])
async def test_an_unknown_station_is_one_line(command, tmp_path):
    code, out, err = await statecharge(command, "nowhere", directory=tmp_path)

    assert (code, out, len(err)) == (2, [], 1)
    assert "nowhere" in err[0]
    assert not list(tmp_path.iterdir())


# run


@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_declaration_that_cannot_be_read_now_is_tried_again(command):
    """A service manager starts what ended with 2 no more, and a disk that fails may work again."""
    code, out, (line,) = await statecharge(command, "/proc/self/mem")  # which nobody can read from its begin

    assert (code, out) == (1, [])
    assert "Input/output error" in line


@pytest.mark.parametrize(
    "url", ["http://localhost:9000", "ws://", "ws://host:99999/ocpp", "ws://[::1/ocpp", "ws://host/ocpp?a=b"]
)
async def test_a_wrong_url_is_one_line(url, tmp_path):
    code, out, (line,) = await statecharge("run", "--csms", url, "--state-dir", tmp_path / "state")

    assert (code, out) == (2, [])
    assert url in line
    assert not list(tmp_path.iterdir())


async def test_a_state_directory_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    code, out, (line,) = await statecharge(
        "run", "--csms", NOWHERE, "--state-dir", tmp_path / "file" / "state"
    )

    assert (code, out) == (1, [])  # it may be mounted later
    assert str(tmp_path / "file" / "state") in line


async def test_a_database_of_another_version_is_one_line_and_is_left_alone(tmp_path):
    file = tmp_path / "station.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    code, out, (line,) = await statecharge("run", "--csms", NOWHERE, "--state-dir", tmp_path)

    assert (code, out) == (1, [])
    assert f"{file}: has version 99" in line


async def test_a_port_in_use_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, out, (line,) = await statecharge(
            "run", "--csms", NOWHERE, "--state-dir", tmp_path, "--bench", port
        )

    assert (code, out) == (2, [])
    assert port in line


async def test_sigterm_ends_it_well_and_its_state_can_be_used_again(csms, tmp_path, quick):
    state = tmp_path / "state"
    async with program(*station_command(csms.url, state, quick)) as first:
        await csms.until_available()
        await csms.call("ChangeConfiguration", key="ConnectionTimeOut", value="77")
        assert await first.terminate() == 0

    await csms.until("disconnected")
    csms.forget()
    async with station(csms.url, state, quick):
        await csms.until_available()
        shown = await csms.call("GetConfiguration", key=["ConnectionTimeOut"])
    assert shown["configurationKey"][0]["value"] == "77"


async def test_who_is_told_twice_to_end_has_ended_in_order(csms, tmp_path, quick):
    """Facts 5.6: an end in order is no loss of power, whatever else is sent to a process that is ending."""
    async with program(*station_command(csms.url, tmp_path / "state", quick)) as running:
        await csms.until_available()
        # Both are there when it goes on.
        for each in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            os.kill(running.pid, each)
        await running.ended()

    with closing(Store(tmp_path / "state")) as store:
        assert store.was_powered()


IGNORING = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Run a program as nohup does."""


@pytest.mark.parametrize(("before", "ends"), [((), True), (("-c", IGNORING), False)], ids=["plain", "nohup"])
async def test_a_terminal_that_goes_away_ends_it_in_order(csms, tmp_path, quick, before, ends):
    """It used to be a power cut."""
    async with program(*before, *station_command(csms.url, tmp_path / "state", quick)) as running:
        await csms.until_available()
        os.kill(running.pid, signal.SIGHUP)
        if not ends:
            await csms.call("GetConfiguration", key=[])
            await running.kill()
        await running.ended()

    with closing(Store(tmp_path / "state")) as store:
        assert store.was_powered() is ends


async def test_the_log_as_json_is_one_object_a_line(csms, tmp_path, quick):
    command = station_command(csms.url, tmp_path / "state", quick)
    bench = command.index("--bench")
    async with program(*command[:bench], *command[bench + 2 :]) as running:
        await csms.until_available()
        assert await running.terminate() == 0

    noted = [json.loads(line) for line in running.err.all]
    transitions = [event for event in noted if event["event"] == "transition"]
    dialled = next(event for event in transitions if event["machine"] == "connection")
    assert all({"machine", "from", "message", "to", "clause"} <= event.keys() for event in transitions)
    assert (dialled["from"], dialled["message"], dialled["to"]) == ("offline", "Started", "dialling")
    assert all({"time", "level", "event", "station"} <= event.keys() for event in noted)


async def test_a_log_that_nobody_reads_holds_up_nothing(csms, tmp_path, quick):
    """A terminal that was stopped, a journal whose disk hangs: nobody may wait for those."""
    read, written = os.pipe()
    fcntl.fcntl(written, fcntl.F_SETPIPE_SZ, 16_384)
    command = station_command(csms.url, tmp_path / "state", quick)
    process = await trio.lowlevel.open_process([sys.executable, *map(str, command)], cwd=ROOT, stderr=written)
    os.close(written)
    try:
        await csms.until_available()
        for _ in range(20):
            assert (await csms.call("GetConfiguration"))["configurationKey"]
        os.read(read, 65_536)
        await csms.call("GetConfiguration")
        process.terminate()
        await process.wait()
    finally:
        process.kill()
        await process.wait()
    lost = next(json.loads(line) for line in os.read(read, 65_536).splitlines() if line)
    os.close(read)
    assert lost["event"] == "log lost"
    assert lost["lines"] > 10


# The rest


async def test_the_installed_command_names_its_commands():
    script = Path(sys.executable).with_name("statecharge")
    async with program(script, "--help") as running:
        assert await running.ended() == 0

    commands = running.out.all[running.out.all.index("Commands:") + 1 :]
    assert [line.split()[0] for line in commands] == [
        *(
            "check",
            "conformance",
            "demo",
            "devices",
            "diagram",
            "dossier",
            "explore",
            "mutate",
            "play",
            "run",
            "schedule",
        ),
        *("tours", "why"),
    ]


async def test_an_unknown_command_is_one_line():
    code, _, (line,) = await statecharge("frobnicate")

    assert code == 2
    assert "frobnicate" in line


async def test_the_demonstration_plays_three_sessions_and_balances(tmp_path):
    code, out, _ = await statecharge("demo", "--out", tmp_path / "out")

    assert code == 0
    assert [line.split(":")[0] for line in out if line.startswith("Session ")] == [
        "Session 1",
        "Session 2",
        "Session 3",
    ]
    (billed,) = [line for line in out if line.startswith("billed ")]
    assert billed.endswith("Wh: balanced")
    assert (tmp_path / "out" / "transaction.mmd").stat().st_size > 0


async def test_the_demonstration_can_be_interrupted(tmp_path):
    async with program("-m", "engine.cli", "demo", "--out", tmp_path / "out") as running:
        await running.out.until(bool)  # the first line: it has about a second to go
        os.kill(running.pid, signal.SIGINT)
        assert await running.ended() == 130
    assert not running.err.all


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--out", "out"),
        ("check", "full"),
        ("play", "first-charge", "--csms", NOWHERE),
        ("tours", "full", "--select", "sessions,lock", "--effort", "10", "--out", "out"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_whoever_has_read_enough_may_go(tmp_path, arguments):
    """``| head``: no traceback, and nothing that the user could mend."""
    program = [sys.executable, "-m", "engine.cli", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        program, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode in {0, 1}
