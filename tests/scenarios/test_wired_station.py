"""A whole station on Modbus lines and a card reader in memory, in virtual time: what becomes of it when they fail."""

from typing import Any

import pytest
import trio
from trio.testing import memory_stream_pair

from drivers.map_files import SHIPPED
from drivers.readers.card import CardSettings
from drivers.readers.rdm6300 import Rdm6300
from drivers.readers.serial_reader import ReaderSettings, SerialReader
from engine.devices import Devices
from machines.vocabulary.hardware import PilotState
from machines.vocabulary.settings import Recovery
from tests.lab import Lab
from tests.peers.connector_rigs import METER_UNIT, ModbusRig

SETTINGS = ReaderSettings(card=CardSettings(is_reversed=False, gone_after_s=1.0))
CARD = bytes.fromhex("0231303030383646343434323603")


class WiredLab(Lab):
    """A station with a controller that has a watchdog, a meter with a serial number, and a reader.

    The lines outlive the program; its drivers do not: :meth:`start_anew` makes them again.
    """

    def __init__(self, directory, nursery) -> None:
        super().__init__(directory)
        self._nursery = nursery
        self.rig = ModbusRig(nursery, SHIPPED / "phoenix-charx-sec.toml", SHIPPED / "abb-b23.toml")
        self.has_reader = True
        self._reader_line = None
        self.meter(4711, 5000)
        self.start_anew()

    def start_anew(self) -> None:
        """Let the program know nothing but what its database says."""
        reader = SerialReader(self._open_reader, Rdm6300, SETTINGS, [1])
        self.devices = Devices({1: self.rig.new_driver()}, [reader])

    async def _open_reader(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if not self.has_reader:
            raise OSError("no such port")
        near, self._reader_line = memory_stream_pair()
        return near

    def pull_reader(self) -> None:
        self.has_reader = False
        self._reader_line.send_stream.close()

    def meter(self, serial_number: int, read_wh: int) -> None:
        self.rig.hold("serial_number", serial_number, METER_UNIT)
        self.rig.hold("energy_import_wh", read_wh, METER_UNIT)

    async def present(self) -> None:
        await self._reader_line.send_all(CARD)

    async def until(self, action: str, **members: object) -> dict[str, Any]:
        # Lines are polled twice a second: what does not come within minutes would take hours to miss.
        with trio.fail_after(300):
            return await super().until(action, **members)

    async def begin(self) -> None:
        """Plug in, show a card, charge."""
        self.rig.plug_in()
        await self.until_status("Preparing")
        await self.present()
        await self.until("StartTransaction", meterStart=5000, idTag="100086F444")
        await trio.sleep(2)
        assert self.rig.offered_a == 32
        self.rig.pilot(PilotState.C)
        await self.until_status("Charging")


@pytest.fixture
async def lab(tmp_path, nursery):
    lab = WiredLab(tmp_path, nursery)
    lab.declare(meter_value_sample_interval=60)
    lab.recover(Recovery.RESUME)
    return lab


async def test_a_session(lab, autojump_clock):
    async with lab.powered():
        await lab.begin()
        lab.meter(4711, 5120)
        await trio.sleep(60)
        await lab.present()
        await lab.until("StopTransaction", meterStop=5120, reason="Local")
        await trio.sleep(2)
        assert lab.rig.offered_a == 0
        lab.rig.unplug()
        await lab.until_status("Available")


@pytest.mark.parametrize(
    ("serial_number", "read_wh"),
    [(4712, 7), (4712, 5200), (4712, 900_000), (4711, 0), (0, 3)],
    ids=["another", "another that looks right", "another with more", "reset", "another that tells no number"],
)
async def test_a_meter_that_was_replaced_while_the_station_was_off_is_told_and_the_energy_stays_right(
    lab, autojump_clock, serial_number, read_wh
):
    async with lab.powered():
        await lab.begin()
        lab.meter(4711, 5120)
        await lab.until("MeterValues")
        await trio.sleep(1)
    await trio.sleep(600)
    lab.start_anew()
    lab.meter(serial_number, read_wh)
    async with lab.powered(until_accepted=False):
        await lab.until("StatusNotification", errorCode="PowerMeterFailure")
        await lab.until("StatusNotification", errorCode="NoError")
        lab.meter(serial_number, read_wh + 30)
        await trio.sleep(5)
        await lab.present()
        await lab.until("StopTransaction", meterStop=5150)


async def test_the_same_meter_goes_on_where_it_is_when_the_station_is_back(lab, autojump_clock):
    async with lab.powered():
        await lab.begin()
        lab.meter(4711, 5120)
        await lab.until("MeterValues")
    lab.start_anew()
    async with lab.powered(until_accepted=False):
        lab.meter(4711, 5150)
        await lab.until_status("Charging")
        await lab.present()
        await lab.until("StopTransaction", meterStop=5150)
        assert not [call for call in lab.calls("StatusNotification") if call["errorCode"] != "NoError"]


async def test_a_replacement_is_remembered_over_further_restarts(lab, autojump_clock):
    async with lab.powered():
        await lab.begin()
    lab.start_anew()
    lab.meter(4712, 100)
    async with lab.powered(until_accepted=False):
        await lab.until("StatusNotification", errorCode="PowerMeterFailure")
        lab.meter(4712, 150)
        await lab.until("MeterValues")
        await trio.sleep(1)
    lab.start_anew()
    async with lab.powered(until_accepted=False):
        lab.meter(4712, 170)
        await lab.until_status("Charging")
        await lab.present()
        await lab.until("StopTransaction", meterStop=5070)


async def test_a_reader_that_fails_is_told_on_its_connector_and_who_charges_goes_on(lab, autojump_clock):
    async with lab.powered():
        await lab.begin()
        lab.pull_reader()
        told = await lab.until("StatusNotification", errorCode="ReaderFailure")
        assert (told["connectorId"], told["status"], told["info"]) == (
            1,
            "Charging",
            "card reader: no such port",
        )
        assert lab.rig.offered_a == 32
        lab.has_reader = True
        await lab.until("StatusNotification", errorCode="NoError", status="Charging")
        await lab.present()
        await lab.until("StopTransaction", reason="Local")


async def test_a_connector_has_a_reader_while_one_of_two_is_well_again(lab, autojump_clock):
    """Both fail; one that comes back does not make the other one whole."""
    second = SerialReader(_never, Rdm6300, SETTINGS, [1])
    lab.devices = Devices(lab.devices.connectors, [*lab.devices.readers, second])
    async with lab.powered():
        await lab.until("StatusNotification", errorCode="ReaderFailure", info="card reader: broken for good")
        lab.pull_reader()
        await trio.sleep(20)
        lab.has_reader = True
        await trio.sleep(20)
        told = [call["errorCode"] for call in lab.calls("StatusNotification") if call["connectorId"] == 1]
        assert told[-1] == "ReaderFailure"


async def _never() -> trio.abc.Stream:
    await trio.lowlevel.checkpoint()
    raise OSError("broken for good")
