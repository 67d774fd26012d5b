"""A meter on a Modbus line in virtual time: how it fails, and that its energy stays right."""

import pytest
import trio

from drivers.interfaces import MeterSilentError
from drivers.map_files import SHIPPED
from drivers.modbus.client import ClientSettings, ModbusClient
from drivers.modbus.device import MappedDevice
from drivers.modbus.frames import Framing
from drivers.modbus_meter import MeterSettings, ModbusMeter
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareEvent, HardwareFault
from tests.peers.connector_rigs import METER_UNIT, ModbusRig

SETTINGS = MeterSettings(power_max_w=22_000)
BACK = FaultCleared(HardwareFault.METER)


class Running:
    """A meter that is watched."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.rig = ModbusRig(nursery, SHIPPED / "phoenix-charx-sec.toml", SHIPPED / "abb-b23.toml")
        self.meter = ModbusMeter(MappedDevice(self.rig.client, METER_UNIT, self.rig.meter), SETTINGS)
        self.rig.hold("serial_number", 4711, METER_UNIT)
        self.events: list[HardwareEvent] = []
        self.times: list[float] = []
        self.begin(nursery)

    def begin(self, nursery: trio.Nursery) -> None:
        self.scope = trio.CancelScope()
        nursery.start_soon(self._run, self.scope)

    async def _run(self, scope: trio.CancelScope) -> None:
        with scope:
            await self.meter.run(self._report)

    async def _report(self, event: HardwareEvent) -> None:
        self.events.append(event)
        self.times.append(trio.current_time())

    def register(self, energy_wh: int) -> None:
        self.rig.hold("energy_import_wh", energy_wh, METER_UNIT)

    async def told(self, after_s: float = 3.0) -> list[HardwareEvent]:
        await trio.sleep(after_s)
        told, self.events = self.events, []
        return told

    async def energy_wh(self) -> int:
        return (await self.meter.read()).energy_import_wh


@pytest.fixture
def running(nursery):
    return Running(nursery)


async def test_a_meter_that_answers_is_no_news(running, autojump_clock):
    assert await running.told(60) == []


async def test_a_silent_meter_is_a_fault_in_the_declared_time_and_back_when_it_answers(
    running, autojump_clock
):
    await running.told()
    running.rig.silence_meter(True)
    begin = trio.current_time()
    (fault,) = await running.told(20)
    assert fault.fault is HardwareFault.METER
    assert running.times[-1] - begin < SETTINGS.silent_after_s + SETTINGS.poll_s + 1
    running.rig.silence_meter(False)
    assert await running.told() == [BACK]


async def test_a_meter_that_keeps_silent_is_told_once(running, autojump_clock):
    await running.told()
    running.rig.silence_meter(True)
    assert [type(event) for event in await running.told(60)] == [FaultRaised]


async def test_a_meter_that_is_silent_is_told_again_when_the_program_begins_again(
    running, nursery, autojump_clock
):
    """As after a Reset: drivers outlive it, and the charge point knows of no fault any more."""
    running.rig.silence_meter(True)
    await running.told(20)
    running.scope.cancel()
    running.begin(nursery)
    (fault,) = await running.told(20)
    assert fault.fault is HardwareFault.METER
    running.rig.silence_meter(False)
    assert await running.told() == [BACK]


async def test_a_line_that_hangs_when_it_is_opened_does_not_put_off_the_news(nursery, autojump_clock):
    running = Running(nursery)
    running.rig.client = ModbusClient(trio.sleep_forever, Framing.RTU, ClientSettings(connect_timeout_s=60))
    meter = ModbusMeter(MappedDevice(running.rig.client, METER_UNIT, running.rig.meter), SETTINGS)
    told: list[tuple[float, HardwareEvent]] = []
    begin = trio.current_time()

    async def report(event: HardwareEvent) -> None:
        told.append((trio.current_time() - begin, event))

    nursery.start_soon(meter.run, report)
    await trio.sleep(120)
    assert told == [(SETTINGS.silent_after_s, FaultRaised(HardwareFault.METER, "the meter is too slow"))]


async def test_energy_goes_on_where_it_was_when_the_meter_is_replaced(running, autojump_clock):
    running.register(5000)
    await running.told()
    running.register(100)
    events = await running.told(5)
    assert [type(event) for event in events] == [FaultRaised, FaultRaised, FaultCleared]
    assert events[0] == FaultRaised(HardwareFault.METER, "register went from 5000 to 100 Wh")
    assert await running.energy_wh() == 5000
    running.register(110)
    await trio.sleep(2)
    assert await running.energy_wh() == 5010


async def test_another_meter_is_told_by_its_serial_number_however_little_it_differs(running, autojump_clock):
    await running.told()
    running.rig.silence_meter(True)
    await running.told(2)
    running.rig.hold("serial_number", 4712, METER_UNIT)
    running.register(5020)
    running.rig.silence_meter(False)
    raised, cleared = await running.told()
    assert raised.info == "meter 4711 is now 4712: register went from 5000 to 5020 Wh: replaced"
    assert cleared == BACK
    assert await running.energy_wh() == 5000


async def test_what_was_found_by_a_reading_for_another_is_told_too(running, autojump_clock):
    """The charge point asks just when the meter has been replaced."""
    await running.told()
    running.rig.hold("serial_number", 4712, METER_UNIT)
    running.register(10)
    with pytest.raises(MeterSilentError, match="from 5000 to 10 "):
        await running.energy_wh()
    assert await running.energy_wh() == 5000
    told = await running.told()
    assert [type(event) for event in told] == [FaultRaised, FaultCleared]
    assert "4712" in told[0].info


async def test_a_meter_that_refuses_to_tell_its_serial_number_is_read_all_the_same(running, autojump_clock):
    del running.rig.line.device(METER_UNIT)["holding"][0x8900]
    assert await running.told() == []
    assert await running.energy_wh() == 5000
    assert running.meter.record.serial_number == ""


@pytest.mark.parametrize(
    ("serial_number", "read_wh", "shown_wh"), [(4711, 5100, 5100), (4711, 25_000, 25_000), (4712, 5100, 5000)]
)
async def test_a_program_that_starts_again_knows_the_meter(
    running, nursery, autojump_clock, serial_number, read_wh, shown_wh
):
    await running.told()
    record = running.meter.record
    running.rig.hold("serial_number", serial_number, METER_UNIT)
    running.register(read_wh)
    again = ModbusMeter(MappedDevice(running.rig.client, METER_UNIT, running.rig.meter), SETTINGS)
    again.resume(record, passed_s=60)
    assert (await again.read()).energy_import_wh == shown_wh
    again.resume(record, passed_s=60)
    assert (await again.read()).energy_import_wh == shown_wh


async def test_a_reading_that_cannot_be_is_not_handed_on(running, autojump_clock):
    await running.told()
    running.register(9_000_000)
    with pytest.raises(MeterSilentError, match="register went from 5000 to 9000000 Wh"):
        await running.energy_wh()


async def test_values_of_another_kind_of_meter_are_refused_at_the_start(nursery, autojump_clock):
    running = Running(nursery)
    running.rig.hold("frequency_hz", 1.5, METER_UNIT)
    (fault,) = await running.told()
    assert fault.info == "frequency_hz is 1.5, allowed: 45 to 65; is it ABB B21, B23, B24?"
    with pytest.raises(MeterSilentError):
        await running.energy_wh()


async def test_values_are_looked_at_again_when_the_line_is_back(running, autojump_clock):
    await running.told()
    running.rig.line.unplug()
    await running.told(10)
    running.rig.hold("frequency_hz", 1.5, METER_UNIT)
    running.rig.line.plugged = True
    events = await running.told(10)
    assert "frequency_hz is 1.5" in events[-1].info


async def test_what_a_meter_says_it_does_not_have_is_none(running, autojump_clock):
    table = running.rig.line.device(METER_UNIT)["holding"]
    table.update({0x5B02: 0xFFFF, 0x5B03: 0xFFFF})
    reading = await running.meter.read()
    assert reading.voltage_l2_v is None
    assert reading.voltage_l3_v == 0


async def test_a_meter_without_energy_is_refused(running, autojump_clock):
    running.rig.line.device(METER_UNIT)["holding"].update(dict.fromkeys(range(0x5000, 0x5004), 0xFFFF))
    with pytest.raises(MeterSilentError, match="no energy register"):
        await running.energy_wh()


async def test_a_register_that_no_meter_can_have_counted_is_refused(running, autojump_clock):
    """From the first reading on, with which nothing can be compared: no database takes such a number."""
    running.register(10**20)
    with pytest.raises(MeterSilentError, match="1e\\+20"):
        await running.energy_wh()
    assert [event.fault for event in await running.told()] == [HardwareFault.METER]
    running.register(10**9)
    assert await running.energy_wh() == 10**9
