"""A whole station on Modbus lines and a card reader in memory, in virtual time: what becomes of it when they fail."""

from typing import Any

import pytest
import trio
from msgspec.structs import replace
from trio.testing import memory_stream_pair

from drivers.map_files import SHIPPED
from drivers.readers.card import CardSettings
from drivers.readers.rdm6300 import Rdm6300
from drivers.readers.serial_reader import ReaderSettings, SerialReader
from engine.devices import Devices
from machines.vocabulary.hardware import PilotState
from machines.vocabulary.settings import Recovery
from tests.lab import Lab
from tests.peers.connector_rigs import EVSE_UNIT, METER_UNIT, BoardRig, ModbusRig

SETTINGS = ReaderSettings(card=CardSettings(is_reversed=False, gone_after_s=1.0))
ONE_PHASE = b"""{"connectorId": 1, "csChargingProfiles": {"chargingProfileId": 1, "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative", "chargingSchedule": {
    "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10, "numberPhases": 1}]}}}"""
CARD = bytes.fromhex("0231303030383646343434323603")


class WiredLab(Lab):
    """A station with a controller, a meter that has a serial number, and a reader.

    The lines outlive the program; its drivers do not: :meth:`start_anew` makes them again.
    """

    def __init__(self, directory, nursery, rig=ModbusRig, evse="phoenix-charx-sec") -> None:
        super().__init__(directory)
        self.rig = rig(nursery, SHIPPED / f"{evse}.toml", SHIPPED / "abb-b23.toml")
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
    return prepared(WiredLab(tmp_path, nursery))


def prepared(lab: WiredLab) -> WiredLab:
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


@pytest.mark.parametrize(
    ("serial_number", "read_wh"), [(4712, 10), (4712, 5130), (4711, 0)], ids=["another", "alike", "reset"]
)
async def test_a_meter_that_is_replaced_while_charging_is_told_and_the_energy_stays_right(
    lab, autojump_clock, serial_number, read_wh
):
    async with lab.powered():
        await lab.begin()
        lab.meter(4711, 5120)
        await lab.until("MeterValues")
        lab.rig.silence_meter(True)
        await trio.sleep(3)
        lab.meter(serial_number, read_wh)
        lab.rig.silence_meter(False)
        await lab.until("StatusNotification", errorCode="PowerMeterFailure")
        await lab.until("StatusNotification", errorCode="NoError")
        lab.meter(serial_number, read_wh + 30)
        await trio.sleep(2)
        await lab.present()
        await lab.until("StopTransaction", meterStop=5150)


async def test_nobody_has_energy_that_nobody_measures(lab, autojump_clock):
    async with lab.powered():
        await lab.begin()
        await trio.sleep(2)
        lab.rig.silence_meter(True)
        await lab.until("StatusNotification", errorCode="PowerMeterFailure", status="Faulted")
        await trio.sleep(1)
        assert not lab.rig.energy_flows
        lab.rig.silence_meter(False)
        await lab.until_status("Charging")
        await trio.sleep(2)
        assert lab.rig.energy_flows
        assert not lab.calls("StopTransaction")


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


async def test_a_cable_whose_proximity_contact_is_broken_does_not_occupy_the_connector_for_ever(
    lab, autojump_clock
):
    async with lab.powered():
        lab.rig.pilot(PilotState.B)
        await lab.until_status("Preparing")
        await trio.sleep(10)
        lab.rig.pilot(PilotState.A)
        await lab.until_status("Available")


async def test_a_silent_controller_with_a_contactor_in_front_has_no_energy_in_the_declared_time(
    tmp_path, nursery, autojump_clock
):
    """EV Charge Control Basic has no watchdog, and keeps its own contactor closed."""
    lab = prepared(WiredLab(tmp_path, nursery, BoardRig, "phoenix-ev-cc-basic"))
    rig = lab.rig
    async with lab.powered():
        await lab.begin()
        await trio.sleep(1)
        assert rig.energy_flows
        rig.line.silent.add(EVSE_UNIT)
        # The last turn that succeeded may have been up to half a second ago.
        await trio.sleep(rig.evse_settings.silent_after_s - rig.evse_settings.poll_s - 0.1)
        assert rig.energy_flows
        await trio.sleep(rig.evse_settings.poll_s + 0.1)
        assert rig.offered_a == 32
        assert not rig.energy_flows
        told = await lab.until("StatusNotification", errorCode="InternalError", status="Faulted")
        assert told["info"].startswith("EVSE controller is silent, contactor opened")
        rig.line.silent.clear()
        await lab.until_status("Charging")
        await trio.sleep(2)
        assert rig.energy_flows
        assert not lab.calls("StopTransaction")


