"""A meter whose register begins again, is set to 0, or is another's, under a running station, as its map declares it.

No shipped map declares where its register begins again: no source says it. This one is an installation's own.
"""

import pytest
import trio

from drivers.map_files import SHIPPED, load_map
from tests.peers.mapped import cells
from tests.peers.processes import program
from tests.peers.real_wallbox import METER, STATION, Wallbox, begin_charging

MODULUS_WH = 1_000_000_000
START_WH = MODULUS_WH - 50


class WithOwnMap(Wallbox):
    """A wallbox with a meter of ABB's map."""

    def __init__(self, folder):
        shipped = (SHIPPED / "abb-b23.toml").read_text()
        file = folder / "maps" / "abb-b23.toml"
        file.parent.mkdir()
        file.write_text(shipped.replace("\n[bus]", f"energy_modulus_wh = {MODULUS_WH}\n\n[bus]", 1))
        self._map = load_map(file)
        self.read_wh, self.serial_number = START_WH, 4711
        super().__init__(folder)

    def plug_in_meter(self):
        self.meter = self._plug_in("meter", METER)
        self._hold("serial_number", self.serial_number)
        self.read(self.read_wh)
        self._hold("frequency_hz", 50)
        self.meter.silent.clear()

    def read(self, energy_wh):
        """Let the register show so much."""
        self.read_wh = energy_wh
        self._hold("energy_import_wh", energy_wh)

    def _hold(self, name, value):
        for table, address, words in cells(self._map.values[name], value):
            self.meter.set(METER, table, address, words)


@pytest.fixture
def wallbox(tmp_path):
    wallbox = WithOwnMap(tmp_path)
    yield wallbox
    wallbox.close()


@pytest.fixture
async def running(csms, tmp_path, wallbox):
    """A station that charges."""
    declared = STATION.format(folder=tmp_path).replace('"eastron-sdm630"', '"abb-b23"')
    file = tmp_path / "station.toml"
    file.write_text(declared.replace('driver = "modbus"', 'driver = "modbus"\nparameters.maps = "maps"', 1))
    command = ["-m", "engine.cli", "run", file, "--csms", csms.url, "--state-dir", tmp_path / "state"]
    async with program(*command, "--log", "json") as running:
        await begin_charging(csms, wallbox, meter_start=START_WH)
        yield running
        assert "Traceback" not in "\n".join(running.err.all)


async def until_read(csms, energy_wh):
    """Wait for a sample of the transaction that shows so much."""
    with trio.fail_after(30):
        while True:
            sample = await csms.until_call("MeterValues", transactionId=1)
            values = {v["measurand"]: v["value"] for v in sample["meterValue"][0]["sampledValue"]}
            if float(values["Energy.Active.Import.Register"]) == energy_wh:
                return


async def end_charging(csms, wallbox, meter_stop):
    wallbox.present()
    await csms.until_call("StopTransaction", transactionId=1, meterStop=meter_stop)


def faults(csms):
    """What was told as wrong."""
    told = csms.calls("StatusNotification")
    return [status["info"] for status in told if status["errorCode"] != "NoError"]


async def test_a_register_that_begins_again_is_told_as_that_and_costs_nothing(csms, wallbox, running):
    wallbox.read(70)
    await csms.until_call("StatusNotification", errorCode="NoError", status="Charging")
    await until_read(csms, MODULUS_WH + 70)
    wallbox.read(130)
    await end_charging(csms, wallbox, START_WH + 180)
    assert faults(csms) == [f"register went over from {START_WH} to 70 Wh"]


async def test_one_that_was_reset_is_told_as_that_and_counted_on(csms, wallbox, running):
    wallbox.read(START_WH + 20)
    await until_read(csms, START_WH + 20)
    # Further from the end than can have flowed: it cannot have begun again.
    wallbox.read(500)
    await csms.until_call("StatusNotification", errorCode="NoError", status="Charging")
    wallbox.read(560)
    await end_charging(csms, wallbox, START_WH + 80)
    assert faults(csms)[-1].endswith("Wh: reset")


async def test_one_that_was_replaced_is_told_as_that_and_counted_on(csms, wallbox, running):
    wallbox.read(START_WH + 20)
    await until_read(csms, START_WH + 20)
    wallbox.pull("meter")
    wallbox.read_wh, wallbox.serial_number = 10, 4712
    wallbox.plug_in_meter()
    await csms.until_call("StatusNotification", errorCode="NoError", status="Charging")
    wallbox.read(70)
    await end_charging(csms, wallbox, START_WH + 80)
    assert faults(csms)[-1].startswith("meter 4711 is now 4712")


async def test_what_is_shown_over_the_register_is_kept_over_a_restart(csms, tmp_path, wallbox, running):
    wallbox.read(70)
    await csms.until_call("StatusNotification", errorCode="NoError", status="Charging")
    await until_read(csms, MODULUS_WH + 70)
    await running.kill()
    file = tmp_path / "station.toml"
    file.write_text(f'transactions.recovery = "resume"\n{file.read_text()}')
    csms.forget()
    command = ["-m", "engine.cli", "run", file, "--csms", csms.url, "--state-dir", tmp_path / "state"]
    async with program(*command):
        await csms.until_status("Charging")
        wallbox.read(130)
        await end_charging(csms, wallbox, MODULUS_WH + 130)
    assert faults(csms) == [f"register went over from {START_WH} to 70 Wh"], (
        "told once, and not after the restart"
    )
