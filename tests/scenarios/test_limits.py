"""Every limit at the least and the greatest value that a declaration may have: the station does its work with it."""

import pytest
import trio

from engine.declaration.schema import ENTRIES, Kind
from engine.station_file import load
from tests.lab import Lab

LIMITS = {
    entry.path.removeprefix("limits."): [
        int(bound) if Kind.WHOLE in entry.kind else bound for bound in bounds
    ]
    for entry in ENTRIES
    if entry.path.startswith("limits.") and None not in (bounds := (entry.min, entry.max))
}


def test_every_limit_has_a_least_and_a_greatest_value():
    assert set(LIMITS) == set(load("station.toml").settings.limits.__struct_fields__)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in LIMITS for value in LIMITS[name]])
async def test_a_session_is_told_of_as_a_whole(tmp_path, autojump_clock, name, value):
    """Booted, charged, offline for a while and on again, ended, and booted anew: nobody misses a message."""
    lab = Lab(tmp_path)
    lab.limit(**{name: value})
    lab.declare(meter_value_sample_interval=3600, web_socket_ping_interval=0)
    async with lab.powered(until_accepted=False):
        await trio.sleep(120)
        assert (lab.statuses(0), lab.statuses(1)) == (["Available"], ["Available"])
        lab.connector().plug_in()
        lab.swipe()
        await trio.sleep(300)
        assert lab.connector().state().contactor
        lab.cut_link()
        await trio.sleep(300)
        lab.restore_link()
        # The longest back-off of all is a day, and a third of it.
        await trio.sleep(2 * 86_400)
        lab.swipe()
        await trio.sleep(120)
        lab.connector().unplug()
        await trio.sleep(120)
        statuses = len(lab.statuses())
        assert lab.statuses()[-1] == "Available"
        assert len(lab.calls("StartTransaction")) == len(lab.calls("StopTransaction")) == 1
        assert lab.running.view().pending_messages == 0
    async with lab.powered(until_accepted=False):
        await trio.sleep(120)
        assert (lab.statuses(0)[1:], lab.statuses(1)[statuses:]) == (["Available"], ["Available"])
