"""A wallbox with hardware: controller, meter and card reader on serial lines of their own, and who moves them.

Controller and meter are servers of pymodbus on pseudo-terminals, the reader is played on pyserial-asyncio.
"""

import struct

import trio

from tests.peers.fake_reader import FakeReader
from tests.peers.modbus_devices import PymodbusDevices

EVSE, METER = 5, 1
REGISTERS = 40_000
STATION = """
extends = "ac-smart"
limits.back_off_first_s = 0.1
limits.back_off_max_s = 0.1

[keys]
MeterValueSampleInterval = {{ default = 1 }}

[[connectors]]
number = 1
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "modbus"

[connectors.parameters.evse]
map = "phoenix-ev-cc-basic"
device = "{folder}/evse"
baudrate = 115200
unit = 5
silent_after_s = 1
stays_on_when_silent = true

[connectors.parameters.meter]
map = "eastron-sdm630"
device = "{folder}/meter"
baudrate = 115200
poll_s = 0.2
silent_after_s = 1

[[readers]]
driver = "rdm6300"
connectors = [1]

[readers.parameters]
device = "{folder}/reader"
byte_order = "as_read"
silent_after_s = 1
"""


class Wallbox:
    """The hardware, and who moves it."""

    def __init__(self, folder):
        self._folder = folder
        self.energy_kwh = 100.0
        self._plugged = {}
        self.plug_in_controller()
        self.plug_in_meter()
        self.plug_in_reader()

    def close(self):
        for name in list(self._plugged):
            self.pull(name)

    def _plug_in(self, name, unit):
        devices = PymodbusDevices([unit], self._folder / name, registers=REGISTERS)
        # Until its registers hold what they shall.
        devices.silent.add(unit)
        self._plugged[name] = devices
        return devices.__enter__()

    def plug_in_controller(self, pilot="A1", cable_a=0):
        self.evse = self._plug_in("evse", EVSE)
        self.pilot(pilot, cable_a)
        self.evse.silent.clear()

    def plug_in_meter(self):
        self.meter = self._plug_in("meter", METER)
        self._measure(0x46, 50.0)
        self.consume(0)
        self.meter.silent.clear()

    def plug_in_reader(self):
        self.reader = self._plugged["reader"] = FakeReader(self._folder / "reader", pushes=True)
        self.reader.__enter__()

    def pull(self, name):
        """Pull the plug of a serial adapter."""
        self._plugged.pop(name).__exit__()

    def _measure(self, address, value):
        self.meter.set(METER, "input", address, struct.unpack(">2H", struct.pack(">f", value)))

    def consume(self, energy_wh):
        self.energy_kwh += energy_wh / 1000
        self._measure(0x48, self.energy_kwh)

    def pilot(self, state, cable_a=32):
        self.evse.set(EVSE, "holding", 24000, [int.from_bytes(state.encode(), "big"), cable_a])

    def present(self):
        """Hold a card to the reader for a moment."""
        self.reader.present("100086F444")

    async def until_allowed(self, amps):
        """Wait until the controller offers so much, or nothing."""
        with trio.fail_after(20):
            while True:
                allowed = self.evse.get(EVSE, "coil", 20000)[0]
                offered = self.evse.get(EVSE, "holding", 22000)[0] if allowed else 0
                if offered == amps:
                    return
                await trio.sleep(0.02)


async def begin_charging(csms, wallbox, meter_start=100_000):
    """Plug in, show a card, and let the vehicle ask for energy."""
    await csms.until_available()
    wallbox.pilot("B1")
    await csms.until_status("Preparing")
    wallbox.present()
    await csms.until_call("StartTransaction", idTag="100086F444", meterStart=meter_start)
    await wallbox.until_allowed(32)
    assert wallbox.evse.get(EVSE, "coil", 20002) == [True]
    wallbox.pilot("C2")
    await csms.until_status("Charging")
