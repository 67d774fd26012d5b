"""The station file: from station.toml to a :class:`Station`, or to every problem in it.

A file is read with the ones it extends and merged (``declaration.layers``), checked entry by entry against
the schema (``declaration.schema``), then as a whole (``declaration.checks``, ``declaration.keys``). Nothing
has a default in code: what a file does not say stands in one that it extends, as ``stations/base.toml``.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import msgspec
from msgspec.structs import replace

from engine.declaration.checks import (
    TRANSFER_FILES,
    check_central_system,
    check_connectors,
    check_files,
    check_installation,
    check_limits,
    check_messages,
    check_readers,
    check_vendors,
    read_authorization_key,
)
from engine.declaration.keys import Construction, KeyReader
from engine.declaration.layers import Layers, Table, read_layers
from engine.declaration.problems import Problem, StationFileError
from engine.declaration.station import (
    Bench,
    CentralSystem,
    Device,
    Firmware,
    Log,
    Process,
    Reader,
    Station,
    Transfers,
)
from engine.declaration.validate import validate
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.settings import (
    ConnectorSettings,
    Identity,
    Installation,
    Limits,
    Recovery,
    Settings,
    VendorMessages,
)

__all__ = ["Problem", "Station", "StationFileError", "check", "describe", "load"]

UNKNOWN = Construction(connectors=1, current_max_a=80, has_lock=True, is_known=False)
"""Stands in while the connectors are declared wrongly."""


def load(path_or_name: str | Path) -> Station:
    """Read the station file ``path_or_name``: a path, or the name of a shipped one such as ``full``.

    Raises:
        StationFileError: The file, or one that it extends, is wrong. All problems are told at once.
        OSError: One cannot be read now, which may pass.
    """
    layers = read_layers(path_or_name)
    merged = layers.merged()
    valid = validate(layers, merged)
    connectors = _tables(valid, "connectors")
    check_connectors(layers, connectors)
    are_wrong = any(problem.path.startswith("connectors") for problem in layers.problems)
    construction = UNKNOWN if are_wrong else _construction(connectors)
    if "connectors" in valid:
        check_readers(layers, _tables(valid, "readers"), len(connectors))
    check_messages(layers, _table(valid, "messages"))
    check_vendors(layers, _table(valid, "data_transfer"))
    check_limits(layers, _table(valid, "limits"), len(connectors))
    check_installation(layers, _table(valid, "installation"))
    check_files(layers, _table(valid, "transfers"), _table(valid, "firmware"))
    csms = _table(valid, "csms")
    check_central_system(layers, csms)
    declared = KeyReader(layers, valid, construction).read(read_authorization_key(layers, csms))
    if layers.problems:
        raise StationFileError(tuple(layers.problems))
    assert declared is not None
    if declared[1].connector_switch3to1_phase_supported:
        _check_phases(layers, connectors)
    return _build(
        layers.file,
        valid,
        declared,
        layers.directory_of(("csms", "ca_file")),
        {name: layers.directory_of(("transfers", name)) for name in TRANSFER_FILES},
    )


def _can_switch_phases(station: Path, connector: Table) -> bool:
    """Whether the hardware of a connector can connect one phase or three; what is simulated can."""
    if connector["driver"] != "modbus":
        return True
    from engine.declaration.fieldbus import can_switch_phases  # with all that reads register maps

    return can_switch_phases(station, _table(connector, "parameters"))


def _check_phases(layers: Layers, connectors: list[Table]) -> None:
    """What is declared of phases is nothing that hardware cannot do.

    Raises:
        StationFileError: It is.
    """
    for index, connector in enumerate(connectors):
        if connector["phases"] == 3 and not _can_switch_phases(layers.file, connector):
            path = ("connectors", index, "parameters")
            found = "nothing that switches phases, with ConnectorSwitch3to1PhaseSupported"
            layers.refuse(
                path, found, "lines.phases, or a controller whose register map has the action phases"
            )
    if layers.problems:
        raise StationFileError(tuple(layers.problems))


def _table(table: Table, name: str) -> Table:
    value = table.get(name, {})
    assert isinstance(value, dict)
    return value


def _tables(table: Table, name: str) -> list[Table]:
    value = table.get(name, [])
    assert isinstance(value, list)
    return value


def _construction(connectors: list[Table]) -> Construction:
    settings = msgspec.convert([_common(connector) for connector in connectors], list[ConnectorSettings])
    return Construction(
        connectors=len(settings),
        current_max_a=int(max(connector.current_max_a for connector in settings)),
        has_lock=any(connector.has_lock for connector in settings),
        is_known=True,
    )


def _common(connector: Table) -> Table:
    """What every connector has, whatever drives it."""
    return {name: value for name, value in connector.items() if name not in ("driver", "parameters")}


def _device(table: Table) -> Device:
    return Device(driver=str(table["driver"]), parameters=_table(table, "parameters"))


def _build(
    file: Path,
    valid: Table,
    declared: tuple[KeySet, Keys],
    ca_directory: Path,
    file_directories: Mapping[str, Path],
) -> Station:
    """The station of a declaration that is right throughout."""
    keys, defaults = declared
    connectors, csms = _tables(valid, "connectors"), _table(valid, "csms")
    messages = msgspec.convert(_table(valid, "messages"), dict[str, frozenset[str]])
    ca_file = csms.get("ca_file")
    return Station(
        path=file,
        hash=_hash(valid),
        settings=Settings(
            identity=msgspec.convert(valid["identity"], Identity),
            connectors=msgspec.convert(
                [_common(connector) for connector in connectors], tuple[ConnectorSettings, ...]
            ),
            limits=msgspec.convert(valid["limits"], Limits),
            sends=messages["sends"],
            receives=messages["receives"],
            data_transfer=tuple(
                msgspec.convert({"vendor_id": vendor, **answer}, VendorMessages)
                for vendor, answer in _table(valid, "data_transfer").items()
                if isinstance(answer, dict)
            ),
            installation=msgspec.convert(_table(valid, "installation"), Installation),
            recovery=Recovery(str(_table(valid, "transactions")["recovery"])),
            reboots_for_firmware=_table(valid, "firmware")["after"] == "reboot",
            free_id_tag=str(_table(valid, "transactions").get("free_id_tag", "")),
            reservations_outlast_faults=_table(valid, "reservations")["outlast_faults"] is True,
        ),
        keys=keys,
        defaults=defaults,
        csms=CentralSystem(
            url=str(csms["url"]).rstrip("/"),
            identity=str(csms["identity"]),
            ca_file=ca_directory / str(ca_file) if ca_file is not None else None,
        ),
        drivers=tuple(_device(connector) for connector in connectors),
        readers=tuple(
            Reader(device=_device(reader), connectors=msgspec.convert(reader["connectors"], tuple[int, ...]))
            for reader in _tables(valid, "readers")
        ),
        bench=msgspec.convert(valid["bench"], Bench),
        log=msgspec.convert(valid["log"], Log),
        transfers=_transfers(_table(valid, "transfers"), file_directories),
        firmware=msgspec.convert(valid["firmware"], Firmware),
        process=msgspec.convert(valid["process"], Process),
    )


def _transfers(table: Table, directories: Mapping[str, Path]) -> Transfers:
    files = {name: directories[name] / str(table[name]) for name in TRANSFER_FILES if name in table}
    bounds = {name: value for name, value in table.items() if name not in TRANSFER_FILES}
    return replace(msgspec.convert(bounds, Transfers), **files)


def _hash(valid: Table) -> str:
    """SHA-256 of a declaration, whatever files and order it was written in. The secret is left out."""
    csms = {name: value for name, value in _table(valid, "csms").items() if name != "authorization_key"}
    public = {**valid, "csms": csms}
    return hashlib.sha256(msgspec.json.encode(public, order="sorted")).hexdigest()


def describe(station: Station) -> str:
    """A station in a few lines, for people."""
    identity, settings = station.settings.identity, station.settings
    lines = [
        f"{station.path}: {identity.vendor} {identity.model}, {station.csms.identity} at {station.csms.url}"
    ]
    for connector, device in zip(settings.connectors, station.drivers, strict=True):
        lock = " with lock" if connector.has_lock else ""
        lines.append(
            f"connector {connector.number}: {connector.cable}{lock}, {connector.current_max_a:g} A, "
            f"{connector.phases} phase{'s' if connector.phases > 1 else ''}, driver {device.driver}"
        )
    lines.append(
        f"{len(settings.sends)} messages sent, {len(settings.receives)} received, "
        f"{len(station.keys.rules)} configuration keys"
    )
    return "\n".join(lines)


def check(path_or_name: str | Path, out: TextIO, err: TextIO) -> int:
    """Say on ``out`` what a station file declares, or on ``err`` what is wrong with it, one line a problem.

    Returns:
        0 if the file is right, else 2: the exit code of ``statecharge check``; 1 if it cannot be read now.
    """
    try:
        station = load(path_or_name)
    except StationFileError as error:
        for problem in error.problems:
            print(problem, file=err)
        return 2
    except OSError as error:
        print(f"{error.filename or path_or_name}: {error.strerror}", file=err)
        return 1
    print(describe(station), file=out)
    return 0
