"""Declared drivers: what is wrong is told, what is right becomes objects, and nothing else is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.board_connector import BoardConnector
from drivers.modbus_connector import ModbusConnector
from drivers.modbus_evse import EvseSettings
from drivers.readers.serial_reader import SerialReader
from engine.declaration.checks import READER_GONE_AFTER_S, READER_POLL_S
from engine.declaration.fieldbus import EVSE_POLL_S, EVSE_SILENT_AFTER_S, EVSE_WATCHDOG_S
from engine.devices import DeviceError, Devices, devices_of
from engine.station_file import StationFileError, load

ROOT = Path(__file__).parents[2]

STATION = """
extends = "ac-smart"

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
map = "phoenix-charx-sec"
host = "192.168.4.2"
watchdog_s = 15

[connectors.parameters.meter]
map = "eastron-sdm630"
device = "/dev/ttyUSB0"

[[readers]]
driver = "pn532"
connectors = [1]

[readers.parameters]
device = "/dev/ttyUSB1"
byte_order = "as_read"
"""

METER_TABLE = "[connectors.parameters.meter]"
LINES = f"""[connectors.parameters.lines]
chip = "/dev/gpiochip0"
contactor = {{ line = "5" }}
lock = {{ line = "6", active_low = true }}
lock_closed = {{ line = "LOCK_AUX" }}

{METER_TABLE}"""

SECOND = """
[[connectors]]
number = 2
cable = "tethered"
has_lock = false
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "modbus"

