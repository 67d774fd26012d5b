"""``statecharge run --stations N``: several stations in one process, before a Central System that is another one."""

import json

import httpx
import pytest

from tests.peers.drivers import station_command
from tests.peers.processes import program


async def test_each_station_is_a_charge_point_of_its_own(csms, tmp_path, quick):
    """Numbered identities on connections of their own; what happens to one happens to no other."""
    arguments = station_command(csms.url, tmp_path / "state", quick)
    async with program(*arguments, "--identity", "BOX", "--stations", "3") as running:
        for _ in range(3):
            await csms.until("connected")
        urls = {}
        for number in (1, 2, 3):
            at = await running.err.until(
                lambda line, name=f"BOX-{number}": '"bench listening"' in line and name in line
            )
            urls[number] = json.loads(running.err.all[at])["url"]
        async with httpx.AsyncClient(timeout=20, trust_env=False) as bench:
            answered = await bench.post(f"{urls[2]}/connectors/1/plug-in")
            assert answered.status_code == 200
            await running.err.until(lambda line: "Preparing" in line and '"station":"BOX-2"' in line)
            plugged = [
                (await bench.get(f"{url}/state")).json()["hardware"]["1"]["plugged"] for url in urls.values()
            ]
        assert plugged == [False, True, False]
        connected = {event["identity"] for event in csms.events if event["event"] == "connected"}
        assert connected == {"BOX-1", "BOX-2", "BOX-3"}
        assert await running.terminate() == 0
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["BOX-1", "BOX-2", "BOX-3"]


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--stations", "0"], "must be 1 to 1000"), (["--stations", "two"], "'two' is not a valid integer")],
)
async def test_a_wrong_number_is_one_line_and_starts_nothing(tmp_path, options, told):
    async with program("-m", "engine.cli", "run", "ac-smart", *options, directory=tmp_path) as running:
        assert await running.ended() == 2
    (line,) = running.err.all
    assert told in line
    assert not list(tmp_path.iterdir())


async def test_a_line_of_text_says_whose_it_is(tmp_path):
    arguments = ["run", "ac-smart", "--csms", "ws://127.0.0.1:9", "--identity", "BOX", "--stations", "2"]
    async with program("-m", "engine.cli", *arguments, directory=tmp_path) as running:
        for name in ("BOX-1", "BOX-2"):
            await running.err.until(lambda line, name=name: f" {name} station started" in line)
