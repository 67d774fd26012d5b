"""A station process that lives faster than real time."""

from tests.peers.drivers import station_command
from tests.peers.processes import program


async def test_a_station_300_times_as_fast_sends_the_heartbeat_of_five_minutes_within_seconds(csms, tmp_path):
    """The Central System asks for a Heartbeat every 300 s, and a test that waits so long fails."""
    command = station_command(csms.url, tmp_path / "state", "full")
    async with program(*command, "--speed", "300") as running:
        await csms.until_call("BootNotification")
        await csms.until_call("Heartbeat")
        assert await running.terminate() == 0


async def test_a_speed_out_of_bounds_is_one_line(tmp_path):
    async with program("-m", "engine.cli", "run", "full", "--speed", "5000", directory=tmp_path) as running:
        assert await running.ended() == 2

    assert running.err.all == ["statecharge: speed 5000: must be 0.1 to 1000"]
    assert not list(tmp_path.iterdir())


async def test_a_station_ends_with_its_input_if_it_is_told_to(csms, tmp_path, quick):
    async with program(*station_command(csms.url, tmp_path / "state", quick), "--until-eof") as running:
        await csms.until_call("BootNotification")
        await running.end_input()
        assert await running.ended() == 0