[connectors.parameters.evse]
map = "phoenix-ev-cc-basic"
stays_on_when_silent = true
device = "/dev/ttyUSB0"
unit = 3
"""


@pytest.fixture
def devices(tmp_path):
    def devices(text: str) -> Devices:
        file = tmp_path / "station.toml"
        file.write_text(text)
        return devices_of(load(file))

    return devices


def both(text: str = STATION) -> str:
    """``text`` with a second connector, and keys that say so."""
    return (
        text.replace("[[readers]]", SECOND + "\n[[readers]]") + "\n[keys.NumberOfConnectors]\ndefault = 2\n"
    )


def test_declared_drivers_become_objects(devices):
    found = devices(STATION)
    assert isinstance(found.connectors[1], ModbusConnector)
    assert isinstance(found.readers[0], SerialReader)
    assert found.readers[0].connectors == (1,)


def test_devices_on_one_line_share_it(devices):
    found = devices(both())
    meter, controller = found.connectors[1]._meter_device, found.connectors[2]._evse_device
    assert meter.client is controller.client
    assert meter.client is not found.connectors[1]._evse_device.client


def test_the_meter_of_a_controller_is_used_if_no_other_is_declared(devices):
    head, _, rest = STATION.partition("[connectors.parameters.meter]")
    connector = devices(head + rest[rest.index("[[readers]]") :]).connectors[1]
    assert connector._meter_device is connector._evse_device


def test_lines_of_a_board_stand_beside_the_controller(devices):
    connector = devices(STATION.replace(METER_TABLE, LINES)).connectors[1]
    assert isinstance(connector, BoardConnector)
    settings = connector.board._settings
    assert (settings.outputs, settings.inputs) == (("contactor", "lock"), ("lock_closed",))
    assert connector.connector._evse._settings.has_lock is False


def test_one_line_cannot_be_declared_in_two_ways(devices):
    with pytest.raises(DeviceError, match="/dev/ttyUSB0 is declared as 9600 8N1 and as 19200 8N1"):
        devices(both().replace("unit = 3", "unit = 3\nbaudrate = 19200"))


def test_the_direction_of_a_line_is_that_of_the_line_and_not_of_a_device(devices):
    with pytest.raises(DeviceError, match="is declared as 9600 8N1 and as 9600 8N1, rs485 rts_inverted"):
        devices(both().replace("unit = 3", 'unit = 3\nrs485 = "rts_inverted"'))


def test_a_map_of_the_installation_is_found_beside_the_station_file(devices, tmp_path):
    (tmp_path / "own").mkdir()
    shipped = (ROOT / "drivers/devices/eastron-sdm630.toml").read_text()
    (tmp_path / "own/mine.toml").write_text(shipped.replace('id = "eastron-sdm630"', 'id = "mine"'))
    text = STATION.replace('map = "eastron-sdm630"', 'map = "mine"')
    text = text.replace(
        "[connectors.parameters.evse]",
        '[connectors.parameters]\nmaps = "own"\n\n[connectors.parameters.evse]',
    )
    assert devices(text).connectors[1]._meter_device.map.id == "mine"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"phoenix-charx-sec"', '"charx"', 'found "charx", allowed: the name of a register map: there is no'),
        ('"phoenix-charx-sec"', '"abb-b23"', 'found "abb-b23", of kind meter, allowed: one of kind evse'),
        ('"192.168.4.2"', '"192.168.4.2"\ndevice = "/dev/ttyUSB9"', "found both, allowed: device, a serial"),
        ('device = "/dev/ttyUSB0"', "unit = 1", "parameters.meter: found neither, allowed: device, a serial"),
        ('"/dev/ttyUSB0"', '"/dev/ttyUSB0"\nframing = "tcp"', 'found "tcp", allowed: "rtu" on a serial line'),
        ('"/dev/ttyUSB0"', '"/dev/ttyUSB0"\nparity = "M"', 'found "M", allowed: one of N, E, O'),
        ('"/dev/ttyUSB0"', '"/dev/ttyUSB0"\nrs485 = "on"', 'found "on", allowed: one of rts, rts_inverted'),
        ('"/dev/ttyUSB0"', '"/dev/ttyUSB0"\nspeed = 9600', "found the unknown name 'speed', allowed: one of"),
        ("watchdog_s = 15", "watchdog_s = 0", "watchdog_s: found 0, allowed: a number, 1..600"),
        (
            "watchdog_s = 15",
            "watchdog_s = 2\npoll_s = 1.5",
            "watchdog_s: found 2, allowed: twice poll_s or silent_after_s at least, 1.5",
        ),
        (
            "watchdog_s = 15",
            "poll_s = 20\nsilent_after_s = 20",
            "parameters.evse.watchdog_s: found 10, allowed: twice poll_s or silent_after_s at least, 20",
        ),
        (
            'byte_order = "as_read"',
            "",
            "readers[0].parameters.byte_order: found nothing, allowed: one of as_read",
        ),
        ('"pn532"', '"pn533"', 'found "pn533", allowed: one of simulated, rdm6300, ascii_line, twn4, pn532'),
        (
            'map = "phoenix-charx-sec"',
            'map = "phoenix-ev-cc-basic"',
            "watchdog_s: found 15, allowed: nothing",
        ),
        ('map = "phoenix-charx-sec"', 'map = "weidmueller-ac-smart"', "has_lock: found true, allowed: false"),
        (
            'map = "phoenix-charx-sec"\nhost = "192.168.4.2"\nwatchdog_s = 15',
            'map = "phoenix-ev-cc-basic"\ndevice = "/dev/ttyUSB1"',
            "stays_on_when_silent: found nothing, allowed: true, or a contactor among the lines",
        ),
        (
            "watchdog_s = 15",
            "stays_on_when_silent = true",
            "stays_on_when_silent: found true, allowed: nothing",
        ),
        (
            METER_TABLE,
            LINES.replace('chip = "/dev/gpiochip0"\n', ""),
            "lines.chip: found nothing, allowed: the path",
        ),
        (METER_TABLE, LINES.replace("lock_closed", "residual_current"), "lines.lock_closed: found nothing"),
        (
            METER_TABLE,
            LINES.replace('"6"', '"5"'),
            'lines.lock.line: found "5" again, allowed: every line once',
        ),
        (METER_TABLE, LINES.replace("contactor", "horn"), "lines.horn: found the unknown name 'horn'"),
        (
            'byte_order = "as_read"',
            'byte_order = "as_read"\npoll_s = 1.5',
            "readers[0].parameters.poll_s: found 1.5, allowed: less than gone_after_s, 1",
        ),
        (
            'byte_order = "as_read"',
            'byte_order = "as_read"\ngone_after_s = 0.2',
            "readers[0].parameters.poll_s: found 0.25, allowed: less than gone_after_s, 0.2",
        ),
        (
            "[[readers]]",
            "[keys]\nConnectorSwitch3to1PhaseSupported = { default = true }\n\n[[readers]]",
            "found nothing that switches phases",
        ),
    ],
)
def test_what_is_wrong_with_a_device_is_told(devices, old, new, problem):
    assert old in STATION
    with pytest.raises(StationFileError) as caught:
        devices(STATION.replace(old, new, 1))
    assert problem in str(caught.value)


def test_what_is_not_declared_is_checked_as_the_drivers_have_it(devices):
    reader = devices(STATION).readers[0]._settings
    assert (reader.poll_s, reader.card.gone_after_s) == (READER_POLL_S, READER_GONE_AFTER_S)
    evse = EvseSettings(cable="socket", has_lock=True)
    assert (evse.poll_s, evse.silent_after_s) == (EVSE_POLL_S, EVSE_SILENT_AFTER_S)
    assert evse.watchdog_s == EVSE_WATCHDOG_S


def test_a_reader_that_tells_by_itself_is_not_asked(devices):
    text = STATION.replace('"pn532"', '"rdm6300"')
    devices(text.replace('byte_order = "as_read"', 'byte_order = "as_read"\ngone_after_s = 0.2'))


BY_ASYNCIO = STATION.replace('"/dev/ttyUSB0"', '"/dev/ttyUSB0"\nbackend = "asyncio"')


@pytest.mark.parametrize(
    ("missing", "text", "told"),
    [
        ("pymodbus", STATION, "connector 1: the driver modbus needs pip install 'statecharge[modbus]'"),
        (
            "serial_asyncio",
            BY_ASYNCIO,
            "connector 1: the driver modbus needs pip install 'statecharge[asyncio-serial]'",
        ),
        (
            "gpiod",
            STATION.replace(METER_TABLE, LINES),
            "connector 1: the driver modbus needs pip install 'statecharge[gpio]'",
        ),
    ],
)
def test_what_is_not_installed_is_told(tmp_path, missing, text, told):
    """An interpreter that lacks it."""
    (tmp_path / "station.toml").write_text(text)
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from engine.devices import DeviceError, devices_of\n"
        "from engine.station_file import load\n"
        f"try: devices_of(load({str(tmp_path / 'station.toml')!r}))\n"
        "except DeviceError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == f"{told}\n"


@pytest.mark.parametrize(
    ("station", "loaded"),
    [
        ("ac-smart", set()),
        ("own", {"pymodbus", "serial", "drivers.readers.pn532"}),
        (
            "asyncio",
            {"pymodbus", "serial", "serial_asyncio", "trio_asyncio", "drivers.readers.pn532"},
        ),
        ("board", {"pymodbus", "serial", "gpiod", "drivers.board", "drivers.gpio", "drivers.readers.pn532"}),
    ],
)
def test_only_the_declared_drivers_are_imported(tmp_path, station, loaded):
    file = tmp_path / "station.toml"
    texts = {"own": STATION, "asyncio": BY_ASYNCIO, "board": STATION.replace(METER_TABLE, LINES)}
    file.write_text(texts.get(station, ""))
    code = (
        "from engine.devices import devices_of\nfrom engine.station_file import load\n"
        f"devices_of(load({station if station == 'ac-smart' else str(file)!r}))\nimport sys\n"
        "print(*(name for name in sys.modules if name in ('pymodbus', 'serial', 'gpiod', 'asyncio',"
        "'serial_asyncio', 'trio_asyncio', 'drivers.board', 'drivers.gpio')"
        " or name.startswith('drivers.readers.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (
        set(run.stdout.split()) - {"asyncio", "drivers.readers.card", "drivers.readers.serial_reader"}
        == loaded
    )