async def test_a_silent_controller_without_anything_is_said_to_charge_on(tmp_path, nursery, autojump_clock):
    lab = prepared(WiredLab(tmp_path, nursery, evse="phoenix-ev-cc-basic"))
    lab.rig.evse_settings = replace(lab.rig.evse_settings, when_silent="may charge on")
    lab.start_anew()
    async with lab.powered():
        await lab.begin()
        lab.rig.line.silent.add(EVSE_UNIT)
        told = await lab.until("StatusNotification", errorCode="InternalError", status="Faulted")
        assert told["info"].startswith("EVSE controller is silent, may charge on")
        await trio.sleep(60)
        assert lab.rig.energy_flows
        lab.rig.line.silent.clear()
        lab.rig.unplug()
        await lab.until("StopTransaction")
        await trio.sleep(2)
        assert lab.rig.offered_a == 0


async def test_the_contactor_of_the_board_opens_when_the_vehicle_wants_no_more_or_is_gone(
    tmp_path, nursery, autojump_clock
):
    lab = prepared(WiredLab(tmp_path, nursery, BoardRig, "phoenix-ev-cc-basic"))
    async with lab.powered():
        await lab.begin()
        for leave, return_to in ((PilotState.B, PilotState.C), (PilotState.A, None)):
            await trio.sleep(8)
            assert lab.rig.lines.outputs["contactor"]
            lab.rig.pilot(leave)
            await trio.sleep(1)
            assert not lab.rig.lines.outputs["contactor"]
            if return_to is not None:
                lab.rig.pilot(return_to)


async def test_a_welded_contactor_of_the_board_ends_the_transaction(tmp_path, nursery, autojump_clock):
    lab = prepared(WiredLab(tmp_path, nursery, BoardRig, "phoenix-ev-cc-basic"))
    async with lab.powered():
        await lab.begin()
        await trio.sleep(1)
        lab.rig.lines.is_stuck = True
        await lab.present()
        await lab.until("StatusNotification", errorCode="PowerSwitchFailure")
        lab.rig.lines.is_stuck = False
        lab.rig.lines.put("contactor_closed", is_active=False)
        await lab.until("StatusNotification", errorCode="NoError")


async def test_phases_are_switched_by_the_board_without_energy(tmp_path, nursery, autojump_clock):
    lab = prepared(WiredLab(tmp_path, nursery, BoardRig, "phoenix-ev-cc-basic"))
    lab.declare(connector_switch3to1_phase_supported=True)
    lines, seen = lab.rig.lines, []
    plain = lines.set

    def watched(values):
        plain(values)
        seen.append((lines.outputs["contactor"], lines.outputs["phases"]))

    lines.set = watched
    async with lab.powered():
        await lab.begin()
        await trio.sleep(2)
        assert seen[-1] == (True, True)
        answer = await lab.csms.call_with("SetChargingProfile", ONE_PHASE)
        assert answer.status == "Accepted"
        await trio.sleep(120)
        assert seen[-1] == (True, False)
        assert lab.rig.offered_a == 10
    changes = [one for one, before in zip(seen[1:], seen, strict=False) if one[1] != before[1]]
    assert changes
    assert not any(contactor for contactor, _ in changes)


@pytest.mark.parametrize("is_silent", [False, True], ids=["answering", "silent"])
async def test_the_station_moves_while_its_drivers_go_round_whether_they_are_answered_or_not(
    lab, autojump_clock, is_silent
):
    async with lab.powered() as running:
        if is_silent:
            lab.rig.line.silent.update({EVSE_UNIT, METER_UNIT})
            await trio.sleep(30)
        with trio.fail_after(5):
            await running.until_moved()


async def test_a_station_one_of_whose_drivers_hangs_does_not_move(lab, autojump_clock):
    """Somebody else holds the line and never gives it back."""
    async with lab.powered() as running:
        await trio.sleep(1)
        await lab.rig.client._lock.acquire()
        with trio.move_on_after(600) as waited:
            await running.until_moved()
            await running.until_moved()
        assert waited.cancelled_caught
        lab.rig.client._lock.release()
