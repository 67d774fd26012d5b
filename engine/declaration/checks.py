"""What must hold between the entries of a declaration, beyond the bounds of each."""

import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from drivers.strict_toml import MENDABLE
from engine.declaration.layers import Layers, Table
from engine.declaration.problems import EntryPath, nearest, show_names, show_value
from engine.declaration.schema import (
    CONNECTOR_DRIVERS,
    OUTBOX_SPARE,
    PRINTABLE,
    READER_DRIVERS,
    Entry,
)
from engine.declaration.validate import validate_table
from machines.vocabulary.ocpp import ACTIONS

AUTHORIZATION_KEY_SIZES = range(32, 41, 2)
"""Hexadecimal digits of 16 to 20 bytes (OCPP-J 1.6 section 6.2, security white paper)."""

READER_POLL_S, READER_GONE_AFTER_S = 0.25, 1.0
"""Of a card reader where nothing else is declared (drivers/readers/serial_reader.py, engine/card_readers.py)."""

VENDOR_ID_SIZE_MAX, MESSAGE_ID_SIZE_MAX = 255, 50
"""Characters in DataTransfer.req."""


def check_connectors(layers: Layers, connectors: list[Table]) -> None:
    """Numbers without gaps, currents in order, no lock without a socket, drivers that exist."""
    for index, connector in enumerate(connectors):
        path: EntryPath = ("connectors", index)
        number = connector.get("number")
        if number not in (None, index + 1):
            layers.refuse(
                (*path, "number"), show_value(number), f"{index + 1}: from 1 without gaps, in order"
            )
        least, most = connector.get("current_min_a"), connector.get("current_max_a")
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            layers.refuse((*path, "current_min_a"), show_value(least), f"at most current_max_a, {most:g}")
        if connector.get("has_lock") is True and connector.get("cable") == "tethered":
            layers.refuse((*path, "has_lock"), "true", "false with a tethered cable")
        _check_driver(layers, path, connector, CONNECTOR_DRIVERS)


def check_readers(layers: Layers, readers: list[Table], connectors: int) -> None:
    """Readers serve connectors that exist, each once, with drivers that exist."""
    for index, reader in enumerate(readers):
        path: EntryPath = ("readers", index)
        served = reader.get("connectors")
        numbers = served if isinstance(served, list) else []
        for item, number in enumerate(numbers):
            if not 1 <= number <= connectors or number in numbers[:item]:
                layers.refuse((*path, "connectors", item), str(number), f"each of 1..{connectors} once")
        _check_driver(layers, path, reader, READER_DRIVERS)


def _check_driver(
    layers: Layers, path: EntryPath, device: Table, drivers: dict[str, tuple[Entry, ...]]
) -> None:
    driver = device.get("driver")
    if not isinstance(driver, str):
        return
    if driver not in drivers:
        allowed = f"one of {show_names(list(drivers))}"
        layers.refuse((*path, "driver"), show_value(driver), allowed, nearest(driver, list(drivers)))
        return
    parameters = device.get("parameters", {})
    assert isinstance(parameters, dict)
    valid = validate_table(layers, (*path, "parameters"), parameters, drivers[driver])
    if any(entry.path == "poll_s" for entry in drivers[driver]):
        _check_poll(layers, (*path, "parameters", "poll_s"), valid)
    if driver == "modbus":
        from engine.declaration.fieldbus import check_modbus  # with all that reads register maps

        check_modbus(layers, path, device, valid)


def _check_poll(layers: Layers, path: EntryPath, reader: Table) -> None:
    """A card that lies there is seen again before it counts as taken away, or it is presented again and again."""
    poll_s, gone_s = reader.get("poll_s", READER_POLL_S), reader.get("gone_after_s", READER_GONE_AFTER_S)
    if isinstance(poll_s, int | float) and isinstance(gone_s, int | float) and poll_s >= gone_s:
        layers.refuse(path, f"{poll_s:g}", f"less than gone_after_s, {gone_s:g}")


def check_messages(layers: Layers, messages: Table) -> None:
    """Actions that exist, once, and in the right direction."""
    reports = [action.name for action in ACTIONS.values() if action.from_charge_point]
    commands = [action.name for action in ACTIONS.values() if action.from_central_system]
    for list_name, possible, other, direction in (
        ("sends", reports, commands, "sent by the Central System only"),
        ("receives", commands, reports, "sent by the charge point only"),
    ):
        stated = messages.get(list_name)
        names = stated if isinstance(stated, list) else []
        for index, name in enumerate(names):
            path = ("messages", list_name, index)
            if name in names[:index]:
                layers.refuse(path, f"{show_value(name)} again", "every message once")
            elif name not in possible:
                hint = f"it is {direction}" if name in other else nearest(name, possible)
                layers.refuse(path, show_value(name), "an action of OCPP 1.6 in this direction", hint)
    sends = messages.get("sends")
    if isinstance(sends, list) and "BootNotification" not in sends:
        layers.refuse(
            ("messages", "sends"), "no BootNotification", "BootNotification and others", "no start without"
        )


