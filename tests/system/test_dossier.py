"""The dossier of a station that runs: its states are shown, and it is not disturbed."""

from engine.dossier.standing import read_standing
from tests.peers.drivers import station


async def test_a_running_station_tells_where_it_stands_and_so_does_one_that_was_killed(csms, tmp_path, quick):
    state = tmp_path / "state"
    async with station(csms.url, state, quick) as box:
        await csms.until_available()
        assert await box.begin_charging(csms) == 1
        for _ in range(4):  # samples come by the second, and so is the history written
            await csms.until_call("MeterValues")
        found = read_standing(state)
        await box.program.kill()
    assert found.of("connector") == {"Charging": ["connector 1"]}
    assert found.of("control_pilot") == {"requesting": ["connector 1"]}
    assert found.of("connection") == {"online": ["station"]}
    assert read_standing(state).of("transaction") == {"running": ["connector 1"]}
