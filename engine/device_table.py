"""``statecharge devices``: what the declared hardware says, as a table. Nothing is written to it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TextIO

import trio

from drivers.interfaces import ConnectorDriver, ReaderDriver
from engine.declaration.station import Device, Station
from engine.devices import Devices, devices_of

if TYPE_CHECKING:
    from drivers.board import Board
    from drivers.modbus.device import MappedDevice

PATIENCE_S = 1.0
"""How long a reader may take to answer."""
WATCH_S = 1.0
"""Between two readings."""
MISSING_CODE = 1
"""Exit code when something did not answer, or with values that cannot be."""


class Row(NamedTuple):
    """One line of the table."""

    device: str
    name: str
    value: str
    is_wrong: bool = False


def show(station: Station, out: TextIO, *, watch: bool) -> int:
    """Print what the hardware of ``station`` says.

    Returns:
        The exit code.

    Raises:
        DeviceError: It cannot be had as it is declared.
    """
    try:
        return trio.run(_show, station, out, watch)
    except KeyboardInterrupt:
        return 0


async def _show(station: Station, out: TextIO, watch: bool) -> int:
    devices = devices_of(station)
    async with devices.running():
        return await _show_again(station, devices, out, watch)


async def _show_again(station: Station, devices: Devices, out: TextIO, watch: bool) -> int:
    while True:
        rows: list[Row] = []
        for number, driver in devices.connectors.items():
            rows += await _rows_of(number, driver)
        for reader, declared in zip(devices.readers, station.readers, strict=True):
            rows += await _rows_of_reader(reader, declared.device)
        print("\n".join(_lines(rows)), file=out, flush=True)
        if not watch:
            return MISSING_CODE if any(row.is_wrong for row in rows) else 0
        print(file=out)
        await trio.sleep(WATCH_S)


async def _rows_of(number: int, driver: ConnectorDriver) -> list[Row]:
    # A driver that was not declared is not imported to ask for its class.
    board: Board | None = getattr(driver, "board", None)
    mapped: dict[str, MappedDevice] | None = getattr(getattr(driver, "connector", driver), "devices", None)
    if mapped is None:
        return [Row(f"connector {number}", "driver", "simulated")]
    rows = _rows_of_board(f"connector {number} lines", board) if board is not None else []
    for kind, device in mapped.items():
        rows += await _rows_of_device(f"connector {number} {kind}", device)
    return rows


def _rows_of_board(title: str, board: "Board") -> list[Row]:
    """Inputs only: an output that was asked for would be set."""
    try:
        seen = board.look()
    except OSError as error:
        return [Row(title, "error", error.strerror or str(error), is_wrong=True)]
    return [Row(title, name, "active" if is_active else "inactive") for name, is_active in seen.items()]


async def _rows_of_reader(reader: ReaderDriver, declared: Device) -> list[Row]:
    look = getattr(reader, "look", None)
    if look is None:
        return [Row("reader", "driver", "simulated")]
    rows = [Row("reader", declared.driver, str(declared.parameters["device"]))]
    try:
        said = await look(PATIENCE_S)
    except (OSError, trio.BrokenResourceError) as error:
        return [*rows, Row("reader", "error", str(error), is_wrong=True)]
    return [*rows, Row("reader", "says", said or "nothing: it does not answer", is_wrong=not said)]


async def _rows_of_device(title: str, device: "MappedDevice") -> list[Row]:
    from drivers.modbus.errors import ModbusError

    found = device.map
    mark = "" if found.verified else ", map not verified"
    rows = [Row(title, "map", f"{found.id}{mark}")]
    begin = trio.current_time()
    async with device.client.used():
        try:
            values = await device.read(list(found.values))
        except ModbusError as error:
            return [*rows, Row(title, "error", str(error), is_wrong=True)]
    for name, value in values.items():
        allowed = found.probe.get(name)
        is_wrong = (
            allowed is not None and isinstance(value, int | float) and not allowed.min <= value <= allowed.max
        )
        shown = "not there" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
        rows.append(Row(title, name, f"{shown} (cannot be)" if is_wrong else shown, is_wrong=is_wrong))
    return [*rows, Row(title, "read in", f"{1000 * (trio.current_time() - begin):.0f} ms")]


def _lines(rows: list[Row]) -> Iterator[str]:
    device_size = max(len(row.device) for row in rows)
    name_size = max(len(row.name) for row in rows)
    for row in rows:
        yield f"{row.device:{device_size}}  {row.name:{name_size}}  {row.value}"
