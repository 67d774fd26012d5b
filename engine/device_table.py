"""``statecharge devices``: what the declared hardware says, as a table. Nothing is written to it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TextIO

import trio

from drivers.interfaces import ConnectorDriver
from engine.declaration.station import Station
from engine.devices import devices_of

if TYPE_CHECKING:
    from drivers.modbus.device import MappedDevice

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
    while True:
        rows: list[Row] = []
        for number, driver in devices.connectors.items():
            rows += await _rows_of(number, driver)
        for reader, declared in zip(devices.readers, station.readers, strict=True):
            place = declared.device.parameters.get("device", type(reader).__name__)
            rows.append(Row("reader", declared.device.driver, str(place)))
        print("\n".join(_lines(rows)), file=out, flush=True)
        if not watch:
            return MISSING_CODE if any(row.is_wrong for row in rows) else 0
        print(file=out)
        await trio.sleep(WATCH_S)


async def _rows_of(number: int, driver: ConnectorDriver) -> list[Row]:
    # A driver that was not declared is not imported to ask for its class.
    mapped: dict[str, MappedDevice] | None = getattr(driver, "devices", None)
    if mapped is None:
        return [Row(f"connector {number}", "driver", "simulated")]
    rows: list[Row] = []
    for kind, device in mapped.items():
        rows += await _rows_of_device(f"connector {number} {kind}", device)
    return rows


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
