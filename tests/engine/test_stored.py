"""What earlier versions left in the field is read by this one: updates, and the way back, lose nothing."""

import sqlite3
from pathlib import Path

import msgspec
import pytest
import trio

from engine.store import FILE
from machines import routes
from machines.vocabulary.ocpp import GetConfiguration, GetLocalListVersion
from tests.lab import Lab

STORED = sorted((Path(__file__).parent / "stored").glob("*.sql"))


@pytest.mark.parametrize(
    "kind", [kind for kind, machine in routes.KINDS.items() if machine.memory is not None]
)
def test_what_a_machine_remembers_may_lack_what_is_new_and_have_what_is_gone(kind):
    """Every field has a default, and a field that is not known is left out."""
    memory = routes.KINDS[kind].memory

    assert msgspec.json.decode(b"{}", type=memory) == msgspec.json.decode(b'{"not_known": 1}', type=memory)


@pytest.mark.parametrize("stored", STORED, ids=lambda path: path.stem)
async def test_a_station_goes_on_from_what_an_earlier_version_left(stored, tmp_path, autojump_clock):
    """It was charging without a connection when the power went; see tests/engine/stored."""
    database = sqlite3.connect(tmp_path / FILE)
    database.executescript(stored.read_text())
    database.close()
    lab = Lab(tmp_path, "full")
    await trio.sleep(86_400)
    async with lab.powered():
        stop = await lab.until("StopTransaction", reason="PowerLoss")
        listed = await lab.csms.call(GetLocalListVersion())
        shown = await lab.csms.call(GetConfiguration(key=("MeterValueSampleInterval",)))
        await trio.sleep(60)
        states = lab.states()
        offered = lab.running.charge_point.machines["charging_profiles"].data.book
        queued = lab.running.charge_point.machines["delivery"].data.size

    (start,) = lab.calls("StartTransaction")
    assert (start["idTag"], start["meterStart"]) == ("LISTED", 5523)
    assert start["timestamp"] < stop["timestamp"]
    assert stop["meterStop"] >= start["meterStart"]
    assert listed.list_version == 3
    assert shown.configuration_key[0].value == "300"
    assert lab.statuses(2)[-1] == "Reserved"
    assert states["firmware_update"] == "scheduled"
    assert [one.profile.charging_profile_id for one in offered] == [5]
    assert queued == 0
