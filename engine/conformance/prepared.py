"""The station of a script: the declared one, with what the script declares otherwise, and without chance.

Its meter is there as soon as the station is.
"""

import tempfile
from functools import lru_cache
from pathlib import Path

from msgspec.structs import replace

from engine.conformance.enactment import METER_TIMEOUT_S
from engine.conformance.script import Header, ScriptError
from engine.declaration.station import Device, Station
from engine.station_file import StationFileError, load
from machines.vocabulary.keys import KeyRefusal, parse_value, with_value

VEHICLE = {"battery_capacity_wh": 1e9}
"""A battery that no script fills."""


def station_of(header: Header) -> Station:
    """The station that a script is for; its hardware is simulated, its waiting times are not random.

    Raises:
        ScriptError: There is no such station, or it cannot be declared so.
    """
    station = declared(header)
    keys = station.defaults
    for name, text in header.keys.items():
        rule = station.keys.find(name)
        if rule is None:
            raise ScriptError(f"{header.script}: key {name}: the station has none of that name")
        value = parse_value(rule, text)
        if isinstance(value, KeyRefusal):
            raise ScriptError(f"{header.script}: key {name}: {value.why}")
        keys = with_value(keys, rule, value)
    limits = replace(station.settings.limits, back_off_jitter=0.0, boot_retry_jitter=0.0, meter_start_s=0.0)
    settings = replace(station.settings, limits=limits)
    return replace(station, settings=settings, defaults=keys, drivers=tuple(map(_patient, station.drivers)))


def declared(header: Header) -> Station:
    """The station that a script is for as its file says, its keys not yet changed.

    Raises:
        ScriptError: There is no such station, or it cannot be declared so.
    """
    try:
        return _declared(header.station, header.declares)
    except StationFileError as error:
        first = error.problems[0]
        raise ScriptError(f"{header.script}: station {header.station}: {first}") from error


@lru_cache(maxsize=64)
def _declared(station: str, declares: str) -> Station:
    if not declares:
        return load(station)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "station.toml"
        file.write_text(f'extends = "{station}"\n{declares}', encoding="utf-8")
        return load(file)


def _patient(device: Device) -> Device:
    vehicle = device.parameters.get("vehicle", {})
    assert isinstance(vehicle, dict)
    patient = {"vehicle": {**vehicle, **VEHICLE}, "meter_timeout_s": METER_TIMEOUT_S}
    return replace(device, parameters={**device.parameters, **patient})