def check_vendors(layers: Layers, vendors: Table) -> None:
    """Texts that a DataTransfer can carry, each once: they are compared in any case."""
    seen: list[str] = []
    for vendor, answer in vendors.items():
        path: EntryPath = ("data_transfer", vendor)
        _check_text(layers, path, vendor, 1, VENDOR_ID_SIZE_MAX)
        if vendor.casefold() in seen:
            layers.refuse(path, f"{show_value(vendor)} again", "every vendorId once, in any case")
        seen.append(vendor.casefold())
        messages = answer.get("messages") if isinstance(answer, dict) else None
        names = [str(name).casefold() for name in messages] if isinstance(messages, list) else []
        for index, name in enumerate(names):
            place = (*path, "messages", index)
            _check_text(layers, place, name, 0, MESSAGE_ID_SIZE_MAX)
            if name in names[:index]:
                layers.refuse(place, f"{show_value(name)} again", "every messageId once, in any case")


def _check_text(layers: Layers, path: EntryPath, text: str, low: int, high: int) -> None:
    if not low <= len(text) <= high or re.fullmatch(PRINTABLE, text) is None:
        found = f"{show_value(text)}, {len(text)} characters"
        layers.refuse(path, found, f"a text, {low}..{high} characters, printable ASCII")


def check_central_system(layers: Layers, csms: Table) -> None:
    """A URL to connect to, and certificates that exist and are of use."""
    url = csms.get("url")
    path = ("csms", "url")
    if isinstance(url, str) and (complaint := complain_url(url)):
        layers.refuse(path, show_value(url), complaint)
    ca_file = csms.get("ca_file")
    if isinstance(ca_file, str):
        path = ("csms", "ca_file")
        if isinstance(url, str) and not url.startswith("wss:"):
            layers.refuse(path, show_value(ca_file), "nothing: only wss has certificates")
        elif not (layers.directory_of(path) / ca_file).is_file():
            layers.refuse(path, show_value(ca_file), "a file that exists")


def complain_url(url: str) -> str:
    """What the URL of a Central System must be that ``url`` is not; empty if it is right."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "a URL such as wss://host:443/path"
    if parts.scheme not in ("ws", "wss"):
        return "a URL that begins with ws:// or wss://"
    if not parts.hostname or port == 0 or " " in url:
        return "a URL such as wss://host:443/path"
    if parts.username is not None or parts.password is not None:
        return "a URL without a password: that belongs into csms.authorization_key_file"
    if parts.query or parts.fragment:
        return "a URL without ? and #"
    return ""


def read_authorization_key(layers: Layers, csms: Table) -> str:
    """The password in hexadecimal digits, from its own file or the declaration; empty if there is none."""
    stated, file = csms.get("authorization_key"), csms.get("authorization_key_file")
    if not isinstance(file, str):
        return stated if isinstance(stated, str) else ""
    path = ("csms", "authorization_key_file")
    if stated is not None:
        layers.refuse(path, show_value(file), "nothing beside csms.authorization_key")
        return ""
    return _read_secret(layers, path, layers.directory_of(path) / file)


def _read_secret(layers: Layers, path: EntryPath, file: Path) -> str:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            layers.refuse(path, f"{file} with mode {mode:04o}", "mode 0600: readable by its owner only")
            return ""
        content = file.read_bytes()[:100].strip()
    except OSError as error:
        if error.errno not in MENDABLE:
            raise
        layers.refuse(path, f"{file}: {error.strerror}", "a file that can be read")
        return ""
    try:
        bytes.fromhex(content.decode("ascii"))
    except ValueError:
        # Neither the value nor the text of the error, which may hold part of it.
        layers.refuse(path, f"{file} with something else", "32..40 hexadecimal digits, two a byte")
        return ""
    if len(content) not in AUTHORIZATION_KEY_SIZES:
        layers.refuse(path, f"{file} with {len(content)} characters", "32..40 hexadecimal digits, two a byte")
        return ""
    return content.decode("ascii")


def check_installation(layers: Layers, installation: Table) -> None:
    """A current for when there is no connection, and from when: both or none."""
    names = ("offline_current_max_a", "offline_after_s")
    stated = [name for name in names if name in installation]
    if len(stated) == 1:
        (missing,) = set(names) - set(stated)
        layers.refuse(("installation", stated[0]), "it alone", f"{missing} beside it")


def check_limits(layers: Layers, limits: Table, connectors: int) -> None:
    """A first back-off that is not longer than the longest; room for all statuses, which are told at once."""
    first, longest = limits.get("back_off_first_s"), limits.get("back_off_max_s")
    if isinstance(first, int | float) and isinstance(longest, int | float) and first > longest:
        layers.refuse(
            ("limits", "back_off_first_s"), show_value(first), f"at most back_off_max_s, {longest:g}"
        )
    outbox, least = limits.get("outbox_size_max"), connectors + 1 + OUTBOX_SPARE
    if isinstance(outbox, int) and outbox < least:
        layers.refuse(
            ("limits", "outbox_size_max"), str(outbox), f"at least {least} with {connectors} connectors"
        )


TRANSFER_FILES = ("ca_file", "known_hosts_file", "ssh_key_file")
"""Entries of ``transfers`` that name a file."""


def check_files(layers: Layers, transfers: Table, firmware: Table) -> None:
    """Certificates and keys that exist; a program for the installer that runs one, and for no other."""
    for name in TRANSFER_FILES:
        file, path = transfers.get(name), ("transfers", name)
        if isinstance(file, str) and not (layers.directory_of(path) / file).is_file():
            layers.refuse(path, show_value(file), "a file that exists")
    installer = firmware.get("installer")
    if installer == "command" and "command" not in firmware:
        layers.refuse(("firmware", "installer"), '"command" alone', "firmware.command beside it")
    for name in ("command", "confirm", "environment"):
        if installer in {"simulated", "rauc"} and name in firmware:
            layers.refuse(("firmware", name), "something", 'nothing but with installer = "command"')
