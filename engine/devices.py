"""From the declared drivers of a station to the objects that drive it. Imports only what is declared."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from drivers.interfaces import ConnectorDriver, ReaderDriver
from engine.declaration.station import Station


class Devices(NamedTuple):
    """The devices of one station."""

    connectors: Mapping[int, ConnectorDriver]
    """By number from 1."""
    readers: Sequence[ReaderDriver]


class DeviceError(Exception):
    """A declared driver cannot be had. One line, for the user."""


def devices_of(station: Station) -> Devices:
    """The devices that ``station`` declares.

    Raises:
        DeviceError: A driver is unknown, or its parameters are wrong.
    """
    connectors: dict[int, ConnectorDriver] = {}
    for settings, device in zip(station.settings.connectors, station.drivers, strict=True):
        if device.driver != "simulated":
            raise DeviceError(f"connector {settings.number}: there is no driver {device.driver!r}")
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
            connectors[settings.number] = SimulatedConnector(
                msgspec.convert(declared, SimulatedConnectorSettings)
            )
        except (msgspec.ValidationError, ValueError) as error:
            raise DeviceError(f"connector {settings.number}, driver simulated: {error}") from error
    readers: list[ReaderDriver] = []
    for reader in station.readers:
        if reader.device.driver != "simulated":
            raise DeviceError(f"reader: there is no driver {reader.device.driver!r}")
        from drivers.simulated import SimulatedReader

        readers.append(SimulatedReader(reader.connectors))
    return Devices(connectors, readers)
