"""From the declared drivers of a station to the objects that drive it. Imports only what is declared."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from drivers.interfaces import ConnectorDriver, ReaderDriver
from drivers.strict_toml import FileError
from engine.declaration.schema import READER_DRIVERS
from engine.declaration.station import Device, Reader, Station
from machines.vocabulary.settings import ConnectorSettings

if TYPE_CHECKING:
    from engine.fieldbus import Lines
    from engine.serial_lines import SerialPorts

EXTRAS = {
    "pymodbus": "modbus",
    "serial": "serial",
    "gpiod": "gpio",
    "serial_asyncio": "asyncio-serial",
    "trio_asyncio": "asyncio-serial",
}
"""The extra that brings a module."""


class Devices(NamedTuple):
    """The devices of one station."""

    connectors: Mapping[int, ConnectorDriver]
    """By number from 1."""
    readers: Sequence[ReaderDriver]
    ports: "SerialPorts | None" = None
    """The serial ports, if any are declared."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what the drivers need beside Trio; they run within."""
        if self.ports is None:
            yield
        else:
            async with self.ports.running():
                yield


class DeviceError(Exception):
    """A declared driver cannot be had. One line, for the user."""


def devices_of(station: Station) -> Devices:
    """The devices that ``station`` declares.

    Raises:
        DeviceError: A driver is unknown, its parameters are wrong, or what it needs is not installed.
    """
    build = _Builder(station)
    connectors = {
        settings.number: build.connector(settings, device)
        for settings, device in zip(station.settings.connectors, station.drivers, strict=True)
    }
    readers = [build.reader(reader) for reader in station.readers]
    return Devices(connectors, readers, build.ports)


class _Builder:
    """Makes the devices of one station; what connectors share, it makes once."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._lines: Lines | None = None
        self.ports: SerialPorts | None = None

    def connector(self, settings: ConnectorSettings, device: Device) -> ConnectorDriver:
        """The driver of one connector."""
        place = f"connector {settings.number}"
        if device.driver == "simulated":
            return _simulated_connector(place, settings, device)
        if device.driver != "modbus":
            raise DeviceError(f"{place}: there is no driver {device.driver!r}")
        try:
            from engine.fieldbus import LineError, Lines, maps_folder, modbus_connector
            from engine.serial_lines import SerialPorts
        except ModuleNotFoundError as error:
            raise _missing(place, device, error) from error
        self.ports = self.ports or SerialPorts()
        self._lines = self._lines or Lines(self.ports)
        folder = maps_folder(self._station.path, device.parameters.get("maps"))
        try:
            return modbus_connector(
                settings,
                device.parameters,
                folder,
                self._lines,
                switches_phases=self._station.defaults.connector_switch3to1_phase_supported,
            )
        except ModuleNotFoundError as error:
            raise _missing(place, device, error) from error
        except (LineError, FileError) as error:
            raise DeviceError(f"{place}, driver modbus: {error}") from error

    def reader(self, reader: Reader) -> ReaderDriver:
        """The driver of one card reader."""
        device = reader.device
        if device.driver == "simulated":
            from drivers.simulated import SimulatedReader

            return SimulatedReader(reader.connectors)
        if device.driver not in READER_DRIVERS:
            raise DeviceError(f"reader: there is no driver {device.driver!r}")
        try:
            from engine.card_readers import serial_reader
            from engine.serial_lines import SerialPorts

            self.ports = self.ports or SerialPorts()
            return serial_reader(device.driver, device.parameters, reader.connectors, self.ports)
        except ModuleNotFoundError as error:
            raise _missing("reader", device, error) from error


def _missing(place: str, device: Device, error: ModuleNotFoundError) -> DeviceError:
    """What to tell when an extra is not installed. A module of ours that is missing is a defect."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        raise error
    return DeviceError(f"{place}: the driver {device.driver} needs pip install 'statecharge[{extra}]'")


def _simulated_connector(place: str, settings: ConnectorSettings, device: Device) -> ConnectorDriver:
    from drivers.simulated import SimulatedConnector, SimulatedConnectorSettings

    declared = {
        "cable": settings.cable,
        "has_lock": settings.has_lock,
        "phases": settings.phases,
        "voltage_v": settings.voltage_v,
        "current_max_a": settings.current_max_a,
        **device.parameters,
    }
    try:
        return SimulatedConnector(msgspec.convert(declared, SimulatedConnectorSettings))
    except (msgspec.ValidationError, ValueError) as error:
        raise DeviceError(f"{place}, driver simulated: {error}") from error
